"""Calls over Centrifugo's protocol: from its own SDK to whichever plugin declares the type."""

import asyncio

import pytest
from centrifuge import CentrifugeError

from program import Sluice
from sdk import connected
from test_isolation import StaticApp
from workshop import lay_out_own, with_plugins


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plugins")
    lay_out_own(folder, "doorman")
    app = StaticApp("acme")
    configuration = with_plugins(folder, tenants=[app.configuration()])
    configuration["tenants"][0]["plugins"]["doorman"] = {}
    gateway = Sluice(tmp_path_factory.mktemp("calls"), configuration, ["--loops", "1"]).start()
    gateway.app = app
    yield gateway
    assert gateway.stop() == 0


def refused(house, method: str, data, user="alice") -> CentrifugeError:
    async def play():
        async with connected(house, house.app.token(user)) as client:
            with pytest.raises(CentrifugeError) as refusal:
                await client.rpc(method, data)
            # The connection goes on.
            assert (await client.rpc("doorman.shout", {"text": "x"})).data[0] == user
            return refusal.value

    return asyncio.run(play())


def test_a_call_of_the_sdk_reaches_the_plugin_that_takes_it_with_its_sender(house):
    async def play():
        async with connected(house, house.app.token("alice")) as alice, connected(house, house.app.token("bob")) as bob:
            for client, user in ((alice, "alice"), (bob, "bob")):
                for number in range(3):
                    answer = await client.rpc("doorman.shout", {"text": f"äöü {number}"})
                    assert answer.data == [user, "doorman.shout", {"text": f"äöü {number}"}]
            assert (await alice.rpc("doorman.later", {})).data == "later"
            many = await asyncio.gather(*(alice.rpc("doorman.shout", {"text": str(n)}) for n in range(100)))
            assert [answer.data[2]["text"] for answer in many] == [str(n) for n in range(100)]

    asyncio.run(play())


@pytest.mark.parametrize("method, data, code, words", [
    ("doorman.unknown", {}, 104, "method not found"),
    ("", {}, 104, "method not found"),
    ("doorman.secret", {}, 103, "permission denied"),
    ("doorman.shout", {}, 107, "/text"),
    ("doorman.shout", {"text": "x" * 21}, 107, "/text"),
    ("doorman.shout", [1], 107, "object"),
    ("doorman.broken", {}, 409, ""),
    ("doorman.broken", {"long": True}, 100, "internal server error"),
])
def test_a_call_is_refused_with_the_protocols_code_and_what_is_wrong(house, method, data, code, words):
    refusal = refused(house, method, data)
    assert refusal.code == code and words in refusal.message, (refusal.code, refusal.message)
    assert refusal.temporary == (code == 100)
