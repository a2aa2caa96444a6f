"""Idempotency-Key: what is asked twice is done once, and the first answer is given again."""

import concurrent.futures
import http.client
import json
import re
import sqlite3
import uuid
from contextlib import closing

import pytest
import requests

from client import Account, Client
from post import Outbox
from program import eventually
from sanitizer import SLOWNESS
from workshop import with_plugins


def key() -> str:
    return uuid.uuid4().hex


def again(answer: requests.Response) -> bool:
    return answer.headers.get("idempotency-replayed") == "true"


def made_events(gateway) -> int:
    """How often the probe's effect has happened, as it stands in the platform's file, which is made at first use."""
    ask(gateway, "/probe/echo", key(), data=b"")
    with closing(sqlite3.connect(gateway.data / "tenants/platform.sqlite", timeout=10)) as file:
        return file.execute("SELECT count(*) FROM sluice_outbox WHERE type = 'probe.made'").fetchone()[0]


def kept_answers(gateway) -> int:
    """How many requests are written down in the platform's file."""
    with closing(sqlite3.connect(gateway.data / "tenants/platform.sqlite", timeout=10)) as file:
        return file.execute("SELECT count(*) FROM sluice_requests").fetchone()[0]


def ask(gateway, path: str, name: str, **options) -> requests.Response:
    return requests.post(
        gateway.url + path, headers={"Idempotency-Key": name}, timeout=10 * SLOWNESS, **options)


def test_a_repeat_gets_the_first_answer_and_does_nothing(shop):
    alice, name = shop.user("alice"), {"Idempotency-Key": key()}
    path = "/v1/channels/messaging/repeats/messages"
    first = alice.post(path, {"text": "once"}, headers=name, expect=201)
    repeat = alice.post(path, {"text": "once"}, headers=name, expect=201)
    assert not again(first) and again(repeat)
    assert repeat.content == first.content and repeat.headers["content-type"] == first.headers["content-type"]
    assert repeat.headers["x-request-id"] != first.headers["x-request-id"]
    told = alice.get(path, expect=200).json()["data"]
    assert [message["text"] for message in told] == ["once"]


def test_a_key_stands_for_one_request_only(shop):
    alice, name = shop.user("alice"), {"Idempotency-Key": key()}
    path = "/v1/channels/messaging/mismatches/messages"
    alice.post(path, {"text": "one"}, headers=name, expect=201)
    for other, body in [(path, {"text": "two"}), (path + "?x=1", {"text": "one"}), ("/v1/channels", {"type": "messaging"})]:
        problem = alice.post(other, body, headers=name, expect=409).json()
        assert problem["code"] == "idempotency_mismatch", problem
    assert len(alice.get(path, expect=200).json()["data"]) == 1


def test_keys_of_different_principals_and_apps_do_not_meet(shop, rival):
    name = {"Idempotency-Key": key()}
    path = "/v1/channels/messaging/apart/messages"
    told = [
        asker.post(path, {"text": "mine"}, headers=name, expect=201)
        for asker in (shop.user("alice"), shop.user("bob"), rival.user("alice"))
    ]
    assert not any(map(again, told)) and len({answer.json()["id"] for answer in told}) == 3


def test_a_refusal_is_repeated_but_not_one_for_its_credential(platform):
    account, name = Account(platform.url), {"Idempotency-Key": key()}
    body = {"email": account.email, "password": account.password, "name": "Dev"}
    first = Client(platform.url).post("/v1/accounts", body, headers=name, expect=409)
    repeat = Client(platform.url).post("/v1/accounts", body, headers=name, expect=409)
    assert not again(first) and again(repeat) and repeat.json() == first.json()
    stranger, name = Client(platform.url, "sk_nobody"), {"Idempotency-Key": key()}
    for _ in range(2):
        assert not again(stranger.post("/v1/publish", {"channel": "a", "data": 1}, headers=name, expect=401))


def test_a_refusal_is_given_again_unless_it_says_when_to_ask_again(probe):
    name, other = key(), key()
    assert [again(ask(probe, "/probe/refuse", name, json={})) for _ in range(2)] == [False, True]
    answers = [ask(probe, "/probe/refuse", other, json={"later": 1}) for _ in range(2)]
    assert [(answer.status_code, answer.headers["retry-after"]) for answer in answers] == [(409, "1")] * 2
    assert not any(map(again, answers))


def test_what_the_host_refuses_by_itself_takes_no_key(probe):
    made_events(probe)
    before, name = kept_answers(probe), key()
    for path, options in [
        ("/probe/checked", {"json": {"name": 7}}), ("/probe/checked", {"json": None}),
        ("/probe/checked?limit=0", {"json": {"name": "a"}}), ("/probe/checked", {"data": b"{"}),
    ]:
        headers = {"Content-Type": "application/json", "Idempotency-Key": name}
        answer = requests.post(probe.url + path, headers=headers, timeout=10 * SLOWNESS, **options)
        assert answer.status_code == 400 and not again(answer), answer.text
    assert kept_answers(probe) == before
    assert [again(ask(probe, "/probe/checked", name, json={"name": "a"})) for _ in range(2)] == [False, True]
    assert kept_answers(probe) == before + 1


@pytest.mark.parametrize("name", ["", "x" * 256, "caf\u00e9", "a\tb"])
def test_a_key_that_is_none_is_refused(shop, name):
    answer = shop.server.post(
        "/v1/tokens", {"user_id": "alice"}, headers={"Idempotency-Key": name.encode("utf-8")}, expect=400)
    assert answer.json()["code"] == "invalid_request"


def test_sessions_and_other_methods_do_not_look_at_it(platform):
    account, name = Account(platform.url), {"Idempotency-Key": key()}
    body = {"email": account.email, "password": account.password}
    sessions = [Client(platform.url).post("/v1/sessions", body, headers=name, expect=201) for _ in range(2)]
    assert not any(map(again, sessions)) and sessions[0].json()["refresh_token"] != sessions[1].json()["refresh_token"]
    assert [again(account.get("/v1/me", headers=name, expect=200)) for _ in range(2)] == [False, False]


def test_secrets_in_an_answer_are_sealed_where_it_is_kept(platform):
    account, name = Account(platform.url), {"Idempotency-Key": key()}
    first = account.post("/v1/apps", {"name": "Sealed"}, headers=name, expect=201)
    repeat = account.post("/v1/apps", {"name": "Sealed"}, headers=name, expect=201)
    assert again(repeat) and repeat.json() == first.json()
    assert first.headers["cache-control"] == repeat.headers["cache-control"] == "no-store"
    assert len(account.get("/v1/apps", expect=200).json()["data"]) == 1
    secret = first.json()["keys"][0]["secret"].encode()
    for file in platform.data.rglob("platform.sqlite*"):
        assert secret not in file.read_bytes()


def test_a_secret_is_said_again_to_a_member_who_may_see_it_and_to_nobody_else(platform):
    outbox = Outbox(platform)
    owner, heir = outbox.verified(Account(platform.url)), Account(platform.url)
    made, keyed = {"Idempotency-Key": key()}, {"Idempotency-Key": key()}
    app = owner.post("/v1/apps", {"name": "Handed on"}, headers=made, expect=201).json()["id"]
    keys = f"/v1/apps/{app}/keys"
    first = owner.post(keys, {"name": "mine"}, headers=keyed, expect=201)
    assert owner.post(keys, {"name": "mine"}, headers=keyed, expect=201).json() == first.json()
    owner.post(f"/v1/apps/{app}/invitations", {"email": heir.email, "role": "admin"}, expect=201)
    letter = outbox.messages(heir.email, "invited")[-1].get_body(("plain",)).get_content()
    heir.post("/v1/invitations/accept", {"code": re.search(r"ic_[0-9A-Za-z]{49}", letter)[0]}, expect=200)
    given = {"Idempotency-Key": key()}
    owner.post(f"/v1/apps/{app}/transfer", {"account": heir.id}, headers=given, expect=204)
    # Who is an admin now has the first answer all the same.
    assert again(owner.post(f"/v1/apps/{app}/transfer", {"account": heir.id}, headers=given, expect=204))
    heir.call("DELETE", f"/v1/apps/{app}/members/{owner.id}", expect=204)
    for path, body, name in ((keys, {"name": "mine"}, keyed), ("/v1/apps", {"name": "Handed on"}, made)):
        refused = owner.post(path, body, headers=name, expect=404)
        assert refused.json()["detail"] == "There is no such app." and not again(refused)


def test_the_same_key_of_two_strangers_names_two_requests(platform):
    name = key()

    def sign_up(address: str, email: str) -> tuple[int, dict]:
        host, port = platform.url.removeprefix("http://").split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=10 * SLOWNESS, source_address=(address, 0))
        with closing(connection):
            body = json.dumps({"email": email, "password": Account.password, "name": "Dev"})
            connection.request("POST", "/v1/accounts", body, {"Content-Type": "application/json", "Idempotency-Key": name})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    ada, bob = f"ada-{key()}@example.test", f"bob-{key()}@example.test"
    status, first = sign_up("127.0.0.1", ada)
    assert status == 201 and sign_up("127.0.0.1", ada) == (201, first)
    status, other = sign_up("127.0.0.2", bob)
    assert status == 201 and other["account"]["email"] == bob
    status, problem = sign_up("127.0.0.1", bob)
    assert (status, problem["code"]) == (409, "idempotency_mismatch")


def test_two_at_once_on_two_loops_are_carried_out_once(sluice, probe_folder):
    gateway = sluice(with_plugins(probe_folder), ["--loops", "2"])
    for _ in range(4):
        before, name = made_events(gateway), key()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            told = list(pool.map(lambda _: ask(gateway, "/probe/emit-slowly", name, json={}), range(8)))
        assert sorted(answer.status_code for answer in told) == [200] + [409] * 7, [answer.text for answer in told]
        for answer in told:
            if answer.status_code == 409:
                assert answer.json()["code"] == "conflict" and answer.headers["retry-after"] == "1"
        assert again(ask(gateway, "/probe/emit-slowly", name, json={}))
        assert made_events(gateway) == before + 1


def test_a_kill_between_commit_and_answer_does_not_do_it_twice(sluice, probe_folder):
    gateway, name = sluice(with_plugins(probe_folder), ["--loops", "1"]), key()
    before = made_events(gateway)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, gateway, "/probe/emit-slowly", name, json={})
        assert eventually(lambda: made_events(gateway) == before + 1, pause=0.01)
        gateway.kill()
        with pytest.raises(requests.RequestException):
            asked.result()
    gateway.start()
    problem = ask(gateway, "/probe/emit-slowly", name, json={})
    assert problem.status_code == 409 and problem.json()["code"] == "conflict"
    assert "carried out" in problem.json()["detail"] and "retry-after" not in problem.headers
    assert ask(gateway, "/probe/emit-slowly", name, json={"other": 1}).json()["code"] == "idempotency_mismatch"
    assert made_events(gateway) == before + 1


def test_an_answer_that_was_given_survives_a_kill(sluice, probe_folder):
    gateway, name = sluice(with_plugins(probe_folder), ["--loops", "1"]), key()
    first = ask(gateway, "/probe/emit", name, json={})
    nothing = ask(gateway, "/probe/echo", name + "-echo", data=b"nothing is stored")
    gateway.kill()
    gateway.start()
    repeat = ask(gateway, "/probe/emit", name, json={})
    assert again(repeat) and (repeat.status_code, repeat.text) == (first.status_code, first.text) == (201, "emitted")
    assert made_events(gateway) == 1
    repeat = ask(gateway, "/probe/echo", name + "-echo", data=b"nothing is stored")
    assert again(repeat) and repeat.content == nothing.content == b"nothing is stored"


def test_who_left_before_the_answer_gets_it_at_the_next_attempt(probe):
    before, name = made_events(probe), key()
    with pytest.raises(requests.Timeout):
        requests.post(
            probe.url + "/probe/emit-slowly", json={}, headers={"Idempotency-Key": name}, timeout=0.3)
    repeat = eventually(lambda: (answer := ask(probe, "/probe/emit-slowly", name, json={})).status_code == 200 and answer)
    assert repeat.text == "later" and again(repeat)
    assert made_events(probe) == before + 1


def test_what_failed_and_wrote_nothing_is_tried_again(probe):
    name = key()
    for _ in range(2):
        answer = ask(probe, "/probe/broken", name)
        assert answer.status_code == 500 and not again(answer)


def test_an_answer_in_pieces_is_not_kept(probe):
    name = key()
    assert ask(probe, "/probe/pieces", name).text == "one two three"
    repeat = eventually(lambda: (answer := ask(probe, "/probe/pieces", name)).headers.get("retry-after") is None and answer)
    assert repeat.status_code == 409 and "not kept" in repeat.json()["detail"]


def test_a_publication_whose_place_was_not_written_down_is_found_in_the_history(sluice):
    gateway = sluice()
    app = Account(gateway.url).app()
    app.set_plugin("realtime", enabled=True, config={"namespaces": {"kept": {"history_size": 500}}})
    body = {"channel": "kept:room", "data": {"n": 0}, "idempotency_key": "first"}
    app.server.post("/v1/publish", {**body, "idempotency_key": "before"}, expect=200)
    first = app.server.post("/v1/publish", body, expect=200).json()
    for number in range(150):
        app.server.post("/v1/publish", {"channel": "kept:room", "data": {"n": number}}, expect=200)
    gateway.kill()
    with closing(sqlite3.connect(gateway.data / f"tenants/{app.id}.sqlite")) as file:  # as if killed before that
        file.execute("UPDATE realtime_publications SET position = NULL, epoch = NULL")
        file.commit()
    gateway.start()
    assert first["offset"] == 2
    for _ in range(2):
        assert app.server.post("/v1/publish", body, expect=200).json() == first
    history = app.server.get("/v1/history/kept:room", params={"limit": 100}, expect=200).json()
    assert history["offset"] == 152 and "mark" not in str(history["data"])


@pytest.mark.limit("idempotency_answer_bytes")
def test_an_answer_over_the_limit_is_sent_and_not_kept(sluice, probe_folder):
    gateway = sluice(with_plugins(probe_folder), limits={"idempotency_answer_bytes": 1000})
    assert gateway.breaches("idempotency_answer_bytes") == 0
    for size, kept in [(1000, True), (1001, False)]:
        name, body = key(), b"x" * size
        assert ask(gateway, "/probe/echo", name, data=body).content == body
        repeat = ask(gateway, "/probe/echo", name, data=body)
        assert repeat.status_code == (200 if kept else 409) and again(repeat) == kept
    assert gateway.breaches("idempotency_answer_bytes") == 1
    # Over HTTP/1 one after another on one connection, so that what is held does not stop the next.
    with requests.Session() as session:
        for number in range(20):
            headers = {"Idempotency-Key": f"{number}"}
            assert session.post(gateway.url + "/probe/echo", data=b"hi", headers=headers, timeout=5).text == "hi"


def test_the_description_says_which_routes_take_it(platform):
    paths = requests.get(f"{platform.url}/openapi.json", timeout=5).json()["paths"]
    takes = {
        path for path, operations in paths.items()
        if {"$ref": "#/components/parameters/IdempotencyKey"} in operations.get("post", {}).get("parameters", [])
    }
    posts = {path for path, operations in paths.items() if "post" in operations}
    # A public key is everybody's: what one guest's request was answered with is not for the next. A file is read in pieces, and
    # what a client has missed is another thing each time. Whoever sends events names them himself.
    assert posts - takes == {"/v1/sessions", "/v1/sessions/refresh", "/v1/guests", "/v1/uploads", "/v1/imports", "/v1/sync", "/v1/hooks/{source}"}
