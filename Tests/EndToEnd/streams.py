"""Clients of the streams: EventSource and HTTP streaming as libraries have them, and Centrifugo's protocol on top."""

import contextlib
import json
import queue
import socket
import struct
import threading
import uuid
from urllib.parse import quote

import httpx
from httpx_sse import EventSource

from sanitizer import SLOWNESS

PATIENCE = 10 * SLOWNESS
OVER = object()

# Seconds for which a token is good beyond its `exp`, so that clocks need not agree: less of it is left.
LEEWAY = -60
# Nobody here answers pings, of which the first comes soon: on a busy machine it would be missed.
PATIENT = {"ping_interval_seconds": 3600, "pong_timeout_seconds": 3599}
EVERYTHING = {
    **PATIENT,
    "without_namespace": {"join_leave": True, "force_push_join_leave": True, "publish_for_client": "subscribers"},
    "namespaces": {"small": {"history_size": 2, "publish_for_client": "users"}},
}


def channel(namespace="") -> str:
    return namespace + "room-" + uuid.uuid4().hex


def publish(app, name: str, *data):
    for item in data:
        app.server.post("/v1/publish", {"channel": name, "data": item}, expect=200)


class Streaming:
    """An answer without an end, read as it comes."""

    def __init__(self, method: str, url: str, is_events: bool, **options):
        self.http = httpx.Client(timeout=httpx.Timeout(PATIENCE, read=60 * SLOWNESS))
        self.items: queue.Queue = queue.Queue()
        self.opening = self.http.stream(method, url, **options)
        self.response = self.opening.__enter__()
        self.reader = threading.Thread(target=self._read, args=(is_events,), daemon=True)
        self.reader.start()

    def _read(self, is_events: bool):
        try:
            if is_events:
                for event in EventSource(self.response).iter_sse():
                    self.items.put(event)
            else:
                for line in self.response.iter_lines():
                    self.items.put(line)
        except (httpx.HTTPError, httpx.StreamError, OSError, ValueError):
            pass
        self.items.put(OVER)

    def next(self, patience=PATIENCE):
        return self.items.get(timeout=patience)

    def rest(self) -> list:
        """What comes until the answer ends."""
        found = []
        while (item := self.next()) is not OVER:
            found.append(item)
        return found

    def cut(self):
        """Leaves without a word."""
        network = self.response.extensions.get("network_stream")
        if network is not None:
            with contextlib.suppress(OSError):
                network.get_extra_info("socket").shutdown(2)
        self.http.close()

    def reset(self):
        """Leaves so that the server hears of it at once: with a reset, and not with the end of what is sent."""
        network = self.response.extensions.get("network_stream")
        if network is not None:
            with contextlib.suppress(OSError):
                end = network.get_extra_info("socket")
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                # The reader lets go of it; nothing is sent.
                end.shutdown(socket.SHUT_RD)
        self.reader.join(PATIENCE)
        self.http.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cut()


class Stream(Streaming):
    """Centrifugo's protocol over `sse`, `sse_post` or `http_stream`, with what the client says going to /emulation."""

    def __init__(self, gateway, transport: str, token: str | None, connect=None, url: str | None = None, **options):
        self.base = url or gateway.url
        self.is_events = transport.startswith("sse")
        command = json.dumps({"id": 1, "connect": {**({"token": token} if token else {}), **(connect or {})}})
        if transport == "sse":
            arguments = ("GET", f"{self.base}/connection/sse?cf_connect={quote(command)}")
        else:
            path = "sse" if self.is_events else "http_stream"
            arguments = ("POST", f"{self.base}/connection/{path}")
            options["content"] = command
        self.held: list[dict] = []
        self.last = 1
        super().__init__(*arguments, self.is_events, **options)
        self.status = self.response.status_code
        self.connected = self.until(lambda line: line.get("id") == 1).get("connect") if self.status == 200 else None

    def line(self, patience=PATIENCE) -> dict:
        """The next line of the protocol."""
        while not self.held:
            item = self.next(patience)
            assert item is not OVER, "the stream has ended"
            self.held += [json.loads(text) for text in (item.data if self.is_events else item).split("\n") if text]
        return self.held.pop(0)

    def until(self, is_it) -> dict:
        """The first line that is it; those before are let go."""
        while not is_it(line := self.line()):
            pass
        return line

    def push(self) -> dict:
        return self.until(lambda line: "push" in line)["push"]

    def heard(self) -> tuple:
        pub = self.until(lambda line: "pub" in line.get("push", {}))["push"]["pub"]
        return pub.get("offset"), pub["data"]

    def farewell(self) -> tuple[int, str]:
        """How the server has ended it; nothing follows."""
        last = self.until(lambda line: "disconnect" in line.get("push", {}))["push"]["disconnect"]
        assert not self.held and self.rest() == []
        return last["code"], last["reason"]

    def say(self, *commands: dict, session=None, node=None) -> httpx.Response:
        """On a connection of its own, which is any loop's."""
        return httpx.post(self.base + "/emulation", timeout=PATIENCE, json={
            "session": session or self.connected["session"], "node": node or self.connected["node"],
            "data": "\n".join(json.dumps(command) for command in commands),
        })

    def ask(self, **command) -> dict:
        self.last += 1
        number = self.last
        answer = self.say({"id": number, **command})
        assert answer.status_code == 204 and answer.content == b"", answer.text
        return self.until(lambda line: line.get("id") == number)


class Events(Streaming):
    """`uni_sse`, as an EventSource."""

    def __init__(self, gateway, channels: str, token: str, last_event_id: str | None = None):
        headers = {"Accept": "text/event-stream"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = last_event_id
        super().__init__(
            "GET", f"{gateway.url}/connection/uni_sse?channels={quote(channels)}&token={token}", True, headers=headers)
        self.status = self.response.status_code
        self.hello = self.next() if self.status == 200 else None

    def event(self):
        event = self.next()
        assert event is not OVER, "the stream has ended"
        return event

    def json(self, count=1) -> list[dict]:
        return [json.loads(self.event().data) for _ in range(count)]
