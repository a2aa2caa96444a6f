"""Jobs that take long: a plugin that is being replaced has them to their end, and nobody else waits for that."""

import requests

from client import Account
from program import eventually
from sanitizer import SLOWNESS
from workshop import lay_out_own, with_plugins


def test_a_loop_goes_on_while_a_shard_that_closes_has_a_job(sluice, tmp_path):
    # One loop, so that whoever asks anything asks the one that the shard is on.
    gateway = sluice(with_plugins(lay_out_own(tmp_path / "plugins", "digger")), ["--loops", 1])
    app = Account(gateway.url).app("Digs")
    place = tmp_path / "place"
    place.mkdir()
    app.set_plugin("digger", enabled=True)
    dug = requests.post(f"{gateway.url}/digger", params={"app": app.id, "place": str(place)}, timeout=20 * SLOWNESS)
    assert dug.text == "digging"
    assert eventually(lambda: (place / "began").exists(), 60)

    # Nothing but the job keeps the former shards.
    for depth in range(1, 4):
        app.set_plugin("digger", enabled=True, config={"depth": depth})
        app.server.get("/v1/channels", expect=None)
    assert not (place / "ended").exists() and not (place / "closed").exists()

    (place / "enough").touch()
    assert eventually(lambda: (place / "closed").exists(), 60)
    assert (place / "ended").exists() and (place / "told").exists()
    assert gateway.is_running()


def test_an_app_goes_though_a_plugin_of_its_has_a_job(sluice, tmp_path):
    gateway = sluice(with_plugins(lay_out_own(tmp_path / "plugins", "digger")), ["--loops", 1])
    account = Account(gateway.url)
    app = account.app("Goes")
    app.set_plugin("digger", enabled=True)
    requests.post(f"{gateway.url}/digger", params={"app": app.id, "place": str(tmp_path)}, timeout=20 * SLOWNESS)
    assert eventually(lambda: (tmp_path / "began").exists(), 60)
    app.owner.call("DELETE", f"/v1/apps/{app.id}", expect=204)
    assert not (tmp_path / "ended").exists()
    account.app("Comes after it")
    (tmp_path / "enough").touch()
    assert eventually(lambda: (tmp_path / "closed").exists(), 60)
