"""Mail: a real SMTP server that takes, refuses for now and for good, with TLS and a login; and kill -9 in between."""

import time

import pytest

from client import Account, Client
from post import Outbox, PostOffice, by_smtp, code_in, posting
from program import eventually


def sign_up(gateway) -> Account:
    return Account(gateway.url)


def test_a_message_arrives_as_mail_programs_read_it(sluice):
    with PostOffice() as office:
        gateway = sluice(posting(by_smtp(office)))
        account = sign_up(gateway)
        (message,) = office.messages()
        sender, recipients, content = office.taken[0]
        assert sender == "no-reply@shop.example" and recipients == [account.email]
        assert str(message["To"].addresses[0]) == account.email
        assert message["From"].addresses[0].display_name == "Büro & Söhne"
        assert message["Subject"] == "Büro & Söhne: confirm your e-mail address"
        assert message["Auto-Submitted"] == "auto-generated" and message["Message-ID"].endswith("@shop.example>")
        assert message["Date"].datetime.timestamp() == pytest.approx(time.time(), abs=3600)
        assert not message.defects and b"\r\n" in content
        text = message.get_body(("plain",)).get_content()
        assert "Büro & Söhne" in text and "{product}" not in text
        account.post("/v1/accounts/verify", {"email": account.email, "code": code_in(message)}, expect=204)
        assert account.get("/v1/me").json()["email_verified"] is True


def test_a_server_that_refuses_for_now_is_asked_again(sluice):
    with PostOffice([451, 451]) as office:
        gateway = sluice(posting(by_smtp(office)))
        sign_up(gateway)
        office.messages()
        assert office.attempts == 3 and len(office.taken) == 1
        assert gateway.metric("sluice_mailer_attempts_failed_total") == 2
        assert eventually(lambda: gateway.metric("sluice_mailer_sent_total") == 1)


def test_a_server_that_refuses_for_good_is_not_asked_again(sluice):
    with PostOffice([550]) as office:
        gateway = sluice(posting(by_smtp(office)))
        sign_up(gateway)
        assert eventually(lambda: gateway.metric("sluice_mailer_failed_total") == 1, 20)
        # The next message goes out, so the one before would have been tried again by then if at all.
        sign_up(gateway)
        office.messages()
        assert office.attempts == 2


def test_a_message_outlives_kill_9_between_queue_and_delivery(sluice):
    # Nobody listens at the port yet.
    office = PostOffice()
    gateway = sluice(posting(by_smtp(office)))
    account = sign_up(gateway)
    assert eventually(lambda: gateway.metric("sluice_mailer_attempts_failed_total") >= 1, 20)
    gateway.kill()
    with office:
        gateway.start()
        (message,) = office.messages(patience=60)
        assert message["To"].addresses[0].addr_spec == account.email
        # No request has come since.
        account.post("/v1/accounts/verify", {"email": account.email, "code": code_in(message)}, expect=204)
        assert len(office.taken) == 1


def test_a_letter_outlives_kill_9_between_its_code_and_the_mailers_queue(sluice):
    # Nobody listens at the port yet, and the queue has room for one message.
    office = PostOffice()
    gateway = sluice(posting(by_smtp(office, queue_limit=1)))
    first, second = sign_up(gateway), sign_up(gateway)
    assert eventually(lambda: gateway.metric("sluice_mailer_queue_full_total") >= 1, 20)
    gateway.kill()
    with office:
        gateway.start()
        messages = office.messages(2, patience=90)
        # No request has come since.
        codes = {message["To"].addresses[0].addr_spec: code_in(message) for message in messages}
        for account in (first, second):
            body = {"email": account.email, "code": codes[account.email]}
            account.post("/v1/accounts/verify", body, expect=204)
        assert len(office.taken) == 2


def test_whoever_signed_up_just_before_kill_9_has_a_letter_and_one_only(sluice):
    gateway = sluice()
    outbox = Outbox(gateway)
    accounts = []
    for _ in range(5):
        accounts.append(sign_up(gateway))
        gateway.kill()
        gateway.start()
    for account in accounts:
        # One that was being handed over is due again some seconds later.
        (message,) = outbox.messages(account.email, "confirm", patience=60)
        code = code_in(message)
        account.post("/v1/accounts/verify", {"email": account.email, "code": code}, expect=204)
    for account in accounts:
        assert len(outbox.messages(account.email)) == 1


def test_messages_that_wait_are_not_to_be_read_in_the_database(sluice):
    office = PostOffice()
    gateway = sluice(posting(by_smtp(office)))
    sign_up(gateway)
    assert eventually(lambda: gateway.metric("sluice_mailer_attempts_failed_total") >= 1, 20)
    gateway.kill()
    kept = b"".join(path.read_bytes() for path in gateway.data.glob("**/*sqlite*"))
    assert b"mailer_messages" in kept and b"enter this code" not in kept


# aiosmtpd does not see that the connection is encrypted from its first byte.
@pytest.mark.filterwarnings("ignore:Requiring AUTH")
@pytest.mark.parametrize("from_first_byte", [False, True], ids=["starttls", "tls"])
def test_the_servers_certificate_and_the_login_are_checked(sluice, authority, localhost, from_first_byte):
    with PostOffice(certificate=localhost, from_first_byte=from_first_byte, login=("shop", "secret")) as office:
        settings = by_smtp(
            office, smtp_security="tls" if from_first_byte else "starttls", smtp_username="shop", smtp_password="secret",
            smtp_ca_file=str(authority.certificate))
        gateway = sluice(posting(settings))
        sign_up(gateway)
        office.messages()
        assert office.encrypted == [True]
        # Without the authority nothing is said to it.
        distrustful = sluice(posting({**settings, "smtp_ca_file": ""}))
        sign_up(distrustful)
        assert eventually(lambda: distrustful.metric("sluice_mailer_attempts_failed_total") >= 1, 20)
        assert office.attempts == 1
        # A wrong password is the settings' fault: the message is kept.
        mistaken = sluice(posting({**settings, "smtp_password": "wrong"}))
        sign_up(mistaken)
        assert eventually(lambda: mistaken.metric("sluice_mailer_attempts_failed_total") >= 2, 20)
        assert mistaken.metric("sluice_mailer_failed_total") == 0 and office.attempts == 1


def test_a_server_that_offers_no_encryption_gets_no_message(sluice):
    with PostOffice() as office:
        gateway = sluice(posting(by_smtp(office, smtp_security="starttls")))
        sign_up(gateway)
        assert eventually(lambda: gateway.metric("sluice_mailer_attempts_failed_total") >= 1, 20)
        assert office.attempts == 0


def test_without_settings_messages_are_files(platform):
    account = Account(platform.url)
    outbox = Outbox(platform)
    (message,) = outbox.messages(account.email)
    assert message["From"].addresses[0].display_name == "Sluice"
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in outbox.folder.iterdir())
    assert outbox.folder.stat().st_mode & 0o777 == 0o700


def test_an_apps_folder_goes_with_the_app(sluice):
    gateway = sluice()
    app = sign_up(gateway).app("Brief")
    app.token("alice")
    folder = gateway.data / "files" / app.id
    assert sorted(each.name for each in folder.iterdir()) == ["mailer", "uploads"]
    app.owner.call("DELETE", f"/v1/apps/{app.id}", expect=204)
    assert eventually(lambda: not folder.exists())


def test_a_secret_goes_nowhere_else_without_being_given_again(platform):
    app = Account(platform.url).app("Moved")
    first = {"driver": "smtp", "smtp_host": "mail.example.com", "from_address": "no-reply@example.com",
             "smtp_username": "shop", "smtp_password": "very-secret-value"}
    path = f"/v1/apps/{app.id}/plugins/mailer"
    app.owner.put(path, {"enabled": True, "config": first}, expect=200)
    kept = {name: value for name, value in first.items() if name != "smtp_password"}
    # What it is not bound to may change alone.
    app.owner.put(path, {"enabled": True, "config": {**kept, "from_address": "shop@example.com"}}, expect=200)
    for other in ({"smtp_host": "mail.example.org"}, {"smtp_port": 2525}, {"smtp_security": "tls"}):
        refused = app.owner.put(path, {"enabled": True, "config": {**kept, **other}}, expect=400).json()
        assert [error["pointer"] for error in refused["errors"]] == ["/config/smtp_password"], refused
    moved = {**kept, "smtp_host": "mail.example.org"}
    app.owner.put(path, {"enabled": True, "config": {**moved, "smtp_password": "very-secret-value"}}, expect=200)
    app.owner.put(path, {"enabled": True, "config": moved}, expect=200)
    # Without a secret there is nothing to give again.
    bare = {"driver": "smtp", "from_address": "no-reply@example.com", "smtp_password": None}
    app.owner.put(path, {"enabled": True, "config": {**bare, "smtp_host": "mail.example.org"}}, expect=200)
    app.owner.put(path, {"enabled": True, "config": {**bare, "smtp_host": "mail.example.com"}}, expect=200)
