"""Volumes: making, looking at, copying, resizing, wiping and deleting them, and names of every kind."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args
from uuid import uuid4

import attrs
import pytest

from libstorage import (
    BackingStore,
    CloneMode,
    DocumentError,
    GiB,
    Host,
    InvalidRequestError,
    MiB,
    NoSpaceError,
    Permissions,
    Pool,
    PoolInactiveError,
    PoolNotFoundError,
    PoolSpec,
    Size,
    SizeLike,
    StateError,
    StorageError,
    UnsupportedError,
    Volume,
    VolumeCreateFlags,
    VolumeDeleteFlags,
    VolumeExistsError,
    VolumeFormat,
    VolumeNotFoundError,
    VolumeResizeFlags,
    VolumeSpec,
    VolumeType,
    WipeAlgorithm,
    connect,
)
from tests.live.conftest import remove

CONTENT = os.urandom(3 * MiB)


def qemu_img(*words: str | Path) -> bytes:
    return subprocess.run(["qemu-img", *map(str, words)], check=True, capture_output=True).stdout


def backing_of(path: str) -> str | None:
    """What the image itself says, whatever libvirt shows."""
    backing: str | None = json.loads(qemu_img("info", "--output=json", path)).get("backing-filename")
    return backing


def guest_content(volume: Volume, folder: Path) -> str:
    """Hash of what a guest would read."""
    raw = folder / "as-a-guest-sees-it"
    qemu_img("convert", "-O", "raw", volume.path(), raw)
    with raw.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@pytest.fixture
def filled(pool: Pool, folder: Path) -> Volume:
    """A raw volume with content."""
    (folder / "content").write_bytes(CONTENT)
    volume = pool.volumes.create(VolumeSpec.raw("filled.img", len(CONTENT)))
    return volume.upload(folder / "content")


@pytest.fixture
def other_pool(host: Host, folder: Path) -> Iterator[Pool]:
    pool = host.pools.define(PoolSpec.dir(f"other-{folder.name}", str(folder / "other"))).build().start()
    yield pool
    remove(pool)


class TestCreate:
    @pytest.mark.parametrize("form", ["raw", "qcow2", "qcow", "qed", "vmdk", "vdi", "vpc"])
    def test_the_formats_that_qemu_img_makes(self, pool: Pool, form: str) -> None:
        volume = pool.volumes.create(VolumeSpec.image(f"v.{form}", form, "8 MiB", allocation=0))
        assert volume.spec().target.format == form
        assert volume.info().type is VolumeType.FILE
        assert volume.info().capacity >= 8 * MiB

    def test_a_directory(self, pool: Pool) -> None:
        volume = pool.volumes.create(VolumeSpec.directory("folder"))
        assert volume.type() is VolumeType.DIR
        assert Path(volume.path()).is_dir()
        volume.delete()

    def test_raw_is_allocated_as_a_whole_unless_told_otherwise(self, pool: Pool) -> None:
        full = pool.volumes.create(VolumeSpec.raw("full.img", "1 MiB"))
        sparse = pool.volumes.create(VolumeSpec.raw("sparse.img", "1 MiB", allocation=0))
        assert (full.info().allocation, sparse.info().allocation) == (MiB, 0)
        assert sparse.info(physical=True).physical == sparse.info().capacity == MiB
        assert (sparse.info().physical, sparse.info(physical=True).allocation) == (None, None)

    def test_options_of_qcow2(self, pool: Pool) -> None:
        spec = VolumeSpec.qcow2(
            "options.qcow2",
            "8 MiB",
            compat="1.1",
            cluster_size="128 KiB",
            lazy_refcounts=True,
            extended_l2=True,
        )
        made = pool.volumes.create(spec).spec()
        assert made.differences(spec) == ()
        assert made.target.features == spec.target.features
        assert made.target.cluster_size == Size("128 KiB")

    def test_permissions(self, pool: Pool) -> None:
        volume = pool.volumes.create(VolumeSpec.raw("mode.img", 4096, permissions=Permissions(mode=0o640)))
        assert Path(volume.path()).stat().st_mode & 0o777 == 0o640

    @pytest.mark.parametrize("by_flag", [True, False])
    def test_preallocated_metadata(self, pool: Pool, by_flag: bool) -> None:
        spec = VolumeSpec.qcow2("prealloc.qcow2", "64 MiB")
        if by_flag:
            volume = pool.volumes.create(spec, flags=VolumeCreateFlags.PREALLOC_METADATA)
        else:
            volume = pool.volumes.create(spec, preallocate_metadata=True)
        plain = pool.volumes.create(VolumeSpec.qcow2("plain.qcow2", "64 MiB"))
        physical, usual = volume.info(physical=True).physical, plain.info(physical=True).physical
        assert physical is not None
        assert usual is not None
        assert physical > usual

    def test_preallocated_metadata_of_raw_is_refused(self, pool: Pool) -> None:
        with pytest.raises(UnsupportedError):
            pool.volumes.create(VolumeSpec.raw("no.img", 4096), preallocate_metadata=True)

    def test_validation_by_libvirt_fails_before_11_3(self, pool: Pool) -> None:
        """Why it is not asked for by itself: see client/validation.py."""
        spec, flags = VolumeSpec.raw("v.img", 4096), VolumeCreateFlags.VALIDATE
        if min(pool.host.versions.daemon, pool.host.versions.client) < 11_003_000:
            with pytest.raises(InvalidRequestError, match="unsupported flags"):
                pool.volumes.create(spec, flags=flags)
        else:
            assert pool.volumes.create(spec, flags=flags).info().capacity == 4096

    def test_one_that_is_there(self, pool: Pool, filled: Volume) -> None:
        with pytest.raises(VolumeExistsError) as refused:
            pool.volumes.create(VolumeSpec.raw(filled.name, 4096))
        assert isinstance(refused.value, FileExistsError)

    def test_a_file_that_libvirt_has_not_seen(self, pool: Pool, filled: Volume) -> None:
        Path(filled.path()).with_name("unseen.img").touch()
        with pytest.raises(VolumeExistsError, match="refresh"):
            pool.volumes.create(VolumeSpec.raw("unseen.img", 4096))

    def test_in_a_pool_that_is_stopped(self, pool: Pool) -> None:
        pool.stop()
        with pytest.raises(PoolInactiveError, match="start"):
            pool.volumes.create(VolumeSpec.raw("no.img", 4096))
        for read in (
            pool.volumes.list,
            pool.volumes.specs,
            pool.volumes.count,
            lambda: pool.volumes["no.img"],
        ):
            with pytest.raises(PoolInactiveError):
                read()

    def test_xml_instead_of_a_spec(self, pool: Pool) -> None:
        with pytest.raises(InvalidRequestError, match="from_xml"):
            pool.volumes.create("<volume/>")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    def test_a_backing_store_without_a_format(self, pool: Pool, filled: Volume) -> None:
        spec = VolumeSpec.qcow2("trap.qcow2", backing=BackingStore(path=filled.path()))
        with pytest.raises(InvalidRequestError, match="no format"):
            pool.volumes.create(spec)

    def test_no_capacity_where_nothing_else_gives_one(self, pool: Pool, filled: Volume) -> None:
        with pytest.raises(InvalidRequestError, match="has no capacity"):
            pool.volumes.create(VolumeSpec.raw("none.img"))
        over = VolumeSpec.qcow2("over.qcow2", backing=filled.as_backing())
        assert pool.volumes.create(over).info().capacity == filled.info().capacity


class TestFinding:
    def test_every_look_up_finds_it(self, pool: Pool, filled: Volume) -> None:
        volumes = pool.volumes
        assert volumes[filled.name] == volumes.get(filled.name) == volumes.lookup(filled.name) == filled
        assert filled.name in volumes
        assert filled in volumes
        assert [*volumes] == [*volumes.list()] == [filled]
        assert volumes.names() == (filled.name,)
        assert volumes.count() == 1
        assert (filled.name, filled.pool) == ("filled.img", pool)
        assert filled.key() == filled.path()

    def test_what_is_not_there(self, pool: Pool) -> None:
        assert "nosuch" not in pool.volumes
        assert pool.volumes.get("nosuch") is None
        with pytest.raises(VolumeNotFoundError, match="nosuch"):
            pool.volumes["nosuch"]

    def test_looking_up_asks_even_where_it_is_known(self, pool: Pool, filled: Volume) -> None:
        Path(filled.path()).unlink()
        pool.refresh()
        assert filled.name not in pool.volumes

    def test_a_file_that_vanished(self, filled: Volume) -> None:
        Path(filled.path()).unlink()
        with pytest.raises(VolumeNotFoundError, match="refresh"):
            filled.info()

    def test_a_pool_made_again_under_the_same_name_is_another(
        self, host: Host, filled: Volume, folder: Path
    ) -> None:
        """libvirt finds a volume by its pool's name; a handle that knows better must not strike the wrong one."""
        pool = filled.pool
        assert filled.info().capacity == len(CONTENT)  # the lane knows it now
        pool.stop().undefine()
        with connect(host.uri) as somebody_else:
            again = somebody_else.pools.define(PoolSpec.dir(pool.name, str(folder / "pool"))).start()
            assert again != pool
            assert filled.name in again.volumes
            for act in (filled.delete, filled.wipe, lambda: filled.resize(MiB), lambda: filled.clone("x")):
                with pytest.raises(PoolNotFoundError):
                    act()
            assert Path(again.volumes[filled.name].path()).read_bytes() == CONTENT

    @pytest.mark.parametrize(
        "act", ["delete", "wipe", "resize", "upload", "clone", "clone theirs", "clone to them"]
    )
    def test_a_pool_that_was_renamed_is_still_the_same(self, host: Host, folder: Path, act: str) -> None:
        """And the pool that has its old name now is another, whose volume of that name is left alone."""
        uuid, wiped = str(uuid4()), b"\0" * MiB
        with connect(host.uri, lanes=1) as mine, connect(host.uri) as somebody_else:
            spec = PoolSpec.dir(f"old-{uuid[:8]}", str(folder / "mine"), uuid=uuid)
            volume = mine.pools.define(spec).build().start().volumes.create(VolumeSpec.raw("v", MiB))
            volume.upload(CONTENT[:MiB])  # the lane knows pool and volume now
            somebody_else.pools[spec.name].stop().undefine()
            renamed = somebody_else.pools.define(attrs.evolve(spec, name=f"new-{uuid[:8]}")).start()
            other = somebody_else.pools.define(PoolSpec.dir(spec.name, str(folder / "theirs"))).build()
            theirs = other.start().volumes.create(VolumeSpec.raw("v", MiB)).upload(CONTENT[MiB : 2 * MiB])
            acts: dict[str, Callable[[], object]] = {
                "delete": volume.delete,
                "wipe": volume.wipe,
                "resize": lambda: volume.resize(2 * MiB),
                "upload": lambda: volume.upload(CONTENT[-MiB:]),
                "clone": lambda: volume.clone("clone"),
                "clone to them": lambda: volume.clone("clone", pool=mine.pools.by_uuid(other.uuid)),
                "clone theirs": lambda: (
                    mine.pools.by_uuid(other.uuid).volumes["v"].clone("clone", pool=volume.pool)
                ),
            }
            acts[act]()
            was = CONTENT[:MiB]
            assert Path(theirs.path()).read_bytes() == CONTENT[MiB : 2 * MiB]
            made = [Path(other.volumes[name].path()) for name in other.volumes.names() if name != "v"]
            assert [path.read_bytes() for path in made] == [was] * (act == "clone to them")
            found = {path.name: path.read_bytes() for path in (folder / "mine").iterdir()}
            was = CONTENT[:MiB]
            assert (
                found
                == {
                    "delete": {},
                    "wipe": {"v": wiped},
                    "resize": {"v": was + wiped},
                    "upload": {"v": CONTENT[-MiB:]},
                    "clone": {"v": was, "clone": was},
                    "clone to them": {"v": was},
                    "clone theirs": {"v": was, "clone": CONTENT[MiB : 2 * MiB]},
                }[act]
            )
            for pool in (renamed, other):
                remove(pool)


ODD_NAMES = [
    "-rf", "--help", ".hidden", "a b", "*", "$(id)", ";", "%s%n", "'\"\\", "json:{}", "a,b", "<&>\"'", "ümläut", "日本",
    "e\u0301", "👩‍👧", "n" * 255,
]  # fmt: skip


class TestNames:
    @pytest.mark.parametrize("name", ODD_NAMES)
    @pytest.mark.filterwarnings("ignore:.*begins with:UserWarning")
    def test_odd_ones_go_all_the_way(self, pool: Pool, name: str) -> None:
        volume = pool.volumes.create(VolumeSpec.raw(name, 4096))
        assert pool.volumes.names() == (name,)
        assert pool.volumes[name].spec().name == name
        assert Path(volume.path()).name == name
        assert volume.resize(8192).info().capacity == 8192
        volume.delete()
        assert pool.volumes.count() == 0

    def test_one_that_looks_like_an_option_is_warned_of(self, pool: Pool) -> None:
        with pytest.warns(UserWarning, match="begins with '-'") as warned:
            pool.volumes.create(VolumeSpec.raw("-rf", 4096))
        assert warned[0].filename == __file__

    @pytest.mark.parametrize(
        "name",
        ["line\nend", "tab\there", "\x7f", "next\x85line", " led", "trailing ", "é" * 128, "\u202etxt.img"],
    )
    def test_bad_ones_are_refused_before_the_call(self, pool: Pool, filled: Volume, name: str) -> None:
        spec = VolumeSpec.from_xml(
            VolumeSpec.raw("name", 4096).to_xml().replace("name<", "NAME<").replace("NAME", name, 1)
        )
        with pytest.raises(InvalidRequestError, match="strict_names") as refused:
            pool.volumes.create(spec)
        assert refused.value.outcome == "not_started"
        with pytest.raises(InvalidRequestError, match="strict_names"):
            filled.clone(name)

    def test_what_the_host_has_under_a_bad_name_can_be_used(self, pool: Pool, filled: Volume) -> None:
        Path(filled.path()).rename(Path(filled.path()).with_name(" bad name "))
        volume = pool.refresh().volumes[" bad name "]
        assert volume.spec().name == " bad name "
        volume.clone("good name").delete()
        volume.delete()

    def test_somebody_insists(self, pool: Pool) -> None:
        volumes = pool.with_options(strict_names=False).volumes
        volumes.create(VolumeSpec.raw(" leading space", 4096)).delete()

    def test_names_that_are_no_utf8(self, pool: Pool, filled: Volume) -> None:
        raw = os.fsencode(Path(filled.path()).parent) + b"/bad\xff\xfename"
        Path(os.fsdecode(raw)).write_bytes(CONTENT)
        odd = "bad\udcff\udcfename"
        assert {*pool.refresh().volumes.names()} == {"filled.img", odd}
        assert odd in pool.volumes
        assert "bad\udcfdname" not in pool.volumes
        volume = pool.volumes[odd]
        assert os.fsencode(volume.path()) == os.fsencode(volume.key()) == raw
        assert volume.info().capacity == len(CONTENT)
        assert volume.download(pool_file := Path(filled.path()).parent.parent / "copy").name == odd
        assert pool_file.read_bytes() == CONTENT
        assert volume.upload(pool_file).info().capacity == len(CONTENT)
        with pytest.raises(DocumentError):
            volume.spec()
        entries = {entry.name: entry for entry in pool.volumes.specs()}
        assert isinstance(entries[odd].error, DocumentError)
        assert entries["filled.img"].spec is not None
        volume.delete()
        with pytest.raises(VolumeNotFoundError):
            volume.info()


class TestClone:
    def test_a_name_is_enough(self, filled: Volume, folder: Path) -> None:
        copy = filled.clone("copy.img")
        assert guest_content(copy, folder) == guest_content(filled, folder)
        want = filled.spec().request(name="copy.img")
        assert copy.spec().differences(want) == ()

    def test_a_sparse_volume_stays_sparse(self, pool: Pool) -> None:
        sparse = pool.volumes.create(VolumeSpec.raw("sparse.img", "64 MiB", allocation=0))
        allocation = sparse.clone("copy.img").info().allocation
        assert allocation is not None
        assert allocation < MiB

    def test_to_another_pool_and_format_and_back(
        self, filled: Volume, other_pool: Pool, folder: Path
    ) -> None:
        image = filled.clone(VolumeSpec.qcow2("image.qcow2", len(CONTENT)), pool=other_pool)
        assert image.pool == other_pool
        assert image.spec().target.format == "qcow2"
        back = image.clone(VolumeSpec.raw("back.img", len(CONTENT)), pool=filled.pool)
        assert Path(back.path()).read_bytes() == CONTENT

    def test_a_link_holds_only_what_differs(self, filled: Volume, folder: Path) -> None:
        link = filled.clone("link.qcow2", mode="linked")
        store = link.spec().backing_store
        assert store is not None
        assert (store.path, store.format) == (filled.path(), VolumeFormat.RAW)
        assert backing_of(link.path()) == filled.path()
        assert link.info().capacity == len(CONTENT)
        physical = link.info(physical=True).physical
        assert physical is not None
        assert physical < MiB
        assert guest_content(link, folder) == guest_content(filled, folder)

    def test_a_link_with_options_of_its_own(self, filled: Volume, other_pool: Pool) -> None:
        spec = VolumeSpec.qcow2("large.qcow2", "16 MiB", compat="1.1", cluster_size="128 KiB")
        link = filled.clone(spec, mode="linked", pool=other_pool)
        assert link.spec().differences(spec) == ()
        assert backing_of(link.path()) == filled.path()

    def test_a_copy_of_a_link_stands_on_its_own(self, filled: Volume, folder: Path) -> None:
        flat = filled.clone("link.qcow2", mode="linked").clone("flat.qcow2")
        assert flat.spec().backing_store is None
        assert backing_of(flat.path()) is None
        assert guest_content(flat, folder) == guest_content(filled, folder)

    def test_a_chain_of_links(self, filled: Volume, folder: Path) -> None:
        top = filled.clone("one.qcow2", mode="linked").clone("two.qcow2", mode="linked")
        store = top.spec().backing_store
        assert store is not None
        assert store.format == "qcow2"
        assert guest_content(top, folder) == guest_content(filled, folder)

    def test_sharing_blocks_is_up_to_the_file_system(self, filled: Volume, folder: Path) -> None:
        probe = ["cp", "--reflink=always", filled.path(), str(folder / "probe")]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            shared = filled.clone("shared.img", mode="reflink")
            assert guest_content(shared, folder) == guest_content(filled, folder)
        else:
            with pytest.raises(UnsupportedError, match="failed to clone"):
                filled.clone("shared.img", mode="reflink")

    def test_sharing_blocks_of_qcow2_is_refused_here(self, pool: Pool) -> None:
        image = pool.volumes.create(VolumeSpec.qcow2("image.qcow2", MiB))
        with pytest.raises(UnsupportedError, match="raw volumes only"):
            image.clone("shared.qcow2", mode="reflink")

    @pytest.mark.parametrize("mode", get_args(CloneMode))
    def test_a_name_that_is_taken(self, filled: Volume, mode: CloneMode) -> None:
        with pytest.raises(VolumeExistsError):
            filled.clone(filled.name, mode=mode)

    def test_what_makes_no_sense(self, filled: Volume, host: Host) -> None:
        with pytest.raises(InvalidRequestError, match="copy, reflink or linked"):
            filled.clone("x", mode="deep")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        with pytest.raises(InvalidRequestError, match="is independent"):
            filled.clone(VolumeSpec.qcow2("x", backing=filled.as_backing()))
        with pytest.raises(InvalidRequestError, match="but its spec states"):
            filled.clone(
                VolumeSpec.qcow2("x", backing=BackingStore(path="/other", format="raw")), mode="linked"
            )
        with pytest.raises(DocumentError, match="raw volumes cannot have a backing store"):
            filled.clone(VolumeSpec.raw("x", len(CONTENT)), mode="linked")

    def test_another_host(self, filled: Volume, user_daemon: object, tmp_path: Path) -> None:
        (tmp_path / "empty.xml").write_text("<node/>")
        with connect(f"test://{tmp_path}/empty.xml") as elsewhere:
            pool = elsewhere.pools.create_transient(PoolSpec.dir("elsewhere", "/elsewhere"))
            with pytest.raises(InvalidRequestError, match="another host"):
                filled.clone("x", pool=pool)

    def test_a_volume_as_the_backing_store_of_one_made_by_hand(self, pool: Pool, filled: Volume) -> None:
        made = pool.volumes.create(VolumeSpec.qcow2("overlay.qcow2", "8 MiB", backing=filled.as_backing()))
        assert made.spec().backing_store is not None
        assert backing_of(made.path()) == filled.path()


class TestResize:
    def test_growing(self, filled: Volume) -> None:
        assert filled.resize("8 MiB") is filled
        assert filled.info().capacity == 8 * MiB
        assert filled.resize(Size("1 MiB"), delta=True).info().capacity == 9 * MiB

    def test_allocating(self, pool: Pool) -> None:
        sparse = pool.volumes.create(VolumeSpec.raw("sparse.img", MiB, allocation=0))
        assert sparse.resize("4 MiB", allocate=True).info().allocation == 4 * MiB
        assert sparse.resize("8 MiB", flags=VolumeResizeFlags.ALLOCATE).info().allocation == 8 * MiB

    def test_shrinking_must_be_said(self, pool: Pool) -> None:
        image = pool.volumes.create(VolumeSpec.qcow2("image.qcow2", "8 MiB"))
        with pytest.raises(InvalidRequestError, match="shrink"):
            image.resize("4 MiB")
        assert image.resize("4 MiB", shrink=True).info().capacity == 4 * MiB
        assert image.resize("1 MiB", shrink=True, delta=True).info().capacity == 3 * MiB

    def test_more_than_there_is(self, pool: Pool, filled: Volume) -> None:
        with pytest.raises(NoSpaceError):
            filled.resize(pool.info().available + 64 * MiB, delta=True, allocate=True)
        assert filled.info().capacity == len(CONTENT)

    def test_below_what_is_allocated(self, filled: Volume) -> None:
        with pytest.raises(InvalidRequestError, match="allocation"):
            filled.resize(MiB, shrink=True)

    @pytest.mark.parametrize("wrong", ["1.5 GiB", "ten", -1, None, True, 2**63])
    def test_what_is_no_size(self, filled: Volume, wrong: object) -> None:
        with pytest.raises(InvalidRequestError, match="capacity"):
            filled.resize(wrong)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


class TestWipe:
    def test_every_algorithm(self, filled: Volume, subtests: pytest.Subtests) -> None:
        path = Path(filled.path())
        for algorithm in WipeAlgorithm:
            with subtests.test(algorithm.word):
                path.write_bytes(CONTENT)
                if algorithm is WipeAlgorithm.TRIM:
                    with pytest.raises(UnsupportedError):
                        filled.wipe(algorithm)
                    continue
                if algorithm is not WipeAlgorithm.ZERO and shutil.which("scrub") is None:
                    pytest.skip("not run: scrub is not installed")
                assert filled.wipe(algorithm) is filled
                left = path.read_bytes()
                assert len(left) == len(CONTENT)
                assert left != CONTENT
                assert sum(a == b for a, b in zip(left[:65536], CONTENT[:65536], strict=True)) < 65536 // 16

    def test_libvirt_writes_whole_blocks(self, pool: Pool) -> None:
        """Known of libvirt 9.0, and told in the docstrings of wipe and clone."""
        volume = pool.volumes.create(VolumeSpec.raw("odd.img", 5000)).upload(io.BytesIO(b"x" * 5000))
        assert volume.clone("copy.img").info().capacity == 8192
        assert volume.wipe().info().capacity == 8192

    def test_zeros_are_the_default(self, filled: Volume) -> None:
        filled.wipe()
        assert not any(Path(filled.path()).read_bytes())

    def test_words_are_taken_too(self, filled: Volume) -> None:
        filled.wipe("zero")
        with pytest.raises(InvalidRequestError, match="gutmann"):
            filled.wipe("gutman")
        with pytest.raises(InvalidRequestError, match="VolumeType"):
            filled.wipe(VolumeType.FILE)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    def test_a_wiped_image_is_raw_after_a_refresh(self, pool: Pool) -> None:
        image = pool.volumes.create(VolumeSpec.qcow2("image.qcow2", MiB)).wipe()
        pool.refresh()
        assert image.spec().target.format == "raw"


class TestDelete:
    @pytest.mark.parametrize("flags", [VolumeDeleteFlags.ZEROED, VolumeDeleteFlags.WITH_SNAPSHOTS])
    def test_flags_are_for_rbd(self, filled: Volume, flags: VolumeDeleteFlags) -> None:
        with pytest.raises(InvalidRequestError, match="unsupported flags"):
            filled.delete(flags=flags)
        with pytest.raises(InvalidRequestError, match="unsupported flags"):
            filled.delete(with_snapshots=True)

    def test_it_is_gone_for_good(self, filled: Volume) -> None:
        path = Path(filled.path())
        filled.delete()
        assert not path.exists()
        for act in (
            filled.info,
            filled.spec,
            filled.path,
            filled.delete,
            filled.wipe,
            lambda: filled.resize(1),
        ):
            with pytest.raises(VolumeNotFoundError):
                act()

    def test_a_folder_with_something_in_it_stays(self, pool: Pool) -> None:
        volume = pool.volumes.create(VolumeSpec.directory("folder", permissions=Permissions(mode=0o700)))
        Path(volume.path(), "file").touch()
        with pytest.raises(StorageError):
            volume.delete()
        assert Path(volume.path(), "file").exists()
        with pytest.raises(StateError):
            volume.pool.undefine()


# ---- what is there already ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["raw", "qcow2", "qed", "vmdk", "vdi", "vpc", "qcow"])
@pytest.mark.parametrize("size", ["50 MB", "1 MiB", 12_345_678, 65537])
def test_the_size_that_it_was_made_with_is_nothing_to_do(pool: Pool, form: str, size: SizeLike) -> None:
    volume = pool.volumes.create(VolumeSpec.image("v", form, size, allocation=0))
    before = volume.info().capacity
    assert volume.resize(size) is volume
    assert volume.resize(before).info().capacity == before
    volume.delete()


@pytest.mark.parametrize("form", ["raw", "qcow2", "qed", "vmdk", "vdi", "vpc"])
def test_no_size_is_a_size_too(pool: Pool, form: str) -> None:
    """libvirt shows an image of capacity 0 as large as its file."""
    wanted = VolumeSpec.image("v", form, 0)
    volume = pool.volumes.create(wanted)
    before = volume.info()
    assert volume.spec().differences(wanted) == ()
    assert volume.resize(0) is volume
    assert volume.info() == before
    volume.delete()


@pytest.mark.parametrize("form", ["raw", "qcow2"])
def test_less_is_refused_all_the_same(pool: Pool, form: str) -> None:
    """A raw volume is never smaller than its allocation, which does not make the two sizes equal."""
    volume = pool.volumes.create(VolumeSpec.image("v", form, "8 MiB"))
    for size in (8 * MiB - 4096, 4 * MiB, 1):
        with pytest.raises(InvalidRequestError):
            volume.resize(size)
    assert volume.info().capacity == 8 * MiB
    volume.delete()


@pytest.mark.parametrize("size", ["64 MiB", "1 GiB"])
def test_metadata_alone_is_preallocated(pool: Pool, size: str) -> None:
    volume = pool.volumes.create(VolumeSpec.qcow2("v", size), preallocate_metadata=True)
    assert Path(volume.path()).stat().st_blocks * 512 < 2 * MiB
    volume.delete()


@pytest.mark.parametrize("mode", ["copy", "reflink", "linked"])
@pytest.mark.parametrize("new", ["clone", VolumeSpec(name="clone"), VolumeSpec.raw("clone", "1 MiB")])
def test_a_directory_is_not_cloned(pool: Pool, mode: CloneMode, new: str | VolumeSpec) -> None:
    target = pool.spec().target
    assert target is not None
    folder = Path(str(target.path)) / "media"
    folder.mkdir()
    volume = pool.refresh().volumes["media"]
    with pytest.raises(UnsupportedError, match="is a directory"):
        volume.clone(new, mode=mode)
    assert pool.refresh().volumes.names() == ("media",)
    folder.rmdir()
    pool.refresh()


def test_a_path_in_place_of_a_name(pool: Pool) -> None:
    volume = pool.volumes.create(VolumeSpec.raw("v", 1))
    with pytest.raises(VolumeNotFoundError, match=r"host\.volume_at\(path\)"):
        pool.volumes[volume.path()]
    with pytest.raises(PoolNotFoundError, match=r"pools\.by_target_path"):
        pool.host.pools[str(Path(volume.path()).parent)]
    with pytest.raises(PoolNotFoundError, match=r"pools\.by_uuid"):
        pool.host.pools[pool.uuid]
    volume.delete()


def test_sizes_of_an_old_driver() -> None:
    with connect("test:///default") as host:
        volume = host.pools["default-pool"].volumes.create(VolumeSpec.raw("old", "1 GiB"))
        assert volume.info().capacity == GiB
        for act in (lambda: volume.info(physical=True), lambda: volume.resize("2 GiB"), volume.wipe):
            with pytest.raises(UnsupportedError, match="test driver does not have this function"):
                act()
        volume.delete()
