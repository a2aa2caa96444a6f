"""A client of `/ws` without an SDK: plain JSON over PyPI's websockets."""

import itertools
import json

from websockets.sync.client import connect

from sanitizer import SLOWNESS

PATIENCE = 10 * SLOWNESS


class Plain:
    """A connection to `/ws`, past its handshake; what has come and was not asked for is in `events`."""

    def __init__(self, gateway, token: str | None = None, query="", first=None, **options):
        headers = {"Authorization": f"Bearer {token}"} if token else None
        self.connection = connect(
            f"{gateway.socket_url}/ws{query}", additional_headers=headers, open_timeout=PATIENCE,
            close_timeout=PATIENCE, proxy=None, **options)
        self.first = first
        self.ids = itertools.count(1)
        self.events: list[dict] = []

    def __enter__(self) -> "Plain":
        self.socket = self.connection.__enter__()
        if self.first is not None:
            self.socket.send(json.dumps(self.first))
        self.handshake = self.receive()
        assert self.handshake["type"] == "handshake_validation", self.handshake
        return self

    def __exit__(self, *_):
        self.connection.__exit__(None, None, None)

    def receive(self, patience=PATIENCE) -> dict:
        """The next message; pings are answered and passed over."""
        while True:
            message = json.loads(self.socket.recv(patience))
            if message["type"] != "ping":
                return message
            self.socket.send('{"type":"pong"}')

    def send(self, type: str, **members) -> int:
        id = next(self.ids)
        self.socket.send(json.dumps({"type": type, "id": id, **members}))
        return id

    def ask(self, type: str, **members) -> dict:
        """The answer to a message."""
        id = self.send(type, **members)
        while True:
            message = self.receive()
            if message.get("id") == id and message["type"] in ("ack", "error", "pong"):
                return message
            self.events.append(message)

    def subscribe(self, channel: str, **members) -> dict:
        ack = self.ask("subscribe", channel=channel, **members)
        assert ack["type"] == "ack", ack
        return ack

    def hear(self, count=1) -> list[dict]:
        """The next messages that were not asked for."""
        while len(self.events) < count:
            self.events.append(self.receive())
        heard, self.events = self.events[:count], self.events[count:]
        return heard
