"""Volumes through fsspec, by its own tests where these apply, and what Python's readers make of them.

fsspec's abstract tests know folders in folders. A pool is a folder, but there is none inside, so that of those tests

- those for ``open``, ``pipe``, and for putting, getting and copying single files and lists of files apply, and run below,
  each with a pool in place of a folder. fsspec makes and removes folders as it goes: the file system here makes pools
  for that, where libstorage's own refuses, because it does not know where a pool is to be;
- those that copy, get or put a tree, a glob over one, or into a new folder inside of a folder do not: their scenarios are
  made of ``source/subdir/nesteddir``, or they look for ``target/newdir``;
- ``test_get_directory_recursive`` and ``test_put_directory_recursive`` do not either: they put a folder into a folder.
"""

from __future__ import annotations

import io
import os
import pickle
import random
import shutil
import struct
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias, cast

import fsspec
import pytest
from fsspec.callbacks import Callback
from fsspec.config import conf
from fsspec.tests.abstract import (
    AbstractCopyTests,
    AbstractFixtures,
    AbstractGetTests,
    AbstractOpenTests,
    AbstractPipeTests,
    AbstractPutTests,
)

from libstorage import (
    AccessDeniedError,
    ExistsError,
    Host,
    InvalidRequestError,
    Pool,
    PoolSpec,
    StorageError,
    UnsupportedError,
    VolumeExistsError,
    VolumeSpec,
    connect,
)
from libstorage.fsspec import LibvirtFileSystem
from tests.live.conftest import remove
from tests.support import CHECKOUT

MiB = 1 << 20
FileSystem: TypeAlias = Any  # what fsspec's files are its types do not say
fsspec_open: Any = fsspec.open
NOISE = random.Random(8).randbytes(2 * MiB + 11)


@pytest.fixture
def fs(host: Host) -> LibvirtFileSystem:
    return LibvirtFileSystem(host=host)


@pytest.fixture
def make(fs: FileSystem, pool: Pool) -> Callable[..., str]:
    def make(data: bytes = NOISE, name: str = "v.img") -> str:
        path = f"{pool.name}/{name}"
        fs.pipe_file(path, data)
        return path

    return make


def content(pool: Pool, name: str) -> bytes:
    return Path(pool.volumes[name].path()).read_bytes()


class TestLooking:
    def test_listings(self, fs: FileSystem, pool: Pool, make: Callable[..., str]) -> None:
        before = datetime.now(UTC)
        path = make()
        make(b"x", "w.img")
        assert fs.ls(pool.name, detail=False) == [path, f"{pool.name}/w.img"]
        entry = fs.ls(f"libvirt://{pool.name}/")[0]
        assert entry == fs.info(path) == fs.ls(path)[0]
        assert (entry["name"], entry["size"], entry["type"]) == (path, len(NOISE), "file")
        assert (entry["format"], entry["capacity"]) == ("raw", len(NOISE))
        assert abs(fs.modified(path) - before) < timedelta(minutes=1)
        with pytest.raises(UnsupportedError, match="does not know when"):
            fs.created(path)  # libvirt does not read it on Linux
        assert entry["created"] is None
        assert {"name": pool.name, "size": 0, "type": "directory"} in fs.ls("")
        assert fs.info("") == fs.info("libvirt://") == {"name": "", "size": 0, "type": "directory"}

    def test_whats_there(self, fs: FileSystem, pool: Pool, make: Callable[..., str]) -> None:
        path = make()
        assert fs.exists(path)
        assert fs.exists(pool.name)
        assert fs.isfile(path)
        assert fs.isdir(pool.name)
        assert not fs.isfile(pool.name)
        assert not fs.isdir(path)
        for missing in (f"{path}x", "nosuch-pool", "nosuch-pool/v.img"):
            assert not fs.exists(missing)
            for look in (fs.info, fs.ls, fs.cat_file, fs.open, fs.rm_file, fs.modified):
                with pytest.raises(FileNotFoundError):
                    look(missing)

    def test_walking(self, fs: FileSystem, pool: Pool, make: Callable[..., str]) -> None:
        paths = [make(b"x" * n, f"{n}.img") for n in (1, 2, 3)]
        assert sorted(fs.glob(f"{pool.name}/[12].*")) == paths[:2]
        assert fs.glob(f"libvirt://{pool.name}/nosuch*") == []
        assert sorted(fs.find(pool.name)) == paths
        assert set(paths) <= set(fs.find(""))
        assert list(fs.walk(pool.name)) == [(pool.name, [], ["1.img", "2.img", "3.img"])]
        assert fs.du(pool.name) == 6
        assert fs.sizes(paths) == [1, 2, 3]

    def test_nothing_is_kept(self, fs: FileSystem, pool: Pool, make: Callable[..., str]) -> None:
        path = make()
        assert path in fs.find(pool.name)
        pool.volumes["v.img"].delete()
        assert fs.find(pool.name) == []

    def test_what_is_no_file(self, fs: FileSystem, pool: Pool, folder: Path) -> None:
        (folder / "pool" / "sub").mkdir()
        pool.refresh()
        assert fs.info(f"{pool.name}/sub")["type"] == "other"
        with pytest.raises(InvalidRequestError, match="directory"):
            fs.cat_file(f"{pool.name}/sub")
        for use in (fs.cat_file, fs.open, fs.rm_file):
            with pytest.raises(IsADirectoryError):
                use(pool.name)
        with pytest.raises(IsADirectoryError):
            fs.pipe_file(pool.name, b"x")


class TestReadingAndWriting:
    def test_parts(self, fs: FileSystem, make: Callable[..., str]) -> None:
        path = make()
        for start, end in (
            (None, None),
            (0, 10),
            (5, -5),
            (-7, None),
            (10, 10),
            (MiB, 9 * MiB),
            (9 * MiB, None),
        ):
            assert fs.cat_file(path, start, end) == NOISE[start:end]
        assert fs.cat_ranges([path] * 2, [0, 100], [5, 200]) == [NOISE[:5], NOISE[100:200]]
        assert fs.head(path, 4) == NOISE[:4]
        assert fs.tail(path, 4) == NOISE[-4:]

    @pytest.mark.parametrize("size", [0, 1, MiB, len(NOISE)])
    def test_a_new_one_grows(self, fs: FileSystem, pool: Pool, size: int) -> None:
        with fs.open(f"libvirt://{pool.name}/new.img", "wb") as file:
            file.write(NOISE[:size])
        assert content(pool, "new.img") == NOISE[:size]
        assert pool.volumes["new.img"].info().capacity == size
        assert fs.cat(f"{pool.name}/new.img") == NOISE[:size]

    def test_what_was_there_is_replaced(self, pool: Pool, make: Callable[..., str]) -> None:
        make()
        make(b"short")
        assert content(pool, "v.img") == b"short"

    def test_text(self, fs: FileSystem, make: Callable[..., str]) -> None:
        path = make(b"")
        with fs.open(path, "w", encoding="utf-8") as file:
            file.write("größe\n" * 1000)
        with fs.open(path, "r", encoding="utf-8") as file:
            assert file.readlines() == ["größe\n"] * 1000

    def test_touch(self, fs: FileSystem, pool: Pool, make: Callable[..., str]) -> None:
        fs.touch(make())
        assert content(pool, "v.img") == b""

    def test_an_error_leaves_nothing(self, fs: FileSystem, pool: Pool) -> None:
        def write() -> None:
            with fs.open(f"{pool.name}/new.img", "wb") as file:
                file.write(NOISE)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write()
        assert pool.volumes.names() == ()

    def test_what_it_does_not_do(self, fs: FileSystem, make: Callable[..., str]) -> None:
        path = make(b"x")
        for mode in ("ab", "r+b"):
            with pytest.raises(UnsupportedError, match="written from the start"):
                fs.open(path, mode)
        with pytest.raises(VolumeExistsError):
            fs.open(path, "xb")
        with pytest.raises(UnsupportedError, match="transaction"), fs.transaction:
            fs.open(path, "wb")
        assert fs.cat(path) == b"x"


class TestFiles:
    @pytest.mark.parametrize("size", [0, 1, len(NOISE)])
    def test_to_and_fro(self, fs: FileSystem, pool: Pool, folder: Path, size: int) -> None:
        (folder / "a").write_bytes(NOISE[:size])
        there, back = Callback(), Callback()
        fs.put_file(str(folder / "a"), f"{pool.name}/a.img", callback=there)
        assert content(pool, "a.img") == NOISE[:size]
        fs.get_file(f"{pool.name}/a.img", str(folder / "deep" / "b"), callback=back)
        assert (folder / "deep" / "b").read_bytes() == NOISE[:size]
        assert (there.size, there.value) == (back.size, back.value) == (size, size)
        target = io.BytesIO()
        fs.get_file(f"{pool.name}/a.img", target)
        assert target.getvalue() == NOISE[:size]

    def test_holes_stay_holes(self, fs: FileSystem, pool: Pool, folder: Path) -> None:
        with (folder / "a").open("wb") as file:
            file.truncate(64 * MiB)
        fs.put_file(folder / "a", f"{pool.name}/a.img")
        assert (pool.volumes["a.img"].info().allocation or 0) < MiB
        fs.get_file(f"{pool.name}/a.img", folder / "b")
        assert (folder / "b").stat().st_blocks * 512 < MiB
        assert (folder / "b").stat().st_size == 64 * MiB

    def test_only_new_ones(self, fs: FileSystem, folder: Path, make: Callable[..., str]) -> None:
        path = make()
        (folder / "a").write_bytes(b"data")
        with pytest.raises(VolumeExistsError):
            fs.put_file(folder / "a", path, mode="create")
        fs.put_file(folder / "a", path)
        assert fs.cat(path) == b"data"

    def test_one_that_breaks_off_leaves_nothing(self, fs: FileSystem, pool: Pool, folder: Path) -> None:
        class Failing(Callback):
            def absolute_update(self, value: int) -> None:
                if value:
                    raise KeyboardInterrupt

        (folder / "a").write_bytes(NOISE)
        with pytest.raises(KeyboardInterrupt):
            fs.put_file(folder / "a", f"{pool.name}/a.img", callback=Failing())
        assert pool.volumes.names() == ()

    @pytest.mark.parametrize("size", [0, 1, 4096, 4097, MiB])
    def test_copies(self, fs: FileSystem, pool: Pool, make: Callable[..., str], size: int) -> None:
        path = make(NOISE[:size])
        make(b"old", "w.img")
        fs.cp_file(path, f"{pool.name}/w.img")
        fs.cp_file(path, path)
        assert content(pool, "v.img") == content(pool, "w.img") == NOISE[:size]
        fs.mv(path, f"{pool.name}/x.img")
        assert sorted(pool.volumes.names()) == ["w.img", "x.img"]

    def test_copies_of_images(self, fs: FileSystem, pool: Pool) -> None:
        pool.volumes.create(VolumeSpec.qcow2("v.qcow2", "1 GiB"))
        fs.copy(f"{pool.name}/v.qcow2", f"{pool.name}/w.qcow2")
        assert content(pool, "v.qcow2") == content(pool, "w.qcow2")
        assert pool.volumes["w.qcow2"].info().capacity == 1 << 30

    def test_pools_stay(self, fs: FileSystem, pool: Pool, make: Callable[..., str]) -> None:
        paths = [make(b"x", f"{n}.img") for n in range(3)]
        with pytest.raises(UnsupportedError, match="is not a volume"):
            fs.rm(pool.name, recursive=True)
        with pytest.raises(UnsupportedError, match="cannot be removed"):
            fs.rmdir(pool.name)
        assert sorted(fs.find(pool.name)) == paths
        for made in (pool.name, paths[0]):
            with pytest.raises(ExistsError):
                fs.mkdir(made)
        for new in ("new-pool", f"{pool.name}/folder"):
            with pytest.raises(UnsupportedError, match=r"host\.pools\.define"):
                fs.makedirs(new)
        fs.makedirs(pool.name, exist_ok=True)
        fs.rm(f"{pool.name}/*")
        assert fs.find(pool.name) == []


class TestWhereVolumesAreNoFiles:
    def test_it_is_filled_in_place(self, fs: FileSystem, pool: Pool, make: Callable[..., str]) -> None:
        """As in a pool of type ``logical``, which needs a volume group: here the same of a pool of files."""
        path = make(b"-" * 5000)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("libstorage.fsspec.filesystem.has_files", lambda _: False)
            fs.pipe_file(path, b"new")
            with pytest.raises(UnsupportedError, match="needs its size"):
                fs.pipe_file(f"{path}x", b"new")
        assert content(pool, "v.img") == b"new" + b"-" * 4997


class TestTheHost:
    def test_by_its_address(self, uri: str, pool: Pool, make: Callable[..., str]) -> None:
        path = make()
        with fsspec_open(f"libvirt://{path}", uri=uri) as file:
            assert file.read() == NOISE
        system, found = fsspec.url_to_fs(f"libvirt://{path}", uri=uri)
        assert (found, system.cat(found)) == (path, NOISE)
        assert system.unstrip_protocol(path) == f"libvirt://{path}"
        assert isinstance(fsspec.filesystem("libvirt", uri=uri), LibvirtFileSystem)

    def test_it_must_be_given(self, host: Host, uri: str) -> None:
        with pytest.raises(InvalidRequestError, match="either uri= or host="):
            LibvirtFileSystem()
        with pytest.raises(InvalidRequestError, match="either uri= or host="):
            LibvirtFileSystem(uri=uri, host=host)

    def test_pickles_and_tokens(self, fs: FileSystem, uri: str, make: Callable[..., str]) -> None:
        path = make()
        by_uri = LibvirtFileSystem(uri=uri)
        for system in (fs, by_uri):
            copy = pickle.loads(pickle.dumps(system))
            assert copy == system
            assert hash(copy) == hash(system)
            assert copy.__dask_tokenize__() == system.__dask_tokenize__()
            assert copy.cat(path) == NOISE
        assert by_uri != LibvirtFileSystem(uri="test:///default")
        assert cast(Any, LibvirtFileSystem).from_json(by_uri.to_json()) == by_uri
        assert (
            pickle.loads(pickle.dumps(fsspec_open(f"libvirt://{path}", uri=uri))).open().read(4) == NOISE[:4]
        )

    def test_where_nothing_may_be_changed(self, uri: str, make: Callable[..., str]) -> None:
        path = make()
        system = LibvirtFileSystem(uri=uri, readonly=True)
        assert system.info(path)["size"] == len(NOISE)
        for use in (system.cat_file, system.rm_file, system.touch):
            with pytest.raises(AccessDeniedError):
                use(path)

    def test_a_host_that_was_closed_does_not_come_back(self, uri: str, make: Callable[..., str]) -> None:
        path = make()
        for _ in range(2):
            with connect(uri) as host:
                assert fsspec.filesystem("libvirt", host=host).cat(path) == NOISE

    def test_errors_stay_ours(self, fs: FileSystem, pool: Pool) -> None:
        pool.stop()
        with pytest.raises(StorageError):
            fs.ls(pool.name)
        assert pool.name not in [entry["name"] for entry in fs.ls("")]
        pool.start()

    def test_without_fsspec(self) -> None:
        program = "import sys; sys.modules['fsspec'] = None; import libstorage.fsspec"
        run = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
        assert run.stderr.splitlines()[-1].startswith("ImportError: libstorage.fsspec needs fsspec")
        assert "libstorage[url]" in run.stderr

    def test_the_entry_point(self) -> None:
        project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
        module, _, name = project["entry-points"]["fsspec.specs"]["libvirt"].partition(":")
        assert getattr(import_module(module), name) is LibvirtFileSystem
        assert fsspec.get_filesystem_class("libvirt") is LibvirtFileSystem


class TestReaders:
    def test_a_zip_file_inside(self, fs: FileSystem, uri: str, make: Callable[..., str]) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", "x,y\n1,2\n")
        path = make(packed.getvalue(), "a.zip")
        with fs.open(path) as file, zipfile.ZipFile(file) as archive:
            assert archive.read("a.csv") == b"x,y\n1,2\n"
        with fsspec_open(f"zip://a.csv::libvirt://{path}", "rt", libvirt={"uri": uri}) as file:
            assert [line.strip().split(",") for line in file] == [["x", "y"], ["1", "2"]]

    def test_compressed_text(self, uri: str, pool: Pool) -> None:
        url = f"libvirt://{pool.name}/a.csv.gz"
        with fsspec_open(url, "wt", compression="infer", uri=uri) as file:
            file.write("x,y\n1,2\n")
        with fsspec_open(url, "rt", compression="infer", uri=uri) as file:
            assert file.read() == "x,y\n1,2\n"
        assert content(pool, "a.csv.gz")[:2] == b"\x1f\x8b"

    def test_the_header_of_an_image(self, fs: FileSystem, pool: Pool) -> None:
        pool.volumes.create(VolumeSpec.qcow2("v.qcow2", "20 GiB"))
        magic, _, _, _, _, size = struct.unpack(">4sIQIIQ", fs.cat_file(f"{pool.name}/v.qcow2", 0, 32))
        assert (magic, size) == (b"QFI\xfb", 20 << 30)

    def test_as_source_and_target_of_a_transfer(
        self, uri: str, pool: Pool, make: Callable[..., str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = make()
        monkeypatch.setitem(conf, "libvirt", {"uri": uri})
        other = pool.volumes.create(VolumeSpec.raw("other.img", len(NOISE), allocation=0))
        other.upload(f"libvirt://{path}").download(f"libvirt://{pool.name}/third.img")
        assert content(pool, "third.img") == NOISE
        with pytest.raises(ExistsError, match="overwrite=True"):
            other.download(f"libvirt://{pool.name}/third.img")

    def test_buffers(self, fs: FileSystem, make: Callable[..., str]) -> None:
        path = make()
        for block_size in (None, 1, 10 * MiB):
            with fs.open(path, block_size=block_size) as file:
                shutil.copyfileobj(file, found := io.BytesIO())
            assert found.getvalue() == NOISE


# ---- fsspec's own tests ---------------------------------------------------------------------------------------------


class PoolMaking(LibvirtFileSystem):
    """One whose folders are pools, made and removed as fsspec's tests make and remove folders."""

    def __init__(self, host: Host, folder: Path) -> None:
        super().__init__(host=host)
        self.folder = folder

    def mkdir(self, path: str, create_parents: bool = True, **kwargs: Any) -> None:
        name = self._strip_protocol(path)
        self._host.pools.define(PoolSpec.dir(name, str(self.folder / name))).build().start()

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        if not self.exists(path):
            self.mkdir(path)

    def put_file(self, lpath: Any, rpath: str, *args: Any, **kwargs: Any) -> None:
        if not Path(lpath).is_dir():
            self.makedirs(self._parent(rpath))
        super().put_file(lpath, rpath, *args, **kwargs)

    def cp_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        if self.isdir(path1):
            self.makedirs(path2)
            return
        self.makedirs(self._parent(path2))
        super().cp_file(path1, path2, **kwargs)

    def pipe_file(self, path: str, *args: Any, **kwargs: Any) -> None:
        self.makedirs(self._parent(path))
        cast(Any, super()).pipe_file(path, *args, **kwargs)

    def touch(self, path: str, truncate: bool = True, **kwargs: Any) -> None:
        self.makedirs(self._parent(path))
        cast(Any, super()).touch(path, truncate, **kwargs)

    def rm(self, path: Any, recursive: bool = False, maxdepth: int | None = None) -> None:
        for one in reversed(self.expand_path(path, recursive=recursive, maxdepth=maxdepth)):
            if "/" in one:
                self.rm_file(one)
            else:
                remove(self._host.pools[one])


class Fixtures(AbstractFixtures):
    @pytest.fixture
    def fs(self, own_host: Host, folder: Path) -> Iterator[PoolMaking]:
        system = PoolMaking(own_host, folder)
        yield system
        for pool in own_host.pools.list():
            remove(pool)

    @pytest.fixture
    def fs_path(self) -> str:
        return ""


@pytest.fixture(scope="module")
def own_host() -> Iterator[Host]:
    """A host without other pools."""
    from tests.live.conftest import started_daemon

    with started_daemon() as daemon, connect(daemon.uri) as host:
        yield host


def only(base: type, *names: str) -> type:
    """Of fsspec's tests those that apply."""
    return type(f"Some{base.__name__}", (), {name: vars(base)[name] for name in names})


class TestOpen(Fixtures, AbstractOpenTests):
    @pytest.fixture
    def fs_target(self, fs: PoolMaking) -> str:
        fs.mkdir("pool")
        return "pool/target"


class TestPipe(Fixtures, AbstractPipeTests):
    @pytest.fixture
    def fs_target(self, fs: PoolMaking) -> str:
        fs.mkdir("pool")
        return "pool/target"


SomePutTests = only(
    AbstractPutTests,
    "test_put_file_to_existing_directory",
    "test_put_file_to_file_in_existing_directory",
    "test_put_list_of_files_to_existing_directory",
    "test_copy_with_source_and_destination_as_list",
)
SomeGetTests = only(AbstractGetTests, "test_get_with_source_and_destination_as_list")
SomeCopyTests = only(AbstractCopyTests, "test_copy_with_source_and_destination_as_list")


class TestPut(Fixtures, SomePutTests):  # type: ignore[valid-type, misc]
    pass


class TestGet(Fixtures, SomeGetTests):  # type: ignore[valid-type, misc]
    pass


class TestCopy(Fixtures, SomeCopyTests):  # type: ignore[valid-type, misc]
    pass


READ_BY_URL = """
import sys
import fsspec, pandas, polars
import libstorage.fsspec

url = sys.argv[1]
print(pandas.read_csv(url)["sold"].sum())
with fsspec.open(url) as file:
    print(polars.read_csv(file)["sold"].sum())
"""


def test_the_host_of_a_url_may_stand_in_the_environment(host: Host, make: Callable[..., str]) -> None:
    path = make(b"day,sold\nmonday,3\ntuesday,5\n", "sales.csv")
    environment = os.environ | {"FSSPEC_LIBVIRT_URI": host.uri, "PYTHONPATH": str(CHECKOUT)}
    command = [sys.executable, "-c", READ_BY_URL, f"libvirt://{path}"]
    run = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, "8\n8\n"), run.stderr
