"""Every limit an operator can set, reached from outside: what the peer gets, and that it is counted."""

import socket
import time

import pytest

from program import eventually, shared
from wire import BINARY, Closed, RawSocket, Wire, ask, frame, get
from workshop import conformance_configuration, with_plugins


def breaches(gateway, limit: str) -> float:
    return gateway.metric("sluice_limit_breaches_total", f'{{limit="{limit}"}}')


@pytest.fixture(scope="module")
def tight(tmp_path_factory, request, probe_folder):
    """A gateway whose limits are all within reach."""
    limits = {
        "header_bytes": 2048, "uri_bytes": 300, "body_bytes": 1000, "header_timeout_ms": 400, "body_timeout_ms": 400,
        "idle_timeout_ms": 600, "write_timeout_ms": 1000, "request_timeout_ms": 500, "websocket_message_bytes": 2000,
    }
    yield from shared(tmp_path_factory.mktemp("tight"), request, with_plugins(probe_folder), ["--loops", "1"], limits=limits)


@pytest.mark.parametrize("limit, data, status, code", [
    ("header_bytes", get("/probe/at-once/x", f"X: {'x' * 2048}"), 431, "headers_too_large"),
    ("uri_bytes", get(f"/probe/at-once/{'x' * 300}"), 414, "uri_too_long"),
    ("body_bytes", get("/probe/echo", method="POST", body=b"x" * 1001), 413, "payload_too_large"),
    ("header_timeout_ms", b"GET / HTTP/1.1\r\nHost: a\r\n", 408, "request_timeout"),
    ("body_timeout_ms", b"POST /probe/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nx", 408, "request_timeout"),
    ("request_timeout_ms", get("/probe/silent"), 504, "deadline_exceeded"),
])
def test_what_passes_a_limit_is_answered_with_its_status_and_counted(tight, limit, data, status, code):
    before = breaches(tight, limit)
    answer = ask(tight.port, data)
    assert answer.status == status and answer.json()["code"] == code
    assert breaches(tight, limit) == before + 1
    assert ask(tight.port, get("/probe/at-once/x", "X: y")).status == 200


def test_what_stays_just_below_a_limit_is_fine(tight):
    assert ask(tight.port, get(f"/probe/at-once/{'x' * 200}", f"X: {'x' * 1500}")).status == 200
    assert len(ask(tight.port, get("/probe/echo", method="POST", body=b"x" * 1000)).body) == 1000


def test_an_idle_connection_is_closed_after_its_time(tight):
    with Wire(tight.port) as wire:
        wire.send(get("/probe/at-once/x")).answer()
        began = time.monotonic()
        assert wire.is_closed(8)
        assert 0.4 < time.monotonic() - began < 5


def test_a_peer_that_takes_nothing_of_its_answer_is_cut_off(tight):
    before = breaches(tight, "write_timeout_ms")
    wire = Wire(tight.port, receive_buffer=4096)
    wire.send(get("/probe/flood"))
    assert eventually(lambda: breaches(tight, "write_timeout_ms") == before + 1, 8)
    wire.socket.close()


def test_a_trickle_of_header_bytes_does_not_extend_the_time_for_a_head(tight):
    """slowloris"""
    with Wire(tight.port) as wire:
        wire.socket.settimeout(0.1)
        began = time.monotonic()
        for byte in b"GET /probe/at-once/x HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 100:
            assert time.monotonic() - began < 4, "the head was taken for as long as it trickled"
            try:
                wire.send(bytes([byte]))
                wire.held += wire._more()
                break
            except TimeoutError:
                continue
            except (Closed, OSError):
                return
        assert wire.answer().status == 408


def test_more_requests_than_a_tenant_may_send_are_429_and_say_when_to_come_back(sluice):
    gateway = sluice(conformance_configuration(requests_per_second=20))
    answers = []
    with Wire(gateway.port) as wire:
        for _ in range(60):
            answers.append(wire.send(get("/hello/c")).answer())
    refused = [answer for answer in answers if answer.status == 429]
    assert 10 < len(refused) < 60 and answers[0].status == 200
    assert refused[0].json()["code"] == "rate_limited" and int(refused[0]["retry-after"]) >= 1
    assert answers[0]["x-ratelimit-limit"] == "20" and int(answers[0]["x-ratelimit-remaining"]) < 20
    assert answers[0]["x-ratelimit-reset"] is not None
    assert ask(gateway.port, get("/healthz")).status == 200
    time.sleep(1.2)
    assert ask(gateway.port, get("/hello/c")).status == 200
    assert breaches(gateway, "requests_per_second") >= len(refused)


@pytest.mark.parametrize("limit", ["connections", "connections_per_address"])
def test_more_connections_than_allowed_are_refused_and_room_is_given_back(sluice, limit):
    gateway = sluice(conformance_configuration(**{limit: 8}))
    held = []
    for _ in range(12):
        wire = Wire(gateway.port, patience=3)
        try:
            status = wire.send(get("/hello/c")).answer().status
        except (Closed, OSError):
            status = 0
        if status == 200:
            held.append(wire)
        else:
            assert status in (0, 503)
            wire.socket.close()
    assert 6 <= len(held) <= 8
    for wire in held:
        wire.socket.close()

    def served():
        try:
            return ask(gateway.port, get("/hello/c")).status == 200
        except (Closed, OSError):
            return False

    assert eventually(served)
    assert breaches(gateway, limit) >= 4


def test_a_message_is_bounded_by_the_operator_where_the_socket_would_take_more(sluice):
    gateway = sluice(conformance_configuration(websocket_message_bytes=1000))
    with RawSocket(gateway.port, "/echo") as opened:
        opened.send(frame(BINARY, b"x" * 1000))
        assert opened.receive() == (BINARY, b"x" * 1000)
        assert opened.send(frame(BINARY, b"x" * 1001)).close_code() == 1009
    assert breaches(gateway, "websocket_message_bytes") == 1


def test_a_burst_of_connections_is_survived(sluice):
    gateway = sluice(conformance_configuration())
    opened = []
    for _ in range(800):
        one = socket.create_connection(("127.0.0.1", gateway.port))
        opened.append(one)
    for one in opened:
        one.close()
    assert ask(gateway.port, get("/hello/c")).status == 200
    assert eventually(lambda: gateway.descriptors() < 60)
