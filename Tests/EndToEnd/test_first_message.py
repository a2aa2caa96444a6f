"""Sockets whose credential comes in the first message: nobody's until then, and nobody's for long."""

import json
import shutil

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from client import mint
from http2 import H2
from program import Sluice, at_once, eventually
from test_http2_websocket import Socket
from test_isolation import StaticApp
from wire import BINARY, CLOSE, PING, PONG, TEXT, RawSocket, frame
from workshop import lay_out_own, with_plugins

INVALID, DENIED, NOT_FOUND, UNAUTHENTICATED, LIMITED, DEADLINE, EXPIRED = -2, -7, -8, -10, -18, -15, -19


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A gateway with two apps that have the doorman, and one that has not."""
    folder = tmp_path_factory.mktemp("plugins")
    lay_out_own(folder, "doorman")
    apps = [StaticApp(name) for name in ("acme", "umbra", "bare")]
    configuration = with_plugins(folder, tenants=[app.configuration() for app in apps])
    for tenant in configuration["tenants"][:2]:
        tenant["plugins"]["doorman"] = {}
    limits = {"header_timeout_ms": 1500}
    gateway = Sluice(tmp_path_factory.mktemp("doorman"), configuration, ["--loops", "1"], limits=limits).start()
    gateway.apps = apps
    yield gateway
    assert gateway.stop() == 0


def hello(house, *messages, path="/doorman", **options):
    """What comes back for the first messages of a socket: the texts, and how it was closed if it was."""
    with connect(house.socket_url + path, open_timeout=10, proxy=None, compression=None, **options) as socket:
        for message in messages:
            socket.send(message)
        texts = []
        try:
            while len(texts) <= max(len(messages), 1):
                texts.append(socket.recv(5))
        except ConnectionClosed as closed:
            return texts, (closed.rcvd.code, closed.rcvd.reason)
        except TimeoutError:
            pass
        return texts, None


def refused(why: int, message: str) -> tuple:
    return [f"refused for {why}, of {len(message)} bytes"], (3900, "not today")


def test_the_token_of_the_first_message_leads_to_the_app_and_the_user(house):
    for app, user in ((house.apps[0], "alice"), (house.apps[1], "bob")):
        first = "token " + app.token(user)
        texts, closed = hello(house, first, user_agent_header="tester")
        assert texts == [f"opened for '{user}', who uses tester", first] and closed is None


def test_a_token_in_the_handshake_that_is_not_let_in_is_refused_over_the_socket(house):
    acme = house.apps[0]
    cases = [
        ("nonsense", UNAUTHENTICATED),
        (mint("x" * 40, acme.id, "alice"), UNAUTHENTICATED),
        (mint(acme.signing_secret, acme.id, "alice", lifetime=-3600), EXPIRED),
        (mint(acme.signing_secret, "app_unknown", "alice"), UNAUTHENTICATED),
        (mint(acme.signing_secret, acme.id, "alice", channel="chat:x"), UNAUTHENTICATED),
    ]
    refusals = house.metric("sluice_websockets_refused_total")
    for token, why in cases:
        for options in ({"path": f"/doorman?token={token}"}, {"additional_headers": {"Authorization": f"Bearer {token}"}},
                        {"subprotocols": [f"bearer.{token}"]}, {"subprotocols": ["sluice.v1", f"bearer.{token}"]}):
            assert hello(house, **options) == refused(why, ""), (token, why, options)
    assert house.metric("sluice_websockets_refused_total") == refusals + 4 * len(cases)
    assert eventually(lambda: house.metric("sluice_websockets_open") == 0)


def test_a_second_look_at_a_known_token_is_as_good_as_the_first(house):
    first = "token " + house.apps[0].token("carol")
    for _ in range(3):
        assert hello(house, first, "more", user_agent_header="t")[0] == ["opened for 'carol', who uses t", first, "more"]


def test_what_is_sent_behind_the_first_message_comes_after_it_in_order(house):
    first = "token " + house.apps[0].token("dave")
    with RawSocket(house.port, "/doorman") as socket:
        behind = b"".join(frame(TEXT, b"%d" % number) for number in range(2000))
        socket.send(frame(TEXT, first.encode()) + behind)
        assert socket.receive()[1].startswith(b"opened for 'dave'")
        assert socket.receive()[1] == first.encode()
        for number in range(2000):
            assert socket.receive() == (TEXT, b"%d" % number)


def test_a_first_message_may_come_in_fragments_with_pings_between(house):
    first = ("token " + house.apps[0].token("erin")).encode()
    with RawSocket(house.port, "/doorman") as socket:
        socket.send(frame(TEXT, first[:9], final=False) + frame(PING, b"there?"))
        assert socket.receive() == (PONG, b"there?")
        socket.send(frame(0, first[9:]))
        assert socket.receive()[1].startswith(b"opened for 'erin'")
        assert socket.receive() == (TEXT, first)


def test_a_token_in_the_handshake_needs_no_first_message(house):
    token = house.apps[0].token("frank")
    for options in ({"path": f"/doorman?token={token}"}, {"additional_headers": {"Authorization": f"Bearer {token}"}},
                    {"subprotocols": [f"bearer.{token}"]}):
        texts, closed = hello(house, user_agent_header="t", **options)
        assert texts == ["opened for 'frank', who uses t"] and closed is None


@pytest.mark.parametrize("path", ["/doorman", "/doorman?app=acme"])
def test_wrong_expired_foreign_and_missing_credentials_are_refused_with_the_plugins_words(house, path):
    acme, umbra, bare = house.apps
    cases = [
        ("hello", INVALID),
        ("token nonsense", UNAUTHENTICATED),
        ("token " + mint("x" * 40, acme.id, "alice"), UNAUTHENTICATED),
        ("token " + mint(acme.signing_secret, acme.id, "alice", lifetime=-3600), EXPIRED),
        ("token " + mint(acme.signing_secret, "app_unknown", "alice"), UNAUTHENTICATED),
        ("token " + mint(acme.signing_secret, acme.id, "alice", channel="chat:x"), UNAUTHENTICATED),
        ("token " + bare.token("alice"), NOT_FOUND if path == "/doorman" else UNAUTHENTICATED),
        ("nobody", UNAUTHENTICATED),
    ]
    if "app=" in path:
        cases.append(("token " + umbra.token("alice"), UNAUTHENTICATED))
    for message, why in cases:
        assert hello(house, message, path=path) == refused(why, message), message


def test_nobody_in_particular_is_let_in_where_the_socket_allows_it_and_the_app_is_known(house):
    texts, closed = hello(house, "nobody", path="/doorman/open?app=acme", user_agent_header="t")
    assert texts == ["opened for '', who uses t", "nobody"] and closed is None
    assert hello(house, "nobody", path="/doorman/open") == refused(UNAUTHENTICATED, "nobody")


def test_a_socket_that_the_plugin_refuses_is_closed_with_its_words(house):
    message = "token " + house.apps[0].token("grace")
    assert hello(house, message, path="/doorman?wish=deny") == refused(DENIED, message)
    assert hello(house, message, path="/doorman?wish=answer") == refused(LIMITED, message)
    assert hello(house, message, path="/doorman?wish=begin")[0][1:] == [message]


def test_a_peer_that_says_nothing_is_told_so_and_closed(house):
    before = house.metric('sluice_limit_breaches_total{limit="header_timeout_ms"}')
    refusals = house.metric("sluice_websockets_refused_total")
    assert hello(house) == refused(DEADLINE, "")
    assert house.metric('sluice_limit_breaches_total{limit="header_timeout_ms"}') == before + 1
    assert house.metric("sluice_websockets_refused_total") == refusals + 1


def test_a_first_message_is_bounded_and_must_be_text_here(house):
    with RawSocket(house.port, "/doorman") as socket:
        socket.send(frame(BINARY, b"token x"))
        assert socket.receive() == (TEXT, b"refused for -2, of 7 bytes")
        assert socket.receive()[0] == CLOSE
    with RawSocket(house.port, "/doorman") as socket:
        socket.send(frame(TEXT, b"t" * 70_000)[:60_000])
        opcode, payload = socket.receive()
        assert opcode == CLOSE and int.from_bytes(payload[:2], "big") == 1009


def test_peers_that_leave_before_they_are_known_leave_nothing_behind(house):
    first = ("token " + house.apps[1].token("heidi")).encode()
    for number in range(60):
        with RawSocket(house.port, "/doorman") as socket:
            if number % 3 == 1:
                socket.send(frame(TEXT, first[: number % 20], final=False))
            if number % 3 == 2:
                socket.send(frame(TEXT, first) + frame(CLOSE, b""))
    assert eventually(lambda: house.metric("sluice_websockets_open") == 0)


def test_over_http2_the_first_message_leads_to_the_app_as_well(house):
    first = ("token " + house.apps[0].token("ivan")).encode()
    with H2(house.port) as connection:
        socket, other = Socket(connection, "/doorman"), Socket(connection, "/doorman")
        assert socket.state.status == 200
        socket.send(TEXT, first)
        socket.send(TEXT, b"more")
        assert socket.receive()[1].startswith(b"opened for 'ivan'")
        assert socket.receive() == (TEXT, first)
        assert socket.receive() == (TEXT, b"more")
        other.send(TEXT, b"token nonsense")
        assert other.receive() == (TEXT, b"refused for -10, of 14 bytes")
        assert other.receive()[0] == CLOSE


def test_over_http2_a_token_in_the_handshake_that_is_not_let_in_is_refused_over_the_socket(house):
    acme = house.apps[0]
    expired = mint(acme.signing_secret, acme.id, "alice", lifetime=-3600)
    with H2(house.port) as connection:
        for path, fields, why in (
            ("/doorman", [("authorization", "Bearer nonsense")], UNAUTHENTICATED),
            ("/doorman?token=" + expired, [], EXPIRED),
        ):
            socket = Socket(connection, path, *fields)
            assert socket.state.status == 200
            assert socket.receive() == (TEXT, b"refused for %d, of 0 bytes" % why)
            assert socket.receive()[0] == CLOSE
        good = Socket(connection, "/doorman?token=" + acme.token("ivan"))
        assert good.receive()[1].startswith(b"opened for 'ivan'")


def test_many_strangers_at_once_are_told_apart(house):
    failures = []

    def visit(number: int):
        app = house.apps[number % 2]
        first = "token " + app.token(f"user{number}")
        texts, _ = hello(house, first, user_agent_header="t")
        if texts[:2] != [f"opened for 'user{number}', who uses t", first]:
            failures.append(texts)

    at_once(40, visit)
    assert not failures


def test_a_plugin_may_ask_who_a_credential_stands_for(house):
    acme = house.apps[0]
    with connect(house.socket_url + "/doorman", proxy=None) as socket:
        socket.send("token " + acme.token("judy"))
        socket.recv(5), socket.recv(5)

        def ask(word: str, token: str) -> list[str]:
            socket.send(f"{word} {token}")
            return socket.recv(5).split(" ", 2)

        subscription = mint(acme.signing_secret, acme.id, "judy", channel="chat:x")
        known = ask("who", acme.token("kate"))
        assert known[1] == "0" and '"kind":"user","id":"kate"' in known[2]
        known = ask("sub", subscription)
        assert known[1] == "0" and '"channel":"chat:x"' in known[2]
        assert ask("who", subscription)[1] == str(UNAUTHENTICATED)
        assert ask("sub", acme.token("kate"))[1] == str(UNAUTHENTICATED)
        assert ask("who", house.apps[1].token("kate"))[1] == str(UNAUTHENTICATED)
        assert ask("who", mint(acme.signing_secret, acme.id, "kate", lifetime=-3600))[1] == str(EXPIRED)
        assert ask("sub", mint(acme.signing_secret, acme.id, "kate", lifetime=-3600, channel="chat:x"))[1] == str(EXPIRED)


def test_the_log_says_whose_socket_it_became(house):
    first = "token " + house.apps[0].token("liam")
    hello(house, first)
    line = eventually(lambda: [line for line in house.lines() if line.get("principal") == "liam"])
    assert line[-1]["tenant"] == "acme" and line[-1]["status"] == 101


def test_a_plugin_of_apps_that_a_reload_brings_greets_at_once_and_one_that_it_takes_away_no_more(tmp_path):
    folder, app = tmp_path / "plugins", StaticApp("acme")
    folder.mkdir()
    configuration = with_plugins(folder, tenants=[app.configuration()])
    with Sluice(tmp_path / "gateway", configuration, ["--loops", "1"]) as gateway:
        with pytest.raises(InvalidStatus) as refusal:
            connect(gateway.socket_url + "/doorman", open_timeout=10, proxy=None)
        assert refusal.value.response.status_code == 404
        lay_out_own(folder, "doorman")
        tenants = [app.configuration()]
        tenants[0]["plugins"]["doorman"] = {}
        change(gateway, tenants=tenants)
        assert gateway.reload()["message"] == "reloaded"
        first = "token " + app.token("alice")
        assert hello(gateway, first, user_agent_header="t")[0] == ["opened for 'alice', who uses t", first]
        shutil.rmtree(folder / "doorman")
        change(gateway, tenants=[app.configuration()])
        assert gateway.reload()["message"] == "reloaded"
        with pytest.raises(InvalidStatus):
            connect(gateway.socket_url + "/doorman", open_timeout=10, proxy=None)


def change(gateway, **changes):
    configuration = json.loads(gateway.configuration.read_text())
    gateway.configuration.write_text(json.dumps({**configuration, **changes}))


def test_a_new_token_of_the_same_user_renews_a_connection_and_anothers_does_not(house):
    app = house.apps[0]
    with connect(house.socket_url + "/doorman", open_timeout=10, proxy=None) as socket:
        socket.send("token " + app.token("alice"))
        assert socket.recv(5).startswith("opened for 'alice'")
        socket.recv(5)
        for token, status in ((app.token("bob"), DENIED), (app.token("alice"), 0)):
            socket.send("new " + token)
            assert socket.recv(5).startswith(f"identified {status} ")
