"""The typed Python SDK for libvirt storage: pools, volumes and secrets.

The names to start with:

- [connect][libstorage.connect]: open a host, such as ``qemu:///system``
- [Host][libstorage.Host]: one libvirt daemon; ``host.pools``, ``host.secrets``
- [Pool][libstorage.Pool]: build, start, refresh, stop; ``pool.volumes``
- [Volume][libstorage.Volume]: upload, download, clone, resize, wipe, delete
- [Secret][libstorage.Secret]: a password or key that the host keeps
- [PoolSpec][libstorage.PoolSpec]: describe a pool; ``PoolSpec.dir("images", "/srv/images")``
- [VolumeSpec][libstorage.VolumeSpec]: describe a volume; ``VolumeSpec.qcow2("web.qcow2", "20 GiB")``
- [SecretSpec][libstorage.SecretSpec]: describe a secret
- [Permissions][libstorage.Permissions]: owner, group, mode and label of a pool or volume
- [Size][libstorage.Size]: a number of bytes; ``Size("20 GiB")``
- [StorageError][libstorage.StorageError]: the base of every error, with ``hint``, ``outcome`` and ``retry``
- [describe][libstorage.describe]: every field of a class of documents, with its type and meaning
- [validate][libstorage.validate]: check a document against libvirt's schema or that of libstorage
- [load][libstorage.load]: read documents from YAML, JSON or TOML; [dump][libstorage.dump] writes them

```python
import libstorage as ls

with ls.connect("qemu:///system") as host:
    pool = host.pools.define(ls.PoolSpec.dir("images", "/srv/images")).build().start()
    volume = pool.volumes.create(ls.VolumeSpec.qcow2("web.qcow2", "20 GiB"))
```

Importing this package loads next to nothing: each name loads its module when it is first used, and only a connection
loads libvirt, so documents work where libvirt cannot be imported. ``libstorage.testing`` starts a private libvirt
daemon for tests; ``libstorage.fsspec`` shows volumes as files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import libstorage.connection.ending  # noqa: F401 -- before a program registers with atexit what it does at its end

if TYPE_CHECKING:
    from libstorage import tables as tables
    from libstorage.client.host import Host, connect
    from libstorage.client.images import probe_image
    from libstorage.client.pool import Pool
    from libstorage.client.pools import Pools
    from libstorage.client.secrets import Secret, Secrets
    from libstorage.client.volume import Volume
    from libstorage.client.volumes import Volumes
    from libstorage.connection.address.host_uri import HostURI
    from libstorage.data.convert import from_data, to_data
    from libstorage.data.files import dump, load
    from libstorage.data.frames import to_pandas, to_polars
    from libstorage.data.rows import rows
    from libstorage.data.schema import json_schema
    from libstorage.doctor import show_versions
    from libstorage.enums import (
        Ability,
        AdapterType,
        AuthType,
        DiskFormat,
        EncryptionEngine,
        EncryptionFormat,
        FsFormat,
        ListPoolsFlags,
        ListSecretsFlags,
        LogicalFormat,
        NetfsFormat,
        PoolBuildFlags,
        PoolCreateFlags,
        PoolDefineFlags,
        PoolDeleteFlags,
        PoolEventId,
        PoolEventLifecycle,
        PoolState,
        PoolType,
        RefreshAllocation,
        SecretDefineFlags,
        SecretEventId,
        SecretEventLifecycle,
        SecretUsage,
        SecretUsageType,
        VolumeCreateFlags,
        VolumeDeleteFlags,
        VolumeDownloadFlags,
        VolumeFormat,
        VolumeInfoFlags,
        VolumeResizeFlags,
        VolumeType,
        VolumeUploadFlags,
        WipeAlgorithm,
        XmlFlags,
    )
    from libstorage.errors import (
        AccessDeniedError,
        AuthenticationError,
        BusyError,
        ConnectionFailedError,
        ConnectionLostError,
        DeadlineError,
        DocumentError,
        ExistsError,
        HelperError,
        InvalidRequestError,
        LibvirtError,
        NoSpaceError,
        NotFoundError,
        PoolActiveError,
        PoolBusyError,
        PoolExistsError,
        PoolInactiveError,
        PoolNotFoundError,
        Problem,
        SecretNotFoundError,
        SourceConflictError,
        StateError,
        StorageError,
        StorageIOError,
        TransferError,
        UnsupportedError,
        VolumeBusyError,
        VolumeExistsError,
        VolumeNotFoundError,
    )
    from libstorage.models.adapters import (
        FcHostAdapter,
        ParentAddress,
        PciAddress,
        ScsiHostAdapter,
        UnknownAdapter,
    )
    from libstorage.models.auth import Auth, SecretRef
    from libstorage.models.capabilities import (
        CapabilityEnum,
        CapabilityOptions,
        PoolCapabilities,
        PoolTypeCapabilities,
    )
    from libstorage.models.compare import Difference
    from libstorage.models.discovery import FoundSource, PoolSources, SourceQuery
    from libstorage.models.encryption import Cipher, Encryption, Ivgen
    from libstorage.models.entries import VolumeEntry
    from libstorage.models.info import PoolInfo, VolumeInfo
    from libstorage.models.inventory import Inventory, PoolEntry
    from libstorage.models.permissions import Permissions
    from libstorage.models.pool import PoolSpec
    from libstorage.models.pool_parts import (
        ConfigOption,
        PoolFeatures,
        PoolRefresh,
        PoolTarget,
        RefreshVolume,
    )
    from libstorage.models.secret import SecretSpec, Usage
    from libstorage.models.secret_value import SecretLike, SecretValue
    from libstorage.models.source_parts import Device, FreeExtent, Initiator, SourceHost
    from libstorage.models.sources import (
        DirSource,
        DiskSource,
        FsSource,
        GlusterSource,
        IscsiDirectSource,
        IscsiSource,
        LogicalSource,
        MpathSource,
        NetfsSource,
        Presence,
        RbdSource,
        ScsiSource,
        SheepdogSource,
        UnknownSource,
        VstorageSource,
        ZfsSource,
    )
    from libstorage.models.volume import (
        BackingStore,
        Extent,
        Timestamps,
        VolumeDevice,
        VolumeFeatures,
        VolumeSource,
        VolumeSpec,
        VolumeTarget,
    )
    from libstorage.provision.clone import CloneMode
    from libstorage.session.options import Options, Versions
    from libstorage.transfer.bar import TransferBar
    from libstorage.transfer.ends.web.asking import Redirects
    from libstorage.transfer.pieces.decompress import Compression
    from libstorage.transfer.pieces.image import ImageInfo
    from libstorage.transfer.progress import Progress, TransferProgress
    from libstorage.transfer.writer import VolumeWriter
    from libstorage.units import GiB, KiB, MiB, Size, SizeLike, TiB
    from libstorage.xml.describe import Description, FieldDescription, describe
    from libstorage.xml.fields import Unknown
    from libstorage.xml.kinds import UnknownWord
    from libstorage.xml.schema import validate

__version__ = "0.2.0"

__all__ = [
    "Ability",
    "AccessDeniedError",
    "AdapterType",
    "Auth",
    "AuthType",
    "AuthenticationError",
    "BackingStore",
    "BusyError",
    "CapabilityEnum",
    "CapabilityOptions",
    "Cipher",
    "CloneMode",
    "Compression",
    "ConfigOption",
    "ConnectionFailedError",
    "ConnectionLostError",
    "DeadlineError",
    "Description",
    "Device",
    "Difference",
    "DirSource",
    "DiskFormat",
    "DiskSource",
    "DocumentError",
    "Encryption",
    "EncryptionEngine",
    "EncryptionFormat",
    "ExistsError",
    "Extent",
    "FcHostAdapter",
    "FieldDescription",
    "FoundSource",
    "FreeExtent",
    "FsFormat",
    "FsSource",
    "GiB",
    "GlusterSource",
    "HelperError",
    "Host",
    "HostURI",
    "ImageInfo",
    "Initiator",
    "InvalidRequestError",
    "Inventory",
    "IscsiDirectSource",
    "IscsiSource",
    "Ivgen",
    "KiB",
    "LibvirtError",
    "ListPoolsFlags",
    "ListSecretsFlags",
    "LogicalFormat",
    "LogicalSource",
    "MiB",
    "MpathSource",
    "NetfsFormat",
    "NetfsSource",
    "NoSpaceError",
    "NotFoundError",
    "Options",
    "ParentAddress",
    "PciAddress",
    "Permissions",
    "Pool",
    "PoolActiveError",
    "PoolBuildFlags",
    "PoolBusyError",
    "PoolCapabilities",
    "PoolCreateFlags",
    "PoolDefineFlags",
    "PoolDeleteFlags",
    "PoolEntry",
    "PoolEventId",
    "PoolEventLifecycle",
    "PoolExistsError",
    "PoolFeatures",
    "PoolInactiveError",
    "PoolInfo",
    "PoolNotFoundError",
    "PoolRefresh",
    "PoolSources",
    "PoolSpec",
    "PoolState",
    "PoolTarget",
    "PoolType",
    "PoolTypeCapabilities",
    "Pools",
    "Presence",
    "Problem",
    "Progress",
    "RbdSource",
    "Redirects",
    "RefreshAllocation",
    "RefreshVolume",
    "ScsiHostAdapter",
    "ScsiSource",
    "Secret",
    "SecretDefineFlags",
    "SecretEventId",
    "SecretEventLifecycle",
    "SecretLike",
    "SecretNotFoundError",
    "SecretRef",
    "SecretSpec",
    "SecretUsage",
    "SecretUsageType",
    "SecretValue",
    "Secrets",
    "SheepdogSource",
    "Size",
    "SizeLike",
    "SourceConflictError",
    "SourceHost",
    "SourceQuery",
    "StateError",
    "StorageError",
    "StorageIOError",
    "TiB",
    "Timestamps",
    "TransferBar",
    "TransferError",
    "TransferProgress",
    "Unknown",
    "UnknownAdapter",
    "UnknownSource",
    "UnknownWord",
    "UnsupportedError",
    "Usage",
    "Versions",
    "Volume",
    "VolumeBusyError",
    "VolumeCreateFlags",
    "VolumeDeleteFlags",
    "VolumeDevice",
    "VolumeDownloadFlags",
    "VolumeEntry",
    "VolumeExistsError",
    "VolumeFeatures",
    "VolumeFormat",
    "VolumeInfo",
    "VolumeInfoFlags",
    "VolumeNotFoundError",
    "VolumeResizeFlags",
    "VolumeSource",
    "VolumeSpec",
    "VolumeTarget",
    "VolumeType",
    "VolumeUploadFlags",
    "VolumeWriter",
    "Volumes",
    "VstorageSource",
    "WipeAlgorithm",
    "XmlFlags",
    "ZfsSource",
    "connect",
    "describe",
    "dump",
    "from_data",
    "json_schema",
    "load",
    "probe_image",
    "rows",
    "show_versions",
    "to_data",
    "to_pandas",
    "to_polars",
    "validate",
]

# Where each public name lives; the imports above say the same to type checkers.
_HOMES = {
    "libstorage.client.host": "Host connect",
    "libstorage.client.images": "probe_image",
    "libstorage.client.pool": "Pool",
    "libstorage.client.pools": "Pools",
    "libstorage.client.secrets": "Secret Secrets",
    "libstorage.client.volume": "Volume",
    "libstorage.client.volumes": "Volumes",
    "libstorage.connection.address.host_uri": "HostURI",
    "libstorage.data.convert": "from_data to_data",
    "libstorage.data.files": "dump load",
    "libstorage.data.frames": "to_pandas to_polars",
    "libstorage.data.rows": "rows",
    "libstorage.data.schema": "json_schema",
    "libstorage.doctor": "show_versions",
    "libstorage.enums": """
        Ability AdapterType AuthType DiskFormat EncryptionEngine EncryptionFormat FsFormat
        ListPoolsFlags ListSecretsFlags LogicalFormat NetfsFormat PoolBuildFlags PoolCreateFlags
        PoolDefineFlags PoolDeleteFlags PoolEventId PoolEventLifecycle PoolState PoolType
        RefreshAllocation SecretDefineFlags SecretEventId SecretEventLifecycle SecretUsage
        SecretUsageType VolumeCreateFlags VolumeDeleteFlags VolumeDownloadFlags VolumeFormat
        VolumeInfoFlags VolumeResizeFlags VolumeType VolumeUploadFlags WipeAlgorithm XmlFlags
    """,
    "libstorage.errors": """
        AccessDeniedError AuthenticationError BusyError ConnectionFailedError
        ConnectionLostError DeadlineError DocumentError ExistsError HelperError
        InvalidRequestError LibvirtError NoSpaceError NotFoundError PoolActiveError
        PoolBusyError PoolExistsError PoolInactiveError PoolNotFoundError Problem
        SecretNotFoundError SourceConflictError StateError StorageError StorageIOError
        TransferError UnsupportedError VolumeBusyError VolumeExistsError VolumeNotFoundError
    """,
    "libstorage.models.adapters": "FcHostAdapter ParentAddress PciAddress ScsiHostAdapter UnknownAdapter",
    "libstorage.models.auth": "Auth SecretRef",
    "libstorage.models.capabilities": """
        CapabilityEnum CapabilityOptions PoolCapabilities PoolTypeCapabilities
    """,
    "libstorage.models.compare": "Difference",
    "libstorage.models.discovery": "FoundSource PoolSources SourceQuery",
    "libstorage.models.encryption": "Cipher Encryption Ivgen",
    "libstorage.models.entries": "VolumeEntry",
    "libstorage.models.info": "PoolInfo VolumeInfo",
    "libstorage.models.inventory": "Inventory PoolEntry",
    "libstorage.models.permissions": "Permissions",
    "libstorage.models.pool": "PoolSpec",
    "libstorage.models.pool_parts": "ConfigOption PoolFeatures PoolRefresh PoolTarget RefreshVolume",
    "libstorage.models.secret": "SecretSpec Usage",
    "libstorage.models.secret_value": "SecretLike SecretValue",
    "libstorage.models.source_parts": "Device FreeExtent Initiator SourceHost",
    "libstorage.models.sources": """
        DirSource DiskSource FsSource GlusterSource IscsiDirectSource IscsiSource LogicalSource
        MpathSource NetfsSource Presence RbdSource ScsiSource SheepdogSource UnknownSource
        VstorageSource ZfsSource
    """,
    "libstorage.models.volume": """
        BackingStore Extent Timestamps VolumeDevice VolumeFeatures VolumeSource VolumeSpec
        VolumeTarget
    """,
    "libstorage.provision.clone": "CloneMode",
    "libstorage.session.options": "Options Versions",
    "libstorage.transfer.bar": "TransferBar",
    "libstorage.transfer.ends.web.asking": "Redirects",
    "libstorage.transfer.pieces.decompress": "Compression",
    "libstorage.transfer.pieces.image": "ImageInfo",
    "libstorage.transfer.progress": "Progress TransferProgress",
    "libstorage.transfer.writer": "VolumeWriter",
    "libstorage.units": "GiB KiB MiB Size SizeLike TiB",
    "libstorage.xml.describe": "Description FieldDescription describe",
    "libstorage.xml.fields": "Unknown",
    "libstorage.xml.kinds": "UnknownWord",
    "libstorage.xml.schema": "validate",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

# Modules that are attributes of this one: for names that few programs need.
_NAMESPACES = ("tables",)

# Where each name lives that was here once; see docs/upgrading.md.
_MOVED = {
    "libstorage.enums": "StreamEvent StreamFlags StreamRecvFlags",
    "libstorage.tables": """
        LENIENCIES NEWER NORMALISATIONS STRICT_LIMITS Leniency Newer Normalisation StrictLimit
    """,
}
_NEW_HOME = {name: module for module, names in _MOVED.items() for name in names.split()}

if not TYPE_CHECKING:  # checkers would take any name for an attribute

    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name in _NAMESPACES:
            return import_module(f"{__name__}.{name}")
        if name in _NEW_HOME:
            return getattr(import_module(_moved(name)), name)
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_HOME[name]), name)
        return value


def _moved(name: str) -> str:
    """Return the module of a name that is deprecated here, and warn the caller of ``__getattr__``."""
    import warnings

    warnings.warn(
        f"libstorage.{name} is deprecated: use {_NEW_HOME[name]}.{name}",
        DeprecationWarning,
        stacklevel=3,
    )
    return _NEW_HOME[name]


def __dir__() -> list[str]:
    return [*__all__, *_NAMESPACES, "__version__"]
