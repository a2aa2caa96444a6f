"""What every row needs at hand: scratch space, cores, the generator, and who stands on our side."""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import gateway
from loadgen import LoadGenerator
from machine import Cores
from server import Server


@dataclass
class Bench:
    scratch: Path
    cores: Cores
    generator: LoadGenerator
    seconds: float
    rounds: int
    against_itself: bool
    counted: dict[str, float] = field(default_factory=dict)  # instruction counts shared by rows

    def ours(self, peer: Callable[..., Server], cores: list[int], **options: object) -> Server:
        """The gateway on its conformance configuration, or with --against-itself a second `peer`."""
        if self.against_itself:
            return peer(self.scratch, cores)
        return gateway.conformance(self.scratch, cores, **options)

    def folder(self, name: str) -> Path:
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.scratch))

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)
