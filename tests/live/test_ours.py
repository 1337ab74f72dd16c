"""libvirt itself on our own documents: it takes what they say that it takes, and makes of it what was wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import libvirt
import pytest
from lxml import etree

from libstorage import PoolCapabilities, PoolSpec
from libstorage.xml.parse import parse
from tests.contract.rng import installed
from tests.corpus.documents import ours

OURS = {path.name: path.read_bytes() for path in ours()}
REFUSED = "libvirt refuses it"
"""What the comment of a document says when libvirt does not take it."""

PARTITIONS = {"linux", "fat16", "fat32", "linux-swap", "linux-lvm", "linux-raid", "extended"}
FILE_SYSTEMS = {"auto", "ext2", "ext3", "ext4", "ufs", "iso9660", "udf", "gfs", "gfs2", "vfat", "hfs+"}
FILE_SYSTEMS |= {"xfs", "ocfs2", "vmfs"}
POOLS = {
    "dir": "<pool type='dir'><name>ours</name><target><path>/ours</path></target></pool>",
    "disk": "<pool type='disk'><name>ours</name><source><device path='/dev/ours'/></source>"
    "<target><path>/dev</path></target></pool>",
    "logical": "<pool type='logical'><name>ours</name><target/></pool>",
}


def of_kind(root: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", [name for name, data in OURS.items() if parse(data).tag == root])


def verdict(take: Callable[[str], object], name: str) -> str:
    """Why libvirt does not take a document; empty when it does."""
    try:
        take(OURS[name].decode())
    except libvirt.libvirtError as error:
        return str(error)
    return ""


@pytest.fixture(scope="module")
def real(uri: str) -> Iterator[libvirt.virConnect]:
    connection = libvirt.open(uri)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def imagined() -> Iterator[libvirt.virConnect]:
    """libvirt's test driver, which makes all volumes and all pools that its parser takes."""
    connection = libvirt.open("test:///default")
    yield connection
    connection.close()


@of_kind("pool")
def test_pools(name: str, real: libvirt.virConnect, imagined: libvirt.virConnect) -> None:
    """Types that this libvirt has no driver for are its parser's matter alone."""
    want = PoolSpec.from_xml(OURS[name])
    known = PoolCapabilities.from_xml(real.getStoragePoolCapabilities(0)).get(want.type)
    host = imagined if known and not known.supported else real

    def define(text: str) -> None:
        pool = host.storagePoolDefineXML(text, 0)
        try:
            printed = pool.XMLDesc(0)
        finally:
            pool.undefine()
        lost = PoolSpec.from_xml(printed).differences(want)
        assert {difference.field for difference in lost} <= {"unknown"}

    refused = verdict(define, name)
    assert bool(refused) == (REFUSED in OURS[name].decode()), refused


def pool_for(volume: etree._Element) -> str:
    """The type of pool whose words a volume uses."""
    form = volume.find("target/format")
    word = "" if form is None else form.get("type", "")
    if word in PARTITIONS or volume.findtext("name", "").startswith("sdk"):
        return "disk"
    return "logical" if word in FILE_SYSTEMS or volume.get("type") == "block" else "dir"


@of_kind("volume")
def test_volumes(name: str, imagined: libvirt.virConnect) -> None:
    """libvirt's parser takes them; making real ones is the matter of other tests."""
    root = parse(OURS[name])
    pool = imagined.storagePoolCreateXML(POOLS[pool_for(root)], 0)
    try:
        refused = verdict(lambda text: pool.createXML(text, 0).delete(0), name)
    finally:
        pool.destroy()
    is_too_new = any(root.xpath(row.part) and not row.taken for row in installed().lacks)
    assert bool(refused) == (is_too_new or REFUSED in OURS[name].decode()), refused


@of_kind("secret")
def test_secrets(name: str, uri: str) -> None:
    connection = libvirt.open(uri.replace("storage://", "secret://"))
    try:
        refused = verdict(lambda text: connection.secretDefineXML(text, 0).undefine(), name)
    finally:
        connection.close()
    assert bool(refused) == (REFUSED in OURS[name].decode()), refused
