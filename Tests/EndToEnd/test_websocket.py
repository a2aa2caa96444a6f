"""WebSockets (RFC 6455) on the wire, and what a peer that never reads may cost."""

import base64
import hashlib
import json
import os
import threading
import time
from contextlib import ExitStack

import pytest
from websockets.sync.client import connect

from client import Client, listen, mint
from program import eventually
from sanitizer import MEASURES_MEMORY
from wire import BINARY, CLOSE, PING, PONG, TEXT, RawSocket, Wire, ask, frame, get, handshake

CHANNEL = "chat:messaging:sockets"
MESSAGES = "/v1/channels/messaging/sockets/messages"


@pytest.fixture
def echo(conformance):
    with RawSocket(conformance.port, "/echo") as opened:
        yield opened


# -- frames


def test_messages_come_back_as_they_were_sent(conformance):
    with connect(conformance.socket_url + "/echo", proxy=None, max_size=None) as client:
        for message in ("", "hello", "Grüß 👋", b"", b"\x00\xff" * 100, "x" * 125, "x" * 126, "x" * 65535, "x" * 65536,
                        b"y" * 1_000_000):
            client.send(message)
            assert client.recv(10) == message


def test_a_fragmented_message_is_put_together_around_the_pings_inside_it(echo):
    echo.send(frame(TEXT, "one ", final=False) + frame(PING, "in between") + frame(0, "two ", final=False))
    assert echo.receive() == (PONG, b"in between")
    echo.send(frame(0, "", final=False) + frame(0, "three"))
    assert echo.receive() == (TEXT, b"one two three")


def test_frames_may_arrive_split_at_every_byte(conformance):
    data = frame(TEXT, "Grüße", final=False) + frame(PING, "p") + frame(0, " 👋")
    for place in range(1, len(data)):
        with RawSocket(conformance.port, "/echo") as opened:
            opened.send(data[:place])
            time.sleep(0.001)
            opened.send(data[place:])
            assert opened.receive() == (PONG, b"p")
            assert opened.receive() == (TEXT, "Grüße 👋".encode())


def test_frames_sent_together_with_the_handshake_are_not_lost(conformance):
    with Wire(conformance.port) as wire:
        wire.send(handshake("/echo") + frame(TEXT, "early") + frame(CLOSE, b"\x03\xe8"))
        assert wire.answer().status == 101
        assert wire.read(7) == b"\x81\x05early"
        assert wire.read(4) == b"\x88\x02\x03\xe8"
        assert wire.rest() == b""


def test_many_messages_in_one_write_come_back_in_their_order(echo):
    echo.send(b"".join(frame(TEXT, str(number)) for number in range(2000)))
    assert [echo.receive()[1] for _ in range(2000)] == [str(number).encode() for number in range(2000)]


def test_a_close_is_answered_with_its_own_code_and_the_connection_ends(conformance):
    for payload, answered in [(b"\x03\xe8bye", 1000), (b"", 1005), (b"\x0f\xa0", 4000), (b"\x0b\xb8", 3000)]:
        with RawSocket(conformance.port, "/echo") as opened:
            assert opened.send(frame(CLOSE, payload)).close_code() == answered
            assert opened.rest() == b""


VIOLATIONS = [
    ("an unmasked frame", frame(TEXT, "x", masked=False), 1002),
    ("a reserved bit", frame(TEXT, "x", reserved=4), 1002),
    ("a reserved opcode", frame(3, "x"), 1002),
    ("a reserved control opcode", frame(11, "x"), 1002),
    ("a continuation of nothing", frame(0, "x"), 1002),
    ("a message inside a message", frame(TEXT, "x", final=False) + frame(TEXT, "y"), 1002),
    ("a fragmented ping", frame(PING, "x", final=False), 1002),
    ("a long ping", frame(PING, "x" * 126), 1002),
    ("a close of one byte", frame(CLOSE, b"\x03"), 1002),
    ("close code 999", frame(CLOSE, b"\x03\xe7"), 1002),
    ("close code 1005", frame(CLOSE, b"\x03\xed"), 1002),
    ("close code 1006", frame(CLOSE, b"\x03\xee"), 1002),
    ("close code 5000", frame(CLOSE, b"\x13\x88"), 1002),
    ("a reason that is no UTF-8", frame(CLOSE, b"\x03\xe8\xff"), 1007),
    ("a text that is no UTF-8", frame(TEXT, b"\xff"), 1007),
    ("an overlong encoding", frame(TEXT, b"\xc0\xaf"), 1007),
    ("a surrogate", frame(TEXT, b"\xed\xa0\x80"), 1007),
    ("a cut character", frame(TEXT, b"\xf0\x9f\x91"), 1007),
    ("a length with its highest bit set", b"\x81\xff" + b"\xff" * 8 + b"abcd", (1002, 1009)),
    ("a length not in its shortest form", b"\x81\xfe\x00\x05abcd" + b"x" * 5, 1002),
]


@pytest.mark.parametrize("name, data, code", VIOLATIONS, ids=[row[0] for row in VIOLATIONS])
def test_a_violation_is_closed_with_the_code_that_names_it(conformance, name, data, code):
    with RawSocket(conformance.port, "/echo") as opened:
        assert opened.send(data).close_code() in (code if isinstance(code, tuple) else (code,))
        opened.finish()
        assert opened.rest() == b""


def test_invalid_utf8_is_refused_as_soon_as_it_can_be_known(echo):
    """Before the frame is whole, let alone the message (fail fast)."""
    whole = frame(TEXT, b"fine \xce\xba\xff" + b"x" * 1000, final=False)
    assert echo.send(whole[:30]).close_code() == 1007


def test_a_message_larger_than_the_socket_takes_is_1009_before_it_has_come(conformance):
    with RawSocket(conformance.port, "/fan") as opened:
        assert opened.send(frame(BINARY, b"x" * 65537)[:20]).close_code() == 1009
    with RawSocket(conformance.port, "/fan") as opened:
        opened.send(frame(BINARY, b"x" * 40000, final=False))
        assert opened.send(frame(0, b"x" * 40000)).close_code() == 1009
    with RawSocket(conformance.port, "/fan") as opened:
        opened.send(frame(BINARY, b"x" * 65536))
        assert opened.receive() == (BINARY, b"x" * 65536)


# -- handshakes


def test_the_handshake_is_answered_as_the_specification_says(conformance):
    key = base64.b64encode(os.urandom(16)).decode()
    answer = ask(conformance.port, handshake("/echo", "X-Request-Id: opened", key=key))
    digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    assert answer.status == 101 and answer["sec-websocket-accept"] == base64.b64encode(digest).decode()
    assert answer["upgrade"].lower() == "websocket" and answer["connection"].lower() == "upgrade"
    assert answer["x-request-id"] == "opened" and answer["sec-websocket-protocol"] is None
    assert answer["sec-websocket-extensions"] is None


def test_a_handshake_for_a_path_that_is_no_socket_opens_none(conformance):
    assert ask(conformance.port, handshake("/hello/c")).status in (200, 400)
    assert ask(conformance.port, handshake("/nowhere")).status == 404


# -- tokens

UNI = f"/connection/uni_websocket?channels={CHANNEL}"


def test_a_token_is_taken_from_header_query_or_subprotocol(platform, shop):
    token = shop.token("alice")
    bearer = f"Authorization: Bearer {token}"
    assert ask(platform.port, handshake(UNI, bearer)).status == 101
    assert ask(platform.port, handshake(f"{UNI}&token={token}")).status == 101
    answer = ask(platform.port, handshake(UNI, f"Sec-WebSocket-Protocol: bearer.{token}"))
    assert answer.status == 101 and answer["sec-websocket-protocol"] == f"bearer.{token}"
    answer = ask(platform.port, handshake(UNI, f"Sec-WebSocket-Protocol: sluice.v1, bearer.{token}"))
    assert answer.status == 101 and answer["sec-websocket-protocol"] == "sluice.v1"


def test_a_token_in_the_query_is_for_sockets_only(platform, shop):
    token = shop.token("alice")
    assert ask(platform.port, get(f"/v1/channels?app={shop.id}&token={token}")).status == 401


def test_a_socket_is_closed_when_its_token_expires(platform, shop):
    token = mint(shop.signing_secret, shop.id, "alice", iat=int(time.time()) - 100, exp=int(time.time()) - 57)
    with listen(platform.url, CHANNEL, token=token) as listener:
        with pytest.raises(Exception) as closing:
            listener.recv(10)
    assert closing.value.rcvd.code == 3005


# -- slow peers


def slow_peers(gateway) -> float:
    return gateway.breaches("websocket_queue_bytes")


def stuff(opened: RawSocket, data: bytes, seconds: float) -> int:
    """Sends again and again without ever reading, until the peer takes no more or closes; bytes sent."""
    opened.socket.settimeout(0.5)
    sent, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            sent += opened.socket.send(data)
        except TimeoutError:
            continue
        except OSError:
            break
    return sent


@MEASURES_MEMORY
@pytest.mark.limit("websocket_queue_bytes")
@pytest.mark.parametrize("path", ["/echo", "/fan"])
def test_a_peer_that_never_reads_costs_bounded_memory_and_is_closed(conformance, path):
    slow = slow_peers(conformance)
    open_before = conformance.metric("sluice_websockets_open")
    memory = conformance.resident()
    peer = RawSocket(conformance.port, path, receive_buffer=4096)
    piece = b"".join(frame(BINARY, os.urandom(4096)) for _ in range(16))
    writer = threading.Thread(target=stuff, args=[peer, piece, 8.0], daemon=True)
    writer.start()
    highest = memory
    end = time.monotonic() + 9
    while writer.is_alive() and time.monotonic() < end:
        highest = max(highest, conformance.resident())
        assert ask(conformance.port, get("/hello/c")).status == 200
        if slow_peers(conformance) > slow:
            break
        time.sleep(0.05)
    assert highest - memory < 24 << 20
    assert eventually(lambda: slow_peers(conformance) > slow, 2)
    assert eventually(lambda: conformance.metric("sluice_websockets_open") == open_before, 35)
    peer.socket.close()
    writer.join(10)


@pytest.mark.limit("websocket_queue_bytes")
def test_a_slow_subscriber_is_closed_and_does_not_hold_up_the_others(conformance):
    slow = RawSocket(conformance.port, "/fan", receive_buffer=4096)
    size, sent = 8192, 0
    with connect(conformance.socket_url + "/fan", proxy=None, max_queue=None) as reader, \
            connect(conformance.socket_url + "/fan", proxy=None, max_queue=None) as writer:
        before = slow_peers(conformance)
        time.sleep(0.1)
        # The kernel keeps some megabytes for the slow one, as many as it likes, before the gateway's queue begins to fill.
        while slow_peers(conformance) == before and sent < 6000:
            batch = range(sent, sent + 100)
            for number in batch:
                writer.send(f"{number:08d}" + "x" * size)
            assert [int(reader.recv(15)[:8]) for _ in batch] == list(batch)
            sent += 100
        assert eventually(lambda: slow_peers(conformance) > before)
    slow.socket.close()


# -- fan-out


def test_subscribers_on_every_loop_receive_everything_in_order(conformance):
    """Twelve connections on two loops: the kernel spreads them, and all must see the same order."""
    with ExitStack() as stack:
        clients = [
            stack.enter_context(connect(conformance.socket_url + "/fan", proxy=None, max_queue=None)) for _ in range(12)]
        time.sleep(0.2)
        for number in range(300):
            clients[0].send(f"a{number}")
        for client in clients:
            assert [client.recv(10) for _ in range(300)] == [f"a{number}" for number in range(300)]
        clients[1].send(b"binary")
        assert all(client.recv(10) == b"binary" for client in clients)


def test_two_subscribers_on_two_loops_get_a_channels_messages_in_order(sluice):
    from client import Account

    gateway = sluice(arguments=["--loops", 2])
    app = Account(gateway.url).app("Fan")
    def write():
        server = Client(gateway.url, app.secret)
        for _ in range(20):
            server.post(MESSAGES, {"text": "x", "user_id": "u"}, expect=201)

    with ExitStack() as stack:
        tokens = [app.token(f"u{number}") for number in range(8)]
        listeners = [stack.enter_context(listen(gateway.url, CHANNEL, token=token)) for token in tokens]
        writers = [threading.Thread(target=write) for _ in range(3)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        seen = []
        for listener in listeners:
            events = [json.loads(listener.recv(10)) for _ in range(60)]
            assert [event["offset"] for event in events] == list(range(1, 61))
            seen.append([event["id"] for event in events])
    assert all(order == seen[0] for order in seen)


def test_a_socket_that_is_cut_leaves_nothing_behind(conformance):
    def open_now():
        return conformance.metric("sluice_websockets_open")

    before, descriptors = open_now(), conformance.descriptors()
    for _ in range(50):
        RawSocket(conformance.port, "/fan").socket.close()
    assert eventually(lambda: open_now() == before)
    assert eventually(lambda: conformance.descriptors() <= descriptors + 2)
