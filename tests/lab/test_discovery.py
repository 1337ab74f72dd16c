"""Looking for iscsi-direct sources on a real server with two targets, which kills libvirt 9.0."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from libstorage import PoolSpec, PoolType, UnsupportedError, connect
from libstorage.errors import ConnectionLostError, InvalidRequestError, StorageError
from libstorage.testing import PrivateDaemon
from tests.lab.servers import tgt
from tests.lab.servers.tgt import IscsiServer, iscsi_server

FIRST_SOUND = 9_001_000


@pytest.fixture(scope="module")
def server() -> Iterator[IscsiServer]:
    with iscsi_server() as server:
        yield server


@pytest.fixture
def daemon() -> Iterator[PrivateDaemon]:
    with PrivateDaemon() as daemon:
        yield daemon


def test_what_would_kill_the_daemon_is_refused(daemon: PrivateDaemon, server: IscsiServer) -> None:
    with connect(daemon.uri) as host:
        pool = host.pools.define(
            PoolSpec.iscsi_direct("luns", host=server.portal, device=tgt.PLAIN, initiator=tgt.INITIATOR)
        ).start()
        if host.versions.daemon < FIRST_SOUND:
            with pytest.raises(UnsupportedError, match="crashes this daemon") as refused:
                host.find_sources(PoolType.ISCSI_DIRECT, hosts=server.portal, initiator=tgt.INITIATOR)
            assert refused.value.outcome == "not_started"
            assert "allow_crash=True" in str(refused.value)
        else:
            found = host.find_sources(PoolType.ISCSI_DIRECT, hosts=server.portal, initiator=tgt.INITIATOR)
            assert {device.path for source in found.found for device in source.devices} == set(server.images)
        assert pool.is_active()  # the daemon has not been started anew
        assert pool.volumes.names()


def test_who_insists_loses_the_daemon(daemon: PrivateDaemon, server: IscsiServer) -> None:
    with connect(daemon.uri) as host:
        if host.versions.daemon >= FIRST_SOUND:
            assert host.find_sources("iscsi-direct", hosts=server.portal, initiator=tgt.INITIATOR).found
            return
        with pytest.raises(ConnectionLostError) as lost:
            host.find_sources("iscsi-direct", hosts=server.portal, initiator=tgt.INITIATOR, allow_crash=True)
        assert (lost.value.outcome, lost.value.retry) == ("unknown", "now")
        assert not host.is_alive()
        daemon.restart()
        assert host.is_alive()


@pytest.mark.parametrize("type", ["iscsi-direct", "netfs", "gluster"])
def test_without_a_server_nobody_can_be_asked(daemon: PrivateDaemon, type: str) -> None:
    with connect(daemon.uri) as host:
        with pytest.raises(StorageError) as refused:
            host.find_sources(type, allow_crash=True)
        assert isinstance(refused.value, InvalidRequestError)
        assert host.is_alive()
