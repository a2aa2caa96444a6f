"""A plugin in C that runs what users of chat ask for by /word: `sluice.chat-command/1`."""

import pytest

from plain import Plain
from program import shared
from rooms import chatting, path, personal, room
from workshop import lay_out_own, with_plugins

COMMANDS = {
    "picture": {"description": "Find a picture", "args": "[words]"},
    "whisper": {"timeout_ms": 5000}, "hasty": {}, "nobody": {"timeout_ms": 50},
}
TYPES = {"messaging": {"open": True, "commands": COMMANDS}, "plain": {"open": True}, "private": {"commands": COMMANDS}}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, request):
    folder = lay_out_own(tmp_path_factory.mktemp("plugins"), "commander")
    yield from shared(tmp_path_factory.mktemp("commanded"), request, with_plugins(folder), ["--loops", "2"])


@pytest.fixture(scope="module")
def app(gateway):
    app = chatting(gateway, "Commands", TYPES)
    app.set_plugin("commander", enabled=True, config={})
    return app


def say(user, channel: str, text: str, expect: int, **members) -> dict:
    return user.post(path(channel, "/messages"), {"text": text, **members}, expect=expect).json()


def test_what_a_command_makes_of_a_message_is_what_everybody_sees(gateway, app):
    alice, channel = app.user("alice"), room()
    with Plain(gateway, app.token("bob")) as socket:
        personal(socket)
        socket.subscribe(f"chat:{channel}")
        made = say(alice, channel, "/picture   cats", 201)
        assert made["text"] == "cats!" and made["custom"] == {"by": "commander"}
        assert made["attachments"][0]["url"].endswith("/cats.png") and made["user_id"] == "alice"
        created, = socket.hear()
        assert created["type"] == "chat.message.created" and created["data"]["text"] == "cats!"
    assert say(alice, channel, "/picture", 201)["text"] == "nothing is there"
    assert [said["text"] for said in alice.get(path(channel, "/messages")).json()["data"]] == ["nothing is there", "cats!"]


def test_an_answer_to_its_user_alone_is_nobody_elses_and_kept_nowhere(gateway, app):
    channel = room()
    say(app.user("bob"), channel, "hello", 201)
    with Plain(gateway, app.token("alice")) as hers, Plain(gateway, app.token("bob")) as his:
        personal(hers), personal(his)
        his.subscribe(f"chat:{channel}")
        answered = say(app.user("alice"), channel, "/whisper now", 202)
        assert (answered["command"], answered["text"], answered["custom"]) == ("whisper", "psst", {"kind": "hint"})
        told, = hers.hear()
        assert (told["type"], told["channel"], told["data"]) == ("chat.command.replied", "#alice", answered)
        # Over a socket too; what comes behind it in the channel says that nothing came before.
        asked = hers.ask("chat.send", channel=channel, text="/whisper again")
        assert asked["type"] == "ack" and asked["data"]["text"] == "psst", asked
        say(app.user("bob"), channel, "what?", 201)
        assert his.hear()[0]["data"]["text"] == "what?"
    assert app.user("alice").get(f"/v1/messages/{answered['message_id']}").status_code == 404
    assert len(app.user("alice").get(path(channel, "/messages")).json()["data"]) == 2


def test_a_command_that_is_refused_or_not_run_sends_nothing(app):
    alice, channel = app.user("alice"), room()
    assert say(alice, channel, "/picture refuse", 403)["detail"] == "Not today."
    for text in ("/picture fail", "/picture babble", "/nobody is there", "/hasty is nobody's either"):
        refused = alice.post(path(channel, "/messages"), {"text": text}, expect=503)
        assert refused.json()["code"] == "plugin_unavailable" and int(refused.headers["retry-after"]) > 0
    assert say(alice, channel, "/picture be silent", 503)["code"] == "plugin_unavailable"
    assert alice.get(path(channel, "/messages")).json()["data"] == []


def test_what_is_no_command_is_said_as_it_is(app):
    alice, channel = app.user("alice"), room()
    for text in ("/unknown cats", "/ picture cats", "say /picture cats", "//picture", "/Picture cats"):
        assert say(alice, channel, text, 201)["text"] == text
    assert say(alice, "plain:general", "/picture cats", 201)["text"] == "/picture cats"
    assert say(app.server, channel, "/picture cats", 201, user_id="alice")["text"] == "/picture cats"
    # Who may not write there asks nobody.
    app.server.post("/v1/channels", {"type": "private", "id": "den", "members": ["bob"]}, expect=201)
    say(alice, "private:den", "/picture cats", 403)


def test_commands_are_listed_by_type(app):
    listed = app.user("alice").get("/v1/commands", params={"type": "messaging"}, expect=200).json()
    assert listed["next"] is None
    assert listed["data"][2] == {"type": "messaging", "name": "picture", "description": "Find a picture", "args": "[words]"}
    assert [command["name"] for command in listed["data"]] == ["hasty", "nobody", "picture", "whisper"]
    assert app.server.get("/v1/commands", params={"type": "plain"}, expect=200).json()["data"] == []
    assert len(app.server.get("/v1/commands", expect=200).json()["data"]) == 8
    app.server.get("/v1/commands", params={"type": "none"}, expect=404)
