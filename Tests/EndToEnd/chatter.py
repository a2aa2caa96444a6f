"""The command-line chat among the examples: at a terminal of its own, or in a pipe."""

import json
import os
import pty
import re
import subprocess
import sys
import threading

from program import _die_with_parent, eventually
from sanitizer import ROOT, SLOWNESS

PATIENCE = 180 * SLOWNESS
PROGRAM = ROOT / "examples/clients/chat-cli/chat.py"


def environment(token: str | None) -> dict[str, str]:
    # The way to this machine leads over no proxy.
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy") and name != "SLUICE_TOKEN"}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "TZ": "UTC", "TERM": "xterm", **({"SLUICE_TOKEN": token} if token is not None else {})}


def pipe(gateway, token: str | None, *arguments, input="", python=()) -> subprocess.CompletedProcess:
    """Runs it to its end with these lines as its input."""
    return subprocess.run(
        [sys.executable, *python, PROGRAM, "--url", gateway.url, *arguments], input=input, capture_output=True, text=True,
        timeout=PATIENCE, env=environment(token), preexec_fn=_die_with_parent)


class Programmed:
    """It as a program's other half: lines of JSON both ways."""

    def __init__(self, gateway, token: str | None, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM, "--url", gateway.url, "--json", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=environment(token), preexec_fn=_die_with_parent)
        self.told: list[dict] = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.told.append(json.loads(line))

    def __enter__(self) -> "Programmed":
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()

    def say(self, **line):
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()

    def of(self, type: str) -> list[dict]:
        return [each for each in list(self.told) if each["type"] == type]

    @property
    def texts(self) -> list[str]:
        """Of the messages that it has shown, in their order."""
        return [each["data"]["text"] for each in self.of("message")]

    def until(self, check):
        answer = eventually(check, 180)
        assert answer, self.told
        return answer

    def state(self, word: str, times=1):
        self.until(lambda: len([each for each in self.of("state") if each["state"] == word]) >= times)

    def finish(self) -> int:
        """Ends its input, and returns its exit status."""
        self.process.stdin.close()
        code = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        return code


class AtTerminal:
    """Somebody at a terminal, who sees lines above and a prompt below."""

    def __init__(self, gateway, token: str | None, *arguments):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM, "--url", gateway.url, *arguments], stdin=slave, stdout=slave, stderr=slave,
            env={**environment(token), "COLUMNS": "200"}, preexec_fn=_die_with_parent, start_new_session=True)
        os.close(slave)
        self.written = ""
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return  # It has ended.
            if not data:
                return
            self.written += data.decode(errors="replace")

    def __enter__(self) -> "AtTerminal":
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        os.close(self.master)

    def press(self, keys: str):
        os.write(self.master, keys.encode())

    def enter(self, line: str):
        self.press(line + "\n")

    @property
    def rows(self) -> list[str]:
        """What the terminal shows: a row that is begun anew is what was written last."""
        return [row.split("\r\x1b[K")[-1] for row in self.written.replace("\r\n", "\n").split("\n")]

    @property
    def lines(self) -> list[str]:
        return self.rows[:-1]

    @property
    def prompt(self) -> str:
        return re.sub(r"\x1b\[\d+D", "", self.rows[-1])

    @property
    def texts(self) -> list[str]:
        """Of the messages, with who said them."""
        return [line[6:] for line in self.lines if re.match(r"\d\d:\d\d ", line)]

    def until(self, check):
        answer = eventually(check, 180)
        assert answer, self.written[-3000:]
        return answer

    def sees(self, *texts: str):
        """Waits until these are the messages that are shown, and no others."""
        self.until(lambda: self.texts == list(texts))

    def ends(self) -> int:
        code = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        return code
