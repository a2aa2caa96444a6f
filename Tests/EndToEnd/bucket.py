"""A server with one bucket of S3's protocol, as much of it as uploads need, that fails and waits when a test says so."""

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit


class Bucket:
    """What stands in it, and what was asked of it. Nothing of a signature is looked at."""

    def __init__(self):
        self.lock = threading.Lock()
        self.objects: dict[str, bytes] = {}
        # By upload: what it is of, and its parts.
        self.uploads: dict[str, tuple[str, dict[int, bytes]]] = {}
        # Method, and path with query.
        self.asked: list[tuple[str, str]] = []
        # How many PUTs more are answered with 503 SlowDown.
        self.refusals = 0
        # While it is not set, what was put is kept and not answered.
        self.answers = threading.Event()
        self.answers.set()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Asked", (_Asked,), {"bucket": self}))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def count(self, method: str) -> int:
        with self.lock:
            return sum(1 for asked, _ in self.asked if asked == method)

    def close(self):
        self.answers.set()
        self.server.shutdown()
        self.server.server_close()


class _Asked(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bucket: Bucket

    def log_message(self, *_):
        pass

    def _answer(self, status: int, body: str = "", **fields: str):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body.encode())

    def _ask(self) -> tuple[str, dict[str, list[str]], bytes]:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        return unquote(url.path), parse_qs(url.query, keep_blank_values=True), body

    def _note(self):
        self.bucket.asked.append((self.command, self.path))

    def do_PUT(self):
        key, query, body = self._ask()
        with self.bucket.lock:
            self._note()
            is_refused = self.bucket.refusals > 0
            if is_refused:
                self.bucket.refusals -= 1
            elif "uploadId" in query:
                self.bucket.uploads[query["uploadId"][0]][1][int(query["partNumber"][0])] = body
            else:
                self.bucket.objects[key] = body
        if is_refused:
            return self._answer(503, "<Error><Code>SlowDown</Code></Error>")
        self.bucket.answers.wait()
        self._answer(200, ETag=f'"{len(body)}"')

    def do_POST(self):
        key, query, body = self._ask()
        with self.bucket.lock:
            self._note()
            if "uploads" in query:
                name = f"up-{len(self.bucket.asked)}"
                self.bucket.uploads[name] = (key, {})
                text = f"<InitiateMultipartUploadResult><UploadId>{name}</UploadId></InitiateMultipartUploadResult>"
            else:
                numbers = [int(number) for number in re.findall(rb"<PartNumber>(\d+)</PartNumber>", body)]
                _, parts = self.bucket.uploads.pop(query["uploadId"][0])
                self.bucket.objects[key] = b"".join(parts[number] for number in numbers)
                text = "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>"
        self._answer(200, text)

    def do_DELETE(self):
        key, query, _ = self._ask()
        with self.bucket.lock:
            self._note()
            if "uploadId" in query:
                is_known = self.bucket.uploads.pop(query["uploadId"][0], None) is not None
            else:
                is_known = True
                self.bucket.objects.pop(key, None)
        if is_known:
            return self._answer(204)
        self._answer(404, "<Error><Code>NoSuchUpload</Code></Error>")
