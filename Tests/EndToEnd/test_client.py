"""Requests of others' servers, which a plugin has the gateway make."""

import contextlib
import http.server
import socket
import ssl
import threading
from pathlib import Path

import pytest
import requests

from authority import Authority
from program import Sluice, at_once, eventually
from sanitizer import SLOWNESS
from secure import SecureSluice
from workshop import lay_out_own, with_plugins

LOCAL = ["127.0.0.0/8"]


class Server(http.server.ThreadingHTTPServer):
    """A receiver in this process: what it is asked, and what it answers by the path."""

    daemon_threads = True
    # Connections of floods wait here.
    request_queue_size = 128

    def __init__(self, context: ssl.SSLContext | None = None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.connections, self.goes_on = [], 0, threading.Event()
        self.scheme = "https" if context else "http"
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, path="/", host="127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.server_address[1]}{path}"

    def get_request(self):
        self.connections += 1
        return super().get_request()

    def handle_error(self, request, client_address):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.asked.append((self.command, self.path, dict(self.headers.items()), body))
        if self.path == "/waits":
            self.server.goes_on.wait(60)
        if self.path == "/breaks":
            self.close_connection = True
            return
        if self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", self.server.url("/secret"))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path == "/fields":
            self.send_response(200)
            for number in range(80):
                self.send_header(f"X-{number}", "x" * 1000)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content = {"/long": b"y" * 100_000, "/empty": b""}.get(self.path, b"hello " + body)
        self.send_response(503 if self.path == "/busy" else 200)
        self.send_header("X-Kind", "  a \t b ")
        self.send_header("X-Twice", "1")
        self.send_header("X-Twice", "2")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_PURGE = answer

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(context=None):
    server = Server(context)
    try:
        yield server
    finally:
        server.goes_on.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def server():
    with serving() as server:
        yield server


@pytest.fixture
def courier(sluice, tmp_path):
    """Makes gateways with the plugin that sends what it is asked to."""
    folder = lay_out_own(tmp_path / "plugins", "courier")

    def make(networks=LOCAL, loops=1, environment=None, **client):
        configuration = with_plugins(folder, drain_timeout_ms=300, client={"allow_networks": networks, **client})
        return sluice(configuration, ["--loops", loops], environment=environment or {})

    return make


def send(gateway, url: str, body=b"", **query) -> str:
    """What the plugin tells of a request that it was asked to make."""
    answer = requests.post(
        f"{gateway.url}/courier", data=body, params={"url": url, **query}, timeout=60 * SLOWNESS,
        headers={"Content-Type": "application/octet-stream"})
    assert answer.status_code == 200, answer.text
    return answer.text


def test_a_request_goes_out_as_the_plugin_has_made_it_and_the_answer_comes_back_whole(courier, server):
    gateway = courier()
    told = send(gateway, server.url("/a?b=c"), b"body", method="POST", name="X-Own", value="1")
    head, fields = told.split("\n", 1)
    assert head == "200 0 10" and told.endswith("hello body")
    assert "x-kind: a \t b\n" in fields and "x-twice: 1\nx-twice: 2\n" in fields
    method, path, sent, body = server.asked[0]
    assert (method, path, body) == ("POST", "/a?b=c", b"body")
    # Nothing that nobody asked for.
    assert sorted(name.lower() for name in sent) == ["content-length", "host", "x-own"]
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "PURGE"):
        assert send(gateway, server.url(), method=method).startswith("200 0 ")
    assert [asked[0] for asked in server.asked[1:]] == ["GET", "HEAD", "PUT", "PATCH", "DELETE", "PURGE"]
    assert send(gateway, server.url("/busy")).startswith("503 0 6")
    assert send(gateway, server.url("/empty")).startswith("200 0 0")
    # An empty value is sent as one.
    send(gateway, server.url(), name="X-Empty", value="")
    assert server.asked[-1][2]["X-Empty"] == ""
    # One connection has done for all of them.
    assert server.connections == 1


def test_libcurl_is_there_for_those_who_may_ask_others_and_not_before(sluice, courier):
    def has_libcurl(gateway) -> bool:
        return b"libcurl.so" in Path(f"/proc/{gateway.process.pid}/maps").read_bytes()

    idle = sluice({})
    assert requests.get(f"{idle.url}/healthz", timeout=60 * SLOWNESS).status_code == 200
    assert not has_libcurl(idle)
    gateway = courier()
    assert eventually(lambda: has_libcurl(gateway), 30)


def test_an_answer_is_kept_up_to_the_limit_and_redirects_are_answers(courier, server):
    gateway = courier()
    told = send(gateway, server.url("/long"), limit=1000)
    assert told.startswith("200 1 1000\n") and told.endswith("y" * 1000)
    assert send(gateway, server.url("/long"), limit=100_000).startswith("200 0 100000\n")
    assert send(gateway, server.url("/"), limit=0).startswith("200 1 0\n")
    assert send(gateway, server.url("/elsewhere")).startswith("302 0 0\n")
    assert all(asked[1] != "/secret" for asked in server.asked)
    assert send(gateway, server.url("/fields")).startswith("error -11\nthe answer's fields take more than")


def test_what_goes_wrong_is_told_in_words(courier, server):
    gateway = courier()
    assert send(gateway, server.url("/waits"), timeout=300).startswith("error -15\n")
    assert send(gateway, server.url("/breaks")).startswith("error -13\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert send(gateway, f"http://127.0.0.1:{port}/").startswith("error -13\n")
    assert send(gateway, "http://nobody.invalid/").startswith("error -13\n")
    for url, words in (
        ("ftp://127.0.0.1/", "begins with http"), ("file:///etc/passwd", "begins with http"), ("", "not empty"),
        ("http://127.0.0.1/a b", "no blanks"), ("http://user:pass@127.0.0.1/", ""), ("http://", ""),
        (server.url("/\r\nX: y"), "no blanks"),
    ):
        told = send(gateway, url)
        assert told.startswith("error -2\n") and words in told, (url, told)
    for name, value in (("Host", "other"), ("content-length", "7"), ("Transfer-Encoding", "chunked"), ("a b", "c"), ("", "c"),
                        ("x", "a\r\nb: c"), ("x", "\x01")):
        assert send(gateway, server.url(), name=name, value=value).startswith("error -2\n"), name
    for method in ("GET /", "", "CONNECT"):
        assert send(gateway, server.url(), method=method).startswith("error -2\n"), method
    assert send(gateway, server.url(), timeout=0) == "at once -2\n"
    assert send(gateway, server.url(), limit=1 << 40) == "at once -2\n"
    assert [asked[1] for asked in server.asked] == ["/waits", "/breaks"]


@pytest.mark.parametrize("host", [
    "127.0.0.1", "localhost", "127.1", "0x7f.0.0.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "10.0.0.1", "192.168.1.1",
    "172.16.0.1", "169.254.169.254", "100.64.0.1", "[fe80::1]", "[fd00::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[2001::1]", "224.0.0.1",
])
def test_the_gateway_goes_to_no_address_that_is_not_of_the_internet_at_large(courier_of_strangers, host):
    gateway, server = courier_of_strangers
    told = send(gateway, server.url("/secret", host), timeout=5000)
    assert told.startswith("error -14") or told.startswith("error -7\n") and "allow_networks" in told, told
    assert server.connections == 0


@pytest.fixture(scope="module")
def courier_of_strangers(tmp_path_factory):
    folder = lay_out_own(tmp_path_factory.mktemp("plugins"), "courier")
    # The environment's proxy would look at addresses in our place.
    with serving() as server, Sluice(
        tmp_path_factory.mktemp("gateway"), with_plugins(folder), ["--loops", "1"],
        environment={"http_proxy": server.url(), "ALL_PROXY": server.url()},
    ) as gateway:
        yield gateway, server


def test_a_server_that_is_not_who_it_says_is_not_talked_to(courier, tmp_path):
    authority = Authority(tmp_path / "authority")
    good, other = authority.issue("localhost"), authority.issue("other.example")
    for certificate, trusted, expected in ((good, True, "200 0 6"), (other, True, "error -13"), (good, False, "error -13")):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.chain, certificate.key)
        with serving(context) as server:
            gateway = courier(**({"ca_file": str(authority.certificate)} if trusted else {}))
            assert send(gateway, server.url(host="localhost")).startswith(expected)
            gateway.stop()


def test_a_gateway_speaks_http2_to_one_that_does_and_uses_one_connection(courier, tmp_path):
    authority = Authority(tmp_path / "authority")
    tls = authority.issue("localhost").configuration()
    receiver = SecureSluice(tmp_path / "receiver", tls, ["--loops", "1"]).start()
    try:
        gateway = courier(ca_file=str(authority.certificate))
        url = f"{receiver.secure_url}/hello/c"
        answers = []
        at_once(4, lambda _: answers.append(send(gateway, url)))
        assert [answer.split("\n")[0].split(" ")[0] for answer in answers] == ["200"] * 4
        assert receiver.metric("sluice_http2_connections_total") == 1
    finally:
        receiver.kill()


def test_a_plugin_has_so_many_requests_under_way_and_is_told_when_its_shard_closes(courier, server):
    gateway = courier()
    ended = []

    def wait():
        with contextlib.suppress(requests.RequestException):
            ended.append(send(gateway, server.url("/waits"), timeout=60_000))

    waiting = [threading.Thread(target=wait) for _ in range(4)]
    for thread in waiting:
        thread.start()
    assert eventually(lambda: len(server.asked) == 4, 30)
    assert send(gateway, server.url()) == "at once -12\n"
    assert gateway.metric("sluice_client_requests_total") == 4
    # Its end waits for no server, beyond the time that requests have.
    assert gateway.stop() == 0
    for thread in waiting:
        thread.join(60)
    assert not any(thread.is_alive() for thread in waiting)
