"""Answers of libvirt's that no daemon here can be made to give, and which of our errors they become."""

from __future__ import annotations

import errno

import pytest

from libstorage import operations as op
from libstorage.connection.case import Case
from libstorage.connection.codes import Code, Domain
from libstorage.connection.failure import map_error, map_open_error
from libstorage.connection.helper import HelperRun
from libstorage.connection.libvirt import Answer, answer, load
from libstorage.connection.target import HostId, PoolId, SecretId, VolumeId
from libstorage.connection.verdict import judge
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
            HelperRun("qemu-img", 1, "no"),
        ),
        (
            "子进程 (/bin/mount -t nfs a:/b /c) 意外的 退出状态 32: mount: no",
            HelperRun("mount", 32, "mount: no"),
        ),
        (
            "Child process (/bin/x a (1): 2.img) unexpected exit status 3: (4) 5: 6",
            HelperRun("x", 3, "(4) 5: 6"),
        ),
        ("Child process (/bin/x) unexpected exit status 127", HelperRun("x", 127, "")),
        ("Child process (/bin/x) unexpected exit status 1: two\nlines\n", HelperRun("x", 1, "two\nlines")),
        ("something else failed", None),
    ],
)
def test_what_a_helper_said(text: str, run: HelperRun | None) -> None:
    assert HelperRun.read(said(Code.INTERNAL_ERROR, Domain.NONE, text=text)) == run
    assert HelperRun.read(said(Code.INTERNAL_ERROR, Domain.STORAGE, text=text)) is None
    assert verdict(said(Code.INTERNAL_ERROR, Domain.NONE, text=text)) is (
        LibvirtError if run is None else HelperError
    )


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
