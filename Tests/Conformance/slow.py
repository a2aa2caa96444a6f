#!/usr/bin/env python3
"""slowhttptest (Debian's package of that name) against a gateway with short time limits.

    slow.py [--report FILE]

Heads that trickle in, bodies that trickle in, answers that nobody reads, and ranges by the thousand. For each: every connection
was ended by the limit that is meant for it, and counted; memory stayed bounded; an ordinary client was answered throughout.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "EndToEnd")]

from program import Sluice, eventually  # noqa: E402
from wire import Closed, ask, get  # noqa: E402
from workshop import conformance_configuration  # noqa: E402

# Pieces of a body come every second: each within its limit, and all of them far too late.
LIMITS = {"header_timeout_ms": 1000, "body_timeout_ms": 2500, "write_timeout_ms": 1000, "idle_timeout_ms": 3000}


@dataclass(frozen=True)
class Attack:
    title: str
    options: tuple[str, ...]
    path: str
    # What must count every connection.
    limit: str
    connections: int
    # Resident bytes for each connection, over what the gateway had before.
    bytes_each: int


ATTACKS = [
    Attack("slow headers", ("-H", "-i", "2", "-x", "24"), "/", "header_timeout_ms", 400, 32 << 10),
    Attack("slow bodies", ("-B", "-i", "1", "-s", "8192"), "/mirror", "body_timeout_ms", 400, 32 << 10),
    # The kernel keeps some megabytes of what is sent to a loopback address; what is over them waits in the gateway.
    Attack("slow reading", ("-X", "-n", "5", "-w", "1", "-y", "64", "-z", "1", "-k", "10"), "/bytes/524288", "write_timeout_ms", 100, 2 << 20),
    Attack("ranges", ("-R", "-a", "1", "-b", "3000"), "/", "header_bytes", 400, 32 << 10),
]


class Watch(threading.Thread):
    """An ordinary client, and the gateway's memory, while an attack goes on."""

    def __init__(self, gateway: Sluice):
        super().__init__(daemon=True)
        self.gateway, self.over = gateway, threading.Event()
        self.asked = self.answered = self.peak = 0
        self.start()

    def run(self):
        while not self.over.is_set():
            self.peak = max(self.peak, self.gateway.resident())
            self.asked += 1
            try:
                self.answered += ask(self.gateway.port, get("/hello/swift")).status == 200
            except (OSError, Closed, TimeoutError):
                pass
            time.sleep(0.05)

    def end(self):
        self.over.set()
        self.join()


@dataclass
class Outcome:
    attack: Attack
    counted: int
    memory: int
    asked: int
    answered: int
    left: int

    def complaints(self) -> list[str]:
        found = []
        if self.counted < self.attack.connections:
            found.append(f"{self.attack.limit} has counted {self.counted} of {self.attack.connections} connections")
        if self.memory > self.attack.connections * self.attack.bytes_each:
            found.append(f"memory has grown by {self.memory >> 10} KiB")
        if self.answered < self.asked or not self.asked:
            found.append(f"an ordinary client got {self.answered} answers to {self.asked} requests")
        if self.left:
            found.append(f"{self.left} connections are left")
        return found


def run(attack: Attack, folder: Path) -> Outcome:
    program = shutil.which("slowhttptest")
    if not program:
        raise SystemExit("slowhttptest is not installed (apt-get install slowhttptest)")
    with Sluice(folder, conformance_configuration(**LIMITS), ["--loops", "2"]) as gateway:
        before = gateway.resident()
        watch = Watch(gateway)
        done = subprocess.run(
            [program, *attack.options, "-c", str(attack.connections), "-r", "200", "-l", "15", "-p", "5", "-u", gateway.url + attack.path],
            capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
        watch.end()
        if done.returncode != 0:
            raise SystemExit(f"slowhttptest ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        counted = gateway.metric("sluice_limit_breaches_total", f'{{limit="{attack.limit}"}}')
        # One is the connection that asks.
        eventually(lambda: gateway.metric("sluice_connections_open") <= 2, 15)
        left = max(0, gateway.metric("sluice_connections_open") - 2)
        return Outcome(attack, int(counted), watch.peak - before, watch.asked, watch.answered, int(left))


HEAD = """
## Slow clients

slowhttptest {version} against a gateway with time limits of a second, for bodies of two and a half. Every connection must be ended by the limit that is named, and be
counted there in `sluice_limit_breaches_total`; memory may not grow by more than the bound for each connection; a client that asks
twenty times a second meanwhile must be answered each time.

| attack | connections | limit | counted | KiB for each, at most | an ordinary client |
|---|---:|---|---:|---:|---|
"""


def version() -> str:
    found = subprocess.run(["slowhttptest", "-h"], capture_output=True, text=True)
    return re.search(r"version ([0-9.]+)", found.stdout + found.stderr)[1]


def section(outcomes: list[Outcome]) -> str:
    """The part of the page on slow clients."""
    text = HEAD.format(version=version())
    for each in outcomes:
        attack = each.attack
        client = "answered each time" if each.answered == each.asked else f"answered {each.answered} times of {each.asked}"
        text += f"| {attack.title} | {attack.connections} | `{attack.limit}` | {each.counted} | {attack.bytes_each >> 10} | {client} |\n"
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--report", type=Path, help="append the outcome to this page")
    options = parser.parse_args()
    outcomes, failed = [], 0
    for attack in ATTACKS:
        with tempfile.TemporaryDirectory(prefix="sluice-slow-") as scratch:
            outcome = run(attack, Path(scratch) / "gateway")
        outcomes.append(outcome)
        complaints = outcome.complaints()
        failed += bool(complaints)
        for complaint in complaints:
            print(f"{attack.title}: {complaint}")
        print(f"{attack.title}: {outcome.counted} counted by {attack.limit}, {outcome.memory >> 10} KiB more, "
              f"{outcome.answered} of {outcome.asked} ordinary requests answered", flush=True)
    print(f"slowhttptest: {len(outcomes)} attacks, {failed} that did harm")
    if options.report:
        with options.report.open("a") as page:
            page.write(section(outcomes))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
