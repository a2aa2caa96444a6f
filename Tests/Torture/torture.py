#!/usr/bin/env python3
"""Kills the gateway at random moments under load, over a disk that loses what was not synced, and counts what that broke.

    torture.py                     two minutes; 0 lost, 0 duplicated, 0 reordered, or exit status 1
    torture.py --controls          the same on two gateways that break their word; exit status 1 if that is not found

README.md in this folder says how it works.
"""

import argparse
import random
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "EndToEnd")]

from client import Account  # noqa: E402
from clients import Ear, Listener, Writer  # noqa: E402
from model import Ledger, Verdict, judge, judge_hearing  # noqa: E402
from program import ROOT, Sluice, eventually  # noqa: E402
from subscriber import Subscriber  # noqa: E402
from workshop import with_plugins  # noqa: E402

CHANNELS = ["one", "two", "three"]
CONTROLS = ["synchronous-off", "early-answer"]


def compile_disk(folder: Path) -> Path:
    """The library that is preloaded."""
    library = folder / "libtorn.so"
    subprocess.run(
        ["cc", "-std=c11", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
         str(HERE / "torn_disk.c"), str(HERE / "controls.c"), "-o", str(library), "-lsqlite3"],
        check=True,
    )
    return library


class Torture:
    """One gateway, its writers and listeners, and what they know."""

    def __init__(self, folder: Path, seed: int, control: str | None = None, writers=8):
        self.folder = folder
        self.chance = random.Random(seed)
        self.control = control
        self.writer_count = writers
        self.verdict = Verdict()
        self.ledger = Ledger()
        self.counts = folder / "counts"
        disk = {"LD_PRELOAD": str(compile_disk(folder)), "TORN_COUNTS": str(self.counts)}
        self.sound = disk
        self.gateway = Sluice(
            folder, with_plugins(ROOT / ".build/release/app-examples/tally", log={"access": "off"}),
            ["--loops", 2], environment=disk)

    def unsynced(self) -> int:
        """Sectors that the disk was keeping back when the process was killed."""
        return struct.unpack("QQQQ", self.counts.read_bytes())[3]

    def run(self, seconds: float) -> Verdict:
        self.gateway.start()
        stop = threading.Event()
        listeners: list[tuple[str, Ear]] = []
        try:
            self.app = Account(self.gateway.url).app("Torture")
            for channel in CHANNELS:
                self.app.server.post(
                    "/v1/channels", {"type": "messaging", "id": channel, "members": ["writer", "listener"]}, expect=201)
            token = self.app.token("listener")
            self.restart(kill=False)
            writers = [
                Writer(f"w{number}", self.gateway.port, self.app.secret, CHANNELS[number % len(CHANNELS)], self.ledger, stop)
                for number in range(self.writer_count)
            ]
            listeners += [
                (channel, kind(self.gateway.port, token, channel)) for channel in CHANNELS for kind in (Listener, Subscriber)
            ]
            for thread in [*writers, *(listener for _, listener in listeners)]:
                thread.start()
            self.kill_until(time.monotonic() + seconds, writers)
            stop.set()
            for writer in writers:
                writer.join(15)
            # The last of the writes may not be synced by a gateway that answers early, so one more kill.
            self.restart()
            self.compare(listeners)
        finally:
            stop.set()
            for _, listener in listeners:
                listener.stop.set()
            self.gateway.kill()
        return self.verdict

    def kill_until(self, end: float, writers: list[Writer]):
        while time.monotonic() < end:
            time.sleep(self.chance.choice([0.05, 0.3, 1.0, 2.5]) * self.chance.uniform(0.3, 1.2))
            self.restart()
            broken = [writer.name for writer in writers if not writer.is_alive()]
            if broken and self.control:
                raise Ruined(f"{len(broken)} writers are answered with errors")
            assert not broken, f"writers were answered with errors: {broken}\n{self.gateway.text()[-4000:]}"

    def restart(self, kill=True):
        if kill:
            self.gateway.kill()
            self.verdict.kills += 1
            self.verdict.sectors_lost += self.unsynced()
        else:
            self.gateway.stop()
        self.gateway.environment = {**self.sound, **({"TORN_CONTROL": self.control} if self.control else {})}
        try:
            self.gateway.start()
        except AssertionError:
            # Only a gateway that breaks its word may have ruined its files; then they are what is found.
            if not self.control:
                raise
            raise Ruined("the gateway does not start any more") from None

    def compare(self, listeners: list[tuple[str, Ear]]):
        stored = {channel: self.messages(channel) for channel in CHANNELS}
        eventually(lambda: all(len(listener.heard) >= len(stored[channel]) for channel, listener in listeners), 20)
        effects = self.settled_effects({channel: len(ids) for channel, ids in stored.items()})
        for channel in CHANNELS:
            judge(self.ledger, channel, stored[channel], effects.get(channel, 0), self.verdict)
        for _, listener in listeners:
            listener.stop.set()
        for channel, listener in listeners:
            listener.join(10)
            judge_hearing(stored[channel], listener.heard, self.verdict)
            self.verdict.resumed += listener.resumed
            self.verdict.recovered += getattr(listener, "recovered", 0)
            self.verdict.broken_epochs += listener.broken_epochs
            self.verdict.heard_out_of_order += listener.gaps + listener.backward
        self.gateway.stop()
        for file in [self.gateway.data / "control.sqlite", *(self.gateway.data / "tenants").glob("*.sqlite")]:
            with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
                answer = database.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if answer != "ok":
                self.verdict.damaged.append(f"{file.name}: {answer}")

    def settled_effects(self, wanted: dict[str, int]) -> dict[str, int]:
        """What the listener has counted, when it is there or comes no nearer."""
        while True:
            before = self.effects()
            if all(before.get(channel, 0) >= count for channel, count in wanted.items()):
                return before
            if not eventually(lambda: self.effects() != before, 15):
                return before

    def messages(self, channel: str) -> list[str]:
        """The ids of all messages that the gateway has, in its order."""
        found, after = [], None
        while True:
            answer = self.app.server.get(
                f"/v1/channels/messaging/{channel}/messages", params={"limit": 100, **({"after": after} if after else {})})
            if answer.status_code != 200 and self.control:
                raise Ruined(f"the app's file is refused: {answer.json()['detail']}")
            assert answer.status_code == 200, answer.text
            page = answer.json()
            found += [message["id"] for message in page["data"]]
            after = page["next"]
            if not after:
                return found[::-1]

    def effects(self) -> dict[str, int]:
        answer = self.app.server.get("/tally")
        if answer.status_code != 200:
            return {}
        return {row["channel"].split(":")[-1]: row["messages"] for row in answer.json()["data"]}


class Ruined(Exception):
    """The gateway refuses what a kill has left. Its text says what."""


def torture(seconds: float, seed: int, control: str | None = None) -> tuple[Verdict, bool]:
    """The verdict of one run, and whether the gateway kept its word."""
    with tempfile.TemporaryDirectory(prefix="sluice-torture-") as folder:
        run = Torture(Path(folder), seed, control)
        try:
            verdict = run.run(seconds)
        except Ruined as ruin:
            run.verdict.acknowledged = run.ledger.count
            run.verdict.damaged.append(str(ruin))
            verdict = run.verdict
        if verdict.failures and not control:
            print(run.gateway.text()[-6000:], file=sys.stderr)
    return verdict, not verdict.failures


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill the gateway under load over a disk that loses what was not synced.")
    parser.add_argument("--seconds", type=float, default=120, help="of killing (default 120)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32), help="of the kills' moments")
    parser.add_argument("--controls", action="store_true", help="run it on gateways that break their word instead: it must find that")
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    if not chosen.controls:
        verdict, kept = torture(chosen.seconds, chosen.seed)
        print(verdict.text())
        print("nothing was lost" if kept else f"FAILED: {verdict.failures}")
        return 0 if kept else 1
    status = 0
    for control in CONTROLS:
        verdict, kept = torture(chosen.seconds, chosen.seed, control)
        print(f"== {control}\n{verdict.text()}")
        print(f"FAILED: {control} was not found" if kept else f"found, as it must be: {verdict.failures}", flush=True)
        status |= kept
    return status


if __name__ == "__main__":
    sys.exit(main())
