"""The torture, short enough to run with the other tests. `make torture` runs it for two minutes."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "EndToEnd")]

from sanitizer import unsanitized  # noqa: E402
from torture import torture  # noqa: E402

pytestmark = unsanitized("its disk stands before the functions that the sanitizer stands before")


def test_kills_under_load_on_a_disk_that_loses_what_was_not_synced_break_nothing():
    verdict, kept = torture(5, seed=20260101)
    print(verdict.text())
    assert kept, verdict.failures
    assert verdict.kills >= 3 and verdict.acknowledged > 100 and verdict.resumed > 0
    assert verdict.recovered > 0
    assert verdict.sectors_lost > 0, "the disk has lost nothing, so nothing was shown"


def test_a_gateway_that_does_not_sync_is_found_out():
    verdict, kept = torture(2, seed=20260102, control="synchronous-off")
    assert not kept, verdict.text()
