"""The Autobahn suite's fast part against the gateway's `/echo`."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "EndToEnd"))

from program import CONFORMANCE, Sluice  # noqa: E402


def test_no_fast_case_of_the_autobahn_suite_fails(tmp_path):
    with Sluice(tmp_path, CONFORMANCE) as gateway:
        done = subprocess.run(
            [sys.executable, str(HERE / "autobahn.py"), "--fast", f"{gateway.socket_url}/echo"], capture_output=True,
            text=True, timeout=280,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert " 0 failed, 0 closed badly, 0 missing" in done.stdout and gateway.is_running()
