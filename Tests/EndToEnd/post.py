"""Where mail arrives: a real SMTP server (PyPI's aiosmtpd) in this process, and the outbox of a gateway."""

import email
import email.policy
import re
import ssl
import threading
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from program import eventually, free_port
from workshop import with_plugins


class PostOffice:
    """An SMTP server that keeps what it takes. `answers` are given to messages first, one each: 250 takes it."""

    def __init__(self, answers=(), certificate=None, from_first_byte=False, login: tuple[str, str] | None = None, port=None):
        self.answers = list(answers)
        self.taken: list[tuple[str, list[str], bytes]] = []
        self.attempts = 0
        self.encrypted: list[bool] = []
        self.lock = threading.Lock()
        self.port = port or free_port()
        self.login = login
        context = None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.chain, certificate.key)
        office = self

        class Desk(Controller):
            def factory(self):
                options = {"require_starttls": True, "tls_context": context} if context and not from_first_byte else {}
                if login:
                    options |= {"authenticator": office.check, "auth_required": True,
                                "auth_require_tls": not from_first_byte}
                return SMTP(self.handler, hostname="post.example", **options)

        self.desk = Desk(self, hostname="127.0.0.1", port=self.port, ssl_context=context if from_first_byte else None)

    def check(self, server, session, envelope, mechanism, data):
        # Not handled: the server is to answer 535 by itself.
        return AuthResult(success=(data.login.decode(), data.password.decode()) == self.login, handled=False)

    async def handle_DATA(self, server, session, envelope):
        with self.lock:
            self.attempts += 1
            answer = self.answers.pop(0) if self.answers else 250
            self.encrypted.append(server.transport.get_extra_info("sslcontext") is not None)
            if answer == 250:
                self.taken.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
        return {250: "250 taken", 451: "451 come back later", 550: "550 not here"}[answer]

    def __enter__(self):
        self.desk.start()
        return self

    def __exit__(self, *_):
        self.desk.stop()

    def messages(self, count=1, patience=20):
        """So many messages, read as a mail program reads them."""
        eventually(lambda: len(self.taken) >= count, patience)
        assert len(self.taken) >= count, f"{len(self.taken)} of {count} messages have come after {self.attempts} attempts"
        return [read(content) for _, _, content in self.taken]


def read(content: bytes):
    return email.message_from_bytes(content, policy=email.policy.default)


def code_in(message) -> str:
    return re.search(r"\b[0-9a-z]{4}-[0-9a-z]{4}\b", message.get_body(("plain",)).get_content()).group()


class Outbox:
    """The folder of the file driver, of a gateway's platform or of an app."""

    def __init__(self, gateway, tenant="platform"):
        self.folder = Path(gateway.data) / "files" / tenant / "mailer/outbox"

    def messages(self, to: str, subject="", patience=20):
        """What has come for an address; at least one, or none after all patience."""
        def look():
            found = [read(path.read_bytes()) for path in sorted(self.folder.glob("*.eml"))]
            return [message for message in found if message["To"].addresses[0].addr_spec == to and subject in message["Subject"]]
        return eventually(look, patience)

    def code(self, to: str, subject: str) -> str:
        messages = self.messages(to, subject)
        assert messages, f"no message to {to} about {subject}: {sorted(self.folder.glob('*'))}"
        return code_in(messages[-1])

    def verified(self, account):
        """The account, once it has shown that it reads its mail."""
        code = self.code(account.email, "confirm")
        account.post("/v1/accounts/verify", {"email": account.email, "code": code}, expect=204)
        return account


# A run of tests signs up more often from one address than an operator would have anybody do.
CROWD = {"sign_up_burst": 1_000_000, "sign_ups_per_hour": 1_000_000, "password_jobs_per_network": 64,
         "code_request_burst": 1_000_000, "code_requests_per_hour": 1_000_000}


def posting(mailer: dict, auth: dict | None = None) -> dict:
    """A configuration whose platform has these settings."""
    plugins = {"auth": {"config": auth or {}}, "control": {}, "mailer": {"config": mailer}}
    return with_plugins(tenants=[{"id": "platform", "plugins": plugins}])


def by_smtp(office: PostOffice, **more) -> dict:
    return {"driver": "smtp", "smtp_host": "127.0.0.1", "smtp_port": office.port, "smtp_security": "none",
            "from_address": "no-reply@shop.example", "product_name": "Büro & Söhne", "retry_seconds": 1, **more}
