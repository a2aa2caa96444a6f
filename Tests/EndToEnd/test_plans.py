"""Plans that do not fit: without the one of new apps, too small for these, or taken away from apps that are on them."""

import json

from client import Account
from program import eventually, run
from test_quotas import over, plan, planned, usage
from workshop import with_plugins


def test_new_apps_that_would_begin_above_their_plan_are_refused_before_there_are_any(sluice):
    gateway = sluice(with_plugins(plans={"free": {"plugins": 1}, "paid": {}}), start=False)
    said = "/plans/free/plugins: new apps are on the plan \"free\", which allows 1, and begin with "
    for command in (["check"], ["serve", "--data", gateway.data]):
        done = run(*command, "--config", gateway.configuration)
        assert done.returncode == 1 and said in done.stderr, done.stderr


def test_the_operator_lists_the_apps_that_there_are(sluice):
    gateway = sluice(with_plugins(plans={"free": {}, "gold": {}}))
    account = Account(gateway.url)
    apps = [account.app(f"Listed {number}").id for number in range(2)]
    where = ("--config", gateway.configuration, "--data", gateway.data)
    assert run("tenant", "plan", apps[1], "gold", *where).returncode == 0

    def listed() -> list[dict]:
        done = run("tenant", "list", *where)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    tenants = {tenant["id"]: tenant for tenant in listed()}
    assert sorted(tenants) == sorted([*apps, "platform"]) == [tenant["id"] for tenant in listed()]
    assert [tenants[app]["plan"] for app in apps] == ["free", "gold"] and "plan" not in tenants["platform"]
    assert "chat" in tenants[apps[0]]["plugins"] and "control" in tenants["platform"]["plugins"]
    # The same where no gateway runs.
    running = listed()
    assert gateway.stop() == 0
    assert [tenant for tenant in listed() if tenant["id"] in apps] == [tenant for tenant in running if tenant["id"] in apps]


def test_plans_without_the_one_of_new_apps_are_refused_and_it_is_said_what_to_write(sluice):
    gateway = sluice(with_plugins(plans={"paid": {}}), start=False)
    for command in (["check"], ["serve", "--data", gateway.data]):
        done = run(*command, "--config", gateway.configuration)
        assert done.returncode == 1 and "/plans: there is no plan \"free\"; there are: paid" in done.stderr, done.stderr
        assert '"tenants", "platform", "plugins", "control", "config", "plan"' in done.stderr


def test_an_app_whose_plan_is_taken_away_is_told_of_and_held_to_what_new_apps_may_use(sluice):
    gateway, app = planned(sluice, free={"requests_per_month": 1}, paid={})
    plan(gateway, app, "paid")
    said = "1 app is on the plan \"paid\", which is none of \"plans\": what \"free\" allows holds for it"

    def check() -> str:
        done = run("check", "--config", gateway.configuration, "--data", gateway.data)
        assert done.returncode == 0, done.stderr
        return done.stderr

    def warned() -> int:
        return len([line for line in gateway.lines() if line.get("message") == said and line["apps"] == 1])

    assert said not in check() and warned() == 0
    configuration = json.loads(gateway.configuration.read_text())
    gateway.configuration.write_text(json.dumps({**configuration, "plans": {"free": {"requests_per_month": 1}}}))
    assert f"warning: {gateway.configuration}" in check() and said in check()
    assert gateway.reload()["message"] == "reloaded"
    assert eventually(lambda: warned() == 1)
    assert eventually(lambda: over(app.server.get("/v1/users"), "requests_per_month"))
    assert usage(app)["plan"] == "paid"
    gateway.kill()
    gateway.start()
    assert eventually(lambda: warned() == 2)
    assert over(app.server.get("/v1/users"), "requests_per_month")
