"""Which events there are for webhooks, what goes out of them, and what nobody wants."""

import json
import sqlite3
import threading

import pytest
from jsonschema import Draft202012Validator

from program import eventually, shared
from test_webhooks import add, configuration, new_app, say, verified
from workshop import lay_out_own, with_plugins


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, request):
    folder = lay_out_own(tmp_path_factory.mktemp("plugins"), "rewriter")
    settings = with_plugins(folder, client={"allow_networks": ["127.0.0.0/8"]})
    yield from shared(tmp_path_factory.mktemp("webhooks"), request, settings, ["--loops", "2"])


def catalogue(app) -> dict:
    found, after = {}, None
    while True:
        query = f"?limit=7&after={after}" if after else "?limit=7"
        page = app.server.get(f"/v1/event-types{query}", expect=200).json()
        found |= {each["type"]: each for each in page["data"]}
        if (after := page["next"]) is None:
            return found


def test_the_catalogue_has_every_event_that_goes_out_with_an_example(gateway):
    types = catalogue(new_app(gateway))
    assert {"chat.message.created", "realtime.published", "webhooks.endpoint.disabled"} <= set(types)
    assert "chat.typing" not in types and "chat.unread" not in types
    assert list(types) == sorted(types)
    for each in types.values():
        assert each["description"] and each["examples"], each
        for example in each["examples"]:
            Draft202012Validator(each["schema"]).validate(example)
    assert types["chat.message.created"]["plugin"] == "chat"


def test_what_goes_out_is_as_the_catalogue_says(gateway, receiver):
    app = new_app(gateway)
    add(app, receiver.url(), events=["*"])
    say(app, "hello")
    app.server.post("/v1/channels", {"type": "messaging", "id": "second", "members": ["alice", "bob"]}, expect=201)
    types = catalogue(app)
    receiver.wait(2)
    bodies = [json.loads(each.body) for each in receiver.at()]
    assert {"chat.message.created", "chat.channel.created"} <= {each["type"] for each in bodies}
    for body in bodies:
        Draft202012Validator(types[body["type"]]["schema"]).validate(body["data"])


def test_an_example_is_sent_for_a_test(gateway, receiver):
    app = new_app(gateway)
    made = add(app, receiver.url())
    app.server.post(f"/v1/webhooks/{made['id']}/test", {"type": "chat.poll.closed"}, expect=202)
    body = verified(receiver.wait(1)[0], made["secret"])
    assert (body["type"], body["data"]) == ("chat.poll.closed", catalogue(app)["chat.poll.closed"]["examples"][0])
    for wrong in ({"type": "chat.typing"}, {"type": "no.such"}, {"type": ""}, {"type": 7}, {"kind": "x"}, []):
        answer = app.server.post(f"/v1/webhooks/{made['id']}/test", wrong, expect=400).json()
        assert answer["code"] == "invalid_request", answer


def test_a_plugin_says_what_goes_out(gateway, receiver):
    app = new_app(gateway, transform=True)
    app.set_plugin("rewriter", enabled=True, config={})
    add(app, receiver.url())
    for text in ("fail for ever", "say nothing", "drop me", "rewrite me", "as it is"):
        say(app, text)
    receiver.wait(2)
    data = [json.loads(each.body)["data"] for each in receiver.at()]
    assert [each["text"] for each in data] == ["rewritten", "as it is"]
    assert data[0] == {"text": "rewritten"} and data[1]["user_id"] == "alice"
    path = f"/v1/webhooks/{app.server.get('/v1/webhooks', expect=200).json()['data'][0]['id']}/deliveries"
    def states():
        return [each["state"] for each in app.server.get(path, expect=200).json()["data"]]
    assert eventually(lambda: states() == ["succeeded", "succeeded", "succeeded", "pending", "pending"], 60), states()


def test_what_an_old_address_answers_does_not_end_the_new_one(gateway, receiver):
    app = new_app(gateway)
    made = add(app, receiver.url("/old"))
    receiver.answers["/old"] = [(410, {})]
    receiver.held["/old"] = threading.Event()
    said = say(app, "moved")
    receiver.wait(1, "/old")
    path = f"/v1/webhooks/{made['id']}"
    app.server.call("PATCH", path, {"url": receiver.url("/new")}, expect=200)
    receiver.held["/old"].set()
    assert json.loads(receiver.wait(1, "/new")[0].body)["data"]["id"] == said
    assert app.server.get(path, expect=200).json()["enabled"] is True


def test_what_nobody_wants_is_passed_over_and_written_down_by_and_by(sluice, receiver):
    gateway = sluice(configuration(), ["--loops", "2"])
    app = new_app(gateway)
    for number in range(20):
        say(app, f"nobody hears {number}")
    file = next(each for each in gateway.data.rglob(f"{app.id}.sqlite"))
    def behind() -> int:
        database = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        try:
            return database.execute(
                "SELECT (SELECT max(seq) FROM sluice_outbox) - seq FROM sluice_cursors WHERE listener = 'webhooks'").fetchone()[0]
        finally:
            database.close()
    assert eventually(lambda: behind() == 0, 60), behind()
    add(app, receiver.url())
    said = say(app, "somebody hears")
    assert json.loads(receiver.wait(1)[0].body)["data"]["id"] == said
    gateway.kill()
    gateway.start()
    last = say(app, "and after a crash")
    receiver.wait(2)
    assert {json.loads(each.body)["data"]["id"] for each in receiver.at()} == {said, last}
