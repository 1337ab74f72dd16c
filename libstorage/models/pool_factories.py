"""Factories for each pool type: ``PoolSpec.dir(…)`` to ``PoolSpec.vstorage(…)``."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Self

from libstorage.enums import (
    DiskFormat,
    FsFormat,
    LogicalFormat,
    NetfsFormat,
    RefreshAllocation,
)
from libstorage.models import sources
from libstorage.models.adapters import Adapter
from libstorage.models.auth import Auth
from libstorage.models.convert import PathText
from libstorage.models.permissions import Permissions
from libstorage.models.pool_parts import (
    Options,
    PoolRefresh,
    PoolTarget,
    RefreshVolume,
)
from libstorage.models.source_parts import Device, Initiator, SourceHost, to_devices_or_device
from libstorage.models.sources import Source
from libstorage.models.spec import Spec

if TYPE_CHECKING:
    import uuid as uuids

Hosts = Iterable[SourceHost | str] | SourceHost | str
"""One server or several; text is ``name``, ``name:port`` or ``[v6]:port``."""


class PoolFactories(Spec):
    """The factories of [PoolSpec][libstorage.PoolSpec]: each takes all options of its pool type."""

    __slots__ = ()

    @classmethod
    @abstractmethod
    def _of(
        cls,
        name: str,
        source: Source,
        target: PoolTarget | None,
        uuid: str | uuids.UUID | None,
        *,
        cow: bool | None = None,
        mount_options: Iterable[str] = (),
        refresh: PoolRefresh | None = None,
        config_options: Options = (),
    ) -> Self:
        """Return the pool spec that has these parts."""

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
        """Describe a pool of the files in a directory.

        Raises:
            DocumentError: If the arguments do not make a sound document.
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
        """Describe a pool of the files in the file system on ``device``, which libvirt mounts at ``path``.

        Raises:
            DocumentError: If the arguments do not make a sound document.
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
        """Describe a pool of the files in directory ``dir`` of a server, which libvirt mounts at ``path``.

        Raises:
            DocumentError: If the arguments do not make a sound document.
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
        """Describe a pool of the logical volumes in volume group ``source_name``; ``build`` creates it on ``devices``.

        Raises:
            DocumentError: If the arguments do not make a sound document.
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
        """Describe a pool of the partitions of a disk.

        Raises:
            DocumentError: If the arguments do not make a sound document.
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
        """Describe a pool of the LUNs of iSCSI target ``device``, to which the host's kernel logs in.

        Raises:
            DocumentError: If the arguments do not make a sound document.
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
        """Describe a pool of the LUNs of iSCSI target ``device``, which libvirt itself reads.

        Raises:
            DocumentError: If the arguments do not make a sound document.
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
        """Describe a pool of the LUNs behind a SCSI or Fibre Channel host adapter.

        Raises:
            DocumentError: If the arguments do not make a sound document.
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
        """Describe the pool of all multipath devices of the host.

        Raises:
            DocumentError: If the arguments do not make a sound document.
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
        """Describe a pool of the images in Ceph pool ``source_name``; ``hosts`` are the cluster's monitors.

        If none of the monitors answers, or the login is wrong, starting the pool fails after 30 seconds. With
        ``config_options={"client_mount_timeout": "5"}`` it fails after 5 seconds.

        Raises:
            DocumentError: If the arguments do not make a sound document.
        """
        refresh = None
        if refresh_allocation is not None:
            refresh = PoolRefresh(volume=RefreshVolume(allocation=refresh_allocation))
        source = sources.RbdSource(hosts=hosts, name=source_name, auth=auth)
        return cls._of(name, source, None, uuid, refresh=refresh, config_options=config_options)

    @classmethod
    def sheepdog(
        cls, name: str, *, host: Hosts, source_name: str, uuid: str | uuids.UUID | None = None
    ) -> Self:
        """Describe a pool of a Sheepdog cluster. libvirt has had no driver for it since 8.8.

        Raises:
            DocumentError: If the arguments do not make a sound document.
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
        """Describe a pool of the files in Gluster volume ``source_name``, which libvirt itself reads.

        Raises:
            DocumentError: If the arguments do not make a sound document.
        """
        return cls._of(name, sources.GlusterSource(hosts=host, name=source_name, dir=dir), None, uuid)

    @classmethod
    def zfs(
        cls,
        name: str,
        *,
        source_name: str,
        devices: Iterable[Device | PathText] | Device | PathText = (),
        path: PathText | None = None,
        permissions: Permissions | None = None,
        uuid: str | uuids.UUID | None = None,
        device: Device | PathText | None = None,
    ) -> Self:
        """Describe a pool of the volumes in zpool ``source_name``; ``build`` creates the zpool on ``devices``.

        ``device`` is deprecated: the old name of ``devices``.

        Raises:
            DocumentError: If the arguments do not make a sound document.
        """
        target = PoolTarget(path=path, permissions=permissions) if path or permissions else None
        found = to_devices_or_device(devices, device)
        return cls._of(name, sources.ZfsSource(name=source_name, devices=found), target, uuid)

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
        """Describe a pool of the files in Virtuozzo Storage cluster ``source_name``, mounted at ``path``.

        Raises:
            DocumentError: If the arguments do not make a sound document.
        """
        target = PoolTarget(path=path, permissions=permissions)
        return cls._of(name, sources.VstorageSource(name=source_name), target, uuid)
