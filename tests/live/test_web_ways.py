"""Ways to a web server, and back to it after a break: proxies, TLS, redirects, lying parts, ceilings, and what hangs."""

from __future__ import annotations

import bz2
import gzip
import lzma
import socket
import ssl
import subprocess
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import fsspec
import pytest
from fsspec import AbstractFileSystem

from libstorage import (
    AuthenticationError,
    ConnectionFailedError,
    DeadlineError,
    InvalidRequestError,
    Pool,
    Redirects,
    SecretValue,
    StorageError,
    TransferError,
    UnsupportedError,
    VolumeSpec,
)
from libstorage.transfer.ends import origin
from tests import sinks
from tests.live.web import Page, certificate, web_server
from tests.patience import make_patient_qemu_img

Talk = Callable[[socket.socket, bytes], object]
MiB = 1 << 20
TEXT = b"an image" * 500


@contextmanager
def served(talk: Talk) -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers each request as it likes, all at once; its host and port, and what it was asked."""
    server, heads = socket.create_server(("127.0.0.1", 0)), list[bytes]()

    def one(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head and (data := connection.recv(65536)):
                head += data
            heads.append(head)
            talk(connection, head)

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=one, args=(server.accept()[0],), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.getsockname()[1]}", heads
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(5)


def answers(*said: bytes) -> Talk:
    """One answer after the other; the last again and again."""
    left = list(said)
    return lambda connection, _: connection.sendall(left.pop(0) if len(left) > 1 else left[0])


def drips(first: bytes) -> Talk:
    def talk(connection: socket.socket, _: bytes) -> None:
        connection.sendall(first)
        for _number in range(40):
            connection.sendall(b"x")
            sleep(0.1)

    return talk


def left_in(pool: Pool) -> list[str]:
    target = pool.spec().target
    assert target is not None
    return [path.name for path in Path(target.path or "").iterdir()]


def content(pool: Pool, name: str) -> bytes:
    return Path(pool.volumes[name].path()).read_bytes()


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(origin, "PAUSES", [0.0, 0.0])


# ---- proxies --------------------------------------------------------------------------------------------------------


def proxy(login: str | None = None) -> Talk:
    """A proxy of both kinds, which may want to know who asks."""
    wanted = b"" if login is None else b"Proxy-Authorization: Basic " + b64encode(login.encode()) + b"\r\n"

    def talk(connection: socket.socket, head: bytes) -> None:
        if wanted not in head:
            connection.sendall(b"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n")
        elif head.startswith(b"CONNECT "):
            host, _, port = head.split()[1].decode().rpartition(":")
            with socket.create_connection((host, int(port))) as there:
                connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                back = threading.Thread(target=pump, args=(there, connection), daemon=True)
                back.start()
                pump(connection, there)
                back.join(5)
        else:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(TEXT), TEXT))

    return talk


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("login", [None, "visitor:hunter2 %"])
def test_through_a_proxy(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, login: str | None
) -> None:
    file = certificate(tmp_path / "it.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    user = "" if login is None else "visitor:hunter2%20%25@"
    headers = {"Authorization": SecretValue("Bearer hunter3")}
    with served(proxy(login)) as (place, heads), web_server(file) as web:
        web.pages["/x"] = Page(TEXT, password="Bearer hunter3")
        monkeypatch.setenv("http_proxy", f"http://{user}{place}")
        monkeypatch.setenv("https_proxy", f"http://{user}{place}")
        pool.volumes.import_image("http://nosuch.invalid/x?a=b", name="plain")
        pool.volumes.import_image(web.url("/x"), name="secured", headers=headers)
        assert content(pool, "plain") == content(pool, "secured") == TEXT
        assert heads[0].startswith(b"GET http://nosuch.invalid/x?a=b HTTP/1.1\r\n")
        assert heads[1].startswith(b"CONNECT 127.0.0.1:")
        assert b"hunter3" not in heads[1]
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        pool.volumes.import_image(web.url("/x"), name="direct", headers=headers)
        assert len(heads) == 2


@pytest.mark.parametrize(
    ("talk", "kind"),
    [
        (proxy("somebody:else"), AuthenticationError),
        (answers(b"HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n"), StorageError),
        (answers(b"nonsense\r\n\r\n"), TransferError),
        (drips(b""), DeadlineError),
        (drips(b"HTTP/1.1 200 OK\r\nX: "), DeadlineError),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_gives_nothing(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, talk: Talk, kind: type[StorageError], scheme: str
) -> None:
    with served(talk) as (place, _):
        monkeypatch.setenv(f"{scheme}_proxy", f"http://visitor:hunter2@{place}")
        began = monotonic()
        with pytest.raises(kind) as error:
            pool.volumes.import_image(f"{scheme}://nosuch.invalid/x", name="v", deadline=0.5)
        assert monotonic() - began < 5
    assert "hunter2" not in repr(error.value)
    assert left_in(pool) == []


def test_no_redirect_to_a_public_address_through_a_proxy(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(answers(b"HTTP/1.1 302 X\r\nLocation: http://other.invalid/\r\n\r\n")) as (place, heads):
        monkeypatch.setenv("http_proxy", f"http://{place}")
        with pytest.raises(TransferError, match="proxy"):
            pool.volumes.import_image("http://nosuch.invalid/x", name="v", redirects="public")
        assert len(heads) == 1


# ---- TLS ------------------------------------------------------------------------------------------------------------


def test_whom_tls_trusts(pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, other = certificate(tmp_path / "it.pem"), certificate(tmp_path / "other.pem")
    with web_server(file) as web:
        web.pages["/x"] = Page(TEXT)
        for trusted, url in (
            (other, web.url("/x")),
            (file, web.url("/x").replace("127.0.0.1", "localhost")),
        ):
            monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
            with pytest.raises(ConnectionFailedError, match="CERTIFICATE_VERIFY_FAILED") as error:
                pool.volumes.import_image(url, name="v")
            assert error.value.retry == "no"
        assert web.asked == []
        assert left_in(pool) == []
        pool.volumes.import_image(web.url("/x"), name="v")
        assert content(pool, "v") == TEXT


def test_a_handshake_that_never_ends(pool: Pool) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def drip() -> None:
        with suppress(OSError):
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"\x16\x03\x03\x40\x00")
                while not over.wait(0.1):
                    connection.sendall(b"\2")

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    began = monotonic()
    with pytest.raises(DeadlineError):
        pool.volumes.import_image(f"https://127.0.0.1:{server.getsockname()[1]}/", name="v", deadline=0.5)
    assert monotonic() - began < 5
    over.set()
    thread.join(5)
    server.close()
    assert left_in(pool) == []


def test_under_tls_only_the_servers_word_ends_a_file(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = certificate(tmp_path / "it.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = socket.create_server(("127.0.0.1", 0))
    url = f"https://127.0.0.1:{server.getsockname()[1]}/x"

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection = server.accept()[0]
                with context.wrap_socket(connection, server_side=True) as secured, suppress(OSError):
                    head = secured.recv(65536)
                    secured.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + TEXT)
                    if b"whole" in head:
                        secured.unwrap()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with pytest.raises(TransferError):
        pool.volumes.import_image(url, name="v")
    assert left_in(pool) == []
    pool.volumes.import_image(f"{url}?whole", name="v")
    assert content(pool, "v") == TEXT
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(5)


# ---- going on after a break -----------------------------------------------------------------------------------------

FIRST = b'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 100\r\n\r\n' + b"a" * 40


def part(said: bytes, data: bytes = b"b" * 60, *more: bytes) -> bytes:
    lines = [b"HTTP/1.1 206 Part", b"Content-Range: " + said, b"Content-Length: %d" % len(data), *more]
    return b"\r\n".join([*lines, b"", data])


@pytest.mark.parametrize(
    ("again", "why"),
    [
        (part(b"bytes 39-98/100", b"b" * 60, b'ETag: "1"'), "not support ranges"),
        (part(b"bytes 41-99/100", b"b" * 59, b'ETag: "1"'), "not support ranges"),
        (part(b"bytes 0-99/100", b"b" * 100, b'ETag: "1"'), "not support ranges"),
        (part(b"bytes 40-99/101", b"b" * 60, b'ETag: "1"'), "the file changed"),
        (part(b"bytes 40-98/99", b"b" * 59, b'ETag: "1"'), "the file changed"),
        (part(b"bytes 40-99/100", b"b" * 60, b'ETag: "2"'), "the file changed"),
        (part(b"bytes 40-99/100", b"b" * 61, b'ETag: "1"'), "it sent 61 bytes and stated 60"),
        (part(b"bytes 40-99/100", b"b" * 10, b'ETag: "1"'), "it sent 10 bytes and stated 60"),
        (part(b"bytes 99-40/100", b"b" * 60, b'ETag: "1"'), "its Content-Range is"),
        (part(b"bytes 40-99/99", b"b" * 60, b'ETag: "1"'), "its Content-Range is"),
        (part(b"bytes=40-99/100", b"b" * 60, b'ETag: "1"'), "its Content-Range is"),
        (part(b"items 40-99/100", b"b" * 60, b'ETag: "1"'), "its Content-Range is"),
        (part(b"bytes 40-99/*"), "does not say that it did not"),
        (part(b"bytes 40-99/100", b"b" * 60, b'ETag: "1"', b"Content-Encoding: gzip"), "encoded the file"),
        (
            part(
                b"bytes 40-99/100", b"b" * 60, b'ETag: "1"', b"Content-Type: multipart/byteranges; boundary=x"
            ),
            "parts that were not requested",
        ),
        (b'HTTP/1.1 206 Part\r\nETag: "1"\r\nContent-Length: 60\r\n\r\n' + b"b" * 60, "not support ranges"),
        (b'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 100\r\n\r\n' + b"b" * 100, "not support ranges"),
        (
            part(b"bytes 40-99/100", b"b" * 60, b'ETag: "1"').replace(b"206 Part", b"200 OK"),
            "not support ranges",
        ),
        (b"HTTP/1.1 416 No\r\nContent-Range: bytes */40\r\nContent-Length: 0\r\n\r\n", "HTTP 416"),
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", "HTTP 404"),
        (b"HTTP/1.1 302 No\r\nLocation: ftp://h/\r\nContent-Length: 0\r\n\r\n", "not of a web server"),
        (b"nonsense\r\n\r\n", "does not use HTTP"),
    ],
)
def test_a_part_that_is_not_the_rest(pool: Pool, again: bytes, why: str) -> None:
    with served(answers(FIRST, again)) as (place, heads), pytest.raises(TransferError, match=why):
        pool.volumes.import_image(f"http://{place}/x", name="v")
    assert b"Range: bytes=40-\r\n" in heads[1]
    assert len(heads) == 2
    assert left_in(pool) == []


def test_a_part_that_leaves_bytes_out_is_not_made_up_for(pool: Pool) -> None:
    later = part(b"bytes 41-99/100", b"b" * 59, b'ETag: "1"')
    last = part(b"bytes 99-99/100", b"c", b'ETag: "1"')
    with served(answers(FIRST, later, last)) as (place, _), pytest.raises(TransferError):
        pool.volumes.import_image(f"http://{place}/x", name="v")
    assert left_in(pool) == []


def test_a_part_that_is_the_rest(pool: Pool) -> None:
    shorter = part(b"bytes 40-49/100", b"b" * 10, b'ETag: "1"')
    rest = part(b"bytes 50-99/100", b"c" * 50, b'ETag: "1"')
    with served(answers(FIRST, shorter, rest)) as (place, _):
        pool.volumes.import_image(f"http://{place}/x", name="v")
    assert content(pool, "v") == b"a" * 40 + b"b" * 10 + b"c" * 50


# ---- redirects ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        *(
            "ftp://h/x",
            "file:///etc/passwd",
            "gopher://h/",
            "data:,x",
            "http://u:hunter2@h/",
            "http://[::1/",
            "http://",
        ),
        *("http://h:port/", "http://h:99999/", "http:///x", "//u:hunter2@h/", "/x", "", "http://a b/"),
    ],
)
def test_a_redirect_to_nowhere(pool: Pool, target: str) -> None:
    said = f"HTTP/1.1 302 X\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode()
    with served(answers(said)) as (place, heads), pytest.raises(TransferError) as error:
        pool.volumes.import_image(f"http://{place}/x", name="v")
    assert error.value.outcome == "not_started"
    assert "hunter2" not in repr(error.value)
    assert len(heads) <= 11
    assert left_in(pool) == []


def test_redirects_from_tls_to_none_carry_no_headers(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = certificate(tmp_path / "it.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    found = answers(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndata")
    with web_server(file) as web, served(found) as (place, heads):
        web.pages["/x"] = Page(to=f"http://{place}/y")
        pool.volumes.import_image(
            web.url("/x"), name="v", headers={"Authorization": "Bearer hunter2", "X": "y"}
        )
        pool.volumes.import_image(web.url("/x", user="u:hunter2@"), name="w")
    assert len(heads) == 2
    assert not [head for head in heads if b"hunter2" in head or b"Authorization" in head or b"X: y" in head]


def test_a_redirect_back_carries_no_headers_either(pool: Pool) -> None:
    """The other server could choose what is asked for."""
    back = list[str]()

    def there(connection: socket.socket, _: bytes) -> None:
        connection.sendall(f"HTTP/1.1 302 X\r\nLocation: http://{back[0]}/y\r\n\r\n".encode())

    with served(there) as (other, _), served(to(other)) as (place, heads):
        back.append(place)
        pool.volumes.import_image(f"http://u:hunter2@{place}/x", name="v", headers={"X": "hunter3"})
    assert [b"hunter3" in head for head in heads] == [True, False]
    assert [b"Authorization" in head for head in heads] == [True, False]


def to(other: str) -> Talk:
    """Redirects /x to another server, and has a file for every other path."""

    def talk(connection: socket.socket, head: bytes) -> None:
        if head.startswith(b"GET /x"):
            connection.sendall(f"HTTP/1.1 302 X\r\nLocation: http://{other}/\r\n\r\n".encode())
        else:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndata")

    return talk


@pytest.mark.parametrize(
    "spelling", ["127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "127.0.0.2", "localhost"]
)
def test_this_machine_is_not_public_in_any_spelling(pool: Pool, spelling: str) -> None:
    with web_server() as web:
        port = web.server_address[1]
        web.pages.update({"/a": Page(to=f"http://{spelling}:{port}/b"), "/b": Page(b"data")})
        with pytest.raises(TransferError, match="not a public address"):
            pool.volumes.import_image(web.url("/a"), name="v", redirects="public")
        assert [path for path, _ in web.asked] == ["/a"]
    assert left_in(pool) == []


# ---- headers in errors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "talk",
    [
        lambda connection, head: connection.sendall(
            b"HTTP/1.1 200 " + head.replace(b"\r\n", b" ") + b"\r\nx\r\n\r\n"
        ),
        lambda connection, head: connection.sendall(head),
        answers(b"HTTP/1.1 401 No\r\n\r\n"),
        answers(b"HTTP/1.1 302 X\r\nLocation: file:///\r\n\r\n"),
        lambda connection, _: connection.close(),
        answers(FIRST),
    ],
)
def test_no_error_shows_a_header(pool: Pool, talk: Talk) -> None:
    headers: dict[str, str | SecretValue] = {
        "Authorization": f"Bearer {sinks.CANARY}",
        "X-Key": SecretValue(sinks.CANARY),
    }
    with served(talk) as (place, heads), pytest.raises(StorageError) as error:
        pool.volumes.import_image(f"http://{place}/x", name="v", headers=headers)
    assert sinks.CANARY.encode() in heads[0]
    for where, shown in sinks.shown_errors(error.value):
        assert not sinks.hits(shown), where


# ---- ceilings -------------------------------------------------------------------------------------------------------


def qemu_image(path: Path, *options: str, program: str = "qemu-img") -> Path:
    subprocess.run([program, "create", "-q", *options[:-1], str(path), options[-1]], check=True)
    return path


def images(folder: Path) -> Iterator[tuple[str, Any]]:
    """What is larger than a MiB, in one way each."""
    yield "virtual size", qemu_image(folder / "a.qcow2", "-f", "qcow2", "2M")
    fat = qemu_image(folder / "b.qcow2", "-f", "qcow2", "1M")
    with fat.open("r+b") as file:
        file.truncate(32 * MiB)
    yield "file size", fat
    yield "bytes", bytes(2 * MiB)
    yield "parts", (bytes(MiB) for _ in range(2))
    yield "gzip", gzip.compress(bytes(2 * MiB))
    yield "xz", lzma.compress(bytes(8 * MiB))
    yield "bzip2", bz2.compress(bytes(2 * MiB))
    yield "compressed qcow2", gzip.compress(fat.read_bytes())
    patient = make_patient_qemu_img(folder)
    luks = qemu_image(
        folder / "c.luks",
        "-f",
        "luks",
        "--object",
        "secret,id=s,data=x",
        "-o",
        "key-secret=s,iter-time=10",
        "2M",
        program=patient,
    )
    yield "luks", luks


def test_ceilings(pool: Pool, tmp_path: Path) -> None:
    for what, image in images(tmp_path):
        with pytest.raises(InvalidRequestError, match="ceiling of 1048576 bytes"):
            pool.volumes.import_image(image, VolumeSpec(name="v", capacity="1 MiB"))
        assert left_in(pool) == [], what


@pytest.mark.parametrize("says", [None, -1])
def test_a_server_is_stopped_at_the_ceiling(pool: Pool, says: int | None) -> None:
    with web_server() as web:
        web.pages["/x"] = Page(bytes(20 * MiB), says=says)
        with pytest.raises(InvalidRequestError, match="ceiling"):
            pool.volumes.import_image(web.url("/x"), name="v", max_capacity="3 MiB")
        web.pages["/x"] = Page(bytes(3 * MiB), says=says)
        assert left_in(pool) == []
        assert (
            pool.volumes.import_image(web.url("/x"), name="v", max_capacity="3 MiB").info().capacity
            == 3 * MiB
        )


# ---- what hangs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["info", "open", "read"])
def test_a_file_system_that_hangs(pool: Pool, where: str) -> None:
    over = threading.Event()

    class Slow(AbstractFileSystem):  # type: ignore[misc]
        protocol = "slowly"
        cachable = False

        def info(self, path: str, **options: Any) -> Any:
            if where == "info":
                over.wait(20)
            return {"name": path, "type": "file", "size": 10}

        def _open(self, path: str, mode: str = "rb", *_: Any, **options: Any) -> Any:
            if where == "open":
                over.wait(20)
            return self

        def read(self, most: int) -> bytes:
            over.wait(20)
            return b""

        def close(self) -> None:
            over.wait(20)

    fsspec.register_implementation("slowly", Slow, clobber=True)
    began = monotonic()
    with pytest.raises(DeadlineError):
        pool.volumes.import_image("slowly://x", name="v", deadline=0.3)
    assert monotonic() - began < 5
    over.set()
    assert left_in(pool) == []


@pytest.mark.parametrize("kind", ["path", "bytes"])
def test_decompression_that_gives_nothing(pool: Pool, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "x.gz"
    with file.open("wb") as written:  # zeros may stand behind compressed data, for ever
        written.write(gzip.compress(b""))
        written.truncate(64 * MiB if kind == "bytes" else 1 << 43)
    source: Any = file if kind == "path" else file.read_bytes() + gzip.compress(b"") * (2 * MiB)
    with pytest.raises(DeadlineError):
        pool.volumes.import_image(source, name="v", deadline=0.2)
    assert left_in(pool) == []


@pytest.mark.parametrize("redirects", ["public", "forbid"])
def test_what_is_for_web_servers_alone(pool: Pool, redirects: Redirects) -> None:
    with pytest.raises(UnsupportedError, match="headers= and redirects="):
        pool.volumes.import_image("memory://x", name="v", redirects=redirects)
    with pytest.raises(UnsupportedError, match="headers= and redirects="):
        pool.volumes.import_image("simplecache::http://127.0.0.1:1/", name="v", headers={"A": "b"})
