"""A listener that resumes as the protocol does it: Centrifugo's own SDK, which asks for what it missed when it subscribes again."""

import asyncio

from centrifuge import Client, PublicationContext, StreamPosition, SubscribedContext, SubscriptionEventHandler

from clients import Ear


class Subscriber(Ear):
    """Hears one channel through the SDK. What cannot be recovered, the gateway has to say; then it is read from the history."""

    recovered = 0

    def run(self):
        asyncio.run(self.listen())

    async def listen(self):
        client = Client(
            f"ws://127.0.0.1:{self.port}/connection/websocket", token=self.token, min_reconnect_delay=0.02, max_reconnect_delay=0.2)
        events = SubscriptionEventHandler()
        events.on_subscribed = self.subscribed
        events.on_publication = self.published
        subscription = client.new_subscription(
            self.channel, events, min_resubscribe_delay=0.02, max_resubscribe_delay=0.2, positioned=True, recoverable=True,
            get_state=self.state)
        await client.connect()
        await subscription.subscribe()
        while not self.stop.is_set():
            await asyncio.sleep(0.05)
        await client.disconnect()

    async def state(self, _: str) -> StreamPosition:
        """Where to go on: asked for at the beginning, and when the gateway has refused to recover. The SDK tries again if it fails."""
        await asyncio.to_thread(self.catch_up)
        return StreamPosition(self.offset, self.epoch)

    async def subscribed(self, context: SubscribedContext):
        position = context.stream_position
        self.stands(position.offset, position.epoch)
        if context.was_recovering and context.recovered:
            self.recovered += 1
        elif position.offset > self.offset:
            # Whoever says that he goes on where one was, and does not, has lost what lies between.
            self.gaps += 1

    async def published(self, context: PublicationContext):
        self.take(context.pub.offset, self.epoch, context.pub.data)
