"""Fuzzes each target with libFuzzer and AddressSanitizer for a while, and keeps what it finds.

The corpus that grows meanwhile stays in the build folder; a find is named at the end and belongs into
Tests/Fuzz/corpus, where the tests try it from then on.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import seeds

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / ".build" / "fuzz"
DICTIONARY = HERE / "words.dict"


def build() -> Path:
    command = ["swift", "build", "-c", "release", "--scratch-path", BUILD, "--product", "fuzz",
               "--sanitize=address", "--sanitize=fuzzer"]
    print("== building the targets with libFuzzer and AddressSanitizer: some minutes the first time", flush=True)
    subprocess.run(command, cwd=ROOT, check=True, env=os.environ | {"SLUICE_FUZZ": "1"})
    return BUILD / "release" / "fuzz"


def fuzz(program: Path, target: str, seconds: int) -> list[Path]:
    """The inputs that broke something."""
    finds, grown, tested = (BUILD / kind / target for kind in ("finds", "corpus", "seeds"))
    seeds.write(target, tested)
    for folder in (finds, grown):
        folder.mkdir(parents=True, exist_ok=True)
    before = set(finds.iterdir())
    command = [program, f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-max_len=4096",
               f"-dict={DICTIONARY}", f"-artifact_prefix={finds}/", grown, tested, HERE / "corpus" / target]
    log = BUILD / f"{target}.log"
    with log.open("wb") as output:
        status = subprocess.run(command, stdout=output, stderr=output,
                                env=os.environ | {"FUZZ_TARGET": target, "SWIFT_BACKTRACE": "enable=no"}).returncode
    last = log.read_text(errors="replace").strip().splitlines()[-1:]
    found = sorted(set(finds.iterdir()) - before)
    print(f"   {target}: {'ok' if status == 0 else f'exit code {status}, see {log}'} · {' '.join(last)[:100]}", flush=True)
    return found if found or status == 0 else [log]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default 60)")
    parser.add_argument("targets", nargs="*", help="of Tests/Fuzz/corpus; all of them when none is named")
    arguments = parser.parse_args()
    targets = arguments.targets or sorted(folder.name for folder in (HERE / "corpus").iterdir())
    program = build()
    finds = [find for target in targets for find in fuzz(program, target, arguments.seconds)]
    for find in finds:
        print(f"found: {find}")
    print(f"{len(targets)} targets, {len(finds)} finds")
    return 1 if finds else 0


if __name__ == "__main__":
    sys.exit(main())
