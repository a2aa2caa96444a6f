#!/usr/bin/env python3
"""WebSocket conformance: the Autobahn fuzzing client against a server that echoes.

    python3 Tests/Conformance/autobahn.py [--fast] [--cases 1.*,2.*] [--keep DIR] [--report FILE] URL

`--fast` leaves out the large messages (9.*) and compression (12.*, 13.*): seconds instead of minutes. The last line is the
tally. Exit code 0: every wanted case ran, none failed, in what was answered or in how the connection closed, and none passed
but not strictly or was left out because the server does not offer compression; 1: not so; 2: the suite could not run.

The suite is installed from PyPI into an environment of its own at first use; see `suite.py` for how it runs here.
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import report

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
ENVIRONMENT = Path(os.environ.get("SLUICE_AUTOBAHN", CACHE / "sluice/autobahn"))
SUITE = "25.10.1"

# wsaccel masks and checks UTF-8 in C: without it 9.* takes many minutes. setuptools: the suite asks for pkg_resources.
PACKAGES = [
    f"autobahntestsuite=={SUITE}", "autobahn==23.6.2", "twisted==23.10.0", "pyopenssl", "service_identity",
    "setuptools==65.5.0", "wsaccel",
]
SLOW = ["9.*", "12.*", "13.*"]
PASSED = {"OK", "INFORMATIONAL"}
# With all sections. Fewer would mean that the suite has lost some.
ALL = 517


def prepare() -> Path:
    """The environment's Python, installed and converted at first use."""
    if not (3, 11) <= sys.version_info < (3, 13):
        raise RuntimeError("the suite needs Python 3.11 or 3.12: it is converted by lib2to3, which later ones lack")
    python = ENVIRONMENT / "bin/python"
    works = [str(python), "-P", "-c", "import autobahn, twisted, pkg_resources, wsaccel"]
    if not python.exists() or subprocess.run(works, capture_output=True).returncode != 0:
        print(f"installing the Autobahn suite in {ENVIRONMENT}", file=sys.stderr)
        venv.create(ENVIRONMENT, with_pip=True, clear=ENVIRONMENT.exists())
        subprocess.run([str(python), "-m", "pip", "install", "-q", *PACKAGES], check=True)
    subprocess.run([str(python), "-P", str(HERE / "suite.py"), "prepare"], check=True)
    return python


def number(case: str) -> list[int]:
    return [int(part) for part in case.split(".")]


class Verdicts:
    """What the suite found, by case."""

    def __init__(self, wanted: list[str], results: dict[str, dict]):
        self.wanted, self.results = wanted, results
        self.failed = self._where(lambda verdict: verdict["behavior"] not in PASSED)
        self.closed_badly = [
            case for case in self._where(lambda verdict: verdict["behaviorClose"] not in ("OK", "INFORMATIONAL"))
            if case not in self.failed
        ]
        self.missing = sorted(set(wanted) - set(results), key=number)

    def _where(self, condition) -> list[str]:
        return sorted((case for case, verdict in self.results.items() if condition(verdict)), key=number)

    @property
    def are_good(self) -> bool:
        return bool(self.wanted) and not (self.failed or self.closed_badly or self.missing)

    def details(self) -> str:
        lines = []
        for case in self.failed + self.closed_badly:
            verdict = self.results[case]
            lines.append(f"{case}: {verdict['behavior']}: {verdict['result']}; close {verdict['behaviorClose']}: "
                         f"{verdict['resultClose']}")
        lines += [f"{case}: did not run" for case in self.missing]
        return "\n".join(lines)

    def tally(self) -> str:
        count = collections.Counter(verdict["behavior"] for verdict in self.results.values())
        return (
            f"Autobahn: {len(self.wanted)} wanted, {count['OK']} ok, {count['INFORMATIONAL']} informational, "
            f"{count['NON-STRICT']} not strict, {count['UNIMPLEMENTED']} unimplemented, {len(self.failed)} failed, "
            f"{len(self.closed_badly)} closed badly, {len(self.missing)} missing"
        )


def run(url: str, cases: list[str], excluded: list[str], folder: Path, patience: float) -> Verdicts:
    python = prepare()
    results = folder / "results.json"
    results.unlink(missing_ok=True)
    # -P: this very file is called as the package that the suite is built on.
    command = [
        str(python), "-P", str(HERE / "suite.py"), "run", url, str(results), ",".join(cases), ",".join(excluded),
    ]
    try:
        subprocess.run(command, timeout=patience, check=False)
    except subprocess.TimeoutExpired:
        print(f"the suite was stopped after {patience:.0f} s", file=sys.stderr)
    if not results.exists():
        raise RuntimeError(f"the suite left no results; its log is {results.with_suffix('.log')}")
    found = json.loads(results.read_text())
    return Verdicts(found["wanted"], found["results"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", help="a WebSocket that echoes, such as ws://127.0.0.1:9080/echo")
    parser.add_argument("--fast", action="store_true", help="without 9.*, 12.* and 13.*")
    parser.add_argument("--cases", default="*", help="cases to run, separated by commas (default: all)")
    parser.add_argument("--keep", type=Path, help="keep the results in this folder")
    parser.add_argument("--patience", type=float, default=2400, help="seconds for the whole run (default: 2400)")
    parser.add_argument("--report", type=Path, help="write a page on a run of all cases")
    options = parser.parse_args()
    if options.report and (options.fast or options.cases != "*"):
        parser.error("a report is of all cases")
    with tempfile.TemporaryDirectory(prefix="sluice-autobahn-") as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            verdicts = run(options.url, options.cases.split(","), SLOW if options.fast else [], folder, options.patience)
        except (RuntimeError, subprocess.CalledProcessError) as error:
            log = folder / "results.log"
            print(log.read_text()[-3000:] if log.exists() else "", error, sep="\n", file=sys.stderr)
            return 2
    if details := verdicts.details():
        print(details)
    print(verdicts.tally())
    if options.cases == "*" and not options.fast and len(verdicts.wanted) != ALL:
        print(f"the suite has {len(verdicts.wanted)} cases and not {ALL}")
        return 1
    if options.report:
        options.report.write_text(report.page(verdicts, SUITE))
    return 0 if verdicts.are_good else 1


if __name__ == "__main__":
    sys.exit(main())
