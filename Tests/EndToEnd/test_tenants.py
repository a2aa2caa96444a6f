"""Apps that are exported, imported, deleted and backed up, beside a gateway that serves and where none does."""

import json
import shutil
import sqlite3
import stat
import threading
from contextlib import closing

import pytest
import requests
from websockets.exceptions import ConnectionClosed

from client import Account, Client, listen
from program import eventually, run


def tenant(gateway, *arguments, code=0) -> str:
    """What `sluice tenant …` says for a gateway's data; its exit code is `code`."""
    done = run("tenant", *arguments, "--data", gateway.data)
    assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def say(app, text: str, channel="general"):
    app.server.post(f"/v1/channels/messaging/{channel}/messages", {"text": text, "user_id": "alice"}, expect=201)


def said(url: str, secret: str, channel="general") -> list[str]:
    page = Client(url, secret).get(f"/v1/channels/messaging/{channel}/messages", params={"limit": 100}, expect=200).json()
    return [message["text"] for message in page["data"]][::-1]


def epoch(url: str, secret: str) -> str:
    return Client(url, secret).get("/v1/history/chat:messaging:general", expect=200).json()["epoch"]


def talkative(gateway, *texts: str):
    app = Account(gateway.url).app("Talkative")
    app.server.post("/v1/channels", {"type": "messaging", "id": "general", "members": ["alice"]}, expect=201)
    for text in texts:
        say(app, text)
    return app


def control_rows(gateway, app: str) -> int:
    """How many rows of control.sqlite name the app."""
    with closing(sqlite3.connect(f"file:{gateway.data}/control.sqlite?mode=ro", uri=True)) as control:
        tables = [name for name, in control.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = 0
        for table in tables:
            columns = [column[1] for column in control.execute(f"PRAGMA table_info({table})")]
            for column in {"tenant", "id"} & set(columns):
                found += control.execute(f"SELECT count(*) FROM {table} WHERE {column} = ?", [app]).fetchone()[0]
        return found


def control_plane_rows(gateway, app: str) -> int:
    """How many rows the control plane has of the app, but for its log."""
    with closing(sqlite3.connect(f"file:{gateway.data}/tenants/platform.sqlite?mode=ro", uri=True)) as database:
        tables = [name for name, in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = 0
        for table in tables:
            columns = [column[1] for column in database.execute(f"PRAGMA table_info({table})")]
            for column in ({"app_id"} if table != "control_apps" else {"id"}) & set(columns):
                if table != "control_audit":
                    found += database.execute(f"SELECT count(*) FROM {table} WHERE {column} = ?", [app]).fetchone()[0]
        return found


@pytest.fixture(scope="module")
def source(tmp_path_factory, request):
    """A gateway that serves while everything is done to its apps."""
    from program import shared

    yield from shared(tmp_path_factory.mktemp("source"), request, None)


# -- export and import


def test_an_app_moves_to_another_gateway_with_its_data_credentials_and_secrets(source, sluice, tmp_path):
    app = talkative(source, "one", "two")
    before = epoch(source.url, app.secret)
    file, key = tmp_path / "app.sluice", tmp_path / "journey.key"
    tenant(source, "export", app.id, file, "--seal-key", key)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE(key.stat().st_mode) == 0o600
    assert app.secret.encode() not in file.read_bytes() and app.signing_secret.encode() not in file.read_bytes()
    other = sluice()
    assert "in service" in tenant(other, "import", file, "--seal-key", key)
    assert said(other.url, app.secret) == ["one", "two"]
    assert epoch(other.url, app.secret) != before
    # A token that the app's own server signs is good there too: the signing secret came along.
    user = Client(other.url, app.token("alice"))
    assert user.get("/v1/channels/messaging/general").status_code == 200
    Client(other.url, app.secret).post(
        "/v1/channels/messaging/general/messages", {"text": "three", "user_id": "alice"}, expect=201)
    assert said(other.url, app.secret) == ["one", "two", "three"]
    assert said(source.url, app.secret) == ["one", "two"]
    other.kill()
    other.start()
    assert said(other.url, app.secret) == ["one", "two", "three"]


def test_secrets_of_another_gateway_are_refused_without_their_key_and_nothing_changes(source, sluice, tmp_path):
    app = talkative(source, "one")
    file, key, wrong = tmp_path / "app.sluice", tmp_path / "a.key", tmp_path / "b.key"
    tenant(source, "export", app.id, file)
    other = sluice()
    assert "sealed by another gateway" in tenant(other, "import", file, code=1)
    tenant(source, "export", app.id, tmp_path / "sealed", "--seal-key", key)
    tenant(source, "export", app.id, tmp_path / "unused", "--seal-key", wrong)
    assert "not sealed with the key" in tenant(other, "import", tmp_path / "sealed", "--seal-key", wrong, code=1)
    assert control_rows(other, app.id) == 0
    assert not (other.data / f"tenants/{app.id}.sqlite").exists()
    assert list((other.data / "transfer").iterdir()) == []
    assert Client(other.url, app.secret).get("/v1/channels").status_code == 401


def test_an_import_in_the_place_of_an_app_needs_to_be_said_and_tells_clients_to_begin_anew(source, tmp_path):
    app = talkative(source, "kept")
    file = tmp_path / "app.sluice"
    tenant(source, "export", app.id, file)
    say(app, "said since")
    before = epoch(source.url, app.secret)
    assert "--replace" in tenant(source, "import", file, code=1)
    assert said(source.url, app.secret) == ["kept", "said since"]
    with listen(source.url, "chat:messaging:general", token=app.token("alice")) as listener:
        assert "replaced" in tenant(source, "import", file, "--replace")
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                listener.recv(5)
        assert closed.value.rcvd.code == 3001
    assert said(source.url, app.secret) == ["kept"]
    assert epoch(source.url, app.secret) != before
    say(app, "goes on")
    assert said(source.url, app.secret) == ["kept", "goes on"]


def test_a_file_that_is_no_sound_export_is_refused_with_its_reason(source, tmp_path):
    app = talkative(source, *[f"message {number} " + "x" * 400 for number in range(200)])
    sound = tmp_path / "app.sluice"
    tenant(source, "export", app.id, sound)

    def spoilt(name, *statements):
        copy = tmp_path / name
        shutil.copy(sound, copy)
        with closing(sqlite3.connect(copy, isolation_level=None)) as database:
            for statement in statements:
                database.execute(statement)
        return copy

    damaged = bytearray(sound.read_bytes())
    middle = len(damaged) // 2 // 4096 * 4096
    damaged[middle : middle + 4096] = bytes(4096)
    (tmp_path / "damaged").write_bytes(damaged)
    (tmp_path / "short").write_bytes(sound.read_bytes()[: len(damaged) // 3])
    (tmp_path / "text").write_text("a shopping list")
    with closing(sqlite3.connect(tmp_path / "plain")) as database:
        database.execute("CREATE TABLE a (b)")
    breaking = "INSERT INTO sluice_migrations VALUES ('chat', 99, 'later', 'x', 1, 0)"
    for file, words in [
        (tmp_path / "damaged", "corrupted"), (tmp_path / "short", "corrupted"), (tmp_path / "text", "not a database"),
        (tmp_path / "plain", "no export"), (tmp_path / "missing", "No such file"),
        (spoilt("format", "UPDATE sluice_export SET format = 2"), "format 2"),
        (spoilt("layout", "PRAGMA user_version = 9"), "newer"), (spoilt("newer", breaking), "marked breaking"),
        (spoilt("plugin", "INSERT INTO sluice_export_plugins VALUES ('nowhere', 1, '{}')"), "not installed"),
        (spoilt("name", "UPDATE sluice_export SET tenant = '../../etc'"), "cannot be opened|sealed by another"),
        (spoilt("key", "UPDATE sluice_export_keys SET digest = x'00'"), "32"),
        (spoilt("secret", "UPDATE sluice_export_secrets SET sealed = x'0102'"), "sealed by another"),
        (spoilt("config", "UPDATE sluice_export_plugins SET config = '[]'"), "no JSON object"),
    ]:
        text = tenant(source, "import", file, "--replace", code=1)
        assert any(word in text for word in words.split("|")), (file.name, text)
    assert len(said(source.url, app.secret)) == 100  # the app serves, and has all that it had
    assert list((source.data / "transfer").iterdir()) == []


def test_hosts_and_credentials_of_somebody_else_are_not_taken_over(source, tmp_path):
    app, rival = talkative(source, "mine"), talkative(source, "theirs")
    file = tmp_path / "app.sluice"
    tenant(source, "export", app.id, file)
    with closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE sluice_export SET tenant = 'app_other'")
        database.execute("DELETE FROM sluice_export_secrets")
        database.commit()
    assert "is let in for tenant" in tenant(source, "import", file, code=1)
    assert said(source.url, app.secret) == ["mine"] and said(source.url, rival.secret) == ["theirs"]


# -- delete


def test_a_deleted_app_is_gone_at_once_with_its_file_and_every_row(source):
    app, neighbour = talkative(source, "gone"), talkative(source, "stays")
    assert control_rows(source, app.id) > 3
    with listen(source.url, "chat:messaging:general", token=app.token("alice")) as listener:
        tenant(source, "delete", app.id)
        assert app.server.get("/v1/channels").status_code == 401
        with pytest.raises(ConnectionClosed):
            listener.recv(5)
    assert list((source.data / "tenants").glob(f"{app.id}*")) == []
    assert eventually(lambda: control_rows(source, app.id) == 0)
    assert said(source.url, neighbour.secret) == ["stays"]
    assert "no tenant" in tenant(source, "delete", app.id, code=1)
    assert "comes from" in tenant(source, "delete", "platform", code=1)
    # It is gone for its owner, too.
    assert app.id not in str(app.owner.get("/v1/apps", expect=200).json())
    for path in ("", "/keys", "/audit"):
        app.owner.get(f"/v1/apps/{app.id}{path}", expect=404)
    assert eventually(lambda: control_plane_rows(source, app.id) == 0)
    assert app.owner.call("DELETE", f"/v1/apps/{app.id}").status_code == 404
    assert control_plane_rows(source, neighbour.id) > 2


def test_the_file_of_an_app_that_was_removed_when_the_process_died_is_deleted_at_the_next_start(sluice):
    gateway = sluice()
    app, neighbour = talkative(gateway, "gone"), talkative(gateway, "stays")
    gateway.stop()
    with closing(sqlite3.connect(gateway.data / "control.sqlite")) as control:
        control.execute("PRAGMA foreign_keys = ON")
        control.execute("DELETE FROM sluice_tenants WHERE id = ?", [app.id])
        control.execute("INSERT INTO sluice_removed VALUES (?)", [app.id])
        control.commit()
    gateway.start()
    assert not (gateway.data / f"tenants/{app.id}.sqlite").exists()
    assert said(gateway.url, neighbour.secret) == ["stays"]


# -- backup


def test_a_backup_taken_under_load_is_a_data_folder_that_a_gateway_runs_on(sluice, tmp_path):
    gateway = sluice()
    app, neighbour = talkative(gateway, "first"), talkative(gateway, "theirs")
    stop = threading.Event()
    sent = []

    def keep_talking():
        while not stop.is_set():
            say(app, f"load {len(sent)}")
            sent.append(len(sent))

    talker = threading.Thread(target=keep_talking)
    talker.start()
    assert eventually(lambda: len(sent) > 20)
    known = len(sent)
    folder = tmp_path / "backup"
    assert "3 tenants" in tenant(gateway, "backup", folder)
    stop.set()
    talker.join()
    assert "is there already" in tenant(gateway, "backup", folder, code=1)
    names = sorted(path.name for path in folder.rglob("*.sqlite*"))
    assert names == sorted([f"{app.id}.sqlite", f"{neighbour.id}.sqlite", "control.sqlite", "platform.sqlite"])
    shutil.copy(gateway.data / "master.key", folder)
    restored = sluice(start=False)
    restored.data = folder
    restored.start()
    with closing(sqlite3.connect(f"file:{folder}/tenants/{app.id}.sqlite?mode=ro", uri=True)) as database:
        texts = [text for text, in database.execute("SELECT text FROM chat_messages ORDER BY seq")]
    assert texts[: known + 1] == ["first", *[f"load {number}" for number in range(known)]]
    assert said(restored.url, neighbour.secret) == ["theirs"]
    assert epoch(restored.url, app.secret) != epoch(gateway.url, app.secret)


def files(folder) -> dict[str, bytes]:
    """What lies below a folder, by its path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("runs", [True, False])
def test_a_backup_has_the_files_of_plugins_and_gives_all_back(sluice, tmp_path, runs):
    gateway = sluice()
    app, neighbour = talkative(gateway, "said"), talkative(gateway, "theirs")
    # Each account has been sent a letter, which lies in the outbox.
    assert eventually(lambda: len(list((gateway.data / "files/platform/mailer/outbox").glob("*.eml"))) >= 2)
    own = gateway.data / f"files/{app.id}/keeper/deep/er"
    own.mkdir(parents=True)
    (own / "kept.bin").write_bytes(bytes(range(256)) * 9000)
    (own / "none").write_bytes(b"")
    (own / "link").symlink_to("/etc/passwd")
    if not runs:
        gateway.stop()
    folder = tmp_path / "backup"
    text = tenant(gateway, "backup", folder)
    assert f"warning: {own}/link is neither a file nor a folder" in text, text
    (own / "link").unlink()
    copied = files(folder / "files")
    assert copied == files(gateway.data / "files") and len(copied) >= 5
    assert "platform/control/control_audit.head" in copied
    assert f"with {len(copied)} files of plugins" in text
    assert stat.S_IMODE((folder / f"files/{app.id}/keeper/deep/er/kept.bin").stat().st_mode) == 0o600
    # The end of the audit log is known of the copy too.
    done = run("audit", "verify", "--data", folder)
    assert done.returncode == 0 and "nothing says" not in done.stdout, done.stdout + done.stderr
    shutil.copy(gateway.data / "master.key", folder)
    restored = sluice(start=False)
    restored.data = folder
    restored.start()
    assert said(restored.url, app.secret) == ["said"] and said(restored.url, neighbour.secret) == ["theirs"]
    for path, content in copied.items():
        assert path.endswith(".head") or (folder / "files" / path).read_bytes() == content, path
    # One app alone comes with its own.
    tenant(gateway, "backup", app.id, tmp_path / "one")
    assert {path.split("/")[0] for path in files(tmp_path / "one/files")} == {app.id}
    assert "is there already" in tenant(gateway, "backup", app.id, tmp_path / "one", code=1)


def test_one_app_is_taken_from_a_backup_into_the_gateway_that_serves(source, tmp_path):
    app = talkative(source, "precious")
    folder = tmp_path / "backup"
    tenant(source, "backup", app.id, folder)
    tenant(source, "delete", app.id)
    assert app.server.get("/v1/channels").status_code == 401
    shutil.copy(source.data / "master.key", folder)
    done = run("tenant", "export", app.id, tmp_path / "app.sluice", "--data", folder)
    assert done.returncode == 0, done.stderr
    tenant(source, "import", tmp_path / "app.sluice")
    assert said(source.url, app.secret) == ["precious"]


# -- where no gateway serves


def test_everything_works_on_the_data_of_a_gateway_that_is_stopped(sluice, tmp_path):
    gateway = sluice()
    app, doomed = talkative(gateway, "one"), talkative(gateway, "two")
    gateway.kill()  # not closed in order: the logs hold what was written
    file = tmp_path / "app.sluice"
    tenant(gateway, "export", app.id, file)
    tenant(gateway, "delete", doomed.id)
    assert control_rows(gateway, doomed.id) == 0
    assert list((gateway.data / "tenants").glob(f"{doomed.id}*")) == []
    tenant(gateway, "delete", app.id)
    tenant(gateway, "import", file)
    assert "already" in tenant(gateway, "import", file, code=1)
    tenant(gateway, "import", file, "--replace")
    tenant(gateway, "backup", tmp_path / "backup")
    assert control_plane_rows(gateway, doomed.id) > 2
    gateway.start()
    assert said(gateway.url, app.secret) == ["one"]
    assert doomed.server.get("/v1/channels").status_code == 401
    # The control plane hears of it when it runs. What is there again stays its owner's.
    doomed.owner.get(f"/v1/apps/{doomed.id}", expect=404)
    assert eventually(lambda: control_plane_rows(gateway, doomed.id) == 0)
    app.owner.get(f"/v1/apps/{app.id}", expect=200)


def test_what_is_wrong_with_the_command_is_said(source, tmp_path):
    nowhere = tmp_path / "nowhere"
    done = run("tenant", "export", "app_x", tmp_path / "file", "--data", nowhere)
    assert done.returncode == 1 and "no gateway's data" in done.stderr and not nowhere.exists()
    assert "no tenant" in tenant(source, "export", "app_x", tmp_path / "file", code=1)
    assert "comes from" in tenant(source, "export", "platform", tmp_path / "file", code=1)
    assert not (tmp_path / "file").exists()
    app = talkative(source)
    (tmp_path / "taken").write_text("mine")
    assert "is there already" in tenant(source, "export", app.id, tmp_path / "taken", code=1)
    assert (tmp_path / "taken").read_text() == "mine"
    assert "No such file" in tenant(source, "export", app.id, tmp_path / "no/such/folder", code=1)
    assert list((source.data / "transfer").iterdir()) == []
    for arguments in (["export"], ["import"], ["delete"], ["backup"], ["backup", "a", "b", "c"], ["unknown"]):
        assert run("tenant", *arguments).returncode == 64, arguments
    for name in ("export", "import", "delete", "backup"):
        done = run("tenant", name, "--help")
        assert done.returncode == 0 and "--data" in done.stdout and len(done.stdout) > 400


def test_the_socket_is_its_owners_alone_and_survives_whoever_misuses_it(sluice):
    import socket as sockets

    gateway = sluice()
    path = gateway.data / "operator.sock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def ask(text: bytes) -> bytes:
        with sockets.socket(sockets.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(str(path))
            client.sendall(text)
            client.shutdown(sockets.SHUT_WR)
            return client.recv(65536)

    for text in (b"", b"\n", b"nonsense\n", b"[]\n", b'{"do":"tenants"'):
        assert b"tenants" not in ask(text)
    for text in (b"{}", b'{"do":"fly"}', b'{"do":"export"}', b'{"do":"import","file":"../control.sqlite"}',
                 b'{"do":"import","file":""}', b'{"do":"backup","tenant":"../control"}', b'{"do":"delete","tenant":7}'):
        assert "error" in json.loads(ask(text + b"\n")), text
    assert json.loads(ask(b'{"do":"tenants"}\n')) == {"tenants": ["platform"]}
    assert requests.get(f"{gateway.url}/readyz", timeout=5).status_code == 200
    gateway.stop()
    assert not path.exists()
    gateway.start()
    gateway.kill()
    assert path.exists()
    gateway.start()  # what a killed one has left is no hindrance
    assert json.loads(ask(b'{"do":"tenants"}\n')) == {"tenants": ["platform"]}
