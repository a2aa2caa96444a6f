"""Real time without WebSockets: Centrifugo's fallbacks, read by a client of others."""

import asyncio
import json
import signal
import uuid

import pytest
import requests
from websockets.sync.client import connect

from client import Account, listen, mint
from http2 import H2, request
from program import eventually
from sanitizer import SANITIZER
from sdk import PATIENCE, Listening, connected
from streams import EVERYTHING, LEEWAY, Events, Stream, Streaming, channel, publish
from wire import Wire
from workshop import with_plugins

TRANSPORTS = ["sse", "sse_post", "http_stream"]


@pytest.fixture(scope="module")
def app(platform):
    """An app in which users may do everything."""
    app = Account(platform.url).app("Streams")
    app.set_plugin("realtime", enabled=True, config=EVERYTHING)
    return app


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_what_is_published_reaches_whoever_has_subscribed_beside_the_stream(platform, app, transport):
    name = channel()
    with Stream(platform, transport, app.token("alice")) as stream:
        assert stream.connected["ping"] == 3600 and len(stream.connected["session"]) == 48
        headers = stream.response.headers
        assert headers["content-type"].startswith("application/octet-stream" if "http" in transport else "text/event-stream")
        assert headers["x-accel-buffering"] == "no" and "no-store" in headers["cache-control"]
        subscribed = stream.ask(subscribe={"channel": name})["subscribe"]
        assert subscribed["recoverable"]
        publish(app, name, {"n": 1}, {"n": 2})
        assert [stream.heard(), stream.heard()] == [(1, {"n": 1}), (2, {"n": 2})]
        assert stream.ask(publish={"channel": name, "data": {"n": 3}})["publish"] == {}
        history = stream.ask(history={"channel": name, "limit": 10})["history"]
        assert [past["data"]["n"] for past in history["publications"]] == [1, 2, 3]
        assert [client["user"] for client in stream.ask(presence={"channel": name})["presence"]["presence"].values()] == ["alice"]
        assert stream.ask(rpc={"method": "nobody", "data": {}})["error"]["code"] == 104


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_stream_that_was_cut_goes_on_with_exactly_what_was_missed(platform, app, transport):
    name, token = channel(), app.token("alice")
    with Stream(platform, transport, token) as stream:
        position = stream.ask(subscribe={"channel": name})["subscribe"]
        publish(app, name, 1)
        assert stream.heard() == (1, 1)
    publish(app, name, 2, 3)
    with Stream(platform, transport, token) as stream:
        again = stream.ask(subscribe={"channel": name, "recover": True, "offset": 1, "epoch": position["epoch"]})["subscribe"]
        assert again["recovered"] and [past["data"] for past in again["publications"]] == [2, 3]
        publish(app, name, 4)
        assert stream.heard() == (4, 4)
        lost = stream.ask(subscribe={"channel": channel("small:"), "recover": True, "offset": 9, "epoch": "x"})
        assert "recovered" not in lost["subscribe"]


def test_the_same_is_heard_over_every_transport_at_once(platform, app):
    name, token = channel(), app.token("alice")
    with Stream(platform, "sse", token) as a, Stream(platform, "http_stream", token) as b, \
            connect(f"{platform.socket_url}/connection/uni_websocket?channels={name}&token={token}", proxy=None) as c, \
            Events(platform, name, token) as d:
        a.ask(subscribe={"channel": name})
        b.ask(subscribe={"channel": name})
        assert json.loads(c.recv(10))["type"] == "connected"
        publish(app, name, *range(50))
        assert [a.heard()[1] for _ in range(50)] == list(range(50))
        assert [b.heard()[1] for _ in range(50)] == list(range(50))
        assert [json.loads(c.recv(10))["data"] for _ in range(50)] == list(range(50))
        assert [event["data"] for event in d.json(50)] == list(range(50))
        listed = app.server.get("/v1/connections?limit=100", expect=200).json()["data"]
        assert {"sse", "http_stream", "uni_websocket", "uni_sse"} <= {one["transport"] for one in listed}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_forged_and_missing_tokens_are_refused_and_an_expired_one_is_told_so_in_the_protocol(platform, app, transport):
    def status(token):
        with Stream(platform, transport, token) as stream:
            return stream.status

    assert status(mint("x" * 40, app.id, "alice")) == 401
    assert status(mint(app.signing_secret, "app_unknown", "alice")) == 401
    assert status("nonsense") == 401
    assert status(None) == 401
    assert status(mint(app.signing_secret, app.id, "alice", channel="room")) == 401
    assert status(app.secret) == 403
    expired = mint(app.signing_secret, app.id, "alice", lifetime=-3600)
    with Stream(platform, transport, expired) as stream:
        assert stream.status == 200 and stream.connected is None
        assert stream.farewell() == (3005, "connection expired")


def test_an_expired_token_is_error_109_as_sdks_want_it(platform, app):
    expired = mint(app.signing_secret, app.id, "alice", lifetime=-3600)
    body = json.dumps({"id": 7, "connect": {"token": expired}})
    lines = requests.post(platform.url + "/connection/http_stream", data=body, timeout=10).text.splitlines()
    assert json.loads(lines[0]) == {"id": 7, "error": {"code": 109, "message": "token expired"}}


def test_a_stream_ends_with_its_token(platform, app):
    brief = mint(app.signing_secret, app.id, "alice", lifetime=LEEWAY + 20)
    with Stream(platform, "http_stream", brief) as stream, Stream(platform, "sse", brief) as other:
        assert stream.connected["expires"] and stream.connected["ttl"] <= 20
        fresh = mint(app.signing_secret, app.id, "alice", lifetime=3600)
        assert stream.ask(refresh={"token": fresh})["refresh"]["ttl"] > 3000
        assert other.say({"id": 2, "refresh": {"token": "nonsense"}}).status_code == 204
        assert other.farewell() == (3500, "invalid token")
        assert stream.ask(ping={})["ping"] == {}


def test_only_the_session_says_who_speaks(platform, app):
    other = Account(platform.url).app("Others")
    other.set_plugin("realtime", enabled=True)
    with Stream(platform, "http_stream", app.token("alice")) as stream, \
            Stream(platform, "sse", other.token("bob")) as stranger:
        ping = {"id": 2, "ping": {}}
        session, node = stream.connected["session"], stream.connected["node"]
        assert stream.say(ping, session="0" * 48).status_code == 404
        assert stream.say(ping, session=session[:-1] + ("0" if session[-1] != "0" else "1")).status_code == 404
        assert stream.say(ping, node="nonsense").status_code == 404
        assert stream.say(ping, node="app_unknown." + node.split(".")[1]).status_code == 404
        assert stream.say(ping, node=stranger.connected["node"]).status_code == 404
        assert stranger.say(ping, session=session).status_code == 404
        answer = stream.say(ping, session="x" * 200)
        assert answer.status_code == 400 and answer.json()["code"] == "invalid_request"
        assert stream.say(ping).status_code == 204
        assert stream.until(lambda line: line.get("id") == 2) == {"id": 2, "ping": {}}
        assert session not in platform.text() and stranger.connected["session"] not in platform.text()


def test_commands_reach_their_stream_on_whichever_loop_either_is_in_the_order_of_each_post(sluice):
    gateway = sluice(arguments=["--loops", 2])
    app = Account(gateway.url).app("Loops")
    app.set_plugin("realtime", enabled=True, config=EVERYTHING)
    streams = []
    # The kernel spreads connections over the loops as it likes.
    while len(streams) < 8 or len({stream.connected["node"] for stream in streams}) < 2:
        streams.append(Stream(gateway, TRANSPORTS[len(streams) % 3], app.token(f"u{len(streams)}")))
        assert len(streams) <= 64
    name = channel()
    for stream in streams:
        stream.ask(subscribe={"channel": name})
    for turn in range(10):
        for stream in streams:
            number = turn * 100 + 10
            assert stream.say(*({"id": number + n, "ping": {}} for n in range(20))).status_code == 204
            seen = []
            while len(seen) < 20:
                seen.append(stream.until(lambda line: line.get("id", 0) >= number)["id"])
            assert seen == list(range(number, number + 20))
    publish(app, name, "all")
    assert [stream.heard() for stream in streams] == [(1, "all")] * len(streams)
    for stream in streams:
        stream.cut()


def slow(gateway, app, token: str, name: str, transport: str) -> Wire:
    """A stream whose client has subscribed and reads no more."""
    wire = Wire(gateway.port, receive_buffer=4096)
    body = json.dumps({"id": 1, "connect": {"token": token}})
    path = "sse" if transport.startswith("sse") else "http_stream"
    wire.send(f"POST /connection/{path} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n{body}")
    text = b""
    while b'"node":"' not in text or not text.endswith(b"\r\n"):
        text += wire.socket.recv(4096)
    connected = json.loads(text[text.index(b'{"id":1'):text.rindex(b"}") + 1])["connect"]
    answer = requests.post(gateway.url + "/emulation", timeout=10, json={
        "session": connected["session"], "node": connected["node"],
        "data": json.dumps({"id": 2, "subscribe": {"channel": name}})})
    assert answer.status_code == 204
    return wire


@pytest.mark.parametrize("transport", ["sse_post", "http_stream"])
def test_a_client_that_does_not_read_is_closed_with_3008_and_counted_and_holds_up_nobody(sluice, transport):
    gateway = sluice(arguments=["--loops", 1])
    app = Account(gateway.url).app("Slow")
    app.set_plugin("realtime", enabled=True, config={**EVERYTHING, "stream_queue_bytes": 524288})
    name = channel()
    with slow(gateway, app, app.token("alice"), name, transport) as wire, \
            Stream(gateway, "http_stream", app.token("bob")) as quick:
        quick.ask(subscribe={"channel": name})
        assert eventually(lambda: app.server.get(f"/v1/presence_stats/{name}").json()["num_clients"] == 2)
        before, sent, text = gateway.resident(), 0, "x" * 100_000
        while gateway.metric("sluice_realtime_slow_streams_total") == 0:
            publish(app, name, text)
            sent += 1
            assert quick.heard() == (sent, text)
            assert sent < 400
        # A sanitizer keeps its books in the same memory.
        assert SANITIZER or gateway.resident() - before < 64 << 20
        assert eventually(lambda: app.server.get(f"/v1/presence_stats/{name}").json()["num_clients"] == 1)
        rest = b""
        while not rest.endswith(b"0\r\n\r\n"):
            rest = rest[-200:] + wire.socket.recv(65536)
        assert b'{"push":{"disconnect":{"code":3008,"reason":"slow"}}}' in rest[-200:]
        publish(app, name, "on")
        assert quick.heard() == (sent + 1, "on")


def test_a_client_that_leaves_is_noticed(sluice):
    gateway = sluice(arguments=["--loops", 1])
    app = Account(gateway.url).app("Leaving")
    config = {**EVERYTHING, "ping_interval_seconds": 2, "pong_timeout_seconds": 1}
    app.set_plugin("realtime", enabled=True, config=config)
    name, token = channel(), app.token("alice")
    streams = [Stream(gateway, transport, token) for transport in TRANSPORTS]
    for stream in streams:
        stream.ask(subscribe={"channel": name})
    events = Events(gateway, name, token)
    assert gateway.metric("sluice_realtime_connections") == 4
    for stream in [*streams, events]:
        stream.cut()
    assert eventually(lambda: gateway.metric("sluice_realtime_connections") == 0, patience=20)
    assert app.server.get(f"/v1/presence_stats/{name}").json()["num_clients"] == 0


def test_those_who_only_listen_are_members_too_and_are_heard_coming_and_going(platform, app):
    async def play():
        name = channel()
        async with connected(platform, app.token("witness")) as client:
            witness = Listening(client, name)
            await witness.begin()
            assert await asyncio.wait_for(witness.joined.get(), PATIENCE) == client.client_id

            def listed() -> dict:
                members = app.server.get(f"/v1/presence/{name}", expect=200).json()["data"]
                return {member["client"]: member["user"] for member in members}

            def listen_both():
                with listen(platform.url, name, token=app.token("alice")), Events(platform, name, app.token("bob")) as events:
                    found = eventually(lambda: len(found := listed()) == 3 and found)
                    events.reset()
                    return found

            found = await asyncio.to_thread(listen_both)
            assert sorted(found.values()) == ["alice", "bob", "witness"]
            heard = {await asyncio.wait_for(witness.joined.get(), PATIENCE) for _ in range(2)}
            assert heard == set(found) - {client.client_id}
            assert {await asyncio.wait_for(witness.left.get(), PATIENCE) for _ in range(2)} == heard
            assert list(listed()) == [client.client_id]

    asyncio.run(play())


def test_a_silent_client_is_closed_with_3012_and_one_that_answers_is_not(sluice):
    gateway = sluice(arguments=["--loops", 1])
    app = Account(gateway.url).app("Pings")
    app.set_plugin("realtime", enabled=True, config={"ping_interval_seconds": 2, "pong_timeout_seconds": 1})
    with Stream(gateway, "sse", app.token("a")) as silent, Stream(gateway, "http_stream", app.token("b")) as alive:
        for _ in range(3):
            assert alive.line() == {}
            assert alive.say({}).status_code == 204
        assert silent.farewell() == (3012, "no pong")
        assert alive.ask(ping={}) == {"id": 2, "ping": {}}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_an_apps_server_closes_streams(platform, app, transport):
    user = uuid.uuid4().hex
    with Stream(platform, transport, app.token(user)) as stream:
        assert app.server.post("/v1/disconnect", {"user": user}, expect=200).json() == {"disconnected": 1}
        assert stream.farewell() == (3503, "force disconnect")


def test_changing_the_plugin_has_streams_come_back_and_switching_it_off_ends_them_for_good(platform):
    app = Account(platform.url).app("Switched")
    app.set_plugin("realtime", enabled=True, config=EVERYTHING)
    token, name = app.token("alice"), channel()
    with Stream(platform, "http_stream", token) as stream, Events(platform, name, token) as events:
        app.set_plugin("realtime", enabled=True, config={**EVERYTHING, "history_limit": 7})
        assert stream.farewell() == (3001, "shutdown")
        last = events.rest()[-1]
        assert last.event == "disconnect" and json.loads(last.data)["code"] == 3001
    with Stream(platform, "sse", token) as stream, Events(platform, name, token) as events:
        assert stream.status == 200
        app.set_plugin("realtime", enabled=False)
        assert stream.farewell() == (3503, "disabled")
        assert json.loads(events.rest()[-1].data) == {"type": "disconnect", "code": 3503, "reason": "disabled"}
        answer = stream.say({"id": 2, "ping": {}})
        assert answer.status_code == 404 and answer.json()["code"] == "plugin_not_enabled"
    with Stream(platform, "sse", token) as stream:
        assert stream.status == 404


def test_a_gateway_that_is_told_to_end_ends_its_streams_first(sluice):
    gateway = sluice(arguments=["--loops", 2])
    app = Account(gateway.url).app("Ending")
    app.set_plugin("realtime", enabled=True)
    token = app.token("alice")
    streams = [Stream(gateway, TRANSPORTS[number % 3], token) for number in range(6)]
    events = Events(gateway, channel(), token)
    gateway.process.send_signal(signal.SIGTERM)
    for stream in streams:
        assert stream.farewell() == (3001, "shutdown")
    assert events.rest()[-1].event == "disconnect"
    assert gateway.wait() == 0


BAD = [
    ("POST", "/connection/http_stream", b"", 400), ("POST", "/connection/http_stream", b"nonsense", 400),
    ("POST", "/connection/http_stream", b"{}", 400), ("POST", "/connection/http_stream", b'{"connect":{}}', 400),
    ("POST", "/connection/http_stream", b'{"id":1,"subscribe":{"channel":"a"}}', 400),
    ("POST", "/connection/http_stream", b'{"id":1,"connect":{"token":7}}', 400),
    ("POST", "/connection/http_stream", b'{"id":1,"connect":{"token":"\xff"}}', 400),
    ("POST", "/connection/http_stream", b"\x08\x01\x12\x00", 400),
    ("POST", "/connection/http_stream", b"x" * 65_537, 413), ("POST", "/connection/sse", b"x" * 65_537, 413),
    ("POST", "/connection/sse", b"[]", 400), ("GET", "/connection/sse", b"", 400),
    ("GET", "/connection/sse?cf_connect=", b"", 400), ("GET", "/connection/sse?cf_connect=nonsense", b"", 400),
    ("GET", "/connection/sse?cf_connect=%ff", b"", 400), ("GET", "/connection/sse?cf_connect=" + "x" * 9000, b"", 414),
    ("GET", "/connection/http_stream", b"", 405), ("GET", "/emulation", b"", 405), ("PUT", "/connection/sse", b"", 405),
    ("POST", "/emulation", b"", 400), ("POST", "/emulation", b"nonsense", 400), ("POST", "/emulation", b"{}", 400),
    ("POST", "/emulation", b'{"session":"a","node":"b","data":{}}', 400),
    ("POST", "/emulation", b'{"session":"a","node":"b","data":"{}"}', 404),
    ("POST", "/emulation", b'{"session":"a","node":"b","data":"' + b"x" * 300_000 + b'"}', 413),
    ("GET", "/connection/uni_sse", b"", 401), ("GET", "/connection/uni_sse?channels=a", b"", 401),
]


@pytest.mark.parametrize("method, path, body, status", BAD, ids=range(len(BAD)))
def test_what_makes_no_sense_is_refused_with_a_problem_and_opens_nothing(platform, app, method, path, body, status):
    before = platform.metric("sluice_realtime_connections")
    fields = {"Content-Type": "application/json"}
    answer = requests.request(method, platform.url + path, data=body, headers=fields, timeout=10)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert platform.metric("sluice_realtime_connections") == before


def test_a_second_connect_and_nonsense_beside_the_stream_close_it(platform, app):
    for commands in ([{"id": 2, "connect": {}}], [{"id": 2, "unknown": {}}], [[]]):
        with Stream(platform, "http_stream", app.token("alice")) as stream:
            assert stream.say(*commands).status_code == 204
            assert stream.farewell() == (3501, "bad request")


def test_the_token_may_come_as_for_any_other_request(platform, app):
    token = app.token("alice")
    with Stream(platform, "http_stream", None, headers={"Authorization": f"Bearer {token}"}) as stream:
        assert stream.connected
    command = '{"id":1,"connect":{}}'
    with Streaming("GET", f"{platform.url}/connection/sse?token={token}&cf_connect={command}", True) as stream:
        assert "connect" in json.loads(stream.next().data)
    assert eventually(lambda: any(line.get("path") == "/connection/sse" for line in platform.lines()))
    assert token not in platform.text()


def test_streams_break_no_rule_of_the_contract(sluice):
    gateway = sluice(with_plugins(debug={"thread_checks": True}), ["--loops", 2])
    app = Account(gateway.url).app("Checked")
    app.set_plugin("realtime", enabled=True, config=EVERYTHING)
    name, token = channel(), app.token("alice")
    streams = [Stream(gateway, TRANSPORTS[number % 3], token) for number in range(6)]
    events = Events(gateway, name, token)
    for stream in streams:
        stream.ask(subscribe={"channel": name})
    publish(app, name, 1, 2)
    assert [stream.heard()[1] for stream in streams] == [1] * 6
    streams[0].cut()
    app.set_plugin("realtime", enabled=False)
    assert all(stream.farewell()[0] == 3503 for stream in streams[1:])
    assert events.rest()[-1].event == "disconnect"
    assert gateway.metric("sluice_plugin_wrong_calls_total") == 0
    assert gateway.stop() == 0


def test_streams_are_served_over_http2(platform, app):
    name, token = channel(), app.token("alice")
    with H2(platform.port) as connection:
        body = json.dumps({"id": 1, "connect": {"token": token}}).encode()
        number = connection.open(request("POST", "/connection/http_stream"), body=body)
        connection.until(lambda: number in connection.streams and connection.streams[number].body.endswith(b"\n"))
        stream = connection.streams[number]
        connected = json.loads(stream.body)["connect"]
        said = {"session": connected["session"], "node": connected["node"],
                "data": json.dumps({"id": 2, "subscribe": {"channel": name}})}
        fields = request("POST", "/emulation", ("content-type", "application/json"))
        assert connection.answer(connection.open(fields, body=json.dumps(said).encode())).status == 204
        connection.until(lambda: b'"id":2' in stream.body)
        publish(app, name, "over h2")
        connection.until(lambda: b"over h2" in stream.body)
        assert not stream.is_over
