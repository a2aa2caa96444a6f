"""A client that was away comes back by one call, or by its subscriptions: everything that it missed, in order, each once."""

import itertools
import json
import threading
import time
import uuid

import pytest

from client import Account
from plain import Plain
from post import CROWD, posting
from rooms import TYPES, chatting, den, path

ROOMS = 50
# What happens in each channel while the client is away: more than half of it before the gateway is killed.
ROUNDS = 10


@pytest.fixture(scope="module")
def app(platform):
    return chatting(platform, "Away", TYPES)


def together(client: Plain, asked: list[tuple[str, dict]], window=50):
    """Sends messages without waiting for each other's answers; what is said in a window is carried out beside each other.

    What runs out of its time on a busy machine may have been done or not, and is asked for again: that changes nothing.
    """
    for start in range(0, len(asked), window):
        waiting = {client.send(type, data=data): (type, data) for type, data in asked[start:start + window]}
        while waiting:
            message = client.receive()
            if message.get("id") not in waiting or message["type"] not in ("ack", "error"):
                continue
            type, data = waiting.pop(message["id"])
            if message.get("code") == "rate_limited":
                time.sleep(0.1)
            if message.get("code") in ("deadline_exceeded", "overloaded", "rate_limited"):
                waiting[client.send(type, data=data)] = (type, data)
                continue
            # Deleted already, by the time that ran out.
            assert message["type"] == "ack" or (type, message["code"]) == ("chat.delete", "not_found"), message


class Channel:
    """A channel, and what is to stand in its history."""

    def __init__(self, name: str):
        self.name = name
        # (type, id, text) by offset - 1; a change or a deletion takes the place of what came before it.
        self.events: list[tuple[str, str, str | None]] = []

    def note(self, type: str, id: str, text: str | None):
        if type != "chat.message.created":
            self.events = [(type, id, text) if event[1] == id else event for event in self.events]
        self.events.append((type, id, text))

    def after(self, offset: int) -> list[tuple]:
        return [(number + 1, *event) for number, event in enumerate(self.events)][offset:]


def shown(events: list[dict]) -> list[tuple]:
    return [(event["offset"], event["type"], event["data"]["id"], event["data"].get("text")) for event in events]


def fill(client: Plain, channels: list[Channel], rounds: range):
    """In each round 8 messages to each channel, one of which is changed and another deleted: ten events."""
    for round in rounds:
        said = [(channel, f"{channel.name.split(':')[1]}-{round}-{number}") for number in range(8) for channel in channels]
        # One message of a channel in a window of them, so that their order is known.
        together(client, [("chat.send", {"channel": channel.name, "text": "secret " + id, "id": id}) for channel, id in said], len(channels))
        for channel, id in said:
            channel.note("chat.message.created", id, "secret " + id)
        changed, deleted = said[:len(channels)], said[len(channels):2 * len(channels)]
        together(client, [("chat.edit", {"message_id": id, "text": "said " + id}) for _, id in changed], len(channels))
        for channel, id in changed:
            channel.note("chat.message.updated", id, "said " + id)
        together(client, [("chat.delete", {"message_id": id}) for _, id in deleted], len(channels))
        for channel, id in deleted:
            channel.note("chat.message.deleted", id, None)


def places(answer: dict) -> list[dict]:
    return [{name: channel[name] for name in ("channel", "offset", "epoch")} for channel in answer["channels"]]


def test_5000_events_in_50_channels_come_back_by_one_call_and_by_subscriptions(sluice):
    gateway = sluice(posting({}, CROWD))
    app = chatting(gateway, "Away", TYPES)
    names = [f"private:{uuid.uuid4().hex}" for _ in range(ROOMS)]
    for name in names:
        app.server.post("/v1/channels", {"type": "private", "id": name.split(":")[1], "members": ["alice", "bob"]}, expect=201)
    channels = [Channel(name) for name in sorted(names)]
    alice = app.user("alice")
    known = alice.post("/v1/sync", {}, expect=200).json()
    joined = known["joined"]["data"]
    assert [each["channel"]["channel"] for each in joined] == sorted(names) and known["joined"]["next"] is None
    here = [{"channel": each["channel"]["channel"], "offset": each["offset"], "epoch": each["epoch"]} for each in joined]
    assert {each["offset"] for each in here} == {0}

    with Plain(gateway, app.token("bob")) as bob:
        fill(bob, channels, range(6))
    gateway.kill()
    gateway.start()
    with Plain(gateway, app.token("bob")) as bob:
        fill(bob, channels, range(6, ROUNDS))
    assert sum(len(channel.events) for channel in channels) == 5_000

    answer = alice.post("/v1/sync", {"channels": here, "since": known["time"], "limit": 5_000}, expect=200).json()
    assert answer["more"] is False and answer["joined"]["data"] == []
    assert "secret" not in json.dumps([event for channel in answer["channels"] for event in channel["events"]
                                       if event["type"] != "chat.message.created"])
    for channel, told in zip(channels, answer["channels"], strict=True):
        assert (told["channel"], told["state"], told["offset"]) == (channel.name, "recovered", 100)
        assert shown(told["events"]) == channel.after(0)
        # Eight of each round, and one of them deleted.
        assert told["unread"] == 7 * ROUNDS and told["membership"]["role"] == "member"

    # A few calls with less room bring the same, whatever they end with.
    missed: dict[str, list] = {channel.name: [] for channel in channels}
    page = {"channels": here, "more": True}
    for calls in itertools.count(1):
        page = alice.post("/v1/sync", {"channels": places(page), "limit": 770}, expect=200).json()
        for told in page["channels"]:
            assert told["state"] == "recovered" and ("unread" in told) is not told["more"]
            missed[told["channel"]] += told["events"]
        if not page["more"]:
            break
    assert calls == 7 and missed == {told["channel"]: told["events"] for told in answer["channels"]}

    # So do subscriptions.
    with Plain(gateway, app.token("alice")) as socket:
        for channel, place in zip(channels, here, strict=True):
            ack = socket.subscribe("chat:" + channel.name, offset=place["offset"], epoch=place["epoch"])
            assert (ack["recovered"], ack["offset"]) == (True, 100)
            heard = []
            while len(heard) < 100:
                heard += [event for event in socket.hear() if event.get("channel") == "chat:" + channel.name]
            assert shown(heard) == channel.after(0)


def test_between_the_call_and_what_is_live_nothing_is_missing_and_nothing_comes_twice(platform, app):
    name = den(app, "bob")
    alice = app.user("alice")
    here = next(each for each in alice.post("/v1/sync", {}, expect=200).json()["joined"]["data"] if each["channel"]["channel"] == name)
    place = {"channel": name, "offset": here["offset"], "epoch": here["epoch"]}
    sent = [f"{name.split(':')[1]}-{number}" for number in range(200)]

    def speak():
        with Plain(platform, app.token("bob")) as bob:
            together(bob, [("chat.send", {"channel": name, "text": id, "id": id}) for id in sent], 1)

    speaker = threading.Thread(target=speak)
    speaker.start()
    events = []
    try:
        while len(events) < 40:
            is_speaking = speaker.is_alive()
            told, = alice.post("/v1/sync", {"channels": [place], "limit": 20}, expect=200).json()["channels"]
            assert told["events"] or is_speaking
            events += told["events"]
            place = {member: told[member] for member in ("channel", "offset", "epoch")}
        with Plain(platform, app.token("alice")) as socket:
            assert socket.subscribe("chat:" + name, offset=place["offset"], epoch=place["epoch"])["recovered"] is True
            while len(events) < len(sent):
                events += [event for event in socket.hear() if event.get("channel") == "chat:" + name and "offset" in event]
    finally:
        speaker.join(60)
    assert [event["offset"] for event in events] == list(range(1, len(sent) + 1))
    assert [event["data"]["id"] for event in events] == sent


def test_what_is_not_for_him_any_more_is_not_told(app):
    kept, left, closed = (den(app, "bob") for _ in range(3))
    bob, alice = app.user("bob"), app.user("alice")
    here = [{"channel": each["channel"]["channel"], "offset": each["offset"], "epoch": each["epoch"]}
            for each in bob.post("/v1/sync", {}, expect=200).json()["joined"]["data"] if each["channel"]["channel"] in (kept, left, closed)]
    for channel in (kept, left, closed):
        alice.post(path(channel, "/messages"), {"text": "for members", "mentions": ["bob"]}, expect=201)
    alice.call("DELETE", path(left, "/members"), params={"user_id": "bob"}, expect=204)
    alice.call("DELETE", path(closed), expect=204)
    come = den(app, "bob")
    answer = bob.post("/v1/sync", {"channels": here, "since": "2020-01-01T00:00:00Z"}, expect=200).json()
    states = {each["channel"]: each["state"] for each in answer["channels"]}
    assert states == {kept: "recovered", left: "gone", closed: "gone"}
    assert str(answer).count("for members") == 2  # in the channel, and as a mention
    assert come in [each["channel"]["channel"] for each in answer["joined"]["data"]]
    assert {kept, left, closed}.isdisjoint(each["channel"]["channel"] for each in answer["joined"]["data"])
    assert [message["channel"] for message in answer["mentions"]["data"] if message["channel"] in (kept, left, closed)] == [kept]


def test_who_has_missed_more_than_there_is_reads_the_channel_anew(platform):
    app = Account(platform.url).app("Long away")
    here = {"channel": "messaging:long", "offset": 0, "epoch": app.server.get("/v1/history/chat:messaging:long", expect=200).json()["epoch"]}
    with Plain(platform, app.token("bob")) as bob:
        together(bob, [("chat.send", {"channel": "messaging:long", "text": str(number)}) for number in range(1_001)])
    alice = app.user("alice")
    one = {**here, "offset": 1}
    for place, state, count in [(here, "lost", 0), (one, "recovered", 1_000), ({**one, "epoch": "another"}, "lost", 0), ({**one, "offset": 1_002}, "lost", 0)]:
        told, = alice.post("/v1/sync", {"channels": [place], "limit": 5_000}, expect=200).json()["channels"]
        assert (told["state"], len(told["events"]), told["offset"], told["epoch"]) == (state, count, 1_001, here["epoch"])


@pytest.mark.parametrize("body, pointer", [
    ({"channels": [{"channel": "messaging:a", "offset": 0}]}, "/channels/0/epoch"), ({"channels": [{"channel": "messaging:a", "offset": -1, "epoch": "e"}]}, "/channels/0/offset"),
    ({"channels": [{"channel": "messaging:a", "offset": 0, "epoch": "e"}, {"channel": "chat:messaging:a", "offset": 1, "epoch": "e"}]}, "/channels/1/channel"),
    ({"limit": 5_001}, "/limit"), ({"since": "yesterday"}, "/since"), ({"joined_after": "x"}, "/joined_after"),
    ({"since": "2026-01-01T00:00:00Z", "mentions_after": "x"}, "/mentions_after"), ({"user_id": "bob"}, "/user_id"),
    ({"channels": [{"channel": f"messaging:{number}", "offset": 0, "epoch": "e"} for number in range(301)]}, "/channels"),
])
def test_what_is_wrong_is_said_with_its_place(app, body, pointer):
    refused = app.user("alice").post("/v1/sync", body)
    assert refused.status_code in (400, 403), refused.text
    if refused.status_code == 400:
        assert [error["pointer"] for error in refused.json()["errors"]] == [pointer], refused.text
    assert "user_id" not in body or refused.status_code == 403
