"""Chat's channels and members over REST, and what sockets hear of them."""

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from plain import Plain
from rooms import chatting, den, path, personal
from sdk import Listening, connected

TYPES = {"messaging": {"open": True}, "private": {"grants": {"guest": ["read_channel", "leave"]}}}


@pytest.fixture(scope="module")
def app(platform):
    return chatting(platform, "Rooms", TYPES)


def until_unsubscribed(client: Plain) -> list[dict]:
    """What comes before the end of a subscription."""
    told = []
    while True:
        frame, = client.hear()
        if (frame["type"], frame.get("code")) == ("system_message", "unsubscribed"):
            return told
        # That he has nothing unread any more is told before or after.
        if frame["type"] != "chat.unread":
            told.append(frame)


def test_who_is_removed_hears_no_more_and_who_stays_does(platform, app):
    channel = den(app, "bob", "carol")
    alice = app.user("alice")
    with Plain(platform, app.token("bob")) as bob, Plain(platform, app.token("carol")) as carol:
        for client in (bob, carol):
            personal(client).subscribe("chat:" + channel)
        alice.call("DELETE", path(channel, "/members?user_id=bob"), expect=204)
        told = until_unsubscribed(bob)
        assert {frame["type"] for frame in told} == {"chat.member.removed"}, told
        removed, = carol.hear()
        assert removed["data"] == {"channel": channel, "user_id": "bob", "removed_by": "alice"}
        alice.post(path(channel, "/messages"), {"text": "without Bob"}, expect=201)
        said, = (frame for frame in carol.hear(1) if frame["type"] == "chat.message.created")
        assert said["data"]["text"] == "without Bob"
        refused = bob.ask("subscribe", channel="chat:" + channel)
        assert (refused["type"], refused["code"]) == ("error", "forbidden")
        assert [frame for frame in bob.events if frame["type"] != "chat.unread"] == []
        app.user("bob").get(path(channel, "/messages"), expect=403)


def test_the_sdk_is_told_that_its_subscription_has_ended(platform, app):
    channel = den(app, "bob")

    async def play():
        async with connected(platform, app.token("bob")) as bob:
            listener = Listening(bob, "chat:" + channel)
            await listener.begin()
            await asyncio.to_thread(lambda: app.user("alice").call("DELETE", path(channel), expect=204))
            code = await listener.ended()
            return code

    assert asyncio.run(play()) == 2000


def test_many_who_want_the_channel_of_two_get_one(app):
    one, other = uuid.uuid4().hex, uuid.uuid4().hex

    def ask(number: int) -> str:
        me, you = (one, other) if number % 2 else (other, one)
        made = app.user(me).post("/v1/channels", {"type": "private", "members": [you], "distinct": True})
        assert made.status_code in (200, 201), made.text
        return made.json()["channel"]

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(16)))) == 1
    assert len(app.user(one).get("/v1/channels", expect=200).json()["data"]) == 1


def test_a_frozen_channel_is_read_and_not_written(platform, app):
    channel = den(app, "bob")
    bob, alice = app.user("bob"), app.user("alice")
    with Plain(platform, app.token("bob")) as socket:
        personal(socket).subscribe("chat:" + channel)
        frozen = alice.call("PATCH", path(channel), {"frozen": True, "revision": 1}, expect=200).json()
        assert (frozen["frozen"], frozen["revision"]) == (True, 2)
        event, = socket.hear()
        assert event["type"] == "chat.channel.updated" and event["data"]["frozen"] is True
        refused = bob.post(path(channel, "/messages"), {"text": "x"}, expect=403).json()
        assert "use_frozen_channel" in refused["detail"]
        assert socket.ask("chat.send", channel=channel, text="x")["code"] == "forbidden"
        alice.post(path(channel, "/messages"), {"text": "by the owner"}, expect=201)
    assert alice.call("PATCH", path(channel), {"frozen": False, "revision": 1}, expect=409).json()["code"] == "conflict"


def test_users_whose_ids_are_only_spelt_alike_are_two(platform, app):
    unique = uuid.uuid4().hex
    one, other = f"\u00e9va-{unique}", f"e\u0301va-{unique}"
    made = app.server.post("/v1/channels", {"type": "private", "members": [one, other, "alice"]}, expect=201).json()
    assert sorted(made["members"]) == sorted([one, other, "alice"])
    channel = made["channel"]
    # What each may with himself he may not with the other.
    his = app.user(other).post(path(channel, "/messages"), {"text": "mine", "mentions": [one, other]}, expect=201).json()
    assert his["mentions"] == [one, other]
    app.user(other).call("PATCH", f"/v1/messages/{his['id']}", {"text": "mine too"}, expect=200)
    assert len(app.user(other).get(f"/v1/messages/{his['id']}/edits", expect=200).json()["data"]) == 1
    app.user(one).get(f"/v1/messages/{his['id']}/edits", expect=403)
    app.user(one).call("DELETE", path(channel, "/members"), params={"user_id": other}, expect=403)
    closed = den(app, one)
    app.user("alice").post(path(closed, "/members"), {"members": [other]}, expect=200)
    assert set(app.server.get(path(closed), expect=200).json()["members"]) == {"alice", one, other}
    # Each is told what he has not read himself.
    with Plain(platform, app.token(one)) as first, Plain(platform, app.token(other)) as second:
        personal(first), personal(second)
        app.user("alice").post(path(channel, "/messages"), {"text": "to both"}, expect=201)
        for each, unread in ((first, 2), (second, 1)):
            while each.hear()[0]["data"].get("unread") != unread:
                pass
    app.user(other).call("DELETE", path(channel, "/members"), params={"user_id": other}, expect=204)
    assert one in app.server.get(path(channel), expect=200).json()["members"]


def test_who_is_invited_hears_of_it_and_comes_in(platform, app):
    channel = den(app)
    dora = "dora-" + uuid.uuid4().hex
    with Plain(platform, app.token(dora)) as socket:
        personal(socket)
        app.user("alice").post(path(channel, "/invitations"), {"members": [dora]}, expect=200)
        told, = socket.hear()
        assert told["type"] == "chat.invitation.created" and told["data"]["channel"] == channel
        assert app.user(dora).get("/v1/invitations", expect=200).json()["data"][0]["invited_by"] == "alice"
        assert socket.ask("subscribe", channel="chat:" + channel)["type"] == "error"
        app.user(dora).post(path(channel, "/invitations/accept"), expect=200)
        added, = socket.hear()
        assert added["type"] == "chat.member.added" and added["data"]["role"] == "member"
        socket.subscribe("chat:" + channel)


def test_a_role_decides_what_a_member_may(app):
    channel = den(app, "bob")
    alice, bob = app.user("alice"), app.user("bob")
    changed = alice.call("PATCH", path(channel, "/members/bob"), {"role": "guest"}, expect=200).json()
    assert changed["role"] == "guest"
    refused = bob.post(path(channel, "/messages"), {"text": "x"}, expect=403).json()
    assert refused["detail"] == f'In {channel} the role "guest" may not send_message.'
    bob.get(path(channel, "/messages"), expect=200)
    roles = {member["user_id"]: member["role"] for member in bob.get(path(channel, "/members"), expect=200).json()["data"]}
    assert roles == {"alice": "owner", "bob": "guest"}
    bob.call("DELETE", path(channel, "/members?user_id=bob"), expect=204)


def test_a_deleted_channel_is_nobodys(platform, app):
    channel = den(app, "bob")
    message = app.user("alice").post(path(channel, "/messages"), {"text": "x"}, expect=201).json()["id"]
    with Plain(platform, app.token("bob")) as socket:
        personal(socket).subscribe("chat:" + channel)
        app.user("alice").call("DELETE", path(channel), expect=204)
        told = until_unsubscribed(socket)
        assert {frame["type"] for frame in told} == {"chat.channel.deleted"}, told
        assert socket.ask("subscribe", channel="chat:" + channel)["type"] == "error"
    for client in (app.user("alice"), app.server):
        client.get(path(channel), expect=404)
        client.get(f"/v1/messages/{message}", expect=404)
    app.user("alice").get("/v1/history/chat:" + channel, expect=403)
    app.server.call("DELETE", path(channel, "?hard=true"), expect=204)
    app.server.post("/v1/channels", {"type": "private", "id": channel.split(":")[1]}, expect=409)
