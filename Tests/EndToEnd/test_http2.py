"""HTTP/2 on the wire: clients that we did not write, streams side by side, bodies both ways, and how it all ends."""

import json
import re
import select
import shutil
import socket
import struct
import subprocess

import h2.config
import h2.connection
import h2.events
import pytest
import requests

from http2 import (
    DATA, ENABLE_CONNECT_PROTOCOL, END_HEADERS, END_STREAM, HEADERS, INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS, NO_ERROR, PRIORITY, RST_STREAM, Gone, H2, PREFACE, frame,
    literal, request, reset, settings, window,
)
from program import eventually, shared
from wire import Wire, get
from workshop import with_plugins


@pytest.fixture(scope="module")
def probe(tmp_path_factory, request, probe_folder):
    """A gateway with the probe, on one loop."""
    yield from shared(tmp_path_factory.mktemp("probe"), request, with_plugins(probe_folder), ["--loops", "1"])


def curl(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["curl", "-sS", "--http2-prior-knowledge", "--max-time", "20", *map(str, arguments)], capture_output=True)


needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
needs_h2load = pytest.mark.skipif(not shutil.which("h2load"), reason="h2load is not installed (nghttp2-client)")


@needs_curl
def test_curl_reads_and_posts(conformance, tmp_path):
    got = curl("-i", conformance.url + "/")
    head, body = got.stdout.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/2 200") and body == b"ok\n"
    assert b"transfer-encoding" not in head and b"connection" not in head
    large = tmp_path / "large"
    large.write_bytes(b"x" * 12_000_000)
    assert json.loads(curl("--data-binary", f"@{large}", conformance.url + "/").stdout) == {"received": 12_000_000}
    made = curl("-w", "%{http_code}", "--data-binary", "row", conformance.url + "/durable").stdout
    assert made.endswith(b"201")


@needs_curl
def test_curl_hears_why_its_upload_is_refused(conformance, tmp_path):
    large = tmp_path / "large"
    large.write_bytes(b"x" * 2_000_000)
    got = curl("-w", "%{http_code}", "-T", large, "-X", "POST", conformance.url + "/nowhere/")
    assert got.stdout.endswith(b"404") and b"not_found" in got.stdout


@needs_curl
def test_curl_gets_a_head_without_a_body_and_an_answer_without_content(conformance):
    got = curl("-I", conformance.url + "/healthz").stdout
    assert got.startswith(b"HTTP/2 200") and b"content-length: 15" in got
    assert curl("-w", "%{http_code}", "-o", "/dev/null", conformance.url + "/nowhere").stdout == b"404"


@needs_h2load
def test_h2load_gets_every_answer(conformance):
    got = subprocess.run(
        ["h2load", "-n", "20000", "-c", "20", "-m", "50", conformance.url + "/"], capture_output=True, text=True)
    assert "20000 succeeded, 0 failed, 0 errored" in got.stdout, got.stdout


@needs_h2load
def test_h2load_posts_with_small_windows(conformance, tmp_path):
    body = tmp_path / "body"
    body.write_bytes(b"y" * 200_000)
    got = subprocess.run(
        ["h2load", "-n", "200", "-c", "4", "-m", "10", "-w", "10", "-W", "12", "-d", body, conformance.url + "/"],
        capture_output=True, text=True)
    assert "200 succeeded, 0 failed, 0 errored" in got.stdout, got.stdout


def test_the_client_of_the_package_h2_gets_interleaved_answers(conformance):
    """A peer that checks what we send against the RFC."""
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
    connection.initiate_connection()
    with socket.create_connection(("127.0.0.1", conformance.port), 10) as wire:
        bodies = {2 * index + 1: b"z" * (index * 3000) for index in range(10)}
        for stream, body in bodies.items():
            fields = [(":method", "POST"), (":scheme", "http"), (":authority", "a"), (":path", "/")]
            connection.send_headers(stream, fields, end_stream=not body)
        left = dict(bodies)
        got, ended = {}, set()
        while len(ended) < len(bodies):
            for stream, body in left.items():
                if body:
                    size = min(1000, connection.local_flow_control_window(stream), len(body))
                    if size:
                        connection.send_data(stream, body[:size], end_stream=size == len(body))
                        left[stream] = body[size:]
            wire.sendall(connection.data_to_send())
            if not select.select([wire], [], [], 0.01 if any(left.values()) else 10)[0]:
                continue
            for event in connection.receive_data(wire.recv(65536)):
                if isinstance(event, h2.events.DataReceived):
                    got[event.stream_id] = got.get(event.stream_id, b"") + event.data
                elif isinstance(event, h2.events.StreamEnded):
                    ended.add(event.stream_id)
        assert {stream: json.loads(body)["received"] for stream, body in got.items()} == {
            stream: len(body) for stream, body in bodies.items()}


def test_the_settings_say_what_the_gateway_takes(probe):
    with H2(probe.port) as connection:
        assert connection.settings[MAX_CONCURRENT_STREAMS] == 128
        assert connection.settings[ENABLE_CONNECT_PROTOCOL] == 1
        assert connection.settings[9] == 1, "SETTINGS_NO_RFC7540_PRIORITIES"


def test_upgrade_from_http_1_is_ignored(probe):
    """RFC 9113 §3.1"""
    with Wire(probe.port) as wire:
        fields = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA")
        assert wire.send(get("/healthz", *fields)).answer().status == 200


def test_the_preface_counts_only_as_the_first_bytes_of_a_connection(probe):
    with Wire(probe.port) as wire:
        assert wire.send(get("/healthz")).answer().status == 200
        assert wire.send(PREFACE + settings()).answer().status == 400
        assert wire.is_closed()


@pytest.mark.parametrize("step", [1, 3, 7, 20])
def test_the_preface_and_a_request_may_come_in_pieces(probe, step):
    with H2(probe.port, greets=False) as connection:
        data = PREFACE + settings() + frame(HEADERS, END_HEADERS | END_STREAM, 1, literal(request("GET", "/healthz")))
        for start in range(0, len(data), step):
            connection.send(data[start:start + step])
        assert connection.answer(1).status == 200


def test_an_answer_has_the_same_fields_and_log_line_as_over_http_1(probe):
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with H2(probe.port) as connection:
        answer = connection.get("/probe/at-once/x?a=b", ("x-request-id", "mine-1"), ("traceparent", trace))
        plain = requests.get(probe.url + "/probe/at-once/x?a=b")
        names = {name for name in answer.heads[0] if not name.startswith(":")}
        assert names == {name.lower() for name in plain.headers}
        assert answer.heads[0]["x-request-id"] == "mine-1"
        line = probe.access("mine-1")
        assert line["protocol"] == "HTTP/2.0" and line["method"] == "GET" and line["path"] == "/probe/at-once/x"
        assert line["status"] == 200 and line["trace_id"] == trace[3:35] and line["tenant"] == "platform"
        made = connection.get("/probe/at-once/x").heads[0]["x-request-id"]
        assert re.fullmatch("[0-9a-hjkmnp-tv-z]{26}", made)


def test_fields_reach_the_plugin_and_come_back(probe):
    with H2(probe.port) as connection:
        answer = connection.answer(connection.open(request("POST", "/probe/echo"), b"hello"))
        assert answer.status == 200 and answer.body == b"hello"
        answer = connection.answer(connection.open(request("POST", "/probe/checked", ("content-type", "text/html")), b"x"))
        assert answer.status == 415 and answer.json()["code"] == "unsupported_media_type"
        answer = connection.answer(
            connection.open(request("POST", "/probe/checked", ("content-type", "application/json")), b'{"name":""}'))
        assert answer.status == 400 and answer.json()["errors"][0]["pointer"] == "/name"


def test_streams_are_answered_in_the_order_in_which_they_are_ready(probe):
    with H2(probe.port) as connection:
        late = connection.open(request("GET", "/probe/later"))
        soon = connection.open(request("GET", "/probe/at-once/x"))
        assert connection.answer(soon).status == 200
        assert not connection.streams.get(late)
        assert connection.answer(late).body == b"later"


def test_an_answer_in_pieces_arrives_whole(probe):
    plain = requests.get(probe.url + "/probe/pieces")
    with H2(probe.port) as connection:
        answer = connection.get("/probe/pieces")
        assert answer.status == 200 and answer.body == plain.content
        assert answer.heads[0].get("content-length") == plain.headers.get("content-length")


@pytest.mark.parametrize("size", [1, 1000, 16384])
def test_an_answer_waits_for_the_window_of_its_stream(probe, size):
    with H2(probe.port, {INITIAL_WINDOW_SIZE: 0}) as connection:
        stream = connection.open(request("GET", "/openapi.json?app=platform"))
        connection.until(lambda: stream in connection.streams)
        assert connection.streams[stream].body == b""
        connection.reads = False
        while not connection.streams[stream].is_over:
            before = len(connection.streams[stream].body)
            connection.send(window(stream, size) + window(0, size))
            connection.until(
                lambda: len(connection.streams[stream].body) > before or connection.streams[stream].is_over)
            assert len(connection.streams[stream].body) - before <= size
            if size == 1 and before > 100:
                return
        assert connection.streams[stream].body == requests.get(probe.url + "/openapi.json?app=platform").content


def test_a_streamed_body_is_taken_as_the_plugin_reads_and_no_faster(probe):
    with H2(probe.port) as connection:
        body = bytes(range(256)) * 8192
        answer = connection.answer(connection.open(request("POST", "/probe/stream"), body))
        assert answer.status == 200
        over_http_1 = requests.post(probe.url + "/probe/stream", data=body)
        assert answer.body == over_http_1.content


def test_a_body_beyond_its_limit_is_refused_while_it_comes_and_the_connection_lives(probe):
    with H2(probe.port) as connection:
        stream = connection.open(request("POST", "/probe/echo"), body=None)
        connection.data(stream, b"x" * 65_000, ends=False)
        connection.data(stream, b"x" * 1_000, ends=False)
        answer = connection.answer(stream)
        assert answer.status == 413 and answer.json()["code"] == "payload_too_large"
        announced = connection.open(request("POST", "/probe/echo", ("content-length", "70000")), body=None)
        assert connection.answer(announced).status == 413
        # A while later the client is asked to stop.
        connection.until(lambda: RST_STREAM in connection.streams[announced].frames)
        assert connection.streams[announced].error is None
        assert connection.get("/healthz").status == 200


def test_a_client_that_waits_to_send_its_body_is_told_to(probe):
    with H2(probe.port) as connection:
        stream = connection.open(request("POST", "/probe/echo", ("expect", "100-continue")), body=None)
        connection.until(lambda: stream in connection.streams and connection.streams[stream].heads)
        assert connection.streams[stream].status == 100
        connection.data(stream, b"hello")
        assert connection.answer(stream).body == b"hello"
        refused = connection.open(
            request("POST", "/probe/echo", ("expect", "100-continue"), ("content-length", "70000")), body=None)
        assert [head[":status"] for head in connection.answer(refused).heads] == ["413"]


def test_trailers_end_a_body(probe):
    with H2(probe.port) as connection:
        stream = connection.open(request("POST", "/probe/echo"), body=None)
        connection.send(frame(DATA, 0, stream, b"sum"))
        connection.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, literal([("x-sum", "1")])))
        assert connection.answer(stream).body == b"sum"


def test_a_head_request_gets_the_length_and_no_body(probe):
    with H2(probe.port) as connection:
        answer = connection.answer(connection.open(request("HEAD", "/healthz")))
        assert answer.status == 200 and answer.heads[0]["content-length"] == "15" and answer.body == b""


def test_priorities_are_ignored(probe):
    """RFC 9113 §5.3, RFC 9218"""
    with H2(probe.port) as connection:
        connection.send(frame(PRIORITY, 0, 5, struct.pack(">IB", 0x8000_0003, 200)))
        connection.send(frame(16, 0, 0, struct.pack(">I", 7) + b"u=0, i"))
        assert connection.get("/healthz", ("priority", "u=9, i=?1, nonsense")).status == 200
        with_priority = struct.pack(">IB", 0, 255) + literal(request("GET", "/healthz"))
        connection.send(frame(HEADERS, END_HEADERS | END_STREAM | 0x20, 101, with_priority))
        assert connection.answer(101).status == 200


def test_a_stream_may_be_reset_at_each_stage(probe):
    before = probe.metric("sluice_cancelled_requests_total")
    with H2(probe.port, {INITIAL_WINDOW_SIZE: 10}) as connection:
        receiving = connection.open(request("POST", "/probe/echo"), body=None)
        connection.send(frame(DATA, 0, receiving, b"some") + reset(receiving))
        handled = connection.open(request("GET", "/probe/silent"))
        connection.send(reset(handled))
        answered = connection.open(request("GET", "/openapi.json?app=platform"))
        connection.until(lambda: answered in connection.streams and connection.streams[answered].body)
        connection.send(reset(answered))
        streamed = connection.open(request("GET", "/probe/flood"))
        connection.until(lambda: streamed in connection.streams and connection.streams[streamed].body)
        connection.send(reset(streamed))
        opened = connection.open(request("POST", "/probe/stream"), body=None)
        connection.send(frame(DATA, 0, opened, b"some") + reset(opened))
        assert connection.get("/healthz").status == 200
    assert probe.metric("sluice_cancelled_requests_total") == before + 4


def test_a_peer_that_leaves_with_streams_open_leaves_nothing_behind(probe):
    descriptors = probe.descriptors()
    for _ in range(20):
        connection = H2(probe.port)
        for path in ("/probe/silent", "/probe/flood", "/probe/later"):
            connection.open(request("GET", path))
        connection.open(request("POST", "/probe/stream"), body=None)
        connection.socket.close()
    assert eventually(lambda: probe.descriptors() <= descriptors, 10)
    with H2(probe.port) as connection:
        assert connection.get("/healthz").status == 200


def test_a_plugin_that_sends_less_than_it_announced_resets_its_stream_alone(probe):
    with H2(probe.port) as connection:
        answers = [connection.answer(connection.open(request("GET", path))) for path in ("/probe/nothing", "/probe/broken")]
        plain = [requests.get(probe.url + path).status_code for path in ("/probe/nothing", "/probe/broken")]
        assert [answer.status for answer in answers] == plain
        assert connection.get("/healthz").status == 200


def test_sigterm_lets_streams_end_and_says_which_was_the_last(sluice, probe_folder):
    gateway = sluice(with_plugins(probe_folder), ["--loops", 1])
    with H2(gateway.port) as connection, H2(gateway.port) as idle:
        waiting = connection.open(request("GET", "/probe/later"))
        assert connection.get("/probe/at-once/x").status == 200
        gateway.terminate()
        connection.until(lambda: connection.goaways)
        assert connection.goaways[0] == (0x7FFFFFFF, NO_ERROR)
        late = connection.open(request("GET", "/probe/later"))
        assert connection.answer(waiting).body == b"later"
        connection.closed()
        last, code = connection.goaways[-1]
        assert code == NO_ERROR and last in (waiting + 2, late)
        assert (connection.streams.get(late) is not None) == (last == late), "what is named as taken is answered"
        idle.closed()
        assert idle.goaways[-1] == (0, NO_ERROR)
    assert gateway.wait() == 0


def test_a_peer_that_never_answers_does_not_hold_up_the_end(sluice, probe_folder):
    gateway = sluice(with_plugins(probe_folder), ["--loops", 1])
    deaf = H2(gateway.port)
    gateway.terminate()
    assert gateway.wait() == 0
    deaf.socket.close()


def test_kill_with_streams_open_is_an_end_for_the_client_and_the_next_start_serves(sluice, probe_folder):
    gateway = sluice(with_plugins(probe_folder), ["--loops", 1])
    with H2(gateway.port) as connection:
        stream = connection.open(request("GET", "/probe/silent"))
        gateway.kill()
        with pytest.raises(Gone):
            connection.answer(stream)
    gateway.start()
    with H2(gateway.port) as connection:
        assert connection.get("/healthz").status == 200
