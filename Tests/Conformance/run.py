#!/usr/bin/env python3
"""Starts the gateway of `examples/conformance`, tries the table of HTTP/2, and runs the Autobahn suite against `/echo`.

    run.py [--fast]

All cases, whose page is `docs/conformance.md`; or the short part, without one. The exit code is 0 when
both find nothing.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "EndToEnd"))

from program import CONFORMANCE, ROOT, Sluice  # noqa: E402


def main(arguments: list[str]) -> int:
    chosen = ["--fast"] if "--fast" in arguments else ["--report", str(ROOT / "docs/conformance.md")]
    with tempfile.TemporaryDirectory(prefix="sluice-conformance-") as folder:
        with Sluice(Path(folder), CONFORMANCE) as gateway:
            url = f"{gateway.socket_url}/echo"
            table = subprocess.run([sys.executable, str(HERE / "http2_table.py"), str(gateway.port)]).returncode
            code = subprocess.run([sys.executable, str(HERE / "autobahn.py"), *chosen, url]).returncode
            if not gateway.is_running():
                print(f"the gateway has died:\n{gateway.text()[-4000:]}", file=sys.stderr)
                return 1
            return code or table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
