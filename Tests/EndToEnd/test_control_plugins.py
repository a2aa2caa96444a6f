"""An app's plugins: settings that are secrets, and versions beside each other."""

import base64
import json
import shutil
import sqlite3
from contextlib import closing

import pytest

from client import Account, Client, mint
from program import eventually, run
from wire import ask, get
from workshop import Versions, lay_out, probe_manifest, with_plugins

SCHEMA = {
    "type": "object",
    "properties": {
        "greeting": {"type": "string", "default": "hello"},
        "refuse": {"type": "boolean", "default": False},
        "api_key": {"type": "string", "minLength": 4, "writeOnly": True},
        "smtp": {
            "type": "object",
            "properties": {"host": {"type": "string"}, "password": {"type": "string", "writeOnly": True}},
            "required": ["host"], "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}
SECRET = "very-secret-value-0123456789"


@pytest.fixture(scope="module")
def secretive(tmp_path_factory, probe_library):
    folder = tmp_path_factory.mktemp("secretive")
    lay_out(folder, probe_library, {**probe_manifest(), "config": SCHEMA})
    return folder


@pytest.fixture
def gateway(sluice, secretive):
    return sluice(with_plugins(secretive), ["--loops", 2])


def seen(gateway, app) -> dict:
    """The settings as the plugin gets them."""
    return ask(gateway.port, get(f"/probe/config?app={app.id}")).json()


def shown(app) -> dict:
    page = app.owner.get(f"/v1/apps/{app.id}/plugins", expect=200).json()["data"]
    return next(plugin for plugin in page if plugin["id"] == "probe")


def is_set(app) -> dict:
    return {secret["pointer"]: secret["set"] for secret in shown(app)["secrets"]}


def test_a_secret_reaches_the_plugin_and_nobody_else(gateway):
    app = Account(gateway.url).app("Secrets")
    assert is_set(app) == {"/api_key": False, "/smtp/password": False}
    put = app.set_plugin("probe", enabled=True, config={"greeting": "hi", "api_key": SECRET})
    assert put.json()["config"] == {"greeting": "hi"}
    assert seen(gateway, app)["api_key"] == SECRET and seen(gateway, app)["greeting"] == "hi"
    assert is_set(app) == {"/api_key": True, "/smtp/password": False}
    pages = [put.text, app.owner.get(f"/v1/apps/{app.id}/plugins").text, app.owner.get(f"/v1/apps/{app.id}/audit").text]
    assert all(SECRET not in page for page in pages)
    gateway.stop()
    for file in gateway.data.rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file
    assert SECRET not in gateway.text()
    gateway.start()
    assert seen(gateway, app)["api_key"] == SECRET


def test_a_secret_that_is_left_out_is_kept_and_null_removes_it(gateway):
    app = Account(gateway.url).app("Secrets")
    app.set_plugin("probe", enabled=True, config={"api_key": SECRET, "smtp": {"host": "a", "password": "pw"}})
    app.set_plugin("probe", enabled=True, config={"greeting": "other", "smtp": {"host": "b"}})
    assert seen(gateway, app) == {
        "greeting": "other", "refuse": False, "api_key": SECRET, "smtp": {"host": "b", "password": "pw"}}
    app.set_plugin("probe", enabled=False)
    app.set_plugin("probe", enabled=True)
    assert seen(gateway, app)["api_key"] == SECRET
    app.set_plugin("probe", enabled=True, config={"smtp": {"host": "b", "password": "new"}, "api_key": None})
    assert seen(gateway, app)["smtp"]["password"] == "new" and "api_key" not in seen(gateway, app)
    # What the secret belonged to is gone, and so is it.
    app.set_plugin("probe", enabled=True, config={})
    app.set_plugin("probe", enabled=True, config={"smtp": {"host": "c"}})
    assert seen(gateway, app)["smtp"] == {"host": "c"}
    assert is_set(app) == {"/api_key": False, "/smtp/password": False}


def test_settings_that_are_refused_leave_secrets_as_they_were(gateway):
    app = Account(gateway.url).app("Secrets")
    app.set_plugin("probe", enabled=True, config={"api_key": SECRET})
    for config, pointer in (
        ({"api_key": "abc"}, "/config/api_key"), ({"api_key": 7}, "/config/api_key"),
        ({"api_key": "other-secret", "unknown": 1}, "/config/unknown"),
        ({"api_key": "other-secret", "refuse": True}, "/config/refuse"),
        ({"smtp": {"password": "other-secret"}}, "/config/smtp/host"), ({"smtp": None}, "/config/smtp"),
    ):
        answer = app.set_plugin("probe", enabled=True, config=config, expect=400)
        assert any(error["pointer"] == pointer for error in answer.json()["errors"]), answer.text
        assert "other-secret" not in answer.text and SECRET not in answer.text
        assert seen(gateway, app)["api_key"] == SECRET
    gateway.kill()
    gateway.start()
    assert seen(gateway, app)["api_key"] == SECRET


def test_the_key_of_an_issuer_is_never_shown_and_stays_with_its_issuer(sluice):
    gateway = sluice(with_plugins(), ["--loops", 1])
    app = Account(gateway.url).app("Trusting")
    words = {"https://one.test": "one-" + "x" * 40, "https://two.test": "two-" + "y" * 40}

    def issuer(name: str, **key) -> dict:
        return {"issuer": name, "algorithms": ["HS256"], "audience": "shop", "keys": {"keys": [{"kty": "oct", "kid": "1", **key}]}}

    def encoded(word: str) -> str:
        return base64.urlsafe_b64encode(word.encode()).rstrip(b"=").decode()

    def let_in() -> list[bool]:
        """Whether each issuer's tokens are good."""
        return [
            Client(gateway.url, mint(word, name, "alice", aud="shop")).get(f"/v1/channels?app={app.id}").status_code == 200
            for name, word in words.items()
        ]

    def of_auth() -> dict:
        page = app.owner.get(f"/v1/apps/{app.id}/plugins", expect=200).json()["data"]
        return next(plugin for plugin in page if plugin["id"] == "auth")

    put = app.set_plugin(
        "auth", enabled=True, config={"issuers": [issuer(name, k=encoded(word)) for name, word in words.items()]})
    assert let_in() == [True, True]
    shown = of_auth()
    assert shown["config"]["issuers"] == [issuer(name) for name in words]
    assert [secret for secret in shown["secrets"] if secret["set"]] == [
        {"pointer": f"/issuers/{number}/keys/keys/0/k", "set": True} for number in range(2)]
    pages = [put.text, json.dumps(shown), app.owner.get(f"/v1/apps/{app.id}/audit").text]
    assert all(encoded(word) not in page for word in words.values() for page in pages)
    # What is shown can be put as it is, in another order, and with other settings.
    two, one = shown["config"]["issuers"][1], shown["config"]["issuers"][0]
    app.set_plugin("auth", enabled=True, config={"issuers": [{**two, "scopes": ["channels.read"]}, one]})
    assert let_in() == [True, True]
    app.set_plugin("auth", enabled=True, config={"issuers": [one]})
    assert let_in() == [True, False]
    # Nobody gets another's key by taking its place.
    refused = app.set_plugin("auth", expect=400, enabled=True, config={"issuers": [issuer("https://two.test")]})
    assert "/config/issuers/0/keys/keys/0" in refused.text and encoded(words["https://one.test"]) not in refused.text
    assert let_in() == [True, False]
    # What was kept open before it was a secret is one from the next start on.
    gateway.stop()
    open_config = json.dumps({"issuers": [issuer("https://two.test", k=encoded(words["https://two.test"]))]})
    with closing(sqlite3.connect(gateway.data / "control.sqlite")) as database:
        database.execute(
            "UPDATE sluice_tenant_plugins SET config = ? WHERE tenant = ? AND plugin = 'auth'", (open_config, app.id))
        database.execute("DELETE FROM sluice_secrets WHERE tenant = ? AND name = 'sluice.config.auth'", (app.id,))
        database.commit()
    gateway.start()
    assert let_in() == [False, True]
    gateway.stop()
    with closing(sqlite3.connect(gateway.data / "control.sqlite")) as database:
        [config] = database.execute(
            "SELECT config FROM sluice_tenant_plugins WHERE tenant = ? AND plugin = 'auth'", (app.id,)).fetchone()
    assert json.loads(config) == {"issuers": [issuer("https://two.test")]}
    gateway.start()
    assert let_in() == [False, True]


def test_secrets_travel_with_an_export(gateway, sluice, secretive, tmp_path):
    app = Account(gateway.url).app("Secrets")
    app.set_plugin("probe", enabled=True, config={"api_key": SECRET})
    done = run("tenant", "export", app.id, tmp_path / "file", "--seal-key", tmp_path / "key", "--data", gateway.data)
    assert done.returncode == 0, done.stderr
    assert SECRET.encode() not in (tmp_path / "file").read_bytes()
    other = sluice(with_plugins(secretive))
    done = run("tenant", "import", tmp_path / "file", "--seal-key", tmp_path / "key", "--data", other.data)
    assert done.returncode == 0, done.stderr
    assert seen(other, app)["api_key"] == SECRET


@pytest.mark.parametrize("config, words", [
    ({"properties": {"a": {"type": "string", "x-sluice-bound-to": ["b"]}, "b": {"type": "string"}}}, "x-sluice-bound-to"),
    ({"properties": {"a": {"type": "string", "writeOnly": True, "x-sluice-bound-to": ["c"]}}}, "x-sluice-bound-to"),
    ({"properties": {"a": {"type": "string", "writeOnly": True, "default": "x"}}}, "has no default"),
    ({"properties": {"a": {"type": "array", "items": {"type": "string", "writeOnly": True}}}}, "writeOnly"),
    ({"properties": {"a": {"anyOf": [{"type": "string", "writeOnly": True}]}}}, "writeOnly"),
])
def test_a_secret_that_could_not_be_sealed_is_refused_in_the_manifest(tmp_path, probe_library, config, words):
    config = {"type": "object", "additionalProperties": False, **config}
    plugin = lay_out(tmp_path, probe_library, {**probe_manifest(), "config": config})
    done = run("plugin", "validate", plugin)
    assert done.returncode == 1 and words in done.stdout + done.stderr, done.stdout + done.stderr


# -- versions


FIRST = "CREATE TABLE probe_a (id TEXT PRIMARY KEY);\n"
ADDS = "CREATE TABLE probe_b (id TEXT PRIMARY KEY);\n"
BREAKS = "-- breaking: true\nDROP TABLE probe_a;\n"


@pytest.fixture
def versions(tmp_path):
    versions = Versions(tmp_path)
    versions.install("0.1.0", "probe", [FIRST])
    versions.install("0.2.0", "probe@0.2.0", [FIRST, ADDS])
    return versions


def version(gateway, app) -> str:
    answer = ask(gateway.port, get(f"/probe/version?app={app.id}"))
    assert answer.status == 200, answer.body
    return answer.body.decode()


def test_a_new_version_is_tried_on_one_app_and_taken_back(sluice, versions):
    gateway = sluice(with_plugins(versions.folder), ["--loops", 2])
    owner = Account(gateway.url)
    canary, other = owner.app("Canary"), owner.app("Other")
    installed = {plugin["id"]: plugin for plugin in owner.get("/v1/plugins", expect=200).json()["data"]}
    assert installed["probe"]["version"] == "0.1.0" and sorted(installed["probe"]["versions"]) == ["0.1.0", "0.2.0"]
    assert (version(gateway, canary), version(gateway, other)) == ("0.1.0", "0.1.0")
    put = canary.set_plugin("probe", enabled=True, version="0.2.0").json()
    assert (put["version"], put["pinned"]) == ("0.2.0", True)
    assert (version(gateway, canary), version(gateway, other)) == ("0.2.0", "0.1.0")
    # Other settings leave the choice as it is, also over a restart.
    canary.set_plugin("probe", enabled=True, config={"greeting": "x"})
    gateway.kill()
    gateway.start()
    assert (version(gateway, canary), version(gateway, other)) == ("0.2.0", "0.1.0")
    # The operator's look at the app is of what runs.
    planned = run("plan", canary.id, "--config", gateway.configuration, "--data", gateway.data)
    assert planned.returncode == 0 and "probe@0.2.0" in planned.stdout and "probe@0.1.0" not in planned.stdout, planned.stdout
    planned = run("plan", other.id, "--config", gateway.configuration, "--data", gateway.data)
    assert planned.returncode == 0 and "probe@0.1.0" in planned.stdout, planned.stdout + planned.stderr
    # Its migration only adds, so there is a way back.
    canary.set_plugin("probe", enabled=True, version="0.1.0")
    assert version(gateway, canary) == "0.1.0" and shown(canary)["pinned"] is True
    put = canary.set_plugin("probe", enabled=True, version=None).json()
    assert "pinned" not in put and version(gateway, canary) == "0.1.0"
    answer = canary.set_plugin("probe", enabled=True, version="0.9.0", expect=404)
    assert "version" in answer.json()["detail"] and version(gateway, canary) == "0.1.0"
    for wrong in ("", 7, "x" * 65):
        canary.set_plugin("probe", enabled=True, version=wrong, expect=400)
    log = owner.get(f"/v1/apps/{canary.id}/audit", params={"action": "plugin.set", "limit": 100}, expect=200).json()
    assert [entry["after"]["version"] for entry in log["data"] if entry["outcome"] == "done"][::-1] == [
        "0.2.0", "0.2.0", "0.1.0", "0.1.0"]


def with_key(key: dict | None, **others) -> dict:
    """A schema of settings whose `api_key` is of this kind."""
    known = {name: SCHEMA["properties"][name] for name in ("greeting", "refuse", "smtp")}
    return {**SCHEMA, "properties": {**known, **({"api_key": key} if key else {}), **others}}


def test_a_setting_that_became_a_secret_survives_the_way_back(sluice, versions):
    versions.install("0.1.0", "probe", config=with_key({"type": "string"}))
    versions.install("0.2.0", "probe@0.2.0", config=SCHEMA)
    versions.install("0.3.0", "probe@0.3.0", config=with_key(None))
    versions.install("0.4.0", "probe@0.4.0", config=with_key({"type": "integer"}))
    versions.install("0.5.0", "probe@0.5.0", config=with_key({"type": "string"}, smtp={"type": "object", "writeOnly": True}))
    gateway = sluice(with_plugins(versions.folder), ["--loops", 2])
    app = Account(gateway.url).app("Back")

    def choose(number: str, **body) -> dict:
        app.set_plugin("probe", enabled=True, version=number, **body)
        assert version(gateway, app) == number
        return seen(gateway, app)

    assert choose("0.1.0", config={"api_key": SECRET})["api_key"] == SECRET
    assert choose("0.2.0")["api_key"] == SECRET and "api_key" not in shown(app)["config"]
    # Back: the plugin has it, and it is shown to nobody again.
    assert choose("0.1.0")["api_key"] == SECRET
    assert "api_key" not in shown(app)["config"] and is_set(app) == {"/smtp/password": False, "/api_key": True}
    choose("0.1.0", config={"greeting": "back"})
    gateway.kill()
    gateway.start()
    assert seen(gateway, app) == {"greeting": "back", "refuse": False, "api_key": SECRET}
    # A version that does not know it has it not, and leaves it for the next.
    assert choose("0.3.0", config={"greeting": "without", "smtp": {"host": "a"}}) == {
        "greeting": "without", "refuse": False, "smtp": {"host": "a"}}
    gateway.kill()
    gateway.start()
    assert choose("0.2.0")["api_key"] == SECRET
    # One that takes something else there says so, and changes nothing.
    refused = app.set_plugin("probe", enabled=True, version="0.4.0", expect=400).json()
    assert "/config/api_key" in {error["pointer"] for error in refused["errors"]} and SECRET not in str(refused)
    choose("0.2.0", config={"smtp": {"host": "a", "password": "pw"}})
    refused = app.set_plugin("probe", enabled=True, version="0.5.0", expect=409).json()
    assert "/smtp/password" in refused["detail"] and "pw" not in refused["detail"].split()
    assert version(gateway, app) == "0.2.0" and seen(gateway, app)["smtp"] == {"host": "a", "password": "pw"}
    # Another takes its place as a secret, and null removes it, in a version that calls it none too.
    assert choose("0.1.0", config={"api_key": "another-secret"})["api_key"] == "another-secret"
    assert "another-secret" not in str(shown(app)) and choose("0.2.0")["api_key"] == "another-secret"
    assert "api_key" not in choose("0.1.0", config={"api_key": None})
    assert "api_key" not in choose("0.2.0") and is_set(app)["/api_key"] is False


def test_there_is_no_way_back_past_a_breaking_migration(sluice, versions):
    versions.install("0.3.0", "probe@0.3.0", [FIRST, ADDS, BREAKS])
    gateway = sluice(with_plugins(versions.folder))
    app = Account(gateway.url).app("Broken")
    assert version(gateway, app) == "0.1.0"
    app.set_plugin("probe", enabled=True, version="0.3.0")
    for older in ("0.1.0", "0.2.0", None):
        answer = app.set_plugin("probe", enabled=True, version=older, expect=409)
        assert "breaking" in answer.json()["detail"]
        assert version(gateway, app) == "0.3.0"
    with closing(sqlite3.connect(f"file:{gateway.data}/tenants/{app.id}.sqlite?mode=ro", uri=True)) as database:
        tables = {name for name, in database.execute("SELECT name FROM sqlite_master WHERE name GLOB 'probe_?'")}
    assert tables == {"probe_b"}


def test_a_version_comes_and_goes_with_a_reload_but_not_while_an_app_has_chosen_it(sluice, versions):
    gateway = sluice(with_plugins(versions.folder), ["--loops", 2])
    app, other = Account(gateway.url).app("One"), Account(gateway.url).app("Two")
    versions.install("0.4.0", "probe@0.4.0", [FIRST, ADDS])
    assert "probe@0.4.0" in str(gateway.reload()["changes"])
    app.set_plugin("probe", enabled=True, version="0.4.0")
    assert version(gateway, app) == "0.4.0"
    shutil.rmtree(versions.folder / "probe@0.4.0")
    line = gateway.reload()
    assert line["message"].startswith("not reloaded") and "probe@0.4.0" in str(line["problems"])
    assert version(gateway, app) == "0.4.0"
    # The version becomes the standard one: whoever has chosen it runs on, the others follow.
    versions.install("0.4.0", "probe", [FIRST, ADDS])
    assert gateway.reload()["message"] == "reloaded"
    assert (version(gateway, app), version(gateway, other)) == ("0.4.0", "0.4.0")


def test_an_app_whose_version_is_gone_is_told_of_everywhere_and_mended_with_one_request(sluice, versions):
    gateway = sluice(with_plugins(versions.folder))
    app, other = Account(gateway.url).app("Left"), Account(gateway.url).app("Well")
    app.set_plugin("probe", enabled=True, version="0.2.0")
    where = ["--config", gateway.configuration, "--data", gateway.data]
    assert run("check", *where).returncode == 0
    gateway.stop()
    shutil.rmtree(versions.folder / "probe@0.2.0")
    missed = "the app has chosen probe@0.2.0, which is not installed; installed is 0.1.0"
    checked, planned = run("check", *where), run("plan", app.id, *where)
    assert checked.returncode == 1 and f'app "{app.id}": {missed}\n' in checked.stderr and other.id not in checked.stderr
    assert planned.returncode == 1 and f"{app.id}: {missed}\n" in planned.stderr
    # One app keeps no other from being served.
    gateway.start()
    told = eventually(lambda: [line for line in gateway.lines() if line.get("tenant") == app.id and line.get("plugin") == "probe"])
    assert [(line["version"], line["installed"]) for line in told] == [("0.2.0", ["0.1.0"])], told
    assert ask(gateway.port, get(f"/probe/version?app={app.id}")).status == 503 and version(gateway, other) == "0.1.0"
    assert eventually(lambda: [line for line in gateway.lines() if missed in line.get("reason", "")])
    for plugin, body in [("probe", {"enabled": True}), ("chat", {"enabled": True})]:
        refused = app.set_plugin(plugin, expect=409, **body).json()["detail"]
        assert "version 0.2.0" in refused and '"probe"' in refused and '"version": "0.1.0", or null' in refused, refused
    app.set_plugin("probe", enabled=False)
    assert app.server.get("/v1/users").status_code == 200
    app.set_plugin("probe", enabled=True, version=None)
    assert version(gateway, app) == "0.1.0" and run("check", *where).returncode == 0


def test_versions_that_do_not_fit_into_their_folders_are_refused(tmp_path, versions):
    def problems() -> str:
        configuration = tmp_path / "sluice.json"
        listeners = [{"address": "127.0.0.1:0"}]
        configuration.write_text(json.dumps(with_plugins(versions.folder, listeners=listeners)))
        done = run("check", "--config", configuration)
        return "" if done.returncode == 0 else done.stdout + done.stderr

    assert problems() == ""
    versions.install("0.1.0", "probe@0.1.0", [FIRST])
    assert "is also installed" in problems()
    shutil.rmtree(versions.folder / "probe@0.1.0")
    versions.install("0.5.0", "probe@0.6.0", [FIRST])
    assert "probe@0.5.0" in problems()
    shutil.rmtree(versions.folder / "probe@0.6.0")
    shutil.rmtree(versions.folder / "probe")
    assert "no folder" in problems()


def test_what_is_a_setting_of_the_platform_alone_is_none_of_an_apps(gateway):
    app = Account(gateway.url).app("Reaching")
    config = {"operators": ["me@example.test"], "breached_passwords_file": "/etc/passwd", "guest_limit": 5}
    refused = app.set_plugin("auth", enabled=True, config=config, expect=400).json()
    assert [error["pointer"] for error in refused["errors"]] == ["/config/breached_passwords_file", "/config/operators"]
    assert "platform alone" in refused["errors"][0]["message"]
    app.set_plugin("auth", enabled=True, config={"guest_limit": 5})


def test_who_depends_on_a_plugin_is_told_by_name_and_nothing_of_the_machine(sluice):
    gateway = sluice(with_plugins())
    app = Account(gateway.url).app("Fitting")
    refused = app.set_plugin("auth", enabled=False, expect=409).json()
    assert 'plugin "chat": the operation ' in refused["detail"] and "sluice.authenticator/1" in refused["detail"], refused
    assert "plugin.json" not in refused["detail"] and str(gateway.data.parent) not in refused["detail"], refused
    assert app.server.get("/v1/users").status_code == 200
