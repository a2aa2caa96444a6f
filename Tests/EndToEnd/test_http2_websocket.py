"""WebSockets over HTTP/2 (RFC 8441): the same plugins, frames inside DATA."""

import struct
import zlib

import pytest

from http2 import CANCEL, DATA, END_STREAM, INITIAL_WINDOW_SIZE, H2, frame as h2_frame, request
from program import eventually
from wire import BINARY, TEXT, RawSocket, frame
from workshop import conformance_configuration


def connect_fields(path: str, *fields) -> list[tuple[str, str]]:
    pseudo = [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":authority", "a"), (":path", path)]
    return [*pseudo, ("sec-websocket-version", "13"), *fields]


class Socket:
    """A WebSocket on a stream."""

    def __init__(self, connection: H2, path: str, *fields):
        self.connection = connection
        self.stream = connection.open(connect_fields(path, *fields), body=None)
        connection.until(lambda: self.stream in connection.streams and connection.streams[self.stream].heads)
        self.state = connection.streams[self.stream]
        self.at = 0
        self.inflated = 0

    def send(self, opcode: int, payload: bytes):
        self.connection.data(self.stream, frame(opcode, payload), ends=False)

    def receive(self) -> tuple[int, bytes]:
        """The next frame, whole and unmasked as a server sends it."""
        def available():
            return len(self.state.body) - self.at

        def need(count: int) -> bytes:
            self.connection.until(lambda: available() >= count or self.state.is_over)
            assert available() >= count, f"the stream has ended: {self.state.error}"
            data = self.state.body[self.at:self.at + count]
            self.at += count
            return data

        first, length = need(2)
        if length == 126:
            length = struct.unpack(">H", need(2))[0]
        elif length == 127:
            length = struct.unpack(">Q", need(8))[0]
        payload = need(length)
        if first & 0x40:
            payload = zlib.decompressobj(-15).decompress(payload + b"\0\0\xff\xff")
            self.inflated += 1
        return first & 15, payload


def test_messages_are_echoed_and_the_close_ends_the_stream(conformance):
    with H2(conformance.port) as connection:
        socket = Socket(connection, "/echo")
        assert socket.state.status == 200
        assert not {"sec-websocket-accept", "upgrade", "connection", "content-length"} & set(socket.state.heads[0])
        for message in (b"hello", b"x" * 200, b"y" * 100_000, b""):
            socket.send(BINARY, message)
            assert socket.receive() == (BINARY, message)
        socket.send(TEXT, "grüße".encode())
        assert socket.receive() == (TEXT, "grüße".encode())
        socket.send(9, b"are you there")
        assert socket.receive() == (10, b"are you there")
        socket.send(8, struct.pack(">H", 1000))
        assert socket.receive()[0] == 8
        connection.until(lambda: socket.state.ended)
        assert connection.get("/").status == 200


def test_a_message_may_come_in_crumbs_and_many_in_one_frame(conformance):
    with H2(conformance.port) as connection:
        socket = Socket(connection, "/echo")
        data = b"".join(frame(BINARY, bytes([number]) * number) for number in range(50))
        for byte in data[:200]:
            connection.send(h2_frame(DATA, 0, socket.stream, bytes([byte])))
        connection.send(h2_frame(DATA, 0, socket.stream, data[200:]))
        for number in range(50):
            assert socket.receive() == (BINARY, bytes([number]) * number)


def test_sockets_of_both_versions_and_requests_share_a_group_and_a_connection(conformance):
    with H2(conformance.port) as connection:
        sockets = [Socket(connection, "/fan") for _ in range(20)]
        plain = [RawSocket(conformance.port, "/fan") for _ in range(3)]
        for number in range(5):
            sockets[0].send(BINARY, b"%d" % number)
            for socket in sockets:
                assert socket.receive() == (BINARY, b"%d" % number)
        for opened in plain:
            for number in range(5):
                assert opened.receive()[1] == b"%d" % number
            opened.socket.close()
        assert connection.get("/").status == 200


def test_messages_are_compressed_on_streams_too(conformance):
    offer = ("sec-websocket-extensions", "permessage-deflate; server_no_context_takeover; client_no_context_takeover")
    with H2(conformance.port) as connection:
        for path in ("/echo", "/fan"):
            socket = Socket(connection, path, offer)
            assert socket.state.heads[0]["sec-websocket-extensions"].startswith("permessage-deflate")
            socket.send(BINARY, b"again and again " * 100)
            assert socket.receive() == (BINARY, b"again and again " * 100)
            assert socket.inflated == 1


@pytest.mark.limit("websocket_queue_bytes")
def test_a_peer_that_does_not_take_its_messages_is_reset_alone(conformance):
    before = conformance.breaches("websocket_queue_bytes")
    with H2(conformance.port, {INITIAL_WINDOW_SIZE: 0}) as connection:
        slow = Socket(connection, "/echo")
        slow.send(BINARY, b"x" * 3_000_000)
        connection.until(lambda: slow.state.is_over)
        assert slow.state.error == CANCEL
    assert conformance.breaches("websocket_queue_bytes") == before + 1


def test_a_reset_or_a_lost_connection_closes_the_socket(conformance):
    before = conformance.metric("sluice_websockets_open")
    connection = H2(conformance.port)
    sockets = [Socket(connection, path) for path in ("/echo", "/fan", "/echo")]
    assert conformance.metric("sluice_websockets_open") == before + 3
    connection.send(h2_frame(3, 0, sockets[0].stream, struct.pack(">I", CANCEL)))
    assert eventually(lambda: conformance.metric("sluice_websockets_open") == before + 2)
    connection.send(h2_frame(DATA, END_STREAM, sockets[1].stream))
    assert eventually(lambda: conformance.metric("sluice_websockets_open") == before + 1)
    connection.socket.close()
    assert eventually(lambda: conformance.metric("sluice_websockets_open") == before)


def test_a_violation_closes_with_its_code(conformance):
    with H2(conformance.port) as connection:
        socket = Socket(connection, "/echo")
        connection.send(h2_frame(DATA, 0, socket.stream, b"\x81\x01a"))  # not masked
        opcode, payload = socket.receive()
        assert (opcode, payload[:2]) == (8, struct.pack(">H", 1002))
        connection.until(lambda: socket.state.ended)


@pytest.mark.parametrize("fields, status", [
    (connect_fields("/echo")[:-1], 400),  # no version
    ([*connect_fields("/echo")[:-1], ("sec-websocket-version", "8")], 400),
    ([*connect_fields("/echo"), ("sec-websocket-extensions", "permessage-deflate; =1")], 400),
    ([*connect_fields("/echo"), ("sec-websocket-protocol", "a, a")], 400),
    (connect_fields("/"), 400),  # no WebSocket there
    (connect_fields("/nowhere"), 404),
    (request("GET", "/echo"), 405),
    ([(":method", "CONNECT"), (":protocol", "connect-ip"), *connect_fields("/echo")[2:]], 501),
], ids=["no version", "version 8", "no extension", "a protocol twice", "a route", "nothing", "GET", "another protocol"])
def test_what_is_no_handshake_is_refused_and_no_tunnel(conformance, fields, status):
    with H2(conformance.port) as connection:
        stream = connection.open(fields, body=b"" if fields[0][1] == "GET" else None)
        assert connection.answer(stream).status == status
        assert connection.get("/").status == 200


def test_sigterm_closes_sockets_with_3001(sluice):
    gateway = sluice(conformance_configuration(), ["--loops", 1])
    with H2(gateway.port) as connection:
        socket = Socket(connection, "/echo")
        gateway.terminate()
        opcode, payload = socket.receive()
        assert (opcode, payload[:2]) == (8, struct.pack(">H", 3001))
        socket.send(8, payload)
        connection.closed()
    assert gateway.wait() == 0


def test_a_peer_that_leaves_without_a_word_ends_its_sockets_and_its_unfinished_requests(conformance):
    open_before = conformance.metric("sluice_websockets_open")
    connections = conformance.metric("sluice_connections_open")
    with H2(conformance.port) as connection:
        Socket(connection, "/echo").send(TEXT, b"hello")
        unfinished = connection.open(request("POST", "/durable", ("content-length", "10")), body=None)
        connection.data(unfinished, b"half", ends=False)
    assert eventually(lambda: conformance.metric("sluice_websockets_open") == open_before)
    # What the tests before have closed may have counted still.
    assert eventually(lambda: conformance.metric("sluice_connections_open") <= connections)
