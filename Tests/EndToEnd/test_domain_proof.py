"""Whose a host name is: it leads nowhere before a TXT record in the DNS shows it, with PyPI's dnslib as the world's name server."""

import pytest

from client import Account
from names import NameServer
from program import eventually
from secure import SecureSluice, SecureWire, trust
from wire import ask, get
from workshop import with_plugins


@pytest.fixture(scope="module")
def names():
    with NameServer() as server:
        yield server


class House:
    def __init__(self, folder, authority, tls, dns: str, **settings):
        self.authority = authority
        control = {"config": {"domains": [{"host": "*"}], "dns_server": dns, **settings}}
        tenants = [{"id": "platform", "plugins": {"auth": {}, "mailer": {}, "control": control}}]
        self.gateway = SecureSluice(folder, tls, ["--loops", "2"], configuration=with_plugins(tenants=tenants)).start()

    def app(self):
        return Account(self.gateway.url).app("Proof")

    def put(self, app, host: str, certificate=None, expect=200) -> dict:
        body = {"certificate": certificate.chain.read_text(), "key": certificate.key.read_text()} if certificate else {}
        return app.owner.put(f"/v1/apps/{app.id}/domains/{host}", body, expect=expect).json()

    def read(self, app, host: str, expect=200) -> dict:
        return app.owner.get(f"/v1/apps/{app.id}/domains/{host}", expect=expect).json()

    def verify(self, app, host: str, expect=200) -> dict:
        """As soon as the app may have another look made."""
        path = f"/v1/apps/{app.id}/domains/{host}/verify"

        def look():
            answer = app.owner.post(path)
            return [] if answer.status_code == 429 else [answer]

        [answer] = eventually(look, 40)
        assert answer.status_code == expect, answer.text
        return answer.json()

    def is_led(self, app, host: str) -> bool:
        """Whether requests for the host are the app's, on whichever loop."""
        app.owner.put(f"/v1/apps/{app.id}/branding", {"name": app.id}, expect=200)
        answers = [ask(self.gateway.port, get("/v1/branding", host=host)) for _ in range(8)]
        found = {answer.json().get("name") if answer.status == 200 else None for answer in answers}
        assert len(found) == 1, found
        return found == {app.id}

    def served(self, host: str) -> str:
        """Whose certificate a client is shown that asks for a host."""
        with SecureWire(self.gateway, trust(self.authority, check_hostname=False), host=host) as wire:
            return wire.subject()


@pytest.fixture(scope="module")
def house(tmp_path_factory, authority, localhost, names):
    house = House(tmp_path_factory.mktemp("proof"), authority, localhost.configuration(), names.address)
    yield house
    assert house.gateway.is_running(), house.gateway.text()[-4000:]
    house.gateway.kill()


def record(domain: dict) -> tuple[str, str]:
    assert domain["proof"]["record"]["type"] == "TXT"
    return domain["proof"]["record"]["name"], domain["proof"]["record"]["value"]


def test_a_host_leads_nowhere_before_its_record_is_there(house, names, authority):
    app, certificate = house.app(), authority.issue("shop.example.test")
    put = house.put(app, "Shop.example.test")
    name, value = record(put)
    assert put["state"] == "pending" and put["proof"]["checks"] == 0 and "certificate" not in put
    assert name == "_sluice-challenge.shop.example.test"
    assert house.put(app, "shop.example.test") == put == house.read(app, "shop.example.test")
    assert app.owner.get(f"/v1/apps/{app.id}/domains").json()["data"] == [put]
    assert not house.is_led(app, "shop.example.test")
    refused = house.put(app, "shop.example.test", certificate, expect=409)
    assert refused["code"] == "conflict" and "not proven" in refused["detail"]
    assert house.served("shop.example.test") == "localhost"

    missing = house.verify(app, "shop.example.test")
    assert missing["state"] == "pending" and missing["proof"]["checks"] == 1 and missing["proof"]["checked_at"]
    assert "no TXT record" in missing["proof"]["failure"] and (name, "TXT", "udp") in names.asked
    names.texts[name] = ["v=spf1 -all", value + "x"]
    other = house.verify(app, "shop.example.test")
    assert other["state"] == "pending" and other["proof"]["checks"] == 2
    assert "2 TXT records" in other["proof"]["failure"] and value in other["proof"]["failure"]
    assert house.read(app, "shop.example.test") == other
    assert not house.is_led(app, "shop.example.test")

    names.texts[name].append(value)
    proven = house.verify(app, "shop.example.test")
    assert proven["state"] == "proven" and "proof" not in proven and proven["created_at"] == put["created_at"]
    assert house.is_led(app, "shop.example.test")
    assert house.put(app, "shop.example.test", certificate)["certificate"]["names"] == ["shop.example.test"]
    assert house.served("shop.example.test") == "shop.example.test"
    # Once is enough: the record may go, and the proof outlives a crash.
    del names.texts[name]
    house.gateway.kill()
    house.gateway.start()
    assert house.verify(app, "shop.example.test")["state"] == "proven"
    assert house.is_led(app, "shop.example.test")
    app.owner.call("DELETE", f"/v1/apps/{app.id}/domains/shop.example.test", expect=204)
    assert record(house.put(app, "shop.example.test"))[1] != value, "whoever comes back proves it anew"
    assert not house.is_led(app, "shop.example.test")


def test_whoever_proves_a_host_has_it_whoever_came_first(house, names):
    first, second = house.app(), house.app()
    claims = {app: record(house.put(app, "mine.example.test")) for app in (first, second)}
    assert claims[first][0] == claims[second][0] and claims[first][1] != claims[second][1]
    names.texts[claims[second][0]] = [claims[second][1]]
    assert house.verify(first, "mine.example.test")["state"] == "pending"
    assert house.verify(second, "mine.example.test")["state"] == "proven"
    assert house.is_led(second, "mine.example.test")
    # A proof that comes later takes nothing away.
    names.texts[claims[first][0]].append(claims[first][1])
    assert house.verify(first, "mine.example.test", expect=409)["code"] == "conflict"
    assert "another app" in house.read(first, "mine.example.test")["proof"]["failure"]
    assert house.put(house.app(), "mine.example.test", expect=409)["code"] == "conflict"
    assert house.is_led(second, "mine.example.test")
    second.owner.call("DELETE", f"/v1/apps/{second.id}/domains/mine.example.test", expect=204)
    assert house.verify(first, "mine.example.test")["state"] == "proven"
    assert house.is_led(first, "mine.example.test")


def test_a_record_is_found_behind_an_alias_and_among_many(house, names):
    app = house.app()
    name, value = record(house.put(app, "alias.example.test"))
    names.aliases[name] = "proofs.other.test"
    # In pieces, and with so much beside it that the answer comes over TCP.
    names.texts["proofs.other.test"] = [*(f"{number:03}" * 60 for number in range(8)), [value[:7], value[7:]]]
    assert house.verify(app, "alias.example.test")["state"] == "proven"
    assert (name, "TXT", "tcp") in names.asked
    assert house.is_led(app, "alias.example.test")


def test_a_pending_host_is_given_up_and_goes_with_its_app(house):
    app = house.app()
    house.put(app, "given-up.example.test")
    app.owner.call("DELETE", f"/v1/apps/{app.id}/domains/given-up.example.test", expect=204)
    house.read(app, "given-up.example.test", expect=404)
    app.owner.post(f"/v1/apps/{app.id}/domains/given-up.example.test/verify", expect=404)
    house.put(app, "given-up.example.test")
    log = app.owner.get(f"/v1/apps/{app.id}/audit").json()["data"]
    assert "domain.removed" in {entry["action"] for entry in log}
    app.owner.call("DELETE", f"/v1/apps/{app.id}", expect=204)


def test_a_name_server_that_is_silent_proves_nothing(tmp_path, authority, localhost):
    with NameServer() as gone:
        address = gone.address
    house = House(tmp_path / "gateway", authority, localhost.configuration(), address, unproven_domains_per_app=1)
    try:
        app = house.app()
        house.put(app, "quiet.example.test")
        quiet = house.verify(app, "quiet.example.test")
        assert quiet["state"] == "pending" and "No name server has answered" in quiet["proof"]["failure"]
        full = house.put(app, "more.example.test", expect=403)
        assert full["code"] == "quota_exceeded"
    finally:
        house.gateway.kill()
