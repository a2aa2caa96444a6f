"""The load generator: built with cc when its sources are newer, run on its core, read as JSON."""

import json
import subprocess
from contextlib import contextmanager
from pathlib import Path

import machine

SOURCES = Path(__file__).resolve().parent / "loadgen"


class LoadFailed(Exception):
    """The generator could not do its work; the text is what it said."""


class LoadGenerator:
    def __init__(self, folder: Path) -> None:
        self.program = folder / "loadgen"
        outcome = subprocess.run(
            ["make", "-s", "-C", str(SOURCES), f"OUT={self.program}"], capture_output=True, text=True
        )
        if outcome.returncode != 0:
            raise LoadFailed(f"building the load generator failed:\n{outcome.stderr}")

    def command(self, cores: list[int], port: int, mode: str, options: dict[str, object]) -> list[str]:
        words = [str(self.program), mode, "--port", str(port)]
        for name, value in options.items():
            words += [f"--{name}", str(value)]
        return machine.pinned(cores, words)

    def run(self, cores: list[int], port: int, mode: str, **options: object) -> dict:
        """One run's counts. Errors that were counted are in it; they do not raise."""
        outcome = subprocess.run(
            self.command(cores, port, mode, options), capture_output=True, text=True,
            stdin=subprocess.DEVNULL,
        )
        if outcome.returncode != 0:
            raise LoadFailed(outcome.stderr.strip() or f"loadgen ended with {outcome.returncode}")
        return json.loads(outcome.stdout)

    @contextmanager
    def idle_websockets(self, cores: list[int], port: int, path: str, count: int, **more: object):
        """Holds `count` idle WebSockets open while the block runs, which gets what was said when all were; a lost one
        raises at its end."""
        options = {"path": path, "connections": count, "sources": 8, **more}
        process = subprocess.Popen(
            self.command(cores, port, "ws-idle", options), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        try:
            opened = process.stdout.readline()
            if not opened:
                raise LoadFailed(process.communicate()[1].strip())
            yield json.loads(opened)
            counted = json.loads(process.communicate(timeout=30)[0])
            if counted["errors"]:
                raise LoadFailed(f"{counted['errors']} of {count} idle: {counted['first_error']}")
        finally:
            process.kill()
            process.wait()
