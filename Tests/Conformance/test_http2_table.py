"""The table of HTTP/2, row by row, on the gateway of `examples/conformance`."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "EndToEnd")]

from http2_table import CASES, complaint, page  # noqa: E402
from program import CONFORMANCE, ROOT, Sluice  # noqa: E402


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with Sluice(tmp_path_factory.mktemp("http2"), CONFORMANCE) as running:
        yield running


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_row_is_answered_as_it_says(gateway, case):
    assert complaint(gateway.port, case) is None
    assert gateway.is_running()


def test_the_page_shows_the_table():
    assert (ROOT / "docs/conformance-http2.md").read_text() == page()
