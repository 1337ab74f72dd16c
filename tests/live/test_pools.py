"""Pools from definition to removal, as root and as an ordinary user, and every way to find them."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import attrs
import pytest

import libstorage.fsspec
from libstorage import (
    AccessDeniedError,
    DocumentError,
    Host,
    InvalidRequestError,
    IscsiSource,
    ListPoolsFlags,
    NetfsSource,
    Permissions,
    Pool,
    PoolActiveError,
    PoolBuildFlags,
    PoolBusyError,
    PoolCreateFlags,
    PoolExistsError,
    PoolInactiveError,
    PoolNotFoundError,
    PoolSpec,
    PoolState,
    PoolType,
    SourceConflictError,
    SourceHost,
    StateError,
    StorageError,
    StorageIOError,
    UnsupportedError,
    VolumeSpec,
    connect,
)
from libstorage.testing import PrivateDaemon
from tests.live.conftest import remove, started_daemon


@pytest.fixture(params=["root", "ordinary user"])
def anybodys_host(
    request: pytest.FixtureRequest, daemon: PrivateDaemon, user_daemon: PrivateDaemon
) -> Iterator[Host]:
    with connect((daemon if request.param == "root" else user_daemon).uri) as host:
        yield host


@pytest.fixture
def spec(folder: Path) -> PoolSpec:
    return PoolSpec.dir(f"pool-{uuid.uuid4().hex[:8]}", str(folder / "images"))


@pytest.fixture
def defined(host: Host, spec: PoolSpec) -> Iterator[Pool]:
    pool = host.pools.define(spec)
    yield pool
    remove(pool)


def path_of(pool: Pool, *, inactive: bool = False) -> Path:
    target = pool.spec(inactive).target
    assert target is not None
    assert target.path is not None
    return Path(target.path)


ENSURE_ROUNDS = os.environ.get("ENSURE_ROUNDS", "24")


class TestLifecycle:
    def test_a_pool_from_definition_to_removal(self, anybodys_host: Host, spec: PoolSpec) -> None:
        pools = anybodys_host.pools
        pool = pools.define(spec)
        path = path_of(pool)
        assert (pool.is_active(), pool.is_persistent(), pool.autostart()) == (False, True, False)
        assert pool.info().state is PoolState.INACTIVE
        assert not path.exists()

        assert pool.build().start() is pool
        assert path.is_dir()
        assert pool.is_active()
        assert pool.info().state is PoolState.RUNNING
        assert pool.info().available > 0
        assert pool.type() is PoolType.DIR

        (path / "found").write_bytes(b"x")
        assert pool.volumes.names() == ()
        assert pool.refresh().volumes.names() == ("found",)
        pool.volumes["found"].delete()

        assert pool.set_autostart().autostart()
        assert not pool.set_autostart(False).autostart()
        assert pool.stop().delete().undefine() == pool
        assert not path.exists()
        assert pool.name not in pools

    def test_a_transient_pool_is_gone_when_it_stops(self, anybodys_host: Host, spec: PoolSpec) -> None:
        pool = anybodys_host.pools.create_transient(spec, build=True)
        assert (pool.is_active(), pool.is_persistent()) == (True, False)
        with pytest.raises(StateError, match="transient"):
            pool.set_autostart()
        pool.stop()
        with pytest.raises(PoolNotFoundError):
            pool.info()

    def test_defining_a_transient_pool_makes_it_persistent(self, host: Host, spec: PoolSpec) -> None:
        transient = host.pools.create_transient(spec, build=True)
        pool = host.pools.define(transient.spec(inactive=True))
        assert pool == transient
        assert pool.is_persistent()
        assert pool.is_active()
        remove(pool)

    def test_redefining_with_the_uuid_changes_what_the_next_start_uses(
        self, host: Host, defined: Pool, folder: Path
    ) -> None:
        defined.build().start()
        elsewhere = defined.spec().with_target(path=str(folder / "elsewhere"))
        assert host.pools.define(elsewhere) == defined
        assert path_of(defined).name == "images"
        assert path_of(defined, inactive=True).name == "elsewhere"

    def test_the_directory_gets_the_permissions_asked_for(self, host: Host, folder: Path) -> None:
        spec = PoolSpec.dir("with-mode", str(folder / "mode"), permissions=Permissions(mode=0o750))
        pool = host.pools.define(spec).build()
        assert (folder / "mode").stat().st_mode & 0o777 == 0o750
        pool.undefine()

    def test_a_directory_that_exists_keeps_the_permissions_that_the_spec_does_not_name(
        self, host: Host, folder: Path
    ) -> None:
        path = folder / "existing"
        path.mkdir()
        path.chmod(0o755)
        pool = host.pools.define(PoolSpec.dir("existing", str(path))).build()
        assert path.stat().st_mode & 0o777 == 0o755
        pool.undefine()


class TestBuildFlags:
    def test_start_can_build_first(self, defined: Pool) -> None:
        assert defined.start(build=True).is_active()

    def test_flags_do_what_the_keyword_does(self, defined: Pool) -> None:
        assert defined.start(flags=PoolCreateFlags.WITH_BUILD).is_active()

    @pytest.mark.parametrize("overwrite", [True, False])
    def test_whether_to_overwrite_reaches_libvirt(self, defined: Pool, overwrite: bool) -> None:
        """A dir pool has nothing to overwrite: libvirt looks for a device then."""
        with pytest.raises(UnsupportedError, match="No source device") as error:
            defined.build(overwrite=overwrite)
        assert "without overwrite" in str(error.value)
        with pytest.raises(StateError, match="No source device") as started:
            defined.start(build=True, overwrite=overwrite)
        assert "overwrite needs a device" in str(started.value)

    @pytest.mark.parametrize("verb", ["build", "start", "create_transient"])
    def test_what_is_there_is_destroyed_only_if_that_is_asked_for(
        self, host: Host, folder: Path, verb: str
    ) -> None:
        """On a file with a file system, which libvirt takes for a device."""
        if os.geteuid() != 0:
            pytest.skip("not run: only root can mount a file system")
        disk, name = folder / "disk", f"fs-{uuid.uuid4().hex[:8]}"
        with disk.open("wb") as file:
            file.truncate(8 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-L", "precious", disk], check=True)
        spec, before = PoolSpec.fs(name, str(folder / "mounted"), str(disk), format="ext4"), disk.read_bytes()

        def act(*, overwrite: bool) -> object:
            if verb == "create_transient":
                return host.pools.create_transient(spec, build=True, overwrite=overwrite)
            pool = host.pools.define(spec) if name not in host.pools else host.pools[name]
            return pool.build(overwrite) if verb == "build" else pool.start(build=True, overwrite=overwrite)

        try:
            with pytest.raises(StorageError):
                act(overwrite=False)
            assert disk.read_bytes() == before
            with suppress(StorageError):  # not every machine can mount a file
                act(overwrite=True)
            assert b"precious" not in disk.read_bytes()
        finally:
            if name in host.pools:
                remove(host.pools[name])

    @pytest.mark.parametrize("flag", [PoolBuildFlags.REPAIR, PoolBuildFlags.RESIZE])
    def test_no_backend_takes_repair_and_resize(self, defined: Pool, flag: PoolBuildFlags) -> None:
        with pytest.raises(InvalidRequestError, match="unsupported flags"):
            defined.build(flags=flag)

    def test_how_to_build_without_building_is_refused_here(self, defined: Pool) -> None:
        with pytest.raises(InvalidRequestError, match="needs build=True") as refused:
            defined.start(overwrite=True)
        assert refused.value.outcome == "not_started"

    def test_flags_of_another_enum_are_refused_here(self, defined: Pool) -> None:
        with pytest.raises(InvalidRequestError, match="PoolBuildFlags"):
            defined.build(flags=ListPoolsFlags.DIR)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    def test_zeroing_is_refused_by_libvirt(self, defined: Pool) -> None:
        defined.build()
        with pytest.raises(InvalidRequestError, match="unsupported flags"):
            defined.delete(zeroed=True)


class TestWhatAFailedStepLeaves:
    """The error of a step in a chain says what state the pool is in."""

    def test_build(self, host: Host, folder: Path) -> None:
        (folder / "file").touch()
        spec = PoolSpec.dir("not-built", str(folder / "file" / "images"))
        with pytest.raises(StorageError) as failed:
            host.pools.define(spec).build().start()
        assert "Pool 'not-built' is defined and not started." in str(failed.value)
        host.pools["not-built"].undefine()

    def test_start(self, defined: Pool) -> None:
        with pytest.raises(StorageIOError, match="is defined and not started") as failed:
            defined.start()
        assert failed.value.operation == "pool.start"

    def test_a_refresh_that_fails_stops_the_pool(self, defined: Pool) -> None:
        path_of(defined.build().start()).rmdir()
        with pytest.raises(StorageError, match="is defined and not started") as failed:
            defined.refresh()
        assert not defined.is_active()
        assert failed.value.outcome == "unknown"
        assert str(failed.value).endswith(
            "libvirt stops a pool when a refresh fails: fix the cause, then call pool.start()."
        )
        assert defined.build().start().refresh().is_active()

    def test_a_refresh_that_fails_ends_a_transient_pool(self, host: Host, spec: PoolSpec) -> None:
        pool = host.pools.create_transient(spec, build=True)
        path_of(pool).rmdir()
        with pytest.raises(StorageError, match="vanishes then: create it again"):
            pool.refresh()
        assert pool.name not in host.pools
        with pytest.raises(PoolNotFoundError) as failed:
            pool.refresh()
        assert "refresh fails" not in str(failed.value)  # it had gone before

    def test_verbs_in_the_wrong_state(self, defined: Pool) -> None:
        for verb in (defined.stop, defined.refresh):
            with pytest.raises(PoolInactiveError, match="is defined and not started"):
                verb()
        defined.build().start()
        for verb in (defined.start, defined.build, defined.delete, defined.undefine):
            with pytest.raises(PoolActiveError, match="is defined and running"):
                verb()

    def test_a_failed_transient_start_leaves_nothing(self, host: Host, spec: PoolSpec) -> None:
        with pytest.raises(StorageError):
            host.pools.create_transient(spec)
        assert spec.name not in host.pools


class TestWhatCannotBeDefined:
    def test_the_name_of_another(self, host: Host, defined: Pool, folder: Path) -> None:
        with pytest.raises(PoolExistsError) as refused:
            host.pools.define(PoolSpec.dir(defined.name, str(folder / "other")))
        assert isinstance(refused.value, FileExistsError)

    @pytest.mark.parametrize("name", ["pool", "it's", "Storage source", 'a" b', "größe", "x"])
    def test_the_source_of_another(self, host: Host, folder: Path, name: str) -> None:
        paths = {named: str(folder / str(hash(named))) for named in (name, "a", "with", "conflict")}
        pools = [host.pools.define(PoolSpec.dir(named, path)) for named, path in paths.items()]
        for act in (host.pools.define, host.pools.create_transient):
            with pytest.raises(SourceConflictError) as refused:
                act(PoolSpec.dir("other-name", paths[name]))
            assert refused.value.pool == name
            assert pickle.loads(pickle.dumps(refused.value)).pool == name
        for pool in pools:
            pool.undefine()

    def test_xml_instead_of_a_spec(self, host: Host) -> None:
        with pytest.raises(InvalidRequestError, match="from_xml"):
            host.pools.define("<pool/>")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    @pytest.mark.parametrize("name", ["..", "tab\there", "n" * 248])
    def test_a_bad_name(self, host: Host, folder: Path, name: str) -> None:
        spec = PoolSpec.dir(name, str(folder))
        with pytest.raises(InvalidRequestError, match="strict_names"):
            host.pools.define(spec)
        with pytest.raises(InvalidRequestError, match="strict_names"):
            host.pools.create_transient(spec)

    def test_a_bad_name_on_which_somebody_insists(self, host: Host, folder: Path) -> None:
        pool = host.with_options(strict_names=False).pools.define(PoolSpec.dir("..", str(folder)))
        assert ".." in host.pools
        pool.undefine()

    def test_what_libvirts_schema_refuses(self, host: Host, folder: Path) -> None:
        """libvirt ignores elements that it does not know, unless it is asked to validate."""
        text = f"<pool type='dir'><name>x</name><target><path>{folder}</path></target><colour>blue</colour></pool>"
        with pytest.raises(DocumentError, match=r"/pool/colour \(line 1\): <colour> is not allowed") as ours:
            host.pools.define(PoolSpec.from_xml(text))
        assert (ours.value.code, ours.value.outcome) == (None, "not_started")
        with pytest.raises(DocumentError) as refused:
            host.pools.define(PoolSpec.from_xml(text), allow_unknown=True)
        assert refused.value.code == 92
        for again in (host.pools.define, host.pools.ensure):
            with pytest.raises(DocumentError) as dropped:  # libvirt would drop the part without a word
                again(PoolSpec.from_libvirt(text))
            assert dropped.value.code == 92
        pool = host.pools.define(PoolSpec.from_xml(text), allow_unknown=True, validate=False)
        pool.undefine()


class TestFinding:
    def test_every_look_up_finds_it(self, host: Host, pool: Pool) -> None:
        pools = host.pools
        path = path_of(pool)
        assert pools[pool.name] == pools.lookup(pool.name) == pools.get(pool.name) == pool
        assert pools.by_uuid(pool.uuid) == pools.by_uuid(uuid.UUID(pool.uuid)) == pool
        assert pools.by_target_path(path) == pools.by_target_path(str(path)) == pool
        assert pool.name in pools
        assert pools.exists(pool.name)
        assert pool.name in pools.names()
        assert pool in pools
        assert pool in list(pools)

    def test_what_is_not_there(self, host: Host) -> None:
        pools = host.pools
        assert "nosuch" not in pools
        assert not pools.exists("nosuch")
        assert pools.get("nosuch") is None
        with pytest.raises(PoolNotFoundError, match="nosuch"):
            pools["nosuch"]
        with pytest.raises(LookupError):
            pools.by_uuid(uuid.uuid4())
        with pytest.raises(PoolNotFoundError):
            pools.by_target_path("/nosuch")

    @pytest.mark.parametrize("wrong", ["", "no-uuid", "12345"])
    def test_what_is_no_uuid(self, host: Host, wrong: str) -> None:
        with pytest.raises(InvalidRequestError, match="not a uuid"):
            host.pools.by_uuid(wrong)

    @pytest.mark.parametrize("wrong", ["cut\0off", "half \ud800 pair", 7])
    def test_what_cannot_be_a_name(self, host: Host, wrong: str) -> None:
        with pytest.raises(InvalidRequestError):
            host.pools.lookup(wrong)

    def test_a_collection_has_neither_length_nor_truth(self, host: Host) -> None:
        with pytest.raises(TypeError, match="count"):
            bool(host.pools)
        with pytest.raises(TypeError):
            len(host.pools)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


SERVER, TARGET = "192.0.2.1", "iqn.2001-01.com.example:target"

OF_TYPE: dict[PoolType, Callable[[str], PoolSpec]] = {
    PoolType.DIR: lambda name: PoolSpec.dir(name, "/srv/of-type-dir"),
    PoolType.FS: lambda name: PoolSpec.fs(name, "/srv/of-type-fs", "/dev/nosuch1"),
    PoolType.NETFS: lambda name: PoolSpec.netfs(name, "/srv/of-type-netfs", host=SERVER, dir="/export"),
    PoolType.LOGICAL: lambda name: PoolSpec.logical(name, source_name="nosuch_vg"),
    PoolType.DISK: lambda name: PoolSpec.disk(name, "/dev/nosuch2"),
    PoolType.ISCSI: lambda name: PoolSpec.iscsi(name, host=SERVER, device=TARGET),
    PoolType.ISCSI_DIRECT: lambda name: PoolSpec.iscsi_direct(
        name, host=SERVER, device=TARGET, initiator="iqn.me"
    ),
    PoolType.SCSI: lambda name: PoolSpec.scsi(name, "host99"),
    PoolType.MPATH: PoolSpec.mpath,
    PoolType.RBD: lambda name: PoolSpec.rbd(name, hosts=SERVER, source_name="ceph-pool"),
    PoolType.SHEEPDOG: lambda name: PoolSpec.sheepdog(name, host=SERVER, source_name="pool"),
    PoolType.GLUSTER: lambda name: PoolSpec.gluster(name, host=SERVER, source_name="volume"),
    PoolType.ZFS: lambda name: PoolSpec.zfs(name, source_name="nosuch_zpool"),
    PoolType.VSTORAGE: lambda name: PoolSpec.vstorage(name, "/srv/of-type-vstorage", source_name="cluster"),
}
"""A pool of each type, which need not be startable."""


def check_filter_by_type(host: Host, kind: PoolType) -> None:
    pool = host.pools.define(OF_TYPE[kind](f"of-type-{kind}"))
    found = host.pools.list(ListPoolsFlags.for_type(kind))
    assert found == host.pools.list(types=[kind])
    assert pool in found
    assert {other.type() for other in found} == {kind}
    assert pool not in host.pools.list(types=[other for other in PoolType if other is not kind])
    pool.undefine()


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host with pools in every state."""
    base = tmp_path_factory.mktemp("mixed")
    with started_daemon() as daemon, connect(daemon.uri) as host:
        for name in ("stopped", "running", "auto"):
            host.pools.define(PoolSpec.dir(name, str(base / name))).build()
        host.pools["running"].start()
        host.pools["auto"].set_autostart()
        host.pools.create_transient(PoolSpec.dir("transient", str(base / "transient")), build=True)
        yield host


class TestFilters:
    """All 20 flags of virConnectListAllStoragePools, on a daemon with a pool for each side of each."""

    @pytest.mark.parametrize(
        ("flag", "keywords", "found"),
        [
            ("ACTIVE", {"active": True}, {"running", "transient"}),
            ("INACTIVE", {"active": False}, {"stopped", "auto"}),
            ("PERSISTENT", {"persistent": True}, {"stopped", "running", "auto"}),
            ("TRANSIENT", {"persistent": False}, {"transient"}),
            ("AUTOSTART", {"autostart": True}, {"auto"}),
            ("NO_AUTOSTART", {"autostart": False}, {"stopped", "running", "transient"}),
        ],
    )
    def test_by_state(self, mixed: Host, flag: str, keywords: dict[str, bool], found: set[str]) -> None:
        by_flag = mixed.pools.list(ListPoolsFlags[flag], types=[PoolType.DIR])
        by_keyword = mixed.pools.list(types=["dir"], **keywords)  # type: ignore[arg-type]
        assert {pool.name for pool in by_flag} == {pool.name for pool in by_keyword} == found

    def test_filters_of_different_kinds_narrow(self, mixed: Host) -> None:
        assert [pool.name for pool in mixed.pools.list(active=False, autostart=True)] == ["auto"]
        assert mixed.pools.list(active=False, persistent=False) == ()

    def test_names_and_counts_by_state(self, mixed: Host) -> None:
        pools = mixed.pools
        assert {*pools.names(active=True)} == {"running", "transient"}
        assert pools.count(active=True) == 2
        assert pools.count(active=False) == len(pools.names(active=False))
        assert pools.count() == len(pools.list())

    @pytest.mark.parametrize("kind", PoolType)
    def test_by_type(self, mixed: Host, kind: PoolType) -> None:
        if not mixed.pool_capabilities().supports(kind):
            with pytest.raises(UnsupportedError):
                mixed.pools.define(OF_TYPE[kind](f"of-type-{kind}"))
            assert mixed.pools.list(types=[kind]) == ()
            return
        check_filter_by_type(mixed, kind)

    @pytest.mark.parametrize("kind", PoolType)
    def test_by_type_on_libvirts_test_driver(self, tmp_path: Path, kind: PoolType) -> None:
        """It knows every type, also those that a daemon may have no driver for."""
        (tmp_path / "empty.xml").write_text("<node/>")
        with connect(f"test://{tmp_path}/empty.xml") as host:
            check_filter_by_type(host, kind)

    def test_a_type_that_is_none(self, mixed: Host) -> None:
        with pytest.raises(InvalidRequestError, match="multipath"):
            mixed.pools.list(types=["multipath"])


class TestEnsure:
    def test_makes_what_is_not_there_and_takes_what_is(self, host: Host, spec: PoolSpec) -> None:
        pool = host.pools.ensure(spec)
        assert pool.is_active()
        assert host.pools.ensure(spec) == pool
        pool.stop()
        assert host.pools.ensure(spec).is_active()
        remove(pool)

    def test_never_changes_what_differs(self, host: Host, defined: Pool, folder: Path) -> None:
        with pytest.raises(PoolExistsError, match=r"target\.path is") as refused:
            host.pools.ensure(PoolSpec.dir(defined.name, str(folder / "elsewhere")))
        (difference,) = refused.value.differences
        assert str(difference).startswith("target.path is")
        assert not defined.is_active()

    def test_what_is_defined_counts_and_not_what_runs(self, host: Host, spec: PoolSpec, folder: Path) -> None:
        pool = host.pools.ensure(spec)
        changed = attrs.evolve(spec.with_target(path=str(folder / "elsewhere")), uuid=pool.uuid)
        host.pools.define(changed)
        assert host.pools.ensure(changed) == pool
        with pytest.raises(PoolExistsError, match=r"target\.path is"):
            host.pools.ensure(spec)
        assert path_of(pool) == folder / "images"
        remove(pool)

    def test_defines_what_is_only_transient(self, host: Host, spec: PoolSpec) -> None:
        transient = host.pools.create_transient(spec, build=True)
        assert host.pools.ensure(spec) == transient
        assert transient.is_persistent()
        remove(transient)

    def test_builds_what_was_defined_and_never_built(self, host: Host, defined: Pool, spec: PoolSpec) -> None:
        assert host.pools.ensure(spec) == defined
        assert path_of(defined).is_dir()
        defined.stop()
        path_of(defined).rmdir()
        assert host.pools.ensure(spec).is_active()

    def test_takes_a_directory_as_it_is(self, host: Host, spec: PoolSpec) -> None:
        path = Path(str(spec.target.path if spec.target else ""))
        path.mkdir(mode=0o700)
        (path / "old.img").write_bytes(b"precious")
        pool = host.pools.ensure(spec)
        assert pool.volumes.names() == ("old.img",)
        assert (path / "old.img").read_bytes() == b"precious"
        (path / "old.img").unlink()
        remove(pool)

    def test_the_uuid_counts_if_it_is_given(self, host: Host, defined: Pool, spec: PoolSpec) -> None:
        with pytest.raises(PoolExistsError, match="uuid is"):
            host.pools.ensure(attrs.evolve(spec, uuid=uuid.uuid4()))
        defined.build()
        assert host.pools.ensure(attrs.evolve(spec, uuid=defined.uuid)).is_active()

    def test_another_pool_has_the_uuid(self, host: Host, defined: Pool, folder: Path) -> None:
        with pytest.raises(PoolExistsError):
            host.pools.ensure(PoolSpec.dir("another-name", str(folder / "x"), uuid=defined.uuid))

    def test_somebody_is_faster(
        self, host: Host, defined: Pool, spec: PoolSpec, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        defined.build()
        pools, look = type(host.pools), type(host.pools).get
        answers = iter([None])
        monkeypatch.setattr(pools, "get", lambda pools, name: next(answers, look(pools, name)))
        assert host.pools.ensure(spec) == defined
        monkeypatch.setattr(type(defined), "is_active", lambda pool: False)
        assert host.pools.ensure(spec) == defined

    def test_says_which_step_failed(self, host: Host, folder: Path) -> None:
        (folder / "file").touch()
        with pytest.raises(StorageError) as failed:
            host.pools.ensure(PoolSpec.dir("not-ensured", str(folder / "file" / "images")))
        assert failed.value.operation == "pool.build"
        assert failed.value.outcome == "not_started"
        assert "'not-ensured' was undefined again" in str(failed.value)
        assert host.pools.get("not-ensured") is None

    def test_undoes_what_it_made(self, host: Host, folder: Path) -> None:
        """A mount that fails leaves neither the definition nor a mount point, unless that was there before."""
        for there in (False, True):
            point = folder / f"point-{there}"
            if there:
                point.mkdir()
            spec = PoolSpec.fs("no-disk", str(point), device=str(folder / "no-device"))
            with pytest.raises(StorageError) as failed:
                host.pools.ensure(spec)
            assert (failed.value.operation, failed.value.outcome) == ("pool.start", "not_started")
            assert host.pools.get("no-disk") is None
            assert point.exists() == there

    def test_leaves_what_another_client_defined(self, host: Host, folder: Path) -> None:
        spec = PoolSpec.fs("no-disk", str(folder / "point"), device=str(folder / "no-device"))
        pool = host.pools.define(spec)
        with pytest.raises(StorageError) as failed:
            host.pools.ensure(spec)
        assert failed.value.outcome == "unknown"
        assert "is defined and not started" in str(failed.value)
        pool.undefine()

    @pytest.mark.parametrize("error", [PoolBusyError, PoolNotFoundError, PoolInactiveError])
    @pytest.mark.parametrize("step", ["build", "start", "is_active"])
    def test_begins_again_when_another_process_is_at_work(
        self,
        host: Host,
        spec: PoolSpec,
        step: str,
        error: type[StorageError],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        real, errors = getattr(Pool, step), iter([error("another process"), error("another process")])

        def between(pool: Pool) -> object:
            for one in errors:
                raise one
            return real(pool)

        monkeypatch.setattr(Pool, step, between)
        pool = host.pools.ensure(spec)
        assert pool.is_active()
        assert next(errors, None) is None
        remove(pool)

    def test_from_every_state_by_many_processes(self, host: Host, uri: str, folder: Path) -> None:
        """Everybody ends with the same running pool, whatever state another client left it in."""
        told = subprocess.run(
            [sys.executable, "-m", "tests.live.ensuring", uri, str(folder), ENSURE_ROUNDS, "8"],
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


class TestOfAHost:
    def test_capabilities(self, host: Host) -> None:
        capabilities = host.pool_capabilities()
        assert capabilities.supports(PoolType.DIR)
        assert not capabilities.supports(PoolType.SHEEPDOG)

    def test_iscsi_direct_discovery_is_refused_as_it_kills_the_daemon(self, host: Host) -> None:
        with pytest.raises(UnsupportedError, match="crashes") as refused:
            host.find_sources("iscsi-direct", hosts="127.0.0.1", initiator="iqn.2001-01.com.example:me")
        assert refused.value.outcome == "not_started"

    def test_iscsi_direct_discovery_of_one_who_insists(self, own_daemon: PrivateDaemon) -> None:
        """Nobody listens on that port, which is answered normally."""
        with connect(own_daemon.uri) as host:
            with pytest.raises(StorageError, match="connect"):
                host.find_sources(
                    PoolType.ISCSI_DIRECT,
                    hosts="127.0.0.1:1",
                    initiator="iqn.2001-01.com.example:me",
                    allow_crash=True,
                )
            assert host.is_alive()

    def test_discovery(self, tmp_path: Path) -> None:
        """libvirt's test driver finds two volume groups, wherever it is asked."""
        (tmp_path / "empty.xml").write_text("<node/>")
        with connect(f"test://{tmp_path}/empty.xml") as host:
            found = host.find_sources("logical").found
            assert {source.name for source in found} == {"testvg1", "testvg2"}
            (netfs,) = host.find_sources(PoolType.NETFS, hosts="nfs.example").found
            assert netfs.hosts[0].name == "nfs.example"

    def test_discovery_of_a_type_that_has_none(self, host: Host) -> None:
        with pytest.raises(UnsupportedError):
            host.find_sources(PoolType.DIR)

    def test_discovery_on_nobody(self, host: Host) -> None:
        with pytest.raises(InvalidRequestError, match="host"):
            host.find_sources(PoolType.NETFS)

    def test_volumes_are_found_without_their_pool(self, host: Host, pool: Pool) -> None:
        volume = pool.volumes.create(VolumeSpec.raw("found.img", 4096))
        assert host.volume_at(volume.path()) == host.volume_at(Path(volume.path())) == volume
        assert host.volume_by_key(volume.key()) == volume
        assert host.volume_at(volume.path()).pool == pool
        with pytest.raises(LookupError):
            host.volume_at("/nosuch")
        with pytest.raises(LookupError):
            host.volume_by_key("nosuch")

    @pytest.mark.skipif(os.geteuid() != 0, reason="not run: a session daemon has no read-only socket")
    def test_a_readonly_host_refuses_changes(self, uri: str, pool: Pool) -> None:
        with connect(uri, readonly=True) as host:
            assert host.readonly
            mine = host.pools[pool.name]
            assert mine.info() == pool.info()
            with pytest.raises(AccessDeniedError, match="readonly"):
                mine.refresh()


class TestBrokenFiles:
    """The first bytes of a qcow2 image keep libvirt from looking at a directory."""

    HEADER = b"QFI\xfb" + (3).to_bytes(4, "big") + bytes(96)

    @pytest.mark.parametrize("length", [32, 60, 72, 96])
    def test_the_file_is_named(self, host: Host, spec: PoolSpec, length: int) -> None:
        pool = host.pools.define(spec).build()
        file = path_of(pool) / "part.qcow2"
        (path_of(pool) / "good.img").write_bytes(bytes(100))
        for act in (pool.start, pool.refresh):
            file.write_bytes(self.HEADER[:length])
            with pytest.raises(StorageError, match=r"'part\.qcow2'") as failed:
                act()
            assert "good.img" not in str(failed.value)
            file.unlink()
            pool.start()
        (path_of(pool) / "good.img").unlink()
        remove(pool)

    @pytest.mark.parametrize("length", [8, 32, 60, 103])
    def test_an_upload_does_not_take_the_pool_away(self, host: Host, pool: Pool, length: int) -> None:
        other = pool.volumes.create(VolumeSpec.raw("other.img", 4096))
        data = self.HEADER[:length]
        for size in (length, 103):
            volume = pool.volumes.create(VolumeSpec.raw("a.img", size, allocation=0))
            with pytest.raises(InvalidRequestError, match="only the first bytes of a qcow2 image") as refused:
                volume.upload(data if size == length else iter([data[:5], data[5:]]))
            assert refused.value.outcome == "not_started"
            assert pool.refresh().is_active()
            volume.delete()
        system = libstorage.fsspec.LibvirtFileSystem(host=host)
        with pytest.raises(InvalidRequestError, match="only the first bytes of a qcow2 image"):
            system.pipe_file(f"{pool.name}/new.img", data)
        assert pool.refresh().volumes.names() == ("other.img",)
        whole = pool.volumes.create(VolumeSpec.raw("a.img", 4096)).upload(data)
        assert pool.refresh().is_active()
        whole.delete()
        other.delete()


class TestWhatLibvirtTakes:
    """libvirt's own schema refuses these, and libvirt takes them: they can be written, and reach the driver unchanged."""

    SPECS: tuple[PoolSpec, ...] = (
        PoolSpec.iscsi("taken", host="san.example.com", device="eui.02004567A425678D"),
        PoolSpec.iscsi("taken", host="san.example.com", device="naa.52004567BA64678D"),
        PoolSpec.iscsi("taken", host="san.example.com", device="naa.62004567BA64678D0123456789ABCDEF"),
        PoolSpec.netfs("taken", "/srv/six", host="[fd00::10]", dir="/export", format="nfs"),
        PoolSpec.netfs("taken", "/srv/six", host="[fe80::1]", dir="/export"),
        PoolSpec.zfs("taken", source_name="tank", devices=["/dev/sda", "/dev/sdb"]),
    )

    @pytest.mark.parametrize("spec", SPECS, ids=lambda spec: str(spec.source)[:60])
    def test_it_is_defined(self, host: Host, spec: PoolSpec) -> None:
        pool = host.pools.define(spec)
        assert pool.spec(inactive=True).differences(spec) == ()
        assert host.pools.define(pool.spec(inactive=True).request()) == pool
        pool.undefine()

    def test_a_server_with_a_port_keeps_its_brackets_for_mount_only(self) -> None:
        mounted = NetfsSource(hosts="[fd00::10]:2049", dir="/export")
        assert mounted.hosts == (SourceHost(name="[fd00::10]", port=2049),)
        portal = IscsiSource(hosts="[fd00::10]:3260", device="iqn.2013-06.com.example:a")
        assert portal.hosts == (SourceHost(name="fd00::10", port=3260),)
