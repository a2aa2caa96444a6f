"""The real program: started, waited for, listened to, ended. Nothing else in these tests starts a process."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import requests

from sanitizer import BUILT, ROOT, SANITIZER, SLOWNESS

PROGRAM = BUILT / "sluice"
PLUGINS = BUILT / "plugins"
CONFORMANCE = ROOT / "examples/conformance/sluice.json"

_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _die_with_parent():
    """A gateway never outlives the tests, even if they are killed."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def built() -> str:
    """The program's path."""
    assert PROGRAM.exists(), f"{PROGRAM} is not there: `make build` first"
    return str(PROGRAM)


def run(*arguments, patience=30, wrapper=(), environment=None) -> subprocess.CompletedProcess:
    """Runs a command of the program to its end; both outputs as text."""
    return subprocess.run(
        [*wrapper, built(), *map(str, arguments)], capture_output=True, text=True,
        timeout=patience * SLOWNESS, cwd=ROOT, preexec_fn=_die_with_parent,
        env={**os.environ, **(environment or {})},
    )


# What each counter of limits showed during the running test, by label, in the order of reading.
SEEN: dict[str, list[float]] = {}


class Sluice:
    """`sluice serve` on a free port with a data directory of its own."""

    def __init__(self, folder: Path, configuration: dict | Path | None = None, arguments=(), limits=None, environment=None):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        self.arguments = [str(argument) for argument in arguments]
        self.output = folder / "output.log"
        self.process: subprocess.Popen | None = None
        self.environment: dict[str, str] = environment or {}
        self.configuration = None
        if isinstance(configuration, dict):
            configuration = {**configuration, "listeners": [{"address": f"127.0.0.1:{self.port}"}]}
            if limits:
                configuration["limits"] = {**configuration.get("limits", {}), **limits}
            self.configuration = folder / "sluice.json"
            self.configuration.write_text(json.dumps(configuration, indent=2))
        elif configuration:
            self.configuration = configuration
            if SANITIZER:
                # Its plugins are those of the release.
                self.configuration = folder / "sluice.json"
                text = configuration.read_text().replace("../../.build/release", str(BUILT))
                self.configuration.write_text(text)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self.process.pid

    def command(self) -> list[str]:
        chosen = ["--config", str(self.configuration)] if self.configuration else []
        return [
            built(), "serve", *chosen, "--listen", f"127.0.0.1:{self.port}", "--data", str(self.data),
            *self.arguments,
        ]

    def start(self, patience=90) -> "Sluice":
        """Starts the program and returns when it is ready."""
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                self.command(), stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=ROOT,
                preexec_fn=_die_with_parent, env={**os.environ, **self.environment},
            )
        end = time.monotonic() + patience * SLOWNESS
        while True:
            code = self.process.poll()
            if code is not None:
                raise AssertionError(f"sluice ended with {code} before it was ready:\n{self.text()[-6000:]}")
            try:
                if requests.get(f"{self.url}/readyz", timeout=2 * SLOWNESS).status_code == 200:
                    return self
            except requests.RequestException:
                pass
            if time.monotonic() > end:
                self.kill()
                raise AssertionError(f"sluice was not ready within {patience} s:\n{self.text()[-6000:]}")
            time.sleep(0.02)

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def terminate(self):
        """Asks it to end, and does not wait."""
        self.process.send_signal(signal.SIGTERM)

    def reload(self, patience=20) -> dict:
        """Sends SIGHUP and returns what the log says of it."""
        before = len(self._reloads())
        self.process.send_signal(signal.SIGHUP)
        lines = eventually(lambda: self._reloads()[before:], patience)
        assert lines, f"nothing came of SIGHUP:\n{self.text()[-6000:]}"
        return lines[0]

    def _reloads(self) -> list[dict]:
        words = ("reloaded", "not reloaded; what served goes on serving")
        return [line for line in self.lines() if line.get("kind") == "log" and line.get("message") in words]

    def wait(self, patience=15) -> int:
        return self.process.wait(patience * SLOWNESS)

    def stop(self, patience=15) -> int:
        """Asks it to end and returns its exit code. One that does not end is killed, and that is a failure."""
        if not self.is_running():
            return self.process.returncode if self.process else 0
        self.terminate()
        try:
            return self.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"sluice did not end within {patience} s of SIGTERM:\n{self.text()[-6000:]}")

    def kill(self):
        """kill -9."""
        if self.is_running():
            self.process.kill()
        if self.process:
            self.process.wait(90)

    def text(self) -> str:
        """All that it has printed so far, over all its starts."""
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    def lines(self) -> list[dict]:
        """The lines of its log that are JSON."""
        found = []
        for line in self.text().splitlines():
            if line.startswith("{"):
                try:
                    found.append(json.loads(line))
                except ValueError:
                    continue  # a line that is still being written
        return found

    def access(self, request_id: str, patience=5) -> dict:
        """The access log's line of a request; lines are written in bundles, so it is waited for."""
        end = time.monotonic() + patience * SLOWNESS
        while time.monotonic() < end:
            for line in reversed(self.lines()):
                if line.get("kind") == "access" and line.get("request_id") == request_id:
                    return line
            time.sleep(0.05)
        raise AssertionError(f"no access line of {request_id} in:\n{self.text()[-4000:]}")

    def resident(self) -> int:
        """Bytes of resident memory."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def metric(self, name: str, label: str = "") -> float:
        """A number of /metrics. Connections that were just closed may still count as open, and leave no room for the question."""
        answer = eventually(lambda: requests.get(f"{self.url}/metrics", timeout=5 * SLOWNESS) or None)
        assert answer is not None, "/metrics cannot be read"
        for line in answer.text.splitlines():
            if line.startswith(f"{name}{label} "):
                value = float(line.rsplit(" ", 1)[1])
                if name == "sluice_limit_breaches_total":
                    SEEN.setdefault(label, []).append(value)
                return value
        raise AssertionError(f"/metrics has no {name}{label}")

    def breaches(self, limit: str) -> float:
        """How often a limit has been breached."""
        return self.metric("sluice_limit_breaches_total", f'{{limit="{limit}"}}')

    def __enter__(self) -> "Sluice":
        return self.start() if self.process is None else self

    def __exit__(self, kind, *_):
        self.kill()
        if kind is not None:
            print(f"---- output of sluice in {self.folder}\n{self.text()[-8000:]}", file=sys.stderr)


def report(request, gateways):
    """Prints the log of a gateway in whose test something failed."""
    if request.session.testsfailed:
        for gateway in gateways:
            print(f"---- output of sluice in {gateway.folder}\n{gateway.text()[-4000:]}", file=sys.stderr)


def shared(folder, request, configuration, arguments=(), **options):
    """The body of a fixture: one gateway for several tests, still running after the last of them."""
    gateway = Sluice(folder, configuration, arguments, **options)
    try:
        yield gateway.start()
        assert gateway.is_running(), f"sluice died during the tests:\n{gateway.text()[-6000:]}"
    finally:
        gateway.kill()
        report(request, [gateway])


def eventually(check, patience=10, pause=0.05):
    """The first true answer of `check`, or its last answer when patience is over."""
    end = time.monotonic() + patience * SLOWNESS
    while True:
        answer = check()
        if answer or time.monotonic() > end:
            return answer
        time.sleep(pause)


def at_once(count, visit):
    """Calls `visit` with 0 up to `count`, each in a thread of its own."""
    threads = [threading.Thread(target=visit, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60 * SLOWNESS)
    assert not any(thread.is_alive() for thread in threads), "some have not come to an end"
