"""The sources of pools: one class for each pool type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import ClassVar

from attrs import field, frozen
from typing_extensions import deprecated

from libstorage.enums import AuthType, DiskFormat, FsFormat, LogicalFormat, NetfsFormat, PoolType
from libstorage.errors import Problem
from libstorage.models.adapters import ADAPTERS, Adapter, to_adapter
from libstorage.models.auth import Auth
from libstorage.models.convert import (
    PathText,
    to_disk_format,
    to_fs_format,
    to_logical_format,
    to_netfs_format,
)
from libstorage.models.source_parts import (
    ABSOLUTE_DIR,
    DIR,
    IQN,
    SOURCE_NAME,
    Device,
    Initiator,
    SourceHost,
    to_device,
    to_devices,
    to_devices_or_device,
    to_hosts,
    to_initiator,
    to_mounted_hosts,
    to_optional_initiator,
)
from libstorage.xml.document import Element
from libstorage.xml.fields import Variants, child, children, text, value, variant, word
from libstorage.xml.kinds import UnknownWord, words

_HOSTS = children("host", SourceHost, doc="The servers.")
_DEVICE = child("device", Device, doc="The device.")
_DEVICES = children("device", Device, doc="The devices.")
_INITIATOR = child("initiator", Initiator, doc="Identity that this host presents to the iSCSI target.")
_AUTH = child("auth", Auth, doc="Login at the source.")
_VENDOR = value("vendor", "name", doc="Vendor of the storage; libvirt stores it and does not use it.")
_PRODUCT = value("product", "name", doc="Product name of the storage; libvirt stores it and does not use it.")


class Presence(StrEnum):
    """The rule for an element: required, optional or forbidden."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    FORBIDDEN = "forbidden"


_PLAIN = frozenset({"features"})
_MOUNTED = _PLAIN | {"mount_options"}
_CEPH = _PLAIN | {"refresh", "config_options"}


def _not_one(hosts: tuple[SourceHost, ...]) -> str | None:
    return (
        None if len(hosts) == 1 else f"libvirt accepts exactly one host for this pool type, not {len(hosts)}"
    )


def _none(hosts: tuple[SourceHost, ...]) -> str | None:
    return None if hosts else "at least one host is needed"


def _other_login(auth: Auth | None, only: AuthType) -> str | None:
    return (
        None
        if auth is None or auth.type == only
        else f"pools of this type log in with {only}, not {auth.type}"
    )


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class DirSource(Element):
    """Source of a dir pool: the pool has only its target."""

    TAG: ClassVar[str] = "source"
    type: ClassVar[PoolType] = PoolType.DIR
    target: ClassVar[Presence] = Presence.REQUIRED
    allows: ClassVar[frozenset[str]] = _PLAIN

    vendor: str | None = field(default=None, metadata=_VENDOR)
    product: str | None = field(default=None, metadata=_PRODUCT)


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class FsSource(Element):
    """Source of an fs pool: a block device with a file system, which libvirt mounts."""

    TAG: ClassVar[str] = "source"
    type: ClassVar[PoolType] = PoolType.FS
    target: ClassVar[Presence] = Presence.REQUIRED
    allows: ClassVar[frozenset[str]] = _MOUNTED

    device: Device = field(converter=to_device, metadata=_DEVICE)
    format: FsFormat | UnknownWord | None = field(
        default=None,
        converter=to_fs_format,
        metadata=value("format", "type", words(FsFormat), doc="The file system; libvirt's default is auto."),
    )
    vendor: str | None = field(default=None, metadata=_VENDOR)
    product: str | None = field(default=None, metadata=_PRODUCT)


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class NetfsSource(Element):
    """Source of a netfs pool: a directory on a server, which libvirt mounts."""

    TAG: ClassVar[str] = "source"
    type: ClassVar[PoolType] = PoolType.NETFS
    target: ClassVar[Presence] = Presence.REQUIRED
    allows: ClassVar[frozenset[str]] = _MOUNTED

    hosts: tuple[SourceHost, ...] = field(converter=to_mounted_hosts, metadata=_HOSTS)
    dir: str = field(metadata=value("dir", "path", DIR, doc="The exported directory, share or volume."))
    format: NetfsFormat | UnknownWord | None = field(
        default=None,
        converter=to_netfs_format,
        metadata=value(
            "format", "type", words(NetfsFormat), doc="The network file system; libvirt's default is auto."
        ),
    )
    protocol_version: str | None = field(
        default=None, metadata=value("protocol", "ver", doc="NFS protocol version, such as 4.1.")
    )
    vendor: str | None = field(default=None, metadata=_VENDOR)
    product: str | None = field(default=None, metadata=_PRODUCT)

    def _rules(self) -> Iterator[Problem]:
        if self.protocol_version and "," in self.protocol_version:
            yield self._broken(
                "protocol_version",
                f"{self.protocol_version!r} contains a comma",
                expected="a version without a comma",
            )
        if wrong := _not_one(self.hosts):
            yield self._broken("hosts", wrong)
        if self.format in (NetfsFormat.CIFS, NetfsFormat.GLUSTERFS):
            if self.protocol_version is not None:
                yield self._broken(
                    "protocol_version", f"{self.format} does not take a protocol version; only NFS does"
                )
        elif not self.dir.startswith("/"):
            yield self._broken(
                "dir", f"{self.dir!r} is not an absolute path; only cifs and glusterfs accept a bare name"
            )


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class LogicalSource(Element):
    """Source of a logical pool: an LVM volume group, and the devices to build it from."""

    TAG: ClassVar[str] = "source"
    type: ClassVar[PoolType] = PoolType.LOGICAL
    target: ClassVar[Presence] = Presence.REQUIRED
    allows: ClassVar[frozenset[str]] = _PLAIN

    devices: tuple[Device, ...] = field(default=(), converter=to_devices, metadata=_DEVICES)
    name: str | None = field(
        default=None,
        metadata=text("name", doc="The volume group; libvirt's default is the pool's name.", repeats=True),
    )
    format: LogicalFormat | UnknownWord | None = field(
        default=None,
        converter=to_logical_format,
        metadata=value(
            "format", "type", words(LogicalFormat), doc="The volume manager; libvirt's default is lvm2."
        ),
    )
    vendor: str | None = field(default=None, metadata=_VENDOR)
    product: str | None = field(default=None, metadata=_PRODUCT)


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class DiskSource(Element):
    """Source of a disk pool: a disk whose partitions are the volumes."""

    TAG: ClassVar[str] = "source"
    type: ClassVar[PoolType] = PoolType.DISK
    target: ClassVar[Presence] = Presence.REQUIRED
    allows: ClassVar[frozenset[str]] = _PLAIN

    device: Device = field(converter=to_device, metadata=_DEVICE)
    format: DiskFormat | UnknownWord | None = field(
        default=None,
        converter=to_disk_format,
        metadata=value(
            "format", "type", words(DiskFormat), doc="The partition table; libvirt's default is unknown."
        ),
    )
    vendor: str | None = field(default=None, metadata=_VENDOR)
    product: str | None = field(default=None, metadata=_PRODUCT)


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class IscsiSource(Element):
    """Source of an iscsi pool: a target to which the host's kernel logs in."""

    TAG: ClassVar[str] = "source"
    type: ClassVar[PoolType] = PoolType.ISCSI
    target: ClassVar[Presence] = Presence.REQUIRED
    allows: ClassVar[frozenset[str]] = _PLAIN

    hosts: tuple[SourceHost, ...] = field(converter=to_hosts, metadata=_HOSTS)
    device: Device = field(converter=to_device, metadata=_DEVICE)
    initiator: Initiator | None = field(default=None, converter=to_optional_initiator, metadata=_INITIATOR)
    auth: Auth | None = field(default=None, metadata=_AUTH)
    vendor: str | None = field(default=None, metadata=_VENDOR)
    product: str | None = field(default=None, metadata=_PRODUCT)

    def _rules(self) -> Iterator[Problem]:
        if wrong := _not_one(self.hosts):
            yield self._broken("hosts", wrong)
        if wrong := _other_login(self.auth, AuthType.CHAP):
            yield self._broken("auth", wrong)


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class IscsiDirectSource(Element):
    """Source of an iscsi-direct pool: a target that libvirt itself reads through libiscsi."""

    TAG: ClassVar[str] = "source"
    type: ClassVar[PoolType] = PoolType.ISCSI_DIRECT
    target: ClassVar[Presence] = Presence.FORBIDDEN
    allows: ClassVar[frozenset[str]] = _PLAIN

    hosts: tuple[SourceHost, ...] = field(converter=to_hosts, metadata=_HOSTS)
    device: Device = field(converter=to_device, metadata=_DEVICE)
    initiator: Initiator = field(converter=to_initiator, metadata=_INITIATOR)
    auth: Auth | None = field(default=None, metadata=_AUTH)

    def _rules(self) -> Iterator[Problem]:
        if wrong := _not_one(self.hosts):
            yield self._broken("hosts", wrong)
        if wrong := _other_login(self.auth, AuthType.CHAP):
            yield self._broken("auth", wrong)
        if not_iscsi := IQN.check(self.device.path):
            yield self._broken("device.path", not_iscsi)
        if self.device.part_separator is not None or self.device.free_extents:
            yield self._broken("device", "an iSCSI device cannot have part_separator or free_extents")


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class ScsiSource(Element):
    """Source of a scsi pool: a SCSI or Fibre Channel host adapter."""

    TAG: ClassVar[str] = "source"
    type: ClassVar[PoolType] = PoolType.SCSI
    target: ClassVar[Presence] = Presence.REQUIRED
    allows: ClassVar[frozenset[str]] = _PLAIN

    adapter: Adapter = field(converter=to_adapter, metadata=variant("adapter", ADAPTERS, doc="The adapter."))
    vendor: str | None = field(default=None, metadata=_VENDOR)
    product: str | None = field(default=None, metadata=_PRODUCT)


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class MpathSource(Element):
    """Source of an mpath pool: all multipath devices of the host."""

    TAG: ClassVar[str] = "source"
    type: ClassVar[PoolType] = PoolType.MPATH
    target: ClassVar[Presence] = Presence.REQUIRED
    allows: ClassVar[frozenset[str]] = _PLAIN


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class RbdSource(Element):
    """Source of an rbd pool: a pool of a Ceph cluster."""

    TAG: ClassVar[str] = "source"
    type: ClassVar[PoolType] = PoolType.RBD
    target: ClassVar[Presence] = Presence.FORBIDDEN
    allows: ClassVar[frozenset[str]] = _CEPH

    hosts: tuple[SourceHost, ...] = field(converter=to_hosts, metadata=_HOSTS)
    name: str = field(metadata=text("name", SOURCE_NAME, doc="The Ceph pool."))
    auth: Auth | None = field(default=None, metadata=_AUTH)

    def _rules(self) -> Iterator[Problem]:
        if wrong := _none(self.hosts):
            yield self._broken("hosts", wrong)
        if wrong := _other_login(self.auth, AuthType.CEPH):
            yield self._broken("auth", wrong)


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class SheepdogSource(Element):
    """Source of a sheepdog pool. libvirt 8.8 and later read such documents but have no driver for them."""

    TAG: ClassVar[str] = "source"
    type: ClassVar[PoolType] = PoolType.SHEEPDOG
    target: ClassVar[Presence] = Presence.FORBIDDEN
    allows: ClassVar[frozenset[str]] = _PLAIN

    hosts: tuple[SourceHost, ...] = field(converter=to_hosts, metadata=_HOSTS)
    name: str = field(metadata=text("name", SOURCE_NAME, doc="The Sheepdog cluster."))

    def _rules(self) -> Iterator[Problem]:
        if wrong := _none(self.hosts):
            yield self._broken("hosts", wrong)


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class GlusterSource(Element):
    """Source of a gluster pool: a Gluster volume that libvirt itself reads through libgfapi."""

    TAG: ClassVar[str] = "source"
    type: ClassVar[PoolType] = PoolType.GLUSTER
    target: ClassVar[Presence] = Presence.FORBIDDEN
    allows: ClassVar[frozenset[str]] = _PLAIN

    hosts: tuple[SourceHost, ...] = field(converter=to_hosts, metadata=_HOSTS)
    dir: str | None = field(
        default=None,
        metadata=value(
            "dir", "path", ABSOLUTE_DIR, doc="Directory inside the volume; libvirt's default is /."
        ),
    )
    name: str = field(metadata=text("name", SOURCE_NAME, doc="The Gluster volume."))

    def _rules(self) -> Iterator[Problem]:
        if wrong := _not_one(self.hosts):
            yield self._broken("hosts", wrong)


@frozen(init=False, kw_only=True, eq=False, repr=False, weakref_slot=False)
class ZfsSource(Element):
    """Source of a zfs pool: a zpool, and the devices to build it from."""

    TAG: ClassVar[str] = "source"
    type: ClassVar[PoolType] = PoolType.ZFS
    target: ClassVar[Presence] = Presence.OPTIONAL
    allows: ClassVar[frozenset[str]] = _PLAIN

    devices: tuple[Device, ...] = field(default=(), converter=to_devices, metadata=_DEVICES)
    name: str = field(metadata=text("name", SOURCE_NAME, doc="The zpool."))

    def __init__(
        self,
        *,
        devices: Iterable[Device | PathText] | Device | PathText = (),
        name: str,
        device: Device | PathText | None = None,
    ) -> None:
        found = to_devices_or_device(devices, device)
        self.__attrs_init__(devices=found, name=name)  # pyright: ignore[reportAttributeAccessIssue]

    @property
    @deprecated("ZfsSource.device is deprecated: use devices")
    def device(self) -> Device | None:
        """Deprecated: the first device."""
        return self.devices[0] if self.devices else None


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class VstorageSource(Element):
    """Source of a vstorage pool: a Virtuozzo Storage cluster."""

    TAG: ClassVar[str] = "source"
    type: ClassVar[PoolType] = PoolType.VSTORAGE
    target: ClassVar[Presence] = Presence.REQUIRED
    allows: ClassVar[frozenset[str]] = _PLAIN

    name: str = field(metadata=text("name", SOURCE_NAME, doc="The cluster."))


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class UnknownSource(Element):
    """Source of a pool of an unknown type; the source's content is in the document's ``unknown``."""

    TAG: ClassVar[str] = "source"
    target: ClassVar[Presence] = Presence.OPTIONAL
    allows: ClassVar[frozenset[str]] = _MOUNTED | _CEPH

    type: str = field(metadata=word(doc="The pool type that the document names."))


Source = (
    DirSource
    | FsSource
    | NetfsSource
    | LogicalSource
    | DiskSource
    | IscsiSource
    | IscsiDirectSource
    | ScsiSource
    | MpathSource
    | RbdSource
    | SheepdogSource
    | GlusterSource
    | ZfsSource
    | VstorageSource
    | UnknownSource
)

SOURCES = Variants(
    models=(
        DirSource,
        FsSource,
        NetfsSource,
        LogicalSource,
        DiskSource,
        IscsiSource,
        IscsiDirectSource,
        ScsiSource,
        MpathSource,
        RbdSource,
        SheepdogSource,
        GlusterSource,
        ZfsSource,
        VstorageSource,
    ),
    outside=True,
    fallback=UnknownSource,
)
