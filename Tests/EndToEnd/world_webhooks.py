"""The requests to webhooks that succeed, as `world.py` has them for every operation."""

import hashlib
import hmac

from ask import Ask

# An address of documentation (RFC 5737), where nobody is and where the gateway goes for nobody.
NOWHERE = "https://192.0.2.1/hook"
LONG_AGO = "2026-01-01T00:00:00Z"
SOURCE = {"kind": "github", "secret": "the shop's secret"}


class WebhookAsks:
    """A part of `World`, whose app it speaks of."""

    def new_endpoint(self) -> str:
        return self.app.server.post("/v1/webhooks", {"url": NOWHERE, "events": ["nothing.*"]}, expect=201).json()["id"]

    def new_delivery(self) -> str:
        return self.app.server.post(f"/v1/webhooks/{self.endpoint}/test", expect=202).json()["id"]

    def new_replay(self) -> str:
        return self.app.server.post(f"/v1/webhooks/{self.endpoint}/replay", {"since": LONG_AGO}, expect=202).json()["id"]

    def _createWebhook(self):
        return Ask(self.app.server, body={"url": NOWHERE, "events": ["chat.*"]})

    def _changeWebhook(self):
        return Ask(self.app.server, path={"id": self.new_endpoint()}, body={"rate_limit": 10})

    def _deleteWebhook(self):
        return Ask(self.app.server, path={"id": self.new_endpoint()})

    def _rotateWebhookSecret(self):
        return Ask(self.app.server, path={"id": self.new_endpoint()}, body={"grace_seconds": 60})

    def _testWebhook(self):
        return Ask(self.app.server, path={"id": self.endpoint})

    def _retryWebhookDelivery(self):
        return Ask(self.app.server, path={"id": self.endpoint, "delivery": self.delivery})

    def _replayWebhook(self):
        return Ask(self.app.server, path={"id": self.endpoint}, body={"since": LONG_AGO})

    def _recoverWebhook(self):
        return Ask(self.app.server, path={"id": self.endpoint}, body={"since": LONG_AGO})

    def new_source(self, name: str) -> str:
        return self.app.server.put(f"/v1/hook-sources/{name}", SOURCE, expect=200).json()["name"]

    def _putHookSource(self):
        return Ask(self.app.server, path={"source": "shop"}, body=SOURCE)

    def _deleteHookSource(self):
        return Ask(self.app.server, path={"source": self.new_source(f"shop-{next(self.numbers)}")})

    def _receiveHook(self):
        body = b'{"n": 1}'
        signature = hmac.new(SOURCE["secret"].encode(), body, hashlib.sha256).hexdigest()
        return Ask(
            self.nobody, path={"source": "shop"}, query={"app": self.app.id}, content=body, content_type="application/json",
            headers={"X-Hub-Signature-256": f"sha256={signature}"})
