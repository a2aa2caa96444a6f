"""The command-line chat among the examples: at terminals and in pipes, over lost connections and a killed gateway."""

import json
import time

import pytest

from cable import Cable
from chatter import AtTerminal, Programmed, pipe
from client import mint
from program import eventually
from rooms import RECOVERED, TYPES, chatting, den, forgetful, path, room


@pytest.fixture(scope="module")
def app(platform):
    return forgetful(chatting(platform, "Command line", TYPES))


def listed(client, channel: str) -> list[str]:
    """The texts of a channel as REST has them, in their order."""
    return [message["text"] for message in client.get(path(channel, "/messages?limit=100"), expect=200).json()["data"]][::-1]


def say(client, channel: str, text: str, **more) -> str:
    return client.post(path(channel, "/messages"), {"text": text, **more}, expect=201).json()["id"]


def test_two_at_terminals_talk_and_see_each_other_write(platform, app):
    channel = den(app, "bob")
    with AtTerminal(platform, app.token("alice"), channel) as alice, AtTerminal(platform, app.token("bob"), channel) as bob:
        for each in (alice, bob):
            each.until(lambda: each.prompt == f"{channel} > ")
        alice.press("hel")
        # It may be over before anybody looks.
        bob.until(lambda: f"{channel} · alice writing > " in bob.written)
        alice.press("xx\x7f\x7flo\x1b[D\x1b[D\x1b[D\x1b[D\x1b[Doh, \n")
        bob.sees("alice: oh, hello")
        bob.until(lambda: bob.prompt == f"{channel} > ")
        bob.enter("Grüß dich, 👋 Alice")
        alice.sees("alice: oh, hello", "bob: Grüß dich, 👋 Alice")
        bob.enter("/react 👍")
        alice.until(lambda: "      bob reacts with 👍" in alice.lines)
        bob.enter("/edit hello, Alice")
        alice.until(lambda: "      bob has changed a message: hello, Alice" in alice.lines)
        bob.enter("/delete")
        alice.until(lambda: "      a message of bob has been deleted" in alice.lines)
        bob.enter("/nonsense")
        bob.until(lambda: any("/nonsense is no command" in line for line in bob.lines))
        bob.enter("/quit")
        assert bob.ends() == 0
        # Ctrl-D, and what was being written is left.
        alice.press("\x04")
        assert alice.ends() == 0
    assert listed(app.user("alice"), channel) == ["oh, hello"]


def test_what_is_unread_elsewhere_is_counted_and_a_channel_goes_on_where_it_was_left(platform, app):
    here, there = den(app, "bob"), den(app, "bob")
    alice = app.user("alice")
    with AtTerminal(platform, app.token("bob"), here) as bob:
        say(alice, here, "one")
        bob.sees("alice: one")
        say(alice, there, "two")
        bob.until(lambda: bob.prompt == f"{here} · 1 unread elsewhere > ")
        bob.enter(f"/open {there}")
        bob.sees("alice: one", "alice: two")
        bob.until(lambda: bob.prompt == f"{there} > ")
        for text in ("three", "four"):
            say(alice, here, text)
        bob.until(lambda: bob.prompt == f"{there} · 2 unread elsewhere > ")
        bob.enter("/list")
        bob.until(lambda: f"{here}  2 unread" in bob.lines)
        bob.enter(f"/open {here}")
        bob.sees("alice: one", "alice: two", "alice: three", "alice: four")
        bob.until(lambda: bob.prompt == f"{here} > ")
        # He has read all of it, for his other devices too.
        assert eventually(lambda: not app.user("bob").get("/v1/unread", expect=200).json()["data"], 60)


def test_after_kill_9_every_message_is_there_once_and_in_its_order(sluice):
    gateway = sluice()
    app = chatting(gateway, "Killed", TYPES)
    channel = den(app, "bob")
    with AtTerminal(gateway, app.token("alice"), channel) as alice, Programmed(gateway, app.token("bob"), channel) as bob:
        alice.enter("before")
        alice.sees("alice: before")
        bob.until(lambda: bob.texts == ["before"])
        gateway.kill()
        alice.until(lambda: "offline" in alice.prompt)
        bob.state("waiting")
        alice.enter("alice, while nobody was there")
        alice.until(lambda: alice.prompt == f"{channel} · offline · 1 unsent > ")
        bob.say(text="bob, while nobody was there", id="bob-1")
        gateway.start()
        for number in range(5):
            say(app.user("alice"), channel, f"after {number}")
        bob.state("online", times=2)
        bob.until(lambda: len(bob.texts) >= 8 and bob.of("sent"))
        alice.until(lambda: len(alice.texts) >= 8 and alice.prompt == f"{channel} > ")
        bob.say(text="and on it goes")
        bob.until(lambda: "and on it goes" in bob.texts)
        alice.until(lambda: "bob: and on it goes" in alice.texts)
        expected = listed(app.user("alice"), channel)
        assert len(expected) == 9 and expected[0] == "before"
        assert bob.texts == expected
        assert [text.split(": ", 1)[1] for text in alice.texts] == expected
        assert bob.of("sent")[0]["id"] == "bob-1"
        assert bob.finish() == 0


def test_what_was_missed_comes_once_whether_the_history_has_it_or_not(platform, app):
    channel = den(app, "bob")
    alice = app.user("alice")
    say(alice, channel, "first")
    with Cable(platform.port) as cable, Programmed(cable, app.token("bob"), channel) as bob:
        bob.until(lambda: bob.texts == ["first"])
        cable.cut()
        bob.state("waiting")
        gone, edited = say(alice, channel, "gone soon"), say(alice, channel, "a slip")
        alice.call("DELETE", f"/v1/messages/{gone}", expect=204)
        alice.call("PATCH", f"/v1/messages/{edited}", {"text": "corrected"}, expect=200)
        cable.mend()
        bob.until(lambda: bob.texts == ["first", "corrected"])
        cable.cut()
        bob.state("waiting", times=2)
        # More than is given to who comes back: it is read from the channel.
        for number in range(RECOVERED + 110):
            say(app.server, channel, f"number {number}", user_id="alice")
        cable.mend()
        expected = ["first", "corrected", *[f"number {number}" for number in range(RECOVERED + 110)]]
        bob.until(lambda: len(bob.texts) >= len(expected))
        say(alice, channel, "last")
        bob.until(lambda: bob.texts[-1] == "last")
        assert bob.texts == [*expected, "last"]


def test_an_answer_that_was_lost_has_the_message_sent_once(platform, app):
    channel = den(app, "bob")
    with Cable(platform.port) as cable, Programmed(cable, app.token("bob"), channel) as bob:
        bob.state("online")
        for number in range(20):
            bob.say(text=f"number {number}")
            if number % 5 == 4:
                # Wherever the message is by now: on its way, on disk, answered.
                cable.cut()
                cable.mend()
        bob.until(lambda: len(bob.of("sent")) == 20 and len(bob.texts) == 20)
        assert bob.texts == [f"number {number}" for number in range(20)]
        assert bob.finish() == 0
    assert listed(app.user("alice"), channel) == [f"number {number}" for number in range(20)]


def test_in_a_pipe_it_ends_when_all_is_on_disk(platform, app):
    channel = room()
    done = pipe(platform, app.token("bob"), channel, "--join", input="one\n\ntwo\n/three\n")
    assert done.returncode == 0, done.stderr
    assert listed(app.user("bob"), channel) == ["one", "two", "/three"]
    told = pipe(platform, app.token("bob"), channel, "--json", input='{"text":"four","id":"x"}\nnonsense\n[]\n{"text":5}\n{"text":"five"}\n')
    assert told.returncode == 5
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert [line["line"] for line in lines if "line" in line] == [2, 3, 4]
    assert [line["data"]["text"] for line in lines if line["type"] == "sent"] == ["four", "five"]
    again = pipe(platform, app.token("bob"), channel, "--json", input='{"text":"four","id":"x"}\n')
    assert again.returncode == 0
    assert listed(app.user("bob"), channel) == ["one", "two", "/three", "four", "five"]


def test_what_is_refused_says_why(platform, sluice, app):
    channel = den(app, "bob")
    closed = pipe(platform, app.token("eve"), channel, input="let me in\n")
    assert closed.returncode == 4 and f"chat: not sent to {channel}: let me in" in closed.stderr
    missing = pipe(platform, app.token("bob"), "private:nowhere", input="x\n")
    assert missing.returncode == 4 and "There is no channel private:nowhere." in missing.stderr
    expired = mint(app.signing_secret, app.id, "bob", exp=int(time.time()) - 3600)
    for token in (expired, "nonsense"):
        refused = pipe(platform, token, channel, input="x\n")
        assert refused.returncode == 3 and "chat: " in refused.stderr and "Traceback" not in refused.stderr
    none = pipe(platform, None, channel, input="x\n")
    assert none.returncode == 3 and "SLUICE_TOKEN" in none.stderr
    app.user("alice").call("PATCH", path(channel), {"frozen": True}, expect=200)
    frozen = pipe(platform, app.token("bob"), channel, input="x\n")
    assert frozen.returncode == 5 and "not sent" in frozen.stderr
    gone = sluice()
    gone.kill()
    away = pipe(gone, app.token("bob"), channel, "--patience", "1", input="x\n")
    assert away.returncode == 5 and f"chat: not sent to {channel}: x" in away.stderr


def test_a_token_that_has_expired_is_replaced_from_its_file(platform, app, tmp_path):
    channel = den(app, "bob")
    file = tmp_path / "token"
    file.write_text(mint(app.signing_secret, app.id, "bob", exp=int(time.time()) - 3600))
    # The command gives another one each time.
    count = tmp_path / "count"
    command = f"if [ -e {count} ]; then echo {app.token('bob')}; else touch {count}; cat {file}; fi"
    done = pipe(platform, None, channel, "--token-command", command, input="in\n")
    assert done.returncode == 0, done.stderr
    file.write_text(app.token("bob"))
    assert pipe(platform, None, channel, "--token-file", str(file), input="again\n").returncode == 0
    assert listed(app.user("bob"), channel) == ["in", "again"]


def test_without_its_package_it_says_what_to_install(platform, app):
    done = pipe(platform, app.token("bob"), "general", python=["-S"])
    assert done.returncode == 1 and "pip install websockets" in done.stderr and "Traceback" not in done.stderr


def test_nothing_that_a_terminal_would_obey_comes_through(platform, app):
    channel = den(app, "bob")
    with AtTerminal(platform, app.token("bob"), channel) as bob:
        bob.until(lambda: bob.prompt == f"{channel} > ")
        say(app.user("alice"), channel, "red \x1b[31m\x1b]0;title\x07 \x9b2J back\x08\x08\rover \u202ethgir\u202c")
        bob.until(lambda: bob.texts)
        say(app.user("alice"), channel, "two\nlines")
        bob.until(lambda: "      lines" in bob.lines)
        text = bob.texts[0]
        assert "title" in text and not any(each in text for each in "\x1b\x07\x9b\x08\r\u202e\u202c")
        assert "\x1b[31m" not in bob.written and "\x1b]" not in bob.written
