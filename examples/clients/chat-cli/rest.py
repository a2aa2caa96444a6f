"""REST with the user's token, by the standard library, on threads of its own."""

import asyncio
import json
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

# What may be answered otherwise when it is asked again.
TEMPORARY = {
    "rate_limited", "overloaded", "internal", "plugin_unavailable", "storage_full", "deadline_exceeded", "request_timeout", "unreachable"}


class Refused(Exception):
    """The gateway has said no; `code` is for programs and `detail` for people."""

    def __init__(self, code: str, detail: str):
        super().__init__(detail)
        self.code, self.detail = code, detail

    @property
    def is_temporary(self) -> bool:
        return self.code in TEMPORARY


def problem(status: int, body: bytes) -> Refused:
    """What an answer that is no success says (RFC 9457)."""
    try:
        told = json.loads(body)
        return Refused(told["code"], told.get("detail") or told["title"])
    except (ValueError, KeyError, TypeError):
        return Refused("internal" if status >= 500 else "invalid_request", f"{status} without a reason")


class Rest:
    def __init__(self, url: str, token):
        self.url, self.token = url, token

    async def get(self, path: str, **query):
        return await asyncio.to_thread(self._ask, "GET", f"{path}?{urlencode(query)}" if query else path, None)

    async def post(self, path: str, body):
        return await asyncio.to_thread(self._ask, "POST", path, json.dumps(body).encode())

    async def every(self, path: str, **query) -> list:
        """All pages of a list."""
        found: list = []
        after: dict = {}
        while True:
            page = await self.get(path, limit=100, **query, **after)
            found += page["data"]
            if page["next"] is None:
                return found
            after = {"after": page["next"]}

    def _ask(self, method: str, path: str, body: bytes | None):
        headers = {"Authorization": f"Bearer {self.token.value}"} | ({"Content-Type": "application/json"} if body else {})
        try:
            with urlopen(Request(self.url + path, body, headers, method=method), timeout=20) as answer:
                text = answer.read()
                return json.loads(text) if text else None
        except HTTPError as refused:
            raise problem(refused.code, refused.read()) from None
        except (URLError, OSError, ValueError) as error:
            raise Refused("unreachable", f"The gateway cannot be reached: {getattr(error, 'reason', error)}") from None
