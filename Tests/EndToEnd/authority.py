"""A private certificate authority, made by the `openssl` command in a folder of a test."""

import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path


def openssl(*arguments, text: str | None = None) -> str:
    done = subprocess.run(["openssl", *map(str, arguments)], input=text, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"openssl {' '.join(map(str, arguments))}: {done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Certificate:
    """Paths of PEM files; `chain` is the certificate and its authority's."""

    name: str
    certificate: Path
    chain: Path
    key: Path

    def configuration(self, **more) -> dict:
        return {"certificate": str(self.chain), "key": str(self.key), **more}


class Authority:
    """A root that signs certificates for servers and for clients."""

    def __init__(self, folder: Path, name="Test Authority"):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.certificate = folder / "authority.crt"
        self.key = folder / "authority.key"
        self._numbers = iter(range(100, 10_000))
        self._make_key(self.key)
        openssl(
            "req", "-x509", "-new", "-key", self.key, "-subj", f"/CN={name}", "-days", 3650, "-out", self.certificate,
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature",
        )

    @staticmethod
    def _make_key(path: Path):
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path)

    def issue(self, name: str, *names: str, usage="serverAuth", dates: tuple[str, str] | None = None,
              responder: str | None = None) -> Certificate:
        """A new certificate with a new key. `dates` are as ASN.1 writes them: 20200101000000Z."""
        number = next(self._numbers)
        base = self.folder / f"{number}"
        made = Certificate(name, base.with_suffix(".crt"), base.with_suffix(".chain.crt"), base.with_suffix(".key"))
        self._make_key(made.key)
        alternatives = ",".join(f"IP:{each}" if each[0].isdigit() else f"DNS:{each}" for each in names or (name,))
        extensions = [
            "basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature", f"extendedKeyUsage={usage}",
            f"subjectAltName={alternatives}",
        ] + ([f"authorityInfoAccess=OCSP;URI:{responder}"] if responder else [])
        details = base.with_suffix(".cnf")
        details.write_text("\n".join([
            "[ca]", "default_ca=own", "[own]", f"database={self.folder}/issued.txt", f"serial={self.folder}/serial",
            f"new_certs_dir={self.folder}", "default_md=sha256", "policy=any", "unique_subject=no", "[any]",
            "commonName=supplied", "[leaf]", *extensions, "",
        ]))
        (self.folder / "issued.txt").touch()
        (self.folder / "serial").write_text(f"5A{secrets.token_hex(15).upper()}\n")
        request = base.with_suffix(".csr")
        openssl("req", "-new", "-key", made.key, "-subj", f"/CN={name}", "-out", request)
        start, end = dates or ("", "")
        validity = ["-startdate", start, "-enddate", end] if dates else ["-days", "300"]
        openssl(
            "ca", "-batch", "-notext", "-config", details, "-extensions", "leaf", "-cert", self.certificate, "-keyfile",
            self.key, "-in", request, "-out", made.certificate, *validity,
        )
        made.chain.write_text(made.certificate.read_text() + self.certificate.read_text())
        return made

    def respond(self, certificate: Certificate, target: Path, minutes=60) -> Path:
        """An OCSP response for a certificate of this authority."""
        request = target.with_suffix(".req")
        openssl("ocsp", "-issuer", self.certificate, "-cert", certificate.certificate, "-no_nonce", "-reqout", request)
        openssl(
            "ocsp", "-index", self.folder / "issued.txt", "-CA", self.certificate, "-rsigner", self.certificate, "-rkey",
            self.key, "-reqin", request, "-respout", target, "-nmin", minutes,
        )
        return target

    def revoke(self, certificate: Certificate):
        details = certificate.key.with_suffix(".cnf")
        openssl("ca", "-config", details, "-cert", self.certificate, "-keyfile", self.key, "-revoke", certificate.certificate)
