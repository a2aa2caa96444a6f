"""The program with a listener that speaks TLS beside the plain one, and clients for it."""

import json
import shutil
import ssl
import subprocess
from pathlib import Path

from authority import Authority, Certificate
from program import Sluice, free_port
from wire import Closed, Wire
from workshop import conformance_configuration


class SecureSluice(Sluice):
    """`secure_port` speaks TLS as `tls` says."""

    def __init__(self, folder: Path, tls: dict, arguments=(), configuration: dict | None = None, **limits):
        if configuration:
            super().__init__(folder, configuration, arguments, limits=limits)
        else:
            super().__init__(folder, conformance_configuration(**limits), arguments)
        self.secure_port = free_port()
        configuration = json.loads(self.configuration.read_text())
        configuration["listeners"].append({"address": f"127.0.0.1:{self.secure_port}", "tls": tls})
        self.configuration.write_text(json.dumps(configuration, indent=2))

    def command(self) -> list[str]:
        """Without --listen, which would stand over the configuration's listeners."""
        words = super().command()
        place = words.index("--listen")
        return words[:place] + words[place + 2:]

    @property
    def secure_url(self) -> str:
        return f"https://localhost:{self.secure_port}"

    def failures(self, reason: str) -> float:
        return self.metric("sluice_tls_handshake_failures_total", f'{{reason="{reason}"}}')

    def log_lines(self, words: str) -> list[dict]:
        return [line for line in self.lines() if words in line.get("message", "")]


def trust(authority: Authority | Path, certificate: Certificate | None = None, **options) -> ssl.SSLContext:
    """A client's context that trusts one authority, and shows a certificate if it has one."""
    root = authority.certificate if isinstance(authority, Authority) else authority
    context = ssl.create_default_context(cafile=str(root))
    if certificate:
        context.load_cert_chain(str(certificate.chain), str(certificate.key))
    for name, value in options.items():
        setattr(context, name, value)
    return context


class SecureWire(Wire):
    """A TLS connection whose every byte goes through our hands. Its end without a close_notify is an `ssl.SSLEOFError`."""

    def __init__(self, gateway: SecureSluice, context: ssl.SSLContext, host="localhost", session=None,
                 step: int | None = None, **options):
        self.step = step
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host, session=session)
        super().__init__(gateway.secure_port, **options)
        try:
            self._do(self.tls.do_handshake)
        except BaseException:
            self.socket.close()
            raise

    def _flush(self):
        data = self._outgoing.read()
        size = self.step or max(len(data), 1)
        for start in range(0, len(data), size):
            self.socket.sendall(data[start:start + size])

    def _do(self, operation):
        while True:
            try:
                return operation()
            except ssl.SSLWantReadError:
                self._flush()
                try:
                    data = self.socket.recv(65536)
                except ConnectionResetError:
                    data = b""
                self._incoming.write(data) if data else self._incoming.write_eof()
            finally:
                self._flush()

    def _more(self) -> bytes:
        try:
            data = self._do(lambda: self.tls.read(65536))
        except ssl.SSLZeroReturnError:
            data = b""
        if not data:
            raise Closed(f"closed after {self.held[:200]!r}")
        return data

    def send(self, data: bytes) -> "SecureWire":
        self._do(lambda: self.tls.write(data))
        return self

    def finish(self) -> "SecureWire":
        """Says that nothing more comes (close_notify), and goes on reading."""
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            self._flush()
        return self

    def subject(self) -> str:
        """The common name of the certificate that was shown."""
        return dict(pair for names in self.tls.getpeercert()["subject"] for pair in names)["commonName"]


def s_client(gateway: SecureSluice, *arguments, text="") -> str:
    """What `openssl s_client` prints, whether it succeeds or not."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.secure_port}", *map(str, arguments)], input=text,
        capture_output=True, text=True, timeout=30, errors="replace",
    )
    return done.stdout + done.stderr


def install(certificate: Certificate, folder: Path) -> dict:
    """Copies a certificate to fixed names, over what is there, the key first; its configuration."""
    folder.mkdir(exist_ok=True)
    names = {"certificate": folder / "server.crt", "key": folder / "server.key"}
    for source, target in ((certificate.key, names["key"]), (certificate.chain, names["certificate"])):
        draft = target.with_suffix(".draft")
        shutil.copy(source, draft)
        draft.rename(target)
    return {name: str(path) for name, path in names.items()}
