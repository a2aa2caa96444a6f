"""Bodies and queries that break what their route declares: refused before the plugin is called, each with its place."""

import json
import re

import pytest

from wire import ask, get


def checked(probe, body: bytes | dict, *fields, path="/probe/checked", media="application/json"):
    body = json.dumps(body).encode() if isinstance(body, dict) else body
    return ask(probe.port, get(path, f"Content-Type: {media}", *fields, method="POST", body=body))


def test_a_body_that_breaks_its_schema_is_refused_with_the_pointer_of_each_fault(probe):
    assert checked(probe, {"name": "x", "tags": [1], "a/b": True}).status == 200
    answer = checked(probe, {"name": "", "tags": [1, "two"], "a/b": 3, "extra": 1})
    problem = answer.json()
    assert answer.status == 400 and problem["code"] == "invalid_request"
    assert {error["pointer"] for error in problem["errors"]} >= {"/name", "/tags/1", "/a~1b"}
    assert any("extra" in error["pointer"] + error["message"] for error in problem["errors"])
    missing = checked(probe, {}).json()
    assert any("name" in error["pointer"] + error["message"] for error in missing["errors"])
    assert all(error["message"] for error in problem["errors"] + missing["errors"])


def test_broken_json_is_refused_with_its_place(probe):
    for text in (b'{"name": "x",}', b'{"name": "x"', b'{"name": nul}', b'{"name": "x"} x', b'{"name": "\xff"}', b"", b"[",
                 b'{"name": "x", "name": "y"}', b"[" * 3000):
        answer = checked(probe, text)
        problem = answer.json()
        assert answer.status == 400 and problem["code"] == "invalid_request", text[:40]
        if text:
            assert re.search(r"line 1|1:\d+|column \d+|byte \d+|offset \d+", json.dumps(problem)), (text[:40], problem)


def test_another_media_type_is_415_and_parameters_of_the_right_one_are_fine(probe):
    assert checked(probe, {"name": "x"}, media="application/json; charset=utf-8").status == 200
    assert checked(probe, {"name": "x"}, media="Application/JSON").status == 200
    answer = checked(probe, b"name=x", media="application/x-www-form-urlencoded")
    assert answer.status == 415 and answer.json()["code"] == "unsupported_media_type"


def test_a_query_that_breaks_its_schema_is_refused_by_name(probe):
    assert checked(probe, {"name": "x"}, path="/probe/checked?limit=7").status == 200
    for bad in ("0", "101", "x", "", "1.5"):
        answer = checked(probe, {"name": "x"}, path=f"/probe/checked?limit={bad}")
        assert answer.status == 400 and "limit" in json.dumps(answer.json()["errors"]), bad


@pytest.mark.parametrize("query, detail", [
    ("limit=%00", "%00 in the request target"), ("li%00mit=1", "%00 in the request target"),
    ("limit=%f", "a percent sign is not followed by two hexadecimal digits"),
    ("limit=%ff", "the request target decodes to bytes that are not UTF-8"),
])
def test_a_query_that_cannot_be_decoded_is_refused_with_what_is_wrong(probe, query, detail):
    answer = checked(probe, {"name": "x"}, path=f"/probe/checked?{query}")
    assert answer.status == 400 and answer.json()["detail"] == detail, answer.json()


def test_a_query_parameter_that_is_given_twice_is_refused_by_name(probe, platform, shop):
    for twice in ("limit=7&limit=7", "limit=7&x=1&lim%69t=8", "limit=x&limit=7"):
        answer = checked(probe, {"name": "x"}, path=f"/probe/checked?{twice}")
        assert answer.status == 400, twice
        assert answer.json()["errors"] == [{"pointer": "/query/limit", "message": "is given more than once"}], twice
    # What the route does not declare is nobody's here.
    assert checked(probe, {"name": "x"}, path="/probe/checked?x=1&x=2").status == 200
    refused = shop.server.get("/v1/users?limit=1&limit=2", expect=400).json()
    assert [error["pointer"] for error in refused["errors"]] == ["/query/limit"]


def test_a_name_with_a_control_character_is_refused_with_its_place(platform, shop):
    own = shop.owner
    for bad in ("a\0b", "\x1fa", "a\nb", "a\x7f", "a\x85"):
        made = {"email": "a@example.test", "password": "correct horse battery", "name": bad}
        for answer in (
            own.call("POST", "/v1/accounts", made), own.call("PATCH", "/v1/me", {"name": bad}),
            own.post("/v1/apps", {"name": bad}), own.call("PATCH", f"/v1/apps/{shop.id}", {"name": bad}),
            own.post(f"/v1/apps/{shop.id}/keys", {"name": bad}), own.put(f"/v1/apps/{shop.id}/branding", {"name": bad}),
        ):
            assert answer.status_code == 400, (bad, answer.request.url)
            assert [error["pointer"] for error in answer.json()["errors"]] == ["/name"], answer.text


def test_a_place_to_go_on_from_that_is_none_is_refused_alike_in_every_list(platform, shop):
    """With what cannot be the `next` of a page, whichever list it is."""
    own, app = shop.owner, shop.server
    app.post("/v1/channels", {"type": "messaging", "id": "paged", "members": ["ann"]})
    lists = {
        "/v1/apps": own, "/v1/sessions": own, "/v1/users": app, "/v1/channels": app, "/v1/connections": app,
        "/v1/unread?user_id=ann": app, "/v1/presence/news": app, "/v1/channels/messaging/paged/messages": app,
        "/v1/plugins": own, **{f"/v1/apps/{shop.id}/{name}": own for name in (
            "members", "invitations", "audit", "keys", "domains", "plugins", "usage")},
    }
    for path, client in lists.items():
        # A user may be called so.
        names = () if path == "/v1/users" else ("-5",)
        for text in (*names, "", " ", "zz zz", "9" * 200, "%F0%9F%98%80%20"):
            answer = client.get(f"{path}{'&' if '?' in path else '?'}after={text}")
            assert answer.status_code == 400, (path, text, answer.text)
            assert "/query/after" in [error["pointer"] for error in answer.json()["errors"]], (path, text, answer.text)
    # What a page says is taken.
    for name in ("ann", "bob"):
        app.put(f"/v1/users/{name}", {}, expect=200)
        own.post(f"/v1/apps/{shop.id}/keys", {"name": name}, expect=201)
    for path, client in (("/v1/users", app), (f"/v1/apps/{shop.id}/audit", own), (f"/v1/apps/{shop.id}/keys", own)):
        page = client.get(f"{path}?limit=1", expect=200).json()
        assert page["next"]
        assert client.get(f"{path}?limit=1&after={page['next']}", expect=200).json()["data"] != page["data"]
