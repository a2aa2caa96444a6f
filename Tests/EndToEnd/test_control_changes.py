"""Changes of an app by many at once on several loops, and over kill -9: the log, the plugin's rows and the gateway agree afterwards."""

import hashlib
import itertools
import json
import random
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing

import pytest
import requests

from client import Account, Client, mint
from program import Sluice, eventually, run


class World:
    """An app, and developers of it who change everything that there is to change, each on a connection of their own."""

    #: What of the log is a chain: `after` of each is `before` of the next.
    chains = ("app.changed", "key.changed", "key.rotated", "plugin.set", "branding.changed", "signing_secret.rotated")

    def __init__(self, gateway):
        self.gateway = gateway
        self.account = Account(gateway.url)
        self.app = self.account.app("Changed")
        self.path = f"/v1/apps/{self.app.id}"
        self.key = self.account.get(self.path + "/keys", expect=200).json()["data"][0]["id"]
        self.signing = [self.app.signing_secret]
        self.secrets = [self.app.secret]
        self.numbers = itertools.count()

    def changes(self) -> list:
        key = f"{self.path}/keys/{self.key}"
        return [
            lambda n: ("PATCH", self.path, {"name": f"n{n}"}),
            lambda n: ("PATCH", self.path, {"allowed_origins": [f"https://o{n}.example"]}),
            lambda n: ("PATCH", key, {"name": f"k{n}"}),
            lambda n: ("PATCH", key, {"scopes": ["*"] if n % 2 else ["users.read", "history.read"]}),
            lambda n: ("POST", key + "/rotate", {"grace_seconds": 0}),
            lambda n: ("PUT", self.path + "/plugins/mailer", {"enabled": True, "config": {"outbox_files": 1000 + n}}),
            lambda n: ("PUT", self.path + "/plugins/mailer", {"enabled": True, "config": {"outbox_files": 5000 + n}}),
            lambda n: ("PUT", self.path + "/branding", {"name": f"b{n}"}),
            lambda n: ("PUT", self.path + "/branding", {"name": f"c{n}", "colors": {"main": "#000000"}}),
            lambda n: ("POST", self.path + "/signing-secret/rotate", {"grace_seconds": 0}),
            lambda n: ("POST", self.path + "/signing-secret/rotate", {"grace_seconds": 0}),
        ]

    def change(self, client: Client, change) -> int:
        """Makes one change, and keeps what is shown once. Whoever comes in between is told to come again."""
        method, path, body = change(next(self.numbers))
        answer = client.call(method, path, body)
        assert answer.status_code in (200, 409), (method, path, answer.status_code, answer.text)
        if answer.status_code == 409:
            assert answer.json()["code"] == "conflict" and answer.headers["retry-after"] == "1", answer.text
            time.sleep(0.01)
        elif path.endswith("/signing-secret/rotate"):
            self.signing.append(answer.json()["signing_secret"])
        elif path.endswith("/rotate"):
            self.secrets.append(answer.json()["secret"])
        return answer.status_code

    def log(self) -> list[dict]:
        entries, after = [], None
        while True:
            query = {"limit": 100, **({"after": after} if after else {})}
            page = self.account.get(self.path + "/audit", params=query, expect=200).json()
            entries += page["data"]
            after = page["next"]
            if not after:
                return entries[::-1]

    def unended(self) -> list[dict]:
        """What was begun and has no end, or more than one."""
        log = self.log()
        ends = Counter((entry["request_id"], entry["action"]) for entry in log if entry["outcome"] in ("done", "failed"))
        return [e for e in log if e["outcome"] == "begun" and ends[e["request_id"], e["action"]] != 1]

    def check(self):
        """That the log chains, and that it, the plugin's rows and the gateway say the same."""
        assert self.unended() == []
        done: dict[str, list] = {action: [] for action in self.chains}
        for entry in self.log():
            if entry["action"] in done and entry["outcome"] == "done":
                done[entry["action"]].append(entry)
        for action, entries in done.items():
            for former, entry in zip(entries, entries[1:]):
                assert entry.get("before") == former["after"], (action, former, entry)
        last = {action: entries[-1]["after"] for action, entries in done.items() if entries}
        data = sqlite3.connect(f"file:{self.gateway.data}/tenants/platform.sqlite?mode=ro", uri=True)
        with closing(data) as database:
            assert list(database.execute("SELECT * FROM control_changes")) == []
            rows = database.execute("SELECT name, scopes, credential FROM control_keys WHERE id = ?", [self.key])
            name, scopes, credential = next(rows)
        app = self.account.get(self.path, expect=200).json()
        if "app.changed" in last:
            assert {"name": app["name"], "allowed_origins": app["allowed_origins"]} == last["app.changed"]
        keys = self.account.get(self.path + "/keys", expect=200).json()["data"]
        key = next(key for key in keys if key["id"] == self.key)
        assert (key["name"], key["scopes"]) == (name, json.loads(scopes))
        if "key.changed" in last:
            assert (key["name"], key["scopes"]) == (last["key.changed"]["name"], last["key.changed"]["scopes"])
        if "key.rotated" in last:
            assert credential == last["key.rotated"]["credential"]
        if "plugin.set" in last:
            plugins = self.account.get(self.path + "/plugins", expect=200).json()["data"]
            assert next(one for one in plugins if one["id"] == "mailer") == last["plugin.set"]
        if "branding.changed" in last:
            shown = self.account.get(self.path + "/branding", expect=200).json()
            assert shown == last["branding.changed"]
            public = Client(self.gateway.url).get("/v1/branding", params={"app": self.app.id}).json()
            assert public["name"] == shown["name"] and public.get("colors", {}) == shown["colors"]
        live = last.get("signing_secret.rotated", {}).get("fingerprint")
        known = {hashlib.sha256(secret.encode()).hexdigest()[:12]: secret for secret in self.signing}
        for fingerprint, secret in known.items():
            good = Client(self.gateway.url, mint(secret, self.app.id, "alice")).get("/v1/unread").status_code == 200
            assert good == (fingerprint == live or live is None and secret == self.app.signing_secret), fingerprint
        assert "rows are whole" in run("audit", "verify", "--data", self.gateway.data).stdout


@pytest.fixture
def world(sluice):
    return World(sluice(arguments=["--loops", "2"]))


def test_changes_side_by_side_lose_nothing_and_the_log_tells_of_each_what_was_before(world):
    made = Counter()

    def work(number: int, change):
        while made[number] < 6:
            # A connection for each, so that both loops have some.
            client = Client(world.gateway.url, world.account.made["access_token"])
            made[number] += world.change(client, change) == 200

    faults = in_threads(work, world.changes())
    assert faults == []
    world.check()
    outcomes = Counter((entry["action"], entry["outcome"]) for entry in world.log())
    assert outcomes["key.rotated", "done"] == 6 and outcomes["signing_secret.rotated", "done"] == 12
    assert outcomes["plugin.set", "done"] == 12 and outcomes["app.changed", "done"] == 12
    assert not [key for key in outcomes if key[1] == "failed"], outcomes


def test_changes_that_are_killed_are_settled_at_the_start(world):
    gateway, generator = world.gateway, random.Random(9)
    for round in range(6):
        made, enough = Counter(), threading.Event()
        until = generator.randrange(5, 60)

        def work(number: int, change):
            while not enough.is_set():
                try:
                    world.change(Client(gateway.url, world.account.made["access_token"]), change)
                except requests.RequestException:
                    return  # it is killed
                made["all"] += 1

        threads = threading.Thread(target=lambda: faults.extend(in_threads(work, world.changes())))
        faults: list = []
        threads.start()
        assert eventually(lambda: made["all"] >= until or faults, 60)
        gateway.kill()
        enough.set()
        threads.join()
        assert faults == []
        gateway.start()
        assert eventually(lambda: world.unended() == [], 60), world.unended()
        world.check()


def in_threads(work, changes) -> list[BaseException]:
    """Does all of them at once, and returns what has gone wrong."""
    faults: list[BaseException] = []

    def guarded(number, change):
        try:
            work(number, change)
        except BaseException as fault:  # noqa: BLE001: it is told below
            faults.append(fault)

    threads = [threading.Thread(target=guarded, args=pair) for pair in enumerate(changes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults


def test_an_app_keeps_five_good_signing_secrets_and_ends_none_early(sluice):
    gateway = sluice()
    app = Account(gateway.url).app("Graces")
    path = f"/v1/apps/{app.id}/signing-secret/rotate"
    secrets = [app.signing_secret]
    for _ in range(4):
        secrets.append(app.owner.post(path, {"grace_seconds": 3600}, expect=200).json()["signing_secret"])

    def good() -> list[bool]:
        return [Client(gateway.url, mint(secret, app.id, "alice")).get("/v1/unread").status_code == 200 for secret in secrets]

    refused = app.owner.post(path, {"grace_seconds": 3600}, expect=403).json()
    assert refused["code"] == "quota_exceeded" and "grace_seconds 0" in refused["detail"]
    assert good() == [True] * 5
    secrets.append(app.owner.post(path, {"grace_seconds": 0}, expect=200).json()["signing_secret"])
    assert good() == [False] * 5 + [True]
