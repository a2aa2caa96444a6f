"""Which build is tested: the release, or one of `make sanitize`, and what the tests do otherwise for that.

Tests/run.py says so in the environment. A sanitizer writes what it finds into REPORTS, whichever process finds it.
"""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / os.environ.get("SLUICE_BUILT", ".build/release")
SANITIZER = os.environ.get("SLUICE_SANITIZER")
REPORTS = ROOT / os.environ.get("SLUICE_REPORTS", "no-reports")

# How much longer everything may take: a build for debugging, with the sanitizer's own work on top.
SLOWNESS = {None: 1, "address": 4, "thread": 8}[SANITIZER]

# Plugins in C are built as the gateway is, so that what they touch is watched too. This linker exports marks of its own.
COMPILER = [
    "clang", f"-fsanitize={SANITIZER}", "-g", f"-Wl,--version-script={ROOT}/Sources/PluginKit/plugin.version",
] if SANITIZER else ["cc"]


def unsanitized(why: str):
    """Marks a test that says nothing, or cannot run, under a sanitizer."""
    return pytest.mark.skipif(SANITIZER is not None, reason=f"not under a sanitizer: {why}")


MEASURES_MEMORY = unsanitized("it bounds resident memory, which the sanitizer keeps its books in")
CATCHES_SIGNALS = unsanitized("it looks for a signal, which the sanitizer catches")
SHIPPED_FILE = unsanitized("the configuration that is shipped names the release build")


def reported() -> dict[Path, int]:
    """The reports that there are, and their sizes."""
    return {file: file.stat().st_size for file in sorted(REPORTS.glob("*"))} if SANITIZER else {}


def fresh_reports(before: dict[Path, int]) -> str:
    """The beginning of what was reported since."""
    texts = []
    for file, size in reported().items():
        if size > before.get(file, 0):
            with file.open(errors="replace") as report:
                report.seek(before.get(file, 0))
                texts.append(f"{file.relative_to(ROOT)}:\n{report.read(6000)}")
    return "\n".join(texts)
