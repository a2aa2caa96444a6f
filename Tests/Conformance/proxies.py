"""nginx and haproxy in front of a gateway, and what stands between to record every byte.

    client → proxy → Recorder → gateway

Each proxy gives every request that it forwards an id of its own in `X-Request-Id`, which the gateway repeats in its answer and
in its access log, and logs what it took the request for.
"""

import getpass
import re
import shutil
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from program import _die_with_parent, free_port


@dataclass
class Upstream:
    """One connection from the proxy to the gateway."""

    sent: bytearray = field(default_factory=bytearray)
    answered: bytearray = field(default_factory=bytearray)


class Recorder:
    """Passes bytes between the proxy and the gateway, both ways, unchanged."""

    def __init__(self, target: int):
        self.target = target
        self.upstreams: list[Upstream] = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                front, _ = self.listener.accept()
            except OSError:
                return
            back = socket.create_connection(("127.0.0.1", self.target))
            upstream = Upstream()
            self.upstreams.append(upstream)
            for source, sink, record, change in (
                (front, back, upstream.sent, self.forward), (back, front, upstream.answered, lambda data: data),
            ):
                source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pass, args=(source, sink, record, change), daemon=True).start()

    def forward(self, data: bytes) -> bytes:
        """What goes to the gateway of what has come from the proxy: all of it, unless a test meddles."""
        return data

    @staticmethod
    def _pass(source: socket.socket, sink: socket.socket, record: bytearray, change):
        try:
            while data := source.recv(65536):
                record += data
                sink.sendall(change(data))
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            for each in (source, sink):
                each.close()

    def close(self):
        self.listener.close()


@dataclass(frozen=True)
class Seen:
    """What a proxy says of a request that it forwarded."""

    method: str
    target: str


class Proxy:
    """A proxy that runs until it is closed."""

    title = ""
    program = ""

    def __init__(self, folder: Path, backend: int):
        folder.mkdir(parents=True)
        self.folder, self.backend, self.port = folder, backend, free_port()
        self.log = folder / "seen.log"
        self.output = (folder / "output.log").open("wb")
        found = shutil.which(self.program) or shutil.which(self.program, path="/usr/sbin")
        if not found:
            raise SystemExit(f"{self.program} is not installed (apt-get install {self.program})")
        self.process = subprocess.Popen(
            [found, *self.arguments()], stdout=self.sink(), stderr=self.output, stdin=subprocess.DEVNULL,
            preexec_fn=_die_with_parent)
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise AssertionError(f"{self.title} does not listen:\n{(folder / 'output.log').read_text()}") from None
                time.sleep(0.02)

    def arguments(self) -> list[str]:
        raise NotImplementedError

    def sink(self):
        return self.output

    def version(self) -> str:
        raise NotImplementedError

    def seen(self) -> dict[str, Seen]:
        """What it says that it forwarded, by the id that it gave: complete once it is closed."""
        found = {}
        for line in self.log.read_text(errors="replace").splitlines():
            if len(parts := line.split("\t")) == 3 and re.fullmatch("[0-9a-f-]{32,36}", parts[0]):
                found[parts[0]] = Seen(parts[1], parts[2])
        return found

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        self.output.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Nginx(Proxy):
    """As it comes: bodies are read whole and forwarded with their length."""

    title = "nginx, as it comes"
    program = "nginx"
    lenient = ""

    def arguments(self) -> list[str]:
        user = f"user {getpass.getuser()};" if getpass.getuser() == "root" else ""
        configuration = self.folder / "nginx.conf"
        configuration.write_text(f"""
            {user} daemon off; worker_processes 1; pid {self.folder}/nginx.pid; error_log {self.folder}/error.log;
            events {{ worker_connections 2048; }}
            http {{
              log_format seen "$request_id\\t$request_method\\t$request_uri";
              access_log {self.log} seen if=$upstream_status;
              client_header_timeout 500ms; client_body_timeout 500ms; keepalive_timeout 2s; lingering_timeout 500ms;
              client_body_temp_path {self.folder}/body; proxy_temp_path {self.folder}/proxy; fastcgi_temp_path {self.folder}/fastcgi;
              uwsgi_temp_path {self.folder}/uwsgi; scgi_temp_path {self.folder}/scgi;
              large_client_header_buffers 8 64k; client_max_body_size 16m;
              upstream backend {{ server 127.0.0.1:{self.backend} max_fails=0; keepalive 16; }}
              server {{
                listen 127.0.0.1:{self.port} default_server backlog=512; {self.lenient}
                location / {{
                  proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
                  proxy_set_header X-Request-Id $request_id;
                }}
              }}
            }}""")
        return ["-p", str(self.folder), "-c", str(configuration), "-e", str(self.folder / "error.log")]

    def version(self) -> str:
        found = subprocess.run([shutil.which("nginx", path="/usr/sbin:/usr/bin"), "-v"], capture_output=True, text=True)
        return found.stderr.strip().rpartition("/")[2]


class LenientNginx(Nginx):
    """Lets through what it can, and bodies as they come, chunk by chunk."""

    title = "nginx, letting pass what it can"
    lenient = (
        "ignore_invalid_headers off; underscores_in_headers on; merge_slashes off; proxy_request_buffering off; proxy_buffering off;")


class Haproxy(Proxy):
    title = "haproxy, as it comes"
    program = "haproxy"
    lenient = ""

    def arguments(self) -> list[str]:
        configuration = self.folder / "haproxy.cfg"
        configuration.write_text(f"""
global
    log stdout len 32768 format raw local0
    maxconn 2048
    tune.bufsize 65536
defaults
    mode http
    log global
    option http-keep-alive
    timeout connect 5s
    timeout server 10s
    timeout client 700ms
    timeout http-request 700ms
    timeout http-keep-alive 2s
frontend front
    bind 127.0.0.1:{self.port}
    {self.lenient}
    unique-id-format %[uuid()]
    http-request set-header x-request-id %[unique-id]
    log-format "%ID\\t%HM\\t%HU"
    default_backend back
backend back
    http-reuse always
    {self.lenient.replace("request", "response")}
    server gateway 127.0.0.1:{self.backend}
""")
        return ["-db", "-f", str(configuration)]

    def sink(self):
        return self.log.open("wb")

    def version(self) -> str:
        found = subprocess.run([shutil.which("haproxy", path="/usr/sbin:/usr/bin"), "-v"], capture_output=True, text=True)
        return found.stdout.split()[2].partition("-")[0]


class LenientHaproxy(Haproxy):
    title = "haproxy, letting pass what it can"
    lenient = "option accept-invalid-http-request"


PROXIES = [Nginx, LenientNginx, Haproxy, LenientHaproxy]
