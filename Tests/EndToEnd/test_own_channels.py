"""The channel of one user, whatever the user's id looks like."""

import asyncio
from urllib.parse import quote

import pytest
from centrifuge import CentrifugeError

from client import Account, mint
from client import Client as Rest
from sdk import PATIENCE, Listening, connected, connection


@pytest.fixture(scope="module")
def app(platform):
    app = Account(platform.url).app("Own")
    app.set_plugin("realtime", enabled=True, config={"personal_channel": True, "without_namespace": {"history_for_client": "users"}})
    return app


@pytest.mark.parametrize("owner, other", [("x#bob", "bob"), ("alice,bob", "bob"), ("alice,bob", "alice"), ("é", "e\u0301")])
def test_a_users_own_channel_is_nobody_elses_whatever_its_id_is(platform, app, owner, other):
    name = "#" + owner
    path = "/v1/history/" + quote(name, safe="")

    async def play():
        heard: asyncio.Queue = asyncio.Queue()
        mine = connection(platform, mint(app.signing_secret, app.id, owner))
        mine.events.on_publication = lambda context: heard.put((context.channel, context.pub.data))
        await mine.connect()
        await mine.ready(timeout=PATIENCE)
        async with connected(platform, mint(app.signing_secret, app.id, other)) as theirs:
            spy = Listening(theirs, name)
            await spy.subscription.subscribe()
            with pytest.raises(CentrifugeError):
                await spy.subscription.ready(timeout=PATIENCE)
            app.server.post("/v1/publish", {"channel": name, "data": "secret"}, expect=200)
            app.server.post("/v1/publish", {"channel": "#" + other, "data": "theirs"}, expect=200)
            assert await asyncio.wait_for(heard.get(), PATIENCE) == (name, "secret")
            assert spy.publications.empty()
        await mine.disconnect()
        assert heard.empty()

    asyncio.run(play())
    Rest(platform.url, mint(app.signing_secret, app.id, owner)).get(path, expect=200)
    Rest(platform.url, mint(app.signing_secret, app.id, other)).get(path, expect=403)
