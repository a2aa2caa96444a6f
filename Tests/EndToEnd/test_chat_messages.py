"""What messages are made of, and their threads: over REST and over sockets, against the real program."""

import uuid

import pytest

from plain import Plain
from rooms import TYPES, chatting, path, personal, room


@pytest.fixture(scope="module")
def app(platform):
    return chatting(platform, "Words", TYPES)


PHOTO = {"type": "image", "url": "https://files.example/a.png", "title": "A", "size": 12, "custom": {"n": [1.50]}}


def test_a_message_with_everything_is_the_same_wherever_it_is_read(platform, app):
    channel = room()
    alice, bob = app.user("alice"), app.user("bob")
    first = alice.post(path(channel, "/messages"), {"text": "first"}, expect=201).json()
    with Plain(platform, app.token("carol")) as carol, Plain(platform, app.token("dora")) as dora:
        personal(carol), personal(dora)
        carol.subscribe("chat:" + channel)
        sent = bob.post(path(channel, "/messages"), {"attachments": [PHOTO], "mentions": ["dora"], "quoted_id": first["id"], "custom": {"a": 1}}, expect=201).json()
        assert sent["attachments"] == [PHOTO] and sent["text"] == "" and sent["mentions"] == ["dora"]
        assert sent["quoted"] == {"id": first["id"], "user_id": "alice", "text": "first", "created_at": first["created_at"]}
        assert alice.get(f"/v1/messages/{sent['id']}", expect=200).json() == sent
        assert alice.get(path(channel, "/messages"), expect=200).json()["data"] == [sent, first]
        published = {name: value for name, value in sent.items() if name != "quoted"}
        heard, = carol.hear()
        assert (heard["type"], heard["data"]) == ("chat.message.created", published)
        told, = dora.hear()
        assert (told["type"], told["channel"], told["data"]) == ("chat.mention", "#dora", published)


@pytest.mark.parametrize("body, pointer", [
    ({}, "/text"), ({"text": "", "attachments": []}, "/text"), ({"text": "x" * 5001}, "/text"),
    ({"attachments": [{}]}, "/attachments/0"), ({"attachments": [{"type": "image", "url": "javascript:alert(1)"}]}, "/attachments/0/url"),
    ({"attachments": [{"type": "image", "secret": 1}]}, "/attachments/0"), ({"attachments": [PHOTO] * 17}, "/attachments"),
    ({"text": "x", "mentions": ["a", "a"]}, "/mentions"), ({"text": "x", "mentions": [f"u{n}" for n in range(33)]}, "/mentions"),
    ({"text": "x", "quoted_id": "none"}, "/quoted_id"), ({"text": "x", "parent_id": "none"}, "/parent_id"),
    ({"text": "x", "parent_id": "a b"}, "/parent_id"), ({"text": "x", "show_in_channel": True}, "/show_in_channel"),
    ({"text": "x", "kind": "loud"}, "/kind"),
])
def test_what_is_no_message_is_refused_with_its_place(platform, app, body, pointer):
    channel = room()
    refused = app.user("alice").post(path(channel, "/messages"), body, expect=400).json()
    assert any(error["pointer"].startswith(pointer) for error in refused["errors"]), refused
    assert app.user("alice").get(path(channel, "/messages"), expect=200).json()["data"] == []


def test_only_the_server_sends_system_messages(app):
    channel = room()
    body = {"text": "alice has come", "kind": "system"}
    assert app.user("alice").post(path(channel, "/messages"), body, expect=403).json()["code"] == "forbidden"
    sent = app.server.post(path(channel, "/messages"), {**body, "user_id": "alice"}, expect=201).json()
    assert sent["kind"] == "system"


def test_a_list_goes_on_both_ways_from_the_middle(app):
    channel = room()
    alice = app.user("alice")
    ids = [alice.post(path(channel, "/messages"), {"text": str(number)}, expect=201).json()["id"] for number in range(9)]

    def page(query: str) -> dict:
        return alice.get(path(channel, f"/messages?{query}"), expect=200).json()

    middle = page(f"around={ids[4]}&limit=3")
    assert [message["id"] for message in middle["data"]] == ids[3:6]
    assert [message["id"] for message in page(f"after={middle['next']}")["data"]] == ids[6:]
    assert [message["id"] for message in page(f"after={middle['previous']}")["data"]] == ids[2::-1]
    assert "previous" not in page("limit=3")
    for query in (f"around={ids[0]}&after={ids[0]}", "around=older:3", "around=", "around=none"):
        assert alice.get(path(channel, f"/messages?{query}"), expect=400).json()["code"] == "invalid_request", query


def test_a_thread_is_counted_listed_and_told_apart_from_its_channel(platform, app):
    id = uuid.uuid4().hex
    app.server.post("/v1/channels", {"type": "private", "id": id, "members": ["alice", "bob"]}, expect=201)
    channel = f"private:{id}"
    alice, bob = app.user("alice"), app.user("bob")
    topic = alice.post(path(channel, "/messages"), {"text": "topic"}, expect=201).json()["id"]
    bob.post(path(channel, "/read"), {"message_id": topic}, expect=200)
    with Plain(platform, app.token("alice")) as listener:
        personal(listener)
        with Plain(platform, app.token("bob")) as speaker:
            personal(speaker)
            replies = [speaker.ask("chat.send", channel=channel, text=str(number), parent_id=topic)["data"]["id"] for number in range(3)]
        told = []
        while not told or told[-1]["data"]["unread"] < 3:
            told += listener.hear()
        assert {event["type"] for event in told} == {"chat.thread.unread"}
        assert told[-1]["data"] == {"parent_id": topic, "channel": channel, "unread": 3}
        thread, = alice.get("/v1/threads", expect=200).json()["data"]
        assert (thread["message"]["id"], thread["unread"], thread["message"]["reply_count"], thread["message"]["participants"]) == (topic, 3, 3, ["bob"])
        read = listener.ask("chat.read_thread", parent_id=topic, message_id=replies[1])["data"]
        assert read["unread"] == 1
        assert alice.post(f"/v1/messages/{topic}/thread/read", expect=200).json()["unread"] == 0
    assert [message["id"] for message in alice.get(path(channel, "/messages"), expect=200).json()["data"]] == [topic]
    assert [message["id"] for message in alice.get(f"/v1/messages/{topic}/replies?after={replies[0]}", expect=200).json()["data"]] == replies[1:]
    # The channel itself is read.
    assert alice.get("/v1/unread", expect=200).json()["data"] == []
    nested = bob.post(path(channel, "/messages"), {"text": "x", "parent_id": replies[0]}, expect=400).json()
    assert nested["errors"][0]["pointer"] == "/parent_id" and topic in nested["errors"][0]["message"]
    app.user("eve").get(f"/v1/messages/{topic}/replies", expect=404)
    bob.call("DELETE", f"/v1/messages/{replies[0]}", expect=204)
    assert alice.get(f"/v1/messages/{topic}", expect=200).json()["reply_count"] == 2


def test_pins_edits_and_reactions_are_listed_and_gone_with_the_message(platform, app):
    id = uuid.uuid4().hex
    app.server.post("/v1/channels", {"type": "private", "id": id, "members": ["alice", "bob"]}, expect=201)
    channel = f"private:{id}"
    alice, bob = app.user("alice"), app.user("bob")
    message = alice.post(path(channel, "/messages"), {"text": "a slip"}, expect=201).json()["id"]
    one = f"/v1/messages/{message}"
    with Plain(platform, app.token("bob")) as listener:
        personal(listener)
        listener.subscribe("chat:" + channel)
        alice.call("PATCH", one, {"text": "said well"}, expect=200)
        assert [edit["text"] for edit in alice.get(one + "/edits", expect=200).json()["data"]] == ["a slip"]
        assert bob.get(one + "/edits", expect=403).json()["code"] == "forbidden"
        assert bob.put(one + "/pin", expect=403).json()["code"] == "forbidden"
        app.server.put(one + "/pin", expect=200)
        assert [pinned["id"] for pinned in bob.get(path(channel, "/pins"), expect=200).json()["data"]] == [message]
        assert listener.ask("chat.react", message_id=message, reaction="like")["type"] == "ack"
        assert listener.ask("chat.react", message_id=message, reaction="heart", exclusive=True)["type"] == "ack"
        assert bob.get(one, expect=200).json()["own_reactions"] == ["heart"]
        assert [(each["user_id"], each["reaction"]) for each in alice.get(one + "/reactions", expect=200).json()["data"]] == [("bob", "heart")]
        assert alice.call("DELETE", one + "?hard=true", expect=403).json()["code"] == "forbidden"
        app.server.call("DELETE", one + "?hard=true", expect=204)
        heard = []
        while not heard or heard[-1]["type"] != "chat.message.deleted":
            heard += listener.hear()
        kinds = [event["type"] for event in heard if event["channel"] == "chat:" + channel]
        # The two of the exclusive reaction are one change.
        assert sorted(kinds[:5]) == sorted([
            "chat.message.updated", "chat.message.pinned", "chat.reaction.added", "chat.reaction.removed", "chat.reaction.added"])
        assert kinds[5:] == ["chat.message.deleted"]
        assert heard[-1]["data"]["hard"] is True
    history = app.server.get(f"/v1/history/chat:{channel}?limit=100", expect=200).text
    assert "a slip" not in history and "said well" not in history
    assert alice.get(path(channel, "/messages"), expect=200).json()["data"] == []
    assert alice.post(path(channel, "/messages"), {"text": "anew", "id": message}, expect=201).json()["id"] == message


def test_words_are_found_in_what_one_may_read_as_it_is_now(app):
    id = uuid.uuid4().hex
    word = "w" + uuid.uuid4().hex
    app.server.post("/v1/channels", {"type": "private", "id": id, "members": ["alice"]}, expect=201)
    alice, bob = app.user("alice"), app.user("bob")
    secret = alice.post(path(f"private:{id}", "/messages"), {"text": f"secret {word}"}, expect=201).json()["id"]
    open_one = bob.post(path(room(), "/messages"), {"text": f"Öffentlich, {word}"}, expect=201).json()["id"]

    def found(user, query: str) -> list[str]:
        page = user.get("/v1/search", params={"q": query}, expect=200).json()
        assert page["next"] is None
        return [message["id"] for message in page["data"]]

    assert found(alice, word) == [open_one, secret]
    assert found(bob, word) == [open_one]
    assert found(alice, f'"offentlich {word[:9]}"*') == [open_one]
    alice.call("PATCH", f"/v1/messages/{secret}", {"text": "otherwise"}, expect=200)
    assert found(alice, word) == [open_one]
    bob.call("DELETE", f"/v1/messages/{open_one}", expect=204)
    assert found(alice, word) == []
    for query in ("", "...", '"'):
        assert alice.get("/v1/search", params={"q": query}, expect=400).json()["code"] == "invalid_request"
    for query in ("a OR b", "NEAR(a b)", "text:a", "a NOT b", "(a", "'a", 'a"b', "a\\", "a\tb"):
        alice.get("/v1/search", params={"q": query}, expect=200)
    bob.get("/v1/search", params={"q": word, "channel": f"private:{id}"}, expect=403)


def test_a_poll_is_counted_and_heard_by_everybody(platform, app):
    channel = room()
    alice, bob = app.user("alice"), app.user("bob")
    poll = {"question": "Where?", "options": ["Here", "There"], "closes_at": "2999-01-01T00:00:00Z"}
    asked = alice.post(path(channel, "/messages"), {"poll": poll}, expect=201).json()
    one = f"/v1/messages/{asked['id']}"
    assert [(option["id"], option["text"], option["votes"]) for option in asked["poll"]["options"]] == [(1, "Here", 0), (2, "There", 0)]
    with Plain(platform, app.token("carol")) as carol:
        personal(carol)
        carol.subscribe("chat:" + channel)
        assert carol.ask("chat.vote", message_id=asked["id"], option_ids=[2])["data"]["own_votes"] == [2]
        bob.put(one + "/poll/votes", {"option_ids": [1]}, expect=200)
        assert bob.put(one + "/poll/votes", {"option_ids": [2]}, expect=200).json()["voters"] == 2
        heard = [event["data"] for event in carol.hear(3)]
        assert [(each["user_id"], each["added"], each["removed"]) for each in heard] == [("carol", [2], []), ("bob", [1], []), ("bob", [2], [1])]
        assert [(each["user_id"], each["option_id"]) for each in alice.get(one + "/poll/votes", expect=200).json()["data"]] == [("bob", 2), ("carol", 2)]
        bob.post(one + "/poll/close", expect=403)
        assert alice.post(one + "/poll/close", expect=200).json()["closed_at"]
        assert [event["type"] for event in carol.hear()] == ["chat.poll.closed"]
        assert bob.put(one + "/poll/votes", {"option_ids": [1]}, expect=409).json()["code"] == "conflict"
    assert [option["votes"] for option in bob.get(one, expect=200).json()["poll"]["options"]] == [0, 2]
    for bad in ({"question": "x", "options": ["a"]}, {"question": "x", "options": ["a", "a"]}, {"question": "x", "options": ["a", "b"], "max_votes": 3},
                {"question": "x", "options": ["a", "b"], "closes_at": "soon"}):
        assert alice.post(path(channel, "/messages"), {"poll": bad}, expect=400).json()["errors"][0]["pointer"].startswith("/poll")


def test_a_draft_is_told_to_the_users_other_devices_alone(platform, app):
    channel = room()
    # Nobody else's test has anything to tell this user.
    name = "u" + uuid.uuid4().hex
    alice = app.user(name)
    with Plain(platform, app.token(name)) as other, Plain(platform, app.token("bob")) as bob:
        personal(other), personal(bob)
        bob.subscribe("chat:" + channel)
        kept = alice.put(path(channel, "/draft"), {"text": "I th", "attachments": [PHOTO]}, expect=200).json()
        told, = other.hear()
        assert (told["type"], told["channel"], told["data"]) == ("chat.draft.updated", "#" + name, kept)
        assert alice.get(path(channel, "/draft"), expect=200).json() == kept
        assert kept in alice.get("/v1/drafts?limit=100", expect=200).json()["data"]
        app.user("bob").get(path(channel, "/draft"), expect=404)
        alice.call("DELETE", path(channel, "/draft"), expect=204)
        assert other.hear()[0]["type"] == "chat.draft.deleted"
        assert bob.ask("ping")["type"] == "pong"
        assert not [event for event in bob.events if event["type"].startswith("chat.draft")]
    alice.get(path(channel, "/draft"), expect=404)
