"""Plugins that are broken, that misbehave, and that are switched while the gateway runs."""

import json
import sqlite3
import subprocess
import time

import pytest

from client import Account, listen
from program import eventually, run
from wire import Wire, ask, get
from workshop import compile_probe, conformance_configuration, lay_out, probe_manifest, with_plugins


# -- bad plugins: `check` and `serve` say file, place and what to do


def refused(tmp_path, *needles: str, folders=None) -> str:
    """What `check` and `serve` say of the plugins in `tmp_path / "plugins"`: both must refuse, neither crash."""
    configuration = tmp_path / "sluice.json"
    folders = folders or [tmp_path / "plugins"]
    configuration.write_text(json.dumps({**with_plugins(*folders), "listeners": [{"address": "127.0.0.1:0"}]}))
    said = []
    for command in (["check"], ["serve", "--data", tmp_path / "data"]):
        done = run(*command, "--config", configuration)
        text = done.stdout + done.stderr
        assert done.returncode == 1, f"{command[0]} ended with {done.returncode}:\n{text}"
        for needle in needles:
            assert needle in text, f"{command[0]} does not say {needle!r}:\n{text}"
        assert "Fatal error" not in text and "Stack dump" not in text
        said.append([line.removeprefix("sluice: ") for line in text.splitlines() if "libprobe.so: " in line])
    assert said[0] == said[1], said
    return text


def compiled(tmp_path, *definitions):
    library = tmp_path / "bent.so"
    compile_probe(library, *definitions)
    return library


def test_a_whole_plugin_is_accepted_by_the_same_check(tmp_path, probe_folder):
    """Or the refusals below would prove nothing."""
    configuration = tmp_path / "sluice.json"
    configuration.write_text(json.dumps({**with_plugins(probe_folder), "listeners": [{"address": "127.0.0.1:0"}]}))
    done = run("check", "--config", configuration)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_library_with_another_abi_major_is_refused(tmp_path):
    lay_out(tmp_path / "plugins", compiled(tmp_path, "PROBE_MAJOR=2"))
    text = refused(tmp_path, "libprobe.so", "2.0")
    assert "this gateway has 1." in text


def test_a_manifest_with_another_abi_major_is_refused_with_its_place(tmp_path, probe_library):
    lay_out(tmp_path / "plugins", probe_library, {**probe_manifest(), "abi": 2})
    refused(tmp_path, "plugin.json:4:", "/abi", "major 2")


def test_a_library_without_the_entry_function_is_refused(tmp_path):
    lay_out(tmp_path / "plugins", compiled(tmp_path, "PROBE_ENTRY=something_else"))
    refused(tmp_path, "libprobe.so", "sluice_plugin_entry_v1")


def test_a_library_with_another_id_than_its_manifest_is_refused(tmp_path):
    lay_out(tmp_path / "plugins", compiled(tmp_path, 'PROBE_ID="other"'))
    refused(tmp_path, "libprobe.so", "other")


def test_a_library_with_a_symbol_that_nobody_has_is_refused(tmp_path):
    """RTLD_NOW: at load, not at the first request."""
    source = tmp_path / "dangling.c"
    source.write_text("extern int nobody_has_this(void); int call(void) { return nobody_has_this(); }\n"
                      "const void *sluice_plugin_entry_v1(void) { return 0; }\n")
    library = tmp_path / "dangling.so"
    subprocess.run(["cc", "-shared", "-fPIC", str(source), "-o", str(library)], check=True)
    lay_out(tmp_path / "plugins", library)
    refused(tmp_path, "libprobe.so", "nobody_has_this")


def test_an_entry_function_that_returns_null_is_refused(tmp_path):
    source = tmp_path / "null.c"
    source.write_text("const void *sluice_plugin_entry_v1(void) { return 0; }\n")
    library = tmp_path / "null.so"
    subprocess.run(["cc", "-shared", "-fPIC", str(source), "-o", str(library)], check=True)
    lay_out(tmp_path / "plugins", library)
    refused(tmp_path, "libprobe.so")


def test_a_library_for_another_architecture_is_refused(tmp_path, probe_library):
    data = bytearray(probe_library.read_bytes())
    machine = int.from_bytes(data[18:20], "little")  # e_machine of the ELF header
    data[18:20] = (183 if machine == 62 else 62).to_bytes(2, "little")  # AArch64 for x86-64, and the other way round
    lay_out(tmp_path / "plugins", bytes(data))
    refused(tmp_path, "libprobe.so")


@pytest.mark.parametrize("keep", [0, 3, 40, 64, 500, 0.3, 0.6, 0.9])
def test_a_truncated_library_is_refused_and_crashes_nothing(tmp_path, probe_library, keep):
    data = probe_library.read_bytes()
    lay_out(tmp_path / "plugins", data[: keep if isinstance(keep, int) else int(len(data) * keep)])
    refused(tmp_path, "libprobe.so")


def test_a_library_of_garbage_is_refused(tmp_path):
    lay_out(tmp_path / "plugins", b"#!/bin/sh\nexit 0\n" * 1000)
    refused(tmp_path, "libprobe.so")


def test_a_library_that_is_missing_or_a_folder_is_refused(tmp_path):
    plugin = lay_out(tmp_path / "plugins", None)
    refused(tmp_path, "libprobe.so")
    (plugin / "libprobe.so").mkdir()
    refused(tmp_path, "libprobe.so")


@pytest.mark.parametrize("path", ["../libprobe.so", "/tmp/libprobe.so", "a/../../libprobe.so"])
def test_a_library_outside_its_folder_is_refused(tmp_path, path):
    lay_out(tmp_path / "plugins", None, {**probe_manifest(), "library": path})
    refused(tmp_path, "plugin.json:", "/library", path)


def test_a_handler_that_the_library_does_not_know_is_refused_with_its_route(tmp_path, probe_library):
    manifest = probe_manifest()
    manifest["routes"][0]["handler"] = "not_there"
    lay_out(tmp_path / "plugins", probe_library, manifest)
    refused(tmp_path, "not_there", "/routes/0")


def test_two_plugins_that_claim_one_route_are_refused_with_both_places(tmp_path, probe_library):
    lay_out(tmp_path / "plugins", probe_library)
    manifest = probe_manifest()
    manifest["id"], manifest["routes"] = "rogue", manifest["routes"][:1]
    rogue = tmp_path / "rogue.so"
    compile_probe(rogue, 'PROBE_ID="rogue"')
    lay_out(tmp_path / "plugins", rogue, manifest, name="rogue")
    text = refused(tmp_path, "/probe/silent", "/routes/0/path")
    assert "probe/plugin.json" in text and "rogue/plugin.json" in text


def test_two_plugins_with_one_id_are_refused(tmp_path, probe_library):
    lay_out(tmp_path / "one", probe_library)
    lay_out(tmp_path / "two", probe_library)
    refused(tmp_path, str(tmp_path / "one"), str(tmp_path / "two"), "/id", folders=[tmp_path / "one", tmp_path / "two"])


def test_an_unknown_key_in_a_manifest_is_refused_with_the_nearest_one(tmp_path, probe_library):
    manifest = json.dumps(probe_manifest(), indent=2).replace('"runtime"', '"runtim"')
    lay_out(tmp_path / "plugins", probe_library, manifest)
    refused(tmp_path, "plugin.json:7:", "/runtim", "runtime")


def test_a_duplicate_key_in_a_manifest_is_refused_with_line_and_column(tmp_path, probe_library):
    manifest = json.dumps(probe_manifest(), indent=2).replace('"abi": 1,', '"abi": 1,\n  "abi": 1,')
    lay_out(tmp_path / "plugins", probe_library, manifest)
    refused(tmp_path, "plugin.json:5:", "duplicate", "abi")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"id": "probe"', "\x00", "{}"])
def test_a_manifest_that_is_no_manifest_is_refused(tmp_path, probe_library, text):
    lay_out(tmp_path / "plugins", probe_library, None)
    (tmp_path / "plugins/probe/plugin.json").write_text(text)
    refused(tmp_path, "plugin.json")


def test_a_capability_that_there_is_not_is_refused_with_the_nearest(tmp_path, probe_library):
    manifest = probe_manifest()
    manifest["capabilities"][0] = "sluice.htpp/1"
    lay_out(tmp_path / "plugins", probe_library, manifest)
    refused(tmp_path, "/capabilities/0", "sluice.http/1")


def test_a_capability_that_is_not_asked_for_is_not_given(sluice, tmp_path, probe_library):
    manifest = probe_manifest()
    manifest["capabilities"].remove("sluice.timer/1")
    lay_out(tmp_path / "plugins", probe_library, manifest)
    gateway = sluice(with_plugins(tmp_path / "plugins"), start=False)
    try:
        gateway.start()
    except AssertionError as error:
        assert "probe" in str(error)
    else:  # its shard refuses to open, so the platform is not served, and nothing crashes
        answer = ask(gateway.port, get("/probe/at-once/x"))
        assert answer.status == 503 and answer.json()["code"] == "plugin_unavailable"
        assert ask(gateway.port, get("/healthz")).status == 200


# -- plugins that misbehave


@pytest.mark.limit("request_timeout_ms")
def test_a_handler_that_never_answers_is_cut_off_with_504(probe):
    before = probe.breaches("request_timeout_ms")
    answer = ask(probe.port, get("/probe/silent"))
    assert answer.status == 504 and answer.json()["code"] == "deadline_exceeded"
    assert probe.breaches("request_timeout_ms") == before + 1
    with Wire(probe.port) as wire:  # and what stands behind it in the queue is still answered
        wire.send(get("/probe/silent") + get("/probe/at-once/behind"))
        assert wire.answer().status == 504
        assert wire.answer().body == b"behind"


def test_a_client_that_leaves_a_pending_request_leaves_nothing_behind(probe):
    descriptors = probe.descriptors()
    for _ in range(50):
        with Wire(probe.port) as wire:
            wire.send(get("/probe/later"))
    time.sleep(1.5)  # the plugin answers tokens that are dead
    assert ask(probe.port, get("/probe/at-once/alive")).body == b"alive"
    assert probe.descriptors() <= descriptors + 2


@pytest.mark.parametrize("path", ["nothing", "broken", "unknown-status"])
def test_a_handler_that_fails_is_500_and_says_nothing_of_the_inside(probe, path):
    answer = ask(probe.port, get(f"/probe/{path}"))
    problem = answer.json()
    assert answer.status == 500 and problem["code"] == "internal" and problem["request_id"]
    assert "4711" not in answer.body.decode()


def test_sql_that_fails_reaches_the_plugin_with_its_reason(probe):
    answer = ask(probe.port, get("/probe/sql"))
    assert answer.status == 200 and b"probe_secret_table" in answer.body


def test_sql_that_fails_in_a_swift_plugin_is_500_without_a_word_of_the_database(sluice):
    gateway = sluice(conformance_configuration())
    assert ask(gateway.port, get("/durable", method="POST", body=b"x")).status == 201
    for file in (gateway.data / "tenants").glob("*.sqlite"):
        with sqlite3.connect(file, timeout=5) as database:
            database.execute("DROP TABLE IF EXISTS conformance_durable")
    answer = ask(gateway.port, get("/durable", "X-Request-Id: lost-rows", method="POST", body=b"x"))
    assert answer.status == 500 and answer.json()["code"] == "internal"
    for word in ("conformance_durable", "sqlite", "SQL", "table", "INSERT"):
        assert word not in answer.body.decode(), answer.body
    assert eventually(lambda: "conformance_durable" in gateway.text())  # but the operator is told


# -- switching


@pytest.fixture(scope="module")
def owner(probe):
    return Account(probe.url)


def greeting(probe, app, expect=200):
    return ask(probe.port, get(f"/probe/config?app={app.id}"))


def test_a_plugins_settings_change_for_one_app_while_it_runs(probe, owner):
    one, other = owner.app("One"), owner.app("Other")
    assert greeting(probe, one).json()["greeting"] == "hello"
    with listen(probe.url, "chat:messaging:x", token=other.token("alice")) as listener:
        answer = one.set_plugin("probe", enabled=True, config={"greeting": "good day"}).json()
        assert answer["enabled"] is True and answer["config"]["greeting"] == "good day"
        assert greeting(probe, one).json()["greeting"] == "good day"
        assert greeting(probe, other).json()["greeting"] == "hello"
        one.set_plugin("probe", enabled=True)  # without settings they stay
        assert greeting(probe, one).json()["greeting"] == "good day"
        other.server.post("/v1/channels/messaging/x/messages", {"text": "still here", "user_id": "bob"}, expect=201)
        assert json.loads(listener.recv(10))["data"]["text"] == "still here"
    listed = {plugin["id"]: plugin for plugin in owner.get(f"/v1/apps/{one.id}/plugins", expect=200).json()["data"]}
    assert listed["probe"]["config"]["greeting"] == "good day"


def test_a_plugin_is_switched_off_and_on_for_one_app_while_it_runs(probe, owner):
    one, other = owner.app("One"), owner.app("Other")
    with listen(probe.url, "chat:messaging:x", token=other.token("alice")) as listener:
        one.set_plugin("probe", enabled=False)
        gone = greeting(probe, one)
        assert gone.status == 404 and gone.json()["code"] == "plugin_not_enabled" and '"probe"' in gone.json()["detail"]
        assert greeting(probe, other).status == 200
        one.set_plugin("probe", enabled=True)
        assert greeting(probe, one).status == 200
        listener.ping().wait(5)
        with pytest.raises(TimeoutError):
            listener.recv(0.3)


def test_sockets_of_a_plugin_that_is_switched_off_are_closed_at_once_and_not_resumable(probe, owner):
    app, other = owner.app("One"), owner.app("Other")
    with listen(probe.url, "chat:messaging:x", token=app.token("alice")) as ended, \
            listen(probe.url, "chat:messaging:x", token=other.token("alice")) as kept:
        app.set_plugin("realtime", enabled=False)
        with pytest.raises(Exception) as closing:
            ended.recv(10)
        assert 3500 <= closing.value.rcvd.code <= 3999
        kept.ping().wait(5)


def test_sockets_that_outlived_a_change_of_settings_are_closed_at_once_when_their_plugin_is_switched_off(probe, owner):
    app = owner.app("Twice")
    with listen(probe.url, "chat:messaging:x", token=app.token("alice")) as first:
        app.set_plugin("probe", enabled=True, config={"greeting": "changed"})
        with listen(probe.url, "chat:messaging:x", token=app.token("alice")) as second:
            app.server.post("/v1/channels/messaging/x/messages", {"text": "to both", "user_id": "bob"}, expect=201)
            for socket in (first, second):  # a change of settings lets them go on
                assert json.loads(socket.recv(10))["data"]["text"] == "to both"
            app.set_plugin("realtime", enabled=False)
            for socket in (first, second):
                with pytest.raises(Exception) as closing:
                    socket.recv(2)
                assert closing.value.rcvd.code == 3503


def test_settings_that_break_the_schema_are_refused_with_their_pointer_and_the_old_keep_serving(probe, owner):
    app = owner.app("Strict")
    app.set_plugin("probe", enabled=True, config={"greeting": "kept"})
    for config, pointer in [({"greeting": 7}, "greeting"), ({"greting": "x"}, "greting")]:
        refused = app.set_plugin("probe", expect=400, enabled=True, config=config).json()
        assert refused["code"] == "invalid_request" and pointer in json.dumps(refused["errors"])
        assert greeting(probe, app).json()["greeting"] == "kept"


def test_settings_that_the_plugin_itself_refuses_are_refused_with_its_reason_and_the_old_keep_serving(probe, owner):
    app = owner.app("Stubborn")
    app.set_plugin("probe", enabled=True, config={"greeting": "kept"})
    refused = app.set_plugin("probe", expect=None, enabled=True, config={"greeting": "lost", "refuse": True})
    assert refused.status_code in (400, 409)
    assert "was told to refuse" in refused.text and "/refuse" in refused.text
    assert greeting(probe, app).json()["greeting"] == "kept"
    listed = {plugin["id"]: plugin for plugin in owner.get(f"/v1/apps/{app.id}/plugins", expect=200).json()["data"]}
    assert listed["probe"]["config"]["greeting"] == "kept"


def test_a_set_of_plugins_that_does_not_fit_together_is_refused_and_the_old_keeps_serving(probe, owner):
    app = owner.app("Misfit")
    refused = app.set_plugin("control", expect=None, enabled=True)  # runs on the platform alone
    assert refused.status_code in (400, 404, 409) and "control" in refused.text
    app.set_plugin("nowhere", expect=404, enabled=True)
    app.server.get("/v1/users", expect=200)


def test_settings_survive_a_restart(sluice, probe_folder):
    gateway = sluice(with_plugins(probe_folder))
    owner = Account(gateway.url)
    app = owner.app("Kept")
    app.set_plugin("probe", enabled=True, config={"greeting": "kept"})
    app.set_plugin("realtime", enabled=False)
    gateway.kill()
    gateway.start()
    assert greeting(gateway, app).json()["greeting"] == "kept"
    listed = {plugin["id"]: plugin for plugin in owner.get(f"/v1/apps/{app.id}/plugins", expect=200).json()["data"]}
    assert listed["realtime"]["enabled"] is False and listed["chat"]["enabled"] is True


def test_requests_under_way_are_finished_by_the_generation_that_began_them(probe, owner):
    app = owner.app("Under way")
    with Wire(probe.port) as wire:
        wire.send(get(f"/probe/later?app={app.id}"))
        time.sleep(0.2)
        app.set_plugin("probe", enabled=True, config={"greeting": "new"})
        assert wire.answer().body == b"later"
        assert wire.send(get(f"/probe/config?app={app.id}")).answer().json()["greeting"] == "new"


def test_settings_may_be_changed_again_and_again_under_load_without_one_failed_request(probe, owner):
    import threading

    app, failed, done = owner.app("Busy"), [], threading.Event()

    def load():
        with Wire(probe.port) as wire:
            while not done.is_set():
                answer = wire.send(get(f"/probe/config?app={app.id}")).answer()
                if answer.status != 200:
                    failed.append((answer.status, answer.body))

    clients = [threading.Thread(target=load) for _ in range(4)]
    for client in clients:
        client.start()
    for number in range(30):
        app.set_plugin("probe", enabled=True, config={"greeting": f"g{number}"})
        assert greeting(probe, app).json()["greeting"] == f"g{number}"
    done.set()
    for client in clients:
        client.join()
    assert failed == []
