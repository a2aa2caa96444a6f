"""What sign-ins cost others: their passwords are hashed by workers while the loops go on."""

import http.client
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass

import gateway
from compare import WARM_UP_SECONDS
from latency import loaded
from measurement import Measurement, Side
from server import Server
from workbench import Bench

PASSWORD = "correct horse battery"
# So many that none of them signs in more often than a person might.
ACCOUNTS = 40


def post(server: Server, path: str, body: dict) -> tuple[int, dict]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")
    finally:
        connection.close()


def sign_up(server: Server, number: int) -> str:
    """An account; returns its access token."""
    status, answer = post(server, "/v1/accounts", {"email": f"bench-{number}@example.test", "password": PASSWORD, "name": "Bench"})
    if status != 201:
        raise RuntimeError(f"signing up: {status} {answer}")
    return answer["access_token"]


@contextmanager
def signing_in(server: Server, rate: int, measurement: Measurement):
    """Accounts sign in one after another, `rate` a second, each begun when it is due."""
    ended = threading.Event()
    running: list[threading.Thread] = []

    def sign_in(number: int) -> None:
        status, answer = post(server, "/v1/sessions", {"email": f"bench-{number % ACCOUNTS}@example.test", "password": PASSWORD})
        if status != 201:
            measurement.errors.append(f"signing in: {status} {answer.get('code')}")

    def begin() -> None:
        since = time.monotonic()
        for number in range(1_000_000):
            if ended.wait(max(0.0, since + number / rate - time.monotonic())):
                return
            running.append(threading.Thread(target=sign_in, args=[number], daemon=True))
            running[-1].start()

    clock = threading.Thread(target=begin, daemon=True)
    clock.start()
    try:
        yield
    finally:
        ended.set()
        clock.join()
        for thread in running:
            thread.join()


@dataclass(frozen=True)
class LatencyBesideLogins:
    """In each round the p99 of an authenticated read, in milliseconds: while accounts sign in ÷ while none does."""

    path: str
    rate: int
    logins: int

    def __call__(self, bench: Bench) -> Measurement:
        with gateway.app(bench.cores.two_servers, bench.folder("logins"), loops=2) as server:
            measurement = Measurement(Side(f"{self.logins} logins/s"))
            measurement.peer = Side("no logins")
            tokens = [sign_up(server, number) for number in range(ACCOUNTS)]
            load = {"connections": 32, "authorization": f"Bearer {tokens[0]}", "rate": self.rate}

            def run(side: Side | None, seconds: float) -> None:
                done = loaded(bench, server, self.path, seconds, side, measurement if side else None, "http", **load)
                if side:
                    side.rounds.append(done["p99_us"] / 1000)

            run(None, min(WARM_UP_SECONDS, bench.seconds))
            for number in range(bench.rounds):
                # Few are asked a second, and the p99 is what the slowest of them tell.
                with signing_in(server, self.logins, measurement):
                    run(measurement.ours, 3 * bench.seconds)
                run(measurement.peer, 3 * bench.seconds)
                bench.say(
                    f"    round {number + 1}/{bench.rounds}: {measurement.ours.rounds[-1]:.2f} ms beside "
                    f"{measurement.peer.rounds[-1]:.2f} ms")
            return measurement
