"""Clients that show a certificate: required, optional, from the wrong authority; and who gets to see its subject."""

import json
import ssl
import subprocess

import pytest
import requests

from authority import Authority
from program import eventually
from secure import SecureSluice, SecureWire, trust
from wire import Closed, get
from workshop import lay_out, probe_manifest


def test_a_certificate_is_required_and_must_be_from_the_authority(secure, localhost, authority, tmp_path):
    clients = Authority(tmp_path / "clients", "Client Authority")
    gateway = secure(localhost.configuration(client_ca=str(clients.certificate)))
    known = clients.issue("device-1", usage="clientAuth")
    with SecureWire(gateway, trust(authority, known)) as wire:
        assert wire.send(get("/hello/c")).answer().status == 200
    stranger = Authority(tmp_path / "strangers", "Client Authority").issue("device-1", usage="clientAuth")
    server = clients.issue("device-2", usage="serverAuth")
    for context in (trust(authority), trust(authority, stranger), trust(authority, server)):
        with pytest.raises((ssl.SSLError, Closed, ConnectionResetError)):
            with SecureWire(gateway, context) as wire:  # in TLS 1.3 a client learns of it behind its own handshake
                wire.send(get("/hello/c")).answer()
    assert eventually(lambda: gateway.failures("client_certificate") == 3)


def test_a_certificate_may_be_optional_and_a_wrong_one_is_still_refused(secure, localhost, authority, tmp_path):
    clients = Authority(tmp_path / "clients", "Client Authority")
    gateway = secure(localhost.configuration(client_ca=str(clients.certificate), client_auth="optional"))
    for context in (trust(authority), trust(authority, clients.issue("device-1", usage="clientAuth"))):
        with SecureWire(gateway, context) as wire:
            assert wire.send(get("/hello/c")).answer().status == 200
    stranger = Authority(tmp_path / "strangers", "Client Authority").issue("device-1", usage="clientAuth")
    with pytest.raises((ssl.SSLError, Closed, ConnectionResetError)):
        with SecureWire(gateway, trust(authority, stranger)) as wire:
            wire.send(get("/hello/c")).answer()


@pytest.fixture
def shown(tmp_path, localhost, probe_library):
    """A gateway to which clients may show certificates, with the probe; and their authority."""
    clients = Authority(tmp_path / "clients", "Client Authority")
    tls = localhost.configuration(client_ca=str(clients.certificate), client_auth="optional")
    gateway = SecureSluice(tmp_path / "gateway", tls, ["--loops", "1"])
    configuration = json.loads(gateway.configuration.read_text())
    # No authenticator is there, which sockets of the probe ask for.
    lay_out(tmp_path / "plugins", probe_library, {**probe_manifest(), "sockets": []})
    configuration["plugins"]["folders"].append(str(tmp_path / "plugins"))
    gateway.configuration.write_text(json.dumps(configuration))
    with gateway:
        yield gateway, clients


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_the_subject_of_a_clients_certificate_is_shown_to_plugins_and_logged(shown, authority, version):
    gateway, clients = shown
    device = clients.issue("device-7", usage="clientAuth")
    credentials = ["--cert", str(device.chain), "--key", str(device.key)]
    for shows, subject in ((credentials, "CN=device-7"), ([], None)):
        printed = subprocess.run(
            ["curl", "-sS", version, "-D", "-", "--cacert", str(authority.certificate), *shows,
             f"{gateway.secure_url}/probe/client"], capture_output=True, text=True, timeout=20, check=True).stdout
        head, body = printed.replace("\r\n", "\n").split("\n\n", 1)
        assert head.startswith("HTTP/2 200" if version == "--http2" else "HTTP/1.1 200")
        assert body == (subject or "nobody")
        (identity,) = [line.split(": ")[1] for line in head.split("\n") if line.startswith("x-request-id")]
        assert gateway.access(identity).get("client") == subject
    assert requests.get(f"{gateway.url}/probe/client", timeout=10).text == "nobody"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_that_comes_back_with_a_ticket_is_still_known_by_its_certificate(shown, authority, version):
    gateway, clients = shown
    device = clients.issue("device-8", usage="clientAuth")
    context = trust(authority, device, minimum_version=version, maximum_version=version)
    with SecureWire(gateway, context) as wire:
        assert wire.send(get("/probe/client")).answer().body == b"CN=device-8"
        session = wire.tls.session
    with SecureWire(gateway, context, session=session) as wire:
        assert wire.send(get("/probe/client")).answer().body == b"CN=device-8"
        assert wire.tls.session_reused
