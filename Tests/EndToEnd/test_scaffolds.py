"""`sluice plugin new`: what it writes builds, validates and answers, and is the examples' code."""

import json
import os
import shutil
import subprocess

import pytest

from program import ROOT, run
from sanitizer import CATCHES_SIGNALS
from wire import ask, get
from workshop import PROBE, compile_probe, lay_out, with_plugins

MESSAGES = {"c": "hello, world", "rust": "hello, world", "swift": "hello from greeter"}
NEEDS = {"c": "cc", "rust": "cargo", "swift": "swift"}


def new(folder, name, language):
    done = run("plugin", "new", name, "--lang", language, "--into", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / name


@pytest.mark.parametrize("language", ["c", "rust", "swift"])
def test_a_new_plugin_builds_validates_and_answers(sluice, tmp_path, language):
    if shutil.which(NEEDS[language]) is None:
        pytest.skip(f"{NEEDS[language]} is not on the PATH")
    folder = new(tmp_path, "greeter", language)
    built = subprocess.run(["make", "-C", folder], capture_output=True, text=True, timeout=1500,
                           env={**os.environ, "MAKEFLAGS": ""})
    assert built.returncode == 0, built.stdout[-4000:] + built.stderr[-4000:]
    done = run("plugin", "validate", folder / "build/greeter", patience=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "greeter@0.1.0" in done.stdout
    gateway = sluice({"plugins": {"folders": [str(folder / "build")]}})
    answer = ask(gateway.port, get("/hello/greeter"))
    assert answer.status == 200 and answer["content-type"] == "application/json"
    assert answer.json() == {"message": MESSAGES[language]}


@pytest.mark.parametrize("language, written, example", [
    ("c", "plugin.c", "hello.c"), ("rust", "src/lib.rs", "src/lib.rs"), ("rust", "src/sluice.rs", "src/sluice.rs"),
    ("swift", "Sources/hello-swift/Entry.swift", "Sources/hello-swift/Entry.swift"),
])
def test_what_is_written_is_the_examples_code(tmp_path, language, written, example):
    """But for the first line, which says what the file is, and marks of the formatter."""

    def code(file):
        return [line for line in file.read_text().splitlines()[1:] if "swift-format-ignore" not in line]

    folder = new(tmp_path, f"hello-{language}", language)
    assert code(folder / written) == code(ROOT / f"examples/plugins/hello-{language}" / example)


def test_nothing_is_overwritten(tmp_path):
    folder = new(tmp_path, "mine", "c")
    (folder / "plugin.c").write_text("my work")
    done = run("plugin", "new", "mine", "--lang", "rust", "--into", tmp_path)
    assert done.returncode == 1 and "is there already" in done.stderr
    assert (folder / "plugin.c").read_text() == "my work"


# -- validate, which loads the library in a process of its own


def validated(folder, *options, patience=30):
    done = run("plugin", "validate", folder, *options, patience=patience)
    return done.returncode, done.stdout + done.stderr


def crashing(tmp_path, body: str, more=""):
    """The folder of the probe with a library whose entry function does this."""
    source = tmp_path / "bad.c"
    source.write_text(f"#include <unistd.h>\n#include <stdlib.h>\n{more}\nextern const void *sluice_plugin_entry_v1(void);\n"
                      f"const void *sluice_plugin_entry_v1(void) {{ {body} return 0; }}\n")
    library = tmp_path / "bad.so"
    subprocess.run(["cc", "-shared", "-fPIC", str(source), "-o", str(library)], check=True)
    return lay_out(tmp_path / "plugins", library)


def test_a_good_plugin_is_accepted_with_its_code_run(tmp_path, probe_library):
    code, text = validated(lay_out(tmp_path, probe_library))
    assert code == 0 and "probe@0.1.0" in text, text


@CATCHES_SIGNALS
def test_a_library_that_crashes_is_told_and_does_not_crash_the_validator(tmp_path):
    folder = crashing(tmp_path, "*(volatile int *)0 = 1;")
    code, text = validated(folder)
    assert code == 1 and "crashes" in text and "egmentation" in text, (code, text)
    assert validated(folder, "--no-load")[0] == 0


def test_a_library_that_hangs_is_told(tmp_path):
    code, text = validated(crashing(tmp_path, "for (;;) pause();"), patience=60)
    assert code == 1 and "has not answered" in text, (code, text)


def test_what_only_the_code_can_say_is_said(tmp_path, probe_library):
    manifest = json.loads((PROBE / "plugin.json").read_text())
    manifest["routes"][0]["handler"] = "not_there"
    code, text = validated(lay_out(tmp_path / "one", probe_library, manifest))
    assert code == 1 and "not_there" in text and "/routes/0" in text, text
    other = tmp_path / "other.so"
    compile_probe(other, "PROBE_MAJOR=2")
    code, text = validated(lay_out(tmp_path / "two", other))
    assert code == 1 and "version 2.0" in text, text


# -- check, which does the same with all of them


@CATCHES_SIGNALS
@pytest.mark.parametrize("does, words", [
    ("abort();", "crashes while it is loaded"), ("_exit(0);", "ends its process while it is loaded"),
    ("for (;;) pause();", "has not answered within"),
])
def test_a_library_whose_constructor_never_returns_is_named_by_check_which_goes_on(tmp_path, does, words, probe_library):
    constructor = f"__attribute__((constructor)) static void begin(void) {{ {does} }}"
    crashing(tmp_path, "", constructor)
    other = {"id": "zebra", "version": "0.1.0", "abi": 1, "summary": "Comes last.", "library": "libprobe.so", "runtime": "c",
             "tenants": "apps"}
    lay_out(tmp_path / "plugins", probe_library, other, name="zebra")
    configuration = tmp_path / "sluice.json"
    configuration.write_text(json.dumps({**with_plugins(tmp_path / "plugins"), "listeners": [{"address": "127.0.0.1:0"}]}))
    done = run("check", "--config", configuration, patience=90)
    assert done.returncode == 1 and words in done.stderr, done.stderr
    assert [line for line in done.stderr.splitlines() if words in line][0].startswith(f"{tmp_path}/plugins/probe/libprobe.so: ")
    # What comes behind it is looked at too.
    assert "zebra/libprobe.so: says that it is probe@" in done.stderr
    unloaded = run("check", "--no-load", "--config", configuration)
    assert words not in unloaded.stderr and "zebra/libprobe.so" not in unloaded.stderr, unloaded.stderr
