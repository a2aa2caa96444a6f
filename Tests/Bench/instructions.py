"""User instructions per request, counted by callgrind: two runs differ by N requests and nothing else."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import peers
from measurement import Measurement, NotMeasured, Side
from server import Server
from workbench import Bench

WARM_UP = 2_000
REQUESTS = 20_000
PATIENCE_SECONDS = 180  # valgrind makes a start some fifty times slower


def collected(output: Path) -> int:
    """All threads' instructions, from callgrind's own file."""
    found = re.search(r"^(?:summary|totals): (\d+)", output.read_text(errors="replace"), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"callgrind left no total in {output.name}: the server did not end by itself")
    return int(found[1])


@dataclass(frozen=True)
class InstructionsPerRequest:
    path: str
    connections: int = 64

    def __call__(self, bench: Bench) -> Measurement:
        try:
            valgrind = peers.debian_program("valgrind", "valgrind")
        except peers.PeerMissing as missing:
            raise NotMeasured(str(missing)) from None
        measurement = Measurement(Side("sluice"))
        ours = "nginx again" if bench.against_itself else f"sluice {self.path}"
        start = peers.nginx if bench.against_itself else self._gateway
        measurement.ours.name = ours
        measurement.ours.rounds.append(self._count(bench, valgrind, ours, start))
        try:
            count = self._count(bench, valgrind, "nginx", peers.nginx)
            measurement.peer = Side("nginx", [count])
        except peers.PeerMissing as missing:
            measurement.notes.append(f"peer missing: {missing}")
        return measurement

    @staticmethod
    def _gateway(scratch: Path, cores: list[int], **options: object) -> Server:
        import gateway

        return gateway.conformance(scratch, cores, **options)

    def _count(self, bench: Bench, valgrind: str, name: str, start: Callable[..., Server]) -> float:
        if name not in bench.counted:
            once = self._instructions(bench, valgrind, start, WARM_UP + REQUESTS)
            twice = self._instructions(bench, valgrind, start, WARM_UP + 2 * REQUESTS)
            bench.counted[name] = (twice - once) / REQUESTS
            bench.say(f"    {name}: {bench.counted[name]:,.0f} instructions per request")
        return bench.counted[name]

    def _instructions(
        self, bench: Bench, valgrind: str, start: Callable[..., Server], requests: int
    ) -> int:
        output = bench.folder("callgrind") / "callgrind.out"
        wrapper = (valgrind, "-q", "--tool=callgrind", f"--callgrind-out-file={output}")
        cores = bench.cores.server
        with start(bench.scratch, cores, wrapper=wrapper, patience=PATIENCE_SECONDS) as server:
            if server.ask("GET", self.path)[0] == 404:
                raise NotMeasured(f"{self.path} ({server.name} answered 404)")
            run = bench.generator.run(
                bench.cores.generator, server.port, "http", path=self.path, expect=peers.HELLO,
                connections=self.connections, requests=requests,
            )
            if run["errors"]:
                raise RuntimeError(f"{server.name} under callgrind: {run['first_error']}")
        return collected(output)
