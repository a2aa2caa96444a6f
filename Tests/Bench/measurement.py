"""What a row is, and what measuring it gives."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from workbench import Bench


class NotMeasured(Exception):
    """Something this row needs is not there; the text continues "not measured: needs …"."""


@dataclass(frozen=True)
class Bound:
    """A limit on our figure divided by the peer's, or on our figure itself."""

    of: Literal["ratio", "figure"]
    side: Literal["most", "least"]
    limit: float
    aim: float | None = None

    def describe(self, number: Callable[[float], str]) -> str:
        sign = "≤" if self.side == "most" else "≥"
        aim = f" (aim {number(self.aim)})" if self.aim is not None else ""
        return f"{sign} {number(self.limit)}{aim}"

    def verdict(self, value: float) -> str:
        short = (value - self.limit) / self.limit * (1 if self.side == "most" else -1)
        if short > 0:
            return f"short by {max(short, 0.001):.1%}"
        if self.aim is None:
            return "met"
        reached = value <= self.aim if self.side == "most" else value >= self.aim
        return "met, and the aim" if reached else "met"


@dataclass
class Side:
    """One side's figure in each round, and the generator's share of its core meanwhile."""

    name: str
    rounds: list[float] = field(default_factory=list)
    generator: list[float] = field(default_factory=list)
    runs: list[dict] = field(default_factory=list)

    @property
    def median(self) -> float | None:
        return statistics.median(self.rounds) if self.rounds else None


@dataclass
class Measurement:
    ours: Side
    peer: Side | None = None
    notes: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    others: list[float] = field(default_factory=list)  # cores that other programs used, each round

    @property
    def ratio(self) -> float | None:
        """The median of each round's own ratio: two neighbours in time share what disturbs them."""
        pairs = zip(self.ours.rounds, self.peer.rounds if self.peer else [])
        ratios = [ours / peer for ours, peer in pairs if peer > 0]
        return statistics.median(ratios) if ratios else None


@dataclass(frozen=True)
class Row:
    name: str
    work: str
    unit: str
    measure: Callable[["Bench"], Measurement]
    bound: Bound | None = None
