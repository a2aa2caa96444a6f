"""The clients of the torture: writers that remember what was acknowledged, and listeners that resume where they were."""

import http.client
import itertools
import json
import random
import threading
import time

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from model import Ledger


class Writer(threading.Thread):
    """Sends messages one after another over one connection; each has an id of its own and is sent once."""

    def __init__(self, name: str, port: int, secret: str, channel: str, ledger: Ledger, stop: threading.Event):
        super().__init__(name=name, daemon=True)
        self.port, self.secret, self.channel, self.ledger, self.stop = port, secret, channel, ledger, stop
        self.chance = random.Random(name)

    def run(self):
        numbers = itertools.count()
        while not self.stop.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            try:
                connection.connect()
                for number in numbers:
                    if self.stop.is_set():
                        return
                    self.send(connection, f"{self.name}-{number}")
                    # The listener plugin hears one event after another, each with a commit of its own; it must keep up.
                    time.sleep(self.chance.uniform(0, 0.03))
            except (OSError, http.client.HTTPException):
                time.sleep(0.01)  # killed: it comes back
            finally:
                connection.close()

    def send(self, connection: http.client.HTTPConnection, id: str):
        body = json.dumps({"id": id, "text": id, "user_id": "writer"})
        self.ledger.begin(self.channel, id)
        connection.request(
            "POST", f"/v1/channels/messaging/{self.channel}/messages", body,
            {"Authorization": f"Bearer {self.secret}", "Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status == 201:
            self.ledger.acknowledge(self.channel, id)
        elif answer.status < 500:
            raise AssertionError(f"{id}: {answer.status} {text[:300]!r}")
        else:
            time.sleep(0.01)


class Ear(threading.Thread):
    """Hears one channel, and keeps what it has heard and where it is."""

    def __init__(self, port: int, token: str, channel: str):
        super().__init__(daemon=True)
        self.port, self.token, self.channel = port, token, f"chat:messaging:{channel}"
        self.heard: list[str] = []
        self.offset, self.epoch = 0, None
        self.resumed = self.broken_epochs = self.backward = self.gaps = 0
        self.stop = threading.Event()

    def stands(self, offset: int, epoch: str):
        """What the gateway says of the channel's end, when it is heard again."""
        if self.epoch is None:
            # Whoever has heard nothing yet begins at the beginning too.
            self.epoch = epoch
        elif epoch != self.epoch:
            self.broken_epochs += 1
            self.epoch = epoch
        else:
            self.resumed += 1
        if offset < self.offset:
            self.backward += 1

    def catch_up(self, top: int | None = None):
        """Reads what came between the last event heard and `top`, or the channel's end."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            while top is None or self.offset < top:
                connection.request(
                    "GET", f"/v1/history/{self.channel}?since={self.offset}&limit=100",
                    headers={"Authorization": f"Bearer {self.token}"})
                answer = connection.getresponse()
                text = answer.read()
                if answer.status != 200:
                    raise Interrupted
                page = json.loads(text)
                if top is None:
                    top = page["offset"]
                    if self.epoch is None:
                        self.epoch = page["epoch"]
                    continue
                entries = [event for event in page["data"] if event["offset"] <= top]
                if not entries:
                    raise Interrupted
                for event in entries:
                    self.take(event["offset"], event["epoch"], event)
        finally:
            connection.close()

    def take(self, offset: int, epoch: str, event: dict):
        if epoch != self.epoch:
            self.broken_epochs += 1
        # Every message is an event, so offsets follow one another.
        self.gaps += offset != self.offset + 1
        self.offset = offset
        self.heard.append(event["data"]["id"])


class Listener(Ear):
    """Hears it over a plain socket, and after each interruption reads what it has missed from the history."""

    def run(self):
        while not self.stop.is_set():
            try:
                self.listen()
            except (OSError, http.client.HTTPException, WebSocketException, TimeoutError, Interrupted):
                time.sleep(0.01)

    def listen(self):
        address = f"ws://127.0.0.1:{self.port}/connection/uni_websocket?channels={self.channel}"
        with connect(
            address, additional_headers={"Authorization": f"Bearer {self.token}"}, open_timeout=5, close_timeout=0.1,
            proxy=None, ping_interval=None,
        ) as socket:
            place = json.loads(socket.recv(5))["channels"][0]
            self.stands(place["offset"], place["epoch"])
            self.catch_up(place["offset"])
            while not self.stop.is_set():
                try:
                    line = json.loads(socket.recv(0.2))
                except TimeoutError:
                    continue
                if "offset" in line:
                    self.take(line["offset"], line["epoch"], line)


class Interrupted(Exception):
    """The gateway did not answer; the listener begins again from where it is."""
