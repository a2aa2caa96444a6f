"""Certificates and OCSP responses as files: what is served when they change, and what is said when they are bad."""

import os
import re
import signal

import pytest
import requests

from authority import Authority
from program import eventually, run
from secure import SecureSluice, SecureWire, install, s_client, trust
from wire import get


def shown(gateway, authority) -> str:
    context = trust(authority, check_hostname=False)
    with SecureWire(gateway, context) as wire:
        assert wire.send(get("/hello/c")).answer().status == 200
        return wire.subject()


def test_a_new_certificate_is_served_when_its_files_change_and_connections_go_on(secure, authority, tmp_path):
    live = tmp_path / "live"
    gateway = secure(install(authority.issue("before.example"), live))
    with SecureWire(gateway, trust(authority, check_hostname=False)) as old:
        assert shown(gateway, authority) == "before.example"
        install(authority.issue("after.example"), live)
        assert eventually(lambda: shown(gateway, authority) == "after.example", patience=15)
        assert old.send(get("/hello/c")).answer().status == 200
    assert len(gateway.log_lines("certificates read again")) == 1


def test_a_new_certificate_is_served_at_once_on_sighup(secure, authority, tmp_path):
    live = tmp_path / "live"
    gateway = secure(install(authority.issue("before.example"), live))
    # The look at the files, once in a second, may be first; not each time.
    for number in range(1, 9):
        seen = len(gateway.log_lines("certificates read again"))
        install(authority.issue(f"after{number}.example"), live)
        gateway.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: len(gateway.log_lines("reloaded")) == number, patience=30)
        is_first = len(gateway.log_lines("certificates read again")) == seen
        assert shown(gateway, authority) == f"after{number}.example"
        if is_first:
            return
    pytest.fail("SIGHUP never came before the look at the files")


@pytest.mark.parametrize("spoil, reason", [
    ("key", "the key does not match the first certificate"), ("expired", "certificate 1 has expired"),
    ("cut", "is not valid PEM"), ("empty", "holds no certificate in PEM"), ("gone", "cannot be read: No such file"),
    ("order", "did not sign certificate"),
])
def test_a_bad_new_certificate_is_refused_with_its_reason_while_the_old_one_serves(secure, authority, tmp_path, spoil, reason):
    live = tmp_path / "live"
    gateway = secure(install(authority.issue("before.example"), live))
    bad = authority.issue("bad.example", dates=("20200101000000Z", "20210101000000Z") if spoil == "expired" else None)
    if spoil == "key":
        (live / "server.crt").write_text(bad.chain.read_text())
    else:
        install(bad, live)
    if spoil == "cut":
        (live / "server.crt").write_text(bad.chain.read_text()[:-80])
    elif spoil == "empty":
        (live / "server.crt").write_text("")
    elif spoil == "gone":
        (live / "server.crt").unlink()
    elif spoil == "order":
        (live / "server.crt").write_text(bad.certificate.read_text() + authority.issue("other.example").certificate.read_text())
    gateway.process.send_signal(signal.SIGHUP)
    lines = eventually(lambda: gateway.log_lines("the new certificates are refused"))
    assert lines and reason in lines[0]["reason"] and str(live) in lines[0]["file"]
    assert shown(gateway, authority) == "before.example"
    install(authority.issue("after.example"), live)
    assert eventually(lambda: shown(gateway, authority) == "after.example", patience=15)


def test_a_bad_certificate_at_the_start_ends_it_with_its_reason(tmp_path, authority):
    wrong = {**authority.issue("one.example").configuration(), "key": str(authority.issue("two.example").key)}
    gateway = SecureSluice(tmp_path, wrong)
    with pytest.raises(AssertionError) as failure:
        gateway.start()
    assert "the key does not match" in str(failure.value)
    checked = run("check", "--config", gateway.configuration)
    assert checked.returncode == 1 and "the key does not match" in checked.stderr


def test_a_self_signed_certificate_is_made_once_and_its_key_is_kept_safe(secure):
    gateway = secure({"self_signed": ["localhost", "127.0.0.1"]})
    (line,) = gateway.log_lines("made a self-signed certificate")
    assert os.stat(line["key"]).st_mode & 0o777 == 0o600 and str(gateway.data) in line["key"]
    for host in ("localhost", "127.0.0.1"):
        url = f"https://{host}:{gateway.secure_port}/hello/c"
        assert requests.get(url, verify=line["certificate"], timeout=10).status_code == 200
    assert gateway.stop() == 0
    gateway.start()
    assert len(gateway.log_lines("made a self-signed certificate")) == 1


# MARK: stapling


def stapled(gateway) -> str:
    printed = s_client(gateway, "-status")
    if "OCSP response: no response sent" in printed:
        return "none"
    found = re.search(r"OCSP Response Status: (\w+)", printed)
    return found.group(1) if found else printed


def test_an_ocsp_response_is_stapled_and_renewed_when_its_file_changes(secure, authority, tmp_path):
    certificate = authority.issue("localhost")
    file = authority.respond(certificate, tmp_path / "response.der")
    gateway = secure(certificate.configuration(ocsp=str(file)))
    assert stapled(gateway) == "successful"
    first = re.search(r"Next Update: (.*)", s_client(gateway, "-status")).group(1)
    authority.respond(certificate, file, minutes=600)

    def next_update():
        return re.search(r"Next Update: (.*)", s_client(gateway, "-status")).group(1)

    assert eventually(lambda: next_update() != first, patience=15)


@pytest.mark.parametrize("spoil, reason", [
    ("garbage", "is not an OCSP response"), ("other", "is not about the certificate"), ("revoked", "is revoked"),
    ("stranger", "is not signed by"), ("gone", "cannot be read"),
])
def test_a_response_that_is_not_valid_is_left_out_with_a_warning(secure, authority, tmp_path, spoil, reason):
    certificate, file = authority.issue("localhost"), tmp_path / "response.der"
    if spoil == "garbage":
        file.write_bytes(b"not DER")
    elif spoil == "other":
        authority.respond(authority.issue("other.example"), file)
    elif spoil == "revoked":
        authority.revoke(certificate)
        authority.respond(certificate, file)
    elif spoil == "stranger":
        stranger = Authority(tmp_path / "stranger")
        stranger.respond(stranger.issue("localhost"), file)
    gateway = secure(certificate.configuration(ocsp=str(file)))
    assert stapled(gateway) == "none"
    (line,) = gateway.log_lines("a certificate is served as it is")
    assert reason in line["reason"] and line["file"] == str(file)
