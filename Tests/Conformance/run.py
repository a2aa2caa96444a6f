#!/usr/bin/env python3
"""Runs all that there is of conformance, one suite after the other, whatever the others found.

    run.py [--fast]

The tables of HTTP/1.1 and HTTP/2 and the Autobahn suite on the gateway of `examples/conformance`; then, each with gateways of its own,
nginx and haproxy in front, slowhttptest, and testssl.sh. Writes `docs/conformance.md`, `docs/conformance-http1.md` and
`docs/conformance-tls.md`.
`--fast` leaves out all but the tables and the short part of Autobahn, and writes nothing. The exit code is 0 when none finds
anything; the last lines say what each came to.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "EndToEnd"))

from program import CONFORMANCE, ROOT, Sluice  # noqa: E402

PAGE = str(ROOT / "docs/conformance-http1.md")


def suite(name: str, *arguments: str) -> tuple[str, int]:
    """Runs one suite to its end; its name and exit code."""
    print(f"== {name} {' '.join(arguments)}", flush=True)
    return name, subprocess.run([sys.executable, str(HERE / name), *arguments], stdin=subprocess.DEVNULL).returncode


def main(arguments: list[str]) -> int:
    is_fast = "--fast" in arguments
    with tempfile.TemporaryDirectory(prefix="sluice-conformance-") as folder:
        with Sluice(Path(folder), CONFORMANCE) as gateway:
            chosen = ["--fast"] if is_fast else ["--report", str(ROOT / "docs/conformance.md")]
            results = [
                suite("http1_table.py", str(gateway.port)), suite("http2_table.py", str(gateway.port)),
                suite("autobahn.py", *chosen, f"{gateway.socket_url}/echo"),
            ]
            if not gateway.is_running():
                print(f"the gateway has died:\n{gateway.text()[-4000:]}", file=sys.stderr)
                results.append(("the gateway", 1))
    if not is_fast:
        results += [
            suite("http1_table.py", "--page", PAGE), suite("differential.py", "--report", PAGE), suite("slow.py", "--report", PAGE),
            suite("testssl.py", "--report", str(ROOT / "docs/conformance-tls.md")),
        ]
    failed = [name for name, code in results if code != 0]
    print(f"conformance: {len(results)} suites, failed: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
