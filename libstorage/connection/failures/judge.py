"""Decides which libstorage error stands for an error that libvirt returned, and what the user can do.

Most codes have one meaning ([verdict][libstorage.connection.failures.verdict]). Some have different meanings for
different operations, and some of these need one more read on the same lane to decide (``_DECIDED``). If that read
fails, too, the class that covers all candidates is chosen.
"""

from __future__ import annotations

import errno
from collections.abc import Callable

import attrs

from libstorage import operations as op
from libstorage.connection.codes import Code, Domain
from libstorage.connection.failures import verdict
from libstorage.connection.failures.case import Case
from libstorage.connection.failures.network import judge_image, judge_source
from libstorage.connection.failures.program_run import ProgramRun
from libstorage.connection.failures.programs import advise
from libstorage.connection.failures.verdict import Verdict
from libstorage.connection.identity import PoolId, VolumeId
from libstorage.enums import PoolType
from libstorage.errors import (
    AccessDeniedError,
    ExistsError,
    InvalidRequestError,
    LibvirtError,
    NoSpaceError,
    NotFoundError,
    PoolActiveError,
    PoolBusyError,
    PoolExistsError,
    PoolInactiveError,
    SecretNotFoundError,
    SourceConflictError,
    StateError,
    StorageIOError,
    TransferError,
    UnsupportedError,
    VolumeNotFoundError,
)


def judge(case: Case) -> Verdict:
    """Return the verdict on a failed call."""
    said = case.said
    if (run := ProgramRun.read(said)) is not None:
        return _helper(run)
    if said.code is None:
        return verdict.OTHER
    decide = _DECIDED.get(said.code)
    found = verdict.PLAIN.get(said.code, verdict.OTHER) if decide is None else decide(case)
    if case.op == op.POOL_CREATE_TRANSIENT and found.error is LibvirtError and case.has_driver() is False:
        return verdict.NO_DRIVER  # libvirt gives several reasons the code of that one
    return found


# ---- codes whose meaning depends on the operation -------------------------------------------------------------------


def _helper(run: ProgramRun) -> Verdict:
    said = advise(run)
    return Verdict(said.error, said.hint, retry=said.retry, outcome=said.outcome, reason=str(run), run=run)


def _internal_error(case: Case) -> Verdict:
    if (known := judge_source(case)) is not None:
        return known
    found = (
        _INTERNAL.get(case.op, verdict.OTHER)
        if case.said.domain in {Domain.STORAGE, Domain.SECRET}
        else verdict.OTHER
    )
    if (
        case.op in {op.POOL_REFRESH, op.POOL_STOP}
        and found is verdict.BUSY_POOL
        and case.pool_is_active() is False
    ):
        return Verdict(LibvirtError, "The call failed, and the pool is now stopped.")
    if found is verdict.VOLUME_EXISTS and case.volume_is_there() is False:
        found = verdict.OTHER
    if (
        found is verdict.OTHER
        and case.op in _MAKING
        and case.said.domain == Domain.STORAGE
        and case.pool_type() == PoolType.DISK
    ):
        return _NO_EXTENT
    if case.op == op.POOL_SET_AUTOSTART and case.pool_is_persistent() is False:
        return _TRANSIENT
    if case.op in {op.VOLUMES_LIST, op.POOLS_LIST} and case.said.domain == Domain.RPC:
        return _TOO_MANY
    if case.op == op.VOLUME_CREATE and case.said.domain == Domain.TEST:
        return verdict.NO_SPACE
    return found


_MAKING = {op.VOLUME_CREATE, op.VOLUME_CLONE}
_SOURCES_FOUND = (
    "libvirt discovers sources for netfs, logical, iscsi, iscsi-direct and gluster only; "
    "the sources of other types must be known in advance."
)
_NO_EXTENT = Verdict(
    NoSpaceError,
    "The disk has no free extent of that size, or its label has no room for another partition of that kind: "
    "pool.spec().source.device lists the free extents.",
    outcome="not_started",
)
_TRANSIENT = Verdict(StateError, "The pool is transient; define the pool first: host.pools.define(spec).")
_TOO_MANY = Verdict(
    UnsupportedError,
    "libvirt lists at most 16,384 objects. Look them up one by one by name, or split the pool.",
)
_INTERNAL: dict[op.Operation, Verdict] = {
    op.POOL_STOP: verdict.BUSY_POOL,
    op.POOL_REFRESH: verdict.BUSY_POOL,
    op.POOL_UNDEFINE: verdict.BUSY_POOL,
    op.POOL_DELETE: verdict.BUSY_POOL,
    op.POOL_DEFINE: verdict.NO_DRIVER,
    op.POOL_FIND_SOURCES: Verdict(UnsupportedError, _SOURCES_FOUND),
    op.VOLUME_CLONE: verdict.VOLUME_EXISTS,
    op.SECRET_DEFINE: Verdict(
        ExistsError,
        "A secret for that usage already exists: look the secret up by its usage, or undefine it.",
    ),
}


def _operation_failed(case: Case) -> Verdict:
    if case.op in {op.POOL_DEFINE, op.POOL_CREATE_TRANSIENT}:
        there = case.pool_is_there()
        if there is False:
            return attrs.evolve(_SOURCE_CONFLICT, pool=case.quoted_pool())
        return _POOL_EXISTS if there else _EXISTS
    if case.op in {op.VOLUME_CREATE, op.VOLUME_CLONE} and case.volume_is_there():
        return verdict.VOLUME_EXISTS
    return _FAILED.get(case.op, verdict.OTHER)


_POOL_EXISTS = Verdict(
    PoolExistsError,
    "A pool of that name or uuid already exists: host.pools.ensure(spec) returns the existing pool if it matches.",
)
_SOURCE_CONFLICT = Verdict(
    SourceConflictError, "Another pool already uses that source or path; each may belong to one pool only."
)
_EXISTS = Verdict(ExistsError, "A pool of that name or uuid, or with that source, already exists.")
_UNBUILT = Verdict(StateError, "Build the pool first: pool.build().")
_STREAM = Verdict(TransferError, "Repeat the transfer from the beginning.")
_FAILED: dict[op.Operation, Verdict] = {
    op.VOLUME_RESIZE: verdict.NO_SPACE,
    op.VOLUME_UPLOAD: _STREAM,
    op.VOLUME_DOWNLOAD: _STREAM,
    op.POOL_START: _UNBUILT,
    op.POOL_FIND_SOURCES: Verdict(
        NotFoundError, "Check that the server exports storage, and that it does so to this host."
    ),
}


def _operation_invalid(case: Case) -> Verdict:
    active = case.pool_is_active()
    if active is None:
        return Verdict(
            StateError,
            "The pool may have to be started or stopped first, or another operation on it is still running.",
        )
    if case.op == op.POOL_STOP and not active:
        return _STOPPED
    if case.op in _WANT_INACTIVE:
        return _WANT_INACTIVE[case.op] if active else _without_device(case)
    return _in_active_pool(case) if active else verdict.INACTIVE


def _without_device(case: Case) -> Verdict:
    has_none = case.op in _BUILDING and case.pool_type() in {PoolType.DIR, PoolType.NETFS}
    if case.op == op.POOL_BUILD:
        return _NOTHING_TO_OVERWRITE if has_none else _NO_DEVICE
    return _STARTING_OR_NOTHING if has_none else _STARTING


_BUILDING = {op.POOL_BUILD, op.POOL_START, op.POOL_CREATE_TRANSIENT}
_STARTING_OR_NOTHING = Verdict(
    StateError,
    "If the pool is being started, wait and try again. "
    "If it was to be built with overwrite: overwrite needs a device, which pools of this type do not have.",
)


_NOTHING_TO_OVERWRITE = Verdict(
    UnsupportedError,
    "This pool has no device to make a file system on: build it without overwrite, which creates the directory if needed.",
)
_STARTING = Verdict(PoolBusyError, "The pool is being started; wait and try again.", retry="backoff")
_NO_DEVICE = Verdict(
    StateError,
    "Check that the source device exists. If it does, the pool is just being started: wait and try again.",
)
_RUNS = Verdict(PoolActiveError, "The pool is already running; nothing needs to be done.")
_STOPPED = Verdict(PoolInactiveError, "The pool is already stopped; nothing needs to be done.")
_WANT_INACTIVE: dict[op.Operation, Verdict] = {
    op.POOL_START: _RUNS,
    op.POOL_CREATE_TRANSIENT: _RUNS,
    op.POOL_BUILD: verdict.ACTIVE,
    op.POOL_DELETE: verdict.ACTIVE,
    op.POOL_UNDEFINE: verdict.ACTIVE,
    op.POOL_DEFINE: verdict.ACTIVE,
}


def _in_active_pool(case: Case) -> Verdict:
    if not isinstance(case.target, VolumeId):
        return Verdict(StateError)
    there = case.volume_is_there()
    if case.op in {op.VOLUME_CREATE, op.VOLUME_CLONE} and not there:
        if "/" in case.target.name:
            return Verdict(InvalidRequestError, "A volume name is a file name without a path.")
        return verdict.FILE_EXISTS if there is False and case.op == op.VOLUME_CREATE else _TAKEN_OR_BUSY
    return verdict.BUSY_VOLUME if there else Verdict(StateError)


_TAKEN_OR_BUSY = Verdict(
    StateError,
    "A file of that name may exist, or the source volume may not be complete yet: pool.refresh() shows which.",
)


def _system_error(case: Case) -> Verdict:
    number = case.said.errno
    if (known := judge_source(case) or judge_image(case)) is not None:
        return known
    if number == errno.ENOENT:
        return _missing(case)
    if number == errno.EEXIST and case.op in {op.VOLUME_CREATE, op.VOLUME_CLONE}:
        return verdict.FILE_EXISTS
    return _ERRNO.get(number or 0, Verdict(StorageIOError))


def _missing(case: Case) -> Verdict:
    if case.op == op.VOLUME_WIPE and case.said.domain == Domain.NONE:
        return Verdict(
            UnsupportedError,
            "All algorithms except zero require the program scrub on the host.",
            outcome="not_started",
        )
    if case.op in {op.VOLUME_RESIZE, op.VOLUME_WIPE, op.VOLUME_UPLOAD, op.VOLUME_DOWNLOAD}:
        return verdict.VOLUME_GONE
    if case.op in {op.POOL_START, op.POOL_REFRESH, op.POOL_CREATE_TRANSIENT}:
        if case.pool_type() == PoolType.SCSI:
            return _NO_ADAPTER
        build = "build=True" if case.op == op.POOL_CREATE_TRANSIENT else "pool.build()"
        return Verdict(
            StorageIOError, f"Check the path. {build} creates the directory. The pool is not running."
        )
    return Verdict(StorageIOError)


_NO_FUNCTION = Verdict(
    UnsupportedError,
    "The host's kernel or file system does not support that; copy-on-write can be switched off (nocow) on btrfs only.",
)
_NO_ADAPTER = Verdict(
    StorageIOError,
    "Check that the host has that adapter (/sys/class/scsi_host lists them) and the directory that target.path names.",
)
_AGAIN = Verdict(StorageIOError, retry="backoff")
_ERRNO: dict[int, Verdict] = {
    errno.ENOSPC: verdict.NO_SPACE,
    errno.EDQUOT: verdict.NO_SPACE,
    errno.EPERM: Verdict(AccessDeniedError, "The daemon itself is not allowed to do that on its host."),
    errno.EACCES: Verdict(AccessDeniedError, "The daemon itself is not allowed to do that on its host."),
    errno.EEXIST: Verdict(ExistsError),
    errno.ENAMETOOLONG: Verdict(InvalidRequestError, "Choose a shorter name.", outcome="not_started"),
    errno.EFBIG: Verdict(InvalidRequestError, "The file system cannot hold a file of that size."),
    errno.ENOTDIR: Verdict(
        StorageIOError, "A part of the path is a file, but must be a directory: check target.path."
    ),
    errno.EROFS: Verdict(StorageIOError, "The file system is mounted read-only."),
    errno.ENOTEMPTY: Verdict(StorageIOError, "The directory is not empty: delete its contents first."),
    errno.EOPNOTSUPP: verdict.UNSUPPORTED,
    errno.ENOSYS: _NO_FUNCTION,
    errno.EXDEV: verdict.UNSUPPORTED,
    errno.EIO: _AGAIN,
    errno.ETIMEDOUT: _AGAIN,
    errno.ESTALE: _AGAIN,
}


def _rpc(case: Case) -> Verdict:
    if case.op in {op.VOLUMES_LIST, op.POOLS_LIST}:
        return _TOO_MANY
    return _TOO_LARGE


_TOO_LARGE = Verdict(
    InvalidRequestError,
    "A message to libvirt can hold at most 4 MiB, a stream packet at most 32 MiB. "
    "If the request was smaller, the daemon's answer could not be read: check the result before you repeat the operation.",
)


def _no_volume(case: Case) -> Verdict:
    return _GONE_AT_ONCE if case.op == op.VOLUME_CREATE else verdict.VOLUME_GONE


_GONE_AT_ONCE = Verdict(
    VolumeNotFoundError,
    "The volume was created, and was gone before libvirt could look at it: pool.refresh() shows whether it is there.",
    outcome="unknown",
)


def _secret(case: Case) -> Verdict:
    if case.op == op.SECRET_VALUE and case.secret_is_there():
        return Verdict(
            StateError, "The secret does not have a value: set one first with secret.set_value(value)."
        )
    if isinstance(case.target, PoolId | VolumeId):
        return Verdict(
            SecretNotFoundError,
            "host.secrets lists the existing secrets. If the secret does not have a value, call secret.set_value(value).",
        )
    return Verdict(SecretNotFoundError, "host.secrets lists the existing secrets.")


def _invalid_argument(case: Case) -> Verdict:
    if case.op == op.VOLUME_RESIZE:
        return Verdict(
            InvalidRequestError,
            "Shrinking requires shrink=True. A volume cannot shrink below its allocation.",
        )
    if case.op in _MAKING and case.pool_type() == PoolType.DISK:
        return _PARTITION_NAME
    return verdict.WRONG_ARGUMENT


_PARTITION_NAME = Verdict(
    InvalidRequestError,
    "A partition must have the name that the host's kernel gives it. libvirt may have created the partition nevertheless, "
    "under the name that it expected: pool.refresh() lists it.",
    outcome="unknown",
)


def _config_unsupported(case: Case) -> Verdict:
    if case.op in {op.POOL_START, op.POOL_REFRESH} and case.pool_type() == PoolType.LOGICAL:
        return _NO_GROUP
    if case.op in _MAKING and case.pool_type() == PoolType.RBD:
        return _RAW_ONLY
    return verdict.UNSUPPORTED


_RAW_ONLY = Verdict(
    UnsupportedError,
    "Volumes of an rbd pool are raw images: other formats and encryption by libvirt are not supported.",
)
_NO_GROUP = Verdict(
    StateError,
    "The host does not have that volume group, or not on these devices: pool.build() creates it on the pool's devices.",
)


def _no_support(case: Case) -> Verdict:
    if case.target.uri.startswith("test:"):
        return _TEST_DRIVER
    hint = _INSTEAD.get(case.op)
    return verdict.UNSUPPORTED if hint is None else Verdict(UnsupportedError, hint)


_TEST_DRIVER = Verdict(
    UnsupportedError,
    "libvirt's test driver does not have this function, whatever the type of the pool: "
    "libstorage.testing.private_daemon() starts a daemon that has all of them.",
)
_INSTEAD: dict[op.Operation, str] = {
    op.VOLUME_CREATE: "Pools of this type cannot create such a volume: use the storage's own tools, then pool.refresh().",
    op.VOLUME_CLONE: "Copy the volume with volume.copy_to(pool) if the pool supports uploads, or use the storage's own tools.",
    op.VOLUME_DELETE: "libvirt cannot delete volumes of this type: use the storage's own tools, then pool.refresh().",
    op.VOLUME_RESIZE: "Pools of this type cannot resize volumes: use the storage's own tools, then pool.refresh().",
    op.VOLUME_WIPE: "libvirt cannot wipe such a volume: upload zeros over its contents, or use the storage's own tools.",
    op.VOLUME_UPLOAD: "libvirt cannot stream volumes of this type: use the storage's own tools.",
    op.VOLUME_DOWNLOAD: "libvirt cannot stream volumes of this type: use the storage's own tools.",
    op.POOL_BUILD: "Pools of this type do not have to be built: call pool.start().",
    op.POOL_DELETE: "libvirt cannot delete the storage of a pool of this type; pool.undefine() removes only the pool's definition.",
    op.POOL_FIND_SOURCES: _SOURCES_FOUND,
}


def _probe_failed(case: Case) -> Verdict:
    if case.op == op.POOL_START:
        return _UNBUILT
    return Verdict(
        StateError,
        "Check that the device exists. If it does, libvirt cannot determine what is on it; "
        "build(overwrite=True) destroys the device's contents, whatever they are.",
    )


def _xml_error(case: Case) -> Verdict:
    if case.op == op.VOLUME_RESIZE:  # takes no document: the error is about the volume's own
        return _NO_SECRET_TO_RESIZE
    return verdict.WRONG_DOCUMENT


_NO_SECRET_TO_RESIZE = Verdict(
    SecretNotFoundError,
    "Resizing an encrypted volume requires its secret; " + verdict.AFTER_A_REFRESH,
)


def _private_secret(case: Case) -> Verdict:
    return (
        Verdict(AccessDeniedError, "The secret is private: libvirt does not return its value.")
        if (case.op == op.SECRET_VALUE)
        else verdict.OTHER
    )


_DECIDED: dict[int, Callable[[Case], Verdict]] = {
    Code.INTERNAL_ERROR: _internal_error,
    Code.INVALID_ARG: _invalid_argument,
    Code.OPERATION_FAILED: _operation_failed,
    Code.OPERATION_INVALID: _operation_invalid,
    Code.SYSTEM_ERROR: _system_error,
    Code.RPC: _rpc,
    Code.NO_SECRET: _secret,
    Code.NO_STORAGE_VOL: _no_volume,
    Code.INVALID_SECRET: _private_secret,
    Code.XML_ERROR: _xml_error,
    Code.CONFIG_UNSUPPORTED: _config_unsupported,
    Code.NO_SUPPORT: _no_support,
    Code.STORAGE_PROBE_FAILED: _probe_failed,
}
