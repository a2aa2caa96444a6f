#!/usr/bin/env python3
"""Runs testssl.sh (Debian's package of that name) over a gateway with a certificate of a private authority.

    testssl.py [--keep FOLDER]

Every finding that costs a grade fails the run: whatever testssl.sh calls LOW, MEDIUM, HIGH or CRITICAL, and every test that it
could not make. What is not about TLS is left out, by name, below.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "EndToEnd"))

from authority import Authority  # noqa: E402
from secure import SecureSluice  # noqa: E402

PASSED = {"OK", "INFO"}
NOT_ABOUT_TLS = {
    "engine_problem": "the local openssl has no GOST",
    "security_headers": "fields for pages: the gateway answers an API with JSON",
}


def program() -> str:
    """testssl.sh, which `make conformance` installs."""
    if found := shutil.which("testssl"):
        return found
    raise SystemExit("testssl is not installed (apt-get install testssl.sh)")


def findings(folder: Path) -> list[dict]:
    authority = Authority(folder / "authority")
    # Nobody listens there, and nobody is asked: the response is stapled.
    certificate = authority.issue("localhost", "localhost", "127.0.0.1", responder="http://127.0.0.1:1/")
    response = authority.respond(certificate, folder / "response.der", minutes=6000)
    tls = certificate.configuration(ocsp=str(response), strict_transport_security="max-age=31536000")
    report = folder / "testssl.json"
    report.unlink(missing_ok=True)
    with SecureSluice(folder / "gateway", tls) as gateway:
        subprocess.run(
            [
                program(), "--jsonfile", str(report), "--quiet", "--warnings", "off", "--color", "0", "--nodns", "none",
                "--add-ca", str(authority.certificate), "--ip", "127.0.0.1", f"localhost:{gateway.secure_port}",
            ],
            stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=1500, check=False,
        )
    return json.loads(report.read_text())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=Path, help="keep the report in this folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sluice-testssl-") as scratch:
        found = findings(options.keep or Path(scratch))
    bad = [each for each in found if each["severity"] not in PASSED and each["id"] not in NOT_ABOUT_TLS]
    for each in bad:
        print(f"{each['severity']} {each['id']}: {each['finding']}")
    # A run that was cut short has no findings either.
    whole = {"TLS1_1", "TLS1_2", "TLS1_3", "heartbleed", "secure_client_renego", "BEAST", "cert_chain_of_trust", "ALPN"}
    missing = sorted(whole - {each["id"] for each in found})
    if missing:
        print(f"testssl.sh did not test: {', '.join(missing)}")
    print(f"testssl.sh: {len(found)} findings, {len(bad)} below grade A")
    return 1 if bad or missing else 0


if __name__ == "__main__":
    sys.exit(main())
