"""Users of several apps on every kind of socket, who come, go, and lose what they may, in any order: nobody hears what is not
for them. A seed that fails is in the name of the failing test."""

import json
import random

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from client import Account, listen
from plain import PATIENCE, Plain
from streams import PATIENT

EVERYTHING = {
    **PATIENT,
    "without_namespace": {"publish_for_client": "subscribers"},
    "namespaces": {"small": {"history_size": 2, "publish_for_client": "users"}, "fleeting": {"history_size": 0, "publish_for_client": "users"}},
}
USERS = ["a", "b", "c"]
CHANNELS = ["room", "small:x", "fleeting:x", "#a", "pair#a,b", "chat:private:x", "chat:private:y"]


class Commands:
    """Centrifugo's protocol by hand."""

    def __init__(self, gateway, token):
        self.connection = connect(f"{gateway.socket_url}/connection/websocket", proxy=None, open_timeout=PATIENCE)
        self.socket = self.connection.__enter__()
        self.events, self.last = [], 0
        assert "connect" in self.ask("connect", {"token": token})

    def ask(self, name, request) -> dict:
        self.last += 1
        self.socket.send(json.dumps({"id": self.last, name: request}))
        answer = None
        while answer is None:
            for line in self.socket.recv(PATIENCE).split("\n"):
                reply = json.loads(line)
                if reply.get("id") == self.last:
                    answer = reply
                elif not reply:
                    self.socket.send("{}")
                else:
                    self.events.append(reply)
        return answer

    def subscribe(self, channel) -> bool:
        return "error" not in self.ask("subscribe", {"channel": channel})

    def unsubscribe(self, channel):
        assert "error" not in self.ask("unsubscribe", {"channel": channel})

    def barrier(self):
        assert "error" not in self.ask("ping", {})

    def numbers(self) -> list[int]:
        data = [event["push"]["pub"]["data"] for event in self.events if "pub" in event.get("push", {})]
        return [each["data"]["text"] if "data" in each else each for each in data]


class Words(Plain):
    """`/ws`."""

    def __init__(self, gateway, token):
        super().__init__(gateway, token)
        self.__enter__()

    def subscribe(self, channel) -> bool:
        return self.ask("subscribe", channel=channel)["type"] == "ack"

    def unsubscribe(self, channel):
        assert self.ask("unsubscribe", channel=channel)["type"] == "ack"

    def barrier(self):
        assert self.ask("ping")["type"] == "pong"

    def numbers(self) -> list[int]:
        data = [event["data"] for event in self.events if "data" in event]
        return [each["text"] if isinstance(each, dict) else each for each in data]


class OneWay:
    """The unidirectional socket, on one channel."""

    def __init__(self, gateway, token, channel):
        self.connection = listen(gateway.url, channel.replace(",", "%2C"), token=token)
        self.socket = self.connection.__enter__()
        self.events = []

    def barrier(self):
        while True:
            try:
                self.events.append(json.loads(self.socket.recv(0.05)))
            except TimeoutError:
                return

    def numbers(self) -> list[int]:
        data = [event["data"] for event in self.events if "data" in event]
        return [each["text"] if isinstance(each, dict) else each for each in data]


class House:
    def __init__(self, gateway, apps, seed):
        self.gateway, self.apps, self.random = gateway, apps, random.Random(seed)
        self.people: list[dict] = []
        # Who is a member of which closed channel, by app, beside its owner.
        self.members = {app.id: {channel: set() for channel in CHANNELS if channel.startswith("chat:")} for app in apps}
        for app in apps:
            for channel in self.members[app.id]:
                app.server.post("/v1/channels", {"type": "private", "id": channel[-1], "members": ["owner"]}, expect=201)
        self.number = 0

    def may(self, app, user, channel) -> bool:
        if channel.startswith("chat:"):
            return user in self.members[app.id][channel]
        return "#" not in channel or user in channel.split("#")[1].split(",")

    def live(self, steps):
        for _ in range(steps):
            getattr(self, self.random.choice(["come"] * 3 + ["listen"] * 4 + ["leave", "join", "unsubscribe", "disconnect"] + ["publish"] * 8))()
        for person in self.people:
            self.check(person)
            person["client"].connection.__exit__(None, None, None)

    def come(self):
        if len(self.people) >= 15:
            return
        app, user = self.random.choice(self.apps), self.random.choice(USERS)
        kind = self.random.choice([Commands, Words, OneWay])
        person = {"app": app, "user": user, "channels": set(), "expected": []}
        if kind is OneWay:
            channel = self.random.choice([channel for channel in CHANNELS if "," not in channel])
            if not self.may(app, user, channel):
                # The socket is closed with a code, as the first thing.
                with pytest.raises((ConnectionClosed, AssertionError)):
                    OneWay(self.gateway, app.token(user), channel)
                return
            person |= {"client": OneWay(self.gateway, app.token(user), channel), "channels": {channel}}
        else:
            person["client"] = kind(self.gateway, app.token(user))
        self.people.append(person)

    def someone(self):
        able = [person for person in self.people if not isinstance(person["client"], OneWay)]
        return self.random.choice(able) if able else None

    def listen(self):
        person, channel = self.someone(), self.random.choice(CHANNELS)
        if person is None or channel in person["channels"]:
            return
        allowed = self.may(person["app"], person["user"], channel)
        assert person["client"].subscribe(channel) == allowed, (person["user"], channel)
        if allowed:
            person["channels"].add(channel)

    def unsubscribe(self):
        person = self.someone()
        if person and person["channels"]:
            channel = self.random.choice(sorted(person["channels"]))
            self.check(person)
            person["client"].unsubscribe(channel)
            person["channels"].remove(channel)

    def publish(self):
        app, channel = self.random.choice(self.apps), self.random.choice(CHANNELS)
        self.number += 1
        if channel.startswith("chat:"):
            path = f"/v1/channels/private/{channel[-1]}/messages"
            app.server.post(path, {"text": str(self.number), "user_id": "owner"}, expect=201)
        else:
            app.server.post("/v1/publish", {"channel": channel, "data": str(self.number)}, expect=200)
        for person in self.people:
            if person["app"] is app and channel in person["channels"]:
                person["expected"].append(str(self.number))

    def join(self):
        app, user = self.random.choice(self.apps), self.random.choice(USERS)
        channel = self.random.choice(sorted(self.members[app.id]))
        app.server.post(f"/v1/channels/private/{channel[-1]}/members", {"members": [user]}, expect=200)
        self.members[app.id][channel].add(user)

    def leave(self):
        if self.people:
            person = self.people.pop(self.random.randrange(len(self.people)))
            self.check(person)
            person["client"].connection.__exit__(None, None, None)

    def disconnect(self):
        """An app's server closes the connections of a user; those of the same name in other apps stay."""
        app, user = self.random.choice(self.apps), self.random.choice(USERS)
        theirs = [person for person in self.people if person["app"] is app and person["user"] == user]
        for person in theirs:
            self.check(person)
        assert app.server.post("/v1/disconnect", {"user": user}, expect=200).json() == {"disconnected": len(theirs)}
        for person in theirs:
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    person["client"].socket.recv(PATIENCE)
            assert closed.value.rcvd.code == 3503
            person["client"].connection.__exit__(None, None, None)
            self.people.remove(person)

    def check(self, person):
        """What somebody has heard is what was published where they listened, in the order of each channel."""
        client = person["client"]
        client.barrier()
        for _ in range(100):
            if len(client.numbers()) >= len(person["expected"]):
                break
            client.barrier()
        heard = client.numbers()
        assert sorted(heard, key=int) == person["expected"], (person["user"], type(client).__name__)


@pytest.mark.parametrize("seed", range(3))
def test_nobody_hears_what_is_not_for_them(sluice, seed):
    gateway = sluice(arguments=["--loops", 2])
    owner = Account(gateway.url)
    apps = [owner.app(name) for name in ("One", "Two", "Three")]
    for app in apps:
        app.set_plugin("realtime", enabled=True, config=EVERYTHING)
        app.set_plugin("chat", enabled=True, config={"types": {"private": {}}})
    House(gateway, apps, seed).live(160)
