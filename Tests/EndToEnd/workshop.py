"""Plugins made on the spot: compiled from `probe/`, laid out as the gateway wants them, then spoilt."""

import json
import shutil
import subprocess
from pathlib import Path

from program import CONFORMANCE, PLUGINS
from sanitizer import BUILT, COMPILER, ROOT

HERE = Path(__file__).resolve().parent
PROBE = HERE / "probe"
LISTENER = HERE / "listener"
PHASES = HERE / "phases"


def compile_plugin(source: Path, target: Path, *definitions: str):
    """The library of a source file in C, with these `-D`s."""
    subprocess.run(
        [
            *COMPILER, "-std=c11", "-shared", "-fPIC", "-O1", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror",
            f"-I{ROOT}/include", *[f"-D{definition}" for definition in definitions], str(source), "-o", str(target),
        ],
        check=True, capture_output=True, text=True,
    )


def compile_probe(target: Path, *definitions: str):
    """The library of the probe, with these `-D`s."""
    compile_plugin(PROBE / "probe.c", target, *definitions)


def probe_manifest() -> dict:
    return json.loads((PROBE / "plugin.json").read_text())


def lay_out(folder: Path, library: Path | bytes | None, manifest: dict | str | None = None, name="probe") -> Path:
    """A folder of plugins with one plugin in it; returns the plugin's own folder."""
    plugin = folder / name
    plugin.mkdir(parents=True)
    manifest = manifest or probe_manifest()
    (plugin / "plugin.json").write_text(manifest if isinstance(manifest, str) else json.dumps(manifest, indent=2))
    shutil.copytree(PROBE / "events", plugin / "events")
    if isinstance(library, Path):
        shutil.copy(library, plugin / "libprobe.so")
    elif library is not None:
        (plugin / "libprobe.so").write_bytes(library)
    return plugin


def lay_out_own(folder: Path, name: str, *definitions: str, **changes) -> Path:
    """The plugin of the folder `name/` beside this file in a folder of plugins, compiled with these `-D`s, its manifest with these
    members changed; returns that folder."""
    source, plugin = HERE / name, folder / name
    shutil.copytree(source, plugin, ignore=shutil.ignore_patterns("*.c"))
    manifest = {**json.loads((source / "plugin.json").read_text()), **changes}
    (plugin / "plugin.json").write_text(json.dumps(manifest, indent=2))
    compile_plugin(source / f"{name}.c", plugin / manifest["library"], *definitions)
    return folder


def lay_out_listener(folder: Path, id="ear") -> Path:
    """The listener of `listener/`, called `id`, in a folder of plugins; returns its own folder."""
    plugin = folder / id
    (plugin / "migrations").mkdir(parents=True)
    manifest = json.loads((LISTENER / "plugin.json").read_text())
    (plugin / "plugin.json").write_text(json.dumps({**manifest, "id": id}, indent=2))
    for file in (LISTENER / "migrations").iterdir():
        (plugin / "migrations" / file.name).write_text(file.read_text().replace("ear_", f"{id}_"))
    compile_plugin(LISTENER / "listener.c", plugin / "libear.so", f'EAR_ID="{id}"')
    return plugin


def phases_manifest(name="first", **parts: dict) -> dict:
    """The manifest of the plugin with a part in every phase, under a name; `parts` complete its parts by phase."""
    manifest = json.loads((PHASES / "plugin.json").read_text().replace("first", name))
    for part in manifest["phases"]:
        part.update(parts.get(part["phase"], {}))
    return manifest


def lay_out_phases(folder: Path, name="first", manifest: dict | None = None, **parts: dict) -> Path:
    """A folder of plugins with one that has a part in every phase."""
    folder.mkdir(parents=True, exist_ok=True)
    library = folder.parent / f"{folder.name}-{name}.so"
    compile_plugin(PHASES / "phases.c", library, f'PHASES_ID="{name}"')
    return lay_out(folder, library, manifest or phases_manifest(name, **parts), name=name)


def with_plugins(*folders: Path, **others) -> dict:
    """A configuration with the built plugins and those of these folders, and nothing else said."""
    return {"plugins": {"folders": [str(PLUGINS), *map(str, folders)], "tenants_grant": "platform"}, **others}


def conformance_configuration(**limits) -> dict:
    """The shipped configuration for conformance tools, with its log in the tests' hands and these limits."""
    shipped = json.loads(CONFORMANCE.read_text())
    folders = [str(BUILT / Path(folder).name) for folder in shipped["plugins"]["folders"]]
    return {
        **shipped, "plugins": {**shipped["plugins"], "folders": folders}, "log": {},
        "limits": {**shipped["limits"], **limits},
    }


class Versions:
    """A folder with the probe in some versions."""

    def __init__(self, tmp_path):
        self.tmp_path = tmp_path
        self.folder = tmp_path / "versions"

    def install(self, version: str, name: str, migrations=(), **manifest):
        library = self.tmp_path / f"probe-{version}.so"
        compile_probe(library, f'PROBE_VERSION="{version}"')
        shutil.rmtree(self.folder / name, ignore_errors=True)
        manifest = {**probe_manifest(), "version": version, **manifest}
        if migrations:
            manifest["migrations"] = "migrations"
        plugin = lay_out(self.folder, library, manifest, name=name)
        for number, sql in enumerate(migrations, 1):
            (plugin / "migrations").mkdir(exist_ok=True)
            (plugin / f"migrations/{number:04}_step.sql").write_text(sql)
