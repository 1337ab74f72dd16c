"""What else a Ceph cluster shows: images that are larger than the cluster, have snapshots, or were removed by others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from libstorage import Auth, Host, Pool, PoolSpec, SecretSpec, VolumeSpec, connect
from libstorage.errors import StateError, VolumeNotFoundError
from libstorage.testing import PrivateDaemon
from tests.lab.servers import ceph
from tests.lab.servers.ceph import CephServer, ceph_server
from tests.lab.servers.programs import run


@pytest.fixture(scope="module")
def cluster() -> Iterator[CephServer]:
    with ceph_server() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with PrivateDaemon() as daemon, connect(daemon.uri) as host:
        yield host


@pytest.fixture(scope="module")
def pool(host: Host, cluster: CephServer) -> Pool:
    host.secrets.define(SecretSpec.ceph("key")).set_value(cluster.key)
    auth = Auth.ceph(ceph.USER, usage="key")
    spec = PoolSpec.rbd("images", hosts=cluster.monitor, source_name=ceph.POOL, auth=auth)
    return host.pools.define(spec).start()


def test_an_image_may_be_larger_than_the_cluster(host: Host, pool: Pool) -> None:
    available = pool.info().available
    assert available > 0
    large = pool.volumes.create(VolumeSpec.raw("large", 4 * available))
    assert "<available unit='bytes'>18446744" in pool.xml()  # libvirt has counted below zero
    assert pool.info().available == 0
    assert pool.spec().available == 0
    (entry,) = host.inventory().pools
    assert entry.error is None
    assert pool.refresh().info().available > 0
    large.delete()


def test_what_was_cloned_is_deleted_with_its_snapshots_after_its_clones(pool: Pool) -> None:
    image = pool.volumes.create(VolumeSpec.raw("image", "4 MiB"))
    clone = image.clone("clone")
    with pytest.raises(StateError) as kept:
        image.delete()
    assert "has snapshots" in str(kept.value)
    assert kept.value.outcome == "not_started"
    with pytest.raises(StateError):
        image.delete(with_snapshots=True)
    assert {"image", "clone"} <= set(pool.refresh().volumes.names())
    clone.delete()
    image.delete(with_snapshots=True)
    assert not pool.refresh().volumes.names()


def test_an_image_that_others_removed_is_gone(pool: Pool, cluster: CephServer) -> None:
    image = pool.volumes.create(VolumeSpec.raw("image", "4 MiB"))
    run("rbd", f"--conf={cluster.configuration}", f"--pool={ceph.POOL}", "rm", "--no-progress", "image")
    for ask in (
        image.info,
        image.spec,
        image.wipe,
        lambda: image.resize("8 MiB"),
        lambda: image.clone("clone"),
    ):
        with pytest.raises(VolumeNotFoundError, match=r"pool.refresh\(\) updates the pool's list"):
            ask()
    image.delete()  # libvirt does not mind
    assert not pool.refresh().volumes.names()
