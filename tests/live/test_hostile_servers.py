"""Servers that say what is not so, or nothing: an error of ours in time, and nothing left in the pool's folder."""

from __future__ import annotations

import bz2
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest

from libstorage import (
    DeadlineError,
    InvalidRequestError,
    Pool,
    Redirects,
    StorageError,
    TransferError,
    VolumeSpec,
)
from tests.live.web import Page, web_server

OK = b"HTTP/1.1 200 OK\r\n"
Answer = Callable[[socket.socket], object]


@contextmanager
def raw_server(answer: Answer) -> Iterator[str]:
    """A server that answers each request as it likes."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65536)
                    answer(connection)
                except OSError:
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/x"
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(5)


def left_in(pool: Pool) -> list[str]:
    target = pool.spec().target
    assert target is not None
    return [path.name for path in Path(target.path or "").iterdir()]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 206 Partial\r\nContent-Range: bytes 5-10/100\r\nContent-Length: 6\r\n\r\nxxxxxx",
        b"HTTP/1.1 206 Partial\r\nContent-Length: 6\r\n\r\nxxxxxx",
        OK + b"Content-Range: bytes 5-10/100\r\nContent-Length: 6\r\n\r\nxxxxxx",
        OK + b"Content-Type: multipart/byteranges; boundary=x\r\nContent-Length: 6\r\n\r\nxxxxxx",
        *(
            b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status
            for status in (101, 201, 202, 203, 204, 205, 226, 300, 304)
        ),
        *(
            OK + b"Content-Length: %s\r\n\r\nxxxxxx" % length
            for length in (b"10O000", b"-1", b"+6", b"6_0", b"0x6", b"6.0", b"", b"6, 7", b"\xb2", b"9" * 30)
        ),
        OK + b"Content-Length: 6\r\nContent-Length: 7\r\n\r\nxxxxxx",
        OK + b"Content-Length : 600\r\n\r\nxxxxxx",
        OK + b"Content-Length:\r\n 600\r\n\r\nxxxxxx",
        OK + b"nonsense\r\nContent-Length: 600\r\n\r\nxxxxxx",
        OK + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nxxxxxx\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n6\r\nxxxxxx\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n-6\r\nxxxxxx\r\n0\r\n\r\n",
        OK + b"Content-Encoding: gzip\r\nContent-Length: 6\r\n\r\nxxxxxx",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 1000,
        b"\x1b]0;pwned\x07\x1b[31mHTTP/1.1 oops\r\n\r\n",
        b"a" * 60_000 + b"\r\n\r\n",
        b"http://" * 9_000 + b"\r\n\r\n",
    ],
)
def test_what_cannot_be_relied_on_is_refused(pool: Pool, said: bytes) -> None:
    with (
        raw_server(lambda connection: connection.sendall(said)) as url,
        pytest.raises(TransferError) as error,
    ):
        pool.volumes.import_image(url.replace("//", "//visitor:hunter2@"), name="v")
    message = error.value.message
    assert error.value.outcome == "not_started"
    assert message.isprintable()
    assert len(message) < 500
    assert "hunter2" not in repr(error.value)
    assert left_in(pool) == []


def dripping(*first: bytes, drop: bytes = b"x") -> Answer:
    def answer(connection: socket.socket) -> None:
        connection.sendall(b"".join(first))
        for _ in range(40):
            connection.sendall(drop)
            sleep(0.1)

    return answer


def test_the_deadline_holds_from_the_first_byte_on(pool: Pool) -> None:
    for answer in (
        dripping(),
        dripping(OK, b"X: "),
        dripping(drop=b"HTTP/1.1 103 Early\r\n\r\n"),
        dripping(OK, b"Content-Length: 1000000\r\n\r\n"),
        dripping(OK, b"Transfer-Encoding: chunked\r\n\r\n", drop=b"1\r\nx\r\n"),
    ):
        with raw_server(answer) as url:
            began = monotonic()
            with pytest.raises(StorageError) as error:
                pool.volumes.import_image(url, name="v", deadline=0.3)
            assert monotonic() - began < 3
            assert isinstance(error.value, DeadlineError)
    assert left_in(pool) == []


def test_a_source_of_the_callers_that_hangs(pool: Pool) -> None:
    over = threading.Event()

    def parts() -> Iterator[bytes]:
        yield b"x"
        over.wait(30)

    with pytest.raises(DeadlineError):
        pool.volumes.import_image(parts(), name="v", deadline=0.3)
    over.set()
    assert left_in(pool) == []


def test_a_bomb_is_stopped_at_the_ceiling(pool: Pool) -> None:
    bomb = bz2.compress(bytes(64 << 20))
    for spec, most in ((VolumeSpec.raw("v", "1 MiB"), None), (VolumeSpec(name="v"), "8 MiB")):
        with pytest.raises(InvalidRequestError, match="ceiling"):
            pool.volumes.import_image(bomb, spec, max_capacity=most)
        assert left_in(pool) == []


def test_redirects_lead_only_where_they_may(pool: Pool) -> None:
    with web_server() as web:
        web.pages.update({"/a": Page(to="/b"), "/b": Page(b"data")})
        other = web.url("/b").replace("127.0.0.1", "127.1")
        web.pages["/c"] = Page(to=other)
        choices: tuple[tuple[str, Redirects], ...] = (("/a", "forbid"), ("/c", "public"))
        for path, redirects in choices:
            with pytest.raises(TransferError, match="redirects"):
                pool.volumes.import_image(web.url(path), name="v", redirects=redirects)
        assert left_in(pool) == []
        pool.volumes.import_image(web.url("/a"), name="v", redirects="public")
        assert left_in(pool) == ["v"]


def test_headers_go_to_no_other_server(pool: Pool) -> None:
    with web_server() as web, web_server() as other:
        web.pages["/a"] = Page(b"data", password="Bearer hunter2")
        other.pages["/b"] = Page(b"data", password="Bearer hunter2")
        web.pages["/c"] = Page(to=other.url("/b"))
        headers = {"Authorization": "Bearer hunter2"}
        pool.volumes.import_image(web.url("/a"), name="v", headers=headers)
        with pytest.raises(StorageError, match="401") as error:
            pool.volumes.import_image(web.url("/c"), name="w", headers=headers)
        assert "hunter2" not in repr(error.value)
    for name in ("Host", "Range", "content-length", "a\r\nb", ""):
        with pytest.raises(InvalidRequestError):
            pool.volumes.import_image("http://127.0.0.1/", name="w", headers={name: "x"})
    with pytest.raises(InvalidRequestError):
        pool.volumes.import_image(b"data", name="w", headers=headers)
