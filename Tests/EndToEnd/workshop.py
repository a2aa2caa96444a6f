"""Plugins made on the spot: compiled from `probe/`, laid out as the gateway wants them, then spoilt."""

import json
import shutil
import subprocess
from pathlib import Path

from program import CONFORMANCE, PLUGINS, ROOT

PROBE = Path(__file__).resolve().parent / "probe"


def compile_probe(target: Path, *definitions: str):
    """The library of the probe, with these `-D`s."""
    subprocess.run(
        [
            "cc", "-std=c11", "-shared", "-fPIC", "-O1", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror",
            f"-I{ROOT}/include", *[f"-D{definition}" for definition in definitions], str(PROBE / "probe.c"), "-o",
            str(target),
        ],
        check=True, capture_output=True, text=True,
    )


def probe_manifest() -> dict:
    return json.loads((PROBE / "plugin.json").read_text())


def lay_out(folder: Path, library: Path | bytes | None, manifest: dict | str | None = None, name="probe") -> Path:
    """A folder of plugins with one plugin in it; returns the plugin's own folder."""
    plugin = folder / name
    plugin.mkdir(parents=True)
    manifest = manifest or probe_manifest()
    (plugin / "plugin.json").write_text(manifest if isinstance(manifest, str) else json.dumps(manifest, indent=2))
    if isinstance(library, Path):
        shutil.copy(library, plugin / "libprobe.so")
    elif library is not None:
        (plugin / "libprobe.so").write_bytes(library)
    return plugin


def with_plugins(*folders: Path, **others) -> dict:
    """A configuration with the built plugins and those of these folders, and nothing else said."""
    return {"plugins": {"folders": [str(PLUGINS), *map(str, folders)], "tenants_grant": "platform"}, **others}


def conformance_configuration(**limits) -> dict:
    """The shipped configuration for conformance tools, with its log in the tests' hands and these limits."""
    shipped = json.loads(CONFORMANCE.read_text())
    folders = [str((CONFORMANCE.parent / folder).resolve()) for folder in shipped["plugins"]["folders"]]
    return {
        **shipped, "plugins": {**shipped["plugins"], "folders": folders}, "log": {},
        "limits": {**shipped["limits"], **limits},
    }
