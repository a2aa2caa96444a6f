"""Listening to a channel of chat from where it was read, and who else listens: over REST and sockets, against the real program."""

import pytest

from plain import Plain
from program import eventually
from rooms import TYPES, chatting, den, path, personal, room


@pytest.fixture(scope="module")
def app(platform):
    return chatting(platform, "Listening", {**TYPES, "quiet": {"open": True, "capabilities": {"presence": False}}})


def test_who_listens_from_where_he_read_misses_nothing(platform, app):
    channel = room()
    alice, bob = app.user("alice"), app.user("bob")
    first = bob.post(path(channel, "/messages"), {"text": "first"}, expect=201).json()["id"]
    places = [
        alice.get(at, expect=200).json() for at in (
            path(channel), path(channel, "/messages"), path(channel, f"/messages?around={first}"), f"/v1/messages/{first}/replies")]
    meanwhile = bob.post(path(channel, "/messages"), {"text": "meanwhile"}, expect=201).json()["id"]
    bob.put(f"/v1/messages/{first}/reactions/like", expect=200)
    with Plain(platform, app.token("alice")) as listener:
        personal(listener)
        for place in places:
            ack = listener.subscribe("chat:" + channel, offset=place["offset"], epoch=place["epoch"])
            assert ack["recovered"] is True
            created, liked = listener.hear(2)
            assert (created["data"]["id"], liked["type"]) == (meanwhile, "chat.reaction.added")
            listener.ask("unsubscribe", channel="chat:" + channel)
    made = alice.post("/v1/channels", {"type": "private"}, expect=201).json()
    assert (made["offset"], alice.get("/v1/channels/private/" + made["id"], expect=200).json()) == (0, made)


def test_who_listens_from_where_he_changed_a_channel_hears_the_change(platform, app):
    channel = den(app)
    before = app.user("alice").get(path(channel), expect=200).json()
    for body, count in (({"data": {"n": 1}}, 1), ({"data": {"n": 1}}, 0)):
        changed = app.user("alice").call("PATCH", path(channel), body, expect=200).json()
        assert set(changed) >= set(before) and changed["data"] == {"n": 1}
        with Plain(platform, app.token("alice")) as listener:
            personal(listener)
            ack = listener.subscribe("chat:" + channel, offset=changed["offset"], epoch=changed["epoch"])
            assert ack["recovered"] is True and ack["offset"] - changed["offset"] == count
            for told in listener.hear(count):
                assert (told["type"], told["data"]["revision"]) == ("chat.channel.updated", changed["revision"])
                assert not {"offset", "epoch"} & set(told["data"])


def test_who_comes_back_is_given_all_that_a_history_keeps(platform, app):
    channel = room()
    count = 420
    with Plain(platform, app.token("alice")) as alice:
        where = alice.subscribe("chat:" + channel)
    with Plain(platform, app.token("bob")) as bob:
        for number in range(count):
            assert bob.ask("chat.send", channel=channel, text=str(number))["type"] == "ack"
    with Plain(platform, app.token("alice")) as alice:
        personal(alice)
        ack = alice.subscribe("chat:" + channel, offset=where["offset"], epoch=where["epoch"])
        assert ack["recovered"] is True and ack["offset"] == where["offset"] + count
        assert [event["data"]["text"] for event in alice.hear(count)] == [str(number) for number in range(count)]


def test_a_channels_readers_know_who_listens_to_it(platform, app):
    channel = den(app, "bob")
    with Plain(platform, app.token("alice")) as alice, Plain(platform, app.token("bob")) as bob, Plain(platform, app.token("eve")) as eve:
        alice.subscribe("chat:" + channel), bob.subscribe("chat:" + channel)

        def listeners() -> list[str]:
            return sorted(client["user"] for client in alice.ask("presence", channel="chat:" + channel)["data"])

        assert eventually(lambda: listeners() == ["alice", "bob"], 60), listeners()
        assert alice.ask("presence_stats", channel="chat:" + channel)["num_users"] == 2
        assert eve.ask("presence", channel="chat:" + channel)["code"] == "forbidden"
        bob.ask("unsubscribe", channel="chat:" + channel)
        assert eventually(lambda: listeners() == ["alice"], 60)
        quiet = "chat:" + room().replace("messaging:", "quiet:")
        alice.subscribe(quiet)
        assert alice.ask("presence", channel=quiet)["type"] == "error"


def test_a_list_of_channels_shows_what_was_said_last(app):
    one, two = den(app, "bob"), den(app, "bob")
    alice, bob = app.user("alice"), app.user("bob")
    said = [bob.post(path(one, "/messages"), {"text": str(number)}, expect=201).json()["id"] for number in range(3)]
    bob.put(f"/v1/messages/{said[1]}/reactions/like", expect=200)

    def last(client) -> dict:
        page = client.get("/v1/channels?limit=100", expect=200).json()["data"]
        return {channel["channel"]: (channel.get("last_message", {}).get("id"), channel["membership"]["unread"]) for channel in page}

    assert (last(alice)[one], last(alice)[two]) == ((said[2], 3), (None, 0))
    bob.call("DELETE", f"/v1/messages/{said[2]}", expect=204)
    assert last(alice)[one] == (said[1], 2)
    shown = next(channel for channel in alice.get("/v1/channels?limit=100", expect=200).json()["data"] if channel["channel"] == one)["last_message"]
    assert shown == alice.get(f"/v1/messages/{said[1]}", expect=200).json() and shown["reactions"] == {"like": 1}
