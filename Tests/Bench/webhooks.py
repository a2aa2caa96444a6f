"""Rows of webhooks: events to a receiver on this machine, from a queue that stands on disk, one of whose endpoints hangs."""

import asyncio
import hashlib
import hmac
import http.client
import json
import multiprocessing
import os
import sqlite3
import statistics
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import gateway
from measurement import Measurement, Side
from server import Server
from workbench import Bench

DELIVERIES = 2_000
QUEUED = 1_000_000
EVENTS, PER_SECOND = 1_000, 100
PATIENCE_SECONDS = 120
SETTLE_SECONDS = 12.0
SECRET = "a secret of the bench"
# Ids that grow with time, as real ones do.
QUEUE = """
WITH RECURSIVE n (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM n WHERE number < :count)
INSERT INTO webhooks_messages (id, type, channel, sequence, at, data, created_at)
SELECT printf('evt_%08d', number), 'webhooks.hook.received', NULL, number, :now, '{"n":1}', :now FROM n
"""
DELIVER = """
INSERT INTO webhooks_deliveries (id, message, endpoint, state, attempts, attempts_before, next_at, sequence, created_at)
SELECT printf('dlv_%08d_%s', m.sequence, e.id), m.id, e.id, 'pending', 0, 0, :now, m.sequence, :now FROM webhooks_messages m, webhooks_endpoints e
"""


class _Taking(asyncio.Protocol):
    """Answers 204 to whatever comes, but for `/hangs`; tells how many have come and how late."""

    def __init__(self, count, delays):
        self.count, self.delays, self.bytes = count, delays, b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.bytes += data
        while (end := self.bytes.find(b"\r\n\r\n")) >= 0:
            head = self.bytes[:end].lower()
            length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]) if b"content-length:" in head else 0
            if len(self.bytes) < end + 4 + length:
                return
            body, self.bytes = self.bytes[end + 4:end + 4 + length], self.bytes[end + 4 + length:]
            if head.startswith(b"post /hangs"):
                continue
            if self.delays is not None:
                committed = datetime.fromisoformat(json.loads(body)["timestamp"]).timestamp()
                self.delays.append(max(0.0, time.time() - committed))
            self.count.value += 1
            self.transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")


def _receive(cores: list[int], port, count, delays) -> None:
    if cores:
        os.sched_setaffinity(0, cores)
    measured = [] if delays is not None else None

    async def serve():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Taking(count, measured), "127.0.0.1", 0, backlog=1024)
        port.value = server.sockets[0].getsockname()[1]
        while delays is None or len(measured) < EVENTS:
            await asyncio.sleep(0.05)
        delays.put(measured)
        await asyncio.sleep(PATIENCE_SECONDS)

    asyncio.run(serve())


@contextmanager
def _receiver(cores: list[int], delays=None):
    """Its port, and how many have come."""
    port, count = multiprocessing.Value("i", 0), multiprocessing.Value("q", 0, lock=False)
    process = multiprocessing.Process(target=_receive, args=(cores, port, count, delays), daemon=True)
    process.start()
    try:
        end = time.monotonic() + PATIENCE_SECONDS
        while not port.value and time.monotonic() < end:
            time.sleep(0.01)
        yield port.value, count
    finally:
        process.kill()
        process.join()


def _ask(server: Server, method: str, path: str, body: dict, expected: int) -> dict:
    status, answer = server.ask(method, path, json.dumps(body) if body else None, f"Bearer {gateway.KEY}")
    if status != expected:
        raise RuntimeError(f"{method} {path} is answered {status} {answer[:200]!r}")
    return json.loads(answer) if answer else {}


def _prepared(bench: Bench, urls: list[str], queued: int) -> Server:
    """A gateway whose app has these endpoints, and so many events queued for each."""
    data = bench.folder("webhooks")
    with gateway.webhooks(bench.cores.server, data) as server:
        for url in urls:
            _ask(server, "POST", "/v1/webhooks", {"url": url, "events": ["webhooks.hook.received"]}, 201)
    if queued:
        file, = data.rglob("bench.sqlite")
        database = sqlite3.connect(file)
        now = int(time.time() * 1000)
        with database:
            database.execute(QUEUE, {"count": queued, "now": now})
            database.execute(DELIVER, {"now": now})
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
    return gateway.webhooks(bench.cores.server, data)


@dataclass(frozen=True)
class Rate:
    """How many deliveries a second a queue is emptied by, of so many endpoints; one hangs where there are several."""

    endpoints: int

    def __call__(self, bench: Bench) -> Measurement:
        measurement = Measurement(Side("sluice"))
        answering = max(1, self.endpoints - 1)
        events = max(1, DELIVERIES // answering)
        for number in range(bench.rounds):
            with _receiver(bench.cores.generator) as (port, count):
                urls = [f"http://127.0.0.1:{port}/{each}" for each in range(answering)]
                urls += [f"http://127.0.0.1:{port}/hangs"] if self.endpoints > 1 else []
                with _prepared(bench, urls, events) as server:
                    # The app is opened by whoever asks it first: nothing of what stands in its file has an alarm.
                    _ask(server, "GET", "/v1/webhooks", {}, 200)
                    measurement.ours.rounds.append(self._empty(count, events * answering, measurement))
            bench.say(f"    round {number + 1}/{bench.rounds}: {measurement.ours.rounds[-1]:.0f} deliveries/s")
        return measurement

    def _empty(self, count, expected: int, measurement: Measurement) -> float:
        """From a tenth of them to the last."""
        end, began, first = time.monotonic() + PATIENCE_SECONDS, 0.0, 0
        while count.value < expected and time.monotonic() < end:
            if not began and count.value >= expected // 10:
                began, first = time.monotonic(), count.value
            time.sleep(0.002)
        if count.value < expected:
            measurement.errors.append(f"{expected - count.value} of {expected} have not come after {PATIENCE_SECONDS} s")
        return (count.value - first) / (time.monotonic() - began) if began else 0.0


def latency(bench: Bench) -> Measurement:
    """From an event's commit to its arrival at the endpoint, in ms: p99."""
    delays = multiprocessing.Queue()
    with _receiver(bench.cores.generator, delays) as (port, _), _prepared(bench, [f"http://127.0.0.1:{port}/one"], 0) as server:
        _ask(server, "PUT", "/v1/hook-sources/bench", {"kind": "github", "secret": SECRET}, 200)
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        began = time.monotonic()
        for number in range(EVENTS):
            time.sleep(max(0.0, began + number / PER_SECOND - time.monotonic()))
            body = json.dumps({"n": number}).encode()
            signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
            connection.request(
                "POST", "/v1/hooks/bench", body, {"content-type": "application/json", "x-hub-signature-256": signature})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 204:
                raise RuntimeError(f"an event is answered {answer.status}")
        connection.close()
        found = sorted(delays.get(timeout=PATIENCE_SECONDS))
    measurement = Measurement(Side("sluice", [found[int(len(found) * 0.99)] * 1000]))
    measurement.notes.append(f"p50 {statistics.median(found) * 1000:.1f} ms")
    return measurement


def resident(bench: Bench) -> Measurement:
    """What a million events take in memory that wait for an endpoint which hangs, in MB."""
    sides = []
    with _receiver(bench.cores.generator) as (port, _):
        for queued in (0, QUEUED):
            with _prepared(bench, [f"http://127.0.0.1:{port}/hangs"], queued) as server:
                _ask(server, "GET", "/v1/webhooks", {}, 200)
                time.sleep(SETTLE_SECONDS)
                sides.append(server.resident_bytes() / 1e6)
    measurement = Measurement(Side("sluice", [sides[1] - sides[0]]))
    measurement.notes.append(f"{sides[0]:.1f} MB with none, {sides[1]:.1f} MB with {QUEUED:,}")
    return measurement
