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


class Listener(threading.Thread):
    """Hears one channel over a socket, and after each interruption what it has missed, by offset and epoch."""

    def __init__(self, port: int, token: str, channel: str):
        super().__init__(name=f"listener-{channel}", daemon=True)
        self.port, self.token, self.channel = port, token, f"chat:messaging:{channel}"
        self.heard: list[str] = []
        self.offset, self.epoch = 0, None
        self.resumed = self.broken_epochs = self.backward = self.gaps = 0
        self.stop = threading.Event()

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
            if self.epoch is None:
                # Whoever has heard nothing yet begins at the beginning too.
                self.epoch = place["epoch"]
            elif place["epoch"] != self.epoch:
                self.broken_epochs += 1
                self.epoch = place["epoch"]
            else:
                self.resumed += 1
            if place["offset"] < self.offset:
                self.backward += 1
            self.catch_up(place["offset"])
            while not self.stop.is_set():
                try:
                    self.take(json.loads(socket.recv(0.2)))
                except TimeoutError:
                    continue

    def catch_up(self, top: int):
        """Reads what came between the last event heard and the socket's first."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            while self.offset < top:
                connection.request(
                    "GET", f"/v1/history/{self.channel}?since={self.offset}&limit=100",
                    headers={"Authorization": f"Bearer {self.token}"})
                answer = connection.getresponse()
                page = answer.read()
                if answer.status != 200:
                    raise Interrupted
                entries = [event for event in json.loads(page)["data"] if event["offset"] <= top]
                if not entries:
                    raise Interrupted
                for event in entries:
                    self.take(event)
        finally:
            connection.close()

    def take(self, event: dict):
        if event.get("type") != "chat.message.created":
            return
        if event["epoch"] != self.epoch:
            self.broken_epochs += 1
        # Every message is an event, so offsets follow one another.
        self.gaps += event["offset"] != self.offset + 1
        self.offset = event["offset"]
        self.heard.append(event["data"]["id"])


class Interrupted(Exception):
    """The gateway did not answer; the listener begins again from where it is."""
