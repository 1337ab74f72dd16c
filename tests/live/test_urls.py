"""URLs as source and sink: what arrives, and what becomes of servers that break off or do not tell the truth."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import random
import socket
import subprocess
import sys
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any

import attrs
import fsspec
import pytest
from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from libstorage import (
    AccessDeniedError,
    AuthenticationError,
    ConnectionFailedError,
    DeadlineError,
    ExistsError,
    InvalidRequestError,
    NotFoundError,
    Pool,
    StorageError,
    StorageIOError,
    TransferError,
    UnsupportedError,
    Volume,
    VolumeSpec,
)
from libstorage.transfer.ends import origin, redaction
from libstorage.transfer.ends.opening import url_source
from libstorage.transfer.ends.web import web as web_module
from libstorage.transfer.pieces.piece import Source
from tests.live.web import Page, Web, certificate, ranges_of, web_server

MiB = 1 << 20
NOISE = random.Random(4).randbytes(3 * MiB + 7)


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with web_server() as server:
        yield server


@pytest.fixture(autouse=True)
def fresh(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    web.pages.clear()
    web.asked.clear()
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(origin, "PAUSES", [0.0, 0.0, 0.0])
    MemoryFileSystem.store.clear()


@pytest.fixture
def volume(pool: Pool) -> Volume:
    return pool.volumes.create(VolumeSpec.raw("v.img", len(NOISE), allocation=0))


def content(volume: Volume) -> bytes:
    return Path(volume.path()).read_bytes()


def read(url: str) -> bytes:
    """All that a URL gives."""
    with url_source(url) as source:
        return b"".join(parts(source))


def parts(source: Source) -> Iterator[bytes]:
    while piece := source.read(MiB):
        assert isinstance(piece, bytes)
        assert len(piece) <= MiB
        yield piece


class TestFromTheWeb:
    def test_a_volume_is_filled(self, web: Web, volume: Volume) -> None:
        web.pages["/x"] = Page(NOISE)
        volume.upload(web.url("/x"))
        assert content(volume) == NOISE
        assert ranges_of(web.asked) == [None]

    @pytest.mark.parametrize("size", [0, 1, 2, 262_144, 262_145])
    def test_sizes(self, web: Web, size: int) -> None:
        web.pages["/x"] = Page(NOISE[:size])
        with url_source(web.url("/x")) as source:
            assert source.length == size
            assert b"".join(parts(source)) == NOISE[:size]

    def test_one_that_does_not_tell_its_length(self, web: Web, volume: Volume) -> None:
        web.pages["/chunked"] = Page(NOISE, chunked=True)
        web.pages["/closed"] = Page(NOISE, says=-1)
        for path in web.pages:
            with url_source(web.url(path)) as source:
                assert source.length is None
            volume.upload(bytes(len(NOISE)), sparse=False).upload(web.url(path))
            assert content(volume) == NOISE

    def test_redirects_are_followed_and_the_password_stays_behind(self, web: Web) -> None:
        password = "Basic " + b64encode(b"me:secret pass").decode()
        with web_server() as other:
            other.pages["/x"] = Page(NOISE)
            web.pages["/a"] = Page(to="/b", password=password)
            web.pages["/b"] = Page(to=other.url("/x"))
            assert read(web.url("/a", user="me:secret%20pass@")) == NOISE
            other.pages["/x"].password = password
            with pytest.raises(AuthenticationError):
                read(web.url("/a", user="me:secret%20pass@"))

    def test_a_ring_of_redirects(self, web: Web) -> None:
        web.pages["/a"] = Page(to="/a")
        with pytest.raises(TransferError, match="302"):
            read(web.url("/a"))

    def test_no_other_scheme_is_entered(self, web: Web, folder: Path) -> None:
        (folder / "x").write_text("mine")
        web.pages["/a"] = Page(to=f"file://{folder}/x")
        web.pages["/b"] = Page(to="ftp://127.0.0.1/x")
        for path in web.pages:
            with pytest.raises((TransferError, ConnectionFailedError)):
                read(web.url(path))

    def test_over_tls(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        trusted = certificate(tmp_path / "certificate")
        with web_server(trusted) as server:
            server.pages["/x"] = Page(NOISE, cuts=[MiB])
            server.pages["/more"] = Page(NOISE, says=len(NOISE) - 1)
            with pytest.raises(ConnectionFailedError, match=r"CERTIFICATE_VERIFY_FAILED|certificate verify"):
                read(server.url("/x"))
            monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
            assert read(server.url("/x")) == NOISE
            with pytest.raises(TransferError, match="longer than"):
                read(server.url("/more"))

    def test_names_that_need_quoting(self, web: Web) -> None:
        web.pages["/gr%C3%B6%C3%9Fe%20x"] = Page(b"data")
        assert read(web.url("/größe x#fragment")) == b"data"


class TestAConnectionThatBreaks:
    def test_it_is_taken_up_where_it_broke(self, web: Web, volume: Volume) -> None:
        web.pages["/x"] = Page(NOISE, cuts=[MiB, 0, 5])
        volume.upload(web.url("/x"))
        assert content(volume) == NOISE
        assert ranges_of(web.asked) == [None, str(MiB), str(MiB), str(MiB + 5)]

    def test_without_a_length_too(self, web: Web) -> None:
        web.pages["/x"] = Page(NOISE, chunked=True, cuts=[500_000, len(NOISE)])
        with pytest.raises(TransferError, match=f"broke off after {len(NOISE)} bytes: .*416"):
            read(web.url("/x"))  # it has all, but not the word that this is all
        web.pages["/x"] = Page(NOISE, chunked=True, cuts=[500_000, 10_000])
        assert read(web.url("/x")) == NOISE

    def test_after_some_tries_it_is_given_up(self, web: Web, volume: Volume) -> None:
        web.pages["/x"] = Page(NOISE, cuts=[MiB, 0, 0, 0, 0])
        with pytest.raises(TransferError, match=f"broke off after {MiB} of {len(NOISE)} bytes: .*3 retries"):
            volume.upload(web.url("/x"))
        assert len(web.asked) == 4

    @pytest.mark.parametrize("said", [-1, 0, 300_000])
    def test_one_that_falls_silent_does_not_outlive_the_deadline(
        self, web: Web, volume: Volume, said: int
    ) -> None:
        web.pages["/x"], began = Page(NOISE, silent=said), monotonic()
        with pytest.raises(DeadlineError, match="the deadline passed") as late:
            volume.upload(web.url("/x"), deadline=0.5)
        assert monotonic() - began < 10  # the server would be silent for 30
        assert late.value.outcome == ("unknown" if said >= 0 else "not_started")
        volume.upload(NOISE)

    def test_a_server_without_ranges(self, web: Web, volume: Volume) -> None:
        web.pages["/x"] = Page(NOISE, cuts=[MiB], ranges=False)
        with pytest.raises(
            TransferError, match=rf"after {MiB} of {len(NOISE)} bytes: .*not support ranges"
        ) as broken:
            volume.upload(web.url("/x"))
        assert broken.value.outcome == "unknown"
        assert "now undefined" in str(broken.value)

    @pytest.mark.parametrize(
        "then",
        [
            Page(NOISE[::-1], etag='"2"'),
            Page(NOISE[::-1] + b"x"),
            Page(NOISE[:MiB] + b"x"),
            Page(NOISE[:100]),
            Page(status=404),
        ],
        ids=["another version", "longer", "shorter", "too short", "gone"],
    )
    def test_a_file_that_changes_meanwhile(self, web: Web, volume: Volume, then: Page) -> None:
        web.pages["/x"] = Page(NOISE, cuts=[MiB], later=then)
        with pytest.raises(TransferError, match=f"after {MiB} of {len(NOISE)} bytes"):
            volume.upload(web.url("/x"))

    def test_nothing_tells_whether_it_is_the_same(self, web: Web) -> None:
        page = Page(NOISE, chunked=True, cuts=[MiB, len(NOISE)], etag=None)
        web.pages["/x"] = page
        with pytest.raises(TransferError, match="does not say"):
            read(web.url("/x"))

    def test_a_server_that_is_out_of_order_for_a_moment(self, web: Web) -> None:
        for status in (429, 500, 503, 599):
            web.asked.clear()
            web.pages["/x"] = Page(NOISE, cuts=[MiB], later=Page(status=status))
            with pytest.raises(TransferError, match=f"3 retries: the server answered HTTP {status}"):
                read(web.url("/x"))
            assert len(web.asked) == 4
            web.pages["/x"] = Page(NOISE, cuts=[MiB], later=Page(status=status, later=Page(NOISE)))
            assert read(web.url("/x")) == NOISE

    def test_what_a_server_refuses_is_not_asked_for_again(self, web: Web) -> None:
        for status in (400, 403, 404, 410, 416, 428):
            web.asked.clear()
            web.pages["/x"] = Page(NOISE, cuts=[MiB], later=Page(status=status))
            with pytest.raises(TransferError, match=f"for the rest, the server answered HTTP {status}"):
                read(web.url("/x"))
            assert len(web.asked) == 2

    def test_progress_begins_the_tries_anew(self, web: Web) -> None:
        """Six breaks, of which no four follow each other without a byte between them."""
        web.pages["/x"] = Page(NOISE, cuts=[MiB, 0, 1, 0, 0, 1, 0, 1, 1])
        assert read(web.url("/x")) == NOISE
        assert len(web.asked) == 10


class TestAServerThatLies:
    @pytest.mark.parametrize("ranges", [True, False])
    @pytest.mark.parametrize("more", [1, MiB])
    def test_it_has_less_than_it_says(self, web: Web, volume: Volume, more: int, ranges: bool) -> None:
        web.pages["/x"] = Page(NOISE[:-more], says=len(NOISE), ranges=ranges)
        with pytest.raises(TransferError, match=f"broke off after {len(NOISE) - more} of {len(NOISE)} bytes"):
            volume.upload(web.url("/x"))

    @pytest.mark.parametrize("size", [1, 1000, len(NOISE) - MiB, len(NOISE) - 1])
    def test_it_has_more_than_it_says(self, web: Web, volume: Volume, size: int) -> None:
        web.pages["/x"] = Page(NOISE, says=size)
        with pytest.raises(TransferError, match=f"longer than the {size} bytes"):
            volume.upload(web.url("/x"))

    def test_one_that_leaves_the_connection_open(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(web_module, "LAST_WORD", 0.01)
        with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
            reading = pool.submit(read, f"http://127.0.0.1:{server.getsockname()[1]}/x")
            connection, _ = server.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndata")
                assert reading.result() == b"data"


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (401, AuthenticationError),
            (403, AccessDeniedError),
            (404, NotFoundError),
            (410, NotFoundError),
            (418, TransferError),
            (500, TransferError),
        ],
    )
    def test_the_errors_are_ours(
        self, web: Web, volume: Volume, status: int, kind: type[StorageError]
    ) -> None:
        web.pages["/x"] = Page(status=status)
        for url in (web.url("/x"), f"simplecache::{web.url('/x')}"):
            with pytest.raises(kind, match=r"127\.0\.0\.1") as refused:
                volume.upload(url)
            assert type(refused.value) is kind
        assert content(volume) == bytes(len(NOISE))

    def test_nobody_is_there(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        with pytest.raises(ConnectionFailedError, match="refused"):
            read(f"http://127.0.0.1:{port}/x")
        with pytest.raises(ConnectionFailedError):
            read("http://nosuch.invalid/x")

    @pytest.mark.parametrize("url", ["http://[/x", "http://h:port/x", "nosuch://x/y"])
    def test_what_is_no_address(self, url: str) -> None:
        with pytest.raises(InvalidRequestError):
            read(url)

    def test_a_file_that_is_not_there(self) -> None:
        with pytest.raises(NotFoundError, match="memory://x/y"):
            read("memory://x/y")

    def test_a_folder(self, volume: Volume) -> None:
        fsspec.filesystem("memory").makedirs("/f/g")
        with pytest.raises(InvalidRequestError, match="directory"):
            read("memory://f")
        with pytest.raises(InvalidRequestError, match="directory"):
            volume.download("memory://f", overwrite=True)

    def test_without_fsspec(self) -> None:
        program = """
import sys
sys.modules["fsspec"] = None
from libstorage import UnsupportedError
from libstorage.transfer.ends.opening import url_source
try:
    with url_source("memory://u:secret@x/y"): pass
except UnsupportedError as error:
    print(error)
"""
        said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
        assert "libstorage[url]" in said.stdout
        assert "secret" not in said.stdout


SECRETS = ("hunter2", "signature", "visitor", "hunter%32")


class TestSecrets:
    @pytest.mark.parametrize("chain", ["", "simplecache::"])
    @pytest.mark.parametrize(
        "page",
        [
            Page(status=404),
            Page(status=403),
            Page(status=500),
            Page(NOISE[:-9], says=len(NOISE), ranges=False),
            Page(to="http://visitor:hunter2@nosuch.invalid/?sig=signature"),
        ],
        ids=["404", "403", "500", "short", "redirect"],
    )
    def test_they_are_in_no_error(self, web: Web, volume: Volume, page: Page, chain: str) -> None:
        web.pages["/x"] = attrs.evolve(page)
        url = f"{chain}{web.url('/x', user='visitor:hunter2@')}?sig=signature&x=1#signature"
        with pytest.raises(StorageError) as refused:
            volume.upload(url)
        shown = [str(refused.value), repr(refused.value), repr(pickle.dumps(refused.value))]
        assert not [secret for secret in SECRETS for text in shown if secret in text]
        assert "127.0.0.1" in shown[0]

    def test_they_are_not_in_the_name(self, web: Web, volume: Volume) -> None:
        web.pages["/x"] = Page(NOISE)
        with url_source(web.url("/x", user="visitor:hunter2@") + "?sig=signature") as source:
            assert source.name == web.url("/x")

    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("https://u:p@h:8/x?q#f", "https://h:8/x"),
            ("zip://a.img::https://u:p@h/x.zip?q=1", "zip://a.img::https://h/x.zip"),
            ("s3://bucket/key", "s3://bucket/key"),
            ("ftp://u:p@h", "ftp://h"),
            ("https://h/x@2/y", "https://h/x@2/y"),
        ],
    )
    def test_how_an_address_is_shown(self, url: str, shown: str) -> None:
        assert redaction.redacted_url(url) == shown


class TestOtherFileSystems:
    def test_from_memory(self, volume: Volume) -> None:
        fsspec.filesystem("memory").pipe("/x", NOISE)
        volume.upload("memory://x")
        assert content(volume) == NOISE

    def test_from_a_file(self, folder: Path, volume: Volume) -> None:
        (folder / "x").write_bytes(NOISE)
        volume.upload(f"file://{folder}/x")
        assert content(volume) == NOISE

    @pytest.mark.parametrize("cuts", [[], [MiB] * 5])
    def test_out_of_an_archive_on_the_web(
        self, web: Web, volume: Volume, cuts: list[int], folder: Path
    ) -> None:
        with zipfile.ZipFile(folder / "x.zip", "w") as archive:
            archive.writestr("a.img", NOISE)
        web.pages[f"/{len(cuts)}.zip"] = Page((folder / "x.zip").read_bytes(), cuts=cuts)
        url = f"zip://a.img::simplecache::{web.url(f'/{len(cuts)}.zip')}"
        if cuts:
            with pytest.raises(TransferError):
                volume.upload(url)
        else:
            volume.upload(url)
            assert content(volume) == NOISE

    def test_a_connection_that_breaks(self, volume: Volume, brittle: Brittle) -> None:
        brittle.pipe("/x", NOISE)
        brittle.breaks = [MiB, 2 * MiB, 2 * MiB]
        volume.upload("brittle://x")
        assert content(volume) == NOISE
        assert brittle.breaks == []

    @pytest.mark.parametrize(
        ("then", "message"), [(NOISE[:-1], "file changed"), (None, "gone")], ids=["shorter", "gone"]
    )
    def test_a_file_that_changes_meanwhile(
        self, volume: Volume, brittle: Brittle, then: bytes | None, message: str
    ) -> None:
        brittle.pipe("/x", NOISE)
        brittle.breaks, brittle.then = [MiB], then
        with pytest.raises(TransferError, match=f"after {MiB} of {len(NOISE)} bytes: .*{message}"):
            volume.upload("brittle://x")

    @pytest.mark.parametrize("wrong", [-1, 1])
    def test_a_wrong_length(self, volume: Volume, brittle: Brittle, wrong: int) -> None:
        brittle.pipe("/x", NOISE[:MiB])
        brittle.wrong = wrong
        with pytest.raises(TransferError, match=f"of {MiB + 1} bytes" if wrong > 0 else "longer than"):
            volume.upload("brittle://x")


class BrittleFile(io.BytesIO):
    """A file whose connection breaks."""

    def __init__(self, system: Brittle, data: bytes) -> None:
        super().__init__(data)
        self.system = system

    def read(self, size: int | None = -1, /) -> bytes:
        if self.system.breaks and self.tell() >= self.system.breaks[0]:
            self.system.breaks.pop(0)
            if self.system.then is None:
                self.system.rm("/x")
            elif self.system.then:
                self.system.pipe("/x", self.system.then)
            raise RuntimeError("it broke")
        return super().read(size)


class Brittle(MemoryFileSystem):
    """A file system whose connections break, that is wrong about lengths, and that can or cannot do some things."""

    protocol = "brittle"
    store: dict[str, Any] = {}  # noqa: RUF012 -- as its base class has it
    pseudo_dirs = [""]  # noqa: RUF012 -- as its base class has it
    breaks: list[int]
    then: bytes | None
    wrong: int

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.partition("://")[2] or path))

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        info = dict(super().info(path, **kwargs))
        return {"name": path, "type": info["type"], "size": info["size"] + self.wrong}

    def _open(self, path: str, mode: str = "rb", **kwargs: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        kwargs.pop("autocommit", None)
        file = super()._open(path, mode, **kwargs)
        return BrittleFile(self, file.getvalue()) if mode == "rb" else file


class Moving(Brittle):
    """One that can move files."""

    protocol = "moving"

    def mv(self, path1: str, path2: str, *args: Any, **kwargs: Any) -> None:
        self.store[self._strip_protocol(path2)] = self.store.pop(self._strip_protocol(path1))


class Held(LocalFileSystem):
    """One that holds files back, and cannot move them."""

    protocol = "held"
    mv = AbstractFileSystem.mv
    folder = "/nonexistent"

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return f"{cls.folder}/{os.path.basename(path)}"  # noqa: PTH119 -- it is a URL


@pytest.fixture
def brittle(tmp_path: Path) -> Iterator[Brittle]:
    fsspec.register_implementation("brittle", Brittle, clobber=True)
    fsspec.register_implementation("moving", Moving, clobber=True)
    fsspec.register_implementation("held", Held, clobber=True)
    Held.folder = str(tmp_path)
    system = fsspec.filesystem("brittle")
    for one in (system, fsspec.filesystem("moving")):
        one.breaks, one.then, one.wrong = [], b"", 0
    yield system
    Brittle.store.clear()


def kept(url: str) -> bytes:
    system, path = fsspec.url_to_fs(url)
    data = system.cat_file(path)
    assert isinstance(data, bytes)
    return data


class TestToUrls:
    @pytest.mark.parametrize("scheme", ["memory", "simplecache::memory", "brittle", "moving", "held"])
    def test_what_arrives(self, volume: Volume, brittle: Brittle, scheme: str) -> None:
        volume.upload(NOISE).download(f"{scheme}://x", sparse=False)
        assert kept(f"{scheme}://x") == NOISE
        with pytest.raises(ExistsError, match="overwrite=True"):
            volume.download(f"{scheme}://x")
        volume.download(f"{scheme}://x", length=10, overwrite=True)
        assert kept(f"{scheme}://x") == NOISE[:10]

    def test_to_a_file(self, volume: Volume, folder: Path) -> None:
        volume.upload(NOISE).download(f"file://{folder}/x")
        assert (folder / "x").read_bytes() == NOISE
        with pytest.raises(ExistsError):
            volume.download(f"file://{folder}/x")

    def test_holes_are_zeros(self, volume: Volume) -> None:
        volume.download("memory://x")
        assert fsspec.filesystem("memory").cat("/x") == bytes(len(NOISE))

    @pytest.mark.parametrize("scheme", ["memory", "simplecache::memory", "brittle", "moving", "held"])
    def test_one_that_breaks_off_leaves_nothing(self, volume: Volume, brittle: Brittle, scheme: str) -> None:
        def fail(at: Any) -> None:
            if at.done > MiB:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            volume.upload(NOISE).download(f"{scheme}://x", progress=fail)
        assert list(MemoryFileSystem.store) == []
        assert [*Brittle.store, *Path(Held.folder).iterdir()] == []

    @pytest.mark.parametrize("scheme", ["held", "moving"])
    def test_what_was_there_stays_when_it_breaks_off(
        self, volume: Volume, brittle: Brittle, scheme: str
    ) -> None:
        def fail(at: Any) -> None:
            if at.done > MiB:
                raise KeyboardInterrupt

        fsspec.filesystem(scheme).pipe("/x", b"old")
        with pytest.raises(KeyboardInterrupt):
            volume.download(f"{scheme}://x", progress=fail, overwrite=True)
        assert kept(f"{scheme}://x") == b"old"

    def test_one_that_appears_meanwhile_stays(self, volume: Volume, brittle: Brittle) -> None:
        def somebody_else(at: Any) -> None:
            brittle.pipe("/x", b"mine")
            fsspec.filesystem("held").pipe("x", b"mine")

        for scheme in ("held", "moving"):
            with pytest.raises(ExistsError):
                volume.download(f"{scheme}://x", progress=somebody_else)
        assert fsspec.filesystem("held").cat("x") == brittle.cat("/x") == b"mine"

    @pytest.mark.parametrize("scheme", ["moving", "brittle"])
    def test_one_that_arrives_in_part(self, volume: Volume, brittle: Brittle, scheme: str) -> None:
        fsspec.filesystem(scheme).wrong = -1
        with pytest.raises(TransferError, match=f"has {len(NOISE) - 1} bytes, but {len(NOISE)}"):
            volume.download(f"{scheme}://x")

    def test_the_web_takes_nothing(self, web: Web, volume: Volume) -> None:
        with pytest.raises(UnsupportedError):
            volume.download(web.url("/x", user="visitor:hunter2@"))

    def test_a_disk_that_is_full(self, volume: Volume) -> None:
        with pytest.raises((StorageIOError, AccessDeniedError, NotFoundError, TransferError)):
            volume.download("simplecache::file:///proc/nosuch/x")


class TestImages:
    def test_one_that_is_packed_and_comes_in_pieces(self, web: Web, pool: Pool, folder: Path) -> None:
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", folder / "image", "20M"], check=True)
        packed = gzip.compress((folder / "image").read_bytes(), 0)
        web.pages["/image.qcow2.gz"] = Page(packed, cuts=[1, 100, 5000])
        volume = pool.volumes.import_image(web.url("/image.qcow2.gz"))
        assert volume.info().capacity == 20 * MiB
        assert len(web.asked) == 4

    def test_one_that_breaks_off_leaves_no_volume(self, web: Web, pool: Pool) -> None:
        web.pages["/image.img"] = Page(NOISE, cuts=[MiB], ranges=False)
        with pytest.raises(TransferError, match="not support ranges"):
            pool.volumes.import_image(web.url("/image.img"))
        assert pool.volumes.names() == ()
