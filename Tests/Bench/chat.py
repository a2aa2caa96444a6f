"""Rows of chat: messages to a channel's members, and what opening a channel costs, on an app of their own."""

import sqlite3
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import centrifugo
import gateway
import machine
import peers
from compare import WARM_UP_SECONDS
from measurement import Measurement, Side
from server import Server
from workbench import Bench

MEMBERS = 1_000
ROOM = "chat:private:bench"
MANY, FEW = 1_000_000, 1_000
# Who has read nothing of a channel: all that is counted there is unread to him.
READERS = {"many": MANY, "few": FEW}
# Sent by a user whom nobody has muted, one second after another.
MESSAGES = """
WITH RECURSIVE n (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < :count)
INSERT INTO chat_messages (id, type, channel, seq, user_id, text, created_at)
SELECT printf('%s-%d', :channel, seq), 'private', :channel, seq, 'writer', printf('message %d', seq), 1760000000000 + seq * 1000 FROM n
"""


def tokens(folder: Path) -> str:
    """A token for each member, as the generator reads them."""
    file = folder / "tokens"
    file.write_text("\n".join(centrifugo.token(f"member-{number}") for number in range(MEMBERS)))
    return f"@{file}"


def _begin(bench: Bench, name: str, fill: Callable[[sqlite3.Connection], None]) -> Server:
    """A gateway whose app has what `fill` writes into its tables, once the plugin has made them."""
    data = bench.folder(name)
    with gateway.chat(bench.cores.server, data) as server:
        status, answer = server.ask("GET", "/v1/unread", authorization=f"Bearer {centrifugo.token('nobody')}")
        if status != 200:
            raise RuntimeError(f"GET /v1/unread is answered {status} {answer[:200]!r}")
    file, = data.rglob("bench.sqlite")
    database = sqlite3.connect(file)
    with database:
        fill(database)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return gateway.chat(bench.cores.server, data)


def _make_channel(database: sqlite3.Connection, channel: str, last: int, members: list[str]) -> None:
    database.execute(
        "INSERT INTO chat_channels (type, id, data, created_at, last_seq, last_message_at) VALUES ('private', ?, '{}', 1, ?, ?)",
        (channel, last, 1_760_000_000_000 + last * 1000))
    database.executemany(
        "INSERT INTO chat_members (type, channel, user_id, created_at) VALUES ('private', ?, ?, 1)", [(channel, user) for user in members])


def members_app(bench: Bench, cores: list[int]) -> Server:
    """The gateway with one channel of a thousand members."""
    return _begin(bench, "chat", lambda database: _make_channel(database, "bench", 0, [f"member-{n}" for n in range(MEMBERS)]))


@dataclass(frozen=True)
class Opening:
    """Server CPU of what a client asks for when it opens a channel, in µs: where there are many messages ÷ where there are few."""

    def __call__(self, bench: Bench) -> Measurement:
        server = _begin(bench, "opening", self._fill)
        with server:
            measurement = Measurement(Side(f"{MANY:,}"))
            measurement.peer = Side(f"{FEW:,}")
            sides = [("many", measurement.ours), ("few", measurement.peer)]
            paths = {name: self._paths(name) for name in READERS}
            for name, _ in sides:
                for path in paths[name]:
                    self._cost(bench, server, name, path, min(WARM_UP_SECONDS, bench.seconds), None, measurement)
            costs: dict[str, list[list[float]]] = {name: [] for name in READERS}
            for number in range(bench.rounds):
                for name, side in sides:
                    each = [self._cost(bench, server, name, path, bench.seconds, side, measurement) for path in paths[name]]
                    costs[name].append(each)
                    side.rounds.append(sum(each))
                bench.say(
                    f"    round {number + 1}/{bench.rounds}: {measurement.ours.rounds[-1]:.0f} µs beside {measurement.peer.rounds[-1]:.0f} µs")
            for name, rounds in costs.items():
                page, record, unread = (statistics.median(each) for each in zip(*rounds))
                measurement.notes.append(f"{READERS[name]:,}: first page {page:.0f} µs, channel {record:.0f} µs, unread {unread:.0f} µs")
            return measurement

    def _fill(self, database: sqlite3.Connection) -> None:
        for name, count in READERS.items():
            database.execute(MESSAGES, {"count": count, "channel": name})
            _make_channel(database, name, count, [f"reader-{name}", "writer"])

    def _paths(self, name: str) -> list[str]:
        return [f"/v1/channels/private/{name}/messages?limit=25", f"/v1/channels/private/{name}", "/v1/unread"]

    def _cost(
        self, bench: Bench, server: Server, name: str, path: str, seconds: float, side: Side | None, measurement: Measurement
    ) -> float:
        before, busy = server.cpu_seconds(), machine.busy_seconds()
        run = bench.generator.run(
            bench.cores.generator, server.port, "http", path=path, seconds=seconds, connections=8,
            authorization=f"Bearer {centrifugo.token(f'reader-{name}')}")
        used = server.cpu_seconds() - before
        if side:
            side.runs.append(run)
            side.generator.append(run["cpu_share"])
            measurement.others.append(max(0.0, machine.busy_seconds() - busy - used - run["cpu_seconds"]) / run["seconds"])
        if run["errors"]:
            measurement.errors.append(f"{path}: {run['errors']} errors: {run['first_error']}")
        return used / max(run["requests"], 1) * 1e6


def fastapi(scratch: Path, cores: list[int]) -> Server:
    return peers.fastapi(scratch, cores, program="chat_peer.py")
