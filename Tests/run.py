#!/usr/bin/env python3
"""Runs every test of the project and ends with one line: `N passed, N failed`.

    run.py                                  of the release build
    run.py --sanitize address thread        of the builds of `make sanitize`, one after the other, with a line for each

Two runners: `swift test` for what is inside the program, pytest for the program as its users meet it. Both print as they
go; what they count is read from their JUnit reports. A runner that breaks off, or reports nothing, is a failure, and so is
whatever a sanitizer reports in any process.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SANITIZER_FILES = ROOT / "Tests/Sanitizers"
SANITIZERS = {"address": "AddressSanitizer", "thread": "ThreadSanitizer"}


@dataclass
class Count:
    """What one runner said."""

    passed: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)

    def read(self, report: Path) -> None:
        """Adds the cases of a JUnit report. Skipped ones count as neither."""
        for case in ElementTree.parse(report).iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                self.failures.append(f"{case.get('classname')} {case.get('name')}")
            elif case.find("skipped") is None:
                self.passed += 1
            else:
                self.skipped += 1

    def add(self, other: "Count") -> None:
        self.passed += other.passed
        self.skipped += other.skipped
        self.failures += other.failures


def run(title: str, command: list[str], reports: list[Path], environment: dict[str, str]) -> Count:
    """Runs one runner to its end and reads those of its reports that there are."""
    print(f"== {title}: {' '.join(command)}", flush=True)
    status = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, env=os.environ | environment).returncode
    count = Count()
    for report in reports:
        if report.exists():
            try:
                count.read(report)
            except ElementTree.ParseError as error:
                count.failures.append(f"{title}: its report cannot be read: {error}")
    if status != 0 and not count.failures:
        count.failures.append(f"{title} ended with {status}")
    if status == 0 and count.passed == 0:
        count.failures.append(f"{title} ran nothing")
    return count


def run_all(options: list[str], environment: dict[str, str], inside: dict[str, str]) -> Count:
    """Runs both runners: `swift test` with these options, and with what is for it alone in its environment."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        # XCTest writes the file that it is told, Swift Testing one beside it.
        report = folder / "swift.xml"
        count = run(
            "swift test", ["swift", "test", *options, "--xunit-output", str(report)],
            [report, folder / "swift-swift-testing.xml"], environment | inside)
        report = folder / "pytest.xml"
        command = [
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib",
            f"--junitxml={report}", "Tests",
        ]
        count.add(run("pytest", command, [report], environment))
    for failure in count.failures:
        print(f"failed: {failure}")
    return count


def sanitized(name: str) -> Count:
    """Runs everything in the build with a sanitizer, whose reports are failures."""
    scratch = f".build-{name}"
    reports = ROOT / scratch / "reports"
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir(parents=True)
    # A crash is reported too, and by the sanitizer alone: Swift's own handler trips over it.
    common = f"log_path={reports}/{name}:handle_abort=1:handle_sigill=1"
    environment = {
        "SLUICE_SANITIZER": name, "SLUICE_BUILT": f"{scratch}/debug", "SLUICE_REPORTS": f"{scratch}/reports",
        "ASAN_OPTIONS": f"{common}:detect_leaks=0", "SWIFT_BACKTRACE": "enable=no",
        "TSAN_OPTIONS": f"{common}:suppressions={SANITIZER_FILES}/races.txt",
    }
    if name == "thread":
        library = ROOT / scratch / "mutex.so"
        subprocess.run(
            ["clang", "-std=c11", "-O1", "-shared", "-fPIC", SANITIZER_FILES / "mutex.c", "-o", library], check=True)
        environment["LD_PRELOAD"] = str(library)
    # What a test does not give back is a leak; a gateway that ends leaves all it has to the kernel.
    inside = {
        "ASAN_OPTIONS": f"{common}:detect_leaks=1",
        "LSAN_OPTIONS": f"suppressions={SANITIZER_FILES}/leaks.txt:print_suppressions=0",
    }
    # XCTest, of which no test here makes use, leaks.
    options = ["--skip-build", "--disable-xctest", "--scratch-path", scratch, "--sanitize", name]
    count = run_all(options, environment, inside)
    found = sorted(reports.iterdir())
    for report in found:
        lines = report.read_text(errors="replace").splitlines()
        summary = next((line for line in lines if line.startswith("SUMMARY: ")), "without a summary")
        print(f"failed: {report.relative_to(ROOT)}: {summary}")
        count.failures.append(report.name)
    print(
        f"{SANITIZERS[name]}: {count.passed} passed, {len(count.failures)} failed, of them {len(found)} reports, "
        f"{count.skipped} skipped", flush=True)
    return count


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sanitize", nargs="+", choices=sorted(SANITIZERS), default=[])
    names = parser.parse_args().sanitize
    counts = [sanitized(name) for name in names] or [run_all([], {}, {})]
    failed = sum(len(count.failures) for count in counts)
    print(f"{sum(count.passed for count in counts)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
