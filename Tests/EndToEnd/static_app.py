"""An app that stands in the operator's file."""

import hashlib
import os

from client import mint


class StaticApp:
    """An app given by the operator's file, with a host name of its own."""

    def __init__(self, name: str):
        self.id = name
        self.host = f"{name}.sluice.test"
        self.secret = "sk_" + hashlib.sha256(name.encode() + os.urandom(8)).hexdigest()
        self.signing_secret = f"ss_{name}_signing_secret_of_32_bytes_or_more"

    def configuration(self) -> dict:
        digest = hashlib.sha256(self.secret.encode()).hexdigest()
        return {
            "id": self.id, "hosts": [self.host],
            "plugins": {
                "auth": {}, "realtime": {}, "uploads": {}, "webhooks": {},
                "chat": {"config": {"types": {"messaging": {"open": True}, "private": {"open": False}}}},
            },
            "keys": [{"id": "main", "secret_sha256": digest, "kind": "secret", "scopes": ["*"]}],
            "secrets": {"signing": self.signing_secret},
        }

    def token(self, user: str) -> str:
        return mint(self.signing_secret, self.id, user)
