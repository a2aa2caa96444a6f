"""The clients of a tour: a developer's account, an app's server, a user's socket."""

import base64
import contextlib
import hashlib
import hmac
import json
import time
import uuid

import requests
from websockets.sync.client import connect

from sanitizer import SLOWNESS


def encode(data: bytes | dict) -> str:
    data = json.dumps(data, separators=(",", ":")).encode() if isinstance(data, dict) else data
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def mint(secret: str, app: str, user: str, lifetime=3600, algorithm="HS256", **claims) -> str:
    """A user's token, made as an app's own server would make it."""
    now = int(time.time())
    claims = {"iss": app, "sub": user, "iat": now, "exp": now + lifetime, **claims}
    claims = {name: value for name, value in claims.items() if value is not None}
    head = encode({"alg": algorithm, "typ": "JWT"}) + "." + encode(claims)
    return head + "." + encode(hmac.new(secret.encode(), head.encode(), hashlib.sha256).digest())


class Client:
    """Plain REST with one credential, which may be none."""

    def __init__(self, url: str, credential: str | None = None):
        self.url = url
        self.session = requests.Session()
        if credential:
            self.session.headers["Authorization"] = f"Bearer {credential}"

    def call(self, method: str, path: str, body=None, expect: int | None = None, **options) -> requests.Response:
        if body is not None:
            options["json"] = body
        answer = self.session.request(method, self.url + path, timeout=60 * SLOWNESS, **options)
        if expect is not None:
            assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    def get(self, path, **options):
        return self.call("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.call("POST", path, body, **options)

    def put(self, path, body=None, **options):
        return self.call("PUT", path, body, **options)


class App:
    """An app with its first key, made through the control plane."""

    def __init__(self, owner: "Account", name: str):
        made = owner.post("/v1/apps", {"name": name}, expect=201).json()
        self.owner = owner
        self.id = made["id"]
        self.signing_secret = made["signing_secret"]
        self.key = made["keys"][0]["key"]
        self.secret = made["keys"][0]["secret"]
        self.server = Client(owner.url, self.secret)

    def token(self, user: str) -> str:
        return self.server.post("/v1/tokens", {"user_id": user}, expect=201).json()["token"]

    def user(self, user: str) -> Client:
        return Client(self.owner.url, self.token(user))

    def set_plugin(self, plugin: str, expect: int | None = 200, **body) -> requests.Response:
        return self.owner.put(f"/v1/apps/{self.id}/plugins/{plugin}", body, expect=expect)


class Account(Client):
    """A developer who has signed up."""

    password = "correct horse battery"

    def __init__(self, url: str):
        self.email = f"dev-{uuid.uuid4().hex[:12]}@example.test"
        made = Client(url).post(
            "/v1/accounts", {"email": self.email, "password": self.password, "name": "Dev"}, expect=201
        ).json()
        self.id = made["account"]["id"]
        self.made = made
        self.since = time.monotonic()
        super().__init__(url, made["access_token"])

    def call(self, method: str, path: str, body=None, expect: int | None = None, **options) -> requests.Response:
        # A token lives for a quarter of an hour, and tests that share an account may take longer.
        if time.monotonic() - self.since > 600:
            again = Client(self.url).post("/v1/sessions", {"email": self.email, "password": self.password}, expect=201)
            self.session.headers["Authorization"] = f"Bearer {again.json()['access_token']}"
            self.since = time.monotonic()
        return super().call(method, path, body, expect, **options)

    def app(self, name="Shop") -> App:
        return App(self, name)


@contextlib.contextmanager
def listen(url: str, *channels: str, token: str | None = None):
    """A unidirectional socket on these channels, past its first message; that is in `.connected`."""
    names = ",".join(channels).replace("#", "%23")
    headers = {"Authorization": f"Bearer {token}"} if token else None
    target = url.replace("http://", "ws://") + f"/connection/uni_websocket?channels={names}"
    with connect(target, additional_headers=headers, open_timeout=10 * SLOWNESS, close_timeout=5 * SLOWNESS, proxy=None) as listener:
        listener.connected = json.loads(listener.recv(10))
        assert listener.connected["type"] == "connected", listener.connected
        yield listener
