"""Which of our errors stands for an answer of libvirt's, and what a person can do about it.

Most codes have one meaning (``_PLAIN``); some mean different things to different operations, and of those some can
only be told apart by one more read on the same lane (``_DECIDED``). If that read fails, too, the class between the
candidates is chosen.
"""

from __future__ import annotations

import errno
from collections.abc import Callable

import attrs

from libstorage import operations as op
from libstorage.connection.case import Case
from libstorage.connection.codes import Code, Domain
from libstorage.connection.helper import HelperRun
from libstorage.connection.target import VolumeId
from libstorage.errors import (
    AccessDeniedError,
    AuthenticationError,
    BusyError,
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
    Retry,
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


@attrs.frozen
class Verdict:
    """What an answer of libvirt's means.

    Attributes:
        error: Our class for it.
        hint: What a person can do about it.
        retry: Whether the same call may be made again.
        reason: What went wrong, where libvirt's own words will not do.
        run: The program that failed, for a ``HelperError``.
    """

    error: type[StorageError]
    hint: str | None = None
    retry: Retry = attrs.field(default="no", kw_only=True)
    reason: str | None = attrs.field(default=None, kw_only=True)
    run: HelperRun | None = attrs.field(default=None, kw_only=True)


def judge(case: Case) -> Verdict:
    """Which of our errors stands for that answer."""
    said = case.said
    if (run := HelperRun.read(said)) is not None:
        return _helper(run)
    if said.code is None:
        return _OTHER
    decide = _DECIDED.get(said.code)
    return _PLAIN.get(said.code, _OTHER) if decide is None else decide(case)


# ---- codes with one meaning -----------------------------------------------------------------------------------------

_OTHER = Verdict(LibvirtError)
_WRONG_DOCUMENT = Verdict(DocumentError, "Compare it with libvirt's documentation of the format.")
_UNSUPPORTED = Verdict(UnsupportedError, "This type of pool, or this version of libvirt, cannot do that.")
_BUSY_VOLUME = Verdict(
    VolumeBusyError, "It is being created, cloned, wiped or resized; wait and try again.", retry="backoff"
)
_BUSY_POOL = Verdict(
    PoolBusyError,
    "Volumes of the pool are being created, cloned or wiped; wait and try again.",
    retry="backoff",
)
_INACTIVE = Verdict(PoolInactiveError, "Start the pool first: pool.start().")
_ACTIVE = Verdict(PoolActiveError, "Stop the pool first, if that is what you want: pool.stop().")
_VOLUME_GONE = Verdict(
    VolumeNotFoundError,
    "If its file was moved or removed by others, pool.refresh() brings the list up to date.",
)
_VOLUME_EXISTS = Verdict(VolumeExistsError, "Choose another name, or delete the volume that is there.")
_FILE_EXISTS = Verdict(
    VolumeExistsError,
    "A file of that name is there that the pool has not listed: pool.refresh() makes it a volume.",
)
_NO_SPACE = Verdict(NoSpaceError, "Free some space, or make the volume sparse: allocation=0.")
_NO_HANDLE = Verdict(ConnectionLostError, "Connect again.", retry="now")
_WRONG_ARGUMENT = Verdict(InvalidRequestError)

_PLAIN: dict[int, Verdict] = {
    Code.NO_MEMORY: Verdict(LibvirtError, "The daemon is out of memory.", retry="backoff"),
    Code.NO_SUPPORT: _UNSUPPORTED,
    Code.INVALID_CONN: _NO_HANDLE,
    Code.INVALID_STORAGE_POOL: _NO_HANDLE,
    Code.INVALID_STORAGE_VOL: _NO_HANDLE,
    Code.INVALID_STREAM: _NO_HANDLE,
    Code.OVERFLOW: _WRONG_ARGUMENT,
    Code.XML_ERROR: _WRONG_DOCUMENT,
    Code.XML_DETAIL: _WRONG_DOCUMENT,
    Code.XML_INVALID_SCHEMA: _WRONG_DOCUMENT,
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
    Code.NO_STORAGE_VOL: _VOLUME_GONE,
    Code.STORAGE_VOL_EXIST: _VOLUME_EXISTS,
    Code.CONFIG_UNSUPPORTED: _UNSUPPORTED,
    Code.ARGUMENT_UNSUPPORTED: _UNSUPPORTED,
    Code.OPERATION_UNSUPPORTED: _UNSUPPORTED,
    Code.OPERATION_TIMEOUT: Verdict(DeadlineError, retry="after_reconcile"),
    Code.OPERATION_ABORTED: Verdict(TransferError),
    Code.RESOURCE_BUSY: Verdict(BusyError, "Wait and try again.", retry="backoff"),
    Code.STORAGE_PROBE_FAILED: Verdict(
        StateError, "What is on the device cannot be told; build(overwrite=True) destroys it, whatever it is."
    ),
    Code.STORAGE_POOL_BUILT: Verdict(
        StateError, "The pool is built already; build(overwrite=True) destroys what is in it."
    ),
}


# ---- codes that mean different things to different operations ---------------------------------------------------------


def _helper(run: HelperRun) -> Verdict:
    reason = str(run)
    if run.has_no_space:
        return Verdict(NoSpaceError, _NO_SPACE.hint, reason=reason)
    if run.is_missing:
        return Verdict(HelperError, f"Install {run.program} on the host.", reason=reason, run=run)
    if run.has_no_clock:
        hint = "qemu-img could not time the cipher, as happens at random in virtual machines; try again."
        return Verdict(HelperError, hint, retry="backoff", reason=reason, run=run)
    return Verdict(HelperError, reason=reason, run=run)


def _internal_error(case: Case) -> Verdict:
    verdict = (
        _INTERNAL.get(case.op, _OTHER) if case.said.domain in {Domain.STORAGE, Domain.SECRET} else _OTHER
    )
    if (
        case.op in {op.POOL_REFRESH, op.POOL_STOP}
        and verdict is _BUSY_POOL
        and case.pool_is_active() is False
    ):
        return Verdict(LibvirtError, "The pool is stopped now.")
    if verdict is _VOLUME_EXISTS and case.volume_is_there() is False:
        return _OTHER
    if case.op == op.POOL_SET_AUTOSTART and case.pool_is_persistent() is False:
        return _TRANSIENT
    if case.op in {op.VOLUMES_LIST, op.POOLS_LIST} and case.said.domain == Domain.RPC:
        return _TOO_MANY
    if case.op == op.VOLUME_CREATE and case.said.domain == Domain.TEST:
        return _NO_SPACE
    return verdict


_TRANSIENT = Verdict(StateError, "The pool is transient; define it first: host.pools.define(spec).")
_TOO_MANY = Verdict(
    UnsupportedError, "libvirt lists 16,384 at most. Look them up one by one by name, or split the pool."
)
_INTERNAL: dict[op.Operation, Verdict] = {
    op.POOL_STOP: _BUSY_POOL,
    op.POOL_REFRESH: _BUSY_POOL,
    op.POOL_UNDEFINE: _BUSY_POOL,
    op.POOL_DELETE: _BUSY_POOL,
    op.POOL_DEFINE: Verdict(
        UnsupportedError,
        "The daemon lacks the driver of that type: Debian's libvirt-daemon-driver-storage-TYPE.",
    ),
    op.POOL_FIND_SOURCES: _UNSUPPORTED,
    op.VOLUME_CLONE: _VOLUME_EXISTS,
    op.SECRET_DEFINE: Verdict(
        ExistsError, "A secret for that use is there: look it up by its usage, or undefine it."
    ),
}


def _operation_failed(case: Case) -> Verdict:
    if case.op in {op.POOL_DEFINE, op.POOL_CREATE_TRANSIENT}:
        there = case.pool_is_there()
        return _POOL_EXISTS if there else _EXISTS if there is None else _SOURCE_CONFLICT
    if case.op in {op.VOLUME_CREATE, op.VOLUME_CLONE} and case.volume_is_there():
        return _VOLUME_EXISTS
    return _FAILED.get(case.op, _OTHER)


_POOL_EXISTS = Verdict(
    PoolExistsError,
    "A pool of that name or uuid is there: host.pools.ensure(spec) takes it if it is the same.",
)
_SOURCE_CONFLICT = Verdict(SourceConflictError, "Another pool has that source or path; one pool each.")
_EXISTS = Verdict(ExistsError, "A pool of that name or uuid, or with that source, is there.")
_UNBUILT = Verdict(StateError, "Build the pool first: pool.build().")
_STREAM = Verdict(TransferError, "Transfer it again from its beginning.")
_FAILED: dict[op.Operation, Verdict] = {
    op.VOLUME_RESIZE: _NO_SPACE,
    op.VOLUME_UPLOAD: _STREAM,
    op.VOLUME_DOWNLOAD: _STREAM,
    op.POOL_START: _UNBUILT,
    op.POOL_FIND_SOURCES: Verdict(NotFoundError, "Does the server export anything, and to this host?"),
}


def _operation_invalid(case: Case) -> Verdict:
    active = case.pool_is_active()
    if active is None:
        return Verdict(
            StateError, "The pool may have to be started or stopped first, or something is at work on it."
        )
    if case.op == op.POOL_STOP and not active:
        return _STOPPED
    if case.op in _WANT_INACTIVE:
        return _WANT_INACTIVE[case.op] if active else _STARTING
    return _in_active_pool(case) if active else _INACTIVE


_STARTING = Verdict(PoolBusyError, "The pool is being started; wait and try again.", retry="backoff")
_RUNS = Verdict(PoolActiveError, "It runs already; nothing needs to be done.")
_STOPPED = Verdict(PoolInactiveError, "It is stopped already; nothing needs to be done.")
_WANT_INACTIVE: dict[op.Operation, Verdict] = {
    op.POOL_START: _RUNS,
    op.POOL_CREATE_TRANSIENT: _RUNS,
    op.POOL_BUILD: _ACTIVE,
    op.POOL_DELETE: _ACTIVE,
    op.POOL_UNDEFINE: _ACTIVE,
    op.POOL_DEFINE: _ACTIVE,
}


def _in_active_pool(case: Case) -> Verdict:
    if not isinstance(case.target, VolumeId):
        return Verdict(StateError)
    there = case.volume_is_there()
    if case.op in {op.VOLUME_CREATE, op.VOLUME_CLONE} and not there:
        if "/" in case.target.name:
            return Verdict(InvalidRequestError, "The name of a volume is that of a file, without a path.")
        return _FILE_EXISTS if there is False and case.op == op.VOLUME_CREATE else _TAKEN_OR_BUSY
    return _BUSY_VOLUME if there else Verdict(StateError)


_TAKEN_OR_BUSY = Verdict(
    StateError,
    "A file of that name may be there, or the source may still be in the making: pool.refresh() tells.",
)


def _system_error(case: Case) -> Verdict:
    number = case.said.errno
    if number == errno.ENOENT:
        return _missing(case)
    if number == errno.EEXIST and case.op in {op.VOLUME_CREATE, op.VOLUME_CLONE}:
        return _FILE_EXISTS
    return _ERRNO.get(number or 0, Verdict(StorageIOError))


def _missing(case: Case) -> Verdict:
    if case.op == op.VOLUME_WIPE and case.said.domain == Domain.NONE:
        return Verdict(UnsupportedError, "All algorithms but zero need the program scrub on the host.")
    if case.op in {op.VOLUME_RESIZE, op.VOLUME_WIPE, op.VOLUME_UPLOAD, op.VOLUME_DOWNLOAD}:
        return _VOLUME_GONE
    if case.op in {op.POOL_START, op.POOL_REFRESH, op.POOL_CREATE_TRANSIENT}:
        build = "build=True" if case.op == op.POOL_CREATE_TRANSIENT else "pool.build()"
        return Verdict(
            StorageIOError, f"Is the path right? {build} makes the directory. The pool is not running."
        )
    return Verdict(StorageIOError)


_AGAIN = Verdict(StorageIOError, retry="backoff")
_ERRNO: dict[int, Verdict] = {
    errno.ENOSPC: _NO_SPACE,
    errno.EDQUOT: _NO_SPACE,
    errno.EPERM: Verdict(AccessDeniedError, "The daemon itself is not allowed to do that on its host."),
    errno.EACCES: Verdict(AccessDeniedError, "The daemon itself is not allowed to do that on its host."),
    errno.EEXIST: Verdict(ExistsError),
    errno.ENAMETOOLONG: Verdict(InvalidRequestError, "Choose a shorter name."),
    errno.EFBIG: Verdict(InvalidRequestError, "The file system cannot hold a file of that size."),
    errno.EROFS: Verdict(StorageIOError, "The file system is mounted read-only."),
    errno.ENOTEMPTY: Verdict(StorageIOError, "Delete what is in it first."),
    errno.EOPNOTSUPP: _UNSUPPORTED,
    errno.EXDEV: _UNSUPPORTED,
    errno.EIO: _AGAIN,
    errno.ETIMEDOUT: _AGAIN,
    errno.ESTALE: _AGAIN,
}


def _rpc(case: Case) -> Verdict:
    if case.op in {op.VOLUMES_LIST, op.POOLS_LIST, op.VOLUMES_NAMES, op.POOLS_NAMES}:
        return _TOO_MANY
    return Verdict(
        InvalidRequestError, "A message to libvirt holds 4 MiB at most, a piece of a stream 32 MiB."
    )


def _secret(case: Case) -> Verdict:
    if case.op == op.SECRET_VALUE and case.secret_is_there():
        return Verdict(StateError, "Give it one first: secret.set_value(value).")
    return Verdict(SecretNotFoundError, "host.secrets lists what is there.")


def _invalid_argument(case: Case) -> Verdict:
    if case.op == op.VOLUME_RESIZE:
        return Verdict(
            InvalidRequestError,
            "To make it smaller takes shrink=True, and never goes below what is allocated.",
        )
    return _WRONG_ARGUMENT


def _private_secret(case: Case) -> Verdict:
    return (
        Verdict(AccessDeniedError, "It is private: libvirt keeps its value to itself.")
        if (case.op == op.SECRET_VALUE)
        else _OTHER
    )


_DECIDED: dict[int, Callable[[Case], Verdict]] = {
    Code.INTERNAL_ERROR: _internal_error,
    Code.INVALID_ARG: _invalid_argument,
    Code.OPERATION_FAILED: _operation_failed,
    Code.OPERATION_INVALID: _operation_invalid,
    Code.SYSTEM_ERROR: _system_error,
    Code.RPC: _rpc,
    Code.NO_SECRET: _secret,
    Code.INVALID_SECRET: _private_secret,
}
