"""What the gateway weighs: resident memory, idle WebSockets, the way to the first answer, idle tenants."""

import http.client
import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import centrifugo
import gateway
import peers
from measurement import Measurement, NotMeasured, Side
from server import Server
from workbench import Bench

SETTLE_SECONDS = 1.0
# Freed memory is given back every ten seconds.
REST_SECONDS = 12.0
STARTS = 7
IDLE_WEBSOCKETS, FIRST_WEBSOCKETS = 10_000, 100
APPS_PER_ACCOUNT = 50
IDLE_TENANTS = 1_000


def _bytes_each(
    bench: Bench, server: Server, path: str, first: dict | None = None, more: dict | None = None,
    rest: float = SETTLE_SECONDS,
) -> float:
    """The growth from 100 open to 10,100, so that what the first ones set up is not counted."""
    cores, hold = bench.cores.generator, bench.generator.idle_websockets
    with server:
        if server.upgrade_status(path) == 404:
            raise NotMeasured(f"{path} ({server.name} answered 404)")
        with hold(cores, server.port, path, FIRST_WEBSOCKETS, **(first or {})):
            time.sleep(SETTLE_SECONDS)
            before = server.resident_bytes()
            with hold(cores, server.port, path, IDLE_WEBSOCKETS, **(more or {})):
                time.sleep(rest)
                return (server.resident_bytes() - before) / IDLE_WEBSOCKETS


def idle_websocket(bench: Bench) -> Measurement:
    cores = bench.cores.server
    ours = bench.ours(peers.socketify, cores)
    measurement = Measurement(Side(ours.name, [_bytes_each(bench, ours, "/echo")]))
    try:
        peer = peers.socketify(bench.scratch, cores)
        measurement.peer = Side(peer.name, [_bytes_each(bench, peer, "/echo")])
    except peers.PeerMissing as missing:
        measurement.notes.append(f"peer missing: {missing}")
    return measurement


def idle_compressed(bench: Bench) -> Measurement:
    """The same with permessage-deflate agreed; no context is kept while nothing is said."""
    ours = bench.ours(peers.socketify, bench.cores.server)
    offer = {"deflate": 1}
    return Measurement(Side(ours.name, [_bytes_each(bench, ours, "/echo", offer, offer)]))


def idle_subscriber(bench: Bench) -> Measurement:
    """A client of Centrifugo's protocol that listens to one channel, which all of them share."""
    server = gateway.centrifugo(bench.cores.server, bench.folder("subscribers"))
    listening = centrifugo.load("kept:all")
    each = _bytes_each(bench, server, centrifugo.PATH, listening, listening, REST_SECONDS)
    return Measurement(Side(server.name, [each]))


def idle_own_channel(bench: Bench) -> Measurement:
    """The same, each with a channel of its own."""
    server = gateway.centrifugo(bench.cores.server, bench.folder("subscribers"))
    first = centrifugo.load("kept:first-", channels=FIRST_WEBSOCKETS)
    more = centrifugo.load("kept:own-", channels=IDLE_WEBSOCKETS)
    each = _bytes_each(bench, server, centrifugo.PATH, first, more, REST_SECONDS)
    return Measurement(Side(server.name, [each]))


def _platform(bench: Bench, data: Path, make: Callable[[list[int], Path], Server] = gateway.platform) -> Server:
    if bench.against_itself:
        return peers.nginx(bench.scratch, bench.cores.server)
    if not gateway.PLATFORM.exists():
        raise NotMeasured(f"{gateway.PLATFORM.name}, the configuration that `make run` serves")
    return make(bench.cores.server, data)


def base_resident(bench: Bench) -> Measurement:
    return _resident(_platform(bench, bench.folder("four"), gateway.four))


def all_resident(bench: Bench) -> Measurement:
    return _resident(_platform(bench, bench.folder("platform")))


def _resident(server: Server) -> Measurement:
    with server:
        time.sleep(SETTLE_SECONDS)
        return Measurement(Side(server.name, [server.resident_bytes() / 2**20]))


def start_up(bench: Bench) -> Measurement:
    """From exec to the first 200, on a data folder that is there already; the first start is a note."""
    data, milliseconds = bench.folder("platform"), []
    for _ in range(STARTS + 1):
        with _platform(bench, data) as server:
            milliseconds.append(server.milliseconds_to_answer)
            name = server.name
    first, *again = milliseconds
    return Measurement(
        Side(name, again), notes=[f"on an empty data folder {first:.0f} ms, median then of {STARTS}"]
    )


class Developer:
    """One account of the platform over one keep-alive connection, as an app developer's script would be."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._token: str | None = None
        account = {
            "email": f"{uuid.uuid4().hex}@example.org", "password": uuid.uuid4().hex, "name": "Bench",
        }
        self._token = self._post("/v1/accounts", account)["access_token"]

    def _post(self, path: str, body: dict) -> dict:
        headers = {"content-type": "application/json"}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        for _ in range(3):
            self._connection.request("POST", path, json.dumps(body), headers)
            response = self._connection.getresponse()
            answer = response.read()
            if response.status == 201:
                return json.loads(answer)
            if response.status != 429:
                break
            time.sleep(min(float(response.headers.get("retry-after", "1")), 60))
        raise NotMeasured(f"POST {path} (answered {response.status}, not 201)")

    def create_app(self, name: str) -> None:
        self._post("/v1/apps", {"name": name})


def idle_tenants(bench: Bench) -> Measurement:
    """The growth by 1,000 apps, created over the API by accounts that stay below their number of apps."""
    data = bench.folder("platform")
    with _platform(bench, data) as server:
        developer = Developer(server.port)
        developer.create_app("first")
        time.sleep(SETTLE_SECONDS)
        before = server.resident_bytes()
        for number in range(IDLE_TENANTS):
            if number % APPS_PER_ACCOUNT == 0:
                developer = Developer(server.port)
            developer.create_app(f"app {number}")
        time.sleep(SETTLE_SECONDS)
        grown = (server.resident_bytes() - before) / 2**20
        name = server.name
    with _platform(bench, data) as server:
        time.sleep(SETTLE_SECONDS)
        again = (server.resident_bytes() - before) / 2**20
    return Measurement(Side(name, [grown]), notes=[f"{again:+.1f} MB after a restart with them"])
