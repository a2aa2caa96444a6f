"""Unread counts as they are told: right on every device, whoever does what on whichever loop at the same time."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from plain import Plain
from rooms import TYPES, chatting, den, path, personal

USERS = ["alice", "bob", "carol", "dora"]


@pytest.fixture
def app(platform):
    """An app of the test's own: its users mute each other."""
    return chatting(platform, "Counts", TYPES)


class Device(Plain):
    """A device that shows what it was told last."""

    def __enter__(self) -> "Device":
        super().__enter__()
        self.counts: dict[str, int] = {}
        return personal(self)

    def shown(self, places: tuple[str, ...]) -> dict[str, int]:
        """What it shows of these channels and threads after all that has been said to it so far."""
        assert self.ask("ping")["type"] == "pong"
        self.take(self.events)
        self.events = []
        return {place: self.counts.get(place, 0) for place in places}

    def take(self, events: list[dict]) -> None:
        for event in events:
            if event["type"] in ("chat.unread", "chat.thread.unread"):
                data = event["data"]
                self.counts[data.get("parent_id") or data["channel"]] = data["unread"]

    def comes_to_show(self, expected: dict[str, int]) -> None:
        while self.shown(tuple(expected)) != expected:
            self.take(self.hear())


def asked(user) -> dict[str, int]:
    """What a user has not read, by asking."""
    channels = {one["channel"]: one["unread"] for one in user.get("/v1/unread?limit=100", expect=200).json()["data"]}
    threads = {one["message"]["id"]: one["unread"] for one in user.get("/v1/threads?limit=100", expect=200).json()["data"] if one["unread"]}
    return channels | threads


def live(app, name: str, channel: str, topic: str, seed: int) -> None:
    """A user who writes, replies, reads, marks as unread, mutes and deletes."""
    chance, user, own = random.Random(seed), app.user(name), []
    for number in range(25):
        deed = chance.choice(["send", "send", "reply", "read", "read", "unread", "thread", "mute", "delete"])
        if deed == "send":
            own.append(user.post(path(channel, "/messages"), {"text": str(number)}, expect=201).json()["id"])
        elif deed == "reply":
            user.post(path(channel, "/messages"), {"text": str(number), "parent_id": topic}, expect=201)
        elif deed == "delete" and own:
            user.call("DELETE", f"/v1/messages/{own.pop()}", expect=204)
        elif deed == "mute":
            other = chance.choice([each for each in USERS if each != name])
            method, status = chance.choice([("PUT", 200), ("DELETE", 204)])
            user.call(method, f"/v1/mutes/{other}", expect=status)
        elif deed == "thread":
            user.post(f"/v1/messages/{topic}/thread/read", expect=200)
        elif deed in ("read", "unread"):
            messages = user.get(path(channel, "/messages?limit=5"), expect=200).json()["data"]
            user.post(path(channel, "/read"), {"message_id": chance.choice(messages)["id"], "unread": deed == "unread"}, expect=200)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_told_last_is_the_count_whoever_acts_at_the_same_time(platform, app, seed):
    channel = den(app, *USERS[1:])
    topic = app.user("alice").post(path(channel, "/messages"), {"text": "topic", "mentions": USERS[1:]}, expect=201).json()["id"]
    devices = [(name, Device(platform, app.token(name))) for name in USERS for _ in range(2)]
    for _, device in devices:
        device.__enter__()
    try:
        with ThreadPoolExecutor(len(USERS)) as crowd:
            lives = [crowd.submit(live, app, name, channel, topic, seed * 100 + number) for number, name in enumerate(USERS)]
            # A device that reads nothing for long is closed.
            while not all(each.done() for each in lives):
                for _, device in devices:
                    device.shown(())
            for each in lives:
                each.result()
        for name, device in devices:
            counts = asked(app.user(name))
            device.comes_to_show({place: counts.get(place, 0) for place in (channel, topic)})
    finally:
        for _, device in devices:
            device.__exit__()


def test_a_message_is_marked_as_unread_on_all_devices_and_nobody_else_hears_of_it(platform, app):
    channel = den(app, "bob")
    alice, bob = app.user("alice"), app.user("bob")
    ids = [bob.post(path(channel, "/messages"), {"text": str(number)}, expect=201).json()["id"] for number in range(3)]
    alice.post(path(channel, "/read"), {"message_id": ids[2]}, expect=200)
    with Device(platform, app.token("alice")) as one, Device(platform, app.token("alice")) as other, Plain(platform, app.token("bob")) as listener:
        personal(listener)
        listener.subscribe("chat:" + channel)
        back = alice.post(path(channel, "/read"), {"message_id": ids[1], "unread": True}, expect=200).json()
        assert (back["message_id"], back["unread"]) == (ids[0], 2)
        one.comes_to_show({channel: 2}), other.comes_to_show({channel: 2})
        whole = one.ask("chat.read", channel=channel, message_id=ids[0], unread=True)["data"]
        assert "message_id" not in whole and whole["unread"] == 3
        other.comes_to_show({channel: 3})
        listed, = [one for one in alice.get("/v1/channels?limit=100", expect=200).json()["data"] if one["channel"] == channel]
        assert listed["membership"]["unread"] == 3
        assert listener.ask("ping")["type"] == "pong" and listener.events == []
        assert alice.post(path(channel, "/read"), {"message_id": ids[2]}, expect=200).json()["unread"] == 0
        heard, = listener.hear()
        assert (heard["type"], heard["data"]["message_id"]) == ("chat.read", ids[2])
        other.comes_to_show({channel: 0})
    refused = alice.post(path(channel, "/read"), {"message_id": "none", "unread": True}, expect=400).json()
    assert refused["errors"][0]["pointer"] == "/message_id"
