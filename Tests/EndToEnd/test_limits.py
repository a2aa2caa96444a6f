"""Every limit an operator can set, reached from outside: what the peer gets, and that it is counted.

Limits of HTTP/2, of TLS, of compression and of load are reached in the files that are about those; the first test here knows.
"""

import contextlib
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from program import ROOT, eventually, shared
from wire import BINARY, PING, PONG, TEXT, Closed, RawSocket, Wire, ask, frame, get, metric_over
from workshop import conformance_configuration, with_plugins


def test_every_limit_has_a_test_that_goes_over_it_and_sees_it_counted():
    documented = re.findall(r"^\| `([a-z0-9_]+)` \|", (ROOT / "docs/limits.md").read_text(), re.MULTILINE)
    assert len(documented) > 20 and len(set(documented)) == len(documented)
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "--list-limits", "-q", "-p", "no:cacheprovider",
         "--import-mode=importlib", str(Path(__file__).parent)],
        capture_output=True, text=True, timeout=120, cwd=ROOT,
    )
    tested = re.findall(r"^limit ([a-z0-9_]+)$", collected.stdout, re.MULTILINE)
    assert tested, collected.stdout[-3000:] + collected.stderr[-3000:]
    assert sorted(set(documented) - set(tested)) == [], "no test is marked with these limits"
    assert sorted(set(tested) - set(documented)) == [], "tests are marked with limits that there are not"


@pytest.fixture(scope="module")
def tight(tmp_path_factory, request, probe_folder):
    """A gateway whose limits are all within reach."""
    limits = {
        "header_bytes": 2048, "uri_bytes": 300, "body_bytes": 1000, "header_timeout_ms": 400, "body_timeout_ms": 400,
        "idle_timeout_ms": 600, "write_timeout_ms": 1000, "request_timeout_ms": 500, "websocket_message_bytes": 2000,
    }
    yield from shared(tmp_path_factory.mktemp("tight"), request, with_plugins(probe_folder), ["--loops", "1"], limits=limits)


@pytest.mark.parametrize("limit, data, status, code", [
    pytest.param(*row, marks=pytest.mark.limit(row[0]), id=row[0]) for row in [
        ("header_bytes", get("/probe/at-once/x", f"X: {'x' * 2048}"), 431, "headers_too_large"),
        ("uri_bytes", get(f"/probe/at-once/{'x' * 300}"), 414, "uri_too_long"),
        ("body_bytes", get("/probe/echo", method="POST", body=b"x" * 1001), 413, "payload_too_large"),
        ("header_timeout_ms", b"GET / HTTP/1.1\r\nHost: a\r\n", 408, "request_timeout"),
        ("body_timeout_ms", b"POST /probe/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nx", 408, "request_timeout"),
        ("request_timeout_ms", get("/probe/silent"), 504, "deadline_exceeded"),
    ]
])
def test_what_passes_a_limit_is_answered_with_its_status_and_counted(tight, limit, data, status, code):
    before = tight.breaches(limit)
    answer = ask(tight.port, data)
    assert answer.status == status and answer.json()["code"] == code
    assert tight.breaches(limit) == before + 1
    assert ask(tight.port, get("/probe/at-once/x", "X: y")).status == 200


def test_what_stays_just_below_a_limit_is_fine(tight):
    assert ask(tight.port, get(f"/probe/at-once/{'x' * 200}", f"X: {'x' * 1500}")).status == 200
    assert len(ask(tight.port, get("/probe/echo", method="POST", body=b"x" * 1000)).body) == 1000


@pytest.mark.limit("idle_timeout_ms")
def test_an_idle_connection_is_closed_and_one_that_is_used_is_not(tight):
    before = tight.breaches("idle_timeout_ms")
    with Wire(tight.port) as idle, Wire(tight.port) as used:
        assert idle.send(get("/probe/at-once/x")).answer().status == 200
        idle.socket.settimeout(0.05)
        for _ in range(400):
            assert used.send(get("/probe/at-once/x")).answer().status == 200
            try:
                assert idle.socket.recv(100) == b""
                break
            except TimeoutError:
                continue
        else:
            pytest.fail("an idle connection outlives twenty seconds of another's requests")
        assert tight.breaches("idle_timeout_ms") == before + 1
        assert used.send(get("/probe/at-once/x")).answer().status == 200


@pytest.mark.limit("header_timeout_ms")
def test_a_trickle_of_header_bytes_does_not_extend_the_time_for_a_head(tight):
    """slowloris"""
    before = tight.breaches("header_timeout_ms")
    head = b"GET /probe/at-once/x HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 100
    with Wire(tight.port) as wire:
        wire.socket.settimeout(0.05)
        for byte in head:
            try:
                wire.send(bytes([byte]))
                wire.held += wire._more()
                break
            except TimeoutError:
                continue
        else:
            pytest.fail("the head was taken for as long as it trickled")
        wire.socket.settimeout(10)
        assert wire.answer().status == 408
    assert tight.breaches("header_timeout_ms") == before + 1


@pytest.mark.limit("body_timeout_ms")
def test_a_streamed_body_that_stalls_is_cut_off(tight):
    before = tight.breaches("body_timeout_ms")
    with Wire(tight.port) as wire:
        wire.send(b"POST /probe/stream HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nx")
        # The answer has begun with what had come, so that all there is to say is an end before the end.
        with pytest.raises(Closed):
            wire.answer()
    assert tight.breaches("body_timeout_ms") == before + 1


@pytest.mark.limit("body_timeout_ms")
def test_a_body_that_trickles_is_cut_off_though_each_byte_comes_in_time(tight):
    before = tight.breaches("body_timeout_ms")
    with Wire(tight.port) as wire:
        wire.send(b"POST /probe/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n")
        assert trickles(wire, lambda number: b"x")
    assert tight.breaches("body_timeout_ms") == before + 1


@pytest.mark.limit("body_timeout_ms")
def test_the_framing_of_chunks_is_no_progress_of_a_body(tight):
    before = tight.breaches("body_timeout_ms")
    with Wire(tight.port) as wire:
        wire.send(b"POST /probe/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert trickles(wire, lambda number: b"1;a=%d\r\nx\r\n" % number)
    assert tight.breaches("body_timeout_ms") == before + 1


@pytest.mark.limit("body_timeout_ms")
def test_the_framing_of_chunks_is_no_progress_of_a_body_that_is_read_in_pieces(tight):
    before = tight.breaches("body_timeout_ms")
    with Wire(tight.port) as wire:
        wire.send(b"POST /probe/stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;")
        for _ in range(100):
            try:
                wire.send(b"x")
            except OSError:
                break
            if tight.breaches("body_timeout_ms") > before:
                break
            time.sleep(0.1)
    assert tight.breaches("body_timeout_ms") == before + 1


@pytest.mark.limit("answer_queue_bytes")
def test_nothing_more_is_read_from_a_peer_that_takes_no_answers(tight):
    before = tight.breaches("answer_queue_bytes")
    with Wire(tight.port, receive_buffer=4096) as wire:
        wire.socket.settimeout(1)
        with contextlib.suppress(OSError):
            for _ in range(100_000):
                wire.send(get("/metrics") * 10)
        assert eventually(lambda: tight.breaches("answer_queue_bytes") > before)


@pytest.fixture
def impatient(tmp_path_factory, request, probe_folder):
    """A gateway that soon asks WebSockets for a sign of life."""
    yield from shared(
        tmp_path_factory.mktemp("impatient"), request, with_plugins(probe_folder), ["--loops", "1"],
        limits={"websocket_ping_ms": 300})


@pytest.mark.limit("websocket_ping_ms")
def test_a_websocket_that_is_silent_is_asked_for_a_sign_of_life_and_then_closed(impatient):
    with RawSocket(impatient.port, "/probe/socket") as silent:
        assert silent.receive() == (PING, b"")
        with pytest.raises(Closed):
            silent.receive()
    assert impatient.breaches("websocket_ping_ms") == 1


@pytest.mark.limit("websocket_ping_ms")
def test_a_websocket_that_was_sent_a_close_frame_is_not_kept_open_by_what_its_peer_says(impatient):
    with RawSocket(impatient.port, "/probe/socket") as talker:
        assert talker.send(frame(TEXT, "bye")).close_code() == 4000
        talker.socket.settimeout(0.05)
        heard = b""
        for _ in range(400):
            try:
                talker.send(frame(TEXT, "hello") + frame(PING, b"?"))
                piece = talker.socket.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                break
            heard += piece
            if not piece:
                break
        else:
            pytest.fail("it was kept open")
        assert heard == b""
    assert eventually(lambda: impatient.breaches("websocket_ping_ms") == 1)


def trickles(wire, piece) -> bool:
    """Sends pieces, faster than the limit, until it is answered that this took too long."""
    wire.socket.settimeout(0.1)
    for number in range(100):
        try:
            wire.send(piece(number))
            wire.held += wire._more()
            break
        except TimeoutError:
            continue
    wire.socket.settimeout(10)
    answer = wire.answer()
    return answer.status == 408 and answer.json()["code"] == "request_timeout"


@pytest.mark.limit("requests_per_second")
def test_more_requests_than_a_tenant_may_send_are_429_and_say_when_to_come_back(sluice):
    gateway = sluice(conformance_configuration(requests_per_second=20))
    with Wire(gateway.port) as wire:
        first = wire.send(get("/hello/c")).answer()
        refused = None
        for _ in range(5000):
            answer = wire.send(get("/hello/c")).answer()
            if answer.status != 200:
                refused = answer
                break
    assert first.status == 200 and first["x-ratelimit-limit"] == "20"
    assert int(first["x-ratelimit-remaining"]) < 20 and first["x-ratelimit-reset"] is not None
    assert refused and refused.status == 429 and refused.json()["code"] == "rate_limited"
    assert int(refused["retry-after"]) >= 1
    assert ask(gateway.port, get("/healthz")).status == 200
    assert gateway.breaches("requests_per_second") == 1
    assert eventually(lambda: ask(gateway.port, get("/hello/c")).status == 200)


@pytest.mark.parametrize("limit", [
    pytest.param(name, marks=pytest.mark.limit(name)) for name in ("connections", "connections_per_address")])
def test_more_connections_than_allowed_are_refused_and_room_is_given_back(sluice, limit):
    gateway = sluice(conformance_configuration(**{limit: 8}))
    held = [Wire(gateway.port)]
    # The question whether it is ready may still be open.
    assert eventually(lambda: metric_over(held[0], "sluice_connections_open") == 1)
    held += [Wire(gateway.port) for _ in range(7)]
    for wire in held:
        assert wire.send(get("/hello/c")).answer().status == 200
    for _ in range(3):
        with Wire(gateway.port) as refused:
            answer = refused.send(get("/hello/c")).answer()
            assert answer.status == 503 and answer["connection"] == "close" and answer["retry-after"]
            assert answer["content-type"] == "application/problem+json" and answer.json()["code"] == "overloaded"
            assert refused.is_closed()
    for wire in held:
        assert wire.send(get("/hello/c")).answer().status == 200
        wire.socket.close()

    def served():
        try:
            return ask(gateway.port, get("/hello/c")).status == 200
        except (Closed, OSError):
            return False

    assert eventually(served)
    assert gateway.breaches(limit) >= 3


@pytest.mark.limit("websocket_message_bytes")
def test_a_message_is_bounded_by_the_operator_where_the_socket_would_take_more(sluice):
    gateway = sluice(conformance_configuration(websocket_message_bytes=1000))
    with RawSocket(gateway.port, "/echo") as opened:
        opened.send(frame(BINARY, b"x" * 1000))
        assert opened.receive() == (BINARY, b"x" * 1000)
        assert opened.send(frame(BINARY, b"x" * 1001)).close_code() == 1009
    assert gateway.breaches("websocket_message_bytes") == 1


@pytest.mark.limit("websocket_message_frames")
def test_a_message_of_too_many_frames_is_refused_and_pings_between_them_are_none(sluice):
    gateway = sluice(conformance_configuration(websocket_message_frames=3))
    with RawSocket(gateway.port, "/echo") as opened:
        opened.send(frame(BINARY, b"a", final=False) + frame(PING, b"") + frame(0, b"", final=False) + frame(0, b"b"))
        assert [opened.receive(), opened.receive()] == [(PONG, b""), (BINARY, b"ab")]
        opened.send(frame(BINARY, b"a", final=False) + frame(0, b"", final=False) * 3)
        assert opened.close_code() == 1008
    assert gateway.breaches("websocket_message_frames") == 1


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
