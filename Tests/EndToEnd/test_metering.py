"""What counts against plans and rates, and what does not."""

import json

import requests
from websockets.sync.client import connect

from sanitizer import SLOWNESS
from streams import Stream
from test_quotas import planned, total


def test_requests_that_show_no_credential_use_up_nothing(sluice):
    gateway, app = planned(sluice)
    before = total(app, "requests")
    for _ in range(10):
        assert requests.get(f"{gateway.url}/v1/branding", params={"app": app.id}, timeout=15 * SLOWNESS).status_code == 200
    app.server.get("/v1/users", expect=200)
    assert total(app, "requests") == before + 1


def test_each_command_of_a_message_is_counted(sluice):
    gateway, app = planned(sluice)

    def commands(first: int, *more: dict) -> str:
        return "\n".join(json.dumps({"id": first + number, **command}) for number, command in enumerate(more))

    with connect(f"{gateway.socket_url}/connection/websocket", proxy=None) as socket:
        socket.send(commands(1, {"connect": {"token": app.token("alice")}}))
        assert "connect" in json.loads(socket.recv(20))
        socket.send(commands(2, *[{"ping": {}}] * 20))
        assert len(socket.recv(20).splitlines()) == 20
    with Stream(gateway, "http_stream", app.token("bob")) as stream:
        assert stream.say(*({"id": 2 + number, "ping": {}} for number in range(10))).status_code == 204
        stream.until(lambda line: line.get("id") == 11)
    assert total(app, "messages") == 1 + 20 + 10


def test_a_user_asks_for_no_more_over_a_socket_than_by_requests(sluice):
    gateway, app = planned(sluice, limits={"user_requests_per_second": 5})
    app.set_plugin("realtime", enabled=True, config={"without_namespace": {"publish_for_client": "users"}})
    with connect(f"{gateway.socket_url}/ws?token={app.token('alice')}", proxy=None) as socket:
        for number in range(100):
            socket.send(json.dumps({"type": "publish", "id": number, "channel": "room", "data": number}))
        answers = []
        while len(answers) < 100:
            answer = json.loads(socket.recv(20 * SLOWNESS))
            answers += [answer] if "id" in answer else []
    kinds = [answer.get("code", "ack") for answer in answers]
    assert set(kinds) == {"ack", "rate_limited"} and kinds.count("rate_limited") > 10, kinds
