"""Teams: members, roles and invitations, with letters that are really sent."""

import re
import threading

import pytest

from client import Account, Client
from post import Outbox
from program import Sluice, eventually
from workshop import with_plugins

ROLES = ("viewer", "developer", "admin", "owner")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, request):
    with Sluice(tmp_path_factory.mktemp("teams"), None, ["--loops", "3"]) as gateway:
        yield gateway
        assert gateway.is_running(), gateway.text()[-4000:]


def invitation_code(gateway, address: str, number=1) -> str:
    """The code in the letter to an address that came as the `number`-th."""
    def look():
        found = Outbox(gateway).messages(address, "invited", patience=0)
        return found if len(found) >= number else None

    messages = eventually(look, 20)
    assert messages, f"no letter to {address}"
    return re.search(r"ic_[0-9A-Za-z]{49}", messages[number - 1].get_body(("plain",)).get_content())[0]


def invite(app, email: str, role: str, expect=201):
    return app.owner.post(f"/v1/apps/{app.id}/invitations", {"email": email, "role": role}, expect=expect).json()


def join(gateway, app, role: str) -> Account:
    account = Account(gateway.url)
    invite(app, account.email, role)
    accepted = account.post("/v1/invitations/accept", {"code": invitation_code(gateway, account.email)}, expect=200)
    assert accepted.json()["id"] == app.id and accepted.json()["role"] == role
    return account


def test_somebody_who_is_invited_joins_with_the_role_and_sees_the_app(gateway):
    app = Outbox(gateway).verified(Account(gateway.url)).app("Team")
    member = join(gateway, app, "developer")
    apps = member.get("/v1/apps", expect=200).json()["data"]
    assert [(entry["id"], entry["role"]) for entry in apps] == [(app.id, "developer")]
    members = app.owner.get(f"/v1/apps/{app.id}/members", expect=200).json()["data"]
    assert {(entry["email"], entry["role"]) for entry in members} == {
        (app.owner.email, "owner"), (member.email, "developer")}
    member.post(f"/v1/apps/{app.id}/keys", {"name": "mine"}, expect=201)
    assert member.call("DELETE", f"/v1/apps/{app.id}").status_code == 403


def test_a_letter_speaks_in_the_name_of_the_product(sluice):
    mailer = {"config": {"product_name": "Acme Cloud"}}
    gateway = sluice(with_plugins(tenants=[{"id": "platform", "plugins": {"auth": {}, "control": {}, "mailer": mailer}}]))
    app, bob = Outbox(gateway).verified(Account(gateway.url)).app("Branded"), Account(gateway.url)
    app.owner.call("PATCH", f"/v1/apps/{app.id}", {"name": "{product} {inviter}"}, expect=200)
    invite(app, bob.email, "viewer")
    [letter] = Outbox(gateway).messages(bob.email, "invited")
    text = letter.get_body(("plain",)).get_content()
    # What others have written is left as it is.
    assert f'{app.owner.email} invites you to the app "{{product}} {{inviter}}", as viewer.' in text
    text = text.replace("{product} {inviter}", "")
    assert letter["Subject"].startswith("Acme Cloud: ") and text.rstrip().endswith("Acme Cloud") and "{product}" not in text


def test_an_invitation_is_for_its_address_alone_and_good_once(gateway):
    app = Outbox(gateway).verified(Account(gateway.url)).app("Team")
    bob, eve = Account(gateway.url), Account(gateway.url)
    made = invite(app, bob.email.upper(), "viewer")
    code = invitation_code(gateway, bob.email)
    assert code not in str(made) and code not in gateway.text()
    assert code.encode() not in (gateway.data / "tenants/platform.sqlite").read_bytes()
    assert Client(gateway.url).post("/v1/invitations/accept", {"code": code}).status_code == 401
    wrong = eve.post("/v1/invitations/accept", {"code": code}, expect=404).json()
    unknown = eve.post("/v1/invitations/accept", {"code": "ic_" + "0" * 49}, expect=404).json()
    assert wrong["detail"] == unknown["detail"]
    outcomes = []

    def accept():
        outcomes.append(Client(gateway.url, bob.made["access_token"]).post(
            "/v1/invitations/accept", {"code": code}).status_code)

    threads = [threading.Thread(target=accept) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes)[0] == 200 and outcomes.count(200) == 1 and set(outcomes) <= {200, 404, 409}
    assert len(app.owner.get(f"/v1/apps/{app.id}/members", expect=200).json()["data"]) == 2


def test_a_newer_invitation_takes_the_place_of_an_older_and_one_is_withdrawn(gateway):
    app = Outbox(gateway).verified(Account(gateway.url)).app("Team")
    bob = Account(gateway.url)
    invite(app, bob.email, "viewer")
    first = invitation_code(gateway, bob.email)
    second = invite(app, bob.email, "admin")
    listed = app.owner.get(f"/v1/apps/{app.id}/invitations", expect=200).json()["data"]
    assert [entry["id"] for entry in listed] == [second["id"]]
    bob.post("/v1/invitations/accept", {"code": first}, expect=404)
    code = invitation_code(gateway, bob.email, 2)
    app.owner.call("DELETE", f"/v1/apps/{app.id}/invitations/{second['id']}", expect=204)
    bob.post("/v1/invitations/accept", {"code": code}, expect=404)


def test_roles_are_told_apart_and_strangers_learn_nothing(gateway):
    """One route of each least role × every role; all routes are in the plugin's own tests."""
    app = Outbox(gateway).verified(Account(gateway.url)).app("Team")
    members = {role: app.owner if role == "owner" else join(gateway, app, role) for role in ROLES}
    stranger = Account(gateway.url)
    for least, method, path, body in (
        ("viewer", "GET", "/members", None),
        ("developer", "POST", "/keys", {"name": "x"}),
        ("admin", "PATCH", "", {"name": "x"}),
        ("admin", "GET", "/audit", None),
        ("owner", "POST", "/transfer", {"account": "acc_none"}),
    ):
        for role, member in members.items():
            status = member.call(method, f"/v1/apps/{app.id}{path}", body).status_code
            may = ROLES.index(role) >= ROLES.index(least)
            assert (status != 403) == may and (status != 404 or path == "/transfer"), (method, path, role, status)
        for id in (app.id, "app_00000000000000000000000000"):
            answer = stranger.call(method, f"/v1/apps/{id}{path}", body)
            assert answer.status_code == 404 and answer.json()["detail"] == "There is no such app."


def test_an_app_always_has_an_owner_also_when_owners_leave_at_once(gateway):
    app = Outbox(gateway).verified(Account(gateway.url)).app("Team")
    other = join(gateway, app, "owner")
    outcomes = []

    def leave(account):
        client = Client(gateway.url, account.made["access_token"])
        outcomes.append(client.call("DELETE", f"/v1/apps/{app.id}/members/{account.id}").status_code)

    threads = [threading.Thread(target=leave, args=[account]) for account in (app.owner, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [204, 409]
    left = [account for account in (app.owner, other) if account.get(f"/v1/apps/{app.id}").status_code == 200]
    assert len(left) == 1
    members = left[0].get(f"/v1/apps/{app.id}/members", expect=200).json()["data"]
    assert [entry["role"] for entry in members] == ["owner"]


def test_an_invitation_outlives_kill_9(sluice):
    gateway = sluice()
    app = Outbox(gateway).verified(Account(gateway.url)).app("Team")
    bob = Account(gateway.url)
    invite(app, bob.email, "admin")
    gateway.kill()
    gateway.start()
    code = invitation_code(gateway, bob.email)
    assert eventually(lambda: bob.post("/v1/invitations/accept", {"code": code}).status_code == 200, 10)
    bob.call("PATCH", f"/v1/apps/{app.id}", {"name": "Ours"}, expect=200)


@pytest.mark.parametrize("body", [
    {}, {"email": "x"}, {"email": "x", "role": "viewer"}, {"email": "a@b.test", "role": "god"},
    {"email": "a@b.test\nBcc: c@d.test", "role": "viewer"}, {"email": ["a@b.test"], "role": "viewer"},
])
def test_an_invitation_that_is_malformed_sends_nothing(gateway, body):
    app = Outbox(gateway).verified(Account(gateway.url)).app("Team")
    app.owner.post(f"/v1/apps/{app.id}/invitations", body, expect=400)
    assert app.owner.get(f"/v1/apps/{app.id}/invitations", expect=200).json()["data"] == []
    assert Outbox(gateway).messages("a@b.test", patience=0) == []


def test_nobody_invites_under_an_address_that_was_not_verified(gateway):
    app, bob = Account(gateway.url).app("Unverified"), Account(gateway.url)
    assert invite(app, bob.email, "viewer", expect=403)["code"] == "email_unverified"
    Outbox(gateway).verified(app.owner)
    invite(app, bob.email, "viewer")
    # One that has come only now came after all that was sent before: the refused one sent nothing.
    invitation_code(gateway, bob.email)
    assert len(Outbox(gateway).messages(bob.email, "invited")) == 1


def test_who_was_an_admin_does_not_come_back_by_an_invitation_of_his_own(gateway):
    outbox = Outbox(gateway)
    app = outbox.verified(Account(gateway.url)).app("Demoted")
    member, second = outbox.verified(join(gateway, app, "admin")), Account(gateway.url)
    member.post(f"/v1/apps/{app.id}/invitations", {"email": second.email, "role": "admin"}, expect=201)
    code = invitation_code(gateway, second.email)
    app.owner.call("PATCH", f"/v1/apps/{app.id}/members/{member.id}", {"role": "viewer"}, expect=200)
    second.post("/v1/invitations/accept", {"code": code}, expect=404)
