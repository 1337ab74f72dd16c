"""Scenarios of volumes: how they are made, cloned, resized, wiped and deleted, and what is refused on the way."""

from __future__ import annotations

import hashlib
import io
import json
import random

import pytest

from libstorage import (
    AccessDeniedError,
    InvalidRequestError,
    NoSpaceError,
    Pool,
    PoolSpec,
    StorageError,
    UnsupportedError,
    Volume,
    VolumeExistsError,
    VolumeFormat,
    VolumeNotFoundError,
    VolumeSpec,
    VolumeType,
    WipeAlgorithm,
    connect,
)
from tests.lab.scenarios.scene import MiB, Scene, names

FILES = pytest.mark.parametrize("place", ["dir", "fs"], indirect=True)
BLOCKS = pytest.mark.parametrize("place", ["logical", "disk"], indirect=True)
FORMATS = ("qcow", "qcow2", "vmdk", "vpc", "vdi", "qed")
NEVER_PREALLOCATED = ("raw", "qcow", "vmdk", "vpc", "vdi", "qed")


def content(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def read(volume: Volume, length: int | None = None) -> bytes:
    buffer = io.BytesIO()
    volume.download(buffer, length=length)
    return buffer.getvalue()


def header(scene: Scene, volume: Volume) -> dict[str, str | int]:
    """What qemu-img on the host says of an image."""
    found: dict[str, str | int] = json.loads(scene.run(f"qemu-img info --output json {volume.path()}"))
    return found


# ---- made ---------------------------------------------------------------------------------------------------------


@FILES
@pytest.mark.parametrize("form", FORMATS)
def test_an_image_of_each_format(scene: Scene, pool: Pool, form: str) -> None:
    volume = pool.volumes.create(VolumeSpec.image("image", form, "16 MiB", allocation=0))
    info = volume.info()
    assert (info.type, volume.spec().target.format) == (VolumeType.FILE, form)
    assert abs(info.capacity - 16 * MiB) < 64 << 10  # some formats have whole cylinders only
    assert info.allocation is not None
    assert info.allocation < MiB
    assert header(scene, volume)["format"] == form
    assert volume.info(physical=True).physical
    assert names(pool.refresh()) == ("image",)


@FILES
@pytest.mark.parametrize(("asked", "allocated"), [(0, 0), (4 * MiB, 4 * MiB), (None, 16 * MiB)])
def test_a_raw_volume_is_allocated_as_asked(pool: Pool, asked: int | None, allocated: int) -> None:
    volume = pool.volumes.create(VolumeSpec.raw("raw", "16 MiB", allocation=asked))
    info = volume.info()
    assert info.capacity == 16 * MiB
    assert info.allocation is not None
    assert allocated <= info.allocation <= allocated + (64 << 10)


@BLOCKS
def test_a_block_volume_is_allocated_whole(scene: Scene, pool: Pool) -> None:
    before = pool.info()
    volume = pool.volumes.create(scene.volume(1, "16 MiB"))
    info = volume.info()
    assert info.type == VolumeType.BLOCK
    assert info.allocation == info.capacity
    assert 16 * MiB <= info.capacity + MiB <= 18 * MiB
    assert before.available - pool.refresh().info().available >= 15 * MiB


@pytest.mark.parametrize("size", [10 * MiB, 10 * MiB + 1])
def test_a_size_that_storage_rounds_is_the_wanted_one(scene: Scene, pool: Pool, size: int) -> None:
    """Files have it exactly, LVM rounds up to whole extents, and parted to sectors after it has aligned the start."""
    wanted = scene.volume(1, size)
    volume = pool.volumes.create(wanted)
    for spec in (volume.spec(), pool.refresh().volumes[volume.name].spec()):
        assert spec.differences(wanted) == ()
        assert spec.differences(scene.volume(1, 2 * size)) != ()
    before = volume.info()
    volume.resize(size)
    assert volume.info() == before


@FILES
def test_preallocated_metadata(pool: Pool) -> None:
    small = pool.volumes.create(VolumeSpec.qcow2("small", "16 MiB", allocation=0))
    large = pool.volumes.create(VolumeSpec.qcow2("large", "16 MiB", allocation=0), preallocate_metadata=True)
    assert (large.info().allocation or 0) > (small.info().allocation or 0)
    for form in NEVER_PREALLOCATED:
        with pytest.raises(StorageError) as error:
            pool.volumes.create(VolumeSpec.image("none", form, "16 MiB"), preallocate_metadata=True)
        assert isinstance(error.value, UnsupportedError) or error.value.program == "qemu-img"
    assert names(pool.refresh()) == ("large", "small")


@FILES
def test_other_shapes_of_qcow2(scene: Scene, pool: Pool) -> None:
    new = pool.volumes.create(VolumeSpec.qcow2("new", "16 MiB", compat="1.1", cluster_size="128 KiB"))
    old = pool.volumes.create(VolumeSpec.qcow2("old", "16 MiB", compat="0.10"))
    assert (new.spec().target.compat, old.spec().target.compat) == ("1.1", "0.10")
    assert header(scene, new)["cluster-size"] == 128 << 10


@FILES
def test_a_directory_is_a_volume(pool: Pool) -> None:
    folder = pool.volumes.create(VolumeSpec.directory("folder"))
    assert folder.type() == VolumeType.DIR
    folder.delete()
    assert names(pool) == ()


def test_a_name_is_given_once(scene: Scene, pool: Pool) -> None:
    volume = pool.volumes.create(scene.volume(1, "8 MiB"))
    with pytest.raises(VolumeExistsError):
        pool.volumes.create(scene.volume(1, "8 MiB"))
    with pytest.raises(VolumeExistsError):
        volume.clone(scene.volume(1, "8 MiB"))
    assert names(pool) == (volume.name,)


@FILES
@pytest.mark.parametrize("name", ["a/b", "..", "", "a\nb"])
def test_names_that_nobody_gives(scene: Scene, pool: Pool, name: str) -> None:
    with pytest.raises(InvalidRequestError) as error:
        pool.volumes.create(VolumeSpec(name=name, capacity=8 * MiB))
    assert error.value.outcome in {"not_started", None}
    assert names(pool.refresh()) == ()


def test_more_than_there_is_room_for(scene: Scene, pool: Pool) -> None:
    before = pool.refresh().info()
    with pytest.raises(NoSpaceError) as error:
        pool.volumes.create(scene.volume(1, before.available * 64))
    assert error.value.hint
    assert pool.refresh().info() == before
    assert names(pool) == ()


# ---- cloned -------------------------------------------------------------------------------------------------------


@FILES
@pytest.mark.parametrize("form", ["raw", *FORMATS])
def test_there_and_back_again(scene: Scene, pool: Pool, form: str) -> None:
    data = content(4 * MiB)
    source = pool.volumes.create(VolumeSpec.raw("source", 4 * MiB)).upload(data)
    there = source.clone(VolumeSpec.image("there", form))
    assert header(scene, there)["format"] == form
    back = there.clone(VolumeSpec.raw("back"))
    assert digest(read(back, len(data))) == digest(read(source)) == digest(data)
    assert names(pool.refresh()) == ("back", "source", "there")


def test_a_copy_has_the_same_bytes(scene: Scene, pool: Pool) -> None:
    data = content(8 * MiB)
    source = pool.volumes.create(scene.volume(1, "8 MiB")).upload(data)
    copy = source.clone(scene.volume(2, "8 MiB"))
    assert digest(read(copy, len(data))) == digest(read(source, len(data))) == digest(data)
    source.delete()
    assert digest(read(copy, len(data))) == digest(data)


def test_a_copy_into_another_pool(scene: Scene, pool: Pool) -> None:
    data = content(8 * MiB)
    other = scene.host.pools.ensure(scene.other)
    source = pool.volumes.create(scene.volume(1, "8 MiB")).upload(data)
    image = source.clone(VolumeSpec.qcow2("image"), pool=other)
    back = image.clone(scene.volume(2, "8 MiB"), pool=pool)
    assert digest(read(back, len(data))) == digest(data)
    raw = source.copy_to(other, VolumeSpec.raw("raw", source.info().capacity), verify=True)
    assert digest(read(raw, len(data))) == digest(data)
    image.delete()
    raw.delete()


@FILES
@pytest.mark.parametrize("form", ["raw", "qcow2"])
def test_a_backing_store_names_its_format(scene: Scene, pool: Pool, form: str) -> None:
    base = pool.volumes.create(VolumeSpec.image("base", form, "16 MiB"))
    over = pool.volumes.create(VolumeSpec.qcow2("over", "16 MiB", backing=base.as_backing()))
    linked = base.clone("linked", mode="linked")
    for volume in (over, linked):
        store = volume.spec().backing_store
        assert store is not None
        assert (store.path, store.format) == (base.path(), form)
        assert header(scene, volume)["backing-filename-format"] == form
    assert over.clone(VolumeSpec.qcow2("alone")).spec().backing_store is None


@FILES
def test_a_backing_store_without_a_format_is_refused(pool: Pool) -> None:
    base = pool.volumes.create(VolumeSpec.raw("base", "16 MiB"))
    document = VolumeSpec.from_xml(
        "<volume><name>over</name><capacity>16777216</capacity><target><format type='qcow2'/></target>"
        f"<backingStore><path>{base.path()}</path></backingStore></volume>"
    )
    with pytest.raises(InvalidRequestError, match="no format"):
        pool.volumes.create(document)
    assert base.as_backing().format == VolumeFormat.RAW  # what libvirt would have taken it for
    assert names(pool.refresh()) == ("base",)


# ---- resized, wiped, deleted --------------------------------------------------------------------------------------


@FILES
@pytest.mark.parametrize("form", ["raw", "qcow2"])
def test_a_new_size(scene: Scene, pool: Pool, form: str) -> None:
    volume = pool.volumes.create(VolumeSpec.image("volume", form, "8 MiB", allocation=0))
    assert volume.resize("16 MiB").info().capacity == 16 * MiB
    assert volume.resize("4 MiB", delta=True).info().capacity == 20 * MiB
    assert volume.resize("4 MiB", delta=True, shrink=True).info().capacity == 16 * MiB
    assert volume.resize("12 MiB", shrink=True).info().capacity == 12 * MiB
    with pytest.raises(InvalidRequestError, match="shrink=True"):
        volume.resize("8 MiB")
    if form == "raw":
        allocated = volume.resize("16 MiB", allocate=True).info().allocation
        assert allocated is not None
        assert allocated >= 4 * MiB
        with pytest.raises(NoSpaceError):
            volume.resize(1 << 46, allocate=True)
    else:
        with pytest.raises(UnsupportedError):
            volume.resize("16 MiB", allocate=True)
    assert header(scene, volume)["format"] == form


@BLOCKS
def test_block_volumes_keep_their_size(scene: Scene, pool: Pool) -> None:
    volume = pool.volumes.create(scene.volume(1, "8 MiB"))
    before = volume.info()
    with pytest.raises(UnsupportedError) as error:
        volume.resize("16 MiB")
    assert error.value.outcome == "not_started"
    assert volume.info() == before


def test_zeros_over_what_was_there(scene: Scene, pool: Pool) -> None:
    data = content(8 * MiB)
    volume = pool.volumes.create(scene.volume(1, "8 MiB")).upload(data)
    assert read(volume.wipe(), len(data)) == bytes(len(data))


@FILES
@pytest.mark.parametrize("algorithm", [each for each in WipeAlgorithm if each.word not in {"zero", "trim"}])
def test_other_patterns_over_what_was_there(pool: Pool, algorithm: WipeAlgorithm) -> None:
    data = content(64 << 10)
    volume = pool.volumes.create(VolumeSpec.raw("volume", len(data))).upload(data)
    assert read(volume.wipe(algorithm)) != data


@FILES
def test_what_wiping_leaves_of_an_image(pool: Pool) -> None:
    volume = pool.volumes.create(VolumeSpec.qcow2("image", "8 MiB"))
    with pytest.raises(UnsupportedError):
        volume.wipe("trim")
    with pytest.raises(InvalidRequestError):
        volume.wipe("polish")
    volume.wipe()
    pool.refresh()
    assert volume.spec().target.format == VolumeFormat.RAW


def test_what_is_deleted_is_gone(scene: Scene, pool: Pool) -> None:
    before = pool.refresh().info()
    volume = pool.volumes.create(scene.volume(1, "16 MiB"))
    volume.delete()
    for call in (volume.delete, volume.info, volume.wipe, volume.spec):
        with pytest.raises(VolumeNotFoundError):
            call()
    assert names(pool.refresh()) == ()
    assert abs(pool.info().available - before.available) <= MiB


# ---- where there are none ------------------------------------------------------------------------------------------


def test_a_reader_changes_nothing(scene: Scene, pool: Pool) -> None:
    volume = pool.volumes.create(scene.volume(1, "8 MiB"))
    with connect(scene.host.uri, readonly=True) as reader:
        mine = reader.pools[pool.name]
        seen = mine.volumes[volume.name]
        assert (mine.info(), seen.spec()) == (pool.info(), volume.spec())
        for refused in (
            mine.stop,
            mine.refresh,
            lambda: mine.volumes.create(scene.volume(2, "8 MiB")),
            lambda: reader.pools.define(PoolSpec.dir("more", "/srv/more")),
            seen.delete,
            seen.wipe,
            lambda: seen.upload(b"x"),
            lambda: seen.resize("16 MiB"),
        ):
            with pytest.raises(AccessDeniedError, match="readonly"):
                refused()
    assert names(pool) == (volume.name,)
