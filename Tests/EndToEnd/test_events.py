"""Listeners: what one plugin emits, another hears, in order, and its effect happens once, whatever dies in between."""

import json
import random
import signal
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
import requests

from client import Account
from program import eventually
from sanitizer import BUILT
from workshop import lay_out, lay_out_listener, probe_manifest, with_plugins


@pytest.fixture(scope="module")
def folder(tmp_path_factory, probe_library):
    """The probe, which emits, and two listeners."""
    folder = tmp_path_factory.mktemp("listeners")
    # Without the sockets that ask who is there: nobody tells credentials here.
    lay_out(folder, probe_library, {**probe_manifest(), "sockets": []})
    lay_out_listener(folder, "ear")
    lay_out_listener(folder, "other")
    return folder


def only(folder, **settings) -> dict:
    """A gateway with nothing but the probe and the listeners, on the platform; `settings` are the listeners' modes."""
    plugins = {"probe": {}, **{id: {"config": {"mode": mode}} for id, mode in settings.items()}}
    return {"plugins": {"folders": [str(folder)]}, "tenants": [{"id": "platform", "plugins": plugins}]}


def rows(gateway, tenant: str, query: str):
    """What a tenant's file says; nothing where there is no file or table yet."""
    try:
        with closing(sqlite3.connect(f"file:{gateway.data}/tenants/{tenant}.sqlite?mode=ro", uri=True)) as database:
            return database.execute(query).fetchall()
    except sqlite3.OperationalError:
        return []


def heard(gateway, tenant="platform", listener="ear") -> list[int]:
    """The numbers of the events that a listener has written down, in the order in which it did."""
    return [json.loads(data)["n"] for data, in rows(gateway, tenant, f"SELECT data FROM {listener}_heard ORDER BY rowid")]


def emit(gateway, number: int, app=None, kind="emit", session=requests):
    answer = session.post(f"{gateway.url}/probe/{kind}", json={"n": number}, params={"app": app} if app else None,
                          timeout=10)
    assert answer.status_code == 201, answer.text


def test_a_listener_hears_every_event_once_in_order_and_its_cursor_moves_along(sluice, folder):
    gateway = sluice(only(folder, ear="settle", other="plain"), ["--loops", 2])
    for number in range(50):
        emit(gateway, number)  # each on a connection of its own, so on both loops
    assert eventually(lambda: len(heard(gateway)) >= 50 and len(heard(gateway, listener="other")) >= 50)
    assert heard(gateway) == list(range(50)) == heard(gateway, listener="other")

    def cursors():
        return dict(rows(gateway, "platform", "SELECT listener, seq FROM sluice_cursors"))

    # That of a listener without a batch of its own moves behind the call.
    assert eventually(lambda: cursors() == {"ear": 50, "other": 50}), cursors()


def test_what_a_listener_did_survives_kill_9_at_any_moment_and_happens_once(sluice, folder):
    gateway = sluice(only(folder, ear="settle"), ["--loops", 2])
    acknowledged, unsure, numbers = set(), set(), iter(range(1_000_000))
    choice = random.Random(20)

    def post(stop):
        with requests.Session() as session:
            while not stop.is_set():
                number = next(numbers)
                unsure.add(number)
                try:
                    emit(gateway, number, session=session)
                except requests.RequestException:
                    return
                unsure.discard(number)
                acknowledged.add(number)

    for _ in range(12):
        stop = threading.Event()
        writers = [threading.Thread(target=post, args=(stop,)) for _ in range(4)]
        for writer in writers:
            writer.start()
        time.sleep(choice.uniform(0.02, 0.4))
        gateway.kill()
        stop.set()
        for writer in writers:
            writer.join()
        gateway.start()
    # Nobody asks the tenant for anything now: what was not heard is heard because the gateway has started again.
    assert eventually(lambda: acknowledged <= set(heard(gateway)), patience=20)
    effects = heard(gateway)
    assert len(effects) == len(set(effects)), "an effect happened twice"
    assert set(effects) - acknowledged <= unsure
    assert len(acknowledged) > 100
    sequences = [number for number, in rows(gateway, "platform", "SELECT sequence FROM ear_heard ORDER BY rowid")]
    assert sequences == sorted(sequences)


def test_a_listener_that_fails_is_asked_again_ever_more_rarely_and_holds_nobody_up(sluice, folder):
    gateway = sluice(with_plugins(folder), ["--loops", 2])
    app = Account(gateway.url).app("Failing")
    app.set_plugin("ear", enabled=True, config={"mode": "fail"})
    for number in range(20):
        emit(gateway, number, app.id)
    assert eventually(lambda: heard(gateway, app.id, "other") == list(range(20)))
    tries = eventually(lambda: (found := rows(gateway, app.id, "SELECT sequence FROM ear_tries")) and len(found) > 3 and found)
    assert set(tries) == {(1,)}  # in order: the second waits for the first
    assert heard(gateway, app.id) == []
    time.sleep(1)
    assert len(rows(gateway, app.id, "SELECT * FROM ear_tries")) < 50  # it is not asked in a loop
    app.set_plugin("ear", enabled=True, config={"mode": "settle"})
    assert eventually(lambda: len(heard(gateway, app.id)) == 20)
    assert heard(gateway, app.id) == list(range(20))


def test_a_listener_whose_batch_moved_the_cursor_and_who_fails_then_goes_on_with_the_next(sluice, folder):
    gateway = sluice(only(folder, ear="regret"))
    for number in range(5):
        emit(gateway, number)
    assert eventually(lambda: len(heard(gateway)) == 5)
    time.sleep(0.3)
    assert heard(gateway) == list(range(5))


def test_a_listener_that_never_ends_a_delivery_holds_up_itself_alone_and_goes_on_when_it_is_set_right(sluice, folder):
    gateway = sluice(with_plugins(folder))
    app = Account(gateway.url).app("Silent")
    app.set_plugin("ear", enabled=True, config={"mode": "silent"})
    for number in range(5):
        emit(gateway, number, app.id)
    assert eventually(lambda: heard(gateway, app.id, "other") == list(range(5)))
    assert heard(gateway, app.id) == []
    app.set_plugin("ear", enabled=True, config={"mode": "settle"})
    assert eventually(lambda: heard(gateway, app.id) == list(range(5)))


def test_a_listener_hears_what_happens_while_it_is_switched_on_and_nothing_else(sluice, folder):
    gateway = sluice(with_plugins(folder), ["--loops", 2])
    app = Account(gateway.url).app("Switched")
    app.set_plugin("ear", enabled=False)
    emit(gateway, 1, app.id)
    app.set_plugin("ear", enabled=True)
    emit(gateway, 2, app.id)
    assert eventually(lambda: heard(gateway, app.id) == [2])
    app.set_plugin("ear", enabled=False)
    emit(gateway, 3, app.id)
    assert eventually(lambda: heard(gateway, app.id, "other") == [1, 2, 3])
    listening = [name for name, in rows(gateway, app.id, "SELECT listener FROM sluice_cursors")]
    assert "other" in listening and "ear" not in listening  # nothing is kept for one that is off
    app.set_plugin("ear", enabled=True)
    emit(gateway, 4, app.id)
    assert eventually(lambda: len(heard(gateway, app.id)) == 2)
    assert heard(gateway, app.id) == [2, 4]


def test_a_tenant_never_hears_anothers_events(sluice, folder):
    gateway = sluice(with_plugins(folder), ["--loops", 2])
    owner = Account(gateway.url)
    apps = [owner.app("One"), owner.app("Two"), owner.app("Three")]
    for round in range(10):
        for position, app in enumerate(apps):
            emit(gateway, 100 * position + round, app.id)
    for position, app in enumerate(apps):
        own = [100 * position + round for round in range(10)]
        for ear in ("ear", "other"):
            assert eventually(lambda: len(heard(gateway, app.id, ear)) >= 10)
            assert heard(gateway, app.id, ear) == own
    assert heard(gateway) == []


def test_events_that_a_listener_does_not_want_are_not_kept_for_it(sluice, folder):
    gateway = sluice(only(folder, ear="settle"), ["--loops", 1])
    with requests.Session() as session:
        for number in range(700):
            emit(gateway, number, kind="noise", session=session)
        emit(gateway, 700, session=session)
        assert eventually(lambda: heard(gateway) == [700])
        for number in range(400):
            emit(gateway, number, kind="noise", session=session)
    assert eventually(lambda: rows(gateway, "platform", "SELECT seq FROM sluice_cursors")[0][0] > 900)
    assert rows(gateway, "platform", "SELECT count(*) FROM sluice_outbox")[0][0] < 700


def test_a_plugin_in_swift_hears_what_another_emits_and_counts_it_once(sluice):
    gateway = sluice(with_plugins(BUILT / "app-examples/tally"), ["--loops", 2])
    owner = Account(gateway.url)
    app, silent = owner.app("Talkative"), owner.app("Silent")
    for number in range(30):
        app.server.post(f"/v1/channels/messaging/{'a' if number % 3 else 'b'}/messages",
                        {"text": f"{number}", "user_id": "alice"}, expect=201)

    def counts(app):
        return {row["channel"]: row["messages"] for row in app.server.get("/tally", expect=200).json()["data"]}

    assert eventually(lambda: sum(counts(app).values()) >= 30)
    assert counts(app) == {"messaging:a": 20, "messaging:b": 10}
    gateway.kill()
    gateway.start()
    app.server.post("/v1/channels/messaging/a/messages", {"text": "again", "user_id": "alice"}, expect=201)
    assert eventually(lambda: sum(counts(app).values()) >= 31)
    assert counts(app) == {"messaging:a": 21, "messaging:b": 10} and counts(silent) == {}


def test_a_reload_while_listeners_write_down_how_far_they_are_loses_nothing(sluice, folder):
    gateway = sluice(only(folder, ear="plain", other="settle"), ["--loops", 2])
    configuration = json.loads(gateway.configuration.read_text())
    for round in range(4):
        with ThreadPoolExecutor(8) as clients:
            list(clients.map(lambda number: emit(gateway, number), range(60 * round, 60 * round + 60)))
        for step in range(2):
            configuration["limits"] = {"requests_per_second": 50_000 + 10 * round + step}
            gateway.configuration.write_text(json.dumps(configuration))
            gateway.process.send_signal(signal.SIGHUP)
            time.sleep(0.1)
    everything = list(range(240))
    # What one does is not in the batch that moves its cursor, so it may do it again; the other's is.
    assert eventually(lambda: sorted(set(heard(gateway))) == everything)
    assert eventually(lambda: len(heard(gateway, listener="other")) >= 240)
    assert sorted(heard(gateway, listener="other")) == everything
