"""Keys while they are in use: rotated, narrowed, revoked, mistyped, on several loops and over kill -9."""

import secrets
import string
import threading
import time

import pytest

from client import Account, Client, mint
from program import Sluice, eventually


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, request):
    with Sluice(tmp_path_factory.mktemp("keys"), None, ["--loops", "4"]) as gateway:
        yield gateway
        assert gateway.is_running(), gateway.text()[-4000:]


@pytest.fixture
def app(gateway):
    return Account(gateway.url).app("Keys")


def everywhere(gateway, secret: str, count=24) -> set[int]:
    """What a key gets on many connections, which the kernel spreads over the loops."""
    return {Client(gateway.url, secret).get("/v1/users").status_code for _ in range(count)}


def make_key(app, **body) -> dict:
    return app.owner.post(f"/v1/apps/{app.id}/keys", {"name": "k", **body}, expect=201).json()


def rotate(app, key: str, grace: int, expect=200):
    return app.owner.post(f"/v1/apps/{app.id}/keys/{key}/rotate", {"grace_seconds": grace}, expect=expect).json()


def test_a_revoked_key_is_refused_by_the_next_request_on_every_loop(gateway, app):
    for _ in range(5):
        key = make_key(app)
        assert everywhere(gateway, key["secret"]) == {200}
        app.owner.call("DELETE", f"/v1/apps/{app.id}/keys/{key['id']}", expect=204)
        assert everywhere(gateway, key["secret"]) == {401}


def test_a_rotated_key_has_two_good_secrets_until_the_grace_ends(gateway, app):
    key = make_key(app)
    rotated = rotate(app, key["id"], 3600)
    assert rotated["id"] == key["id"] and rotated["key"] == key["key"] and rotated["secret"] != key["secret"]
    assert everywhere(gateway, key["secret"]) == everywhere(gateway, rotated["secret"]) == {200}
    # Both act as the same key, so that what is kept by key, such as repeats of a request, stays together.
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    body = {"type": "messaging", "id": "once"}
    first = Client(gateway.url, key["secret"]).call("POST", "/v1/channels", body, headers=headers)
    again = Client(gateway.url, rotated["secret"]).call("POST", "/v1/channels", body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201) and first.text == again.text
    at_once = rotate(app, key["id"], 0)
    assert everywhere(gateway, rotated["secret"]) == {401}
    assert everywhere(gateway, at_once["secret"]) == {200}
    brief = rotate(app, key["id"], 1)
    assert eventually(lambda: everywhere(gateway, at_once["secret"], 4) == {401}, 20)
    assert everywhere(gateway, brief["secret"]) == {200}
    app.owner.call("DELETE", f"/v1/apps/{app.id}/keys/{key['id']}", expect=204)
    for secret in (key["secret"], rotated["secret"], brief["secret"]):
        assert everywhere(gateway, secret, 8) == {401}


def test_scopes_are_narrowed_and_widened_while_the_key_is_in_use(gateway, app):
    key = make_key(app)
    path = f"/v1/apps/{app.id}/keys/{key['id']}"
    assert everywhere(gateway, key["secret"]) == {200}
    app.owner.call("PATCH", path, {"scopes": ["history.read"]}, expect=200)
    assert everywhere(gateway, key["secret"]) == {403}
    app.owner.call("PATCH", path, {"scopes": ["*"]}, expect=200)
    assert everywhere(gateway, key["secret"]) == {200}
    assert app.owner.call("PATCH", path, {"scopes": ["Not One"]}).status_code == 400
    unknown = app.owner.call("PATCH", path, {"scopes": ["users.read", "users.raed"]}, expect=400).json()
    assert unknown["errors"][0]["pointer"] == "/scopes/1" and "messages.write" in unknown["detail"], unknown
    unknown = app.owner.post(f"/v1/apps/{app.id}/keys", {"name": "x", "scopes": ["users.raed"]}, expect=400).json()
    assert unknown["errors"][0]["pointer"] == "/scopes/0", unknown
    told = {plugin["id"]: plugin["scopes"] for plugin in app.owner.get("/v1/plugins", expect=200).json()["data"]}
    assert "users.read" in told["auth"] and told["mailer"] == []
    assert everywhere(gateway, key["secret"], 4) == {200}


def test_a_mistyped_key_is_told_from_an_unknown_one(gateway, app):
    key = make_key(app)["secret"]
    digits = string.digits + string.ascii_letters

    def detail(credential: str) -> str:
        answer = Client(gateway.url, credential).get("/v1/users")
        assert answer.status_code == 401 and answer.json()["code"] == "unauthenticated"
        assert "invalid_token" in answer.headers["www-authenticate"]
        return answer.json()["detail"]

    for place in range(3, len(key)):
        other = next(digit for digit in digits if digit != key[place])
        assert "mistyped" in detail(key[:place] + other + key[place + 1:]), place
    # Two digits that are the same change nothing by changing places.
    assert key[10] == key[11] or "mistyped" in detail(key[:10] + key[11] + key[10] + key[12:])
    assert "mistyped" in detail("pk_" + key[3:])
    # What has no such shape is unknown, and nothing more is said.
    for credential in (key[:-1], key + "0", "sk_", "sk_" + "!" * 49, key.replace("sk_", "xk_")):
        assert "mistyped" not in detail(credential), credential
    assert everywhere(gateway, key, 4) == {200}


def test_the_time_of_a_keys_last_use_is_known_also_after_kill_9(sluice):
    gateway = sluice(arguments=["--loops", "2"])
    app = Account(gateway.url).app("Uses")
    unused = make_key(app)

    def last_used() -> dict:
        page = app.owner.get(f"/v1/apps/{app.id}/keys", expect=200).json()
        return {key["id"]: key.get("last_used_at") for key in page["data"]}

    used = next(key for key in last_used() if key != unused["id"])
    assert set(last_used().values()) == {None}
    assert app.server.get("/v1/users").status_code == 200
    assert eventually(lambda: last_used()[used], 20)
    assert last_used()[unused["id"]] is None
    make_key(app)  # on disk when it is answered, and so is what was to be written before
    known = last_used()
    gateway.kill()
    gateway.start()
    assert last_used() == known


def test_a_key_with_all_the_secrets_that_it_may_have_is_rotated_all_the_same_when_the_others_end(gateway, app):
    key = make_key(app)
    path = f"/v1/apps/{app.id}/keys/{key['id']}/rotate"
    secrets = [key["secret"]]
    for _ in range(4):
        secrets.append(app.owner.post(path, {"grace_seconds": 3600}, expect=200).json()["secret"])
    assert all(everywhere(gateway, secret, 8) == {200} for secret in secrets)
    refused = app.owner.post(path, {"grace_seconds": 3600}, expect=403).json()
    assert refused["code"] == "quota_exceeded" and "grace_seconds 0" in refused["detail"]
    last = app.owner.post(path, {"grace_seconds": 0}, expect=200).json()["secret"]
    assert all(everywhere(gateway, secret, 8) == {401} for secret in secrets)
    assert everywhere(gateway, last, 8) == {200}


def test_tokens_under_the_old_signing_secret_are_good_until_the_grace_ends(gateway, app):
    def status(secret: str) -> int:
        return Client(gateway.url, mint(secret, app.id, "alice")).get("/v1/unread").status_code

    def rotate_secret(grace: int) -> str:
        path = f"/v1/apps/{app.id}/signing-secret/rotate"
        return app.owner.post(path, {"grace_seconds": grace}, expect=200).json()["signing_secret"]

    assert status(app.signing_secret) == 200
    second = rotate_secret(3600)
    assert status(app.signing_secret) == status(second) == 200
    third = rotate_secret(3600)
    assert {status(secret) for secret in (app.signing_secret, second, third)} == {200}
    fourth = rotate_secret(0)
    assert status(third) == 401 and status(fourth) == 200
    # None is good for longer than the one after it: a rotation without grace ends them all.
    assert status(second) == status(app.signing_secret) == 401
    fifth = rotate_secret(1)
    assert eventually(lambda: status(fourth) == 401, 20) and status(fifth) == 200
    assert status("ss_" + "x" * 49) == 401


def test_a_signing_secret_that_was_rotated_outlives_kill_9(sluice):
    gateway = sluice()
    app = Account(gateway.url).app("Rotated")
    path = f"/v1/apps/{app.id}/signing-secret/rotate"
    new = app.owner.post(path, {"grace_seconds": 3600}, expect=200).json()["signing_secret"]
    key = app.owner.get(f"/v1/apps/{app.id}/keys", expect=200).json()["data"][0]
    secret = rotate(app, key["id"], 3600)["secret"]
    gateway.kill()
    gateway.start()
    for signing in (app.signing_secret, new):
        assert Client(gateway.url, mint(signing, app.id, "alice")).get("/v1/unread").status_code == 200
    assert everywhere(gateway, app.secret, 4) == everywhere(gateway, secret, 4) == {200}
    assert new.encode() not in (gateway.data / "control.sqlite").read_bytes()


def test_a_rotation_that_is_killed_leaves_the_key_good_and_can_be_done_again(sluice):
    gateway = sluice()
    app = Account(gateway.url).app("Killed")
    key = app.owner.get(f"/v1/apps/{app.id}/keys", expect=200).json()["data"][0]["id"]
    for delay in (0, 0.003, 0.006):
        session = app.owner.session
        import threading

        def ask():
            try:
                session.post(f"{gateway.url}/v1/apps/{app.id}/keys/{key}/rotate", json={"grace_seconds": 600}, timeout=5)
            except Exception:  # noqa: BLE001: it is killed
                pass

        thread = threading.Thread(target=ask)
        thread.start()
        time.sleep(delay)
        gateway.kill()
        thread.join()
        gateway.start()
        # Whatever step it was killed at, the old secret is good as long as was asked for.
        assert everywhere(gateway, app.secret, 2) == {200}
        page = app.owner.get(f"/v1/apps/{app.id}/keys", expect=200).json()
        assert [entry["id"] for entry in page["data"]] == [key]
    # One that is under way is waited for; a key of which nothing is left half done can be rotated.
    answer = app.owner.post(f"/v1/apps/{app.id}/keys/{key}/rotate", {"grace_seconds": 600})
    assert answer.status_code in (200, 409), answer.text
    assert eventually(lambda: app.owner.call("DELETE", f"/v1/apps/{app.id}/keys/{key}").status_code == 204, 20)
    assert everywhere(gateway, app.secret, 2) == {401}


@pytest.mark.parametrize("body", [{}, {"grace_seconds": -1}, {"grace_seconds": "1"}, {"grace_seconds": 10**9}, {"grace_seconds": 1, "x": 1}])
def test_a_rotation_that_is_malformed_changes_nothing(gateway, app, body):
    key = make_key(app)
    for path in (f"/v1/apps/{app.id}/keys/{key['id']}/rotate", f"/v1/apps/{app.id}/signing-secret/rotate"):
        answer = app.owner.post(path, body, expect=400)
        assert answer.json()["code"] == "invalid_request" and answer.json()["errors"]
    assert everywhere(gateway, key["secret"], 2) == {200}
    assert app.owner.post(f"/v1/apps/{app.id}/keys/key_none/rotate", {"grace_seconds": 0}).status_code == 404


def test_a_rotation_that_is_killed_leaves_the_old_secret_or_the_new_one_and_not_both(gateway, app):
    for delay in (0.0, 0.002, 0.004, 0.006, 0.01, 0.02):
        key = make_key(app)
        timer = threading.Timer(delay, gateway.kill)
        timer.start()
        try:
            rotate(app, key["id"], 0)
        except Exception:  # noqa: BLE001: it is killed
            pass
        timer.join()
        gateway.start()
        listed = app.owner.get(f"/v1/apps/{app.id}/keys", params={"limit": 100}, expect=200).json()["data"]
        rotated = next(one for one in listed if one["id"] == key["id"]).get("rotated_at") is not None
        # Nobody asks for anything of the control plane from here on: the gateway sees to it by itself.
        assert eventually(lambda: everywhere(gateway, key["secret"], 4) == {401 if rotated else 200}, 20)
