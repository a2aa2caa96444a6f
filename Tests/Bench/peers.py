"""The peers, installed when they are not there, each at its best and with the same work switched on."""

import getpass
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from gateway import ROOT
from server import Server, free_port

HERE = Path(__file__).resolve().parent
VENV = ROOT / ".venv-bench"
NODE_WS = Path("/usr/share/nodejs/ws")
HELLO = '{"message":"hello, world"}'

NGINX = """\
daemon off;
{user}worker_processes {workers};
worker_rlimit_nofile 16384;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 8192; }}
http {{
  keepalive_timeout 75s;
  keepalive_requests 1000000000;
  default_type application/json;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
{work}  server {{
    listen 127.0.0.1:{port} backlog=4096{reuseport};
{tls}    location / {{ return 200 '{body}'; }}
  }}
}}
"""

# What the gateway does for each request as well; the server inherits all of it from `http`.
NGINX_WORK = """\
  # A request id on each answer, a JSON access log (buffered), limits that never trip. `return` answers
  # before nginx's limit phase runs, which is in nginx's favour.
  log_format json escape=json '{{"time":"$time_iso8601","remote":"$remote_addr","method":"$request_method",'
    '"path":"$request_uri","status":$status,"bytes":$bytes_sent,"seconds":$request_time,'
    '"request_id":"$request_id"}}';
  access_log {folder}/nginx-access.log json buffer=64k flush=1s;
  add_header x-request-id $request_id always;
  limit_req_zone $binary_remote_addr zone=requests:1m rate=1000000r/s;
  limit_req zone=requests burst=1000000 nodelay;
  limit_conn_zone $binary_remote_addr zone=connections:1m;
  limit_conn connections 60000;
"""
# The gateway's versions, suites and groups, and a certificate of the same kind.
NGINX_TLS = """\
    listen 127.0.0.1:{secure_port} ssl backlog=4096;
    ssl_certificate {folder}/server.crt; ssl_certificate_key {folder}/server.key;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_ecdh_curve X25519:prime256v1; ssl_prefer_server_ciphers on;
    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256;
"""
NGINX_NO_WORK = "  access_log off;\n"


def nginx_configuration(work: str = NGINX_WORK, tls: str = "", **values: object) -> str:
    return NGINX.format(work=work.format(**values), tls=tls.format(**values), body=HELLO, **values)


class PeerMissing(Exception):
    """Why a peer cannot be had here."""


def _install_from_debian(package: str) -> None:
    """Does nothing where that is not allowed; the caller looks again whether it is there."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    print(f"installing {package} …", file=sys.stderr)
    # RUNLEVEL=1 keeps the package from starting a service of its own.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    subprocess.run(
        ["apt-get", "install", "-y", "-q", "--no-install-recommends", package],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
    )


def debian_program(name: str, package: str) -> str:
    """The program's path; installs the Debian package when it is missing and that is allowed."""
    search = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    if not shutil.which(name, path=search):
        _install_from_debian(package)
    if found := shutil.which(name, path=search):
        return found
    raise PeerMissing(f"{name} is not installed (apt-get install {package})")


def _checked(command: list[str], doing: str) -> None:
    outcome = subprocess.run(command, capture_output=True, text=True)
    if outcome.returncode != 0:
        lines = (outcome.stderr + outcome.stdout).strip().splitlines() or ["no output"]
        raise PeerMissing(f"{doing}: {lines[-1]}")


def venv_python(module: str, packages: list[str]) -> str:
    """The benchmark's own Python, with `packages` installed from PyPI."""
    python = str(VENV / "bin/python")
    has = [python, "-c", f"import {module}"]
    if os.path.exists(python) and subprocess.run(has, capture_output=True).returncode == 0:
        return python
    names = " ".join(packages)
    print(f"installing {names} into {VENV.name} …", file=sys.stderr)
    if not (VENV / "bin/pip").exists():
        if importlib.util.find_spec("ensurepip") is None:
            _install_from_debian("python3-venv")
        _checked([sys.executable, "-m", "venv", "--clear", str(VENV)], "making a venv (python3-venv)")
    _checked([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages], names)
    _checked(has, names)
    return python


def nginx(
    scratch: Path,
    cores: list[int],
    workers: int = 1,
    wrapper: tuple[str, ...] = (),
    patience: float = 30,
    work: str = NGINX_WORK,
    tls: str = "",
) -> Server:
    """`wrapper` (callgrind) needs one process, so the master is left out then."""
    program, port = debian_program("nginx", "nginx-light"), free_port()
    folder = scratch / f"nginx-{port}"
    folder.mkdir()
    root = os.geteuid() == 0
    secure_port = free_port() if tls else 0
    if tls:
        _checked(
            [debian_program("openssl", "openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-addext",
             "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", "30", "-keyout",
             str(folder / "server.key"), "-out", str(folder / "server.crt")],
            "making a certificate",
        )
    text = nginx_configuration(
        work, tls, secure_port=secure_port, user=f"user {getpass.getuser()};\n" if root else "", workers=workers, folder=folder,
        port=port, reuseport=" reuseport" if workers > 1 else "",
    )
    if wrapper:
        text = "master_process off;\n" + text
    configuration = folder / "nginx.conf"
    configuration.write_text(text)
    return Server(
        "nginx", [program, "-p", str(folder), "-e", str(folder / "nginx-error.log"), "-c",
                  str(configuration)],
        port, folder / "nginx.log", cores, wrapper, patience=patience, secure_port=secure_port,
    )


def socketify(scratch: Path, cores: list[int]) -> Server:
    python, port = venv_python("socketify", ["socketify"]), free_port()
    return Server(
        "socketify", [python, str(HERE / "peers/socketify_peer.py"), str(port)], port,
        scratch / f"socketify-{port}.log", cores,
    )


def node_ws(scratch: Path, cores: list[int]) -> Server:
    node = debian_program("node", "nodejs")
    if not NODE_WS.exists():
        _install_from_debian("node-ws")
    if not NODE_WS.exists():
        raise PeerMissing("node-ws is not installed (apt-get install node-ws)")
    port = free_port()
    return Server(
        "node-ws", ["env", f"NODE_PATH={NODE_WS.parent}", node, str(HERE / "peers/node_ws_peer.js"), str(port)],
        port, scratch / f"node-ws-{port}.log", cores,
    )


def fastapi(scratch: Path, cores: list[int], synchronous: str = "FULL", program: str = "fastapi_peer.py") -> Server:
    python = venv_python("fastapi, uvicorn, uvloop, httptools", ["fastapi", "uvicorn[standard]"])
    port = free_port()
    return Server(
        "FastAPI",
        [python, str(HERE / "peers" / program), str(port), str(scratch / f"fastapi-{port}.sqlite"),
         synchronous],
        port, scratch / f"fastapi-{port}.log", cores,
    )


def versions() -> dict[str, str]:
    """What is installed now; a peer not yet installed is left out."""
    found = {}
    if program := shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin"):
        said = subprocess.run([program, "-v"], capture_output=True, text=True).stderr
        found["nginx"] = said.strip().rpartition("/")[2]
    if (package := NODE_WS / "package.json").exists():
        found["node-ws"] = json.loads(package.read_text())["version"]
    ask = (
        "import importlib.metadata as installed, sys\n"
        "for d in installed.distributions():\n"
        "    if d.name in sys.argv[1:]: print(d.name, d.version)"
    )
    if (VENV / "bin/python").exists():
        names = ["socketify", "fastapi", "uvicorn", "uvloop"]
        said = subprocess.run([str(VENV / "bin/python"), "-c", ask, *names], capture_output=True, text=True)
        found |= dict(line.split() for line in said.stdout.splitlines())
    return found
