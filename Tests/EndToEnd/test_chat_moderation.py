"""What keeps a channel of chat in order, over REST and as sockets hear it."""

import uuid

import pytest

from plain import Plain
from rooms import chatting, den, path, personal

TYPES = {"private": {}, "slow": {"open": True, "slow_mode_seconds": 3600}}


@pytest.fixture(scope="module")
def app(platform):
    return chatting(platform, "Order", TYPES)


def listening(client: Plain, channel: str) -> Plain:
    personal(client).subscribe("chat:" + channel)
    return client


def texts(client, channel: str) -> list[str]:
    return [message["text"] for message in client.get(path(channel, "/messages"), expect=200).json()["data"]]


def test_who_is_banned_is_told_and_writes_no_more(platform, app):
    channel = den(app, "bob")
    with Plain(platform, app.token("bob")) as bob:
        listening(bob, channel)
        app.user("alice").put(path(channel, "/bans/bob"), {"reason": "spam"}, expect=200)
        told = bob.hear(2)
        assert [frame["type"] for frame in told] == ["chat.user.banned"] * 2
        refused = bob.ask("chat.send", channel=channel, text="x")
        assert refused["code"] == "forbidden" and "banned" in refused["detail"]
        app.user("alice").call("DELETE", path(channel, "/bans/bob"), expect=204)
        assert bob.ask("chat.send", channel=channel, text="back")["type"] == "ack"


def test_nobody_hears_who_is_not_to_know_of_his_ban(platform, app):
    channel = den(app, "bob", "carol")
    app.user("alice").put(path(channel, "/bans/bob"), {"shadow": True}, expect=200)
    with Plain(platform, app.token("bob")) as bob, Plain(platform, app.token("carol")) as carol:
        listening(bob, channel)
        listening(carol, channel)
        held = bob.ask("chat.send", channel=channel, text="held")
        assert held["type"] == "ack"
        told, = bob.hear()
        assert (told["type"], told["data"]) == ("chat.message.created", held["data"])
        app.user("carol").post(path(channel, "/messages"), {"text": "seen"}, expect=201)
        heard = [frame for frame in carol.hear() if frame["type"] == "chat.message.created"]
        assert [frame["data"]["text"] for frame in heard] == ["seen"]
    assert texts(app.user("bob"), channel) == ["seen", "held"]
    for client in (app.user("alice"), app.user("carol"), app.server):
        assert texts(client, channel) == ["seen"]
        client.get(f"/v1/messages/{held['data']['id']}", expect=404)


def test_a_slow_channel_takes_one_message_in_its_time(app):
    channel = "slow:" + uuid.uuid4().hex
    user = "user-" + uuid.uuid4().hex
    app.user(user).post(path(channel, "/messages"), {"text": "1"}, expect=201)
    refused = app.user(user).post(path(channel, "/messages"), {"text": "2"}, expect=429)
    assert refused.json()["code"] == "rate_limited" and int(refused.headers["retry-after"]) > 0
    app.user("alice").post(path(channel, "/messages"), {"text": "of another"}, expect=201)
    app.server.post(path(channel, "/messages"), {"text": "of the server", "user_id": user}, expect=201)


def test_who_is_muted_is_not_unread(app):
    channel = den(app, "bob")
    alice = app.user("alice")
    alice.put("/v1/mutes/bob", expect=200)
    app.user("bob").post(path(channel, "/messages"), {"text": "hello"}, expect=201)
    assert channel not in [unread["channel"] for unread in alice.get("/v1/unread?limit=100", expect=200).json()["data"]]
    alice.call("DELETE", "/v1/mutes/bob", expect=204)
    assert channel in [unread["channel"] for unread in alice.get("/v1/unread?limit=100", expect=200).json()["data"]]
