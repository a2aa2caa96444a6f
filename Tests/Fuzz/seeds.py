"""What the tests of conformance send, as inputs where fuzzing starts."""

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "Conformance"), str(TESTS / "EndToEnd")]

import http1_table  # noqa: E402
import http2_table  # noqa: E402

# Where `-max_len` cuts, and what one step of the target for HTTP/2 can hold.
LONGEST, STEP = 4096, 255


def bodies() -> list[bytes]:
    messages = (case.data.partition(b"\r\n\r\n") for case in http1_table.CASES)
    return [body for head, _, body in messages if b"chunked" in head.lower() and body]


def targets() -> list[bytes]:
    lines = (case.data.split(b"\r\n", 1)[0].split(b" ") for case in http1_table.CASES)
    return [words[1] for words in lines if len(words) > 2]


def steps(data: bytes) -> bytes:
    """A connection that is greeted, and what is received on it."""
    pieces = [data[at:at + STEP] for at in range(0, len(data), STEP)]
    return b"\x01" + b"".join(bytes([0, len(piece)]) + piece for piece in pieces)


SEEDS = {
    "http1": lambda: [case.data for case in http1_table.CASES],
    "chunked": bodies,
    "url": targets,
    "http2": lambda: [steps(case.data) for case in http2_table.CASES],
}


def write(target: str, folder: Path):
    """Fills a folder with a target's inputs; it stays empty where the tests have none of its kind."""
    folder.mkdir(parents=True, exist_ok=True)
    inputs = SEEDS.get(target, list)()
    for number, data in enumerate(dict.fromkeys(data for data in inputs if len(data) <= LONGEST)):
        (folder / f"{number:04d}").write_bytes(data)
