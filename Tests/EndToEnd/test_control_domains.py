"""Host names of apps: led to the app, served with certificates of their own, and how the app looks there."""

import contextlib
import json
import signal
import sqlite3
import threading

import pytest

from client import Account
from program import eventually
from secure import SecureSluice, SecureWire, install, trust
from wire import ask, get
from workshop import with_plugins

GRANTS = [{"host": "*.customers.test"}, {"host": "only.test", "app": "app_nobody"}]


def configuration(*tenants: dict, **others) -> dict:
    platform = {"auth": {}, "mailer": {}, "control": {"config": {"domains": GRANTS, "domain_proof": "none"}}}
    return with_plugins(tenants=[{"id": "platform", "plugins": platform}, *tenants], **others)


class House:
    def __init__(self, folder, authority, tls, *tenants, **others):
        self.authority = authority
        self.gateway = SecureSluice(
            folder, tls, ["--loops", "3"], configuration=configuration(*tenants, **others)).start()

    def put(self, app, host: str, certificate=None, expect=200, **body):
        if certificate:
            body = {"certificate": certificate.chain.read_text(), "key": certificate.key.read_text(), **body}
        return app.owner.put(f"/v1/apps/{app.id}/domains/{host}", body, expect=expect)

    def name(self, host: str) -> str:
        """Whose certificate a client is shown that asks for a host."""
        with SecureWire(self.gateway, trust(self.authority, check_hostname=False), host=host) as wire:
            return wire.subject()

    def branding(self, host: str) -> dict:
        answer = ask(self.gateway.port, get("/v1/branding", host=host))
        return answer.json() if answer.status == 200 else {"status": answer.status}


@pytest.fixture(scope="module")
def house(tmp_path_factory, authority, localhost):
    house = House(tmp_path_factory.mktemp("domains"), authority, localhost.configuration())
    yield house
    assert house.gateway.is_running(), house.gateway.text()[-4000:]
    house.gateway.kill()


@pytest.fixture
def app(house):
    return Account(house.gateway.url).app("Domains")


def test_a_host_is_led_to_its_app_with_its_certificate_and_its_looks(house, app, authority):
    owner = app.owner
    assert house.branding("shop.customers.test") == {"status": 404}
    put = house.put(app, "Shop.customers.test", authority.issue("shop.customers.test"))
    assert put.json()["certificate"]["names"] == ["shop.customers.test"]
    assert house.name("shop.customers.test") == "shop.customers.test"
    assert house.name("localhost") == house.name("other.customers.test") == "localhost"
    assert house.branding("shop.customers.test") == {"colors": {}}
    looks = {"name": "Shop", "logo_url": "https://cdn.test/logo.svg", "colors": {"primary": "#336699"}}
    owner.put(f"/v1/apps/{app.id}/branding", looks, expect=200)
    for _ in range(12):  # connections on all loops
        assert house.branding("shop.customers.test") == looks
    # Another certificate takes its place without a restart, and none that is left out.
    renewed = authority.issue("*.customers.test")
    house.put(app, "shop.customers.test", renewed)
    assert eventually(lambda: house.name("shop.customers.test") == "*.customers.test", 5)
    assert house.name("other.customers.test") == "localhost", "it is for the one host that was put"
    house.put(app, "shop.customers.test")
    assert house.name("shop.customers.test") == "*.customers.test"
    pages = [put.text, owner.get(f"/v1/apps/{app.id}/domains").text, owner.get(f"/v1/apps/{app.id}/audit").text]
    assert all("PRIVATE KEY" not in page for page in pages)
    owner.call("DELETE", f"/v1/apps/{app.id}/domains/shop.customers.test", expect=204)
    assert house.name("shop.customers.test") == "localhost"
    assert house.branding("shop.customers.test") == {"status": 404}


def test_a_certificate_that_does_not_fit_is_refused_and_changes_nothing(house, app, authority, tmp_path):
    good, other = authority.issue("fit.customers.test"), authority.issue("fit.customers.test")
    past = authority.issue("fit.customers.test", dates=("20200101000000Z", "20210101000000Z"))
    house.put(app, "fit.customers.test", good)
    chain, key = good.chain.read_text(), good.key.read_text()
    for body, pointer, words in (
        ({"certificate": chain, "key": other.key.read_text()}, "/key", "does not match"),
        ({"certificate": past.chain.read_text(), "key": past.key.read_text()}, "/certificate", "expired"),
        ({"certificate": "nonsense", "key": key}, "/certificate", "no certificate"),
        ({"certificate": chain, "key": "nonsense"}, "/key", "no private key"),
        ({"certificate": chain.replace("MII", "AAA", 1), "key": key}, "/certificate", ""),
        ({"certificate": chain}, "/key", "together"), ({"key": key}, "/certificate", "together"),
    ):
        answer = app.owner.put(f"/v1/apps/{app.id}/domains/fit.customers.test", body, expect=400).json()
        assert answer["errors"][0]["pointer"] == pointer and words in answer["errors"][0]["message"], answer
    wrong = house.put(app, "elsewhere.customers.test", good, expect=400).json()
    assert "is for fit.customers.test, not for elsewhere.customers.test" in wrong["errors"][0]["message"]
    assert app.owner.get(f"/v1/apps/{app.id}/domains/elsewhere.customers.test").status_code == 404
    assert house.name("fit.customers.test") == "fit.customers.test"


def test_a_host_is_granted_by_the_operator_and_one_apps_alone(house, app):
    rival = Account(house.gateway.url).app("Rival")
    for host in ("evil.test", "customers.test", "only.test"):
        assert house.put(app, host, expect=403).json()["code"] == "forbidden"
    house.put(app, "mine.customers.test")
    assert house.put(rival, "mine.customers.test", expect=409).json()["code"] == "conflict"
    assert rival.owner.call("DELETE", f"/v1/apps/{rival.id}/domains/mine.customers.test").status_code == 404
    app.owner.put(f"/v1/apps/{app.id}/branding", {"name": "Mine"}, expect=200)
    assert house.branding("mine.customers.test")["name"] == "Mine"
    for host in ("no_host.customers.test", "a..customers.test", "localhost", "%00.customers.test"):
        house.put(app, host, expect=400)


def test_domains_outlive_kill_9_and_go_with_their_app(house, app, authority):
    house.put(app, "kept.customers.test", authority.issue("kept.customers.test"))
    house.gateway.kill()
    assert b"PRIVATE KEY" not in (house.gateway.data / "control.sqlite").read_bytes()
    house.gateway.start()
    assert house.name("kept.customers.test") == "kept.customers.test"
    assert house.branding("kept.customers.test") == {"colors": {}}
    app.owner.call("DELETE", f"/v1/apps/{app.id}", expect=204)
    assert house.name("kept.customers.test") == "localhost"
    assert house.branding("kept.customers.test") == {"status": 404}
    again = Account(house.gateway.url).app("Again")
    house.put(again, "kept.customers.test")


def test_a_put_that_is_killed_leaves_a_domain_that_can_be_put_again(house, app, authority):
    certificate = authority.issue("killed.customers.test")
    for delay in (0.0, 0.004, 0.01):
        timer = threading.Timer(delay, house.gateway.kill)
        timer.start()
        try:
            house.put(app, "killed.customers.test", certificate, expect=None)
        except Exception:  # noqa: BLE001: it is killed
            pass
        timer.join()
        house.gateway.start()
        # The list says what is served, without anybody asking for it again.
        assert eventually(
            lambda: (app.owner.get(f"/v1/apps/{app.id}/domains/killed.customers.test").status_code == 200)
            == (house.branding("killed.customers.test") == {"colors": {}}), 20)
        # 409 while what was cut off is being settled.
        assert eventually(lambda: house.put(app, "killed.customers.test", certificate, expect=None).status_code == 200, 20)
        assert house.name("killed.customers.test") == "killed.customers.test"
        app.owner.call("DELETE", f"/v1/apps/{app.id}/domains/killed.customers.test", expect=204)


def test_a_certificate_that_a_crash_has_left_without_its_host_is_not_served_again(house, app, authority):
    house.put(app, "left.customers.test", authority.issue("left.customers.test"))
    house.gateway.stop()
    # As a crash between the two steps of a removal leaves it.
    with contextlib.closing(sqlite3.connect(house.gateway.data / "control.sqlite")) as database:
        assert database.execute("DELETE FROM sluice_tenant_hosts WHERE host = 'left.customers.test'").rowcount == 1
        database.commit()
    house.gateway.start()
    assert "certificate" not in house.put(app, "left.customers.test").json()
    assert house.branding("left.customers.test") == {"colors": {}}
    assert house.name("left.customers.test") == "localhost"


def test_no_wildcard_leads_an_app_to_a_name_of_the_platforms(tmp_path, authority):
    served = authority.issue("localhost", "localhost", "login.customers.test", "*.wide.customers.test")
    house = House(
        tmp_path / "gateway", authority, served.configuration(), {"id": "filed", "hosts": ["filed.customers.test"], "plugins": {}},
        platform_hosts=["console.customers.test"])
    try:
        app = Account(house.gateway.url).app("Squatter")
        for host in ("console.customers.test", "LOGIN.customers.test", "filed.customers.test"):
            refused = house.put(app, host, authority.issue(host.lower()), expect=409).json()
            assert refused["code"] == "conflict" and str(tmp_path) not in refused["detail"], refused
            assert app.owner.get(f"/v1/apps/{app.id}/domains/{host}").status_code == 404
            assert house.name(host.lower()) == "localhost"
        # Nobody is shut out of the console, and names that are nobody's are had as before.
        for _ in range(6):
            assert ask(house.gateway.port, get("/v1/plugins", host="console.customers.test")).status == 401
        house.put(app, "shop.customers.test")
        house.put(app, "a.wide.customers.test")
        assert house.branding("shop.customers.test") == {"colors": {}}
        # One that the operator names later leads to the app no more, and the others still do.
        settings = json.loads(house.gateway.configuration.read_text())
        settings["platform_hosts"].append("shop.customers.test")
        house.gateway.configuration.write_text(json.dumps(settings))
        house.gateway.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: house.branding("shop.customers.test") == {"status": 404}, 10)
        assert house.branding("a.wide.customers.test") == {"colors": {}}
        house.put(app, "shop.customers.test", expect=409)
        house.put(app, "other.customers.test")
        settings["tenants"][1]["hosts"].append("console.customers.test")
        house.gateway.configuration.write_text(json.dumps(settings))
        house.gateway.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: house.gateway.log_lines("not reloaded"), 10)
        assert "is also given to tenant" in json.dumps(house.gateway.log_lines("not reloaded"))
    finally:
        house.gateway.kill()


def test_a_certificate_that_cannot_be_served_is_no_200_and_changes_nothing(tmp_path, authority, localhost):
    folder = tmp_path / "tls"
    house = House(tmp_path / "gateway", authority, install(localhost, folder))
    try:
        app = Account(house.gateway.url).app("Unlucky")
        first, second = authority.issue("had.customers.test"), authority.issue("*.customers.test")
        house.put(app, "had.customers.test", first)
        kept = (folder / "server.crt").read_bytes()
        (folder / "server.crt").write_text("no certificate")
        for host in ("had.customers.test", "new.customers.test"):
            refused = house.put(app, host, second, expect=503).json()
            assert refused["code"] == "plugin_unavailable" and str(tmp_path) not in refused["detail"], refused
        assert house.name("had.customers.test") == "had.customers.test"
        assert app.owner.get(f"/v1/apps/{app.id}/domains/new.customers.test").status_code == 404
        assert house.branding("new.customers.test") == {"status": 404}
        # One that is deleted meanwhile is nobody's at once, and its certificate gone as soon as there are others.
        app.owner.call("DELETE", f"/v1/apps/{app.id}/domains/had.customers.test", expect=204)
        assert house.branding("had.customers.test") == {"status": 404}
        (folder / "server.crt").write_bytes(kept)
        house.put(app, "new.customers.test", authority.issue("new.customers.test"))
        assert house.name("new.customers.test") == "new.customers.test"
        assert eventually(lambda: house.name("had.customers.test") == "localhost", 10)
    finally:
        house.gateway.kill()
