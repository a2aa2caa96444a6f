"""Bytes on a socket: what no well-behaved client would send, and a strict reading of what comes back."""

import base64
import os
import socket
import struct
from dataclasses import dataclass, field

from sanitizer import SLOWNESS


@dataclass
class Answer:
    status: int
    reason: str
    fields: list[tuple[str, str]]
    body: bytes = b""
    chunks: list[bytes] = field(default_factory=list)

    def __getitem__(self, name: str) -> str | None:
        values = [value for key, value in self.fields if key.lower() == name.lower()]
        assert len(values) < 2, f"{name} stands {len(values)} times"
        return values[0] if values else None

    def json(self):
        import json

        return json.loads(self.body)


class Closed(Exception):
    """The peer closed where more was expected."""


class Wire:
    """One TCP connection."""

    def __init__(self, port: int, patience=10.0, receive_buffer: int | None = None, source: str | None = None):
        self.socket = socket.socket()
        if source:
            self.socket.bind((source, 0))
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(patience * SLOWNESS)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.held = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data: bytes | str) -> "Wire":
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)
        return self

    def finish(self) -> "Wire":
        """Says that nothing more comes."""
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def _more(self) -> bytes:
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            data = b""
        if not data:
            raise Closed(f"closed after {self.held[:200]!r}")
        return data

    def read(self, count: int) -> bytes:
        while len(self.held) < count:
            self.held += self._more()
        data, self.held = self.held[:count], self.held[count:]
        return data

    def line(self) -> bytes:
        while b"\r\n" not in self.held:
            self.held += self._more()
        line, self.held = self.held.split(b"\r\n", 1)
        return line

    def rest(self) -> bytes:
        """Everything until the peer closes."""
        data, self.held = self.held, b""
        while True:
            try:
                data += self._more()
            except Closed:
                return data

    def is_closed(self, patience=5.0) -> bool:
        """Whether the peer closes without saying anything more."""
        self.socket.settimeout(patience * SLOWNESS)
        try:
            self.held += self._more()
        except Closed:
            return self.held == b""
        except TimeoutError:
            return False
        return False

    def is_silent(self, time=0.3) -> bool:
        """Whether nothing comes, not even an end."""
        if self.held:
            return False
        self.socket.settimeout(time)
        try:
            self.held += self._more()
            return False
        except TimeoutError:
            return True
        except Closed:
            return False
        finally:
            self.socket.settimeout(10 * SLOWNESS)

    def answer(self, to_head=False) -> Answer:
        """One whole answer, read strictly (RFC 9112 §4 and §6)."""
        version, status, reason = self.line().decode("latin-1").split(" ", 2)
        assert version == "HTTP/1.1", version
        fields = []
        while line := self.line():
            assert b"\n" not in line and b"\r" not in line, line
            name, value = line.decode("latin-1").split(":", 1)
            assert name and name == name.strip(), line
            fields.append((name, value.strip()))
        answer = Answer(int(status), reason, fields)
        if to_head or answer.status < 200 or answer.status in (204, 304):
            return answer
        length, coding = answer["content-length"], answer["transfer-encoding"]
        assert not (length and coding), "both Content-Length and Transfer-Encoding"
        if coding:
            assert coding == "chunked", coding
            while size := int(self.line().split(b";")[0], 16):
                answer.chunks.append(self.read(size))
                assert self.read(2) == b"\r\n"
            while self.line():
                pass
            answer.body = b"".join(answer.chunks)
        elif length is not None:
            answer.body = self.read(int(length))
        else:
            answer.body = self.rest()
        return answer


def ask(port: int, data: bytes | str, to_head=False) -> Answer:
    """The answer to a request of these bytes, on a connection of its own."""
    with Wire(port) as wire:
        return wire.send(data).answer(to_head)


def get(path: str, *fields: str, method="GET", host="sluice.test", body: bytes = b"") -> bytes:
    """A request's bytes."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *fields]
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def metric_over(wire: Wire, series: str) -> float:
    """A number of /metrics, asked over a connection that is there."""
    for line in wire.send(get("/metrics")).answer().body.decode().splitlines():
        if line.startswith(f"{series} "):
            return float(line.rsplit(" ", 1)[1])
    raise AssertionError(f"/metrics has no {series}")


def handshake(path="/echo", *fields: str, host="sluice.test", key=None, version="13", method="GET", http="1.1") -> bytes:
    """An opening handshake's bytes (RFC 6455 §4.1); a `None` leaves the default."""
    key = base64.b64encode(os.urandom(16)).decode() if key is None else key
    lines = [
        f"{method} {path} HTTP/{http}", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}", f"Sec-WebSocket-Version: {version}", *fields,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def frame(opcode: int, payload: bytes | str = b"", final=True, masked=True, reserved=0) -> bytes:
    """A client's frame (RFC 6455 §5.2)."""
    payload = payload.encode() if isinstance(payload, str) else payload
    head = bytes([(0x80 if final else 0) | reserved << 4 | opcode])
    bit = 0x80 if masked else 0
    if len(payload) < 126:
        head += bytes([bit | len(payload)])
    elif len(payload) < 65536:
        head += bytes([bit | 126]) + struct.pack(">H", len(payload))
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", len(payload))
    if not masked:
        return head + payload
    mask = os.urandom(4)
    keys = (mask * (len(payload) // 4 + 1))[: len(payload)]
    whole = int.from_bytes(payload, "big") ^ int.from_bytes(keys, "big")
    return head + mask + whole.to_bytes(len(payload), "big")


class RawSocket(Wire):
    """A WebSocket whose frames are ours to spoil."""

    def __init__(self, port: int, path="/echo", *fields: str, **options):
        super().__init__(port, **options)
        self.send(handshake(path, *fields))
        self.opening = self.answer()
        assert self.opening.status == 101, (self.opening.status, self.opening.fields)

    def receive(self) -> tuple[int, bytes]:
        """Opcode and payload of one unfragmented frame."""
        first, second = self.read(2)
        assert first & 0x80 and not first & 0x70 and not second & 0x80, (first, second)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack(">H", self.read(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", self.read(8))
        return first & 0x0F, self.read(size)

    def close_code(self) -> int:
        """The code of the next close frame; what comes before it is passed over."""
        while True:
            opcode, payload = self.receive()
            if opcode == CLOSE:
                return struct.unpack(">H", payload[:2])[0] if payload else 1005
