#!/usr/bin/env python3
"""HTTP/2 conformance: a table of frames that are sent and of answers that the RFCs allow, tried on a running server.

    http2_table.py PORT           tries every row and prints what fails; the last line is the tally
    http2_table.py --page FILE    writes the table as a page of the documentation

The server is one that answers GET / with 200 and takes POST /, as `examples/conformance` does. Exit code 0: every row is as
expected. RFC 9113 unless another is named.
"""

import struct
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "EndToEnd"))

from http2 import (  # noqa: E402
    ACK, COMPRESSION_ERROR, CONTINUATION, DATA, END_HEADERS, END_STREAM, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, GOAWAY,
    HEADERS, INITIAL_WINDOW_SIZE, NO_ERROR, PING, PRIORITY, PROTOCOL_ERROR, PUSH_PROMISE, RST_STREAM, SETTINGS,
    STREAM_CLOSED, WINDOW_UPDATE, Gone, H2, frame, literal, request, reset, settings, window,
)

NAMES = {
    NO_ERROR: "NO_ERROR", PROTOCOL_ERROR: "PROTOCOL_ERROR", FLOW_CONTROL_ERROR: "FLOW_CONTROL_ERROR",
    STREAM_CLOSED: "STREAM_CLOSED", FRAME_SIZE_ERROR: "FRAME_SIZE_ERROR", COMPRESSION_ERROR: "COMPRESSION_ERROR",
}


@dataclass(frozen=True)
class Connection:
    """The connection ends with one of these errors."""

    codes: tuple[int, ...]

    def __str__(self):
        return "GOAWAY " + " or ".join(NAMES[code] for code in self.codes)


@dataclass(frozen=True)
class Stream:
    """Stream 1 is reset with one of these errors, or the connection ends with it: RFC 9113 §5.4.1 allows that too."""

    codes: tuple[int, ...]

    def __str__(self):
        return "RST_STREAM or GOAWAY " + " or ".join(NAMES[code] for code in self.codes)


@dataclass(frozen=True)
class Answer:
    """Stream 1 is answered with this status, and not reset."""

    status: int

    def __str__(self):
        return str(self.status)


@dataclass(frozen=True)
class Works:
    """The connection goes on: a request after it is answered."""

    def __str__(self):
        return "the connection goes on"


@dataclass(frozen=True)
class Case:
    section: str
    sent: str
    data: bytes
    expected: object
    # What the RFC wants instead, where nghttp2 is lenient.
    wanted: object = None

    @property
    def name(self) -> str:
        return f"{self.section} {self.sent}"


def get(stream=1, flags=END_HEADERS | END_STREAM, *fields) -> bytes:
    return frame(HEADERS, flags, stream, literal(request("GET", "/", *fields)))


def post(stream=1, *fields) -> bytes:
    return frame(HEADERS, END_HEADERS, stream, literal(request("POST", "/", *fields)))


def head(*fields, flags=END_HEADERS | END_STREAM) -> bytes:
    return frame(HEADERS, flags, 1, literal(fields))


def changed(**changes) -> bytes:
    """A GET with other pseudo-header fields; None leaves one out."""
    usual = {"method": "GET", "scheme": "http", "authority": "a", "path": "/", **changes}
    return head(*((f":{name}", value) for name, value in usual.items() if value is not None))


def with_field(name: str, value: str) -> bytes:
    return get(1, END_HEADERS | END_STREAM, (name, value))


def connection(*codes) -> Connection:
    return Connection(codes)


def stream(*codes) -> Stream:
    return Stream(codes)


MALFORMED = stream(PROTOCOL_ERROR)
HALF_CLOSED = frame(HEADERS, END_HEADERS | END_STREAM, 1, literal(request("POST", "/")))

CASES = [
    Case("3.4", "SETTINGS that say nothing", settings(), Works()),
    Case("4.1", "a frame of an unknown type", frame(0x77, 0xFF, 0, b"whatever"), Works()),
    Case("4.1", "undefined flags on PING", frame(PING, 0x16, 0, b"12345678"), Works()),
    Case("4.1", "the reserved bit of a stream's number", frame(PING, 0, 0x80000000, b"12345678"), Works()),
    Case("4.2", "DATA of the largest size allowed", post() + frame(DATA, END_STREAM, 1, b"x" * 16384), Answer(200)),
    Case("4.2", "DATA that is larger", post() + frame(DATA, END_STREAM, 1, b"x" * 16385), stream(FRAME_SIZE_ERROR)),
    Case("4.2", "HEADERS that are larger", frame(HEADERS, 5, 1, b"\0" * 16385), connection(FRAME_SIZE_ERROR)),
    Case("4.3", "a field block that does not decode", frame(HEADERS, 5, 1, b"\xff\xff\xff\xff\xff\xff"),
         connection(COMPRESSION_ERROR)),
    Case("5.1", "DATA on an idle stream", frame(DATA, END_STREAM, 1, b"x"), connection(PROTOCOL_ERROR)),
    Case("5.1", "RST_STREAM on an idle stream", reset(1), connection(PROTOCOL_ERROR)),
    Case("5.1", "WINDOW_UPDATE on an idle stream", window(1, 1), connection(PROTOCOL_ERROR)),
    Case("5.1", "CONTINUATION on an idle stream", frame(CONTINUATION, END_HEADERS, 1), connection(PROTOCOL_ERROR)),
    Case("5.1", "DATA behind the end of the request", HALF_CLOSED + frame(DATA, END_STREAM, 1, b"x"),
         stream(STREAM_CLOSED)),
    Case("5.1", "HEADERS behind the end of the request", HALF_CLOSED + head(("x", "y")), stream(STREAM_CLOSED)),
    Case("5.1", "PRIORITY on an idle stream", frame(PRIORITY, 0, 9, struct.pack(">IB", 0, 1)), Works()),
    Case("5.1.1", "a stream with an even number", get(2), connection(PROTOCOL_ERROR)),
    Case("5.1.2, 6.5.3", "requests before settings are acknowledged", get(), Answer(200)),
    Case("5.5", "an unknown frame inside a field block", get(1, END_STREAM) + frame(0x77, 0, 0, b"x"),
         connection(PROTOCOL_ERROR)),
    Case("6.1", "DATA on stream 0", frame(DATA, 0, 0, b"x"), connection(PROTOCOL_ERROR)),
    Case("6.1", "DATA with more padding than payload", post() + frame(DATA, 0x9, 1, b"\x06hello"),
         connection(PROTOCOL_ERROR)),
    Case("6.1", "DATA with padding", post() + frame(DATA, 0x9, 1, b"\x02hello\0\0"), Answer(200)),
    Case("6.2", "HEADERS on stream 0", get(0), connection(PROTOCOL_ERROR)),
    Case("6.2", "HEADERS with more padding than payload", frame(HEADERS, 0xD, 1, b"\xff" + literal(request())),
         connection(PROTOCOL_ERROR)),
    Case("6.2", "HEADERS with padding", frame(HEADERS, 0xD, 1, b"\x03" + literal(request()) + b"\0\0\0"), Answer(200)),
    Case("6.2", "HEADERS of another stream inside a field block", get(1, END_STREAM) + get(3),
         connection(PROTOCOL_ERROR)),
    Case("6.2, 6.10", "a field block in three frames",
         frame(HEADERS, END_STREAM, 1, literal(request())[:5]) + frame(CONTINUATION, 0, 1, literal(request())[5:9])
         + frame(CONTINUATION, END_HEADERS, 1, literal(request())[9:]), Answer(200)),
    Case("6.3", "PRIORITY on stream 0", frame(PRIORITY, 0, 0, struct.pack(">IB", 0, 1)), Works(),
         connection(PROTOCOL_ERROR)),
    Case("6.3", "PRIORITY of 4 bytes", post() + frame(PRIORITY, 0, 1, b"1234"), stream(FRAME_SIZE_ERROR)),
    Case("6.4", "RST_STREAM on stream 0", reset(0), connection(PROTOCOL_ERROR)),
    Case("6.4", "RST_STREAM of 3 bytes", post() + frame(RST_STREAM, 0, 1, b"123"), connection(FRAME_SIZE_ERROR)),
    Case("6.5", "an acknowledgement of settings with a payload", frame(SETTINGS, ACK, 0, b"\0" * 6),
         connection(FRAME_SIZE_ERROR)),
    Case("6.5", "SETTINGS on a stream", frame(SETTINGS, 0, 1), connection(PROTOCOL_ERROR)),
    Case("6.5", "SETTINGS of 3 bytes", frame(SETTINGS, 0, 0, b"123"), connection(FRAME_SIZE_ERROR)),
    Case("6.5.2", "SETTINGS_ENABLE_PUSH of 2", settings({2: 2}), connection(PROTOCOL_ERROR)),
    Case("6.5.2", "SETTINGS_INITIAL_WINDOW_SIZE over 2^31-1", settings({INITIAL_WINDOW_SIZE: 0x80000000}),
         connection(FLOW_CONTROL_ERROR)),
    Case("6.5.2", "SETTINGS_MAX_FRAME_SIZE of 16383", settings({5: 16383}), connection(PROTOCOL_ERROR)),
    Case("6.5.2", "SETTINGS_MAX_FRAME_SIZE of 2^24", settings({5: 1 << 24}), connection(PROTOCOL_ERROR)),
    Case("6.5.2", "a setting of no known name", settings({0xFF: 1}), Works()),
    Case("6.6, 8.4", "PUSH_PROMISE from a client", frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2"),
         connection(PROTOCOL_ERROR)),
    Case("6.7", "PING on a stream", frame(PING, 0, 1, b"12345678"), connection(PROTOCOL_ERROR)),
    Case("6.7", "PING of 6 bytes", frame(PING, 0, 0, b"123456"), connection(FRAME_SIZE_ERROR)),
    Case("6.8", "GOAWAY on a stream", frame(GOAWAY, 0, 1, b"\0" * 8), connection(PROTOCOL_ERROR)),
    Case("6.9", "WINDOW_UPDATE of 0 on the connection", window(0, 0), connection(PROTOCOL_ERROR)),
    Case("6.9", "WINDOW_UPDATE of 0 on a stream", post() + window(1, 0), stream(PROTOCOL_ERROR)),
    Case("6.9", "WINDOW_UPDATE of 3 bytes", frame(WINDOW_UPDATE, 0, 0, b"123"), connection(FRAME_SIZE_ERROR)),
    Case("6.9.1", "a window of the connection over 2^31-1", window(0, 0x7FFFFFFF), connection(FLOW_CONTROL_ERROR)),
    Case("6.9.1", "a window of a stream over 2^31-1", post() + window(1, 0x7FFFFFFF), stream(FLOW_CONTROL_ERROR)),
    Case("6.9.2", "settings that make the window of a stream larger than 2^31-1",
         post() + window(1, 0x7FFF0000) + settings({INITIAL_WINDOW_SIZE: 0x7FFFFFFF}), stream(FLOW_CONTROL_ERROR),
         connection(FLOW_CONTROL_ERROR)),
    Case("5.1.1", "a stream with a number below the last", get(3) + get(1), Works(), connection(PROTOCOL_ERROR)),
    Case("6.10", "CONTINUATION on stream 0", get(1, END_STREAM) + frame(CONTINUATION, END_HEADERS, 0),
         connection(PROTOCOL_ERROR)),
    Case("6.10", "CONTINUATION behind the end of a block", get(1) + frame(CONTINUATION, END_HEADERS, 1),
         connection(PROTOCOL_ERROR)),

    Case("8.1", "trailers that end the stream", post() + frame(DATA, 0, 1, b"x") + head(("x-sum", "1")), Answer(200)),
    Case("8.1", "a second head that does not", post() + head(("x-sum", "1"), flags=END_HEADERS), MALFORMED),
    Case("8.1", "a pseudo-header field in trailers", post() + head((":path", "/")), MALFORMED),
    Case("8.1.1", "a body longer than Content-Length", post(1, ("content-length", "1")) + frame(DATA, 1, 1, b"xy"),
         MALFORMED),
    Case("8.1.1", "a body shorter than Content-Length", post(1, ("content-length", "3")) + frame(DATA, 1, 1, b"xy"),
         MALFORMED),
    Case("8.1.1", "a body in pieces longer than Content-Length",
         post(1, ("content-length", "1")) + frame(DATA, 0, 1, b"x") + frame(DATA, 1, 1, b"y"), MALFORMED),
    Case("8.1.1", "Content-Length and no body", with_field("content-length", "1"), MALFORMED),
    Case("8.2.1", "a name with an upper-case letter", with_field("X-Test", "y"), MALFORMED),
    Case("8.2.1", "a name with a space", with_field("x y", "z"), MALFORMED),
    Case("8.2.1", "a name with a colon", with_field("x:y", "z"), MALFORMED),
    Case("8.2.1", "an empty name", with_field("", "z"), MALFORMED),
    Case("8.2.1", "NUL in a value", with_field("x", "a\0b"), MALFORMED),
    Case("8.2.1", "CR in a value", with_field("x", "a\rb"), MALFORMED),
    Case("8.2.1", "LF in a value", with_field("x", "a\nb"), MALFORMED),
    Case("8.2.1", "a space in front of a value", with_field("x", " a"), MALFORMED),
    Case("8.2.1", "a tab behind a value", with_field("x", "a\t"), MALFORMED),
    Case("8.2.2", "Connection", with_field("connection", "keep-alive"), MALFORMED),
    Case("8.2.2", "Keep-Alive", with_field("keep-alive", "1"), MALFORMED),
    Case("8.2.2", "Proxy-Connection", with_field("proxy-connection", "close"), MALFORMED),
    Case("8.2.2", "Transfer-Encoding", with_field("transfer-encoding", "chunked"), MALFORMED),
    Case("8.2.2", "Upgrade", with_field("upgrade", "h2c"), MALFORMED),
    Case("8.2.2", "TE other than trailers", with_field("te", "trailers, deflate"), MALFORMED),
    Case("8.2.2", "TE: trailers", with_field("te", "trailers"), Answer(200)),
    Case("8.2.3", "a cookie in crumbs", get(1, 5, ("cookie", "a=b"), ("cookie", "c=d")), Answer(200)),
    Case("8.3", "a pseudo-header field that is unknown", changed(test="x"), MALFORMED),
    Case("8.3", ":status in a request", changed(status="200"), MALFORMED),
    Case("8.3", "a pseudo-header field behind a field",
         head((":method", "GET"), (":scheme", "http"), (":authority", "a"), ("x", "y"), (":path", "/")), MALFORMED),
    Case("8.3.1", ":path left out", changed(path=None), MALFORMED),
    Case("8.3.1", ":path empty", changed(path=""), MALFORMED),
    Case("8.3.1", ":path without a slash", changed(path="x"), MALFORMED),
    Case("8.3.1", ":path * with GET", changed(path="*"), MALFORMED),
    Case("8.3.1", ":path with a fragment", changed(path="/#x"), MALFORMED),
    Case("8.3.1", ":path with a space", changed(path="/ x"), MALFORMED),
    Case("8.3.1", ":method left out", changed(method=None), MALFORMED),
    Case("8.3.1", ":scheme left out", changed(scheme=None), MALFORMED),
    Case("9110 §7.4", ":scheme https, without TLS", changed(scheme="https"), Answer(421)),
    Case("8.3.1", ":path twice", head(*request(), (":path", "/")), MALFORMED),
    Case("8.3.1", ":method twice", head(*request(), (":method", "GET")), MALFORMED),
    Case("8.3.1", "neither :authority nor Host", changed(authority=None), MALFORMED),
    Case("8.3.1", "Host in place of :authority",
         head((":method", "GET"), (":scheme", "http"), (":path", "/"), ("host", "a")), Answer(200)),
    Case("8.3.1", "Host that is another", with_field("host", "b"), MALFORMED),
    Case("8.3.1", "user information in :authority", changed(authority="me@a"), MALFORMED),
    Case("8.5", "CONNECT with :path", head(*request("CONNECT")), MALFORMED),
    Case("8.5", "CONNECT to a server that is no proxy", head((":method", "CONNECT"), (":authority", "a:80")), Answer(501)),
    Case("8441 §4", ":protocol without CONNECT", changed(protocol="websocket"), MALFORMED),
    Case("8441 §4", "a :protocol that is unknown",
         head((":protocol", "x"), *request("CONNECT"), flags=END_HEADERS), Answer(501)),
    Case("9218 §4", "a Priority field that is nonsense", with_field("priority", "u=99, q"), Answer(200)),
    Case("9218 §7.1", "PRIORITY_UPDATE", frame(16, 0, 0, struct.pack(">I", 1) + b"u=0"), Works()),
    Case("7541 §2.3.3", "an index of a table's end", frame(HEADERS, 5, 1, b"\xbe"), connection(COMPRESSION_ERROR)),
    Case("7541 §4.2", "a table size update behind a field", frame(HEADERS, 5, 1, literal(request()) + b"\x20"),
         connection(COMPRESSION_ERROR)),
    Case("7541 §5.2", "Huffman padding of eight bits", frame(HEADERS, 5, 1, b"\0\x85\xf2\xb2\x4a\x84\xff\x84\x49\x50\x9f\xff"),
         connection(COMPRESSION_ERROR)),
    Case("7541 §5.2", "Huffman with the symbol for its end", frame(HEADERS, 5, 1, b"\0\x85\xf2\xb2\x4a\x87\xff\x81\0"),
         connection(COMPRESSION_ERROR)),
    Case("7541 §6.1", "index 0", frame(HEADERS, 5, 1, b"\x80"), connection(COMPRESSION_ERROR)),
    Case("7541 §6.3", "a table larger than allowed", frame(HEADERS, 5, 1, b"\x3f\xe1\xff\x03" + literal(request())),
         connection(COMPRESSION_ERROR)),
]


def complaint(port: int, case: Case) -> str | None:
    """Tries a row; returns what is not as expected."""
    with H2(port, patience=5) as peer:
        try:
            peer.send(case.data)
            if isinstance(case.expected, Connection):
                peer.closed()
                code = peer.goaways[-1][1] if peer.goaways else None
                return None if code in case.expected.codes else f"GOAWAY {code}, {peer.streams.get(1)}"
            if isinstance(case.expected, Works):
                peer._next = 101
                answer = peer.get("/")
                return None if answer.status == 200 else f"{answer}"
            if isinstance(case.expected, Stream):
                peer.until(lambda: 1 in peer.streams and (peer.streams[1].error is not None or RST_STREAM in peer.streams[1].frames))
                return None if peer.streams[1].error in case.expected.codes else f"{peer.streams[1]}"
            answer = peer.answer(1)
            return None if answer.error is None and answer.status == case.expected.status else f"{answer}"
        except Gone:
            if isinstance(case.expected, Stream) and peer.goaways and peer.goaways[-1][1] in case.expected.codes:
                return None
            return f"closed, GOAWAY {peer.goaways}"
        except TimeoutError:
            return f"nothing more came; {peer.streams}"


def page() -> str:
    text = "# HTTP/2 conformance\n\nWhat is sent to the gateway of `examples/conformance`, and what it answers: every row is a test of `make test` and of\n"
    text += "`make conformance`. Sections are those of RFC 9113 unless another is named. A malformed request is answered with 400 and its reason\n"
    text += "before its stream is reset.\n\n| section | sent | answer |\n|---|---|---|\n"
    for case in CASES:
        other = f"; the RFC wants {case.wanted}" if case.wanted else ""
        text += f"| {case.section} | {case.sent} | {case.expected}{other} |\n"
    return text


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--page"]:
        Path(arguments[1]).write_text(page())
        return 0
    failed = 0
    for case in CASES:
        if found := complaint(int(arguments[0]), case):
            failed += 1
            print(f"{case.name}: wanted {case.expected}, got {found}")
    print(f"HTTP/2: {len(CASES) - failed} of {len(CASES)} rows as expected")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
