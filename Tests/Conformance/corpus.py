"""What is sent through proxies: the table's rows, the corpus of the fuzzers, and every combination of two oddities."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from http1_rows import CASES
from program import ROOT

CHUNKED_HEAD = b"POST /mirror HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
# To one who reads this as chunked it is an empty body with a request behind it; to one who counts, a body.
HIDDEN = "0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\nX: "


@dataclass
class Parts:
    """A request that is to be spoilt."""

    front: str = ""
    line: str = "POST /mirror HTTP/1.1"
    host: str = "Host: a"
    framing: list[str] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    body: str = ""
    end: str = "\r\n"

    def bytes(self) -> bytes:
        lines = [self.line, self.host, *self.framing, *self.fields, ""]
        return (self.front + self.end.join(line for line in lines if line is not None) + "\r\n" + self.body).encode("latin-1")


def counted() -> Parts:
    return Parts(framing=[f"Content-Length: {len(HIDDEN)}"], body=HIDDEN)


def chunked() -> Parts:
    return Parts(framing=["Transfer-Encoding: chunked"], body="5\r\nhello\r\n0\r\n\r\n")


Change = Callable[[Parts], None]


def setting(**values) -> Change:
    return lambda parts: parts.__dict__.update(values)


def adding(*lines: str) -> Change:
    return lambda parts: parts.fields.extend(lines)


def in_line(old: str, new: str) -> Change:
    return lambda parts: parts.__dict__.update(line=parts.line.replace(old, new))


def in_body(old: str, new: str) -> Change:
    return lambda parts: parts.__dict__.update(body=parts.body.replace(old, new))


def in_framing(old: str, new: str) -> Change:
    return lambda parts: parts.__dict__.update(framing=[line.replace(old, new) for line in parts.framing])


ODDITIES: dict[str, Change] = {
    "an empty line in front": setting(front="\r\n"),
    "LF in front": setting(front="\n"),
    "LF ends the lines": setting(end="\n"),
    "absolute form": in_line("/mirror", "http://b.test/mirror"),
    "two spaces": in_line("POST ", "POST  "),
    "HTTP/1.0": in_line("HTTP/1.1", "HTTP/1.0"),
    "HTTP/1.2": in_line("HTTP/1.1", "HTTP/1.2"),
    "GET": in_line("POST", "GET"),
    "HEAD": in_line("POST", "HEAD"),
    "a fragment": in_line("/mirror", "/mirror#x"),
    "dot segments": in_line("/mirror", "/x/../mirror"),
    "two slashes": in_line("/mirror", "//mirror"),
    "an encoded slash": in_line("/mirror", "/x%2f..%2fmirror"),
    "no Host": setting(host=None),
    "two Hosts": adding("Host: b"),
    "a folded line": adding("X: y", " z"),
    "a folded Transfer-Encoding": adding("Transfer-Encoding:", " chunked"),
    "a space before the colon": adding("Transfer-Encoding : chunked"),
    "CR in a value": adding("X: y\rTransfer-Encoding: chunked"),
    "LF in front of a field": adding("X: y\nTransfer-Encoding: chunked"),
    "NUL in a value": adding("X: y\0z"),
    "Transfer-Encoding beside": adding("Transfer-Encoding: chunked"),
    "an unknown coding": adding("Transfer-Encoding: xchunked"),
    "identity": adding("Transfer-Encoding: identity"),
    "chunked, chunked": adding("Transfer-Encoding: chunked, chunked"),
    "a vertical tab in front of chunked": adding("Transfer-Encoding: \x0bchunked"),
    "Transfer_Encoding": adding("Transfer_Encoding: chunked"),
    "Content-Length: 0": adding("Content-Length: 0"),
    "Content-Length: +5": adding("Content-Length: +5"),
    "a list of lengths": in_framing("Content-Length: ", "Content-Length: 5, "),
    "zeros in front of the length": in_framing("Content-Length: ", "Content-Length: 000"),
    "a tab in front of the framing's value": in_framing(": ", ":\t"),
    "names in upper case": in_framing("t", "T"),
    "Connection names the framing": adding("Connection: Content-Length, Transfer-Encoding"),
    "Connection: close": adding("Connection: close"),
    "Connection: keep-alive": adding("Connection: keep-alive"),
    "Expect": adding("Expect: 100-continue"),
    "an upgrade": adding("Connection: Upgrade", "Upgrade: websocket"),
    "h2c": adding("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"),
    "a chunk extension": in_body("5\r\n", "5;x=\"y\"\r\n"),
    "LF in an extension": in_body("5\r\n", "5;x\ny\r\n"),
    "LF behind a size": in_body("5\r\n", "5\n"),
    "0x in front of a size": in_body("5\r\n", "0x5\r\n"),
    "zeros in front of a size": in_body("5\r\n", "0000000000000000005\r\n"),
    "LF behind the data": in_body("hello\r\n", "hello\n"),
    "a trailer": in_body("0\r\n\r\n", "0\r\nX: y\r\n\r\n"),
    "a trailer that frames": in_body("0\r\n\r\n", "0\r\nContent-Length: 5\r\n\r\n"),
    "a body that is cut short": in_body("0\r\n\r\n", "0\r\n"),
}


def combinations() -> Iterator[tuple[str, bytes]]:
    seen = set()
    for base in (counted, chunked):
        for names in itertools.chain([()], itertools.combinations(ODDITIES, 1), itertools.combinations(ODDITIES, 2)):
            parts = base()
            for name in names:
                ODDITIES[name](parts)
            data = parts.bytes()
            if data not in seen:
                seen.add(data)
                yield f"{base.__name__}: {', '.join(names) or 'plain'}", data


def fuzzed() -> Iterator[tuple[str, bytes]]:
    folder = ROOT / "Tests/Fuzz/corpus"
    for file in sorted((folder / "http1").iterdir()):
        yield f"fuzz: {file.name}", file.read_bytes()
    for file in sorted((folder / "chunked").iterdir()):
        yield f"fuzz: chunked {file.name}", CHUNKED_HEAD + file.read_bytes()


def corpus() -> list[tuple[str, bytes]]:
    return [*((f"row: {case.name}", case.data) for case in CASES), *fuzzed(), *combinations()]
