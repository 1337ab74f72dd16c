"""Error codes of libvirt that have one meaning each: the libstorage class, and what the user can do."""

from __future__ import annotations

import attrs

from libstorage.connection.codes import Code
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
    """The meaning of an error that libvirt returned.

    Attributes:
        error: The libstorage error class.
        hint: What the user can do.
        retry: Whether, and when, the same call may be repeated.
        reason: What went wrong, if libvirt's own message is not clear enough.
        run: The run of the helper program, if the error comes from one.
        outcome: What became of the request, if this differs from the usual outcome of the class.
        pool: Name of the pool that is in the way.
    """

    error: type[StorageError]
    hint: str | None = None
    retry: Retry = attrs.field(default="no", kw_only=True)
    reason: str | None = attrs.field(default=None, kw_only=True)
    run: ProgramRun | None = attrs.field(default=None, kw_only=True)
    outcome: Outcome | None = attrs.field(default=None, kw_only=True)
    pool: str | None = attrs.field(default=None, kw_only=True)


OTHER = Verdict(LibvirtError)
WRONG_DOCUMENT = Verdict(DocumentError, "Compare the document with libvirt's documentation of the format.")
UNSUPPORTED = Verdict(
    UnsupportedError, "This pool type or this version of libvirt does not support the request."
)
BUSY_VOLUME = Verdict(
    VolumeBusyError,
    "The volume is being created, cloned, wiped or resized; wait and try again.",
    retry="backoff",
)
BUSY_POOL = Verdict(
    PoolBusyError,
    "Volumes of the pool are being created, cloned or wiped; wait and try again.",
    retry="backoff",
)
INACTIVE = Verdict(PoolInactiveError, "Start the pool first: pool.start().")
ACTIVE = Verdict(PoolActiveError, "Stop the pool first: pool.stop().")
VOLUME_GONE = Verdict(
    VolumeNotFoundError,
    "If the volume was moved or deleted outside of libvirt, pool.refresh() updates the pool's list of volumes.",
    outcome="not_started",
)
VOLUME_EXISTS = Verdict(VolumeExistsError, "Choose another name, or delete the existing volume.")
FILE_EXISTS = Verdict(
    VolumeExistsError,
    "A file of that name exists, but the pool does not list it yet: pool.refresh() makes it a volume.",
    outcome="not_started",
)
NO_SPACE = Verdict(NoSpaceError, "Free some space, or create a sparse volume: allocation=0.")
NO_DRIVER = Verdict(
    UnsupportedError,
    "The daemon does not have a driver for pools of that type; host.pool_capabilities() lists the types that it supports. "
    "On Debian, some drivers are in packages named libvirt-daemon-driver-storage-TYPE.",
)
NO_HANDLE = Verdict(ConnectionLostError, "Connect again.", retry="now")
AFTER_A_REFRESH = (
    "let libvirt find the secret: after a refresh, libvirt knows only a secret whose usage is the volume's path. "
    "Call host.secrets.define(SecretSpec.volume(volume.path())).set_value(...), then pool.refresh()."
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
        AccessDeniedError, "The connection is read-only: connect without readonly=True."
    ),
    Code.ACCESS_DENIED: Verdict(
        AccessDeniedError, "The daemon's access rules (polkit) do not allow you to do that."
    ),
    Code.AUTH_FAILED: Verdict(AuthenticationError),
    Code.AUTH_CANCELLED: Verdict(AuthenticationError),
    Code.AUTH_UNAVAILABLE: Verdict(AuthenticationError),
    Code.NO_STORAGE_POOL: Verdict(PoolNotFoundError, "host.pools.names() lists the existing pools."),
    Code.STORAGE_VOL_EXIST: VOLUME_EXISTS,
    Code.ARGUMENT_UNSUPPORTED: UNSUPPORTED,
    Code.OPERATION_UNSUPPORTED: UNSUPPORTED,
    Code.OPERATION_TIMEOUT: Verdict(DeadlineError, retry="after_reconcile", outcome="unknown"),
    Code.OPERATION_ABORTED: Verdict(TransferError),
    Code.RESOURCE_BUSY: Verdict(BusyError, "Wait and try again.", retry="backoff"),
    Code.INVALID_ENCR_KEY_SECRET: Verdict(
        StateError,
        "The host's key for stored secrets has changed: set the value of the secret again, or restore the key.",
    ),
    Code.STORAGE_POOL_BUILT: Verdict(
        StateError,
        "The pool is already built; build(overwrite=True) builds it again and destroys its contents.",
    ),
}
