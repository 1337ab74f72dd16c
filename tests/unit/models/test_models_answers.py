"""What libvirt answers about pools and volumes, as values."""

from __future__ import annotations

import pickle

from libstorage.enums import PoolState
from libstorage.errors import PoolNotFoundError, VolumeNotFoundError
from libstorage.models.entries import VolumeEntry
from libstorage.models.info import PoolInfo
from libstorage.models.inventory import Inventory, PoolEntry
from libstorage.models.pool import PoolSpec
from libstorage.models.volume import VolumeSpec
from libstorage.units import GiB, Size

INFO = PoolInfo(state=PoolState.RUNNING, capacity=Size("100 GiB"), allocation=GiB * 3 // 2, available=Size(0))
POOL = PoolSpec.from_xml(
    "<pool type='dir'><name>images</name><capacity unit='GiB'>100</capacity><allocation unit='MiB'>1536</allocation>"
    "<target><path>/srv/images</path></target></pool>"
)
UUID = "2ec115d7-3a88-3ceb-bc12-0ac909a6fd87"
HOST = Inventory(
    uri="qemu:///system",
    pools=(
        PoolEntry(
            name="images",
            uuid=UUID,
            active=True,
            persistent=True,
            autostart=False,
            spec=POOL,
            volumes=(
                VolumeEntry(
                    name="web.qcow2", spec=VolumeSpec.qcow2("web.qcow2", "20 GiB", allocation="200 KiB")
                ),
                VolumeEntry(name="bare", spec=VolumeSpec(name="bare")),
                VolumeEntry(name="a\nb", error=VolumeNotFoundError("gone")),
            ),
        ),
        PoolEntry(name="off", uuid=UUID, active=False, spec=PoolSpec.mpath("off")),
        PoolEntry(name="gone", uuid=UUID, active=True, error=PoolNotFoundError("gone")),
    ),
)


def test_volumes_of_an_inventory() -> None:
    assert [(pool.name, volume.name) for pool, volume in HOST.volumes] == [
        ("images", "web.qcow2"),
        ("images", "bare"),
        ("images", "a\nb"),
    ]


def test_answers_are_values() -> None:
    assert pickle.loads(pickle.dumps(INFO)) == INFO
    assert pickle.loads(pickle.dumps(HOST)).pools[1] == HOST.pools[1]
    assert hash(INFO) == hash(pickle.loads(pickle.dumps(INFO)))
