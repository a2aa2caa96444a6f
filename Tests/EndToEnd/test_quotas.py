"""Plans: what an app may use, what it has used hour by hour, and how much one user may ask."""

import contextlib
import datetime
import json
import sqlite3

import pytest
import requests
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from client import Account, Client, mint
from plain import Plain
from program import eventually, run
from workshop import with_plugins

MESSAGES = "/v1/channels/messaging/general/messages"


def planned(sluice, loops=2, limits=None, **plans):
    """A gateway with these plans, and an app on the plan `free`, which has no bounds unless it is among them."""
    gateway = sluice(with_plugins(plans={"free": {}, **plans}), ["--loops", str(loops)], limits=limits)
    return gateway, Account(gateway.url).app("Planned")


def usage(app, **query) -> dict:
    return app.owner.get(f"/v1/apps/{app.id}/usage", params=query, expect=200).json()


def used(app, quota: str) -> int:
    return next(one["used"] for one in usage(app)["quotas"] if one["quota"] == quota)


def total(app, what: str) -> int:
    return sum(hour[what] for hour in usage(app)["data"])


def over(answer, quota: str) -> bool:
    """Whether an answer says that this quota is used up, and how."""
    if answer.status_code != 403:
        return False
    problem = answer.json()
    assert problem["code"] == "quota_exceeded"
    assert [error["pointer"] for error in problem["errors"]] == [f"/quotas/{quota}"] and "limit" in problem["errors"][0]["message"]
    return True


def plan(gateway, app, name: str, code=0) -> str:
    done = run("tenant", "plan", app.id, name, "--data", gateway.data)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_what_an_app_uses_is_told_by_the_hour_and_kept_over_an_orderly_end(sluice):
    gateway, app = planned(sluice)
    before = total(app, "requests")
    for _ in range(25):
        app.server.get("/v1/users", expect=200)
    assert total(app, "requests") == before + 25
    with connect(f"{gateway.socket_url}/ws?token={app.token('alice')}", proxy=None) as one:
        with connect(f"{gateway.socket_url}/ws?token={app.token('bob')}", proxy=None):
            for number in range(7):
                one.send(json.dumps({"type": "history", "id": number, "channel": "chat:messaging:general"}))
            assert eventually(lambda: total(app, "messages") == 7)
            assert used(app, "connections") == 2
    assert eventually(lambda: used(app, "connections") == 0)
    known = usage(app)
    assert max(hour["connections"] for hour in known["data"]) == 2 and known["plan"] == "free"
    assert known["next"] is None
    counted = total(app, "requests")
    assert gateway.stop() == 0
    gateway.start()
    assert total(app, "requests") == counted


def test_what_is_kept_survives_kill_9(sluice):
    gateway, app = planned(sluice)
    for _ in range(5):
        app.server.get("/v1/users", expect=200)
    counted = total(app, "requests")  # it is on disk when it is told
    assert counted >= 5
    gateway.kill()
    gateway.start()
    assert total(app, "requests") == counted


def test_hours_are_chosen_by_their_beginning(sluice):
    gateway, app = planned(sluice)
    app.server.get("/v1/users", expect=200)
    now = datetime.datetime.now(datetime.timezone.utc)
    tomorrow, yesterday = (
        (now + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ") for days in (1, -2))
    assert usage(app, **{"from": tomorrow, "to": tomorrow})["data"] == []
    assert usage(app, **{"from": yesterday, "to": tomorrow})["data"] != []
    app.owner.get(f"/v1/apps/{app.id}/usage", params={"from": tomorrow, "to": yesterday}, expect=400)
    app.owner.get(f"/v1/apps/{app.id}/usage", params={"from": "yesterday"}, expect=400)
    Account(gateway.url).get(f"/v1/apps/{app.id}/usage", expect=404)


def test_requests_beyond_the_plan_are_refused_on_every_loop_and_others_are_not_affected(sluice):
    gateway, app = planned(sluice, free={"requests_per_month": 30})
    other = Account(gateway.url).app("Other")

    def ask():
        return Client(gateway.url, app.secret).get("/v1/users")

    # A loop adds up once a second: the bound may be passed by as much.
    assert eventually(lambda: over(ask(), "requests_per_month"), pause=0.01)
    assert eventually(lambda: all(over(ask(), "requests_per_month") for _ in range(8)))
    other.server.get("/v1/users", expect=200)
    counted = total(app, "requests")
    assert counted >= 30
    ask()
    assert total(app, "requests") == counted
    assert gateway.metric("sluice_quotas_exceeded_total") >= 8
    gateway.kill()
    gateway.start()
    assert over(ask(), "requests_per_month")


def test_the_operator_puts_an_app_on_another_plan(sluice):
    gateway, app = planned(sluice, free={"requests_per_month": 1}, paid={})
    ask = lambda: app.server.get("/v1/users")  # noqa: E731
    assert eventually(lambda: over(ask(), "requests_per_month"))
    assert "there is no plan" in plan(gateway, app, "nonsense", code=1)
    assert over(ask(), "requests_per_month")
    plan(gateway, app, "paid")
    assert usage(app)["plan"] == "paid"
    assert eventually(lambda: ask().status_code == 200)
    gateway.kill()
    gateway.start()
    assert usage(app)["plan"] == "paid"
    assert ask().status_code == 200


def of_new_apps(plan: str, **plans) -> dict:
    """A configuration in which new apps are on this one of the plans."""
    platform = {"id": "platform", "plugins": {"auth": {}, "control": {"config": {"plan": plan}}}}
    return with_plugins(plans=plans, tenants=[platform])


def shown(app) -> set[str]:
    """What the control plane says which plan an app is on, wherever it does."""
    apps = app.owner.get("/v1/apps", expect=200).json()["data"]
    listed = next(one["plan"] for one in apps if one["id"] == app.id)
    return {listed, app.owner.get(f"/v1/apps/{app.id}", expect=200).json()["plan"], usage(app)["plan"]}


def test_a_new_app_is_on_the_plan_of_new_apps_and_the_control_plane_tells_which_it_is_on_now(sluice, tmp_path):
    gateway = sluice(of_new_apps("trial", free={}, trial={"connections": 1}, paid={}), ["--loops", "2"])
    made = Account(gateway.url).post("/v1/apps", {"name": "New"}, expect=201).json()
    assert made["plan"] == "trial"
    app = Account(gateway.url).app("Planned")
    assert shown(app) == {"trial"}
    target = f"{gateway.socket_url}/ws?token={app.token('alice')}"
    with connect(target, proxy=None), pytest.raises(InvalidStatus) as refused:
        connect(target, proxy=None)
    assert refused.value.response.status_code == 403
    plan(gateway, app, "paid")
    assert shown(app) == {"paid"}
    gateway.kill()
    gateway.start()
    assert shown(app) == {"paid"}
    # What an import puts it on is told as well.
    done = run("tenant", "export", app.id, tmp_path / "file", "--data", gateway.data)
    assert done.returncode == 0, done.stderr
    done = run("tenant", "import", tmp_path / "file", "--replace", "--plan", "free", "--data", gateway.data)
    assert done.returncode == 0, done.stderr
    assert shown(app) == {"free"}
    # Where no gateway runs the plans are those of the configuration, and it holds from the next start on.
    gateway.stop()
    where = ("--config", gateway.configuration, "--data", gateway.data)
    done = run("tenant", "plan", app.id, "trial", *where)
    assert done.returncode == 0 and "warning" not in done.stderr, done.stderr
    for wrong in ((app.id, "gold"), ("app_none", "paid"), ("platform", "paid")):
        assert run("tenant", "plan", *wrong, *where).returncode == 1
    gateway.start()
    assert shown(app) == {"trial"}
    with connect(target, proxy=None), pytest.raises(InvalidStatus) as refused:
        connect(target, proxy=None)
    assert refused.value.response.status_code == 403


def test_a_plan_of_new_apps_that_is_none_is_refused_with_those_that_there_are(sluice):
    gateway = sluice(of_new_apps("gold", free={}, golf={}), start=False)
    said = "/tenants/0/plugins/control/config/plan: there is no plan \"gold\"; there are: free, golf (did you mean \"golf\"?)"
    checked = run("check", "--config", gateway.configuration)
    assert checked.returncode == 1 and said in checked.stderr, checked.stderr
    served = run("serve", "--config", gateway.configuration, "--data", gateway.data)
    assert served.returncode != 0 and said in served.stderr, served.stderr
    right = of_new_apps("golf", free={}, golf={})
    configuration = json.loads(gateway.configuration.read_text())
    gateway.configuration.write_text(json.dumps({**configuration, "tenants": right["tenants"]}))
    gateway.start()
    # A reload that takes the plan away is refused whole.
    gateway.configuration.write_text(json.dumps({**configuration, "tenants": right["tenants"], "plans": {"free": {}}}))
    assert "there is no plan" in str(gateway.reload()["problems"])
    assert Account(gateway.url).post("/v1/apps", {"name": "New"}, expect=201).json()["plan"] == "golf"


def test_an_app_that_is_exported_comes_with_its_plan(sluice, tmp_path):
    gateway, app = planned(sluice, paid={"connections": 7})
    plan(gateway, app, "paid")
    seal = ("--seal-key", tmp_path / "key")
    done = run("tenant", "export", app.id, tmp_path / "file", *seal, "--data", gateway.data)
    assert done.returncode == 0, done.stderr

    def kept(other) -> str | None:
        with contextlib.closing(sqlite3.connect(other.data / "control.sqlite")) as database:
            row = database.execute("SELECT plan FROM sluice_tenant_plans WHERE tenant = ?", (app.id,)).fetchone()
            return row and row[0]

    with_plan, without, stopped = planned(sluice, paid={"connections": 1})[0], planned(sluice)[0], planned(sluice, paid={})[0]
    stopped.stop()
    refused = run("tenant", "import", tmp_path / "file", *seal, "--data", without.data)
    assert refused.returncode == 1 and "there are: free" in refused.stderr and "--plan" in refused.stderr, refused.stderr
    for other, more, name in ((with_plan, (), "paid"), (without, ("--plan", "free"), "free")):
        done = run("tenant", "import", tmp_path / "file", *seal, *more, "--data", other.data)
        assert done.returncode == 0, done.stderr
        assert kept(other) == name
    # In force at once, with what the plan is there.
    with connect(f"{with_plan.socket_url}/ws?token={mint(app.signing_secret, app.id, 'a')}", proxy=None):
        with pytest.raises(InvalidStatus) as over_plan:
            connect(f"{with_plan.socket_url}/ws?token={mint(app.signing_secret, app.id, 'b')}", proxy=None)
    assert over_plan.value.response.status_code == 403
    done = run("tenant", "import", tmp_path / "file", *seal, "--config", stopped.configuration, "--data", stopped.data)
    assert done.returncode == 0, done.stderr
    assert kept(stopped) == "paid"


def test_messages_beyond_the_plan_close_the_socket(sluice):
    gateway, app = planned(sluice, free={"messages_per_month": 5})
    with connect(f"{gateway.socket_url}/ws?token={app.token('alice')}", proxy=None) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            for _ in range(600):
                socket.send(json.dumps({"type": "history", "id": "1", "channel": "chat:messaging:general"}))
                try:
                    while True:
                        socket.recv(0.02)
                except TimeoutError:
                    pass
    assert closed.value.rcvd.code == 1008 and "messages_per_month" in closed.value.rcvd.reason
    refused = requests.get(
        f"{gateway.url}/ws", params={"token": app.token("alice")},
        headers={"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                 "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
    assert over(refused, "messages_per_month")


def test_who_shows_the_public_key_uses_up_nothing_of_the_plan(sluice):
    gateway, app = planned(sluice, free={"requests_per_month": 20})
    stranger = Client(gateway.url, app.key)
    for _ in range(40):
        stranger.post("/v1/guests", {}, expect=403)
    app.server.get("/v1/users", expect=200)
    assert eventually(lambda: total(app, "requests") >= 1) and total(app, "requests") < 20


def test_an_app_whose_file_is_full_still_reads_and_deletes(sluice):
    gateway, app = planned(sluice, free={"storage_bytes": 2_000_000})
    made = []

    def write():
        answer = app.server.post(MESSAGES, {"text": "x" * 4000, "user_id": "alice"})
        if answer.status_code == 201:
            made.append(answer.json()["id"])
        return over(answer, "storage_bytes")

    def fills() -> bool:
        """Writes some; the file is looked at when its usage is asked for."""
        return any(write() for _ in range(20)) or used(app, "storage_bytes") < 0

    assert used(app, "storage_bytes") < 1_000_000
    assert eventually(fills, 60)
    assert used(app, "storage_bytes") >= 2_000_000
    app.server.get(MESSAGES, expect=200)
    # What makes it no more, and what is needed to take rights away.
    app.server.post("/v1/users/alice/revoke", expect=200)
    app.server.post("/v1/disconnect", {"user": "alice"}, expect=200)
    app.server.post("/v1/sync", {"user_id": "alice"}, expect=200)
    app.server.call("PUT", "/v1/bans/mallory", {"seconds": 60}, expect=200)
    assert used(app, "storage_bytes") >= 2_000_000
    for message in made:
        app.server.call("DELETE", f"/v1/messages/{message}", expect=204)
    # What was deleted counts no more.
    assert used(app, "storage_bytes") < 2_000_000
    assert eventually(lambda: not write(), 60)


def test_sockets_of_an_app_whose_file_is_full_write_nothing_more_and_go_on_reading(sluice):
    gateway, app = planned(sluice, free={"storage_bytes": 400_000})
    app.set_plugin("realtime", enabled=True, config={"without_namespace": {"publish_for_client": "users", "history_for_client": "users"}})
    made = app.server.post(MESSAGES, {"text": "first", "user_id": "alice"}, expect=201).json()["id"]
    with connect(f"{gateway.socket_url}/ws?token={app.token('alice')}", proxy=None) as socket, \
            connect(f"{gateway.socket_url}/connection/websocket", proxy=None) as protocol:
        numbers = iter(range(1, 100_000))

        def say(type, **members) -> dict:
            number = str(next(numbers))
            socket.send(json.dumps({"type": type, "id": number, **members}))
            while True:
                answer = json.loads(socket.recv(20))
                if answer.get("id") == number and answer["type"] in ("ack", "error"):
                    return answer

        def command(**members) -> dict:
            number = next(numbers)
            protocol.send(json.dumps({"id": number, **members}))
            while True:
                for line in protocol.recv(20).splitlines():
                    if json.loads(line).get("id") == number:
                        return json.loads(line)

        assert "connect" in command(connect={"token": app.token("bob")})
        assert say("chat.send", channel="messaging:general", text="x")["type"] == "ack"
        assert say("publish", channel="room", data=1)["type"] == "ack"
        def fill() -> dict:
            """Until the socket is refused."""
            return eventually(
                lambda: (answer := say("publish", channel=f"room-{next(numbers)}", data="x" * 4000))["type"] == "error" and answer,
                60, pause=0.02)

        def refused(ask) -> dict:
            """What is refused while the file is full."""
            return eventually(lambda: fill() and ask(), 60)

        assert fill()["code"] == "quota_exceeded"
        sent = {"channel": "messaging:general", "text": "x"}
        full = refused(lambda: (answer := say("chat.send", **sent))["type"] == "error" and answer)
        assert full["code"] == "quota_exceeded" and "storage_bytes" in full["detail"], full
        asked = [{"publish": {"channel": "room", "data": 1}}, {"rpc": {"method": "chat.send", "data": sent}}]
        for members in asked:
            assert refused(lambda: command(**members).get("error"))["code"] == 106
        assert refused(lambda: over(app.server.post(MESSAGES, {"text": "x", "user_id": "alice"}), "storage_bytes"))
        assert say("history", channel="room")["type"] == "ack"
        assert say("chat.typing", channel="messaging:general")["type"] == "ack"
        assert say("chat.delete", message_id=made)["type"] == "ack"
    assert gateway.metric("sluice_quotas_exceeded_total") >= 5


def test_an_app_switches_on_as_many_plugins_as_its_plan_allows(sluice):
    configuration = with_plugins(plans={"free": {"plugins": 2}})
    configuration["plugins"]["enabled"] = ["control", "auth", "realtime"]
    gateway = sluice(configuration)
    app = Account(gateway.url).app("Planned")
    refused = app.set_plugin("chat", expect=403, enabled=True).json()
    assert refused["code"] == "quota_exceeded" and "2 plugins" in refused["detail"]
    # One that is on may be set anew.
    app.set_plugin("realtime", enabled=True, config={})
    assert used(app, "plugins") == 2


def test_plans_change_with_a_reload(sluice):
    gateway, app = planned(sluice, free={"requests_per_month": 1})
    assert eventually(lambda: over(app.server.get("/v1/users"), "requests_per_month"))
    configuration = json.loads(gateway.configuration.read_text())
    gateway.configuration.write_text(json.dumps({**configuration, "plans": {"free": {}}}))
    assert gateway.reload()["message"] == "reloaded"
    assert eventually(lambda: app.server.get("/v1/users").status_code == 200)


@pytest.mark.limit("user_requests_per_second")
def test_a_user_beyond_the_rate_is_refused_over_all_loops_and_other_users_are_not(sluice):
    gateway, app = planned(sluice, limits={"user_requests_per_second": 1})
    gateway.breaches("user_requests_per_second")
    alice, bob = app.token("alice"), app.token("bob")
    # Over connections of their own, so on every loop.
    refused = eventually(
        lambda: [answer for _ in range(8) if (answer := Client(gateway.url, alice).get("/v1/channels")).status_code != 200])
    assert refused and {answer.status_code for answer in refused} == {429}
    assert refused[0].json()["code"] == "rate_limited" and "user" in refused[0].json()["detail"]
    assert int(refused[0].headers["retry-after"]) >= 1
    rate = [refused[0].headers[f"x-ratelimit-{name}"] for name in ("limit", "remaining", "reset")]
    assert rate == ["1", "0", refused[0].headers["retry-after"]]
    Client(gateway.url, bob).get("/v1/channels", expect=200)
    app.server.get("/v1/users", expect=200)
    gateway.breaches("user_requests_per_second")


@pytest.mark.limit("user_requests_per_second")
def test_what_a_user_says_on_a_socket_counts_as_what_he_asks(sluice):
    gateway, app = planned(sluice, limits={"user_requests_per_second": 1})
    before = gateway.breaches("user_requests_per_second")
    with Plain(gateway, app.token("alice")) as alice:
        # One a second: not all of so many can come a second apart.
        answers = []
        while not answers or answers[-1]["type"] == "ack":
            assert len(answers) < 500
            answers.append(alice.ask("chat.send", channel="messaging:general", text="hello"))
    assert answers[-1]["code"] == "rate_limited" and "This user" in str(answers[-1]), answers[-1]
    assert gateway.breaches("user_requests_per_second") > before
