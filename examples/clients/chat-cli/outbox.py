"""What is to be sent: in its order, and again with the same id until the gateway has answered."""

import asyncio
import secrets
from collections import deque
from dataclasses import dataclass, field

from link import Link, Lost
from rest import Refused


@dataclass
class Entry:
    channel: str
    text: str
    # The gateway stores a message with an id of its sender's once, however often it is sent.
    id: str = field(default_factory=lambda: "cli-" + secrets.token_hex(16))


class Outbox:
    """`sent` and `refused` are called when the gateway has answered about an entry."""

    def __init__(self, link: Link, sent, refused):
        self.link, self.sent, self.refused = link, sent, refused
        self.entries: deque[Entry] = deque()
        self.is_empty = asyncio.Event()
        self.is_empty.set()
        self.wake = asyncio.Event()

    def add(self, entry: Entry):
        self.entries.append(entry)
        self.is_empty.clear()
        self.wake.set()

    async def run(self):
        """One at a time, so that they stay in their order: what is asked over a connection is done side by side."""
        pause = 0.5
        while True:
            await self.wake.wait()
            self.wake.clear()
            while self.entries and self.link.is_online:
                entry = self.entries[0]
                try:
                    message = await self.link.act("chat.send", channel=entry.channel, text=entry.text, id=entry.id)
                except Lost:
                    break
                except Refused as refusal:
                    if refusal.is_temporary:
                        await asyncio.sleep(pause)
                        pause = min(pause * 2, 10)
                        continue
                    self.refused(entry, refusal)
                else:
                    self.sent(entry, message)
                pause = 0.5
                self.entries.popleft()
            if not self.entries:
                self.is_empty.set()
