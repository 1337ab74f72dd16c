"""Which of our errors stands for an answer of libvirt's, and what a person can do about it.

Most codes have one meaning ([meanings][libstorage.connection.failures.verdict]); some mean different things to different
operations, and of those some can only be told apart by one more read on the same lane (``_DECIDED``). If that read
fails, too, the class between the candidates is chosen.
"""

from __future__ import annotations

import errno
from collections.abc import Callable

from libstorage import operations as op
from libstorage.connection.failures import verdict
from libstorage.connection.failures.case import Case
from libstorage.connection.failures.codes import Code, Domain
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
)


def judge(case: Case) -> Verdict:
    """Which of our errors stands for that answer."""
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


# ---- codes that mean different things to different operations ---------------------------------------------------------


def _helper(run: ProgramRun) -> Verdict:
    said = advise(run)
    return Verdict(said.error, said.hint, retry=said.retry, reason=str(run), run=run)


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
        return Verdict(LibvirtError, "The pool is stopped now.")
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
_SOURCES_FOUND = "Sources are found for netfs, logical, iscsi, iscsi-direct and gluster; of other types they must be known."
_NO_EXTENT = Verdict(
    NoSpaceError,
    "The disk has no free part of that size, or its label no place for another partition of that kind: "
    "pool.spec().source.device lists the free extents.",
    outcome="not_started",
)
_TRANSIENT = Verdict(StateError, "The pool is transient; define it first: host.pools.define(spec).")
_TOO_MANY = Verdict(
    UnsupportedError, "libvirt lists 16,384 at most. Look them up one by one by name, or split the pool."
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
        ExistsError, "A secret for that use is there: look it up by its usage, or undefine it."
    ),
}


def _operation_failed(case: Case) -> Verdict:
    if case.op in {op.POOL_DEFINE, op.POOL_CREATE_TRANSIENT}:
        there = case.pool_is_there()
        return _POOL_EXISTS if there else _EXISTS if there is None else _SOURCE_CONFLICT
    if case.op in {op.VOLUME_CREATE, op.VOLUME_CLONE} and case.volume_is_there():
        return verdict.VOLUME_EXISTS
    return _FAILED.get(case.op, verdict.OTHER)


_POOL_EXISTS = Verdict(
    PoolExistsError,
    "A pool of that name or uuid is there: host.pools.ensure(spec) takes it if it is the same.",
)
_SOURCE_CONFLICT = Verdict(SourceConflictError, "Another pool has that source or path; one pool each.")
_EXISTS = Verdict(ExistsError, "A pool of that name or uuid, or with that source, is there.")
_UNBUILT = Verdict(StateError, "Build the pool first: pool.build().")
_STREAM = Verdict(TransferError, "Transfer it again from its beginning.")
_FAILED: dict[op.Operation, Verdict] = {
    op.VOLUME_RESIZE: verdict.NO_SPACE,
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
    "The pool is being started: wait and try again. Or it was to be built with overwrite, for which it has no device.",
)


_NOTHING_TO_OVERWRITE = Verdict(
    UnsupportedError,
    "There is no device to make a file system on: build it without overwrite, which makes the directory if need be.",
)
_STARTING = Verdict(PoolBusyError, "The pool is being started; wait and try again.", retry="backoff")
_NO_DEVICE = Verdict(
    StateError, "Is the source device there? If it is, the pool is just being started: wait and try again."
)
_RUNS = Verdict(PoolActiveError, "It runs already; nothing needs to be done.")
_STOPPED = Verdict(PoolInactiveError, "It is stopped already; nothing needs to be done.")
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
            return Verdict(InvalidRequestError, "The name of a volume is that of a file, without a path.")
        return verdict.FILE_EXISTS if there is False and case.op == op.VOLUME_CREATE else _TAKEN_OR_BUSY
    return verdict.BUSY_VOLUME if there else Verdict(StateError)


_TAKEN_OR_BUSY = Verdict(
    StateError,
    "A file of that name may be there, or the source may still be in the making: pool.refresh() tells.",
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
        return Verdict(UnsupportedError, "All algorithms but zero need the program scrub on the host.")
    if case.op in {op.VOLUME_RESIZE, op.VOLUME_WIPE, op.VOLUME_UPLOAD, op.VOLUME_DOWNLOAD}:
        return verdict.VOLUME_GONE
    if case.op in {op.POOL_START, op.POOL_REFRESH, op.POOL_CREATE_TRANSIENT}:
        if case.pool_type() == PoolType.SCSI:
            return _NO_ADAPTER
        build = "build=True" if case.op == op.POOL_CREATE_TRANSIENT else "pool.build()"
        return Verdict(
            StorageIOError, f"Is the path right? {build} makes the directory. The pool is not running."
        )
    return Verdict(StorageIOError)


_NO_FUNCTION = Verdict(
    UnsupportedError,
    "The host's kernel or the file system there does not have that; copy-on-write can be switched off (nocow) on btrfs only.",
)
_NO_ADAPTER = Verdict(
    StorageIOError,
    "Has the host that adapter (/sys/class/scsi_host lists them), and the directory that target.path names?",
)
_AGAIN = Verdict(StorageIOError, retry="backoff")
_ERRNO: dict[int, Verdict] = {
    errno.ENOSPC: verdict.NO_SPACE,
    errno.EDQUOT: verdict.NO_SPACE,
    errno.EPERM: Verdict(AccessDeniedError, "The daemon itself is not allowed to do that on its host."),
    errno.EACCES: Verdict(AccessDeniedError, "The daemon itself is not allowed to do that on its host."),
    errno.EEXIST: Verdict(ExistsError),
    errno.ENAMETOOLONG: Verdict(InvalidRequestError, "Choose a shorter name."),
    errno.EFBIG: Verdict(InvalidRequestError, "The file system cannot hold a file of that size."),
    errno.ENOTDIR: Verdict(
        StorageIOError, "There is a file where the path wants a directory: look at target.path."
    ),
    errno.EROFS: Verdict(StorageIOError, "The file system is mounted read-only."),
    errno.ENOTEMPTY: Verdict(StorageIOError, "Delete what is in it first."),
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
    return Verdict(
        InvalidRequestError, "A message to libvirt holds 4 MiB at most, a piece of a stream 32 MiB."
    )


def _secret(case: Case) -> Verdict:
    if case.op == op.SECRET_VALUE and case.secret_is_there():
        return Verdict(StateError, "Give it one first: secret.set_value(value).")
    if isinstance(case.target, PoolId | VolumeId):
        return Verdict(
            SecretNotFoundError,
            "host.secrets lists the secrets that are there; one without a value gets it by secret.set_value(value).",
        )
    return Verdict(SecretNotFoundError, "host.secrets lists what is there.")


def _invalid_argument(case: Case) -> Verdict:
    if case.op == op.VOLUME_RESIZE:
        return Verdict(
            InvalidRequestError,
            "To make it smaller takes shrink=True, and never goes below what is allocated.",
        )
    if case.op in _MAKING and case.pool_type() == PoolType.DISK:
        return _PARTITION_NAME
    return verdict.WRONG_ARGUMENT


_PARTITION_NAME = Verdict(
    InvalidRequestError,
    "A partition is called what the host's kernel calls it. libvirt may have made it all the same, under the name that "
    "it expected: pool.refresh() lists it.",
    outcome="unknown",
)


def _config_unsupported(case: Case) -> Verdict:
    if case.op in {op.POOL_START, op.POOL_REFRESH} and case.pool_type() == PoolType.LOGICAL:
        return _NO_GROUP
    if case.op in _MAKING and case.pool_type() == PoolType.RBD:
        return _RAW_ONLY
    return verdict.UNSUPPORTED


_RAW_ONLY = Verdict(
    UnsupportedError, "Volumes of an rbd pool are raw images: no other format, and no encryption by libvirt."
)
_NO_GROUP = Verdict(
    StateError,
    "The host has no such volume group, or not on these devices: pool.build() makes it of the pool's devices.",
)


def _no_support(case: Case) -> Verdict:
    hint = _INSTEAD.get(case.op)
    return verdict.UNSUPPORTED if hint is None else Verdict(UnsupportedError, hint)


_INSTEAD: dict[op.Operation, str] = {
    op.VOLUME_CREATE: "Pools of this type make no volumes, or none like that: use the storage's own tools, then pool.refresh().",
    op.VOLUME_CLONE: "Copy its bytes with volume.copy_to(pool), where volumes can be uploaded, or use the storage's own tools.",
    op.VOLUME_DELETE: "libvirt deletes no volumes of this type: use the storage's own tools, then pool.refresh().",
    op.VOLUME_RESIZE: "Pools of this type resize no volumes: use the storage's own tools, then pool.refresh().",
    op.VOLUME_WIPE: "libvirt does not wipe such a volume: upload zeros over it, or use the storage's own tools.",
    op.VOLUME_UPLOAD: "libvirt streams no volumes of this type: use the storage's own tools.",
    op.VOLUME_DOWNLOAD: "libvirt streams no volumes of this type: use the storage's own tools.",
    op.POOL_BUILD: "There is nothing to build for a pool of this type: pool.start().",
    op.POOL_DELETE: "libvirt deletes nothing under a pool of this type: pool.undefine() forgets the pool itself.",
    op.POOL_FIND_SOURCES: _SOURCES_FOUND,
}


def _probe_failed(case: Case) -> Verdict:
    if case.op == op.POOL_START:
        return _UNBUILT
    return Verdict(
        StateError,
        "Is the device there? If so, what is on it cannot be told; build(overwrite=True) destroys it, whatever it is.",
    )


def _xml_error(case: Case) -> Verdict:
    if case.op == op.VOLUME_RESIZE:  # which takes no document: it is about that of the volume
        return _NO_SECRET_TO_RESIZE
    return verdict.WRONG_DOCUMENT


_NO_SECRET_TO_RESIZE = Verdict(
    SecretNotFoundError,
    "The volume is encrypted, and is resized with its secret: " + verdict.AFTER_A_REFRESH,
)


def _private_secret(case: Case) -> Verdict:
    return (
        Verdict(AccessDeniedError, "It is private: libvirt keeps its value to itself.")
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
    Code.INVALID_SECRET: _private_secret,
    Code.XML_ERROR: _xml_error,
    Code.CONFIG_UNSUPPORTED: _config_unsupported,
    Code.NO_SUPPORT: _no_support,
    Code.STORAGE_PROBE_FAILED: _probe_failed,
}
