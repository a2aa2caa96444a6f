"""What the world outside the process knows: what was acknowledged, what was heard, and whether both agree with what is there."""

import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Verdict:
    """Counts of what was done and of what is wrong. All that is wrong is 0 when the gateway keeps its word."""

    acknowledged: int = 0
    unsure: int = 0
    events: int = 0
    resumed: int = 0
    recovered: int = 0
    kills: int = 0
    sectors_lost: int = 0
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    unheard: int = 0
    heard_twice: int = 0
    heard_out_of_order: int = 0
    broken_epochs: int = 0
    effects_wrong: int = 0
    damaged: list[str] = field(default_factory=list)

    @property
    def failures(self) -> dict[str, int]:
        found = {
            "lost": self.lost, "duplicated": self.duplicated, "reordered": self.reordered,
            "unheard": self.unheard, "heard twice": self.heard_twice, "heard out of order": self.heard_out_of_order,
            "epochs changed": self.broken_epochs, "effects not exactly once": self.effects_wrong,
            "damaged files": len(self.damaged),
        }
        return {name: count for name, count in found.items() if count}

    def text(self) -> str:
        return "\n".join([
            f"{self.kills} kills, which lost {self.sectors_lost} sectors that were not synced",
            f"{self.acknowledged} writes acknowledged, {self.unsure} without an answer",
            f"{self.events} events heard over {self.resumed} resumptions by offset and epoch, {self.recovered} of them "
            "by the protocol's own recovery",
            f"acknowledged writes: {self.lost} lost, {self.duplicated} duplicated, {self.reordered} reordered",
            f"events: {self.unheard} unheard, {self.heard_twice} heard twice, {self.heard_out_of_order} out of order, "
            f"{self.broken_epochs} changes of epoch",
            f"effects of the listener: {self.effects_wrong} not exactly once",
            *self.damaged,
        ])


class Ledger:
    """What the writers know. A write whose answer did not come may be there or not, but at most once."""

    def __init__(self):
        self.lock = threading.Lock()
        self.acknowledged: dict[str, list[str]] = {}
        self.unsure: dict[str, set[str]] = {}

    def begin(self, channel: str, id: str):
        with self.lock:
            self.unsure.setdefault(channel, set()).add(id)

    def acknowledge(self, channel: str, id: str):
        with self.lock:
            self.unsure[channel].discard(id)
            self.acknowledged.setdefault(channel, []).append(id)

    @property
    def count(self) -> int:
        with self.lock:
            return sum(len(ids) for ids in self.acknowledged.values())


def position(id: str) -> tuple[str, int]:
    """The writer of a message and its number with that writer."""
    writer, number = id.rsplit("-", 1)
    return writer, int(number)


def disorder(ids: list[str]) -> int:
    """How often a writer's message stands before an earlier one of the same writer."""
    last: dict[str, int] = {}
    found = 0
    for id in ids:
        writer, number = position(id)
        found += number < last.get(writer, -1)
        last[writer] = number
    return found


def judge(ledger: Ledger, channel: str, stored: list[str], effects: int, verdict: Verdict):
    """Compares one channel's messages as they are stored with what its writers know, and as the listener plugin counted them."""
    acknowledged = ledger.acknowledged.get(channel, [])
    copies = Counter(stored)
    verdict.acknowledged += len(acknowledged)
    verdict.unsure += len(ledger.unsure.get(channel, ()))
    verdict.lost += sum(copies[id] == 0 for id in acknowledged)
    verdict.duplicated += sum(count - 1 for count in copies.values())
    verdict.reordered += disorder(stored)
    verdict.effects_wrong += abs(effects - len(stored))


def judge_hearing(stored: list[str], heard: list[str], verdict: Verdict):
    """Compares what one listener has heard of a channel with its messages as they are stored."""
    verdict.events += len(heard)
    verdict.unheard += len(set(stored) - set(heard)) + len(set(heard) - set(stored))
    verdict.heard_twice += len(heard) - len(set(heard))
    verdict.heard_out_of_order += disorder(heard) + (sorted(heard) == sorted(stored) and heard != stored)
