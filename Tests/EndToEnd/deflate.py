"""A peer that compresses (RFC 7692), whose frames are ours to spoil, and what is asked of a gateway about it."""

import random
import struct
import zlib

from wire import RawSocket, frame

TAIL = b"\x00\x00\xff\xff"
FORGETFUL = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


def offer(parameters="") -> str:
    return "Sec-WebSocket-Extensions: permessage-deflate" + (f"; {parameters}" if parameters else "")


def deflate(data: bytes | str, bits=15, level=6) -> bytes:
    """A message's payload, compressed by itself."""
    compressor = zlib.compressobj(level, zlib.DEFLATED, -bits)
    data = data.encode() if isinstance(data, str) else data
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


def inflate(payload: bytes, bits=15) -> bytes:
    return zlib.decompressobj(-bits).decompress(payload + TAIL)


def packed(opcode: int, data: bytes | str, bits=15) -> bytes:
    """A whole compressed message in one frame."""
    return frame(opcode, deflate(data, bits), reserved=4)


class DeflateSocket(RawSocket):
    """A WebSocket on which compression was agreed on."""

    def __init__(self, port: int, path="/echo", parameters="", **options):
        super().__init__(port, path, offer(parameters), **options)
        self.agreed = self.opening["sec-websocket-extensions"]
        assert self.agreed, self.opening.fields

    def take(self) -> tuple[int, bool, bytes]:
        """Opcode, whether it is compressed, and payload of the next frame, which ends its message."""
        first, second = self.read(2)
        assert first & 0x80 and not first & 0x30 and not second & 0x80, (first, second)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack(">H", self.read(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", self.read(8))
        return first & 0x0F, bool(first & 0x40), self.read(size)

    def message(self) -> tuple[int, bytes]:
        opcode, is_compressed, payload = self.take()
        return opcode, inflate(payload) if is_compressed else payload


def prose(count: int, seed=0) -> str:
    """Text that compresses, but not to nothing."""
    made = random.Random(seed)
    words = ["alpha", "beta", "gamma", "delta", "Grüße", "epsilon", '{"id":', "1234567890", "👋"]
    text = ""
    while len(text) < count:
        text += made.choice(words) + str(made.randrange(1000)) + " "
    return text[:count]


def counter(gateway, name: str, label="") -> float:
    return gateway.metric(f"sluice_{name}", label)


def breaches(gateway, limit: str) -> float:
    return gateway.breaches(limit)
