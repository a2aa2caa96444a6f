"""How the gateway is started: the one place that knows its command, configurations and ports."""

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


# An app whose users' tokens the benchmark signs, for clients that speak Centrifugo's protocol.
CENTRIFUGO = ROOT / "Tests/Bench/centrifugo/sluice.json"
CENTRIFUGO_PORT = 9081


def centrifugo(cores: list[int], data: Path, loops: int = 1) -> Server:
    return Server(
        "sluice", command(CENTRIFUGO, data, loops), CENTRIFUGO_PORT, data / "bench.log", cores,
        answers="/readyz", folder=ROOT,
    )


def absent() -> str | None:
    """Why the gateway cannot be measured at all, or None."""
    if not PROGRAM.exists():
        return f"{PROGRAM.relative_to(ROOT)} is not there: `make build` first"
    if not CONFORMANCE.exists():
        return f"{CONFORMANCE.relative_to(ROOT)} is not there"
    return None
