"""permessage-deflate (RFC 7692) from outside: what is agreed on, what travels, what a hostile peer may cost."""

import json
import os
import random
import struct
import time
import zlib
from contextlib import ExitStack

import pytest
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.sync.client import connect

from program import eventually, shared
from wire import BINARY, CLOSE, PING, PONG, TEXT, RawSocket, ask, frame, handshake
from workshop import conformance_configuration, lay_out_mixer

TAIL = b"\x00\x00\xff\xff"
FORGETFUL = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


def offer(parameters="") -> str:
    return "Sec-WebSocket-Extensions: permessage-deflate" + (f"; {parameters}" if parameters else "")


def deflate(data: bytes | str, bits=15, level=6) -> bytes:
    """A message's payload, compressed by itself."""
    compressor = zlib.compressobj(level, zlib.DEFLATED, -bits)
    data = data.encode() if isinstance(data, str) else data
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


def inflate(payload: bytes, bits=15) -> bytes:
    return zlib.decompressobj(-bits).decompress(payload + TAIL)


def packed(opcode: int, data: bytes | str, bits=15) -> bytes:
    """A whole compressed message in one frame."""
    return frame(opcode, deflate(data, bits), reserved=4)


class DeflateSocket(RawSocket):
    """A WebSocket on which compression was agreed on."""

    def __init__(self, port: int, path="/echo", parameters="", **options):
        super().__init__(port, path, offer(parameters), **options)
        self.agreed = self.opening["sec-websocket-extensions"]
        assert self.agreed, self.opening.fields

    def take(self) -> tuple[int, bool, bytes]:
        """Opcode, whether it is compressed, and payload of the next frame, which ends its message."""
        first, second = self.read(2)
        assert first & 0x80 and not first & 0x30 and not second & 0x80, (first, second)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack(">H", self.read(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", self.read(8))
        return first & 0x0F, bool(first & 0x40), self.read(size)

    def message(self) -> tuple[int, bytes]:
        opcode, is_compressed, payload = self.take()
        return opcode, inflate(payload) if is_compressed else payload


def prose(count: int, seed=0) -> str:
    """Text that compresses, but not to nothing."""
    made = random.Random(seed)
    words = ["alpha", "beta", "gamma", "delta", "Grüße", "epsilon", '{"id":', "1234567890", "👋"]
    text = ""
    while len(text) < count:
        text += made.choice(words) + str(made.randrange(1000)) + " "
    return text[:count]


def counter(gateway, name: str, label="") -> float:
    return gateway.metric(f"sluice_{name}", label)


def breaches(gateway, limit: str) -> float:
    return gateway.metric("sluice_limit_breaches_total", f'{{limit="{limit}"}}')


@pytest.fixture(scope="module")
def keeping(tmp_path_factory, request):
    """A gateway on one loop that lets connections keep contexts, six of them."""
    configuration = {
        **conformance_configuration(websocket_compression_states=6, websocket_message_bytes=1 << 20),
        "compression": {"mode": "context", "level": 6, "min_bytes": 16, "window_bits": 11},
    }
    yield from shared(tmp_path_factory.mktemp("keeping"), request, configuration, ["--loops", "1"])


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


# -- what is wrong

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
    folder = lay_out_mixer(tmp_path_factory.mktemp("plugins"))
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
