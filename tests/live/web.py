"""A web server of the tests' own, which misbehaves as it is told."""

from __future__ import annotations

import re
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import attrs


@attrs.define
class Page:
    """A file of the server's.

    Attributes:
        data: What it holds.
        says: What length it states, if not the true one; -1 for none.
        cuts: After how many bytes of the body to end the connection, answer by answer; then no more.
        ranges: Serve parts.
        etag: Its version.
        to: Where to redirect.
        status: What to answer instead.
        password: Whom to give it to.
        chunked: Send it in chunks, without a length.
        silent: After how many bytes of the body to say nothing more, and leave the connection open; -1: no answer.
        later: What it becomes after the first answer.
    """

    data: bytes = b""
    says: int | None = None
    cuts: list[int] = attrs.field(factory=list)
    ranges: bool = True
    etag: str | None = '"1"'
    to: str | None = None
    status: int | None = None
    password: str | None = None
    chunked: bool = False
    silent: int | None = None
    later: Page | None = None


class Web(ThreadingHTTPServer):
    """The server.

    Attributes:
        pages: What it has, by path.
        asked: What it was asked for: paths, and ranges.
        over: Set when the silent ones may end.
    """

    daemon_threads = True

    def __init__(self, certificate: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.scheme = "http"
        if certificate is not None:
            self.scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.pages: dict[str, Page] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.over = threading.Event()

    def url(self, path: str, *, user: str = "") -> str:
        """The address of a page."""
        return f"{self.scheme}://{user}127.0.0.1:{self.server_address[1]}{path}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nobody listens any more: that is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path, wanted = self.path.partition("?")[0], self.headers.get("Range")
        server = cast(Web, self.server)
        server.asked.append((path, wanted))
        page = server.pages.get(path, Page(status=404))
        if page.silent == -1:
            server.over.wait(30)
            return
        if page.password and page.password != self.headers.get("Authorization"):
            page = Page(status=401)
        if page.status and page.later is not None:
            server.pages[path] = page.later
        if page.to or page.status:
            self._answer(302 if page.to else page.status or 0, {"Location": page.to, "Content-Length": 0})
            return
        if page.later is not None:
            server.pages[path] = page.later
        first = int(wanted[6:].partition("-")[0]) if wanted and page.ranges else 0
        if first and first >= len(page.data):
            self._answer(416, {"Content-Length": 0})
            return
        length: int | None = (len(page.data) if page.says is None else page.says) - first
        headers = {"ETag": page.etag, "Content-Length": length}
        if page.chunked or page.says == -1:
            headers["Content-Length"] = None
        if page.chunked:
            headers["Transfer-Encoding"] = "chunked"
        if wanted and page.ranges:
            headers["Content-Range"] = f"bytes {first}-{len(page.data) - 1}/{len(page.data)}"
        self._answer(206 if wanted and page.ranges else 200, headers)
        self._send(page, page.data[first:])

    def _answer(self, status: int, headers: dict[str, Any]) -> None:
        self.send_response(status)
        self.send_header("Connection", "close")
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, str(value))
        self.end_headers()

    def _send(self, page: Page, data: bytes) -> None:
        if page.silent is not None:
            self.wfile.write(data[: page.silent])
            cast(Web, self.server).over.wait(30)
            return
        is_cut = bool(page.cuts)
        data = data[: page.cuts.pop(0)] if is_cut else data
        if page.chunked:
            for start in range(0, len(data), 10_000):
                part = data[start : start + 10_000]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            if not is_cut:
                self.wfile.write(b"0\r\n\r\n")
        else:
            self.wfile.write(data)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def web_server(certificate: Path | None = None) -> Iterator[Web]:
    """A server, for as long as the block runs; with a certificate, for ``https``."""
    with Web(certificate) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


def ranges_of(asked: list[tuple[str, str | None]]) -> list[str | None]:
    """From where on it was asked."""
    return [wanted and re.sub(r"bytes=(\d+)-", r"\1", wanted) for _, wanted in asked]


def certificate(path: Path) -> Path:
    """A certificate that vouches for itself, and its key, in one new file."""
    options = [
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=x",
    ]
    command = [
        "openssl",
        "req",
        *options,
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        str(path),
        "-out",
        "-",
    ]
    text = subprocess.run(command, check=True, capture_output=True).stdout
    with path.open("ab") as file:
        file.write(text)
    return path
