#!/usr/bin/env python3
"""A chat at the command line: `chat.py --url http://127.0.0.1:8080 messaging:general`, with the user's token in SLUICE_TOKEN.

At a terminal lines are messages and /help tells the rest. In a pipe every line of the standard input is a message; it ends
when all of them are on the gateway's disk. README.md has the options and what the exit status means.
"""

import argparse
import asyncio
import os
import signal
import sys

try:
    import websockets.asyncio.client  # noqa: F401
except ModuleNotFoundError:
    sys.exit("chat: the package websockets is needed: pip install websockets (13 or later)")

from conversation import Conversation
from display import JSONLines, Lines, Screen
from feed import lines_of, obey
from link import Ended
from terminal import Terminal, clean
from token_source import TokenSource

GONE, REFUSED_TOKEN, UNSENT = 4, 3, 5


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("channel", nargs="?", help="type:id; without a type it is messaging")
    parser.add_argument("--url", default=os.environ.get("SLUICE_URL", "http://127.0.0.1:8080"), help="the gateway (or SLUICE_URL)")
    token = parser.add_mutually_exclusive_group()
    token.add_argument("--token-file", help="a file with the user's token, read again when the token has expired")
    token.add_argument("--token-command", help="a command that prints the user's token, run again when the token has expired")
    parser.add_argument("--join", action="store_true", help="make the channel if need be, and become its member")
    parser.add_argument("--json", action="store_true", help="lines of JSON on both sides, for programs")
    parser.add_argument("--follow", action="store_true", help="go on listening when the standard input has ended")
    parser.add_argument("--patience", type=float, default=30, metavar="SECONDS", help="how long unsent messages are waited for at the end (30)")
    options = parser.parse_args()
    if not options.url.startswith(("http://", "https://")):
        parser.error("--url begins with http:// or https://")
    options.url = options.url.rstrip("/")
    options.is_screen = sys.stdin.isatty() and sys.stdout.isatty() and not options.json
    if not options.channel and not options.is_screen and not options.json:
        parser.error("which channel?")
    return options


async def converse(options, token: TokenSource) -> int:
    display = Screen() if options.is_screen else JSONLines() if options.json else Lines()
    conversation = Conversation(options.url, token, display, options.channel, options.join, is_lenient=options.is_screen or options.json)
    leaving = asyncio.Event()
    hurry = asyncio.Event()

    def leave():
        (hurry if leaving.is_set() else leaving).set()

    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, leave)
    running = asyncio.create_task(conversation.run())
    try:
        if options.is_screen:
            with Terminal(lambda line: obey(conversation, line, leave), conversation.edited, leave) as display.terminal:
                conversation.changed()
                await until(running, leaving)
                await drain(conversation, running, hurry, options.patience)
            display.terminal = None
        else:
            feeding = asyncio.create_task(lines_of(conversation, options.json))
            if options.follow:
                await until(running, leaving)
            else:
                await until(running, leaving, feeding)
            feeding.cancel()
            await drain(conversation, running, hurry, options.patience)
        if running.done():
            running.result()
    except Ended as end:
        display.terminal = None
        print(f"chat: {clean(str(end))}", file=sys.stderr)
        code = REFUSED_TOKEN if end.is_token else GONE
    else:
        code = UNSENT if conversation.outbox.entries or conversation.has_failed else 0
    finally:
        display.terminal = None
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    for entry in conversation.outbox.entries:
        print(f"chat: not sent to {entry.channel}: {clean(entry.text)}", file=sys.stderr)
    return code


async def until(running: asyncio.Task, event: asyncio.Event, *others: asyncio.Task):
    """Until the conversation has ended, the event is there, or one of the others has come to its end."""
    waiting = asyncio.create_task(event.wait())
    await asyncio.wait({running, waiting, *others}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


async def drain(conversation: Conversation, running: asyncio.Task, hurry: asyncio.Event, patience: float):
    """Waits for what is not sent yet, but not for ever."""
    if running.done() or not conversation.outbox.entries:
        return
    others = {asyncio.create_task(conversation.outbox.is_empty.wait()), asyncio.create_task(hurry.wait())}
    # It is mentioned where it takes longer than a moment.
    moment = min(patience, 2)
    done, _ = await asyncio.wait({running, *others}, timeout=moment, return_when=asyncio.FIRST_COMPLETED)
    if not done:
        conversation.display.note(f"{len(conversation.outbox.entries)} not sent yet: waiting up to {patience:g} s")
        await asyncio.wait({running, *others}, timeout=patience - moment, return_when=asyncio.FIRST_COMPLETED)
    for each in others:
        each.cancel()


def main() -> int:
    options = parse()
    token = TokenSource(options.token_file, options.token_command)
    try:
        token.read()
    except ValueError as error:
        print(f"chat: {error}", file=sys.stderr)
        return REFUSED_TOKEN
    try:
        return asyncio.run(converse(options, token))
    except BrokenPipeError:
        # Whoever reads the output has gone.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    # Threads that still wait for the gateway hold up nobody.
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
