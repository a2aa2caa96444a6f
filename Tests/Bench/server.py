"""A server under measurement: started, awaited, asked, and always stopped."""

import http.client
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import machine


class ServerFailed(Exception):
    """The server did not start, died, or did not answer; the text ends with its log."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One process tree. Use as a context manager; `answers` is the path whose 200 means it is ready."""

    def __init__(
        self,
        name: str,
        command: list[str],
        port: int,
        log: Path,
        cores: list[int],
        wrapper: tuple[str, ...] = (),
        answers: str = "/",
        folder: Path | None = None,
        patience: float = 30,
        secure_port: int = 0,
    ) -> None:
        self.name, self.port, self.log, self.answers = name, port, log, answers
        self.command, self.secure_port = command, secure_port
        self._run = machine.pinned(cores, [*wrapper, *command])
        self._folder, self._patience = folder, patience
        self._process: subprocess.Popen | None = None
        self.milliseconds_to_answer = 0.0

    def __enter__(self) -> "Server":
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                raise ServerFailed(f"{self.name}: port {self.port} is in use by another program")
        with self.log.open("wb") as log:
            started = time.monotonic()
            self._process = subprocess.Popen(
                self._run, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._folder,
                start_new_session=True,
            )
        try:
            self._await_answer(started + self._patience)
        except BaseException:
            self.__exit__()
            raise
        self.milliseconds_to_answer = (time.monotonic() - started) * 1000
        return self

    def _await_answer(self, deadline: float) -> None:
        last = "no connection"
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise ServerFailed(self._failure(f"exited with {self._process.returncode}"))
            try:
                status = self.ask("GET", self.answers)[0]
                if status == 200:
                    return
                last = f"GET {self.answers} answered {status}"
                time.sleep(0.05)
            except OSError:
                time.sleep(0.0005)
            except http.client.HTTPException as error:
                last = repr(error)
                time.sleep(0.05)
        raise ServerFailed(self._failure(f"not ready after {self._patience:.0f} s: {last}"))

    def _failure(self, what: str) -> str:
        tail = self.log.read_text(errors="replace").splitlines()[-15:]
        return "\n    ".join([f"{self.name}: {what}; command: {' '.join(self.command)}", *tail])

    def __exit__(self, *_: object) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # its own session: nothing else is in the group
            process.wait()

    def kill(self) -> None:
        """Ends it without a word, as a power cut would."""
        os.killpg(self.pid, signal.SIGKILL)

    def ask(
        self, method: str, path: str, body: str | None = None, authorization: str | None = None
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            headers = {"content-type": "application/json"} if body else {}
            if authorization:
                headers["authorization"] = authorization
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def upgrade_status(self, path: str) -> int:
        """The status a WebSocket handshake on `path` is answered with."""
        head = (
            f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{self.port}\r\nupgrade: websocket\r\n"
            "connection: Upgrade\r\nsec-websocket-version: 13\r\n"
            "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(head.encode())
            line = connection.makefile("rb").readline().split()
        return int(line[1]) if len(line) > 1 and line[1].isdigit() else 0

    @property
    def pid(self) -> int:
        if self._process is None or self._process.poll() is not None:
            raise ServerFailed(self._failure("died during the measurement"))
        return self._process.pid

    def cpu_seconds(self) -> float:
        return machine.cpu_seconds(self.pid)

    def resident_bytes(self) -> int:
        return machine.resident_bytes(self.pid)
