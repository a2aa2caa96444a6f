#!/usr/bin/env python3
"""The gateway behind nginx and haproxy: that it sees what they see, request by request, whatever was sent.

    differential.py [--fast] [--report FILE]

Each message of the corpus goes to the proxy, a marked request right behind it on the same connection, and another on a connection of
its own, which the proxy forwards over the connections that the first have used. Then what the proxy forwarded (recorded byte by
byte and read by a reader that shares nothing with the gateway's), what it logged, what the gateway logged, what it answered
and what the clients got are held against each other. Exit code 0: nothing disagrees.

`--fast` takes every twentieth message, and the two proxies that let pass what they can.
"""

import argparse
import collections
import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "EndToEnd")]

from corpus import corpus  # noqa: E402
from messages import Incomplete, Malformed, Message, Reader  # noqa: E402
from program import Sluice, eventually  # noqa: E402
from proxies import PROXIES, LenientHaproxy, LenientNginx, Recorder, Seen, Upstream  # noqa: E402
from wire import Wire, get  # noqa: E402
from workshop import conformance_configuration  # noqa: E402

MARK = "marked-"


@dataclass
class Findings:
    """What one proxy's run came to."""

    title: str
    messages: int = 0
    forwarded: int = 0
    answered: int = 0
    # Of those that the proxy forwarded.
    refused: int = 0
    mirrored: int = 0
    behind: int = 0
    replayed: int = 0
    # Malformed requests that the proxy stopped waiting for.
    unanswered: int = 0
    # Forwarded requests in the strict reader's eyes, by whether they have a body with a length or in chunks: as many as were mirrored.
    shapes: dict[str, list[int]] = field(default_factory=lambda: {"no body": [0, 0], "a length": [0, 0], "chunks": [0, 0]})
    wrong: list[str] = field(default_factory=list)

    def row(self) -> str:
        counts = (self.messages, self.forwarded, self.refused, self.mirrored, self.behind, self.replayed, len(self.wrong))
        return f"| {self.title} | " + " | ".join(map(str, counts)) + " |"


def marked(name: str) -> bytes:
    return get("/mirror", "Connection: close", method="POST", body=f"{MARK}{name};".encode())


def exchange(port: int, data: bytes) -> bytes:
    """All that comes back."""
    with Wire(port, patience=8) as wire:
        try:
            return wire.send(data).rest()
        except (OSError, TimeoutError):
            return wire.held


def send(port: int, number: int, name: str, data: bytes) -> tuple[int, list[str]]:
    """One message with a marked request behind it; then another client, whose answer must be its own.

    Returns how often the mark came back, and what is wrong.
    """
    wrong = []
    got = exchange(port, data + marked(f"b{number}"))
    marks = marks_in(got)
    # A message that is cut short takes the mark into its body: then it comes back as part of that.
    if any(mark != f"b{number}" for mark in marks) or len(marks) > 1:
        wrong.append(f"{name}: the client got {marks}")
    got = exchange(port, marked(f"c{number}"))
    try:
        reader = Reader(got)
        answer = reader.answer("POST")
        if answer.status != 200 or answer.body != f"{MARK}c{number};".encode() or not reader.is_at_end:
            wrong.append(f"{name}: the next client got {got[:300]!r}")
    except (Malformed, Incomplete):
        wrong.append(f"{name}: the next client got {got[:300]!r}")
    return len(marks), wrong


def marks_in(got: bytes) -> list[str]:
    return [piece.partition(b";")[0].decode("latin-1") for piece in got.split(MARK.encode())[1:]]


@dataclass
class Exchange:
    request: Message
    answer: Message | None


def conversation(upstream: Upstream, findings: Findings) -> list[Exchange]:
    """The requests that a proxy forwarded on one connection with the answers that it got."""
    requests, answers = Reader(bytes(upstream.sent)), Reader(bytes(upstream.answered))
    found: list[Exchange] = []
    while not requests.is_at_end:
        try:
            request = requests.request()
        except Incomplete:
            # The proxy gave up. What there is of an answer is none to a whole request.
            break
        except Malformed as error:
            check_refusal(upstream, requests.at, error, answers, findings)
            return found
        try:
            answer = answers.answer(request.method)
        except Incomplete:
            answer = None
        except Malformed as error:
            findings.wrong.append(f"the answer to {request.raw[:200]!r} is malformed ({error})")
            return found
        found.append(Exchange(request, answer))
        if answer is None or answer.status == 101:
            break
    else:
        if not answers.is_at_end:
            findings.wrong.append(f"more was answered than asked: {bytes(upstream.answered[answers.at:])[:300]!r}")
    return found


def check_refusal(upstream: Upstream, at: int, error: Malformed, answers: Reader, findings: Findings):
    """What a strict reader does not take, the gateway must refuse, once, and close."""
    try:
        answer = answers.answer("GET")
    except Incomplete:
        # Nothing at all: the proxy gave up first. Part of an answer is none.
        if not answers.is_at_end:
            findings.wrong.append(f"half an answer to what is malformed ({error}): {bytes(upstream.answered[answers.at:])[:300]!r}")
        findings.unanswered += 1
        return
    except Malformed as wrong:
        findings.wrong.append(f"a malformed answer ({wrong}) to what is malformed ({error})")
        return
    findings.refused += 1
    if answer.status < 400 or "close" not in answer.all("connection") or not answers.is_at_end:
        findings.wrong.append(f"{answer.status} to what is malformed ({error}): {bytes(upstream.sent[at:])[:300]!r}")


def judge(exchange: Exchange, lines: list[dict], seen: Seen | None, findings: Findings):
    """Whether the gateway took a request for what the proxy took it for, and answered that one."""
    request, answer = exchange.request, exchange.answer
    about = f"{request.raw[:300]!r}"
    name = request["x-request-id"]
    if len(lines) > 1:
        findings.wrong.append(f"seen {len(lines)} times: {about}")
    for line in lines:
        if (line["method"], line["path"]) != (request.method, request.path):
            findings.wrong.append(f"seen as {line['method']} {line['path']}: {about}")
    if seen and request.method != seen.method:
        findings.wrong.append(f"the proxy calls it {seen.method} {seen.target}: {about}")
    if answer is None:
        return
    findings.answered += 1
    shape = findings.shapes["chunks" if request["transfer-encoding"] else "a length" if request["content-length"] else "no body"]
    shape[0] += 1
    shape[1] += answer["seen-path"] is not None
    if answer["x-request-id"] != name:
        # A head that is refused is not read for its id; then nothing more may follow on the connection.
        if answer.status in (400, 414, 417, 431, 501, 505) and "close" in answer.all("connection") and not lines:
            findings.refused += 1
        else:
            findings.wrong.append(f"answered as {answer['x-request-id']} with {answer.status}: {about}")
        return
    if not lines:
        findings.wrong.append(f"answered, but not in the access log: {about}")
    if answer.status >= 400:
        findings.refused += 1
    if answer["seen-path"] is not None:
        findings.mirrored += 1
        mirrored = (answer["seen-method"], answer["seen-path"], answer["seen-host"])
        if mirrored != (request.method, request.path, request.host):
            findings.wrong.append(f"mirrored as {mirrored}: {about}")
        if request.method == "POST" and answer.body != request.body:
            findings.wrong.append(f"mirrored with the body {answer.body[:200]!r}: {about}")


def replay(gateway: Sluice, exchanges: list[Exchange], findings: Findings):
    """The exact bytes of each forwarded request again, with no proxy: the answer must be the same one."""
    shapes = {}
    for exchange in exchanges:
        if exchange.answer and exchange.answer.status != 101 and MARK.encode() not in exchange.request.body:
            shapes.setdefault(exchange.request.raw.replace(exchange.request["x-request-id"].encode(), b"*"), exchange)
    for exchange in shapes.values():
        request, answer = exchange.request, exchange.answer
        got = exchange_directly(gateway.port, request)
        findings.replayed += 1
        if got is None or (got.status, got["seen-path"], got["seen-host"]) != (answer.status, answer["seen-path"], answer["seen-host"]) \
                or (answer["seen-path"] and got.body != answer.body):
            findings.wrong.append(f"without the proxy {got and got.status}, through it {answer.status}: {request.raw[:300]!r}")


def exchange_directly(port: int, request: Message) -> Message | None:
    with Wire(port, patience=8) as wire:
        try:
            got = wire.send(request.raw).finish().rest()
            return Reader(got).answer(request.method)
        except (OSError, TimeoutError, Malformed, Incomplete):
            return None


def run(proxy_kind, folder: Path, messages: list[tuple[str, bytes]]) -> Findings:
    with Sluice(folder / "gateway", conformance_configuration(), ["--loops", "2"]) as gateway:
        recorder = Recorder(gateway.port)
        with proxy_kind(folder / "proxy", recorder.port) as proxy:
            findings = Findings(f"{proxy.title} ({proxy.version()})", len(messages))
            with ThreadPoolExecutor(16) as pool:
                for behind, wrong in pool.map(lambda each: send(proxy.port, each[0], *each[1]), enumerate(messages)):
                    findings.behind += behind
                    findings.wrong += wrong
        recorder.close()
        compare(gateway, recorder.upstreams, proxy.seen(), findings)
        if not gateway.is_running():
            findings.wrong.append("the gateway has died")
    return findings


def compare(gateway: Sluice, upstreams: list[Upstream], seen: dict[str, Seen], findings: Findings):
    """Holds what was recorded and what the proxy logged against what the gateway logged and answered."""
    exchanges = [each for upstream in upstreams for each in conversation(upstream, findings)]
    findings.forwarded = len(exchanges)
    ids = collections.Counter(each.request["x-request-id"] for each in exchanges)
    findings.wrong += [f"the proxy forwarded {name} {count} times" for name, count in ids.items() if name is None or count > 1]
    answered = {each.answer["x-request-id"] for each in exchanges if each.answer}
    eventually(lambda: answered <= {line["request_id"] for line in access(gateway)}, 5, 0.5)
    log = collections.defaultdict(list)
    for line in access(gateway):
        log[line["request_id"]].append(line)
    for exchange in exchanges:
        name = exchange.request["x-request-id"]
        judge(exchange, log.pop(name, []), seen.get(name), findings)
    # What is left was not forwarded as a whole request: refused, or given up by the proxy, but never served.
    for lines in log.values():
        findings.wrong += [f"served, but never forwarded: {line}" for line in lines if line["status"] < 400]
    replay(gateway, exchanges, findings)


def access(gateway: Sluice) -> list[dict]:
    return [line for line in gateway.lines() if line.get("kind") == "access" and line["path"] != "/readyz"]


HEAD = """
## Behind proxies

{messages} messages, that is the rows above, the fuzzers' corpus and every pair of {oddities} oddities on a request with a length and on one with
chunks, sent through each proxy; a marked request behind each on the same connection, and one of another client over the same pool of
connections to the gateway. Forwarded: requests that the proxy let through, counted where they are recorded. Refused: those of them
that the gateway answers with an error. Mirrored: those whose method, path, host and body it repeats, all as forwarded.
Behind: marked requests that were answered behind their message. Again: forwarded requests that were sent once more, byte for
byte and without the proxy, for the same answer. Wrong: a request that was seen twice, or otherwise than the proxy saw it, or that
the proxy never sent; an answer that went to another request; a client that got what was not its own.
The counts differ by a few from run to run, as the time limits of the proxies fall; the last column does not.

| | messages | forwarded | refused | mirrored | behind | again | wrong |
|---|---:|---:|---:|---:|---:|---:|---:|
"""


def section(results: list[Findings], messages: int) -> str:
    """The part of the page on the proxies."""
    from corpus import ODDITIES

    return HEAD.format(messages=messages, oddities=len(ODDITIES)) + "".join(each.row() + "\n" for each in results)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fast", action="store_true", help="every twentieth message, two proxies")
    parser.add_argument("--report", type=Path, help="append the summary to this page")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON too")
    options = parser.parse_args()
    messages = corpus()[::20 if options.fast else 1]
    results = []
    for kind in [LenientNginx, LenientHaproxy] if options.fast else PROXIES:
        with tempfile.TemporaryDirectory(prefix="sluice-differential-") as scratch:
            Path(scratch).chmod(0o755)
            findings = run(kind, Path(scratch), messages)
        results.append(findings)
        for wrong in findings.wrong[:40]:
            print(f"{findings.title}: {wrong}")
        if not (findings.forwarded and findings.mirrored and findings.behind and findings.replayed):
            findings.wrong.append("nothing was forwarded")
        for shape, (forwarded, mirrored) in findings.shapes.items():
            # A gateway that refuses all of a kind would be seen to do nothing wrong.
            if forwarded and not mirrored:
                findings.wrong.append(f"of {forwarded} requests with {shape} none was served")
        if findings.unanswered > findings.refused:
            findings.wrong.append(f"{findings.unanswered} malformed requests were not answered")
        print(f"{findings.title}: {findings.messages} messages, {findings.forwarded} forwarded, {findings.refused} refused, "
              f"{findings.mirrored} mirrored, {findings.behind} answered behind, {findings.replayed} again, {len(findings.wrong)} wrong", flush=True)
        if options.json:
            print(json.dumps(findings.__dict__))
    if options.report:
        with options.report.open("a") as page:
            page.write(section(results, len(messages)))
    return 1 if any(each.wrong for each in results) else 0


if __name__ == "__main__":
    sys.exit(main())
