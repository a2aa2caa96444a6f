"""Plugins with a part in the requests of others: who comes first, who refuses, who waits, who adds, who counts."""

import json
import socket
import struct
import time

import pytest

from client import Account
from http2 import H2, request
from program import eventually, run, shared
from sanitizer import MEASURES_MEMORY
from test_plugins import refused
from wire import BINARY, CLOSE, RawSocket, Wire, ask, frame, get, handshake
from workshop import lay_out, lay_out_phases, phases_manifest, with_plugins


@pytest.fixture(scope="module")
def phases(tmp_path_factory, request, probe_library):
    """The plugins `first` and `second`, with parts in every phase, and the probe, whose requests they see.

    By their ids `first` would come first; the manifests say otherwise where it is written.
    """
    folder = tmp_path_factory.mktemp("phased")
    lay_out(folder, probe_library)
    lay_out_phases(folder, "first", limit={"after": ["second"]})
    lay_out_phases(folder, "second", respond={"before": ["first"]}, observe={"routes": ["/second", "probeAtOnce"]})
    yield from shared(
        tmp_path_factory.mktemp("phases"), request, with_plugins(folder), ["--loops", "1"],
        limits={"request_timeout_ms": 1200, "body_timeout_ms": 1500})


def fields(answer, name: str) -> list[str]:
    return [value for key, value in answer.fields if key.lower() == name]


def post(path: str, body: bytes, *more: str) -> bytes:
    return get(path, *more, method="POST", body=body)


def metric(gateway, name: str, plugin="first") -> float:
    return gateway.metric(f"sluice_{plugin}_{name}")


@pytest.fixture(autouse=True)
def never_nested(request):
    """No plugin is called from inside a call of its own, whatever a test does."""
    yield
    if "phases" in request.fixturenames:
        gateway = request.getfixturevalue("phases")
        for plugin in ("first", "second"):
            assert metric(gateway, "nested", plugin) == 0


def test_the_order_is_by_before_and_after_else_by_id(phases):
    answer = ask(phases.port, get("/probe/at-once/x"))
    assert answer.status == 200 and answer.body == b"x"
    assert fields(answer, "x-authorized") == ["first probe probeAtOnce", "second probe probeAtOnce"]
    assert fields(answer, "x-metered") == ["second anonymous", "first anonymous"]
    assert fields(answer, "x-stamped") == ["second 200", "first 200"]


def test_a_refusal_is_the_problem_of_its_status_and_nobody_after_it_is_asked(phases):
    answer = ask(phases.port, get("/probe/at-once/x?first=deny"))
    assert answer.status == 403 and answer.json()["code"] == "forbidden"
    assert fields(answer, "x-authorized") == ["first probe probeAtOnce"]
    assert fields(answer, "x-metered") == []
    assert fields(answer, "x-stamped") == ["second 403", "first 403"]
    limited = ask(phases.port, get("/probe/at-once/x?second=meter"))
    assert limited.status == 429 and limited.json()["code"] == "rate_limited"
    assert fields(limited, "x-metered") == ["second anonymous"]
    unknown = ask(phases.port, get("/probe/at-once/x?first=unknown"))
    assert unknown.status == 500 and unknown.json()["code"] == "internal"


def test_a_part_may_answer_itself_but_only_in_one_piece(phases):
    answer = ask(phases.port, get("/probe/at-once/x?second=answer"))
    assert answer.status == 202 and answer.body == b"answered by second"
    assert fields(answer, "x-stamped") == ["second 202", "first 202"]
    assert ask(phases.port, get("/probe/at-once/x?second=begin")).body == b"x"


@pytest.mark.parametrize("how", ["timer", "worker", "at_once"])
def test_a_request_waits_until_the_plugin_lets_it_proceed(phases, how):
    answer = ask(phases.port, get(f"/probe/at-once/name%20kept?first={how}&second={how}"))
    assert answer.status == 200 and answer.body == b"name kept"
    assert fields(answer, "x-authorized") == ["first probe probeAtOnce", "second probe probeAtOnce"]
    assert fields(answer, "x-metered") == ["second anonymous", "first anonymous"]


def test_a_plugin_may_refuse_after_it_has_waited(phases):
    answer = ask(phases.port, get("/probe/at-once/x?first=timer_deny"))
    assert answer.status == 403 and answer.json()["code"] == "later_no"
    assert fields(answer, "x-stamped") == ["second 403", "first 403"]


@pytest.mark.parametrize("size", [0, 5, 60_000, 900_000])
def test_a_body_comes_whole_to_a_request_that_has_waited(phases, size):
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    for wish in ("timer", "meter_timer"):
        assert ask(phases.port, post(f"/first/echo?first={wish}", body)).body == body


def test_a_streamed_body_comes_whole_to_a_request_that_has_waited(phases):
    body = b"0123456789abcdef" * 20_000
    answer = ask(phases.port, post("/probe/stream?first=timer&second=meter_timer", body))
    assert answer.status == 200 and answer.body == body
    assert fields(answer, "x-stamped") == ["second 200", "first 200"]


def test_requests_in_a_row_keep_their_order_while_one_waits(phases):
    with Wire(phases.port) as wire:
        wire.send(get("/probe/at-once/1?first=timer") + get("/probe/at-once/2?first=deny") + get("/first/later")
                  + post("/first/echo?second=meter_timer", b"4") + get("/probe/at-once/5"))
        assert wire.answer().body == b"1"
        assert wire.answer().status == 403
        assert wire.answer().body == b"later"
        assert wire.answer().body == b"4"
        assert wire.answer().body == b"5"


def test_a_part_that_never_decides_is_cut_off_with_504_and_told(phases):
    before = metric(phases, "cancelled")
    answer = ask(phases.port, get("/probe/at-once/x?first=never"))
    assert answer.status == 504 and answer.json()["code"] == "deadline_exceeded"
    assert fields(answer, "x-stamped") == ["second 504", "first 504"]
    assert metric(phases, "cancelled") == before + 1


def test_the_time_for_an_answer_is_one_over_all_that_the_request_waits_for(phases):
    """Each part takes less than the limit, and the handler too; together they take more."""
    answer = ask(phases.port, get("/probe/later?first=slower&second=slower"))
    assert answer.status == 504 and answer.json()["code"] == "deadline_exceeded"


def test_an_answer_in_pieces_that_begins_as_its_time_ends_is_given_whole_and_its_writer_hears(phases):
    written = metric(phases, "written")
    with Wire(phases.port) as wire:
        answer = wire.send(get("/first/late-pieces")).answer()
        assert answer.status == 200 and answer.body == b"x" * 400_000
        assert wire.send(get("/probe/at-once/next")).answer().body == b"next"
    assert metric(phases, "written") == written + 1


def test_a_read_that_waits_when_the_request_is_answered_is_ended(phases):
    unread = metric(phases, "unread")
    head = b"POST /first/left-read HTTP/1.1\r\nHost: sluice.test\r\nContent-Length: 10\r\n\r\n"
    with Wire(phases.port) as wire:
        assert wire.send(head).answer().body == b"later"
    with H2(phases.port) as connection:
        stream = connection.open(request("POST", "/first/left-read"), body=None)
        assert connection.answer(stream).body == b"later"
    assert eventually(lambda: metric(phases, "unread") == unread + 2)


@pytest.mark.parametrize("wishes", ["first=timer", "second=meter_timer", "first=slow&second=meter_timer"])
@pytest.mark.parametrize("path", ["/first/echo", "/probe/stream"])
def test_a_client_that_has_said_all_it_will_say_still_gets_its_answer(phases, path, wishes):
    body = b"0123456789" * 3_000
    with Wire(phases.port) as wire:
        wire.send(post(f"{path}?{wishes}", body)).finish()
        assert wire.answer().body == body
        assert wire.is_closed()
    chunked = b"POST " + path.encode() + f"?{wishes}".encode() + b""" HTTP/1.1\r
Host: sluice.test\r
Transfer-Encoding: chunked\r
\r
5\r
hello\r
0\r
\r
"""
    with Wire(phases.port) as wire:
        assert wire.send(chunked).finish().answer().body == b"hello"


@pytest.mark.parametrize("path", ["/first/echo", "/probe/stream"])
@pytest.mark.parametrize("wish", ["first=timer", "none=at-all"])
def test_a_client_that_ends_before_its_body_does_is_not_waited_for(phases, path, wish):
    head = f"POST {path}?{wish} HTTP/1.1\r\nHost: sluice.test\r\nContent-Length: 10\r\n\r\n12345"
    before = phases.metric("sluice_cancelled_requests_total")
    with Wire(phases.port) as wire:
        wire.send(head).finish().rest()
    assert eventually(lambda: phases.metric("sluice_cancelled_requests_total") == before + 1)


@MEASURES_MEMORY
def test_messages_that_come_while_a_handshake_is_decided_are_kept_within_bounds(phases):
    resident = phases.resident()
    with Wire(phases.port) as wire:
        wire.send(handshake("/first/socket?first=slow"))
        wire.socket.setblocking(False)
        message, sent = frame(BINARY, b"x" * 60_000), 0
        try:
            while sent < 1 << 30:
                sent += wire.socket.send(message[sent % len(message):])
        except BlockingIOError:
            pass  # the gateway reads no more, and the kernels are full
        assert sent < 1 << 28
        assert phases.resident() - resident < 8 << 20
        wire.socket.setblocking(True)
        wire.socket.settimeout(10)
        assert wire.answer().status == 101
        assert RawSocket.receive(wire) == (BINARY, b"x" * 60_000)


def test_what_a_plugin_sends_before_the_handshake_is_answered_is_bounded_like_any_queue(phases):
    before = phases.metric("sluice_limit_breaches_total", '{limit="websocket_queue_bytes"}')
    with RawSocket(phases.port, "/first/socket?flood=yes") as client:
        count = 0
        while (message := client.receive())[0] == BINARY:
            assert message[1] == bytes(65536)
            count += 1
        assert message[0] == CLOSE and message[1] == struct.pack(">H", 3008) + b"slow"
        assert count == 16  # as much as the bound, and the one that passed it
    assert phases.metric("sluice_limit_breaches_total", '{limit="websocket_queue_bytes"}') == before + 1


def test_a_client_that_leaves_while_a_part_decides_leaves_nothing_behind(phases):
    cancelled, observed, descriptors = metric(phases, "cancelled"), metric(phases, "observed"), phases.descriptors()
    for _ in range(20):
        with Wire(phases.port) as wire:
            wire.send(get("/probe/at-once/x?first=slow"))
            time.sleep(0.02)
            # Closed with a reset, so that the gateway knows at once.
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert eventually(lambda: metric(phases, "cancelled") == cancelled + 20)
    assert metric(phases, "observed") == observed + 20
    time.sleep(1)  # the plugin lets tokens proceed that are dead
    assert ask(phases.port, get("/probe/at-once/alive")).body == b"alive"
    assert phases.descriptors() <= descriptors + 2


def test_refusals_of_the_host_are_seen_and_completed(phases):
    answer = ask(phases.port, get("/first/keyed"))
    assert answer.status == 401
    assert fields(answer, "x-authorized") == [] and fields(answer, "x-stamped") == ["second 401", "first 401"]
    large = ask(phases.port, b"POST /first/echo HTTP/1.1\r\nHost: sluice.test\r\nContent-Length: 1048577\r\n\r\n")
    assert large.status == 413 and fields(large, "x-stamped") == ["second 413", "first 413"]


def test_what_has_no_route_has_no_phases(phases):
    observed = metric(phases, "observed")
    for path in ("/nowhere", "/healthz"):
        assert fields(ask(phases.port, get(path)), "x-stamped") == []
    assert metric(phases, "observed") == observed


def test_what_is_observed_is_the_answer_as_it_went_out(phases):
    observed, statuses, sent, time_spent = (metric(phases, name) for name in ("observed", "status_sum", "bytes", "ns"))
    answer = ask(phases.port, get("/first/later"))
    assert answer.body == b"later"
    assert metric(phases, "observed") == observed + 1 and metric(phases, "status_sum") == statuses + 200
    line = phases.access(answer["x-request-id"])
    assert metric(phases, "bytes") - sent == line["bytes"]
    assert metric(phases, "ns") - time_spent >= 15_000_000  # most of the timer's 20 ms


def test_routes_narrow_a_part_to_operations_and_paths(phases):
    observed = metric(phases, "observed", "second")
    ask(phases.port, get("/first/later"))
    ask(phases.port, get("/probe/config"))
    assert metric(phases, "observed", "second") == observed
    ask(phases.port, get("/second/later"))
    ask(phases.port, get("/probe/at-once/x"))
    assert metric(phases, "observed", "second") == observed + 2


def test_an_answer_in_pieces_is_completed_before_its_head_and_observed_at_its_end(phases):
    for path, body in (("/first/pieces", b"one two"), ("/probe/pieces", b"one two three")):
        observed, sent = metric(phases, "observed"), metric(phases, "bytes")
        answer = ask(phases.port, get(path))
        assert answer.status == 200 and answer.body == body
        assert fields(answer, "x-stamped") == ["second 200", "first 200"]
        assert eventually(lambda: metric(phases, "observed") == observed + 1)  # noqa: B023
        assert metric(phases, "bytes") - sent == phases.access(answer["x-request-id"])["bytes"]


def test_a_flood_in_pieces_is_bounded_and_observed_when_its_peer_has_gone(phases):
    observed = metric(phases, "observed")
    with Wire(phases.port, receive_buffer=4096) as wire:
        wire.send(get("/probe/flood?second=timer"))
        assert len(wire.read(1 << 20)) == 1 << 20
    assert eventually(lambda: metric(phases, "observed") == observed + 1)


def test_a_websocket_passes_all_phases_at_its_handshake(phases):
    observed, statuses = metric(phases, "observed"), metric(phases, "status_sum")
    opened = RawSocket(phases.port, "/first/socket?first=timer&second=worker")
    assert [value for key, value in opened.opening.fields if key.lower() == "x-stamped"] == ["second 101", "first 101"]
    assert metric(phases, "observed") == observed + 1 and metric(phases, "status_sum") == statuses + 101
    opened.socket.close()
    assert ask(phases.port, handshake("/first/socket?second=deny")).status == 403


def test_a_tenant_without_the_plugin_is_not_touched_and_one_that_waits_outlives_the_switch(phases):
    owner = Account(phases.url)
    one, other = owner.app("One"), owner.app("Other")
    with Wire(phases.port) as wire:
        assert ask(phases.port, get(f"/probe/at-once/x?app={one.id}")).status == 200
        wire.send(get(f"/probe/at-once/kept?app={one.id}&first=slow"))
        time.sleep(0.2)
        one.set_plugin("first", enabled=False)
        one.set_plugin("second", enabled=False)
        bare = ask(phases.port, get(f"/probe/at-once/x?app={one.id}&first=deny"))
        assert bare.status == 200 and fields(bare, "x-stamped") == []
        assert ask(phases.port, get(f"/probe/at-once/x?app={other.id}&first=deny")).status == 403
        answer = wire.answer()
    assert answer.body == b"kept" and fields(answer, "x-stamped") == ["second 200", "first 200"]


def test_a_request_that_waits_is_answered_when_the_gateway_drains(sluice, tmp_path, probe_library):
    lay_out(tmp_path / "plugins", probe_library)
    lay_out_phases(tmp_path / "plugins")
    gateway = sluice(with_plugins(tmp_path / "plugins"), ["--loops", 1])
    with Wire(gateway.port) as wire:
        wire.send(get("/probe/at-once/x?first=slow"))
        time.sleep(0.2)
        gateway.terminate()
        answer = wire.answer()
        assert answer.body == b"x" and answer["connection"] == "close"
    assert gateway.wait() == 0


# -- what is refused before anything is served


def bent(tmp_path, *needles, **changes):
    """What is said of the plugin with these changes in its manifest."""
    lay_out_phases(tmp_path / "plugins", manifest={**phases_manifest(), **changes})
    return refused(tmp_path, *needles)


def test_a_phase_that_is_not_a_plugins_is_refused_with_what_to_do(tmp_path):
    bent(tmp_path / "identify", "plugin.json:", "/phases/0/phase", "sluice.authenticator/1",
         phases=[{"phase": "identify", "handler": "gate"}])
    bent(tmp_path / "handle", "plugin.json:", "/phases/0/phase", "declare a route",
         phases=[{"phase": "handle", "handler": "gate"}])


def test_a_handler_of_another_phase_is_refused_with_its_place(tmp_path):
    bent(tmp_path, "plugin.json:", "/phases/0", "\"meter\" of the phase authorize",
         phases=[{"phase": "authorize", "handler": "meter"}])


def test_parts_without_the_capability_are_refused(tmp_path):
    capabilities = [name for name in phases_manifest()["capabilities"] if name != "sluice.phases/1"]
    bent(tmp_path, "plugin.json:", "/phases", "needs sluice.phases/1", capabilities=capabilities)


def test_parts_that_the_operator_does_not_grant_are_refused_with_their_place(tmp_path):
    lay_out_phases(tmp_path / "plugins")
    configuration = with_plugins(tmp_path / "plugins")
    configuration["plugins"]["grants"] = {"first": ["sluice.http/1", "sluice.websocket/1"]}
    configuration["listeners"] = [{"address": "127.0.0.1:0"}]
    (tmp_path / "sluice.json").write_text(json.dumps(configuration))
    for command in (["check"], ["serve", "--data", tmp_path / "data"]):
        done = run(*command, "--config", tmp_path / "sluice.json")
        text = done.stdout + done.stderr
        assert done.returncode == 1
        assert "plugin.json:" in text and "/phases/0" in text and "does not grant" in text, text


def test_a_circle_of_before_and_after_is_refused_with_its_path(tmp_path):
    lay_out_phases(tmp_path / "plugins", "first", authorize={"after": ["second"]})
    lay_out_phases(tmp_path / "plugins", "second", authorize={"after": ["first"]})
    refused(tmp_path, "plugin.json:", "/phases/0", "first → second → first")
