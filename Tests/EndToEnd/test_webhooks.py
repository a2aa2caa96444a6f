"""An app's events at its servers: signed as Standard Webhooks says, each at least once, whatever is killed when."""

import base64
import json

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook as StandardWebhook
from standardwebhooks import WebhookVerificationError
from svix.webhooks import Webhook as SvixWebhook

from client import Account
from program import at_once, eventually, shared
from workshop import with_plugins

# Every pause a moment, so that what fails is tried again at once.
QUICK = {"schedule_seconds": [0, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2], "jitter_percent": 0, "timeout_ms": 5000}


def configuration() -> dict:
    return with_plugins(client={"allow_networks": ["127.0.0.0/8"]})


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, request):
    yield from shared(tmp_path_factory.mktemp("webhooks"), request, configuration(), ["--loops", "2"])


def new_app(gateway, **settings):
    app = Account(gateway.url).app("Hooked")
    app.set_plugin("webhooks", enabled=True, config={**QUICK, **settings})
    app.server.post("/v1/channels", {"type": "messaging", "id": "general", "members": ["alice"]}, expect=201)
    return app


def say(app, text: str, channel="general") -> str:
    path = f"/v1/channels/messaging/{channel}/messages"
    return app.server.post(path, {"text": text, "user_id": "alice"}, expect=201).json()["id"]


def add(app, url: str, **more) -> dict:
    return app.server.post("/v1/webhooks", {"url": url, "events": ["chat.message.*"], **more}, expect=201).json()


def verified(arrival, *secrets: str) -> dict:
    """What both verifiers make of it, with each secret."""
    for secret in secrets:
        for verifier in (StandardWebhook, SvixWebhook):
            verifier(secret).verify(arrival.body, arrival.headers)
    return json.loads(arrival.body)


def test_what_both_verifiers_accept(gateway, receiver):
    app = new_app(gateway)
    made = add(app, receiver.url())
    assert made["secret"].startswith("whsec_") and made["id"].startswith("whk_")
    said = say(app, "hello")
    arrival = receiver.wait(1)[0]
    body = verified(arrival, made["secret"])
    assert set(body) == {"type", "timestamp", "data"}
    assert body["type"] == "chat.message.created" and body["data"]["id"] == said, body
    assert arrival.id.startswith("evt_") and arrival.headers["content-type"] == "application/json"
    broken = dict(arrival.headers)
    with pytest.raises(WebhookVerificationError):
        StandardWebhook(made["secret"]).verify(arrival.body + b" ", broken)
    assert "secret" not in app.server.get(f"/v1/webhooks/{made['id']}", expect=200).json()


def test_both_secrets_sign_while_one_is_rotated_out(gateway, receiver):
    app = new_app(gateway)
    made = add(app, receiver.url())
    turned = app.server.post(f"/v1/webhooks/{made['id']}/rotate-secret", {"grace_seconds": 3600}, expect=200).json()
    assert turned["secret"] != made["secret"]
    say(app, "both")
    arrival = receiver.wait(1)[0]
    assert len(arrival.headers["webhook-signature"].split(" ")) == 2
    verified(arrival, made["secret"], turned["secret"])
    last = app.server.post(f"/v1/webhooks/{made['id']}/rotate-secret", {"grace_seconds": 0}, expect=200).json()
    say(app, "one")
    arrival = receiver.wait(2)[1]
    verified(arrival, last["secret"])
    with pytest.raises(WebhookVerificationError):
        StandardWebhook(turned["secret"]).verify(arrival.body, arrival.headers)


def test_an_asymmetric_key_is_verified_with_its_public_half(gateway, receiver):
    app = new_app(gateway)
    made = add(app, receiver.url(), signing="v1a")
    assert "secret" not in made and made["public_key"].startswith("whpk_")
    say(app, "hello")
    arrival = receiver.wait(1)[0]
    scheme, signature = arrival.headers["webhook-signature"].split(",")
    assert scheme == "v1a"
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(made["public_key"].removeprefix("whpk_")))
    signed = f"{arrival.id}.{arrival.headers['webhook-timestamp']}.".encode() + arrival.body
    key.verify(base64.b64decode(signature), signed)
    with pytest.raises(InvalidSignature):
        key.verify(base64.b64decode(signature), signed + b" ")


def test_a_retry_has_the_same_id_and_the_time_of_the_attempt(gateway, receiver):
    app = new_app(gateway, schedule_seconds=[0, 1.5, 1.5])
    made = add(app, receiver.url())
    receiver.answers["/"] = [(500, {}), (302, {"Location": receiver.url("/elsewhere")}), (204, {})]
    say(app, "again")
    first, second, third = receiver.wait(3)
    assert first.id == second.id == third.id and first.body == third.body
    assert int(first.headers["webhook-timestamp"]) < int(third.headers["webhook-timestamp"])
    verified(third, made["secret"])
    assert receiver.at("/elsewhere") == []


def test_nothing_is_lost_when_the_gateway_is_killed(sluice, receiver):
    gateway = sluice(configuration(), ["--loops", "2"])
    app = new_app(gateway)
    add(app, receiver.url())
    # Some are under way, some wait and some have failed when it dies.
    receiver.answers["/"] = [(500, {})] * 3 + [(200, {})]
    said = []
    at_once(4, lambda number: said.extend(say(app, f"{number}-{each}") for each in range(10)))
    gateway.kill()
    gateway.start()
    def ids():
        return {json.loads(each.body)["data"]["id"] for each in receiver.at()}
    assert eventually(lambda: set(said) <= ids(), 60), f"{len(set(said) - ids())} have not come"


def test_what_an_endpoint_can_be(gateway, receiver):
    app = new_app(gateway)
    for wrong in ("ftp://example.com/", "https://", "https://user:pw@example.com/", "https://example.com/#a", "https://example.com:0/", "https://exa mple.com/"):
        answer = app.server.post("/v1/webhooks", {"url": wrong, "events": ["*"]}, expect=400).json()
        assert answer["errors"][0]["pointer"] == "/url", answer
    for name in ("webhook-id", "Host", "a b", "Content-Length"):
        app.server.post("/v1/webhooks", {"url": receiver.url(), "events": ["*"], "headers": {name: "x"}}, expect=400)
    made = add(app, receiver.url(), description="First", rate_limit=5, headers={"X-Who": "me"})
    assert made["headers"] == ["x-who"] and made["rate_limit"] == 5 and made["enabled"]
    path = f"/v1/webhooks/{made['id']}"
    changed = app.server.call("PATCH", path, {"rate_limit": None, "enabled": False, "channels": ["chat:messaging:*"]}, expect=200).json()
    assert "rate_limit" not in changed and changed["disabled_reason"] == "user" and changed["channels"] == ["chat:messaging:*"]
    assert [each["id"] for each in app.server.get("/v1/webhooks", expect=200).json()["data"]] == [made["id"]]
    app.server.call("DELETE", path, expect=204)
    app.server.get(path, expect=404)
    app.server.call("DELETE", path, expect=404)
    assert app.server.get("/v1/webhooks", expect=200).json() == {"data": [], "next": None}


def test_headers_channels_and_thin_payloads(gateway, receiver):
    app = new_app(gateway)
    app.server.post("/v1/channels", {"type": "messaging", "id": "other", "members": ["alice"]}, expect=201)
    add(app, receiver.url("/one"), channels=["chat:messaging:other"], headers={"X-Who": "me"})
    made = add(app, receiver.url("/thin"), payload="thin")
    say(app, "general")
    say(app, "other", channel="other")
    thin = receiver.wait(2, "/thin")
    one = receiver.wait(1, "/one")
    assert [json.loads(each.body)["data"]["text"] for each in one] == ["other"]
    assert one[0].headers["x-who"] == "me"
    for each in thin:
        body = verified(each, made["secret"])
        assert body["data"] == {"id": each.id, "channel": body["data"]["channel"]}
