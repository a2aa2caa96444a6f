"""Alarms: a plugin is woken when its time has come, whatever happens until then, and is left alone otherwise."""

import sqlite3
import time
from contextlib import closing

import pytest
import requests

from client import Account
from program import eventually, run
from sanitizer import SLOWNESS
from test_events import rows
from workshop import lay_out_own, with_plugins


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return lay_out_own(tmp_path_factory.mktemp("sleepers"), "sleeper")


def now() -> int:
    return int(time.time() * 1000)


def moved(direction: str, *arguments):
    """Exports or imports an app with the operator's command, which must do it."""
    done = run("tenant", direction, *arguments)
    assert done.returncode == 0, done.stderr


def waiting(gateway, name: str):
    """A new app whose sleeper has an alarm that does not come during a test."""
    app = Account(gateway.url).app(name)
    app.set_plugin("sleeper", enabled=True)
    assert set_alarm(gateway, hence(), app.id) == "0"
    return app


def on_platform(folder, mode="once") -> dict:
    """A gateway with nothing but the sleeper, on the platform, which is open from the start."""
    plugins = {"sleeper": {"config": {"mode": mode}}}
    return {"plugins": {"folders": [str(folder)]}, "tenants": [{"id": "platform", "plugins": plugins}]}


def set_alarm(gateway, at: int, app=None) -> str:
    """Sets the alarm, and the status that came of it."""
    answer = requests.post(
        f"{gateway.url}/sleeper/alarm", params={"at": at, **({"app": app} if app else {})}, timeout=20 * SLOWNESS)
    assert answer.status_code == 200, answer.text
    return answer.text


def woken(gateway, tenant="platform") -> list[int]:
    """When the sleeper was woken, in Unix milliseconds."""
    return [at for at, in rows(gateway, tenant, "SELECT at FROM sleeper_woken ORDER BY rowid")]


def in_control(gateway, *statements: str):
    """Changes what a gateway that does not run has kept, as if time had passed."""
    with closing(sqlite3.connect(f"{gateway.data}/control.sqlite")) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


PASS = "UPDATE sluice_alarms SET wake_at = wake_at - 7200000, try_at = try_at - 7200000"


def hence() -> int:
    """A time that does not come during a test."""
    return now() + 3_600_000


def alarms(gateway) -> list[tuple]:
    """What the gateway keeps: tenant, plugin and time."""
    with closing(sqlite3.connect(f"file:{gateway.data}/control.sqlite?mode=ro", uri=True)) as database:
        return database.execute("SELECT tenant, plugin, wake_at FROM sluice_alarms ORDER BY tenant").fetchall()


def test_the_earlier_of_two_alarms_wakes_once_and_not_before_its_time(sluice, folder):
    gateway = sluice(on_platform(folder), ["--loops", 2])
    far = hence()
    assert set_alarm(gateway, far) == "0"
    assert alarms(gateway) == [("platform", "sleeper", far)]
    assert set_alarm(gateway, far + 1) == "0"
    assert alarms(gateway) == [("platform", "sleeper", far)]
    soon = now() + 700
    assert set_alarm(gateway, soon) == "0"
    assert eventually(lambda: woken(gateway))
    assert eventually(lambda: alarms(gateway) == [])
    assert len(woken(gateway)) == 1 and woken(gateway)[0] >= soon
    assert gateway.metric("sluice_alarm_wakes_total") == 1
    assert gateway.metric("sluice_alarm_failures_total") == 0


def test_a_time_that_is_past_wakes_at_once_and_one_that_is_none_is_refused(sluice, folder):
    gateway = sluice(on_platform(folder))
    assert set_alarm(gateway, 0) == "0"
    assert eventually(lambda: len(woken(gateway)) == 1)
    for at in (-1, 253402300800000):
        assert set_alarm(gateway, at) == "-2"
    assert eventually(lambda: alarms(gateway) == [])


def test_an_alarm_survives_kill_9_and_wakes_an_app_that_nobody_asks_for(sluice, folder):
    gateway = sluice(with_plugins(folder), ["--loops", 2])
    account = Account(gateway.url)
    apps = [account.app(f"Sleeps {number}") for number in range(5)]
    for app in apps:
        app.set_plugin("sleeper", enabled=True)
        assert set_alarm(gateway, hence(), app.id) == "0"
    gateway.kill()
    assert len(alarms(gateway)) == 5 and [woken(gateway, app.id) for app in apps] == [[]] * 5
    in_control(gateway, PASS)
    gateway.start()
    assert eventually(lambda: all(len(woken(gateway, app.id)) == 1 for app in apps))
    assert eventually(lambda: alarms(gateway) == [])


def test_what_was_committed_before_kill_9_is_looked_for_though_no_alarm_stands(sluice, folder):
    gateway = sluice(with_plugins(folder))
    app = Account(gateway.url).app("Crashes")
    app.set_plugin("sleeper", enabled=True)
    assert set_alarm(gateway, 0, app.id) == "0"
    assert eventually(lambda: woken(gateway, app.id) and alarms(gateway) == [])
    gateway.kill()
    gateway.start()
    assert eventually(lambda: len(woken(gateway, app.id)) == 2)
    gateway.stop()
    gateway.start()
    assert set_alarm(gateway, 0, app.id) == "0"
    assert eventually(lambda: len(woken(gateway, app.id)) == 3) and eventually(lambda: alarms(gateway) == [])


def test_a_wake_up_that_kill_9_cuts_off_is_repeated(sluice, folder):
    gateway = sluice(on_platform(folder, mode="silent"))
    assert set_alarm(gateway, now()) == "0"
    assert eventually(lambda: woken(gateway))
    gateway.kill()
    before = len(woken(gateway))
    assert len(alarms(gateway)) == 1
    gateway.start()
    assert eventually(lambda: len(woken(gateway)) > before)


def test_a_sleeper_that_fails_or_says_nothing_is_woken_ever_more_rarely_until_it_is_set_right(sluice, tmp_path):
    gateway = sluice(with_plugins(lay_out_own(tmp_path / "plugins", "sleeper", limits={"alarm_seconds": 1})))
    account = Account(gateway.url)
    apps = {mode: account.app(mode) for mode in ("fail", "silent")}
    for mode, app in apps.items():
        app.set_plugin("sleeper", enabled=True, config={"mode": mode})
        assert set_alarm(gateway, now(), app.id) == "0"
    for app in apps.values():
        assert eventually(lambda: len(woken(gateway, app.id)) >= 3, patience=30)
        times = woken(gateway, app.id)
        assert times[1] - times[0] >= 1_000 and times[2] - times[1] >= 2_000
    assert eventually(lambda: gateway.metric("sluice_alarm_failures_total") >= 4)
    reasons = [line["reason"] for line in gateway.lines() if "woken again" in line.get("message", "")]
    assert any("status" in reason for reason in reasons) and any("within 1 s" in reason for reason in reasons), reasons
    gateway.stop()
    assert len(alarms(gateway)) == 2


def test_work_in_slices_goes_on_a_moment_later_and_what_is_set_while_woken_is_kept(sluice, folder):
    gateway = sluice(with_plugins(folder))
    account = Account(gateway.url)
    slices, meanwhile = account.app("Slices"), account.app("Meanwhile")
    slices.set_plugin("sleeper", enabled=True, config={"mode": "again"})
    meanwhile.set_plugin("sleeper", enabled=True, config={"mode": "meanwhile"})
    for app in (slices, meanwhile):
        assert set_alarm(gateway, now(), app.id) == "0"
    assert eventually(lambda: len(woken(gateway, slices.id)) >= 5)
    slices.set_plugin("sleeper", enabled=False)

    def later():
        return [at for app, _, at in alarms(gateway) if app == meanwhile.id and at > now() + 3_000_000]

    assert eventually(later)
    assert len(woken(gateway, meanwhile.id)) == 1


def test_a_plugin_that_is_switched_off_sleeps_until_it_is_switched_on(sluice, folder):
    gateway = sluice(with_plugins(folder), ["--loops", 2])
    account = Account(gateway.url)
    off, on = account.app("Off"), account.app("On")
    for app in (off, on):
        app.set_plugin("sleeper", enabled=True)
        assert set_alarm(gateway, hence(), app.id) == "0"
    off.set_plugin("sleeper", enabled=False)
    gateway.stop()
    in_control(gateway, PASS)
    gateway.start()
    # The other's, which comes behind, has come.
    assert eventually(lambda: woken(gateway, on.id))
    assert eventually(lambda: [app for app, _, _ in alarms(gateway)] == [off.id])
    assert woken(gateway, off.id) == []
    off.set_plugin("sleeper", enabled=True)
    assert eventually(lambda: woken(gateway, off.id))
    assert eventually(lambda: alarms(gateway) == [])


def test_an_app_that_is_deleted_leaves_no_alarm(sluice, folder):
    gateway = sluice(with_plugins(folder))
    app = waiting(gateway, "Gone")
    assert len(alarms(gateway)) == 1
    app.owner.call("DELETE", f"/v1/apps/{app.id}", expect=204)
    assert eventually(lambda: alarms(gateway) == [])


def test_an_app_from_an_export_is_woken_for_what_came_with_it(sluice, folder, tmp_path):
    gateway = sluice(with_plugins(folder))
    app = waiting(gateway, "Moves")
    seal = ("--seal-key", tmp_path / "key")
    moved("export", app.id, tmp_path / "file", *seal, "--data", gateway.data)
    other = sluice(with_plugins(folder))
    moved("import", tmp_path / "file", *seal, "--data", other.data)
    assert eventually(lambda: len(woken(other, app.id)) == 1)
    assert eventually(lambda: alarms(other) == [])


def test_an_app_that_is_taken_in_while_no_gateway_runs_is_woken_at_the_start(sluice, folder, tmp_path):
    gateway = sluice(with_plugins(folder))
    app = waiting(gateway, "Moves")
    seal = ("--seal-key", tmp_path / "key")
    moved("export", app.id, tmp_path / "file", *seal, "--data", gateway.data)
    other = sluice(with_plugins(folder))
    other.stop()
    moved("import", tmp_path / "file", *seal, "--config", other.configuration, "--data", other.data)
    assert (app.id, "sleeper", 0) in alarms(other)
    other.start()
    assert eventually(lambda: len(woken(other, app.id)) == 1)
    assert eventually(lambda: alarms(other) == [])


def test_a_plugin_that_is_off_in_an_export_is_woken_when_it_is_switched_on(sluice, folder, tmp_path):
    gateway = sluice(with_plugins(folder))
    app = waiting(gateway, "Comes back")
    app.set_plugin("sleeper", enabled=False)
    moved("export", app.id, tmp_path / "file", "--data", gateway.data)
    moved("import", tmp_path / "file", "--replace", "--data", gateway.data)
    assert (app.id, "sleeper", 0) in alarms(gateway)
    app.set_plugin("sleeper", enabled=True)
    assert eventually(lambda: len(woken(gateway, app.id)) == 1)
    assert eventually(lambda: alarms(gateway) == [])


def test_more_alarms_than_are_woken_at_once_all_come(sluice, folder):
    """Of apps that are not there, which count like others: the one that is has waited least."""
    gateway = sluice(on_platform(folder))
    gateway.stop()
    in_control(
        gateway, "INSERT INTO sluice_alarms VALUES ('platform', 'sleeper', 10001, 10001, 0)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
        "INSERT INTO sluice_alarms SELECT 'app_' || i, 'sleeper', i, i, 0 FROM n")
    gateway.start()
    assert eventually(lambda: woken(gateway), patience=60)
    # None of the others is lost: whoever puts an app back has it woken.
    assert eventually(lambda: len(alarms(gateway)) == 1_000, patience=60)


def test_a_plugin_that_asks_for_alarms_and_does_not_wake_is_refused(tmp_path):
    lay_out_own(tmp_path / "plugins", "sleeper", "SLEEPER_WAKES=0")
    configuration = tmp_path / "sluice.json"
    configuration.write_text('{"plugins": {"folders": ["plugins"]}}')
    done = run("check", "--config", configuration)
    assert done.returncode == 1 and "does not offer sluice.alarm-handler/1" in done.stdout + done.stderr, done.stdout
