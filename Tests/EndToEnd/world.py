"""What there is to ask about on a gateway: an account, an app with users, keys, channels and messages; and for every
operation of `/openapi.json` one request that succeeds."""

import itertools
import json
import re
import uuid

import pyotp

from ask import Ask
from client import Account, App, Client
from post import Outbox
from program import Sluice, eventually
from sanitizer import SLOWNESS
from world_chat import ChatAsks
from world_uploads import UploadAsks
from world_webhooks import WebhookAsks

# Whose address the operator has named: the gateway's configuration says so too.
OPERATOR = "root@example.test"
# The names that the operator lets apps have.
DOMAINS = "*.customers.test"


class World(ChatAsks, UploadAsks, WebhookAsks):
    """Things that requests speak of. What a request takes away is made for it alone."""

    def __init__(self, gateway: Sluice):
        url = gateway.url
        self.gateway, self.url = gateway, url
        self.outbox = Outbox(gateway)
        self.nobody = Client(url)
        self.owner = self.outbox.verified(Account(url))
        # Of whom what is taken away is missed by nobody.
        self.victim = Account(url)
        self.app = self.new_app(self.owner)
        self.user = self.app.user("alice")
        self.guest = Client(url, self.app.key)
        self.app.server.put("/v1/users/alice", {"name": "Alice"}, expect=200)
        self.app.server.post("/v1/channels", {"type": "messaging", "id": "general", "members": ["alice", "bob"]}, expect=201)
        self.message = self.new_message()
        self.file = self.new_file()
        self.endpoint, self.source = self.new_endpoint(), self.new_source("shop")
        self.delivery, self.replay = self.new_delivery(), self.new_replay()
        self.numbers = itertools.count()

    def new_app(self, owner: Account) -> App:
        app = owner.app("World")
        app.set_plugin("auth", enabled=True, config={"allow_guests": True, "guests_per_address": 100_000})
        return app

    def new_message(self) -> str:
        sent = self.app.server.post(
            "/v1/channels/messaging/general/messages", {"text": "hello", "user_id": "alice"}, expect=201)
        return sent.json()["id"]

    def new_user(self) -> str:
        user = f"user-{next(self.numbers)}"
        self.app.server.put(f"/v1/users/{user}", {}, expect=200)
        return user

    def new_guest(self) -> str:
        return self.guest.post("/v1/guests", {}, expect=201).json()["user"]["id"]

    def new_key(self) -> str:
        return self.owner.post(f"/v1/apps/{self.app.id}/keys", {"name": "made to go"}, expect=201).json()["id"]

    def new_member(self, role="viewer") -> Account:
        member = Account(self.url)
        self.owner.post(f"/v1/apps/{self.app.id}/invitations", {"email": member.email, "role": role}, expect=201)
        member.post("/v1/invitations/accept", {"code": self.invitation(member)}, expect=200)
        return member

    def operator(self) -> Client:
        """An account whose verified address the operator has named."""
        if not hasattr(self, "root"):
            made = {"email": OPERATOR, "password": Account.password, "name": "Root"}
            token = self.nobody.post("/v1/accounts", made, expect=201).json()["access_token"]
            self.nobody.post(
                "/v1/accounts/verify",
                {"email": OPERATOR, "code": self.outbox.code(OPERATOR, "confirm"), "password": Account.password}, expect=204)
            self.root = Client(self.url, token)
        return self.root

    def invitation(self, account: Account) -> str:
        """The code in the letter that invites an account."""
        def look():
            letters = [str(letter.get_body(("plain",)).get_content()) for letter in self.outbox.messages(account.email)]
            return next((found[0] for text in letters if (found := re.search(r"ic_[0-9A-Za-z]{49}", text))), None)

        code = eventually(look, 20)
        assert code, f"no invitation to {account.email}"
        return code

    def new_domain(self) -> str:
        host = f"d{next(self.numbers)}.customers.test"
        self.owner.put(f"/v1/apps/{self.app.id}/domains/{host}", {}, expect=200)
        return host

    def email(self) -> str:
        return f"dev-{uuid.uuid4().hex[:12]}@example.test"

    def known(self, path: str, name: str) -> str | None:
        """What there is by the name of a parameter of a path, for requests that take nothing away."""
        if name == "app":
            return self.app.id
        if name == "plugin":
            return "chat"
        if name == "channel":
            return "chat:messaging:general"
        if path.startswith("/v1/users/"):
            return "alice"
        if path.startswith("/v1/messages/"):
            return {"id": self.message, "type": "like"}.get(name)
        if path.startswith("/v1/uploads/"):
            return self.file["id"]
        if name == "source":
            return self.source
        if path.startswith("/v1/webhooks/"):
            return {"id": self.endpoint, "delivery": self.delivery, "replay": self.replay}.get(name)
        if path.startswith("/v1/channels/"):
            return {"type": "messaging", "id": "general"}.get(name)
        return None

    def ask(self, operation: str) -> Ask | None:
        """The request that makes an operation succeed; nil when nobody has said how."""
        make = getattr(self, f"_{operation}", None)
        return make() if make else None

    # Operations that need more than what is known and what their schema says.

    def _createAccount(self):
        return Ask(self.nobody, body={"email": self.email(), "password": Account.password, "name": "New"})

    def _createSession(self):
        return Ask(self.nobody, body={"email": self.owner.email, "password": Account.password})

    def _refreshSession(self):
        return Ask(self.nobody, body={"refresh_token": Account(self.url).made["refresh_token"]})

    def _endSession(self):
        return Ask(Account(self.url))

    def _verifyEmail(self):
        account = Account(self.url)
        return Ask(account, body={"email": account.email, "code": self.outbox.code(account.email, "confirm")})

    def _resendVerification(self):
        return Ask(self.nobody, body={"email": Account(self.url).email})

    def _forgetPassword(self):
        return Ask(self.nobody, body={"email": Account(self.url).email})

    def _resetPassword(self):
        account = Account(self.url)
        self.nobody.post("/v1/passwords/forgot", {"email": account.email}, expect=202)
        code = self.outbox.code(account.email, "new password")
        return Ask(self.nobody, body={"email": account.email, "code": code, "password": "a much better one"})

    def _importAccount(self):
        # "U*U", a hash that crypt_blowfish and every other implementation know.
        bcrypt = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
        return Ask(self.operator(), body={"email": self.email(), "name": "Old", "password_hash": bcrypt})

    def _rotateSigningKeys(self):
        return Ask(self.operator())

    def _revokeSession(self):
        account = Account(self.url)
        self.nobody.post("/v1/sessions", {"email": account.email, "password": account.password}, expect=201)
        other = next(each for each in account.get("/v1/sessions").json()["data"] if not each["current"])
        return Ask(account, path={"id": other["id"]})

    def _revokeOtherSessions(self):
        return Ask(Account(self.url))

    def _changePassword(self):
        account = Account(self.url)
        return Ask(account, body={"current": account.password, "new": "a much better one"})

    def _requestEmailChange(self):
        account = Account(self.url)
        return Ask(account, body={"email": self.email(), "password": account.password})

    def _confirmEmailChange(self):
        account, email = Account(self.url), self.email()
        account.post("/v1/me/email", {"email": email, "password": account.password}, expect=202)
        return Ask(account, body={"code": self.outbox.code(email, "new e-mail address")})

    def _deleteMe(self):
        account = Account(self.url)
        return Ask(account, body={"password": account.password})

    def _enrolTotp(self):
        account = Account(self.url)
        return Ask(account, body={"password": account.password})

    def _confirmTotp(self):
        account = Account(self.url)
        enrolment = account.post("/v1/me/totp", {"password": account.password}, expect=201).json()
        return Ask(account, body={"code": pyotp.parse_uri(enrolment["otpauth_url"]).now()})

    def _disableTotp(self):
        account = Account(self.url)
        return Ask(account, body={"password": account.password})

    def _transferApp(self):
        owner = self.outbox.verified(Account(self.url))
        app = owner.app("Passed on")
        heir = Account(self.url)
        owner.post(f"/v1/apps/{app.id}/invitations", {"email": heir.email, "role": "admin"}, expect=201)
        heir.post("/v1/invitations/accept", {"code": self.invitation(heir)}, expect=200)
        return Ask(owner, path={"app": app.id}, body={"account": heir.id})

    def _changeMember(self):
        return Ask(path={"app": self.app.id, "account": self.new_member().id}, body={"role": "developer"})

    def _removeMember(self):
        return Ask(self.owner, path={"app": self.app.id, "account": self.new_member().id})

    def _createInvitation(self):
        return Ask(body={"email": self.email(), "role": "viewer"})

    def _deleteInvitation(self):
        made = self.owner.post(
            f"/v1/apps/{self.app.id}/invitations", {"email": self.email(), "role": "viewer"}, expect=201).json()
        return Ask(self.owner, path={"app": self.app.id, "invitation": made["id"]})

    def _acceptInvitation(self):
        member = Account(self.url)
        self.owner.post(f"/v1/apps/{self.app.id}/invitations", {"email": member.email, "role": "viewer"}, expect=201)
        return Ask(member, body={"code": self.invitation(member)})

    def _putDomain(self):
        return Ask(path={"app": self.app.id, "host": f"d{next(self.numbers)}.customers.test"}, body={})

    def _readDomain(self):
        return Ask(path={"app": self.app.id, "host": self.new_domain()})

    def _verifyDomain(self):
        return Ask(path={"app": self.app.id, "host": self.new_domain()})

    def _deleteDomain(self):
        return Ask(self.owner, path={"app": self.app.id, "host": self.new_domain()})

    def _readPublicBranding(self):
        self.owner.put(f"/v1/apps/{self.app.id}/branding", {"name": "World"}, expect=200)
        return Ask(self.nobody, query={"app": self.app.id})

    def _putBranding(self):
        return Ask(body={"name": "World"})

    def _readKey(self):
        return Ask(path={"app": self.app.id, "key": self.new_key()})

    def _readAppPlugin(self):
        return Ask(path={"app": self.app.id, "plugin": "chat"})

    def _changeKey(self):
        return Ask(path={"app": self.app.id, "key": self.new_key()}, body={"name": "Renamed"})

    def _rotateKey(self):
        return Ask(path={"app": self.app.id, "key": self.new_key()}, body={"grace_seconds": 0})

    def _rotateSigningSecret(self):
        owner = Account(self.url)
        return Ask(owner, path={"app": owner.app("Turned").id}, body={"grace_seconds": 60})

    def _changeMe(self):
        return Ask(body={"name": "Changed"})

    def _createToken(self):
        return Ask(body={"user_id": "alice", "expires_in": 60, "claims": {"team": 7}})

    def _putUser(self):
        return Ask(path={"id": self.new_user()}, body={"name": "Somebody", "custom": {"n": 1}})

    def _readProfiles(self):
        return Ask(self.user, body={"ids": ["alice", "nobody"]})

    def _deleteUser(self):
        return Ask(path={"id": self.new_user()})

    def _revokeUser(self):
        return Ask(path={"id": self.new_user()})

    def _upgradeUser(self):
        return Ask(path={"id": self.new_guest()}, body={"name": "Here to stay"})

    def _createGuest(self):
        return Ask(body={"name": "Guest"})

    def _createApp(self):
        return Ask(Account(self.url), body={"name": "Another"})

    def _changeApp(self):
        return Ask(body={"name": "World"})

    def _deleteApp(self):
        account = Account(self.url)
        return Ask(account, path={"app": account.app("Gone").id})

    def _createKey(self):
        return Ask(body={"name": "A key", "scopes": ["users.read"]})

    def _deleteKey(self):
        return Ask(self.owner, path={"app": self.app.id, "key": self.new_key()})

    def _setAppPlugin(self):
        return Ask(path={"app": self.app.id, "plugin": "chat"}, body={"enabled": True})

    def _sse(self):
        return Ask(query={"cf_connect": '{"id":1,"connect":{}}'})

    def _sseByPost(self):
        return Ask(body={"id": 1, "connect": {}})

    def _httpStream(self):
        return Ask(body={"id": 1, "connect": {}})

    def _emulation(self):
        self.stream = self.user.session.post(
            f"{self.url}/connection/http_stream", json={"id": 1, "connect": {}}, stream=True, timeout=15 * SLOWNESS)
        connected = json.loads(next(self.stream.iter_lines()))["connect"]
        return Ask(self.nobody, body={
            "session": connected["session"], "node": connected["node"], "data": '{"id":2,"presence":{"channel":"x"}}'})

    def _uniSse(self):
        return Ask(query={"channels": "chat:messaging:general"})

    def _publish(self):
        return Ask(body={"channel": "news", "data": {"n": 1}})

    def _readPresence(self):
        return Ask(path={"channel": "news"})

    def _readPresenceStats(self):
        return Ask(path={"channel": "news"})

    def _broadcast(self):
        return Ask(body={"channels": ["news"], "data": {"n": 1}})

    def _disconnect(self):
        return Ask(body={"user": "nobody"})
