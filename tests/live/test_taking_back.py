"""What is taken back after a failure is ours: another program replaces the half volume at every step of every maker."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from time import sleep
from typing import Any, TypeAlias

import fsspec
import pytest

import libstorage.fsspec
from libstorage import (
    GiB,
    Host,
    MiB,
    Pool,
    PoolSpec,
    StateError,
    StorageError,
    TransferProgress,
    Volume,
    VolumeSpec,
    connect,
)
from libstorage.session import calls
from libstorage.testing import PrivateDaemon
from libstorage.transfer.upload import fill_new
from tests.inside import connection_of
from tests.live.rest import wait_until

NOISE = os.urandom(3 * MiB)
THEIRS = b"precious" * 512
NAME = "shared.img"

Step: TypeAlias = Callable[..., None]
Maker: TypeAlias = Callable[[Pool, Volume, Step], object]


class Stopped(Exception):
    """The maker fails here."""


@pytest.fixture
def pool(host: Host, folder: Path) -> Iterator[Pool]:
    pool = host.pools.define(PoolSpec.dir("shared", str(folder / "pool"))).build().start()
    yield pool
    for volume in pool.refresh().volumes:
        volume.delete()
    pool.stop().undefine()


@pytest.fixture
def source(pool: Pool) -> Volume:
    return pool.volumes.create(VolumeSpec.raw("source", len(NOISE), allocation=0)).upload(NOISE)


def replaced_by_a_program(pool: Pool) -> None:
    """Delete the volume and make another of its name, as virsh and any tool can."""
    for words in (["vol-delete", NAME, pool.name], ["vol-create-as", pool.name, NAME, "4096"]):
        subprocess.run(["virsh", "-c", pool.host.uri, "-q", *words], check=True, capture_output=True)
    place(pool).write_bytes(THEIRS)


def replaced_behind_libvirt(pool: Pool) -> None:
    """Put another file in the place of the volume's, by a rename."""
    other = place(pool).with_name("other")
    other.write_bytes(THEIRS)
    other.rename(place(pool))


def place(pool: Pool) -> Path:
    path = pool.spec().target
    assert path is not None
    return Path(str(path.path)) / NAME


def imported(pool: Pool, source: Volume, step: Step) -> object:
    return pool.volumes.import_image(NOISE, name=NAME, verify=True, progress=step)


def imported_from_a_stream(pool: Pool, source: Volume, step: Step) -> object:
    def pieces() -> Iterator[bytes]:
        for begin in range(0, len(NOISE), 300_000):
            step()
            yield NOISE[begin : begin + 300_000]
        step()

    return pool.volumes.import_image(pieces(), name=NAME)


def copied(pool: Pool, source: Volume, step: Step) -> object:
    return source.copy_to(pool, NAME, verify=True, progress=step)


def put_by_fsspec(pool: Pool, source: Volume, step: Step) -> object:
    class Steps(fsspec.callbacks.Callback):  # type: ignore[misc]
        def call(self, hook_name: str | None = None, **kwargs: Any) -> None:
            step()

    system = libstorage.fsspec.LibvirtFileSystem(host=pool.host)
    mine = place(pool).parent.parent / "mine"
    mine.write_bytes(NOISE)
    system.put_file(str(mine), f"{pool.name}/{NAME}", callback=Steps())
    return mine


def written_by_fsspec(pool: Pool, source: Volume, step: Step) -> object:
    with libstorage.fsspec.LibvirtFileSystem(host=pool.host).open(f"{pool.name}/{NAME}", "wb") as file:
        for _ in range(30):  # more than can wait to be sent
            file.write(NOISE[:300_000])
            step()
    return None


MAKERS: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (imported, imported_from_a_stream, copied, put_by_fsspec, written_by_fsspec)
}


@pytest.mark.parametrize("error", [Stopped, KeyboardInterrupt])
@pytest.mark.parametrize("replace", [replaced_by_a_program, replaced_behind_libvirt])
@pytest.mark.parametrize("maker", MAKERS)
def test_what_another_program_made_stays(
    pool: Pool, source: Volume, maker: str, replace: Callable[[Pool], None], error: type[BaseException]
) -> None:
    struck = 0
    for last in range(60):
        left = last

        def step(_: TransferProgress | None = None) -> None:
            nonlocal left
            left -= 1
            if left < 0 and place(pool).exists() and place(pool).read_bytes() != THEIRS:
                replace(pool)
                raise error

        try:
            MAKERS[maker](pool, source, step)
        except error:
            struck += 1
            assert place(pool).read_bytes() == THEIRS
        else:
            break
        finally:
            pool.refresh().volumes[NAME].delete()
    assert struck >= 5


@pytest.mark.parametrize("maker", MAKERS)
def test_what_was_made_goes(pool: Pool, source: Volume, maker: str) -> None:
    def step(_: TransferProgress | None = None) -> None:
        if place(pool).exists() and place(pool).stat().st_size:
            raise Stopped

    with pytest.raises(Stopped):
        MAKERS[maker](pool, source, step)
    assert not place(pool).exists()
    assert NAME not in pool.refresh().volumes.names()


@pytest.mark.parametrize("replace", [replaced_by_a_program, replaced_behind_libvirt, None])
def test_a_clone_that_does_not_grow(
    pool: Pool, source: Volume, replace: Callable[[Pool], None] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def grow(*_: Any) -> None:
        if replace is not None:
            replace(pool)
        raise Stopped

    monkeypatch.setattr("libstorage.provision.clone._grow", grow)
    with pytest.raises(Stopped) as stopped:
        source.clone(VolumeSpec.raw(NAME, GiB))
    if replace is None:
        assert not place(pool).exists()
        assert "was deleted again" in str(stopped.value.__notes__)
    else:
        assert place(pool).read_bytes() == THEIRS
        assert "another client may have replaced it" in str(stopped.value.__notes__)


@pytest.mark.parametrize("replace", [replaced_by_a_program, replaced_behind_libvirt])
def test_nothing_is_written_into_what_another_program_made(
    pool: Pool, replace: Callable[[Pool], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was replaced between its creation and the first byte."""

    def late(*given: Any, **more: Any) -> None:
        replace(pool)
        fill_new(*given, **more)

    monkeypatch.setattr("libstorage.provision.fill.fill_new", late)
    with pytest.raises(StateError, match="was replaced by another client") as refused:
        pool.volumes.import_image(NOISE, name=NAME)
    assert refused.value.outcome == "unknown"
    assert place(pool).read_bytes() == THEIRS


def test_the_error_names_what_stays(pool: Pool) -> None:
    def pieces() -> Iterator[bytes]:
        yield NOISE[: 2 * MiB]
        yield NOISE[2 * MiB :]
        replaced_by_a_program(pool)
        raise StorageError("the source failed")

    with pytest.raises(StorageError, match="the source failed") as failed:
        pool.volumes.import_image(pieces(), name=NAME)
    assert failed.value.outcome == "unknown"
    assert failed.value.retry == "after_reconcile"
    assert f"volume {NAME!r} in pool 'shared' was not deleted" in str(failed.value)


@pytest.mark.parametrize("is_there", [True, False])
def test_ctrl_c_while_it_is_made(pool: Pool, is_there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call may have been carried out, or refused because another program was first."""
    make = calls.make_volume

    def interrupted(*given: Any, **more: Any) -> Any:
        if is_there:
            subprocess.run(
                ["virsh", "-c", pool.host.uri, "-q", "vol-create-as", pool.name, NAME, "4096"], check=True
            )
            place(pool).write_bytes(THEIRS)
        else:
            make(*given, **more)
        raise KeyboardInterrupt

    monkeypatch.setattr("libstorage.provision.create.make_volume", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pool.volumes.import_image(NOISE, name=NAME)
    assert place(pool).exists() == is_there
    assert not is_there or place(pool).read_bytes() == THEIRS


def test_on_another_machine_the_document_decides(own_daemon: PrivateDaemon, folder: Path) -> None:
    """Nothing on this machine tells whose the file is: it is deleted only as long as nothing was sent."""
    with connect(own_daemon.uri) as host:
        connection_of(host).local = False
        pool = host.pools.define(PoolSpec.dir("shared", str(folder / "far"))).build().start()

        def fail(at: TransferProgress) -> None:
            if at.done >= 2 * MiB or not stays:
                wait_until(lambda: not stays or place(pool).stat().st_size > 0)
                raise Stopped

        def replace_by_nothing(at: TransferProgress) -> None:
            """The document differs in its times only, which a file system counts in ticks of some milliseconds."""
            sleep(0.05)
            other = place(pool).with_name("other")
            other.touch()
            other.rename(place(pool))
            raise Stopped

        with pytest.raises(Stopped):
            pool.volumes.import_image(NOISE, name=NAME, progress=replace_by_nothing)
        assert place(pool).exists()
        pool.refresh().volumes[NAME].delete()
        for stays in (False, True):
            with pytest.raises(Stopped) as stopped:
                pool.volumes.import_image(NOISE, name=NAME, progress=fail)
            assert place(pool).exists() == stays
            said = "was not deleted" if stays else "was deleted again"
            assert said in str(stopped.value.__notes__)
