"""Proxies that the operator trusts: whose address a request has, and that nobody names another one than his own."""

import getpass
import json
import shutil
import socket
import sys
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter
from websockets.sync.client import connect

from client import Account, Client
from http2 import H2
from program import eventually, run, shared
from sanitizer import SLOWNESS
from secure import SecureWire, install, trust
from wire import Wire
from workshop import with_plugins

sys.path.append(str(Path(__file__).resolve().parent.parent / "Conformance"))

from proxies import Proxy  # noqa: E402

CLIENT, OTHER, FORGED = "203.0.113.7", "203.0.113.8", "198.51.100.66"


class Sender(HTTPAdapter):
    """Sends from an address of this machine."""

    def __init__(self, address: str):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *arguments, **options):
        super().init_poolmanager(*arguments, source_address=(self.address, 0), **options)


def sender(url: str, address="127.0.0.1", credential=None, **fields) -> Client:
    """Who sends from this address, with these fields in every request."""
    client = Client(url, credential)
    client.session.mount("http://", Sender(address))
    client.session.trust_env = False
    client.session.headers.update({name.replace("_", "-"): value for name, value in fields.items()})
    return client


def behind(gateway, *hops: str, **options) -> Client:
    """A client of a proxy on this machine."""
    return sender(gateway.url, X_Forwarded_For=", ".join(hops), **options)


def address_of(gateway, answer) -> str:
    """Where the access log says that a request came from."""
    return gateway.access(answer.headers["x-request-id"])["peer"]


def guess(client: Client, account: Account) -> int:
    body = {"email": account.email, "password": "wrong one entirely"}
    return client.post("/v1/sessions", body).status_code


def guess_until_refused(client: Client, account: Account):
    assert any(guess(client, account) == 429 for _ in range(12)), "nobody slows the guesses down"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, request):
    configuration = with_plugins(trusted_proxies=["127.0.0.1", "10.0.0.0/8", "2001:db8:1::/48"])
    yield from shared(tmp_path_factory.mktemp("trusting"), request, configuration, ["--loops", "2"])


WHO = [
    ({}, "127.0.0.1"),
    ({"X-Forwarded-For": CLIENT}, CLIENT),
    ({"X-Forwarded-For": f"{FORGED}, {CLIENT}"}, CLIENT),
    ({"X-Forwarded-For": f"{CLIENT}:4711, 10.1.2.3"}, CLIENT),
    ({"X-Forwarded-For": "2001:db8::7, 2001:db8:1::1"}, "2001:db8::7"),
    ({"X-Forwarded-For": "10.3.3.3, 10.2.2.2"}, "10.3.3.3"),
    ({"X-Forwarded-For": f"{CLIENT}, unknown, 10.2.2.2"}, "10.2.2.2"),
    ({"X-Forwarded-For": "not an address"}, "127.0.0.1"),
    ({"X-Forwarded-For": ", ".join([CLIENT] + ["10.1.1.1"] * 40)}, "10.1.1.1"),
    ({"Forwarded": f"for={CLIENT};proto=https;by=_us"}, CLIENT),
    ({"Forwarded": f"for={FORGED}, for=\"[2001:db8::7]:4711\""}, "2001:db8::7"),
    ({"Forwarded": f'for={FORGED};x=", for={CLIENT}'}, CLIENT),
    ({"Forwarded": "for=unknown"}, "127.0.0.1"),
    ({"Forwarded": f"for={CLIENT}", "X-Forwarded-For": CLIENT}, CLIENT),
    ({"X-Real-IP": FORGED}, "127.0.0.1"),
]


@pytest.mark.parametrize("fields, expected", WHO)
def test_a_trusted_proxy_says_whom_a_request_is_from(gateway, fields, expected):
    answer = sender(gateway.url, **fields).get("/healthz", expect=200)
    assert address_of(gateway, answer) == expected
    with H2(gateway.port) as connection:
        stream = connection.get("/healthz", *((name.lower(), value) for name, value in fields.items()))
    assert gateway.access(stream.heads[-1]["x-request-id"])["peer"] == expected


def test_lists_of_several_fields_are_one_list(gateway):
    with Wire(gateway.port) as wire:
        wire.send(
            f"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {FORGED}\r\nX-Other: a\r\n"
            f"x-forwarded-for: {CLIENT}\r\nX-Forwarded-For: 10.2.2.2\r\n\r\n")
        assert gateway.access(wire.answer()["x-request-id"])["peer"] == CLIENT


def test_what_anybody_else_says_counts_for_nothing(gateway, platform):
    said = {"X-Forwarded-For": FORGED, "Forwarded": f"for={OTHER}"}
    direct = sender(gateway.url, "127.0.0.2", **said).get("/healthz", expect=200)
    assert address_of(gateway, direct) == "127.0.0.2"
    # Nobody is trusted by a gateway that was not told so.
    for fields in [said, {"X-Forwarded-For": FORGED}]:
        answer = sender(platform.url, **fields).get("/healthz", expect=200)
        assert address_of(platform, answer) == "127.0.0.1"


@pytest.mark.parametrize("path", ["/healthz", "/v1/me", "/healthz?a=b"])
def test_a_request_from_two_clients_is_refused(gateway, path):
    fields = {"X-Forwarded-For": CLIENT, "Forwarded": f"for={FORGED}"}
    answer = sender(gateway.url, **fields).get(path, expect=400)
    assert answer.json()["code"] == "invalid_request"
    assert "X-Forwarded-For and Forwarded" in answer.json()["detail"]
    assert address_of(gateway, answer) == "127.0.0.1"
    with H2(gateway.port) as connection:
        assert connection.get(path, *((name.lower(), value) for name, value in fields.items())).status == 400


def test_what_a_trusted_proxy_was_asked_for_over_tls_is_served_without(gateway, platform):
    for port, status in [(gateway.port, 200), (platform.port, 421)]:
        with Wire(port) as wire:
            wire.send("GET https://a/healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            assert wire.answer().status == status
            # Nobody lost track of where the next request begins.
            wire.send("GET http://a/healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            assert wire.answer().status == 200
        with H2(port) as connection:
            head = [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/healthz")]
            assert connection.answer(connection.open(head)).status == status


def test_over_tls_it_is_the_same(secure, localhost, authority, tmp_path):
    gateway = secure(install(localhost, tmp_path))
    # The configuration is the fixture's own.
    configuration = json.loads(gateway.configuration.read_text())
    gateway.configuration.write_text(json.dumps({**configuration, "trusted_proxies": ["127.0.0.1"]}))
    assert gateway.reload()["message"] == "reloaded"

    def address() -> str:
        with SecureWire(gateway, trust(authority)) as wire:
            wire.send(f"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {CLIENT}\r\n\r\n".encode())
            return gateway.access(wire.answer()["x-request-id"])["peer"]

    assert eventually(lambda: address() == CLIENT)


def test_guesses_of_one_client_do_not_slow_another_down(gateway):
    account = Account(gateway.url)
    guess_until_refused(behind(gateway, CLIENT), account)
    # Addresses that the client itself has put before its own, as many as it likes.
    forged = [guess(behind(gateway, f"198.51.100.{number}", CLIENT), account) for number in range(4)]
    assert 429 in forged
    assert guess(behind(gateway, OTHER), account) == 401


def test_forged_addresses_do_not_help_who_comes_directly(gateway):
    account = Account(gateway.url)
    guesses = [
        guess(sender(gateway.url, "127.0.0.2", X_Forwarded_For=f"198.51.100.{number}"), account)
        for number in range(12)
    ]
    assert 429 in guesses
    assert guess(sender(gateway.url, "127.0.0.3"), account) == 401


def test_guests_sign_ins_and_the_audit_log_have_the_clients_address(gateway):
    owner = Account(gateway.url)
    app = owner.app("Behind")
    app.set_plugin("auth", enabled=True, config={"allow_guests": True, "guests_per_address": 1})
    # The hour may turn once.
    crowd = [behind(gateway, f"198.51.100.{number}", CLIENT, credential=app.key) for number in range(4)]
    answers = [client.post("/v1/guests", {}).status_code for client in crowd]
    assert answers[0] == 201 and 429 in answers
    behind(gateway, OTHER, credential=app.key).post("/v1/guests", {}, expect=201)
    # And so may who comes over IPv6.
    behind(gateway, "2001:db8::1", credential=app.key).post("/v1/guests", {}, expect=201)

    entered = behind(gateway, OTHER).post(
        "/v1/sessions", {"email": owner.email, "password": owner.password}, expect=201).json()
    client = behind(gateway, FORGED, CLIENT, credential=entered["access_token"])
    addresses = {each["address"] for each in client.get("/v1/sessions", expect=200).json()["data"]}
    assert addresses == {"127.0.0.1", OTHER}
    client.call("PATCH", f"/v1/apps/{app.id}", {"name": "Renamed"}, expect=200)
    log = owner.get(f"/v1/apps/{app.id}/audit", expect=200).json()["data"]
    assert CLIENT in {entry["address"] for entry in log} and FORGED not in {entry["address"] for entry in log}


def test_sockets_are_opened_by_the_client(gateway):
    app = Account(gateway.url).app("Sockets")
    url = f"{gateway.socket_url}/connection/uni_websocket?channels=chat:a&token={app.token('alice')}"
    fields = {"X-Forwarded-For": f"{FORGED}, {CLIENT}"}
    with connect(url, additional_headers=fields, open_timeout=10 * SLOWNESS, proxy=None) as socket:
        request_id = socket.response.headers["x-request-id"]
    assert gateway.access(request_id)["peer"] == CLIENT


def test_numbers_are_not_shown_to_whom_a_proxy_on_this_machine_serves(gateway):
    assert requests.get(f"{gateway.url}/metrics", timeout=10 * SLOWNESS).status_code == 200
    for fields in [
        {"X-Forwarded-For": CLIENT}, {"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=unknown"},
        {"Forwarded": 'for="'}, {"X-Forwarded-For": "?"},
    ]:
        sender(gateway.url, **fields).get("/metrics", expect=403)


@pytest.mark.limit("connections_per_address")
def test_a_proxys_connections_are_not_counted_as_one_clients(sluice):
    gateway = sluice(with_plugins(trusted_proxies=["127.0.0.1"]), limits={"connections_per_address": 3})
    before = gateway.breaches("connections_per_address")
    wires = [Wire(gateway.port) for _ in range(12)]
    for wire in list(wires):
        assert wire.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").answer().status == 200
    # Who is no proxy has as many as the limit says.
    statuses = []
    for number in range(4):
        address = ("127.0.0.1", gateway.port)
        wires.append(socket.create_connection(address, 10 * SLOWNESS, source_address=("127.0.0.2", 0)))
        if number < 3:
            wires[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        statuses.append(wires[-1].recv(12))
    assert statuses == [b"HTTP/1.1 200"] * 3 + [b"HTTP/1.1 503"]
    assert gateway.breaches("connections_per_address") == before + 1


def test_who_is_trusted_changes_while_it_serves(sluice):
    gateway = sluice(with_plugins(), ["--loops", "1"])

    def address() -> str:
        return address_of(gateway, behind(gateway, CLIENT).get("/healthz", expect=200))

    def trusting(*proxies: str) -> dict:
        configuration = {**json.loads(gateway.configuration.read_text()), "trusted_proxies": proxies}
        gateway.configuration.write_text(json.dumps(configuration))
        return gateway.reload()

    assert address() == "127.0.0.1"
    with Wire(gateway.port) as open_before:
        assert trusting("127.0.0.0/8")["changes"] == ["trusted_proxies are others"]
        assert eventually(lambda: address() == CLIENT)
        open_before.send(f"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {CLIENT}\r\n\r\n")
        assert gateway.access(open_before.answer()["x-request-id"])["peer"] == CLIENT
    refused = trusting("127.0.0.0/8", "10.0.0.1/8")
    assert refused["message"].startswith("not reloaded")
    assert '/trusted_proxies/1: "10.0.0.1/8" has bits set behind the first 8' in refused["problems"][0]
    assert address() == CLIENT
    trusting()
    assert eventually(lambda: address() == "127.0.0.1")


def test_check_names_the_entry_that_is_wrong(tmp_path):
    file = tmp_path / "sluice.json"
    file.write_text(json.dumps(with_plugins(
        listeners=[{"address": "127.0.0.1:0"}], trusted_proxies=["10.0.0.0/8", "proxy.example", "0.0.0.0/0"])))
    checked = run("check", "--config", file)
    assert checked.returncode == 1
    assert '/trusted_proxies/1: "proxy.example" is neither an IP address nor a network' in checked.stderr + checked.stdout
    assert '/trusted_proxies/2: "0.0.0.0/0" is every address there is' in checked.stderr + checked.stdout


class Nginx(Proxy):
    """As docs/proxies.md has it."""

    title = program = "nginx"
    # What keeps a client from being heard under the other name.
    drops = 'proxy_set_header Forwarded "";'

    def arguments(self) -> list[str]:
        user = "user root;" if getpass.getuser() == "root" else ""
        paths = " ".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
        configuration = self.folder / "nginx.conf"
        configuration.write_text(f"""
            {user} daemon off; worker_processes 1; pid {self.folder}/nginx.pid; error_log {self.folder}/error.log;
            events {{ worker_connections 256; }}
            http {{
              access_log off; client_body_temp_path {self.folder}/body; {paths}
              upstream sluice {{ server 127.0.0.1:{self.backend}; keepalive 16; }}
              server {{
                listen 127.0.0.1:{self.port};
                location / {{
                  proxy_pass http://sluice; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
                  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; {self.drops}
                }}
              }}
            }}""")
        return ["-p", str(self.folder), "-c", str(configuration), "-e", str(self.folder / "error.log")]


class Haproxy(Proxy):
    """As docs/proxies.md has it."""

    title = program = "haproxy"
    drops = "http-request del-header Forwarded"

    def arguments(self) -> list[str]:
        configuration = self.folder / "haproxy.cfg"
        configuration.write_text(f"""
defaults
    mode http
    timeout connect 30s
    timeout server 60s
    timeout client 60s
frontend web
    bind 127.0.0.1:{self.port}
    option forwardfor
    {self.drops}
    default_backend sluice
backend sluice
    server one 127.0.0.1:{self.backend}
""")
        return ["-db", "-f", str(configuration)]


def installed(proxy):
    found = shutil.which(proxy.program) or shutil.which(proxy.program, path="/usr/sbin")
    return pytest.param(
        proxy, id=proxy.program, marks=pytest.mark.skipif(not found, reason=f"{proxy.program} is not installed"))


@pytest.mark.parametrize("kind", [installed(Nginx), installed(Haproxy)])
def test_clients_of_a_real_proxy_are_told_apart_and_forge_nothing(gateway, tmp_path, kind):
    account = Account(gateway.url)
    with kind(tmp_path / "proxy", gateway.port) as proxy:
        url = f"http://127.0.0.1:{proxy.port}"
        fields = {"X-Forwarded-For": FORGED, "Forwarded": f"for={FORGED}", "X-Real-IP": FORGED}
        answer = sender(url, "127.0.0.5", **fields).get("/healthz", expect=200)
        assert address_of(gateway, answer) == "127.0.0.5"
        guess_until_refused(sender(url, "127.0.0.5"), account)
        forged = [
            guess(sender(url, "127.0.0.5", X_Forwarded_For=f"198.51.100.{number}"), account) for number in range(4)
        ]
        assert 429 in forged
        assert guess(sender(url, "127.0.0.6"), account) == 401
        sender(url, "127.0.0.5").get("/metrics", expect=403)


@pytest.mark.parametrize("kind", [installed(Nginx), installed(Haproxy)])
def test_a_proxy_that_passes_forwarded_on_is_found_out(gateway, tmp_path, kind):
    class Careless(kind):
        drops = ""

    with Careless(tmp_path / "proxy", gateway.port) as proxy:
        url = f"http://127.0.0.1:{proxy.port}"
        sender(url, "127.0.0.5", Forwarded=f"for={FORGED}").get("/healthz", expect=400)
        answer = sender(url, "127.0.0.5").get("/healthz", expect=200)
        assert address_of(gateway, answer) == "127.0.0.5"
