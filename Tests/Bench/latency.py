"""Latency at a rate that a server can bear: requests are sent when they are due, whether or not the last was answered."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

import machine
from compare import WARM_UP_SECONDS
from measurement import Measurement, Side
import peers
from peers import PeerMissing
from server import Server
from workbench import Bench


def loaded(bench: Bench, server: Server, path: str, seconds: float, side: Side | None, measurement: Measurement | None,
           mode: str = "http-post", **load: object) -> dict:
    """One run; what went wrong is noted."""
    busy, before = machine.busy_seconds(), server.cpu_seconds()
    run = bench.generator.run(bench.cores.generator, server.port, mode, path=path, seconds=seconds, **load)
    run["server_cpu_seconds"] = server.cpu_seconds() - before
    run["others_share"] = max(0.0, machine.busy_seconds() - busy - run["server_cpu_seconds"] - run["cpu_seconds"]) / run["seconds"]
    if side is not None:
        side.runs.append(run)
        side.generator.append(run["cpu_share"])
        measurement.others.append(run["others_share"])
        if run["errors"]:
            measurement.errors.append(f"{server.name}: {run['errors']} errors: {run['first_error']}")
    return run


@dataclass(frozen=True)
class LatencyAtHalfPeak:
    """In each round our peak rate, then half of it: our p99 there, and the peer's p50, in milliseconds."""

    path: str
    peer: Callable[..., Server]
    load: dict[str, object] = field(default_factory=dict)
    # The peer's p50 with as many connections, each asking again when it is answered; or at half the rate that it reaches so.
    halves_peer: bool = False

    def __call__(self, bench: Bench) -> Measurement:
        with ExitStack() as running:
            ours = running.enter_context(bench.ours(self.peer, bench.cores.server))
            measurement = Measurement(Side(ours.name))
            sides = [(ours, measurement.ours, "p99_us")]
            try:
                peer = running.enter_context(self.peer(bench.scratch, bench.cores.server))
                measurement.peer = Side(peer.name)
                sides.append((peer, measurement.peer, "p50_us"))
            except PeerMissing as missing:
                measurement.notes.append(f"peer missing: {missing}")
            for server, _, _ in sides:
                loaded(bench, server, self.path, min(WARM_UP_SECONDS, bench.seconds), None, None, **self.load)
            for number in range(bench.rounds):
                for server, side, quantile in sides:
                    if server is ours or self.halves_peer:
                        peak = loaded(bench, server, self.path, bench.seconds, None, None, **self.load)["rate"]
                        rate = {"rate": max(int(peak / 2), 1)}
                    else:
                        rate = {}
                    run = loaded(bench, server, self.path, bench.seconds, side, measurement, **rate, **self.load)
                    side.rounds.append(run[quantile] / 1000)
                figures = "  ".join(
                    f"{side.name} {side.rounds[-1]:.2f} ms at {side.runs[-1]['rate']:,.0f}/s" for _, side, _ in sides)
                bench.say(f"    round {number + 1}/{bench.rounds}: {figures}")
            return measurement


@dataclass(frozen=True)
class LatencyAt:
    """Our p99 at a fixed rate, in milliseconds."""

    path: str
    rate: int
    load: dict[str, object] = field(default_factory=dict)
    mode: str = "http-post"
    # None: the gateway for conformance tools.
    start: Callable[[Bench, list[int]], Server] | None = None
    prepare: Callable[[Server], None] = lambda server: None

    def __call__(self, bench: Bench) -> Measurement:
        server = self.start(bench, bench.cores.server) if self.start else bench.ours(peers.fastapi, bench.cores.server)
        with server as ours:
            measurement = Measurement(Side(ours.name))
            self.prepare(ours)
            loaded(bench, ours, self.path, min(WARM_UP_SECONDS, bench.seconds), None, None, self.mode, rate=self.rate, **self.load)
            for number in range(bench.rounds):
                run = loaded(
                    bench, ours, self.path, bench.seconds, measurement.ours, measurement, self.mode, rate=self.rate, **self.load)
                measurement.ours.rounds.append(run["p99_us"] / 1000)
                bench.say(f"    round {number + 1}/{bench.rounds}: {run['p99_us'] / 1000:.2f} ms")
            return measurement
