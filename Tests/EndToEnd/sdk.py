"""Centrifugo's own SDK for Python as a client of the gateway."""

import asyncio
import contextlib

from centrifuge import Client, PublicationContext, SubscribedContext

PATIENCE = 10


def connection(gateway, token: str, **options) -> Client:
    """A client that is not connected yet."""
    return Client(f"{gateway.socket_url}/connection/websocket", token=token, max_reconnect_delay=0.5, **options)


@contextlib.asynccontextmanager
async def connected(gateway, token: str, **options):
    client = connection(gateway, token, **options)
    await client.connect()
    await client.ready(timeout=PATIENCE)
    try:
        yield client
    finally:
        await client.disconnect()


class Listening:
    """A subscription that keeps what it hears."""

    def __init__(self, client: Client, channel: str, **options):
        self.publications: asyncio.Queue = asyncio.Queue()
        self.joined: asyncio.Queue = asyncio.Queue()
        self.left: asyncio.Queue = asyncio.Queue()
        self.subscribed: asyncio.Queue[SubscribedContext] = asyncio.Queue()
        self.unsubscribed: asyncio.Queue[int] = asyncio.Queue()
        self.subscription = client.new_subscription(channel, **options)
        events = self.subscription.events
        events.on_publication = self._heard
        events.on_subscribed = self.subscribed.put
        events.on_unsubscribed = lambda context: self.unsubscribed.put(context.code)
        events.on_join = lambda context: self.joined.put(context.info.client)
        events.on_leave = lambda context: self.left.put(context.info.client)

    async def _heard(self, context: PublicationContext):
        await self.publications.put((context.pub.offset, context.pub.data))

    async def begin(self) -> SubscribedContext:
        await self.subscription.subscribe()
        return await asyncio.wait_for(self.subscribed.get(), PATIENCE)

    async def hear(self, count=1) -> list:
        return [await asyncio.wait_for(self.publications.get(), PATIENCE) for _ in range(count)]

    async def ended(self) -> int:
        """The code with which the server has ended the subscription."""
        return await asyncio.wait_for(self.unsubscribed.get(), PATIENCE)
