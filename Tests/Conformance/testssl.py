#!/usr/bin/env python3
"""Runs testssl.sh (Debian's package of that name) over a gateway with a certificate of a private authority.

    testssl.py [--keep FOLDER] [--report FILE]

Every finding that costs a grade fails the run: whatever testssl.sh calls LOW, MEDIUM, HIGH or CRITICAL, and every test that it
could not make. What is not about TLS is left out, by name, below.
"""

import argparse
import json
import re
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


HEAD = """# TLS, as testssl.sh sees it

What testssl.sh {version} says of a listener with TLS as it is by default, with a certificate of a private authority: {count} findings, of which {bad} cost a grade.
This page is written by `make conformance`. Left out below is what tells of the certificate, of single clients and of the run itself.

| test | finding |
|---|---|
"""
# What differs from run to run, or tells of the certificate that was made for it.
LEFT_OUT = ("cert", "OCSP", "clientsimulation", "DNS", "scanTime", "id", "pre_128cipher", "service", "optimal_proto", "TLS_timestamp", "TLS_session_ticket",
            "intermediate_cert", "engine_problem", "HTTP_", "banner", "cookie", "security_headers", "certs_")


def page(found: list[dict], bad: list[dict], version: str) -> str:
    """The findings, as a page of the documentation."""
    rows = [
        f"| `{each['id']}` | {each['finding'].strip().replace('|', '/')} |"
        for each in found if each["severity"] in PASSED and not each["id"].startswith(LEFT_OUT)
    ]
    return HEAD.format(version=version, count=len(found), bad=len(bad)) + "\n".join(rows) + "\n"


def version() -> str:
    done = subprocess.run([program(), "--version"], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
    found = re.search(r"testssl(?:\.sh)?\s+(?:version\s+)?(\d[\w.]*)", done.stdout)
    return found[1] if found else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=Path, help="keep the report in this folder")
    parser.add_argument("--report", type=Path, help="write a page on the run")
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
    if options.report and not missing:
        options.report.write_text(page(found, bad, version()))
    print(f"testssl.sh: {len(found)} findings, {len(bad)} below grade A")
    return 1 if bad or missing else 0


if __name__ == "__main__":
    sys.exit(main())
