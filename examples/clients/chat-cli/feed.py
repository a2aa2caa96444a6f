"""What the user says: commands and messages at a terminal, or lines from a pipe."""

import asyncio
import json
import sys
import threading

from channel import full
from conversation import Conversation
from outbox import Entry
from rest import Refused

HELP = """\
/open NAME    look at another channel            /join NAME    also become its member, and make it if need be
/list         your channels and what is unread   /older        twenty messages more
/edit TEXT    change your last message           /delete       delete it
/react EMOJI  react to the last message          /unreact EMOJI
/quit         or Ctrl-D                          //TEXT        a message that begins with a slash"""


def obey(conversation: Conversation, line: str, leave):
    """A line from a terminal."""
    line = line.strip()
    if not line:
        return
    if not line.startswith("/") or line.startswith("//"):
        return conversation.send(line.removeprefix("/") if line.startswith("//") else line)
    word, _, rest = line.partition(" ")
    rest = rest.strip()
    match word:
        case "/quit":
            leave()
        case "/help":
            conversation.display.note(HELP)
        case "/open" | "/join" if rest:
            conversation.start(conversation.open(full(rest), joins=word == "/join"))
        case "/list":
            conversation.start(conversation.list())
        case "/older":
            conversation.start(conversation.older())
        case "/edit" if rest:
            conversation.start(conversation.edit(rest))
        case "/delete":
            conversation.start(conversation.delete())
        case "/react" | "/unreact" if rest:
            conversation.start(conversation.react(word[1:], rest))
        case _:
            conversation.display.note(f"{word} is no command, or lacks something: /help")


async def lines_of(conversation: Conversation, is_json: bool):
    """Every line of the standard input, to its end. It is read on a thread, as a file cannot be waited for."""
    lines: asyncio.Queue = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read():
        for line in sys.stdin.buffer:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, daemon=True).start()
    number = 0
    while (line := await lines.get()) is not None:
        number += 1
        try:
            text = line.decode().strip("\r\n")
            await (take(conversation, json.loads(text)) if is_json else say(conversation, text))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            conversation.has_failed = True
            conversation.display.note(f"line {number} is not understood: {error}", line=number)
        except Refused as refused:
            conversation.has_failed = True
            conversation.display.note(refused.detail, line=number)


async def say(conversation: Conversation, text: str):
    if text.strip():
        conversation.send(text)


async def take(conversation: Conversation, told: dict):
    """{"text", "channel"?, "id"?}, or {"open": NAME}."""
    if "open" in told:
        return await conversation.open(full(told["open"]), joins=bool(told.get("join")))
    channel = told.get("channel") or (conversation.current.name if conversation.current else None)
    if not channel:
        raise ValueError("in which channel?")
    if not isinstance(told["text"], str):
        raise ValueError("text is a string")
    conversation.queue(Entry(full(channel), told["text"], **({"id": str(told["id"])} if "id" in told else {})))
