"""What a request is told that leads nowhere, or shows a credential that does not belong there."""

import contextlib

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from client import Client
from sanitizer import SLOWNESS
from wire import ask, get, handshake

SOCKET = "/connection/uni_websocket?channels=chat:messaging:general"


def told(answer, status: int, code: str) -> str:
    """The detail of a problem with this status and code."""
    problem = answer.json()
    assert (answer.status, problem["code"]) == (status, code), problem
    assert status != 401 or answer["www-authenticate"].startswith("Bearer")
    return problem["detail"]


def bearer(token: str) -> str:
    return f"Authorization: Bearer {token}"


def test_a_route_of_a_plugin_that_is_switched_off_names_the_plugin(platform, account):
    app = account.app("Quiet")
    path = "/v1/channels/messaging/general/messages"
    app.server.get(path, expect=200)
    app.set_plugin("chat", enabled=False)
    for token in (app.secret, app.token("alice")):
        detail = told(ask(platform.port, get(path, bearer(token))), 404, "plugin_not_enabled")
        assert '"chat"' in detail and "this app" in detail
    # Its sockets too, and what was never there stays unknown.
    app.set_plugin("realtime", enabled=False)
    answer = ask(platform.port, handshake(SOCKET + f"&token={app.token('alice')}"))
    assert '"realtime"' in told(answer, 404, "plugin_not_enabled")
    told(ask(platform.port, get("/v1/nowhere", bearer(app.secret))), 404, "not_found")
    app.set_plugin("chat", enabled=True)
    app.server.get(path, expect=200)


def test_an_apps_route_without_a_credential_asks_for_one(platform):
    assert "an app" in told(ask(platform.port, get("/v1/channels")), 401, "unauthenticated")
    assert "?token=" in told(ask(platform.port, get("/connection/uni_sse?channels=room")), 401, "unauthenticated")


def test_an_apps_route_with_an_accounts_token_asks_for_the_apps(platform, account):
    detail = told(ask(platform.port, get("/v1/channels", bearer(account.made["access_token"]))), 401, "unauthenticated")
    assert "of the app" in detail


@pytest.mark.parametrize("path", ["/v1/apps", "/v1/me", "/v1/plugins"])
def test_a_route_of_the_platform_with_an_apps_credential_asks_for_an_accounts(platform, shop, path):
    for token in (shop.secret, shop.token("alice")):
        detail = told(ask(platform.port, get(path, bearer(token))), 401, "unauthenticated")
        assert "account" in detail and "app's" in detail
    told(ask(platform.port, get(f"{path}?app={shop.id}")), 401, "unauthenticated")


def test_a_public_route_at_the_wrong_kind_of_tenant_is_not_found_and_says_whose_it_is(platform, shop):
    signing_up = Client(platform.url, shop.secret).post(
        "/v1/accounts", {"email": "a@example.com", "password": "long enough", "name": "A"}, expect=404)
    assert "platform" in signing_up.json()["detail"]


@pytest.mark.parametrize("path", ["/v1/me", "/v1/channels", "/v1/nowhere"])
def test_another_scheme_is_told_which_is_accepted(platform, path):
    detail = told(ask(platform.port, get(path, "Authorization: Basic YTpi")), 401, "unauthenticated")
    assert "Basic" in detail and "only Bearer" in detail


def whole(answer) -> tuple:
    """All of an answer but what no two have alike: the request's id, and when it was given."""
    fields = [(name, value) for name, value in answer.fields if name.lower() not in ("date", "x-request-id")]
    return answer.status, answer.reason, fields, {**answer.json(), "request_id": None}


def test_whoever_shows_a_credential_is_not_told_whether_another_app_is_there(platform, account, shop):
    other, missing = account.app("Other").id, "app_01jzzzzzzzzzzzzzzzzzzzzzzz"
    shown = (shop.secret, shop.key, shop.token("alice"), account.made["access_token"])
    for token in shown:
        for path in ("/v1/channels", "/v1/apps", "/v1/nowhere"):
            is_there, is_not = (ask(platform.port, get(f"{path}?app={app}", bearer(token))) for app in (other, missing))
            assert "do not name the same app" in told(is_there, 401, "unauthenticated")
            assert whole(is_there) == whole(is_not)
    for target in (SOCKET + "&app=", "/connection/websocket?app=", "/ws?app="):
        sockets = [ask(platform.port, handshake(f"{target}{app}&token={shop.token('alice')}")) for app in (other, missing)]
        assert "do not name the same app" in told(sockets[0], 401, "unauthenticated")
        assert whole(sockets[0]) == whole(sockets[1])


def test_a_credential_that_opens_nothing_is_told_so_whether_or_not_the_app_is_there(platform, account):
    other, missing = account.app("Other").id, "app_01jzzzzzzzzzzzzzzzzzzzzzzz"
    for token in ("nonsense", "sk_" + "0" * 49, "a.b.c"):
        is_there, is_not = (ask(platform.port, get(f"/v1/channels?app={app}", bearer(token))) for app in (other, missing))
        told(is_there, 401, "unauthenticated")
        assert whole(is_there) == whole(is_not)
    # Wherever it is shown: on what is for everybody, on a WebSocket, and where the path takes no such method.
    for path in ("/v1/branding", "/v1/tokens", "/v1/me", "/.well-known/jwks.json", "/v1/nowhere", "/connection/uni_sse"):
        is_there, is_not = (ask(platform.port, get(f"{path}?app={app}", bearer("nonsense"))) for app in (other, missing))
        told(is_there, 401, "unauthenticated")
        assert whole(is_there) == whole(is_not), path


NO_CREDENTIAL = [
    ("GET", "/v1/channels", 401), ("POST", "/v1/channels", 401), ("GET", "/v1/users", 401), ("POST", "/v1/guests", 401),
    ("POST", "/v1/tokens", 401), ("GET", "/v1/tokens", 405), ("GET", "/v1/me", 401), ("GET", "/v1/apps", 401),
    ("GET", "/v1/nowhere", 404), ("POST", "/v1/sessions", 404), ("GET", "/connection/uni_sse", 401),
    ("GET", "/connection/sse?cf_connect=%7B%22id%22:1,%22connect%22:%7B%7D%7D", 401), ("POST", "/connection/http_stream", 400),
]


@pytest.mark.parametrize("method, path, status", NO_CREDENTIAL, ids=[f"{method} {path}" for method, path, _ in NO_CREDENTIAL])
def test_whoever_shows_no_credential_is_not_told_by_what_wants_one_whether_an_app_is_there(platform, account, method, path, status):
    missing = "app_01jzzzzzzzzzzzzzzzzzzzzzzz"
    named = f"{path}{'&' if '?' in path else '?'}app="
    is_there, is_not = (ask(platform.port, get(named + app, method=method)) for app in (account.app("Other").id, missing))
    assert is_there.status == status, is_there.json()
    assert whole(is_there) == whole(is_not)


def test_whoever_shows_no_credential_is_not_told_which_plugins_an_app_has(platform, account):
    app, missing = account.app("Quiet"), "app_01jzzzzzzzzzzzzzzzzzzzzzzz"
    app.set_plugin("chat", enabled=False)
    is_there, is_not = (ask(platform.port, get(f"/v1/channels?app={name}")) for name in (app.id, missing))
    told(is_there, 401, "unauthenticated")
    assert whole(is_there) == whole(is_not)


def test_what_is_for_everybody_tells_whether_an_app_is_there(platform, shop):
    missing = "app_01jzzzzzzzzzzzzzzzzzzzzzzz"
    for path in ("/v1/branding", "/openapi.json"):
        assert ask(platform.port, get(f"{path}?app={shop.id}")).status == 200
        assert "no such app" in told(ask(platform.port, get(f"{path}?app={missing}")), 404, "not_found")


@pytest.mark.parametrize("target", [SOCKET + "&app=", "/connection/websocket?app=", "/ws?app="])
def test_a_websocket_does_not_tell_whether_an_app_is_there(platform, shop, target):
    def close(app: str, *offered: str) -> tuple:
        with contextlib.suppress(ConnectionClosed):
            with connect(f"{platform.socket_url}{target}{app}", proxy=None, subprotocols=offered or None) as socket:
                if not offered:
                    socket.send('{"id":1,"type":"auth","token":"a.b.c","connect":{"token":"a.b.c"}}')
                said = []
                while True:
                    said.append(socket.recv(10 * SLOWNESS))
        return said, socket.close_code, socket.close_reason

    for offered in ((), ("bearer.nonsense",)):
        is_there, is_not = (close(app, *offered) for app in (shop.id, "app_01jzzzzzzzzzzzzzzzzzzzzzzz"))
        assert is_there == is_not and is_there[1] in range(3500, 4000), (is_there, is_not)


@pytest.mark.parametrize("body", ["hello", "name: Ada", '{"text":', "{'text': 'x'}", "<a/>"])
def test_a_body_that_is_not_json_is_called_that(platform, shop, body):
    import requests

    answer = requests.post(
        f"{platform.url}/v1/channels/messaging/general/messages", data=body, timeout=5,
        headers={"Authorization": f"Bearer {shop.token('bob')}", "Content-Type": "application/json"})
    problem = answer.json()
    assert answer.status_code == 400 and problem["code"] == "invalid_request"
    assert problem["detail"] == "The body is not JSON." and "line 1" in problem["errors"][0]["message"]


def test_a_body_that_is_json_and_not_as_declared_is_not_called_that(shop):
    for body in ({"text": 7}, {}):
        problem = shop.user("bob").post("/v1/channels/messaging/general/messages", body, expect=400).json()
        assert "not JSON" not in problem["detail"]
