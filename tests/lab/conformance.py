"""All that libstorage can do with a pool and its volumes, done once, and what came of it."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from libstorage import Host, Pool, PoolSources, StorageError, Volume, VolumeFormat, VolumeSpec, connect
from libstorage.provision.clone import CloneMode
from tests.lab.case import Case, Place
from tests.lab.seen import NOT_TRIED, WORKS, Cell, Seen

OPERATIONS: Final = {
    "capabilities": "pool_capabilities()",
    "find sources": "find_sources()",
    "define": "pools.define()",
    "build": "build()",
    "build, keep": "build(overwrite=False)",
    "build, overwrite": "build(overwrite=True)",
    "start": "start()",
    "create": "volumes.create()",
    "list": "volumes.specs()",
    "info": "volume.info()",
    "download": "volume.download()",
    "upload": "volume.upload()",
    "clone, copy": "volume.clone()",
    "clone, reflink": "volume.clone(mode='reflink')",
    "clone, linked": "volume.clone(mode='linked')",
    "resize": "volume.resize()",
    "wipe": "volume.wipe()",
    "delete": "volume.delete()",
    "refresh": "refresh()",
    "stop": "stop()",
    "autostart": "set_autostart(), and the daemon starts again",
    "delete pool": "pool.delete()",
    "undefine": "undefine()",
}
"""The operations in the order in which they are tried, and what a program calls."""

VOLUME_SIZE: Final = 4 << 20
_CONTENT: Final = random.Random(5).randbytes((3 << 20) + 512)
_NO_VOLUME: Final = "No volume is available to try the operation on."


def conformance(case: Case) -> Seen:
    """Try everything in a case.

    Raises:
        AssertionError: Something said that it worked, but did not.
        Exception: Something failed with an error that is not libstorage's.
    """
    with (
        case.start() as place,
        connect(place.uri) as host,
        tempfile.TemporaryDirectory(prefix="lab-", dir="/tmp") as folder,
    ):
        run = _Run(case, place, host, Path(folder))
        run.host_operations()
        run.pool_operations()
        run.mistakes()
        number = host.versions.daemon
        libvirt = f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"
    operations = {name: run.cells[name] for name in OPERATIONS}
    mistakes = {name: run.cells[_mistake(name)] for name in place.mistakes}
    versions = {"libvirt": libvirt, **place.versions}
    return Seen(case.title, case.type, case.where, versions, place.remark, operations, mistakes)


def _mistake(name: str) -> str:
    return f"mistake: {name}"


class _Run:
    def __init__(self, case: Case, place: Place, host: Host, folder: Path) -> None:
        self.case = case
        self.place = place
        self.host = host
        self.folder = folder
        self.cells: dict[str, Cell] = {name: Cell(NOT_TRIED, hint=_NO_VOLUME) for name in OPERATIONS}

    # ---- host and pool ----------------------------------------------------------------------------------------------

    def host_operations(self) -> None:
        with self.trying("capabilities") as check:
            told = self.host.pool_capabilities().get(self.case.type)
            check(told is not None)
        found = PoolSources()
        with self.trying("find sources") as check:
            found = self.host.find_sources(self.case.type, **(self.place.sources or {}))
            check(bool(found.found))
            check(bool(found.found[0].as_source(self.case.type)))

    def pool_operations(self) -> None:
        with self.trying("define") as check:
            pool = self.host.pools.define(self.place.spec)
            check(not pool.spec(inactive=True).differences(self.place.spec))
            check(not pool.is_active())
        if self.cells["define"].result != WORKS:
            self.give_up("The pool could not be defined.")
            return
        pool = self.host.pools[self.place.spec.name]
        self.build(pool)
        with self.trying("start") as check:
            pool.start()
            check(pool.is_active())
        if self.cells["start"].result == WORKS:
            self.running_operations(pool)
        else:
            self.give_up("The pool could not be started.")
        with self.trying("delete pool") as check:
            pool.delete()
            check(not pool.is_active())
        with self.trying("undefine") as check:
            pool.undefine()
            check(not self.host.pools.exists(pool.name))

    def build(self, pool: Pool) -> None:
        for name, overwrite in {"build": None, "build, keep": False, "build, overwrite": True}.items():
            with self.trying(name) as check:
                pool.build(overwrite=overwrite)
                check(not pool.is_active())

    def running_operations(self, pool: Pool) -> None:
        volume = self.create(pool)
        with self.trying("list") as check:
            entries = pool.volumes.specs()
            check(all(entry.spec is not None for entry in entries))
            check(len(entries) == len(pool.volumes.names()) == pool.volumes.count())
            check(bool(entries) or volume is None)
        if volume is not None:
            self.volume_operations(volume)
        with self.trying("refresh") as check:
            names = pool.volumes.names()
            pool.refresh()
            check(pool.volumes.names() == names)
        with self.trying("stop") as check:
            pool.stop()
            check(not pool.is_active())
        with self.trying("autostart") as check:
            pool.set_autostart()
            self.place.restart()
            check(pool.autostart())
            check(pool.is_active())
        with suppress(StorageError):
            pool.stop()

    def mistakes(self) -> None:
        for name, mistake in self.place.mistakes.items():
            with self.trying(_mistake(name)):
                mistake(self.host)
            assert self.cells[_mistake(name)].is_error, f"{self.case.name}: {name} is not a mistake: it works"
            for pool in self.host.pools.list():
                if pool.is_active():
                    pool.stop()
                if self.host.pools.exists(pool.name):
                    pool.undefine()

    # ---- volumes ----------------------------------------------------------------------------------------------------

    def create(self, pool: Pool) -> Volume | None:
        """A volume to try everything on."""
        make = self.place.volume
        with self.trying("create") as check:
            spec = (make or _any_volume)("volume", VOLUME_SIZE)
            volume = pool.volumes.create(spec)
            check(volume.name == spec.name)
            check(volume.name in pool.volumes.names())
            check(volume.info().capacity >= VOLUME_SIZE)
            return volume
        assert make is None or self.cells["create"].is_error
        listed = (entry.spec for entry in pool.volumes.specs() if entry.spec is not None)
        return next((pool.volumes[spec.name] for spec in listed if self.place.may_write(spec)), None)

    def volume_operations(self, volume: Volume) -> None:
        with self.trying("info") as check:
            info, physical = volume.info(), volume.info(physical=True)
            check(info.capacity == physical.capacity == volume.spec().capacity)
            check(info.capacity > 0)
        with self.trying("download") as check:
            content = self.read(volume)
            check(len(content) >= volume.info().capacity if self.place.any_bytes else bool(content))
        with self.trying("upload") as check:
            sent = _CONTENT if self.place.any_bytes else self.read(volume)
            volume.upload(sent)
            check(self.read(volume)[: len(sent)] == sent)
        for mode in ("copy", "reflink", "linked"):
            self.clone(volume, mode)
        with self.trying("resize") as check:
            volume.resize(2 * VOLUME_SIZE)
            check(volume.info().capacity == 2 * VOLUME_SIZE)
            check(volume.pool.refresh().volumes[volume.name].info().capacity == 2 * VOLUME_SIZE)
        with self.trying("wipe") as check:
            volume.wipe()
            check(not self.can_read() or not any(self.read(volume)))
        with self.trying("delete") as check:
            volume.delete(with_snapshots=self.place.keeps_snapshots)
            check(volume.name not in volume.pool.volumes.names())
            check(volume.name not in volume.pool.refresh().volumes.names())

    def clone(self, volume: Volume, mode: CloneMode) -> None:
        made: Volume | None = None
        with self.trying(f"clone, {mode}") as check:
            name = self.place.volume(mode, VOLUME_SIZE).name if self.place.volume else mode
            made = volume.clone(name, mode=mode)
            check(made.name in volume.pool.volumes.names())
            check(made.info().capacity >= volume.info().capacity)
            if mode == "linked":
                store = made.spec().backing_store
                check(store is not None and store.path == volume.path())
            elif self.place.any_bytes and self.can_read():
                content = self.read(volume)
                check(self.read(made)[: len(content)] == content)
        if made is not None:
            with suppress(StorageError):
                made.delete()

    def can_read(self) -> bool:
        return self.cells["download"].result == WORKS

    def read(self, volume: Volume) -> bytes:
        path = self.folder / "content"
        volume.download(path, overwrite=True)
        return path.read_bytes()

    # ---- cells ------------------------------------------------------------------------------------------------------

    @contextmanager
    def trying(self, name: str) -> Iterator[Callable[[bool], None]]:
        """Fill a cell. The block does the operation, and says what must be true of its effect."""
        checked = 0

        def check(holds: bool) -> None:
            nonlocal checked
            checked += 1
            assert holds, f"{self.case.name}: {name} said that it worked, but check {checked} of it failed"

        try:
            yield check
        except StorageError as error:
            if checked:
                error.add_note(f"{self.case.name}: after {name} had said that it worked")
                raise
            self.cells[name] = Cell.of(error, self.place.words)
        else:
            self.cells[name] = Cell(WORKS)

    def give_up(self, why: str) -> None:
        for name, cell in self.cells.items():
            if cell.result == NOT_TRIED:
                self.cells[name] = Cell(NOT_TRIED, hint=why)


def _any_volume(name: str, size: int) -> VolumeSpec:
    return VolumeSpec.image(name, VolumeFormat.RAW, size)
