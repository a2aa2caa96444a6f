#!/usr/bin/env python3
"""Measures the gateway beside its peers and prints one table. README.md in this folder says what and why.

Nothing is asserted about time: the exit status is 1 only when something answered wrongly or failed.
"""

import argparse
import dataclasses
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import gateway
import machine
import peers
import table
from loadgen import LoadFailed, LoadGenerator
from measurement import Measurement, NotMeasured, Row
from rows import ROWS
from server import ServerFailed
from workbench import Bench


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Sluice beside its peers: medians and ratios.")
    parser.add_argument("--only", action="append", metavar="ROW", help="a row, or the start of its name")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each round (default 2)")
    parser.add_argument("--rounds", type=int, default=5, help="of each side (default 5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round there as well")
    parser.add_argument("--list", action="store_true", help="print the rows and end")
    parser.add_argument(
        "--against-itself", action="store_true",
        help="put the peer in our place: how far from 1.00 the ratios come out is this machine's noise",
    )
    chosen = parser.parse_args()
    if chosen.seconds <= 0 or chosen.rounds < 1:
        parser.error("--seconds must be above 0 and --rounds at least 1")
    names = [row.name for row in ROWS]
    for wanted in chosen.only or []:
        if not any(name.startswith(wanted) for name in names):
            parser.error(f"--only {wanted}: no such row; there are {', '.join(names)}")
    return chosen


def is_chosen(row: Row, only: list[str] | None) -> bool:
    """A whole name means that row; anything else, the rows whose names begin with it."""
    names = [each.name for each in ROWS]
    return not only or any(
        row.name == wanted or (wanted not in names and row.name.startswith(wanted)) for wanted in only
    )


def print_configuration(bench: Bench) -> None:
    for key, value in (machine.describe(bench.scratch) | peers.versions()).items():
        print(f"{key}: {value}")
    print(f"cores: {bench.cores.describe()}")
    print(f"rounds: {bench.rounds} of {bench.seconds:g} s for each side, taken in turn; medians")
    if bench.against_itself:
        print("ours: a second instance of the peer (--against-itself)")
    else:
        words = gateway.command(gateway.CONFORMANCE.relative_to(gateway.ROOT), Path("DATA"), 1)
        words[0] = str(gateway.PROGRAM.relative_to(gateway.ROOT))
        print(f"ours: {' '.join(words)}")
        commit = subprocess.run(
            ["git", "-C", str(gateway.ROOT), "describe", "--always", "--dirty"],
            capture_output=True, text=True,
        )
        print(f"commit: {commit.stdout.strip() or 'unknown'}")
        print("\n".join(f"    {line}" for line in gateway.CONFORMANCE.read_text().splitlines()))
    print("nginx: two workers and reuseport in `two-loops`; the marked work left out in `bare-nginx`")
    text = peers.nginx_configuration(
        user="", workers=1, folder="FOLDER", port="PORT", reuseport=""
    )
    print("\n".join(f"    {line}" for line in text.splitlines()))


def measure(bench: Bench, row: Row) -> tuple[Measurement | str, bool]:
    """The row's figures or the reason there are none, and whether something went wrong."""
    bench.say(f"{row.name}: {row.work}, {row.unit}")
    try:
        measurement = row.measure(bench)
        if row.name.startswith("durable"):
            median, most = machine.sync_milliseconds(bench.scratch)
            measurement.notes.append(f"one fdatasync alone took {median:.2f} ms after it, p99 {most:.2f} ms")
        return measurement, bool(measurement.errors)
    except NotMeasured as reason:
        return f"not measured: needs {reason}", False
    except peers.PeerMissing as reason:
        return f"not measured: {reason}", False
    except (ServerFailed, LoadFailed, RuntimeError, OSError) as failure:
        bench.say(f"    FAILED: {failure}")
        return f"FAILED\n{failure}", True


def main() -> int:
    chosen = arguments()
    rows = [row for row in ROWS if is_chosen(row, chosen.only)]
    if chosen.against_itself:
        rows = [dataclasses.replace(row, bound=None) for row in rows]  # bounds are the gateway's
    if chosen.list:
        print("\n".join(f"{row.name:18} {row.work}, {row.unit}" for row in rows))
        return 0
    if not chosen.against_itself and (reason := gateway.absent()):
        print(f"bench: {reason}", file=sys.stderr)
        return 1
    machine.raise_descriptor_limit()
    place = gateway.ROOT / ".build/bench"
    place.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=place))
    try:
        bench = Bench(
            scratch, machine.Cores(), LoadGenerator(place), chosen.seconds, chosen.rounds,
            chosen.against_itself,
        )
        print_configuration(bench)
        outcomes = [(row, *measure(bench, row)) for row in rows]
    except LoadFailed as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    results = [(row, result) for row, result, _ in outcomes]
    print("\n".join(["", *table.lines(results)]))
    if chosen.json:
        document = {
            "machine": machine.describe(place) | peers.versions(),
            "seconds": chosen.seconds, "rounds": chosen.rounds, "against_itself": chosen.against_itself,
            "rows": [table.as_json(row, result) for row, result in results],
        }
        chosen.json.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return 1 if any(wrong for *_, wrong in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
