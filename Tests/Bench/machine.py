"""The machine: what it is, which core does what, and what a process has used."""

import os
import platform
import resource
import tempfile
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


class Cores:
    """Core 0 is the server's and core 1 the generator's, as long as the machine has two."""

    def __init__(self) -> None:
        allowed = sorted(os.sched_getaffinity(0))
        self.count = len(allowed)
        self.server = allowed[:1]
        self.generator = allowed[1:2] or allowed
        self.two_servers = allowed[:2]
        # Two server threads and the generator on two cores: nothing is pinned but the pair itself.
        self.beside_two_servers = allowed[2:3] or allowed

    def describe(self) -> str:
        if self.count == 1:
            return "one core for server and generator: rates are shared, CPU per request still holds"
        beside = "a third core" if self.count > 2 else "both cores, shared with the generator"
        return (
            f"server on core {self.server[0]}, generator on core {self.generator[0]}; "
            f"two-loop row: servers on cores {listed(self.two_servers)}, generator on {beside}"
        )


def listed(cores: list[int]) -> str:
    return ",".join(str(core) for core in cores)


def pinned(cores: list[int], command: list[str]) -> list[str]:
    return ["taskset", "-c", listed(cores), *command]


def raise_descriptor_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _stat(pid: int) -> list[str] | None:
    try:
        # The command's name may hold spaces and parentheses; fields 3 and up follow its last ')'.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def process_tree(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (fields := _stat(int(entry))):
            children.setdefault(int(fields[1]), []).append(int(entry))
    tree, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        tree.append(pid)
        waiting += children.get(pid, [])
    return tree


def cpu_seconds(root: int) -> float:
    """User and system time of a process, its descendants, and those already waited for."""
    ticks = 0
    for pid in process_tree(root):
        if fields := _stat(pid):
            ticks += sum(int(field) for field in fields[11:15])  # utime stime cutime cstime
    return ticks / TICK


def busy_seconds() -> float:
    """What all cores together have worked since the machine started, time stolen from it included."""
    user, nice, system, _idle, _waiting, interrupts, softirq, stolen, *_ = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + interrupts + softirq + stolen) / TICK


def resident_bytes(root: int) -> int:
    total = 0
    for pid in process_tree(root):
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        for line in status.splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1]) * 1024
    return total


def filesystem(folder: Path) -> str:
    best = ("", "unknown")
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mount, kind, *_ = line.split()
        inside = folder == Path(mount) or Path(mount) in folder.parents
        if inside and len(mount) > len(best[0]):
            best = (mount, kind)
    return best[1]


def sync_milliseconds(folder: Path, count: int = 200) -> tuple[float, float]:
    """What the disk alone takes to keep two pages, overwritten in place: the median and the 99th percentile."""
    times = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        page = bytes(8192)
        file.write(page * 16)
        file.flush()
        os.fsync(file.fileno())
        for number in range(count):
            began = time.perf_counter()
            os.pwrite(file.fileno(), page, number % 16 * len(page))
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - began) * 1000)
    times.sort()
    return times[count // 2], times[count * 99 // 100]


def _first(path: str, prefix: str) -> str:
    for line in Path(path).read_text().splitlines():
        if line.startswith(prefix):
            return line.partition(":")[2].strip()
    return "unknown"


def describe(scratch: Path) -> dict[str, str]:
    kind = filesystem(scratch)
    if kind in ("tmpfs", "ramfs"):
        kind += " (memory: `durable` means nothing here)"
    return {
        "processor": f"{_first('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores",
        "memory": _first("/proc/meminfo", "MemTotal"),
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "data on": kind,
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }
