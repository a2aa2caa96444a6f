"""The audit log from outside: what stands in it, that it is bound together, and that whoever rewrites it is found out."""

import hashlib
import json
import os
import pwd
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from client import Account
from program import eventually, run
from workshop import with_plugins


def verify(folder, *arguments, code=0) -> str:
    done = run("audit", "verify", "--data", folder, *arguments)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def listed(folder, *arguments, code=0) -> list[dict]:
    """What `sluice audit list` prints."""
    done = run("audit", "list", "--data", folder, *arguments)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def canonical_hash(names: list[str], row: tuple) -> str:
    """As the README of `control` says, by another program."""
    digest = hashlib.sha256()
    for name, value in zip(names, row):
        if name != "hash" and value is not None:
            text = str(value).encode()
            digest.update(f"{name}:{'i' if isinstance(value, int) else 't'}:{len(text)}:".encode() + text + b"\n")
    return digest.hexdigest()


@pytest.fixture(scope="module")
def busy(tmp_path_factory, request):
    """A gateway on several loops on which much was done at once, and its developer's app."""
    from program import Sluice

    with Sluice(tmp_path_factory.mktemp("audit"), None, ["--loops", "4"]) as gateway:
        account = Account(gateway.url)
        app = account.app("Audited")

        def rename(number: int) -> int:
            # A connection each, so that every loop appends.
            from client import Client

            client = Client(gateway.url, account.made["access_token"])
            return client.call("PATCH", f"/v1/apps/{app.id}", {"name": f'n{number} “ü"\\/'}).status_code

        with ThreadPoolExecutor(12) as pool:
            assert set(pool.map(rename, range(60))) == {200}
        yield gateway, account, app
        assert gateway.is_running(), gateway.text()[-4000:]


def test_every_change_is_in_the_log_once_and_in_one_chain(busy):
    gateway, account, app = busy
    entries, after = [], None
    while True:
        query = {"limit": 25, **({"after": after} if after else {})}
        page = account.get(f"/v1/apps/{app.id}/audit", params=query, expect=200).json()
        entries += page["data"]
        after = page["next"]
        if not after:
            break
    names = {entry["after"]["name"] for entry in entries if entry["action"] == "app.changed"}
    assert {f'n{number} “ü"\\/' for number in range(60)} <= names
    assert entries[-1]["action"] == "app.created" and entries[-1]["actor"] == account.id
    assert entries[0]["address"] == "127.0.0.1" and entries[0]["request_id"]
    for later, earlier in zip(entries, entries[1:]):
        assert later["seq"] == earlier["seq"] + 1 and later["previous_hash"] == earlier["hash"]
    with closing(sqlite3.connect(f"file:{gateway.data}/tenants/platform.sqlite?mode=ro", uri=True)) as database:
        cursor = database.execute("SELECT * FROM control_audit ORDER BY seq")
        columns = [column[0] for column in cursor.description]
        rows = list(cursor)
    assert [canonical_hash(columns, row) for row in rows] == [row[columns.index("hash")] for row in rows]
    assert f"{len(rows)} rows are whole" in verify(gateway.data)


def test_what_the_operator_does_to_an_app_is_in_its_log(sluice, tmp_path):
    gateway = sluice(with_plugins(plans={"free": {}, "gold": {}}), ["--loops", "2"])
    account = Account(gateway.url)
    app = account.app("Operated")
    where = ("--config", gateway.configuration, "--data", gateway.data)

    def tenant(*arguments, code=0):
        done = run("tenant", *arguments, *where)
        assert done.returncode == code and "warning" not in done.stderr, (done.returncode, done.stdout, done.stderr)

    def of(action: str, count: int) -> list[dict]:
        def entries() -> list[dict]:
            page = account.get(f"/v1/apps/{app.id}/audit", params={"limit": 100, "action": action}, expect=200).json()
            return page["data"][::-1]

        found = eventually(lambda: len(entries()) >= count and entries())
        assert found and len(found) == count, entries()
        assert [entry["outcome"] for entry in found] == ["begun", "done"] * (count // 2)
        for entry in found:
            assert (entry["actor_kind"], entry["actor"], entry["address"]) == (
                "operator", pwd.getpwuid(os.geteuid()).pw_name, "local")
        assert found[-2]["request_id"] == found[-1]["request_id"]
        return found

    tenant("plan", app.id, "gold")
    changed = of("app.plan_changed", 2)[1]
    assert (changed["before"]["plan"], changed["after"]["plan"]) == ("free", "gold")
    # What is refused has changed nothing, and is in the gateway's log.
    tenant("plan", app.id, "silver", code=1)
    of("app.plan_changed", 2)
    # A crash right behind a command takes nothing of it along.
    tenant("plan", app.id, "free")
    gateway.kill()
    gateway.start()
    assert of("app.plan_changed", 4)[3]["after"]["plan"] == "free"
    tenant("export", app.id, tmp_path / "file")
    tenant("import", tmp_path / "file", "--replace", "--plan", "gold")
    taken = of("app.imported", 2)[1]
    assert (taken["before"]["plan"], taken["after"]["plan"]) == ("free", "gold")
    assert taken["after"]["keys"] == taken["before"]["keys"] != []
    # Where nobody serves meanwhile it is heard at the next start.
    assert gateway.stop() == 0
    tenant("import", tmp_path / "file", "--replace")
    gateway.start()
    of("app.imported", 4)
    tenant("delete", app.id)
    # From here on it is the operator's to read.
    account.get(f"/v1/apps/{app.id}/audit", expect=404)
    deleted = ("--app", app.id, "--action", "app.deleted")
    assert eventually(lambda: len(listed(gateway.data, *deleted)) == 2)
    begun, gone = listed(gateway.data, *deleted)
    assert (begun["outcome"], gone["outcome"]) == ("begun", "done")
    assert gone["before"]["keys"] and "after" not in gone and gone["app_id"] == app.id
    assert gone["actor"] == pwd.getpwuid(os.geteuid()).pw_name and gone["created_at"].endswith("Z")
    assert "rows are whole" in verify(gateway.data)
    said = [line for line in gateway.lines() if line.get("message") == "an operator's request"]
    assert gone["request_id"] in {line.get("request_id") for line in said}


def test_the_log_is_listed_by_the_operator_who_has_no_account(busy):
    gateway, account, app = busy
    rows = listed(gateway.data, "--limit", "1000")
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1)) and len(rows) >= 61
    assert listed(gateway.data, "--limit", "3") == rows[-3:]
    created = listed(gateway.data, "--app", app.id, "--action", "app.created")
    assert len(created) == 1 and created[0]["actor"] == account.id and created[0]["after"]["name"] == "Audited"
    assert listed(gateway.data, "--actor", "nobody") == []
    of_app = account.get(f"/v1/apps/{app.id}/audit", params={"limit": 1}, expect=200).json()["data"][0]
    assert listed(gateway.data, "--app", app.id, "--limit", "1")[0]["hash"] == of_app["hash"]
    listed(gateway.data, "app_none", code=1)
    listed(gateway.data, "--limit", "0", code=64)


def test_a_change_that_has_failed_says_why(busy):
    gateway, account, app = busy
    # What no plugin has to be asked about is refused before anything is noted.
    app.set_plugin("nowhere", expect=404, enabled=True)
    app.set_plugin("chat", expect=400, enabled=True, config={"typo": 1})
    missing = app.set_plugin("chat", expect=404, enabled=True, version="99.0.0").json()
    assert "There are: " in missing["detail"], missing
    app.set_plugin("mailer", expect=400, enabled=True, config={"driver": "smtp"})
    page = account.get(f"/v1/apps/{app.id}/audit", params={"outcome": "failed", "action": "plugin.set"}, expect=200).json()
    (entry,) = page["data"]
    assert entry["target"] == "mailer" and "/config/smtp_host" in entry["reason"], entry
    assert "rows are whole" in verify(gateway.data)


def test_the_last_row_that_was_printed_is_found_again(busy, tmp_path):
    gateway, account, app = busy
    said = verify(gateway.data)
    link = said.strip().split()[-1]
    account.call("PATCH", f"/v1/apps/{app.id}", {"name": "more"}, expect=200)
    verify(gateway.data, "--expect", link)
    seq, hash = link.split("=")
    assert "is not the one that is expected" in verify(gateway.data, "--expect", f"{seq}={'0' * 64}", code=1)
    assert "is missing" in verify(gateway.data, "--expect", f"{int(seq) + 1000}={hash}", code=1)
    for wrong in ("x", "1", f"0={hash}", f"1={hash}0"):
        verify(gateway.data, "--expect", wrong, code=64)


def test_records_that_are_cut_off_at_the_end_are_missed(busy, tmp_path):
    gateway, _, _ = busy
    folder = tmp_path / "data"
    done = run("tenant", "backup", "platform", tmp_path / "copy", "--data", gateway.data)
    assert done.returncode == 0, done.stderr
    (folder / "tenants").mkdir(parents=True)
    shutil.copy(tmp_path / "copy/tenants/platform.sqlite", folder / "tenants")
    assert "nothing says which row is the last" in verify(folder)
    shutil.copytree(gateway.data / "files/platform/control", folder / "files/platform/control")
    assert "nothing says" not in verify(folder)
    for change, last in (("DELETE FROM control_audit WHERE seq > 3", 3), ("DELETE FROM control_audit", 0)):
        with closing(sqlite3.connect(folder / "tenants/platform.sqlite")) as database:
            database.execute("DROP TRIGGER IF EXISTS control_audit_no_delete")
            database.execute(change)
            database.commit()
        assert f"is missing: the last is row {last}" in verify(folder, code=1)


def test_records_that_were_cut_off_are_missed_also_when_the_log_has_grown_since(sluice):
    gateway = sluice(arguments=["--loops", "2"])
    account = Account(gateway.url)
    app = account.app("Cut")

    def rename(times: int):
        for number in range(times):
            account.call("PATCH", f"/v1/apps/{app.id}", {"name": f"name {number}"}, expect=200)

    def losses() -> int:
        return sum("has lost records at its end" in line.get("message", "") for line in gateway.lines())

    rename(5)
    assert gateway.stop() == 0
    assert losses() == 0
    with closing(sqlite3.connect(gateway.data / "tenants/platform.sqlite")) as database:
        (trigger,) = database.execute("SELECT sql FROM sqlite_master WHERE name = 'control_audit_no_delete'").fetchone()
        database.execute("DROP TRIGGER control_audit_no_delete")
        database.execute("DELETE FROM control_audit WHERE seq > 3")
        database.execute(trigger)
        database.commit()
    gateway.start()
    # Said at the start, before anything is written.
    account.get("/v1/me", expect=200)
    assert eventually(lambda: losses() >= 1)
    before = losses()
    rename(5)
    assert eventually(lambda: losses() >= before + 5)
    assert "row 6 is not the one that is expected" in verify(gateway.data, code=1)
    # As after a restored database, which the operator knows of.
    (gateway.data / "files/platform/control/control_audit.head").unlink()
    rename(2)
    assert "10 rows are whole" in verify(gateway.data)


@pytest.mark.parametrize("change, words", [
    ("UPDATE control_audit SET actor = 'acc_eve' WHERE seq = 17", "row 17 is not what was written"),
    ("UPDATE control_audit SET after_value = '{}' WHERE seq = 17", "row 17 is not what was written"),
    ("UPDATE control_audit SET target = 'key_x' WHERE seq = 17", "row 17 is not what was written"),
    ("UPDATE control_audit SET created_at = created_at + 1 WHERE seq = 17", "row 17 is not what was written"),
    ("DELETE FROM control_audit WHERE seq = 17", "row 17 is missing"),
    ("DELETE FROM control_audit WHERE seq = 1", "row 1 is missing"),
    ("UPDATE control_audit SET hash = previous_hash WHERE seq = 17", "row 17 is not what was written"),
    ("UPDATE control_audit SET seq = seq + 1000 WHERE seq > 17", "row 18 is missing"),
    ("UPDATE control_audit SET actor = x'00' WHERE seq = 17", "row 17"),
])
def test_whoever_rewrites_the_file_is_found_out_at_the_first_broken_link(busy, tmp_path, change, words):
    gateway, _, _ = busy
    folder = tmp_path / "data"
    (folder / "tenants").mkdir(parents=True)
    done = run("tenant", "backup", "platform", tmp_path / "copy", "--data", gateway.data)
    assert done.returncode == 0, done.stderr
    shutil.copy(tmp_path / "copy/tenants/platform.sqlite", folder / "tenants")
    assert "rows are whole" in verify(folder)
    with closing(sqlite3.connect(folder / "tenants/platform.sqlite")) as database:
        with pytest.raises(sqlite3.Error):
            database.execute(change)  # the triggers
        for trigger in ("control_audit_no_update", "control_audit_no_delete"):
            database.execute(f"DROP TRIGGER {trigger}")
        database.execute(change)
        database.commit()
    said = verify(folder, code=1)
    assert words in said, said


def test_a_row_that_is_rewritten_with_its_hash_breaks_the_next(busy, tmp_path):
    gateway, _, _ = busy
    assert run("tenant", "backup", "platform", tmp_path / "copy", "--data", gateway.data).returncode == 0
    with closing(sqlite3.connect(tmp_path / "copy/tenants/platform.sqlite")) as database:
        database.execute("DROP TRIGGER control_audit_no_update")
        database.execute("UPDATE control_audit SET actor = 'acc_eve' WHERE seq = 9")
        cursor = database.execute("SELECT * FROM control_audit WHERE seq = 9")
        names = [column[0] for column in cursor.description]
        new = canonical_hash(names, cursor.fetchone())
        database.execute("UPDATE control_audit SET hash = ? WHERE seq = 9", [new])
        database.commit()
    assert "row 10 was not written after row 9" in verify(tmp_path / "copy", code=1)


def test_what_cannot_be_verified_is_said(busy, tmp_path):
    gateway, _, app = busy
    assert app.server.get("/v1/users").status_code == 200  # it has a file from now on
    assert "no data of app_none" in verify(gateway.data, "app_none", code=1)
    assert "no log of this kind" in verify(gateway.data, app.id, code=1)
    (tmp_path / "tenants").mkdir()
    (tmp_path / "tenants/platform.sqlite").write_bytes(b"no database" * 100)
    verify(tmp_path, code=1)
    verify(tmp_path, "../platform", code=1)


def test_the_log_outlives_kill_9_and_goes_on_in_its_chain(sluice):
    gateway = sluice()
    account = Account(gateway.url)
    app = account.app("Killed")
    for round in range(3):
        for number in range(5):
            account.call("PATCH", f"/v1/apps/{app.id}", {"name": f"{round}-{number}"}, expect=200)
        gateway.kill()
        assert f"{1 + 5 * (round + 1)} rows are whole" in verify(gateway.data)
        gateway.start()
    page = account.get(f"/v1/apps/{app.id}/audit", params={"limit": 100}, expect=200).json()
    assert len(page["data"]) == 16
