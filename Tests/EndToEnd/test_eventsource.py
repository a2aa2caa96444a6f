"""Events for EventSource, without an SDK and without a protocol, read by two libraries of others."""

import json

import httpx
import pytest
import requests
import sseclient

from client import Account, mint
from program import eventually
from streams import EVERYTHING, LEEWAY, OVER, Events, Streaming, channel, publish
from wire import Wire


@pytest.fixture(scope="module")
def app(platform):
    """An app in which users may do everything."""
    app = Account(platform.url).app("Events")
    app.set_plugin("realtime", enabled=True, config=EVERYTHING)
    return app


def test_an_eventsource_hears_what_happens_and_another_library_reads_the_same(platform, app):
    name, token = channel(), app.token("alice")
    url = f"{platform.url}/connection/uni_sse?channels={name}&token={token}"
    with Events(platform, name, token) as events, requests.get(url, stream=True, timeout=20) as response:
        other = sseclient.SSEClient(response).events()
        assert json.loads(next(other).data)["type"] == "connected"
        publish(app, name, {"n": 1}, {"n": 2})
        for number in (1, 2):
            event, seen = events.event(), next(other)
            assert json.loads(event.data)["data"] == {"n": number}
            assert (event.id, event.data) == (seen.id, seen.data)
        assert json.loads(events.hello.data)["channels"][0]["channel"] == name


def test_last_event_id_brings_exactly_what_was_missed_in_all_channels(platform, app):
    one, two, token = channel(), channel(), app.token("alice")
    with Events(platform, f"{one},{two}", token) as events:
        publish(app, one, 1, 2)
        publish(app, two, 3)
        seen = [events.event() for _ in range(3)]
    publish(app, one, 4)
    publish(app, two, 5, 6)
    with Events(platform, f"{one},{two}", token, seen[1].id) as events:
        missed = events.json(4)
        assert [event["data"] for event in missed if event["channel"] == one] == [4]
        assert [event["data"] for event in missed if event["channel"] == two] == [3, 5, 6]
        publish(app, one, 7)
        assert events.json()[0]["data"] == 7
    url = f"{platform.url}/connection/uni_sse?channels={one},{two}&token={token}&last_event_id={seen[2].id}"
    with Streaming("GET", url, True) as stream:
        assert json.loads(stream.next().data)["type"] == "connected"
        assert sorted(json.loads(stream.next().data)["data"] for _ in range(4)) == [4, 5, 6, 7]


def test_what_cannot_be_resumed_is_said(platform, app):
    name, token = channel("small:"), app.token("alice")
    with Events(platform, name, token) as events:
        first = events.hello.id
    publish(app, name, 1, 2, 3)
    for last in (first, "nonsense", "x:1", f"{first},{first}"):
        with Events(platform, name, token, last) as events:
            lost = events.event()
            assert lost.event == "insufficient_state" and json.loads(lost.data)["channels"] == [name]
            publish(app, name, "next")
            assert events.json()[0]["data"] == "next"


def test_after_a_kill_an_eventsource_goes_on_where_it_was(sluice):
    gateway = sluice(arguments=["--loops", 2])
    app = Account(gateway.url).app("Killed")
    app.set_plugin("realtime", enabled=True, config=EVERYTHING)
    names, token = [channel(), channel()], app.token("alice")
    expected = {name: [] for name in names}
    heard = {name: [] for name in names}
    last = None
    for turn in range(3):
        events = Events(gateway, ",".join(names), token, last)
        last = last or events.hello.id
        for number in range(20):
            name = names[number % 2]
            publish(app, name, turn * 100 + number)
            expected[name].append(turn * 100 + number)
            if number < 10 + turn:
                event = events.event()
                last = event.id
                heard[json.loads(event.data)["channel"]].append(json.loads(event.data)["data"])
        gateway.kill()
        events.cut()
        gateway.start()
    with Events(gateway, ",".join(names), token, last) as events:
        while heard != expected:
            event = events.event()
            assert event.event == "message", event
            heard[json.loads(event.data)["channel"]].append(json.loads(event.data)["data"])
        publish(app, names[0], "end")
        assert events.json()[0]["data"] == "end"


def test_whoever_may_not_listen_is_told_before_the_stream_begins(platform, app):
    token = app.token("alice")
    for channels, status in ((channel() + "#bob", 403), ("nowhere:a", 403), ("a,,b", 400), ("@realtime", 400)):
        answer = httpx.get(f"{platform.url}/connection/uni_sse", params={"channels": channels, "token": token}, timeout=10)
        assert answer.status_code == status and answer.headers["content-type"] == "application/problem+json"
    answer = httpx.get(f"{platform.url}/connection/uni_sse", params={"channels": "a", "token": token + "x"}, timeout=10)
    assert answer.status_code == 401


def test_a_stream_of_events_ends_with_its_token_and_says_so(platform, app):
    with Events(platform, channel(), mint(app.signing_secret, app.id, "alice", lifetime=LEEWAY + 4)) as events:
        last = events.rest()[-1]
        assert last.event == "disconnect" and json.loads(last.data) == {
            "type": "disconnect", "code": 3005, "reason": "connection expired"}


def test_head_and_clients_that_leave_at_once_leave_nothing_open(sluice):
    gateway = sluice(arguments=["--loops", 2])
    app = Account(gateway.url).app("Hasty")
    app.set_plugin("realtime", enabled=True, config={"ping_interval_seconds": 2, "pong_timeout_seconds": 1})
    token = app.token("alice")
    answer = httpx.head(f"{gateway.url}/connection/uni_sse", params={"channels": "a", "token": token}, timeout=10)
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/event-stream")
    body = json.dumps({"id": 1, "connect": {"token": token}})
    for number in range(60):
        with Wire(gateway.port) as wire:
            if number % 2:
                wire.send(f"GET /connection/uni_sse?channels={channel()}&token={token} HTTP/1.1\r\nHost: a\r\n\r\n")
            else:
                wire.send(f"POST /connection/sse HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n{body}")
    with Events(gateway, "a", token) as events:
        assert events.hello is not OVER
    assert eventually(lambda: gateway.metric("sluice_realtime_connections") == 0, patience=20)
    assert gateway.metric("sluice_realtime_channels") == 0
