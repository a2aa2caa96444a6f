"""Pages of other origins: which may open sockets and read answers, and what browsers are told."""

import json

import pytest
import requests
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from client import Account, Client
from sanitizer import SLOWNESS

SHOP = "https://shop.example"
BAD = [
    "null", "https://shop.example.", "https://SHOP.example", "http://shop.example", "https://shop.example:443",
    "https://evil.test", "https://shop.example.evil.test", "https://b\u00fccher.example", "",
]


@pytest.fixture(scope="module")
def guarded(platform):
    """An app whose pages are on two origins."""
    app = Account(platform.url).app("Guarded")
    allowed = [SHOP, "https://*.shop.example", "https://xn--bcher-kva.example"]
    changed = app.owner.call("PATCH", f"/v1/apps/{app.id}", {"allowed_origins": allowed}, expect=200).json()
    assert changed["allowed_origins"] == allowed and changed["name"] == "Guarded"
    return app


def ask(app, origin: str | None, path="/v1/channels/messaging/general/messages", method="GET", **headers):
    token = app.token("alice")
    if origin is not None:
        headers["Origin"] = origin.encode()
    return requests.request(
        method, app.owner.url + path, timeout=10 * SLOWNESS,
        headers={"Authorization": f"Bearer {token}", **headers})


def preflight(url: str, path: str, origin: str, method="POST", wanted="authorization,content-type"):
    return requests.options(
        url + path, timeout=10 * SLOWNESS,
        headers={
            "Origin": origin.encode(), "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": wanted,
        })


def open_socket(app, origin: str | None, path="/connection/uni_websocket?channels=chat:messaging:general", **options):
    separator = "&" if "?" in path else "?"
    url = app.owner.url.replace("http://", "ws://") + path + f"{separator}token={app.token('alice')}"
    return connect(url, origin=origin, open_timeout=10 * SLOWNESS, proxy=None, **options)


def test_pages_of_an_allowed_origin_read_answers_and_refusals(guarded):
    for origin in [SHOP, "https://www.shop.example", "https://xn--bcher-kva.example"]:
        for answer in [ask(guarded, origin), ask(guarded, origin, path="/v1/nothing-here")]:
            assert answer.headers["access-control-allow-origin"] == origin
            assert "Origin" in answer.headers["vary"]
            assert "x-request-id" in answer.headers["access-control-expose-headers"]
            assert "access-control-allow-credentials" not in answer.headers
    assert ask(guarded, SHOP).status_code == 200


@pytest.mark.parametrize("origin", BAD)
def test_pages_of_another_origin_do_not(guarded, origin):
    answer = ask(guarded, origin)
    assert "access-control-allow-origin" not in answer.headers and "Origin" in answer.headers["vary"]


def test_who_is_no_page_is_not_concerned(guarded):
    answer = ask(guarded, None)
    assert answer.status_code == 200
    assert not any(name.startswith("access-control") or name == "vary" for name in map(str.lower, answer.headers))


def test_what_caches_may_keep_varies_with_the_origin_also_for_who_is_no_page(platform):
    for headers in [{}, {"Origin": SHOP}]:
        answer = requests.get(platform.url + "/.well-known/jwks.json", headers=headers, timeout=10 * SLOWNESS)
        assert answer.status_code == 200 and "max-age" in answer.headers["cache-control"]
        assert answer.headers["vary"] == "Origin"
    account = Account(platform.url)
    body = {"email": account.email, "password": account.password}
    answer = Client(platform.url).post("/v1/sessions", body, expect=201)
    assert answer.headers["cache-control"] == "no-store" and "vary" not in answer.headers


def test_an_app_that_names_no_origin_takes_any(shop):
    for origin in ["https://anything.example", "null"]:
        answer = ask(shop, origin)
        assert answer.headers["access-control-allow-origin"] == "*" and "Origin" in answer.headers["vary"]
    with open_socket(shop, "https://anything.example") as listener:
        assert json.loads(listener.recv(10))["type"] == "connected"


def test_a_preflight_is_answered_from_the_routes_without_a_credential(guarded, platform):
    path = "/v1/channels/messaging/general/messages"
    for url in [platform.url + path, platform.url + path + f"?app={guarded.id}"]:
        answer = preflight(url, "", SHOP, wanted="authorization, content-type,idempotency-key")
        assert answer.status_code == 204 and not answer.content, answer.text
        methods = set(answer.headers["access-control-allow-methods"].split(", "))
        assert {"GET", "POST"} <= methods and "DELETE" not in methods
        assert answer.headers["access-control-allow-headers"] == "authorization, content-type,idempotency-key"
        assert answer.headers["access-control-max-age"] == "600"
        assert answer.headers["access-control-allow-origin"] in ("*", SHOP)
        assert "Origin" in answer.headers["vary"]
    named = preflight(platform.url, path + f"?app={guarded.id}", "https://evil.test")
    assert named.status_code == 403 and named.json()["code"] == "forbidden"
    assert "access-control-allow-origin" not in named.headers
    nothing = preflight(platform.url, "/v1/nothing-here", SHOP)
    assert nothing.status_code == 404 and "access-control-allow-methods" not in nothing.headers
    odd = preflight(platform.url, path, SHOP, wanted="authorization; drop")
    assert odd.status_code == 204 and "access-control-allow-headers" not in odd.headers
    # Without the question it is a method like any other.
    assert requests.options(platform.url + path, headers={"Origin": SHOP}, timeout=5).status_code in (401, 404, 405)


@pytest.mark.parametrize("origin", ["null", "https://evil.test", "https://shop.example.", "HTTPS://shop.example"])
def test_a_socket_of_another_origin_is_refused_before_it_opens(guarded, origin):
    with pytest.raises(InvalidStatus) as refused:
        open_socket(guarded, origin)
    assert refused.value.response.status_code == 403
    assert json.loads(refused.value.response.body)["code"] == "forbidden"


def test_a_socket_of_an_allowed_origin_or_of_none_opens(guarded):
    for origin in [SHOP, "https://www.shop.example", None]:
        with open_socket(guarded, origin) as listener:
            assert json.loads(listener.recv(10))["type"] == "connected"


def test_a_socket_whose_app_comes_in_its_first_message_is_closed_then(guarded):
    url = guarded.owner.url.replace("http://", "ws://") + "/connection/websocket"
    hello = json.dumps({"id": 1, "connect": {"token": guarded.token("alice")}})
    with connect(url, origin=SHOP, proxy=None) as socket:
        socket.send(hello)
        assert "connect" in json.loads(socket.recv(10))
    with connect(url, origin="https://evil.test", proxy=None) as socket:
        socket.send(hello)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                assert "client" not in socket.recv(10)
    # Of the codes with which Centrifugo's clients do not come back.
    assert closed.value.rcvd.code == 3507, closed.value


@pytest.mark.parametrize("origin, is_shown", [(SHOP, SHOP), ("https://evil.test", None)])
def test_streams_can_be_read_by_pages_of_allowed_origins(guarded, origin, is_shown):
    url, token = guarded.owner.url, guarded.token("alice")
    events = requests.get(
        f"{url}/connection/uni_sse?channels=chat:messaging:general&token={token}",
        headers={"Origin": origin}, stream=True, timeout=10 * SLOWNESS)
    # Only the body says whose it is.
    stream = requests.post(
        f"{url}/connection/http_stream", json={"id": 1, "connect": {"token": token}},
        headers={"Origin": origin}, stream=True, timeout=10 * SLOWNESS)
    for answer in (events, stream):
        with answer:
            assert answer.status_code == 200, answer.text
            assert answer.headers.get("access-control-allow-origin") == is_shown
    asked = preflight(url, "/connection/http_stream", origin, wanted="content-type")
    assert asked.status_code == 204 and "POST" in asked.headers["access-control-allow-methods"]


def test_pages_cannot_read_what_is_the_gateways_own(platform):
    for path in ["/metrics", "/healthz"]:
        assert "access-control-allow-origin" not in requests.get(platform.url + path, headers={"Origin": SHOP}, timeout=5).headers


@pytest.mark.parametrize(
    "origin",
    ["shop.example", "null", "*", "https://Shop.example", "https://shop.example/", "https://shop.example:443",
     "https://*.example", "https://b\u00fccher.example", "https://shop.example."])
def test_what_is_no_origin_cannot_be_allowed(guarded, origin):
    before = guarded.owner.get(f"/v1/apps/{guarded.id}", expect=200).json()
    problem = guarded.owner.call(
        "PATCH", f"/v1/apps/{guarded.id}", {"name": "Other", "allowed_origins": [origin]}, expect=400).json()
    assert problem["code"] == "invalid_request" and origin in problem["detail"]
    assert [error["pointer"] for error in problem["errors"]] == ["/allowed_origins/0"]
    assert guarded.owner.get(f"/v1/apps/{guarded.id}", expect=200).json() == before


def test_allowed_origins_survive_a_restart_and_can_be_given_in_a_file(sluice):
    gateway = sluice()
    app = Account(gateway.url).app()
    app.owner.call("PATCH", f"/v1/apps/{app.id}", {"allowed_origins": [SHOP]}, expect=200)
    gateway.kill()
    gateway.start()
    assert "access-control-allow-origin" not in ask(app, "https://evil.test").headers
    assert ask(app, SHOP).headers["access-control-allow-origin"] == SHOP
    app.owner.call("PATCH", f"/v1/apps/{app.id}", {"allowed_origins": []}, expect=200)
    assert ask(app, "https://evil.test").headers["access-control-allow-origin"] == "*"
    stranger = Account(gateway.url)
    stranger.call("PATCH", f"/v1/apps/{app.id}", {"allowed_origins": [SHOP]}, expect=404)
    assert ask(app, "https://evil.test").headers["access-control-allow-origin"] == "*"
    assert Client(gateway.url).get("/v1/me", headers={"Origin": SHOP}).headers["access-control-allow-origin"] == "*"
