"""Answers of libvirt's that no daemon here can be made to give, and which of our errors they become."""

from __future__ import annotations

import errno

import pytest

from libstorage import operations as op
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
    ExistsError,
    HelperError,
    InvalidRequestError,
    LibvirtError,
    NoSpaceError,
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
    ("code", "kind"),
    [
        (Code.NO_MEMORY, LibvirtError),
        (Code.INVALID_CONN, ConnectionLostError),
        (Code.INVALID_STREAM, ConnectionLostError),
        (Code.OVERFLOW, InvalidRequestError),
        (Code.ACCESS_DENIED, AccessDeniedError),
        (Code.AUTH_FAILED, AuthenticationError),
        (Code.OPERATION_UNSUPPORTED, UnsupportedError),
        (Code.OPERATION_TIMEOUT, DeadlineError),
        (Code.OPERATION_ABORTED, TransferError),
        (Code.RESOURCE_BUSY, BusyError),
        (Code.STORAGE_PROBE_FAILED, StateError),
        (Code.STORAGE_POOL_BUILT, StateError),
        (9999, LibvirtError),
    ],
)
def test_by_code(code: int, kind: type[StorageError]) -> None:
    assert verdict(said(code)) is kind


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, NoSpaceError),
        (errno.EDQUOT, NoSpaceError),
        (errno.EACCES, AccessDeniedError),
        (errno.EPERM, AccessDeniedError),
        (errno.EROFS, StorageIOError),
        (errno.EIO, StorageIOError),
        (errno.EOPNOTSUPP, UnsupportedError),
        (errno.EFBIG, InvalidRequestError),
        (errno.ENOENT, VolumeNotFoundError),
        (None, StorageIOError),
    ],
)
def test_by_the_systems_number(number: int | None, kind: type[StorageError]) -> None:
    assert verdict(said(Code.SYSTEM_ERROR, number=number)) is kind


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


def test_a_disk_that_fails_may_recover() -> None:
    assert (
        judge(Case(said(Code.SYSTEM_ERROR, number=errno.EIO), op.VOLUME_INFO, VOLUME, None)).retry
        == "backoff"
    )


@pytest.mark.parametrize(
    ("operation", "answer", "kind"),
    [
        (op.POOL_STOP, said(Code.OPERATION_INVALID), StateError),
        (op.VOLUME_CLONE, said(Code.OPERATION_INVALID), StateError),
        (op.POOL_DEFINE, said(Code.OPERATION_FAILED), ExistsError),
        (op.POOL_START, said(Code.OPERATION_FAILED), StateError),
        (op.VOLUME_DOWNLOAD, said(Code.OPERATION_FAILED, Domain.STREAMS), TransferError),
        (op.POOL_START, said(Code.INTERNAL_ERROR), LibvirtError),
        (op.VOLUME_RESIZE, said(Code.INVALID_SECRET), LibvirtError),
        (op.VOLUME_WIPE, said(Code.SYSTEM_ERROR, Domain.NONE, errno.ENOENT), UnsupportedError),
    ],
)
def test_what_cannot_be_decided_becomes_the_class_between(
    operation: op.Operation, answer: Answer, kind: type[StorageError]
) -> None:
    assert verdict(answer, operation) is kind


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
        (ProgramRun("qemu-img", 1, 'Failed to get "write" lock'), HelperError, "open"),
        (ProgramRun("qemu-img", 1, "Unknown file format 'cow'"), UnsupportedError, "raw and qcow2"),
        (ProgramRun("zfs", 1, "cannot create 'a/b': out of space"), NoSpaceError, "zpool"),
        (ProgramRun("zpool", 1, "connect: No such file or directory"), UnsupportedError, "modprobe zfs"),
        (ProgramRun("zpool", 1, "cannot open 'a': no such pool"), HelperError, "zpool list"),
        (ProgramRun("iscsiadm", 24, ""), HelperError, "secret"),
        (ProgramRun("iscsiadm", 12, ""), UnsupportedError, "modprobe iscsi_tcp"),
        (ProgramRun("iscsiadm", 127, ""), UnsupportedError, "open-iscsi"),
        (ProgramRun("vgs", 127, ""), UnsupportedError, "lvm2"),
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


def map_error_of(answer: Answer) -> StorageError:
    complaint = load().libvirtError("")
    vars(complaint)["err"] = (answer.code, answer.domain, answer.text, 2, None, answer.bare, None, 0, 0)
    return map_error(complaint, op.VOLUME_CREATE, VOLUME, None, "x:///")


def test_a_cipher_that_could_not_be_timed_may_be_tried_again() -> None:
    text = "Child process (/usr/bin/qemu-img create) unexpected exit status 1: qemu-img: Unable to get accurate CPU usage"
    found = judge(Case(said(Code.INTERNAL_ERROR, Domain.NONE, text=text), op.VOLUME_CREATE, VOLUME, None))
    assert (found.error, found.retry) == (HelperError, "backoff")
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
    assert map_open_error(ours, None) is ours
    assert type(map_error(OverflowError("int too big"), op.POOL_INFO, POOL, None, "x:///")) is LibvirtError
    error = map_open_error(UnicodeEncodeError("utf-8", "x", 0, 1, "surrogate"), None)
    assert type(error) is ConnectionFailedError
    assert "the default address of libvirt" in str(error)


def test_targets_are_for_people() -> None:
    assert str(VOLUME) == "volume 'disk' in pool 'images'"
    assert str(HostId("qemu:///system")) == "host qemu:///system"
    assert str(SecretId("qemu:///system", POOL.uuid)) == f"secret {POOL.uuid}"
    assert VOLUME.uri == POOL.uri
