"""How many connections a plan lets an app have open: WebSockets, and the streams that stand in for them, however they end."""

import contextlib
import json
import socket
import struct

import pytest
import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from client import Account
from http2 import H2, request, reset
from program import eventually, run
from sanitizer import SLOWNESS
from streams import PATIENT, Events, Stream
from test_quotas import over, planned, usage, used
from workshop import lay_out_phases, with_plugins


def test_connections_beyond_the_plan_are_refused_until_one_is_closed(sluice):
    gateway, app = planned(sluice, free={"connections": 3})
    token = app.token("alice")
    target = f"{gateway.socket_url}/connection/uni_websocket?channels=chat:messaging:general&token={token}"
    with contextlib.ExitStack() as opened:
        for _ in range(2):
            opened.enter_context(connect(target, proxy=None))
        with connect(target, proxy=None):
            for _ in range(4):
                with pytest.raises(InvalidStatus) as refused, connect(target, proxy=None):
                    pass
                assert refused.value.response.status_code == 403
                assert json.loads(refused.value.response.body)["code"] == "quota_exceeded"
        assert eventually(lambda: used(app, "connections") == 2)
        with connect(target, proxy=None):
            pass


STREAMS = ["sse", "sse_post", "http_stream", "uni_sse"]


@contextlib.contextmanager
def stream(gateway, app, kind: str):
    """An open stream of one kind, or what it is refused with: `.status` and `.response`. Its client leaves with a reset."""
    token = app.token("alice")
    opened = Events(gateway, "chat:messaging:general", token) if kind == "uni_sse" else Stream(gateway, kind, token)
    try:
        yield opened
    finally:
        opened.reset()


def refused_stream(gateway, app, kind: str) -> bool:
    """Whether one more stream is refused for want of connections, and how."""
    command = json.dumps({"id": 1, "connect": {"token": app.token("alice")}})
    if kind == "uni_sse":
        ask = ("GET", "/connection/uni_sse", {"channels": "chat:messaging:general", "token": app.token("alice")}, None)
    elif kind == "sse":
        ask = ("GET", "/connection/sse", {"cf_connect": command}, None)
    else:
        ask = ("POST", f"/connection/{'sse' if kind == 'sse_post' else kind}", None, command)
    method, path, query, body = ask
    with requests.request(method, gateway.url + path, params=query, data=body, stream=True, timeout=15 * SLOWNESS) as answer:
        return answer.status_code == 403 and over(answer, "connections")


@pytest.mark.parametrize("kind", STREAMS)
def test_streams_beyond_the_plan_are_refused_until_one_has_ended(sluice, kind):
    gateway, app = planned(sluice, free={"connections": 2})
    app.set_plugin("realtime", enabled=True, config=PATIENT)
    target = f"{gateway.socket_url}/ws?token={app.token('bob')}"
    with stream(gateway, app, kind) as one:
        with stream(gateway, app, kind) as other:
            assert one.status == other.status == 200
            assert used(app, "connections") == 2
            for _ in range(4):
                assert refused_stream(gateway, app, kind)
            with pytest.raises(InvalidStatus) as refused, connect(target, proxy=None):
                pass
            assert refused.value.response.status_code == 403
            assert used(app, "connections") == 2
        assert eventually(lambda: used(app, "connections") == 1)
        # Whichever way it is used: a socket takes the place of a stream, and the other way round.
        with connect(target, proxy=None):
            assert refused_stream(gateway, app, kind)
        assert eventually(lambda: used(app, "connections") == 1)
    assert eventually(lambda: used(app, "connections") == 0)
    assert max(hour["connections"] for hour in usage(app)["data"]) == 2
    assert gateway.metric("sluice_quotas_exceeded_total") >= 6


def test_streams_give_their_places_back_however_they_end(sluice, tmp_path):
    gateway = sluice(with_plugins(plans={"free": {"connections": 8}}, drain_timeout_ms=200), ["--loops", "2"])
    app = Account(gateway.url).app("Streaming")
    app.set_plugin("realtime", enabled=True, config=PATIENT)

    def opened(ended):
        streams = [ended.enter_context(stream(gateway, app, kind)) for kind in STREAMS for _ in range(2)]
        assert [one.status for one in streams] == [200] * 8
        assert used(app, "connections") == 8 and refused_stream(gateway, app, "uni_sse")
        return streams

    with contextlib.ExitStack() as ended:
        # By the server: other settings have another generation take over, and the old one drains.
        opened(ended)
        app.set_plugin("realtime", enabled=True, config={**PATIENT, "without_namespace": {"publish_for_client": "users"}})
        assert eventually(lambda: used(app, "connections") == 0)
        app.set_plugin("realtime", enabled=False)
        app.set_plugin("realtime", enabled=True)
        opened(ended)
        app.set_plugin("realtime", enabled=False)
        assert eventually(lambda: used(app, "connections") == 0)
        app.set_plugin("realtime", enabled=True)
        # By their clients.
        for one in opened(ended):
            one.reset()
        assert eventually(lambda: used(app, "connections") == 0)
        # With the app, of which another takes the place.
        opened(ended)
        exported = run("tenant", "export", app.id, tmp_path / "file", "--data", gateway.data)
        assert exported.returncode == 0, exported.stderr
        imported = run("tenant", "import", tmp_path / "file", "--replace", "--data", gateway.data)
        assert imported.returncode == 0, imported.stderr
        assert eventually(lambda: used(app, "connections") == 0)
        opened(ended)


def test_a_stream_whose_client_says_no_more_gives_its_place_back_when_a_ping_finds_out(sluice):
    gateway, app = planned(sluice, free={"connections": 2})
    app.set_plugin("realtime", enabled=True, config={"ping_interval_seconds": 2, "pong_timeout_seconds": 1})
    for _ in range(2):
        Events(gateway, "chat:messaging:general", app.token("alice")).cut()
    assert eventually(lambda: used(app, "connections") == 0, 40)
    with stream(gateway, app, "uni_sse") as one:
        assert one.status == 200


def test_streams_over_http2_count_and_give_their_places_back(sluice):
    gateway, app = planned(sluice, free={"connections": 2})
    path = f"/connection/uni_sse?channels=chat:messaging:general&token={app.token('alice')}"
    with H2(gateway.port) as connection:
        def begin() -> int:
            number = connection.open(request("GET", path))
            connection.until(lambda: number in connection.streams and connection.streams[number].body.endswith(b"\n\n"))
            assert connection.streams[number].status == 200
            return number

        opened = [begin(), begin()]
        assert used(app, "connections") == 2
        refused = connection.get(path)
        assert refused.status == 403 and refused.json()["errors"][0]["pointer"] == "/quotas/connections"
        # One stream ends, and its connection goes on; then all of them with their connection.
        connection.send(reset(opened[0]))
        assert eventually(lambda: used(app, "connections") == 1)
        begin()
        assert used(app, "connections") == 2
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert eventually(lambda: used(app, "connections") == 0)


def test_streams_whose_answers_plugins_see_are_refused_as_others_are(sluice, tmp_path):
    configuration = with_plugins(lay_out_phases(tmp_path / "plugins"), plans={"free": {"connections": 1}})
    gateway = sluice(configuration, ["--loops", "1"])
    app = Account(gateway.url).app("Seen")
    for _ in range(2):
        with stream(gateway, app, "uni_sse") as one:
            assert one.status == 200 and one.response.headers["x-stamped"] == "first 200"
            with stream(gateway, app, "uni_sse") as refused:
                assert refused.status == 403 and refused.response.headers["x-stamped"] == "first 403"
            assert refused_stream(gateway, app, "uni_sse") and used(app, "connections") == 1
        assert eventually(lambda: used(app, "connections") == 0)
    assert gateway.metric("sluice_first_nested") == 0
