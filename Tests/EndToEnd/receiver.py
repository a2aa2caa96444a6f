"""A server of an app's that events are sent to: what has come, and what it answers."""

import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from program import eventually


@dataclass
class Arrival:
    """One request that has come."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.time)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


class Receiver:
    """Answers 200, or what a test has said for a path."""

    def __init__(self):
        self.lock = threading.Lock()
        self.arrivals: list[Arrival] = []
        # By path: a list of (status, fields), of which the last is answered again and again.
        self.answers: dict[str, list[tuple[int, dict[str, str]]]] = {}
        # Paths that are answered only when the event is set.
        self.held: dict[str, threading.Event] = {}
        self.server = _Server(("127.0.0.1", 0), type("Taken", (_Taken,), {"receiver": self}))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path="/") -> str:
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def at(self, path="/") -> list[Arrival]:
        with self.lock:
            return [each for each in self.arrivals if each.path == path]

    def wait(self, count: int, path="/", patience=60) -> list[Arrival]:
        """What has come at a path, when so many have."""
        eventually(lambda: len(self.at(path)) >= count, patience)
        found = self.at(path)
        assert len(found) >= count, f"{len(found)} of {count} came at {path}"
        return found

    def next_answer(self, path: str) -> tuple[int, dict[str, str]]:
        with self.lock:
            planned = self.answers.get(path) or [(200, {})]
            return planned.pop(0) if len(planned) > 1 else planned[0]

    def close(self):
        for event in self.held.values():
            event.set()
        self.server.shutdown()
        self.server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass


class _Taken(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    receiver: Receiver

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fields = {name.lower(): value for name, value in self.headers.items()}
        with self.receiver.lock:
            self.receiver.arrivals.append(Arrival(self.path, fields, body))
        if self.path in self.receiver.held:
            self.receiver.held[self.path].wait(120)
        status, answered = self.receiver.next_answer(self.path)
        self.send_response(status)
        for name, value in answered.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()
