"""HTTP/1.1 as one table, which is over 400 lines: what is sent, and what must come of it. `http1_table.py` tries it.

A row is refused or honoured, nothing in between: what two readers could understand in two ways is never repaired. Sections
are those of RFC 9112 unless another is named.
"""

import base64
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Refused:
    """One answer with this status and what is wrong; then the connection is closed, whatever else was sent."""

    status: int = 400
    # Fields that the answer has beside those of every refusal.
    fields: tuple[tuple[str, str], ...] = ()

    def __str__(self):
        return f"{self.status}, closed"


@dataclass(frozen=True)
class Honoured:
    """Answered with this status; then the connection goes on, unless it `closes`."""

    status: int = 200
    # What the server must have understood, as `/mirror` says it.
    body: bytes | None = None
    path: str | None = None
    host: str | None = None
    closes: bool = False
    fields: tuple[tuple[str, str], ...] = ()

    def __str__(self):
        seen = [f"body `{self.body.decode('latin-1')}`"] if self.body else []
        seen += [f"path `{self.path}`"] if self.path else []
        seen += [f"host `{self.host}`"] if self.host else []
        return ", ".join([str(self.status), *seen, "closed" if self.closes else "goes on"])


@dataclass(frozen=True)
class Opened:
    """A WebSocket that echoes."""

    # Fields of the answer to the handshake; None is one that must not be there, * any value.
    fields: tuple[tuple[str, str | None], ...] = ()
    status: int = 101

    def __str__(self):
        return "101, and it echoes"


@dataclass(frozen=True)
class Case:
    section: str
    sent: str
    data: bytes
    expected: Refused | Honoured | Opened
    # What the RFC would allow or like, where the gateway is stricter than it must be.
    allowed: str = ""

    @property
    def name(self) -> str:
        return f"{self.section} {self.sent}"


@dataclass(frozen=True)
class Group:
    title: str
    why: str
    cases: list[Case] = field(default_factory=list)


def message(line: str, *fields: str, body: str = "", host="Host: a") -> bytes:
    lines = [line, *([host] if host else []), *fields]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1")


def get(*fields: str) -> bytes:
    return message("GET /mirror HTTP/1.1", *fields)


def post(*fields: str, body: str = "") -> bytes:
    return message("POST /mirror HTTP/1.1", *fields, body=body)


def line(text: str) -> bytes:
    return message(text)


def host(value: str | None, request="GET /mirror HTTP/1.1") -> bytes:
    return message(request, host=None if value is None else f"Host: {value}")


def chunked(body: str) -> bytes:
    return post("Transfer-Encoding: chunked", body=body)


def trailers(*lines: str) -> bytes:
    return chunked("5\r\nhello\r\n0\r\n" + "".join(f"{text}\r\n" for text in lines) + "\r\n")


def version(text: str) -> bytes:
    return line(f"GET /mirror {text}")


HELLO = Honoured(body=b"hello")
NO_BODY = Honoured(body=b"")

FRAMING = Group("The length of a message", "Two readers that disagree about where a message ends take its tail for different requests.", [
    Case("§6.1", "`Content-Length` and `Transfer-Encoding`", post("Content-Length: 5", "Transfer-Encoding: chunked", body="0\r\n\r\n"),
         Refused(), "may be read as chunked and closed"),
    Case("§6.1", "`Transfer-Encoding` and `Content-Length: 0`", post("Transfer-Encoding: chunked", "Content-Length: 0", body="0\r\n\r\n"),
         Refused(), "may be read as chunked and closed"),
    Case("§6.3", "two lengths that differ", post("Content-Length: 5", "Content-Length: 6", body="hello"), Refused()),
    Case("§6.3", "two lengths that are equal", post("Content-Length: 5", "Content-Length: 5", body="hello"), Refused(), "may be read as one"),
    Case("§6.3", "two lengths, the names in different case", post("Content-Length: 5", "CONTENT-LENGTH: 0", body="hello"), Refused()),
    Case("9110 §8.6", "`Content-Length: 5, 6`", post("Content-Length: 5, 6", body="hello"), Refused()),
    Case("9110 §8.6", "`Content-Length: 5, 5`", post("Content-Length: 5, 5", body="hello"), Refused(), "may be read as one"),
    *[Case("9110 §8.6", f"`Content-Length:{value}`", post(f"Content-Length:{value}", body="hello"), Refused()) for value in (
        "", " +5", " -5", " 0x5", " 5_0", " 5 0", " 5.0", " 5e0", ' "5"', " five", " ,5", " 5,", " 5;", " \xb2", " \x0b5")],
    Case("9110 §8.6", "a length of 2^63", post("Content-Length: 9223372036854775808"), Refused()),
    Case("9110 §8.6", "a length of 2^64 + 5", post("Content-Length: 18446744073709551621", body="hello"), Refused()),
    Case("9110 §8.6", "a length that no route takes", post("Content-Length: 1048577"), Refused(413)),
    Case("§5.1", "`Content-Length : 5`", post("Content-Length : 5", body="hello"), Refused()),
    Case("§6.1", "`Transfer-Encoding` in HTTP/1.0", message("POST /mirror HTTP/1.0", "Transfer-Encoding: chunked", body="0\r\n\r\n"), Refused()),
    Case("§6.1", "the same with `Connection: keep-alive`",
         message("POST /mirror HTTP/1.0", "Connection: keep-alive", "Transfer-Encoding: chunked", body="0\r\n\r\n"), Refused()),
    Case("§6.1", "`Transfer-Encoding` and `Content-Length` in HTTP/1.0",
         message("POST /mirror HTTP/1.0", "Content-Length: 5", "Transfer-Encoding: chunked", body="hello"), Refused()),
    *[Case("§6.1", f"`Transfer-Encoding:{value}`", post(f"Transfer-Encoding:{value}", body="0\r\n\r\n"), Refused(status), allowed)
      for value, status, allowed in (
        (" gzip", 501, ""), (" gzip, chunked", 501, ""), (" identity", 501, ""), (" identity, chunked", 501, ""), (" xchunked", 501, ""),
        (' "chunked"', 501, ""), (" chunke", 501, ""), (" chunked, gzip", 400, ""), (" chunked, chunked", 400, ""),
        (" chunked, identity", 400, ""), (" chunked;q=1", 400, ""), (" chunkedd", 400, ""), ("", 400, ""),
        (" , chunked", 501, "empty list elements may be skipped"), (" chunked,", 400, "empty list elements may be skipped"))],
    Case("§6.1", "`Transfer-Encoding: chunked` twice", post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body="0\r\n\r\n"), Refused()),
    Case("§6.1", "`chunked` and `identity` in two fields",
         post("Transfer-Encoding: chunked", "Transfer-Encoding: identity", body="0\r\n\r\n"), Refused()),
    Case("§6.1", "`identity` and `chunked` in two fields",
         post("Transfer-Encoding: identity", "Transfer-Encoding: chunked", body="0\r\n\r\n"), Refused(501)),
    Case("9110 §5.5", "a vertical tab in front of `chunked`", post("Transfer-Encoding: \x0bchunked", body="0\r\n\r\n"), Refused()),
    Case("9110 §5.5", "a form feed behind `chunked`", post("Transfer-Encoding: chunked\x0c", body="0\r\n\r\n"), Refused()),
    Case("§5.1", "`Transfer-Encoding : chunked`", post("Transfer-Encoding : chunked", body="0\r\n\r\n"), Refused()),
    Case("9110 §5.1", "NUL behind the name `Transfer-Encoding`", post("Transfer-Encoding\0: chunked", body="0\r\n\r\n"), Refused()),
    Case("§5.2", "`Transfer-Encoding` with its value on the next line", post("Transfer-Encoding:\r\n chunked", body="0\r\n\r\n"), Refused()),
    Case("§2.2", "`Transfer-Encoding` behind LF alone", post("X: y\nTransfer-Encoding: chunked", body="0\r\n\r\n"), Refused()),
    Case("§2.2", "`Transfer-Encoding` behind CR alone", post("X: y\rTransfer-Encoding: chunked", body="0\r\n\r\n"), Refused()),
    Case("9110 §9.3.1", "a body where the route takes none", message("GET /mirror HTTP/1.1", "Content-Length: 5", body="hello"), Refused()),
    Case("9110 §9.3.1", "a chunked body where the route takes none",
         message("GET /mirror HTTP/1.1", "Transfer-Encoding: chunked", body="0\r\n\r\n"), Refused()),
    Case("§6.2", "a body of five bytes", post("Content-Length: 5", body="hello"), HELLO),
    Case("9110 §8.6", "`Content-Length: 000005`", post("Content-Length: 000005", body="hello"), HELLO),
    Case("§6.2", "`Content-Length: 0`", post("Content-Length: 0"), NO_BODY),
    Case("§6.2", "`Content-Length: 0` with GET", get("Content-Length: 0"), NO_BODY),
    Case("§6.3", "neither", post(), NO_BODY),
    Case("§5.1", "whitespace around the length", post("Content-Length:\t 5 \t", body="hello"), HELLO),
    Case("§7", "`Transfer-Encoding: ChunkeD`", post("Transfer-Encoding: ChunkeD", body="5\r\nhello\r\n0\r\n\r\n"), HELLO),
    Case("§5.1", "whitespace around `chunked`", post("Transfer-Encoding:\t chunked \t", body="5\r\nhello\r\n0\r\n\r\n"), HELLO),
    Case("9110 §5.1", "`Transfer_Encoding: chunked`, another field", post("Transfer_Encoding: chunked"), NO_BODY),
    Case("9110 §5.1", "`Content_Length: 5`, another field", post("Content_Length: 5"), NO_BODY),
    Case("9110 §10.1.4", "`TE: trailers`", get("TE: trailers"), NO_BODY),
])

LINES = Group("The ends of lines", "A line ends in CRLF. Whoever takes LF or CR alone for an end sees other fields, and another end of the head.", [
    Case("§2.2", "LF alone throughout", b"GET /mirror HTTP/1.1\nHost: a\n\n", Refused(), "LF may be taken for CRLF"),
    Case("§2.2", "LF alone behind the request line", b"GET /mirror HTTP/1.1\nHost: a\r\n\r\n", Refused(), "LF may be taken for CRLF"),
    Case("§2.2", "LF alone behind a field", b"GET /mirror HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", Refused(), "LF may be taken for CRLF"),
    Case("§2.2", "LF alone at the end of the head", b"GET /mirror HTTP/1.1\r\nHost: a\r\n\n", Refused(), "LF may be taken for CRLF"),
    Case("§2.2", "LF alone in front of the request line", b"\n" + get(), Refused()),
    Case("§2.2", "CR alone behind the request line", b"GET /mirror HTTP/1.1\rHost: a\r\n\r\n", Refused()),
    Case("§2.2", "CR alone in a value", get("X: y\rz"), Refused()),
    Case("§2.2", "CR alone in front of CRLF", get("X: y\r"), Refused()),
    Case("§2.2", "CR alone at the end of the head", b"GET /mirror HTTP/1.1\r\nHost: a\r\n\rX", Refused()),
    Case("§2.2", "CR alone in front of the request line", b"\r" + get(), Refused()),
    Case("§2.2", "two empty lines in front of the request line", b"\r\n\r\n" + get(), Refused(), "one must be skipped, more may be"),
    Case("§2.2", "one empty line in front of the request line", b"\r\n" + get(), NO_BODY),
    Case("§2.2", "an empty line between two requests", post("Content-Length: 5", body="hello\r\n"), HELLO),
    Case("§2.2", "whitespace in front of the first field", message("GET /mirror HTTP/1.1", host=" Host: a"), Refused()),
    Case("§5.2", "a value that goes on behind a space", get("X: y", " z"), Refused(), "may be joined by a space"),
    Case("§5.2", "a value that goes on behind a tab", get("X: y", "\tz"), Refused(), "may be joined by a space"),
    Case("§5.2", "a Host that goes on", message("GET /mirror HTTP/1.1", " b", host="Host: a"), Refused()),
])

FIELDS = Group("Fields", "A name is a token right in front of its colon. What one reader strips from a name or a value is another field to the next.", [
    Case("§5.1", "a space in front of the colon", get("X : y"), Refused()),
    Case("§5.1", "a tab in front of the colon", get("X\t: y"), Refused()),
    Case("§5.1", "a space in front of Host's colon", message("GET /mirror HTTP/1.1", host="Host : a"), Refused()),
    Case("§5", "no colon", get("nonsense"), Refused()),
    Case("9110 §5.1", "an empty name", get(": y"), Refused()),
    *[Case("9110 §5.1", f"a name with {what}", get(f"X{byte}Y: z"), Refused()) for byte, what in (
        ("\0", "NUL"), ("\x7f", "DEL"), ("\xe9", "a byte over 127"), ("(", "a parenthesis"), (";", "a semicolon"), ("/", "a slash"),
        ('"', "a quote"), (" ", "a space"))],
    *[Case("9110 §5.5", f"a value with {what}", get(f"X: a{byte}b"), Refused()) for byte, what in (
        ("\0", "NUL"), ("\x01", "a control character"), ("\x08", "a backspace"), ("\x0b", "a vertical tab"), ("\x1b", "an escape"),
        ("\x7f", "DEL"))],
    Case("9110 §5.3", "`Authorization` twice", get("Authorization: Bearer a", "Authorization: Bearer b"), Refused()),
    Case("9110 §5.3", "`Content-Type` twice", post("Content-Type: a/b", "Content-Type: a/c", "Content-Length: 0"), Refused()),
    Case("§5.1", "no whitespace behind the colon", message("GET /mirror HTTP/1.1", "X:y", host="Host:a"), Honoured(host="a")),
    Case("§5.1", "whitespace around a value", message("GET /mirror HTTP/1.1", "X:\t y \t ", host="Host: \t a\t "), Honoured(host="a")),
    Case("§5", "an empty value", get("X:", "Y:   "), NO_BODY),
    Case("9110 §5.1", "names in any case", message("POST /mirror HTTP/1.1", "cOnTeNt-LeNgTh: 5", body="hello", host="hOsT: a"),
         Honoured(body=b"hello", host="a")),
    Case("9110 §5.6.2", "a name of all that a token may have", get("!#$%&'*+-.^_`|~09azAZ: y"), NO_BODY),
    Case("9110 §5.5", "a value with bytes over 127", get("X: \xe9\xff"), NO_BODY),
    Case("9110 §5.5", "a value with a tab and quotes", get('X: a\t"b\\"c'), NO_BODY),
    Case("9110 §5.3", "a list in two fields", get("Accept: a/b", "Accept: c/d"), NO_BODY),
    Case("§5", "a hundred fields", get(*["X: y"] * 99), NO_BODY),
])

CHUNKS = Group("Chunks", "The size is hexadecimal digits and nothing else; the data end where it says, in CRLF.", [
    *[Case("§7.1", f"the size `{size}`", chunked(f"{size}\r\nhello\r\n0\r\n\r\n"), Refused()) for size in (
        "0x5", "0X5", "0_5", "+5", "-5", " 5", "\t5", "5h", "g", "5,", "5.0", "\xb5", "5 5")],
    Case("§7.1", "no size", chunked("\r\nhello\r\n0\r\n\r\n"), Refused()),
    Case("§7.1", "no size, but an extension", chunked(";x=y\r\nhello\r\n0\r\n\r\n"), Refused()),
    Case("§7.1", "a size of 2^63", chunked("8000000000000000\r\nhello\r\n0\r\n\r\n"), Refused()),
    Case("§7.1", "a size of 2^64", chunked("10000000000000000\r\n\r\n"), Refused()),
    Case("§7.1", "a size of 2^64 + 5", chunked("10000000000000005\r\nhello\r\n0\r\n\r\n"), Refused()),
    Case("§7.1", "a size of 17 digits, most of them zeros", chunked("00000000000000005\r\nhello\r\n0\r\n\r\n"), Refused(), "any number of zeros"),
    Case("§7.1.1", "a space behind the size", chunked("5 \r\nhello\r\n0\r\n\r\n"), Refused()),
    Case("§2.2", "LF alone behind the size", chunked("5\nhello\r\n0\r\n\r\n"), Refused()),
    Case("§2.2", "CR alone behind the size", chunked("5\rhello\r\n0\r\n\r\n"), Refused()),
    Case("§2.2", "LF alone behind the data", chunked("5\r\nhello\n0\r\n\r\n"), Refused()),
    Case("§2.2", "CR alone behind the data", chunked("5\r\nhello\r0\r\n\r\n"), Refused()),
    Case("§7.1", "nothing behind the data", chunked("5\r\nhello0\r\n\r\n"), Refused()),
    Case("§7.1", "more data than the size says", chunked("5\r\nhello!\r\n0\r\n\r\n"), Refused()),
    Case("§7.1", "less data than the size says", chunked("6\r\nhello\r\n0\r\n\r\n"), Refused()),
    Case("§2.2", "LF alone at the end", chunked("5\r\nhello\r\n0\r\n\n"), Refused()),
    Case("§2.2", "CR alone at the end", chunked("5\r\nhello\r\n0\r\n\rX"), Refused()),
    Case("§7.1", "one chunk", chunked("5\r\nhello\r\n0\r\n\r\n"), HELLO),
    Case("§7.1", "several chunks", chunked("1\r\nh\r\n3\r\nell\r\n1\r\no\r\n0\r\n\r\n"), HELLO),
    Case("§7.1", "no chunk but the last", chunked("0\r\n\r\n"), NO_BODY),
    Case("§7.1", "a size in lower case", chunked("a\r\n0123456789\r\n0\r\n\r\n"), Honoured(body=b"0123456789")),
    Case("§7.1", "a size in upper case", chunked("A\r\n0123456789\r\n0\r\n\r\n"), Honoured(body=b"0123456789")),
    Case("§7.1", "leading zeros", chunked("0005\r\nhello\r\n000\r\n\r\n"), HELLO),
])

EXTENSIONS = Group("Chunk extensions", "They are read by their grammar and ignored: a reader that skips to the next LF would not see what a strict one sees.", [
    *[Case("§7.1.1", f"the size line `{text}`", chunked(f"{text}\r\nhello\r\n0\r\n\r\n"), Refused()) for text in (
        "5;", "5;=y", "5;x=", "5;x y", "5;x=y z", '5;x="y', '5;x="y"z', "5;x=y;", "5;x=(", "5;x=y ")],
    Case("§7.1.1", "LF alone in an extension", chunked("5;x\nhello\r\n0\r\n\r\n"), Refused()),
    Case("§7.1.1", "CR alone in an extension", chunked("5;x\rhello\r\n0\r\n\r\n"), Refused()),
    Case("§7.1.1", "LF in quotes", chunked('5;x="\n"\r\nhello\r\n0\r\n\r\n'), Refused()),
    Case("§7.1.1", "CRLF in quotes", chunked('5;x="\r\n"\r\nhello\r\n0\r\n\r\n'), Refused()),
    Case("§7.1.1", "NUL in an extension", chunked("5;x\0\r\nhello\r\n0\r\n\r\n"), Refused()),
    Case("§7.1.1", "an escaped control character", chunked('5;x="\\\x01"\r\nhello\r\n0\r\n\r\n'), Refused()),
    Case("§7.1.1", "an extension of 1025 bytes", chunked(f"5;{'x' * 1024}\r\nhello\r\n0\r\n\r\n"), Refused()),
    Case("§7.1.1", "extensions of 1025 bytes in small chunks", chunked("1;xxxx\r\nh\r\n" * 205 + "0\r\n\r\n"), Refused()),
    Case("§7.1.1", "a name", chunked("5;x\r\nhello\r\n0\r\n\r\n"), HELLO),
    Case("§7.1.1", "a name and a value", chunked("5;x=y\r\nhello\r\n0;x=y\r\n\r\n"), HELLO),
    Case("§7.1.1", "a quoted value", chunked('5;x="a;b\\"c"\r\nhello\r\n0\r\n\r\n'), HELLO),
    Case("§7.1.1", "whitespace around `;` and `=`", chunked("5 ; x = y\t;\tz\r\nhello\r\n0\r\n\r\n"), HELLO),
    Case("§7.1.1", "an extension of 1024 bytes", chunked(f"5;{'x' * 1023}\r\nhello\r\n0\r\n\r\n"), HELLO),
])

TRAILERS = Group("Trailers", "They are checked like fields and thrown away; one that frames, routes or describes the message is refused.", [
    *[Case("§7.1.2", f"the trailer `{text}`", trailers(text), Refused()) for text in (
        "nonsense", "X : y", ": y", " X: y", "X(: y")],
    Case("§7.1.2", "a trailer that goes on", trailers("X: y", " z"), Refused()),
    Case("§7.1.2", "a trailer with NUL", trailers("X: y\0"), Refused()),
    Case("§2.2", "a trailer that ends in LF alone", chunked("0\r\nX: y\nZ: y\r\n\r\n"), Refused()),
    Case("§2.2", "a trailer with CR alone", trailers("X: y\rz"), Refused()),
    *[Case("9110 §6.5.1", f"the trailer `{name}`", trailers(f"{name}: {value}"), Refused(), "may be ignored") for name, value in (
        ("Content-Length", "5"), ("TRANSFER-ENCODING", "chunked"), ("Host", "b"), ("Connection", "close"), ("Upgrade", "websocket"),
        ("TE", "trailers"), ("Trailer", "X"), ("Expect", "100-continue"), ("Authorization", "Bearer x"), ("Cookie", "a=b"),
        ("Content-Type", "a/b"), ("Content-Encoding", "gzip"), ("Content-Range", "bytes 0-4/5"), ("Keep-Alive", "timeout=5"))],
    Case("§7.1.2", "trailers of more than 8 KiB", trailers(f"X: {'y' * 8192}"), Refused(431)),
    Case("§7.1.2", "a trailer", trailers("X-Checksum: 1"), HELLO),
    Case("9110 §6.6.2", "a trailer that was announced", post("Transfer-Encoding: chunked", "Trailer: X", body="5\r\nhello\r\n0\r\nX: y\r\n\r\n"), HELLO),
    Case("§7.1.2", "names that only begin like forbidden ones", trailers("Hos: a", "Hostess: a", "Content-Length-X: 5", "TEE: x"), HELLO),
])

HOST = Group("Host", "It chooses the tenant, and caches and proxies choose by it too: one name, well-formed, or none.", [
    Case("§3.2", "none", host(None), Refused()),
    Case("§3.2", "none, but a target in absolute form", host(None, "GET http://a/mirror HTTP/1.1"), Refused()),
    Case("§3.2", "two that differ", get("Host: b"), Refused()),
    Case("§3.2", "two that are equal", get("Host: a"), Refused()),
    Case("§3.2", "two in different case", get("hOST: b"), Refused()),
    Case("§3.2", "two in HTTP/1.0", message("GET /mirror HTTP/1.0", "Host: b"), Refused()),
    *[Case("9110 §7.2", f"`Host: {value}`", host(value), Refused()) for value in (
        "", "a b", "a, b", "a,b", "a/b", "a?b", "a#b", "u@a", "u:p@a", "a:b", "a:80:80", "a:65536", "a:-1", ":80", "[::1", "[::1]x", "[x]", "::1",
        "a%20b", "a\\b", "http://a", "\xe9.test")],
    *[Case("3986 §3.2.2", f"`Host: {value}`", host(value), Refused()) for value in (
        "[1::2::3]", "[:::]", "[::::::]", "[12345::]", "[....::]", "[1.2::]", "[::1.2.3.4.5]", "[1:2:3]", "[1:2:3:4:5:6:7]", "[1:2:3:4:5:6:7:8:9]",
        "[::1:2:3:4:5:6:7:8]", "[1:]", "[:1]", "[::256.1.1.1]", "[::01.1.1.1]", "[::1.2.3]", "[1.2.3.4]", "[]", "[:]", "[1:2:3:4:5:6:7:1.2.3.4]", "[fe80::1%25eth0]",
        "[v1.a]")],
    *[Case("9110 §7.2", f"`Host: {value}`", host(value), Honoured(host=value)) for value in (
        "a", "A.Example", "a:80", "a:", "1.2.3.4:65535", "[::1]", "[2001:db8::1]:8080", "[::]", "[1::]", "[1:2:3:4:5:6:7:8]", "[1:2:3:4:5:6:7::]",
        "[::2:3:4:5:6:7:8]", "[::ffff:192.0.2.1]", "[1:2:3:4:5:6:192.0.2.255]:80", "[ABCD:ef01::]")],
    Case("§3.2", "none in HTTP/1.0", host(None, "GET /mirror HTTP/1.0"), Honoured(host="", closes=True)),
    Case("§3.2", "a malformed one behind a target in absolute form", host("a b", "GET http://c/mirror HTTP/1.1"), Refused()),
])

TARGETS = Group("Targets", "Four forms, each for its own requests; no byte that must be percent-encoded; no path that two readers normalise differently.", [
    Case("§3.2.2", "absolute form: its host counts, `Host: b` does not", host("b", "GET http://a.test/mirror?x HTTP/1.1"),
         Honoured(path="/mirror", host="a.test")),
    Case("§3.2.2", "absolute form with a port", host("b", "GET http://a.test:81/mirror HTTP/1.1"), Honoured(path="/mirror", host="a.test:81")),
    Case("§3.2.2", "absolute form with the scheme in upper case", host("b", "GET HTTP://a.test/mirror HTTP/1.1"),
         Honoured(path="/mirror", host="a.test")),
    Case("9110 §7.4", "absolute form with https, without TLS", host("b", "GET https://a.test/mirror HTTP/1.1"), Honoured(421)),
    Case("§3.2.2", "absolute form without a path", host("a", "GET http://a.test HTTP/1.1"), Honoured()),
    Case("§3.2.2", "absolute form with a body", message("POST http://a.test/mirror HTTP/1.1", "Content-Length: 5", body="hello"), HELLO),
    *[Case("§3.2.2", f"the target `{target}`", line(f"GET {target} HTTP/1.1"), Refused()) for target in (
        "http:///mirror", "http://u@a/mirror", "http://u:p@a/mirror", "http://a b/mirror", "http:/mirror", "http:mirror", "ftp://a/mirror",
        "//", "ws://a/mirror", "http://a:b/mirror", "http://[::1/mirror", "http://a,b/mirror") if target != "//"],
    Case("§3.2.3", "authority form with GET", line("GET a:80 HTTP/1.1"), Refused()),
    *[Case("§3.2.3", f"`CONNECT {target}`", line(f"CONNECT {target} HTTP/1.1"), Refused(501)) for target in (
        "a:80", "1.2.3.4:80", "[::1]:80", "a", "/mirror", "http://a/mirror", "http:80", "*")],
    Case("§3.2.4", "`OPTIONS *`", line("OPTIONS * HTTP/1.1"), Honoured(204)),
    Case("§3.2.4", "`OPTIONS http://a.test`", line("OPTIONS http://a.test HTTP/1.1"), Honoured(204)),
    Case("§3.2.4", "`OPTIONS http://a.test/mirror`", line("OPTIONS http://a.test/mirror HTTP/1.1"), Honoured(405)),
    Case("§3.2.4", "`GET *`", line("GET * HTTP/1.1"), Refused()),
    Case("§3.2.4", "`OPTIONS *x`", line("OPTIONS *x HTTP/1.1"), Refused()),
    Case("§3.2.4", "`OPTIONS **`", line("OPTIONS ** HTTP/1.1"), Refused()),
    Case("§3.2", "a target that is no form", line("GET mirror HTTP/1.1"), Refused()),
    Case("§3.2", "an empty target", line("GET  HTTP/1.1"), Refused()),
    Case("§3.2.1", "a fragment", line("GET /mirror#x HTTP/1.1"), Refused()),
    Case("§3.2.1", "a fragment behind a query", line("GET /mirror?x#y HTTP/1.1"), Refused()),
    *[Case("3986 §3.3", f"a path with {what}", line(f"GET /mirror{byte} HTTP/1.1"), Refused()) for byte, what in (
        ("\0", "NUL"), ("\x01", "a control character"), ("\x7f", "DEL"), ("\xe9", "a byte over 127"), ('"', "a quote"), ("<", "`<`"),
        ("\\", "a backslash"), ("{", "a brace"), ("^", "`^`"))],
    *[Case("3986 §2.1", f"the path `{path}`", line(f"GET {path} HTTP/1.1"), Honoured(400)) for path in (
        "/mirror%", "/mirror%2", "/mirror%zz", "/mirror%00", "/mirror%c0%af", "/x/../mirror", "/./mirror", "/x/%2e%2e/mirror", "/%2e/mirror",
        "/x/.%2E/mirror")],
    *[Case("3986 §6", f"the path `{path}`, which is another", line(f"GET {path} HTTP/1.1"), Honoured(404)) for path in (
        "//mirror", "/mirror/", "/Mirror", "/x%2fmirror", "/mirror;x", "/mirror%20")],
    Case("§3.2.1", "an empty query", line("GET /mirror? HTTP/1.1"), Honoured(path="/mirror")),
    Case("§3.2.1", "a query with `?`, `/` and `:`", line("GET /mirror?a=/b?c:d&&e HTTP/1.1"), Honoured(path="/mirror")),
])

REQUEST_LINE = Group("The request line and the version", "One space between its parts, and a version that this server speaks.", [
    *[Case("§3", f"`{text}`", line(text), Refused(), allowed) for text, allowed in (
        ("GET  /mirror HTTP/1.1", "whitespace may be lenient"), ("GET /mirror  HTTP/1.1", "whitespace may be lenient"),
        (" GET /mirror HTTP/1.1", ""), ("GET /mirror HTTP/1.1 ", "whitespace may be lenient"), ("GET\t/mirror HTTP/1.1", ""),
        ("GET /mirror\tHTTP/1.1", ""), ("GET /mirror \tHTTP/1.1", ""), ("GET /mirror x HTTP/1.1", ""), ("GET /mirror", ""), ("GET", ""),
        ("G(T /mirror HTTP/1.1", ""), ("G\0T /mirror HTTP/1.1", ""), ("G\xcbT /mirror HTTP/1.1", ""), ("/mirror HTTP/1.1", ""),
        ("HTTP/1.1 200 OK", ""))],
    Case("§3", "HTTP/0.9", b"GET /mirror\r\n", Refused()),
    Case("§3", "a TLS handshake", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 60 + b"\r\n\r\n", Refused()),
    *[Case("§2.3", f"`{text}`", version(text), Refused()) for text in (
        "http/1.1", "HTTP/1.10", "HTTP/01.1", "HTTP/1", "HTTP/11", "HTTP/1,1", "HTTP/a.1", "HTTP/1.x", "HTTP /1.1", "HTTPS/1.1", "HTTP/-1.1",
        "HTTP/ 1.1", "HTTP/1.1\0")],
    *[Case("9110 §15.6.6", f"`{text}`", version(text), Refused(505)) for text in ("HTTP/2.0", "HTTP/3.0", "HTTP/0.9", "HTTP/9.9")],
    Case("9110 §2.5", "`HTTP/1.2`", version("HTTP/1.2"), NO_BODY),
    Case("9110 §2.5", "`HTTP/1.9` with chunks", message("POST /mirror HTTP/1.9", "Transfer-Encoding: chunked", body="5\r\nhello\r\n0\r\n\r\n"), HELLO),
    Case("§9.3", "`HTTP/1.0`", version("HTTP/1.0"), Honoured(closes=True)),
    Case("§9.3", "`HTTP/1.0` with `Connection: keep-alive`", message("GET /mirror HTTP/1.0", "Connection: Keep-Alive"),
         Honoured(fields=(("connection", "keep-alive"),))),
    Case("§6.2", "`HTTP/1.0` with a body", message("POST /mirror HTTP/1.0", "Content-Length: 5", body="hello"), Honoured(body=b"hello", closes=True)),
    Case("9110 §9.1", "a method that the gateway does not know", line("PROPFIND /mirror HTTP/1.1"), Honoured(501)),
    Case("9110 §9.1", "a method in lower case, which is another", line("get /mirror HTTP/1.1"), Honoured(501)),
    Case("§3", "a method of 33 bytes", line(f"{'M' * 33} /mirror HTTP/1.1"), Refused(501)),
    Case("9110 §9.3.2", "HEAD", line("HEAD /mirror HTTP/1.1"), Honoured()),
    Case("9110 §9.3.2", "HEAD that is refused", host(None, "HEAD /mirror HTTP/1.1"), Refused()),
    Case("9110 §9.3.2", "HEAD of nothing", line("HEAD /nowhere HTTP/1.1"), Honoured(404)),
])

SIZES = Group("Sizes", "What has no bound is a way to fill memory; what is over one is not read to its end.", [
    Case("§3", "a target of 9000 bytes", line(f"GET /{'a' * 9000} HTTP/1.1"), Refused(414)),
    Case("§3", "a request line that does not end", b"GET /" + b"a" * 20000, Refused(414)),
    Case("9110 §5.4", "a field of 40,000 bytes", get(f"X: {'a' * 40000}"), Refused(431)),
    Case("9110 §5.4", "a field name of 40,000 bytes", get(f"{'X' * 40000}: y"), Refused(431)),
    Case("9110 §5.4", "300 fields", get(*["X: y"] * 300), Refused(431)),
    Case("9110 §5.4", "fields of 18,000 bytes", get(*[f"X: {'y' * 600}"] * 30), Refused(431)),
    Case("§3", "a target of 8000 bytes", line(f"GET /{'a' * 7999} HTTP/1.1"), Honoured(404)),
    Case("9110 §5.4", "fields of 12,000 bytes", get(f"X: {'y' * 12000}"), NO_BODY),
])

PERSISTENCE = Group("Connections", "What follows a message is the next one, exactly when both sides think so.", [
    Case("9110 §7.6.1", "`Connection: close`", get("Connection: close"), Honoured(closes=True)),
    Case("9110 §7.6.1", "`Connection: foo, CLOSE`", get("Connection: foo, CLOSE"), Honoured(closes=True)),
    Case("9110 §5.6.1", "`Connection: ,, close ,`", get("Connection: ,, close ,"), Honoured(closes=True)),
    Case("9110 §7.6.1", "`close` in the second of two fields", get("Connection: foo", "Connection: close"), Honoured(closes=True)),
    Case("§9.3", "`Connection: keep-alive, close`", get("Connection: keep-alive, close"), Honoured(closes=True)),
    Case("9110 §7.6.1", "`Connection: closed`, another option", get("Connection: closed"), NO_BODY),
    Case("9110 §7.6.1", "an empty `Connection`", get("Connection:"), NO_BODY),
    Case("9110 §7.6.1", "`Connection: a b`", get("Connection: a b"), Refused()),
    Case("9110 §7.6.1", "`Connection: close;x`", get("Connection: close;x"), Refused()),
    Case("9110 §7.6.1", "`Connection: Content-Length`", post("Connection: Content-Length", "Content-Length: 5", body="hello"), HELLO),
    Case("§9.3.2", "a request behind a body", post("Content-Length: 5", body="hello"), HELLO),
    Case("9110 §10.1.1", "`Expect: 100-continue` and the body with it", post("Expect: 100-continue", "Content-Length: 5", body="hello"), HELLO),
    Case("9110 §10.1.1", "`Expect: 100-Continue,`", post("Expect: 100-Continue,", "Content-Length: 5", body="hello"), HELLO),
    Case("9110 §10.1.1", "`Expect: 100-continue` without a body", get("Expect: 100-continue"), NO_BODY),
    Case("9110 §10.1.1", "`Expect: 100-continue` in HTTP/1.0", message("POST /mirror HTTP/1.0", "Expect: 100-continue", "Content-Length: 5", body="hello"),
         Honoured(body=b"hello", closes=True)),
    Case("9110 §10.1.1", "`Expect: 100-continue` for a body that is refused", post("Expect: 100-continue", "Content-Length: 1048577"), Refused(413)),
    Case("9110 §10.1.1", "another expectation", get("Expect: 200-ok"), Refused(417)),
    Case("9110 §10.1.1", "two expectations", get("Expect: 100-continue, 200-ok"), Refused(417)),
    Case("9110 §10.1.1", "`Expect` twice", post("Expect: 100-continue", "Expect: 100-continue", "Content-Length: 5", body="hello"), Refused()),
    Case("9110 §7.8", "`Upgrade: h2c`, which is not offered", get("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"),
         NO_BODY),
    Case("9110 §7.8", "`Upgrade: websocket` that Connection does not name", get("Upgrade: websocket"), NO_BODY),
    Case("9110 §7.8", "an upgrade where there is no WebSocket", get("Connection: Upgrade", "Upgrade: websocket"), Honoured(closes=True)),
])

KEY = base64.b64encode(b"the sample nonce").decode()
OPENING = {
    "line": "GET /echo HTTP/1.1", "upgrade": "Upgrade: websocket", "connection": "Connection: Upgrade", "key": f"Sec-WebSocket-Key: {KEY}",
    "version": "Sec-WebSocket-Version: 13",
}


def opening(*fields: str, **changes: str | None) -> bytes:
    """A handshake in which some lines are others; None leaves one out."""
    first, *rest = [text for text in {**OPENING, **changes}.values() if text is not None]
    return message(first, *rest, *fields)


VERSION = (("sec-websocket-version", "13"), ("upgrade", "websocket"))

WEBSOCKET = Group("The WebSocket handshake", "Whoever is let through without a whole handshake may be a page that was made to send something else (RFC 6455 §10.8).", [
    Case("6455 §4.2.1", "no key", opening(key=None), Refused()),
    *[Case("6455 §4.2.1", f"the key `{key}`", opening(key=f"Sec-WebSocket-Key: {key}"), Refused()) for key in (
        "", "dGVzdA==", KEY[:-4], KEY + "AAAA", "!" * 24, KEY[:-1], KEY[:-2] + "AA", KEY[:-3] + "x==", KEY.replace("=", "."), f"{KEY}, {KEY}")],
    Case("6455 §4.2.1", "two keys", opening(f"Sec-WebSocket-Key: {KEY}"), Refused()),
    Case("6455 §4.2.1", "no version", opening(version=None), Refused()),
    *[Case("6455 §4.2.2", f"the version `{version}`", opening(version=f"Sec-WebSocket-Version: {version}"), Refused(426, VERSION)) for version in (
        "8", "0", "14", "255", "013", "+13", "13.0", "13, 8", "")],
    Case("6455 §4.2.1", "two versions", opening("Sec-WebSocket-Version: 8"), Refused()),
    Case("6455 §4.2.1", "HTTP/1.0", opening(line="GET /echo HTTP/1.0"), Refused()),
    Case("6455 §4.2.1", "POST", opening("Content-Length: 0", line="POST /echo HTTP/1.1"), Refused(405)),
    Case("6455 §4.2.1", "HEAD", opening(line="HEAD /echo HTTP/1.1"), Refused(405)),
    Case("6455 §4.1", "no Host", opening().replace(b"Host: a\r\n", b""), Refused()),
    Case("6455 §4.2.1", "a body", opening("Content-Length: 5") + b"hello", Refused()),
    Case("6455 §4.2.1", "a chunked body", opening("Transfer-Encoding: chunked") + b"0\r\n\r\n", Refused()),
    *[Case("6455 §4.2.1", f"`{text}`" if text else "no Upgrade", opening(upgrade=text), Honoured(426, fields=VERSION)) for text in (
        None, "Upgrade: h2c", "Upgrade: websockets", "Upgrade: web socket", "Upgrade: websocket/13")],
    *[Case("6455 §4.2.1", f"`{text}`" if text else "no Connection", opening(connection=text), Honoured(426, fields=VERSION)) for text in (
        None, "Connection: keep-alive", "Connection: upgrades", "Connection: Sec-WebSocket-Key")],
    *[Case("6455 §9.1", f"`Sec-WebSocket-Extensions: {text}`", opening(f"Sec-WebSocket-Extensions: {text}"), Refused()) for text in (
        "a b", "permessage-deflate;", "permessage-deflate; =1", 'permessage-deflate; x="', "(x)")],
    Case("6455 §11.3.4", "a subprotocol that is no token", opening("Sec-WebSocket-Protocol: a b"), Refused()),
    *[Case("6455 §4.1", f"`Sec-WebSocket-Protocol: {text}`", opening(f"Sec-WebSocket-Protocol: {text}"), Refused()) for text in (
        "a, a", "a, b, a", ",,,", ", ".join(f"p{number}" for number in range(65)))],
    Case("6455 §1.3", "all as it should be", opening(), Opened((("sec-websocket-accept", "*"), ("sec-websocket-extensions", None)))),
    Case("6455 §4.2.1", "names and tokens in any case", opening(upgrade="uPGRADE: WebSocket", connection="connection: uPGRADE"), Opened()),
    Case("6455 §4.2.1", "tokens among others", opening(upgrade="Upgrade: h2c, websocket", connection="Connection: keep-alive, Upgrade"), Opened()),
    Case("9110 §5.6.1", "empty list elements", opening(upgrade="Upgrade: ,websocket,", connection="Connection: , Upgrade ,"), Opened()),
    Case("6455 §9.1", "an extension that is unknown", opening("Sec-WebSocket-Extensions: x-unknown; a=b"), Opened((("sec-websocket-extensions", None),))),
    Case("7692 §7.1", "a parameter of permessage-deflate that is unknown", opening("Sec-WebSocket-Extensions: permessage-deflate; x=1"),
         Opened((("sec-websocket-extensions", None),))),
    Case("7692 §7.1.2", "server_max_window_bits of 99", opening("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99"),
         Opened((("sec-websocket-extensions", None),))),
    Case("6455 §4.2.2", "subprotocols of which none is known", opening("Sec-WebSocket-Protocol: x, y"), Opened((("sec-websocket-protocol", None),))),
    Case("§3.2.2", "a target in absolute form", opening(line="GET http://a/echo HTTP/1.1"), Opened()),
    Case("6455 §4.2.1", "`Content-Length: 0`", opening("Content-Length: 0"), Opened()),
])

GROUPS = [FRAMING, LINES, FIELDS, CHUNKS, EXTENSIONS, TRAILERS, HOST, TARGETS, REQUEST_LINE, SIZES, PERSISTENCE, WEBSOCKET]
CASES = [case for group in GROUPS for case in group.cases]
