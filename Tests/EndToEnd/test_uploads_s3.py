"""Uploads that are kept in a bucket of S3's protocol: moto is the server, and boto3 reads what is there."""

import hashlib
import os
import subprocess
import sys

import boto3
import pytest
import requests

from bucket import Bucket
from client import Account
from files import PDF, png, upload
from program import eventually, free_port
from rooms import TYPES, chatting, path, room
from sanitizer import SLOWNESS
from test_tasks import begun as erasing
from test_uploads import begun, content, files_of, rows_of
from wire import Wire
from workshop import with_plugins

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


class Server:
    """moto, with one bucket."""

    def __init__(self):
        self.start(free_port())
        self.boto = boto3.client(
            "s3", endpoint_url=self.url, region_name="eu-central-1", aws_access_key_id=KEY, aws_secret_access_key=SECRET)
        self.boto.create_bucket(Bucket="attic", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})

    def start(self, port: int):
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert eventually(self.answers, 60), "moto does not answer"

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/moto-api/", timeout=5 * SLOWNESS).status_code == 200
        except requests.RequestException:
            return False

    def stop(self):
        self.process.kill()
        self.process.wait()

    def keys(self) -> set[str]:
        return {one["Key"] for one in self.boto.list_objects_v2(Bucket="attic").get("Contents", [])}

    def parts(self) -> list:
        return self.boto.list_multipart_uploads(Bucket="attic").get("Uploads", [])


@pytest.fixture(scope="module")
def server():
    made = Server()
    yield made
    made.stop()


def settings(server, **others) -> dict:
    return {
        "store": "s3", "s3_endpoint": server.url, "s3_region": "eu-central-1", "s3_bucket": "attic", "s3_prefix": "up & down/",
        "s3_access_key_id": KEY, "s3_secret_access_key": SECRET, **others,
    }


@pytest.fixture
def house(sluice, server):
    # A build with a sanitizer digests so slowly that new connections would be shed meanwhile.
    limits = {"body_bytes": 64 << 20, "loop_lag_ms": 0}
    gateway = sluice(with_plugins(client={"allow_networks": ["127.0.0.0/8"]}), limits=limits)
    app = Account(gateway.url).app("Bucket")
    types = {name: {"max_bytes": 64 << 20} for name in ("image/png", "application/pdf")}
    app.set_plugin("uploads", enabled=True, config=settings(server, types=types))
    return gateway, app


def test_an_upload_goes_to_the_bucket_and_is_got_from_there(house, server):
    gateway, app = house
    image = png(noise=os.urandom(200_000))
    shown = upload(app.user("alice"), image, name="a b.png").json()
    stored = server.boto.get_object(Bucket="attic", Key=f"up & down/{app.id}/{shown['id']}")
    assert stored["Body"].read() == image and stored["ContentType"] == "image/png"
    assert files_of(gateway, app) == []
    answer = requests.get(gateway.url + shown["url"], allow_redirects=False, timeout=15 * SLOWNESS)
    assert answer.status_code == 307 and answer.headers["location"].startswith(f"{server.url}/attic/up%20%26%20down/{app.id}/")
    assert SECRET not in answer.headers["location"]
    got = content(app, shown)
    assert got.content == image and got.headers["content-type"] == "image/png"
    assert got.headers["content-disposition"].startswith('inline; filename="a b.png"')
    assert content(app, shown, "HEAD").status_code == 200
    assert content(app, shown, **{"If-None-Match": f'"{shown["sha256"]}"'}).status_code == 304
    if "thumbnail" in shown:
        assert content(app, shown["thumbnail"]).content[8:12] == b"WEBP"
    app.user("alice").call("DELETE", f"/v1/uploads/{shown['id']}", expect=204)
    assert not [key for key in server.keys() if shown["id"] in key]
    assert content(app, shown).status_code == 404


def test_what_is_large_goes_in_parts_and_none_is_left_open(house, server):
    _, app = house
    large = PDF + os.urandom(20 << 20)
    shown = upload(app.user("alice"), large, "application/pdf").json()
    assert shown["sha256"] == hashlib.sha256(large).hexdigest()
    assert content(app, shown).content == large
    head = server.boto.head_object(Bucket="attic", Key=f"up & down/{app.id}/{shown['id']}")
    assert head["ETag"].endswith('-5"')
    assert server.parts() == []


def test_a_bucket_that_is_not_there_refuses_uploads_and_is_asked_again(house, server):
    gateway, app = house
    nowhere = f"nowhere-{app.id.replace('_', '-')}"
    app.set_plugin("uploads", enabled=True, config=settings(server, s3_bucket=nowhere))
    refused = upload(app.user("alice"), png(), expect=503)
    assert refused.json()["code"] == "plugin_unavailable"
    assert eventually(lambda: any("NoSuchBucket" in str(line) for line in gateway.lines()))
    # Whether something of it got there nobody can say, so it is asked for until it is known to be gone.
    assert files_of(gateway, app) == [] and rows_of(gateway, app) == 1
    server.boto.create_bucket(Bucket=nowhere, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    swept(gateway, app)
    app.set_plugin("uploads", enabled=True, config=settings(server))
    upload(app.user("alice"), png())
    assert SECRET not in gateway.text()


def swept(gateway, app):
    """Whoever comes first to the app after a start sets the sweep going; returns when nothing is left."""
    gateway.stop()
    gateway.start()
    app.server.get("/v1/uploads", expect=200)
    assert eventually(lambda: rows_of(gateway, app) == 0 and files_of(gateway, app) == [], 60)


def test_while_a_bucket_is_gone_nothing_stays_on_the_disk_and_then_all_is_swept(sluice):
    gone = Server()
    try:
        gateway = sluice(with_plugins(client={"allow_networks": ["127.0.0.0/8"]}))
        app = Account(gateway.url).app("Down")
        app.set_plugin("uploads", enabled=True, config=settings(gone))
        shown = upload(app.user("alice"), png()).json()
        key = f"up & down/{app.id}/{shown['id']}"
        assert key in gone.keys()
        gone.stop()
        upload(app.user("alice"), png(), expect=503)
        assert files_of(gateway, app) == [] and rows_of(gateway, app) == 2
        app.user("alice").call("DELETE", f"/v1/uploads/{shown['id']}", expect=204)
        assert files_of(gateway, app) == [] and rows_of(gateway, app) == 2
        # moto keeps nothing over its end: what has to go is put there again.
        gone.start(gone.port)
        gone.boto.create_bucket(Bucket="attic", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        gone.boto.put_object(Bucket="attic", Key=key, Body=b"left")
        swept(gateway, app)
        assert gone.keys() == set()
    finally:
        gone.stop()


def test_what_is_in_another_bucket_is_neither_looked_for_nor_forgotten_here(house, server):
    gateway, app = house
    shown = upload(app.user("alice"), png()).json()
    key = f"up & down/{app.id}/{shown['id']}"
    for other in ({"s3_prefix": "elsewhere/"}, {"s3_prefix": "else/where/"}):
        app.set_plugin("uploads", enabled=True, config=settings(server, **other))
        assert content(app, shown).status_code == 503
    app.user("alice").call("DELETE", f"/v1/uploads/{shown['id']}", expect=204)
    app.server.call("DELETE", "/v1/uploads", params={"user_id": "alice"}, expect=503)
    assert key in server.keys() and rows_of(gateway, app) == 1
    app.set_plugin("uploads", enabled=True, config=settings(server))
    app.server.get("/v1/uploads", expect=200)
    assert eventually(lambda: rows_of(gateway, app) == 0, 60)
    assert key not in server.keys()
    assert app.server.call("DELETE", "/v1/uploads", params={"user_id": "alice"}, expect=200).json() == {"deleted": 0}


def test_an_erasure_is_not_done_while_something_of_it_is_in_another_bucket(house, server):
    gateway, _ = house
    app = chatting(gateway, "Stranded", TYPES)
    alice = app.user("alice")

    def sent(**where) -> str:
        app.set_plugin("uploads", enabled=True, config=settings(server, **where))
        file = upload(alice, png()).json()
        alice.post(path(room(), "/messages"), {"attachments": [{"type": "image", "upload": file["id"]}]}, expect=201)
        return f"{where.get('s3_prefix', 'up & down/')}{app.id}/{file['id']}"

    stranded, near = sent(), sent(s3_prefix="elsewhere/")
    assert {stranded, near} <= server.keys()
    task = f"/v1/erasures/{erasing(app, 'erasures', user_id='alice')}"
    assert eventually(lambda: "error" in app.server.get(task, expect=200).json(), 60)
    waiting = app.server.get(task, expect=200).json()
    assert waiting["status"] == "running" and "Another plugin" in waiting["error"]
    # What can go is gone.
    assert eventually(lambda: near not in server.keys(), 60) and stranded in server.keys()
    app.set_plugin("uploads", enabled=True, config=settings(server))
    assert eventually(lambda: app.server.get(task, expect=200).json()["status"] == "done", 120)
    assert "error" not in app.server.get(task, expect=200).json()
    assert eventually(lambda: stranded not in server.keys(), 60)


@pytest.fixture
def bucket():
    made = Bucket()
    yield made
    made.close()


@pytest.fixture
def small_house(sluice, bucket):
    # A build with a sanitizer digests so slowly that new connections would be shed meanwhile.
    limits = {"body_bytes": 64 << 20, "loop_lag_ms": 0}
    gateway = sluice(with_plugins(client={"allow_networks": ["127.0.0.0/8"]}), limits=limits)
    app = Account(gateway.url).app("Bucket")
    types = {name: {"max_bytes": 64 << 20} for name in ("image/png", "application/pdf")}
    app.set_plugin("uploads", enabled=True, config=settings(bucket, types=types, thumbnails=False))
    return gateway, app


@pytest.mark.parametrize("size", [1_000, 11 << 20])
def test_what_is_being_put_when_kill_9_comes_does_not_stay_in_the_bucket(small_house, bucket, size):
    gateway, app = small_house
    bucket.answers.clear()
    wire = begun(gateway, app, f"Content-Length: {len(image := png(noise=bytes(size)))}")
    wire.send(image)
    assert eventually(lambda: bucket.count("PUT") == 1, 60)
    assert len(bucket.objects) + len(bucket.uploads) == 1 and rows_of(gateway, app) == 1
    gateway.kill()
    bucket.answers.set()
    gateway.start()
    app.server.get("/v1/uploads", expect=200)
    assert eventually(lambda: rows_of(gateway, app) == 0 and files_of(gateway, app) == [], 60)
    assert bucket.objects == {} and bucket.uploads == {}


@pytest.mark.parametrize("size", [1_000, 11 << 20])
def test_a_bucket_that_asks_for_a_pause_is_asked_again_and_not_for_ever(small_house, bucket, size):
    _, app = small_house
    bucket.refusals = 2
    data = PDF + os.urandom(size)
    shown = upload(app.user("alice"), data, "application/pdf").json()
    parts = -(-len(data) // (5 << 20))
    assert bucket.count("PUT") == 2 + parts
    assert list(bucket.objects.values()) == [data] and shown["size"] == len(data)
    bucket.refusals = 100
    upload(app.user("alice"), PDF, "application/pdf", expect=503)
    assert bucket.refusals == 97


def test_the_secret_is_given_again_when_the_bucket_is_another(house, server):
    _, app = house
    there = settings(server)
    del there["s3_secret_access_key"]
    app.set_plugin("uploads", enabled=True, config=there)
    upload(app.user("alice"), png())
    for name, value in (("s3_endpoint", "https://elsewhere.example"), ("s3_bucket", "cellar"), ("s3_region", "us-east-1")):
        app.set_plugin("uploads", enabled=True, config={**there, name: value}, expect=400)
    shown = app.owner.get(f"/v1/apps/{app.id}/plugins", expect=200).text
    assert SECRET not in shown


def test_settings_of_half_a_bucket_are_refused(house, server):
    _, app = house
    for wrong in (
        {"s3_bucket": ""}, {"s3_endpoint": "ftp://x"}, {"s3_endpoint": f"{server.url}/path"}, {"s3_bucket": "UPPER/../x"},
        {"s3_prefix": "../"}, {"s3_prefix": "a/./b"}, {"s3_prefix": "a/.."},
    ):
        app.set_plugin("uploads", enabled=True, config=settings(server, **wrong), expect=400)
