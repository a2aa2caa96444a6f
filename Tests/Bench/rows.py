"""The rows, in the order they are printed. A row without a bound is printed beside the others."""

import tempfile
from functools import partial
from pathlib import Path

import centrifugo
import chat
import gateway
import peers
import webhooks
from compare import Comparison, Ours
from instructions import InstructionsPerRequest
from latency import LatencyAt, LatencyAtHalfPeak
from logins import LatencyBesideLogins
from measurement import Bound, Row
from server import Server
from size import all_resident, base_resident, idle_compressed, idle_own_channel, idle_subscriber, idle_tenants, idle_websocket, start_up
from workbench import Bench

HELLO = {"expect": peers.HELLO, "connections": 64}
CPU, RATE = "CPU µs per request", "requests/s"
two_workers = partial(peers.nginx, workers=2)
secure_nginx = partial(peers.nginx, tls=peers.NGINX_TLS)
fastapi_normal = partial(peers.fastapi, synchronous="NORMAL")
bare_nginx = partial(peers.nginx, work=peers.NGINX_NO_WORK)


def hello(name: str, bound: Bound | None) -> Row:
    path = f"/{name}"
    return Row(
        name, f"GET {path}, keep-alive, 64 connections", CPU,
        Comparison("cpu", "http", path, peers.nginx, HELLO), bound,
    )


def instructions(plugin: str) -> Row:
    path = f"/hello/{plugin}"
    return Row(
        f"instructions/{plugin}", f"GET {path} under callgrind", "user instructions per request",
        InstructionsPerRequest(path), Bound("figure", "most", 3000, 1800),
    )


def fan(in_flight: int, bound: Bound | None, peer=peers.socketify, name: str = "fan") -> Row:
    load = {"connections": 1000, "bytes": 32, "pipeline": in_flight}
    return Row(
        f"{name}/{in_flight}", f"/fan, 1 → 1,000, 32 B, {in_flight} in flight", "deliveries/s",
        Comparison("rate", "ws-fan", "/fan", peer, load), bound,
    )


def app(bench: Bench, cores: list[int]) -> Server:
    """The gateway with the app of centrifugo/."""
    return gateway.centrifugo(cores, bench.folder("protocol"))


def protocol_fan(name: str, channel: str, what: str, bound: Bound | None) -> Row:
    """Clients of Centrifugo's protocol on our side, plain messages on the peer's."""
    load = {"connections": 1000, "bytes": 32, "pipeline": 16}
    ours = Ours(app, centrifugo.PATH, {**load, **centrifugo.load(channel)})
    return Row(
        name, f"publish → 1,000 clients of Centrifugo's JSON protocol, {what}, 16 in flight ÷ plain /fan", "deliveries/s",
        Comparison("rate", "ws-fan", "/fan", peers.socketify, load, ours=ours), bound,
    )


def chat_send(in_flight: int, bound: Bound | None) -> Row:
    """Messages of chat, stored, to all members of a channel; the peer sends on what it has stored."""
    load = {"connections": chat.MEMBERS, "bytes": 32, "pipeline": in_flight}

    def ours(bench: Bench) -> dict[str, object]:
        return {**load, "token": chat.tokens(bench.folder("members")), "channel": chat.ROOM, "rpc": "chat.send"}

    return Row(
        f"chat/send/{in_flight}", f"chat: a message stored → its 1,000 members, {in_flight} in flight ÷ FastAPI, sqlite3 and websockets",
        "deliveries/s",
        Comparison("rate", "ws-fan", "/chat", chat.fastapi, load, ours=Ours(chat.members_app, centrifugo.PATH, ours)), bound,
    )


def webhooks_rate(endpoints: int) -> Row:
    what = "an endpoint" if endpoints == 1 else f"{endpoints:,} endpoints, one of which hangs"
    return Row(f"webhooks/{endpoints}", f"a queue of events to {what}", "deliveries/s", webhooks.Rate(endpoints))


def keyed(bench: Bench, cores: list[int]) -> Server:
    return gateway.app(cores, bench.folder("keyed"))


def keyless(scratch: Path, cores: list[int]) -> Server:
    return gateway.keyless(cores, Path(tempfile.mkdtemp(prefix="keyless-", dir=scratch)))


WITH_KEY = {**HELLO, "authorization": f"Bearer {gateway.KEY}"}
NO_SLOWER = Bound("ratio", "most", 1.00, 0.85)

# OpenSSL does most of the work on both sides.
TLS_NO_SLOWER = Bound("ratio", "most", 1.00, 1.00)
HANDSHAKE = Bound("ratio", "most", 1.05, 1.00)

ROWS = [
    hello("hello/swift", NO_SLOWER),
    hello("hello/c", NO_SLOWER),
    hello("hello/rust", None),
    hello("hello/swift-async", None),
    Row(
        "tls/hello", "GET /hello/swift over TLS 1.3, keep-alive, 64 connections", CPU,
        Comparison("cpu", "https", "/hello/swift", secure_nginx, HELLO), TLS_NO_SLOWER,
    ),
    Row(
        "tls/handshake", "full handshakes of TLS 1.3, X25519 and ECDSA P-256", "CPU µs per handshake",
        Comparison("cpu", "tls-handshakes", "/hello/swift", secure_nginx, {"sources": 8}), HANDSHAKE,
    ),
    Row(
        "bare-nginx", "GET /hello/swift ÷ nginx without log, request id and limits", CPU,
        Comparison("cpu", "http", "/hello/swift", bare_nginx, HELLO),
    ),
    Row(
        "pipelined", "GET /hello/swift, pipelined ×16, 64 connections", RATE,
        Comparison("rate", "http", "/hello/swift", peers.nginx, {**HELLO, "pipeline": 16}),
        Bound("ratio", "least", 5, 8),
    ),
    Row(
        "two-loops", "GET /hello/swift, two loops ÷ two workers", RATE,
        Comparison("rate", "http", "/hello/swift", two_workers, HELLO, loops=2),
        Bound("ratio", "least", 1.0, 1.07),
    ),
    Row(
        "phases", "GET /hello/swift with an app's key ÷ the same for whoever asks, 64 connections", RATE,
        Comparison("rate", "http", "/hello/swift", keyless, HELLO, ours=Ours(keyed, "/hello/swift", WITH_KEY)),
    ),
    instructions("swift"),
    instructions("c"),
    Row(
        "echo", "/echo, 1,000 connections, 32 B", "messages/s",
        Comparison("rate", "ws-echo", "/echo", peers.socketify, {"connections": 1000, "bytes": 32}),
        Bound("ratio", "least", 1.4, 1.8),
    ),
    fan(16, Bound("ratio", "least", 1.0, 1.2)),
    fan(1, Bound("ratio", "least", 0.9, 1.2)),
    fan(16, None, peers.node_ws, "fan-node"),
    protocol_fan("protocol/fan", centrifugo.LOSSY, "nothing kept", Bound("ratio", "least", 0.8)),
    protocol_fan("protocol/fan-kept", centrifugo.KEPT, "each committed first", None),
    chat_send(1, None),
    chat_send(16, None),
    Row(
        "chat/open", "opening a channel of chat with 1,000,000 messages ÷ with 1,000: first page, channel, unread", "CPU µs",
        chat.Opening(), Bound("ratio", "most", 1.25),
    ),
    webhooks_rate(1),
    webhooks_rate(10),
    webhooks_rate(1_000),
    Row("webhooks/latency", "100 events/s, from commit to arrival at an endpoint: p99", "ms", webhooks.latency),
    Row("webhooks/queued", "1,000,000 events that wait for an endpoint which hangs", "MB resident more", webhooks.resident),
    Row(
        "protocol/idle", "one of 10,000 idle clients of Centrifugo's protocol in one channel", "bytes resident",
        idle_subscriber, Bound("figure", "most", 1536),
    ),
    Row("protocol/own", "the same, each in a channel of its own", "bytes resident", idle_own_channel),
    Row(
        "protocol/recovery", "10,000 clients get 100 missed publications each after a kill -9, two loops", "s",
        centrifugo.recovery, Bound("figure", "most", 10),
    ),
    Row(
        "idle-websocket", "one of 10,000 idle WebSockets", "bytes resident", idle_websocket,
        Bound("figure", "most", 600, 330),
    ),
    Row(
        "idle-deflate", "the same with permessage-deflate agreed", "bytes resident", idle_compressed,
        Bound("figure", "most", 700),
    ),
    Row("base", "the platform with auth, control, realtime and chat, idle", "MB resident", base_resident, Bound("figure", "most", 40)),
    Row("base/all", "the platform with all plugins, idle", "MB resident", all_resident),
    Row("start", "start to first answer", "ms", start_up, Bound("figure", "most", 150)),
    Row("tenants", "1,000 idle tenants", "MB resident more", idle_tenants, Bound("figure", "most", 60)),
    Row(
        "durable", "POST /durable, 32 connections, one row each", "commits/s",
        Comparison("rate", "http-post", "/durable", peers.fastapi, {"connections": 32}),
        Bound("ratio", "least", 15, 20),
    ),
    Row(
        "durable/normal", "the same ÷ the peer with synchronous=NORMAL, which may lose what it acknowledged", "commits/s",
        Comparison("rate", "http-post", "/durable", fastapi_normal, {"connections": 32}),
        Bound("ratio", "least", 5),
    ),
    Row(
        "durable/half", "POST /durable at half the peak rate: our p99 ÷ the peer's p50 with 32 connections", "ms",
        LatencyAtHalfPeak("/durable", peers.fastapi, {"connections": 32}), Bound("ratio", "most", 1.0),
    ),
    Row(
        "durable/halves", "the same ÷ the peer's p50 at half its own peak, where it is nearly idle", "ms",
        LatencyAtHalfPeak("/durable", peers.fastapi, {"connections": 32}, halves_peer=True),
    ),
    Row(
        "durable/200", "POST /durable at 200 requests/s, 32 connections: p99", "ms",
        LatencyAt("/durable", 200, {"connections": 32}), Bound("figure", "most", 20),
    ),
    Row(
        "logins", "GET /v1/me at 500 requests/s while 20 accounts sign in a second ÷ while none does: p99", "ms",
        LatencyBesideLogins("/v1/me", 500, 20), Bound("ratio", "most", 2.0),
    ),
    Row(
        "list/200", "GET of 100 publications of a channel at 200 requests/s, 32 connections: p99", "ms",
        LatencyAt(
            f"/v1/history/{centrifugo.LIST}?limit=100", 200,
            {"connections": 32, "authorization": f"Bearer {centrifugo.token('bench')}"}, "http", app, centrifugo.publish_list),
        Bound("figure", "most", 50),
    ),
    Row(
        "event/200", "200 publications/s, each committed, from sending to the WebSocket of a subscriber: p99", "ms",
        LatencyAt(centrifugo.PATH, 200, {"connections": 1, "pipeline": 1024, **centrifugo.load(centrifugo.KEPT)}, "ws-fan", app),
        Bound("figure", "most", 20),
    ),
]
