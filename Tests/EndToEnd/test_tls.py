"""TLS as clients see it that we did not write: Python's ssl, requests, websockets, and the openssl command."""

import asyncio
import contextlib
import json
import os
import socket
import ssl
import subprocess
import time

import pytest
import requests
from websockets.asyncio.client import connect as in_one_thread
from websockets.sync.client import connect

from http2 import PREFACE, settings
from program import eventually
from sanitizer import MEASURES_MEMORY
from secure import SecureSluice, SecureWire, s_client, trust
from wire import Wire, get, handshake


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, authority, localhost):
    """One that stays as it is."""
    others = [authority.issue("one.example"), authority.issue("*.two.example")]
    tls = {
        "certificates": [each.configuration() for each in (localhost, *others)],
        "strict_transport_security": "max-age=86400; includeSubDomains",
    }
    with SecureSluice(tmp_path_factory.mktemp("tls"), tls, ["--loops", "2"], header_timeout_ms=1500) as gateway:
        yield gateway
        assert gateway.is_running(), gateway.text()[-6000:]


# MARK: requests


def test_requests_are_answered_as_without_tls(gateway, authority):
    with requests.Session() as session:
        session.trust_env, session.verify = False, str(authority.certificate)
        for _ in range(3):
            answer = session.get(f"{gateway.secure_url}/hello/c", timeout=10)
            assert answer.json() == {"message": "hello, world"}
            assert answer.headers["strict-transport-security"] == "max-age=86400; includeSubDomains"
        body = os.urandom(9_000_000)
        answer = session.post(f"{gateway.secure_url}/", data=body, timeout=30)
        assert answer.json() == {"received": len(body)}
        assert session.get(f"{gateway.secure_url}/absent", timeout=10).status_code == 404
    assert "strict-transport-security" not in requests.get(f"{gateway.url}/hello/c", timeout=10).headers
    with SecureWire(gateway, trust(authority)) as wire:
        wire.send(b"GET https://localhost/hello/c HTTP/1.1\r\nHost: b\r\n\r\n")
        assert wire.answer().status == 200


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_pipelined_requests_are_answered_in_order_in_few_records(gateway, authority, version):
    with SecureWire(gateway, trust(authority, minimum_version=version, maximum_version=version)) as wire:
        wire.send(b"".join(get("/hello/c", f"x-request-id: request-number-{n:08d}") for n in range(200)))
        for number in range(200):
            assert wire.answer()["x-request-id"] == f"request-number-{number:08d}"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_every_byte_may_come_alone(gateway, authority, version):
    context = trust(authority, minimum_version=version, maximum_version=version)
    with SecureWire(gateway, context, step=1) as wire:
        assert wire.send(get("/hello/swift")).answer().status == 200
        assert wire.send(get("/hello/swift")).answer().status == 200


def test_a_client_that_has_ended_its_side_still_gets_its_answer_and_then_a_clean_end(gateway, authority):
    with SecureWire(gateway, trust(authority)) as wire:
        wire.send(get("/hello/c") + get("/hello/swift"))
        wire.finish()
        assert wire.answer().status == 200 and wire.answer().status == 200
        assert wire.is_closed()


def test_an_answer_that_ends_the_connection_ends_it_cleanly(gateway, authority):
    with SecureWire(gateway, trust(authority)) as wire:
        assert wire.send(get("/hello/c", "connection: close")).answer().status == 200
        assert wire.is_closed()


def test_a_slow_head_is_refused_inside_tls(gateway, authority):
    with SecureWire(gateway, trust(authority)) as wire:
        wire.send(b"GET / HTTP/1.1\r\n")
        assert wire.answer().status == 408
        assert wire.is_closed()


def test_a_client_that_breaks_its_session_is_cut(gateway, authority):
    broken = gateway.metric("sluice_tls_broken_total")
    with SecureWire(gateway, trust(authority)) as wire:
        assert wire.send(get("/hello/c")).answer().status == 200
        wire.socket.sendall(b"\x17\x03\x03\x00\x40" + bytes(64))
        with pytest.raises(ssl.SSLError) as alert:
            wire.rest()
        assert "BAD_RECORD_MAC" in str(alert.value)
    assert gateway.metric("sluice_tls_broken_total") == broken + 1


def test_draining_ends_idle_connections_cleanly(secure, localhost, authority):
    gateway = secure(localhost.configuration())
    wires = [SecureWire(gateway, trust(authority)) for _ in range(3)]
    for wire in wires:
        assert wire.send(get("/hello/c")).answer().status == 200
    started = socket.create_connection(("127.0.0.1", gateway.secure_port))
    time.sleep(0.1)
    gateway.terminate()
    for wire in wires:
        assert wire.is_closed()
        wire.socket.close()
    started.close()
    assert gateway.wait() == 0


@MEASURES_MEMORY
@pytest.mark.limit("write_timeout_ms")
def test_a_client_that_does_not_read_holds_bounded_memory_and_is_cut(secure, localhost, authority):
    gateway = secure(localhost.configuration(), write_timeout_ms=1000)
    with SecureWire(gateway, trust(authority), receive_buffer=4096) as wire:
        wire.send(get("/openapi.json"))
        wire.answer()
        before = gateway.resident()
        wire.socket.settimeout(3)
        with contextlib.suppress(OSError, TimeoutError):
            for _ in range(4000):
                wire.send(get("/openapi.json"))
        assert gateway.resident() - before < 16 << 20
        assert eventually(lambda: gateway.breaches("write_timeout_ms") == 1)
    assert requests.get(f"{gateway.url}/healthz", timeout=5).status_code == 200


# MARK: WebSockets
# Python's TLS sockets are not for a thread that reads beside one that writes, as the plain client of websockets has them.


def test_a_websocket_carries_large_messages_both_ways(gateway, authority):
    async def play():
        url = f"wss://localhost:{gateway.secure_port}/echo"
        async with in_one_thread(url, ssl=trust(authority), proxy=None, max_size=None) as client:
            for size in (1, 125, 65_535, 3_000_000):
                message = os.urandom(size)
                await client.send(message)
                assert await asyncio.wait_for(client.recv(), 20) == message

    asyncio.run(play())


def test_fan_out_reaches_sockets_with_tls_and_without(gateway, authority):
    async def play():
        async with contextlib.AsyncExitStack() as stack:
            secure, plain = f"wss://localhost:{gateway.secure_port}/fan", gateway.socket_url + "/fan"
            opening = [in_one_thread(secure, ssl=trust(authority), proxy=None) for _ in range(4)]
            opening += [in_one_thread(plain, proxy=None) for _ in range(4)]
            clients = [await stack.enter_async_context(client) for client in opening]
            await asyncio.sleep(0.1)
            for number in range(50):
                await clients[number % 8].send(f"message {number}")
                for client in clients:
                    assert await asyncio.wait_for(client.recv(), 10) == f"message {number}"

    asyncio.run(play())


@pytest.mark.limit("websocket_queue_bytes")
def test_a_websocket_over_tls_that_does_not_read_is_cut(secure, localhost, authority):
    gateway = secure(localhost.configuration(), websocket_queue_bytes=1 << 20)
    with SecureWire(gateway, trust(authority), receive_buffer=4096) as slow:
        assert slow.send(handshake("/fan")).answer().status == 101
        with connect(gateway.socket_url + "/fan", proxy=None) as writer:
            for _ in range(200):
                writer.send(os.urandom(60_000))
                writer.recv(10)
        assert eventually(lambda: gateway.breaches("websocket_queue_bytes") == 1)


# MARK: the handshake


@pytest.mark.parametrize("host, name", [
    ("one.example", "one.example"), ("any.two.example", "*.two.example"), ("ONE.example", "one.example"),
    ("three.example", "localhost"), ("a.b.two.example", "localhost"), (None, "localhost"),
])
def test_the_certificate_follows_the_host_that_was_named(gateway, authority, host, name):
    with SecureWire(gateway, trust(authority, check_hostname=False), host=host) as wire:
        assert wire.subject() == name
        assert wire.send(get("/hello/c")).answer().status == 200


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions_are_refused(gateway, authority, version):
    failures = gateway.failures("version")
    context = trust(authority)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = version, version
    with pytest.raises(ssl.SSLError) as refused:
        SecureWire(gateway, context)
    assert "PROTOCOL_VERSION" in str(refused.value)
    assert gateway.failures("version") == failures + 1


def test_alpn_chooses_http_and_refuses_what_is_unknown(gateway, authority):
    context = trust(authority)
    context.set_alpn_protocols(["h3", "http/1.1"])
    with SecureWire(gateway, context) as wire:
        assert wire.tls.selected_alpn_protocol() == "http/1.1"
    failures = gateway.failures("alpn")
    context.set_alpn_protocols(["spdy/3"])
    with pytest.raises(ssl.SSLError):
        SecureWire(gateway, context)
    assert gateway.failures("alpn") == failures + 1


@pytest.mark.parametrize("offers", [True, False])
def test_http2_is_chosen_where_it_is_offered(secure, localhost, authority, offers):
    gateway = secure(localhost.configuration(http2=offers, strict_transport_security="max-age=7"))
    done = subprocess.run(
        [
            "curl", "-sS", "--http2", "--cacert", str(authority.certificate), "-D", "-", "-o", "/dev/null", "-w",
            "%{http_version}", f"{gateway.secure_url}/hello/c",
        ],
        capture_output=True, text=True, timeout=20,
    )
    assert done.stdout.endswith("2" if offers else "1.1") and "strict-transport-security: max-age=7" in done.stdout
    body = os.urandom(3_000_000)
    done = subprocess.run(
        [
            "curl", "-sS", "--http2", "--cacert", str(authority.certificate), "--data-binary", "@-",
            f"{gateway.secure_url}/",
        ],
        input=body, capture_output=True, timeout=20,
    )
    assert json.loads(done.stdout) == {"received": len(body)}


@pytest.mark.parametrize("offers", [None, ["http/1.1"], ["h2"]])
def test_inside_tls_the_choice_of_http2_is_made_by_alpn_alone(gateway, authority, offers):
    """RFC 9113 §3.2"""
    context = trust(authority)
    if offers:
        context.set_alpn_protocols(offers)
    with SecureWire(gateway, context) as wire:
        if offers == ["h2"]:
            # The server's settings need not wait for the client's.
            assert wire.read(5)[3] == 4
        else:
            assert wire.send(PREFACE + settings()).answer().status == 400


def test_a_client_that_does_not_trust_us_is_counted(gateway):
    failures = gateway.failures("peer_alert")
    with pytest.raises(ssl.SSLCertVerificationError):
        SecureWire(gateway, ssl.create_default_context())
    assert eventually(lambda: gateway.failures("peer_alert") == failures + 1)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_comes_back_with_its_ticket_on_every_loop(gateway, authority, version):
    context = trust(authority, minimum_version=version, maximum_version=version)
    with SecureWire(gateway, context) as wire:
        wire.send(get("/hello/c")).answer()
        session = wire.tls.session
        assert not wire.tls.session_reused
    resumed = gateway.metric("sluice_tls_resumptions_total")
    for _ in range(10):
        with SecureWire(gateway, context, session=session) as wire:
            assert wire.tls.session_reused
            assert wire.send(get("/hello/c")).answer().status == 200
    assert gateway.metric("sluice_tls_resumptions_total") == resumed + 10


def test_the_openssl_command_comes_back_too_and_may_not_renegotiate(gateway):
    assert s_client(gateway, "-reconnect", "-tls1_2", "-no_ign_eof").count("Reused, TLSv1.2") == 5
    printed = s_client(gateway, "-tls1_2", text="R\n")
    assert "no renegotiation" in printed
    assert "Secure Renegotiation IS supported" in printed and "Compression: NONE" in printed


def test_plain_http_gets_a_sentence(gateway):
    failures = gateway.failures("plain_http")
    with Wire(gateway.secure_port) as wire:
        answer = wire.send(get("/")).answer()
        assert answer.status == 400 and b"https://" in answer.body and answer["connection"] == "close"
        assert wire.is_closed()
    assert gateway.failures("plain_http") == failures + 1


@MEASURES_MEMORY
def test_thousands_of_garbage_handshakes_leave_nothing_behind(gateway, authority):
    def throw(count):
        for number in range(count):
            garbage = [
                os.urandom(300), b"\x16\x03\x01\x02\x00" + os.urandom(512), b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03",
                b"\x16", b"",
            ][number % 5]
            with socket.create_connection(("127.0.0.1", gateway.secure_port), timeout=5) as plain:
                with contextlib.suppress(OSError):
                    plain.sendall(garbage)
                    if number % 3:
                        plain.shutdown(socket.SHUT_WR)
                        plain.recv(100)

    def open_connections():
        return gateway.metric("sluice_tls_connections_open")

    throw(500)
    assert eventually(lambda: open_connections() == 0, patience=15)
    memory, descriptors = gateway.resident(), gateway.descriptors()
    throw(2000)
    assert eventually(lambda: open_connections() == 0, patience=15)
    assert gateway.resident() - memory < 2 << 20
    assert gateway.descriptors() <= descriptors + 2
    assert gateway.failures("malformed") >= 400 and gateway.failures("not_tls") >= 300
    with SecureWire(gateway, trust(authority)) as wire:
        assert wire.send(get("/hello/c")).answer().status == 200


@pytest.mark.limit("tls_handshake_timeout_ms")
def test_a_slow_handshake_is_ended(secure, localhost):
    gateway = secure(localhost.configuration(), tls_handshake_timeout_ms=300)
    silent, slow = Wire(gateway.secure_port), Wire(gateway.secure_port)
    slow.send(b"\x16\x03\x01\x02\x00\x01")
    assert silent.is_closed() and slow.is_closed()
    assert gateway.breaches("tls_handshake_timeout_ms") == 2


@pytest.mark.limit("tls_handshakes_per_second")
def test_handshakes_above_the_limit_are_closed_before_they_begin(secure, localhost, authority):
    gateway = secure(localhost.configuration(), tls_handshakes_per_second=3)
    context, served = trust(authority), 0
    for _ in range(30):
        with contextlib.suppress(ssl.SSLEOFError, ConnectionResetError, BrokenPipeError):
            with SecureWire(gateway, context) as wire:
                served += wire.send(get("/hello/c")).answer().status == 200
    assert 3 <= served < 30
    assert gateway.breaches("tls_handshakes_per_second") == 30 - served
    time.sleep(0.7)
    with SecureWire(gateway, context) as wire:
        assert wire.send(get("/hello/c")).answer().status == 200


@pytest.mark.limit("connections")
def test_a_connection_too_many_is_closed_before_its_handshake(secure, localhost, authority):
    gateway, held = secure(localhost.configuration(), connections=5), []
    with pytest.raises((ssl.SSLError, OSError)):
        for _ in range(6):
            held.append(SecureWire(gateway, trust(authority)))
    assert len(held) >= 3  # the question whether it is ready may still be open
    for wire in held:
        wire.socket.close()
    assert eventually(lambda: gateway.breaches("connections") >= 1)


# MARK: certificates of clients
