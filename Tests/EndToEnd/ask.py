"""A request of which a test knows that it succeeds."""

from dataclasses import dataclass, field

from client import Client


@dataclass
class Ask:
    """A request that succeeds: what stands in its path, its query and its body, and who asks."""

    by: Client | None = None
    path: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    body: object = None
    # In place of a body in JSON.
    content: bytes | None = None
    content_type: str = "application/octet-stream"
    headers: dict[str, str] = field(default_factory=dict)
