"""The connection to the gateway's /ws, opened again whenever it is lost."""

import asyncio
import itertools
import json
import random
import time

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException

from rest import Refused, problem

# Seconds until an answer must be there. A gateway that is alive answers much sooner.
ANSWER = 20
LONGEST_PAUSE = 15


class Lost(Exception):
    """The connection went before the answer came: whether it was done is not known."""


class Ended(Exception):
    """The gateway does not want the client back, or not with this token."""

    def __init__(self, detail: str, is_token=False):
        super().__init__(detail)
        self.is_token = is_token


class Link:
    """Says things in JSON, each with an id that comes back with its answer, and hands on what comes unasked.

    `opened` is called when the connection is there, for the first time or again, and may ask. `heard` is called with each
    message that is no answer, in their order. `changed` is called with a word and seconds: "connecting", "online", or
    "waiting" and for how long.
    """

    def __init__(self, url: str, token, opened, heard, changed):
        self.url = url.replace("http", "ws", 1) + "/ws"
        self.token, self.opened, self.heard, self.changed = token, opened, heard, changed
        self.socket = None
        self.user: str | None = None
        self.ids = itertools.count(1)
        self.waiting: dict[int, asyncio.Future] = {}

    @property
    def is_online(self) -> bool:
        return self.socket is not None

    async def ask(self, type: str, **members) -> dict:
        """Says something and returns its `ack`. Raises `Refused` when the answer is an error, `Lost` when none comes."""
        if not self.socket:
            raise Lost("There is no connection.")
        id, socket = next(self.ids), self.socket
        answer = self.waiting[id] = asyncio.get_running_loop().create_future()
        try:
            await socket.send(json.dumps({"type": type, "id": id, **members}))
            return await asyncio.wait_for(answer, ANSWER)
        except TimeoutError:
            await socket.close()
            raise Lost("The gateway does not answer.") from None
        except WebSocketException:
            raise Lost("The connection was lost.") from None
        finally:
            self.waiting.pop(id, None)

    async def act(self, type: str, **data) -> dict:
        """An action of chat. Its data stand apart, since a message has an `id` of its own."""
        return (await self.ask(type, data=data)).get("data", {})

    async def run(self):
        """Stays connected until the gateway ends it for good, which raises `Ended`."""
        attempts = 0
        while True:
            since = time.monotonic()
            try:
                await self._converse()
                if time.monotonic() - since > 5:
                    attempts = 0
            except Ended as end:
                # Another token than the one that was refused may be there by now.
                if not (end.is_token and await self.token.renew()):
                    raise
            # Those whose connections end together do not come back together.
            pause = min(LONGEST_PAUSE, 0.4 * 2**attempts) * random.uniform(0.5, 1)
            attempts += 1
            self.changed("waiting", pause)
            await asyncio.sleep(pause)

    async def _converse(self):
        """One connection from its beginning to its end."""
        self.changed("connecting", 0)
        opening = None
        self.refusal = None
        try:
            # Its own pings notice a connection at whose other end nobody is any more.
            async with connect(self.url, additional_headers={"Authorization": f"Bearer {self.token.value}"}) as socket:
                async for text in socket:
                    message = json.loads(text)
                    if message["type"] == "handshake_validation":
                        self.socket, self.user = socket, message["user_id"]
                        self.changed("online", 0)
                        opening = asyncio.create_task(self.opened())
                        # What goes wrong there ends the connection.
                        opening.add_done_callback(lambda task, socket=socket: self._close_after(task, socket))
                    else:
                        await self._take(socket, message)
        except InvalidStatus as refused:
            status, body = refused.response.status_code, refused.response.body
            if 400 <= status < 500 and status not in (408, 429):
                raise Ended(problem(status, body).detail, is_token=status == 401) from None
        except (OSError, TimeoutError, InvalidHandshake, WebSocketException):
            pass
        finally:
            self.socket = None
            for answer in self.waiting.values():
                if not answer.done():
                    answer.set_exception(Lost("The connection was lost."))
            if opening:
                opening.cancel()
                await asyncio.wait({opening})
        if opening and not opening.cancelled() and (failure := opening.exception()):
            raise failure
        code = socket.close_code if "socket" in locals() else None
        if code and (3500 <= code < 4000 or 4500 <= code < 5000):
            raise Ended(self.refusal or f"The gateway has ended the connection: {socket.close_reason or code}.", is_token=code == 3500)

    def _close_after(self, opening: asyncio.Task, socket):
        if not opening.cancelled() and opening.exception():
            self.closing = asyncio.create_task(socket.close())

    async def _take(self, socket, message: dict):
        match message["type"]:
            case "ping":
                await socket.send('{"type":"pong"}')
            case "ack" | "error" | "pong":
                answer = self.waiting.get(message.get("id"))
                if answer is None:
                    if message.get("code") == "AUTH_REQUIRED":
                        self.refusal = message["detail"]
                elif not answer.done():
                    if message["type"] == "error":
                        answer.set_exception(Refused(message["code"], message["detail"]))
                    else:
                        answer.set_result(message)
            case _:
                self.heard(message)
