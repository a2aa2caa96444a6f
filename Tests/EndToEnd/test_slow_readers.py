"""Peers that take nothing of what is sent to them, in every way in which they can be connected: each costs a bounded amount, is
closed, and is counted."""

import time
from contextlib import ExitStack

import pytest

from http2 import INITIAL_WINDOW_SIZE, H2, request, window
from program import eventually
from sanitizer import MEASURES_MEMORY
from secure import SecureSluice, SecureWire, trust
from test_http2_websocket import Socket
from wire import PING, TEXT, RawSocket, Wire, ask, frame, get, handshake
from workshop import conformance_configuration, with_plugins

PEERS = 10
QUEUE = 1 << 20
# What a peer's share of the queue may be, with all that lies around it.
BOUND = PEERS * 2 * QUEUE


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, authority, localhost, probe_folder):
    limits = {"write_timeout_ms": 1000, "websocket_queue_bytes": QUEUE, "request_timeout_ms": 60_000}
    folder = tmp_path_factory.mktemp("slow")
    with SecureSluice(
            folder, localhost.configuration(), ["--loops", "1"], with_plugins(probe_folder), **limits) as gateway:
        yield gateway
        assert gateway.is_running(), gateway.text()[-6000:]


def wire(gateway, kind: str, authority) -> Wire:
    if kind == "TLS":
        return SecureWire(gateway, trust(authority), receive_buffer=4096)
    return Wire(gateway.port, receive_buffer=4096)


def flooded(gateway, stack: ExitStack, kind: str, authority):
    """Asks for an answer that never ends."""
    if kind == "HTTP/2":
        connection = stack.enter_context(
            H2(gateway.port, {INITIAL_WINDOW_SIZE: 0x7FFFFFFF}, reads=False, receive_buffer=4096))
        connection.send(window(0, 0x7FFFFFFF - 65535))
        connection.open(request("GET", "/probe/flood"))
    elif kind == "HTTP/2, its window shut":
        connection = stack.enter_context(H2(gateway.port, {INITIAL_WINDOW_SIZE: 0}, reads=False))
        connection.open(request("GET", "/probe/flood"))
    else:
        stack.enter_context(wire(gateway, kind, authority)).send(get("/probe/flood"))


@MEASURES_MEMORY
@pytest.mark.limit("write_timeout_ms")
@pytest.mark.parametrize("kind", ["HTTP/1", "TLS", "HTTP/2", "HTTP/2, its window shut"])
def test_readers_of_a_large_answer_that_never_read_are_cut_off(gateway, authority, kind):
    before, memory = gateway.breaches("write_timeout_ms"), gateway.resident()
    highest = memory
    with ExitStack() as stack:
        for _ in range(PEERS):
            flooded(gateway, stack, kind, authority)

        def cut_off() -> bool:
            nonlocal highest
            highest = max(highest, gateway.resident())
            assert ask(gateway.port, get("/probe/at-once/x")).status == 200
            return gateway.breaches("write_timeout_ms") >= before + PEERS

        assert eventually(cut_off, 30)
        if "shut" not in kind:  # there the stream alone is reset
            # The peers have closed nothing; what is open is the question itself.
            assert eventually(lambda: gateway.metric("sluice_connections_open") == 1, 30)
    # Once for each peer, though over HTTP/2 a stream's time and its connection's end together.
    assert gateway.breaches("write_timeout_ms") == before + PEERS
    assert highest - memory < BOUND


def test_a_reader_that_is_slow_and_reads_is_served_to_the_end(sluice):
    gateway, size, times = sluice(conformance_configuration(write_timeout_ms=1000)), 1 << 20, 12
    with Wire(gateway.port, receive_buffer=4096, patience=30) as slow:
        # More than the kernel holds, so that it waits in the gateway.
        slow.send(get(f"/bytes/{size}") * times)
        end = time.monotonic() + 4
        while time.monotonic() < end:
            slow.held += slow._more()
            time.sleep(0.05)
        for _ in range(times):
            assert len(slow.answer().body) == size
    assert gateway.breaches("write_timeout_ms") == 0


def flooded_socket(gateway, stack: ExitStack, kind: str, authority):
    """Opens a WebSocket and asks for more messages than may wait."""
    if kind == "HTTP/2":
        connection = stack.enter_context(H2(gateway.port, {INITIAL_WINDOW_SIZE: 256}, reads=False))
        Socket(connection, "/probe/socket").send(TEXT, b"flood")
    else:
        peer = stack.enter_context(wire(gateway, kind, authority))
        assert peer.send(handshake("/probe/socket")).answer().status == 101
        peer.send(frame(TEXT, "flood"))


@MEASURES_MEMORY
@pytest.mark.limit("websocket_queue_bytes")
@pytest.mark.parametrize("kind", ["HTTP/1", "TLS", "HTTP/2"])
def test_websockets_that_never_read_are_closed(gateway, authority, kind):
    before, memory = gateway.breaches("websocket_queue_bytes"), gateway.resident()
    assert eventually(lambda: gateway.metric("sluice_websockets_open") == 0)
    with ExitStack() as stack:
        for _ in range(PEERS):
            flooded_socket(gateway, stack, kind, authority)
        assert eventually(lambda: gateway.breaches("websocket_queue_bytes") == before + PEERS, 30)
        assert gateway.resident() - memory < BOUND
        with RawSocket(gateway.port, "/probe/socket") as other:
            assert other.send(frame(TEXT, "hello")).receive() == (TEXT, b"0.1.0")
        # Whether or not they ever read the close frame.
        assert eventually(lambda: gateway.metric("sluice_websockets_open") == 0, 60)


def asking_socket(gateway, stack: ExitStack, kind: str, authority):
    """Opens a WebSocket; what sends on it bytes of frames."""
    if kind == "HTTP/2":
        connection = stack.enter_context(H2(gateway.port, {INITIAL_WINDOW_SIZE: 0}, reads=False))
        socket = Socket(connection, "/probe/socket")
        return lambda data: connection.data(socket.stream, data, ends=False)
    peer = stack.enter_context(wire(gateway, kind, authority))
    assert peer.send(handshake("/probe/socket")).answer().status == 101
    return peer.send


@MEASURES_MEMORY
@pytest.mark.limit("websocket_queue_bytes")
@pytest.mark.parametrize("kind", ["HTTP/1", "TLS", "HTTP/2"])
def test_websockets_that_only_ask_for_pongs_and_never_read_are_closed(gateway, authority, kind):
    def ended() -> float:
        # Whichever bound is reached first.
        return gateway.breaches("websocket_queue_bytes") + gateway.breaches("write_timeout_ms")

    before, memory = ended(), gateway.resident()
    pings = frame(PING, b"x" * 125) * 100
    with ExitStack() as stack:
        send = asking_socket(gateway, stack, kind, authority)
        highest = memory
        # More than the kernel keeps and the queue may hold.
        for _ in range(8_000):
            try:
                send(pings)
            except (OSError, AssertionError):
                break
            if ended() > before:
                break
            highest = max(highest, gateway.resident())
        assert eventually(lambda: ended() == before + 1, 30)
        assert highest - memory < BOUND
    assert eventually(lambda: gateway.metric("sluice_websockets_open") == 0, 60)
