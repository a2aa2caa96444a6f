"""Interleaved rounds: ours, the peer, ours, the peer … under the same load."""

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
class Comparison:
    """One load on two servers. The figure is the answered rate, or the server's CPU per answer in µs."""

    figure: Literal["rate", "cpu"]
    mode: str
    path: str
    peer: Callable[..., Server]
    load: dict[str, object] = field(default_factory=dict)
    loops: int = 1

    @property
    def is_secure(self) -> bool:
        return self.mode in ("https", "tls-handshakes")

    def __call__(self, bench: Bench) -> Measurement:
        cores = bench.cores.server if self.loops == 1 else bench.cores.two_servers
        with ExitStack() as running:
            ours = running.enter_context(bench.ours(self.peer, cores, loops=self.loops))
            self._probe(ours)
            measurement = Measurement(Side(ours.name))
            sides = [(ours, measurement.ours)]
            try:
                peer = running.enter_context(self.peer(bench.scratch, cores))
                self._probe(peer)
                measurement.peer = Side(peer.name)
                sides.append((peer, measurement.peer))
            except PeerMissing as missing:
                measurement.notes.append(f"peer missing: {missing}")
            for server, _ in sides:
                self._run(bench, server, min(WARM_UP_SECONDS, bench.seconds))
            for number in range(bench.rounds):
                for server, side in sides:
                    self._round(bench, server, side, measurement)
                figures = "  ".join(f"{side.name} {side.rounds[-1]:,.2f}" for _, side in sides)
                bench.say(f"    round {number + 1}/{bench.rounds}: {figures}")
            return measurement

    def _probe(self, server: Server) -> None:
        """The route must be there before it is measured; a 404 says that it is not built yet."""
        if self.mode.startswith("ws"):
            status, expected = server.upgrade_status(self.path), 101
        elif self.mode == "http-post":
            status, expected = server.ask("POST", self.path, '{"entry":"probe"}')[0], 201
        else:
            status, expected = server.ask("GET", self.path)[0], 200
        if status == 404:
            raise NotMeasured(f"{self.path} ({server.name} answered 404)")
        if status != expected:
            raise RuntimeError(f"{server.name} answered {self.path} with {status}, not {expected}")

    def _run(self, bench: Bench, server: Server, seconds: float) -> dict:
        cores = bench.cores.generator if self.loops == 1 else bench.cores.beside_two_servers
        return bench.generator.run(
            cores, server.secure_port if self.is_secure else server.port, self.mode, path=self.path, seconds=seconds, **self.load
        )

    def _round(self, bench: Bench, server: Server, side: Side, measurement: Measurement) -> None:
        before, busy = server.cpu_seconds(), machine.busy_seconds()
        run = self._run(bench, server, bench.seconds)
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
