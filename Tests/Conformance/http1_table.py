#!/usr/bin/env python3
"""HTTP/1.1 conformance: every row of `http1_rows.py`, tried on a running server.

    http1_table.py PORT           tries every row, whole and byte by byte, and prints what fails; the last line is the tally
    http1_table.py --page FILE    writes the table as a page of the documentation

The server is one with the plugin of `examples/plugins/conformance`. Exit code 0: every row is as expected.
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1] / "EndToEnd")]

from http1_rows import CASES, GROUPS, Case, Honoured, Opened, Refused  # noqa: E402
from wire import TEXT, Answer, Closed, Wire, frame, get  # noqa: E402

# What stands behind every row's bytes. It is answered after a row that is honoured, and after no other.
BEHIND = get("/mirror", "X-Request-Id: behind", "Connection: close", host="behind.test")

HEAD = """# HTTP/1.1 conformance, in more than 400 rows

What is sent to the gateway of `examples/conformance`, and what it answers: {count} rows, each of them tried by `make test`, and by
`make conformance` also byte by byte. Sections are those of RFC 9112 unless another is named; `closed` means that the connection ends
behind that one answer, and that a request sent behind the row is never taken for one. `goes on` means that it is answered.

In brackets: what the RFC lets a server do that the gateway does not, because it is stricter.
"""


def values(answer: Answer, name: str) -> list[str]:
    """The members of a field's list, in lower case."""
    return [part.strip().lower() for key, value in answer.fields if key.lower() == name for part in value.split(",")]


def differences(answer: Answer, wanted) -> list[str]:
    found = [] if answer.status == wanted.status else [f"status {answer.status}"]
    for name, value in wanted.fields:
        if (value is None) != (not values(answer, name)) or value not in (None, "*", *values(answer, name)):
            found.append(f"{name}: {answer[name]}")
    return found


def refusal(answer: Answer, wanted: Refused, to_head: bool) -> list[str]:
    """What a refusal lacks."""
    found = differences(answer, wanted)
    if "close" not in values(answer, "connection"):
        found.append("it does not say that it closes")
    if not (answer["content-type"] or "").startswith("application/problem+json"):
        found.append(f"content-type {answer['content-type']}")
    elif not to_head:
        problem = answer.json()
        if problem["status"] != answer.status or not problem["detail"] or problem["request_id"] != answer["x-request-id"]:
            found.append(f"problem {problem}")
    return found


def understood(answer: Answer, wanted: Honoured) -> list[str]:
    """What the server took the request for, where that is not what it is."""
    found = differences(answer, wanted)
    for name in ("path", "host"):
        expected, seen = getattr(wanted, name), answer[f"seen-{name}"]
        if expected is not None and seen != expected:
            found.append(f"{name} {seen!r}")
    if wanted.body is not None and answer.body != wanted.body:
        found.append(f"body {answer.body!r}")
    if wanted.closes != ("close" in values(answer, "connection")):
        found.append(f"connection {values(answer, 'connection')}")
    return found


def complaint(port: int, case: Case, piecewise=False) -> str | None:
    """Tries a row; returns what is not as expected."""
    wanted = case.expected
    to_head = case.data.lstrip().startswith(b"HEAD ")
    with Wire(port, patience=5) as wire:
        try:
            if isinstance(wanted, Opened):
                return opened(wire, case, wanted, piecewise)
            deliver(wire, case.data + BEHIND, piecewise)
            answer = wire.answer(to_head)
            # Where the body comes behind the head, the client is told to send it, as it has asked (RFC 9110 §10.1.1).
            if piecewise and answer.status == 100 and b"expect:" in case.data.lower():
                answer = wire.answer(to_head)
            found = refusal(answer, wanted, to_head) if isinstance(wanted, Refused) else understood(answer, wanted)
            if found:
                return "; ".join(found)
            if isinstance(wanted, Honoured) and not wanted.closes:
                behind = wire.answer()
                if behind["x-request-id"] != "behind" or behind["seen-host"] != "behind.test":
                    return f"what stands behind it got {behind}"
            rest = wire.rest()
            return f"more came behind it: {rest[:200]!r}" if rest else None
        except Closed as error:
            return str(error)
        except TimeoutError:
            return f"nothing more came behind {wire.held[:200]!r}"
        except AssertionError as error:
            return f"the answer is malformed: {error}"


def opened(wire: Wire, case: Case, wanted: Opened, piecewise: bool) -> str | None:
    deliver(wire, case.data + frame(TEXT, "hello"), piecewise)
    answer = wire.answer()
    found = differences(answer, wanted)
    if not found and (echo := wire.read(7)) != b"\x81\x05hello":
        found = [f"the echo is {echo!r}"]
    return "; ".join(found) or None


def deliver(wire: Wire, data: bytes, piecewise: bool):
    """Sends; a server that has refused already may have closed before the end."""
    try:
        for piece in (data[at:at + 1] for at in range(len(data))) if piecewise else (data,):
            wire.send(piece)
    except (ConnectionResetError, BrokenPipeError):
        pass


def page() -> str:
    text = HEAD.format(count=len(CASES))
    for group in GROUPS:
        text += f"\n## {group.title}\n\n{group.why}\n\n| section | sent | answer |\n|---|---|---|\n"
        for case in group.cases:
            allowed = f" [{case.allowed}]" if case.allowed else ""
            text += f"| {case.section} | {printable(case.sent)} | {printable(str(case.expected))}{allowed} |\n"
    return text


def printable(text: str) -> str:
    """As it may stand in a table of Markdown."""
    return "".join(
        "\\|" if letter == "|" else letter if " " <= letter <= "~" or letter in "§" else f"\\x{ord(letter):02x}" for letter in text)


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--page"]:
        Path(arguments[1]).write_text(page())
        return 0
    port, failed, tried = int(arguments[0]), 0, 0
    for case in CASES:
        for piecewise in (False, True) if len(case.data) < 2000 else (False,):
            tried += 1
            if found := complaint(port, case, piecewise):
                failed += 1
                print(f"{case.name}{', byte by byte' if piecewise else ''}: wanted {case.expected}, got {found}")
    print(f"HTTP/1.1: {len(CASES)} rows, tried {tried} times, {tried - failed} as expected, {failed} not")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
