"""How the gateway is started: the one place that knows its command, configurations and ports."""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

from server import Server

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / ".build/release/sluice"

# The benchmark's routes, shipped with the project, through plugins and the ABI like any other.
CONFORMANCE = ROOT / "examples/conformance/sluice.json"
CONFORMANCE_PORT = 9080
CONFORMANCE_SECURE_PORT = 9443

# What `make run` serves: the platform with its plugins, for the rows on size and start.
PLATFORM = ROOT / "sluice.json"
PLATFORM_PORT = 8080


def command(configuration: Path, data: Path, loops: int) -> list[str]:
    return [
        str(PROGRAM), "serve", "--config", str(configuration), "--data", str(data),
        "--loops", str(loops),
    ]


def conformance(
    scratch: Path, cores: list[int], loops: int = 1, wrapper: tuple[str, ...] = (), patience: float = 30
) -> Server:
    data = Path(tempfile.mkdtemp(prefix="sluice-", dir=scratch))
    return Server(
        "sluice", command(CONFORMANCE, data, loops), CONFORMANCE_PORT, data / "bench.log", cores,
        wrapper, folder=ROOT, patience=patience, secure_port=CONFORMANCE_SECURE_PORT,
    )


def platform(cores: list[int], data: Path) -> Server:
    return Server(
        "sluice", command(PLATFORM, data, 1), PLATFORM_PORT, data / "bench.log", cores,
        answers="/readyz", folder=ROOT,
    )


# The platform with no more than accounts, apps, sockets and chat.
FOUR = ("auth", "control", "realtime", "chat")
FOUR_PORT = 9086


def four(cores: list[int], data: Path) -> Server:
    return _made(cores, data, 1, FOUR_PORT, "sluice", [ROOT / ".build/release/plugins" / name for name in FOUR])


# An app whose users' tokens the benchmark signs, for clients that speak Centrifugo's protocol.
CENTRIFUGO = ROOT / "Tests/Bench/centrifugo/sluice.json"
CENTRIFUGO_PORT = 9081


def centrifugo(cores: list[int], data: Path, loops: int = 1) -> Server:
    return Server(
        "sluice", command(CENTRIFUGO, data, loops), CENTRIFUGO_PORT, data / "bench.log", cores,
        answers="/readyz", folder=ROOT,
    )


# An app whose server shows this key.
KEY = "sk_bench_0123456789abcdefghijklmnopqrstuvwxyz"
APP_PORT, KEYLESS_PORT, CHAT_PORT, WEBHOOKS_PORT = 9082, 9083, 9084, 9085
HELLO = ROOT / ".build/release/examples/hello-swift"


def app(cores: list[int], data: Path, loops: int = 1) -> Server:
    """The platform, and an app whose `/hello/swift` takes a key: the example as it is but for one word of its manifest."""
    folder = data / "plugins/hello-swift"
    shutil.copytree(HELLO, folder)
    manifest = json.loads((HELLO / "plugin.json").read_text())
    manifest["tenants"] = "apps"
    for route in manifest["routes"]:
        route["auth"] = ["key"]
    (folder / "plugin.json").write_text(json.dumps(manifest))
    key = {"id": "bench", "kind": "secret", "secret_sha256": hashlib.sha256(KEY.encode()).hexdigest(), "scopes": ["*"]}
    tenant = {"id": "bench", "plugins": {"auth": {}, "hello-swift": {}}, "secrets": {"signing": "secret"}, "keys": [key]}
    return _made(cores, data, loops, APP_PORT, "sluice", [folder, ROOT / ".build/release/plugins"], tenants=[tenant])


def keyless(cores: list[int], data: Path, loops: int = 1) -> Server:
    """The same example as it is, for whoever asks."""
    return _made(cores, data, loops, KEYLESS_PORT, "no credential", [HELLO])


def chat(cores: list[int], data: Path, loops: int = 1) -> Server:
    """An app with chat, whose users may do as much as they like, on a folder that may have been used before."""
    own = {"user_token_issuer_optional": True, "user_token_expiry_optional": True}
    tenant = {
        "id": "bench", "hosts": ["127.0.0.1"], "secrets": {"signing": "secret"},
        "plugins": {"auth": {"config": own}, "realtime": {}, "chat": {"config": {"types": {"private": {}}}}},
    }
    limits = {"connections": 30_000, "connections_per_address": 30_000, "user_requests_per_second": 0, "websocket_queue_bytes": 24 << 20}
    return _made(cores, data, loops, CHAT_PORT, "sluice", [ROOT / ".build/release/plugins"], limits, tenants=[tenant])


def webhooks(cores: list[int], data: Path, loops: int = 1) -> Server:
    """An app with webhooks, for endpoints on this machine, on a folder that may have been used before."""
    key = {"id": "bench", "kind": "secret", "secret_sha256": hashlib.sha256(KEY.encode()).hexdigest(), "scopes": ["*"]}
    tenant = {
        "id": "bench", "hosts": ["127.0.0.1"], "secrets": {"signing": "secret"}, "keys": [key],
        "plugins": {"auth": {}, "webhooks": {"config": {"timeout_ms": 60_000}}},
    }
    folders = [ROOT / ".build/release/plugins"]
    return _made(cores, data, loops, WEBHOOKS_PORT, "sluice", folders, tenants=[tenant], client={"allow_networks": ["127.0.0.0/8"]})


def _made(
    cores: list[int], data: Path, loops: int, port: int, name: str, folders: list[Path], limits: dict[str, int] = {}, **others: object
) -> Server:
    configuration = data / "sluice.json"
    configuration.write_text(json.dumps({
        "listeners": [{"address": f"127.0.0.1:{port}"}], "log": {"access": "/dev/null"},
        "plugins": {"folders": [str(folder) for folder in folders], "tenants_grant": "platform"},
        "limits": {"requests_per_second": 10_000_000, **limits}, **others,
    }))
    return Server(
        name, command(configuration, data, loops), port, data / "bench.log", cores, answers="/readyz", folder=ROOT)


def absent() -> str | None:
    """Why the gateway cannot be measured at all, or None."""
    if not PROGRAM.exists():
        return f"{PROGRAM.relative_to(ROOT)} is not there: `make build` first"
    if not CONFORMANCE.exists():
        return f"{CONFORMANCE.relative_to(ROOT)} is not there"
    return None
