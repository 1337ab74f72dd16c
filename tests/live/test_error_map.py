"""Each way in which a dir pool can refuse a call, provoked on a real daemon: which of our errors it becomes."""

from __future__ import annotations

import errno
import os
import pickle
import re
import shutil
import subprocess
import traceback
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep
from typing import TypeAlias

import attrs
import pytest

from libstorage import PoolSpec, connect
from libstorage import operations as op
from libstorage.connection.address.uri import parse
from libstorage.connection.binding import Answer
from libstorage.connection.codes import Code, Domain
from libstorage.connection.connection import Connection
from libstorage.connection.failures.case import Case
from libstorage.connection.failures.judge import judge
from libstorage.connection.identity import HostId, Identity, NewPool, PoolId, SecretId, VolumeId
from libstorage.connection.lane import Lane
from libstorage.errors import (
    AccessDeniedError,
    DocumentError,
    ExistsError,
    HelperError,
    InvalidRequestError,
    LibvirtError,
    NoSpaceError,
    NotFoundError,
    PoolActiveError,
    PoolBusyError,
    PoolExistsError,
    PoolInactiveError,
    PoolNotFoundError,
    SecretNotFoundError,
    SourceConflictError,
    StateError,
    StorageError,
    StorageIOError,
    UnsupportedError,
    VolumeBusyError,
    VolumeExistsError,
    VolumeNotFoundError,
)
from tests.live.conftest import started_daemon
from tests.live.things import make_pool, make_volume, pool_xml, remove_pool, volume_xml

NOBODY = "11111111-1111-4111-8111-111111111111"


@attrs.frozen
class World:
    """A connection with a pool that has one volume."""

    connection: Connection
    pool: PoolId
    volume: VolumeId
    folder: Path

    def other_pool(self, name: str = "other", uuid: str = NOBODY) -> PoolId:
        return PoolId(self.connection.uri, name, uuid)

    def new(self, name: str = "new") -> VolumeId:
        return VolumeId(self.pool, name)

    def error(
        self, operation: op.Operation, target: Identity, body: Callable[[Lane], object]
    ) -> StorageError:
        with pytest.raises(StorageError) as caught:
            self.connection.call(operation, target, body, timeout=60)
        error = caught.value
        assert error.operation == operation.name
        assert error.target == str(target)
        assert error.uri == self.connection.uri
        assert str(error).startswith((f"{operation} on {target} failed: ", f"no {target} on storage:///"))
        assert error.__cause__ is error.__context__ is None
        return error

    # What is tried. Each returns the error.

    def define(self, target: PoolId, xml: str, flags: int = 0) -> StorageError:
        return self.error(
            op.POOL_DEFINE, target, lambda lane: lane.connection.storagePoolDefineXML(xml, flags)
        )

    def create_transient(self, target: PoolId, xml: str) -> StorageError:
        return self.error(
            op.POOL_CREATE_TRANSIENT, target, lambda lane: lane.connection.storagePoolCreateXML(xml)
        )

    def create(self, target: VolumeId, xml: str | None = None, flags: int = 0) -> StorageError:
        text = volume_xml(target.name) if xml is None else xml
        return self.error(
            op.VOLUME_CREATE, target, lambda lane: lane.pool(target.pool).createXML(text, flags)
        )

    def clone(self, target: VolumeId, xml: str | None = None, flags: int = 0) -> StorageError:
        text = volume_xml(target.name) if xml is None else xml
        return self.error(
            op.VOLUME_CLONE,
            target,
            lambda lane: lane.pool(target.pool).createXMLFrom(text, lane.volume(self.volume), flags),
        )

    def on_pool(self, operation: op.Operation, target: PoolId | None = None) -> StorageError:
        target = target or self.pool
        acts: dict[op.Operation, Callable[[Lane], object]] = {
            op.POOL_INFO: lambda lane: lane.pool(target).info(),
            op.POOL_START: lambda lane: lane.pool(target).create(),
            op.POOL_STOP: lambda lane: lane.pool(target).destroy(),
            op.POOL_BUILD: lambda lane: lane.pool(target).build(),
            op.POOL_REFRESH: lambda lane: lane.pool(target).refresh(),
            op.POOL_UNDEFINE: lambda lane: lane.pool(target).undefine(),
            op.POOL_DELETE: lambda lane: lane.pool(target).delete(),
            op.POOL_SET_AUTOSTART: lambda lane: lane.pool(target).setAutostart(1),
            op.VOLUMES_LIST: lambda lane: lane.pool(target).listAllVolumes(),
        }
        return self.error(operation, target, acts[operation])

    def on_volume(self, operation: op.Operation, target: VolumeId | None = None) -> StorageError:
        target = target or self.volume
        acts: dict[op.Operation, Callable[[Lane], object]] = {
            op.VOLUME_LOOKUP_BY_NAME: lambda lane: lane.volume(target),
            op.VOLUME_INFO: lambda lane: lane.volume(target).info(),
            op.VOLUME_XML: lambda lane: lane.volume(target).XMLDesc(),
            op.VOLUME_DELETE: lambda lane: lane.volume(target).delete(),
            op.VOLUME_RESIZE: lambda lane: lane.volume(target).resize(1 << 22),
            op.VOLUME_WIPE: lambda lane: lane.volume(target).wipe(),
            op.VOLUME_DOWNLOAD: lambda lane: lane.volume(target).download(lane.connection.newStream(), 0, 0),
            op.VOLUME_UPLOAD: lambda lane: lane.volume(target).upload(lane.connection.newStream(), 0, 0),
        }
        return self.error(operation, target, acts[operation])

    def find_sources(self, kind: str, query: str | None = None) -> StorageError:
        return self.error(
            op.POOL_FIND_SOURCES,
            HostId(self.connection.uri),
            lambda lane: lane.connection.findStoragePoolSources(kind, query),
        )

    def stop(self) -> None:
        self.connection.call(op.POOL_STOP, self.pool, lambda lane: lane.pool(self.pool).destroy(), timeout=60)

    def clone_slowly(self) -> None:
        xml, target = volume_xml("new", kind="qcow2"), self.new()
        self.connection.call(
            op.VOLUME_CLONE,
            target,
            lambda lane: lane.pool(self.pool).createXMLFrom(xml, lane.volume(self.volume)),
            timeout=60,
        )

    def names(self) -> list[str]:
        return self.connection.call(
            op.VOLUMES_LIST, self.pool, lambda lane: lane.pool(self.pool).listVolumes(), timeout=60
        )

    def lose_file(self) -> None:
        (self.folder / self.volume.name).unlink()


@pytest.fixture
def world(connection: Connection, tmp_path: Path) -> Iterator[World]:
    pool = make_pool(connection, tmp_path / "pool")
    yield World(connection, pool, make_volume(connection, pool, "disk"), tmp_path / "pool")
    remove_pool(connection, pool)


Provoke: TypeAlias = Callable[[World], StorageError]


def after(prepare: Callable[[World], None], provoke: Provoke) -> Provoke:
    def both(world: World) -> StorageError:
        prepare(world)
        return provoke(world)

    return both


def touch(name: str) -> Callable[[World], None]:
    return lambda world: (world.folder / name).touch()


def dangle(name: str) -> Callable[[World], None]:
    return lambda world: (world.folder / name).symlink_to("/nowhere")


def empty_query(world: World) -> StorageError:
    return world.find_sources("netfs", "<source><host name='127.0.0.1'/></source>")


CASES: dict[str, tuple[type[StorageError], Provoke]] = {
    # pools
    "define, name taken": (
        PoolExistsError,
        lambda w: w.define(w.other_pool(w.pool.name), pool_xml(w.pool.name, w.folder / "x", NOBODY)),
    ),
    "define, uuid taken": (
        PoolExistsError,
        lambda w: w.define(w.other_pool(uuid=w.pool.uuid), pool_xml("other", w.folder / "x", w.pool.uuid)),
    ),
    "define, path taken": (
        SourceConflictError,
        lambda w: w.define(w.other_pool(), pool_xml("other", w.folder, NOBODY)),
    ),
    "define, unknown type": (
        DocumentError,
        lambda w: w.define(w.other_pool(), pool_xml("other", w.folder, NOBODY, kind="quux")),
    ),
    "define, type without driver": (
        UnsupportedError,
        lambda w: w.define(
            w.other_pool(), pool_xml("other", w.folder, NOBODY, "sheepdog", "<host name='h'/><name>n</name>")
        ),
    ),
    "define, not XML": (DocumentError, lambda w: w.define(w.other_pool(), "<pool")),
    "define, slash in the name": (
        DocumentError,
        lambda w: w.define(w.other_pool("a/b"), pool_xml("a/b", w.folder / "x", NOBODY)),
    ),
    "define, validated": (
        DocumentError,
        lambda w: w.define(w.other_pool(), "<pool type='dir'><name>other</name><quux/></pool>", flags=1),
    ),
    "define, unknown flag": (
        InvalidRequestError,
        lambda w: w.define(w.other_pool(), pool_xml("other", w.folder / "x", NOBODY), flags=1 << 10),
    ),
    "define, larger than a message": (
        InvalidRequestError,
        lambda w: w.define(w.other_pool(), pool_xml("other", w.folder / "x", NOBODY) + " " * (1 << 23)),
    ),
    "transient, name taken": (
        PoolExistsError,
        lambda w: w.create_transient(w.other_pool(w.pool.name), pool_xml(w.pool.name, w.folder, NOBODY)),
    ),
    "transient, path taken": (
        SourceConflictError,
        lambda w: w.create_transient(w.other_pool(), pool_xml("other", w.folder, NOBODY)),
    ),
    "transient, running": (
        PoolActiveError,
        lambda w: w.create_transient(w.pool, pool_xml(w.pool.name, w.folder, w.pool.uuid)),
    ),
    "transient, no directory": (
        StorageIOError,
        lambda w: w.create_transient(w.other_pool(), pool_xml("other", w.folder / "none", NOBODY)),
    ),
    "look-up, no pool": (PoolNotFoundError, lambda w: w.on_pool(op.POOL_INFO, w.other_pool())),
    "look-up, not a uuid": (InvalidRequestError, lambda w: w.on_pool(op.POOL_INFO, w.other_pool(uuid="x"))),
    "start, running": (PoolActiveError, lambda w: w.on_pool(op.POOL_START)),
    "build, running": (PoolActiveError, lambda w: w.on_pool(op.POOL_BUILD)),
    "undefine, running": (PoolActiveError, lambda w: w.on_pool(op.POOL_UNDEFINE)),
    "delete, running": (PoolActiveError, lambda w: w.on_pool(op.POOL_DELETE)),
    "stop, stopped": (PoolInactiveError, after(World.stop, lambda w: w.on_pool(op.POOL_STOP))),
    "refresh, stopped": (PoolInactiveError, after(World.stop, lambda w: w.on_pool(op.POOL_REFRESH))),
    "list volumes, stopped": (PoolInactiveError, after(World.stop, lambda w: w.on_pool(op.VOLUMES_LIST))),
    "look-up of a volume, stopped": (
        PoolInactiveError,
        after(World.stop, lambda w: w.on_volume(op.VOLUME_LOOKUP_BY_NAME)),
    ),
    "delete, not empty": (StorageIOError, after(World.stop, lambda w: w.on_pool(op.POOL_DELETE))),
    "find sources, type has none": (UnsupportedError, lambda w: w.find_sources("dir")),
    "find sources, no such type": (UnsupportedError, lambda w: w.find_sources("quux")),
    "find sources, without a host": (InvalidRequestError, lambda w: w.find_sources("netfs")),
    "find sources, not XML": (DocumentError, lambda w: w.find_sources("netfs", "<source")),
    "find sources, nothing there": (NotFoundError, empty_query),
    # volumes
    "create, there": (VolumeExistsError, lambda w: w.create(w.volume)),
    "create, file there": (VolumeExistsError, after(touch("new"), lambda w: w.create(w.new()))),
    "create, dangling link there": (VolumeExistsError, after(dangle("new"), lambda w: w.create(w.new()))),
    "create, slash in the name": (InvalidRequestError, lambda w: w.create(w.new("a/b"))),
    "create, long name": (InvalidRequestError, lambda w: w.create(w.new("x" * 300))),
    "create, unknown format": (
        UnsupportedError,
        lambda w: w.create(w.new(), volume_xml("new", kind="quux")),
    ),
    "create, too large for qcow2": (
        HelperError,
        lambda w: w.create(w.new(), volume_xml("new", 1 << 62, kind="qcow2")),
    ),
    "create, raw with preallocation": (UnsupportedError, lambda w: w.create(w.new(), flags=1)),
    "create, raw with backing": (
        UnsupportedError,
        lambda w: w.create(w.new(), volume_xml("new", more="<backingStore><path>/x</path></backingStore>")),
    ),
    "create, no backing file": (
        StorageIOError,
        lambda w: w.create(
            w.new(), volume_xml("new", kind="qcow2", more="<backingStore><path>/x</path></backingStore>")
        ),
    ),
    "create, unknown unit": (
        InvalidRequestError,
        lambda w: w.create(w.new(), volume_xml("new").replace("<capacity", "<capacity unit='quux'")),
    ),
    "create, unknown flag": (InvalidRequestError, lambda w: w.create(w.new(), flags=1 << 12)),
    "create, stopped": (PoolInactiveError, after(World.stop, lambda w: w.create(w.new()))),
    "clone, there": (VolumeExistsError, lambda w: w.clone(w.volume)),
    "clone, file there": (StateError, after(touch("new"), lambda w: w.clone(w.new()))),
    "clone, source lost": (VolumeNotFoundError, after(World.lose_file, lambda w: w.clone(w.new()))),
    "look-up, no volume": (VolumeNotFoundError, lambda w: w.on_volume(op.VOLUME_LOOKUP_BY_NAME, w.new())),
    "info, file lost": (VolumeNotFoundError, after(World.lose_file, lambda w: w.on_volume(op.VOLUME_INFO))),
    "xml, file lost": (VolumeNotFoundError, after(World.lose_file, lambda w: w.on_volume(op.VOLUME_XML))),
    "wipe, file lost": (VolumeNotFoundError, after(World.lose_file, lambda w: w.on_volume(op.VOLUME_WIPE))),
    "resize, file lost": (
        VolumeNotFoundError,
        after(World.lose_file, lambda w: w.on_volume(op.VOLUME_RESIZE)),
    ),
    "download, file lost": (
        VolumeNotFoundError,
        after(World.lose_file, lambda w: w.on_volume(op.VOLUME_DOWNLOAD)),
    ),
    "upload, file lost": (
        VolumeNotFoundError,
        after(World.lose_file, lambda w: w.on_volume(op.VOLUME_UPLOAD)),
    ),
    "resize, smaller": (
        InvalidRequestError,
        lambda w: w.error(op.VOLUME_RESIZE, w.volume, lambda lane: lane.volume(w.volume).resize(512)),
    ),
    "resize, larger than the pool": (
        NoSpaceError,
        lambda w: w.error(op.VOLUME_RESIZE, w.volume, lambda lane: lane.volume(w.volume).resize(1 << 46, 1)),
    ),
    "wipe, trim": (
        UnsupportedError,
        lambda w: w.error(op.VOLUME_WIPE, w.volume, lambda lane: lane.volume(w.volume).wipePattern(9)),
    ),
    "wipe, no such algorithm": (
        InvalidRequestError,
        lambda w: w.error(op.VOLUME_WIPE, w.volume, lambda lane: lane.volume(w.volume).wipePattern(99)),
    ),
    "by key": (
        VolumeNotFoundError,
        lambda w: w.error(
            op.VOLUME_LOOKUP_BY_KEY,
            HostId(w.connection.uri),
            lambda lane: lane.connection.storageVolLookupByKey("none"),
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_refusal(world: World, case: str) -> None:
    kind, provoke = CASES[case]
    error = provoke(world)
    assert type(error) is kind, f"{error!r}"
    assert error.code is not None
    assert error.retry == "no"
    begun = issubclass(kind, StorageIOError | HelperError) and not case.startswith("find")
    begun = begun or case == "define, larger than a message"  # a code that an answer can have, too
    assert error.outcome == ("unknown" if begun else "not_started")


def test_not_found_and_busy_say_what_to_do(world: World) -> None:
    error = world.on_volume(op.VOLUME_LOOKUP_BY_NAME, world.new())
    assert "pool.refresh()" in str(error)
    assert "pool.start()" in str(after(World.stop, lambda w: w.on_pool(op.POOL_REFRESH))(world))


def test_a_system_error_has_its_number(world: World) -> None:
    world.stop()
    error = world.on_pool(op.POOL_DELETE)
    assert isinstance(error, OSError)
    assert error.errno == errno.ENOTEMPTY


def test_a_failed_refresh_stops_the_pool(world: World) -> None:
    world.folder.rename(world.folder.with_name("gone"))
    error = world.on_pool(op.POOL_REFRESH)
    assert isinstance(error, StorageIOError)
    assert error.errno == errno.ENOENT
    assert "not running" in str(error)
    world.folder.with_name("gone").rename(world.folder)


def test_autostart_of_a_transient_pool(world: World, tmp_path: Path) -> None:
    target = world.other_pool("transient")
    xml = pool_xml("transient", tmp_path, NOBODY)
    world.connection.call(
        op.POOL_CREATE_TRANSIENT, target, lambda lane: lane.connection.storagePoolCreateXML(xml), timeout=60
    )
    error = world.on_pool(op.POOL_SET_AUTOSTART, target)
    assert type(error) is StateError
    assert "define the pool first" in str(error)
    world.connection.call(op.POOL_STOP, target, lambda lane: lane.pool(target).destroy(), timeout=60)


def test_more_volumes_than_libvirt_lists(world: World) -> None:
    for number in range(16_385):
        (world.folder / str(number)).touch()
    world.connection.call(
        op.POOL_REFRESH, world.pool, lambda lane: lane.pool(world.pool).refresh(), timeout=60
    )
    error = world.on_pool(op.VOLUMES_LIST)
    assert type(error) is UnsupportedError
    assert "16,384" in str(error)
    assert world.connection.lane_count() == 1
    assert world.connection.is_alive()


class TestHelpers:
    def test_what_it_said_is_passed_on_but_not_its_arguments(self, world: World) -> None:
        error = world.create(world.new("a (1): b"), volume_xml("a (1): b", 1 << 62, kind="qcow2"))
        assert isinstance(error, HelperError)
        assert error.program == "qemu-img"
        assert error.exit_status == 1
        assert error.stderr is not None
        assert "too large" in error.stderr
        assert "-o compat=" not in f"{error} {error!r} {error.__dict__ | {'detail': None}}"
        assert re.search(r"-o compat=(0\.10|1\.1) ", str(error.detail))  # the default of libvirt 9.0, of 11.3

    def test_a_missing_one_is_to_be_installed(self, tmp_path: Path) -> None:
        # A script whose interpreter is missing: for the system, and so for libvirt, it is the script that is not there.
        error = self.error_with(tmp_path, "#!/nowhere\n")
        assert type(error) is UnsupportedError
        assert (error.program, error.exit_status, error.outcome) == ("qemu-img", 127, "not_started")
        assert str(error).endswith("Install qemu-img on the host (Debian's package qemu-utils).")

    def test_one_that_speaks_another_language_is_no_reason_to_guess(self, tmp_path: Path) -> None:
        error = self.error_with(
            tmp_path, "#!/bin/sh\necho 'Auf dem Gerät ist kein Platz' $LANG >&2\nexit 3\n"
        )
        assert type(error) is HelperError
        assert (error.exit_status, error.hint) == (3, None)
        assert "de_DE.UTF-8" in str(error.stderr)  # libvirt gives them the daemon's own language

    def test_a_long_story_is_told_in_part(self, tmp_path: Path) -> None:
        error = self.error_with(tmp_path, "#!/bin/sh\nseq 1000 >&2\nexit 3\n")
        assert len(str(error).splitlines()) < 6
        assert "in .stderr" in str(error)
        assert len(str(error.stderr).splitlines()) > 20

    def error_with(self, tmp_path: Path, qemu_img: str) -> StorageError:
        program = tmp_path / "bin" / "qemu-img"
        program.parent.mkdir()
        program.write_text(qemu_img, "utf-8")
        program.chmod(0o755)
        environment = {"LANG": "de_DE.UTF-8"}
        with (
            started_daemon(path=[program.parent], environment=environment) as daemon,
            Connection(daemon.uri) as connection,
        ):
            pool = make_pool(connection, tmp_path / "pool")
            world = World(connection, pool, VolumeId(pool, "none"), tmp_path / "pool")
            return world.create(world.new(), volume_xml("new", kind="qcow2"))


def test_a_document_is_quoted_nowhere(world: World) -> None:
    error = world.define(world.other_pool(), "<pool type='dir'>\n<secret password='hunter2'</pool>")
    text = "".join(traceback.format_exception(error)) + repr(error) + repr(error.args)
    assert isinstance(error, DocumentError)
    assert "hunter2" not in text
    assert "hunter2" not in repr(error.problems)
    assert "\n" not in error.problems[0].reason
    assert "hunter2" in str(error.detail)
    assert pickle.loads(pickle.dumps(error)).detail is None
    assert error.problems


@pytest.mark.parametrize("kind", ["dir", "sheepdog"])
def test_a_transient_pool_of_a_type_without_driver(uri: str, tmp_path: Path, kind: str) -> None:
    """libvirt gives the same code for other reasons, which are not to be mistaken for that one."""
    error = Answer(Code.INTERNAL_ERROR, Domain.STORAGE, 2, None, "said", "said")
    with Connection(uri) as connection:
        target = NewPool(connection.uri, "new", NOBODY, kind)
        with connection.lane(op.POOL_CREATE_TRANSIENT, target, timeout=60) as lane:
            found = judge(Case(error, op.POOL_CREATE_TRANSIENT, target, lane))
            failed = attrs.evolve(error, code=Code.OPERATION_FAILED)
            taken = judge(Case(failed, op.POOL_CREATE_TRANSIENT, target, lane))
            others = [
                judge(Case(error, operation, target, lane)).error
                for operation in (op.POOL_START, op.POOL_BUILD)
            ]
    assert found.error is (LibvirtError if kind == "dir" else UnsupportedError)
    assert ("host.pool_capabilities()" in str(found.hint)) is (kind == "sheepdog")
    assert others == [LibvirtError, LibvirtError]
    assert (taken.error, taken.pool) == (SourceConflictError, None)
    with connect(uri) as host, pytest.raises(StorageError) as refused:
        host.pools.create_transient(
            PoolSpec.dir("new", str(tmp_path / "none"))
            if kind == "dir"
            else PoolSpec.sheepdog("new", host="h", source_name="n")
        )
    assert type(refused.value) is (StorageIOError if kind == "dir" else UnsupportedError)


def test_a_read_only_host(world: World) -> None:
    with Connection(world.connection.uri, readonly=True) as connection:
        reader = attrs.evolve(world, connection=connection)
        refused = [
            reader.define(reader.other_pool(), pool_xml("other", world.folder / "x", NOBODY)),
            reader.create(reader.new()),
            reader.on_pool(op.POOL_STOP),
            reader.on_volume(op.VOLUME_DELETE),
            reader.on_volume(op.VOLUME_DOWNLOAD),
        ]
        assert {type(error) for error in refused} == {AccessDeniedError}
        assert all("readonly" in str(error) for error in refused)
        assert connection.call(
            op.POOL_INFO, world.pool, lambda lane: lane.pool(world.pool).info(), timeout=60
        )


class TestBusy:
    """While a clone runs, which a slow qemu-img makes possible to see."""

    @pytest.fixture
    def busy(self, tmp_path: Path) -> Iterator[World]:
        release = tmp_path / "release"
        slow = tmp_path / "bin" / "qemu-img"
        slow.parent.mkdir()
        wait = f"while [ $1 = convert ] && ! [ -e {release} ]; do sleep 0.01; done"
        slow.write_text(f'#!/bin/sh\n{wait}\nexec {shutil.which("qemu-img")} "$@"\n')
        slow.chmod(0o755)
        with (
            started_daemon(path=[slow.parent]) as daemon,
            Connection(daemon.uri) as connection,
            ThreadPoolExecutor(1) as threads,
        ):
            pool = make_pool(connection, tmp_path / "pool")
            world = World(connection, pool, make_volume(connection, pool, "disk"), tmp_path / "pool")
            clone = threads.submit(world.clone_slowly)
            while "new" not in world.names() and not clone.done():
                sleep(0.01)
            yield world
            release.touch()
            clone.result(10)

    @pytest.mark.parametrize("operation", [op.POOL_REFRESH, op.POOL_STOP])
    def test_pool(self, busy: World, operation: op.Operation) -> None:
        error = busy.on_pool(operation)
        assert type(error) is PoolBusyError
        assert (error.outcome, error.retry) == ("not_started", "backoff")

    @pytest.mark.parametrize("name", ["disk", "new"])
    @pytest.mark.parametrize("operation", [op.VOLUME_DELETE, op.VOLUME_RESIZE, op.VOLUME_WIPE])
    def test_volume(self, busy: World, operation: op.Operation, name: str) -> None:
        error = busy.on_volume(operation, busy.new(name))
        assert type(error) is VolumeBusyError
        assert (error.outcome, error.retry) == ("not_started", "backoff")


class TestNoSpace:
    """In a pool of one megabyte, all three ways in which libvirt says so."""

    @pytest.fixture
    def small(self, tmp_path: Path) -> Iterator[World]:
        if os.geteuid() != 0:
            pytest.skip("not run: needs root, who can mount a small file system")
        folder = tmp_path / "small"
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "small", str(folder)], check=True)
        try:
            with started_daemon() as daemon, Connection(daemon.uri) as connection:
                pool = make_pool(connection, folder)
                yield World(connection, pool, make_volume(connection, pool, "disk", 1024), folder)
        finally:
            subprocess.run(["umount", str(folder)], check=True)

    def test_the_system_says_so(self, small: World) -> None:
        error = small.create(small.new(), volume_xml("new", 1 << 30, allocation=1 << 30))
        assert type(error) is NoSpaceError
        assert (error.code, error.errno) == (38, errno.ENOSPC)

    def test_a_helper_says_so(self, small: World) -> None:
        error = small.create(small.new(), volume_xml("new", 20 << 30, kind="qcow2"), flags=1)
        assert type(error) is NoSpaceError
        assert (error.code, error.errno) == (1, errno.ENOSPC)
        assert (error.program, error.exit_status) == ("qemu-img", 1)
        assert "No space left" in str(error.stderr)

    def test_the_pool_says_so(self, small: World) -> None:
        error = small.error(
            op.VOLUME_RESIZE, small.volume, lambda lane: lane.volume(small.volume).resize(1 << 30, 1)
        )
        assert type(error) is NoSpaceError
        assert (error.code, error.errno) == (9, errno.ENOSPC)
        assert "Free some space" in str(error)


class TestSecrets:
    @pytest.fixture
    def secrets(self, uri: str) -> Iterator[Connection]:
        with Connection(parse(uri).secret_twin()) as connection:
            yield connection

    @staticmethod
    def xml(uuid: str, usage: str, private: str = "no") -> str:
        return (
            f"<secret ephemeral='yes' private='{private}'><uuid>{uuid}</uuid>"
            f"<usage type='volume'><volume>{usage}</volume></usage></secret>"
        )

    def error(
        self, secrets: Connection, operation: op.Operation, target: SecretId, body: Callable[[Lane], object]
    ) -> StorageError:
        with pytest.raises(StorageError) as caught:
            secrets.call(operation, target, body, timeout=60)
        return caught.value

    def test_refusals(self, secrets: Connection) -> None:
        target = SecretId(secrets.uri, str(uuid.uuid4()))
        none = SecretId(secrets.uri, NOBODY)
        xml = self.xml(target.uuid, "/a", private="yes")
        secrets.call(op.SECRET_DEFINE, target, lambda lane: lane.connection.secretDefineXML(xml), timeout=60)
        again = self.xml(NOBODY, "/a")
        error = self.error(
            secrets, op.SECRET_DEFINE, none, lambda lane: lane.connection.secretDefineXML(again)
        )
        assert type(error) is ExistsError
        error = self.error(secrets, op.SECRET_XML, none, lambda lane: lane.secret(none).XMLDesc())
        assert type(error) is SecretNotFoundError
        error = self.error(secrets, op.SECRET_VALUE, target, lambda lane: lane.secret(target).value())
        assert type(error) is AccessDeniedError
        assert "private" in str(error)
        secrets.call(op.SECRET_UNDEFINE, target, lambda lane: lane.secret(target).undefine(), timeout=60)

    def test_one_without_a_value(self, secrets: Connection) -> None:
        target = SecretId(secrets.uri, str(uuid.uuid4()))
        xml = self.xml(target.uuid, "/b")
        secrets.call(op.SECRET_DEFINE, target, lambda lane: lane.connection.secretDefineXML(xml), timeout=60)
        error = self.error(secrets, op.SECRET_VALUE, target, lambda lane: lane.secret(target).value())
        assert type(error) is StateError
        assert "set_value" in str(error)
        secrets.call(op.SECRET_UNDEFINE, target, lambda lane: lane.secret(target).undefine(), timeout=60)
        error = self.error(secrets, op.SECRET_VALUE, target, lambda lane: lane.secret(target).value())
        assert type(error) is SecretNotFoundError

    def test_a_connection_without_them(self, connection: Connection) -> None:
        target = HostId(connection.uri)
        with pytest.raises(UnsupportedError):
            connection.call(
                op.SECRETS_LIST, target, lambda lane: lane.connection.listAllSecrets(), timeout=60
            )
