"""HTTP/2 frame by frame: what no well-behaved client would send, and a plain reading of what comes back."""

import socket
import struct
from dataclasses import dataclass, field

import hpack

from sanitizer import SLOWNESS

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS = 1, 1, 4
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR = 0, 1, 2, 3
STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR = 5, 6, 7, 8, 9
ENHANCE_YOUR_CALM = 11
INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS, ENABLE_CONNECT_PROTOCOL = 4, 3, 8


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(entries: dict[int, int] | None = None) -> bytes:
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *entry) for entry in (entries or {}).items()))


def window(stream: int, increment: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", increment))


def reset(stream: int, code: int = CANCEL) -> bytes:
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def literal(fields) -> bytes:
    """A field block that the decoder remembers nothing of, with names and values as they are."""
    def text(value) -> bytes:
        data = value.encode("latin-1") if isinstance(value, str) else value
        length = len(data)
        if length < 127:
            return bytes([length]) + data
        head, rest = b"\x7f", length - 127
        while rest >= 128:
            head += bytes([rest & 127 | 128])
            rest >>= 7
        return head + bytes([rest]) + data

    return b"".join(b"\0" + text(name) + text(value) for name, value in fields)


def request(method="GET", path="/", *fields, authority="127.0.0.1") -> list[tuple[str, str]]:
    return [(":method", method), (":scheme", "http"), (":authority", authority), (":path", path), *fields]


@dataclass
class Stream:
    """What has come on a stream."""

    heads: list[dict[str, str]] = field(default_factory=list)
    body: bytes = b""
    ended: bool = False
    error: int | None = None
    frames: list[int] = field(default_factory=list)

    @property
    def status(self) -> int:
        return int(self.heads[-1][":status"])

    @property
    def is_over(self) -> bool:
        return self.ended or self.error is not None

    def json(self):
        import json

        return json.loads(self.body)


class Gone(Exception):
    """The peer closed where more was expected."""


class H2:
    """One connection. It acknowledges settings; it opens windows only if it `reads`."""

    def __init__(self, port: int, entries: dict[int, int] | None = None, greets=True, reads=True, patience=10.0,
                 receive_buffer: int | None = None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(patience * SLOWNESS)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reads = reads
        self.decoder = hpack.Decoder()
        self.decoder.max_header_list_size = 1 << 20
        self.held = b""
        self.streams: dict[int, Stream] = {}
        self.settings: dict[int, int] = {}
        self.goaways: list[tuple[int, int]] = []
        self.windows: dict[int, int] = {}
        self.pongs: list[bytes] = []
        self.is_closed = False
        # A mute peer sends nothing but what a test says.
        self.is_mute = False
        self._next = 1
        if greets:
            self.send(PREFACE + settings(entries))
            self.until(lambda: self.settings)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data: bytes) -> "H2":
        self.socket.sendall(data)
        return self

    def open(self, fields=None, body: bytes | None = b"", flags=END_HEADERS) -> int:
        """Sends a request and returns its stream. `None` leaves the stream open."""
        stream, self._next = self._next, self._next + 2
        fields = fields or request()
        ends = END_STREAM if body == b"" else 0
        self.send(frame(HEADERS, flags | ends, stream, literal(fields)))
        if body:
            self.data(stream, body)
        return stream

    def data(self, stream: int, body: bytes, ends=True):
        """Sends a body as its windows allow."""
        for start in range(0, len(body), 16384) or [0]:
            piece = body[start:start + 16384]
            available = lambda: min(  # noqa: E731
                self.windows.get(0, 65535), self.windows.get(stream, self.settings.get(INITIAL_WINDOW_SIZE, 65535)))
            self.until(lambda: available() >= len(piece) or self.streams.get(stream, Stream()).is_over)
            if self.streams.get(stream, Stream()).is_over:
                return
            for key in (0, stream):
                default = 65535 if key == 0 else self.settings.get(INITIAL_WINDOW_SIZE, 65535)
                self.windows[key] = self.windows.get(key, default) - len(piece)
            last = ends and start + len(piece) == len(body)
            self.send(frame(DATA, END_STREAM if last else 0, stream, piece))

    def get(self, path="/", *fields) -> Stream:
        return self.answer(self.open(request("GET", path, *fields)))

    def answer(self, stream: int) -> Stream:
        """What came on a stream, when it is over."""
        self.until(lambda: stream in self.streams and self.streams[stream].is_over)
        return self.streams[stream]

    def until(self, condition):
        while not condition():
            self.take()

    def closed(self) -> "H2":
        """Reads until the peer has closed."""
        try:
            while True:
                self.take()
        except Gone:
            return self

    def take(self):
        """Reads one frame."""
        try:
            while len(self.held) < 9:
                self._more()
            length = int.from_bytes(self.held[:3], "big")
            while len(self.held) < 9 + length:
                self._more()
        except (ConnectionResetError, BrokenPipeError):
            self.is_closed = True
            raise Gone("reset")
        kind, flags, stream = struct.unpack(">BBI", self.held[3:9])
        payload, self.held = self.held[9:9 + length], self.held[9 + length:]
        self._handle(kind, flags, stream, payload)

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            self.is_closed = True
            raise Gone(f"closed; {self.goaways}")
        self.held += data

    def _handle(self, kind, flags, number, payload):
        stream = self.streams.setdefault(number, Stream()) if number else None
        if stream:
            stream.frames.append(kind)
        if kind == DATA:
            stream.body += payload
            stream.ended |= bool(flags & END_STREAM)
            if self.reads and payload:
                updates = window(0, len(payload)) + (b"" if stream.ended else window(number, len(payload)))
                self._try(updates)
        elif kind == HEADERS:
            assert flags & END_HEADERS
            stream.heads.append({name: value for name, value in self.decoder.decode(payload)})
            stream.ended |= bool(flags & END_STREAM)
        elif kind == RST_STREAM:
            if not stream.ended:
                stream.error = int.from_bytes(payload, "big")
        elif kind == SETTINGS and not flags & ACK:
            for start in range(0, len(payload), 6):
                name, value = struct.unpack(">HI", payload[start:start + 6])
                self.settings[name] = value
            self._try(frame(SETTINGS, ACK))
        elif kind == PING:
            self.pongs.append(payload) if flags & ACK else self._try(frame(PING, ACK, 0, payload))
        elif kind == GOAWAY:
            last, code = struct.unpack(">II", payload[:8])
            self.goaways.append((last, code))
        elif kind == WINDOW_UPDATE:
            default = 65535 if number == 0 else self.settings.get(INITIAL_WINDOW_SIZE, 65535)
            self.windows[number] = self.windows.get(number, default) + int.from_bytes(payload, "big")

    def _try(self, data: bytes):
        try:
            if not self.is_mute:
                self.socket.sendall(data)
        except (ConnectionResetError, BrokenPipeError):
            pass
