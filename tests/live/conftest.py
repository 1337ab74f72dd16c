"""A private daemon for all live tests, and what several of them need."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest

from libstorage import Host, Pool, PoolSpec, UnsupportedError, connect
from libstorage.connection.connection import Connection
from libstorage.connection.lane import width_for
from libstorage.known_faults import FULL_STREAM
from libstorage.testing import PrivateDaemon
from libstorage.transfer import upload
from tests.live.rpc import RpcCounter


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.live)


@contextmanager
def started_daemon(**options: Any) -> Iterator[PrivateDaemon]:
    """A private daemon, or a test that is not run because there is no libvirtd here."""
    daemon = PrivateDaemon(**options)
    try:
        daemon.start()
    except UnsupportedError as missing:
        pytest.skip(f"not run: {missing.message}")
    else:
        yield daemon
    finally:
        daemon.close()


@pytest.fixture
def a_full_disk_is_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload looks for no room, as with most versions of the daemon."""
    monkeypatch.setattr(upload, "FULL_STREAM", attrs.evolve(FULL_STREAM, until=0))


@pytest.fixture
def a_full_disk_is_deadly(monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload looks for room first, as with libvirt 10.1 to 12.6."""
    monkeypatch.setattr(upload, "FULL_STREAM", attrs.evolve(FULL_STREAM, since=0, until=None))


@pytest.fixture(scope="session")
def daemon() -> Iterator[PrivateDaemon]:
    """A private daemon that all tests share: none may stop it, and each cleans up after itself."""
    with started_daemon() as daemon:
        yield daemon


@pytest.fixture(scope="session")
def uri(daemon: PrivateDaemon) -> str:
    """Its address."""
    return daemon.uri


@pytest.fixture
def own_daemon() -> Iterator[PrivateDaemon]:
    """A private daemon for one test, which may do with it what it likes."""
    with started_daemon() as daemon:
        yield daemon


@pytest.fixture
def connection(uri: str) -> Iterator[Connection]:
    with Connection(uri) as connection:
        yield connection


@pytest.fixture
def one_thread_a_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread at a time uses a connection, also where libvirt's client bears several."""
    monkeypatch.setattr("libstorage.connection.connection.width_for", lambda _: 1)


@pytest.fixture(params=["one thread a lane", "the usual width"])
def width(request: pytest.FixtureRequest, uri: str) -> int:
    """How many threads at most use a connection."""
    if request.param == "one thread a lane":
        request.getfixturevalue("one_thread_a_lane")
        return 1
    with Connection(uri) as connection:
        return width_for(connection.client_version)


@pytest.fixture
def counter(daemon: PrivateDaemon) -> Iterator[RpcCounter]:
    """An address of the shared daemon on which calls are counted."""
    folder = daemon.folder / f"rpc-{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    counted = RpcCounter(daemon.uri, folder)
    yield counted
    counted.close()


ORDINARY_USER = 15_000


@pytest.fixture(scope="session")
def user_daemon() -> Iterator[PrivateDaemon]:
    """A private daemon that an ordinary user runs."""
    with started_daemon(user=ORDINARY_USER if os.geteuid() == 0 else None) as daemon:
        yield daemon


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that every user can write to."""
    path = Path(tempfile.mkdtemp(prefix="libstorage-test-", dir="/tmp"))
    path.chmod(0o777)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def host(uri: str) -> Iterator[Host]:
    """The shared daemon."""
    with connect(uri) as host:
        yield host


@pytest.fixture
def pool(host: Host, folder: Path) -> Iterator[Pool]:
    """A running dir pool of the shared daemon."""
    pool = (
        host.pools.define(PoolSpec.dir(f"pool-{uuid.uuid4().hex[:8]}", str(folder / "pool"))).build().start()
    )
    yield pool
    remove(pool)


def remove(pool: Pool) -> None:
    """Stop and undefine a pool, as far as it is there."""
    here = pool.host.pools.get(pool.name)
    if here is not None and here.is_active():
        here.stop()
    if here is not None and here.host.pools.exists(here.name):
        here.undefine()
