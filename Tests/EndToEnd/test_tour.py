"""The tour of the README with clients that we did not write, and what a killed process must not lose."""

import json

import pytest
import requests

from client import Account, Client, listen, mint
from program import Sluice

CHANNEL = "chat:messaging:general"
MESSAGES = "/v1/channels/messaging/general/messages"


@pytest.mark.parametrize("loops", [1, 2])
def test_a_message_goes_from_sign_up_to_socket_and_survives_kill_9(sluice, loops):
    gateway = sluice(arguments=["--loops", loops])
    account = Account(gateway.url)
    app = account.app("Tour")
    assert app.id.startswith("app_") and len(app.id) == 30
    assert app.key.startswith("pk_") and app.secret.startswith("sk_")
    alice, bob = app.token("alice"), app.token("bob")

    with listen(gateway.url, CHANNEL, token=alice) as listener:
        assert listener.connected["user_id"] == "alice" and listener.connected["app"] == app.id
        sent = Client(gateway.url, bob).post(MESSAGES, {"text": "Grüß dich, Alice 👋"}, expect=201).json()
        event = json.loads(listener.recv(10))
    assert event["type"] == "chat.message.created"
    assert event["channel"] == CHANNEL and event["app"] == app.id and event["offset"] == 1
    assert event["data"]["text"] == "Grüß dich, Alice 👋"
    assert sent["id"].startswith("msg_") and sent["id"] in json.dumps(event["data"])

    gateway.kill()
    gateway.start()

    read = Client(gateway.url, alice).get(MESSAGES, expect=200).json()
    assert [message["text"] for message in read["data"]] == ["Grüß dich, Alice 👋"] and read["next"] is None
    history = Client(gateway.url, alice).get(f"/v1/history/{CHANNEL}", expect=200).json()
    assert [past["id"] for past in history["data"]] == [event["id"]]
    assert history["offset"] == 1 and history["epoch"] == event["epoch"]
    again = Client(gateway.url).post(
        "/v1/sessions", {"email": account.email, "password": account.password}, expect=201).json()
    apps = Client(gateway.url, again["access_token"]).get("/v1/apps", expect=200).json()
    assert [listed["id"] for listed in apps["data"]] == [app.id]
    with listen(gateway.url, CHANNEL, token=alice) as listener:
        app.server.post(MESSAGES, {"text": "after", "user_id": "bob"}, expect=201)
        assert json.loads(listener.recv(10))["offset"] == 2
    assert gateway.stop() == 0


def test_every_acknowledged_message_is_there_after_kill_9_in_the_middle_of_writing(sluice):
    import threading

    gateway = sluice()
    app = Account(gateway.url).app("Crash")
    acknowledged, enough = [], threading.Event()

    def write(worker: int):
        server = Client(gateway.url, app.secret)
        for number in range(10_000):
            identity = f"w{worker}-{number}"
            try:
                if server.post(MESSAGES, {"text": "x", "user_id": "u", "id": identity}).status_code == 201:
                    acknowledged.append(identity)
            except requests.RequestException:
                return
            if len(acknowledged) >= 200:
                enough.set()

    writers = [threading.Thread(target=write, args=[worker], daemon=True) for worker in range(4)]
    for writer in writers:
        writer.start()
    assert enough.wait(30)
    gateway.kill()
    for writer in writers:
        writer.join(10)
    gateway.start()

    server, found, after = Client(gateway.url, app.secret), [], None
    while True:
        page = server.get(MESSAGES, params={"limit": 100, **({"after": after} if after else {})}, expect=200).json()
        found += [message["id"] for message in page["data"]]
        after = page["next"]
        if after is None:
            break
    assert len(found) == len(set(found))
    assert set(acknowledged) <= set(found)


def test_one_app_never_sees_the_other_ones_data(platform, shop, rival):
    sent = shop.server.post(MESSAGES, {"text": "ours", "user_id": "alice"}, expect=201).json()
    shop.server.put("/v1/users/only-here", {"name": "Only Here"}, expect=200)
    with listen(platform.url, CHANNEL, token=rival.token("alice")) as listener:
        shop.server.post(MESSAGES, {"text": "ours too", "user_id": "alice"}, expect=201)
        rival.server.post(MESSAGES, {"text": "theirs", "user_id": "bob"}, expect=201)
        event = json.loads(listener.recv(10))
        assert event["data"]["text"] == "theirs" and event["offset"] == 1 and event["app"] == rival.id
        with pytest.raises(TimeoutError):
            listener.recv(0.3)
    texts = [message["text"] for message in rival.server.get(MESSAGES, expect=200).json()["data"]]
    assert texts == ["theirs"]
    history = rival.server.get(f"/v1/history/{CHANNEL}", expect=200).json()
    assert [past["data"]["text"] for past in history["data"]] == ["theirs"]
    rival.server.get(f"/v1/messages/{sent['id']}", expect=404)
    rival.server.get("/v1/users/only-here", expect=404)
    rival.owner.get(f"/v1/apps/{shop.id}", expect=404)
    assert shop.id not in rival.owner.get("/v1/apps", expect=200).text


def test_a_token_minted_by_the_apps_own_server_is_as_good_as_ours(platform, shop):
    token = mint(shop.signing_secret, shop.id, "carol")
    with listen(platform.url, CHANNEL, token=token) as listener:
        assert listener.connected["user_id"] == "carol"
    Client(platform.url, token).post(MESSAGES, {"text": "self-made"}, expect=201)


def test_a_user_cannot_speak_for_another_one(shop):
    alice = shop.user("alice")
    refused = alice.post(MESSAGES, {"text": "as bob", "user_id": "bob"}, expect=403).json()
    assert refused["code"] == "forbidden"
    refused = shop.server.post(MESSAGES, {"text": "as whom?"}, expect=400).json()
    assert refused["code"] == "invalid_request" and "user_id" in json.dumps(refused)


def test_a_closed_channel_is_closed_to_everybody_but_its_members(platform, shop):
    shop.set_plugin("chat", enabled=True, config={"types": {"messaging": {"open": True}, "private": {"open": False}}})
    shop.server.post("/v1/channels", {"type": "private", "id": "board", "members": ["alice"]}, expect=201)
    shop.user("alice").post("/v1/channels/private/board/messages", {"text": "hush"}, expect=201)
    bob = shop.user("bob")
    assert bob.get("/v1/channels/private/board/messages").status_code in (403, 404)
    assert bob.post("/v1/channels/private/board/messages", {"text": "hello?"}).status_code in (403, 404)
    assert bob.get("/v1/history/chat:private:board").status_code in (403, 404)
    from websockets.sync.client import connect

    target = platform.socket_url + "/connection/uni_websocket?channels=chat:private:board"
    with connect(target, additional_headers={"Authorization": f"Bearer {shop.token('bob')}"}, proxy=None) as refused:
        with pytest.raises(Exception) as closing:
            refused.recv(10)
    assert closing.value.rcvd.code == 3507


def test_a_socket_that_is_refused_as_it_opens_is_opened_first_and_then_closed_with_its_code(platform, shop):
    from websockets.sync.client import connect

    target = platform.socket_url + "/connection/uni_websocket?channels=nobody:here"
    with connect(target, additional_headers={"Authorization": f"Bearer {shop.token('bob')}"}, proxy=None) as refused:
        with pytest.raises(Exception) as closing:
            refused.recv(10)
    assert closing.value.rcvd.code == 3507


def test_a_deleted_key_lets_nobody_in_from_the_moment_of_the_answer(platform, shop):
    made = shop.owner.post(f"/v1/apps/{shop.id}/keys", {"name": "short-lived"}, expect=201).json()
    server = Client(platform.url, made["secret"])
    for _ in range(4):
        server.get("/v1/users", expect=200)
    shop.owner.call("DELETE", f"/v1/apps/{shop.id}/keys/{made['id']}", expect=204)
    for _ in range(8):  # on every loop
        assert Client(platform.url, made["secret"]).get("/v1/users").status_code in (401, 404)


def test_a_key_may_do_only_what_its_scopes_say(platform, shop):
    made = shop.owner.post(
        f"/v1/apps/{shop.id}/keys", {"name": "reader", "scopes": ["users.read"]}, expect=201).json()
    reader = Client(platform.url, made["secret"])
    reader.get("/v1/users", expect=200)
    refused = reader.put("/v1/users/x", {"name": "X"}, expect=403).json()
    assert refused["code"] == "forbidden" and "users.write" in refused["detail"]


def test_a_deleted_app_is_gone_with_everything_that_it_let_in(platform, account):
    app = account.app("Gone")
    token = app.token("alice")
    account.call("DELETE", f"/v1/apps/{app.id}", expect=204)
    account.get(f"/v1/apps/{app.id}", expect=404)
    assert Client(platform.url, app.secret).get("/v1/users").status_code in (401, 404)
    assert Client(platform.url, token).get(MESSAGES).status_code in (401, 404)


def test_signing_up_in_and_out_works_as_documented(platform):
    account = Account(platform.url)
    made = account.made
    assert made["token_type"] == "Bearer" and made["expires_in"] > 0 and made["account"]["id"].startswith("acc_")
    account.get("/v1/me", expect=200)
    taken = Client(platform.url).post(
        "/v1/accounts", {"email": account.email.upper(), "password": "x" * 12, "name": "Again"}, expect=409).json()
    assert taken["code"] == "conflict"
    wrong = Client(platform.url).post("/v1/sessions", {"email": account.email, "password": "wrong-password"}, expect=401)
    unknown = Client(platform.url).post("/v1/sessions", {"email": "no@b.test", "password": "wrong-password"}, expect=401)
    assert wrong.json()["detail"] == unknown.json()["detail"]
    renewed = Client(platform.url).post(
        "/v1/sessions/refresh", {"refresh_token": made["refresh_token"]}, expect=200).json()
    again = Client(platform.url).post(
        "/v1/sessions/refresh", {"refresh_token": made["refresh_token"]}, expect=200).json()
    assert renewed["refresh_token"] == again["refresh_token"] != made["refresh_token"]
    account.call("DELETE", "/v1/sessions/current", expect=204)
    ended = Client(platform.url).post("/v1/sessions/refresh", {"refresh_token": renewed["refresh_token"]})
    assert ended.status_code == 401
    assert any(key["kty"] == "EC" for key in Client(platform.url).get("/.well-known/jwks.json", expect=200).json()["keys"])


def test_no_secret_is_printed_or_stored_in_the_clear(sluice):
    gateway: Sluice = sluice()
    app = Account(gateway.url).app("Secretive")
    token = app.token("alice")
    target = f"{gateway.socket_url}/connection/uni_websocket?channels={CHANNEL}&token={token}"
    from websockets.sync.client import connect

    with connect(target, proxy=None) as listener:
        listener.recv(10)
    app.server.get("/v1/users", expect=200)
    assert gateway.stop() == 0
    stored = b"".join(path.read_bytes() for path in gateway.data.rglob("*") if path.is_file())
    for secret in (app.secret, app.signing_secret, token, Account.password):
        assert secret not in gateway.text()
        assert secret.encode() not in stored
