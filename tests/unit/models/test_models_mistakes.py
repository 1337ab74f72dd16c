"""What constructors refuse, and in which words."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
import pytest

from libstorage.enums import SecretUsage, VolumeFormat
from libstorage.errors import DocumentError, Problem
from libstorage.models.adapters import FcHostAdapter, ParentAddress, PciAddress, ScsiHostAdapter
from libstorage.models.auth import Auth, SecretRef
from libstorage.models.capabilities import CapabilityOptions, PoolTypeCapabilities
from libstorage.models.encryption import Cipher, Encryption, Ivgen
from libstorage.models.permissions import Permissions
from libstorage.models.pool import PoolSpec
from libstorage.models.pool_parts import ConfigOption, PoolFeatures, PoolTarget
from libstorage.models.secret import SecretSpec, Usage
from libstorage.models.source_parts import Device, Initiator, SourceHost
from libstorage.models.sources import (
    DirSource,
    DiskSource,
    FsSource,
    GlusterSource,
    IscsiDirectSource,
    IscsiSource,
    MpathSource,
    NetfsSource,
    RbdSource,
    SheepdogSource,
    UnknownSource,
    VstorageSource,
    ZfsSource,
)
from libstorage.models.volume import BackingStore, VolumeFeatures, VolumeSpec, VolumeTarget

IQN = "iqn.2013-06.com.example:target"
UUID = "2ec115d7-3a88-3ceb-bc12-0ac909a6fd87"
FORMATS = ", ".join(VolumeFormat)
FILE_SYSTEMS = "auto, ext2, ext3, ext4, ufs, iso9660, udf, gfs, gfs2, vfat, hfs+, xfs, ocfs2, vmfs"

LUKS = Encryption.luks(usage="key")
TWO = (SecretRef(usage="a"), SecretRef(usage="b"))
CHAP = Auth.chap("me", usage="key")
CEPH = Auth.ceph("me", usage="key")
SRV = PoolTarget(path="/srv")

# What a person does, and what is said to it.
MISTAKES: list[tuple[Any, ...]] = [
    # names
    (
        lambda: PoolSpec.dir("a/b", "/srv"),
        "PoolSpec.name: 'a/b' is not valid; expected a name, without '/' and line breaks",
    ),
    (
        lambda: PoolSpec.dir("", "/srv"),
        "PoolSpec.name: '' is not valid; expected a name, without '/' and line breaks",
    ),
    (
        lambda: PoolSpec.dir(5, "/srv"),  # type: ignore[arg-type]
        "PoolSpec.name: 5 is an int; expected a name, without '/' and line breaks",
    ),
    (
        lambda: VolumeSpec.raw("..", 1),
        "VolumeSpec.name: '..' is not valid; expected a name without '/', and neither '.' nor '..'",
    ),
    (lambda: VolumeSpec.raw("v\0", 1), r"VolumeSpec.name: 'v\x00' holds '\x00', which XML cannot represent"),
    (lambda: VolumeSpec(name=None), "VolumeSpec.name: is required, not None"),  # type: ignore[arg-type]
    # paths
    (
        lambda: PoolSpec.dir("a", "srv/images"),
        "PoolTarget.path: 'srv/images' is not valid; expected an absolute path below /, such as /srv/images",
    ),
    (
        lambda: PoolSpec.dir("a", "/"),
        "PoolTarget.path: '/' is not valid; expected an absolute path below /, such as /srv/images",
    ),
    (
        lambda: BackingStore(path="base.qcow2"),
        "BackingStore.path: 'base.qcow2' is not valid; expected an absolute path below /, such as /srv/images",
    ),
    (
        lambda: Device(path="sdb 1"),
        "Device.path: 'sdb 1' is not valid; expected an absolute path, a plain name, or an iSCSI name such as iqn.2013-06.com.example:target",
    ),
    (
        lambda: GlusterSource(hosts="g", name="v", dir="sub"),
        "GlusterSource.dir: 'sub' is not valid; expected an absolute path",
    ),
    # sizes
    (
        lambda: VolumeSpec.raw("v", "1.5 GiB"),
        "VolumeSpec.capacity: '1.5 GiB' is not a whole number, which is all that libvirt reads; write '1536 MiB'",
    ),
    (
        lambda: VolumeSpec.raw("v", "20 gigs"),
        (
            "VolumeSpec.capacity: 'gigs' is not a unit of size; "
            "libvirt's units are bytes, KiB, MiB, GiB, TiB, PiB, EiB, KB, MB, GB, TB, PB, EB"
        ),
    ),
    (lambda: VolumeSpec.raw("v", -1), "VolumeSpec.capacity: -1 is negative: a size is 0 or more bytes"),
    (
        lambda: VolumeSpec.raw("v", 1.5),  # type: ignore[arg-type]
        "VolumeSpec.capacity: 1.5 is a float; expected a size, in bytes or with a unit",
    ),
    (
        lambda: VolumeSpec.raw("v", True),
        "VolumeSpec.capacity: True is a bool; expected a size, in bytes or with a unit",
    ),
    (
        lambda: VolumeSpec.raw("v", 2**63),
        "VolumeSpec.capacity: 8 EiB is too large: libvirt's limit is 9223372036854775807 bytes (8 EiB less 1)",
    ),
    # permissions
    (
        lambda: Permissions(mode=755),
        "Permissions.mode: 755 is not valid; expected an octal mode from 0 to 0777 (did you mean 0o755?)",
    ),
    (
        lambda: Permissions(mode="rwx"),
        "Permissions.mode: 'rwx' is not valid; expected an octal mode from 0 to 0777",
    ),
    (
        lambda: Permissions(mode=0o1777),
        "Permissions.mode: 0o1777 is not valid; expected an octal mode from 0 to 0777",
    ),
    (
        lambda: Permissions(owner="root"),  # type: ignore[arg-type]
        "Permissions.owner: 'root' is a str; expected the number of a user or group, or -1 to leave it to libvirt",
    ),
    (
        lambda: PoolSpec.dir("a", "/srv", permissions=0o755),  # type: ignore[arg-type]
        "PoolTarget.permissions: 493 is an int; expected Permissions",
    ),
    # words and switches
    (
        lambda: PoolSpec.fs("a", "/srv", "/dev/sdb1", format="ext44"),
        f"FsSource.format: 'ext44' is not valid; expected one of {FILE_SYSTEMS} (did you mean 'ext4'?)",
    ),
    (
        lambda: VolumeSpec.image("v", "QCOW2", 1),
        f"VolumeTarget.format: 'QCOW2' is not valid; expected one of {FORMATS} (did you mean 'qcow2'?)",
    ),
    (
        lambda: Auth(type="kerberos", username="me", secret=SecretRef(usage="key")),
        "Auth.type: 'kerberos' is not valid; expected one of chap, ceph",
    ),
    (
        lambda: PoolSpec.dir("a", "/srv", cow="yes"),  # type: ignore[arg-type]
        "PoolFeatures.cow: 'yes' is a str; expected True or False",
    ),
    (lambda: VolumeSpec.raw("v", 1, nocow=1), "VolumeTarget.nocow: 1 is an int; expected True or False"),  # type: ignore[arg-type]
    # classes
    (
        lambda: VolumeSpec.qcow2("v", 1, backing="/base"),  # type: ignore[arg-type]
        "VolumeSpec.backing_store: '/base' is a str; expected BackingStore",
    ),
    (
        lambda: PoolSpec.scsi("a", 5),  # type: ignore[arg-type]
        "ScsiSource.adapter: 5 is an int; expected one of ScsiHostAdapter, FcHostAdapter, UnknownAdapter",
    ),
    (
        lambda: PoolSpec(name="a", source=DirSource(), target=SRV, unknown=["x"]),  # type: ignore[arg-type]
        "PoolSpec.unknown: ['x'] is a list; expected a tuple",
    ),
    (
        lambda: PoolSpec(name="a", source=DirSource(), target=SRV, unknown=("x",)),  # type: ignore[arg-type]
        "PoolSpec.unknown: 'x' is a str; expected Unknown",
    ),
    (
        lambda: PoolSpec.rbd("a", hosts="m", source_name="p", config_options=["x"]),  # type: ignore[list-item]
        "PoolSpec.config_options: 'x' is a str; expected ConfigOption",
    ),
    (
        lambda: PoolSpec.netfs("a", "/srv", host="nas", dir="/e", mount_options=["ro", 5]),  # type: ignore[list-item]
        "PoolSpec.mount_options: 5 is an int; expected a string",
    ),
    (
        lambda: UnknownSource(type="newer"),
        "UnknownSource.type: 'newer' is not valid; expected a word from a document that was read",
    ),
    # servers and logins
    (
        lambda: PoolSpec.netfs("a", "/srv", host="nas:/export", dir="/e"),
        "SourceHost.name: 'nas:/export' is not valid; expected a DNS name, an IPv4 address or an IPv6 address without brackets",
    ),
    (
        lambda: SourceHost(name="nas", port=99999),
        "SourceHost.port: 99999 is not valid; expected a port from 0 to 65535, or -1 to leave it to libvirt",
    ),
    (
        lambda: PoolSpec.netfs("a", "/srv", host=["nas1", "nas2"], dir="/e"),
        "NetfsSource.hosts: libvirt accepts exactly one host for this pool type, not 2",
    ),
    (
        lambda: IscsiSource(hosts=(), device=IQN),
        "IscsiSource.hosts: libvirt accepts exactly one host for this pool type, not 0",
    ),
    (
        lambda: GlusterSource(hosts=["a", "b", "c"], name="v"),
        "GlusterSource.hosts: libvirt accepts exactly one host for this pool type, not 3",
    ),
    (lambda: RbdSource(hosts=(), name="p"), "RbdSource.hosts: at least one host is needed"),
    (lambda: SheepdogSource(hosts=(), name="p"), "SheepdogSource.hosts: at least one host is needed"),
    (
        lambda: IscsiSource(hosts="san", device=IQN, auth=CEPH),
        "IscsiSource.auth: pools of this type log in with chap, not ceph",
    ),
    (
        lambda: RbdSource(hosts="mon", name="p", auth=CHAP),
        "RbdSource.auth: pools of this type log in with ceph, not chap",
    ),
    (
        lambda: IscsiDirectSource(hosts=[], device="/dev/sdb", initiator=IQN, auth=CEPH),
        "IscsiDirectSource.hosts: libvirt accepts exactly one host for this pool type, not 0",
        "IscsiDirectSource.auth: pools of this type log in with chap, not ceph",
        "IscsiDirectSource.device.path: '/dev/sdb' is not valid; expected an iSCSI name such as iqn.2013-06.com.example:target",
    ),
    (
        lambda: IscsiDirectSource(hosts="san", device=Device(path=IQN, part_separator=True), initiator=IQN),
        "IscsiDirectSource.device: an iSCSI device cannot have part_separator or free_extents",
    ),
    (
        lambda: Initiator(iqn=""),
        "Initiator.iqn: is empty; expected an iSCSI name such as iqn.2013-06.com.example:target",
    ),
    (
        lambda: NetfsSource(hosts="nas", dir="export"),
        "NetfsSource.dir: 'export' is not an absolute path; only cifs and glusterfs accept a bare name",
    ),
    (
        lambda: NetfsSource(hosts="nas", dir="share", format="cifs", protocol_version="3"),
        "NetfsSource.protocol_version: cifs does not take a protocol version; only NFS does",
    ),
    # adapters
    (
        ScsiHostAdapter,
        "ScsiHostAdapter.name: an adapter is identified by either its name or its parent; give exactly one of them",
    ),
    (
        lambda: ParentAddress(address=PciAddress(slot=1)),
        "ParentAddress.unique_id: libvirt requires this field, although its schema does not",
    ),
    (lambda: PciAddress(slot=32), "PciAddress.slot: 0x20 is not valid; expected a number from 0 to 0x1f"),
    (
        lambda: FcHostAdapter(wwnn="1", wwpn="2" * 16, parent_wwnn="3" * 16),
        "FcHostAdapter.wwnn: '1' is not valid; expected a World Wide Name: 16 hexadecimal digits, with or without 0x before them",
    ),
    (
        lambda: FcHostAdapter(wwnn="1" * 16, wwpn="2" * 16, parent_wwnn="3" * 16),
        "FcHostAdapter.parent_wwnn: parent_wwnn and parent_wwpn must be given together or not at all",
    ),
    # secrets and encryption
    (
        lambda: Auth.chap("me"),
        "SecretRef.uuid: a secret is identified by either its uuid or its usage; give exactly one of them",
    ),
    (
        lambda: Encryption.luks(uuid=UUID, usage="key"),
        "SecretRef.uuid: a secret is identified by either its uuid or its usage; give exactly one of them",
    ),
    (
        lambda: SecretRef(uuid="1234"),
        "SecretRef.uuid: '1234' is not valid; expected a UUID: 32 hexadecimal digits, with hyphens as in 3e3fce45-4f53-4fa7-bb32-11f34168b82b or without any",
    ),
    *(
        (
            lambda of=of: Encryption(**of),
            "Encryption.secrets: libvirt needs a secret, which holds the passphrase",
        )
        for of in ({"format": "luks"}, {"format": "luks-any", "engine": "librbd"})
    ),
    *(
        (
            lambda engine=engine: Encryption(format="luks", engine=engine, secrets=TWO),
            "Encryption.secrets: libvirt accepts one secret only, save for layers of RBD images, with engine librbd",
        )
        for engine in (None, "qemu")
    ),
    *(
        (
            lambda form=form, engine=engine: Encryption(format=form, engine=engine, secrets=LUKS.secrets),
            f"Encryption.engine: libvirt supports {form} with engine librbd only",
        )
        for form in ("luks2", "luks-any")
        for engine in (None, "qemu")
    ),
    (
        lambda: Encryption(format="qcow", secrets=SecretRef(usage="a")),
        "Encryption.format: libvirt no longer creates qcow volumes; expected luks",
    ),
    (
        lambda: Encryption.luks(usage="key", cipher=Cipher(name="aes", size=256)),
        "Encryption.cipher: cipher and ivgen must be given together or not at all",
    ),
    (
        lambda: Cipher(name="aes", size=256, mode="cbc"),
        "Cipher.mode: mode and hash must be given together or not at all",
    ),
    (
        lambda: VolumeSpec.image("v", "vmdk", 1, encryption=LUKS),
        "VolumeTarget.encryption: libvirt encrypts raw and qcow2 volumes, not vmdk",
    ),
    (
        lambda: Usage(type="ceph", volume="/srv/v"),
        "Usage.volume: a secret for ceph cannot have a volume",
        "Usage.name: a secret for ceph needs a name",
    ),
    (
        lambda: SecretSpec().ref(),
        "SecretRef.uuid: a secret is identified by either its uuid or its usage; give exactly one of them",
    ),
    # pools
    (lambda: PoolSpec(name="a", source=DirSource()), "PoolSpec.target: dir pools need a target"),
    (
        lambda: PoolSpec(name="a", source=RbdSource(hosts="m", name="p"), target=SRV),
        "PoolSpec.target: rbd pools cannot have a target",
    ),
    (
        lambda: PoolSpec(name="a", source=ZfsSource(name="p"), target=PoolTarget()),
        "PoolSpec.target.path: the target of zfs pools needs a path",
    ),
    (
        lambda: PoolSpec(name="a", source=DirSource(), target=SRV, mount_options="ro"),
        "PoolSpec.mount_options: dir pools do not support mount_options",
    ),
    (
        lambda: PoolSpec(name="a", source=MpathSource(), target=SRV, features=PoolFeatures(cow=True)),
        "PoolSpec.features.cow: only dir and fs pools support cow, not mpath pools",
    ),
    (
        lambda: PoolSpec.dir("a", "/srv", uuid="1234"),
        "PoolSpec.uuid: '1234' is not valid; expected a UUID: 32 hexadecimal digits, with hyphens as in 3e3fce45-4f53-4fa7-bb32-11f34168b82b or without any",
    ),
    # volumes
    (
        lambda: VolumeSpec.image("v", "raw", 1, backing=BackingStore(path="/base")),
        "VolumeSpec.backing_store: raw volumes cannot have a backing store; use qcow2, or in a logical pool a snapshot, for which the format is left out",
    ),
    (
        lambda: VolumeSpec.image("v", "vdi", 1, backing=BackingStore(path="/base")),
        "VolumeSpec.backing_store: vdi volumes cannot have a backing store; use qcow2, or in a logical pool a snapshot, for which the format is left out",
    ),
    (
        lambda: VolumeSpec.image("v", "vmdk", 1, backing=BackingStore(path="/base", format="raw")),
        "VolumeSpec.backing_store: libvirt accepts vmdk volumes over vmdk only, not over raw",
    ),
    (
        lambda: VolumeSpec.image("v", "qed", 1, backing=BackingStore(path="/base", format="qcow2")),
        "VolumeSpec.backing_store: libvirt accepts qed volumes over raw only, not over qcow2",
    ),
    (
        lambda: VolumeSpec.image("v", "qcow", 0),
        "VolumeSpec.capacity: a qcow volume needs a capacity of at least one byte",
    ),
    (
        lambda: VolumeTarget(compat="1.1", cluster_size=512, features=VolumeFeatures()),
        "VolumeTarget.compat: only qcow2 volumes have compat; expected format qcow2",
        "VolumeTarget.cluster_size: only qcow2 volumes have cluster_size; expected format qcow2",
        "VolumeTarget.features: only qcow2 volumes have features; expected format qcow2",
    ),
    (
        lambda: VolumeSpec.qcow2("v", 1, cluster_size=8192, extended_l2=True),
        "VolumeTarget.cluster_size: extended_l2 needs clusters of 16 KiB or more; expected 16 KiB to 2 MiB",
    ),
    (
        lambda: VolumeSpec.raw("my disk", 1, encryption=LUKS),
        "VolumeSpec.name: 'my disk' is not a valid name for an encrypted volume; expected a letter, followed by letters, digits and -._",
    ),
    (
        lambda: PoolSpec.netfs("n", "/srv", host="nas", dir="/e", protocol_version="4,ro"),
        "NetfsSource.protocol_version: '4,ro' contains a comma; expected a version without a comma",
    ),
    (lambda: Auth.chap("", usage="key"), "Auth.username: is empty; expected a user name"),
    (
        lambda: ConfigOption(name="", value=""),
        "ConfigOption.name: is empty, which libvirt refuses; expected some text",
        "ConfigOption.value: is empty, which libvirt refuses; expected some text",
    ),
    (
        lambda: ScsiHostAdapter(name="host&1"),
        "ScsiHostAdapter.name: 'host&1' contains <, & or ', which libvirt writes into its XML without escaping",
    ),
    (
        lambda: ScsiHostAdapter(name="host<1"),
        "ScsiHostAdapter.name: 'host<1' contains <, & or ', which libvirt writes into its XML without escaping",
    ),
    (
        lambda: ScsiHostAdapter(name="host'1"),
        "ScsiHostAdapter.name: \"host'1\" contains <, & or ', which libvirt writes into its XML without escaping",
    ),
    (
        lambda: Cipher(name="", size=1, mode="", hash=""),
        "Cipher.name: is empty, which qemu-img refuses",
        "Cipher.mode: is empty, which qemu-img refuses",
        "Cipher.hash: is empty, which qemu-img refuses",
    ),
    (
        lambda: Ivgen(name="", hash=""),
        "Ivgen.name: is empty, which qemu-img refuses",
        "Ivgen.hash: is empty, which qemu-img refuses",
    ),
    *(
        (
            lambda form=form: Encryption(
                format=form,
                engine="librbd",
                secrets=LUKS.secrets,
                cipher=Cipher(name="aes", size=256),
                ivgen=Ivgen(name="plain"),
            ),
            f"Encryption.cipher: libvirt drops the cipher of {form}; leave it out",
        )
        for form in ("luks2", "luks-any")
    ),
    (
        lambda: VolumeSpec.qcow2("v", 1, compat="0.10", lazy_refcounts=True, extended_l2=True),
        "VolumeTarget.compat: lazy_refcounts needs compat 1.1, not 0.10",
        "VolumeTarget.compat: extended_l2 needs compat 1.1, not 0.10",
    ),
    (
        lambda: VolumeSpec.qcow2("v", 1, compat="0.10", extended_l2=True),
        "VolumeTarget.compat: extended_l2 needs compat 1.1, not 0.10",
    ),
    (
        lambda: VolumeSpec.qcow2("v", 1, compat="1.2"),
        "VolumeTarget.compat: qcow2 has no version 1.2; expected 0.10 or 1.1",
    ),
    (
        lambda: VolumeSpec.qcow2("v", 1, compat="3"),
        "VolumeTarget.compat: '3' is not valid; expected a version with one dot, such as 1.1",
    ),
    (
        lambda: VolumeSpec.qcow2("v", 1, cluster_size="3 KiB"),
        "VolumeTarget.cluster_size: 3 KiB is not a valid cluster size for qcow2; expected 512 bytes to 2 MiB, a power of 2",
    ),
    (
        lambda: VolumeSpec.qcow2("v", 1, cluster_size=256),
        "VolumeTarget.cluster_size: 256 bytes is not a valid cluster size for qcow2; expected 512 bytes to 2 MiB, a power of 2",
    ),
    (
        lambda: VolumeSpec.qcow2("v", 1, cluster_size="4 MiB"),
        "VolumeTarget.cluster_size: 4 MiB is not a valid cluster size for qcow2; expected 512 bytes to 2 MiB, a power of 2",
    ),
    *(
        (
            lambda name=name: VolumeSpec.raw(name, 1, encryption=LUKS),
            f"VolumeSpec.name: {name!r} is not a valid name for an encrypted volume; expected a letter, followed by letters, digits and -._",
        )
        for name in ("1v", "_v", ".v", "v:1", "vé")
    ),
    *(
        (
            lambda source=source: PoolSpec(
                name="a", source=source, target=SRV, features=PoolFeatures(cow=False)
            ),
            f"PoolSpec.features.cow: only dir and fs pools support cow, not {source.type} pools",
        )
        for source in (
            NetfsSource(hosts="nas", dir="/e"),
            VstorageSource(name="c"),
            DiskSource(device="/dev/sdb"),
        )
    ),
    (
        lambda: VolumeSpec(name="v", type="filee"),
        "VolumeSpec.type: 'filee' is not valid; expected one of file, block, dir, network, netdir, ploop (did you mean 'file'?)",
    ),
    # capabilities
    (
        lambda: PoolTypeCapabilities(type="dir", supported=True, volume_options=CapabilityOptions()),
        "PoolTypeCapabilities.volume_options.default_format: libvirt's schema requires this field",
    ),
]


@pytest.mark.parametrize(
    ("mistake", "said"), [pytest.param(row[0], list(row[1:]), id=row[1].split(":")[0]) for row in MISTAKES]
)
def test_a_mistake_is_told(mistake: Callable[[], Any], said: list[str]) -> None:
    with pytest.raises(DocumentError) as caught:
        mistake()
    assert [str(problem) for problem in caught.value.problems] == said
    assert all(line in str(caught.value) for line in said)


# What is just sound: each end of a list, each place.
SOUND: list[Callable[[], Any]] = [
    *(partial(VolumeSpec.qcow2, "v", 1, cluster_size=512 << power) for power in range(13)),
    lambda: VolumeSpec.qcow2("v", 1, cluster_size="16 KiB", extended_l2=True),
    lambda: VolumeSpec.qcow2("v", 1, extended_l2=True),
    lambda: VolumeSpec.qcow2("v", 1, compat="0.10"),
    lambda: VolumeSpec.qcow2("v", 1, compat="1.1", lazy_refcounts=True, extended_l2=True),
    *(partial(VolumeSpec.raw, name, 1, encryption=LUKS) for name in ("v", "V1", "v-._9", "z" * 200)),
    *(partial(VolumeSpec.image, "v", form, 1, encryption=LUKS) for form in ("raw", "qcow2")),
    *(
        partial(Encryption, format=form, engine="librbd", secrets=secrets)
        for form in ("luks", "luks2", "luks-any")
        for secrets in (LUKS.secrets, TWO)
    ),
    partial(Encryption.luks_any, usage="key", parents=TWO),
    *(
        partial(VolumeSpec.image, "v", form, 1, backing=BackingStore(path="/b", format=below))
        for form, below in (
            ("cow", "raw"),
            ("qcow", "qcow2"),
            ("qcow2", "vmdk"),
            ("qed", "raw"),
            ("vmdk", "vmdk"),
        )
    ),
    partial(VolumeSpec.image, "v", "qcow", 1),
    partial(PciAddress, domain=0xFFFFFFFF, bus=0xFF, slot=0x1F, function=7),
    partial(PciAddress, domain=0, bus=0, slot=0, function=0),
    partial(ParentAddress, unique_id=1, address=PciAddress()),
    partial(SourceHost, name="h", port=-1),
    partial(SourceHost, name="h", port=65535),
    partial(Permissions, mode=0o777, owner=-1, group=2**32 - 1),
    partial(Permissions, mode=0, owner=0, group=0),
    *(
        partial(PoolSpec, name="a", source=source, target=SRV, features=PoolFeatures(cow=cow))
        for source in (DirSource(), FsSource(device="/dev/sdb"))
        for cow in (True, False)
    ),
    partial(PoolSpec, name="a", source=MpathSource(), target=SRV, features=PoolFeatures()),
    partial(VolumeSpec.raw, "v", 2**63 - 1),
    partial(VolumeSpec.raw, "...", 0),
    partial(RbdSource, hosts="m", name="p", auth=CEPH),
    partial(IscsiSource, hosts="m", device=IQN, auth=CHAP),
    partial(NetfsSource, hosts="nas", dir="share", format="cifs"),
    partial(NetfsSource, hosts="nas", dir="volume", format="glusterfs"),
    partial(NetfsSource, hosts="nas", dir="/e", format="nfs", protocol_version="4.2"),
]


@pytest.mark.parametrize("number", range(len(SOUND)))
def test_what_is_just_sound_is_taken(number: int) -> None:
    assert SOUND[number]() is not None


PLACES_OF_USAGE = {"volume": "volume", "ceph": "name", "iscsi": "target", "tls": "name", "vtpm": "name"}


@pytest.mark.parametrize("kind", SecretUsage)
@pytest.mark.parametrize("place", ["volume", "name", "target"])
def test_each_usage_of_a_secret_has_one_place(kind: SecretUsage, place: str) -> None:
    given = {place: "/srv/v" if place == "volume" else "n"}
    if place == PLACES_OF_USAGE[kind]:
        spec = SecretSpec(usage=Usage(type=kind, **given))
        assert spec.usage is not None
        assert spec.usage.id == given[place]
        assert SecretSpec.from_xml(spec.to_xml(), strict=True) == spec
        return
    with pytest.raises(DocumentError) as caught:
        Usage(type=kind, **given)
    assert {problem.path for problem in caught.value.problems} == {
        f"Usage.{place}",
        f"Usage.{PLACES_OF_USAGE[kind]}",
    }


def test_an_error_carries_its_problems() -> None:
    with pytest.raises(DocumentError) as caught:
        PciAddress(bus=256, slot=32, function=True)
    assert caught.value.problems == (
        Problem("PciAddress.bus", "0x100 is not valid", found="0x100", expected="a number from 0 to 0xff"),
        Problem("PciAddress.slot", "0x20 is not valid", found="0x20", expected="a number from 0 to 0x1f"),
        Problem("PciAddress.function", "True is a bool", found="True", expected="a number from 0 to 7"),
    )
    assert isinstance(caught.value, ValueError)


def test_changes_are_judged_too() -> None:
    volume = VolumeSpec.raw("v", "1 GiB")
    with pytest.raises(DocumentError, match=r"^VolumeSpec\.capacity: 'x' is not a size"):
        attrs.evolve(volume, capacity="x")
    with pytest.raises(DocumentError, match=r"^VolumeTarget\.format: "):
        volume.with_target(format="rwa")
    with pytest.raises(DocumentError, match=r"^VolumeSpec\.name: "):
        volume.request(name="a/b")
    with pytest.raises(DocumentError, match=r"^PoolSpec\.target: dir pools need a target$"):
        attrs.evolve(PoolSpec.dir("a", "/srv"), target=None)


def test_what_was_read_is_judged_when_asked() -> None:
    """Each problem by its place: reading judges less than constructors do."""
    read = PoolSpec.from_xml(
        "<pool type='rbd'><name>a</name><source><host name='ok'/><host name='no host'/><name>p</name>"
        "<auth type='chap' username='me'><secret/></auth></source><target><path>rel</path></target></pool>"
    )
    with pytest.raises(DocumentError) as caught:
        read.check()
    assert [str(problem) for problem in caught.value.problems] == [
        "PoolSpec.target: rbd pools cannot have a target",
        "PoolSpec.source.auth: pools of this type log in with ceph, not chap",
        "PoolSpec.source.hosts[1].name: 'no host' is not valid; expected a DNS name, an IPv4 address or an IPv6 address without brackets",
        "PoolSpec.source.auth.secret.uuid: a secret is identified by either its uuid or its usage; give exactly one of them",
        "PoolSpec.target.path: 'rel' is not valid; expected an absolute path below /, such as /srv/images",
    ]
