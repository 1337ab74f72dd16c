"""The enums of libvirt's storage, secret and stream functions, member for member."""

from __future__ import annotations

from libstorage.enums.base import Flags, Number
from libstorage.enums.words import PoolType


class PoolState(Number, c_type="virStoragePoolState", prefix="VIR_STORAGE_POOL_"):
    """State of a pool (``virStoragePoolState``)."""

    INACTIVE = 0, "Not running.", "0.4.1"
    BUILDING = 1, "Being initialized, not available.", "0.4.1"
    RUNNING = 2, "Running normally.", "0.4.1"
    DEGRADED = 3, "Running degraded.", "0.4.1"
    INACCESSIBLE = 4, "Running, but not accessible.", "0.8.2"


class PoolBuildFlags(Flags, c_type="virStoragePoolBuildFlags", prefix="VIR_STORAGE_POOL_BUILD_"):
    """How to build a pool (``virStoragePoolBuildFlags``)."""

    NEW = 0, "Regular build from scratch.", "0.4.1"
    REPAIR = 1, "Repair or reinitialize.", "0.4.1"
    RESIZE = 2, "Extend the existing pool.", "0.4.1"
    NO_OVERWRITE = 4, "Refuse to build if the storage already holds a pool.", "0.9.5"
    OVERWRITE = 8, "Overwrite the existing content of the storage.", "0.9.5"


class PoolCreateFlags(Flags, c_type="virStoragePoolCreateFlags", prefix="VIR_STORAGE_POOL_CREATE_"):
    """What to do before a pool starts (``virStoragePoolCreateFlags``)."""

    NORMAL = 0, "Start the pool without building it.", "1.3.1"
    WITH_BUILD = 1, "Build the pool without any flags, then start it.", "1.3.1"
    WITH_BUILD_OVERWRITE = (
        2,
        "Build the pool over any existing content; excludes WITH_BUILD_NO_OVERWRITE.",
        "1.3.1",
    )
    WITH_BUILD_NO_OVERWRITE = (
        4,
        "Build the pool unless it already exists; excludes WITH_BUILD_OVERWRITE.",
        "1.3.1",
    )


class PoolDefineFlags(Flags, c_type="virStoragePoolDefineFlags", prefix="VIR_STORAGE_POOL_DEFINE_"):
    """How to define a pool (``virStoragePoolDefineFlags``)."""

    VALIDATE = 1, "Validate the document against libvirt's schema.", "7.7.0"


class PoolDeleteFlags(Flags, c_type="virStoragePoolDeleteFlags", prefix="VIR_STORAGE_POOL_DELETE_"):
    """How to delete a pool's storage (``virStoragePoolDeleteFlags``)."""

    NORMAL = 0, "Delete metadata only (fast).", "0.4.1"
    ZEROED = 1, "Clear all data to zeros (slow); every driver of libvirt 9.0 refuses this flag.", "0.4.1"


class ListPoolsFlags(
    Flags, c_type="virConnectListAllStoragePoolsFlags", prefix="VIR_CONNECT_LIST_STORAGE_POOLS_"
):
    """Which pools to list (``virConnectListAllStoragePoolsFlags``).

    Flags of one kind (activity, persistence, autostart, type) add up; a kind without a flag does not filter.
    """

    INACTIVE = 1 << 0, "Pools that are not running.", "0.10.2"
    ACTIVE = 1 << 1, "Pools that are running.", "0.10.2"
    PERSISTENT = 1 << 2, "Pools that have a definition.", "0.10.2"
    TRANSIENT = 1 << 3, "Pools that vanish when they are stopped.", "0.10.2"
    AUTOSTART = 1 << 4, "Pools that start with the daemon.", "0.10.2"
    NO_AUTOSTART = 1 << 5, "Pools that do not start with the daemon.", "0.10.2"
    DIR = 1 << 6, "Pools of type dir.", "0.10.2"
    FS = 1 << 7, "Pools of type fs.", "0.10.2"
    NETFS = 1 << 8, "Pools of type netfs.", "0.10.2"
    LOGICAL = 1 << 9, "Pools of type logical.", "0.10.2"
    DISK = 1 << 10, "Pools of type disk.", "0.10.2"
    ISCSI = 1 << 11, "Pools of type iscsi.", "0.10.2"
    SCSI = 1 << 12, "Pools of type scsi.", "0.10.2"
    MPATH = 1 << 13, "Pools of type mpath.", "0.10.2"
    RBD = 1 << 14, "Pools of type rbd.", "0.10.2"
    SHEEPDOG = 1 << 15, "Pools of type sheepdog.", "0.10.2"
    GLUSTER = 1 << 16, "Pools of type gluster.", "1.2.1"
    ZFS = 1 << 17, "Pools of type zfs.", "1.2.8"
    VSTORAGE = 1 << 18, "Pools of type vstorage.", "3.1.0"
    ISCSI_DIRECT = 1 << 19, "Pools of type iscsi-direct.", "5.6.0"

    @classmethod
    def for_type(cls, pool_type: PoolType) -> ListPoolsFlags:
        """Return the flag that lists pools of ``pool_type``."""
        return cls[pool_type.name]


class PoolEventId(Number, c_type="virStoragePoolEventID", prefix="VIR_STORAGE_POOL_EVENT_ID_"):
    """Kinds of pool events (``virStoragePoolEventID``)."""

    LIFECYCLE = 0, "A pool was defined, started, stopped …: see PoolEventLifecycle.", "2.0.0"
    REFRESH = 1, "A pool was refreshed: libvirt listed its volumes again.", "2.0.0"


class PoolEventLifecycle(Number, c_type="virStoragePoolEventLifecycleType", prefix="VIR_STORAGE_POOL_EVENT_"):
    """What happened to a pool (``virStoragePoolEventLifecycleType``)."""

    DEFINED = 0, "The pool was defined or redefined.", "2.0.0"
    UNDEFINED = 1, "The definition of the pool was removed.", "2.0.0"
    STARTED = 2, "The pool was started.", "2.0.0"
    STOPPED = 3, "The pool was stopped.", "2.0.0"
    CREATED = 4, "The pool was built.", "3.8.0"
    DELETED = 5, "The storage of the pool was deleted.", "3.8.0"


class VolumeType(Number, c_type="virStorageVolType", prefix="VIR_STORAGE_VOL_"):
    """The kind of a volume (``virStorageVolType``); ``word`` is its ``/volume/@type``."""

    FILE = 0, "A regular file.", "0.4.1"
    BLOCK = 1, "A block device.", "0.4.1"
    DIR = 2, "A directory.", "0.9.5"
    NETWORK = 3, "A network volume, such as an RBD image.", "0.9.13"
    NETDIR = 4, "A network directory that can hold other network volumes.", "1.2.0"
    PLOOP = 5, "A ploop volume: a directory with an image and its description.", "1.3.4"


class VolumeCreateFlags(Flags, c_type="virStorageVolCreateFlags", prefix="VIR_STORAGE_VOL_CREATE_"):
    """How to create or clone a volume (``virStorageVolCreateFlags``)."""

    PREALLOC_METADATA = 1, "Preallocate the metadata of a qcow2 image.", "1.0.1"
    REFLINK = 2, "Share the blocks of the source (btrfs, xfs) instead of copying them.", "1.2.13"
    VALIDATE = (
        4,
        "Validate the document against libvirt's schema; before libvirt 11.3 this always fails.",
        "8.10.0",
    )


class VolumeDeleteFlags(Flags, c_type="virStorageVolDeleteFlags", prefix="VIR_STORAGE_VOL_DELETE_"):
    """How to delete a volume (``virStorageVolDeleteFlags``)."""

    NORMAL = 0, "Delete metadata only (fast).", "0.4.1"
    ZEROED = 1, "Clear all data to zeros (slow); only rbd accepts this flag, and ignores it.", "0.4.1"
    WITH_SNAPSHOTS = 2, "Delete an rbd volume together with its snapshots.", "1.2.21"


class VolumeResizeFlags(Flags, c_type="virStorageVolResizeFlags", prefix="VIR_STORAGE_VOL_RESIZE_"):
    """How to resize a volume (``virStorageVolResizeFlags``)."""

    ALLOCATE = 1, "Allocate the new space at once.", "0.9.10"
    DELTA = 2, "The size is relative to the current one.", "0.9.10"
    SHRINK = 4, "Allow the capacity to become smaller.", "0.9.10"


class VolumeUploadFlags(Flags, c_type="virStorageVolUploadFlags", prefix="VIR_STORAGE_VOL_UPLOAD_"):
    """How to upload into a volume (``virStorageVolUploadFlags``)."""

    SPARSE_STREAM = 1, "Holes are sent as holes.", "3.4.0"


class VolumeDownloadFlags(Flags, c_type="virStorageVolDownloadFlags", prefix="VIR_STORAGE_VOL_DOWNLOAD_"):
    """How to download a volume (``virStorageVolDownloadFlags``)."""

    SPARSE_STREAM = 1, "Holes are sent as holes.", "3.4.0"


class VolumeInfoFlags(Flags, c_type="virStorageVolInfoFlags", prefix="VIR_STORAGE_VOL_"):
    """Which size a volume's info reports in addition to its capacity (``virStorageVolInfoFlags``)."""

    USE_ALLOCATION = 0, "The space charged now.", "3.0.0"
    GET_PHYSICAL = 1, "The size of the file or device.", "3.0.0"


class WipeAlgorithm(Number, c_type="virStorageVolWipeAlgorithm", prefix="VIR_STORAGE_VOL_WIPE_ALG_"):
    """How to wipe a volume (``virStorageVolWipeAlgorithm``).

    ``ZERO`` is built into libvirt. ``TRIM`` works on rbd only. All others need ``scrub`` on the host. ``word`` is the
    name in virsh.
    """

    ZERO = 0, "1 pass, all zeros.", "0.9.10"
    NNSA = 1, "4 passes: NNSA Policy Letter NAP-14.1-C (XVI-8).", "0.9.10"
    DOD = 2, "4 passes: DoD 5220.22-M section 8-306.", "0.9.10"
    BSI = 3, "9 passes, recommended by Germany's Federal Office for Information Security.", "0.9.10"
    GUTMANN = 4, "35 passes: the canonical sequence.", "0.9.10"
    SCHNEIER = 5, '7 passes, described by Bruce Schneier in "Applied Cryptography" (1996).', "0.9.10"
    PFITZNER7 = 6, "7 passes of random data.", "0.9.10"
    PFITZNER33 = 7, "33 passes of random data.", "0.9.10"
    RANDOM = 8, "1 pass of random data.", "0.9.10"
    TRIM = 9, "1 pass: give all blocks back to the storage.", "1.3.2"


class XmlFlags(Flags, c_type="virStorageXMLFlags", prefix="VIR_STORAGE_XML_"):
    """Which document to get (``virStorageXMLFlags``)."""

    INACTIVE = 1, "The configuration that the pool will have after its next start.", "0.9.13"


class ListSecretsFlags(Flags, c_type="virConnectListAllSecretsFlags", prefix="VIR_CONNECT_LIST_SECRETS_"):
    """Which secrets to list (``virConnectListAllSecretsFlags``)."""

    EPHEMERAL = 1, "Secrets that are kept in memory only.", "0.10.2"
    NO_EPHEMERAL = 2, "Secrets that are stored on disk.", "0.10.2"
    PRIVATE = 4, "Secrets whose value libvirt never reveals to a client.", "0.10.2"
    NO_PRIVATE = 8, "Secrets whose value can be read.", "0.10.2"


class SecretUsageType(Number, c_type="virSecretUsageType", prefix="VIR_SECRET_USAGE_TYPE_"):
    """The purpose of a secret (``virSecretUsageType``); ``word`` is its ``/secret/usage/@type``."""

    NONE = 0, "Nothing in particular.", "0.7.1"
    VOLUME = 1, "An encrypted volume.", "0.7.1"
    CEPH = 2, "A Ceph user.", "0.9.7"
    ISCSI = 3, "An iSCSI target.", "1.0.4"
    TLS = 4, "A TLS private key.", "2.3.0"
    VTPM = 5, "An emulated TPM.", "5.6.0"


class SecretDefineFlags(Flags, c_type="virSecretDefineFlags", prefix="VIR_SECRET_DEFINE_"):
    """How to define a secret (``virSecretDefineFlags``)."""

    VALIDATE = 1, "Validate the document against libvirt's schema.", "7.7.0"


class SecretEventId(Number, c_type="virSecretEventID", prefix="VIR_SECRET_EVENT_ID_"):
    """Kinds of secret events (``virSecretEventID``)."""

    LIFECYCLE = 0, "A secret was defined or undefined: see SecretEventLifecycle.", "3.0.0"
    VALUE_CHANGED = 1, "A secret's value was set.", "3.0.0"


class SecretEventLifecycle(Number, c_type="virSecretEventLifecycleType", prefix="VIR_SECRET_EVENT_"):
    """What happened to a secret (``virSecretEventLifecycleType``)."""

    DEFINED = 0, "The secret was defined or redefined.", "3.0.0"
    UNDEFINED = 1, "The secret was removed.", "3.0.0"


class StreamFlags(Flags, c_type="virStreamFlags", prefix="VIR_STREAM_"):
    """How to open a stream (``virStreamFlags``)."""

    NONBLOCK = 1, "Calls on the stream return at once instead of waiting.", "0.7.2"


class StreamRecvFlags(Flags, c_type="virStreamRecvFlagsValues", prefix="VIR_STREAM_RECV_"):
    """How to receive from a stream (``virStreamRecvFlagsValues``)."""

    STOP_AT_HOLE = 1, "Stop before a hole instead of reading zeros.", "3.4.0"


class StreamEvent(Flags, c_type="virStreamEventType", prefix="VIR_STREAM_EVENT_"):
    """The state of a stream that an event reports (``virStreamEventType``)."""

    READABLE = 1, "Data is ready to be received.", "0.7.2"
    WRITABLE = 2, "Data can be sent.", "0.7.2"
    ERROR = 4, "The stream failed.", "0.7.2"
    HANGUP = 8, "The other side closed the stream.", "0.7.2"
