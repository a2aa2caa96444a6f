"""permessage-deflate (RFC 7692) from outside: what is agreed on, what travels, and messages for many."""

import json
import os
import time
import zlib
from contextlib import ExitStack

import pytest
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.sync.client import connect

from deflate import FORGETFUL, TAIL, DeflateSocket, breaches, counter, deflate, inflate, offer, packed, prose
from program import eventually, shared
from wire import BINARY, PING, PONG, TEXT, RawSocket, ask, frame, handshake
from workshop import conformance_configuration, lay_out_own


# -- what is agreed on


@pytest.mark.parametrize("offered, answered", [
    ("permessage-deflate", FORGETFUL),
    ("permessage-deflate; client_max_window_bits", FORGETFUL),
    ("permessage-deflate; server_max_window_bits=10; client_max_window_bits=9",
     FORGETFUL + "; server_max_window_bits=10; client_max_window_bits=9"),
    ("permessage-deflate; server_max_window_bits=8, permessage-deflate; client_max_window_bits", FORGETFUL),
    ("x-webkit-deflate-frame, permessage-deflate; nonsense, permessage-deflate", FORGETFUL),
    ("permessage-deflate; server_max_window_bits=8", None),
    ("permessage-deflate; server_max_window_bits=16", None),
    ("permessage-bzip2", None),
])
def test_an_offer_is_answered_or_declined_and_the_socket_opens_either_way(conformance, offered, answered):
    answer = ask(conformance.port, handshake("/echo", f"Sec-WebSocket-Extensions: {offered}"))
    assert answer.status == 101 and answer["sec-websocket-extensions"] == answered


@pytest.mark.parametrize("field", ["", "permessage-deflate;", "permessage-deflate; server_max_window_bits=", 'a; b="c'])
def test_a_broken_field_is_refused(conformance, field):
    answer = ask(conformance.port, handshake("/echo", f"Sec-WebSocket-Extensions: {field}"))
    assert answer.status == 400 and "Sec-WebSocket-Extensions" in answer.json()["detail"]


def test_every_socket_of_the_house_compresses_unless_told_otherwise(platform, shop):
    target = f"/connection/uni_websocket?channels=chat:messaging:packed&token={shop.token('alice')}"
    answer = ask(platform.port, handshake(target, offer()))
    assert answer.status == 101 and answer["sec-websocket-extensions"] == FORGETFUL


def test_the_operator_switches_compression_off_for_all_and_on_for_a_tenant(sluice):
    configuration = {
        **conformance_configuration(), "compression": {"mode": "off"},
        "tenants": [
            {"id": "platform", "plugins": {"conformance": {}}},
            {"id": "packed", "hosts": ["packed.test"], "plugins": {"conformance": {}},
             "compression": {"mode": "context", "window_bits": 10}},
        ],
    }
    gateway = sluice(configuration)
    assert ask(gateway.port, handshake("/echo", offer()))["sec-websocket-extensions"] is None
    answer = ask(gateway.port, handshake("/echo", offer(), host="packed.test"))
    assert answer["sec-websocket-extensions"] == "permessage-deflate; server_max_window_bits=10"


def test_a_reload_changes_what_new_connections_agree_on(sluice):
    gateway = sluice({**conformance_configuration(), "compression": {"mode": "off"}}, ["--loops", "1"])

    def answered():
        return ask(gateway.port, handshake("/echo", offer()))["sec-websocket-extensions"]

    assert answered() is None
    file = gateway.configuration
    for compression, expected in [({}, FORGETFUL), ({"mode": "context"}, "permessage-deflate; server_max_window_bits=12")]:
        file.write_text(json.dumps({**json.loads(file.read_text()), "compression": compression}))
        assert gateway.reload()["message"] == "reloaded"
        assert answered() == expected


# -- what travels


@pytest.mark.parametrize("bits", [9, 10, 12, 15])
@pytest.mark.parametrize("forget", [True, False])
def test_a_real_client_gets_back_what_it_sent_with_any_parameters(conformance, keeping, bits, forget):
    for gateway in (conformance, keeping):
        extension = ClientPerMessageDeflateFactory(
            server_no_context_takeover=forget, client_no_context_takeover=forget, server_max_window_bits=bits,
            client_max_window_bits=bits)
        with connect(gateway.socket_url + "/echo", proxy=None, max_size=None, compression=None,
                     extensions=[extension]) as client:
            assert "permessage-deflate" in client.response.headers["Sec-WebSocket-Extensions"]
            for message in ["", "hello", prose(127), prose(128), prose(5000), prose(70_000), "Grüß 👋" * 3000,
                            b"\x00" * 500_000, os.urandom(70_000), b"", prose(5000), prose(5000)]:
                client.send(message)
                assert client.recv(15) == message
            # In fragments, with a ping between them.
            pieces = [prose(3000, seed) for seed in range(7)]
            client.send(iter(pieces))
            assert client.recv(15) == "".join(pieces)
            client.ping()


def test_a_message_shorter_than_the_least_or_that_does_not_shrink_goes_as_it_is(conformance):
    with DeflateSocket(conformance.port) as opened:
        for data, is_compressed in [(b"x" * 127, False), (b"x" * 128, True), (os.urandom(4000), False)]:
            opened.send(packed(BINARY, data))
            opcode, flag, payload = opened.take()
            assert (opcode, flag) == (BINARY, is_compressed)
            assert (inflate(payload) if flag else payload) == data
        opened.send(frame(TEXT, "not compressed, which is allowed at any time" * 5))
        assert opened.message() == (TEXT, b"not compressed, which is allowed at any time" * 5)


@pytest.mark.limit("websocket_compressed_bytes")
def test_a_large_message_goes_as_it_is(sluice):
    gateway = sluice(conformance_configuration(websocket_compressed_bytes=2000))
    with DeflateSocket(gateway.port) as opened:
        opened.send(packed(BINARY, b"x" * 2000) + packed(BINARY, b"x" * 2001))
        assert opened.take()[1] is True
        assert opened.take() == (BINARY, False, b"x" * 2001)
    assert breaches(gateway, "websocket_compressed_bytes") == 1


def test_each_message_stands_by_itself_unless_contexts_are_kept(conformance, keeping):
    text = os.urandom(600).hex()
    with DeflateSocket(conformance.port) as opened:
        opened.send(packed(TEXT, text) * 2)
        first, second = opened.take(), opened.take()
        assert first == second and inflate(second[2]) == text.encode()
    with DeflateSocket(keeping.port) as opened:
        assert opened.agreed == "permessage-deflate; server_max_window_bits=11"
        sender, receiver = zlib.compressobj(6, zlib.DEFLATED, -15), zlib.decompressobj(-11)
        sizes = []
        for _ in range(3):
            payload = (sender.compress(text.encode()) + sender.flush(zlib.Z_SYNC_FLUSH))[:-4]
            opened.send(frame(TEXT, payload, reserved=4))
            opcode, is_compressed, answer = opened.take()
            assert opcode == TEXT and is_compressed
            assert receiver.decompress(answer + TAIL) == text.encode()
            sizes.append((len(payload), len(answer)))
        assert max(sizes[1]) < min(sizes[0]) / 10 and max(sizes[2]) < min(sizes[0]) / 10


def test_a_compressed_message_may_come_in_fragments_split_anywhere(conformance):
    text = prose(3000)
    payload = deflate(text)
    with DeflateSocket(conformance.port) as opened:
        for cut in (0, 1, len(payload) // 2, len(payload) - 1, len(payload)):
            opened.send(frame(TEXT, payload[:cut], final=False, reserved=4) + frame(PING, "between"))
            assert opened.take() == (PONG, False, b"between")
            opened.send(frame(0, payload[cut:]))
            assert opened.message() == (TEXT, text.encode())
        # Byte by byte, each in a frame and a write of its own.
        small = deflate("Grüße 👋" * 20)
        opened.send(frame(TEXT, small[:1], final=False, reserved=4))
        for byte in small[1:]:
            opened.send(frame(0, bytes([byte]), final=False))
            time.sleep(0.0005)
        opened.send(frame(0, b""))
        assert opened.message() == (TEXT, ("Grüße 👋" * 20).encode())
    assert eventually(lambda: counter(conformance, "websocket_compression_states") == 0)


def test_messages_of_many_connections_may_come_at_the_same_time(conformance):
    texts = [prose(20_000, seed) for seed in range(8)]
    payloads = [deflate(text) for text in texts]
    with ExitStack() as stack:
        sockets = [stack.enter_context(DeflateSocket(conformance.port)) for _ in texts]
        for opened, payload in zip(sockets, payloads):
            opened.send(frame(TEXT, payload[:1000], final=False, reserved=4))
        assert eventually(lambda: counter(conformance, "websocket_compression_states") == len(texts))
        for opened, payload in zip(reversed(sockets), reversed(payloads)):
            opened.send(frame(0, payload[1000:]))
        for opened, text in zip(sockets, texts):
            assert opened.message() == (TEXT, text.encode())
    assert eventually(lambda: counter(conformance, "websocket_compression_states") == 0)


def test_a_block_marked_as_the_last_is_taken_with_or_without_the_octet_behind_it(conformance):
    compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
    whole = compressor.compress(b"hello" * 40) + compressor.flush(zlib.Z_FINISH)
    with DeflateSocket(conformance.port) as opened:
        for payload in (whole + b"\x00", whole, whole + deflate("hello" * 40)):
            opened.send(frame(TEXT, payload, reserved=4))
            times = 2 if len(payload) > len(whole) + 1 else 1
            assert opened.message() == (TEXT, b"hello" * 40 * times)
        opened.send(frame(TEXT, b"\x00", reserved=4))
        assert opened.message() == (TEXT, b"")


# -- fan-out


def deflated(gateway) -> float:
    return counter(gateway, "websocket_messages_deflated_total")


def test_a_message_for_many_is_compressed_once_on_each_loop_and_everybody_understands_it(sluice):
    configuration = {**conformance_configuration(), "compression": {"mode": "context", "window_bits": 15}}
    gateway = sluice(configuration, ["--loops", "1"])
    messages = [prose(2000, 1), "short", os.urandom(3000), prose(40_000, 2), json.dumps({"a": "b" * 300}), prose(900, 3)]
    with ExitStack() as stack:
        def open_many(count: int, **parameters):
            for _ in range(count):
                extensions = [ClientPerMessageDeflateFactory(**parameters)] if parameters else None
                yield stack.enter_context(
                    connect(gateway.socket_url + "/fan", proxy=None, max_queue=None, compression=None,
                            extensions=extensions))

        plain = list(open_many(3))
        before = deflated(gateway)
        for message in messages:
            plain[0].send(message)
        assert all(client.recv(10) == message for client in plain for message in messages)
        assert deflated(gateway) == before
        forgetful = list(open_many(3, server_no_context_takeover=True, client_no_context_takeover=True))
        keeping = list(open_many(3, client_max_window_bits=True))
        narrow = list(open_many(2, server_max_window_bits=9))
        everybody = plain + forgetful + keeping + narrow
        before = deflated(gateway)
        for sender in (plain[0], forgetful[0], keeping[0], narrow[0]):
            for message in messages:
                sender.send(message)
            for client in everybody:
                assert [client.recv(10) for _ in messages] == messages
        # Of six messages four shrink, and are made for windows of two sizes: far fewer than one for each of eight.
        assert deflated(gateway) - before == 4 * 4 * 2
        # Joining and leaving in between disturbs nobody.
        for client in (plain[1], forgetful[1], keeping[1], narrow[1]):
            client.close()
        plain[0].send(messages[0])
        for client in (plain[0], plain[2], forgetful[0], keeping[2], narrow[0]):
            assert client.recv(10) == messages[0]
        for client in narrow[:1] + forgetful + keeping:
            client.close()


@pytest.fixture(scope="module")
def mixer(tmp_path_factory, request):
    """A gateway with a plugin that sends to one and to all by turns, on one loop, where contexts may be kept."""
    folder = lay_out_own(tmp_path_factory.mktemp("plugins"), "mixer")
    configuration = {
        "plugins": {"folders": [str(folder)]}, "tenants": [{"id": "platform", "plugins": {"mixer": {}}}],
        "compression": {"mode": "context"},
    }
    yield from shared(tmp_path_factory.mktemp("mixer"), request, configuration, ["--loops", "1"])


def test_a_manifest_says_how_each_of_its_sockets_is_compressed(mixer):
    for path, answered in [("/mixer", "permessage-deflate; server_max_window_bits=12"), ("/mixer/forgetful", FORGETFUL),
                           ("/mixer/plain", None)]:
        answer = ask(mixer.port, handshake(path, offer()))
        assert answer["sec-websocket-extensions"] == answered


def test_a_message_sent_before_the_handshake_is_answered_is_compressed_as_agreed(mixer):
    for path, is_compressed in [("/mixer", True), ("/mixer/forgetful", True)]:
        with DeflateSocket(mixer.port, path) as opened:
            opcode, flag, payload = opened.take()
            assert (opcode, flag) == (TEXT, is_compressed) and inflate(payload) == b"w" * 300
    with RawSocket(mixer.port, "/mixer/plain", offer()) as opened:
        assert opened.receive() == (TEXT, b"w" * 300)


def test_a_connection_that_keeps_a_context_may_get_its_own_messages_between_the_groups(mixer):
    """What the group's frames put into the peer's window the connection's own compressor has not seen."""
    with ExitStack() as stack:
        sockets = {path: stack.enter_context(connect(mixer.socket_url + path, proxy=None))
                   for path in ("/mixer", "/mixer/forgetful", "/mixer/plain")}
        assert all(client.recv(10) == "w" * 300 for client in sockets.values())
        for number in range(30):
            text = prose(60 + number * 40, number % 4)
            sender = sockets[("/mixer", "/mixer/forgetful", "/mixer/plain")[number % 3]]
            sender.send(text)
            for client in sockets.values():
                assert [client.recv(10) for _ in range(3 if client is sender else 1)] == [text] * (
                    3 if client is sender else 1)
