"""What is due in chat at a time: reminders are told, and polls close by themselves, once and whatever dies in between."""

import json
import random
import sqlite3
import time
from contextlib import closing
from datetime import datetime, timedelta, timezone

import pytest

from plain import Plain
from program import eventually
from rooms import TYPES, chatting, path, personal, room
from test_events import rows
from workshop import lay_out_listener, with_plugins

DUE = ["chat.reminder.due", "chat.poll.closed"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A plugin that writes down what is due, as one that sends webhooks would."""
    folder = tmp_path_factory.mktemp("due")
    manifest = lay_out_listener(folder) / "plugin.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "listens": DUE}))
    return folder


def soon(seconds: float) -> str:
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).isoformat()


def say(user, channel: str, **message) -> str:
    return user.post(path(channel, "/messages"), {"text": "hello", **message}, expect=201).json()["id"]


def remind(user, message: str, at="2100-01-01T00:00:00Z") -> dict:
    return user.put(f"/v1/messages/{message}/reminder", {"remind_at": at}, expect=200).json()


def let_pass(gateway, app, spread: int):
    """Has the times come of what waits in an app, from now on for so many milliseconds, while the gateway does not run."""
    now = int(time.time() * 1000)
    with closing(sqlite3.connect(f"{gateway.data}/tenants/{app.id}.sqlite")) as database:
        database.execute("UPDATE chat_reminders SET remind_at = ? + abs(random()) % ? WHERE reminded_at IS NULL", (now, spread))
        database.execute("UPDATE chat_polls SET closes_at = ? + abs(random()) % ? WHERE closed_at IS NULL", (now, spread))
        database.commit()
    with closing(sqlite3.connect(f"{gateway.data}/control.sqlite")) as database:
        database.execute("UPDATE sluice_alarms SET wake_at = ?, try_at = ?", (now, now))
        database.commit()


def due(user) -> set[str]:
    return {kept["message_id"] for kept in user.get("/v1/reminders", params={"due": "true", "limit": 100}).json()["data"]}


def heard(gateway, app, kind: str) -> list[str]:
    """The messages of the events of a type that a listener has written down, sorted."""
    found = rows(gateway, app.id, "SELECT type, data FROM ear_heard")
    return sorted(json.loads(data)["message_id"] for type, data in found if type == kind)


def test_who_listens_hears_at_its_time_and_nobody_else_does(platform):
    app = chatting(platform, "Reminds", TYPES)
    channel = room()
    alice, bob = app.user("alice"), app.user("bob")
    message = say(bob, channel)
    with Plain(platform, app.token("alice")) as hers, Plain(platform, app.token("bob")) as his:
        personal(hers), personal(his)
        his.subscribe(f"chat:{channel}")
        for seconds in (1, 4, 16, 64):
            # A time that is past when it is asked for is refused.
            if alice.put(f"/v1/messages/{message}/reminder", {"remind_at": soon(seconds)}).status_code == 200:
                break
        poll = say(bob, channel, poll={"question": "Now?", "options": ["Yes", "No"], "closes_at": soon(1)})
        told = hers.hear(2)
        assert [event["type"] for event in told] == ["chat.reminder.updated", "chat.reminder.due"], told
        assert {event["channel"] for event in told} == {"#alice"} and told[1]["data"]["message_id"] == message
        assert told[1]["data"]["reminded_at"] >= told[1]["data"]["remind_at"]
        created, closed = his.hear(2)
        assert (created["type"], closed["type"]) == ("chat.message.created", "chat.poll.closed")
        assert closed["data"]["message_id"] == poll and "user_id" not in closed["data"]
    assert due(alice) == {message} and due(bob) == set()
    assert bob.get(f"/v1/messages/{poll}", expect=200).json()["poll"]["closed_at"] == closed["data"]["closed_at"]


def test_what_is_due_happens_once_over_kill_9_at_any_moment(sluice, folder):
    gateway = sluice(with_plugins(folder), ["--loops", 2])
    app = chatting(gateway, "Killed", TYPES)
    app.set_plugin("ear", enabled=True, config={"mode": "settle"})
    channel, alice = room(), app.user("alice")
    choice = random.Random(7)
    messages = [say(alice, channel) for _ in range(40)]
    for message in messages:
        remind(alice, message)
    poll = {"question": "Now?", "options": ["Yes", "No"], "closes_at": "2100-01-01T00:00:00Z"}
    polls = [say(alice, channel, poll=poll) for _ in range(20)]
    gateway.kill()
    let_pass(gateway, app, 2_000)
    for _ in range(6):
        gateway.start()
        time.sleep(choice.uniform(0.05, 0.5))
        gateway.kill()
    gateway.start()
    # Nobody asks the app for anything.
    assert eventually(lambda: len(heard(gateway, app, DUE[0])) >= 40 and len(heard(gateway, app, DUE[1])) >= 20, patience=30)
    gateway.stop()
    gateway.start()
    assert due(app.user("alice")) == set(messages)
    assert heard(gateway, app, DUE[0]) == sorted(messages)
    assert heard(gateway, app, DUE[1]) == sorted(polls)


def test_what_was_deleted_or_may_not_be_read_any_more_is_not_told(sluice, folder):
    gateway = sluice(with_plugins(folder))
    app = chatting(gateway, "Gone", TYPES)
    app.set_plugin("ear", enabled=True, config={"mode": "settle"})
    alice = app.user("alice")
    app.server.post("/v1/channels", {"type": "private", "id": "den", "members": ["alice", "bob"]}, expect=201)
    deleted, hidden, kept = say(alice, room()), say(alice, "private:den"), say(alice, room())
    for message in (deleted, hidden, kept):
        remind(alice, message)
    alice.call("DELETE", f"/v1/messages/{deleted}", expect=204)
    app.server.call("DELETE", "/v1/channels/private/den/members?user_id=alice", expect=204)
    gateway.stop()
    let_pass(gateway, app, 1)
    gateway.start()
    assert eventually(lambda: heard(gateway, app, DUE[0]))
    assert eventually(lambda: rows(gateway, app.id, "SELECT message FROM chat_reminders") == [(kept,)])
    assert heard(gateway, app, DUE[0]) == [kept] and due(alice) == {kept}
