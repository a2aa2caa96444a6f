"""Events on their way to an app's servers: one that hangs, settings that change, what is logged and sent again."""

import json
import threading

import pytest

from program import at_once, eventually, shared
from test_webhooks import add, configuration, new_app, say


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, request):
    yield from shared(tmp_path_factory.mktemp("webhooks"), request, configuration(), ["--loops", "2"])


def texts(receiver, path="/") -> list[str]:
    return [json.loads(each.body)["data"]["text"] for each in receiver.at(path)]


def deliveries(app, hook: dict, query="") -> list[dict]:
    return app.server.get(f"/v1/webhooks/{hook['id']}/deliveries{query}", expect=200).json()["data"]


def test_an_endpoint_that_hangs_holds_up_no_other(gateway, receiver):
    app = new_app(gateway, timeout_ms=60_000)
    for path in ("/hangs", "/hangs-too"):
        receiver.held[path] = threading.Event()
        add(app, receiver.url(path))
    add(app, receiver.url("/quick"))
    said = [say(app, f"{number}") and f"{number}" for number in range(20)]
    receiver.wait(20, "/quick")
    receiver.wait(1, "/hangs"), receiver.wait(1, "/hangs-too")
    assert sorted(texts(receiver, "/quick")) == sorted(said)
    # One attempt at a time, until it answers.
    assert len(receiver.at("/hangs")) == len(receiver.at("/hangs-too")) == 1
    for event in receiver.held.values():
        event.set()
    receiver.wait(20, "/hangs")


def test_events_of_a_channel_come_in_their_order(gateway, receiver):
    app = new_app(gateway)
    add(app, receiver.url(), ordered=True, events=["chat.message.created"])
    receiver.answers["/"] = [(500, {}), (200, {}), (503, {}), (200, {})]
    for number in range(10):
        say(app, f"{number}")
    receiver.wait(12)
    taken = list(dict.fromkeys(texts(receiver)))
    assert taken == [f"{number}" for number in range(10)]


def test_settings_that_change_meanwhile_lose_nothing(gateway, receiver):
    app = new_app(gateway)
    add(app, receiver.url(), events=["chat.message.created"])
    said = []

    def visit(number):
        if number == 0:
            for turn in range(3):
                app.set_plugin("webhooks", enabled=True, config={"schedule_seconds": [0, 0.2, 0.2, 0.2], "retention_hours": 100 + turn})
        else:
            said.extend(say(app, f"{number}-{each}") and f"{number}-{each}" for each in range(10))

    at_once(3, visit)
    assert eventually(lambda: set(said) <= set(texts(receiver)), 180), set(said) - set(texts(receiver))


def test_the_log_shows_attempts_and_sends_again(gateway, receiver):
    app = new_app(gateway, schedule_seconds=[0, 0.2])
    hook = add(app, receiver.url(), headers={"Authorization": "Bearer hush"})
    receiver.answers["/"] = [(500, {}), (500, {}), (200, {})]
    say(app, "hello")
    receiver.wait(2)
    failed = eventually(lambda: deliveries(app, hook, "?state=failed"), 60)
    assert failed and failed[0]["attempts"] == 2 and failed[0]["last_status"] == 500
    path = f"/v1/webhooks/{hook['id']}/deliveries/{failed[0]['id']}"
    shown = app.server.get(path, expect=200)
    assert [each["response"]["status"] for each in shown.json()["log"]] == [500, 500] and "hush" not in shown.text
    assert shown.json()["payload"] == json.loads(receiver.at()[0].body)
    app.server.post(f"{path}/retry", expect=202)
    again = receiver.wait(3)[2]
    assert again.id == failed[0]["event_id"] and again.headers["authorization"] == "Bearer hush"
    assert eventually(lambda: deliveries(app, hook, "?state=succeeded"), 60)
    counts = app.server.get(f"/v1/webhooks/{hook['id']}/stats", expect=200).json()
    assert (counts["succeeded"], counts["failed"], counts["pending"]) == (1, 2, 0)


def test_what_was_missed_is_recovered_and_a_range_is_replayed(gateway, receiver):
    app = new_app(gateway)
    hook = add(app, receiver.url(), events=["chat.message.created"])
    path = f"/v1/webhooks/{hook['id']}"
    receiver.answers["/"] = [(410, {}), (200, {})]
    say(app, "gone")
    assert eventually(lambda: not app.server.get(path, expect=200).json()["enabled"], 60)
    say(app, "missed")
    assert eventually(lambda: deliveries(app, hook, "?state=missed"), 60)
    app.server.post(f"{path}/test", expect=409)
    app.server.call("PATCH", path, {"enabled": True}, expect=200)
    began = app.server.post(f"{path}/recover", {"since": "2026-01-01T00:00:00Z"}, expect=202).json()
    receiver.wait(3)
    assert sorted(texts(receiver)) == ["gone", "gone", "missed"]
    def replay(kind: str) -> dict:
        return app.server.get(f"{path}/replays/{kind}", expect=200).json()
    assert eventually(lambda: replay(began["id"])["status"] == "done", 60)
    assert replay(began["id"])["queued"] == 2
    again = app.server.post(f"{path}/replay", {"since": "2026-01-01T00:00:00Z"}, expect=202).json()
    receiver.wait(5)
    assert eventually(lambda: replay(again["id"])["status"] == "done", 60)


def test_lists_go_on_where_they_ended(gateway, receiver):
    app = new_app(gateway)
    hook = add(app, receiver.url(), events=["nothing.at.all"])
    made = {app.server.post(f"/v1/webhooks/{hook['id']}/test", expect=202).json()["id"] for _ in range(5)}
    receiver.wait(5)
    assert eventually(lambda: len(deliveries(app, hook, "?state=succeeded")) == 5, 60)
    for query in ("", "state=succeeded&"):
        found, after = [], ""
        while True:
            page = app.server.get(f"/v1/webhooks/{hook['id']}/deliveries?{query}limit=2{after}", expect=200).json()
            found += [each["id"] for each in page["data"]]
            if not page["next"]:
                break
            after = f"&after={page['next']}"
        assert len(found) == 5 and set(found) == made
