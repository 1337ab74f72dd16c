"""A private daemon for all live tests, and what several of them need."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from libstorage.connection.call import Connection
from libstorage.errors import UnsupportedError
from libstorage.testing import PrivateDaemon
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
def counter(daemon: PrivateDaemon) -> Iterator[RpcCounter]:
    """An address of the shared daemon on which calls are counted."""
    folder = daemon.folder / f"rpc-{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    counted = RpcCounter(daemon.uri, folder)
    yield counted
    counted.close()
