"""Messages of clients: from whoever owns the socket to whichever plugin declares the type, checked on the way."""

import json

import pytest
from websockets.sync.client import connect

from client import mint
from program import Sluice
from test_isolation import StaticApp
from workshop import lay_out_own, with_plugins

INVALID, DENIED, NOT_FOUND, CONFLICT, LIMITED, INTERNAL = -2, -7, -8, -9, -18, -1


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plugins")
    lay_out_own(folder, "doorman")
    apps = [StaticApp("acme"), StaticApp("umbra")]
    configuration = with_plugins(folder, tenants=[app.configuration() for app in apps])
    for tenant in configuration["tenants"]:
        tenant["plugins"]["doorman"] = {}
    gateway = Sluice(tmp_path_factory.mktemp("messages"), configuration, ["--loops", "1"]).start()
    gateway.apps = apps
    yield gateway
    assert gateway.stop() == 0


class Speaker:
    """A client of the doorman's socket."""

    def __init__(self, house, app: StaticApp, user="alice", **claims):
        self.connection = connect(house.socket_url + "/doorman", proxy=None)
        self.socket = self.connection.__enter__()
        self.socket.send("token " + mint(app.signing_secret, app.id, user, **claims))
        self.socket.recv(5), self.socket.recv(5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.__exit__(None, None, None)

    def say(self, type: str, data=None) -> tuple[int, str]:
        """The status and the reply's text."""
        text = "" if data is None else " " + (data if isinstance(data, str) else json.dumps(data))
        self.socket.send(f"say {type}{text}")
        said, status, reply = self.socket.recv(5).split(" ", 2)
        assert said == "said"
        return int(status), reply


def test_a_message_reaches_the_handler_with_its_sender_and_its_data_byte_for_byte(house):
    with Speaker(house, house.apps[0], "alice") as alice, Speaker(house, house.apps[1], "bob") as bob:
        for _ in range(3):
            assert alice.say("doorman.shout", '{ "text" :"a\\u0062" }') == (
                0, '["alice","doorman.shout",{ "text" :"a\\u0062" }]')
            assert bob.say("doorman.shout", {"text": "x"}) == (0, '["bob","doorman.shout",{"text": "x"}]')


def test_a_reply_may_come_later_and_only_once(house):
    with Speaker(house, house.apps[0]) as alice:
        assert alice.say("doorman.later") == (0, '"later"')


def test_data_that_is_not_as_declared_is_refused_before_the_plugin_sees_it(house):
    with Speaker(house, house.apps[0]) as alice:
        for data, pointer in (({}, "/text"), ({"text": 1}, "/text"), ({"text": "x" * 21}, "/text"), ({"text": "", "b": 1}, "/b")):
            status, reply = alice.say("doorman.shout", data)
            problem = json.loads(reply)
            assert status == INVALID and problem["code"] == "invalid_request", data
            assert [error["pointer"] for error in problem["errors"]] == [pointer], data
        for text in ("{", "nope", '{"text":"a"} x', "\x01"):
            status, reply = alice.say("doorman.shout", text)
            assert status == INVALID and "not JSON" in json.loads(reply)["detail"]
        assert alice.say("doorman.shout", {"text": "still here"})[0] == 0


def test_scopes_are_asked_for_and_unknown_types_are_nobodys(house):
    with Speaker(house, house.apps[0]) as alice, Speaker(house, house.apps[0], scopes=["doorman.boss"]) as boss:
        status, reply = alice.say("doorman.secret", {})
        assert status == DENIED and "doorman.boss" in json.loads(reply)["detail"]
        assert boss.say("doorman.secret", {}) == (0, '["alice","doorman.secret",{}]')
        assert alice.say("doorman.unknown", {}) == (NOT_FOUND, "at once")


def test_a_handlers_refusal_and_its_mistake_reach_the_sender(house):
    with Speaker(house, house.apps[0]) as alice:
        assert alice.say("doorman.broken") == (CONFLICT, "")
        status, _ = alice.say("doorman.broken", {"long": True})
        assert status == INTERNAL


def test_messages_count_against_the_apps_rate(sluice, tmp_path):
    lay_out_own(tmp_path / "plugins", "doorman")
    app = StaticApp("acme")
    configuration = with_plugins(tmp_path / "plugins", tenants=[app.configuration()])
    configuration["tenants"][0]["plugins"]["doorman"] = {}
    gateway = sluice(configuration, ["--loops", "1"], limits={"requests_per_second": 5})
    with Speaker(gateway, app) as alice:
        statuses = [alice.say("doorman.later")[0] for _ in range(30)]
    assert statuses[0] == 0 and LIMITED in statuses
    assert gateway.metric("sluice_limit_breaches_total{limit=\"requests_per_second\"}") > 0
