"""A web server on this machine that misbehaves as a test tells it to."""

import ssl
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Behaviour:
    """What the server has and how it answers.

    `drops` are numbers of bytes of the body after which it closes the connection, one for each
    answer; `statuses` are the codes of the next answers of a path; `pace` are seconds to wait after
    every 50,000 bytes.
    """

    files: dict = field(default_factory=dict)
    ranges: bool = True
    lengths: bool = True
    etag: str | None = '"one"'
    modified: str | None = None
    drops: list = field(default_factory=list)
    statuses: dict = field(default_factory=dict)
    redirects: dict = field(default_factory=dict)
    extra: dict = field(default_factory=dict)
    pace: float = 0.0
    log: list = field(default_factory=list)
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_GET(self):  # noqa: N802
        behaviour = self.server.behaviour
        range_header = self.headers.get("Range")
        status, first = self.status(behaviour, range_header)
        behaviour.log.append((self.path, range_header, status))
        body = behaviour.files.get(self.path, b"")[first:] if status in (200, 206) else b""
        self.send_response(status)
        if self.path in behaviour.redirects:
            self.send_header("Location", behaviour.redirects[self.path])
        self.send_headers(behaviour, status, first, len(body))
        drop = behaviour.drops.pop(0) if body and behaviour.drops else None
        body = body[:drop]
        for start in range(0, len(body), 50_000):
            self.wfile.write(body[start : start + 50_000])
            time.sleep(behaviour.pace)
        self.close_connection = True

    def status(self, behaviour, range_header):
        if self.path in behaviour.redirects:
            return 302, 0
        if behaviour.statuses.get(self.path):
            return behaviour.statuses[self.path].pop(0), 0
        if self.path not in behaviour.files:
            return 404, 0
        condition = self.headers.get("If-Range")
        if not range_header or not behaviour.ranges:
            return 200, 0
        if condition and condition not in (behaviour.etag, behaviour.modified):
            return 200, 0
        first = int(range_header.removeprefix("bytes=").removesuffix("-"))
        return (206, first) if first < len(behaviour.files[self.path]) else (416, 0)

    def send_headers(self, behaviour, status, first, length):
        total = first + length
        headers = {"ETag": behaviour.etag, "Last-Modified": behaviour.modified}
        if behaviour.lengths:
            headers["Content-Length"] = length
        if status == 206:
            headers["Content-Range"] = f"bytes {first}-{total - 1}/{total}"
        for name, value in {**headers, **behaviour.extra}.items():
            if value is not None:
                self.send_header(name, str(value))
        self.end_headers()


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Keep quiet: clients that refuse a certificate are what some tests are about."""


@contextmanager
def serving(behaviour, certificate=None, handler=Handler):
    """Serve, by HTTPS where there is a certificate, and set `behaviour.url`."""
    server = Server(("127.0.0.1", 0), handler)
    server.behaviour = behaviour
    scheme = "http"
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.cert, certificate.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    behaviour.url = f"{scheme}://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield behaviour
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Certificate:
    cert: str
    key: str


def make_certificate(folder, host="localhost"):
    """Make a self-signed certificate with openssl; skips where that is missing."""
    cert, key = str(folder / f"{host}.pem"), str(folder / f"{host}.key")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"]
    command += ["ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={host}"]
    command += ["-addext", f"subjectAltName=DNS:{host}", "-keyout", key, "-out", cert]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"openssl cannot make a certificate: {error}")
    return Certificate(cert, key)


def direct_connections(monkeypatch):
    """Leave the proxies and certificates of the machine's environment out."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
