"""What the README tells people to paste, pasted."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/EndToEnd"))

from program import PROGRAM, Sluice  # noqa: E402
from sanitizer import unsanitized  # noqa: E402

KILL = "kill -9 $(cat data/lock)\n"
CLIENT = "python3 -m venv .venv-tour && .venv-tour/bin/pip install --quiet websockets\n"


def pasted(heading: str) -> list[str]:
    """The shell blocks of one chapter."""
    chapters = re.split(r"^## ", (ROOT / "README.md").read_text(), flags=re.MULTILINE)
    chapter = next(text for text in chapters if text.startswith(heading))
    return re.findall(r"^```sh\n(.*?)^```$", chapter, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def gateway(tmp_path):
    with Sluice(tmp_path / "gateway").start() as gateway:
        yield gateway


@unsanitized("it waits no longer than the README tells people to")
def test_the_tour_works_as_it_stands(tmp_path, gateway):
    blocks = pasted("A tour of five minutes")
    assert KILL in blocks and CLIENT in "".join(blocks)
    # The tests' own Python has the client already.
    python = tmp_path / ".venv-tour/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)

    shell = subprocess.Popen(
        ["bash", "-e"], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, bufsize=1,
    )
    printed: list[str] = []

    def paste(block: str) -> str:
        """Runs a block and returns what it printed."""
        block = block.replace(CLIENT, "").replace("PORT=8080", f"PORT={gateway.port}")
        shell.stdin.write(block.replace("data/lock", str(gateway.data / "lock")))
        shell.stdin.write("\necho; echo ---- done\n")
        shell.stdin.flush()
        start = len(printed)
        for line in shell.stdout:
            if line == "---- done\n":
                return "".join(printed[start:])
            printed.append(line)
        raise AssertionError("the shell gave up after:\n" + "".join(printed))

    try:
        said = []
        for block in blocks:
            said.append(paste(block))
            if block == KILL:
                assert gateway.process.wait(10) == -9
                gateway.kill()
                gateway.start()
    finally:
        shell.kill()
        shell.wait(10)
    everything = "".join(printed)
    assert '"type":"connected"' in everything
    assert "alice hears: " in everything and '"type":"chat.message.created"' in everything
    assert '"text":"hello, Alice"' in said[-1] and '"next":null' in said[-1]


@pytest.mark.parametrize("language", ["c", "rust"])
def test_a_scaffold_builds_is_valid_and_answers(tmp_path, language):
    import shutil

    import requests

    if language == "rust" and not shutil.which("cargo"):
        pytest.skip("cargo is not here")
    def command(*words):
        done = subprocess.run(
            [str(word) for word in words], cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    command(PROGRAM, "plugin", "new", "greeter", "--lang", language)
    command("make", "-C", "greeter")
    assert "well formed" in command(PROGRAM, "plugin", "validate", "greeter/build/greeter")
    assert command(PROGRAM, "check", "--plugins", "greeter/build").startswith("1 plugins")
    folder = tmp_path / "greeter/build"
    with Sluice(tmp_path / "gateway", arguments=["--plugins", folder]).start() as gateway:
        answer = requests.get(f"{gateway.url}/hello/greeter", timeout=5)
    assert answer.status_code == 200
    assert answer.json() == {"message": "hello, world"}
