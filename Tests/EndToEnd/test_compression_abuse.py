"""Compressed messages that are wrong, or that ask for more memory than they may have."""

import os
from contextlib import ExitStack

import pytest

from deflate import FORGETFUL, DeflateSocket, breaches, counter, deflate, packed, prose
from program import eventually
from sanitizer import MEASURES_MEMORY
from wire import BINARY, CLOSE, PING, TEXT, RawSocket, frame
from workshop import conformance_configuration


VIOLATIONS = [
    ("RSV1 on a ping", frame(PING, "x", reserved=4), 1002),
    ("RSV1 on a close", frame(CLOSE, b"\x03\xe8", reserved=4), 1002),
    ("RSV1 on a continuation", frame(TEXT, deflate("x"), final=False, reserved=4) + frame(0, "x", reserved=4), 1002),
    ("RSV1 on a plain message's continuation", frame(TEXT, "x", final=False) + frame(0, "x", reserved=4), 1002),
    ("RSV2", frame(TEXT, deflate("x"), reserved=2), 1002),
    ("RSV1 and RSV3", frame(TEXT, deflate("x"), reserved=5), 1002),
    ("a reserved block type", frame(TEXT, b"\x07", reserved=4), 1007),
    ("a reference before the beginning", frame(TEXT, bytes.fromhex("f200110000"), reserved=4), 1007),
    ("no block at all", frame(TEXT, b"", reserved=4), 1007),
    ("a block that breaks off", frame(BINARY, deflate(prose(3000))[:700], reserved=4), 1007),
    ("a block that breaks off over fragments", frame(BINARY, deflate(prose(3000))[:700], final=False, reserved=4)
     + frame(0, b""), 1007),
    ("noise", frame(BINARY, b"\xff" * 100, reserved=4), 1007),
    ("a text that is no UTF-8 once inflated", packed(TEXT, b"fine \xff" + b"x" * 100), 1007),
    ("a text that ends in a character", packed(TEXT, b"fine \xc3"), 1007),
]


@pytest.mark.parametrize("name, data, code", VIOLATIONS, ids=[row[0] for row in VIOLATIONS])
def test_a_violation_is_closed_with_the_code_that_names_it(conformance, keeping, name, data, code):
    for gateway in (conformance, keeping):
        with DeflateSocket(gateway.port) as opened:
            assert opened.send(data).close_code() == code
            opened.finish()
            assert opened.rest() == b""
        with DeflateSocket(gateway.port) as opened:
            opened.send(packed(TEXT, "the next one is not harmed"))
            assert opened.message() == (TEXT, b"the next one is not harmed")


def test_a_compressed_message_without_an_agreement_is_1002(conformance):
    with RawSocket(conformance.port, "/echo") as opened:
        assert opened.send(packed(TEXT, "x")).close_code() == 1002


def test_what_cannot_be_inflated_is_counted(conformance):
    before = counter(conformance, "websocket_invalid_compression_total")
    with DeflateSocket(conformance.port) as opened:
        assert opened.send(frame(TEXT, b"\x07", reserved=4)).close_code() == 1007
    assert counter(conformance, "websocket_invalid_compression_total") == before + 1


def test_invalid_text_is_refused_before_the_message_is_there(conformance):
    payload = deflate(b"fine \xff" + os.urandom(3000))
    with DeflateSocket(conformance.port) as opened:
        assert opened.send(frame(TEXT, payload, final=False, reserved=4)[:2000]).close_code() == 1007


# -- bombs


def bomb(size: int) -> bytes:
    """Zeroes, a thousandth as long."""
    return deflate(b"\0" * size, level=9)


def test_the_limit_counts_what_the_plugin_would_see_to_the_byte(conformance):
    for data in (b"\0" * 65_536, os.urandom(65_536)):
        with DeflateSocket(conformance.port, "/fan") as opened:
            opened.send(packed(BINARY, data))
            assert opened.message() == (BINARY, data)
            assert opened.send(packed(BINARY, data + b"\0")).close_code() == 1009


@MEASURES_MEMORY
@pytest.mark.limit("websocket_message_bytes")
def test_a_bomb_costs_no_more_memory_than_the_limit(sluice):
    limit = 4 << 20
    gateway = sluice(conformance_configuration(websocket_message_bytes=limit), ["--loops", "1"])
    payload = bomb(1 << 30)
    assert len(payload) < limit
    with DeflateSocket(gateway.port) as opened:
        opened.send(packed(BINARY, b"\0" * (limit - 1)))
        opened.take()
    before = gateway.resident()
    highest = before
    for turn in range(6):
        with DeflateSocket(gateway.port) as opened:
            data = frame(BINARY, payload, reserved=4)
            if turn % 2:
                data = frame(BINARY, payload[:2000], final=False, reserved=4) + frame(0, payload[2000:])
            # No more than it takes, for the rest would meet a connection that is gone.
            opened.send(data[:30_000])
            assert opened.close_code() == 1009
            highest = max(highest, gateway.resident())
    assert highest - before < 3 * limit
    assert breaches(gateway, "websocket_message_bytes") == 6
    assert eventually(lambda: counter(gateway, "websocket_compression_states") == 0)


@MEASURES_MEMORY
def test_half_a_bomb_that_waits_holds_no_more_than_has_come_out(sluice):
    gateway = sluice(conformance_configuration(websocket_message_bytes=1 << 20), ["--loops", "1"])
    before = gateway.resident()
    with ExitStack() as stack:
        for _ in range(20):
            opened = stack.enter_context(DeflateSocket(gateway.port))
            opened.send(frame(BINARY, bomb(1 << 19)[:200], final=False, reserved=4))
        assert eventually(lambda: counter(gateway, "websocket_compression_states") == 20)
        assert gateway.resident() - before < 20 << 20
    assert eventually(lambda: counter(gateway, "websocket_compression_states") == 0)


@pytest.mark.limit("websocket_compression_states")
def test_more_half_received_messages_than_allowed_are_1013_and_whole_ones_are_not(sluice):
    gateway = sluice(conformance_configuration(websocket_compression_states=3), ["--loops", "1"])
    half = frame(TEXT, deflate(prose(3000))[:100], final=False, reserved=4)
    with ExitStack() as stack:
        held = [stack.enter_context(DeflateSocket(gateway.port)) for _ in range(3)]
        for opened in held:
            opened.send(half)
        assert eventually(lambda: counter(gateway, "websocket_compression_states") == 3)
        with DeflateSocket(gateway.port) as opened:
            opened.send(packed(TEXT, "whole"))
            assert opened.message() == (TEXT, b"whole")
            assert opened.send(half).close_code() == 1013
        assert breaches(gateway, "websocket_compression_states") == 1
        held[0].send(frame(0, deflate(prose(3000))[100:]))
        assert held[0].message() == (TEXT, prose(3000).encode())
        with DeflateSocket(gateway.port) as opened:
            opened.send(half + frame(0, deflate(prose(3000))[100:]))
            assert opened.message() == (TEXT, prose(3000).encode())


@pytest.mark.limit("websocket_compression_states")
def test_contexts_are_as_many_as_allowed_and_further_connections_go_without(keeping):
    before = breaches(keeping, "websocket_compression_states")
    with ExitStack() as stack:
        agreed = [stack.enter_context(DeflateSocket(keeping.port)).agreed for _ in range(8)]
        assert [text == FORGETFUL for text in agreed] == [False] * 6 + [True] * 2
        assert counter(keeping, "websocket_compression_states") == 6
    assert breaches(keeping, "websocket_compression_states") == before + 2
    assert eventually(lambda: counter(keeping, "websocket_compression_states") == 0)
    with DeflateSocket(keeping.port) as opened:
        assert opened.agreed != FORGETFUL
