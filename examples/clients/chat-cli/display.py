"""What is shown, in one of three ways: at a terminal, as lines for people, as lines of JSON for programs."""

import json
import sys
from datetime import datetime

from terminal import clean


def sentence(kind: str, data: dict) -> str:
    """An event of a channel in one line."""
    who = clean(data.get("user_id") or "the app").replace("\n", " ")
    match kind:
        case "message":
            at = datetime.fromisoformat(data["created_at"].replace("Z", "+00:00")).astimezone()
            text = clean(data["text"]).replace("\n", "\n      ")
            files = "".join(f" [{clean(each.get('title') or each.get('url') or each['type'])}]" for each in data.get("attachments", []))
            return f"{at:%H:%M} {who}: {text}{files}"
        case "changed":
            return f"      {who} has changed a message: {clean(data['text'])}"
        case "deleted":
            return f"      a message of {who} has been deleted"
        case "reaction":
            return f"      {who} reacts with {clean(data['reaction'])}"
        case _:
            return f"      {who} takes {clean(data['reaction'])} back"


class Lines:
    """Messages on the standard output; what is said about them on the standard error."""

    def event(self, kind: str, data: dict):
        print(sentence(kind, data), flush=True)

    def note(self, text: str, **_):
        print(clean(text), file=sys.stderr, flush=True)

    def state(self, word: str, seconds: float):
        if word != "connecting":
            self.note(word if word == "online" else f"offline, next try in {seconds:.1f} s")

    def typing(self, data: dict):
        pass

    def unread(self, channel: str, count: int):
        pass

    def sent(self, entry, message: dict):
        pass

    def refused(self, entry, refusal):
        self.note(f"not sent: {entry.text!r}: {refusal.detail}")


class JSONLines(Lines):
    """One object for each line of the standard output; `type` says of what."""

    def _say(self, type: str, **members):
        print(json.dumps({"type": type, **members}, ensure_ascii=False), flush=True)

    def event(self, kind: str, data: dict):
        self._say(kind, data=data)

    def note(self, text: str, **members):
        self._say("note", text=text, **members)

    def state(self, word: str, seconds: float):
        self._say("state", state=word, **({"seconds": round(seconds, 3)} if word == "waiting" else {}))

    def typing(self, data: dict):
        self._say("typing", data=data)

    def unread(self, channel: str, count: int):
        self._say("unread", channel=channel, unread=count)

    def sent(self, entry, message: dict):
        self._say("sent", id=entry.id, data=message)

    def refused(self, entry, refusal):
        self._say("refused", id=entry.id, channel=entry.channel, code=refusal.code, detail=refusal.detail)


class Screen(Lines):
    """At a terminal: what is said stands above the line that is being written, and the state before it."""

    def __init__(self):
        self.terminal = None

    def event(self, kind: str, data: dict):
        self.note(sentence(kind, data))

    def note(self, text: str, **_):
        if self.terminal:
            self.terminal.say(clean(text))
        else:
            print(clean(text), flush=True)

    def state(self, word: str, seconds: float):
        """The prompt tells it."""
