"""What the backup of one app holds, and that one which fails leaves nothing."""

import hashlib
import shutil
import sqlite3
from contextlib import closing

import pytest

from client import Client
from program import run
from test_tenants import said, talkative, tenant


def tenants_in(file) -> dict[str, set[str]]:
    """Whose rows the tables of a control.sqlite have, for those that say so."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as control:
        found = {}
        for table, in control.execute("SELECT name FROM sqlite_master WHERE type = 'table'"):
            columns = {column[1] for column in control.execute(f"PRAGMA table_info({table})")}
            name = "id" if table == "sluice_tenants" else "tenant"
            if name in columns:
                found[table] = {owner for owner, in control.execute(f"SELECT {name} FROM {table}")}
        return found


@pytest.mark.parametrize("runs", [True, False])
def test_the_backup_of_one_app_has_nothing_of_another_and_gives_it_back(sluice, tmp_path, runs):
    gateway = sluice()
    app, neighbour = talkative(gateway, "mine"), talkative(gateway, "theirs")
    for each in (app, neighbour):
        each.set_plugin("auth", enabled=True, config={"guest_limit": 7})
    if not runs:
        gateway.stop()
    folder = tmp_path / "one"
    assert "1 tenant with 0 files of plugins" in tenant(gateway, "backup", app.id, folder)
    whole, own = tenants_in(gateway.data / "control.sqlite"), tenants_in(folder / "control.sqlite")
    assert {app.id, neighbour.id} <= whole["sluice_tenant_keys"] and len(whole) >= 8
    assert set().union(*own.values()) == {app.id}, own
    assert {table for table, names in whole.items() if app.id in names} == {table for table, names in own.items() if names}
    # Nor is it in what SQLite has set free and not overwritten.
    content = (folder / "control.sqlite").read_bytes()
    assert hashlib.sha256(app.secret.encode()).digest() in content
    assert hashlib.sha256(neighbour.secret.encode()).digest() not in content and neighbour.id.encode() not in content
    assert sorted(path.name for path in folder.rglob("*.sqlite*")) == sorted([f"{app.id}.sqlite", "control.sqlite"])
    shutil.copy(gateway.data / "master.key", folder)
    restored = sluice(start=False)
    restored.data = folder
    restored.start()
    assert said(restored.url, app.secret) == ["mine"]
    assert Client(restored.url, app.secret).post("/v1/tokens", {"user_id": "alice"}, expect=201)
    assert Client(restored.url, neighbour.secret).get("/v1/users").status_code == 401


def test_a_backup_that_fails_leaves_nothing_of_its_own_behind(sluice, tmp_path):
    gateway = sluice()
    app = talkative(gateway, "said")
    files = gateway.data / "files" / app.id / "keeper"
    files.mkdir(parents=True)
    (files / "kept").write_bytes(b"kept")
    gateway.stop()
    (gateway.data / "tenants" / f"{app.id}.sqlite").write_bytes(b"no database" * 1000)
    kept = tmp_path / "kept"
    (kept / "tenants").mkdir(parents=True)
    (kept / "tenants" / "another.sqlite").write_bytes(b"another")
    for arguments, folder in (([], tmp_path / "all"), ([app.id], tmp_path / "one"), ([], kept)):
        done = run("tenant", "backup", *arguments, folder, "--data", gateway.data)
        assert done.returncode == 1 and app.id in done.stderr, done.stdout + done.stderr
    assert not (tmp_path / "all").exists() and not (tmp_path / "one").exists()
    assert sorted(str(path.relative_to(kept)) for path in kept.rglob("*")) == ["tenants", "tenants/another.sqlite"]
