"""Too much to do, or too little memory: new connections are shed, those that are there are served, and it passes."""

import json
import subprocess
import threading
import time
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace

import pytest

from http2 import NO_ERROR, H2, request
from program import Sluice, eventually
from sanitizer import MEASURES_MEMORY
from secure import SecureSluice, SecureWire, trust
from test_http2_websocket import Socket
from wire import TEXT, Closed, RawSocket, Wire, ask, frame, get, handshake, metric_over
from workshop import with_plugins

HELLO = get("/probe/at-once/x")
# Connections that are let in at once to be refused, on one loop.
REFUSALS = 256


@pytest.fixture
def overloaded(tmp_path, localhost, probe_folder):
    """Makes a gateway with these limits, TLS beside plain HTTP."""
    made: list[SecureSluice] = []

    def make(loops=1, **limits) -> SecureSluice:
        gateway = SecureSluice(
            tmp_path / "gateway", localhost.configuration(), ["--loops", str(loops)],
            with_plugins(probe_folder, drain_timeout_ms=1500), **limits)
        made.append(gateway)
        return gateway.start()

    yield make
    for gateway in made:
        assert gateway.is_running(), gateway.text()[-6000:]
        gateway.kill()


@contextmanager
def old_connections(gateway: Sluice, authority):
    """One connection of each kind that is there before."""
    with ExitStack() as stack:
        old = SimpleNamespace(
            plain=stack.enter_context(Wire(gateway.port, patience=30)),
            secure=stack.enter_context(SecureWire(gateway, trust(authority), patience=30)),
            http2=stack.enter_context(H2(gateway.port, patience=30)),
            socket=stack.enter_context(RawSocket(gateway.port, "/probe/socket", patience=30)),
            tunnel=Socket(stack.enter_context(H2(gateway.port, patience=30)), "/probe/socket"),
        )
        assert_served(old)
        yield old


def assert_served(old):
    assert old.plain.send(HELLO).answer().status == 200
    assert old.secure.send(HELLO).answer().status == 200
    assert old.http2.get("/probe/at-once/x").status == 200
    assert old.socket.send(frame(TEXT, "hello")).receive() == (TEXT, b"0.1.0")
    old.tunnel.send(TEXT, b"hello")
    assert old.tunnel.receive() == (TEXT, b"0.1.0")


def status_on_a_new_connection(gateway: Sluice, data=HELLO) -> int:
    with Wire(gateway.port, patience=30) as wire:
        return wire.send(data).answer().status


def is_shedding(gateway: Sluice) -> bool:
    return gateway.metric("sluice_shedding_loops") == 1


def recovers(gateway: Sluice) -> bool:
    return bool(eventually(lambda: status_on_a_new_connection(gateway) == 200, 60))


def assert_refused(gateway: Sluice, limit: str):
    """New connections without TLS are told so, in the way of each protocol, and each is counted once."""
    before = gateway.breaches(limit)
    with Wire(gateway.port, patience=30) as wire:
        answer = wire.send(HELLO).answer()
        assert answer.status == 503 and int(answer["retry-after"]) > 0 and answer["connection"] == "close"
        assert answer["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["code"] == "overloaded" and problem["request_id"] == answer["x-request-id"]
        assert wire.is_closed(30)
    assert status_on_a_new_connection(gateway, handshake("/probe/socket")) == 503
    with H2(gateway.port, patience=30) as connection:
        refused = connection.get("/probe/at-once/x")
        assert refused.status == 503 and int(refused.heads[0]["retry-after"]) > 0
        assert refused.json()["code"] == "overloaded"
        assert connection.closed().goaways[-1] == (1, NO_ERROR)
    assert gateway.breaches(limit) == before + 3


def assert_curl_reads_the_refusal(gateway: Sluice, tmp_path, *arguments):
    """Also when it is still sending what nobody wants: a reset would hide the answer (RFC 9112 §9.6)."""
    upload = tmp_path / "upload"
    upload.write_bytes(b"x" * 3_000_000)
    done = subprocess.run(
        ["curl", "-sS", "-w", "\n%{http_code}", *arguments, "--data-binary", f"@{upload}",
         "-H", "content-type: application/octet-stream", "-H", "expect:", f"{gateway.url}/probe/echo"],
        capture_output=True, text=True, timeout=60,
    )
    assert done.returncode == 0, done.stderr
    body, status = done.stdout.rsplit("\n", 1)
    assert status == "503" and '"code":"overloaded"' in body


def assert_probes_are_told_the_truth(gateway: Sluice, old):
    for answer in (ask(gateway.port, get("/readyz")), old.plain.send(get("/readyz")).answer()):
        assert answer.status == 503 and answer.json()["code"] == "overloaded" and answer["retry-after"]
    health = ask(gateway.port, get("/healthz"))
    assert health.status == 200 and health["connection"] == "close"
    with H2(gateway.port, patience=30) as connection:
        assert connection.get("/healthz").status == 200
        assert connection.closed().goaways[-1] == (1, NO_ERROR)


@contextmanager
def blocked(gateway: Sluice, milliseconds: int):
    """Keeps the loop from its other connections, again and again, over a connection that was there before."""
    wire, stopping = Wire(gateway.port, patience=30), threading.Event()
    assert wire.send(HELLO).answer().status == 200

    def block():
        while not stopping.is_set():
            wire.send(get(f"/probe/block/{milliseconds}")).answer()

    thread = threading.Thread(target=block, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(30)
        wire.socket.close()


def log_of(gateway: Sluice, words: str) -> list[dict]:
    return [line for line in gateway.lines() if words in line.get("message", "")]


@pytest.mark.limit("loop_lag_ms")
def test_a_loop_that_is_late_sheds_new_connections_and_serves_the_old(overloaded, authority, tmp_path):
    gateway = overloaded(loop_lag_ms=250, memory_bytes=0)
    assert gateway.breaches("loop_lag_ms") == 0
    with old_connections(gateway, authority) as old:
        with blocked(gateway, 400):
            assert eventually(lambda: is_shedding(gateway), 60)
            assert_refused(gateway, "loop_lag_ms")
            assert_served(old)
            assert_probes_are_told_the_truth(gateway, old)
            assert gateway.metric("sluice_loop_lag_milliseconds", '{loop="0"}') >= 250
            assert_curl_reads_the_refusal(gateway, tmp_path)
            # A handshake would take more of the time that is short than all else here.
            before = gateway.breaches("loop_lag_ms")
            with pytest.raises((OSError, Closed)):
                SecureWire(gateway, trust(authority), patience=30)
            assert gateway.breaches("loop_lag_ms") == before + 1
            assert is_shedding(gateway)
        assert recovers(gateway)
        assert_served(old)
    assert ask(gateway.port, get("/readyz")).status == 200 and not is_shedding(gateway)
    with SecureWire(gateway, trust(authority)) as wire:
        assert wire.send(HELLO).answer().status == 200
    assert eventually(lambda: log_of(gateway, "no longer overloaded"))
    began = log_of(gateway, "new connections are shed")
    assert [line["limit"] for line in began] == ["loop_lag_ms"] and began[0]["level"] == "warning"


def test_one_hiccup_sheds_nobody(overloaded):
    gateway = overloaded(loop_lag_ms=250, memory_bytes=0)
    assert ask(gateway.port, get("/probe/block/900")).status == 200
    # Long enough for the loop to have looked at itself again: the lag that it shows is another.
    assert eventually(lambda: gateway.metric("sluice_loop_lag_milliseconds", '{loop="0"}') < 250)
    assert gateway.breaches("loop_lag_ms") == 0 and log_of(gateway, "overloaded") == []
    assert status_on_a_new_connection(gateway) == 200


def test_a_late_loop_sheds_alone_and_every_loop_says_so(overloaded):
    gateway = overloaded(loops=2, loop_lag_ms=250, memory_bytes=0)
    with blocked(gateway, 400):
        assert eventually(lambda: is_shedding(gateway), 60)
        # The kernel spreads connections over the loops.
        assert {status_on_a_new_connection(gateway) for _ in range(24)} == {200, 503}
        assert {status_on_a_new_connection(gateway, get("/readyz")) for _ in range(12)} == {503}
        assert is_shedding(gateway)
    assert eventually(lambda: not is_shedding(gateway), 60)
    assert {status_on_a_new_connection(gateway, get("/readyz")) for _ in range(12)} == {200}


@MEASURES_MEMORY
@pytest.mark.limit("memory_bytes")
def test_too_little_memory_sheds_new_connections_until_there_is_enough(overloaded, authority, tmp_path):
    gateway = overloaded(loop_lag_ms=0, memory_bytes=0)
    bound = gateway.resident() + (64 << 20)
    set_limit(gateway, "memory_bytes", bound)
    with old_connections(gateway, authority) as old:
        assert gateway.metric("sluice_resident_memory_bytes") < bound
        assert old.plain.send(get("/probe/hoard/128")).answer().status == 200
        assert eventually(lambda: is_shedding(gateway), 30)
        assert gateway.metric("sluice_resident_memory_bytes") > bound
        assert_refused(gateway, "memory_bytes")
        assert_curl_reads_the_refusal(gateway, tmp_path)
        assert_served(old)
        assert_probes_are_told_the_truth(gateway, old)
        # There is time for a handshake, and whoever gets an answer knows when to come back.
        with SecureWire(gateway, trust(authority)) as wire:
            answer = wire.send(HELLO).answer()
            assert answer.status == 503 and answer.json()["code"] == "overloaded"
            assert wire.is_closed()
        assert old.plain.send(get("/probe/release")).answer().status == 200
        assert recovers(gateway)
        assert_served(old)
    assert ask(gateway.port, get("/readyz")).status == 200
    assert eventually(lambda: log_of(gateway, "no longer overloaded"))


@pytest.mark.limit("loop_lag_ms")
def test_a_reload_puts_the_bound_on_lag_in_force_and_drops_nobody(overloaded, authority):
    gateway = overloaded(loop_lag_ms=0, memory_bytes=0)
    with old_connections(gateway, authority) as old, blocked(gateway, 400):
        assert eventually(lambda: gateway.metric("sluice_loop_lag_milliseconds", '{loop="0"}') >= 250, 60)
        assert not is_shedding(gateway)
        set_limit(gateway, "loop_lag_ms", 250)
        assert eventually(lambda: is_shedding(gateway), 60)
        assert_refused(gateway, "loop_lag_ms")
        assert_served(old)
        set_limit(gateway, "loop_lag_ms", 0)
        assert eventually(lambda: not is_shedding(gateway), 60)
        # A generation that was replaced would have begun to close its sockets.
        time.sleep(2)
        assert_served(old)


def set_limit(gateway: Sluice, name: str, value: int):
    configuration = json.loads(gateway.configuration.read_text())
    configuration["limits"][name] = value
    gateway.configuration.write_text(json.dumps(configuration))
    assert f"limits/{name} is {value}" in " ".join(gateway.reload()["changes"])


@pytest.mark.limit("memory_bytes")
def test_refusals_have_a_bound_and_a_reload_ends_them(overloaded):
    gateway = overloaded(loop_lag_ms=0, memory_bytes=0)
    with Wire(gateway.port) as old, ExitStack() as stack:
        assert old.send(HELLO).answer().status == 200
        set_limit(gateway, "memory_bytes", gateway.resident() // 2)
        assert eventually(lambda: is_shedding(gateway), 30)
        before = gateway.breaches("memory_bytes")
        silent = [stack.enter_context(Wire(gateway.port)) for _ in range(REFUSALS + 20)]
        # One more is closed without a word; those that were let in and ask for nothing are not waited for.
        assert eventually(lambda: metric_over(old, 'sluice_limit_breaches_total{limit="memory_bytes"}') == before + 20)
        assert old.send(HELLO).answer().status == 200
        assert all(wire.is_closed(30) for wire in silent)
        assert gateway.breaches("header_timeout_ms") == 0
        assert status_on_a_new_connection(gateway) == 503
        assert gateway.breaches("memory_bytes") == before + 21
        waiting = stack.enter_context(Wire(gateway.port))
        set_limit(gateway, "memory_bytes", 0)
        assert recovers(gateway)
        # What came while connections were shed, and asks when they are not, is served like any other.
        for _ in range(2):
            assert waiting.send(HELLO).answer().status == 200
