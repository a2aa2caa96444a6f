"""Users who connect, subscribe, leave and are revoked all at once: each hears what it may, all of it, and nothing else.

What is done is drawn from a seed; how it interleaves is left to the gateway and the machine. What is asserted holds in any order.
"""

import asyncio
import calendar
import itertools
import json
import random
import time
from urllib.parse import quote

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from client import Account, Client, mint
from sanitizer import SLOWNESS
from workshop import with_plugins

PATIENCE = 20 * SLOWNESS
# The last two look alike and are two users.
USERS = ["alice", "bob", "x#bob", "alice,bob", "\u00e9", "e\u0301"]
CHANNELS = ["room", "hall", "pair#alice,bob", "pair#x#bob", "pair#\u00e9,bob", "##bob", "#bob,alice", *("#" + user for user in USERS)]
# So much that nothing is dropped.
SETTINGS = {"without_namespace": {"history_size": 5000, "history_ttl_seconds": 3600}}


def may(user: str, channel: str) -> bool:
    """What the house decides, by itself."""
    if channel.startswith("#"):
        return channel[1:] == user
    name, mark, users = channel.partition("#")
    return not mark or user in users.split(",")


class House:
    def __init__(self, gateway, app):
        self.gateway, self.app = gateway, app
        self.server = Client(gateway.url, app.secret)
        self.numbers = itertools.count()
        self.published = 0
        self.ears: list[Ear] = []
        # From before everything, and since a user was revoked last.
        self.issued = dict.fromkeys(USERS, int(time.time()) - 100)
        self.revoked: dict[str, float] = {}

    def token(self, user: str, issued: int) -> str:
        return mint(self.app.signing_secret, self.app.id, user, iat=issued)

    async def call(self, path: str, body=None) -> dict:
        answer = await asyncio.to_thread(Client(self.gateway.url, self.app.secret).post, path, body, expect=200)
        return answer.json()

    async def publish(self, channel: str):
        self.published += 1
        await self.call("/v1/publish", {"channel": channel, "data": self.published})

    async def connect(self, user: str, way: str, channels=()):
        ear = Ear(self, user, way, self.issued[user], channels)
        self.ears.append(ear)
        await ear.open()

    async def revoke(self, user: str):
        answer = await self.call(f"/v1/users/{quote(user, safe='')}/revoke")
        before = calendar.timegm(time.strptime(answer["issued_before"][:19], "%Y-%m-%dT%H:%M:%S"))
        self.revoked[user] = before
        # What is published from now on is for nobody whose token was void by then.
        for ear in self.ears:
            if ear.user == user and ear.issued <= before and ear.void_from is None:
                ear.void_from = self.published + 1
        self.issued[user] = int(time.time()) + 1

    async def act(self, draw: random.Random):
        user, channel = draw.choice(USERS), draw.choice(CHANNELS)
        talking = [ear for ear in self.ears if ear.is_open and ear.way != "uni"]
        choice = draw.random()
        if choice < 0.15 and len(talking) < 24:
            await self.connect(user, draw.choice(["plain", "commands"]))
        elif choice < 0.2:
            # The comma in a name separates names there.
            await self.connect(user, "uni", [name for name in {channel, draw.choice(CHANNELS)} if "," not in name] or ["room"])
        elif choice < 0.23:
            await self.revoke(user)
        elif choice < 0.25 and user in self.revoked:
            await self.come_with_a_void_token(user)
        elif choice < 0.27 and talking:
            await draw.choice(talking).leave()
        elif choice < 0.6 and talking:
            ear = draw.choice(talking)
            # Several at once, and none of them waited for.
            for _ in range(draw.randint(1, 4)):
                await ear.say(draw.choice(["subscribe", "subscribe", "unsubscribe"]), draw.choice([channel, f"#{ear.user}"]))
        else:
            await self.publish(channel)

    async def come_with_a_void_token(self, user: str):
        token = self.token(user, int(self.revoked[user]) - 1)
        async with connect(f"{self.gateway.socket_url}/ws?token={token}", proxy=None) as socket:
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    assert json.loads(await asyncio.wait_for(socket.recv(), PATIENCE))["type"] == "error"
            assert closed.value.rcvd.code == 3500


class Ear:
    """One connection of a user, and all that it is told, in order."""

    def __init__(self, house: House, user: str, way: str, issued: int, channels):
        self.house, self.user, self.way, self.issued, self.wanted = house, user, way, issued, list(channels)
        self.ids = itertools.count(2)
        self.sent: dict[int, tuple[str, str]] = {}
        self.told: list[tuple] = []
        self.void_from: int | None = None
        self.is_open = False
        self.code: int | None = None
        self.reader: asyncio.Task | None = None

    async def open(self):
        path = {"plain": "/ws?", "commands": "/connection/websocket?",
                "uni": "/connection/uni_websocket?channels=" + ",".join(quote(name, safe="") for name in self.wanted) + "&"}
        try:
            self.socket = await connect(
                f"{self.house.gateway.socket_url}{path[self.way]}token={self.house.token(self.user, self.issued)}", proxy=None,
                open_timeout=PATIENCE)
        except InvalidStatus as refused:
            assert refused.response.status_code == 401, refused
            self.code = 3500
            return
        if self.way == "commands":
            await self.send(json.dumps({"id": 1, "connect": {}}))
        self.is_open = True
        self.reader = asyncio.create_task(self.read())

    async def send(self, text: str):
        try:
            await self.socket.send(text)
        except ConnectionClosed:
            pass

    async def say(self, kind: str, channel: str):
        id = next(self.ids)
        self.sent[id] = (kind, channel)
        command = {"id": id, kind: {"channel": channel}} if self.way == "commands" else {"id": id, "type": kind, "channel": channel}
        await self.send(json.dumps(command))

    async def leave(self):
        self.is_open = False
        await self.socket.close()
        await self.reader

    async def read(self):
        try:
            async for message in self.socket:
                for line in message.split("\n"):
                    await self.hear(json.loads(line))
            self.code = self.socket.close_code
        except ConnectionClosed as closed:
            self.code = closed.rcvd.code if closed.rcvd else None
        self.is_open = False

    async def hear(self, line: dict):
        if line in ({}, {"type": "ping"}):
            return await self.send("{}" if line == {} else '{"type":"pong"}')
        id = line.get("id")
        if line.get("type") == "connected":
            for place in line["channels"]:
                self.told.append(("listens", place["channel"], place["offset"]))
        elif id in self.sent:
            kind, channel = self.sent.pop(id)
            error = line.get("error", {}).get("code") or (line.get("code") if line.get("type") == "error" else None)
            place = line.get("subscribe", line)
            if error is not None:
                self.told.append(("refused", channel, error))
            else:
                self.told.append(("listens" if kind == "subscribe" else "left", channel, place.get("offset", 0)))
        elif "pub" in line.get("push", {}):
            pub = line["push"]["pub"]
            self.told.append(("event", line["push"]["channel"], pub["offset"], pub["data"]))
        elif line.get("type") == "realtime.published":
            self.told.append(("event", line["channel"], line["offset"], line["data"]))

    def listens(self) -> dict[str, int]:
        """The channels that it listens to, each with the offset up to which it has heard; what it was told is looked at on the way."""
        heard: dict[str, int] = {}
        for what, channel, number, *data in self.told:
            place = (self.user, self.way, channel)
            if what == "refused":
                assert number in (105, "conflict") if may(self.user, channel) else number in (103, "forbidden"), (place, number)
                assert (channel in heard) == may(self.user, channel), place
            elif what == "listens":
                assert may(self.user, channel) and channel not in heard, place
                heard[channel] = number
            elif what == "left":
                heard.pop(channel, None)
            else:
                assert channel in heard and number == heard[channel] + 1, (place, number, heard)
                assert self.void_from is None or data[0] < self.void_from, (place, data, self.void_from)
                heard[channel] = number
        return heard


@pytest.mark.parametrize("seed", [20260101, 20260102, 20260103])
def test_whatever_happens_at_once_everybody_hears_what_is_theirs_and_all_of_it(sluice, seed):
    gateway = sluice(with_plugins(), ["--loops", 2], limits={"requests_per_second": 1_000_000})
    app = Account(gateway.url).app("Interleaved")
    app.set_plugin("realtime", enabled=True, config=SETTINGS)
    house = House(gateway, app)

    async def work(number: int):
        draw = random.Random(seed * 100 + number)
        for _ in range(80):
            await house.act(draw)

    async def play():
        await asyncio.gather(*(work(number) for number in range(6)))
        for channel in CHANNELS:
            await house.publish(channel)
        tops = {channel: app.server.get("/v1/history/" + quote(channel, safe=""), expect=200).json()["offset"] for channel in CHANNELS}
        for ear in house.ears:
            if ear.void_from is not None and ear.reader:
                await asyncio.wait_for(ear.reader, PATIENCE)
                # One that listens one way may have been refused a channel before.
                assert ear.code in (3500, 3507, 1000, 1005), (ear.user, ear.way, ear.code)

        async def caught_up(ear: Ear):
            while ear.is_open and (ear.sent or any(offset < tops[channel] for channel, offset in ear.listens().items())):
                await asyncio.sleep(0.02)

        for ear in house.ears:
            await asyncio.wait_for(caught_up(ear), PATIENCE)
            for channel, offset in ear.listens().items():
                assert not ear.is_open or offset == tops[channel], (ear.user, ear.way, channel)
            if ear.way == "uni" and not all(may(ear.user, name) for name in ear.wanted):
                await asyncio.wait_for(ear.reader, PATIENCE) if ear.reader else None
                assert ear.code in (3500, 3507) and not ear.told, (ear.user, ear.wanted, ear.code)
        for ear in house.ears:
            if ear.is_open:
                await ear.leave()
        assert sum(len(ear.told) for ear in house.ears) > 100

    asyncio.run(play())
