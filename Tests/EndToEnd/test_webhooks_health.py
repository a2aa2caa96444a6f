"""Endpoints that do not take what they get: who is told of it, by events and by e-mail, before and after they are disabled."""

import json

import pytest

from post import Outbox
from program import shared
from test_webhooks import add, configuration, new_app, say


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, request):
    yield from shared(tmp_path_factory.mktemp("webhooks"), request, configuration(), ["--loops", "2"])


def test_the_app_is_told_by_event_and_by_letter_before_and_after(gateway, receiver):
    app = new_app(
        gateway, failing_after_seconds=0, disable_after_seconds=2, alert_email="ops@shop.example",
        schedule_seconds=[0] + [0.5] * 30)
    app.set_plugin("mailer", enabled=True, config={"product_name": "The shop"})
    receiver.answers["/broken?token=hush"] = [(500, {})]
    broken = add(app, receiver.url("/broken?token=hush"))
    add(app, receiver.url("/told"), events=["webhooks.endpoint.*"])
    say(app, "hello")
    told = [json.loads(each.body) for each in receiver.wait(2, "/told")]
    assert [each["type"] for each in told] == ["webhooks.endpoint.failing", "webhooks.endpoint.disabled"]
    for each in told:
        assert each["data"]["id"] == broken["id"] and "hush" not in each["data"]["url"]
    path = f"/v1/webhooks/{broken['id']}"
    assert app.server.get(path, expect=200).json()["disabled_reason"] == "failing"
    outbox = Outbox(gateway, app.id)
    for subject in ("The shop: a webhook is failing", "The shop: a webhook was disabled"):
        letters = outbox.messages("ops@shop.example", subject, 60)
        assert len(letters) == 1, subject
        text = letters[0].get_body(("plain",)).get_content()
        assert receiver.url("/broken") in text and broken["id"] in text and "hush" not in text
