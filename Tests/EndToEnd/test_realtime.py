"""Real time: Centrifugo's own SDK against the gateway, and an app's server beside it."""

import asyncio
import json
import uuid
from urllib.parse import quote

import pytest
from centrifuge import CentrifugeError, Client, DeltaType, StreamPosition, SubscriptionState
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from client import Account, listen, mint
from client import Client as Rest
from sdk import PATIENCE, Listening, connected, connection

EVERYTHING = {
    "personal_channel": True,
    "without_namespace": {
        "join_leave": True, "force_push_join_leave": True, "publish_for_client": "subscribers",
        "allowed_delta_types": ["fossil"],
    },
    "namespaces": {"small": {"history_size": 2, "publish_for_client": "users"}},
}


@pytest.fixture(scope="module")
def app(platform):
    """An app in which users may do everything."""
    app = Account(platform.url).app("Live")
    app.set_plugin("realtime", enabled=True, config=EVERYTHING)
    return app


def channel() -> str:
    return "room-" + uuid.uuid4().hex


def test_what_one_publishes_the_others_hear_and_the_history_has(platform, app):
    async def play():
        name = channel()
        async with connected(platform, app.token("alice")) as alice, connected(platform, app.token("bob")) as bob:
            one, two = Listening(alice, name), Listening(bob, name)
            assert (await one.begin()).recoverable
            await two.begin()
            await one.subscription.publish({"n": 1})
            assert await two.hear() == [(1, {"n": 1})] and await one.hear() == [(1, {"n": 1})]
            for number in range(2, 6):
                await two.subscription.publish({"n": number})
            history = await one.subscription.history(limit=-1)
            assert [past.data for past in history.publications] == [{"n": number} for number in range(1, 6)]
            assert history.offset == 5 and history.publications[0].info.user == "alice"
            page = await one.subscription.history(limit=2, since=StreamPosition(offset=2, epoch=history.epoch))
            assert [past.offset for past in page.publications] == [3, 4]
            page = await one.subscription.history(limit=2, reverse=True)
            assert [past.offset for past in page.publications] == [5, 4]

    asyncio.run(play())


def test_who_is_there_is_known_on_every_loop_and_told(sluice):
    gateway = sluice(arguments=["--loops", 2])
    app = Account(gateway.url).app("Loops")
    app.set_plugin("realtime", enabled=True, config=EVERYTHING)

    async def play():
        name = channel()
        tokens = {user: app.token(user) for user in "abcdef"}
        async with connected(gateway, tokens["a"]) as first:
            witness = Listening(first, name)
            await witness.begin()
            others = [connection(gateway, tokens[user]) for user in "bcdef"]
            for other in others:
                await other.connect()
                await other.ready(timeout=PATIENCE)
                await Listening(other, name).begin()
            # What they were called: a client that has gone does not tell.
            called = [other.client_id for other in others]
            assert all(called)
            names = {first.client_id, *called}
            come = {await asyncio.wait_for(witness.joined.get(), PATIENCE) for _ in names}
            assert come == names
            presence = await witness.subscription.presence()
            assert set(presence.clients) == names
            stats = await witness.subscription.presence_stats()
            assert (stats.num_clients, stats.num_users) == (6, 6)
            listed = app.server.get("/v1/connections", expect=200).json()["data"]
            assert {connection["client"] for connection in listed} == names
            counted = app.server.get(f"/v1/presence_stats/{name}", expect=200).json()
            assert counted == {"num_clients": 6, "num_users": 6}
            # On whichever loop it is.
            gone = app.server.post("/v1/disconnect", {"user": "f"}, expect=200).json()
            assert gone == {"disconnected": 1}
            await others[0].disconnect()
            left = {await asyncio.wait_for(witness.left.get(), PATIENCE) for _ in range(2)}
            assert left == {called[4], called[0]}
            for other in others[1:]:
                await other.disconnect()

    asyncio.run(play())


def test_a_client_that_comes_back_gets_exactly_what_it_missed(platform, app):
    async def play():
        name = channel()
        async with connected(platform, app.token("alice")) as alice:
            bob = connection(platform, app.token("bob"))
            speaker, listener = Listening(alice, name), Listening(bob, name)
            await speaker.begin()
            await bob.connect()
            assert not (await listener.begin()).was_recovering
            await speaker.subscription.publish(1)
            assert await listener.hear() == [(1, 1)]
            await bob.disconnect()
            for number in range(2, 12):
                await speaker.subscription.publish(number)
            await bob.connect()
            back = await asyncio.wait_for(listener.subscribed.get(), PATIENCE)
            assert back.was_recovering and back.recovered
            assert await listener.hear(10) == [(number, number) for number in range(2, 12)]
            await bob.disconnect()

    asyncio.run(play())


def test_a_client_that_was_away_too_long_is_told_so(platform, app):
    async def play():
        name = "small:" + uuid.uuid4().hex
        async with connected(platform, app.token("alice")) as alice:
            bob = connection(platform, app.token("bob"))
            speaker, listener = Listening(alice, name), Listening(bob, name)
            await speaker.begin()
            await bob.connect()
            await listener.begin()
            await bob.disconnect()
            for number in range(5):
                await speaker.subscription.publish(number)
            await bob.connect()
            back = await asyncio.wait_for(listener.subscribed.get(), PATIENCE)
            assert back.was_recovering and not back.recovered
            await speaker.subscription.publish("live")
            assert (await listener.hear())[-1] == (6, "live")
            await bob.disconnect()

    asyncio.run(play())


def test_publications_survive_kill_9_and_clients_go_on_where_they_were(sluice):
    gateway = sluice()
    app = Account(gateway.url).app("Crash")
    app.set_plugin("realtime", enabled=True, config=EVERYTHING)

    async def play():
        name = channel()
        bob = connection(gateway, app.token("bob"), min_reconnect_delay=0.05)
        listener = Listening(bob, name)
        await bob.connect()
        await listener.begin()
        server = Rest(gateway.url, app.secret)
        placed = [server.post("/v1/publish", {"channel": name, "data": number}, expect=200).json() for number in (1, 2)]
        assert [place["offset"] for place in placed] == [1, 2]
        assert await listener.hear(2) == [(1, 1), (2, 2)]
        gateway.kill()
        gateway.start()
        server.post("/v1/publish", {"channel": name, "data": 3}, expect=200)
        back = await asyncio.wait_for(listener.subscribed.get(), PATIENCE)
        assert back.was_recovering and back.recovered
        assert await listener.hear() == [(3, 3)]
        # Nobody is left of before the crash.
        assert (await listener.subscription.presence_stats()).num_clients == 1
        await bob.disconnect()

    asyncio.run(play())


def test_differences_make_the_same_publications(platform, app):
    async def play():
        name = channel()
        async with connected(platform, app.token("alice")) as alice, connected(platform, app.token("bob")) as bob:
            plain, short = Listening(alice, name), Listening(bob, name, delta=DeltaType.FOSSIL)
            await plain.begin()
            await short.begin()
            sent = [{"text": "long enough that a difference is shorter, äöü € 𝄞 " * 5, "n": n} for n in range(20)]
            for data in [*sent, "short", sent[0]]:
                await plain.subscription.publish(data)
            heard = [data for _, data in await short.hear(len(sent) + 2)]
            assert heard == [*sent, "short", sent[0]]

    asyncio.run(play())


def test_a_user_has_a_channel_of_its_own(platform, app):
    async def play():
        heard: asyncio.Queue = asyncio.Queue()
        client = connection(platform, app.token("carol"))
        client.events.on_publication = lambda context: heard.put((context.channel, context.pub.data))
        await client.connect()
        await client.ready(timeout=PATIENCE)
        app.server.post("/v1/publish", {"channel": "#carol", "data": {"for": "you"}}, expect=200)
        app.server.post("/v1/publish", {"channel": "#dave", "data": {"for": "dave"}}, expect=200)
        app.server.post("/v1/publish", {"channel": "#carol", "data": 2}, expect=200)
        assert await asyncio.wait_for(heard.get(), PATIENCE) == ("#carol", {"for": "you"})
        assert await asyncio.wait_for(heard.get(), PATIENCE) == ("#carol", 2)
        other = Listening(client, "#dave")
        await other.subscription.subscribe()
        with pytest.raises(CentrifugeError):
            await other.subscription.ready(timeout=PATIENCE)
        assert other.subscription.state == SubscriptionState.UNSUBSCRIBED
        await client.disconnect()

    asyncio.run(play())


def test_a_wrong_token_is_told_so_and_an_expired_one_is_renewed(platform, app):
    async def play():
        async def disconnected(token: str) -> int:
            code = asyncio.get_running_loop().create_future()
            client = connection(platform, token)

            async def ended(context):
                if not code.done():
                    code.set_result(context.code)

            client.events.on_disconnected = ended
            await client.connect()
            return await asyncio.wait_for(code, PATIENCE)

        assert await disconnected("") == 3500
        assert await disconnected("invalid") == 3500
        assert await disconnected(app.token("alice")[:-4] + "AAAA") == 3500
        expired = mint(app.signing_secret, app.id, "alice", lifetime=-600)
        asked = []

        async def fresh() -> str:
            asked.append(1)
            return app.token("alice")

        client = Client(f"{platform.socket_url}/connection/websocket", token=expired, get_token=fresh,
                        min_reconnect_delay=0.01, max_reconnect_delay=0.1)
        await client.connect()
        await client.ready(timeout=PATIENCE)
        assert asked == [1]
        await client.disconnect()

    asyncio.run(play())


def test_the_token_of_connect_must_not_be_another_users_than_the_one_that_opened_the_connection(platform, app):
    def answer(token: str):
        with connect(f"{platform.socket_url}/connection/websocket", proxy=None,
                     additional_headers={"Authorization": f"Bearer {app.token('alice')}"}) as socket:
            socket.send(json.dumps({"id": 1, "connect": {"token": token}}))
            return json.loads(socket.recv(PATIENCE))

    assert answer("")["connect"]["client"] and answer(app.token("alice"))["connect"]["client"]
    for other in (app.token("bob"), "nonsense", mint(app.signing_secret, "app_" + "0" * 26, "alice")):
        with pytest.raises(ConnectionClosed) as closed:
            answer(other)
        assert closed.value.rcvd.code == 3500
    expired = mint(app.signing_secret, app.id, "alice", lifetime=-600)
    assert answer(expired)["error"]["code"] == 109


def test_a_private_channel_takes_a_token_of_its_own(platform, app):
    async def play():
        name = "$" + channel()
        async with connected(platform, app.token("alice")) as alice:
            async def told(_channel: str) -> str:
                return mint(app.signing_secret, app.id, "alice", channel=name)

            listener = Listening(alice, name, get_token=told)
            await listener.begin()
            app.server.post("/v1/publish", {"channel": name, "data": 1}, expect=200)
            assert await listener.hear() == [(1, 1)]
            await listener.subscription.unsubscribe()
            other = Listening(alice, name + "-other", get_token=told)
            await other.subscription.subscribe()
            with pytest.raises(CentrifugeError):
                await other.subscription.ready(timeout=PATIENCE)

    asyncio.run(play())


def test_a_chat_message_reaches_the_sdk_with_its_type(platform, shop):
    async def play():
        async with connected(platform, shop.token("alice")) as alice:
            listener = Listening(alice, "chat:messaging:lobby")
            await listener.begin()
            shop.server.post("/v1/channels/messaging/lobby/messages", {"text": "hi", "user_id": "bob"}, expect=201)
            (_, event), = await listener.hear()
            assert event["type"] == "chat.message.created" and event["data"]["text"] == "hi"

    asyncio.run(play())


def test_apps_with_channels_of_one_name_do_not_hear_each_other(platform, app, shop):
    async def play():
        name = channel()
        async with connected(platform, app.token("alice")) as ours, connected(platform, shop.token("alice")) as theirs:
            mine, foreign = Listening(ours, name), Listening(theirs, name)
            await mine.begin()
            await foreign.begin()
            shop.server.post("/v1/publish", {"channel": name, "data": "theirs"}, expect=200)
            app.server.post("/v1/publish", {"channel": name, "data": "ours"}, expect=200)
            assert await mine.hear() == [(1, "ours")] and await foreign.hear() == [(1, "theirs")]
            assert app.server.get(f"/v1/presence_stats/{name}", expect=200).json()["num_clients"] == 1

    asyncio.run(play())


def test_a_repeated_publication_is_one(platform, app):
    name = channel()
    body = {"channel": name, "data": 1, "idempotency_key": "k"}
    first = app.server.post("/v1/publish", body, expect=200).json()
    assert app.server.post("/v1/publish", body, expect=200).json() == first
    assert app.server.get(f"/v1/history/{name}", expect=200).json()["offset"] == 1


def test_a_broadcast_is_repeated_only_for_the_key_that_it_came_with(platform, app):
    made = app.owner.post(f"/v1/apps/{app.id}/keys", {"name": "second", "scopes": ["*"]}, expect=201).json()
    second = Rest(platform.url, made["secret"])
    names = [channel(), channel()]
    body = {"channels": names, "data": "first"}

    def broadcast(client: Rest, body: dict, expect=200):
        return client.post("/v1/broadcast", body, expect=expect, headers={"Idempotency-Key": "job"}).json()

    answer = broadcast(app.server, body)
    assert broadcast(app.server, body) == answer
    broadcast(second, {**body, "data": "second"})
    # What a body calls a publication is not what a header calls a request.
    app.server.post("/v1/publish", {"channel": names[0], "data": "third", "idempotency_key": "job"}, expect=200)
    assert broadcast(app.server, {**body, "data": "other"}, expect=409)["code"] == "idempotency_mismatch"
    other = {"channel": names[0], "data": "other", "idempotency_key": "job"}
    assert app.server.post("/v1/publish", other, expect=409).json()["code"] == "idempotency_mismatch"
    for name, expected in zip(names, (["first", "second", "third"], ["first", "second"])):
        page = app.server.get(f"/v1/history/{name}", expect=200).json()
        assert [event["data"] for event in page["data"]] == expected


@pytest.mark.parametrize("body, pointer", [
    ({"channel": "room"}, ""), ({"data": 1}, ""), ({"channel": "", "data": 1}, "/channel"),
    ({"channel": "@x", "data": 1}, "/channel"), ({"channel": "room", "data": 1, "more": 1}, ""),
])
def test_a_malformed_publication_is_refused_with_the_place(app, body, pointer):
    refused = app.server.post("/v1/publish", body, expect=400).json()
    assert refused["code"] == "invalid_request"
    assert any(error["pointer"].startswith(pointer) for error in refused["errors"])


@pytest.mark.parametrize("place", ["header", "query"])
def test_a_unidirectional_socket_goes_on_where_it_was(platform, app, place):
    names, token = [channel(), channel()], app.token("alice")
    with listen(platform.url, *names, token=token) as first:
        places = first.connected["channels"]
    for name, data in ((names[0], 1), (names[1], 2), (names[0], 3)):
        app.server.post("/v1/publish", {"channel": name, "data": data}, expect=200)
    position = ",".join(f"{place['epoch']}:{place['offset']}" for place in places)
    url = f"{platform.socket_url}/connection/uni_websocket?channels={','.join(names)}&token={token}"
    headers = {"Last-Event-ID": position} if place == "header" else {}
    if place == "query":
        url += "&last_event_id=" + quote(position)
    with connect(url, additional_headers=headers, proxy=None) as back:
        told = [json.loads(back.recv(PATIENCE)) for _ in range(4)]
        assert told[0]["type"] == "connected" and told[0]["channels"] == places
        missed = [(event["channel"], event["data"], event["offset"]) for event in told[1:]]
        assert missed == [(names[0], 1, 1), (names[0], 3, 2), (names[1], 2, 1)]
        app.server.post("/v1/publish", {"channel": names[1], "data": 4}, expect=200)
        assert json.loads(back.recv(PATIENCE))["data"] == 4


def test_only_an_apps_server_may_ask_about_others(app):
    user = app.user("mallory")
    for method, path, body in [
        ("POST", "/v1/publish", {"channel": "room", "data": 1}), ("GET", "/v1/presence/room", None),
        ("GET", "/v1/connections", None), ("POST", "/v1/disconnect", {"user": "alice"}),
    ]:
        assert user.call(method, path, body).status_code in (401, 403)
