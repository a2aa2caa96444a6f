"""SIGHUP: new versions of plugins and another configuration come into force while it serves, or nothing changes."""

import hashlib
import json
import threading
import time

import pytest

from client import Account
from program import eventually
from wire import TEXT, RawSocket, Wire, ask, frame, get
from workshop import compile_probe, lay_out, probe_manifest, with_plugins

VERSION = get("/probe/version")
WHICH = frame(TEXT, "which?")


class Workbench:
    """A gateway with the probe, and versions of the probe to put in its folder."""

    def __init__(self, make, tmp_path, **configuration):
        self.tmp_path = tmp_path
        self.folder = tmp_path / "plugins"
        lay_out(self.folder, self.library("0.1.0"))
        self.gateway = make(with_plugins(self.folder, **configuration), ["--loops", 2])
        assert self.version() == "0.1.0"

    def library(self, version: str, *definitions: str):
        library = self.tmp_path / f"probe-{version}-{len(definitions)}.so"
        compile_probe(library, f'PROBE_VERSION="{version}"', *definitions)
        return library

    def install(self, version: str, *definitions: str, library=None, **manifest):
        """A new manifest and library, each put in place by a rename, as a packager does."""
        plugin = self.folder / "probe"
        content = (library or self.library(version, *definitions)).read_bytes()
        for name, data in [("libprobe.so", content),
                           ("plugin.json", json.dumps({**probe_manifest(), "version": version, **manifest}).encode())]:
            (plugin / "new").write_bytes(data)
            (plugin / "new").rename(plugin / name)

    def version(self, app=None) -> str:
        answer = ask(self.gateway.port, get(f"/probe/version?app={app.id}") if app else VERSION)
        assert answer.status == 200, (answer.status, answer.body)
        return answer.body.decode()

    def configure(self, **changes):
        """Changes keys of the configuration's file."""
        file = self.gateway.configuration
        file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))

    def refused(self, *needles: str) -> str:
        """A reload that changes nothing and says why; the old version goes on serving."""
        line = self.gateway.reload()
        assert line["message"].startswith("not reloaded"), line
        problems = "\n".join(line["problems"])
        for needle in needles:
            assert needle in problems, f"{needle!r} is not in:\n{problems}"
        assert self.version() == "0.1.0"
        return problems


@pytest.fixture
def bench(sluice, tmp_path):
    return Workbench(sluice, tmp_path, drain_timeout_ms=1500, limits={"requests_per_second": 1_000_000})


# -- new versions


def test_a_new_version_takes_over_under_load_without_a_failed_request(bench):
    stop, wrong, seen = threading.Event(), [], [[] for _ in range(6)]

    def load(answers):
        try:
            with Wire(bench.gateway.port) as wire:
                while not stop.is_set():
                    answer = wire.send(VERSION).answer()
                    answers.append(answer.body.decode() if answer.status == 200 else answer.status)
        except Exception as error:  # anything that a client sees is a failure
            wrong.append(error)

    clients = [threading.Thread(target=load, args=(answers,)) for answers in seen]
    for client in clients:
        client.start()
    for version in ("0.2.0", "0.3.0"):
        time.sleep(0.2)
        bench.install(version)
        line = bench.gateway.reload()
        assert line["message"] == "reloaded" and any(version in change for change in line["changes"]), line
    time.sleep(0.2)
    stop.set()
    for client in clients:
        client.join()
    assert not wrong
    for answers in seen:
        switches = [version for index, version in enumerate(answers) if index == 0 or answers[index - 1] != version]
        assert switches == ["0.1.0", "0.2.0", "0.3.0"]


def test_what_the_old_version_has_in_hand_it_finishes(bench):
    with Wire(bench.gateway.port) as wire:
        wire.send(get("/probe/later"))
        time.sleep(0.1)
        bench.install("0.2.0")
        assert bench.gateway.reload()["message"] == "reloaded"
        assert bench.version() == "0.2.0"
        assert wire.answer().body == b"later"
        assert wire.send(VERSION).answer().body == b"0.2.0"


def test_a_socket_of_the_old_version_works_until_it_is_drained_and_may_come_back(bench):
    old = RawSocket(bench.gateway.port, "/probe/socket")
    bench.install("0.2.0")
    assert bench.gateway.reload()["message"] == "reloaded"
    assert old.send(WHICH).receive()[1] == b"0.1.0"
    new = RawSocket(bench.gateway.port, "/probe/socket")
    assert new.send(WHICH).receive()[1] == b"0.2.0"
    assert old.close_code() == 3001
    assert new.send(WHICH).receive()[1] == b"0.2.0"


def test_apps_change_over_with_their_settings_and_new_ones_begin_with_the_new_version(bench):
    owner = Account(bench.gateway.url)
    app, closed = owner.app("Open"), owner.app("Closed")
    app.set_plugin("probe", enabled=True, config={"greeting": "kept"})
    assert bench.version(app) == "0.1.0"
    bench.install("0.2.0")
    bench.gateway.reload()
    assert [bench.version(each) for each in (app, closed, owner.app("New"))] == ["0.2.0"] * 3
    assert ask(bench.gateway.port, get(f"/probe/config?app={app.id}")).json()["greeting"] == "kept"
    listed = {plugin["id"]: plugin for plugin in owner.get(f"/v1/apps/{app.id}/plugins", expect=200).json()["data"]}
    assert listed["probe"]["version"] == "0.2.0"


def test_a_library_that_is_overwritten_in_place_harms_nothing_and_is_loaded_on_request(bench):
    library = bench.folder / "probe/libprobe.so"
    inode = library.stat().st_ino
    library.write_bytes(b"\0" * library.stat().st_size)
    assert bench.version() == "0.1.0"
    library.write_bytes(bench.library("0.1.0", "PROBE_OPENS=SLUICE_OK", "MARK=1").read_bytes() + b"\0")
    assert library.stat().st_ino == inode
    assert bench.gateway.reload()["changes"] == ["plugin probe@0.1.0 has changed"]
    assert bench.version() == "0.1.0"


def test_going_back_to_the_version_before_works_too(bench):
    for version in ("0.2.0", "0.1.0", "0.2.0"):
        bench.install(version)
        assert bench.gateway.reload()["message"] == "reloaded"
        assert bench.version() == version


def test_a_new_plugin_is_served_and_one_that_nobody_uses_may_go(bench):
    manifest = {**probe_manifest(), "id": "extra", "sockets": [], "emits": [], "tenants": "platform",
                "routes": [{**probe_manifest()["routes"][6], "path": "/extra/{name}", "operation": "extra"}]}
    library = bench.library("0.1.0", 'PROBE_ID="extra"')
    extra = lay_out(bench.folder, library, manifest, name="extra")
    assert ask(bench.gateway.port, get("/extra/here")).status == 404
    assert bench.gateway.reload()["changes"][0] == "plugin extra@0.1.0 is new"
    assert ask(bench.gateway.port, get("/extra/here")).body == b"here"
    extra.rename(bench.tmp_path / "gone")
    assert "plugin extra@0.1.0 is gone" in bench.gateway.reload()["changes"]
    assert ask(bench.gateway.port, get("/extra/here")).status == 404


def test_when_nothing_has_changed_nothing_happens(bench):
    socket = RawSocket(bench.gateway.port, "/probe/socket")
    line = bench.gateway.reload()
    assert line["message"] == "reloaded" and line["changes"] == [] and line["restart_for"] == []
    time.sleep(2)  # longer than the drain time
    assert socket.send(WHICH).receive()[1] == b"0.1.0"


# -- what is wrong leaves everything as it was


def test_a_manifest_that_is_wrong_is_refused_with_its_place(bench):
    bench.install("0.2.0", rutes=[])
    bench.refused("probe/plugin.json:1:", "/rutes", 'did you mean "routes"')


def test_a_library_that_lacks_what_it_needs_is_refused(bench):
    bench.install("0.2.0", "PROBE_ENTRY=another_name")
    bench.refused("libprobe.so", "sluice_plugin_entry_v1")
    bench.install("0.2.0", library=bench.library("0.1.0"))
    bench.refused("libprobe.so", "probe@0.1.0", "probe@0.2.0")
    broken = bench.tmp_path / "cut.so"
    broken.write_bytes(bench.library("0.2.0").read_bytes()[:3000])
    bench.install("0.2.0", library=broken)
    bench.refused("libprobe.so", "truncated")
    bench.install("0.2.0", routes=[{**probe_manifest()["routes"][0], "handler": "not_there"}])
    bench.refused("not_there", "/routes/0")
    (bench.folder / "probe/libprobe.so").unlink()
    bench.refused("libprobe.so", "No such file")
    bench.install("0.2.0")  # and once it is right it is taken
    assert bench.gateway.reload()["message"] == "reloaded"
    assert bench.version() == "0.2.0"


def test_a_version_that_refuses_one_apps_settings_is_refused_with_the_app_and_the_pointer(bench):
    owner = Account(bench.gateway.url)
    app, other = owner.app("Long"), owner.app("Short")
    app.set_plugin("probe", enabled=True, config={"greeting": "a long greeting"})
    assert bench.version(other) == "0.1.0"
    settings = probe_manifest()["config"]
    settings["properties"]["greeting"]["maxLength"] = 5
    bench.install("0.2.0", config=settings)
    bench.refused(app.id, "/greeting")
    assert bench.version(app) == bench.version(other) == "0.1.0"
    app.set_plugin("probe", enabled=True, config={"greeting": "short"})
    assert bench.gateway.reload()["message"] == "reloaded"
    assert bench.version(app) == bench.version(other) == "0.2.0"


def test_a_version_whose_shard_does_not_open_is_refused_and_closes_what_it_had_opened(bench):
    app = Account(bench.gateway.url).app("Open")
    assert bench.version(app) == "0.1.0"
    bench.install("0.2.0", "PROBE_OPENS=SLUICE_E_UNAVAILABLE")
    bench.refused("probe", "cannot open its shard")
    assert bench.version(app) == "0.1.0"
    app.set_plugin("probe", enabled=True, config={"greeting": "still"})  # the old one can still be set up
    assert bench.version(app) == "0.1.0"


def test_a_plugin_that_tenants_use_may_not_go(bench):
    app = Account(bench.gateway.url).app("User")
    (bench.folder / "probe").rename(bench.tmp_path / "gone")
    bench.refused('plugin "probe" is gone', app.id)


# -- the configuration


def static(name: str, secret: str, **others) -> dict:
    digest = hashlib.sha256(secret.encode()).hexdigest()
    return {"id": name, "hosts": [f"{name}.test"], "plugins": {"probe": {}, "auth": {}, "chat": {}, "realtime": {}},
            "keys": [{"id": "main", "kind": "secret", "secret_sha256": digest, "scopes": ["*"]}],
            "secrets": {"signing": "a-signing-secret-of-32-bytes-or-so"}, **others}


def status(bench, host, path="/probe/version", *fields):
    return ask(bench.gateway.port, get(path, *fields, host=host)).status


def test_tenants_of_files_come_change_and_go(bench):
    key, other = "sk_" + "1" * 40, "sk_" + "2" * 40
    assert status(bench, "acme.test", "/probe/config") == 200  # the platform's: nobody has the name
    bench.configure(tenants=[static("acme", key)])
    assert 'tenant "acme" is new' in bench.gateway.reload()["changes"]
    assert status(bench, "acme.test", "/v1/channels", f"Authorization: Bearer {key}") == 200
    bench.configure(tenants=[static("acme", other, hosts=["new.test"],
                                    plugins={"probe": {"config": {"greeting": "changed"}}, "auth": {}, "chat": {},
                                             "realtime": {}})])
    assert bench.gateway.reload()["changes"] == ['tenant "acme" has changed']
    answer = ask(bench.gateway.port, get("/probe/config", host="new.test"))
    assert answer.json()["greeting"] == "changed"
    assert status(bench, "new.test", "/v1/channels", f"Authorization: Bearer {other}") == 200
    assert status(bench, "new.test", "/v1/channels", f"Authorization: Bearer {key}") == 401
    bench.configure(tenants=[static("rival", key, hosts=["new.test"])])
    assert set(bench.gateway.reload()["changes"]) == {'tenant "rival" is new', 'tenant "acme" is gone'}
    assert status(bench, "new.test", "/v1/channels", f"Authorization: Bearer {key}") == 200
    assert status(bench, "new.test", "/v1/channels", f"Authorization: Bearer {other}") == 401


def test_a_tenant_that_is_wrong_changes_nothing_not_even_what_is_right(bench):
    key = "sk_" + "1" * 40
    bench.configure(tenants=[static("acme", key)])
    bench.gateway.reload()
    bench.install("0.2.0")
    bench.configure(tenants=[static("acme", key, hosts=["new.test"]), static("bad", key)])
    bench.refused("the same key")
    bench.configure(tenants=[static("acme", key, plugins={"probe": {"config": {"greeting": 7}}})])
    bench.refused("sluice.json:", "/tenants/0/plugins/probe/config/greeting")
    bench.configure(tenants=[static("acme", key, plugins={"probe": {"config": {"refuse": True}}, "auth": {}})])
    assert bench.version() == "0.1.0"
    assert status(bench, "acme.test", "/v1/channels", f"Authorization: Bearer {key}") == 200
    assert status(bench, "new.test", "/v1/channels", f"Authorization: Bearer {key}") in (200, 401)
    bench.refused("acme", "was told to refuse")  # the plugin says so itself, when its next instance is created
    assert status(bench, "acme.test", "/v1/channels", f"Authorization: Bearer {key}") == 200


def test_a_file_that_is_no_configuration_changes_nothing(bench):
    whole = bench.gateway.configuration.read_text()
    bench.gateway.configuration.write_text(whole.replace('"plugins"', '"plugin"', 1))
    bench.refused("sluice.json:", 'did you mean "plugins"')
    bench.gateway.configuration.write_text(whole[:-3])
    bench.refused("sluice.json:")
    bench.gateway.configuration.write_text(whole)
    assert bench.gateway.reload()["message"] == "reloaded"


def test_limits_that_can_change_do_and_those_that_cannot_are_named(bench):
    body = b"x" * 2000
    post = get("/probe/echo", "Content-Type: text/plain", method="POST", body=body)
    assert ask(bench.gateway.port, post).status == 200
    bench.configure(limits={"body_bytes": 1000, "requests_per_second": 777, "header_bytes": 4096},
                    log={"level": "debug"})
    line = bench.gateway.reload()
    assert line["message"] == "reloaded" and set(line["restart_for"]) == {"/log", "/limits/header_bytes"}
    assert ask(bench.gateway.port, post).status == 413
    assert ask(bench.gateway.port, VERSION)["x-ratelimit-limit"] == "777"
    assert ask(bench.gateway.port, get("/probe/version", "X-Large: " + "x" * 6000)).status == 200


def test_reloads_and_changes_of_apps_at_the_same_time_disturb_nobody(bench):
    owner = Account(bench.gateway.url)
    apps = [owner.app(f"App {number}") for number in range(4)]
    stop, wrong = threading.Event(), []

    def switch(app):
        number = 0
        while not stop.is_set():
            number += 1
            app.set_plugin("probe", enabled=True, config={"greeting": f"{number}"})
            answer = ask(bench.gateway.port, get(f"/probe/config?app={app.id}"))
            if answer.status != 200 or answer.json()["greeting"] != f"{number}":
                wrong.append((answer.status, answer.body, number))

    def run():
        try:
            switch(apps[0])
        except Exception as error:
            wrong.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    for version in ("0.2.0", "0.3.0", "0.4.0"):
        bench.install(version)
        assert bench.gateway.reload()["message"] == "reloaded"
    stop.set()
    thread.join()
    assert not wrong
    assert [bench.version(app) for app in apps] == ["0.4.0"] * 4


# -- copies of libraries


def images(bench) -> set[str]:
    return {file.name for file in (bench.gateway.data / "images").iterdir()}


def test_the_copies_of_a_version_that_is_refused_or_replaced_do_not_stay(bench):
    before = images(bench)
    assert any(name.startswith("probe-0.1.0") for name in before)
    for number in range(3):
        bench.install(f"0.2.{number}", "PROBE_OPENS=-13")
        bench.refused("cannot open its shard")
    assert eventually(lambda: images(bench) == before)
    bench.install("0.3.0", library=bench.library("0.4.0"))
    bench.refused("says that it is probe@0.4.0")
    assert images(bench) == before
    bench.install("0.5.0")
    assert bench.gateway.reload()["message"] == "reloaded"
    assert bench.version() == "0.5.0"
    assert eventually(lambda: not any(name.startswith("probe-0.1.0") for name in images(bench)))
    assert len(images(bench)) == len(before)


def test_a_start_leaves_no_copy_that_is_not_in_use(bench):
    before = images(bench)
    bench.gateway.kill()
    (bench.gateway.data / "images" / "probe-0.0.1-77.so").write_bytes(b"left by another")
    bench.install("0.2.0", "PROBE_ID=\"other\"")
    with pytest.raises(AssertionError, match="before it was ready"):
        bench.gateway.start()
    assert images(bench) == set()
    bench.install("0.1.0")
    bench.gateway.start()
    assert len(images(bench)) == len(before)
