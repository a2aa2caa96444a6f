"""Files to upload: small, real, and told by their first bytes."""

import struct
import zlib


def png(width=8, height=8, noise: bytes = b"") -> bytes:
    """An image of one colour; `noise` stands in it as a comment, so that it can be made as large as one likes."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x20\x60\xc0" * width) * height
    text = chunk(b"tEXt", b"Comment\0" + noise) if noise else b""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + text + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\0" + bytes(40)
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
HTML = b"<!doctype html><script>alert(1)</script>"


def upload(by, data, type: str | None = "image/png", expect: int | None = 201, **query):
    """Sends bytes, or an iterator of them, as an upload."""
    headers = {"Content-Type": type} if type else {}
    return by.call("POST", "/v1/uploads", expect=expect, data=data, headers=headers, params=query)
