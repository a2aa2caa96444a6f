"""`examples/centrifugo-compat`, as it is shipped, with Centrifugo's own SDK: what the SDKs' own test-suites ask of a server."""

import asyncio
import json
import uuid

import pytest
from centrifuge import CentrifugeError, Client, DeltaType, StreamPosition

from client import mint
from program import PLUGINS, ROOT
from sdk import PATIENCE, Listening

FOLDER = ROOT / "examples/centrifugo-compat"


@pytest.fixture
def compat(sluice):
    """The example on a port of its own, with the plugins of this build."""
    configuration = json.loads((FOLDER / "sluice.json").read_text())
    configuration["plugins"]["folders"] = [str(PLUGINS)]
    configuration["tenant_files"] = [str(FOLDER / file) for file in configuration["tenant_files"]]
    return sluice(configuration)


def client(gateway, user: str, **options) -> Client:
    """As the test-suites make one: by a token without an issuer and without an end, at the host name `localhost`."""
    token = mint("secret", None, user, exp=None, iat=None)
    return Client(f"ws://localhost:{gateway.port}/connection/websocket", token=token, **options)


def test_the_example_does_what_the_sdks_ask_of_a_server(compat):
    async def play():
        name = uuid.uuid4().hex
        alice, bob = client(compat, "alice"), client(compat, "bob", min_reconnect_delay=0.05)
        own: asyncio.Queue = asyncio.Queue()
        alice.events.on_subscribed = lambda context: own.put(context.channel)
        await alice.connect()
        await alice.ready(timeout=PATIENCE)
        await bob.connect()
        await bob.ready(timeout=PATIENCE)
        assert await asyncio.wait_for(own.get(), PATIENCE) == "#alice"

        speaker, listener = Listening(alice, name), Listening(bob, name, delta=DeltaType.FOSSIL)
        assert (await speaker.begin()).recoverable
        await listener.begin()
        names = {await asyncio.wait_for(speaker.joined.get(), PATIENCE) for _ in range(2)}
        assert names == {alice.client_id, bob.client_id}
        sent = [{"text": "long enough that a difference is shorter " * 5, "n": number} for number in range(3)]
        for data in sent:
            await speaker.subscription.publish(data)
        assert await listener.hear(3) == [(number + 1, data) for number, data in enumerate(sent)]

        history = await listener.subscription.history(limit=-1)
        assert [past.data for past in history.publications] == sent and history.offset == 3
        page = await speaker.subscription.history(limit=1, since=StreamPosition(offset=1, epoch=history.epoch))
        assert [past.offset for past in page.publications] == [2]
        presence = await speaker.subscription.presence()
        assert {who: info.user for who, info in presence.clients.items()} == {
            alice.client_id: "alice", bob.client_id: "bob"}
        stats = await speaker.subscription.presence_stats()
        assert (stats.num_clients, stats.num_users) == (2, 2)

        was = bob.client_id
        await bob.disconnect()
        assert await asyncio.wait_for(speaker.left.get(), PATIENCE) == was
        for number in range(3, 6):
            await speaker.subscription.publish(number)
        await bob.connect()
        back = await asyncio.wait_for(listener.subscribed.get(), PATIENCE)
        assert back.was_recovering and back.recovered
        assert await listener.hear(3) == [(number + 1, number) for number in range(3, 6)]

        small = Listening(bob, "smallhistory:" + name)
        await small.begin()
        for number in range(4):
            await small.subscription.publish(number)
        kept = await small.subscription.history(limit=-1)
        assert [past.data for past in kept.publications] == [2, 3]
        unknown = Listening(bob, "unknown:" + name)
        await unknown.subscription.subscribe()
        with pytest.raises(CentrifugeError):
            await unknown.subscription.ready(timeout=PATIENCE)
        await alice.disconnect()
        await bob.disconnect()

    asyncio.run(play())
