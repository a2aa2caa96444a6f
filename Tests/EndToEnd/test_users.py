"""An app's users: their list, tokens that are revoked, and guests, with the real program over several loops."""

import asyncio
import contextlib
import json
import time

import jwt
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from client import Account, Client, encode, listen, mint
from program import eventually
from sdk import Listening, connected

OWN = "/v1/channels"


def statuses(url: str, token: str, count=8) -> set[int]:
    """What a token gets, over connections of their own, so on every loop."""
    return {Client(url, token).get(OWN).status_code for _ in range(count)}


@pytest.fixture(scope="module")
def app(platform):
    return Account(platform.url).app("Users")


def test_users_are_listed_in_pages_and_hold_data_of_the_apps_own(app):
    for number in range(5):
        app.server.put(f"/v1/users/u{number}", {"name": f"U {number}", "custom": {"n": number}}, expect=200)
    found, after = [], None
    while True:
        page = app.server.get("/v1/users", params={"limit": 2, **({"after": after} if after else {})}, expect=200).json()
        found += page["data"]
        after = page["next"]
        if after is None:
            break
    assert [user["id"] for user in found] == [f"u{number}" for number in range(5)]
    assert found[3]["custom"] == {"n": 3}
    app.server.put("/v1/users/u0", {"custom": {f"k{n}": n for n in range(101)}}, expect=400)
    app.server.put("/v1/users/u0", {"custom": {"k": "x" * 17_000}}, expect=413)
    app.server.call("DELETE", "/v1/users/u4", expect=204)
    app.server.get("/v1/users/u4", expect=404)


def test_users_are_shown_each_others_names_and_pictures(app):
    app.server.put("/v1/users/ann", {"name": "Ann", "image": "https://a.example/ann.png", "custom": {"mail": "ann@a.example"}}, expect=200)
    app.server.put("/v1/users/ben", {"name": "Ben"}, expect=200)
    shown = app.user("carl").post("/v1/profiles", {"ids": ["ben", "nobody", "ann"]}, expect=200).json()
    assert shown == {"data": [{"id": "ben", "name": "Ben"}, {"id": "ann", "name": "Ann", "image": "https://a.example/ann.png"}], "next": None}
    for ids in ([], ["ann", "ann"], [f"user-{number}" for number in range(101)]):
        app.user("carl").post("/v1/profiles", {"ids": ids}, expect=400)


def test_revoked_tokens_are_refused_at_once_on_every_loop_and_after_kill_9(sluice):
    gateway = sluice(arguments=["--loops", "3"])
    app = Account(gateway.url).app("Revoking")
    alice, bob = app.token("alice"), app.token("bob")
    own = jwt.encode({"iss": app.id, "sub": "alice", "exp": int(time.time()) + 600}, app.signing_secret, "HS256")
    # So that every loop knows them.
    assert statuses(gateway.url, alice) == statuses(gateway.url, bob) == statuses(gateway.url, own) == {200}
    answer = app.server.post("/v1/users/alice/revoke", expect=200).json()
    assert answer["user_id"] == "alice" and answer["issued_before"].endswith("Z")
    assert statuses(gateway.url, alice) == {401}
    # A token that does not say when it was issued may be old.
    assert statuses(gateway.url, own) == {401}
    assert statuses(gateway.url, bob) == {200}
    fresh = app.token("alice")
    assert statuses(gateway.url, fresh) == {200}
    gateway.kill()
    gateway.start()
    assert statuses(gateway.url, alice) == {401}
    assert statuses(gateway.url, fresh) == {200}


def test_a_revoked_users_connections_are_closed_for_good_and_other_users_stay(sluice):
    gateway = sluice(arguments=["--loops", "2"])
    app = Account(gateway.url).app("Closing")
    alice, bob = app.token("alice"), app.token("bob")
    with contextlib.ExitStack() as opened:
        open_socket = opened.enter_context
        other = open_socket(listen(gateway.url, "chat:messaging:x", token=bob))
        listeners = [listen(gateway.url, "chat:messaging:x", token=alice) for _ in range(4)]
        sockets = [open_socket(listener) for listener in listeners]
        plain = open_socket(connect(f"{gateway.socket_url}/ws?token={alice}", proxy=None))
        assert json.loads(plain.recv(10))["type"] == "handshake_validation"
        app.server.post("/v1/users/alice/revoke", expect=200)
        for socket in [*sockets, plain]:
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    socket.recv(10)
            assert closed.value.rcvd.code == 3500
        again = open_socket(connect(f"{gateway.socket_url}/ws?token={alice}", proxy=None))
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                again.recv(10)
        assert closed.value.rcvd.code == 3500
        # Bob hears what is said after it.
        app.server.post("/v1/channels/messaging/x/messages", {"text": "still here", "user_id": "bob"}, expect=201)
        while json.loads(other.recv(10)).get("type") != "chat.message.created":
            pass


def test_a_revocation_needs_a_key_with_its_scope(app, platform):
    made = app.owner.post(f"/v1/apps/{app.id}/keys", {"name": "reader", "scopes": ["users.read"]}, expect=201).json()
    assert Client(platform.url, made["secret"]).post("/v1/users/alice/revoke").status_code == 403
    assert app.user("alice").post("/v1/users/alice/revoke").status_code == 403
    assert Client(platform.url, app.key).post("/v1/users/alice/revoke").status_code == 401


# -- the signing secret


def test_connections_end_with_the_secret_that_signed_their_tokens_and_may_come_back(sluice):
    gateway = sluice(arguments=["--loops", "2"])
    owner = Account(gateway.url)
    app, other = owner.app("Rotating"), owner.app("Staying")
    with contextlib.ExitStack() as opened:
        open_socket = opened.enter_context
        bystander = open_socket(connect(f"{gateway.socket_url}/ws?token={other.token('eve')}", proxy=None))
        alice = app.token("alice")
        sockets = [open_socket(connect(f"{gateway.socket_url}/ws?token={alice}", proxy=None)) for _ in range(4)]
        sockets += [open_socket(listen(gateway.url, "chat:messaging:x", token=alice)) for _ in range(4)]
        answer = app.owner.post(f"/v1/apps/{app.id}/signing-secret/rotate", {"grace_seconds": 0}, expect=200).json()
        for socket in sockets:
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    socket.recv(10)
            # Which says: come back with a new token.
            assert closed.value.rcvd.code == 3005
        assert Client(gateway.url, alice).get(OWN).status_code == 401
        app.signing_secret = answer["signing_secret"]
        fresh = open_socket(connect(f"{gateway.socket_url}/ws?token={app.token('alice')}", proxy=None))
        assert json.loads(fresh.recv(10))["type"] == "handshake_validation"
        # With a grace they go on until it ends.
        app.owner.post(f"/v1/apps/{app.id}/signing-secret/rotate", {"grace_seconds": 15}, expect=200)
        fresh.send(json.dumps({"type": "subscribe", "id": 1, "channel": "chat:messaging:x"}))
        assert json.loads(fresh.recv(10))["type"] == "ack"
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                fresh.recv(60)
        assert closed.value.rcvd.code == 3005
        # Nobody else has heard of it.
        bystander.send(json.dumps({"type": "subscribe", "id": 1, "channel": "chat:messaging:x"}))
        while json.loads(bystander.recv(10)).get("type") != "ack":
            pass


def test_the_sdk_fetches_a_new_token_when_the_secret_behind_its_own_is_changed(sluice):
    gateway = sluice(arguments=["--loops", "2"])
    app = Account(gateway.url).app("Refreshing")

    async def scenario():
        fetched = []

        async def fetch() -> str:
            fetched.append(app.token("alice"))
            return fetched[-1]

        async with connected(gateway, app.token("alice"), get_token=fetch) as client:
            listening = Listening(client, "chat:messaging:x")
            await listening.subscription.subscribe()
            await asyncio.wait_for(listening.subscribed.get(), 10)
            answer = app.owner.post(f"/v1/apps/{app.id}/signing-secret/rotate", {"grace_seconds": 0}, expect=200)
            app.signing_secret = answer.json()["signing_secret"]
            await asyncio.wait_for(listening.subscribed.get(), 60)
            assert fetched

    asyncio.run(scenario())


# -- guests


def guests(app, **settings):
    app.set_plugin("auth", enabled=True, config={"allow_guests": True, **settings})
    return Client(app.owner.url, app.key)


def test_a_guest_who_stays_signs_in_elsewhere_under_the_same_id(platform):
    app, word, name = Account(platform.url).app("Linked"), "a word of the issuer's, and no other's", "https://id.test"
    issuer = {"issuer": name, "algorithms": ["HS256"], "audience": "shop", "user_prefix": "id|",
              "keys": {"keys": [{"kty": "oct", "k": encode(word.encode())}]}}
    made = guests(app, issuers=[issuer]).post("/v1/guests", {"name": "Ann"}, expect=201).json()
    guest, lobby = made["user"]["id"], "/v1/channels/messaging/lobby/messages"
    sent = Client(platform.url, made["token"]).post(lobby, {"text": "hello"}, expect=201).json()
    token = mint(word, name, "ann", aud="shop")

    def authors() -> set[str]:
        """Who writes with the issuer's token, on every loop."""
        writers = (Client(platform.url, token) for _ in range(8))
        return {writer.post(f"{lobby}?app={app.id}", {"text": "again"}, expect=201).json()["user_id"] for writer in writers}

    assert sent["user_id"] == guest and authors() == {"id|ann"}
    identity = {"issuer": name, "subject": "ann"}
    stays = app.server.post(f"/v1/users/{guest}/upgrade", {"name": "Ann", "identity": identity}, expect=200).json()
    assert stays["identity"] == identity and "guest_until" not in stays
    assert authors() == {guest}
    other = Client(platform.url, app.key).post("/v1/guests", {}, expect=201).json()["user"]["id"]
    app.server.post(f"/v1/users/{other}/upgrade", {"identity": identity}, expect=409)
    app.server.post(f"/v1/users/{other}/upgrade", {"identity": {**identity, "issuer": "https://none.test"}}, expect=400)
    app.server.call("DELETE", f"/v1/users/{guest}", expect=204)
    Client(platform.url, token).post(f"{lobby}?app={app.id}", {"text": "again"}, expect=401)

    def fresh():
        """What a token that was made now writes; those of the second in which the user went count as before."""
        writer = Client(platform.url, mint(word, name, "ann", aud="shop"))
        return writer.post(f"{lobby}?app={app.id}", {"text": "anew"}, expect=None)

    answer = eventually(lambda: (made := fresh()).status_code == 201 and made, 60)
    assert answer.json()["user_id"] == "id|ann"


def test_a_guest_is_made_with_a_public_key_and_may_do_what_guests_may(platform):
    app = Account(platform.url).app("Guests")
    client = Client(platform.url, app.key)
    assert client.post("/v1/guests", {}, expect=403).json()["code"] == "forbidden"
    client = guests(app, guest_scopes=["tea.drink", "messages.write"])
    made = client.post("/v1/guests", {"name": "Somebody"}, expect=201).json()
    guest = made["user"]
    assert guest["id"].startswith("guest_") and guest["name"] == "Somebody" and guest["guest_until"]
    claims = jwt.decode(made["token"], app.signing_secret, ["HS256"], issuer=app.id)
    assert claims["sub"] == guest["id"] and claims["guest"] is True and claims["scopes"] == ["tea.drink", "messages.write"]
    assert claims["exp"] - claims["iat"] == made["expires_in"] == 86400
    Client(platform.url, made["token"]).post("/v1/channels/messaging/lobby/messages", {"text": "hello"}, expect=201)
    assert Client(platform.url, made["token"]).get("/v1/users").status_code == 403
    assert app.server.get(f"/v1/users/{guest['id']}", expect=200).json() == guest


def test_a_key_a_user_and_a_guest_do_in_chat_what_their_scopes_say(platform):
    app = Account(platform.url).app("Scoped")
    general = "/v1/channels/messaging/general"
    message = {"text": "hello", "user_id": "ada"}

    def key(*scopes: str) -> Client:
        made = app.owner.post(f"/v1/apps/{app.id}/keys", {"name": "scoped", "scopes": scopes}, expect=201).json()
        return Client(platform.url, made["secret"])

    app.server.post(general + "/messages", message, expect=201)
    stranger, reader, writer = key("users.read"), key("messages.read"), key("messages.write")
    for path in ("/v1/channels", general, general + "/messages", "/v1/unread?user_id=ada", "/v1/history/chat:messaging:general"):
        assert stranger.get(path).status_code == 403, path
    assert stranger.post(general + "/messages", message).json()["code"] == "forbidden"
    assert reader.get(general + "/messages", expect=200).json()["data"]
    assert reader.post(general + "/messages", message).status_code == 403
    written = writer.post(general + "/messages", message, expect=201).json()
    assert writer.get(f"/v1/messages/{written['id']}").status_code == 403

    # A user without the claim may what users may; with it, no more than it says.
    for scopes, may_write in ((None, True), (["messages.write"], True), (["messages.read"], False), ([], False)):
        claims = {} if scopes is None else {"claims": {"scopes": scopes}}
        token = app.server.post("/v1/tokens", {"user_id": "bob", **claims}, expect=201).json()["token"]
        status = Client(platform.url, token).post(general + "/messages", {"text": "hello"}).status_code
        assert status == (201 if may_write else 403), scopes
        with connect(f"{platform.socket_url}/ws?token={token}", proxy=None) as socket:
            assert json.loads(socket.recv(10))["type"] == "handshake_validation"
            socket.send(json.dumps({"type": "chat.send", "id": 1, "data": {"channel": "messaging:general", "text": "x"}}))
            answer = json.loads(socket.recv(10))
            assert answer["type"] == ("ack" if may_write else "error"), (scopes, answer)

    # Guests are users without the claim, until the app says what they may.
    for settings, status in (({}, 201), ({"guest_scopes": []}, 403)):
        guest = guests(app, **settings).post("/v1/guests", {}, expect=201).json()["token"]
        assert Client(platform.url, guest).post(general + "/messages", {"text": "hi"}).status_code == status


def test_a_public_key_is_no_credential_anywhere_else_and_others_make_no_guests(platform, app):
    guests(app)
    public = Client(platform.url, app.key)
    for method, path in (("GET", "/v1/users"), ("GET", OWN), ("POST", "/v1/tokens"), ("GET", "/v1/me")):
        assert public.call(method, path).status_code == 401, path
    assert Client(platform.url).post(f"/v1/guests?app={app.id}", {}).status_code == 401
    assert app.server.post("/v1/guests", {}).status_code == 403
    assert app.user("alice").post("/v1/guests", {}).status_code == 403


def test_an_address_makes_so_many_guests_an_hour_over_all_loops(sluice):
    gateway = sluice(arguments=["--loops", "2"])
    app = Account(gateway.url).app("Crowded")
    guests(app, guests_per_address=3)
    # The hour may turn while they come.
    answers = [Client(gateway.url, app.key).post("/v1/guests", {}) for _ in range(8)]
    made = [answer for answer in answers if answer.status_code == 201]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(made) + len(refused) == 8 and 3 <= len(made) <= 6
    assert refused[0].json()["code"] == "rate_limited" and "address" in refused[0].json()["detail"]
    gateway.kill()
    gateway.start()
    after = [Client(gateway.url, app.key).post("/v1/guests", {}).status_code for _ in range(4)]
    assert 429 in after


def test_a_guest_who_is_made_a_user_stays_under_the_same_id(platform):
    app = Account(platform.url).app("Upgrading")
    made = guests(app).post("/v1/guests", {"name": "Nobody"}, expect=201).json()
    guest = made["user"]["id"]
    Client(platform.url, made["token"]).post("/v1/channels/messaging/cart/messages", {"text": "mine"}, expect=201)
    stays = app.server.post(f"/v1/users/{guest}/upgrade", {"custom": {"email": "a@b.test"}}, expect=200).json()
    assert stays["id"] == guest and stays["name"] == "Nobody" and "guest_until" not in stays
    assert app.server.post(f"/v1/users/{guest}/upgrade", {}, expect=409).json()["code"] == "conflict"
    app.server.post("/v1/users/nobody/upgrade", {}, expect=404)
    said = app.user(guest).get("/v1/channels/messaging/cart/messages", expect=200).json()["data"]
    assert [message["user_id"] for message in said] == [guest]
