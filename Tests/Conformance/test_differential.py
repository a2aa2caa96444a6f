"""That the comparison behind proxies notices what it is for: a client in the proxy's place, and a recorder that meddles."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "EndToEnd")]

from differential import Findings, compare  # noqa: E402
from program import Sluice  # noqa: E402
from proxies import Recorder  # noqa: E402
from wire import Closed, Wire, get  # noqa: E402
from workshop import conformance_configuration  # noqa: E402


class Changed(Recorder):
    def forward(self, data: bytes) -> bytes:
        return data.replace(b"hello", b"jello")


class Moved(Recorder):
    def forward(self, data: bytes) -> bytes:
        return data.replace(b"POST /mirror ", b"POST / ")


class Smuggled(Recorder):
    def forward(self, data: bytes) -> bytes:
        return data + get("/mirror", "X-Request-Id: smuggled")


class Twice(Recorder):
    def forward(self, data: bytes) -> bytes:
        return data + data


class Shifted(Recorder):
    """The second request's bytes go in front of the first's."""

    held = b""

    def forward(self, data: bytes) -> bytes:
        if not self.held:
            self.held = data
            return b""
        return data + self.held


def findings(folder: Path, recorder: type[Recorder]) -> Findings:
    """What comes of two requests in a row over such a recorder."""
    found = Findings("")
    with Sluice(folder, conformance_configuration()) as gateway:
        middle = recorder(gateway.port)
        with Wire(middle.port, patience=1) as wire:
            for name in ("one", "two"):
                wire.send(get("/mirror", f"X-Request-Id: id-{name}", method="POST", body=b"hello" + name.encode()))
                try:
                    wire.answer()
                except (Closed, TimeoutError):
                    pass
        middle.close()
        compare(gateway, middle.upstreams, {}, found)
    return found


def test_nothing_is_found_where_nothing_is_wrong(tmp_path):
    found = findings(tmp_path, Recorder)
    assert found.wrong == [] and (found.forwarded, found.mirrored, found.replayed) == (2, 2, 2)


@pytest.mark.parametrize("meddler, words", [
    (Changed, "mirrored with the body"), (Moved, "seen as POST /"), (Smuggled, "served, but never forwarded"), (Twice, "seen 2 times"),
    (Shifted, "answered as id-two"),
], ids=lambda value: getattr(value, "__name__", None))
def test_what_a_meddler_does_is_found(tmp_path, meddler, words):
    assert any(words in wrong for wrong in findings(tmp_path, meddler).wrong)
