"""Answers of libvirt's that no daemon here can be made to give, and which of our errors they become."""

from __future__ import annotations

import errno

import pytest

from libstorage import operations as op
from libstorage.connection.address.uri import Address
from libstorage.connection.binding import Answer, answer, load
from libstorage.connection.codes import Code, Domain
from libstorage.connection.failures.case import Case
from libstorage.connection.failures.judge import judge
from libstorage.connection.failures.program_run import ProgramRun
from libstorage.connection.failures.translate import map_error, map_open_error
from libstorage.connection.identity import HostId, PoolId, SecretId, VolumeId
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
    Outcome,
    PoolNotFoundError,
    Retry,
    SecretNotFoundError,
    StateError,
    StorageError,
    StorageIOError,
    TransferError,
    UnsupportedError,
    VolumeExistsError,
    VolumeNotFoundError,
)

POOL = PoolId("x:///", "images", "11111111-1111-4111-8111-111111111111")
VOLUME = VolumeId(POOL, "disk")


def said(
    code: Code | int, domain: Domain = Domain.STORAGE, number: int | None = None, text: str = "said"
) -> Answer:
    return Answer(code, domain, 2, number, text, text)


def verdict(answer: Answer, operation: op.Operation = op.VOLUME_RESIZE) -> type[StorageError]:
    return judge(Case(answer, operation, VOLUME, None)).error


@pytest.mark.parametrize(
    ("code", "kind", "retry", "outcome"),
    [
        (Code.NO_MEMORY, LibvirtError, "backoff", "unknown"),
        (Code.INVALID_CONN, ConnectionLostError, "now", "not_started"),
        (Code.INVALID_STORAGE_POOL, ConnectionLostError, "now", "not_started"),
        (Code.INVALID_STORAGE_VOL, ConnectionLostError, "now", "not_started"),
        (Code.INVALID_STREAM, ConnectionLostError, "now", "not_started"),
        (Code.OVERFLOW, InvalidRequestError, "no", "not_started"),
        (Code.XML_DETAIL, DocumentError, "no", "not_started"),
        (Code.XML_INVALID_SCHEMA, DocumentError, "no", "not_started"),
        (Code.OPERATION_DENIED, AccessDeniedError, "no", "not_started"),
        (Code.ACCESS_DENIED, AccessDeniedError, "no", "not_started"),
        (Code.AUTH_FAILED, AuthenticationError, "no", "not_started"),
        (Code.AUTH_CANCELLED, AuthenticationError, "no", "not_started"),
        (Code.AUTH_UNAVAILABLE, AuthenticationError, "no", "not_started"),
        (Code.NO_STORAGE_POOL, PoolNotFoundError, "no", "not_started"),
        (Code.NO_STORAGE_VOL, VolumeNotFoundError, "no", "not_started"),
        (Code.STORAGE_VOL_EXIST, VolumeExistsError, "no", "not_started"),
        (Code.ARGUMENT_UNSUPPORTED, UnsupportedError, "no", "not_started"),
        (Code.OPERATION_UNSUPPORTED, UnsupportedError, "no", "not_started"),
        (Code.OPERATION_TIMEOUT, DeadlineError, "after_reconcile", "unknown"),
        (Code.OPERATION_ABORTED, TransferError, "no", "not_started"),
        (Code.RESOURCE_BUSY, BusyError, "backoff", "not_started"),
        (Code.STORAGE_PROBE_FAILED, StateError, "no", "not_started"),
        (Code.STORAGE_POOL_BUILT, StateError, "no", "not_started"),
        (Code.INVALID_ENCR_KEY_SECRET, StateError, "no", "not_started"),
        (9999, LibvirtError, "no", "unknown"),
    ],
)
def test_by_code(code: int, kind: type[StorageError], retry: Retry, outcome: Outcome) -> None:
    error = map_error_of(said(code), op.VOLUME_RESIZE)
    assert (type(error), error.retry, error.outcome) == (kind, retry, outcome)


@pytest.mark.parametrize(
    ("number", "kind", "retry", "outcome"),
    [
        (errno.ENOSPC, NoSpaceError, "no", "unknown"),
        (errno.EDQUOT, NoSpaceError, "no", "unknown"),
        (errno.EACCES, AccessDeniedError, "no", "unknown"),
        (errno.EPERM, AccessDeniedError, "no", "unknown"),
        (errno.EEXIST, ExistsError, "no", "unknown"),
        (errno.ENAMETOOLONG, InvalidRequestError, "no", "not_started"),
        (errno.EFBIG, InvalidRequestError, "no", "unknown"),
        (errno.ENOTDIR, StorageIOError, "no", "unknown"),
        (errno.EROFS, StorageIOError, "no", "unknown"),
        (errno.ENOTEMPTY, StorageIOError, "no", "unknown"),
        (errno.EOPNOTSUPP, UnsupportedError, "no", "unknown"),
        (errno.ENOSYS, UnsupportedError, "no", "unknown"),
        (errno.EXDEV, UnsupportedError, "no", "unknown"),
        (errno.EIO, StorageIOError, "backoff", "unknown"),
        (errno.ETIMEDOUT, StorageIOError, "backoff", "unknown"),
        (errno.ESTALE, StorageIOError, "backoff", "unknown"),
        (errno.ENOENT, VolumeNotFoundError, "no", "not_started"),
        (9999, StorageIOError, "no", "unknown"),
        (None, StorageIOError, "no", "unknown"),
    ],
)
def test_by_the_systems_number(
    number: int | None, kind: type[StorageError], retry: Retry, outcome: Outcome
) -> None:
    error = map_error_of(said(Code.SYSTEM_ERROR, number=number), op.VOLUME_RESIZE)
    assert (type(error), error.retry, error.outcome) == (kind, retry, outcome)
    if kind is StorageIOError:
        assert error.errno == number
        reading = map_error_of(said(Code.SYSTEM_ERROR, number=number), op.VOLUME_INFO)
        assert reading.outcome == "not_started"  # a read has no outcome to be unsure of


CHANGES = [
    row for row in vars(op).values() if isinstance(row, op.Operation) and row.effect is not op.Effect.READ
]
REFUSED = {
    errno.ENOENT: VolumeNotFoundError,
    errno.EEXIST: VolumeExistsError,
    errno.ENAMETOOLONG: InvalidRequestError,
}
"""What libvirt finds out before it begins: the file is gone, a file is in the way, or no file can have that name."""


@pytest.mark.parametrize("operation", CHANGES, ids=str)
def test_what_can_come_after_execution_is_unknown(operation: op.Operation) -> None:
    for number in (0, *errno.errorcode):
        error = error_of(Code.SYSTEM_ERROR, operation, number)
        refused = number in REFUSED and isinstance(error, REFUSED[number])
        assert error.outcome == ("not_started" if refused else "unknown"), errno.errorcode.get(number)
    assert error_of(Code.RPC, operation).outcome == "unknown"


@pytest.mark.parametrize("operation", [op.POOL_XML, op.VOLUME_INFO, op.VOLUME_DOWNLOAD])
def test_a_read_that_fails_had_no_effect(operation: op.Operation) -> None:
    for number in (0, *errno.errorcode):
        assert error_of(Code.SYSTEM_ERROR, operation, number).outcome == "not_started"


def test_a_volume_that_is_gone_at_once_may_be_there() -> None:
    assert error_of(Code.NO_STORAGE_VOL, op.VOLUME_CREATE).outcome == "unknown"
    assert error_of(Code.NO_STORAGE_VOL, op.VOLUME_DELETE).outcome == "not_started"


def error_of(code: int, operation: op.Operation, number: int = 0) -> StorageError:
    complaint = load().libvirtError("")
    vars(complaint)["err"] = (code, Domain.STORAGE, "x", 2, None, "x", None, number, 0)
    return map_error(complaint, operation, VOLUME, None, "x:///")


@pytest.mark.parametrize(
    ("operation", "answer", "kind", "outcome"),
    [
        (op.POOL_STOP, said(Code.OPERATION_INVALID), StateError, "not_started"),
        (op.VOLUME_CLONE, said(Code.OPERATION_INVALID), StateError, "not_started"),
        (op.VOLUME_DELETE, said(Code.OPERATION_INVALID), StateError, "not_started"),
        (op.POOL_START, said(Code.OPERATION_INVALID), StateError, "not_started"),
        (op.POOL_BUILD, said(Code.OPERATION_INVALID), StateError, "not_started"),
        (op.POOL_DEFINE, said(Code.OPERATION_FAILED), ExistsError, "not_started"),
        (op.POOL_CREATE_TRANSIENT, said(Code.OPERATION_FAILED), ExistsError, "not_started"),
        (op.VOLUME_CREATE, said(Code.OPERATION_FAILED), LibvirtError, "unknown"),
        (op.VOLUME_RESIZE, said(Code.OPERATION_FAILED), NoSpaceError, "unknown"),
        (op.POOL_START, said(Code.OPERATION_FAILED), StateError, "not_started"),
        (op.POOL_FIND_SOURCES, said(Code.OPERATION_FAILED), NotFoundError, "not_started"),
        (op.VOLUME_DOWNLOAD, said(Code.OPERATION_FAILED, Domain.STREAMS), TransferError, "not_started"),
        (op.POOL_START, said(Code.INTERNAL_ERROR), LibvirtError, "unknown"),
        (op.POOL_CREATE_TRANSIENT, said(Code.INTERNAL_ERROR), LibvirtError, "unknown"),
        (op.POOL_DEFINE, said(Code.INTERNAL_ERROR), UnsupportedError, "not_started"),
        (op.POOL_DEFINE, said(Code.INTERNAL_ERROR, Domain.NONE), LibvirtError, "unknown"),
        (op.VOLUME_CLONE, said(Code.INTERNAL_ERROR), VolumeExistsError, "not_started"),
        (op.VOLUME_CREATE, said(Code.INTERNAL_ERROR), LibvirtError, "unknown"),
        (op.VOLUME_CREATE, said(Code.INTERNAL_ERROR, Domain.TEST), NoSpaceError, "unknown"),
        (op.POOL_SET_AUTOSTART, said(Code.INTERNAL_ERROR), LibvirtError, "unknown"),
        (op.VOLUMES_LIST, said(Code.INTERNAL_ERROR, Domain.RPC), UnsupportedError, "not_started"),
        (op.VOLUMES_LIST, said(Code.RPC, Domain.RPC), UnsupportedError, "not_started"),
        (op.VOLUME_CREATE, said(Code.RPC, Domain.RPC), InvalidRequestError, "unknown"),
        (op.SECRET_DEFINE, said(Code.INTERNAL_ERROR, Domain.SECRET), ExistsError, "not_started"),
        (op.SECRET_VALUE, said(Code.NO_SECRET, Domain.SECRET), SecretNotFoundError, "not_started"),
        (op.SECRET_VALUE, said(Code.INVALID_SECRET, Domain.SECRET), AccessDeniedError, "not_started"),
        (op.VOLUME_RESIZE, said(Code.INVALID_SECRET), LibvirtError, "unknown"),
        (op.VOLUME_RESIZE, said(Code.XML_ERROR), SecretNotFoundError, "not_started"),
        (op.VOLUME_CREATE, said(Code.XML_ERROR), DocumentError, "not_started"),
        (op.VOLUME_CREATE, said(Code.INVALID_ARG), InvalidRequestError, "not_started"),
        (op.VOLUME_CREATE, said(Code.CONFIG_UNSUPPORTED), UnsupportedError, "not_started"),
        (op.POOL_START, said(Code.CONFIG_UNSUPPORTED), UnsupportedError, "not_started"),
        (op.VOLUME_WIPE, said(Code.NO_SUPPORT), UnsupportedError, "not_started"),
        (op.POOL_BUILD, said(Code.STORAGE_PROBE_FAILED), StateError, "not_started"),
        (op.VOLUME_CREATE, said(Code.SYSTEM_ERROR, number=errno.EEXIST), VolumeExistsError, "not_started"),
        (op.VOLUME_CREATE, said(Code.SYSTEM_ERROR, number=errno.ENOENT), StorageIOError, "unknown"),
        (op.POOL_START, said(Code.SYSTEM_ERROR, number=errno.ENOENT), StorageIOError, "unknown"),
        (op.VOLUME_WIPE, said(Code.SYSTEM_ERROR, Domain.NONE, errno.ENOENT), UnsupportedError, "not_started"),
        (op.VOLUME_WIPE, said(Code.SYSTEM_ERROR, number=errno.ENOENT), VolumeNotFoundError, "not_started"),
    ],
)
def test_what_cannot_be_decided_becomes_the_class_between(
    operation: op.Operation, answer: Answer, kind: type[StorageError], outcome: Outcome
) -> None:
    error = map_error_of(answer, operation)
    assert (type(error), error.retry, error.outcome) == (kind, "no", outcome)


@pytest.mark.parametrize(
    ("text", "run"),
    [
        (
            "Child process (/usr/bin/qemu-img create a) unexpected exit status 1: no",
            ProgramRun("qemu-img", 1, "no"),
        ),
        (
            "子进程 (/bin/mount -t nfs a:/b /c) 意外的 退出状态 32: mount: no",
            ProgramRun("mount", 32, "mount: no"),
        ),
        (
            "Child process (/bin/x a (1): 2.img) unexpected exit status 3: (4) 5: 6",
            ProgramRun("x", 3, "(4) 5: 6"),
        ),
        ("Child process (/bin/x) unexpected exit status 127", ProgramRun("x", 127, "")),
        ("Child process (/bin/x) unexpected exit status 1: two\nlines\n", ProgramRun("x", 1, "two\nlines")),
        (
            "Child process (parted /dev/loop3 rm --script p1) unexpected exit status 1: Error: Partition doesn't exist.",
            ProgramRun("parted", 1, "Error: Partition doesn't exist."),
        ),
        (
            "Child process (zfs create -V 16384K lab2/vv) unexpected fatal signal 6: internal error: no",
            ProgramRun("zfs", 6, "internal error: no"),
        ),
        (
            "/usr/bin/iscsiadm failed new mode for target 'iqn.2020-01.com.x:y' with status '127'",
            ProgramRun("iscsiadm", 127, ""),
        ),
        ("cannot stop the process (pid 7) of 8: 9", None),
        ("something else failed", None),
    ],
)
def test_what_a_helper_said(text: str, run: ProgramRun | None) -> None:
    assert ProgramRun.read(said(Code.INTERNAL_ERROR, Domain.NONE, text=text)) == run
    assert ProgramRun.read(said(Code.INTERNAL_ERROR, Domain.STORAGE, text=text)) is None
    expected = LibvirtError if run is None else UnsupportedError if run.is_missing else HelperError
    assert verdict(said(Code.INTERNAL_ERROR, Domain.NONE, text=text)) is expected


@pytest.mark.parametrize(
    ("run", "kind", "hint"),
    [
        (ProgramRun("mount", 32, "mount: /m: mount point does not exist."), HelperError, "pool.build()"),
        (
            ProgramRun("mount", 32, "mount: /m: special device /dev/x does not exist."),
            HelperError,
            "that /dev/x exists on",
        ),
        (ProgramRun("mount", 32, "mount: /m: unknown filesystem type 'nfs'."), UnsupportedError, "mount.nfs"),
        (
            ProgramRun("mount", 32, "mount.nfs: access denied by server while mounting a:/b"),
            HelperError,
            "Export the directory",
        ),
        (ProgramRun("mount", 1, "Mounting glusterfs on /m failed."), HelperError, "server is running"),
        (ProgramRun("umount", 32, "umount: /m: target is busy."), HelperError, "fuser"),
        (
            ProgramRun("mkfs", 1, "mkfs: failed to execute mkfs.ocfs2: No such file"),
            UnsupportedError,
            "Install mkfs.ocfs2 on",
        ),
        (ProgramRun("mkfs", 1, "Filesystem must be larger than 300MB."), HelperError, "too small"),
        (ProgramRun("parted", 1, "Error: Partition doesn't exist."), HelperError, "still exists"),
        (ProgramRun("parted", 1, "parted: invalid token: lvm2"), UnsupportedError, "gpt and dos"),
        (
            ProgramRun(
                "lvcreate", 5, 'Volume group "vg" has insufficient free space (7 extents): 25 required.'
            ),
            NoSpaceError,
            "vgextend",
        ),
        (
            ProgramRun("lvcreate", 3, "/dev/mapper/control: open failed: No such device"),
            UnsupportedError,
            "modprobe",
        ),
        (
            ProgramRun("mount", 32, "mount.nfs: mount point /mnt/a does not exist"),
            HelperError,
            "Create the directory",
        ),
        (
            ProgramRun(
                "mount", 32, "mount.nfs: requested NFS version or transport protocol is not supported"
            ),
            HelperError,
            "protocol_version",
        ),
        (
            ProgramRun("lvcreate", 3, 'Names starting "snapshot" are reserved.'),
            HelperError,
            "letters, digits",
        ),
        (ProgramRun("lvcreate", 3, "Volume group name expected (no slash)"), HelperError, "allocation"),
        (ProgramRun("vgcreate", 5, "A volume group called vg already exists."), HelperError, "source_name"),
        (ProgramRun("lvcreate", 3, 'Logical volume name "a b" is invalid.'), HelperError, "letters, digits"),
        (ProgramRun("lvremove", 5, "Logical volume vg/lv in use."), HelperError, "in use on"),
        (ProgramRun("pvcreate", 5, "No device found for /dev/x."), HelperError, "vgs and pvs"),
        (
            ProgramRun("qemu-img", 1, "qemu-img: /locked/x: No space left on device"),
            NoSpaceError,
            "Free some",
        ),
        (ProgramRun("mkfs", 1, "mkfs.ext4: Disk quota exceeded while writing"), NoSpaceError, "Free some"),
        (ProgramRun("qemu-img", 1, 'Failed to get "write" lock'), HelperError, "open"),
        (ProgramRun("qemu-img", 1, "Unknown file format 'cow'"), UnsupportedError, "raw and qcow2"),
        (ProgramRun("zfs", 1, "cannot create 'a/b': out of space"), NoSpaceError, "zpool"),
        (ProgramRun("zpool", 1, "connect: No such file or directory"), UnsupportedError, "modprobe zfs"),
        (ProgramRun("zpool", 1, "cannot open 'a': no such pool"), HelperError, "zpool list"),
        (ProgramRun("iscsiadm", 24, ""), HelperError, "secret"),
        (ProgramRun("iscsiadm", 12, ""), UnsupportedError, "modprobe iscsi_tcp"),
        (ProgramRun("iscsiadm", 127, ""), UnsupportedError, "open-iscsi"),
        (ProgramRun("vgs", 127, ""), UnsupportedError, "lvm2"),
        *((ProgramRun("iscsiadm", status, ""), HelperError, "No iSCSI server answers") for status in (4, 8)),
        *((ProgramRun("iscsiadm", status, ""), HelperError, "refuses the login") for status in (5, 19)),
        *((ProgramRun("iscsiadm", status, ""), HelperError, "Start iscsid") for status in (18, 20)),
        (ProgramRun("iscsiadm", 13, ""), HelperError, "requires root"),
        (ProgramRun("iscsiadm", 15, ""), HelperError, "already logged in"),
        (ProgramRun("iscsiadm", 21, ""), HelperError, "does not have that target"),
        (ProgramRun("iscsiadm", 77, "?"), HelperError, None),
        (ProgramRun("scrub", 1, "?"), HelperError, None),
    ],
)
def test_what_to_do_about_a_helper(run: ProgramRun, kind: type[StorageError], hint: str | None) -> None:
    text = f"Child process (/sbin/{run.program} x) unexpected exit status {run.exit_status}: {run.stderr}"
    error = map_error_of(said(Code.INTERNAL_ERROR, Domain.NONE, text=text))
    assert type(error) is kind
    assert (error.program, error.exit_status, error.stderr) == (run.program, run.exit_status, run.stderr)
    assert error.hint is None if hint is None else hint in str(error.hint)
    assert error.outcome == ("not_started" if kind is UnsupportedError else "unknown")
    assert error.retry == "no"


def map_error_of(answer: Answer, operation: op.Operation = op.VOLUME_CREATE) -> StorageError:
    complaint, number = load().libvirtError(""), answer.errno or 0
    vars(complaint)["err"] = (answer.code, answer.domain, answer.text, 2, None, answer.bare, None, number, 0)
    return map_error(complaint, operation, VOLUME, None, "x:///")


def complaint(code: Code, number: int | None = None) -> Exception:
    """What the binding raises."""
    made: Exception = load().libvirtError("")
    vars(made)["err"] = (code, Domain.RPC, "no\nmore", 2, None, "no\nmore", None, number or 0, 0)
    return made


@pytest.mark.parametrize(
    ("code", "number", "kind", "retry"),
    [
        (Code.SYSTEM_ERROR, errno.EACCES, AuthenticationError, "no"),
        (Code.SYSTEM_ERROR, errno.EPERM, AuthenticationError, "no"),
        (Code.SYSTEM_ERROR, errno.ECONNREFUSED, ConnectionFailedError, "backoff"),
        (Code.AUTH_FAILED, None, AuthenticationError, "no"),
        (Code.AUTH_CANCELLED, None, AuthenticationError, "no"),
        (Code.AUTH_UNAVAILABLE, None, AuthenticationError, "no"),
        (Code.RPC, None, ConnectionFailedError, "no"),
        (Code.NO_CONNECT, None, ConnectionFailedError, "no"),
        (Code.GNUTLS_ERROR, None, ConnectionFailedError, "no"),
    ],
)
def test_while_opening(code: Code, number: int | None, kind: type[StorageError], retry: Retry) -> None:
    error = map_open_error(complaint(code, number), Address("x:///", driver="x"))
    assert (type(error), error.retry, error.outcome) == (kind, retry, "not_started")
    assert (error.uri, error.operation, error.message) == (
        "x:///",
        "host.open",
        "cannot connect to x:///: no",
    )
    assert error.hint


@pytest.mark.parametrize(
    ("operation", "retry"),
    [
        (op.VOLUME_INFO, "now"),
        (op.VOLUME_DOWNLOAD, "now"),
        (op.VOLUME_DELETE, "after_reconcile"),
        (op.POOL_REFRESH, "after_reconcile"),
    ],
)
def test_a_connection_that_was_lost(operation: op.Operation, retry: Retry) -> None:
    """Also where no lane tells that it is dead."""
    error = map_error_of(said(Code.SYSTEM_ERROR, Domain.RPC, errno.EPIPE, "end\nof file"), operation)
    assert (type(error), error.retry, error.outcome) == (ConnectionLostError, retry, "unknown")
    assert error.message.endswith("the connection was lost: end")
    assert type(map_error_of(said(Code.RPC, Domain.RPC), operation)) is InvalidRequestError


def test_a_cipher_that_could_not_be_timed_may_be_tried_again() -> None:
    text = "Child process (/usr/bin/qemu-img create) unexpected exit status 1: qemu-img: Unable to get accurate CPU usage"
    found = judge(Case(said(Code.INTERNAL_ERROR, Domain.NONE, text=text), op.VOLUME_CREATE, VOLUME, None))
    assert (found.error, found.retry, found.outcome) == (HelperError, "backoff", "not_started")
    assert "try again" in str(found.hint)


def test_a_refused_resize_says_how_to_shrink() -> None:
    found = judge(Case(said(Code.INVALID_ARG), op.VOLUME_RESIZE, VOLUME, None))
    assert found.error is InvalidRequestError
    assert "shrink=True" in str(found.hint)


def test_an_error_of_the_binding_itself() -> None:
    load().registerErrorHandler(lambda *_: None, None)
    complaint = load().libvirtError("cannot use recvAll with nonblocking stream")
    vars(complaint)["err"] = None  # what another call of this thread left behind
    assert answer(complaint) == Answer(None, None, None, None, str(complaint), str(complaint))
    error = map_error(complaint, op.VOLUME_DOWNLOAD, VOLUME, None, "x:///")
    assert type(error) is LibvirtError
    assert error.code is None
    assert str(error).startswith("volume.download on volume 'disk' in pool 'images' failed: ")


def test_errors_that_are_not_libvirts() -> None:
    ours = StorageError("ours")
    assert map_error(ours, op.POOL_INFO, POOL, None, "x:///") is ours
    assert map_open_error(ours, Address(None)) is ours
    assert type(map_error(OverflowError("int too big"), op.POOL_INFO, POOL, None, "x:///")) is LibvirtError
    error = map_open_error(UnicodeEncodeError("utf-8", "x", 0, 1, "surrogate"), Address(None))
    assert type(error) is ConnectionFailedError
    assert "the default address of libvirt" in str(error)


def test_targets_are_for_people() -> None:
    assert str(VOLUME) == "volume 'disk' in pool 'images'"
    assert str(HostId("qemu:///system")) == "host qemu:///system"
    assert str(SecretId("qemu:///system", POOL.uuid)) == f"secret {POOL.uuid}"
    assert VOLUME.uri == POOL.uri
