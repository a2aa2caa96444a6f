"""Thousands of spoilt requests and frames: whatever comes, the gateway answers or closes, and stays whole.

The seed is fixed, so that a failure can be repeated; `SLUICE_SEED` sets another.
"""

import os
import random
import socket
import threading
import time

from program import eventually
from wire import BINARY, CLOSE, PING, TEXT, RawSocket, Wire, ask, frame, get, handshake
from workshop import conformance_configuration

SEED = int(os.environ.get("SLUICE_SEED", "20260101"))

REQUESTS = [
    get("/hello/c"), get("/hello/swift-async", "X-Request-Id: a"), get("/durable", method="POST", body=b"row"),
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    get("/", "Expect: 100-continue", method="POST", body=b"x" * 50), handshake("/echo") + frame(TEXT, "hi"),
    b"GET http://a.test/?app=x%20&token=y HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a.b.c\r\nConnection: close\r\n\r\n",
    get("/openapi.json"), get("/metrics"), get("/nowhere", method="HEAD"),
]
FRAMES = [
    frame(TEXT, "Grüße 👋"), frame(BINARY, b"\x00" * 200), frame(PING, "p"), frame(0, "more"), frame(CLOSE, b"\x03\xe8"),
    frame(TEXT, "part", final=False), frame(BINARY, b"x" * 70000),
]


def spoil(chance: random.Random, data: bytes) -> bytes:
    """One to four changes: a byte, a cut, a repetition, an insertion."""
    data = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data) + 1)
        change = chance.randrange(5)
        if change == 0 and place < len(data):
            data[place] = chance.randrange(256)
        elif change == 1:
            del data[place : place + chance.randint(1, 9)]
        elif change == 2:
            data[place:place] = data[place : place + chance.randint(1, 40)]
        elif change == 3:
            data[place:place] = chance.choice([b"\r\n", b"\n", b"\0", b":", b" ", b"\xff", b"%", b"0", b"Content-Length: 3\r\n"])
        else:
            data[place:place] = chance.randbytes(chance.randint(1, 8))
    return bytes(data)


def throw(gateway, seed: int, count: int, failures: list):
    chance = random.Random(seed)
    try:
        for _ in range(count):
            if chance.random() < 0.6:
                data = b"".join(spoil(chance, chance.choice(REQUESTS)) for _ in range(chance.randint(1, 3)))
                wire = Wire(gateway.port, patience=0.05)
            else:
                data = b"".join(spoil(chance, chance.choice(FRAMES)) for _ in range(chance.randint(1, 4)))
                wire = RawSocket(gateway.port, chance.choice(["/echo", "/fan"]))
                wire.socket.settimeout(0.05)
            with wire:
                try:
                    place = chance.randrange(len(data) + 1)
                    wire.send(data[:place])
                    wire.send(data[place:])
                    if chance.random() < 0.5:
                        wire.finish()
                    wire.socket.recv(65536)
                except OSError:
                    pass
                if chance.random() < 0.3:  # a reset instead of an end
                    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    except Exception as error:  # noqa: BLE001 - a thread's failure has to reach the test
        failures.append(error)


def test_no_spoilt_bytes_crash_hang_or_leak(sluice):
    gateway = sluice(conformance_configuration(), ["--loops", "2"])
    assert ask(gateway.port, get("/durable", method="POST", body=b"row")).status == 201
    time.sleep(0.2)
    descriptors = gateway.descriptors()
    failures: list[Exception] = []
    throwers = [threading.Thread(target=throw, args=[gateway, SEED + number, 1500, failures]) for number in range(4)]
    for thrower in throwers:
        thrower.start()
    for thrower in throwers:
        thrower.join()
    assert gateway.is_running(), f"seed {SEED}:\n{gateway.text()[-6000:]}"
    assert failures == [], f"seed {SEED}"
    for path in ("/hello/c", "/hello/swift-async", "/hello/swift"):
        assert ask(gateway.port, get(path)).status == 200
    assert eventually(lambda: gateway.descriptors() <= descriptors + 2, 45), f"seed {SEED}: {gateway.descriptors()}"
    assert eventually(lambda: gateway.metric("sluice_websockets_open") == 0)
    assert gateway.metric("sluice_connections_accepted_total") > 6000
    assert gateway.metric("sluice_malformed_requests_total") > 500
