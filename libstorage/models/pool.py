"""Storage pools: ``<pool>``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Self

import attrs
from attrs import field, frozen

from libstorage.enums import (
    DiskFormat,
    FsFormat,
    LogicalFormat,
    NetfsFormat,
    PoolType,
    RefreshAllocation,
)
from libstorage.errors import Problem
from libstorage.models import sources
from libstorage.models.adapters import Adapter
from libstorage.models.auth import Auth
from libstorage.models.convert import PathText, to_names, to_size, to_uuid
from libstorage.models.permissions import Permissions
from libstorage.models.places import Device, Initiator, SourceHost
from libstorage.models.pool_parts import (
    ConfigOption,
    Options,
    PoolFeatures,
    PoolRefresh,
    PoolTarget,
    RefreshVolume,
    to_config_options,
)
from libstorage.models.sources import SOURCES, Presence, Source
from libstorage.models.spec import Spec
from libstorage.units import Size
from libstorage.xml.fields import (
    Namespace,
    Unknown,
    child,
    size,
    text,
    unknown,
    values,
    variant,
    wrapped,
)
from libstorage.xml.kinds import UUID, matching

if TYPE_CHECKING:
    import uuid as uuids

FS = Namespace(prefix="fs", uri="http://libvirt.org/schemas/storagepool/fs/1.0")
RBD = Namespace(prefix="rbd", uri="http://libvirt.org/schemas/storagepool/rbd/1.0")

POOL_NAME = matching("pool name", r"[^/\n]+", "a name of one character or more, without / and line breaks")

Hosts = Iterable[SourceHost | str] | SourceHost | str
"""One server or several; text is ``name``, ``name:port`` or ``[v6]:port``."""


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class PoolSpec(Spec):
    """A storage pool: what ``<pool>`` says.

    The class of ``source`` is the pool's type.  A factory for each type takes all its options:
    ``PoolSpec.dir("images", "/srv/images")``.
    """

    ROOT: ClassVar[str] = "pool"

    name: str = field(metadata=text("name", POOL_NAME, doc="Unique on its host."))
    uuid: str | None = field(
        default=None, converter=to_uuid, metadata=text("uuid", UUID, doc="Unique; libvirt makes one up.")
    )
    capacity: Size | None = field(
        default=None, converter=to_size, metadata=size("capacity", reported=True, doc="Size of the whole.")
    )
    allocation: Size | None = field(
        default=None,
        converter=to_size,
        metadata=size("allocation", reported=True, doc="What is taken of it."),
    )
    available: Size | None = field(
        default=None, converter=to_size, metadata=size("available", reported=True, doc="What is free of it.")
    )
    features: PoolFeatures | None = field(
        default=None, metadata=child("features", PoolFeatures, doc="Switches of the pool.")
    )
    source: Source = field(metadata=variant("source", SOURCES, doc="Where its storage comes from."))
    target: PoolTarget | None = field(
        default=None, metadata=child("target", PoolTarget, doc="Where it appears on the host.")
    )
    refresh: PoolRefresh | None = field(
        default=None, metadata=child("refresh", PoolRefresh, doc="How it refreshes; rbd only.")
    )
    mount_options: tuple[str, ...] = field(
        default=(),
        converter=to_names,
        metadata=values(
            "mount_opts", "option", "name", namespace=FS, doc="Options of mount(8); fs and netfs only."
        ),
    )
    config_options: tuple[ConfigOption, ...] = field(
        default=(),
        converter=to_config_options,
        metadata=wrapped(
            "config_opts", "option", ConfigOption, namespace=RBD, doc="Options of the Ceph client; rbd only."
        ),
    )
    unknown: tuple[Unknown, ...] = unknown()

    @property
    def type(self) -> PoolType | str:
        """The pool's type, which its source decides."""
        return self.source.type

    @classmethod
    def fill_in(cls, values: dict[str, Any]) -> None:
        """A pool without a name is named after its source, as libvirt does it."""
        if "name" not in values and (name := getattr(values.get("source"), "name", None)):
            values["name"] = name

    def with_target(self, **changes: Any) -> Self:
        """A copy with another target.

        Raises:
            DocumentError: when the result is not sound.
        """
        return attrs.evolve(self, target=attrs.evolve(self.target or PoolTarget(), **changes))

    def with_source(self, **changes: Any) -> Self:
        """A copy with another source of the same type.

        Raises:
            DocumentError: when the result is not sound.
        """
        return attrs.evolve(self, source=attrs.evolve(self.source, **changes))

    def _rules(self) -> Iterator[Problem]:
        source = self.source
        for name in ("features", "refresh", "mount_options", "config_options"):
            if getattr(self, name) and name not in source.allows:
                yield self._broken(name, f"{self.type} pools have no {name}")
        if self.features and self.features.cow is not None and self.type not in ("dir", "fs"):
            yield self._broken("features.cow", f"only dir and fs pools know cow, not {self.type} pools")
        if self.target is None:
            if source.target is Presence.REQUIRED:
                yield self._broken("target", f"{self.type} pools need a target")
        elif source.target is Presence.FORBIDDEN:
            yield self._broken("target", f"{self.type} pools have no target")
        elif self.target.path is None and self.type != "logical":
            yield self._broken("target.path", f"the target of {self.type} pools needs a path")

    # ---- factories --------------------------------------------------------------------------------------------------

    @classmethod
    def _of(
        cls,
        name: str,
        source: Source,
        target: PoolTarget | None,
        uuid: str | uuids.UUID | None,
        *,
        cow: bool | None = None,
        mount_options: Iterable[str] = (),
    ) -> Self:
        features = None if cow is None else PoolFeatures(cow=cow)
        return cls(
            name=name, uuid=uuid, source=source, target=target, features=features, mount_options=mount_options
        )

    @classmethod
    def dir(
        cls,
        name: str,
        path: PathText,
        *,
        permissions: Permissions | None = None,
        cow: bool | None = None,
        uuid: str | uuids.UUID | None = None,
        vendor: str | None = None,
        product: str | None = None,
    ) -> Self:
        """A pool of the files in a directory.

        Raises:
            DocumentError: when what is given is not sound.
        """
        source = sources.DirSource(vendor=vendor, product=product)
        return cls._of(name, source, PoolTarget(path=path, permissions=permissions), uuid, cow=cow)

    @classmethod
    def fs(
        cls,
        name: str,
        path: PathText,
        device: Device | PathText,
        *,
        format: FsFormat | str | None = None,
        mount_options: Iterable[str] = (),
        permissions: Permissions | None = None,
        cow: bool | None = None,
        uuid: str | uuids.UUID | None = None,
        vendor: str | None = None,
        product: str | None = None,
    ) -> Self:
        """A pool of the files on a block device with a file system, mounted at ``path``.

        Raises:
            DocumentError: when what is given is not sound.
        """
        source = sources.FsSource(device=device, format=format, vendor=vendor, product=product)
        return cls._of(
            name,
            source,
            PoolTarget(path=path, permissions=permissions),
            uuid,
            cow=cow,
            mount_options=mount_options,
        )

    @classmethod
    def netfs(
        cls,
        name: str,
        path: PathText,
        *,
        host: Hosts,
        dir: str,
        format: NetfsFormat | str | None = None,
        protocol_version: str | None = None,
        mount_options: Iterable[str] = (),
        permissions: Permissions | None = None,
        uuid: str | uuids.UUID | None = None,
        vendor: str | None = None,
        product: str | None = None,
    ) -> Self:
        """A pool of the files in a server's directory ``dir``, mounted at ``path``.

        Raises:
            DocumentError: when what is given is not sound.
        """
        source = sources.NetfsSource(
            hosts=host,
            dir=dir,
            format=format,
            protocol_version=protocol_version,
            vendor=vendor,
            product=product,
        )
        return cls._of(
            name, source, PoolTarget(path=path, permissions=permissions), uuid, mount_options=mount_options
        )

    @classmethod
    def logical(
        cls,
        name: str,
        *,
        source_name: str | None = None,
        devices: Iterable[Device | PathText] | Device | PathText = (),
        format: LogicalFormat | str | None = None,
        path: PathText | None = None,
        permissions: Permissions | None = None,
        uuid: str | uuids.UUID | None = None,
        vendor: str | None = None,
        product: str | None = None,
    ) -> Self:
        """A pool of the logical volumes in volume group ``source_name``; ``devices`` are what ``build`` makes it of.

        Raises:
            DocumentError: when what is given is not sound.
        """
        source = sources.LogicalSource(
            name=source_name, devices=devices, format=format, vendor=vendor, product=product
        )
        return cls._of(name, source, PoolTarget(path=path, permissions=permissions), uuid)

    @classmethod
    def disk(
        cls,
        name: str,
        device: Device | PathText,
        *,
        format: DiskFormat | str | None = None,
        path: PathText = "/dev",
        permissions: Permissions | None = None,
        uuid: str | uuids.UUID | None = None,
        vendor: str | None = None,
        product: str | None = None,
    ) -> Self:
        """A pool of the partitions of a disk.

        Raises:
            DocumentError: when what is given is not sound.
        """
        source = sources.DiskSource(device=device, format=format, vendor=vendor, product=product)
        return cls._of(name, source, PoolTarget(path=path, permissions=permissions), uuid)

    @classmethod
    def iscsi(
        cls,
        name: str,
        *,
        host: Hosts,
        device: Device | PathText,
        initiator: Initiator | str | None = None,
        auth: Auth | None = None,
        path: PathText = "/dev/disk/by-path",
        permissions: Permissions | None = None,
        uuid: str | uuids.UUID | None = None,
        vendor: str | None = None,
        product: str | None = None,
    ) -> Self:
        """A pool of the LUNs of iSCSI target ``device``, logged in by the host's kernel.

        Raises:
            DocumentError: when what is given is not sound.
        """
        source = sources.IscsiSource(
            hosts=host, device=device, initiator=initiator, auth=auth, vendor=vendor, product=product
        )
        return cls._of(name, source, PoolTarget(path=path, permissions=permissions), uuid)

    @classmethod
    def iscsi_direct(
        cls,
        name: str,
        *,
        host: Hosts,
        device: Device | PathText,
        initiator: Initiator | str,
        auth: Auth | None = None,
        uuid: str | uuids.UUID | None = None,
    ) -> Self:
        """A pool of the LUNs of iSCSI target ``device``, read by libvirt itself.

        Raises:
            DocumentError: when what is given is not sound.
        """
        source = sources.IscsiDirectSource(hosts=host, device=device, initiator=initiator, auth=auth)
        return cls._of(name, source, None, uuid)

    @classmethod
    def scsi(
        cls,
        name: str,
        adapter: Adapter | str,
        *,
        path: PathText = "/dev/disk/by-path",
        permissions: Permissions | None = None,
        uuid: str | uuids.UUID | None = None,
        vendor: str | None = None,
        product: str | None = None,
    ) -> Self:
        """A pool of the LUNs behind a SCSI or Fibre Channel host adapter.

        Raises:
            DocumentError: when what is given is not sound.
        """
        source = sources.ScsiSource(adapter=adapter, vendor=vendor, product=product)
        return cls._of(name, source, PoolTarget(path=path, permissions=permissions), uuid)

    @classmethod
    def mpath(
        cls,
        name: str,
        *,
        path: PathText = "/dev/mapper",
        permissions: Permissions | None = None,
        uuid: str | uuids.UUID | None = None,
    ) -> Self:
        """The pool of all multipath devices of the host.

        Raises:
            DocumentError: when what is given is not sound.
        """
        return cls._of(name, sources.MpathSource(), PoolTarget(path=path, permissions=permissions), uuid)

    @classmethod
    def rbd(
        cls,
        name: str,
        *,
        hosts: Hosts,
        source_name: str,
        auth: Auth | None = None,
        config_options: Options = (),
        refresh_allocation: RefreshAllocation | str | None = None,
        uuid: str | uuids.UUID | None = None,
    ) -> Self:
        """A pool of the images in Ceph pool ``source_name``; ``hosts`` are the cluster's monitors.

        Raises:
            DocumentError: when what is given is not sound.
        """
        refresh = None
        if refresh_allocation is not None:
            refresh = PoolRefresh(volume=RefreshVolume(allocation=refresh_allocation))
        source = sources.RbdSource(hosts=hosts, name=source_name, auth=auth)
        return cls(name=name, uuid=uuid, source=source, refresh=refresh, config_options=config_options)

    @classmethod
    def sheepdog(
        cls, name: str, *, host: Hosts, source_name: str, uuid: str | uuids.UUID | None = None
    ) -> Self:
        """A pool of a Sheepdog cluster.  libvirt has no driver for it since 8.8.

        Raises:
            DocumentError: when what is given is not sound.
        """
        return cls._of(name, sources.SheepdogSource(hosts=host, name=source_name), None, uuid)

    @classmethod
    def gluster(
        cls,
        name: str,
        *,
        host: Hosts,
        source_name: str,
        dir: str | None = None,
        uuid: str | uuids.UUID | None = None,
    ) -> Self:
        """A pool of the files in Gluster volume ``source_name``, read by libvirt itself.

        Raises:
            DocumentError: when what is given is not sound.
        """
        return cls._of(name, sources.GlusterSource(hosts=host, name=source_name, dir=dir), None, uuid)

    @classmethod
    def zfs(
        cls,
        name: str,
        *,
        source_name: str,
        device: Device | PathText | None = None,
        path: PathText | None = None,
        permissions: Permissions | None = None,
        uuid: str | uuids.UUID | None = None,
    ) -> Self:
        """A pool of the volumes in zpool ``source_name``; ``device`` is what ``build`` makes it of.

        Raises:
            DocumentError: when what is given is not sound.
        """
        target = PoolTarget(path=path, permissions=permissions) if path or permissions else None
        return cls._of(name, sources.ZfsSource(name=source_name, device=device), target, uuid)

    @classmethod
    def vstorage(
        cls,
        name: str,
        path: PathText,
        *,
        source_name: str,
        permissions: Permissions | None = None,
        uuid: str | uuids.UUID | None = None,
    ) -> Self:
        """A pool of the files in Virtuozzo Storage cluster ``source_name``, mounted at ``path``.

        Raises:
            DocumentError: when what is given is not sound.
        """
        target = PoolTarget(path=path, permissions=permissions)
        return cls._of(name, sources.VstorageSource(name=source_name), target, uuid)
