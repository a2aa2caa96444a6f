"""`/ws`: plain JSON both ways, by a client nobody here wrote."""

import json
import uuid

import pytest
import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from client import Account, listen, mint
from client import Client as Rest
from plain import PATIENCE, Plain
from program import eventually
from test_realtime import EVERYTHING


@pytest.fixture(scope="module")
def app(platform):
    app = Account(platform.url).app("Plain")
    app.set_plugin("realtime", enabled=True, config={**EVERYTHING, "personal_channel": False})
    return app


def channel() -> str:
    return "room-" + uuid.uuid4().hex


def test_the_first_message_says_whose_the_connection_is(platform, app):
    with Plain(platform, app.token("alice")) as alice:
        assert set(alice.handshake) == {"type", "connection_id", "user_id", "app", "time"}
        assert alice.handshake["user_id"] == "alice" and alice.handshake["app"] == app.id
        assert alice.handshake["connection_id"].startswith("con_")
        listed = app.server.get("/v1/connections", expect=200).json()["data"]
        assert [(one["client"], one["transport"]) for one in listed] == [(alice.handshake["connection_id"], "ws")]


def test_the_token_may_come_in_each_of_the_ways(platform, app):
    token = app.token("alice")
    for options in (
        {"token": token}, {"query": f"?token={token}"}, {"subprotocols": ["sluice.v1", f"bearer.{token}"]},
        {"subprotocols": [f"bearer.{token}"]}, {"first": {"type": "auth", "token": token}},
    ):
        with Plain(platform, **options) as alice:
            assert alice.handshake["user_id"] == "alice"
            assert alice.ask("ping")["type"] == "pong"
            offered = options.get("subprotocols")
            assert alice.socket.subprotocol == (offered[0] if offered else None)


def test_any_socket_selects_a_subprotocol_beside_the_token(platform, app):
    token = app.token("alice")
    for path in ("/ws", "/connection/websocket", "/connection/uni_websocket?channels=room"):
        for offered in (["sluice.v1", f"bearer.{token}"], [f"bearer.{token}", "sluice.v1"], [f"bearer.{token}"]):
            with connect(platform.socket_url + path, subprotocols=offered, proxy=None) as socket:
                assert socket.subprotocol == ("sluice.v1" if "sluice.v1" in offered else offered[0])


def test_messages_that_are_sent_together_find_the_subscription_before_them(platform, app):
    name = channel()
    with Plain(platform, app.token("alice")) as alice:
        kinds = ["subscribe", "publish", "history", "presence", "unsubscribe", "presence", "subscribe", "publish"]
        sent = {}
        for kind in kinds:
            members = {"channel": name, **({"data": 1} if kind == "publish" else {})}
            sent[alice.send(kind, **members)] = kind
        answers = {}
        while len(answers) < len(kinds):
            message = alice.receive()
            if message.get("id") in sent:
                answers[message["id"]] = message.get("code", message["type"])
        # Only who has left is not told who is there.
        assert [answers[id] for id in sent] == ["ack"] * 5 + ["forbidden"] + ["ack"] * 2


UNI = "/connection/uni_websocket?channels=room"
BOTH = pytest.mark.parametrize("path", ["/ws", UNI])


def refused(platform, path="/ws", *, first=None, query="", **options) -> tuple[dict, int]:
    with connect(platform.socket_url + path + (query and ("&" if "?" in path else "?") + query), proxy=None, **options) as socket:
        if first is not None:
            socket.send(first)
        told = json.loads(socket.recv(PATIENCE))
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(PATIENCE)
        return told, closed.value.rcvd.code


@BOTH
def test_a_token_that_is_not_good_is_refused_in_the_same_words_wherever_it_stands(platform, app, path):
    good = app.token("alice")
    wrong = {
        "nonsense": "nonsense", "signature": good[:-4] + "AAAA", "expired": mint(app.signing_secret, app.id, "a", lifetime=-600),
        "app": mint(app.signing_secret, "app_" + "0" * 26, "a"), "key": app.secret, "account": app.owner.made["access_token"],
    }
    for why, token in wrong.items():
        for options in (
            {"query": f"token={token}"}, {"additional_headers": {"Authorization": f"Bearer {token}"}},
            {"subprotocols": ["sluice.v1", f"bearer.{token}"]}, {"first": json.dumps({"type": "auth", "token": token})},
        ):
            told, code = refused(platform, path, **options)
            assert (told["type"], told["code"], code) == ("error", "AUTH_REQUIRED", 3500), (why, options, told)
            assert (told["reason"] == "expired") == (why == "expired"), (why, options, told)
    for first in ('{"type":"auth","token":""}', '{"type":"auth"}', '{"type":"ping"}', "nonsense", '{"type":"subscribe","channel":"x"}'):
        told, code = refused(platform, path, first=first)
        assert (told["code"], code) == ("AUTH_REQUIRED", 3500), first
    told, _ = refused(platform, path, first='{"type":"auth","token":"x","id":"me"}')
    assert told["id"] == "me"


@pytest.mark.parametrize("why", ["expired", "invalid"])
def test_a_connection_that_goes_on_with_a_token_that_is_not_good_hears_why(platform, app, why):
    token = mint(app.signing_secret, app.id, "alice", lifetime=-600) if why == "expired" else app.token("bob")
    with Plain(platform, app.token("alice")) as alice:
        alice.ask("ping")
        alice.send("auth", token=token)
        told = alice.receive()
        assert (told["type"], told["code"], told["reason"]) == ("error", "AUTH_REQUIRED", why)
        with pytest.raises(ConnectionClosed) as closed:
            alice.receive()
        assert closed.value.rcvd.code == 3500


@BOTH
def test_two_tokens_that_are_not_the_same_are_refused_and_one_shown_twice_is_one(platform, app, account, path):
    alice, bob, foreign = app.token("alice"), app.token("bob"), account.app("Other").token("alice")
    for other in (bob, foreign, "nonsense"):
        for options in (
            {"query": f"token={other}", "additional_headers": {"Authorization": f"Bearer {alice}"}},
            {"subprotocols": [f"bearer.{other}"], "additional_headers": {"Authorization": f"Bearer {alice}"}},
            {"subprotocols": [f"bearer.{other}"], "query": f"token={alice}"},
            {"subprotocols": [f"bearer.{alice}", f"bearer.{other}"]},
        ):
            told, code = refused(platform, path, **options)
            assert (told["code"], code) == ("AUTH_REQUIRED", 3500), (other, options)
    target = platform.socket_url + path + ("&" if "?" in path else "?") + f"token={alice}"
    with connect(target, subprotocols=[f"bearer.{alice}"], additional_headers={"Authorization": f"Bearer {alice}"},
                 proxy=None) as socket:
        assert json.loads(socket.recv(PATIENCE))["user_id"] == "alice"


def test_two_tokens_that_are_not_the_same_open_no_stream(platform, app):
    for other in (app.token("bob"), "nonsense"):
        answer = requests.get(f"{platform.url}/connection/uni_sse?channels=room&token={other}", timeout=PATIENCE,
                              headers={"Authorization": f"Bearer {app.token('alice')}"})
        assert answer.status_code == 401 and "not the same" in answer.json()["detail"]


@pytest.mark.parametrize("first", [{"type": "auth"}, {}])
def test_the_unidirectional_socket_takes_its_token_in_the_first_message_too(platform, app, first):
    with connect(platform.socket_url + UNI, proxy=None) as socket:
        socket.send(json.dumps({**first, "token": app.token("alice")}))
        told = json.loads(socket.recv(PATIENCE))
        assert (told["type"], told["user_id"], told["app"]) == ("connected", "alice", app.id)


def test_what_one_publishes_all_hear_in_their_own_way(platform, app):
    name = channel()
    token = app.token("alice")
    with Plain(platform, token) as alice, Plain(platform, token) as other, listen(platform.url, name, token=token) as third:
        epoch = alice.subscribe(name)["epoch"]
        other.subscribe(name)
        ack = alice.ask("publish", channel=name, data={"text": "äöü € 𝄞"})
        assert (ack["offset"], ack["epoch"]) == (1, epoch)
        mine, = alice.hear()
        theirs, = other.hear()
        assert mine == theirs == json.loads(third.recv(PATIENCE))
        assert mine["type"] == "realtime.published" and mine["data"] == {"text": "äöü € 𝄞"}
        assert {"id", "time", "app", "channel", "offset", "epoch"} < set(mine)
        page = other.ask("history", channel=name)
        assert page["data"] == [mine] and page["offset"] == 1
        members = alice.ask("presence", channel=name)["data"]
        names = {each.handshake["connection_id"] for each in (alice, other)} | {third.connected["connection_id"]}
        assert {member["client"] for member in members} == names
        assert other.ask("unsubscribe", channel=name)["type"] == "ack"
        app.server.post("/v1/publish", {"channel": name, "data": 2}, expect=200)
        assert [event["offset"] for event in alice.hear()] == [2]
        assert other.ask("ping")["type"] == "pong" and other.events == []


def test_a_client_that_comes_back_gets_exactly_what_it_missed_or_is_told_so(platform, app):
    name, small = channel(), "small:" + uuid.uuid4().hex
    token = app.token("alice")
    with Plain(platform, token) as alice:
        at = alice.subscribe(name)
        lost = alice.subscribe(small)
    for number in range(1, 8):
        for each in (name, small):
            app.server.post("/v1/publish", {"channel": each, "data": number}, expect=200)
    with Plain(platform, token) as alice:
        back = alice.subscribe(name, offset=2, epoch=at["epoch"])
        assert back["recovered"] is True and back["offset"] == 7
        assert [(event["offset"], event["data"]) for event in alice.hear(5)] == [(n, n) for n in range(3, 8)]
        gone = alice.subscribe(small, offset=2, epoch=lost["epoch"])
        assert gone["recovered"] is False and gone["offset"] == 7
        app.server.post("/v1/publish", {"channel": small, "data": 8}, expect=200)
        assert [event["offset"] for event in alice.hear()] == [8]


def test_publications_survive_kill_9_and_a_client_goes_on_where_it_was(sluice):
    gateway = sluice()
    app = Account(gateway.url).app("Crash")
    app.set_plugin("realtime", enabled=True, config=EVERYTHING)
    name, token = channel(), app.token("bob")
    with Plain(gateway, token) as bob:
        # Its own channel comes first, by the server's doing.
        assert [(told["type"], told["code"], told["channel"]) for told in bob.hear()] == [("system_message", "subscribed", "#bob")]
        epoch = bob.subscribe(name)["epoch"]
        acks = [bob.ask("publish", channel=name, data=number)["offset"] for number in range(1, 21)]
        assert acks == list(range(1, 21))
        heard = bob.hear(5)
        gateway.kill()
    gateway.start()
    with Plain(gateway, token) as bob:
        back = bob.subscribe(name, offset=heard[-1]["offset"], epoch=epoch)
        assert back["recovered"] is True and back["epoch"] == epoch
        events = [event for event in bob.hear(16) if event["type"] == "realtime.published"]
        assert [event["offset"] for event in events] == list(range(6, 21))


@pytest.mark.parametrize("text, code", [
    ("", "invalid_request"), ("nonsense", "invalid_request"), ("[]", "invalid_request"), ("null", "invalid_request"),
    ('{"id":"x"}', "invalid_request"), ('{"type":7,"id":"x"}', "invalid_request"), ('{"type":"none.such","id":"x"}', "not_found"),
    ('{"type":"subscribe","id":"x"}', "invalid_request"), ('{"type":"subscribe","id":"x","channel":"@x"}', "invalid_request"),
    ('{"type":"subscribe","id":"x","channel":"nobody:x"}', "not_found"),
    ('{"type":"subscribe","id":"x","channel":"#bob"}', "forbidden"),
    ('{"type":"subscribe","id":"x","channel":"a","offset":-1}', "invalid_request"),
    ('{"type":"publish","id":"x","channel":"small:x"}', "invalid_request"),
    ('{"type":"publish","id":"x","channel":"room","data":1}', "forbidden"),
    ('{"type":"history","id":"x","channel":"room","limit":-1}', "invalid_request"),
    ("\x00", "invalid_request"), ('{"type":"\\ud800","id":"x"}', "invalid_request"), ("[" * 20_000, "invalid_request"),
])
def test_bad_input_is_answered_and_closes_nothing(platform, app, text, code):
    with Plain(platform, app.token("alice")) as alice:
        alice.socket.send(text)
        told = alice.receive()
        assert (told["type"], told["code"]) == ("error", code) and told["detail"]
        assert told.get("id") == ("x" if '"id":"x"' in text and "ud800" not in text else None)
        assert alice.ask("ping")["type"] == "pong"


def test_binary_is_read_as_text_is(platform, app):
    with Plain(platform, app.token("alice")) as alice:
        alice.socket.send(b'{"type":"ping","id":9}')
        assert alice.receive() == {"type": "pong", "id": 9}
        alice.socket.send(b"\xff\xfe")
        assert alice.receive()["code"] == "invalid_request"


def test_a_flood_of_nonsense_is_closed(platform, app):
    with Plain(platform, app.token("alice")) as alice:
        with pytest.raises(ConnectionClosed) as closed:
            for _ in range(5_000):
                alice.socket.send("nonsense")
            while True:
                alice.receive()
        assert closed.value.rcvd.code == 3501


def test_the_servers_pings_want_an_answer(platform):
    app = Account(platform.url).app("Pings")
    app.set_plugin("realtime", enabled=True, config={"ping_interval_seconds": 2, "pong_timeout_seconds": 1})
    with Plain(platform, app.token("alice")) as here, Plain(platform, app.token("bob")) as away:
        assert json.loads(away.socket.recv(PATIENCE)) == {"type": "ping"}
        for _ in range(3):
            assert json.loads(here.socket.recv(PATIENCE)) == {"type": "ping"}
            here.socket.send('{"type":"pong"}')
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                last = json.loads(away.socket.recv(PATIENCE))
        assert closed.value.rcvd.code == 3012
        assert last["type"] == "system_message" and last["code"] == "closing" and last["reconnect"] is True
        assert here.ask("ping")["type"] == "pong"


def test_a_connection_hears_that_its_plugins_are_being_renewed_and_works_until_it_is_closed(platform):
    app = Account(platform.url).app("Renewed")
    with Plain(platform, app.token("alice")) as alice:
        app.set_plugin("realtime", enabled=True, config={"ping_interval_seconds": 20})
        told, = alice.hear()
        assert (told["type"], told["code"]) == ("system_message", "draining") and told["detail"]
        assert alice.ask("ping")["type"] == "pong"
        # What is switched off ends at once.
        app.set_plugin("realtime", enabled=False, config={})
        with pytest.raises(ConnectionClosed):
            while True:
                alice.receive()


def test_a_new_token_keeps_a_connection_and_a_wrong_one_ends_it(platform, app):
    with Plain(platform, mint(app.signing_secret, app.id, "alice", lifetime=40)) as alice:
        assert alice.ask("auth", token=app.token("alice"))["type"] == "ack"
        alice.send("auth", token=app.token("bob"))
        assert alice.receive()["code"] == "AUTH_REQUIRED"
        with pytest.raises(ConnectionClosed) as closed:
            alice.receive()
        assert closed.value.rcvd.code == 3500


def test_apps_with_channels_of_one_name_do_not_hear_each_other(platform, app, shop):
    name = channel()
    with Plain(platform, app.token("alice")) as ours, Plain(platform, shop.token("alice")) as theirs:
        ours.subscribe(name), theirs.subscribe(name)
        shop.server.post("/v1/publish", {"channel": name, "data": "theirs"}, expect=200)
        app.server.post("/v1/publish", {"channel": name, "data": "ours"}, expect=200)
        assert [event["data"] for event in ours.hear()] == ["ours"]
        assert [event["data"] for event in theirs.hear()] == ["theirs"]


def test_an_apps_server_closes_the_connections_of_a_user(platform, app):
    with Plain(platform, app.token("mallory")) as mallory:
        assert app.server.post("/v1/disconnect", {"user": "mallory"}, expect=200).json() == {"disconnected": 1}
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                mallory.receive()
        assert closed.value.rcvd.code == 3503
    assert eventually(lambda: not Rest(platform.url, app.secret).get("/v1/connections?user=mallory").json()["data"])
