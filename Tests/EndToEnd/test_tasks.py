"""What is done for the app's server while nobody waits: everything of a user's written down, removed, and brought from elsewhere."""

import contextlib
import json
import sqlite3
import uuid

import pytest

from program import eventually
from rooms import TYPES, chatting, den, path

LINES = {"Content-Type": "application/x-ndjson"}


@pytest.fixture(scope="module")
def app(platform):
    return chatting(platform, "Tasks", TYPES)


def finished(app, kind: str, id: str, patience=60) -> dict:
    """A task when it has come to an end; nobody does anything for that but to look."""
    def look():
        task = app.server.get(f"/v1/{kind}/{id}", expect=200).json()
        return task if task["status"] in ("done", "failed") else None

    task = eventually(look, patience)
    assert task, f"{id} does not end: {app.server.get(f'/v1/{kind}/{id}').text}"
    return task


def begun(app, kind: str, **body) -> str:
    return app.server.post(f"/v1/{kind}", body, expect=202).json()["id"]


def exported(app, user: str) -> list[dict]:
    id = begun(app, "exports", user_id=user)
    assert finished(app, "exports", id)["status"] == "done"
    content = app.server.get(f"/v1/exports/{id}/content", expect=200)
    assert content.headers["content-type"] == "application/x-ndjson"
    # What is cut short is known by it.
    assert int(content.headers["content-length"]) == len(content.content) > 0
    return [json.loads(line) for line in content.text.splitlines()]


def imported(app, lines: list[dict | str], on_error="skip") -> dict:
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    made = app.server.call("POST", f"/v1/imports?on_error={on_error}", data=text.encode(), headers=LINES, expect=202).json()
    return finished(app, "imports", made["id"])


def errors(app, task: dict) -> list[tuple[int, str]]:
    page = app.server.get(f"/v1/imports/{task['id']}/errors?limit=100", expect=200).json()
    return [(each["line"], each["error"]) for each in page["data"]]


def live(app, user: str, marker: str) -> dict:
    """A user who has done all that there is to do, with a marker in whatever he says."""
    channel = den(app, user, "bob")
    him, alice, bob = app.user(user), app.user("alice"), app.user("bob")
    say = lambda client, **members: client.post(path(channel, "/messages"), members, expect=201).json()["id"]  # noqa: E731
    first = say(him, text=f"{marker} first", custom={"x": marker}, attachments=[{"type": "file", "title": marker}], mentions=["bob"])
    him.call("PATCH", f"/v1/messages/{first}", {"text": f"{marker} better"}, expect=200)
    answered = say(him, text=f"{marker} question")
    reply = say(bob, text="an answer", parent_id=answered)
    say(him, text=f"{marker} back", parent_id=answered)
    of_bob = say(bob, text="bob's own", mentions=[user, "alice"])
    say(him, text=f"{marker} in bob's", parent_id=of_bob, show_in_channel=True)
    poll = say(bob, poll={"question": "Where?", "options": ["Here", "There"]})
    him.put(f"/v1/messages/{poll}/poll/votes", {"option_ids": [1]}, expect=200)
    bob.put(f"/v1/messages/{poll}/poll/votes", {"option_ids": [1]}, expect=200)
    him.put(f"/v1/messages/{of_bob}/reactions/like", expect=200)
    him.post(path(channel, "/read"), {"message_id": of_bob}, expect=200)
    him.put(path(channel, "/draft"), {"text": f"{marker} draft"}, expect=200)
    him.put(f"/v1/messages/{of_bob}/reminder", {"remind_at": "2100-01-01T00:00:00Z"}, expect=200)
    him.put("/v1/mutes/bob", expect=200)
    alice.put(f"/v1/mutes/{user}", expect=200)
    him.post(f"/v1/messages/{of_bob}/flag", {"reason": "spam"}, expect=201)
    bob.post(f"/v1/messages/{first}/flag", {"reason": "no"}, expect=201)
    deleted = say(him, text=f"{marker} deleted")
    him.call("DELETE", f"/v1/messages/{deleted}", expect=204)
    return {"channel": channel, "first": first, "answered": answered, "reply": reply, "of_bob": of_bob, "poll": poll}


def test_an_export_has_everything_of_a_user(app):
    user = "user-" + uuid.uuid4().hex
    things = live(app, user, "mark")
    lines = exported(app, user)
    kinds = [line["type"] for line in lines]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "member": 1, "message": 4, "edit": 1, "reaction": 1, "vote": 1, "read": 1, "thread": 2, "draft": 1, "mention": 1, "mute": 1, "flag": 1, "reminder": 1}
    first = next(line for line in lines if line.get("id") == things["first"])
    shown = app.user(user).get(f"/v1/messages/{things['first']}", expect=200).json()
    assert {name: first[name] for name in ("id", "channel", "user_id", "text", "attachments", "mentions", "custom", "created_at", "updated_at")} == \
        {name: shown[name] for name in ("id", "channel", "user_id", "text", "attachments", "mentions", "custom", "created_at", "updated_at")}
    assert next(line for line in lines if line["type"] == "edit")["text"] == "mark first"
    reminder = next(line for line in lines if line["type"] == "reminder")
    assert (reminder["message_id"], reminder["channel"], reminder["remind_at"]) == (things["of_bob"], things["channel"], "2100-01-01T00:00:00.000Z")
    assert "bob's own" not in json.dumps(lines) and "an answer" not in json.dumps(lines)


def test_of_an_erased_user_nothing_is_left(sluice):
    gateway = sluice()
    app = chatting(gateway, "Erasing", TYPES)
    marker, user = "mark" + uuid.uuid4().hex, "user-" + uuid.uuid4().hex
    things = live(app, user, marker)
    begun_export = begun(app, "exports", user_id=user)
    finished(app, "exports", begun_export)
    id = begun(app, "erasures", user_id=user)
    gateway.kill()
    gateway.start()
    done = finished(app, "erasures", id)
    assert (done["status"], done["progress"]) == ("done", 100) and "user_id" not in done
    app.server.get(f"/v1/exports/{begun_export}", expect=404)
    alice = app.user("alice")
    channel = things["channel"]
    listed = alice.get(path(channel, "/messages?limit=100"), expect=200).json()["data"]
    assert sorted(message["id"] for message in listed) == sorted([things["of_bob"], things["poll"]])
    of_bob = alice.get(f"/v1/messages/{things['of_bob']}", expect=200).json()
    assert of_bob["mentions"] == ["alice"] and "reply_count" not in of_bob and "reactions" not in of_bob
    assert [option.get("votes", 0) for option in alice.get(f"/v1/messages/{things['poll']}", expect=200).json()["poll"]["options"]] == [1, 0]
    # The reply of another stays, in a thread whose first message says nothing.
    alice.get(f"/v1/messages/{things['answered']}", expect=404)
    assert [message["id"] for message in alice.get(f"/v1/messages/{things['answered']}/replies", expect=200).json()["data"]] == [things["reply"]]
    assert alice.get("/v1/search", params={"q": marker}, expect=200).json()["data"] == []
    assert app.server.get(f"/v1/channels?member={user}", expect=200).json()["data"] == []
    history = app.server.get(f"/v1/history/chat:{channel}?limit=100", expect=200).text
    assert marker not in history
    # Again there is nothing to do, and he may come anew.
    assert finished(app, "erasures", begun(app, "erasures", user_id=user))["status"] == "done"
    app.server.post(path(channel, "/members"), {"members": [user]}, expect=200)
    app.user(user).post(path(channel, "/messages"), {"text": "here again"}, expect=201)
    assert gateway.stop() == 0
    file, = (gateway.data / "tenants").glob(f"{app.id}.sqlite")
    with contextlib.closing(sqlite3.connect(file)) as database:
        tables = [name for name, in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'chat_%'")]
        left = {table for table in tables for row in database.execute(f'SELECT * FROM "{table}"') if marker in str(row)}
    assert left == set()
    assert marker.encode() not in file.read_bytes()


def test_messages_of_an_erased_user_may_stay_without_him(app):
    user = "user-" + uuid.uuid4().hex
    things = live(app, user, "kept")
    assert finished(app, "erasures", begun(app, "erasures", user_id=user, messages="anonymise"))["status"] == "done"
    alice = app.user("alice")
    first = alice.get(f"/v1/messages/{things['first']}", expect=200).json()
    assert first["text"] == "kept better" and first["user_id"].startswith("erased_")
    listed = alice.get(path(things["channel"], "/messages?limit=100"), expect=200).text
    assert user not in listed and listed.count(first["user_id"]) >= 3
    events = [event for event in app.server.get(f"/v1/history/chat:{things['channel']}?limit=100", expect=200).json()["data"]
              if event["type"].startswith("chat.message.")]
    assert events and user not in str(events)
    thread = alice.get(f"/v1/messages/{things['answered']}", expect=200).json()
    assert thread["reply_count"] == 2 and user not in thread["participants"]


def conversation(name: str, count: int) -> list[dict]:
    """A channel of three with messages, the last two of which are not read by Carol, and none by Dora, who came in the middle."""
    stamp = lambda number: f"2025-01-01T{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}.000Z"  # noqa: E731
    said = [{"type": "message", "id": f"{name}-{number}", "channel": f"private:{name}", "user_id": "bob", "text": f"number {number}",
             "created_at": stamp(number)} for number in range(count)]
    return [
        {"type": "read", "channel": f"private:{name}", "user_id": "carol", "message_id": f"{name}-{count - 3}"},
        *({"type": "member", "channel": f"private:{name}", "user_id": user, "role": role, "created_at": stamp(since)}
          for user, role, since in [("bob", "owner", 0), ("carol", "member", 0), ("dora", "member", count - 6)]),
        *said,
        {"type": "message", "id": f"{name}-reply", "channel": f"private:{name}", "user_id": "dora", "text": "a reply", "parent_id": f"{name}-0",
         "created_at": stamp(count)},
        {"type": "reaction", "message_id": f"{name}-1", "user_id": "carol", "reaction": "like"},
        {"type": "channel", "channel": f"private:{name}", "data": {"name": "Old times"}, "created_by": "bob", "created_at": stamp(0)},
    ]


def test_what_is_imported_is_as_it_was(app):
    name = uuid.uuid4().hex
    lines = conversation(name, 120)
    task = imported(app, lines)
    assert (task["status"], task["total"], task["lines"], task["refused"], task["progress"]) == ("done", len(lines), len(lines), 0, 100), errors(app, task)
    carol, dora = app.user("carol"), app.user("dora")
    record = carol.get(f"/v1/channels/private/{name}", expect=200).json()
    assert (record["data"], record["member_count"], record["created_at"]) == ({"name": "Old times"}, 3, "2025-01-01T00:00:00.000Z")
    page = carol.get(f"/v1/channels/private/{name}/messages?limit=100", expect=200).json()["data"]
    assert [message["id"] for message in page] == [f"{name}-{number}" for number in range(119, 19, -1)]
    assert page[0]["created_at"] == "2025-01-01T00:01:59.000Z"
    assert carol.get(f"/v1/messages/{name}-0", expect=200).json()["reply_count"] == 1
    unread = lambda client: {each["channel"]: each["unread"] for each in client.get("/v1/unread?limit=100", expect=200).json()["data"]}  # noqa: E731
    assert (unread(carol)[f"private:{name}"], unread(dora)[f"private:{name}"]) == (2, 5)
    assert [message["id"] for message in carol.get("/v1/search", params={"q": "number 77", "channel": f"private:{name}"}, expect=200).json()["data"]] == [f"{name}-77"]
    # Nobody is told, and the same again changes nothing.
    assert app.server.get(f"/v1/history/chat:private:{name}", expect=200).json()["offset"] == 0
    again = imported(app, lines)
    assert (again["status"], again["refused"]) == ("done", 0)
    assert carol.get(f"/v1/channels/private/{name}/messages?limit=100", expect=200).json()["data"] == page
    assert unread(carol)[f"private:{name}"] == 2


def test_imported_threads_are_read_up_to_where_lines_say(app):
    name = uuid.uuid4().hex
    said = {"type": "message", "channel": f"private:{name}"}
    reply = lambda number, user, minute: {  # noqa: E731
        **said, "id": f"{name}-{number}", "user_id": user, "text": "a reply", "parent_id": f"{name}-topic", "created_at": f"2025-01-01T00:{minute:02d}:00Z"}
    lines = [
        {"type": "channel", "channel": f"private:{name}"},
        *({"type": "member", "channel": f"private:{name}", "user_id": user, "created_at": "2024-01-01T00:00:00Z"} for user in ("bob", "carol")),
        {**said, "id": f"{name}-topic", "user_id": "bob", "text": "topic", "created_at": "2025-01-01T00:00:00Z"},
        # The newest is not the last that comes.
        reply(1, "carol", 10), reply(2, "bob", 30), reply(3, "carol", 20),
        {"type": "read", "channel": f"private:{name}", "user_id": "bob", "message_id": f"{name}-1"}]
    task = imported(app, lines)
    assert (task["status"], task["refused"]) == ("done", 0), errors(app, task)
    topic = app.user("bob").get(f"/v1/messages/{name}-topic", expect=200).json()
    assert (topic["reply_count"], topic["latest_reply_at"]) == (3, "2025-01-01T00:30:00.000Z")
    unread = lambda user: {  # noqa: E731
        each["message"]["id"]: each["unread"] for each in app.user(user).get("/v1/threads?limit=100", expect=200).json()["data"]}[f"{name}-topic"]
    assert (unread("bob"), unread("carol")) == (1, 1)


def test_wrong_lines_are_named_and_the_others_kept_or_all_refused(app):
    name = uuid.uuid4().hex
    lines = [
        {"type": "channel", "channel": f"private:{name}"}, "{", {"type": "nonsense"}, {"type": "channel", "channel": f"none:{name}"},
        {"type": "message", "id": f"{name}-a", "channel": f"private:{name}", "user_id": "bob", "text": "good", "created_at": "2025-01-01T00:00:00Z"},
        {"type": "message", "id": f"{name}-a", "channel": f"private:{name}", "user_id": "bob", "text": "other", "created_at": "2025-01-01T00:00:00Z"},
        {"type": "message", "id": f"{name}-b", "channel": "private:missing", "user_id": "bob", "text": "x", "created_at": "2025-01-01T00:00:00Z"},
        {"type": "message", "id": f"{name}-c", "channel": f"private:{name}", "user_id": "bob", "text": "x", "created_at": "2025-01-01T00:00:00Z", "parent_id": "none"},
        {"type": "message", "id": f"{name}-d", "channel": f"private:{name}", "user_id": "bob", "created_at": "2025-01-01T00:00:00Z"},
        {"type": "message", "id": f"{name}-e", "channel": f"private:{name}", "user_id": "bob", "text": "x", "created_at": "2025-01-01T00:00:00Z", "extra": 1},
        {"type": "member", "channel": f"private:{name}", "user_id": "bob", "role": "king"},
        {"type": "reaction", "message_id": "none", "user_id": "bob", "reaction": "like"},
    ]
    refused = imported(app, lines, on_error="refuse")
    assert (refused["status"], refused["refused"]) == ("failed", 10) and "10 lines" in refused["error"], errors(app, refused)
    assert [number for number, _ in errors(app, refused)] == [2, 3, 4, 6, 7, 8, 9, 10, 11, 12]
    app.server.get(f"/v1/channels/private/{name}", expect=404)
    skipped = imported(app, lines)
    assert (skipped["status"], skipped["refused"], skipped["lines"]) == ("done", 10, 12)
    assert errors(app, skipped)[0][0] == 2 and dict(errors(app, skipped))[4].startswith("There is no type")
    assert [message["text"] for message in app.server.get(f"/v1/channels/private/{name}/messages", expect=200).json()["data"]] == ["good"]
    good = conversation(uuid.uuid4().hex, 5 + 100)
    assert imported(app, good, on_error="refuse")["status"] == "done"


def test_members_who_cannot_come_are_refused(platform):
    app = chatting(platform, "Small", {"small": {"max_members": 30}, "private": {}})
    name = uuid.uuid4().hex
    member = lambda channel, user, **more: {"type": "member", "channel": channel, "user_id": user, **more}  # noqa: E731
    pair = app.server.post("/v1/channels", {"type": "private", "distinct": True, "members": ["bob", "carol"]}, expect=201).json()["channel"]
    lines = [
        {"type": "channel", "channel": f"small:{name}"}, *(member(f"small:{name}", f"user-{number}") for number in range(33)),
        # Who is there already need not come.
        member(f"small:{name}", "user-7"), member(pair, "bob"), member(pair, "dora")]
    task = imported(app, lines)
    assert (task["status"], task["refused"]) == ("done", 4), errors(app, task)
    said = dict(errors(app, task))
    assert sorted(said) == [32, 33, 34, 37] and "at most 30 members" in said[32] and "stay the same" in said[37]
    assert app.server.get(f"/v1/channels/small/{name}", expect=200).json()["member_count"] == 30
    assert app.server.get("/v1/channels/" + pair.replace(":", "/"), expect=200).json()["member_count"] == 2


def test_a_slice_of_an_import_is_as_large_as_a_batch_may_be(app):
    """Lines that bring much, among others that bring only what is wrong with them."""
    name = uuid.uuid4().hex
    said = {"type": "message", "channel": f"private:{name}", "user_id": "bob", "created_at": "2025-01-01T00:00:00Z"}
    replies = [{**said, "id": f"{name}-{number}", "text": "a reply", "parent_id": f"{name}-first"} for number in range(24)]
    crowded = [{**said, "id": f"{name}-all-{number}", "text": "all of you", "parent_id": f"{name}-first",
                "mentions": [f"user-{each}" for each in range(32)]} for number in range(5)]
    lines = [
        {"type": "channel", "channel": f"private:{name}"}, {**said, "id": f"{name}-first", "text": "first"},
        *({**said, "id": f"{name}-wrong-{number}"} for number in range(60)), *replies, *crowded]
    task = imported(app, lines)
    assert (task["status"], task["refused"], task["lines"]) == ("done", 60, len(lines)), task
    assert app.server.get(f"/v1/messages/{name}-first", expect=200).json()["reply_count"] == 29


def wake(gateway):
    """Has the time of the alarms come while the gateway does not run."""
    with contextlib.closing(sqlite3.connect(gateway.data / "control.sqlite")) as database:
        assert database.execute("UPDATE sluice_alarms SET wake_at = 1, try_at = 1").rowcount > 0
        database.commit()


def test_tasks_go_on_after_kill_9(sluice):
    gateway = sluice()
    app = chatting(gateway, "Killed", TYPES)
    name = uuid.uuid4().hex
    lines = conversation(name, 3_000)
    text = "".join(json.dumps(line) + "\n" for line in lines)
    made = app.server.call("POST", "/v1/imports", data=text.encode(), headers=LINES, expect=202).json()
    file = gateway.data / "tenants" / f"{app.id}.sqlite"

    def dealt() -> int:
        """As it stands on disk: nobody asks about it."""
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)) as database:
            status, done = database.execute("SELECT status, lines FROM chat_tasks WHERE id = ?", [made["id"]]).fetchone()
        return len(lines) if status == "done" else done

    for part in (1, 2):
        assert eventually(lambda: dealt() > len(lines) * part // 4, 60)
        gateway.kill()
        # Nobody asks the app for anything.
        wake(gateway)
        gateway.start()
    assert eventually(lambda: dealt() == len(lines), 120)
    assert app.server.get(f"/v1/imports/{made['id']}", expect=200).json()["refused"] == 0
    there, after = [], None
    while after != "":
        page = app.server.get(f"/v1/channels/private/{name}/messages", params={"limit": 100, **({"after": after} if after else {})}, expect=200).json()
        there += [message["id"] for message in page["data"]]
        after = page["next"] or ""
    assert there == [f"{name}-{number}" for number in range(2_999, -1, -1)]


@pytest.mark.parametrize("kind, body, status", [
    ("exports", {}, 400), ("exports", {"user_id": ""}, 400), ("erasures", {"user_id": "x", "messages": "keep"}, 400), ("exports", {"user_id": "x", "more": 1}, 400)])
def test_what_is_no_task_is_refused(app, kind, body, status):
    app.server.post(f"/v1/{kind}", body, expect=status)
    app.user("alice").post(f"/v1/{kind}", {"user_id": "alice"}, expect=403)


def test_an_upload_that_is_none_leaves_nothing(app):
    app.server.call("POST", "/v1/imports", data=b"\n\n", headers=LINES, expect=400)
    app.server.call("POST", "/v1/imports", data=b'{"type":"channel","channel":"private:\xff"}\n', headers=LINES, expect=400)
    app.server.call("POST", "/v1/imports", data=b"x" * 70_000, headers=LINES, expect=413)
    app.server.call("POST", "/v1/imports", data=b"{}", headers={"Content-Type": "text/plain"}, expect=415)
    for kind in ("exports", "erasures", "imports"):
        app.server.get(f"/v1/{kind}/none", expect=404)
