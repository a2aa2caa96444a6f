"""Apps that move to a gateway that has not all that they use."""

from client import Account
from program import run
from test_control_plugins import ADDS, BREAKS, FIRST, Versions, seen, version
from workshop import with_plugins


def test_an_app_with_a_version_that_another_gateway_has_not_moves_there_when_it_may_have_the_standard_one(
    sluice, tmp_path
):
    versions = Versions(tmp_path)
    versions.install("0.1.0", "probe", [FIRST])
    versions.install("0.2.0", "probe@0.2.0", [FIRST, ADDS])
    gateway = sluice(with_plugins(versions.folder))
    app = Account(gateway.url).app("Moves")
    app.set_plugin("probe", enabled=True, version="0.2.0", config={"greeting": "kept"})
    seal = ("--seal-key", tmp_path / "key")
    done = run("tenant", "export", app.id, tmp_path / "file", *seal, "--data", gateway.data)
    assert done.returncode == 0, done.stderr
    elsewhere = Versions(tmp_path / "elsewhere")
    elsewhere.tmp_path.mkdir()
    elsewhere.install("0.1.0", "probe", [FIRST])
    other = sluice(with_plugins(elsewhere.folder))
    taken = ("tenant", "import", tmp_path / "file", *seal, "--data", other.data)
    refused = run(*taken)
    assert refused.returncode == 1 and "chosen probe@0.2.0" in refused.stderr and "--standard-versions" in refused.stderr
    done = run(*taken, "--standard-versions")
    assert done.returncode == 0 and "warning: probe@0.2.0 is not installed here" in done.stderr, done.stderr
    assert version(other, app) == "0.1.0" and seen(other, app)["greeting"] == "kept"
    planned = run("plan", app.id, "--config", other.configuration, "--data", other.data)
    assert "probe@0.1.0" in planned.stdout, planned.stdout + planned.stderr
    # Where it is installed the choice stays; data that only the newer can read stays away.
    back = run("tenant", "import", tmp_path / "file", *seal, "--replace", "--standard-versions", "--data", gateway.data)
    assert back.returncode == 0 and "warning" not in back.stderr and version(gateway, app) == "0.2.0", back.stderr
    versions.install("0.3.0", "probe@0.3.0", [FIRST, ADDS, BREAKS])
    gateway.reload()
    app.set_plugin("probe", enabled=True, version="0.3.0")
    assert version(gateway, app) == "0.3.0"
    done = run("tenant", "export", app.id, tmp_path / "newer", *seal, "--data", gateway.data)
    assert done.returncode == 0, done.stderr
    newer = ("tenant", "import", tmp_path / "newer", *seal, "--replace", "--standard-versions", "--data", other.data)
    refused = run(*newer)
    assert refused.returncode == 1 and "breaking" in refused.stderr, refused.stderr
    assert version(other, app) == "0.1.0"
