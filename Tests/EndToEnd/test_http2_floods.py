"""What a peer may not make an HTTP/2 connection do: it is told to calm down, counted, and harms nobody else."""

import struct
import time

import pytest

from http2 import (
    CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, FLOW_CONTROL_ERROR, HEADERS, INITIAL_WINDOW_SIZE, NO_ERROR, PING,
    PREFACE, PRIORITY, PROTOCOL_ERROR, REFUSED_STREAM, Gone, H2, frame, literal, request, reset, settings,
    window,
)
from program import eventually, shared
from sanitizer import MEASURES_MEMORY
from workshop import with_plugins


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, request, probe_folder):
    limits = {
        "header_bytes": 2048, "uri_bytes": 300, "header_timeout_ms": 400, "body_timeout_ms": 400, "idle_timeout_ms": 600,
        "write_timeout_ms": 1000, "request_timeout_ms": 500, "http2_streams": 20, "http2_queue_bytes": 65536,
    }
    yield from shared(
        tmp_path_factory.mktemp("floods"), request, with_plugins(probe_folder), ["--loops", "1"], limits=limits)


@pytest.fixture(autouse=True)
def alone(request):
    """The gateway is the whole module's: what the test before has left in it is over first, and counts in no other."""
    if "gateway" in request.fixturenames:
        gateway = request.getfixturevalue("gateway")
        assert eventually(lambda: gateway.metric("sluice_connections_open") == 1, 60)


def get_frames(stream: int, flags=END_HEADERS | END_STREAM, path="/probe/at-once/x") -> bytes:
    return frame(HEADERS, flags, stream, literal(request("GET", path)))


def rapid_resets() -> bytes:
    return b"".join(
        get_frames(stream, path="/probe/silent") + reset(stream) for stream in range(1, 40_001, 2))


def bomb() -> bytes:
    """One entry of 4,000 bytes in the decoder's table, then a hundred references to it of a byte each."""
    entry = b"\x40" + b"\x01x" + b"\x7f" + bytes([(4000 - 127) % 128 | 128, (4000 - 127) // 128]) + b"a" * 4000
    return frame(HEADERS, END_HEADERS | END_STREAM, 1, literal(request("GET", "/")) + entry + bytes([0x80 | 62]) * 100)


FLOODS = {
    "rapid reset, CVE-2023-44487": ("http2_resets_per_second", rapid_resets),
    "PING": ("http2_pings_per_second", lambda: frame(PING, 0, 0, b"12345678") * 20_000),
    "SETTINGS": ("http2_settings_per_second", lambda: settings() * 20_000),
    "SETTINGS that move the windows": (
        "http2_settings_per_second",
        lambda: (settings({INITIAL_WINDOW_SIZE: 0}) + settings({INITIAL_WINDOW_SIZE: 65535})) * 5_000),
    "PRIORITY": (
        "http2_ignored_frames_per_second",
        lambda: b"".join(frame(PRIORITY, 0, s, struct.pack(">IB", 0, 1)) for s in range(1, 20_001, 2))),
    "PRIORITY_UPDATE": (
        "http2_ignored_frames_per_second", lambda: frame(16, 0, 0, struct.pack(">I", 1) + b"u=1") * 5_000),
    "empty DATA": (
        "http2_empty_frames_per_second",
        lambda: frame(HEADERS, END_HEADERS, 1, literal(request("POST", "/probe/stream"))) + frame(DATA, 0, 1) * 5_000),
    "DATA of a byte each": (
        "http2_empty_frames_per_second",
        lambda: frame(HEADERS, END_HEADERS, 1, literal(request("POST", "/probe/stream"))) + frame(DATA, 0, 1, b"x") * 5_000),
    "WINDOW_UPDATE": ("http2_window_updates_per_second", lambda: window(0, 1) * 5_000),
    "CONTINUATION": (
        "http2_continuations",
        lambda: get_frames(1, END_STREAM) + frame(CONTINUATION, 0, 1, literal([("a", "b")])) * 5_000),
    "empty CONTINUATION": (
        "http2_continuations", lambda: get_frames(1, END_STREAM) + frame(CONTINUATION, 0, 1) * 5_000),
    "HPACK bomb": ("http2_field_section_bytes", bomb),
}


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.limit(FLOODS[name][0])) for name in FLOODS])
def test_a_flood_is_answered_with_goaway_and_counted_and_others_are_served(gateway, name):
    limit, flood = FLOODS[name]
    before = gateway.breaches(limit)
    data = flood()
    with H2(gateway.port) as other, H2(gateway.port) as connection:
        try:
            connection.send(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it hangs up before it has all of it
        connection.closed()
        assert connection.goaways[-1][1] == ENHANCE_YOUR_CALM
        assert other.get("/probe/at-once/x").status == 200
    assert gateway.breaches(limit) == before + 1
    assert gateway.is_running()


def post(stream: int) -> bytes:
    return frame(HEADERS, END_HEADERS, stream, literal(request("POST", "/probe/echo")))


@pytest.mark.parametrize("fault", [
    lambda s: post(s) + frame(HEADERS, END_HEADERS | END_STREAM, s, literal([("Upper", "case")])),
    lambda s: post(s) + frame(HEADERS, END_HEADERS, s, literal([("x", "y")])),
    lambda s: post(s) + window(s, 0x7FFFFFFF),
    lambda s: frame(HEADERS, END_HEADERS, s, literal(request("GET", "x"))),
    lambda s: frame(HEADERS, END_HEADERS, s, literal(request("POST", "/probe/echo", ("content-length", "1")))) + frame(DATA, 0, s, b"xy"),
], ids=["trailers", "second head", "window overflow", "malformed", "length"])
@pytest.mark.limit("http2_resets_per_second")
def test_streams_that_the_server_is_made_to_reset_count_like_those_that_the_client_resets(gateway, fault):
    """CVE-2025-8671"""
    before = gateway.breaches("http2_resets_per_second")
    with H2(gateway.port) as connection:
        with pytest.raises(Gone):
            for stream in range(1, 2_001, 2):
                connection.send(fault(stream))
                assert connection.answer(stream).error in (PROTOCOL_ERROR, FLOW_CONTROL_ERROR)
        assert connection.goaways[-1][1] == ENHANCE_YOUR_CALM and stream < 900
    assert gateway.breaches("http2_resets_per_second") == before + 1


def test_cancelled_work_of_a_flood_does_not_pile_up(gateway):
    """Each reset of a stream ends its request in the plugin's eyes too."""
    before = gateway.metric("sluice_cancelled_requests_total")
    with H2(gateway.port) as connection:
        try:
            connection.send(rapid_resets())
        except (BrokenPipeError, ConnectionResetError):
            pass
        connection.closed()
    assert 0 < gateway.metric("sluice_cancelled_requests_total") - before <= 250


@pytest.mark.limit("http2_streams")
def test_streams_beyond_the_limit_are_refused_and_counted(gateway):
    before = gateway.breaches("http2_streams")
    early = H2(gateway.port, greets=False)
    early.send(PREFACE + settings() + b"".join(get_frames(s, path="/probe/silent") for s in range(1, 43, 2)))
    assert early.answer(41).error == REFUSED_STREAM
    assert early.answer(1).status == 504
    early.socket.close()
    with H2(gateway.port) as late:
        assert late.get("/probe/at-once/x").status == 200
        for _ in range(21):
            late.open(request("GET", "/probe/silent"))
        late.closed()
        assert late.goaways[-1][1] == PROTOCOL_ERROR
    assert gateway.breaches("http2_streams") == before + 2


@pytest.mark.parametrize("fields, status, limit", [
    pytest.param([("x", "y" * 2100)], 431, "header_bytes", marks=pytest.mark.limit("header_bytes")),
    pytest.param([(f"x{i}", "y") for i in range(101)], 431, "header_bytes", marks=pytest.mark.limit("header_bytes")),
    pytest.param(None, 414, "uri_bytes", marks=pytest.mark.limit("uri_bytes")),
])
def test_a_head_that_is_too_large_is_refused_on_its_stream_alone(gateway, fields, status, limit):
    before = gateway.breaches(limit)
    with H2(gateway.port) as connection:
        path = "/probe/at-once/x" if fields else "/" + "x" * 300
        answer = connection.answer(connection.open(request("GET", path, *(fields or ()))))
        assert answer.status == status and answer.error is None
        assert connection.get("/probe/at-once/x").status == 200
    assert gateway.breaches(limit) == before + 1


@MEASURES_MEMORY
@pytest.mark.limit("http2_queue_bytes")
@pytest.mark.limit("write_timeout_ms")
def test_a_peer_that_never_opens_its_window_costs_a_bounded_amount_and_is_reset(gateway):
    waits, cut = gateway.breaches("http2_queue_bytes"), gateway.breaches("write_timeout_ms")
    before = gateway.resident()
    with H2(gateway.port, {INITIAL_WINDOW_SIZE: 0}, reads=False) as connection:
        streams = [connection.open(request("GET", "/openapi.json?app=platform")) for _ in range(20)]
        connection.until(lambda: connection.streams and connection.streams[streams[0]].is_over)
        assert connection.streams[streams[0]].error is not None
        assert gateway.resident() - before < 8 << 20
    assert gateway.breaches("write_timeout_ms") > cut
    assert gateway.breaches("http2_queue_bytes") > waits


def test_requests_that_wait_for_room_are_answered_when_there_is_some(gateway):
    with H2(gateway.port, {INITIAL_WINDOW_SIZE: 0}) as connection:
        streams = [connection.open(request("GET", "/openapi.json?app=platform")) for _ in range(4)]
        connection.send(settings({INITIAL_WINDOW_SIZE: 1 << 20}))
        bodies = {connection.answer(stream).body for stream in streams}
        assert len(bodies) == 1 and len(bodies.pop()) > 10_000


def test_a_request_that_waits_for_its_turn_is_answered_in_time_or_leaves_with_its_client(gateway):
    late, waited = gateway.breaches("request_timeout_ms"), gateway.breaches("http2_queue_bytes")
    cancelled = gateway.metric("sluice_cancelled_requests_total")
    with H2(gateway.port, reads=False) as connection:
        flood = connection.open(request("GET", "/probe/flood"))
        connection.until(lambda: connection.streams.get(flood) and len(connection.streams[flood].body) == 65535)
        waiting = [connection.open(request("GET", f"/probe/at-once/{number}")) for number in range(3)]
        gone = connection.open(request("GET", "/probe/at-once/gone"))
        connection.send(reset(gone))
        for stream in waiting:
            connection.until(lambda: stream in connection.streams and connection.streams[stream].heads)
            assert connection.streams[stream].status == 504
        assert gateway.breaches("http2_queue_bytes") == waited + 4
        assert gateway.breaches("request_timeout_ms") == late + 3
        # The one that left, and where all this has taken a second the flood, which nobody reads.
        assert gateway.metric("sluice_cancelled_requests_total") - cancelled in (1, 2)
        # When there is room again, nothing is left of them.
        connection.send(reset(flood) + window(0, 1 << 20))
        assert connection.get("/probe/at-once/next").body == b"next"


@pytest.mark.limit("write_timeout_ms")
def test_a_window_that_is_opened_by_crumbs_does_not_extend_the_time(gateway):
    before = gateway.breaches("write_timeout_ms")
    with H2(gateway.port, {INITIAL_WINDOW_SIZE: 0}, reads=False) as connection:
        stream = connection.open(request("GET", "/openapi.json?app=platform"))
        connection.until(lambda: stream in connection.streams)
        connection.socket.settimeout(0.2)
        end = time.monotonic() + 8
        while time.monotonic() < end and not connection.streams[stream].is_over:
            connection.send(window(stream, 1))
            time.sleep(0.1)
            try:
                connection.take()
            except TimeoutError:
                pass
        assert connection.streams[stream].error is not None
    assert gateway.breaches("write_timeout_ms") == before + 1


@pytest.mark.limit("write_timeout_ms")
def test_a_peer_that_reads_nothing_is_cut_off(gateway):
    before = gateway.breaches("write_timeout_ms")
    connection = H2(gateway.port, {INITIAL_WINDOW_SIZE: 0x7FFFFFFF}, reads=False, receive_buffer=4096)
    connection.send(window(0, 0x7FFFFFFF - 65535))
    connection.open(request("GET", "/probe/flood"))
    assert eventually(lambda: gateway.breaches("write_timeout_ms") > before, 8)
    connection.socket.close()


@pytest.mark.parametrize("data", [
    PREFACE[:10],
    PREFACE,
    PREFACE + settings() + get_frames(1, END_STREAM),
])
@pytest.mark.limit("header_timeout_ms")
def test_a_preface_or_a_head_that_never_ends_is_not_waited_for(gateway, data):
    before = gateway.breaches("header_timeout_ms")
    with H2(gateway.port, greets=False) as connection:
        connection.is_mute = True
        connection.send(data).closed()
    assert gateway.breaches("header_timeout_ms") == before + 1


@pytest.mark.limit("idle_timeout_ms")
def test_an_idle_connection_is_told_goodbye(gateway):
    before = gateway.breaches("idle_timeout_ms")
    with H2(gateway.port) as connection:
        assert connection.get("/probe/at-once/x").status == 200
        connection.closed()
        assert connection.goaways[-1] == (1, NO_ERROR)
    assert gateway.breaches("idle_timeout_ms") == before + 1


def test_pings_do_not_keep_an_idle_connection(gateway):
    with H2(gateway.port) as connection:
        connection.socket.settimeout(0.1)
        end = time.monotonic() + 8
        with pytest.raises(Gone):
            while time.monotonic() < end:
                connection._try(frame(PING, 0, 0, b"12345678"))
                try:
                    connection.take()
                except TimeoutError:
                    pass


@pytest.mark.limit("body_timeout_ms")
def test_a_body_that_trickles_on_a_stream_ends_that_alone(gateway):
    before = gateway.breaches("body_timeout_ms")
    with H2(gateway.port) as connection:
        stream = connection.open(request("POST", "/probe/echo"), body=None)
        for _ in range(12):
            connection.send(frame(DATA, 0, stream, b"x" * 64))
            time.sleep(0.15)
        assert connection.answer(stream).status == 408
        assert connection.get("/probe/at-once/x").status == 200
    assert gateway.breaches("body_timeout_ms") == before + 1


@pytest.mark.limit("body_timeout_ms")
@pytest.mark.limit("request_timeout_ms")
def test_a_body_that_stalls_and_a_plugin_that_never_answers_end_their_streams_alone(gateway):
    body, late = gateway.breaches("body_timeout_ms"), gateway.breaches("request_timeout_ms")
    with H2(gateway.port) as connection:
        stalled = connection.open(request("POST", "/probe/echo"), body=None)
        connection.send(frame(DATA, 0, stalled, b"x"))
        silent = connection.open(request("GET", "/probe/silent"))
        assert connection.answer(stalled).status == 408
        assert connection.answer(silent).status == 504
        assert connection.get("/probe/at-once/x").status == 200
    assert gateway.breaches("body_timeout_ms") == body + 1
    assert gateway.breaches("request_timeout_ms") == late + 1
