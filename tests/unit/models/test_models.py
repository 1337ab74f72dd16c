"""What constructors take besides, and what models are as Python objects."""

from __future__ import annotations

import copy
import pickle
import uuid
from pathlib import Path
from typing import Any

import attrs
import pytest

from libstorage.enums import PoolType, VolumeFormat, VolumeType
from libstorage.errors import DocumentError
from libstorage.models.auth import Auth, SecretRef
from libstorage.models.capabilities import PoolCapabilities, PoolTypeCapabilities
from libstorage.models.discovery import FoundSource, PoolSources
from libstorage.models.encryption import Encryption
from libstorage.models.permissions import Permissions
from libstorage.models.pool import PoolSpec
from libstorage.models.pool_parts import ConfigOption
from libstorage.models.secret import SecretSpec, Usage
from libstorage.models.source_parts import Device, Initiator, SourceHost
from libstorage.models.sources import (
    DirSource,
    GlusterSource,
    IscsiDirectSource,
    IscsiSource,
    LogicalSource,
    MpathSource,
    NetfsSource,
    RbdSource,
    ZfsSource,
)
from libstorage.models.volume import VolumeFeatures, VolumeSpec, VolumeTarget
from libstorage.units import Size
from libstorage.xml.fields import Unknown

IQN = "iqn.2013-06.com.example:target"
UUID = "2ec115d7-3a88-3ceb-bc12-0ac909a6fd87"
FORMATS = ", ".join(VolumeFormat)
FILE_SYSTEMS = "auto, ext2, ext3, ext4, ufs, iso9660, udf, gfs, gfs2, vfat, hfs+, xfs, ocfs2, vmfs"

# ---- what is taken instead ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (SourceHost(name="a"), (SourceHost(name="a"),)),
        ("a", (SourceHost(name="a"),)),
        ("a:3260", (SourceHost(name="a", port=3260),)),
        ("[::1]", (SourceHost(name="::1"),)),
        ("[::1]:3260", (SourceHost(name="::1", port=3260),)),
        ("::1", (SourceHost(name="::1"),)),
        ("2001:db8::5", (SourceHost(name="2001:db8::5"),)),
        (["a", SourceHost(name="b")], (SourceHost(name="a"), SourceHost(name="b"))),
        ((host for host in ("a:1", "b")), (SourceHost(name="a", port=1), SourceHost(name="b"))),
    ],
)
def test_hosts_are_given_as_text(given: Any, expected: tuple[SourceHost, ...]) -> None:
    assert RbdSource(hosts=given, name="p").hosts == expected


def test_devices_are_given_as_paths() -> None:
    sda, sdb = Device(path="/dev/sda"), Device(path="/dev/sdb")
    assert LogicalSource(devices="/dev/sda").devices == (sda,)
    assert LogicalSource(devices=["/dev/sda", sdb]).devices == (sda, sdb)
    assert LogicalSource(devices=Path("/dev/sda")).devices == (sda,)
    assert ZfsSource(name="p", devices=("/dev/sda", Path("/dev/sdb"))).devices == (sda, sdb)


def test_the_one_device_of_a_zpool_is_deprecated() -> None:
    wanted = PoolSpec.zfs("p", source_name="p", devices="/dev/sda")
    with pytest.warns(DeprecationWarning, match="use devices=") as warned:
        assert PoolSpec.zfs("p", source_name="p", device="/dev/sda") == wanted
    with pytest.warns(DeprecationWarning, match="use devices="):
        assert ZfsSource(name="p", device="/dev/sda") == wanted.source
    with pytest.warns(DeprecationWarning, match="use devices"):
        assert wanted.source.device == Device(path="/dev/sda")  # type: ignore[union-attr] # of a ZfsSource
    assert warned[0].filename == __file__


def test_words_are_given_as_text() -> None:
    assert VolumeTarget(format="qcow2").format is VolumeFormat.QCOW2
    assert VolumeSpec(name="v", type="netdir").type is VolumeType.NETDIR
    assert VolumeSpec(name="v", type=VolumeType.BLOCK).type is VolumeType.BLOCK
    assert PoolTypeCapabilities(type="dir", supported=True).type is PoolType.DIR


def test_other_values_are_converted() -> None:
    assert Permissions(mode="0755").mode == 0o755
    assert SecretRef(uuid=uuid.UUID(UUID)).uuid == UUID
    assert PoolSpec.dir("a", "/srv", uuid=UUID.upper().replace("-", "")).uuid == UUID
    assert VolumeSpec.raw("v", "1 KiB").capacity == Size(1024)
    assert IscsiSource(hosts="a", device=IQN, initiator="iqn.2013-06.com.example:me").initiator == Initiator(
        iqn="iqn.2013-06.com.example:me"
    )
    assert RbdSource(hosts="a", name="p") == RbdSource(hosts=("a",), name="p")
    options = (ConfigOption(name="a", value="1"),)
    assert PoolSpec.rbd("r", hosts="a", source_name="p", config_options={"a": "1"}).config_options == options
    assert PoolSpec.rbd("r", hosts="a", source_name="p", config_options=options).config_options == options
    assert (
        PoolSpec.rbd("r", hosts="a", source_name="p", config_options=list(options)).config_options == options
    )
    assert Encryption(format="luks", secrets=SecretRef(usage="a")).secrets == (SecretRef(usage="a"),)


# ---- as Python objects ----------------------------------------------------------------------------------------------


def test_models_are_immutable() -> None:
    volume: Any = VolumeSpec.raw("v", 1)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        volume.name = "w"
    with pytest.raises(AttributeError):
        volume.nmae = "w"
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        del volume.name
    assert not hasattr(volume, "__dict__")
    assert not hasattr(VolumeSpec.from_xml(volume.to_xml()), "__dict__")


def test_equal_is_of_the_same_class_with_the_same_values() -> None:
    assert VolumeSpec.raw("v", 1) == VolumeSpec.raw("v", "1 byte")
    assert VolumeSpec.raw("v", 1) != VolumeSpec.raw("v", 2)
    assert VolumeSpec(name="v", key="/v") != VolumeSpec(name="v")
    assert VolumeSpec(name="v", unknown=(Unknown("/volume/a", "<a/>"),)) != VolumeSpec(name="v")
    assert MpathSource() == MpathSource()
    assert hash(MpathSource()) == hash(MpathSource())
    assert MpathSource() != DirSource()
    assert DirSource() != "dir"


def test_what_was_read_is_a_full_object() -> None:
    read = VolumeSpec.from_xml("<volume><name>v</name></volume>")
    assert type(read) is VolumeSpec
    assert pickle.loads(pickle.dumps(read)) == read == copy.deepcopy(read)
    assert attrs.asdict(read)["name"] == "v"
    assert {read: 1}[VolumeSpec(name="v")] == 1


def test_changed_copies() -> None:
    pool = PoolSpec.gluster("g", host="a", source_name="v")
    assert pool.with_source(dir="/sub") == PoolSpec.gluster("g", host="a", source_name="v", dir="/sub")
    assert PoolSpec.dir("d", "/a").with_target(path="/b") == PoolSpec.dir("d", "/b")
    assert PoolSpec.zfs("z", source_name="p").with_target(path="/z") == PoolSpec.zfs(
        "z", source_name="p", path="/z"
    )
    volume = VolumeSpec.raw("v", 1)
    assert volume.with_target(nocow=True) == VolumeSpec.raw("v", 1, nocow=True)
    assert volume.target.nocow is False


def test_a_request_is_ready_to_be_sent() -> None:
    read = VolumeSpec.from_xml(
        "<volume type='file'><name>v</name><key>/srv/v</key><capacity>5</capacity><physical>5</physical>"
        "<target><path>/srv/v</path><format type='raw'/><timestamps><atime>1</atime></timestamps></target></volume>"
    )
    assert read.request(name="w", capacity="1 KiB") == VolumeSpec.raw("w", "1 KiB")
    disk = PoolSpec.from_xml(
        "<pool type='disk'><name>d</name><available>5</available><source><device path='/dev/sdb'>"
        "<freeExtent start='0' end='5'/></device></source><target><path>/dev</path></target></pool>"
    )
    assert disk.request() == PoolSpec.disk("d", "/dev/sdb")


# ---- shown to people ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        (
            VolumeSpec.raw("v", "20 GiB", allocation=0),
            (
                "VolumeSpec(name='v', capacity=Size('20 GiB'), allocation=Size('0 bytes'), "
                "target=VolumeTarget(…))"
            ),
        ),
        (SecretSpec(), "SecretSpec()"),
        (
            PoolSpec.dir("images", "/srv/images"),
            "PoolSpec(name='images', source=DirSource(), target=PoolTarget(path='/srv/images'))",
        ),
        (
            PoolSpec.rbd(
                "ceph",
                hosts=["mon1", "mon2:6789", "mon3"],
                source_name="images",
                auth=Auth.ceph("me", usage="key"),
            ),
            "PoolSpec(name='ceph', source=RbdSource(…))",
        ),
        (
            RbdSource(hosts=["mon1"], name="images"),
            "RbdSource(hosts=(SourceHost(name='mon1'),), name='images')",
        ),
        (
            VolumeSpec(name="v" * 200),
            f"VolumeSpec(name='{'v' * 81}…)",
        ),
        (VolumeSpec(name="a\nb", key="/reported"), r"VolumeSpec(name='a\nb')"),
    ],
)
def test_repr(document: Any, shown: str) -> None:
    assert repr(document) == shown
    assert len(shown) <= 100


# ---- answers --------------------------------------------------------------------------------------------------------


def test_a_secret_knows_how_it_is_referred_to() -> None:
    assert SecretSpec.ceph("key").ref() == SecretRef(usage="key")
    assert SecretSpec.volume("/srv/v", uuid=UUID).ref() == SecretRef(uuid=UUID)
    assert [Usage(type="volume", volume="/v").id, Usage(type="tls", name="n").id] == ["/v", "n"]
    assert Usage(type="iscsi", target="t").id == "t"


def test_capabilities() -> None:
    found = PoolCapabilities.from_xml(
        "<storagepoolCapabilities><pool type='dir' supported='yes'><volOptions><defaultFormat type='raw'/>"
        "<enum name='targetFormatType'><value>raw</value><value>qcow2</value></enum>"
        "<enum name='other'><value>x</value></enum></volOptions></pool>"
        "<pool type='zfs' supported='no'/><pool type='newer' supported='yes'/></storagepoolCapabilities>"
    )
    assert found.supports("dir")
    assert found.supports(PoolType.DIR)
    assert found.supports("newer")
    assert not found.supports("zfs")
    assert not found.supports("rbd")
    assert found.get("rbd") is None
    entry = found.get(PoolType.DIR)
    assert entry is not None
    assert entry.volume_options is not None
    assert entry.volume_options.formats == ("raw", "qcow2")


@pytest.mark.parametrize(
    ("type", "found", "source"),
    [
        (
            "netfs",
            {"hosts": "nas", "dir": "/e", "format": "nfs"},
            NetfsSource(hosts="nas", dir="/e", format="nfs"),
        ),
        ("netfs", {"hosts": "nas", "dir": "/e"}, NetfsSource(hosts="nas", dir="/e")),
        ("gluster", {"hosts": "g", "name": "v", "dir": "/d"}, GlusterSource(hosts="g", name="v", dir="/d")),
        (
            "logical",
            {"name": "vg", "devices": ["/dev/sda"], "format": "lvm2"},
            LogicalSource(name="vg", devices="/dev/sda", format="lvm2"),
        ),
        ("iscsi", {"hosts": "san", "devices": IQN}, IscsiSource(hosts="san", device=IQN)),
        (
            PoolType.ISCSI_DIRECT,
            {"hosts": "san", "devices": IQN, "initiator": IQN},
            IscsiDirectSource(hosts="san", device=IQN, initiator=IQN),
        ),
    ],
)
def test_a_found_source_is_ready_for_a_pool(type: str, found: dict[str, Any], source: Any) -> None:
    assert FoundSource(**found).as_source(type) == source


def test_a_found_source_may_lack_what_a_pool_needs() -> None:
    with pytest.raises(DocumentError, match=r"^Device\.path: "):
        FoundSource(hosts="san").as_source("iscsi")
    with pytest.raises(DocumentError, match=r"^Initiator\.iqn: is empty"):
        FoundSource(hosts="san", devices=IQN).as_source("iscsi-direct")
    newer = "<sources><source><host name='a'/><dir path='/e'/><format type='smb9'/></source></sources>"
    (source,) = PoolSources.from_xml(newer).found
    with pytest.raises(DocumentError, match=r"^NetfsSource\.format: 'smb9' is not valid; expected one of "):
        source.as_source("netfs")
    with pytest.raises(ValueError, match=r"^libvirt has no discovery of sources for disk pools$"):
        FoundSource(devices="/dev/sda").as_source("disk")


def test_features_of_both_kinds() -> None:
    assert VolumeSpec.qcow2("v", 1, extended_l2=True).target.features == VolumeFeatures(extended_l2=True)
    assert VolumeSpec.qcow2("v", 1).target.features is None
