"""HTTP/1.1 on the wire (RFC 9112, RFC 9110), through plugins and the contract.

What is malformed or odd in one request is a row of Tests/Conformance/http1_rows.py.
"""

import re
import time

import pytest

from sanitizer import MEASURES_MEMORY
from wire import Closed, Wire, ask, get
from workshop import conformance_configuration

HELLO = {"message": "hello, world"}


def hello(path="/hello/swift", *fields, **options) -> bytes:
    return get(path, *fields, **options)


# -- connections


@pytest.mark.parametrize("path", ["/hello/c", "/hello/swift", "/hello/swift-async", "/hello/rust"])
def test_a_plugin_in_each_language_answers_through_the_same_contract(conformance, path):
    answer = ask(conformance.port, hello(path))
    assert answer.status == 200 and answer.json() == HELLO
    assert answer["content-type"].startswith("application/json") and answer["date"] and answer["x-request-id"]


def test_the_root_answers_as_conformance_tools_expect(conformance):
    assert ask(conformance.port, get("/")).status == 200
    answer = ask(conformance.port, get("/", method="POST", body=b"x" * 100_000))
    assert answer.status == 200 and answer.json() == {"received": 100_000}


def test_a_connection_is_kept_for_the_next_request_until_the_client_says_close(conformance):
    with Wire(conformance.port) as wire:
        for _ in range(3):
            assert wire.send(hello()).answer().status == 200
        answer = wire.send(hello("/hello/swift", "Connection: close")).answer()
        assert answer.status == 200 and answer["connection"] == "close"
        assert wire.is_closed()


def test_a_client_that_shuts_its_side_still_gets_its_answer(conformance):
    with Wire(conformance.port) as wire:
        assert wire.send(hello("/hello/swift-async")).finish().answer().json() == HELLO
        assert wire.is_closed()


def test_a_client_that_shuts_its_side_behind_a_whole_body_gets_its_answer_even_from_an_app_that_is_not_open_yet(sluice):
    gateway = sluice(conformance_configuration(), ["--loops", "1"])
    with Wire(gateway.port) as wire:
        assert wire.send(get("/mirror", method="POST", body=b"whole")).finish().answer().body == b"whole"
        assert wire.is_closed()


def test_a_streamed_body_that_is_whole_is_streamed_though_the_client_has_shut_its_side(probe):
    body = bytes(range(256)) * 64
    for data in (get("/probe/stream", method="POST", body=body),
                 b"POST /probe/stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4000\r\n" + body + b"\r\n0\r\n\r\n"):
        with Wire(probe.port) as wire:
            assert wire.send(data).finish().answer().body == body
            assert wire.is_closed()


@pytest.mark.parametrize("path", ["/probe/echo", "/probe/stream"])
def test_a_body_that_is_cut_short_ends_the_connection_at_once_without_a_whole_answer(probe, path):
    with Wire(probe.port, patience=1) as wire:
        with pytest.raises(Closed):
            wire.send(get(path, method="POST", body=b"whole")[:-1]).finish().answer()


def test_a_hundred_requests_in_one_write_are_answered_in_their_order(probe):
    paths = [("/probe/posted/" if number % 3 else "/probe/at-once/") + f"n{number}" for number in range(100)]
    with Wire(probe.port) as wire:
        wire.send(b"".join(get(path) for path in paths))
        answers = [wire.answer() for _ in paths]
    assert [answer.body.decode() for answer in answers] == [f"n{number}" for number in range(100)]


def test_a_slow_answer_holds_back_the_ones_behind_it_and_loses_none(probe):
    with Wire(probe.port) as wire:
        wire.send(get("/probe/later") + get("/probe/at-once/second") + get("/probe/posted/third"))
        assert [wire.answer().body for _ in range(3)] == [b"later", b"second", b"third"]


def test_synchronous_asynchronous_and_durable_answers_keep_their_order_in_one_write(conformance):
    requests = [hello("/hello/swift"), hello("/hello/swift-async"), hello("/hello/c"),
                get("/durable", method="POST", body=b"row"), get("/nowhere")] * 20
    with Wire(conformance.port) as wire:
        wire.send(b"".join(requests))
        statuses = [wire.answer().status for _ in requests]
    assert statuses == [200, 200, 200, 201, 404] * 20


def test_a_request_may_arrive_in_pieces_split_at_every_byte(probe):
    request = get("/probe/echo", "Content-Type: text/plain", "X-Request-Id: split", method="POST", body=b"hello")
    for place in range(1, len(request)):
        with Wire(probe.port) as wire:
            wire.send(request[:place])
            time.sleep(0.001)
            answer = wire.send(request[place:]).answer()
            assert (answer.status, answer.body, answer["x-request-id"]) == (200, b"hello", "split"), place


def test_a_request_may_arrive_byte_by_byte(probe):
    with Wire(probe.port) as wire:
        for byte in get("/probe/echo", method="POST", body=b"slowly"):
            wire.send(bytes([byte]))
        assert wire.answer().body == b"slowly"


def test_http_1_0_is_answered_and_closed_unless_it_asks_to_stay(conformance):
    with Wire(conformance.port) as wire:
        answer = wire.send("GET /hello/c HTTP/1.0\r\n\r\n").answer()
        assert answer.status == 200 and answer.json() == HELLO and wire.is_closed()
    with Wire(conformance.port) as wire:
        for _ in range(2):
            answer = wire.send("GET /hello/c HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").answer()
            assert answer.status == 200 and answer["connection"].lower() == "keep-alive"


def test_an_answer_in_pieces_is_not_chunked_for_http_1_0(probe):
    with Wire(probe.port) as wire:
        answer = wire.send("GET /probe/pieces HTTP/1.0\r\n\r\n").answer()
        assert answer.status == 200 and answer["transfer-encoding"] is None and answer.body == b"one two three"


# -- bodies


def test_a_chunked_body_reaches_the_plugin_whole(probe):
    request = (
        "POST /probe/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\nhello\r\n2;name=value\r\n, \r\n5\r\nworld\r\n0\r\nX-Trailer: ignored\r\n\r\n"
    )
    with Wire(probe.port) as wire:
        assert wire.send(request + get("/probe/at-once/next").decode()).answer().body == b"hello, world"
        assert wire.answer().body == b"next"
    for place in range(len(request) - 60, len(request)):
        with Wire(probe.port) as wire:
            wire.send(request[:place])
            time.sleep(0.001)
            assert wire.send(request[place:]).answer().body == b"hello, world", place


def test_an_answer_in_pieces_is_chunked(probe):
    answer = ask(probe.port, get("/probe/pieces"))
    assert answer["transfer-encoding"] == "chunked" and answer.body == b"one two three"


def test_a_body_is_streamed_both_ways_while_it_comes(probe):
    with Wire(probe.port) as wire:
        wire.send("POST /probe/stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        assert wire.line().startswith(b"HTTP/1.1 200")
        while wire.line():
            pass
        assert (wire.line(), wire.read(7)) == (b"5", b"first\r\n")
        wire.send("6\r\nsecond\r\n0\r\n\r\n")
        assert (wire.line(), wire.read(8), wire.line()) == (b"6", b"second\r\n", b"0")


def test_a_megabyte_is_streamed_through_a_plugin_unchanged(probe):
    import threading

    body = bytes(range(256)) * 16384
    with Wire(probe.port, patience=20) as wire:
        sender = threading.Thread(target=wire.send, args=[get("/probe/stream", method="POST", body=body)])
        sender.start()
        answer = wire.answer()
        sender.join()
    assert answer.body == body


@MEASURES_MEMORY
def test_a_client_that_does_not_read_a_stream_costs_bounded_memory(probe):
    before = probe.resident()
    with Wire(probe.port, receive_buffer=4096) as wire:
        wire.send(get("/probe/flood"))
        time.sleep(1.5)
        assert probe.resident() - before < 16 << 20
        assert ask(probe.port, get("/probe/at-once/alive")).body == b"alive"
        assert wire.line().startswith(b"HTTP/1.1 200")


def test_a_peer_that_reads_fast_and_goes_ends_what_is_written_for_it(probe):
    # What the kernel takes all the time makes nobody wait, so only the peer's end stops whoever writes until he has to.
    for amount in range(1, 41):
        with Wire(probe.port) as wire:
            wire.send(get("/probe/flood"))
            left = amount << 19
            while left > 0:
                left -= len(wire.socket.recv(1 << 20))
        assert ask(probe.port, get("/probe/at-once/alive")).body == b"alive"


def test_100_continue_comes_before_the_body_is_sent_and_only_where_it_is_wanted(probe):
    head = "POST /probe/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    with Wire(probe.port) as wire:
        assert wire.send(head).answer().status == 100
        assert wire.send("hello").answer().body == b"hello"
        assert wire.send(head + "again").answer().status in (100, 200)
    refused = "POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    assert ask(probe.port, refused).status == 404
    assert ask(probe.port, get("/hello", "Expect: something")).status == 417


def test_a_body_that_is_announced_too_large_is_refused_before_it_is_read(probe):
    head = "POST /probe/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n"
    answer = ask(probe.port, head)
    assert answer.status == 413 and answer.json()["code"] == "payload_too_large"
    assert ask(probe.port, head.replace("65537", "65536") + "x" * 65536).status == 200
    with Wire(probe.port) as wire:
        answer = wire.send(head.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n")).answer()
        assert answer.status == 413


def test_a_chunked_body_is_refused_where_it_passes_the_bound(probe):
    with Wire(probe.port) as wire:
        wire.send("POST /probe/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        wire.send(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
        wire.send(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
        answer = wire.send(b"1\r\nx\r\n").answer()
        assert answer.status == 413 and answer.json()["code"] == "payload_too_large"


def test_a_body_where_none_belongs_does_not_become_the_next_request(conformance):
    body = b"GET /hello/c HTTP/1.1\r\nHost: smuggled\r\n\r\n"
    with Wire(conformance.port) as wire:
        wire.send(get("/hello/swift", f"Content-Length: {len(body)}") + body)
        first = wire.answer()
        assert first.status in (200, 400, 413)
        rest = wire.finish().rest()
        assert b"200 OK" not in rest


# -- methods and paths


def test_head_answers_as_get_without_the_body(conformance):
    with Wire(conformance.port) as wire:
        read = wire.send(hello("/hello/c")).answer()
        head = wire.send(get("/hello/c", method="HEAD")).answer(to_head=True)
        assert head.status == 200 and head["content-length"] == read["content-length"] == str(len(read.body))
        assert head["content-type"] == read["content-type"]
        missing = wire.send(get("/nowhere", method="HEAD")).answer(to_head=True)
        assert missing.status == 404
        assert wire.send(hello("/hello/c")).answer().json() == HELLO


def test_an_answer_in_pieces_has_no_body_for_head(probe):
    with Wire(probe.port) as wire:
        assert wire.send(get("/probe/pieces", method="HEAD")).answer(to_head=True).status == 200
        assert wire.send(get("/probe/at-once/next")).answer().body == b"next"


def test_an_unknown_path_is_404_as_a_problem_document(conformance):
    answer = ask(conformance.port, get("/nowhere", "X-Request-Id: my-id_1.2"))
    problem = answer.json()
    assert answer.status == 404 and answer["content-type"].startswith("application/problem+json")
    assert problem["status"] == 404 and problem["code"] == "not_found" and problem["request_id"] == "my-id_1.2"
    assert problem["type"] and problem["title"] == "Not Found" and problem["detail"]


def test_a_known_path_with_another_method_is_405_and_says_which(conformance):
    answer = ask(conformance.port, get("/hello/c", method="POST", body=b"{}"))
    assert answer.status == 405 and answer.json()["code"] == "method_not_allowed"
    assert set(answer["allow"].replace(" ", "").split(",")) >= {"GET", "HEAD"}
    answer = ask(conformance.port, get("/", method="DELETE"))
    assert answer.status == 405 and set(answer["allow"].replace(" ", "").split(",")) >= {"GET", "POST"}
    assert ask(conformance.port, get("/healthz", method="POST")).status == 405


def test_a_path_parameter_is_decoded_once_and_a_broken_escape_is_refused(probe):
    assert ask(probe.port, get("/probe/at-once/a%20b%2Fc%C3%A9")).body == "a b/cé".encode()
    assert ask(probe.port, get("/probe/at-once/%2541")).body == b"%41"
    for bad in ("%", "%4", "%zz", "%ff", "%c3%28", "%00"):
        answer = ask(probe.port, get(f"/probe/at-once/{bad}"))
        assert answer.status == 400 and answer.json()["code"] == "invalid_request", bad


# -- what is not HTTP

def test_malformed_requests_are_counted(conformance):
    before = conformance.metric("sluice_malformed_requests_total")
    ask(conformance.port, "nonsense\r\n\r\n")
    assert conformance.metric("sluice_malformed_requests_total") == before + 1


def test_the_requests_before_a_malformed_one_are_still_answered(conformance):
    with Wire(conformance.port) as wire:
        wire.send(hello("/hello/swift-async") + b"nonsense\r\n\r\n" + hello())
        assert [wire.answer().status, wire.answer().status] == [200, 400]
        assert wire.rest() == b""


def test_a_head_and_a_body_that_do_not_come_are_408(probe):
    with Wire(probe.port) as wire:
        answer = wire.send("GET / HTTP/1.1\r\nHost: a\r\n").answer()
        assert answer.status == 408 and answer.json()["code"] == "request_timeout" and wire.is_closed()
    with Wire(probe.port) as wire:
        wire.send("POST /probe/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel")
        answer = wire.answer()
        assert answer.status == 408 and answer.json()["code"] == "request_timeout" and wire.is_closed()


# -- ids and the log


def test_a_request_id_is_repeated_if_it_is_safe_and_made_if_it_is_not(conformance):
    assert ask(conformance.port, hello("/hello/c", "X-Request-Id: abc-DEF_1.2")).__getitem__("x-request-id") == "abc-DEF_1.2"
    made = set()
    for sent in ("", 'in"jected', "a b", "x" * 65, "ümlaut"):
        answer = ask(conformance.port, hello("/hello/c", f"X-Request-Id: {sent}"))
        made.add(answer["x-request-id"])
    assert len(made) == 5 and all(re.fullmatch(r"[0-9a-z]{26}", name) for name in made)


def test_the_access_log_has_one_json_line_per_request_with_the_trace_and_without_the_query(conformance):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    ask(conformance.port, hello("/hello/c?token=verysecret", "X-Request-Id: logged-1",
                                f"traceparent: 00-{trace}-00f067aa0ba902b7-01"))
    line = conformance.access("logged-1")
    assert line["trace_id"] == trace and line["method"] == "GET" and line["path"] == "/hello/c"
    assert line["status"] == 200 and line["bytes"] > 20 and line["peer"].startswith("127.0.0.1")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", line["time"])
    ask(conformance.port, hello("/nowhere%22%0a", "X-Request-Id: logged-2", "traceparent: 00-xyz-1-01"))
    assert "trace_id" not in conformance.access("logged-2") and conformance.access("logged-2")["status"] in (400, 404)
    assert "verysecret" not in conformance.text()


def test_a_malformed_request_is_in_the_access_log_too(conformance):
    problem = ask(conformance.port, "GET / HTTP/1.1\r\n\r\n").json()
    assert conformance.access(problem["request_id"])["status"] == 400
