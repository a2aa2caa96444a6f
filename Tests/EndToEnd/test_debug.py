"""What the operator can switch on to find a plugin that breaks the contract, and the watchdog that is always on."""

import pytest

from client import Account
from http2 import H2, request
from program import eventually
from sanitizer import SANITIZER
from wire import ask, get
from workshop import with_plugins


def named(gateway, message: str) -> list[dict]:
    """The lines of the log that say this of the probe."""
    return [line for line in gateway.lines() if message in line.get("message", "") and line.get("plugin") == "probe"]


def test_a_call_that_overstays_its_budget_is_named_in_the_log_and_counted(sluice, probe_folder):
    gateway = sluice(with_plugins(probe_folder), ["--loops", 1])
    before = gateway.metric("sluice_plugin_overstays_total")
    assert ask(gateway.port, get("/probe/sleep")).body == b"slept"
    lines = eventually(lambda: named(gateway, "longer than its budget"))
    assert len(lines) == 1  # once for the call, however long it takes
    line = lines[0]
    assert (line["tenant"], line["plugin"], line["function"]) == ("platform", "probe", "handle")
    assert line["budget_ms"] == 5 and line["level"] == "warning"
    assert gateway.metric("sluice_plugin_overstays_total") == before + 1


@pytest.mark.parametrize("protocol", ["HTTP/1.1", "HTTP/2"])
@pytest.mark.parametrize("function", ["write completion", "read completion"])
def test_a_completion_that_overstays_its_budget_is_named_too(sluice, probe_folder, function, protocol):
    gateway = sluice(with_plugins(probe_folder), ["--loops", 1])
    path = f"/probe/slow-{function.split()[0]}"
    method, body = ("GET", b"") if "write" in function else ("POST", b"piece")
    if protocol == "HTTP/2":
        with H2(gateway.port) as connection:
            assert connection.answer(connection.open(request(method, path), body)).status == 200
    else:
        assert ask(gateway.port, get(path, method=method, body=body)).status == 200
    # In a slow build the handler may overstay too.
    lines = eventually(lambda: [line for line in named(gateway, "longer than its budget")
                                if not SANITIZER or line["function"] != "handle"])
    assert [(line["tenant"], line["plugin"], line["function"]) for line in lines] == [("platform", "probe", function)]


def test_the_budget_is_the_operators(sluice, probe_folder):
    gateway = sluice(with_plugins(probe_folder, debug={"callback_budget_ms": 5000}), ["--loops", 1])
    assert ask(gateway.port, get("/probe/sleep")).body == b"slept"
    assert gateway.metric("sluice_plugin_overstays_total") == 0


@pytest.fixture(scope="module")
def checked(tmp_path_factory, request, probe_folder):
    from program import shared

    configuration = with_plugins(probe_folder, debug={"thread_checks": True})
    yield from shared(tmp_path_factory.mktemp("checked"), request, configuration, ["--loops", "2"])


def test_a_getter_on_another_thread_is_refused_and_named_with_plugin_tenant_and_function(checked):
    assert ask(checked.port, get("/probe/elsewhere")).body == b"refused"
    lines = eventually(lambda: named(checked, "another thread than the loop's"))
    assert (lines[0]["tenant"], lines[0]["function"]) == ("platform", "sluice.http/1 path")
    assert checked.metric("sluice_plugin_wrong_calls_total") >= 1


def test_a_call_after_the_shards_end_is_refused_and_named_with_its_state(checked):
    app = Account(checked.url).app("Late")
    assert ask(checked.port, get(f"/probe/config?app={app.id}")).status == 200
    app.set_plugin("probe", enabled=True, config={"greeting": "next"})  # ends the shard that has just answered
    late = eventually(lambda: (answer := ask(checked.port, get(f"/probe/too-late?app={app.id}"))).status == 200 and answer)
    assert late.body == b"refused"
    lines = eventually(lambda: named(checked, "in a state in which it may not be called"))
    assert (lines[0]["tenant"], lines[0]["function"], lines[0]["state"]) == (app.id, "sluice.clock/1 unix_ms", "RETIRED")


def test_plugins_that_keep_to_the_contract_are_never_named(checked):
    """The plugins of the house, from sign-up to message, with every call checked."""
    before = checked.metric("sluice_plugin_wrong_calls_total")
    app = Account(checked.url).app("Tidy")
    app.server.post("/v1/channels/messaging/x/messages", {"text": "hi", "user_id": "alice"}, expect=201)
    app.user("alice").get("/v1/channels/messaging/x/messages", expect=200)
    app.set_plugin("chat", enabled=False)
    app.set_plugin("chat", enabled=True)
    app.server.get("/v1/channels/messaging/x/messages", expect=200)
    assert checked.metric("sluice_plugin_wrong_calls_total") == before


def test_without_the_option_a_wrong_call_is_refused_but_neither_named_nor_counted(sluice, probe_folder):
    gateway = sluice(with_plugins(probe_folder), ["--loops", 1])
    assert ask(gateway.port, get("/probe/elsewhere")).body == b"refused"
    assert gateway.metric("sluice_plugin_wrong_calls_total") == 0
