"""What libvirt answers about pools and volumes, shown as tables."""

from __future__ import annotations

import pickle

from lxml import etree

from libstorage.enums import PoolState, VolumeType
from libstorage.errors import PoolNotFoundError, VolumeNotFoundError
from libstorage.models.info import PoolInfo, VolumeInfo
from libstorage.models.inventory import Inventory, PoolEntry, VolumeEntry
from libstorage.models.pool import PoolSpec
from libstorage.models.volume import VolumeSpec
from libstorage.units import GiB, MiB, Size

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
TABLE = r"""
qemu:///system
pool    volume     type    capacity  allocation  state
──────  ─────────  ─────  ─────────  ──────────  ───────────────────
images             dir    100.0 GiB     1.5 GiB  active
        web.qcow2  qcow2   20.0 GiB   200.0 KiB
        bare
        a\nb                                     VolumeNotFoundError
off                mpath                         inactive
gone                                             PoolNotFoundError
"""


def test_pool_info() -> None:
    assert str(INFO) == (
        "field       value\n──────────  ─────────\nstate       running\ncapacity    100.0 GiB\n"
        "allocation  1.5 GiB\navailable   0 bytes"
    )
    html = etree.fromstring(INFO._repr_html_())
    assert html.findtext("caption") == "PoolInfo"
    assert [row.findtext("td[2]") for row in html.findall("tbody/tr")] == [
        "running",
        "100.0 GiB",
        "1.5 GiB",
        "0 bytes",
    ]


def test_volume_info_shows_what_was_asked_for() -> None:
    info = VolumeInfo(type=VolumeType.FILE, capacity=GiB, physical=MiB)
    assert str(info).splitlines()[2:] == ["type      file", "capacity  1.0 GiB", "physical  1.0 MiB"]
    assert "<caption>VolumeInfo</caption>" in info._repr_html_()
    assert VolumeInfo(type=VolumeType(99), capacity=GiB, allocation=MiB).physical is None
    assert "99" in str(VolumeInfo(type=VolumeType(99), capacity=GiB))


def test_an_inventory_is_a_table() -> None:
    assert str(HOST) == TABLE.strip()
    html = etree.fromstring(HOST._repr_html_())
    assert html.findtext("caption") == "qemu:///system"
    assert len(html.findall("tbody/tr")) == 6


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
