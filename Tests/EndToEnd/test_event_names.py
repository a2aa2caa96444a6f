"""Events under the names that their owners' manifests give them on sockets, and clients that read too slowly for them."""

import asyncio
import json
import shutil

import pytest
from websockets.exceptions import ConnectionClosed

from client import Account, listen
from plain import PATIENCE, Plain
from program import PLUGINS, eventually
from sdk import Listening, connected

NAMES = {"chat.message.created": "message_created", "chat.typing": "typing"}


@pytest.fixture(scope="module", params=[False, True], ids=["as it ships", "with calls checked"])
def folder(request, tmp_path_factory):
    """The built plugins, of which chat gives two of its events names on sockets."""
    folder = tmp_path_factory.mktemp("plugins")
    for id in ("auth", "control", "realtime", "chat"):
        shutil.copytree(PLUGINS / id, folder / id)
    manifest = json.loads((folder / "chat/plugin.json").read_text())
    for event in manifest["emits"]:
        if event["type"] in NAMES:
            event["socket_name"] = NAMES[event["type"]]
    (folder / "chat/plugin.json").write_text(json.dumps(manifest))
    return folder, {"debug": {"thread_checks": request.param}}


def configuration(folder) -> dict:
    return {"plugins": {"folders": [str(folder[0])], "tenants_grant": "platform"}, **folder[1]}


def test_only_plain_sockets_show_events_under_their_names(sluice, folder):
    gateway = sluice(configuration(folder))
    app = Account(gateway.url).app("Names")
    token, channel = app.token("alice"), "chat:messaging:lobby"

    async def sdk(ready, heard):
        async with connected(gateway, token) as client:
            listener = Listening(client, channel)
            await listener.begin()
            ready.set()
            heard += [event["type"] for _, event in await listener.hear(3)]

    async def play():
        ready, heard = asyncio.Event(), []
        other = asyncio.create_task(sdk(ready, heard))
        await ready.wait()
        await asyncio.to_thread(speak)
        await other
        return heard

    def speak():
        with Plain(gateway, token) as alice, listen(gateway.url, channel, token=token) as third:
            epoch = alice.subscribe(channel)["epoch"]
            sent = alice.ask("chat.send", channel=channel, text="hello")["data"]
            alice.ask("chat.typing", channel=channel)
            alice.ask("chat.edit", message_id=sent["id"], text="hallo")
            types = ["message_created", "typing", "chat.message.updated"]
            assert [event["type"] for event in alice.hear(3)] == types
            assert [json.loads(third.recv(PATIENCE))["type"] for _ in types] == [
                "chat.message.created", "chat.typing", "chat.message.updated"]
            other = alice.ask("chat.send", channel=channel, text="again")["data"]
            assert other["id"] != sent["id"]
            # What a change has taken the place of is told as the change.
            kept = ["chat.message.updated", "chat.message.updated", "message_created"]
            history = alice.ask("history", channel=channel)["data"]
            assert [event["type"] for event in history] == kept
        with Plain(gateway, token) as alice:
            assert alice.subscribe(channel, offset=0, epoch=epoch)["recovered"] is True
            assert [event["type"] for event in alice.hear(3)] == kept

    assert asyncio.run(play()) == ["chat.message.created", "chat.typing", "chat.message.updated"]
    assert gateway.stop() == 0
    assert not [line for line in gateway.lines() if "wrong call" in str(line.get("message", ""))]


@pytest.mark.limit("websocket_queue_bytes")
def test_a_client_that_does_not_read_is_closed_and_comes_back_to_where_it_was(sluice):
    # Who does not read answers no ping either: on a busy machine that must not be what cuts it first.
    limits = {"websocket_queue_bytes": 262_144, "websocket_ping_ms": 3_600_000}
    gateway = sluice({"plugins": {"folders": [str(PLUGINS)], "tenants_grant": "platform"}}, limits=limits)
    app = Account(gateway.url).app("Slow")
    app.set_plugin("realtime", enabled=True, config={"ping_interval_seconds": 600})
    token = app.token("alice")
    with Plain(gateway, token, max_queue=1, compression=None, ping_interval=None) as slow, Plain(gateway, token) as quick:
        epoch = slow.subscribe("room")["epoch"]
        quick.subscribe("room")
        count = 0
        while gateway.breaches("websocket_queue_bytes") == 0:
            count += 1
            assert count < 2_000
            app.server.post("/v1/publish", {"channel": "room", "data": "x" * 60_000}, expect=200)
            assert quick.hear()[0]["offset"] == count
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                slow.events.append(slow.receive())
        assert closed.value.rcvd is None or closed.value.rcvd.code == 3008
    last = slow.events[-1]["offset"] if slow.events else 0
    assert [event["offset"] for event in slow.events] == list(range(1, last + 1)) and last <= count
    app.server.post("/v1/publish", {"channel": "room", "data": "more"}, expect=200)
    with Plain(gateway, token) as back:
        start = max(last, count - 2)
        ack = back.subscribe("room", offset=start, epoch=epoch)
        assert ack["recovered"] is True and ack["offset"] == count + 1
        assert [event["offset"] for event in back.hear(count + 1 - start)] == list(range(start + 1, count + 2))
    assert eventually(lambda: gateway.metric("sluice_websockets_open") == 0)
