"""Reading many documents at once: what is read, in which order, over how many lanes, and what may go wrong."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import sleep
from typing import Any

import libvirt
import pytest

from benchmarks.link import slow_link
from benchmarks.listing import bare_loop, filled_daemon, specs_from_nothing
from libstorage import (
    ConnectionLostError,
    DocumentError,
    Host,
    Pool,
    PoolInactiveError,
    PoolNotFoundError,
    PoolSpec,
    PoolTarget,
    PoolType,
    SecretSpec,
    UnsupportedError,
    VolumeNotFoundError,
    VolumeSpec,
    connect,
)
from libstorage.connection.identity import HostId
from libstorage.listing.crew import Crew, Worker
from libstorage.operations import POOLS_LIST
from libstorage.testing import PrivateDaemon
from libstorage.xml import document as documents
from tests.inside import channel_of, connection_of
from tests.live.conftest import remove
from tests.live.rest import wait_until

MANY = 300  # more than one lane reads at a time, so that several take part
HELPERS = {"libstorage-bulk", "libstorage-opener"}
FEW = 50
FEW_FAR_AWAY = 16
MOST_LISTED = 16_384


def fill(pool: Pool, number: int) -> Path:
    """Put files into the pool's folder, behind libvirt's back."""
    target = pool.spec().target
    assert target is not None
    folder = Path(target.path or "")
    for place in random.Random(0).sample(range(number), number):
        (folder / f"v{place:05}.img").write_bytes(b"x" * 512)
    pool.refresh()
    return folder


def lanes_of(host: Host) -> int:
    """How many lanes there are once none is on its way any more: a listing may be over before that."""
    assert wait_until(lambda: not HELPERS.intersection(thread.name for thread in threading.enumerate()))
    return connection_of(host).lane_count()


class TestSpecs:
    def test_they_are_what_each_volume_says_itself(self, pool: Pool) -> None:
        fill(pool, 10)
        pool.volumes.create(VolumeSpec.qcow2("image.qcow2", "1 MiB"))
        entries = pool.volumes.specs()
        assert [entry.name for entry in entries] == [*pool.volumes.names()]
        assert [entry.spec for entry in entries] == [volume.spec() for volume in pool.volumes]
        assert not any(entry.error for entry in entries)

    @pytest.mark.parametrize("lanes", [1, 2, 4])
    def test_many_come_in_order(self, pool: Pool, lanes: int) -> None:
        fill(pool, MANY)
        with connect(pool.host.uri, lanes=lanes) as host:
            volumes = host.pools[pool.name].volumes
            entries = volumes.specs()
            assert [entry.name for entry in entries] == [*volumes.names()]
            assert [entry.spec.name for entry in entries if entry.spec] == [*volumes.names()]
            assert len(entries) == MANY

    def test_those_that_vanished_are_errors_of_their_own(self, pool: Pool) -> None:
        folder = fill(pool, MANY)
        gone = {"v00007.img", "v00151.img", "v00299.img"}
        for name in gone:
            (folder / name).unlink()
        entries = pool.volumes.specs()
        assert [entry.name for entry in entries] == [*pool.volumes.names()]
        assert {entry.name for entry in entries if entry.spec is None} == gone
        for entry in entries:
            if entry.name in gone:
                assert isinstance(entry.error, VolumeNotFoundError)
                assert entry.error.target == f"volume {entry.name!r} in pool {pool.name!r}"
            else:
                assert entry.error is None

    def test_while_volumes_come_and_go(self, pool: Pool) -> None:
        fill(pool, MANY)
        stop = threading.Event()

        def come_and_go() -> None:
            while not stop.is_set():
                pool.volumes.create(VolumeSpec.raw("coming.img", 512)).delete()
                pool.refresh()

        with ThreadPoolExecutor(1) as threads:
            going = threads.submit(come_and_go)
            try:
                for _ in range(10):
                    entries = pool.volumes.specs()
                    stayed = [entry for entry in entries if entry.name != "coming.img"]
                    assert len(stayed) == MANY
                    assert all(entry.spec for entry in stayed)
            finally:
                stop.set()
            going.result()

    def test_an_empty_pool(self, pool: Pool) -> None:
        assert pool.volumes.specs() == ()

    @pytest.mark.slow
    def test_more_than_libvirt_can_list(self, pool: Pool) -> None:
        fill(pool, MOST_LISTED + 1)
        for read in (pool.volumes.list, pool.volumes.specs, pool.volumes.names):
            with pytest.raises(UnsupportedError, match="16,384"):
                read()
        assert pool.volumes.count() == MOST_LISTED + 1
        assert pool.volumes["v00001.img"].info().capacity == 512
        (entry,) = [entry for entry in pool.host.inventory().pools if entry.uuid == pool.uuid]
        assert isinstance(entry.error, UnsupportedError)
        assert entry.spec is not None
        pool.volumes["v00001.img"].delete()
        assert len(pool.volumes.list()) == MOST_LISTED


def broken(text: str) -> dict[str, Any]:
    """What a daemon, a network or a mistake of ours can make of a document."""

    def fail(error: BaseException) -> str:
        raise error

    def not_utf8() -> str:
        data = text.encode() + b"\xff"
        return data.decode()

    return {
        "empty": lambda: "",
        "not XML": lambda: text[:-5],
        "another root": lambda: "<domain/>",
        "a wrong number": lambda: text.replace("<name>", "<capacity>ten</capacity><name>"),
        "a relative namespace": lambda: text.replace(
            "<name>", "<x:y xmlns:x='0x10'/><capacity>x</capacity><name>"
        ),
        "NUL": lambda: text.replace("<name>", "<name>\0"),
        "half a surrogate": lambda: text.replace("<name>", "<name>\ud800"),
        "too large": lambda: text + " " * (5 << 20),
        "too many": lambda: text.replace("<name>", "<x/>" * 60_000 + "<name>"),
        "a DOCTYPE": lambda: "<!DOCTYPE a>" + text,
        "no text": lambda: None,
        "a number": lambda: 5,
        "not UTF-8": not_utf8,
        "a mistake": lambda: fail(ZeroDivisionError("HUNTER2")),
        "a wrong type": lambda: fail(TypeError("HUNTER2")),
        "recursion": lambda: fail(RecursionError()),
        "no memory": lambda: fail(MemoryError()),
    }


class TestOneBadDocument:
    """A daemon that prints a broken document for one thing, played where its answers arrive."""

    @pytest.mark.parametrize("how", broken("<name>"))
    def test_of_a_volume(self, pool: Pool, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
        fill(pool, FEW)
        bad, ask = "v00007.img", libvirt.virStorageVol.XMLDesc

        def answer(raw: Any, flags: int = 0) -> Any:
            return broken(ask(raw, flags))[how]() if raw.name() == bad else ask(raw, flags)

        monkeypatch.setattr(libvirt.virStorageVol, "XMLDesc", answer)
        (listed,) = [one for one in pool.host.inventory().pools if one.uuid == pool.uuid]
        assert listed.error is None
        for entries in (pool.volumes.specs(), listed.volumes):
            assert [entry.name for entry in entries] == [*pool.volumes.names()]
            (error,) = [entry.error for entry in entries if entry.error]
            assert isinstance(error, DocumentError)
            assert "HUNTER2" not in repr(error) + str(error)
            assert error.target == f"volume {bad!r} in pool {pool.name!r}"
            assert error.operation == "volume.xml"
            assert [entry.name for entry in entries if entry.spec is None] == [bad]
        assert bad in {volume.name for volume in pool.volumes}

    @pytest.mark.parametrize("how", broken("<name>"))
    def test_of_a_pool(self, pool: Pool, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
        fill(pool, FEW)
        ask = libvirt.virStoragePool.XMLDesc

        def answer(raw: Any, flags: int = 0) -> Any:
            return broken(ask(raw, flags))[how]() if raw.UUIDString() == pool.uuid else ask(raw, flags)

        monkeypatch.setattr(libvirt.virStoragePool, "XMLDesc", answer)
        inventory = pool.host.inventory()
        (listed,) = [one for one in inventory.pools if one.uuid == pool.uuid]
        assert isinstance(listed.error, DocumentError)
        assert (listed.error.operation, listed.error.target) == ("pool.xml", f"pool {pool.name!r}")
        assert "HUNTER2" not in repr(listed.error) + str(listed.error)
        assert len(listed.volumes) == FEW
        assert all(volume.spec for volume in listed.volumes)
        assert all(one.spec for one in inventory.pools if one is not listed)
        assert pool in pool.host.pools.list()

    def test_a_mistake_of_ours_is_one_entrys_too(self, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
        fill(pool, FEW)
        read = documents.Document.from_libvirt.__func__  # type: ignore[attr-defined]

        def fail(model: type[Any], /, xml: str, **options: bool) -> Any:
            if "v00007.img" in xml:
                raise AttributeError("HUNTER2")
            return read(model, xml, **options)

        monkeypatch.setattr(documents.Document, "from_libvirt", classmethod(fail))
        entries = pool.volumes.specs()
        (error,) = [entry.error for entry in entries if entry.error]
        assert isinstance(error, DocumentError)
        assert "AttributeError" in str(error)
        assert sum(entry.spec is not None for entry in entries) == FEW - 1

    @pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
    def test_ctrl_c_is_nobodys_entry(
        self, pool: Pool, end: type[BaseException], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fill(pool, 3)

        def interrupt(*_: object) -> str:
            raise end

        monkeypatch.setattr(libvirt.virStorageVol, "XMLDesc", interrupt)
        with pytest.raises(end):
            pool.volumes.specs()


class TestLanes:
    """How many lanes a listing opens, by what is there to read and what the user allows."""

    def test_few_volumes_are_read_over_the_lane_that_is_there(self, pool: Pool) -> None:
        fill(pool, FEW)
        with connect(pool.host.uri) as host:
            assert len(host.pools[pool.name].volumes.specs()) == FEW
            assert lanes_of(host) == 1

    def test_few_volumes_far_away_too(self, pool: Pool) -> None:
        fill(pool, FEW_FAR_AWAY)
        with slow_link(pool.host.uri, 0.0) as uri, connect(uri) as host:
            assert len(host.pools[pool.name].volumes.specs()) == FEW_FAR_AWAY
            assert lanes_of(host) == 1

    @pytest.mark.parametrize(("lanes", "least", "most"), [(1, 1, 1), (2, 1, 1), (3, 2, 2), (None, 2, 3)])
    def test_many_are_read_over_all_lanes_but_one(
        self, pool: Pool, lanes: int | None, least: int, most: int
    ) -> None:
        fill(pool, MANY)
        with connect(pool.host.uri, lanes=lanes) as host:
            assert len(host.pools[pool.name].volumes.specs()) == MANY
            assert least <= lanes_of(host) <= most

    @pytest.mark.parametrize(("lanes", "least", "most"), [(None, 17, 31), (5, 2, 4)])
    def test_a_host_far_away_gets_more_lanes(
        self, pool: Pool, lanes: int | None, least: int, most: int
    ) -> None:
        fill(pool, 2 * MANY)
        with slow_link(pool.host.uri, 0.005) as uri, connect(uri, lanes=lanes) as host:
            volumes = host.pools[pool.name].volumes
            entries = volumes.specs()
            assert [entry.name for entry in entries if entry.spec] == [*volumes.names()]
            assert least <= lanes_of(host) <= most

    def test_other_calls_get_through(self, pool: Pool) -> None:
        """The one lane that a listing leaves alone is enough for them."""
        fill(pool, 3000)
        with connect(pool.host.uri, lanes=2) as host, ThreadPoolExecutor(1) as threads:
            listed = host.pools[pool.name]
            listing = threads.submit(listed.volumes.specs)
            calls = 0
            while not listing.done():
                assert listed.info().capacity > 0
                calls += 1
            assert len(listing.result()) == 3000
            assert calls > 10

    def test_an_inventory_of_few_pools_needs_no_more(self, own_daemon: PrivateDaemon, folder: Path) -> None:
        with connect(own_daemon.uri) as host:
            for name in ("one", "two", "three"):
                fill(host.pools.define(PoolSpec.dir(name, str(folder / name))).build().start(), 10)
            assert [len(pool.volumes) for pool in host.inventory().pools] == [10, 10, 10]
            assert lanes_of(host) == 1


class TestInventory:
    @pytest.fixture
    def furnished(self, own_daemon: PrivateDaemon, folder: Path) -> Iterator[Host]:
        with connect(own_daemon.uri) as host:
            for name in ("one", "two", "stopped"):
                host.pools.define(PoolSpec.dir(name, str(folder / name))).build().start()
            host.pools["one"].volumes.create(VolumeSpec.raw("a.img", "1 MiB"))
            host.pools["one"].volumes.create(VolumeSpec.qcow2("b.qcow2", "1 MiB"))
            host.pools["stopped"].stop().set_autostart()
            host.pools.create_transient(PoolSpec.dir("transient", str(folder / "transient")), build=True)
            yield host

    def test_it_is_all_there(self, furnished: Host) -> None:
        inventory = furnished.inventory()
        assert inventory.uri == furnished.uri
        found = {pool.name: pool for pool in inventory.pools}
        assert {
            name: (pool.active, pool.persistent, pool.autostart, [volume.name for volume in pool.volumes])
            for name, pool in found.items()
        } == {
            "one": (True, True, False, [*furnished.pools["one"].volumes.names()]),
            "two": (True, True, False, []),
            "stopped": (False, True, True, []),
            "transient": (True, False, False, []),
        }
        for pool in found.values():
            assert pool.error is None
            assert pool.spec == furnished.pools[pool.name].spec()
            assert pool.uuid == furnished.pools[pool.name].uuid
        assert {volume.name for _, volume in inventory.volumes} == {"a.img", "b.qcow2"}

    def test_a_pool_that_was_redefined_while_it_ran(self, furnished: Host, folder: Path) -> None:
        running = furnished.pools["one"].spec()
        later = running.request(target=PoolTarget(path=str(folder / "elsewhere")))
        furnished.pools.define(later)
        assert not [pool for pool in furnished.inventory().pools if pool.inactive_spec or pool.is_redefined]
        inventory = furnished.inventory(inactive=True)
        found = {pool.name: pool for pool in inventory.pools}
        assert [name for name, pool in found.items() if pool.is_redefined] == ["one"]
        assert [name for name, pool in found.items() if pool.inactive_spec] == ["one", "two"]
        assert found["one"].spec == running
        assert found["one"].inactive_spec == furnished.pools["one"].spec(inactive=True)
        assert str(inventory).count("redefined") == 1

    def test_it_shows_itself_as_a_table(self, furnished: Host) -> None:
        inventory = furnished.inventory()
        assert "b.qcow2" in str(inventory)
        assert "one" in inventory._repr_html_()

    def test_many_volumes_of_many_pools(self, furnished: Host) -> None:
        for name in ("one", "two"):
            fill(furnished.pools[name], MANY)
        inventory = furnished.inventory()
        for pool in inventory.pools:
            if pool.active:
                assert [volume.name for volume in pool.volumes] == [
                    *furnished.pools[pool.name].volumes.names()
                ]
                assert all(volume.spec for volume in pool.volumes)

    def test_what_happens_to_one_pool_is_that_pools_error(self, furnished: Host, folder: Path) -> None:
        """Pools are stopped, and with that gone, between the list of them and their turn."""
        pools = [
            furnished.pools.create_transient(
                PoolSpec.dir(f"t{number}", str(folder / f"t{number}")), build=True
            )
            for number in range(20)
        ]
        with connect(furnished.uri, lanes=1) as host, ThreadPoolExecutor(1) as threads:
            stopping = threads.submit(lambda: [pool.stop().host.pools.count() for pool in pools])
            errors = []
            while not stopping.done():
                errors += [pool.error for pool in host.inventory().pools if pool.error]
            assert stopping.result()
        assert {type(error) for error in errors} <= {PoolNotFoundError, PoolInactiveError}


class TestCrew:
    """How lanes are shared out among bulk reads and other calls."""

    @pytest.fixture
    def crew(self, host: Host) -> Crew:
        return Crew(channel_of(host), POOLS_LIST, HostId(host.uri))

    def test_it_leaves_a_lane_for_others(self, host: Host, crew: Crew) -> None:
        release, inside = threading.Event(), threading.Semaphore(0)

        def wait(worker: Worker) -> None:
            inside.release()
            release.wait(10)

        with ThreadPoolExecutor(1) as threads:
            running = threads.submit(crew.run, lambda worker: crew.add([wait] * 40))
            for _ in range(3):
                assert inside.acquire(timeout=10)
            assert not inside.acquire(timeout=0.1)
            assert host.with_options(timeout=5).pools.count() >= 0
            release.set()
            running.result()

    def test_a_second_crew_gets_its_place(self, host: Host, crew: Crew) -> None:
        """Helpers of the first go as soon as somebody waits, so that a long listing does not keep a short one out."""
        second = Crew(channel_of(host), POOLS_LIST, HostId(host.uri))
        served = threading.Event()

        def slow(worker: Worker) -> None:
            sleep(0.01)

        with ThreadPoolExecutor(2) as threads:
            long = threads.submit(crew.run, lambda worker: crew.add([slow] * 300))
            sleep(0.1)
            threads.submit(second.run, lambda worker: served.set()).result(5)
            assert served.is_set()
            assert not long.done()
            long.result()

    def test_a_job_whose_helper_lost_its_lane_is_done_again(self, host: Host, crew: Crew) -> None:
        done: list[int] = []
        leader = threading.current_thread()
        cut = threading.Event()

        def job(number: int, worker: Worker) -> None:
            if threading.current_thread() is not leader and not cut.is_set():
                cut.set()
                worker.lane.cut()
            elif threading.current_thread() is leader:
                cut.wait(10)
            worker.lane.connection.getLibVersion()
            done.append(number)

        crew.run(lambda worker: crew.add(partial(job, number) for number in range(40)))
        assert cut.is_set()
        assert sorted(done) == list(range(40))

    def test_the_callers_lane_is_the_one_that_counts(self, crew: Crew) -> None:
        def job(worker: Worker) -> None:
            worker.lane.cut()
            worker.lane.connection.getLibVersion()

        with pytest.raises(ConnectionLostError):
            crew.run(job)

    def test_a_mistake_in_a_helper_is_not_kept_secret(self, crew: Crew) -> None:
        leader = threading.current_thread()
        made = threading.Event()

        def job(worker: Worker) -> None:
            if threading.current_thread() is leader:
                made.wait(10)
                return
            made.set()
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            crew.run(lambda worker: crew.add([job] * 40))

    def test_many_crews_at_once(self, pool: Pool) -> None:
        fill(pool, MANY)
        with ThreadPoolExecutor(8) as threads:
            counts = threads.map(lambda _: len(pool.volumes.specs()), range(16))
            assert [*counts] == [MANY] * 16


@pytest.mark.usefixtures("daemon")
def test_what_the_benchmark_compares_reads_the_same_volumes() -> None:
    with filled_daemon(20) as uri, bare_loop(uri) as bare, slow_link(uri, 0.001) as far:
        assert bare() == specs_from_nothing(uri, 2) == specs_from_nothing(far, None) == 20


def test_types_that_cannot_start_here_are_listed_too(host: Host) -> None:
    pool = host.pools.define(PoolSpec.fs("unstartable", "/srv/unstartable", "/dev/nosuch"))
    (entry,) = [entry for entry in host.inventory().pools if entry.name == "unstartable"]
    assert entry.spec is not None
    assert entry.spec.type is PoolType.FS
    remove(pool)


def test_every_listing_is_sorted(host: Host, folder: Path) -> None:
    """libvirt's own order changes from call to call."""
    chance = random.Random(7)
    names = [f"sorted-{chance.randrange(10**6)}" for _ in range(12)]
    pools = [host.pools.define(PoolSpec.dir(name, str(folder / name))) for name in names]
    filled = pools[0].build().start()
    for name in names:
        filled.volumes.create(VolumeSpec.raw(name, 1))
    secrets = [host.secrets.define(SecretSpec.ceph(name)) for name in names]
    for _ in range(3):
        assert filled.volumes.names() == tuple(sorted(names))
        assert [volume.name for volume in filled.volumes.list()] == sorted(names)
        assert [entry.name for entry in filled.volumes.specs()] == sorted(names)
        assert [pool.name for pool in host.pools] == sorted(host.pools.names())
        assert [entry.name for entry in host.inventory().pools] == sorted(host.pools.names())
        assert [secret.uuid for secret in host.secrets] == sorted(secret.uuid for secret in host.secrets)
    for secret in secrets:
        secret.undefine()
    for name in names:
        filled.volumes[name].delete()
    filled.stop()
    for pool in pools:
        pool.undefine()
