"""Uploads that are kept in a bucket of S3's protocol: moto is the server, and boto3 reads what is there."""

import hashlib
import os
import subprocess
import sys

import boto3
import pytest
import requests

from client import Account
from files import PDF, png, upload
from program import eventually, free_port
from sanitizer import SLOWNESS
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
    gateway = sluice(with_plugins(client={"allow_networks": ["127.0.0.0/8"]}), limits={"body_bytes": 64 << 20})
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
    assert head["ETag"].endswith('-3"')
    assert server.parts() == []


def test_a_bucket_that_refuses_or_is_gone_refuses_uploads_and_leaves_nothing(house, server):
    gateway, app = house
    app.set_plugin("uploads", enabled=True, config=settings(server, s3_bucket="nowhere"))
    refused = upload(app.user("alice"), png(), expect=503)
    assert refused.json()["code"] == "plugin_unavailable"
    assert any("NoSuchBucket" in str(line) for line in gateway.lines())
    assert eventually(lambda: files_of(gateway, app) == [])
    elsewhere = settings(server, s3_endpoint=f"http://127.0.0.1:{free_port()}")
    app.set_plugin("uploads", enabled=True, config=elsewhere)
    upload(app.user("alice"), png(), expect=503)
    app.set_plugin("uploads", enabled=True, config=settings(server))
    upload(app.user("alice"), png())
    # What could not be taken back then is swept when the bucket answers again.
    assert app.server.get("/v1/uploads", expect=200).json()["data"] != []
    text = gateway.text()
    assert SECRET not in text


def test_kill_9_leaves_no_object_that_nobody_knows(house, server):
    gateway, app = house
    before = server.keys()
    wire = begun(gateway, app, "Content-Length: 2000000")
    wire.send(png(noise=bytes(1_000_000)))
    assert eventually(lambda: files_of(gateway, app))
    gateway.kill()
    gateway.start()
    app.server.get("/v1/uploads", expect=200)
    assert eventually(lambda: rows_of(gateway, app) == 0 and files_of(gateway, app) == [])
    assert server.keys() == before


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
    for wrong in ({"s3_bucket": ""}, {"s3_endpoint": "ftp://x"}, {"s3_endpoint": f"{server.url}/path"}, {"s3_bucket": "UPPER/../x"}):
        app.set_plugin("uploads", enabled=True, config=settings(server, **wrong), expect=400)
