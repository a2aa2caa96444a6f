"""Apps with chat, and channels in them."""

import uuid

from client import Account
from plain import Plain

TYPES = {"messaging": {"open": True}, "private": {"open": False}}


def chatting(platform, name: str, types: dict):
    """An app with these types of channel, whose users hear what is theirs in channels of their own."""
    app = Account(platform.url).app(name)
    app.set_plugin("realtime", enabled=True, config={"personal_channel": True})
    app.set_plugin("chat", enabled=True, config={"types": types})
    return app


# Who has missed more than so many publications of a forgetful app is not given them.
RECOVERED = 10


def forgetful(app):
    """The same app, where soon too much has been missed for it to be given to who comes back."""
    app.set_plugin("realtime", enabled=True, config={"personal_channel": True, "recovery_limit": RECOVERED})
    return app


def room() -> str:
    """A channel that comes to be with its first message."""
    return "messaging:" + uuid.uuid4().hex


def den(app, *members: str) -> str:
    """A closed channel of Alice's."""
    id = uuid.uuid4().hex
    app.user("alice").post("/v1/channels", {"type": "private", "id": id, "members": ["alice", *members]}, expect=201)
    return "private:" + id


def path(channel: str, rest: str = "") -> str:
    return "/v1/channels/" + channel.replace(":", "/") + rest


def personal(client: Plain) -> Plain:
    """The same client, which has heard that it listens to its user's own channel."""
    told, = client.hear()
    assert (told["type"], told["code"]) == ("system_message", "subscribed"), told
    return client
