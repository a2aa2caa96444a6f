"""The conversation: the channel that is looked at, what is unread elsewhere, who writes, what is still to be sent."""

import asyncio
import time
from urllib.parse import quote

from channel import Channel, full
from link import Ended, Link, Lost
from outbox import Entry, Outbox
from rest import Refused, Rest
from terminal import clean

FIRST_PAGE = 20
# Pages of a hundred that are read of what was missed when the gateway's history has it no more.
PAGES = 10
# Seconds. The gateway passes on the same again after two.
WRITING_AGAIN, WRITING_FORGET = 2.5, 6


class Conversation:
    """All of it runs on the event loop. `display` shows what comes; see display.py."""

    def __init__(self, url: str, token, display, channel: str | None, joins: bool, is_lenient: bool):
        self.display, self.token = display, token
        self.rest = Rest(url, token)
        self.link = Link(url, token, self.opened, self.heard, self.state_changed)
        self.outbox = Outbox(self.link, self.sent, self.refused)
        self.channels: dict[str, Channel] = {}
        self.current = self.channel(full(channel)) if channel else None
        self.joins, self.is_lenient = joins, is_lenient
        self.has_failed = False
        self.state = ("connecting", 0.0)
        self.writers: dict[str, asyncio.TimerHandle] = {}
        self.seen, self.wrote = asyncio.Event(), asyncio.Event()
        # Channels whose last message has been shown, and not been said to have been read.
        self.unmarked: set[Channel] = set()
        self.written_at: float | None = None
        self.following = asyncio.Lock()
        self.asked: set[asyncio.Task] = set()

    def channel(self, name: str) -> Channel:
        return self.channels.setdefault(name, Channel(name))

    async def run(self):
        """Until the gateway ends it for good, which raises `Ended`."""
        tasks = [asyncio.create_task(each) for each in (self.link.run(), self.outbox.run(), self.mark(), self.tell_writing())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for each in done:
                each.result()
        finally:
            for each in (*tasks, *self.asked):
                each.cancel()

    # The connection

    def state_changed(self, word: str, seconds: float):
        self.state = (word, seconds)
        self.display.state(word, seconds)
        self.changed()

    async def opened(self):
        """The connection is there, for the first time or again."""
        try:
            try:
                await self.link.ask("subscribe", channel=f"#{self.link.user}")
            except Refused as refused:
                # Where the app has every connection listen to its user's own channel, all is well.
                if refused.code != "conflict":
                    raise
            await self.count()
            for channel in self.channels.values():
                channel.is_followed = False
            await self.look()
            self.outbox.wake.set()
        except Refused as refused:
            if refused.is_temporary:
                # As good as no connection: it is begun again.
                return await self.link.socket.close() if self.link.socket else None
            if not self.is_lenient:
                raise Ended(refused.detail) from None
            self.display.note(refused.detail)
            self.outbox.wake.set()
        except Lost:
            pass

    def heard(self, message: dict):
        kind, data = message["type"], message.get("data", {})
        match kind:
            case "system_message":
                self.heard_system(message)
            case "chat.unread":
                self.channel(data["channel"]).unread = data["unread"]
                self.display.unread(data["channel"], data["unread"])
            case "chat.typing":
                if data["user_id"] != self.link.user and self.current and data["channel"] == self.current.name:
                    self.display.typing(data)
                    self.writes(data["user_id"], data["active"])
            case _ if isinstance(data, dict) and data.get("channel") in self.channels:
                self.take(self.channels[data["channel"]], message)
        self.changed()

    def heard_system(self, message: dict):
        code, topic = message["code"], message.get("channel", "")
        channel = self.channels.get(topic.removeprefix("chat:"))
        if code == "token_expiring":
            self.start(self.renew(message["expires_at"]))
        elif channel and code in ("insufficient_state", "unsubscribed"):
            channel.is_followed = False
            self.display.note(message["detail"])
            if code == "insufficient_state":
                channel.epoch = None
                self.start(self.follow(channel))

    async def renew(self, until: str):
        if await self.token.renew():
            await self.link.ask("auth", token=self.token.value)
        else:
            self.display.note(f"the token is good until {until}")

    # Channels

    async def count(self):
        """What is unread. What is told meanwhile is newer."""
        before = {name: channel.unread for name, channel in self.channels.items()}
        unread = {each["channel"]: each["unread"] for each in await self.rest.every("/v1/unread")}
        for name in {*before, *unread}:
            channel = self.channel(name)
            count = unread.get(name, 0)
            if channel.unread == before.get(name, 0) != count:
                channel.unread = count
                self.display.unread(name, count)

    async def look(self):
        """Listens to the channel that is looked at."""
        if channel := self.current:
            if self.joins:
                await self.join(channel)
                self.joins = False
            await self.follow(channel)

    async def join(self, channel: Channel):
        type, _, id = channel.name.partition(":")
        await self.rest.post("/v1/channels", {"type": type, "id": id})
        await self.rest.post(f"{channel.path}/members", {"members": [self.link.user]})

    async def follow(self, channel: Channel):
        """Listens, from where it was if it has been here; what was missed is shown."""
        async with self.following:
            if channel.is_followed:
                return
            held: list[dict] = []
            # What comes in the same breath as the answer waits until the answer has been read.
            channel.held = held
            try:
                place = {"offset": channel.offset, "epoch": channel.epoch} if channel.epoch else {}
                answer = await self.link.ask("subscribe", channel=channel.topic, **place)
                if not (place and answer.get("recovered")):
                    await self.read(channel)
                    channel.offset, channel.epoch = answer["offset"], answer["epoch"]
                channel.is_followed = True
            except BaseException:
                # The next time goes on from where this one did.
                channel.held = None
                raise
            channel.held = None
            for event in held:
                self.take(channel, event)
            self.see(channel)

    async def read(self, channel: Channel):
        """Shows the newest messages; of a channel that was here before, those behind the last one."""
        path = f"{channel.path}/messages"
        if channel.last:
            try:
                after = channel.last["id"]
                for _ in range(PAGES):
                    page = await self.rest.get(path, after=after, limit=100)
                    self.show(channel, page["data"])
                    after = page["next"]
                    if after is None:
                        return
                self.display.note("more was missed than is shown here: /older does not go there")
            except Refused as refused:
                # The last one is gone, so that no place can be found behind it.
                if refused.code not in ("not_found", "invalid_request"):
                    raise
        self.show(channel, (await self.rest.get(path, limit=FIRST_PAGE))["data"][::-1])

    def show(self, channel: Channel, messages: list[dict]):
        for message in messages:
            if channel.show(message):
                self.display.event("message", message)

    def take(self, channel: Channel, event: dict):
        told = channel.take(event)
        if told and channel is self.current:
            self.display.event(*told)
        if told and told[0] == "message":
            self.writes(told[1]["user_id"], False)
            if channel is self.current:
                self.see(channel)

    async def open(self, name: str, joins=False):
        """Looks at another channel. The one before is left, and gone on with from there when it is opened again."""
        channel, before = self.channel(name), self.current
        self.current, self.joins = channel, joins
        for user in list(self.writers):
            self.writes(user, False)
        self.display.note(f"-- {name}")
        try:
            if before and before is not channel and before.is_followed:
                before.is_followed = False
                await self.link.ask("unsubscribe", channel=before.topic)
            await self.look()
        except Lost:
            pass  # With the next connection.

    # What the user does

    def start(self, work):
        """Does something that may be refused."""
        async def guarded():
            try:
                await work
            except (Refused, Lost) as failure:
                self.display.note(str(failure))
            self.changed()

        task = asyncio.create_task(guarded())
        self.asked.add(task)
        task.add_done_callback(self.asked.discard)

    def send(self, text: str):
        if self.current:
            self.written_at = None
            self.queue(Entry(self.current.name, text))
        else:
            self.display.note("in which channel? /open NAME")

    def queue(self, entry: Entry):
        self.outbox.add(entry)
        self.changed()

    def sent(self, entry: Entry, message: dict):
        self.display.sent(entry, message)
        self.changed()

    def refused(self, entry: Entry, refusal: Refused):
        self.has_failed = True
        self.display.refused(entry, refusal)
        self.changed()

    async def list(self):
        found = await self.rest.every("/v1/channels", sort="last_message")
        for each in found:
            count = self.channel(each["channel"]).unread
            self.display.note(f"{each['channel']}{f'  {count} unread' if count else ''}")
        if not found:
            self.display.note("you are a member of no channel: /join NAME")

    async def older(self):
        if self.current:
            query = {"before": next(iter(self.current.shown))} if self.current.shown else {}
            page = await self.rest.get(f"{self.current.path}/messages", limit=FIRST_PAGE, **query)
            self.display.note(f"-- {len(page['data'])} older")
            for message in page["data"][::-1]:
                self.display.event("message", message)
            for message in page["data"]:
                self.current.shown[message["id"]] = message["user_id"]
                self.current.shown.move_to_end(message["id"], last=False)

    def own(self) -> str:
        """The id of the last message of the user's own."""
        for id, user in reversed(self.current.shown.items() if self.current else ()):
            if user == self.link.user:
                return id
        raise Refused("not_found", "none of your messages is here")

    async def edit(self, text: str):
        await self.link.act("chat.edit", message_id=self.own(), text=text)

    async def delete(self):
        await self.link.act("chat.delete", message_id=self.own())

    async def react(self, word: str, reaction: str):
        if not (self.current and self.current.last):
            raise Refused("not_found", "there is no message here")
        await self.link.act(f"chat.{word}", message_id=self.current.last["id"], reaction=reaction)

    def see(self, channel: Channel):
        if channel.last:
            self.unmarked.add(channel)
            self.seen.set()

    async def mark(self):
        """Says what has been seen, once for all that comes together."""
        while True:
            await self.seen.wait()
            await asyncio.sleep(0.2)
            self.seen.clear()
            while self.unmarked:
                channel = self.unmarked.pop()
                try:
                    await self.link.act("chat.read", channel=channel.name, message_id=channel.last["id"])
                except (Refused, Lost):
                    pass  # With the next message, or the next connection.

    # Who writes

    def edited(self, text: str):
        self.written_at = time.monotonic() if text.strip() and not text.startswith("/") else None
        self.wrote.set()

    async def tell_writing(self):
        """As long as the user writes it is said again: not all of it is passed on."""
        while True:
            await self.wrote.wait()
            channel, is_said = self.current, False
            while channel and channel is self.current and self.written_at and time.monotonic() - self.written_at < WRITING_FORGET:
                self.wrote.clear()
                is_said = True
                await self.say_writing(channel, True)
                end = time.monotonic() + WRITING_AGAIN
                while self.written_at and (left := end - time.monotonic()) > 0:
                    try:
                        await asyncio.wait_for(self.wrote.wait(), left)
                        self.wrote.clear()
                    except TimeoutError:
                        break
            self.wrote.clear()
            if is_said:
                await self.say_writing(channel, False)

    async def say_writing(self, channel: Channel, active: bool):
        try:
            await self.link.act("chat.typing", channel=channel.name, active=active)
        except (Refused, Lost):
            pass

    def writes(self, user: str, active: bool):
        if user in self.writers:
            self.writers.pop(user).cancel()
        if active:
            self.writers[user] = asyncio.get_running_loop().call_later(WRITING_FORGET, self.writes, user, False)
        self.changed()

    # The prompt

    def changed(self):
        terminal = getattr(self.display, "terminal", None)
        if terminal:
            terminal.ask(self.prompt())

    def prompt(self) -> str:
        elsewhere = sum(channel.unread for channel in self.channels.values() if channel is not self.current)
        parts = [self.current.name if self.current else "no channel"]
        if self.state[0] != "online":
            parts.append("offline")
        if elsewhere:
            parts.append(f"{elsewhere} unread elsewhere")
        if self.outbox.entries:
            parts.append(f"{len(self.outbox.entries)} unsent")
        if self.writers:
            parts.append(f"{', '.join(self.writers)} writing")
        return clean(" · ".join(parts)).replace("\n", " ") + " > "
