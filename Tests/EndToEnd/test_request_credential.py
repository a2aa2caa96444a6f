"""Requests whose credential stands in their query or body: nobody's until it has been found there."""

import json
import uuid

import pytest
import requests

from client import Client, mint
from http2 import H2, request
from program import Sluice, at_once, eventually
from test_isolation import StaticApp
from wire import Wire
from workshop import lay_out_own, with_plugins


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A gateway with two apps that have the doorman, and one that has not."""
    folder = tmp_path_factory.mktemp("plugins")
    lay_out_own(folder, "doorman")
    apps = [StaticApp(name) for name in ("acme", "umbra", "bare")]
    configuration = with_plugins(folder, tenants=[app.configuration() for app in apps])
    for tenant in configuration["tenants"][:2]:
        tenant["plugins"]["doorman"] = {}
    gateway = Sluice(tmp_path_factory.mktemp("doorman"), configuration, ["--loops", "1"]).start()
    gateway.apps = apps
    yield gateway
    assert gateway.stop() == 0


def say(house, body: str, path="/doorman/said", method="POST", **options) -> tuple[int, str]:
    """The status and the body, or the code of the problem."""
    answer = requests.request(method, house.url + path, data=body.encode(), timeout=10, **options)
    is_problem = answer.headers.get("Content-Type") == "application/problem+json"
    return answer.status_code, answer.json()["code"] if is_problem else answer.text


def test_the_token_in_the_body_leads_to_the_app_and_the_user(house):
    for app, user in ((house.apps[0], "alice"), (house.apps[1], "bob"), (house.apps[0], "alice")):
        first = "token " + app.token(user)
        assert say(house, first) == (200, f"{app.id} serves '{user}': {first}")


def test_the_token_in_the_query_leads_to_the_app_and_the_user(house):
    app = house.apps[0]
    assert say(house, "", f"/doorman/hello?hello=token:{app.token('carol')}", "GET") == (200, "acme serves 'carol': ")


def test_a_token_among_the_parameters_is_taken_where_the_manifest_says_so(house):
    token = house.apps[1].token("dora")
    assert say(house, "", f"/doorman/events?token={token}", "GET") == (200, "umbra serves 'dora': ")
    assert say(house, "", f"/doorman/events?app=umbra&token={token}", "GET") == (200, "umbra serves 'dora': ")
    assert say(house, "", f"/doorman/events?app=acme&token={token}", "GET") == (401, "unauthenticated")
    assert say(house, "", "/doorman/events?token=nonsense", "GET") == (401, "unauthenticated")
    assert say(house, "", "/doorman/events?token=", "GET") == (401, "unauthenticated")
    for app in ("", "app=umbra&"):
        assert say(house, "", f"/doorman/quiet?{app}token={token}", "GET") == (401, "unauthenticated")


def test_a_credential_in_the_head_is_looked_at_first(house):
    acme, umbra = house.apps[:2]
    body = "token " + umbra.token("bob")
    head = {"Authorization": f"Bearer {acme.token('alice')}"}
    assert say(house, body, headers=head) == (200, f"acme serves 'alice': {body}")


@pytest.mark.parametrize("path", ["/doorman/said", "/doorman/said?app=acme"])
def test_wrong_expired_foreign_and_missing_credentials_are_refused_with_a_problem(house, path):
    acme, umbra, bare = house.apps
    late = "token " + mint(acme.signing_secret, acme.id, "alice", lifetime=-3600)
    cases = [
        ("hello", (400, "invalid_request")),
        ("", (400, "invalid_request")),
        ("token nonsense", (401, "unauthenticated")),
        ("token " + mint("x" * 40, acme.id, "alice"), (401, "unauthenticated")),
        ("token " + mint(acme.signing_secret, "app_unknown", "alice"), (401, "unauthenticated")),
        ("token " + acme.secret, (403, "forbidden")),
        ("token " + bare.token("alice"), (404, "plugin_not_enabled") if "?" not in path else (401, "unauthenticated")),
        ("nobody", (401, "unauthenticated")),
        ("app acme", (401, "unauthenticated")),
        ("app nowhere", (401, "unauthenticated")),
        (late, (200, f"too late, of {len(late)} bytes")),
    ]
    if "app=" in path:
        cases.append(("token " + umbra.token("alice"), (401, "unauthenticated")))
        cases.append(("app umbra", (401, "unauthenticated")))
    for body, answer in cases:
        assert say(house, body, path) == answer, body


def test_an_answer_in_the_plugins_words_is_whole(house):
    acme = house.apps[0]
    late = mint(acme.signing_secret, acme.id, "alice", lifetime=-3600)
    answer = requests.post(house.url + "/doorman/said", data="token " + late, timeout=10)
    assert answer.headers["Content-Type"] == "text/x-refusal" and "x-request-id" in answer.headers


def test_the_app_alone_is_enough_where_nobody_is_asked_who_they_are(house):
    for path in ("/doorman/said/openly", "/doorman/said/maybe"):
        assert say(house, "app umbra", path) == (200, "umbra serves '': app umbra")
        assert say(house, "app umbra", path + "?app=acme") == (401, "unauthenticated")
        assert say(house, "app nowhere", path) == (404, "not_found")
        assert say(house, "nobody", path) == (401, "unauthenticated")
        assert say(house, "nobody", path + "?app=acme") == (200, "acme serves '': nobody")
        assert say(house, "app bare", path) == (404, "plugin_not_enabled")
        assert say(house, "hello", path) == (400, "invalid_request")


def test_the_host_name_and_the_body_must_agree(house):
    acme, umbra = house.apps[:2]
    first = "token " + acme.token("erin")
    assert say(house, first, headers={"Host": acme.host}) == (200, f"acme serves 'erin': {first}")
    assert say(house, first, headers={"Host": umbra.host}) == (401, "unauthenticated")
    assert say(house, "app acme", "/doorman/said/openly", headers={"Host": umbra.host}) == (401, "unauthenticated")
    assert say(house, "nobody", "/doorman/said/openly", headers={"Host": umbra.host}) == (200, "umbra serves '': nobody")


def test_the_body_is_bounded_before_anybody_looks_at_it(house):
    assert say(house, "token " + "x" * 5000) == (413, "payload_too_large")
    assert say(house, "app acme" + "x" * 5000, "/doorman/said/openly") == (413, "payload_too_large")
    with Wire(house.port) as wire:
        wire.send("POST /doorman/said HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "1000\r\n" + "t" * 4096 + "\r\n1\r\nt\r\n")
        assert wire.answer().status == 413


def test_a_key_is_its_app_and_users_whom_the_body_names(house):
    name, (acme, umbra) = {"Idempotency-Key": uuid.uuid4().hex}, house.apps[:2]

    def ask(body: str, path="/doorman/said") -> tuple[int, str, bool]:
        answer = requests.post(house.url + path, data=body, headers=name, timeout=10)
        return answer.status_code, answer.text, answer.headers.get("idempotency-replayed") == "true"

    for app, user in ((acme, "alice"), (umbra, "alice"), (acme, "bob")):
        first = "token " + app.token(user)
        for is_repeat in (False, True):
            assert ask(first) == (200, f"{app.id} serves '{user}': {first}", is_repeat)
        # Whose credential is not let in hears nothing of what was answered.
        status, _, is_repeat = ask("token nonsense")
        assert status == 401 and not is_repeat
    for app in (acme, umbra):
        for is_repeat in (False, True):
            assert ask(f"app {app.id}", "/doorman/said/openly") == (200, f"{app.id} serves '': app {app.id}", is_repeat)


def test_a_body_in_pieces_leads_to_the_app_as_well(house):
    first = "token " + house.apps[0].token("frank")
    with Wire(house.port) as wire:
        wire.send("POST /doorman/said HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in (first[:3], first[3:20], first[20:]):
            wire.send(f"{len(piece):x}\r\n{piece}\r\n")
        wire.send("0\r\n\r\n")
        assert wire.answer().body.decode() == f"acme serves 'frank': {first}"
        # The connection goes on, also with a request that came behind another in one piece.
        again = f"POST /doorman/said HTTP/1.1\r\nHost: a\r\nContent-Length: {len(first)}\r\n\r\n{first}"
        wire.send(again + again)
        for _ in range(2):
            assert wire.answer().body.decode() == f"acme serves 'frank': {first}"


def test_over_http2_the_body_leads_to_the_app_as_well(house):
    first = ("token " + house.apps[1].token("gina")).encode()
    with H2(house.port) as connection:
        stream = connection.answer(connection.open(request("POST", "/doorman/said"), body=first))
        assert stream.status == 200 and stream.body == b"umbra serves 'gina': " + first


def test_many_strangers_at_once_are_told_apart(house):
    failures = []

    def visit(number: int):
        app = house.apps[number % 2]
        first = "token " + app.token(f"user{number}")
        for _ in range(5):
            if say(house, first) != (200, f"{app.id} serves 'user{number}': {first}"):
                failures.append(number)

    at_once(30, visit)
    assert not failures


def test_no_log_line_has_a_credential_of_a_query(house):
    token = house.apps[0].token("henry")
    for path in (f"/doorman/hello?hello=token:{token}", f"/doorman/events?token={token}"):
        assert say(house, "", path, "GET")[0] == 200
    assert eventually(lambda: [line for line in house.lines() if line.get("principal") == "henry"])
    assert token not in house.text() and token.split(".")[1] not in house.text()


def test_the_description_says_where_a_credential_may_stand(house):
    paths = Client(house.url).get("/openapi.json", expect=200).json()["paths"]
    assert "query or the body" in paths["/doorman/said"]["post"]["description"]
    assert {"tokenInQuery": []} in paths["/doorman/events"]["get"]["security"]
    assert {"tokenInQuery": []} not in paths["/doorman/quiet"]["get"]["security"]
    assert json.dumps(paths["/doorman/said/openly"]["post"]["security"]) == "[]"
