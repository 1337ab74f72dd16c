"""The answers of libvirt's that have one meaning each: our class for it, and what a person can do about it."""

from __future__ import annotations

import attrs

from libstorage.connection.failures.codes import Code
from libstorage.connection.failures.program_run import ProgramRun
from libstorage.errors import (
    AccessDeniedError,
    AuthenticationError,
    BusyError,
    ConnectionLostError,
    DeadlineError,
    DocumentError,
    InvalidRequestError,
    LibvirtError,
    NoSpaceError,
    Outcome,
    PoolActiveError,
    PoolBusyError,
    PoolInactiveError,
    PoolNotFoundError,
    Retry,
    StateError,
    StorageError,
    TransferError,
    UnsupportedError,
    VolumeBusyError,
    VolumeExistsError,
    VolumeNotFoundError,
)


@attrs.frozen
class Verdict:
    """What an answer of libvirt's means.

    Attributes:
        error: Our class for it.
        hint: What a person can do about it.
        retry: Whether the same call may be made again.
        reason: What went wrong, where libvirt's own words will not do.
        run: The program that failed, if it was one that did.
        outcome: What became of the request, where that is not as usual for the class.
    """

    error: type[StorageError]
    hint: str | None = None
    retry: Retry = attrs.field(default="no", kw_only=True)
    reason: str | None = attrs.field(default=None, kw_only=True)
    run: ProgramRun | None = attrs.field(default=None, kw_only=True)
    outcome: Outcome | None = attrs.field(default=None, kw_only=True)


OTHER = Verdict(LibvirtError)
WRONG_DOCUMENT = Verdict(DocumentError, "Compare it with libvirt's documentation of the format.")
UNSUPPORTED = Verdict(UnsupportedError, "This type of pool, or this version of libvirt, cannot do that.")
BUSY_VOLUME = Verdict(
    VolumeBusyError, "It is being created, cloned, wiped or resized; wait and try again.", retry="backoff"
)
BUSY_POOL = Verdict(
    PoolBusyError,
    "Volumes of the pool are being created, cloned or wiped; wait and try again.",
    retry="backoff",
)
INACTIVE = Verdict(PoolInactiveError, "Start the pool first: pool.start().")
ACTIVE = Verdict(PoolActiveError, "Stop the pool first, if that is what you want: pool.stop().")
VOLUME_GONE = Verdict(
    VolumeNotFoundError,
    "If its file was moved or removed by others, pool.refresh() brings the list up to date.",
)
VOLUME_EXISTS = Verdict(VolumeExistsError, "Choose another name, or delete the volume that is there.")
FILE_EXISTS = Verdict(
    VolumeExistsError,
    "A file of that name is there that the pool has not listed: pool.refresh() makes it a volume.",
)
NO_SPACE = Verdict(NoSpaceError, "Free some space, or make the volume sparse: allocation=0.")
NO_DRIVER = Verdict(
    UnsupportedError,
    "The daemon has no driver for pools of that type; host.pool_capabilities() lists those that it has. Debian has some "
    "in packages called libvirt-daemon-driver-storage-TYPE.",
)
NO_HANDLE = Verdict(ConnectionLostError, "Connect again.", retry="now")
AFTER_A_REFRESH = (
    "let libvirt find it: after a refresh it knows only a secret whose usage is the volume's path. "
    "host.secrets.define(SecretSpec.volume(volume.path())).set_value(...), then pool.refresh()."
)
WRONG_ARGUMENT = Verdict(InvalidRequestError)

PLAIN: dict[int, Verdict] = {
    Code.NO_MEMORY: Verdict(LibvirtError, "The daemon is out of memory.", retry="backoff"),
    Code.INVALID_CONN: NO_HANDLE,
    Code.INVALID_STORAGE_POOL: NO_HANDLE,
    Code.INVALID_STORAGE_VOL: NO_HANDLE,
    Code.INVALID_STREAM: NO_HANDLE,
    Code.OVERFLOW: WRONG_ARGUMENT,
    Code.XML_DETAIL: WRONG_DOCUMENT,
    Code.XML_INVALID_SCHEMA: WRONG_DOCUMENT,
    Code.OPERATION_DENIED: Verdict(
        AccessDeniedError, "The host was opened read-only: connect without readonly=True."
    ),
    Code.ACCESS_DENIED: Verdict(
        AccessDeniedError, "The daemon's access rules (polkit) do not allow it to you."
    ),
    Code.AUTH_FAILED: Verdict(AuthenticationError),
    Code.AUTH_CANCELLED: Verdict(AuthenticationError),
    Code.AUTH_UNAVAILABLE: Verdict(AuthenticationError),
    Code.NO_STORAGE_POOL: Verdict(PoolNotFoundError, "host.pools.names() lists what is there."),
    Code.NO_STORAGE_VOL: VOLUME_GONE,
    Code.STORAGE_VOL_EXIST: VOLUME_EXISTS,
    Code.ARGUMENT_UNSUPPORTED: UNSUPPORTED,
    Code.OPERATION_UNSUPPORTED: UNSUPPORTED,
    Code.OPERATION_TIMEOUT: Verdict(DeadlineError, retry="after_reconcile"),
    Code.OPERATION_ABORTED: Verdict(TransferError),
    Code.RESOURCE_BUSY: Verdict(BusyError, "Wait and try again.", retry="backoff"),
    Code.STORAGE_POOL_BUILT: Verdict(
        StateError, "The pool is built already; build(overwrite=True) destroys what is in it."
    ),
}
