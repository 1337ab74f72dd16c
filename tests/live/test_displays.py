"""What handles, listings and inventories of a real host show, and that showing them asks nothing."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from libstorage import Host, Pool, PoolSpec, SecretSpec, VolumeSpec, connect
from libstorage.models.compare import Differences
from libstorage.models.listing import Listing
from tests.live.rpc import RpcCounter
from tests.unit.display.pages import checked, twin

pytestmark = pytest.mark.live


@pytest.fixture
def images(pool: Pool) -> Iterator[Pool]:
    """A pool with a chain of three volumes and a raw one."""
    base = pool.volumes.create(VolumeSpec.qcow2("base.qcow2", "20 MiB"))
    web = pool.volumes.create(VolumeSpec.qcow2("web.qcow2", "20 MiB", backing=base.as_backing()))
    pool.volumes.create(VolumeSpec.qcow2("web-2.qcow2", "20 MiB", backing=web.as_backing()))
    pool.volumes.create(VolumeSpec.raw("data.img", "8 MiB"))
    yield pool
    for name in pool.volumes.names():
        pool.volumes[name].delete()


def test_a_display_makes_no_call(counter: RpcCounter, images: Pool) -> None:
    with connect(counter.uri) as host:
        pool = host.pools[images.name]
        secret = host.secrets.define(SecretSpec(description="for a display"))
        inventory, listing = host.inventory(), pool.volumes.specs()
        shown: list[Any] = [
            host,
            host.pools,
            host.secrets,
            pool,
            pool.volumes,
            pool.volumes["base.qcow2"],
            secret,
        ]
        shown += [
            inventory,
            inventory.get(pool.name),
            listing,
            listing[0],
            inventory.chains(),
            inventory.chart(),
        ]
        shown += [pool.info(), pool.spec()]
        before = counter.calls
        for each in shown:
            checked(each._repr_html_())
            assert len(repr(each)) < 400
            assert str(each)
        assert "libvirt" in str(host.versions)
        assert counter.calls == before
        secret.undefine()


def test_a_host_shows_versions_once_it_was_asked(host: Host) -> None:
    open_one = twin(checked(host._repr_html_()))
    assert str(host.versions) in open_one
    assert "host.inventory()" in open_one
    assert "versions" not in twin(checked(pickle.loads(pickle.dumps(host))._repr_html_()))
    with connect(host.uri, readonly=True) as reader:
        assert "read-only" in twin(checked(reader._repr_html_()))


def test_a_listing_of_a_host(images: Pool) -> None:
    listing = images.volumes.specs()
    assert isinstance(listing, Listing)
    assert (listing.uri, listing.pool, listing.pool_uuid) == (images.host.uri, images.name, images.uuid)
    assert "web-2.qcow2" in twin(checked(listing._repr_html_()))


def test_the_chains_of_a_host(host: Host, images: Pool) -> None:
    inventory = host.inventory()
    entry = inventory.get(images.name)
    assert entry is not None
    mine = [link for link in inventory.chains().links if link.path.startswith(str(images.spec().target.path))]  # type: ignore[union-attr]
    assert [(link.level, link.name, link.overlays) for link in mine] == [
        (0, "base.qcow2", 1),
        (1, "web.qcow2", 1),
        (2, "web-2.qcow2", 0),
    ]
    assert "based on" in str(entry)
    assert images.name in str(inventory.chart("promised"))


def test_what_a_stopped_pool_does_not_know(host: Host, folder: Path) -> None:
    stopped = host.pools.define(PoolSpec.dir("stopped", str(folder / "stopped")))
    assert str(stopped.info()) == "PoolInfo\nstate  inactive"
    assert "capacity" not in str(stopped.spec())
    stopped.undefine()


def test_differences_of_a_host(images: Pool) -> None:
    found = images.volumes["base.qcow2"].spec().differences(VolumeSpec.qcow2("base.qcow2", "40 MiB"))
    assert isinstance(found, Differences)
    assert "20 MiB" in twin(checked(found._repr_html_()))
