"""What is known of a channel: up to where its events are here, and which of its messages have been shown. No I/O, no clock."""

from collections import OrderedDict

# Ids of messages that have been shown, of which so many are remembered for each channel.
REMEMBERED = 5_000


def full(name: str) -> str:
    """`general` is short for `messaging:general`."""
    return name if ":" in name else f"messaging:{name}"


class Channel:
    def __init__(self, name: str):
        self.name = name
        self.offset = 0
        self.epoch: str | None = None
        self.is_followed = False
        self.unread = 0
        # Their authors by their ids; of those that are deleted, nobody.
        self.shown: OrderedDict[str, str] = OrderedDict()
        # Of the oldest and of the latest message that has been shown.
        self.first_at = ""
        self.last: dict | None = None
        # Events that wait until the messages before them have been read.
        self.held: list[dict] | None = None

    @property
    def topic(self) -> str:
        return f"chat:{self.name}"

    @property
    def path(self) -> str:
        return "/v1/channels/" + self.name.replace(":", "/", 1)

    def show(self, message: dict) -> bool:
        """Notes that a message is shown; false when it has been before, or is a reply that the channel does not show."""
        id = message["id"]
        if id in self.shown or (message.get("parent_id") and not message.get("show_in_channel")):
            return False
        self.shown[id] = message["user_id"]
        if len(self.shown) > REMEMBERED:
            self.shown.popitem(last=False)
        self.first_at = self.first_at or message["created_at"]
        self.last = message
        return True

    def take(self, event: dict) -> tuple[str, dict] | None:
        """What an event comes to: ("message" | "changed" | "deleted" | "reaction" | "unreaction", its data); None for what is known or not for the eye."""
        if self.held is not None:
            self.held.append(event)
            return None
        if "offset" in event:
            if event["offset"] <= self.offset:
                return None
            self.offset = event["offset"]
        data = event["data"]
        match event["type"]:
            case "chat.message.created":
                return ("message", data) if self.show(data) else None
            case "chat.message.updated":
                # Of a message that is not known it is the message itself: it was changed while nobody listened here. Unless it
                # is older than all that has been shown.
                if data["id"] not in self.shown and data["created_at"] >= self.first_at:
                    return ("message", data) if self.show(data) else None
                return "changed", data
            case "chat.message.deleted":
                is_known = bool(self.shown.get(data["id"]))
                # Nor is it shown when a page that was read before comes after this.
                self.shown[data["id"]] = ""
                return ("deleted", data) if is_known else None
            case "chat.reaction.added":
                return "reaction", data
            case "chat.reaction.removed":
                return "unreaction", data
        return None
