"""Every route with every wrong credential: the table is made from /openapi.json, so a new route is in it by itself."""

import base64
import json
from urllib.parse import quote

import pytest
import requests

from client import Account, Client, mint
from files import png, upload
from program import Sluice, eventually
from static_app import StaticApp
from wire import ask, get, handshake
from workshop import with_plugins

POLL = {"question": "Hush?", "options": ["Yes", "No"]}
# What lists of a user's own need beside a key, and what others need to list anything.
QUERIES = {
    **dict.fromkeys(["/v1/unread", "/v1/threads", "/v1/drafts", "/v1/reminders", "/v1/channels/{type}/{id}/draft", "/v1/invitations", "/v1/mutes"], ["user_id=alice"]),
    "/v1/flags": ["channel=private:board"], "/v1/search": ["q=hush"],
}
TASKS = ("exports", "erasures", "imports")
NO_HOOKS = {"{" + name + "}": prefix + "_" + "0" * 26 for name, prefix in (("id", "whk"), ("delivery", "dlv"), ("replay", "rpl"))}
METHODS = ("get", "post", "put", "patch", "delete")


class House:
    """Two apps from files, two developers with an app each, and things of the first that nobody else may see."""

    def __init__(self, gateway: Sluice, acme: StaticApp, umbra: StaticApp):
        self.gateway, self.acme, self.umbra = gateway, acme, umbra
        self.owner = Account(gateway.url)
        self.app = self.owner.app("Owned")
        self.rival_owner = Account(gateway.url)
        self.rival_app = self.rival_owner.app("Rival")
        self.things, self.files, self.tasks, self.hooks = {}, {}, {}, {}
        for app in (acme, self.app):
            server = Client(gateway.url, app.secret)
            server.put("/v1/users/alice", {"name": "Alice"}, expect=200)
            if app is self.app:
                app.set_plugin("chat", enabled=True, config=acme.configuration()["plugins"]["chat"]["config"])
            server.post("/v1/channels", {"type": "private", "id": "board", "members": ["alice"]}, expect=201)
            path = "/v1/channels/private/board/messages"
            self.things[app.id] = server.post(path, {"text": "hush", "user_id": "alice", "poll": POLL}, expect=201).json()["id"]
            server.put("/v1/channels/private/board/draft", {"text": "well", "user_id": "alice"}, expect=200)
            self.files[app.id] = upload(server, png(), user_id="alice").json()["id"]
            hook = server.post("/v1/webhooks", BODIES["POST", "/v1/webhooks"], expect=201).json()["id"]
            self.hooks[app.id] = {"{id}": hook, "{delivery}": server.post(f"/v1/webhooks/{hook}/test", expect=202).json()["id"]}
            began = server.post(f"/v1/webhooks/{hook}/replay", BODIES["POST", "/v1/webhooks/{id}/replay"], expect=202)
            self.hooks[app.id]["{replay}"] = began.json()["id"]
            server.put("/v1/hook-sources/shop", {"kind": "github", "secret": "the shop's secret"}, expect=200)
            made = {kind: server.post(f"/v1/{kind}", BODIES["POST", f"/v1/{kind}"] | {"user_id": kind}, expect=202) for kind in TASKS[:2]}
            made["imports"] = server.post("/v1/imports", {"type": "channel", "channel": "private:board"}, expect=202)
            self.tasks[app.id] = {kind: answer.json()["id"] for kind, answer in made.items()}
            assert eventually(lambda: server.get(f"/v1/exports/{self.tasks[app.id]['exports']}", expect=200).json()["status"] == "done", 60)

    def state(self) -> str:
        """All that the first apps hold, as their own servers see it."""
        pages = []
        for app in (self.acme, self.app):
            server = Client(self.gateway.url, app.secret)
            for path in ("/v1/users", "/v1/channels", "/v1/channels/private/board",
                         "/v1/channels/private/board/messages", "/v1/history/chat:private:board", "/v1/webhooks", "/v1/hook-sources"):
                pages.append(server.get(path, expect=200).text)
            # URLs are signed anew.
            pages += [one["id"] for one in server.get("/v1/uploads", expect=200).json()["data"]]
        for path in (f"/v1/apps/{self.app.id}", f"/v1/apps/{self.app.id}/plugins", f"/v1/apps/{self.app.id}/members",
                     f"/v1/apps/{self.app.id}/invitations", f"/v1/apps/{self.app.id}/domains", f"/v1/apps/{self.app.id}/branding", f"/v1/apps/{self.app.id}/audit"):
            pages.append(self.owner.get(path, expect=200).text)
        keys = self.owner.get(f"/v1/apps/{self.app.id}/keys", expect=200).json()["data"]
        # When one was used last is told a while later.
        pages.append(json.dumps([{name: key[name] for name in key if name != "last_used_at"} for key in keys]))
        return "\n".join(pages)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    acme, umbra = StaticApp("acme"), StaticApp("umbra")
    configuration = with_plugins(tenants=[acme.configuration(), umbra.configuration()])
    with Sluice(tmp_path_factory.mktemp("house"), configuration, ["--loops", "2"]) as gateway:
        yield House(gateway, acme, umbra)
        assert gateway.is_running(), gateway.text()[-4000:]


def routes_of(document: dict):
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def is_public(document: dict, operation: dict) -> bool:
    security = operation.get("security", document.get("security", []))
    return security == [] or {} in security


def is_socket(operation: dict) -> bool:
    return "101" in operation.get("responses", {})


def is_stream(path: str, operation: dict) -> bool:
    return path.startswith("/connection/") and not is_socket(operation)


def filled(path: str, app: str, message: str, file: str) -> str:
    """The path of a thing that the first app has."""
    if path.startswith("/v1/messages/"):
        path = path.replace("{id}", message)
    if path.startswith("/v1/uploads/"):
        path = path.replace("{id}", file)
    if path.startswith("/v1/users/"):
        path = path.replace("{id}", "alice")
    values = {"app": app, "type": "private", "id": "board", "channel": "chat:private:board", "plugin": "chat",
              "key": "key_00000000000000000000000000", "account": "acc_00000000000000000000000000",
              "host": "a.customers.example", "invitation": "inv_00000000000000000000000000", "user": "mallory", "source": "shop"}
    for name, value in values.items():
        path = path.replace("{" + name + "}", value)
    assert "{" not in path, f"no value for {path}"
    return path


BODIES = {
    ("POST", "/v1/tokens"): {"user_id": "mallory"},
    ("PUT", "/v1/users/{id}"): {"name": "Mallory"},
    ("POST", "/v1/profiles"): {"ids": ["alice"]},
    ("POST", "/v1/users/{id}/revoke"): {},
    ("POST", "/v1/users/{id}/upgrade"): {},
    ("POST", "/v1/guests"): {},
    ("POST", "/v1/channels"): {"type": "messaging", "id": "mallory"},
    ("POST", "/v1/channels/{type}/{id}/members"): {"members": ["mallory"]},
    ("POST", "/v1/channels/{type}/{id}/messages"): {"text": "mallory", "user_id": "mallory"},
    ("POST", "/v1/channels/{type}/{id}/read"): {"message_id": "m1", "user_id": "mallory"},
    ("POST", "/v1/exports"): {"user_id": "alice"},
    ("POST", "/v1/erasures"): {"user_id": "alice"},
    ("POST", "/v1/imports"): {"type": "channel", "channel": "messaging:mallory"},
    ("POST", "/v1/sync"): {"user_id": "alice", "channels": [{"channel": "private:board", "offset": 0, "epoch": "mallory"}]},
    ("POST", "/v1/channels/{type}/{id}/typing"): {"user_id": "mallory"},
    ("PATCH", "/v1/messages/{id}"): {"text": "mallory"},
    ("PATCH", "/v1/channels/{type}/{id}"): {"data": {"by": "mallory"}},
    ("PATCH", "/v1/channels/{type}/{id}/members/{user}"): {"role": "owner"},
    ("PATCH", "/v1/channels/{type}/{id}/membership"): {"pinned": True, "user_id": "mallory"},
    ("POST", "/v1/channels/{type}/{id}/invitations"): {"members": ["mallory"]},
    ("POST", "/v1/channels/{type}/{id}/invitations/accept"): {"user_id": "mallory"},
    ("POST", "/v1/channels/{type}/{id}/invitations/reject"): {"user_id": "mallory"},
    ("PUT", "/v1/channels/{type}/{id}/bans/{user}"): {},
    ("PUT", "/v1/channels/{type}/{id}/draft"): {"text": "mallory", "user_id": "mallory"},
    ("PUT", "/v1/bans/{user}"): {},
    ("PUT", "/v1/mutes/{user}"): {"user_id": "alice"},
    ("POST", "/v1/messages/{id}/flag"): {"user_id": "mallory"},
    ("POST", "/v1/flags/{id}/resolve"): {"action": "dismiss"},
    ("PUT", "/v1/messages/{id}/pin"): None,
    ("PUT", "/v1/messages/{id}/reminder"): {"user_id": "mallory"},
    ("PUT", "/v1/messages/{id}/poll/votes"): {"option_ids": [1], "user_id": "mallory"},
    ("POST", "/v1/messages/{id}/poll/close"): None,
    ("POST", "/v1/messages/{id}/thread/read"): {"user_id": "mallory"},
    ("PUT", "/v1/messages/{id}/reactions/{type}"): {"user_id": "mallory"},
    ("POST", "/v1/apps"): {"name": "Mallory"},
    ("PATCH", "/v1/apps/{app}"): {"name": "Mallory"},
    ("POST", "/v1/apps/{app}/keys"): {"name": "mallory"},
    ("PUT", "/v1/apps/{app}/plugins/{plugin}"): {"enabled": False},
    ("POST", "/v1/apps/{app}/transfer"): {"account": "acc_mallory"},
    ("PATCH", "/v1/apps/{app}/members/{account}"): {"role": "viewer"},
    ("POST", "/v1/apps/{app}/invitations"): {"email": "mallory@example.test", "role": "admin"},
    ("PUT", "/v1/apps/{app}/domains/{host}"): {},
    ("POST", "/v1/apps/{app}/domains/{host}/verify"): None,
    ("PUT", "/v1/apps/{app}/branding"): {"name": "Mallory"},
    ("POST", "/v1/invitations/accept"): {"code": "mallory"},
    ("PATCH", "/v1/apps/{app}/keys/{key}"): {"name": "Mallory"},
    ("POST", "/v1/apps/{app}/keys/{key}/rotate"): {"grace_seconds": 0},
    ("POST", "/v1/apps/{app}/signing-secret/rotate"): {"grace_seconds": 0},
    ("PATCH", "/v1/me"): {"name": "Mallory"},
    ("DELETE", "/v1/me"): {"password": "mallory's password"},
    ("POST", "/v1/me/email"): {"email": "mallory@example.test", "password": "mallory's password"},
    ("POST", "/v1/me/email/confirm"): {"code": "0000-0000"},
    ("PUT", "/v1/me/password"): {"current": "mallory's password", "new": "mallory's other password"},
    ("POST", "/v1/me/totp"): {"password": "mallory's password"},
    ("POST", "/v1/me/totp/confirm"): {"code": "000000"},
    ("POST", "/v1/me/totp/disable"): {"password": "mallory's password"},
    ("POST", "/v1/accounts/import"): {
        "email": "mallory@example.test", "name": "Mallory",
        "password_hash": "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
    ("POST", "/v1/signing-keys/rotate"): {},
    ("POST", "/v1/publish"): {"channel": "mallory", "data": 1},
    ("POST", "/v1/broadcast"): {"channels": ["mallory"], "data": 1},
    ("POST", "/v1/disconnect"): {"user": "mallory"},
    ("POST", "/v1/uploads"): None,
    ("POST", "/v1/webhooks"): {"url": "https://192.0.2.1/", "events": ["mallory.*"]},
    ("PATCH", "/v1/webhooks/{id}"): {"url": "https://192.0.2.2/"},
    ("POST", "/v1/webhooks/{id}/rotate-secret"): {"grace_seconds": 0},
    ("POST", "/v1/webhooks/{id}/test"): None,
    ("POST", "/v1/webhooks/{id}/deliveries/{delivery}/retry"): None,
    ("POST", "/v1/webhooks/{id}/replay"): {"since": "2026-01-01T00:00:00Z"},
    ("POST", "/v1/hooks/{source}"): {"by": "mallory"},
    ("PUT", "/v1/hook-sources/{source}"): {"kind": "github", "secret": "mallory's secret"},
    ("POST", "/v1/webhooks/{id}/recover"): {"since": "2026-01-01T00:00:00Z"},
    ("POST", "/connection/sse"): {"id": 1, "connect": {}},
    ("POST", "/connection/http_stream"): {"id": 1, "connect": {}},
}


def status_of(house: House, method, pattern, operation, *, app, credential=None, host="127.0.0.1", named=None):
    kind = "".join(pattern.split("/")[2:3])
    if kind in house.tasks.get(app.id, {}):
        pattern = pattern.replace("{id}", house.tasks[app.id][kind])
    target = pattern
    for name, value in (house.hooks.get(app.id, NO_HOOKS) if kind == "webhooks" else {}).items():
        target = target.replace(name, value)
    path = filled(target, app.id, house.things.get(app.id, "msg_" + "0" * 26), house.files.get(app.id, "upl_" + "0" * 26))
    query = list(QUERIES.get(pattern, [])) if method == "GET" else []
    if pattern == "/v1/uploads" and method != "GET":
        query.append("user_id=alice")
    if is_socket(operation) or pattern == "/connection/uni_sse":
        query.append("channels=chat:private:board")
    if (method, pattern) == ("GET", "/connection/sse"):
        query.append(f"cf_connect={quote(json.dumps(BODIES['POST', pattern]))}")
    if named:
        query.append(f"app={named}")
    path += "?" + "&".join(query) if query else ""
    fields = [f"Authorization: Bearer {credential}"] if credential else []
    if is_socket(operation):
        return ask(house.gateway.port, handshake(path, *fields, host=host))
    body = b""
    if method in ("POST", "PUT", "PATCH") or (method, pattern) in BODIES:
        assert (method, pattern) in BODIES, f"a body for {method} {pattern} is missing in this test"
        if BODIES[method, pattern] is not None:
            body = json.dumps(BODIES[method, pattern]).encode()
            fields.append("Content-Type: application/json")
    # A stream has no end: its head says whether it has begun.
    data = get(path, *fields, method=method, host=host, body=body)
    return ask(house.gateway.port, data, to_head=is_stream(pattern, operation))


def swapped(house: House):
    """Name of each wrong way in, and how a request to an app's route takes it."""
    acme, umbra = house.acme, house.umbra
    anybody, user, key = None, umbra.token("alice"), umbra.secret
    return {
        "no credential": dict(app=acme, credential=anybody, named=acme.id),
        "no credential on its own host": dict(app=acme, credential=anybody, host=acme.host),
        "another app's key with ?app=": dict(app=acme, credential=key, named=acme.id),
        "another app's key on its host": dict(app=acme, credential=key, host=acme.host),
        "another app's user token with ?app=": dict(app=acme, credential=user, named=acme.id),
        "another app's user token on its host": dict(app=acme, credential=user, host=acme.host),
        "its own key and a swapped ?app=": dict(app=acme, credential=acme.secret, named=umbra.id),
        "its own key and a swapped Host": dict(app=acme, credential=acme.secret, host=umbra.host),
        "its own user and a swapped ?app=": dict(app=acme, credential=acme.token("alice"), named=umbra.id),
        "its own user and a swapped Host": dict(app=acme, credential=acme.token("alice"), host=umbra.host),
        "its Host and a swapped ?app=": dict(app=acme, host=acme.host, named=umbra.id),
        "a token signed by another app in its name":
            dict(app=acme, credential=mint(umbra.signing_secret, acme.id, "alice")),
        "an account's token with ?app=": dict(app=acme, credential=house.owner.made["access_token"], named=acme.id),
        "an account's token on its host": dict(app=acme, credential=house.owner.made["access_token"], host=acme.host),
    }


def test_every_route_of_an_app_refuses_every_credential_that_is_not_the_apps(house):
    document = requests.get(f"{house.gateway.url}/openapi.json", params={"app": "acme"}, timeout=5).json()
    routes = [route for route in routes_of(document) if not is_public(document, route[2])]
    assert len(routes) >= 12 and any(is_socket(route[2]) for route in routes)
    before, wrong = house.state(), []
    for method, pattern, operation in routes:
        for way, options in swapped(house).items():
            answer = status_of(house, method, pattern, operation, **options)
            # Its credential may come in the first message, so it is opened, and whoever shows none that is good is sent away
            # over the socket: test_first_message.py, test_plain.py.
            if answer.status == 101 and pattern in ("/connection/websocket", "/connection/uni_websocket", "/ws"):
                continue
            if answer.status not in (401, 404):
                wrong.append(f"{method} {pattern} with {way}: {answer.status} {answer.body[:200]!r}")
    assert not wrong, "\n".join(wrong)
    assert house.state() == before


NOBODY = ({"data": [], "next": None}, {"num_clients": 0, "num_users": 0})


def test_every_reading_route_hides_what_another_app_has_under_the_same_address(house):
    document = requests.get(f"{house.gateway.url}/openapi.json", params={"app": "acme"}, timeout=5).json()
    umbra, wrong = house.umbra, []
    for method, pattern, operation in routes_of(document):
        if is_public(document, operation) or "{" not in pattern or method != "GET":
            continue
        for way, credential in {"key": umbra.secret, "user": umbra.token("alice")}.items():
            answer = status_of(house, method, pattern, operation, app=house.acme, credential=credential)
            # A user's token is not for every route, and that is said of the route before anything is looked up; nor may
            # a user read every channel of his own app, whether anybody has made it or not.
            allowed = (403, 404) if way == "user" and pattern.split("/")[2] in ("users", "history", "webhooks", "hook-sources", *TASKS) else (404,)
            # Who listens to a channel is no user's to ask here; a key may ask of any channel name, and to one that nobody has made nobody does.
            if pattern.startswith("/v1/presence") and (
                    answer.status == 403 and way == "user" or answer.status == 200 and answer.json() in NOBODY):
                continue
            # A key may read the history of any channel name, and of one that nobody has made it is empty.
            if answer.status == 200 and pattern.startswith("/v1/history/") and answer.json()["data"] == []:
                continue
            if answer.status not in allowed:
                wrong.append(f"{method} {pattern} with another app's {way}: {answer.status} {answer.body[:200]!r}")
    assert not wrong, "\n".join(wrong)


def test_every_route_of_the_platform_refuses_everybody_but_the_account_that_owns_the_thing(house):
    document = requests.get(f"{house.gateway.url}/openapi.json", params={"app": "platform"}, timeout=5).json()
    routes = [route for route in routes_of(document) if not is_public(document, route[2])]
    assert len(routes) >= 12
    app, rival = house.app, house.rival_app
    ways = {
        "no credential": dict(),
        "its own app's key": dict(credential=app.secret),
        "its own app's user token": dict(credential=app.token("alice")),
        "another app's key": dict(credential=rival.secret),
        "another app's user token": dict(credential=rival.token("alice")),
        "its own account and a swapped ?app=": dict(credential=house.owner.made["access_token"], named=rival.id),
        "its own account and ?app= of its own app": dict(credential=house.owner.made["access_token"], named=app.id),
        "its own account on an app's Host": dict(credential=house.owner.made["access_token"], host=house.acme.host),
        "a forged account token": dict(credential=house.owner.made["access_token"][:-6] + "AAAAAA"),
    }
    another = {"another account": dict(credential=house.rival_owner.made["access_token"])}
    before, wrong = house.state(), []
    for method, pattern, operation in routes:
        for way, options in {**ways, **(another if "{app}" in pattern else {})}.items():
            answer = status_of(house, method, pattern, operation, app=app, **options)
            if answer.status not in (401, 404):
                wrong.append(f"{method} {pattern} with {way}: {answer.status} {answer.body[:200]!r}")
    assert not wrong, "\n".join(wrong)
    assert house.state() == before


def test_the_table_above_would_notice_a_way_in(house):
    """The right credential is let in by the same requests, so a refusal there is not for another reason."""
    document = requests.get(f"{house.gateway.url}/openapi.json", params={"app": "acme"}, timeout=5).json()
    acme, wrong = house.acme, []
    for method, pattern, operation in routes_of(document):
        if is_public(document, operation) or method == "DELETE" or method not in ("GET",):
            continue
        for credential in (acme.secret, acme.token("alice")):
            named, host = acme.id, acme.host
            answers = [
                status_of(house, method, pattern, operation, app=acme, credential=credential),
                status_of(house, method, pattern, operation, app=acme, credential=credential, named=named),
                status_of(house, method, pattern, operation, app=acme, credential=credential, host=host),
            ]
            wrong += [f"{method} {pattern}: {a.status}" for a in answers if a.status not in (101, 200, 403)]
            # Who listens to a channel of chat is told to nobody.
            if pattern.startswith("/v1/presence"):
                continue
            for_users = is_socket(operation) or is_stream(pattern, operation)
            if not any(a.status in (101, 200) for a in answers) and credential == acme.secret and not for_users:
                wrong.append(f"{method} {pattern}: nobody is let in")
    assert not wrong, "\n".join(wrong)


def test_the_host_name_alone_leads_to_its_app(house):
    token = house.acme.token("alice")
    answer = ask(house.gateway.port, get("/v1/channels/private/board", f"Authorization: Bearer {token}",
                                         host=house.acme.host.upper() + ":8080"))
    assert answer.status == 200
    missing = ask(house.gateway.port, get("/v1/channels", host=house.acme.host))
    assert missing.status == 401 and missing["www-authenticate"].startswith("Bearer")
    elsewhere = ask(house.gateway.port, get("/v1/channels", host="unknown.test"))
    assert elsewhere.status == 401


def test_an_issuer_written_into_a_token_of_another_kind_opens_nothing(house):
    """A token is verified by the tenant it claims, with that tenant's algorithm and no other."""
    claims = base64.urlsafe_b64encode(json.dumps({"iss": "acme", "sub": "alice", "exp": 4102444800}).encode())
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}')
    bare = (head.rstrip(b"=") + b"." + claims.rstrip(b"=") + b".").decode()
    for token in (bare, mint("", "acme", "alice"), mint("acme", "platform", house.owner.id)):
        for path in ("/v1/channels", "/v1/me"):
            assert ask(house.gateway.port, get(path, f"Authorization: Bearer {token}")).status in (401, 404)


def test_a_token_in_the_query_opens_the_sockets_that_say_so_and_nothing_else(sluice, probe_folder):
    acme, umbra = StaticApp("acme"), StaticApp("umbra")
    tenants = [acme.configuration(), umbra.configuration()]
    for tenant in tenants:
        tenant["plugins"]["probe"] = {}
    gateway = sluice(with_plugins(probe_folder, tenants=tenants), ["--loops", 1])
    token = acme.token("alice")

    def status(path, *fields):
        return ask(gateway.port, handshake(path, *fields, host="127.0.0.1")).status

    assert status(f"/probe/browsers?token={token}") == 101
    assert status(f"/connection/uni_websocket?channels=chat:messaging:x&token={token}") == 101
    assert status(f"/probe/members?token={token}") == 401
    assert status("/probe/members?app=acme", f"Authorization: Bearer {token}") == 101
    assert status("/probe/members?app=acme", f"Authorization: Bearer {token}", f"Sec-WebSocket-Protocol: bearer.{token}") == 101
    bob = acme.token("bob")
    # Where a token in the query is none, it contradicts nothing; another one among the subprotocols does.
    assert status(f"/probe/members?token={bob}", f"Authorization: Bearer {token}") == 101
    assert status("/probe/members", f"Authorization: Bearer {token}", f"Sec-WebSocket-Protocol: bearer.{bob}") == 401
    assert status(f"/probe/browsers?token={bob}", f"Authorization: Bearer {token}") == 401
    # What the query says of a token never vouches for another one.
    stranger = umbra.token("alice")[:-4] + "AAAA"
    assert status(f"/probe/members?token={token}", f"Sec-WebSocket-Protocol: bearer.{stranger}") == 401
    assert status(f"/v1/channels?token={token}") == 401
    assert ask(gateway.port, get(f"/v1/channels?app=acme&token={token}")).status == 401
