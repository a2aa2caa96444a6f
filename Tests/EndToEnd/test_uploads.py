"""Uploads: what is taken and what is refused, what is given out and to whom, and what is left when something breaks."""

import hashlib
import os
import shutil
import socket
import sqlite3
import time
from contextlib import closing

import pytest
import requests

from client import Account, Client
from files import HTML, JPEG, PDF, SVG, png, upload
from program import eventually
from sanitizer import MEASURES_MEMORY, SLOWNESS
from test_quotas import over, planned, used
from test_storage import small_disk  # noqa: F401
from wire import Wire, get
from workshop import with_plugins

PATIENCE = 15 * SLOWNESS


@pytest.fixture(scope="module")
def app(platform):
    return configured(platform)


def configured(gateway, **config):
    app = Account(gateway.url).app("Uploads")
    if config:
        app.set_plugin("uploads", enabled=True, config=config)
    return app


def content(app, shown: dict, method="GET", **fields) -> requests.Response:
    """The bytes of an upload, asked for by its URL and nothing else."""
    return requests.request(method, app.owner.url + shown["url"], headers=fields, timeout=PATIENCE)


def files_of(gateway, app) -> list:
    folder = gateway.data / f"files/{app.id}/uploads"
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []


def rows_of(gateway, app) -> int:
    with closing(sqlite3.connect(f"file:{gateway.data}/tenants/{app.id}.sqlite?mode=ro", uri=True)) as database:
        return database.execute("SELECT count(*) FROM uploads_items").fetchone()[0]


def begun(gateway, app, *fields: str) -> Wire:
    """A connection on which an upload of Alice's has begun, with these fields for its length."""
    lines = ["POST /v1/uploads HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {app.token('alice')}", "Content-Type: image/png", *fields]
    return Wire(gateway.port).send("\r\n".join(lines) + "\r\n\r\n")


def nothing_left(gateway, app) -> bool:
    return files_of(gateway, app) == [] and rows_of(gateway, app) == 0


def test_an_image_goes_up_and_comes_down_by_its_url_alone(app):
    image = png(noise=os.urandom(300_000))
    answer = upload(app.user("alice"), image, name="../Grüße.png")
    shown = answer.json()
    assert answer.headers["location"] == f"/v1/uploads/{shown['id']}"
    assert (shown["user_id"], shown["name"], shown["type"]) == ("alice", "Grüße.png", "image/png")
    assert (shown["size"], shown["sha256"], shown["inline"]) == (len(image), hashlib.sha256(image).hexdigest(), True)
    got = content(app, shown)
    assert got.status_code == 200 and got.content == image
    assert got.headers["content-type"] == "image/png" and got.headers["content-length"] == str(len(image))
    assert got.headers["x-content-type-options"] == "nosniff" and "sandbox" in got.headers["content-security-policy"]
    assert got.headers["content-disposition"] == "inline; filename=\"Gr__e.png\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.png"
    assert got.headers["accept-ranges"] == "bytes" and "private" in got.headers["cache-control"]
    head = content(app, shown, "HEAD")
    assert head.status_code == 200 and head.headers["content-length"] == str(len(image)) and head.content == b""
    # Another user, who knows its id, gets a URL too; nobody does without a token.
    other = app.user("bob").get(f"/v1/uploads/{shown['id']}", expect=200).json()
    assert content(app, other).content == image
    Client(app.owner.url).get(f"/v1/uploads/{shown['id']}", params={"app": app.id}, expect=401)


def test_a_url_is_good_for_what_it_was_made_for_and_no_longer_than_it_says(app):
    first, second = (upload(app.user("alice"), png(noise=mark)).json() for mark in (b"1", b"2"))
    assert content(app, first).status_code == 200
    signature = first["url"].rsplit("=", 1)[1]
    changed = first["url"].replace(signature, signature[:-1] + ("0" if signature[-1] != "0" else "1"))
    expires = int(first["url"].split("expires=")[1].split("&")[0])
    for url in (
        changed, first["url"].replace(first["id"], second["id"]), first["url"].replace(f"expires={expires}", f"expires={expires + 60}"),
    ):
        answer = content(app, {"url": url})
        assert answer.status_code == 403 and answer.json()["code"] == "forbidden"
    other = app.owner.app("Other")
    assert content(app, {"url": first["url"].replace(app.id, other.id)}).status_code == 403
    assert content(app, {"url": first["url"].split("&signature")[0]}).status_code == 400


def test_a_url_expires(platform):
    app = configured(platform, url_seconds=2)
    shown = upload(app.user("alice"), png()).json()
    assert 0 < int(shown["url"].split("expires=")[1].split("&")[0]) - time.time() <= 2
    assert eventually(lambda: content(app, shown).status_code == 403)
    assert "expired" in content(app, shown).json()["detail"]
    fresh = app.user("alice").get(f"/v1/uploads/{shown['id']}", expect=200).json()
    assert fresh["url"] != shown["url"]


def test_a_part_is_given_as_rfc_9110_says(app):
    data = png(noise=os.urandom(200_000))
    shown = upload(app.user("alice"), data).json()
    for field, start, end in (("bytes=0-0", 0, 0), ("bytes=100-199999", 100, 199_999), ("bytes=-7", len(data) - 7, len(data) - 1)):
        part = content(app, shown, Range=field)
        assert part.status_code == 206 and part.content == data[start:end + 1]
        assert part.headers["content-range"] == f"bytes {start}-{end}/{len(data)}"
    beyond = content(app, shown, Range=f"bytes={len(data)}-")
    assert beyond.status_code == 416 and beyond.headers["content-range"] == f"bytes */{len(data)}"
    assert beyond.json()["code"] == "range_not_satisfiable"
    assert content(app, shown, Range="bytes=5-2").content == data
    tag = content(app, shown, "HEAD").headers["etag"]
    assert tag == f'"{shown["sha256"]}"'
    assert content(app, shown, **{"If-None-Match": f'"x", W/{tag}'}).status_code == 304
    assert content(app, shown, **{"If-None-Match": '"x"'}).status_code == 200
    assert content(app, shown, **{"If-Match": '"x"'}).status_code == 412
    assert content(app, shown, **{"If-Range": tag, "Range": "bytes=0-1"}).status_code == 206
    assert content(app, shown, **{"If-Range": '"x"', "Range": "bytes=0-1"}).content == data
    assert content(app, shown, "HEAD", Range="bytes=0-1").status_code == 200


def test_bytes_say_what_a_file_is_and_a_client_may_not_say_otherwise(app):
    alice = app.user("alice")
    for data, declared in (
        (HTML, "image/png"), (HTML, "text/html"), (HTML, None), (SVG, "image/svg+xml"), (SVG, "image/png"), (JPEG, "image/png"),
        (png(), "text/plain"), (b"\x7fELF" + bytes(99), "application/octet-stream"), (b"\1\2\3", None), (png(), "nonsense"),
    ):
        answer = upload(alice, data, declared, expect=415)
        assert answer.json()["code"] == "unsupported_media_type"
    assert upload(alice, JPEG, None).json()["type"] == "image/jpeg"
    document = upload(alice, PDF, "application/pdf", name="a.pdf").json()
    assert not document["inline"]
    assert content(app, document).headers["content-disposition"].startswith("attachment")
    assert upload(alice, b"", expect=400).json()["code"] == "invalid_request"


def test_what_an_app_lets_up_it_still_does_not_show_in_place(platform):
    app = configured(platform, types={"text/html": {"max_bytes": 1000}, "image/svg+xml": {"max_bytes": 1000}})
    for data, type in ((HTML, "text/html"), (SVG, "image/svg+xml")):
        got = content(app, upload(app.user("alice"), data, type, name="page").json())
        assert got.content == data and got.headers["content-disposition"].startswith("attachment")
        assert got.headers["x-content-type-options"] == "nosniff"
    upload(app.user("alice"), png(), expect=415)


def test_what_is_too_large_is_refused_the_moment_that_it_is(sluice):
    gateway = sluice()
    app = configured(gateway, types={"image/png": {"max_bytes": 100_000}, "image/jpeg": {"max_bytes": 300_000}})
    alice = app.user("alice")
    refused = upload(alice, png(noise=bytes(100_001)), expect=413).json()
    assert refused["code"] == "payload_too_large" and "100000" in refused["detail"]

    # Without a length nobody knows before it comes; and a client that goes on for ever is not listened to for ever.
    wire = begun(gateway, app, "Transfer-Encoding: chunked")
    first = png(noise=bytes(90_000))
    wire.send(f"{len(first):x}\r\n".encode() + first + b"\r\n")
    wire.send(b"8000\r\n" + bytes(0x8000) + b"\r\n")
    assert wire.answer().status == 413
    assert eventually(lambda: nothing_left(gateway, app))
    upload(alice, png(noise=bytes(90_000)))


def test_a_client_that_goes_away_leaves_nothing(sluice):
    gateway = sluice()
    app = configured(gateway)
    wire = begun(gateway, app, "Content-Length: 2000000")
    wire.send(png(noise=bytes(1_000_000)))
    assert eventually(lambda: files_of(gateway, app))
    assert app.server.get("/v1/uploads", expect=200).json()["data"] == []
    wire.socket.close()
    assert eventually(lambda: nothing_left(gateway, app))


def test_kill_9_leaves_what_was_answered_and_nothing_else(sluice):
    gateway = sluice()
    app = configured(gateway, thumbnails=False)
    image = png(noise=os.urandom(400_000))
    whole = upload(app.user("alice"), image).json()
    wire = begun(gateway, app, "Content-Length: 2000000")
    wire.send(png(noise=bytes(1_000_000)))
    assert eventually(lambda: len(files_of(gateway, app)) == 2 and rows_of(gateway, app) == 2)
    gateway.kill()
    gateway.start()
    # Whoever comes next to the app sets the sweep going.
    assert [one["id"] for one in app.server.get("/v1/uploads", expect=200).json()["data"]] == [whole["id"]]
    assert eventually(lambda: len(files_of(gateway, app)) == 1 and rows_of(gateway, app) == 1)
    assert content(app, app.server.get(f"/v1/uploads/{whole['id']}", expect=200).json()).content == image


def test_a_full_disk_refuses_leaves_nothing_and_recovers(sluice, small_disk):  # noqa: F811
    folder, remount = small_disk
    gateway = sluice()
    app = configured(gateway, thumbnails=False)
    small = upload(app.user("alice"), png()).json()
    place = gateway.data / f"files/{app.id}/uploads"
    gateway.stop()
    shutil.move(place, folder / "uploads")
    place.symlink_to(folder / "uploads")
    gateway.start()
    refused = upload(app.user("alice"), png(noise=os.urandom(3_000_000)), expect=503).json()
    assert refused["code"] == "storage_full"
    assert eventually(lambda: len(list((folder / "uploads").rglob("upl_*"))) == 1)
    assert rows_of(gateway, app) == 1
    remount("size=16m")
    upload(app.user("alice"), png(noise=os.urandom(3_000_000)))
    assert content(app, app.server.get(f"/v1/uploads/{small['id']}", expect=200).json()).content == png()


def test_a_user_lists_and_deletes_his_own_and_a_server_everybodys(app):
    dora, emil = app.user("dora"), app.user("emil")
    ids = [upload(dora, png(noise=str(number).encode())).json()["id"] for number in range(5)]
    foreign = upload(emil, png()).json()
    seen, after = [], None
    while True:
        page = dora.get("/v1/uploads", params={"limit": 2, **({"after": after} if after else {})}, expect=200).json()
        seen += [one["id"] for one in page["data"]]
        after = page["next"]
        if not after:
            break
    assert seen == ids[::-1]
    dora.get("/v1/uploads", params={"user_id": "emil"}, expect=403)
    dora.call("DELETE", f"/v1/uploads/{foreign['id']}", expect=403)
    upload(dora, png(), user_id="emil", expect=403)
    upload(app.server, png(), expect=400)
    assert upload(app.server, png(), user_id="emil").json()["user_id"] == "emil"
    shown = dora.get(f"/v1/uploads/{ids[0]}", expect=200).json()
    dora.call("DELETE", f"/v1/uploads/{ids[0]}", expect=204)
    dora.call("DELETE", f"/v1/uploads/{ids[0]}", expect=404)
    assert content(app, shown).status_code == 404
    assert len(app.server.get("/v1/uploads", params={"user_id": "emil"}, expect=200).json()["data"]) == 2
    dora.call("DELETE", "/v1/uploads", params={"user_id": "dora"}, expect=403)
    app.server.call("DELETE", "/v1/uploads", expect=400)
    assert app.server.call("DELETE", "/v1/uploads", params={"user_id": "dora"}, expect=200).json() == {"deleted": 4}
    assert dora.get("/v1/uploads", expect=200).json()["data"] == []
    assert app.server.call("DELETE", "/v1/uploads", params={"user_id": "nobody"}, expect=200).json() == {"deleted": 0}
    assert content(app, foreign).status_code == 200


def test_a_user_has_a_bound_and_a_rate_and_room_comes_back(platform):
    app = configured(platform, user_bytes=250_000, user_uploads_per_minute=1000)
    alice = app.user("alice")
    first = upload(alice, png(noise=bytes(100_000))).json()
    upload(alice, png(noise=bytes(100_000)))
    full = upload(alice, png(noise=bytes(100_000)), expect=403).json()
    assert full["code"] == "quota_exceeded" and "250000" in full["detail"]
    upload(app.user("bob"), png(noise=bytes(100_000)))
    alice.call("DELETE", f"/v1/uploads/{first['id']}", expect=204)
    upload(alice, png(noise=bytes(100_000)))
    # Without a length, it is seen at the end.
    upload(alice, iter([png(noise=bytes(100_000))]), expect=403)

    app = configured(platform, user_uploads_per_minute=3)
    statuses = [upload(app.user("carol"), png(), expect=None).status_code for _ in range(8)]
    # The minute may turn once in between.
    assert statuses.count(429) >= 2 and statuses[:3] == [201] * 3
    upload(app.user("bob"), png())


def test_an_owner_alone_reads_where_the_app_says_so(platform):
    app = configured(platform, readable_by="owner")
    shown = upload(app.user("alice"), png()).json()
    app.user("alice").get(f"/v1/uploads/{shown['id']}", expect=200)
    app.server.get(f"/v1/uploads/{shown['id']}", expect=200)
    app.user("bob").get(f"/v1/uploads/{shown['id']}", expect=404)
    app.user("bob").call("DELETE", f"/v1/uploads/{shown['id']}", expect=404)


def test_files_count_towards_the_storage_of_the_plan(sluice):
    gateway, app = planned(sluice, free={"storage_bytes": 4_000_000})
    alice = app.user("alice")
    before = used(app, "storage_bytes")
    shown = upload(alice, png(noise=os.urandom(3_000_000))).json()
    assert eventually(lambda: used(app, "storage_bytes") >= before + 3_000_000, 60)
    upload(alice, png(noise=os.urandom(1_000_000)))
    # A loop learns of it when it has been measured, and it is when its usage is asked for.
    assert eventually(lambda: used(app, "storage_bytes") > 0 and over(upload(alice, png(), expect=None), "storage_bytes"), 60)
    # What was uploaded until then takes room, too.
    full = used(app, "storage_bytes")
    assert full >= 4_000_000
    alice.call("DELETE", f"/v1/uploads/{shown['id']}", expect=204)
    assert eventually(lambda: used(app, "storage_bytes") <= full - 2_900_000, 60)
    assert eventually(lambda: upload(alice, png(), expect=None).status_code == 201, 60)


def test_settings_that_fit_nothing_are_refused(platform):
    app = Account(platform.url).app("Refused")
    for config in ({"types": {"PNG": {"max_bytes": 1}}}, {"types": {"image/png": {"max_bytes": 0}}}, {"url_seconds": 1}, {"readable_by": "all"}):
        answer = app.set_plugin("uploads", enabled=True, config=config, expect=None)
        assert answer.status_code == 400, answer.text


def test_a_file_that_is_gone_from_the_disk_is_404_and_not_a_broken_answer(sluice):
    gateway = sluice()
    app = configured(gateway, thumbnails=False)
    shown = upload(app.user("alice"), png()).json()
    files_of(gateway, app)[0].unlink()
    assert content(app, shown).status_code == 404
    app.user("alice").call("DELETE", f"/v1/uploads/{shown['id']}", expect=204)
    assert nothing_left(gateway, app)


@MEASURES_MEMORY
def test_what_is_large_goes_through_and_not_into_memory(sluice):
    gateway = sluice(with_plugins(), limits={"body_bytes": 80 << 20})
    app = configured(gateway, types={"image/png": {"max_bytes": 80 << 20}})
    image = png(noise=bytes(64 << 20))
    content(app, upload(app.user("alice"), png(noise=bytes(1 << 20))).json())
    before = peak(gateway)
    shown = upload(app.user("alice"), image).json()
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=PATIENCE) as client:
        client.sendall(get(shown["url"], host="127.0.0.1"))
        received = b""
        while b"\r\n\r\n" not in received:
            received += client.recv(4096)
        digest = hashlib.sha256(received.split(b"\r\n\r\n", 1)[1])
        left = len(image) - len(received.split(b"\r\n\r\n", 1)[1])
        while left > 0 and (piece := client.recv(65536)):
            left -= len(piece)
            digest.update(piece)
    assert left == 0 and digest.hexdigest() == shown["sha256"]
    grown = peak(gateway) - before
    assert grown < 24 << 20, f"{grown >> 20} MiB for 64 MiB that went through"


def peak(gateway) -> int:
    """The most memory that the process has had, in bytes."""
    with open(f"/proc/{gateway.pid}/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))
