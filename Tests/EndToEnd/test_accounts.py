"""Accounts: verification, reset, second factor, sessions, rates; with PyPI's pyotp as the authenticator app."""

import contextlib
import json
import re
import sqlite3
import time
import uuid

import pyotp
import pytest

from client import Account, Client
from post import CROWD, Outbox, posting
from program import eventually, run
from wire import Wire
from workshop import with_plugins


@pytest.fixture
def anybody(platform) -> Client:
    return Client(platform.url)


@pytest.fixture
def outbox(platform) -> Outbox:
    return Outbox(platform)


def sign_in(client, account, password=None, **more):
    return client.post("/v1/sessions", {"email": account.email, "password": password or account.password, **more})


def test_an_address_is_verified_and_a_password_is_reset_by_mail(platform, anybody, outbox):
    account = Account(platform.url)
    assert account.get("/v1/me").json()["email_verified"] is False
    wrong = account.post("/v1/accounts/verify", {"email": account.email, "code": "0000-0000"}, expect=400).json()
    assert wrong["code"] == "invalid_code"
    code = outbox.code(account.email, "confirm")
    account.post("/v1/accounts/verify", {"email": account.email, "code": code}, expect=204)
    assert account.get("/v1/me").json()["email_verified"] is True

    anybody.post("/v1/passwords/forgot", {"email": account.email}, expect=202)
    code = outbox.code(account.email, "new password")
    poor = {"email": account.email, "code": code, "password": "Password1!"}
    assert anybody.post("/v1/passwords/reset", poor, expect=400).json()["code"] == "invalid_request"
    anybody.post("/v1/passwords/reset", {**poor, "password": "a much better one"}, expect=204)
    assert sign_in(anybody, account).status_code == 401
    assert sign_in(anybody, account, "a much better one").status_code == 201
    old = {"refresh_token": account.made["refresh_token"]}
    anybody.post("/v1/sessions/refresh", old, expect=401)
    assert Client(platform.url, account.made["access_token"]).get("/v1/me").status_code == 401


def test_whoever_owns_a_mailbox_confirms_no_account_of_a_stranger(platform, anybody, outbox):
    squatter, owner = Account(platform.url), Account(platform.url)
    code = outbox.code(squatter.email, "confirm")
    typed = {"email": squatter.email, "code": code}
    assert anybody.post("/v1/accounts/verify", typed, expect=401).json()["code"] == "unauthenticated"
    owner.post("/v1/accounts/verify", typed, expect=401)
    guess = {**typed, "password": "not the stranger's"}
    assert anybody.post("/v1/accounts/verify", guess, expect=403).json()["code"] == "wrong_password"
    assert squatter.get("/v1/me").json()["email_verified"] is False
    # The account is the owner's with a new password, and nothing of the stranger's is left.
    squatter.post("/v1/me/totp", {"password": squatter.password}, expect=201)
    anybody.post("/v1/passwords/forgot", {"email": squatter.email}, expect=202)
    taken = {"email": squatter.email, "code": outbox.code(squatter.email, "new password"), "password": "the owner's very own"}
    anybody.post("/v1/passwords/reset", taken, expect=204)
    assert squatter.get("/v1/me").status_code == 401
    assert sign_in(anybody, squatter).status_code == 401
    mine = sign_in(anybody, squatter, "the owner's very own").json()
    assert mine["account"]["email_verified"] is True and mine["account"]["totp_enabled"] is False


def test_nobody_learns_who_has_an_account(platform, anybody, outbox):
    account = Account(platform.url)
    for path in ("/v1/passwords/forgot", "/v1/accounts/verify/resend"):
        known = anybody.post(path, {"email": account.email})
        unknown = anybody.post(path, {"email": f"nobody-{uuid.uuid4().hex}@example.test"})
        volatile = {"date", "x-request-id", "x-ratelimit-remaining", "x-ratelimit-reset"}
        seen = [{k: v for k, v in each.headers.items() if k.lower() not in volatile} for each in (known, unknown)]
        assert known.status_code == unknown.status_code == 202 and seen[0] == seen[1]
        assert known.content == unknown.content


@pytest.mark.parametrize("password", ["Password123!", "qwertyuiop", "dev-0001"])
def test_passwords_that_are_tried_first_are_refused(anybody, password):
    body = {"email": "dev-0001@example.test", "password": password, "name": "Dev"}
    answer = anybody.post("/v1/accounts", body, expect=400).json()
    assert [error["pointer"] for error in answer["errors"]] == ["/password"]


def test_a_second_factor_is_that_of_any_authenticator_app(platform, anybody):
    account = Account(platform.url)
    enrolment = account.post("/v1/me/totp", {"password": account.password}, expect=201).json()
    app = pyotp.parse_uri(enrolment["otpauth_url"])
    assert app.secret == enrolment["secret"] and app.name == account.email
    confirmed = account.post("/v1/me/totp/confirm", {"code": app.now()}, expect=200).json()
    assert account.get("/v1/me").json()["totp_enabled"] is True
    assert sign_in(anybody, account).json()["code"] == "totp_required"
    # The present step has been used. A clock that is half a minute fast is of the next one.
    code = app.at(time.time() + 30)
    assert sign_in(anybody, account, totp=code).status_code == 201
    assert sign_in(anybody, account, totp=code).json()["code"] == "totp_invalid"
    recovery = confirmed["recovery_codes"][0]
    assert sign_in(anybody, account, recovery_code=recovery).status_code == 201
    assert sign_in(anybody, account, recovery_code=recovery).json()["code"] == "totp_invalid"
    missing = account.post("/v1/me/totp/disable", {"password": account.password}, expect=401).json()
    assert missing["code"] == "totp_required"
    off = {"password": account.password, "recovery_code": confirmed["recovery_codes"][1]}
    account.post("/v1/me/totp/disable", off, expect=204)
    assert sign_in(anybody, account).status_code == 201


def test_sessions_are_listed_and_ended(platform, anybody):
    account = Account(platform.url)
    other = anybody.post(
        "/v1/sessions", {"email": account.email, "password": account.password}, headers={"user-agent": "Phone"}, expect=201).json()
    sessions = account.get("/v1/sessions").json()["data"]
    assert [each["device"] for each in sessions][0] == "Phone" and [each["current"] for each in sessions] == [False, True]
    assert {each["address"] for each in sessions} == {"127.0.0.1"}
    account.call("DELETE", f"/v1/sessions/{sessions[0]['id']}", expect=204)
    anybody.post("/v1/sessions/refresh", {"refresh_token": other["refresh_token"]}, expect=401)
    account.call("DELETE", f"/v1/sessions/{sessions[0]['id']}", expect=404)
    sign_in(anybody, account)
    account.call("DELETE", "/v1/sessions", expect=204)
    assert [each["current"] for each in account.get("/v1/sessions").json()["data"]] == [True]


def test_a_changed_password_ends_the_other_sessions(platform, anybody):
    account = Account(platform.url)
    change = {"current": "wrong one entirely", "new": "a much better one"}
    assert account.put("/v1/me/password", change, expect=403).json()["code"] == "wrong_password"
    account.put("/v1/me/password", {**change, "current": account.password}, expect=204)
    assert sign_in(anybody, account).status_code == 401
    assert account.get("/v1/me").status_code == 200


def verified(platform, outbox) -> Account:
    return outbox.verified(Account(platform.url))


def test_an_account_gets_another_address_and_the_one_before_is_told(platform, anybody, outbox):
    account, other = verified(platform, outbox), f"new-{uuid.uuid4().hex[:12]}@example.test"
    elsewhere = Client(platform.url, sign_in(anybody, account).json()["access_token"])
    asked = {"email": other, "password": account.password}
    assert account.post("/v1/me/email", {**asked, "password": "not mine"}, expect=403).json()["code"] == "wrong_password"
    account.post("/v1/me/email", {**asked, "email": Account(platform.url).email}, expect=409)
    account.post("/v1/me/email", asked, expect=202)
    code = outbox.code(other, "new e-mail address")
    assert account.get("/v1/me", expect=200).json()["email"] == account.email
    changed = account.post("/v1/me/email/confirm", {"code": code}, expect=200).json()
    assert changed["email"] == other and changed["email_verified"] is True
    assert outbox.messages(account.email, "another e-mail address")
    assert account.get("/v1/me").status_code == 200 and elsewhere.get("/v1/me").status_code == 401
    assert sign_in(anybody, account).status_code == 401
    account.email = other
    assert sign_in(anybody, account).status_code == 201
    account.put("/v1/me/password", {"current": account.password, "new": "a much better one"}, expect=204)
    assert outbox.messages(other, "password was changed")


def test_an_account_ends_with_its_owners_proof_and_not_while_an_app_would_be_nobodys(platform, anybody, outbox):
    account, heir = verified(platform, outbox), Account(platform.url)
    enrolment = account.post("/v1/me/totp", {"password": account.password}, expect=201).json()
    device = pyotp.parse_uri(enrolment["otpauth_url"])
    codes = account.post("/v1/me/totp/confirm", {"code": device.now()}, expect=200).json()["recovery_codes"]
    alone, shared = account.app("Alone"), account.app("Shared")
    account.post(f"/v1/apps/{shared.id}/invitations", {"email": heir.email, "role": "owner"}, expect=201)
    letter = str(outbox.messages(heir.email, "invited")[-1].get_body(("plain",)).get_content())
    heir.post("/v1/invitations/accept", {"code": re.search(r"ic_[0-9A-Za-z]{49}", letter)[0]}, expect=200)

    def end(expect: int, **body) -> dict:
        answer = account.call("DELETE", "/v1/me", {"password": account.password, **body}, expect=expect)
        return answer.json() if answer.content else {}

    assert end(401)["code"] == "totp_required"
    assert end(400, totp="000000", recovery_code=codes[0])["code"] == "invalid_request"
    refused = end(409, recovery_code=codes[0])
    assert alone.id in refused["detail"] and shared.id not in refused["detail"], refused
    # Nothing has changed, and the code is not used up.
    assert {app["id"] for app in account.get("/v1/apps", expect=200).json()["data"]} == {alone.id, shared.id}
    account.call("DELETE", f"/v1/apps/{alone.id}", expect=204)
    end(204, recovery_code=codes[0])
    assert account.get("/v1/me").status_code == 401
    assert sign_in(anybody, account, recovery_code=codes[1]).status_code == 401
    assert outbox.messages(account.email, "was deleted")
    members = heir.get(f"/v1/apps/{shared.id}/members", expect=200).json()["data"]
    assert [member["account"] for member in members] == [heir.id]
    log = heir.get(f"/v1/apps/{shared.id}/audit?action=member.removed", expect=200).json()["data"]
    assert [(entry["actor"], entry["target"]) for entry in log] == [(account.id, account.id)]
    # The address is free.
    made = {"email": account.email, "password": account.password, "name": "Again"}
    assert anybody.post("/v1/accounts", made, expect=201).json()["account"]["id"] != account.id


def test_guesses_are_slowed_down_on_every_loop(platform, anybody):
    account = Account(platform.url)
    answers = []
    for _ in range(12):
        # A connection of its own each, so that several loops are asked.
        answers.append(sign_in(Client(platform.url), account, "wrong one entirely"))
    statuses = [answer.status_code for answer in answers]
    assert statuses[:5] == [401] * 5 and 429 in statuses
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["code"] == "rate_limited" and 1 <= int(refused.headers["Retry-After"]) <= 30


def test_one_address_signs_up_so_often_and_is_told_when_to_come_back(sluice):
    gateway = sluice(posting({}, {"sign_up_burst": 5, "sign_ups_per_hour": 60}))
    answers = []
    for number in range(8):
        body = {"email": f"n{number}@example.test", "password": Account.password, "name": "N"}
        answers.append(Client(gateway.url).post("/v1/accounts", body))
    statuses = [answer.status_code for answer in answers]
    assert statuses[:5] == [201] * 5 and set(statuses[5:]) <= {201, 429} and 429 in statuses
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["code"] == "rate_limited" and 1 <= int(refused.headers["Retry-After"]) <= 60
    # Whoever has an account is not concerned.
    login = {"email": "n0@example.test", "password": Account.password}
    assert Client(gateway.url).post("/v1/sessions", login).status_code == 201


@pytest.mark.parametrize("is_taken", [False, True], ids=["new", "taken"])
def test_passwords_beyond_what_may_wait_are_refused_and_said_to_come_back(sluice, is_taken):
    gateway = sluice(posting({}, CROWD))
    # For an address that is taken a password is hashed as for any other, so that the time does not tell.
    taken = Account(gateway.url).email
    # On connections that are open already, so that all come at once. 64 may wait, behind the one that is hashed; no network fills that alone.
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(gateway.port, patience=60, source=f"127.0.0.{1 + number % 4}")) for number in range(200)]
        for number, wire in enumerate(wires):
            address = taken if is_taken else f"n{number}@example.test"
            body = json.dumps({"email": address, "password": "correct horse battery", "name": "N"})
            wire.send(f"POST /v1/accounts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                      f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}")
        answers = [wire.answer() for wire in wires]
    refused = [answer for answer in answers if answer.status == 503]
    assert {answer.status for answer in answers} == {409 if is_taken else 201, 503} and len(answers) - len(refused) >= 64
    assert all(answer.json()["code"] == "overloaded" and int(answer["retry-after"]) > 0 for answer in refused)
    assert gateway.metric("sluice_auth_password_overloads_total") == len(refused)
    # And then there is room again.
    Account(gateway.url)


def test_one_address_leaves_the_others_room_to_have_their_passwords_hashed(sluice):
    gateway = sluice(posting({}, {**CROWD, "password_jobs_per_network": 16}))
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(Wire(gateway.port, patience=60, source="127.0.0.2")) for _ in range(150)]
        others = [stack.enter_context(Wire(gateway.port, patience=60, source="127.0.0.3")) for _ in range(16)]
        for number, wire in enumerate(crowd + others):
            body = json.dumps({"email": f"n{number}@example.test", "password": "correct horse battery", "name": "N"})
            wire.send(f"POST /v1/accounts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                      f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}")
        answers = [wire.answer() for wire in crowd]
        assert {wire.answer().status for wire in others} == {201}
    refused = [answer for answer in answers if answer.status == 503]
    assert {answer.status for answer in answers} == {201, 503} and len(answers) - len(refused) >= 16
    assert all(answer.json()["code"] == "overloaded" and int(answer["retry-after"]) > 0 for answer in refused)
    assert gateway.metric("sluice_auth_password_network_overloads_total") == len(refused)
    assert gateway.metric("sluice_auth_password_overloads_total") == 0


def test_a_hash_of_another_cost_is_made_anew_when_its_owner_signs_in(sluice):
    gateway = sluice(posting({}, {"argon2_memory_kib": 12288, "argon2_passes": 3}))
    account = Account(gateway.url)

    def kept() -> str:
        with sqlite3.connect(gateway.data / "tenants" / "platform.sqlite") as database:
            return database.execute("SELECT password FROM auth_accounts WHERE email = ?", [account.email]).fetchone()[0]

    assert kept().startswith("$argon2id$v=19$m=12288,t=3,p=1$")
    configuration = posting({}, {"argon2_memory_kib": 19456, "argon2_passes": 2, "argon2_lanes": 2})
    written = json.loads(gateway.configuration.read_text())
    gateway.configuration.write_text(json.dumps({**written, "tenants": configuration["tenants"]}))
    assert gateway.reload()["message"] == "reloaded"
    anybody = Client(gateway.url)
    assert sign_in(anybody, account, "wrong one entirely").status_code == 401
    assert kept().startswith("$argon2id$v=19$m=12288,t=3,p=1$")
    assert sign_in(anybody, account).status_code == 201
    assert kept().startswith("$argon2id$v=19$m=19456,t=2,p=2$")
    assert sign_in(anybody, account).status_code == 201
    # Neither a weakness nor a cost that nobody waits for is taken, and what served goes on.
    for memory, passes in ((19456, 1), (262144, 64)):
        weak = posting({}, {"argon2_memory_kib": memory, "argon2_passes": passes})
        gateway.configuration.write_text(json.dumps({**written, "tenants": weak["tenants"]}))
        assert gateway.reload()["message"].startswith("not reloaded")
    assert sign_in(anybody, account).status_code == 201


def test_without_a_mailer_what_needs_one_is_refused_and_all_else_works(sluice):
    gateway = sluice(with_plugins(tenants=[{"id": "platform", "plugins": {"auth": {}, "control": {}}}]))
    account = Account(gateway.url)
    for path in ("/v1/passwords/forgot", "/v1/accounts/verify/resend"):
        answer = Client(gateway.url).post(path, {"email": account.email}, expect=503).json()
        assert answer["code"] == "mail_unavailable"
    assert sign_in(Client(gateway.url), account).status_code == 201


def test_an_operator_imports_accounts_and_turns_the_keys(sluice):
    email = "root@example.test"
    gateway = sluice(posting({}, {"operators": [email], "require_verified_email": True}))
    anybody = Client(gateway.url)
    body = {"email": email, "password": Account.password, "name": "Root"}
    made = anybody.post("/v1/accounts", body, expect=201).json()
    assert set(made) == {"account"}
    login = {"email": email, "password": Account.password}
    assert anybody.post("/v1/sessions", login, expect=403).json()["code"] == "email_unverified"
    code = Outbox(gateway).code(email, "confirm")
    alone = anybody.post("/v1/accounts/verify", {"email": email, "code": code}, expect=401).json()
    assert alone["code"] == "unauthenticated"
    anybody.post("/v1/accounts/verify", {**login, "code": code}, expect=204)
    root = Client(gateway.url, anybody.post("/v1/sessions", login, expect=201).json()["access_token"])

    # "U*U", a hash that crypt_blowfish and every other implementation know.
    imported = {"email": "old@example.test", "name": "Old", "email_verified": True,
                "password_hash": "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"}
    root.post("/v1/accounts/import", imported, expect=201)
    root.post("/v1/accounts/import", imported, expect=409)
    old = anybody.post("/v1/sessions", {"email": "old@example.test", "password": "U*U"}, expect=201).json()
    anybody.post("/v1/sessions", {"email": "old@example.test", "password": "U*U"}, expect=201)
    stranger = Client(gateway.url, old["access_token"])
    stranger.post("/v1/accounts/import", {**imported, "email": "x@example.test"}, expect=403)
    stranger.post("/v1/signing-keys/rotate", expect=403)

    before = anybody.get("/.well-known/jwks.json").json()["keys"]
    root.post("/v1/signing-keys/rotate", expect=202)
    after = anybody.get("/.well-known/jwks.json").json()["keys"]
    assert len(before) == 1 and len(after) == 2 and after[0] == before[0]
    assert root.get("/v1/me").status_code == 200

    def logged() -> list[tuple]:
        with contextlib.closing(sqlite3.connect(f"file:{gateway.data}/tenants/platform.sqlite?mode=ro", uri=True)) as database:
            return list(database.execute(
                "SELECT action, outcome, actor_kind, actor, address, before_value, after_value FROM control_audit "
                "WHERE app_id = 'platform' ORDER BY seq"))

    rows = eventually(lambda: len(logged()) == 3 and logged())
    assert [row[:2] for row in rows] == [("account.imported", "done"), ("signing_keys.rotated", "begun"), ("signing_keys.rotated", "done")]
    assert {row[2:5] for row in rows} == {("account", root.get("/v1/me").json()["id"], "127.0.0.1")}
    assert json.loads(rows[0][6])["email"] == "old@example.test" and "$2a$" not in str(rows)
    assert json.loads(rows[2][5]) == {"signing": before[0]["kid"]}
    assert json.loads(rows[2][6])["next"] == after[1]["kid"]
    done = run("audit", "verify", "--data", gateway.data)
    assert done.returncode == 0 and "control_audit: 3 rows are whole" in done.stdout, done.stdout + done.stderr
