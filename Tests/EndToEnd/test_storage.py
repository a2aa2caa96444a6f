"""Disks that fill up or turn read-only, files that are damaged or too new: one app is refused with its reason, the others go on."""

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import threading
from contextlib import closing

import pytest
import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from client import Account, Client
from plain import Plain
from program import eventually, run
from sdk import PATIENCE, connection
from test_realtime import EVERYTHING
from test_tenants import said, say, talkative
from workshop import lay_out_own, with_plugins


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own that can be made larger, smaller and read-only."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(*options: str):
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)], capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"a small file system cannot be mounted here: {done.stderr.strip()}")

    if os.geteuid() != 0:
        pytest.skip("a small file system can only be mounted as root")
    mount("size=2m")
    yield folder, lambda *options: mount("remount", *options)
    subprocess.run(["umount", "-l", str(folder)], check=False)


def send(app, text: str):
    return app.server.post("/v1/channels/messaging/general/messages", {"text": text, "user_id": "alice"})


def stored(app) -> list[str]:
    """All messages, oldest first."""
    found, after = [], None
    while True:
        page = app.server.get(
            "/v1/channels/messaging/general/messages", params={"limit": 100, **({"after": after} if after else {})},
            expect=200).json()
        found += [message["text"] for message in page["data"]]
        after = page["next"]
        if not after:
            return found[::-1]


def move_to(gateway, app, folder):
    """Puts the file of an app of a stopped gateway on another disk."""
    file = gateway.data / f"tenants/{app.id}.sqlite"
    shutil.move(file, folder / file.name)
    file.symlink_to(folder / file.name)


def logged(gateway, words: str) -> list[dict]:
    return [line for line in gateway.lines() if words in line.get("message", "")]


def test_a_full_disk_refuses_one_apps_writes_loses_nothing_and_recovers_by_itself(sluice, small_disk):
    folder, remount = small_disk
    gateway = sluice()
    app, neighbour = talkative(gateway, "first"), talkative(gateway, "theirs")
    gateway.stop()
    move_to(gateway, app, folder)
    gateway.start()
    acknowledged, refused = ["first"], None
    for number in range(2000):
        answer = send(app, f"{number} " + "x" * 4000)
        if answer.status_code != 201:
            refused = answer
            break
        acknowledged.append(answer.json()["text"])
    assert refused is not None and refused.status_code == 503, refused
    problem = refused.json()
    assert problem["code"] == "storage_full" and problem["request_id"] and int(refused.headers["retry-after"]) > 0
    assert send(app, "x" * 4000).json()["code"] == "storage_full"
    assert stored(app) == acknowledged  # reading goes on, and nothing that was refused is there
    say(neighbour, "not concerned")
    assert said(gateway.url, neighbour.secret) == ["theirs", "not concerned"]
    assert requests.get(f"{gateway.url}/readyz", timeout=5).status_code == 200
    line = eventually(lambda: logged(gateway, "a tenant's file cannot be used"))[0]
    assert line["tenant"] == app.id and line["code"] == "storage_full" and app.id in line["reason"]
    assert gateway.metric("sluice_store_tenants_in_trouble") == 1
    remount("size=16m")
    say(app, "space again")
    acknowledged.append("space again")
    assert eventually(lambda: logged(gateway, "works again"))
    assert len(logged(gateway, "a tenant's file cannot be used")) == 1  # said once, not at each request
    assert gateway.metric("sluice_store_tenants_in_trouble") == 0
    gateway.kill()
    gateway.start()
    assert stored(app) == acknowledged


def test_a_full_disk_is_called_so_on_sockets_too(sluice, small_disk):
    folder, _ = small_disk
    gateway = sluice()
    app = talkative(gateway, "first")
    room = {**EVERYTHING["without_namespace"], "history_size": 100_000}
    app.set_plugin("realtime", enabled=True, config={"without_namespace": room})
    gateway.stop()
    move_to(gateway, app, folder)
    gateway.start()
    with Plain(gateway, app.token("alice")) as alice:
        alice.subscribe("room")
        answers = (alice.ask("publish", channel="room", data="x" * 4000) for _ in range(5000))
        assert next(answer for answer in answers if answer["type"] == "error")["code"] == "storage_full"
    with connect(f"{gateway.socket_url}/connection/websocket", proxy=None) as bob:
        bob.send(json.dumps({"id": 1, "connect": {"token": app.token("bob")}}))
        bob.send(json.dumps({"id": 2, "subscribe": {"channel": "room"}}))
        refused = None
        for id in range(3, 5000):
            bob.send(json.dumps({"id": id, "publish": {"channel": "room", "data": "x" * 4000}}))
            while (reply := json.loads(bob.recv(PATIENCE).splitlines()[0])).get("id") != id:
                pass
            if refused := reply.get("error"):
                break
        assert refused and refused["code"] == 503 and refused["temporary"]


def test_a_disk_with_no_room_to_open_an_app_refuses_it_until_there_is(sluice, small_disk):
    folder, remount = small_disk
    gateway = sluice()
    app, neighbour = talkative(gateway, "first"), talkative(gateway, "theirs")
    gateway.stop()
    move_to(gateway, app, folder)
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, pytest.raises(OSError):
        while True:
            file.write(bytes(4096))
    gateway.start()
    answer = app.server.get("/v1/channels/messaging/general")
    assert answer.status_code == 503 and answer.json()["code"] in ("storage_full", "plugin_unavailable"), answer.text
    assert said(gateway.url, neighbour.secret) == ["theirs"]
    ballast.unlink()
    assert eventually(lambda: app.server.get("/v1/channels/messaging/general").status_code == 200)
    say(app, "second")
    assert stored(app) == ["first", "second"]


def test_a_read_only_disk_refuses_one_app_and_recovers_by_itself(sluice, small_disk):
    folder, remount = small_disk
    gateway = sluice()
    app, neighbour = talkative(gateway, "first"), talkative(gateway, "theirs")
    gateway.stop()
    move_to(gateway, app, folder)
    remount("ro")
    gateway.start()
    answer = send(app, "second")
    assert answer.status_code == 503 and answer.json()["code"] == "plugin_unavailable", answer.text
    assert "cannot be written" in answer.json()["detail"]
    say(neighbour, "not concerned")
    remount("rw")
    assert eventually(lambda: send(app, "second").status_code == 201)
    assert stored(app)[:2] == ["first", "second"]


def test_a_damaged_file_is_set_aside_alone_and_serves_again_once_restored(sluice, tmp_path):
    gateway = sluice()
    app, neighbour = talkative(gateway, *[f"{number} " + "x" * 500 for number in range(150)]), talkative(gateway, "theirs")
    export = tmp_path / "app.sluice"
    assert run("tenant", "export", app.id, export, "--data", gateway.data).returncode == 0
    expected = stored(app)
    gateway.stop()
    file = gateway.data / f"tenants/{app.id}.sqlite"
    damaged = bytearray(file.read_bytes())
    for page in range(2, len(damaged) // 4096, 3):
        damaged[page * 4096 : page * 4096 + 4096] = os.urandom(4096)
    file.write_bytes(damaged)
    file.with_name(file.name + "-wal").write_bytes(bytes(64))  # as after a stop that was not in order
    gateway.start()
    line = eventually(lambda: logged(gateway, "cannot be recovered"))[0]
    assert line["tenant"] == app.id and "corrupted" in line["reason"]
    for _ in range(3):
        answer = send(app, "more")
        assert answer.status_code == 503 and answer.json()["code"] == "plugin_unavailable", answer.text
        assert "damaged" in answer.json()["detail"]
    say(neighbour, "not concerned")
    assert said(gateway.url, neighbour.secret) == ["theirs", "not concerned"]
    assert run("tenant", "backup", app.id, tmp_path / "backup", "--data", gateway.data).returncode == 1
    assert not (tmp_path / "backup").exists()
    done = run("tenant", "import", export, "--replace", "--data", gateway.data)
    assert done.returncode == 0, done.stderr
    assert stored(app) == expected
    say(app, "goes on")


def test_a_file_that_a_read_finds_damaged_is_written_no_more(sluice):
    gateway = sluice()
    app, neighbour = talkative(gateway, *[f"{number} " + "x" * 600 for number in range(250)]), talkative(gateway, "theirs")
    gateway.stop()
    gateway.start()
    say(app, "before")
    file = gateway.data / f"tenants/{app.id}.sqlite"
    pages = file.stat().st_size // 4096
    with file.open("r+b") as handle:
        for page in range(2, pages, 2):
            handle.seek(page * 4096)
            handle.write(os.urandom(4096))

    def read():
        return app.server.get("/v1/channels/messaging/general/messages", params={"limit": 100})

    # What the gateway has in memory it need not read.
    found = eventually(lambda: read().status_code != 200 or send(app, "more").status_code != 201)
    assert found, "nobody found it"
    for number in range(10):
        answer = send(app, f"lost {number}")
        assert answer.status_code == 503 and answer.json()["code"] == "plugin_unavailable", answer.text
    assert app.server.post("/v1/publish", {"channel": "room", "data": 1}).status_code == 503
    assert read().status_code == 503
    say(neighbour, "not concerned")


def test_clients_of_an_app_that_is_replaced_wait_and_come_back(sluice, tmp_path):
    gateway = sluice(with_plugins(), ["--loops", 2], limits={"requests_per_second": 1_000_000})
    app = talkative(gateway, "kept")
    # So much that its exchange takes a while.
    for number in range(60):
        app.server.post("/v1/publish", {"channel": f"room-{number}", "data": "x" * 20_000}, expect=200)
    export = tmp_path / "app.sluice"
    assert run("tenant", "export", app.id, export, "--data", gateway.data).returncode == 0
    token, over = app.token("alice"), threading.Event()
    answers, closes, lost, failures = [], [], [], []

    def ask():
        client = Client(gateway.url, app.secret)
        while not over.is_set():
            answer = client.get("/v1/channels")
            answers.append((answer.status_code, answer.headers.get("retry-after")))

    def come():
        while not over.is_set():
            with connect(f"{gateway.socket_url}/connection/websocket", proxy=None) as socket:
                socket.send(json.dumps({"id": 1, "connect": {"token": token}}))
                try:
                    reply = json.loads(socket.recv(PATIENCE))
                    assert "connect" in reply or reply["error"]["temporary"], reply
                except ConnectionClosed as closed:
                    closes.append(closed.rcvd.code)

    def stay():
        async def play():
            client = connection(gateway, token, min_reconnect_delay=0.005)

            async def ended(context):
                lost.append((context.code, context.reason))

            client.events.on_disconnected = ended
            await client.connect()
            while not over.is_set():
                await asyncio.sleep(0.02)
            await client.ready(timeout=PATIENCE)
            assert not lost, lost
            await client.disconnect()

        asyncio.run(play())

    def watched(body):
        def guarded():
            try:
                body()
            except BaseException as failure:
                failures.append(failure)

        return threading.Thread(target=guarded)

    threads = [watched(body) for body in (ask, ask, come, come, stay)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            done = run("tenant", "import", export, "--replace", "--data", gateway.data)
            assert done.returncode == 0, done.stderr
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert not failures, failures
    assert {status for status, _ in answers} <= {200, 503} and (200, None) in answers, set(answers)
    assert all(pause for status, pause in answers if status == 503), set(answers)
    # 3000 to 3499 have a client come back.
    assert all(3000 <= code < 3500 for code in closes), set(closes)
    assert stored(app) == ["kept"]


def test_data_of_a_newer_version_that_older_ones_must_not_use_is_refused(sluice):
    gateway = sluice()
    app, neighbour = talkative(gateway, "first"), talkative(gateway, "theirs")
    gateway.stop()
    file = gateway.data / f"tenants/{app.id}.sqlite"

    def change(statement: str):
        with closing(sqlite3.connect(file, isolation_level=None)) as database:
            database.execute(statement)

    change("INSERT INTO sluice_migrations VALUES ('chat', 99, 'later', 'x', 1, 0)")
    gateway.start()
    answer = send(app, "second")
    assert answer.status_code == 503 and answer.json()["code"] == "plugin_unavailable", answer.text
    assert "another version" in answer.json()["detail"]
    line = eventually(lambda: logged(gateway, "a tenant cannot be opened"))[0]
    assert "migration 99 (later) of chat" in line["reason"] and "newer plugin" in line["reason"]
    assert said(gateway.url, neighbour.secret) == ["theirs"]
    change("DELETE FROM sluice_migrations WHERE version = 99")
    say(app, "second")


def test_a_migration_that_is_marked_breaking_is_recorded_as_that(sluice, tmp_path):
    folder = lay_out_own(tmp_path / "plugins", "reacher")
    migration = folder / "reacher/migrations/0001_own.sql"
    migration.write_text("-- breaking: true\n" + migration.read_text())
    gateway = sluice({"plugins": {"folders": [str(folder)]}, "tenants": [{"id": "platform", "plugins": {"reacher": {}}}]})
    assert requests.post(f"{gateway.url}/reacher", data="SELECT 1", timeout=5).text == "0 "
    with closing(sqlite3.connect(f"file:{gateway.data}/tenants/platform.sqlite?mode=ro", uri=True)) as database:
        assert database.execute("SELECT owner, breaking FROM sluice_migrations").fetchall() == [("reacher", 1)]


def test_a_plugin_that_reaches_for_what_is_not_its_own_is_told_and_named(sluice, tmp_path):
    folder = lay_out_own(tmp_path / "plugins", "reacher")
    gateway = sluice(with_plugins(folder), ["--loops", 1])
    app = Account(gateway.url).app("Reached")

    def reach(sql: str) -> str:
        return requests.post(f"{gateway.url}/reacher", params={"app": app.id}, data=sql, timeout=5).text

    assert reach("INSERT INTO reacher_own (note) VALUES ('mine')") == "0 "
    for sql, words in [
        ("SELECT text FROM chat_messages", "reacher may not read table chat_messages, which belongs to chat"),
        ("DELETE FROM chat_messages", "reacher may not delete from table chat_messages, which belongs to chat"),
        ("UPDATE sluice_file SET epoch = 'x'", "table sluice_file, which belongs to sluice"),
        ("SELECT * FROM sqlite_master", "sqlite_master"),
        ("ATTACH 'other.sqlite' AS other", "reacher may not attach the database other.sqlite"),
        ("PRAGMA journal_mode = DELETE", "reacher may not use PRAGMA journal_mode"),
        ("SELECT load_extension('evil')", "reacher may not call load_extension()"),
        ("DROP TABLE reacher_own", "reacher may not create, alter or drop table reacher_own outside a migration"),
        ("BEGIN", "reacher may not use BEGIN"),
    ]:
        answer = reach(sql)
        assert answer.startswith("-7 ") and words in answer, (sql, answer)
        line = eventually(lambda: [
            line for line in logged(gateway, "reached for what is not its own") if words in line["reason"]])
        assert line and line[0]["plugin"] == "reacher" and line[0]["tenant"] == app.id and line[0]["sql"] == sql
    assert reach("SELECT note FROM reacher_own") == "0 "
