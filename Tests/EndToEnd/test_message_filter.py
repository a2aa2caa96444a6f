"""A plugin in C that looks at what users say in chat before it is written: `sluice.message-filter/1`."""

import uuid

import pytest

from client import Account
from plain import Plain
from program import shared
from workshop import lay_out_own, with_plugins


def asking(patience: int, on_failure: str) -> dict:
    return {"open": True, "message_filter": {"timeout_ms": patience, "on_failure": on_failure}}


TYPES = {"types": {
    "messaging": asking(5000, "refuse"), "lax": asking(5000, "pass"), "hasty": asking(50, "refuse"), "hasty-lax": asking(50, "pass"),
    "free": {"open": True}}}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, request):
    folder = lay_out_own(tmp_path_factory.mktemp("plugins"), "censor")
    yield from shared(tmp_path_factory.mktemp("censored"), request, with_plugins(folder), ["--loops", "2"])


@pytest.fixture(scope="module")
def app(gateway):
    app = Account(gateway.url).app("Decent")
    app.set_plugin("censor", enabled=True, config={})
    app.set_plugin("chat", enabled=True, config=TYPES)
    return app


def messages(type="messaging") -> str:
    return f"/v1/channels/{type}/{uuid.uuid4().hex}/messages"


def test_what_it_makes_of_a_message_is_what_everybody_sees(gateway, app):
    path = messages()
    channel = path.split("/")[4]
    alice, bob = app.user("alice"), app.user("bob")
    with Plain(gateway, app.token("bob")) as socket:
        socket.subscribe(f"chat:messaging:{channel}")
        assert alice.post(path, {"text": "hello"}, expect=201).json()["text"] == "hello"
        assert alice.post(path, {"text": "please rewrite me"}, expect=201).json()["text"] == "rewritten"
        refused = alice.post(path, {"text": "please refuse me"}, expect=403).json()
        assert (refused["code"], refused["detail"]) == ("forbidden", "As you wish.")
        said = socket.ask("chat.send", channel=f"messaging:{channel}", text="refuse me too")
        assert said["code"] == "forbidden"
        created = [frame for frame in socket.hear(2) if frame["type"] == "chat.message.created"]
        assert [frame["data"]["text"] for frame in created] == ["hello", "rewritten"]
    listed = bob.get(path, expect=200).json()["data"]
    assert [message["text"] for message in listed] == ["rewritten", "hello"]
    edited = alice.call("PATCH", f"/v1/messages/{listed[1]['id']}", {"text": "rewrite me"}, expect=200).json()
    assert edited["text"] == "rewritten"
    alice.call("PATCH", f"/v1/messages/{listed[1]['id']}", {"text": "refuse me"}, expect=403)


@pytest.mark.parametrize("text, strict, lax", [("be silent", "hasty", "hasty-lax"), ("fail", "messaging", "lax")])
def test_without_an_answer_messages_are_refused_unless_they_may_pass(app, text, strict, lax):
    alice = app.user("alice")
    refused = alice.post(messages(strict), {"text": text}, expect=503)
    assert refused.json()["code"] == "plugin_unavailable" and int(refused.headers["retry-after"]) > 0
    alice.post(messages(lax), {"text": text}, expect=201)


def test_it_is_asked_where_the_settings_want_that_and_about_users_alone(app):
    app.user("alice").post(messages("free"), {"text": "refuse me"}, expect=201)
    app.server.post(messages(), {"text": "refuse me", "user_id": "alice"}, expect=201)


def test_an_app_without_the_plugin_is_told_that_nobody_looks(gateway):
    app = Account(gateway.url).app("Alone")
    app.set_plugin("censor", enabled=False, config={})
    app.set_plugin("chat", enabled=True, config=TYPES)
    app.user("alice").post(messages(), {"text": "hello"}, expect=503)
    app.user("alice").post(messages("lax"), {"text": "hello"}, expect=201)
