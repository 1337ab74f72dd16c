"""The table of operations: for each call to the daemon its libvirt functions, its effect and how long it may take.

The error map, deadlines, limits on slow calls and retries read these rows. No other module names libvirt's functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import attrs


class Effect(StrEnum):
    """The effect of an operation on the host."""

    READ = "read"
    """The operation changes nothing."""
    IDEMPOTENT = "idempotent"
    """The operation changes the host; a second run changes nothing more."""
    MUTATION = "mutation"
    """The operation changes the host; a second run is an error or changes the host again."""


class Duration(StrEnum):
    """How long an operation may legitimately take."""

    SHORT = "short"
    """As long as the daemon needs to answer from memory or after one access to the storage."""
    LONG = "long"
    """As long as the storage needs; the operation occupies one of the daemon's workers for the whole time."""
    STREAM = "stream"
    """As long as data flows; the operation occupies its connection."""


class AfterUnknown(StrEnum):
    """What to do if the reply was lost, so that an operation may or may not have been carried out."""

    REPEAT = "repeat"
    """Repeat the operation."""
    REPEAT_SAME_UUID = "repeat_same_uuid"
    """Repeat the operation if the document has a UUID; without one a repeat creates a second object."""
    READ_STATE = "read_state"
    """Read the state. If it is as wanted, the operation was done; otherwise repeat the operation."""
    LOOK_UP = "look_up"
    """Look up the object by name. If absent, repeat the operation; if present, find out which client created it."""
    GONE_IS_DONE = "gone_is_done"
    """Repeat the operation; *not found* then means that the first attempt was done."""
    WAIT = "wait"
    """The operation may still be running on the host: wait until the object is free, then compare."""
    START_OVER = "start_over"
    """The content is unknown: repeat the whole transfer."""


@attrs.frozen
class Operation:
    """One kind of call to the daemon.

    Attributes:
        name: Name of the form ``object.verb``, as errors show it: ``volume.resize``.
        functions: The functions of libvirt's C API; the operation calls one or all of them.
        effect: The effect on the host.
        destructive: Whether the operation can destroy data.
        duration: How long the operation may take.
        after_unknown: What to do if the outcome is unknown.
    """

    name: str
    functions: tuple[str, ...]
    effect: Effect
    destructive: bool
    duration: Duration
    after_unknown: AfterUnknown

    def __str__(self) -> str:
        return self.name


def _read(name: str, *functions: str, duration: Duration = Duration.SHORT) -> Operation:
    return Operation(name, functions, Effect.READ, False, duration, AfterUnknown.REPEAT)


def _change(
    name: str,
    *functions: str,
    after: AfterUnknown,
    effect: Effect = Effect.MUTATION,
    duration: Duration = Duration.SHORT,
    destructive: bool = False,
) -> Operation:
    return Operation(name, functions, effect, destructive, duration, after)


HOST_OPEN = _read("host.open", "virConnectOpenAuth", "virConnectOpenReadOnly", "virConnectOpen")
HOST_VERSION = _read("host.version", "virConnectGetLibVersion")

POOLS_LIST = _read("pools.list", "virConnectListAllStoragePools")
POOLS_COUNT = _read("pools.count", "virConnectNumOfStoragePools", "virConnectNumOfDefinedStoragePools")
POOL_LOOKUP_BY_NAME = _read("pool.lookup_by_name", "virStoragePoolLookupByName")
POOL_LOOKUP_BY_UUID = _read("pool.lookup_by_uuid", "virStoragePoolLookupByUUIDString")
POOL_LOOKUP_BY_TARGET_PATH = _read("pool.lookup_by_target_path", "virStoragePoolLookupByTargetPath")
POOL_CAPABILITIES = _read("pool.capabilities", "virConnectGetStoragePoolCapabilities")
POOL_FIND_SOURCES = _read("pool.find_sources", "virConnectFindStoragePoolSources", duration=Duration.LONG)
POOL_INFO = _read("pool.info", "virStoragePoolGetInfo")
POOL_XML = _read("pool.xml", "virStoragePoolGetXMLDesc")
POOL_IS_ACTIVE = _read("pool.is_active", "virStoragePoolIsActive")
POOL_IS_PERSISTENT = _read("pool.is_persistent", "virStoragePoolIsPersistent")
POOL_AUTOSTART = _read("pool.autostart", "virStoragePoolGetAutostart")
POOL_DEFINE = _change(
    "pool.define", "virStoragePoolDefineXML", effect=Effect.IDEMPOTENT, after=AfterUnknown.REPEAT_SAME_UUID
)
POOL_CREATE_TRANSIENT = _change(
    "pool.create_transient",
    "virStoragePoolCreateXML",
    duration=Duration.LONG,
    destructive=True,
    after=AfterUnknown.LOOK_UP,
)
POOL_BUILD = _change(
    "pool.build", "virStoragePoolBuild", duration=Duration.LONG, destructive=True, after=AfterUnknown.WAIT
)
POOL_START = _change(
    "pool.start", "virStoragePoolCreate", duration=Duration.LONG, after=AfterUnknown.READ_STATE
)
POOL_STOP = _change(
    "pool.stop", "virStoragePoolDestroy", duration=Duration.LONG, after=AfterUnknown.READ_STATE
)
POOL_REFRESH = _change(
    "pool.refresh",
    "virStoragePoolRefresh",
    effect=Effect.IDEMPOTENT,
    duration=Duration.LONG,
    after=AfterUnknown.REPEAT,
)
POOL_UNDEFINE = _change("pool.undefine", "virStoragePoolUndefine", after=AfterUnknown.READ_STATE)
POOL_DELETE = _change(
    "pool.delete", "virStoragePoolDelete", duration=Duration.LONG, destructive=True, after=AfterUnknown.WAIT
)
POOL_SET_AUTOSTART = _change(
    "pool.set_autostart",
    "virStoragePoolSetAutostart",
    effect=Effect.IDEMPOTENT,
    after=AfterUnknown.READ_STATE,
)

VOLUMES_LIST = _read("volumes.list", "virStoragePoolListAllVolumes")
VOLUMES_COUNT = _read("volumes.count", "virStoragePoolNumOfVolumes")
VOLUME_LOOKUP_BY_NAME = _read("volume.lookup_by_name", "virStorageVolLookupByName")
VOLUME_LOOKUP_BY_KEY = _read(
    "volume.lookup_by_key", "virStorageVolLookupByKey", "virStoragePoolLookupByVolume"
)
VOLUME_LOOKUP_BY_PATH = _read(
    "volume.lookup_by_path", "virStorageVolLookupByPath", "virStoragePoolLookupByVolume"
)
VOLUME_INFO = _read("volume.info", "virStorageVolGetInfo", "virStorageVolGetInfoFlags")
VOLUME_XML = _read("volume.xml", "virStorageVolGetXMLDesc")
VOLUME_PATH = _read("volume.path", "virStorageVolGetPath")
VOLUME_KEY = _read("volume.key", "virStorageVolGetKey")
VOLUME_CREATE = _change(
    "volume.create", "virStorageVolCreateXML", duration=Duration.LONG, after=AfterUnknown.LOOK_UP
)
VOLUME_CLONE = _change(
    "volume.clone", "virStorageVolCreateXMLFrom", duration=Duration.LONG, after=AfterUnknown.WAIT
)
VOLUME_RESIZE = _change(
    "volume.resize", "virStorageVolResize", duration=Duration.LONG, destructive=True, after=AfterUnknown.WAIT
)
VOLUME_WIPE = _change(
    "volume.wipe",
    "virStorageVolWipe",
    "virStorageVolWipePattern",
    effect=Effect.IDEMPOTENT,
    duration=Duration.LONG,
    destructive=True,
    after=AfterUnknown.WAIT,
)
VOLUME_DELETE = _change(
    "volume.delete",
    "virStorageVolDelete",
    duration=Duration.LONG,
    destructive=True,
    after=AfterUnknown.GONE_IS_DONE,
)
VOLUME_UPLOAD = _change(
    "volume.upload",
    "virStorageVolUpload",
    "virStreamNew",
    "virStreamSend",
    "virStreamSendHole",
    "virStreamFinish",
    "virStreamAbort",
    duration=Duration.STREAM,
    destructive=True,
    after=AfterUnknown.START_OVER,
)
VOLUME_DOWNLOAD = _read(
    "volume.download",
    "virStorageVolDownload",
    "virStreamNew",
    "virStreamRecv",
    "virStreamRecvFlags",
    "virStreamRecvHole",
    "virStreamFinish",
    "virStreamAbort",
    duration=Duration.STREAM,
)

SECRETS_LIST = _read("secrets.list", "virConnectListAllSecrets")
SECRETS_COUNT = _read("secrets.count", "virConnectNumOfSecrets")
SECRET_LOOKUP_BY_UUID = _read("secret.lookup_by_uuid", "virSecretLookupByUUIDString")
SECRET_LOOKUP_BY_USAGE = _read("secret.lookup_by_usage", "virSecretLookupByUsage")
SECRET_XML = _read("secret.xml", "virSecretGetXMLDesc")
SECRET_VALUE = _read("secret.value", "virSecretGetValue")
SECRET_DEFINE = _change(
    "secret.define", "virSecretDefineXML", effect=Effect.IDEMPOTENT, after=AfterUnknown.REPEAT_SAME_UUID
)
SECRET_SET_VALUE = _change(
    "secret.set_value",
    "virSecretSetValue",
    effect=Effect.IDEMPOTENT,
    destructive=True,
    after=AfterUnknown.REPEAT,
)
SECRET_UNDEFINE = _change(
    "secret.undefine", "virSecretUndefine", destructive=True, after=AfterUnknown.GONE_IS_DONE
)

OPERATIONS: Final[Mapping[str, Operation]] = MappingProxyType(
    {row.name: row for row in list(globals().values()) if isinstance(row, Operation)}
)
"""All operations, by name."""
