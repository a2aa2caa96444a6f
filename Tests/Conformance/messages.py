"""A second reader of HTTP/1.1 that shares nothing with the gateway's: slow, whole messages only, and strict.

It says where one message ends and the next begins in bytes that were recorded, so that what the gateway saw can be compared.
"""

import re
from dataclasses import dataclass

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
REQUEST_LINE = re.compile(rb"(%s) ([^\x00-\x20\x7f]+) HTTP/1\.([0-9])" % TOKEN)
STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) [^\x00-\x08\x0a-\x1f\x7f]*")
FIELD = re.compile(rb"(%s):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)" % TOKEN)
SIZE_LINE = re.compile(rb'([0-9A-Fa-f]{1,16})((?:[ \t]*;[ \t]*[^\x00-\x08\x0a-\x1f\x7f]+)?)')


class Malformed(Exception):
    """No strict reader takes this for a message."""


class Incomplete(Exception):
    """The bytes end before the message does."""


@dataclass
class Message:
    """A request or an answer."""

    method: str
    target: str
    status: int
    fields: list[tuple[str, str]]
    body: bytes
    raw: bytes

    def __getitem__(self, name: str) -> str | None:
        found = self.all(name)
        return found[0] if found else None

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key == name]

    @property
    def path(self) -> str:
        target = re.sub(r"^https?://[^/?]*", "", self.target, flags=re.IGNORECASE)
        return target.partition("?")[0] or "/"

    @property
    def host(self) -> str:
        absolute = re.match(r"https?://([^/?]*)", self.target, flags=re.IGNORECASE)
        return absolute[1] if absolute else self["host"] or ""


class Reader:
    """Messages in their order."""

    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    @property
    def is_at_end(self) -> bool:
        return self.at >= len(self.data)

    def request(self) -> Message:
        start = self.at
        line = REQUEST_LINE.fullmatch(self._line())
        if not line:
            raise Malformed("request line")
        fields = self._fields()
        names = [name for name, _ in fields]
        hosts = names.count("host")
        if hosts > 1 or (hosts == 0 and line[3] != b"0"):
            raise Malformed("Host")
        body = self._body(fields, closes_at_end=False)
        return Message(line[1].decode(), line[2].decode("latin-1"), 0, fields, body, self.data[start:self.at])

    def answer(self, to: str) -> Message:
        """The answer to a request with this method; interim ones are passed over."""
        while True:
            start = self.at
            line = STATUS_LINE.fullmatch(self._line())
            if not line:
                raise Malformed("status line")
            status, fields = int(line[1]), self._fields()
            if status == 101 or status >= 200:
                break
        is_bare = to == "HEAD" or status in (101, 204, 304)
        body = b"" if is_bare else self._body(fields, closes_at_end=True)
        return Message("", "", status, fields, body, self.data[start:self.at])

    def _line(self) -> bytes:
        end = self.data.find(b"\n", self.at)
        if end < 0:
            raise Incomplete
        line = self.data[self.at:end]
        if not line.endswith(b"\r"):
            raise Malformed("LF alone")
        self.at = end + 1
        return line[:-1]

    def _fields(self) -> list[tuple[str, str]]:
        fields = []
        while line := self._line():
            field = FIELD.fullmatch(line)
            if not field:
                raise Malformed(f"field {line[:80]!r}")
            fields.append((field[1].decode().lower(), field[2].decode("latin-1").strip(" \t")))
        return fields

    def _take(self, count: int) -> bytes:
        if len(self.data) - self.at < count:
            raise Incomplete
        self.at += count
        return self.data[self.at - count:self.at]

    def _body(self, fields, closes_at_end: bool) -> bytes:
        lengths = [value for name, value in fields if name == "content-length"]
        codings = [value for name, value in fields if name == "transfer-encoding"]
        if codings:
            if lengths or len(codings) > 1 or codings[0].lower() != "chunked":
                raise Malformed("framing")
            return self._chunks()
        if len(lengths) > 1 or (lengths and not re.fullmatch("[0-9]{1,18}", lengths[0])):
            raise Malformed("length")
        if lengths:
            return self._take(int(lengths[0]))
        return self._take(len(self.data) - self.at) if closes_at_end else b""

    def _chunks(self) -> bytes:
        body = b""
        while True:
            line = SIZE_LINE.fullmatch(self._line())
            if not line:
                raise Malformed("chunk size")
            if size := int(line[1], 16):
                body += self._take(size)
                if self._take(2) != b"\r\n":
                    raise Malformed("chunk end")
            else:
                self._fields()
                return body
