"""Messages that link to uploads: against the real program, with both plugins."""

import time
import uuid

import pytest
import requests

from files import png, upload
from plain import PATIENCE, Plain
from program import eventually
from rooms import TYPES, chatting, den, path, personal, room
from test_tasks import begun, errors, exported, finished, imported


@pytest.fixture(scope="module")
def app(platform):
    return pictured(chatting(platform, "Pictures", TYPES))


def pictured(app):
    """The same app, whose uploads' own URLs are over soon."""
    app.set_plugin("uploads", enabled=True, config={"url_seconds": 2})
    return app


def image(by, name="cat.png") -> dict:
    return upload(by, png(64, 48, uuid.uuid4().bytes), name=name).json()


def fetch(app, url: str) -> requests.Response:
    """What is there for whoever has the URL, and nothing else."""
    return requests.get(app.owner.url + url, timeout=PATIENCE)


def linked(message: dict) -> dict:
    attachment, = message["attachments"]
    return attachment


def test_a_picture_is_the_same_for_whoever_reads_it_and_for_good(platform, app):
    channel = room()
    alice, bob = app.user("alice"), app.user("bob")
    file = image(alice)
    with Plain(platform, app.token("bob")) as listener:
        personal(listener)
        where = listener.subscribe("chat:" + channel)
        sent = alice.post(path(channel, "/messages"), {"attachments": [{"type": "image", "upload": file["id"], "title": "A cat"}]}, expect=201).json()
        heard, = listener.hear()
    shown = linked(sent)
    assert {name: shown[name] for name in ("type", "upload", "name", "mime_type", "size", "width", "height", "title")} == {
        "type": "image", "upload": file["id"], "name": "cat.png", "mime_type": "image/png", "size": file["size"], "width": 64, "height": 48, "title": "A cat"}
    quoting = bob.post(path(channel, "/messages"), {"text": "nice", "quoted_id": sent["id"]}, expect=201).json()
    # The upload's own URL is over, and no part of the link may be another.
    assert eventually(lambda: fetch(app, file["url"]).status_code == 403)
    # Who comes back over an hour later is told the same as who was there.
    with Plain(platform, app.token("bob")) as listener:
        personal(listener)
        listener.subscribe("chat:" + channel, offset=where["offset"], epoch=where["epoch"])
        missed = listener.hear(2)
    synced = bob.post("/v1/sync", {"channels": [{"channel": channel, "offset": where["offset"], "epoch": where["epoch"]}]}, expect=200).json()
    for message in (
        heard["data"], missed[0]["data"], synced["channels"][0]["events"][0]["data"], bob.get(f"/v1/messages/{sent['id']}", expect=200).json(),
        bob.get(path(channel, f"/messages?around={quoting['id']}"), expect=200).json()["data"][0],
    ):
        assert linked(message) == shown
    got = fetch(app, shown["url"])
    assert got.status_code == 200 and len(got.content) == file["size"] and got.headers["content-type"] == "image/png"
    if "thumbnail" in file:
        assert fetch(app, shown["thumb_url"]).headers["content-type"] == "image/webp"
        assert fetch(app, shown["thumb_url"].replace("/thumbnail", "/content")).status_code == 403
    else:
        assert "thumb_url" not in shown
    assert fetch(app, shown["url"] + f"&expires={int(time.time()) + 60}").status_code == 403
    other = image(alice)
    assert fetch(app, shown["url"].replace(file["id"], other["id"])).status_code == 403


def test_only_what_is_the_authors_own_is_linked_to(platform, app):
    channel = room()
    alice, bob = app.user("alice"), app.user("bob")
    mine, his = image(alice), image(bob)
    body = {"attachments": [{"type": "link", "url": "https://a.example/"}, {"type": "image", "upload": his["id"]}]}
    refused = alice.post(path(channel, "/messages"), body, expect=400).json()
    assert refused["errors"][0]["pointer"] == "/attachments/1/upload" and his["id"] in refused["errors"][0]["message"]
    unknown = alice.post(path(channel, "/messages"), {"attachments": [{"type": "image", "upload": "upl_" + "0" * 26}]}, expect=400).json()
    assert unknown["errors"][0]["pointer"] == "/attachments/0/upload"
    assert linked(app.server.post(path(channel, "/messages"), {"user_id": "alice", "attachments": body["attachments"][1:]}, expect=201).json())["upload"] == his["id"]
    with Plain(platform, app.token("alice")) as socket:
        id = uuid.uuid4().hex
        data = {"channel": channel, "id": id, "attachments": [{"type": "image", "upload": mine["id"]}]}
        sent = socket.ask("chat.send", data=data)["data"]
        assert socket.ask("chat.send", data=data)["data"] == sent
        refused = socket.ask("chat.send", data={**data, "id": uuid.uuid4().hex, "attachments": [{"type": "image", "upload": his["id"]}]})
        assert refused["code"] == "invalid_request" and refused["errors"][0]["pointer"] == "/attachments/0/upload"
        # As it was read it can be sent back.
        edited = socket.ask("chat.edit", data={"message_id": id, "text": "look", "attachments": sent["attachments"]})["data"]
    assert (edited["text"], edited["attachments"]) == ("look", sent["attachments"])
    said_before, = alice.get(f"/v1/messages/{id}/edits", expect=200).json()["data"]
    assert said_before["attachments"] == sent["attachments"]
    found, = alice.get("/v1/search", params={"q": "look", "channel": channel}, expect=200).json()["data"]
    assert found["attachments"] == sent["attachments"]


def test_without_uploads_an_error_names_the_field(platform):
    app = chatting(platform, "No pictures", TYPES)
    app.set_plugin("uploads", enabled=True)
    file = image(app.user("alice"))
    app.set_plugin("uploads", enabled=False)
    body = {"attachments": [{"type": "image", "upload": file["id"]}]}
    refused = app.user("alice").post(path(room(), "/messages"), body, expect=400).json()
    assert refused["errors"][0]["pointer"] == "/attachments/0/upload" and "uploads" in refused["errors"][0]["message"]


@pytest.mark.parametrize("query", ["", "?hard=true"])
def test_a_deleted_messages_picture_is_gone_for_whoever_has_its_url(app, query):
    channel = room()
    alice = app.user("alice")
    file = image(alice)
    body = {"attachments": [{"type": "image", "upload": file["id"]}]}
    first, second = (alice.post(path(channel, "/messages"), body, expect=201).json() for _ in range(2))
    url = linked(first)["url"]
    app.server.call("DELETE", f"/v1/messages/{first['id']}{query}", expect=204)
    assert fetch(app, url).status_code == 200
    app.server.call("DELETE", f"/v1/messages/{second['id']}{query}", expect=204)
    assert eventually(lambda: fetch(app, url).status_code == 404, 60)
    alice.get(f"/v1/uploads/{file['id']}", expect=404)


def test_pictures_of_deleted_messages_go_when_the_gateway_comes_back(sluice):
    gateway = sluice()
    app = pictured(chatting(gateway, "Killed pictures", TYPES))
    alice = app.user("alice")
    file = image(alice)
    sent = alice.post(path(room(), "/messages"), {"attachments": [{"type": "image", "upload": file["id"]}]}, expect=201).json()
    app.set_plugin("uploads", enabled=False)
    alice.call("DELETE", f"/v1/messages/{sent['id']}", expect=204)
    gateway.kill()
    gateway.start()
    app.set_plugin("uploads", enabled=True, config={"url_seconds": 2})

    other = {"attachments": [{"type": "image", "upload": image(alice)["id"]}]}

    def gone() -> bool:
        # Each loop of chat learns by itself that there are uploads again.
        alice.post(path(room(), "/messages"), other, expect=201)
        return alice.get(f"/v1/uploads/{file['id']}", expect=None).status_code == 404

    assert eventually(gone, 60)


def test_a_draft_links_to_what_a_message_may_and_keeps_what_is_gone(platform):
    mute = {"open": True, "grants": {"user": ["read_channel", "send_message", "create_channel"]}}
    app = pictured(chatting(platform, "Drafted pictures", {**TYPES, "mute": mute}))
    alice = app.user("alice")
    file, other = image(alice), image(app.user("bob"))
    draft = {"text": "see", "attachments": [{"type": "image", "upload": file["id"]}]}
    at = path("mute:" + uuid.uuid4().hex, "/draft")
    assert "may not upload" in alice.put(at, draft, expect=403).json()["detail"]
    assert alice.put(at, {"text": "see"}, expect=200).json()["text"] == "see"
    # What its user could not send, nobody drafts for him.
    at = path(room(), "/draft")
    his = {"user_id": "alice", "attachments": [{"type": "image", "upload": other["id"]}]}
    assert app.server.put(at, his, expect=400).json()["errors"][0]["pointer"] == "/attachments/0/upload"
    saved = alice.put(at, draft, expect=200).json()
    alice.call("DELETE", f"/v1/uploads/{file['id']}", expect=204)
    again = alice.put(at, {"text": "see this", "attachments": draft["attachments"]}, expect=200).json()
    assert (again["text"], again["attachments"]) == ("see this", saved["attachments"])
    alice.put(path(room(), "/draft"), draft, expect=400)


def test_a_held_message_and_one_that_is_sent_with_its_id_keep_their_own_pictures(app):
    sender = app.user("sender-" + uuid.uuid4().hex)

    def both() -> tuple[str, str, str, str]:
        """A channel with a held message, an id that it shares with one of another channel, and the URLs of their pictures."""
        channel, id = den(app, "bob"), uuid.uuid4().hex
        app.user("alice").put(path(channel, "/bans/bob"), {"shadow": True}, expect=200)
        urls = []
        for client, at in ((app.user("bob"), channel), (sender, room())):
            body = {"id": id, "attachments": [{"type": "image", "upload": image(client)["id"]}]}
            urls.append(linked(client.post(path(at, "/messages"), body, expect=201).json())["url"])
        return channel, id, *urls

    channel, id, held, sent = both()
    app.server.call("DELETE", path(channel) + "?hard=true", expect=204)
    assert eventually(lambda: fetch(app, held).status_code == 404, 60)
    assert fetch(app, sent).status_code == 200
    channel, id, held, sent = both()
    app.server.call("DELETE", f"/v1/messages/{id}?hard=true", expect=204)
    assert eventually(lambda: fetch(app, sent).status_code == 404, 60)
    assert fetch(app, held).status_code == 200


@pytest.mark.parametrize("messages", ["delete", "anonymise"])
def test_an_erased_users_files_are_named_nowhere(app, messages):
    user, other = "user-" + uuid.uuid4().hex, "user-" + uuid.uuid4().hex
    him, channel = app.user(user), den(app, user, other)
    name = f"holiday-{uuid.uuid4().hex}.png"
    file, kept = image(him, name=name), image(app.user(other), name="kept.png")
    start = app.server.get(path(channel, "/messages"), expect=200).json()
    attachments = [{"type": "image", "upload": each["id"], "title": "A cat"} for each in (file, kept)]
    of_other = app.server.post(path(channel, "/messages"), {"user_id": other, "attachments": attachments}, expect=201).json()
    app.user(other).call("PATCH", f"/v1/messages/{of_other['id']}", {"text": "look"}, expect=200)
    mine = him.post(path(channel, "/messages"), {"attachments": attachments[:1]}, expect=201).json()
    app.user(other).post(path(channel, "/messages"), {"text": "nice", "quoted_id": mine["id"]}, expect=201)
    assert finished(app, "erasures", begun(app, "erasures", user_id=user, messages=messages))["status"] == "done"
    where = {"channel": channel, "offset": start["offset"], "epoch": start["epoch"]}
    seen = [
        app.server.get(path(channel, "/messages"), expect=200), app.server.get(f"/v1/messages/{of_other['id']}/edits", expect=200),
        app.user(other).post("/v1/sync", {"channels": [where]}, expect=200),
    ]
    for answer in seen:
        assert name not in answer.text and "kept.png" in answer.text
    left, whole = app.server.get(f"/v1/messages/{of_other['id']}", expect=200).json()["attachments"]
    assert left == attachments[0] and whole == of_other["attachments"][1]
    # What is left can be sent back in a change.
    changed = app.user(other).call("PATCH", f"/v1/messages/{of_other['id']}", {"text": "x", "attachments": [left, whole]}, expect=200).json()
    assert changed["attachments"] == [left, whole]


def test_tasks_know_of_pictures(app):
    user = "user-" + uuid.uuid4().hex
    him = app.user(user)
    channel = den(app, user)
    file = image(him, name="holiday.png")
    sent = him.post(path(channel, "/messages"), {"attachments": [{"type": "image", "upload": file["id"]}]}, expect=201).json()
    line = next(line for line in exported(app, user) if line["type"] == "message")
    assert line["attachments"] == sent["attachments"] and linked(line)["name"] == "holiday.png"
    name = uuid.uuid4().hex
    said = {"type": "message", "channel": f"private:{name}", "user_id": user, "created_at": "2025-01-01T00:00:00Z"}
    lines = [
        {"type": "channel", "channel": f"private:{name}"},
        {**said, "id": f"{name}-1", "attachments": [{"type": "image", "upload": file["id"]}]},
        {**said, "id": f"{name}-2", "attachments": [{"type": "image", "upload": "upl_" + "0" * 26}]},
        {**said, "id": f"{name}-3", "attachments": [{"type": "image", "upload": file["id"], "title": 1}]},
    ]
    for _ in range(2):
        task = imported(app, lines)
        assert (task["status"], task["refused"]) == ("done", 2)
        assert [number for number, _ in errors(app, task)] == [3, 4] and "no upload" in errors(app, task)[0][1]
    assert app.server.get(f"/v1/messages/{name}-1", expect=200).json()["attachments"] == sent["attachments"]
    assert finished(app, "erasures", begun(app, "erasures", user_id=user, messages="anonymise"))["status"] == "done"
    assert fetch(app, linked(sent)["url"]).status_code == 404
