"""Events that others send to an app: verified, taken once, and events of the app's from then on."""

import hashlib
import hmac
import json
import time
from datetime import datetime, timezone

import pytest
import requests
from standardwebhooks import Webhook

from program import shared
from test_webhooks import add, configuration, new_app

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, request):
    yield from shared(tmp_path_factory.mktemp("webhooks"), request, configuration(), ["--loops", "2"])


def send(app, source: str, body: bytes, **fields) -> int:
    headers = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in fields.items()}}
    return requests.post(f"{app.server.url}/v1/hooks/{source}?app={app.id}", data=body, headers=headers, timeout=60).status_code


def standard(body: bytes, id="msg_1", secret=SECRET) -> dict[str, str]:
    now = datetime.now(timezone.utc)
    signature = Webhook(secret).sign(id, now, body.decode())
    return {"webhook_id": id, "webhook_timestamp": str(int(now.timestamp())), "webhook_signature": signature}


def digest(secret: str, text: bytes) -> str:
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def test_what_others_sign_becomes_events(gateway, receiver):
    app = new_app(gateway)
    add(app, receiver.url(), events=["webhooks.hook.received"])
    for name, kind, secret in [("std", "standard", SECRET), ("pay", "stripe", "whsec_pay"), ("code", "github", "hush hush")]:
        made = app.server.put(f"/v1/hook-sources/{name}", {"kind": kind, "secret": secret}, expect=200)
        assert secret not in made.text and made.json()["kind"] == kind
    assert [each["name"] for each in app.server.get("/v1/hook-sources", expect=200).json()["data"]] == ["code", "pay", "std"]
    now = str(int(time.time()))
    body = b'{"id": "evt_7", "what": "paid"}'
    stripe = {"stripe_signature": f"t={now},v1={digest('whsec_pay', now.encode() + b'.' + body)}"}
    github = {"x_hub_signature_256": "sha256=" + digest("hush hush", body), "x_github_delivery": "one"}
    for source, fields in [("std", standard(body)), ("pay", stripe), ("code", github)]:
        assert send(app, source, body, **fields) == 204
        # Again, and under another name where that is not signed: it is taken, and nothing comes of it.
        assert send(app, source, body, **{**fields, "x_github_delivery": "two"}) == 204
        assert send(app, source, body + b" ", **fields) == 401
    assert send(app, "std", body, **standard(body, secret="whsec_" + "A" * 32)) == 401
    assert send(app, "nobody", body, **standard(body)) == 404
    assert send(app, "std", b"last", **standard(b"last", "msg_2")) == 400
    assert send(app, "std", b"{}", **standard(b"{}", "msg_3")) == 204
    come = [json.loads(each.body)["data"] for each in receiver.wait(4)]
    assert sorted(each["source"] for each in come) == ["code", "pay", "std", "std"]
    assert {each["id"] for each in come if each["source"] == "pay"} == {"evt_7"}
    assert [each["payload"] for each in come if each["source"] == "code"] == [json.loads(body)]
