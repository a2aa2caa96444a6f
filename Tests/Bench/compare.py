"""Interleaved rounds: ours, the peer, ours, the peer … under the same load."""

import statistics
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Literal

import machine
from measurement import Measurement, NotMeasured, Side
from peers import PeerMissing
from server import Server
from workbench import Bench

WARM_UP_SECONDS = 1.0


@dataclass(frozen=True)
class Ours:
    """What our side does where it is not the same as the peer's: another configuration, path and load."""

    start: Callable[[Bench, list[int]], Server]
    path: str
    load: dict[str, object] | Callable[[Bench], dict[str, object]]


@dataclass(frozen=True)
class Comparison:
    """One load on two servers. The figure is the answered rate, or the server's CPU per answer in µs."""

    figure: Literal["rate", "cpu"]
    mode: str
    path: str
    peer: Callable[..., Server]
    load: dict[str, object] = field(default_factory=dict)
    loops: int = 1
    ours: Ours | None = None

    @property
    def is_secure(self) -> bool:
        return self.mode in ("https", "tls-handshakes")

    def __call__(self, bench: Bench) -> Measurement:
        cores = bench.cores.server if self.loops == 1 else bench.cores.two_servers
        with ExitStack() as running:
            if self.ours and not bench.against_itself:
                ours, path = self.ours.start(bench, cores), self.ours.path
                load = self.ours.load(bench) if callable(self.ours.load) else self.ours.load
            else:
                ours, path, load = bench.ours(self.peer, cores, loops=self.loops), self.path, self.load
            running.enter_context(ours)
            self._probe(ours, path, load)
            measurement = Measurement(Side(ours.name))
            sides = [(ours, measurement.ours, {"path": path, **load})]
            try:
                peer = running.enter_context(self.peer(bench.scratch, cores))
                self._probe(peer, self.path, self.load)
                measurement.peer = Side(peer.name)
                sides.append((peer, measurement.peer, {"path": self.path, **self.load}))
            except PeerMissing as missing:
                measurement.notes.append(f"peer missing: {missing}")
            for server, _, load in sides:
                self._run(bench, server, min(WARM_UP_SECONDS, bench.seconds), load)
            for number in range(bench.rounds):
                for server, side, load in sides:
                    self._round(bench, server, side, measurement, load)
                figures = "  ".join(f"{side.name} {side.rounds[-1]:,.2f}" for _, side, _ in sides)
                bench.say(f"    round {number + 1}/{bench.rounds}: {figures}")
            self._note_latency(measurement)
            return measurement

    def _note_latency(self, measurement: Measurement) -> None:
        """What a publisher waits for its own receipt, where there is one."""
        if self.mode != "ws-fan":
            return
        for side in (measurement.ours, measurement.peer):
            if side and side.runs:
                p50, p99 = (statistics.median(run[name] for run in side.runs) / 1000 for name in ("p50_us", "p99_us"))
                measurement.notes.append(f"{side.name}: p50 {p50:.2f} ms, p99 {p99:.2f} ms from sending to the sender's receipt")

    def _probe(self, server: Server, path: str, load: dict[str, object]) -> None:
        """The route must be there before it is measured; a 404 says that it is not built yet."""
        if self.mode.startswith("ws"):
            status, expected = server.upgrade_status(path), 101
        elif self.mode == "http-post":
            status, expected = server.ask("POST", path, '{"entry":"probe"}')[0], 201
        else:
            status, expected = server.ask("GET", path, authorization=load.get("authorization"))[0], 200
        if status == 404:
            raise NotMeasured(f"{path} ({server.name} answered 404)")
        if status != expected:
            raise RuntimeError(f"{server.name} answered {path} with {status}, not {expected}")

    def _run(self, bench: Bench, server: Server, seconds: float, load: dict[str, object]) -> dict:
        cores = bench.cores.generator if self.loops == 1 else bench.cores.beside_two_servers
        return bench.generator.run(
            cores, server.secure_port if self.is_secure else server.port, self.mode, seconds=seconds, **load
        )

    def _round(self, bench: Bench, server: Server, side: Side, measurement: Measurement, load: dict[str, object]) -> None:
        before, busy = server.cpu_seconds(), machine.busy_seconds()
        run = self._run(bench, server, bench.seconds, load)
        run["server_cpu_seconds"] = server.cpu_seconds() - before
        used = run["server_cpu_seconds"] + run["cpu_seconds"]
        run["others_share"] = max(0.0, machine.busy_seconds() - busy - used) / run["seconds"]
        measurement.others.append(run["others_share"])
        side.runs.append(run)
        side.generator.append(run["cpu_share"])
        if run["errors"]:
            measurement.errors.append(f"{server.name}: {run['errors']} errors: {run['first_error']}")
        if self.figure == "rate":
            side.rounds.append(run["rate"])
        else:
            side.rounds.append(run["server_cpu_seconds"] / max(run["requests"], 1) * 1e6)
