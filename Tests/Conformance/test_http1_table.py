"""The table of HTTP/1.1, row by row, on the gateway of `examples/conformance`."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "EndToEnd")]

from http1_table import CASES, complaint, page  # noqa: E402
from program import ROOT, Sluice  # noqa: E402
from workshop import conformance_configuration  # noqa: E402


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with Sluice(tmp_path_factory.mktemp("http1"), conformance_configuration()) as running:
        yield running


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_row_is_answered_as_it_says(gateway, case):
    assert complaint(gateway.port, case) is None
    assert gateway.is_running()


def test_the_page_begins_with_the_table():
    assert (ROOT / "docs/conformance-http1.md").read_text().startswith(page())
