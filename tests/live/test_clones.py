"""Clones: every mode, format and pair of pools, with the content compared byte by byte."""

from __future__ import annotations

import io
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from libstorage import (
    BackingStore,
    CloneMode,
    HelperError,
    Host,
    InvalidRequestError,
    MiB,
    Permissions,
    Pool,
    PoolSpec,
    StateError,
    StorageError,
    UnsupportedError,
    Volume,
    VolumeBusyError,
    VolumeExistsError,
    VolumeFormat,
    VolumeSpec,
    connect,
)
from libstorage.connection.codes import Code
from libstorage.provision import clone
from tests.live.conftest import remove, started_daemon

CONTENT = os.urandom(MiB) + bytes(MiB) + os.urandom(MiB)
FORMATS = ["raw", "qcow2"]


def qemu_img(*words: str | Path) -> bytes:
    return subprocess.run(["qemu-img", *map(str, words)], check=True, capture_output=True).stdout


def image_of(volume: Volume) -> dict[str, object]:
    """What the image itself says, whatever libvirt shows."""
    found: dict[str, object] = json.loads(qemu_img("info", "--output=json", volume.path()))
    return found


def guest_content(volume: Volume, folder: Path) -> bytes:
    """What a guest would read."""
    raw = folder / "as-a-guest-sees-it"
    qemu_img("convert", "-O", "raw", volume.path(), raw)
    return raw.read_bytes()


def allocation(volume: Volume) -> int:
    """The space that a volume takes."""
    return Path(volume.path()).stat().st_blocks * 512


def make(pool: Pool, name: str, form: str, content: bytes = CONTENT) -> Volume:
    """A volume in which a guest reads that content."""
    volume = pool.volumes.create(VolumeSpec.raw(f"{name}.raw", len(content))).upload(content)
    if form == "raw":
        return volume
    image = volume.clone(VolumeSpec.image(name, form))
    volume.delete()
    return image


@pytest.fixture
def other_pool(host: Host, folder: Path) -> Iterator[Pool]:
    pool = host.pools.define(PoolSpec.dir(f"other-{folder.name}", str(folder / "other"))).build().start()
    yield pool
    remove(pool)


@pytest.fixture(scope="module")
def xfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pool, Pool]]:
    """Two pools: one on a file system that shares blocks, and one elsewhere; a daemon sees what was mounted before it."""
    if os.geteuid() != 0:
        pytest.skip("not run: only root can mount a file system")
    folder = tmp_path_factory.mktemp("xfs")
    disk, mounted = folder / "disk", folder / "mounted"
    mounted.mkdir()
    with disk.open("wb") as file:
        file.truncate(320 * MiB)
    subprocess.run(["mkfs.xfs", "-q", "-m", "reflink=1", disk], check=True)
    subprocess.run(["mount", "-o", "loop", disk, mounted], check=True)
    try:
        with started_daemon() as daemon, connect(daemon.uri) as host:
            inside, outside = (
                host.pools.define(PoolSpec.dir(path.name, str(path / "pool"))).build().start()
                for path in (mounted, folder)
            )
            yield inside, outside
    finally:
        subprocess.run(["umount", mounted], check=True)


class TestCopies:
    @pytest.mark.parametrize("elsewhere", [False, True], ids=["same pool", "other pool"])
    @pytest.mark.parametrize("target", FORMATS)
    @pytest.mark.parametrize("source", FORMATS)
    def test_from_any_format_to_any(
        self, pool: Pool, other_pool: Pool, folder: Path, source: str, target: str, elsewhere: bool
    ) -> None:
        volume = make(pool, "source", source)
        place = other_pool if elsewhere else pool
        copy = volume.clone(VolumeSpec.image("copy", target), pool=place)
        assert (copy.pool, copy.spec().target.format) == (place, target)
        assert guest_content(copy, folder) == guest_content(volume, folder) == CONTENT
        assert copy.info().capacity == len(CONTENT)
        if target == "raw":
            downloaded = io.BytesIO()
            copy.download(downloaded)
            assert downloaded.getvalue() == CONTENT

    @pytest.mark.parametrize("form", [*FORMATS, "qcow", "qed", "vmdk", "vdi"])
    def test_a_name_takes_format_and_permissions_over(self, pool: Pool, folder: Path, form: str) -> None:
        spec = VolumeSpec.image("source", form, permissions=Permissions(mode=0o640))
        volume = make(pool, "plain", "raw").clone(spec)
        copy = volume.clone("copy")
        assert copy.spec().target.format == image_of(copy)["format"] == form
        assert Path(copy.path()).stat().st_mode & 0o777 == 0o640
        assert guest_content(copy, folder) == CONTENT

    def test_permissions_of_a_spec(self, pool: Pool) -> None:
        spec = VolumeSpec.raw("copy", permissions=Permissions(mode=0o604))
        assert Path(make(pool, "v", "raw").clone(spec).path()).stat().st_mode & 0o777 == 0o604

    def test_a_cd_image_stays_one(self, pool: Pool, folder: Path) -> None:
        content = bytes(32768) + b"\x01CD001\x01" + CONTENT
        content += bytes(-len(content) % 4096)
        volume = make(pool, "cd", "raw", content)
        copy = volume.clone("copy.iso")
        assert volume.spec().target.format == copy.spec().target.format == "iso"
        assert Path(copy.path()).read_bytes() == content

    @pytest.mark.parametrize("elsewhere", [False, True], ids=["same pool", "other pool"])
    def test_of_a_link_stands_on_its_own(
        self, pool: Pool, other_pool: Pool, folder: Path, elsewhere: bool
    ) -> None:
        base = make(pool, "base", "qcow2")
        link = base.clone("link", mode="linked")
        qemu_img_io = bytes(4096) + b"changed".ljust(4096, b"!")
        (folder / "patch").write_bytes(qemu_img_io)
        qemu_img(
            "convert", "-n", "-f", "raw", "-O", "qcow2", "--target-is-zero", folder / "patch", link.path()
        )
        before = guest_content(link, folder)
        assert before != CONTENT
        flat = link.clone("flat", pool=other_pool if elsewhere else None)
        assert flat.spec().backing_store is None
        assert "backing-filename" not in image_of(flat)
        link.delete()
        base.delete()
        assert guest_content(flat, folder) == before


class TestLinks:
    @pytest.mark.parametrize("elsewhere", [False, True], ids=["same pool", "other pool"])
    @pytest.mark.parametrize("source", [*FORMATS, "qed", "vmdk"])
    def test_to_any_format(
        self, pool: Pool, other_pool: Pool, folder: Path, source: str, elsewhere: bool
    ) -> None:
        volume = make(pool, "source", source)
        link = volume.clone("link", mode="linked", pool=other_pool if elsewhere else None)
        image, store = image_of(link), link.spec().backing_store
        assert (image["format"], image["backing-filename"], image["backing-filename-format"]) == (
            "qcow2", volume.path(), source,
        )  # fmt: skip
        assert store is not None
        assert (store.path, store.format) == (volume.path(), source)
        assert allocation(link) < MiB
        assert guest_content(link, folder) == CONTENT

    def test_a_chain(self, pool: Pool, other_pool: Pool, folder: Path) -> None:
        one = make(pool, "base", "raw").clone("one", mode="linked")
        two = one.clone("two", mode="linked", pool=other_pool)
        three = two.clone("three", mode="linked")
        chain = json.loads(qemu_img("info", "--backing-chain", "--output=json", three.path()))
        assert [each.get("backing-filename-format") for each in chain] == ["qcow2", "qcow2", "raw", None]
        assert guest_content(three, folder) == CONTENT

    def test_to_a_cd_image_is_to_plain_bytes(self, pool: Pool, folder: Path) -> None:
        content = bytes(32768) + b"\x01CD001\x01" + CONTENT
        volume = make(pool, "cd", "raw", content + bytes(-len(content) % 4096))
        store = volume.as_backing()
        assert (volume.spec().target.format, store.format) == (VolumeFormat.ISO, VolumeFormat.RAW)
        link = volume.clone("link", mode="linked")
        assert guest_content(link, folder)[: len(content)] == content

    def test_to_what_has_become_an_image_since(self, pool: Pool, folder: Path) -> None:
        """The format is what libvirt sees now, not what the volume was made as."""
        image = make(pool, "image", "qcow2")
        image.download(folder / "file")
        volume = pool.volumes.create(VolumeSpec.raw("v", (folder / "file").stat().st_size))
        assert volume.as_backing().format == "raw"
        assert volume.upload(folder / "file").as_backing().format == "qcow2"
        assert guest_content(volume.clone("link", mode="linked"), folder) == CONTENT

    def test_to_a_directory(self, pool: Pool) -> None:
        folder = pool.volumes.create(VolumeSpec.directory("folder"))
        with pytest.raises(UnsupportedError, match="is a directory"):
            folder.clone("link", mode="linked")

    def test_to_a_volume_without_a_plain_path(self, tmp_path: Path) -> None:
        with connect(f"test://{tmp_path}/{odd_host(tmp_path)}") as host:
            (rbd,) = host.pools.list()
            volume = rbd.volumes.create(VolumeSpec.raw("v", MiB))
            with pytest.raises(UnsupportedError, match="not a plain absolute path"):
                volume.as_backing()


def odd_host(folder: Path) -> str:
    """A host of libvirt's test driver, where an rbd pool's volumes have the path ``(null)/v``."""
    (folder / "host.xml").write_text(
        "<node><pool type='rbd'><name>rbd</name><source><name>rbd</name><host name='h'/></source></pool></node>"
    )
    return "host.xml"


class TestSharedBlocks:
    def test_on_xfs(self, xfs: tuple[Pool, Pool]) -> None:
        content = os.urandom(8 * MiB)
        volume = make(xfs[0], "v", "raw", content)
        before = xfs[0].refresh().info().available
        shared = volume.clone("shared", mode="reflink")
        assert before - xfs[0].refresh().info().available < 4 * MiB
        shared.upload(b"changed")
        assert Path(volume.path()).read_bytes() == content
        assert Path(shared.path()).read_bytes() == b"changed" + content[7:]

    def test_grown_at_once(self, xfs: tuple[Pool, Pool]) -> None:
        large = make(xfs[0], "small", "raw").clone(VolumeSpec.raw("large", 2 * len(CONTENT)), mode="reflink")
        assert large.info().capacity == 2 * len(CONTENT)
        assert Path(large.path()).read_bytes() == CONTENT + bytes(len(CONTENT))

    def test_across_file_systems(self, xfs: tuple[Pool, Pool]) -> None:
        volume = make(xfs[0], "far", "raw")
        with pytest.raises(UnsupportedError, match="within one xfs or btrfs"):
            volume.clone("far", pool=xfs[1], mode="reflink")
        assert "far" not in xfs[1].refresh().volumes

    def test_where_there_are_none(self, xfs: tuple[Pool, Pool]) -> None:
        volume = make(xfs[1], "plain", "raw")
        with pytest.raises(UnsupportedError, match=r"failed to clone.*(\n.*)*mode='copy'"):
            volume.clone("shared", mode="reflink")
        assert "shared" not in xfs[1].refresh().volumes

    @pytest.mark.parametrize(("source", "target"), [("qcow2", "raw"), ("raw", "qcow2"), ("qcow2", None)])
    def test_of_other_formats(self, pool: Pool, source: str, target: str | None) -> None:
        volume = make(pool, "v", source)
        with pytest.raises(UnsupportedError, match="raw volumes only, not of qcow2") as refused:
            volume.clone("x" if target is None else VolumeSpec.image("x", target), mode="reflink")
        assert refused.value.outcome == "not_started"


class TestCapacity:
    @pytest.mark.parametrize("target", [*FORMATS, "qed"])
    @pytest.mark.parametrize("source", FORMATS)
    def test_larger(self, pool: Pool, folder: Path, source: str, target: str) -> None:
        spec = VolumeSpec.image("large", target, 2 * len(CONTENT))
        large = make(pool, "v", source).clone(spec)
        assert large.info().capacity == image_of(large)["virtual-size"] == 2 * len(CONTENT)
        assert guest_content(large, folder) == CONTENT + bytes(len(CONTENT))

    @pytest.mark.parametrize("mode", ["copy", "reflink", "linked"])
    def test_smaller(self, pool: Pool, mode: CloneMode) -> None:
        volume = make(pool, "v", "raw")
        spec = VolumeSpec.image("small", "qcow2" if mode == "linked" else "raw", MiB)
        with pytest.raises(InvalidRequestError, match="at least as large as its source, 3 MiB") as refused:
            volume.clone(spec, mode=mode)
        assert refused.value.outcome == "not_started"
        assert pool.volumes.names() == (volume.name,)

    @pytest.mark.parametrize("form", ["vmdk", "vdi", "vpc", "qcow"])
    def test_larger_in_a_format_that_never_grows(self, pool: Pool, form: str) -> None:
        volume = make(pool, "v", "raw")
        with pytest.raises(UnsupportedError, match="cannot grow") as refused:
            volume.clone(VolumeSpec.image("large", form, "8 MiB"))
        assert refused.value.outcome == "not_started"
        probe = volume.clone(VolumeSpec.image("same", form))
        with pytest.raises(StorageError, match="does not support resize"):  # else it need not be refused
            probe.resize("8 MiB")

    def test_one_that_cannot_be_grown_is_deleted_again(self, pool: Pool) -> None:
        volume = make(pool, "v", "raw")
        with pytest.raises(StorageError, match="was deleted again") as failed:
            volume.clone(VolumeSpec.qcow2("large", 2**62))
        assert failed.value.outcome == "not_started"
        assert pool.refresh().volumes.names() == (volume.name,)


class TestRefused:
    @pytest.mark.parametrize("mode", ["copy", "reflink", "linked"])
    def test_a_name_that_is_taken(self, pool: Pool, other_pool: Pool, mode: CloneMode) -> None:
        volume, there = make(pool, "v", "raw"), make(other_pool, "v", "raw")
        with pytest.raises(VolumeExistsError):
            volume.clone(there.name, pool=other_pool, mode=mode)
        assert Path(there.path()).read_bytes() == CONTENT

    @pytest.mark.parametrize("mode", ["copy", "reflink", "linked"])
    def test_a_source_that_this_process_changes(self, pool: Pool, mode: CloneMode) -> None:
        volume = make(pool, "v", "raw")

        def content() -> Iterator[bytes]:
            yield CONTENT[:MiB]
            with pytest.raises(VolumeBusyError, match="upload") as refused:
                volume.clone("clone", mode=mode)
            assert refused.value.outcome == "not_started"
            yield CONTENT[MiB:]

        volume.upload(content())
        assert Path(volume.clone("clone").path()).read_bytes() == CONTENT

    @pytest.mark.parametrize("mode", ["copy", "reflink", "linked"])
    @pytest.mark.parametrize("kind", ["gluster", "iscsi-direct", "mpath", "scsi"])
    def test_a_pool_that_makes_no_volumes(
        self, pool: Pool, host: Host, kind: str, mode: CloneMode, folder: Path
    ) -> None:
        volume, place = make(pool, "v", "raw"), host.pools.define(unable(kind))
        try:
            with pytest.raises(UnsupportedError, match=f"of type {kind} do not.*{mode}") as refused:
                volume.clone("clone", pool=place, mode=mode)
        finally:
            place.undefine()
        assert refused.value.outcome == "not_started"
        assert refused.value.hint is not None
        assert "dir, fs, netfs" in refused.value.hint

    def test_a_daemon_that_is_newer_than_what_we_know_decides(
        self, pool: Pool, host: Host, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(clone, "AS_OF", 0)
        volume, place = make(pool, "v", "raw"), host.pools.define(unable("mpath")).start()
        try:
            with pytest.raises(UnsupportedError) as refused:
                volume.clone("clone", pool=place)
            assert refused.value.code == Code.NO_SUPPORT
            with pytest.raises(UnsupportedError, match="do not hold volumes that are linked") as refused:
                volume.clone("clone", pool=place, mode="linked")
            assert refused.value.code is None
        finally:
            place.stop().undefine()

    @pytest.mark.parametrize("kind", ["logical", "disk", "zfs", "rbd"])
    def test_a_link_where_volumes_are_no_files(self, pool: Pool, host: Host, kind: str) -> None:
        """libvirt would make an empty volume, or a snapshot, without a word."""
        volume, place = make(pool, "v", "raw"), host.pools.define(unable(kind))
        try:
            with pytest.raises(UnsupportedError, match=f"of type {kind} do not hold volumes that are linked"):
                volume.clone("clone", pool=place, mode="linked")
        finally:
            place.undefine()

    def test_what_to_use_instead(self, pool: Pool, host: Host) -> None:
        volume, zfs = make(pool, "v", "raw"), host.pools.define(unable("zfs"))
        try:
            with pytest.raises(UnsupportedError, match="copy_to"):
                volume.clone("clone", pool=zfs)
        finally:
            zfs.undefine()

    def test_from_another_pool_into_one_of_rbd(self, pool: Pool, host: Host) -> None:
        """libvirt would take the image of the source's name in the target."""
        volume, rbd = make(pool, "v", "raw"), host.pools.define(unable("rbd"))
        try:
            with pytest.raises(UnsupportedError, match=r"cannot clone from.*of type dir into.*of type rbd"):
                volume.clone("clone", pool=rbd)
        finally:
            rbd.undefine()

    def test_because_of_what_a_pool_was_once(self, pool: Pool, host: Host, folder: Path) -> None:
        """A pool can be defined anew as another type; what was remembered of it refuses nothing."""
        volume, place = make(pool, "v", "raw"), host.pools.define(unable("mpath"))
        try:
            with pytest.raises(UnsupportedError):
                volume.clone("clone", pool=place)
            again = PoolSpec.dir(place.name, str(folder / "again"), uuid=place.uuid)
            host.pools.define(again).build().start()
            assert volume.clone("clone", pool=place).pool == place
        finally:
            remove(place)


def unable(kind: str) -> PoolSpec:
    """A pool that can be defined, and makes no volumes."""
    name = f"unable-{os.getpid()}"
    sources = {
        "mpath": "",
        "logical": "<source><name>vg</name></source>",
        "disk": "<source><device path='/dev/none'/></source>",
        "zfs": "<source><name>tank</name></source>",
        "rbd": "<source><host name='h'/><name>rbd</name></source>",
        "scsi": "<source><adapter name='host0'/></source>",
        "gluster": "<source><host name='h'/><name>v</name><dir path='/'/></source>",
        "iscsi-direct": "<source><host name='h'/><device path='iqn.2020-01.a:b'/>"
        "<initiator><iqn name='iqn.2020-01.a:c'/></initiator></source>",
    }
    target = (
        "<target><path>/dev/disk/by-path</path></target>"
        if kind in ("mpath", "scsi", "disk", "logical")
        else ""
    )
    return PoolSpec.from_xml(f"<pool type='{kind}'><name>{name}</name>{sources[kind]}{target}</pool>")


# ---- what the file says ---------------------------------------------------------------------------------------------

REPLACED = ("raw", "qcow2", "qed", "vmdk", "vdi", "vpc", "qcow")


@pytest.mark.parametrize("file", REPLACED)
@pytest.mark.parametrize("said", REPLACED)
def test_a_format_that_the_file_does_not_have(pool: Pool, said: str, file: str) -> None:
    """Another program replaced the file, and libvirt does not know yet."""
    volume = pool.volumes.create(VolumeSpec.image("v", said, 8 * MiB, allocation=0))
    names = pool.volumes.names()
    qemu_img("create", "-q", "-f", file, volume.path(), "8M")
    tries: list[Callable[[], object]] = [
        volume.as_backing,
        lambda: volume.clone("clone"),
        lambda: volume.clone(VolumeSpec.qcow2("clone")),
        lambda: volume.clone("clone", mode="linked"),
    ]
    for attempt in tries:
        if file == said:
            made = attempt()
            if isinstance(made, Volume):
                made.delete()
            continue
        with pytest.raises(StateError, match=f"for {said}, but its file begins like an? {file} image"):
            attempt()
        assert pool.volumes.names() == names
    stated = VolumeSpec.qcow2("link", backing=BackingStore(path=volume.path(), format=said))
    if said in ("raw", "qcow2"):  # whoever states the format insists
        is_readable = said in (file, "raw")  # qemu-img refuses what is not a qcow2 image
        with nullcontext() if is_readable else pytest.raises(HelperError, match="qcow2"):
            volume.clone(stated, mode="linked").delete()
    assert pool.refresh().volumes[volume.name].spec().target.format == file
    volume.delete()
