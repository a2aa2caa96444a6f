#!/usr/bin/env python3
"""Prints line coverage for each target, from the JSON that `swift test --show-codecov-path` names.

Ends with 1 when a codec or a plugin is below the bound.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BOUND = 80.0


def target(path: Path) -> str | None:
    """The target that a source file belongs to, or None when it is a test or foreign."""
    try:
        parts = path.resolve().relative_to(ROOT).parts
    except ValueError:
        return None
    if parts[0] == "Sources" and len(parts) > 2:
        return parts[1]
    if parts[0] in ("Plugins", "examples") and "Sources" in parts:
        return parts[parts.index("Sources") + 1]
    return None


def is_bound(name: str, path: Path) -> bool:
    """Whether the bound holds for a target: the codecs, and the plugins' code."""
    return name == "Wire" or (name.endswith("Plugin") and path.parts[0] == "Plugins")


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: coverage.py CODECOV.json", file=sys.stderr)
        return 64
    report = json.loads(Path(sys.argv[1]).read_text())
    lines: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    bound: set[str] = set()
    for file in report["data"][0]["files"]:
        path = Path(file["filename"])
        name = target(path)
        if name is None:
            continue
        lines[name][0] += file["summary"]["lines"]["covered"]
        lines[name][1] += file["summary"]["lines"]["count"]
        if is_bound(name, path.resolve().relative_to(ROOT)):
            bound.add(name)
    below = []
    print(f"{'target':<20} {'lines':>7} {'covered':>8}")
    for name, (covered, count) in sorted(lines.items()):
        share = 100 * covered / count if count else 100.0
        note = ""
        if name in bound and share < BOUND:
            below.append(name)
            note = f"  below {BOUND:g} %"
        print(f"{name:<20} {count:>7} {share:>6.1f} %{note}")
    if below:
        print(f"below {BOUND:g} %: {', '.join(below)}", file=sys.stderr)
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
