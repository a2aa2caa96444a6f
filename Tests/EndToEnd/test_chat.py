"""Chat's actions: the same over REST, over Centrifugo's SDK and over `/ws`."""

import asyncio
import threading
import uuid
from urllib.parse import quote

import pytest
from centrifuge import CentrifugeError
from websockets.exceptions import ConnectionClosed

from client import Account
from plain import Plain
from rooms import TYPES, chatting, path, personal, room
from sdk import Listening, connected


@pytest.fixture(scope="module")
def app(platform):
    return chatting(platform, "Talk", TYPES)


def test_what_the_sdk_says_a_plain_client_sees_and_rest_has(platform, app):
    channel = room()

    async def say(messages):
        async with connected(platform, app.token("alice")) as alice:
            return [(await alice.rpc("chat.send", {"channel": channel, "text": text, "id": id})).data for id, text in messages]

    with Plain(platform, app.token("bob")) as bob:
        personal(bob)
        bob.subscribe("chat:" + channel)
        texts = [(uuid.uuid4().hex, text) for text in ("hello", "äöü € 𝄞", "x" * 5000)]
        said = asyncio.run(say(texts))
        events = bob.hear(3)
        assert [event["type"] for event in events] == ["chat.message.created"] * 3
        assert [event["offset"] for event in events] == [1, 2, 3]
        assert [event["data"] for event in events] == said
        assert [(message["id"], message["text"], message["user_id"]) for message in said] == [(*text, "alice") for text in texts]
        listed = app.user("carol").get(path(channel, "/messages"), expect=200).json()["data"]
        assert listed == said[::-1]


def test_every_action_over_a_plain_socket_is_heard_by_the_sdk(platform, app):
    channel = room()

    async def play():
        async with connected(platform, app.token("bob")) as bob:
            listener = Listening(bob, "chat:" + channel)
            await listener.begin()
            await asyncio.to_thread(speak)
            heard = []
            while len(heard) < 7:
                heard.append((await listener.hear())[0])
            return heard

    def speak():
        with Plain(platform, app.token("alice")) as alice:
            personal(alice)
            message = alice.ask("chat.send", channel=channel, text="hello")["data"]
            id = message["id"]
            assert alice.ask("chat.edit", message_id=id, text="hallo")["data"]["text"] == "hallo"
            assert alice.ask("chat.react", message_id=id, reaction="👍")["data"]["reaction"] == "👍"
            assert alice.ask("chat.unreact", message_id=id, reaction="👍")["type"] == "ack"
            assert alice.ask("chat.read", channel="chat:" + channel, message_id=id)["data"]["unread"] == 0
            assert alice.ask("chat.typing", data={"channel": channel})["type"] == "ack"
            assert alice.ask("chat.delete", message_id=id)["data"]["id"] == id

    heard = asyncio.run(play())
    assert sorted(event["type"] for _, event in heard) == sorted([
        "chat.message.created", "chat.message.updated", "chat.reaction.added", "chat.reaction.removed", "chat.read", "chat.typing",
        "chat.message.deleted"])
    durable = [(offset, event["type"]) for offset, event in heard if event["type"] not in ("chat.typing", "chat.read")]
    assert [offset for offset, _ in durable] == list(range(1, 6))
    typing = [(offset, event["data"]) for offset, event in heard if event["type"] == "chat.typing"]
    assert typing == [(0, {"channel": channel, "user_id": "alice", "active": True})]


def test_the_routes_do_the_same(platform, app):
    channel = room()
    alice, bob = app.user("alice"), app.user("bob")
    message = alice.post(path(channel, "/messages"), {"text": "helo"}, expect=201).json()
    one = f"/v1/messages/{message['id']}"
    with Plain(platform, app.token("carol")) as carol:
        personal(carol)
        carol.subscribe("chat:" + channel)
        assert bob.call("PATCH", one, {"text": "x"}, expect=403).json()["code"] == "forbidden"
        edited = alice.call("PATCH", one, {"text": "hello"}, expect=200).json()
        assert edited["text"] == "hello" and edited["updated_at"]
        for reaction in ("like", "👍", "+1"):
            bob.put(f"{one}/reactions/{quote(reaction, safe='')}", expect=200)
        app.server.put(f"{one}/reactions/like", {"user_id": "dora"}, expect=200)
        bob.call("DELETE", f"{one}/reactions/%2B1", expect=204)
        assert alice.get(one, expect=200).json()["reactions"] == {"like": 2, "👍": 1}
        mark = bob.post(path(channel, "/read"), {"message_id": message["id"]}, expect=200).json()
        assert mark["unread"] == 0 and mark["user_id"] == "bob"
        bob.post(path(channel, "/typing"), expect=204)
        bob.call("DELETE", one, expect=403)
        alice.call("DELETE", one, expect=204)
        assert alice.get(one).status_code == 404
        types = [event["type"] for event in carol.hear(9)]
        # What is kept comes in its order; what is not comes between.
        assert [each for each in types if each not in ("chat.read", "chat.typing")] == [
            "chat.message.updated", *["chat.reaction.added"] * 4, "chat.reaction.removed", "chat.message.deleted"]
        assert [each for each in types if each in ("chat.read", "chat.typing")] == ["chat.read", "chat.typing"]


def test_who_comes_back_finds_nothing_of_what_was_changed_or_deleted(sluice):
    gateway = sluice()
    app = Account(gateway.url).app("Talk")
    channel = room()
    alice = app.user("alice")

    def say(text: str) -> str:
        return alice.post(path(channel, "/messages"), {"text": text}, expect=201).json()["id"]

    def recover(offset: int) -> list[dict]:
        with Plain(gateway, app.token("carol")) as carol:
            carol.subscribe("chat:" + channel, offset=offset, epoch=epoch)
            return carol.hear(6 - offset)

    with Plain(gateway, app.token("bob")) as bob:
        epoch = bob.subscribe("chat:" + channel)["epoch"]
        deleted, kept, edited = say("a secret"), say("for all"), say("a slip")
        alice.call("PATCH", f"/v1/messages/{edited}", {"text": "corrected"}, expect=200)
        alice.call("PATCH", f"/v1/messages/{deleted}", {"text": "another secret"}, expect=200)
        alice.call("DELETE", f"/v1/messages/{deleted}", expect=204)
        # Who was there has heard it as it was.
        assert [event["data"].get("text") for event in bob.hear(6)] == [
            "a secret", "for all", "a slip", "corrected", "another secret", None]
    gateway.kill()
    gateway.start()
    history = app.server.get(f"/v1/history/chat:{channel}?limit=100", expect=200)
    assert "secret" not in history.text and "slip" not in history.text
    for events in [history.json()["data"], recover(0)]:
        assert [event["offset"] for event in events] == [1, 2, 3, 4, 5, 6]
        assert [(event["type"], event["data"]["id"], event["data"].get("text")) for event in events] == [
            ("chat.message.deleted", deleted, None), ("chat.message.created", kept, "for all"),
            ("chat.message.updated", edited, "corrected"), ("chat.message.updated", edited, "corrected"),
            ("chat.message.deleted", deleted, None), ("chat.message.deleted", deleted, None)]
    assert [event["type"] for event in recover(4)] == ["chat.message.deleted"] * 2

    async def sdk():
        async with connected(gateway, app.token("dora")) as dora:
            listening = Listening(dora, "chat:" + channel)
            await listening.begin()
            return (await listening.subscription.history(limit=100)).publications

    told = [publication.data for publication in asyncio.run(sdk())]
    assert len(told) == 6 and "secret" not in str(told) and "slip" not in str(told)


def test_members_are_told_what_they_have_not_read(platform, app):
    id = uuid.uuid4().hex
    app.server.post("/v1/channels", {"type": "private", "id": id, "members": ["alice", "bob"]}, expect=201)
    channel = f"private:{id}"
    with Plain(platform, app.token("alice")) as alice, Plain(platform, app.token("bob")) as bob:
        personal(alice), personal(bob)
        sent = [alice.ask("chat.send", channel=channel, text=str(number))["data"] for number in range(3)]
        told = []
        while not told or told[-1]["data"]["unread"] < 3:
            told += bob.hear()
        assert {event["type"] for event in told} == {"chat.unread"} and {event["channel"] for event in told} == {"#bob"}
        assert [event["data"]["unread"] for event in told] == sorted(event["data"]["unread"] for event in told)
        assert app.user("bob").get("/v1/unread", expect=200).json() == {"data": [{"channel": channel, "unread": 3}], "next": None}
        assert bob.ask("chat.read", channel=channel, message_id=sent[1]["id"])["data"]["unread"] == 1
        # The count before may be told once more.
        while (last := bob.hear()[0]["data"])["unread"] == 3:
            pass
        assert last == {"channel": channel, "unread": 1, "message_id": sent[1]["id"]}
        # Whoever wrote it knows it.
        assert alice.ask("ping")["type"] == "pong" and alice.events == []


@pytest.mark.parametrize("type, members, code, pointer", [
    ("chat.send", {}, "invalid_request", ""), ("chat.send", {"channel": "messaging:a"}, "invalid_request", "/text"),
    ("chat.send", {"channel": "messaging:a", "text": ""}, "invalid_request", "/text"),
    ("chat.send", {"channel": "messaging:a", "text": "x" * 5001}, "invalid_request", "/text"),
    ("chat.send", {"channel": "messaging:a", "text": "x", "user_id": "bob"}, "invalid_request", "/user_id"),
    ("chat.send", {"channel": "messaging:a", "text": "x", "custom": 1}, "invalid_request", "/custom"),
    ("chat.send", {"channel": "messaging:a", "text": "x", "id": ""}, "invalid_request", ""),
    ("chat.send", {"channel": "nonsense", "text": "x"}, "invalid_request", "/channel"),
    ("chat.send", {"channel": "none:a", "text": "x"}, "not_found", None),
    ("chat.send", {"channel": "private:none", "text": "x"}, "not_found", None),
    ("chat.edit", {"message_id": "m", "text": 7}, "invalid_request", "/text"), ("chat.edit", {"message_id": "m"}, "invalid_request", ""),
    ("chat.edit", {"message_id": "none", "text": "x"}, "not_found", None),
    ("chat.react", {"message_id": "none", "reaction": "like"}, "not_found", None),
    ("chat.react", {"message_id": "none", "reaction": "a b"}, "invalid_request", "/reaction"),
    ("chat.read", {"channel": "messaging:a"}, "invalid_request", "/message_id"),
    ("chat.typing", {"channel": "messaging:a", "active": "yes"}, "invalid_request", "/active"),
    ("chat.none", {}, "not_found", None),
])
def test_what_is_wrong_is_said_with_its_place(platform, app, type, members, code, pointer):
    with Plain(platform, app.token("alice")) as alice:
        personal(alice)
        told = alice.ask(type, **({"data": members} if "id" in members else members))
        assert (told["type"], told["code"]) == ("error", code), told
        if pointer is not None:
            assert any(error["pointer"].startswith(pointer) for error in told["errors"]), told

    async def call():
        async with connected(platform, app.token("alice")) as client:
            with pytest.raises(CentrifugeError) as refused:
                await client.rpc(type, members)
            return refused.value

    refusal = asyncio.run(call())
    assert refusal.code == {"invalid_request": 107, "not_found": 104 if type == "chat.none" else 404}[code]
    assert not pointer or pointer in refusal.message


def test_a_closed_channel_is_closed_on_every_way(platform, app):
    id = uuid.uuid4().hex
    app.server.post("/v1/channels", {"type": "private", "id": id, "members": ["alice"]}, expect=201)
    secret = app.user("alice").post(f"/v1/channels/private/{id}/messages", {"text": "x"}, expect=201).json()["id"]
    with Plain(platform, app.token("mallory")) as mallory:
        personal(mallory)
        assert mallory.ask("subscribe", channel=f"chat:private:{id}")["code"] == "forbidden"
        assert mallory.ask("history", channel=f"chat:private:{id}")["code"] == "forbidden"
        assert mallory.ask("publish", channel=f"chat:private:{id}", data=1)["code"] == "forbidden"
        for type, members, code in [
            ("chat.send", {"channel": f"private:{id}", "text": "x"}, "forbidden"), ("chat.edit", {"message_id": secret, "text": "x"}, "not_found"),
            ("chat.delete", {"message_id": secret}, "not_found"), ("chat.react", {"message_id": secret, "reaction": "x"}, "not_found"),
            ("chat.unreact", {"message_id": secret, "reaction": "x"}, "not_found"),
            ("chat.read", {"channel": f"private:{id}", "message_id": secret}, "forbidden"),
            ("chat.typing", {"channel": f"private:{id}"}, "forbidden"),
        ]:
            assert mallory.ask(type, **members)["code"] == code, type


def test_messages_over_sockets_survive_kill_9_and_are_there_once(sluice):
    gateway = sluice()
    app = Account(gateway.url).app("Crash")
    app.set_plugin("chat", enabled=True, config={"types": TYPES})
    channel = room()
    acknowledged: set[str] = set()
    sent: list[str] = []
    listener = Plain(gateway, app.token("bob"))
    with listener as bob:
        epoch = bob.subscribe("chat:" + channel)["epoch"]

        def speak():
            with Plain(gateway, app.token("alice")) as alice:
                try:
                    for number in range(100_000):
                        id = f"m{number}"
                        sent.append(id)
                        if alice.ask("chat.send", data={"channel": channel, "text": str(number), "id": id})["type"] == "ack":
                            acknowledged.add(id)
                except ConnectionClosed:
                    pass

        speaker = threading.Thread(target=speak)
        speaker.start()
        heard = [event["offset"] for event in bob.hear(50)]
        gateway.kill()
        speaker.join(30)
    gateway.start()
    assert heard == list(range(1, 51)) and len(acknowledged) >= 49
    with Plain(gateway, app.token("alice")) as alice, Plain(gateway, app.token("bob")) as bob:
        # What was under way may be said again, whether it was heard or not.
        for id in sent[-3:]:
            assert alice.ask("chat.send", data={"channel": channel, "text": id[1:], "id": id})["type"] == "ack"
        ack = bob.subscribe("chat:" + channel, offset=50, epoch=epoch)
        assert ack["offset"] == len(sent)
        if ack["recovered"]:
            missed = bob.hear(len(sent) - 50)
            assert [event["offset"] for event in missed] == list(range(51, len(sent) + 1))
            assert [event["data"]["id"] for event in missed] == sent[50:]
        else:
            assert len(sent) - 50 > 300
    there, after = [], None
    while after != "":
        page = app.server.get(path(channel, "/messages"), params={"limit": 100, **({"after": after} if after else {})}, expect=200).json()
        there += [message["id"] for message in page["data"]]
        after = page["next"] or ""
    assert there == sent[::-1] and acknowledged <= set(there)

