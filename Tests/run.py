#!/usr/bin/env python3
"""Runs every test of the project and ends with one line: `N passed, N failed`.

Two runners: `swift test` for what is inside the program, pytest for the program as its users meet it. Both print as they
go; what they count is read from their JUnit reports. A runner that breaks off, or reports nothing, is a failure.
"""

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Count:
    """What one runner said."""

    passed: int = 0
    failures: list[str] = field(default_factory=list)

    def read(self, report: Path) -> None:
        """Adds the cases of a JUnit report. Skipped ones count as neither."""
        for case in ElementTree.parse(report).iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                self.failures.append(f"{case.get('classname')} {case.get('name')}")
            elif case.find("skipped") is None:
                self.passed += 1


def run(title: str, command: list[str], reports: list[Path]) -> Count:
    """Runs one runner to its end and reads those of its reports that there are."""
    print(f"== {title}: {' '.join(command)}", flush=True)
    status = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL).returncode
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


def swift_tests(folder: Path) -> Count:
    # XCTest writes the file that it is told, Swift Testing one beside it.
    report = folder / "swift.xml"
    command = ["swift", "test", "--xunit-output", str(report)]
    return run("swift test", command, [report, folder / "swift-swift-testing.xml"])


def program_tests(folder: Path) -> Count:
    report = folder / "pytest.xml"
    command = [
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib",
        f"--junitxml={report}", "Tests",
    ]
    return run("pytest", command, [report])


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch:
        counts = [swift_tests(Path(scratch)), program_tests(Path(scratch))]
    failures = [failure for count in counts for failure in count.failures]
    for failure in failures:
        print(f"failed: {failure}")
    print(f"{sum(count.passed for count in counts)} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
