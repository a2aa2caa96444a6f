"""Rows whose clients speak Centrifugo's protocol in JSON, on an app of their own."""

import base64
import hashlib
import hmac
import json
import os
import socket
import struct
import time
from pathlib import Path

import gateway
from measurement import Measurement, Side
from server import Server
from workbench import Bench

PATH = "/connection/websocket"
SIGNING_SECRET = "secret"  # as in centrifugo/tenant.json
LOSSY, KEPT, LIST = "fan", "kept:fan", "kept:list"
CLIENTS, CHANNELS, MISSED = 10_000, 100, 100
# Each takes most of a minute, with the rest after it.
ROUNDS = 3
# Freed memory is given back every ten seconds, when many have left.
REST_SECONDS = 22.0


def token(user: str) -> str:
    """A token of the app's user (RFC 7519, HS256)."""

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    head = part(b'{"alg":"HS256","typ":"JWT"}') + "." + part(json.dumps({"sub": user}).encode())
    return head + "." + part(hmac.new(SIGNING_SECRET.encode(), head.encode(), hashlib.sha256).digest())


def load(channel: str, **more: object) -> dict[str, object]:
    """What the generator is told for clients that listen to a channel."""
    return {"token": token("bench"), "channel": channel, **more}


class Client:
    """One connection of the protocol, blocking, for what is set up before something is measured."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.sendall(
            f"GET {PATH} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
            "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        self._stream = self._socket.makefile("rb")
        while self._stream.readline() not in (b"\r\n", b""):
            pass
        self._last = 0
        self.ask({"connect": {"token": token("bench")}})

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._socket.close()

    def ask(self, *commands: dict) -> list[dict]:
        """Sends commands as one message and gives their replies."""
        first = self._last + 1
        lines = [json.dumps({"id": first + index, **command}) for index, command in enumerate(commands)]
        self._last += len(commands)
        self._send("\n".join(lines).encode())
        replies: dict[int, dict] = {}
        while len(replies) < len(commands):
            for line in self._receive().split(b"\n"):
                reply = json.loads(line)
                if "error" in reply:
                    raise RuntimeError(f"the gateway answered {reply}")
                if "id" in reply:
                    replies[reply["id"]] = reply
        return [replies[number] for number in sorted(replies)]

    def _send(self, payload: bytes) -> None:
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[index & 3] for index, byte in enumerate(payload))
        short = len(payload) < 126
        head = struct.pack("!BB", 0x81, 0x80 | len(payload)) if short else struct.pack("!BBH", 0x81, 0xFE, len(payload))
        self._socket.sendall(head + mask + masked)

    def _receive(self) -> bytes:
        _, length = self._stream.read(2)
        if length == 126:
            (length,) = struct.unpack("!H", self._stream.read(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self._stream.read(8))
        return self._stream.read(length)


def publish_list(server: Server) -> None:
    """A hundred publications in a channel, for whoever reads its history."""
    with Client(server.port) as client:
        client.ask({"subscribe": {"channel": LIST}})
        client.ask(*({"publish": {"channel": LIST, "data": {"number": index}}} for index in range(100)))


def _publish_missed(server: Server) -> str:
    """Publishes what the clients will have missed, and gives the epoch of its offsets."""
    with Client(server.port) as client:
        for number in range(CHANNELS):
            channel = f"kept:{number}"
            subscribed = client.ask({"subscribe": {"channel": channel}})[0]["subscribe"]
            client.ask(*({"publish": {"channel": channel, "data": {"missed": index}}} for index in range(MISSED)))
            client.ask({"unsubscribe": {"channel": channel}})
        return subscribed["epoch"]


def _join_and_leave(bench: Bench, data: Path, **recovery: object) -> tuple[float, float]:
    """All clients come to a gateway that has just started: seconds until they listen; MB resident when they have left."""
    with gateway.centrifugo(bench.cores.two_servers, data, loops=2) as server:
        options = load("kept:", channels=CHANNELS, **recovery)
        with bench.generator.idle_websockets(
            bench.cores.beside_two_servers, server.port, PATH, CLIENTS, **options
        ) as opened:
            seconds = opened["seconds"]
        time.sleep(REST_SECONDS)
        return seconds, server.resident_bytes() / 2**20


def recovery(bench: Bench) -> Measurement:
    """After a kill, all clients at once come back and get what they missed."""
    data = bench.folder("recovery")
    with gateway.centrifugo(bench.cores.two_servers, data, loops=2) as server:
        epoch = _publish_missed(server)
        server.kill()
    measurement = Measurement(Side("sluice"))
    rounds = min(bench.rounds, ROUNDS)
    for number in range(rounds):
        _, before = _join_and_leave(bench, data)
        seconds, after = _join_and_leave(bench, data, since=0, epoch=epoch, **{"expect-missed": MISSED})
        measurement.ours.rounds.append(seconds)
        bench.say(f"    round {number + 1}/{rounds}: {seconds:.2f} s, then {after - before:+.1f} MB")
    measurement.notes.append(
        f"afterwards {after - before:+.1f} MB beside a gateway to which as many came that had missed nothing"
    )
    return measurement
