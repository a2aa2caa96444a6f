"""What an operator meets: ports, folders, files and tokens that are not as they should be."""

import hashlib
import json
import os
import socket
import stat
import time

import pytest

from client import Account, Client, mint
from program import ROOT, Sluice, eventually, free_port, run
from sanitizer import SHIPPED_FILE
from wire import ask, get
from workshop import lay_out, with_plugins


def check(tmp_path, configuration: dict | str):
    """Exit code and words of `sluice check` for this configuration."""
    file = tmp_path / "sluice.json"
    if isinstance(configuration, dict):
        configuration = json.dumps({"listeners": [{"address": "127.0.0.1:0"}], **configuration}, indent=2)
    file.write_text(configuration)
    done = run("check", "--config", file)
    return done.returncode, done.stdout + done.stderr


def refused(tmp_path, configuration, *needles):
    code, text = check(tmp_path, configuration)
    assert code == 1, text
    for needle in needles:
        assert needle in text, f"{needle!r} is not in:\n{text}"
    return text


# -- the machine


def test_a_port_in_use_is_said_and_ends_the_start(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run("serve", "--listen", f"127.0.0.1:{port}", "--data", tmp_path / "data")
    text = done.stdout + done.stderr
    assert done.returncode == 1 and str(port) in text and "uses it" in text, text


def test_a_port_that_another_gateway_listens_on_is_in_use_though_it_shares_its_ports(sluice, tmp_path):
    """SO_REUSEPORT would let a second one bind and steal half of the connections."""
    gateway = sluice()
    done = run("serve", "--listen", f"127.0.0.1:{gateway.port}", "--data", tmp_path / "other")
    text = done.stdout + done.stderr
    assert done.returncode == 1 and str(gateway.port) in text and "uses it" in text, text
    assert ask(gateway.port, get("/healthz")).status == 200


def test_a_second_process_on_the_same_data_is_refused(sluice):
    gateway = sluice()
    done = run("serve", "--listen", f"127.0.0.1:{free_port()}", "--data", gateway.data)
    text = done.stdout + done.stderr
    assert done.returncode == 1 and str(gateway.data) in text and f"process {gateway.pid}" in text, text
    assert (gateway.data / "lock").read_text() == f"{gateway.pid}\n"
    assert ask(gateway.port, get("/healthz")).status == 200
    gateway.kill()
    gateway.start()  # the lock went with the process


def without_privileges() -> list[str]:
    """Root without root's powers, for whom a file's mode counts; who is not root needs nothing."""
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []


@pytest.mark.parametrize("mode", [0o000, 0o500])
def test_a_data_directory_that_cannot_be_used_is_said(tmp_path, mode):
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(mode)
    try:
        done = run("serve", "--listen", f"127.0.0.1:{free_port()}", "--data", data, wrapper=without_privileges())
    finally:
        data.chmod(0o700)
    text = done.stdout + done.stderr
    assert done.returncode == 1 and str(data) in text and "ermission denied" in text, text


def test_a_data_directory_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    done = run("serve", "--listen", f"127.0.0.1:{free_port()}", "--data", tmp_path / "file" / "data")
    text = done.stdout + done.stderr
    assert done.returncode == 1 and str(tmp_path / "file") in text, text


def test_a_broken_database_is_said_and_left_as_it_is(sluice):
    gateway = sluice()
    assert gateway.stop() == 0
    control = gateway.data / "control.sqlite"
    for extra in gateway.data.glob("control.sqlite-*"):
        extra.unlink()
    garbage = b"this is not a database " * 400
    control.write_bytes(garbage)
    done = run("serve", "--listen", f"127.0.0.1:{gateway.port}", "--data", gateway.data)
    text = done.stdout + done.stderr
    assert done.returncode == 1 and "control.sqlite" in text, text
    assert control.read_bytes() == garbage


def test_a_lost_master_key_is_said_before_anything_is_served(sluice):
    gateway = sluice()
    Account(gateway.url).app("Sealed")
    assert gateway.stop() == 0
    key = gateway.data / "master.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.unlink()
    done = run("serve", "--listen", f"127.0.0.1:{gateway.port}", "--data", gateway.data)
    text = done.stdout + done.stderr
    assert done.returncode == 1 and "master.key" in text, text


def test_the_data_directory_is_made_for_its_owner_alone(sluice):
    gateway = sluice()
    for path in [gateway.data / "control.sqlite", gateway.data / "master.key"]:
        reachable_by_others = stat.S_IMODE(path.stat().st_mode) & 0o077
        assert not reachable_by_others or stat.S_IMODE(gateway.data.stat().st_mode) & 0o077 == 0, path


# -- the file


def test_a_good_configuration_is_accepted_by_check(tmp_path):
    code, text = check(tmp_path, with_plugins())
    assert code == 0, text


@SHIPPED_FILE
def test_the_shipped_configurations_are_accepted_by_check():
    for file in (ROOT / "sluice.json", ROOT / "examples/conformance/sluice.json"):
        done = run("check", "--config", file)
        assert done.returncode == 0, done.stdout + done.stderr


def test_an_unknown_key_is_refused_with_file_line_pointer_and_the_nearest_one(tmp_path):
    text = refused(tmp_path, with_plugins(limits={"header_bites": 5}), "/limits/header_bites", 'did you mean "header_bytes"')
    assert f"{tmp_path}/sluice.json:" in text
    refused(tmp_path, {**with_plugins(), "listners": []}, "/listners", 'did you mean "listeners"')


def test_everything_that_is_wrong_is_said_at_once(tmp_path):
    text = refused(tmp_path, {"loops": "two", "limits": {"uri_bytes": 1}, "log": {"level": "loud"}}, "/loops",
                   "/limits/uri_bytes", "/log/level")
    assert len([line for line in text.splitlines() if "sluice.json:" in line]) >= 3


@pytest.mark.parametrize("text, needle", [
    ("", "empty"), ("{", ":1:"), ('{"loops": 1, "loops": 2}', "duplicate"), ("[1]", "sluice.json"), ('{"loops": 01}', ":1:"),
])
def test_a_file_that_is_no_json_is_refused_with_its_place(tmp_path, text, needle):
    refused(tmp_path, text, "sluice.json", needle)


@pytest.mark.parametrize("text", ["hello", "listeners: []", "<sluice/>", "\n\n# none"])
def test_a_file_that_is_something_else_than_json_is_called_that(tmp_path, text):
    refused(tmp_path, text, "sluice.json:", "this is not JSON")


def test_check_goes_through_all_its_stages_whatever_the_first_one_finds(tmp_path):
    lay_out(tmp_path / "plugins", b"no library")
    wrong = {"id": "acme", "plugins": {"nowhere": {}}}
    text = refused(
        tmp_path, with_plugins(tmp_path / "plugins", limits={"header_bites": 5}, tenants=[wrong], log={"level": "loud"}),
        "/limits/header_bites", "/log/level", "libprobe.so", '"nowhere"')
    assert text.splitlines()[-1] == "sluice: 4 problems", text
    # What cannot be trusted is not held against the plugins that are there.
    configuration = with_plugins(tmp_path / "plugins", tenants=[{"id": "acme", "plugins": {"auth": {}}}])
    configuration["plugins"]["folder"] = configuration["plugins"].pop("folders")
    assert "there is no plugin" not in refused(tmp_path, configuration, "/plugins/folder")


def test_a_platform_without_the_grant_that_it_needs_is_warned_of(tmp_path, sluice):
    configuration = with_plugins()
    del configuration["plugins"]["tenants_grant"]
    code, text = check(tmp_path, configuration)
    assert code == 0 and text.count("warning:") == 1 and '"control"' in text and "tenants_grant" in text, text
    assert eventually(lambda: '"control" asks for sluice.tenants/1' in sluice(configuration).text())
    for granted in ({"tenants_grant": "platform"}, {"grants": {"control": ["sluice.tenants/1", "sluice.phases/1"]}}, {"enabled": ["auth"]}):
        code, text = check(tmp_path, {"plugins": {**configuration["plugins"], **granted}})
        assert code == 0 and "warning:" not in text, text


@pytest.mark.parametrize("plugin, settings, needle", [
    ("auth", {"argon2_passes": 1}, "/argon2_memory_kib"),
    ("auth", {"breached_passwords_file": "/nowhere/breached"}, "/breached_passwords_file"),
    ("mailer", {"driver": "smtp"}, "/smtp_host"),
])
def test_settings_that_a_plugin_refuses_are_said_by_check_and_serve(tmp_path, plugin, settings, needle):
    configuration = with_plugins(tenants=[{"id": "platform", "plugins": {
        name: {"config": settings if name == plugin else {}} for name in ("auth", "control", "mailer")}}])
    refused(tmp_path, configuration, "tenant platform:", f'"{plugin}"', needle)
    done = run("serve", "--config", tmp_path / "sluice.json", "--data", tmp_path / "data", "--listen", "127.0.0.1:0")
    assert done.returncode == 1 and needle in done.stderr and f'"{plugin}"' in done.stderr, done.stdout + done.stderr


def test_what_check_makes_is_thrown_away(tmp_path, monkeypatch):
    (tmp_path / "scratch").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    code, text = check(tmp_path, with_plugins())
    assert code == 0, text
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_missing_file_is_said_by_check_and_serve(tmp_path):
    missing = tmp_path / "nowhere.json"
    for command in ("check", "serve"):
        done = run(command, "--config", missing)
        text = done.stdout + done.stderr
        assert done.returncode == 1 and str(missing) in text and "o such file" in text, text


def test_a_missing_plugin_folder_is_said(tmp_path):
    refused(tmp_path, {"plugins": {"folders": [str(tmp_path / "nowhere")]}}, "nowhere")


@pytest.mark.parametrize("tenant, needle", [
    ({"id": "acme", "plugins": {"chatt": {}}}, 'did you mean "chat"'),
    ({"id": "acme", "plugins": {"control": {}}}, "platform only"),
    ({"id": "acme", "plugins": {"auth": {}, "chat": {"config": {"types": {"x": {"open": "yes"}}}}}}, "/config/types/x/open"),
    ({"id": "acme", "secrets": {"signing": "env:SLUICE_TEST_NOT_SET"}}, "SLUICE_TEST_NOT_SET"),
    ({"id": "acme", "keys": [{"id": "main", "kind": "secret", "secret_sha256": "sk_plain"}]}, "SHA-256"),
    ({"id": "Acme"}, "/tenants/0/id"),
    ({"id": "acme", "hosts": ["a b"]}, "/tenants/0/hosts/0"),
])
def test_a_tenant_that_is_wrong_is_refused_with_its_place(tmp_path, tenant, needle):
    text = refused(tmp_path, with_plugins(tenants=[tenant]), needle)
    assert "sk_plain" not in text


def test_two_tenants_with_one_host_are_refused(tmp_path):
    tenants = [{"id": "one", "hosts": ["a.test"]}, {"id": "two", "hosts": ["a.test"]}]
    refused(tmp_path, with_plugins(tenants=tenants), "a.test", "one")


@SHIPPED_FILE
def test_plan_prints_what_runs_for_a_tenant_and_why():
    done = run("plan", "platform", "--config", ROOT / "sluice.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "control" in done.stdout and "auth" in done.stdout


def test_plan_reads_an_app_that_was_made_while_the_gateway_ran_and_whether_it_runs_or_not(sluice):
    gateway = sluice()
    app = Account(gateway.url).app("Planned")
    app.set_plugin("chat", enabled=False)

    def plan(tenant):
        return run("plan", tenant, "--data", gateway.data)

    while_it_runs = plan(app.id)
    assert while_it_runs.returncode == 0, while_it_runs.stderr
    assert "realtime" in while_it_runs.stdout and "chat.message.created" not in while_it_runs.stdout
    unknown = plan("app_" + "0" * 26)
    assert unknown.returncode == 1 and "no app of that id" in unknown.stderr and str(gateway.data) in unknown.stderr
    assert gateway.stop() == 0
    assert plan(app.id).stdout == while_it_runs.stdout
    assert ask(gateway.start().port, get("/readyz")).status == 200


def test_nothing_is_recovered_where_there_is_nothing_and_what_a_crash_left_is_named(sluice):
    gateway = sluice()

    def recovered():
        return [line["message"] for line in gateway.lines() if line.get("message", "").startswith("recovered")]

    assert recovered() == []
    Account(gateway.url).app("Survivor")
    gateway.kill()
    gateway.start()
    assert eventually(lambda: len(recovered()) == 2)
    assert set(recovered()) == {"recovered control.sqlite", "recovered a tenant's file"}
    assert gateway.stop() == 0 and (gateway.data / "lock").read_text() == ""
    gateway.start()
    assert len(recovered()) == 2


def test_a_start_that_fails_for_its_port_leaves_nothing_to_recover(sluice):
    gateway = sluice()
    Account(gateway.url).app("Untouched")
    assert gateway.stop() == 0
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        done = run("serve", "--listen", f"127.0.0.1:{other.getsockname()[1]}", "--data", gateway.data)
    assert done.returncode == 1 and "listening on" not in done.stderr, done.stderr
    assert [path.name for path in gateway.data.rglob("*-wal") if path.stat().st_size] == []
    gateway.start()
    assert "recovered" not in gateway.text()


def test_an_access_log_on_a_full_disk_costs_lines_which_are_counted_and_no_request(sluice):
    gateway = sluice(with_plugins(log={"access": "/dev/full"}))
    assert all(ask(gateway.port, get("/healthz")).status == 200 for _ in range(20))
    assert eventually(lambda: gateway.metric("sluice_log_lines_lost_total") >= 20)


def test_an_unknown_command_or_option_is_refused_with_usage():
    for arguments in (["serv"], ["serve", "--prot", "1"], ["serve", "--listen", "nonsense"], ["serve", "--loops", "-1"]):
        done = run(*arguments)
        assert done.returncode not in (0, -4, -6, -11) and done.stderr, arguments


# -- static tenants and tokens


@pytest.fixture(scope="module")
def acme(tmp_path_factory):
    secret = "sk_static_secret_of_acme_0123456789"
    tenant = {
        "id": "acme", "hosts": ["chat.acme.test"], "plugins": {"auth": {}, "chat": {}, "realtime": {}},
        "keys": [{"id": "main", "kind": "secret", "secret_sha256": hashlib.sha256(secret.encode()).hexdigest(),
                  "scopes": ["*"]}],
        "secrets": {"signing": "acme-signing-secret-of-32-bytes!"},
    }
    folder = tmp_path_factory.mktemp("acme")
    (folder / "tenants").mkdir()
    (folder / "tenants/acme.json").write_text(json.dumps(tenant))
    configuration = with_plugins(tenant_files=[str(folder / "tenants/*.json")])
    with Sluice(folder / "gateway", configuration) as gateway:
        gateway.secret, gateway.signing = secret, tenant["secrets"]["signing"]
        yield gateway


def channels(gateway, token, host="chat.acme.test"):
    return ask(gateway.port, get("/v1/channels", f"Authorization: Bearer {token}", host=host))


def test_a_tenant_from_a_file_is_found_by_host_key_and_token(acme):
    assert channels(acme, acme.secret).status == 200
    assert channels(acme, acme.secret, host="127.0.0.1").status == 200
    assert channels(acme, mint(acme.signing, "acme", "alice")).status == 200
    assert ask(acme.port, get("/v1/apps", host="chat.acme.test")).status == 401  # the platform's routes are not its own


def test_a_token_is_refused_for_every_reason_there_is(acme):
    now = int(time.time())
    good = mint(acme.signing, "acme", "alice")
    head, claims, signature = good.split(".")
    refused = {
        "expired": mint(acme.signing, "acme", "alice", iat=now - 7200, exp=now - 3600),
        "not yet valid": mint(acme.signing, "acme", "alice", nbf=now + 3600),
        "issued in the future": mint(acme.signing, "acme", "alice", iat=now + 3600, exp=now + 7200),
        "without an end": mint(acme.signing, "acme", "alice", exp=None),
        "of nobody": mint(acme.signing, "acme", "alice", sub=None),
        "for another audience": mint(acme.signing, "acme", "alice", aud="other"),
        "of another issuer": mint(acme.signing, "other", "alice"),
        "signed with another secret": mint("another-secret", "acme", "alice"),
        "with another algorithm's name": mint(acme.signing, "acme", "alice", algorithm="HS512"),
        "with no algorithm": mint(acme.signing, "acme", "alice", algorithm="none"),
        "with a signature cut off": f"{head}.{claims}.",
        "with a signature changed": f"{head}.{claims}.{signature[:-2]}AA",
        "with claims changed": f"{head}.{claims[:-2]}AA.{signature}",
        "of two parts": f"{head}.{claims}",
        "of four parts": f"{good}.x",
        "too large": mint(acme.signing, "acme", "alice", padding="x" * 5000),
        "garbage": "a.b.c",
    }
    wrong = {why: channels(acme, token).status for why, token in refused.items()}
    assert {why: status for why, status in wrong.items() if status != 401} == {}
    assert channels(acme, good).status == 200


def test_other_schemes_and_broken_authorization_fields_are_401(acme):
    good = mint(acme.signing, "acme", "alice")
    for field in ("Basic YTpi", "Bearer", "Bearer ", f"Token {good}", f"Bearer {good} {good}", "Bearer " + "x" * 8000):
        answer = ask(acme.port, get("/v1/channels", f"Authorization: {field}", host="chat.acme.test"))
        assert answer.status == 401, (field[:20], answer.status)
    two = get("/v1/channels", f"Authorization: Bearer {good}", "Authorization: Bearer x", host="chat.acme.test")
    assert ask(acme.port, two).status in (400, 401)


def test_a_public_key_names_its_app_and_lets_nobody_in(platform, shop):
    for path in ("/v1/users", "/v1/channels"):
        assert Client(platform.url, shop.key).get(path).status_code == 401
    assert Client(platform.url, shop.secret[:-1] + ("a" if shop.secret[-1] != "a" else "b")).get("/v1/users").status_code in (401, 404)


def test_an_account_token_that_is_changed_in_one_place_is_refused(platform, account):
    token = account.made["access_token"]
    for place in (len(token) - 3, token.index(".") + 5, 5):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1:]
        assert Client(platform.url, changed).get("/v1/me").status_code == 401
