"""Errors that one more read decides, on libvirt's test driver: it has pools of every type, running or not."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from libstorage import Host, PoolSpec, VolumeSpec, connect
from libstorage import operations as op
from libstorage.connection.binding import Answer
from libstorage.connection.codes import Code, Domain
from libstorage.connection.failures.case import Case
from libstorage.connection.failures.judge import judge
from libstorage.connection.failures.verdict import Verdict
from libstorage.connection.identity import HostId, Identity, PoolId, VolumeId
from libstorage.errors import (
    AccessDeniedError,
    InvalidRequestError,
    LibvirtError,
    NoSpaceError,
    Outcome,
    PoolActiveError,
    PoolBusyError,
    PoolExistsError,
    PoolInactiveError,
    Retry,
    SourceConflictError,
    StateError,
    StorageError,
    StorageIOError,
    UnsupportedError,
    VolumeBusyError,
    VolumeExistsError,
)
from tests.inside import connection_of

IQN = "iqn.2013-06.com.example:target"
POOLS = {
    "dir": PoolSpec.dir("dir", "/srv/dir"),
    "stopped": PoolSpec.dir("stopped", "/srv/stopped"),
    "netfs": PoolSpec.netfs("netfs", "/srv/netfs", host="nas", dir="/e"),
    "logical": PoolSpec.logical("logical", source_name="vg"),
    "disk": PoolSpec.disk("disk", "/dev/sdx"),
    "scsi": PoolSpec.scsi("scsi", "host9"),
    "rbd": PoolSpec.rbd("rbd", hosts="mon", source_name="p"),
    "gluster": PoolSpec.gluster("gluster", host="g", source_name="v"),
    "iscsi-direct": PoolSpec.iscsi_direct("iscsi-direct", host="san", device=IQN, initiator=IQN),
}
STOPPED = {"stopped", "netfs", "logical"}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    node = tmp_path_factory.mktemp("node") / "node.xml"
    node.write_text("<node/>")
    with connect(f"test://{node}") as host:
        for name, spec in POOLS.items():
            pool = host.pools.define(spec)
            if name not in STOPPED:
                pool.build().start()
        host.pools["dir"].volumes.create(VolumeSpec.raw("there", 4096))
        host.pools["rbd"].volumes.create(VolumeSpec.raw("there", 4096))
        yield host


def pool_id(host: Host, name: str) -> PoolId:
    uri = host.uri
    return PoolId(
        uri, name, host.pools[name].uuid if name in POOLS else "2" * 8 + "-1111-4111-8111-111111111111"
    )


@contextmanager
def judged(host: Host, operation: op.Operation, target: Identity, answer: Answer) -> Iterator[Verdict]:
    with connection_of(host).lane(op.HOST_VERSION, HostId(host.uri), timeout=60) as lane:
        yield judge(Case(answer, operation, target, lane))


def said(code: Code, number: int | None = None, domain: Domain = Domain.STORAGE) -> Answer:
    return Answer(code, domain, 2, number, "said", "said")


@pytest.mark.parametrize(
    ("operation", "place", "answer", "kind", "retry", "outcome"),
    [
        (op.POOL_START, "dir", said(Code.OPERATION_INVALID), PoolActiveError, "no", None),
        (op.POOL_BUILD, "dir", said(Code.OPERATION_INVALID), PoolActiveError, "no", None),
        (op.POOL_UNDEFINE, "dir", said(Code.OPERATION_INVALID), PoolActiveError, "no", None),
        (op.POOL_DELETE, "dir", said(Code.OPERATION_INVALID), PoolActiveError, "no", None),
        (op.POOL_DEFINE, "dir", said(Code.OPERATION_INVALID), PoolActiveError, "no", None),
        (op.POOL_CREATE_TRANSIENT, "dir", said(Code.OPERATION_INVALID), PoolActiveError, "no", None),
        (op.POOL_STOP, "dir", said(Code.OPERATION_INVALID), StateError, "no", None),
        (op.POOL_STOP, "stopped", said(Code.OPERATION_INVALID), PoolInactiveError, "no", None),
        (op.POOL_REFRESH, "stopped", said(Code.OPERATION_INVALID), PoolInactiveError, "no", None),
        (op.POOL_START, "stopped", said(Code.OPERATION_INVALID), StateError, "no", None),
        (op.POOL_BUILD, "stopped", said(Code.OPERATION_INVALID), UnsupportedError, "no", None),
        (op.POOL_BUILD, "netfs", said(Code.OPERATION_INVALID), UnsupportedError, "no", None),
        (op.POOL_BUILD, "logical", said(Code.OPERATION_INVALID), StateError, "no", None),
        (op.POOL_START, "logical", said(Code.OPERATION_INVALID), PoolBusyError, "backoff", None),
        (op.POOL_UNDEFINE, "stopped", said(Code.OPERATION_INVALID), PoolBusyError, "backoff", None),
        (op.VOLUME_DELETE, "dir/there", said(Code.OPERATION_INVALID), VolumeBusyError, "backoff", None),
        (op.VOLUME_DELETE, "dir/none", said(Code.OPERATION_INVALID), StateError, "no", None),
        (op.VOLUME_DELETE, "stopped/none", said(Code.OPERATION_INVALID), PoolInactiveError, "no", None),
        (op.VOLUME_CREATE, "dir/none", said(Code.OPERATION_INVALID), VolumeExistsError, "no", "not_started"),
        (op.VOLUME_CREATE, "dir/a/b", said(Code.OPERATION_INVALID), InvalidRequestError, "no", None),
        (op.VOLUME_CLONE, "dir/none", said(Code.OPERATION_INVALID), StateError, "no", None),
        (op.POOL_DEFINE, "dir", said(Code.OPERATION_FAILED), PoolExistsError, "no", None),
        (op.POOL_DEFINE, "none", said(Code.OPERATION_FAILED), SourceConflictError, "no", None),
        (op.POOL_CREATE_TRANSIENT, "none", said(Code.OPERATION_FAILED), SourceConflictError, "no", None),
        (op.VOLUME_CREATE, "dir/there", said(Code.OPERATION_FAILED), VolumeExistsError, "no", None),
        (op.VOLUME_CREATE, "dir/none", said(Code.OPERATION_FAILED), LibvirtError, "no", None),
        (op.POOL_STOP, "dir", said(Code.INTERNAL_ERROR), PoolBusyError, "backoff", None),
        (op.POOL_REFRESH, "dir", said(Code.INTERNAL_ERROR), PoolBusyError, "backoff", None),
        (op.POOL_STOP, "stopped", said(Code.INTERNAL_ERROR), LibvirtError, "no", None),
        (op.POOL_REFRESH, "stopped", said(Code.INTERNAL_ERROR), LibvirtError, "no", None),
        (op.POOL_DELETE, "stopped", said(Code.INTERNAL_ERROR), PoolBusyError, "backoff", None),
        (op.VOLUME_CLONE, "dir/there", said(Code.INTERNAL_ERROR), VolumeExistsError, "no", None),
        (op.VOLUME_CLONE, "dir/none", said(Code.INTERNAL_ERROR), LibvirtError, "no", None),
        (op.VOLUME_CLONE, "disk/none", said(Code.INTERNAL_ERROR), NoSpaceError, "no", "not_started"),
        (op.VOLUME_CREATE, "disk/none", said(Code.INTERNAL_ERROR), NoSpaceError, "no", "not_started"),
        (op.VOLUME_CREATE, "dir/none", said(Code.INTERNAL_ERROR), LibvirtError, "no", None),
        (op.VOLUME_CREATE, "disk/none", said(Code.INVALID_ARG), InvalidRequestError, "no", "unknown"),
        (op.VOLUME_CREATE, "dir/none", said(Code.INVALID_ARG), InvalidRequestError, "no", None),
        (op.VOLUME_CREATE, "rbd/none", said(Code.CONFIG_UNSUPPORTED), UnsupportedError, "no", None),
        (op.POOL_START, "logical", said(Code.CONFIG_UNSUPPORTED), StateError, "no", None),
        (op.POOL_START, "dir", said(Code.CONFIG_UNSUPPORTED), UnsupportedError, "no", None),
        (op.POOL_START, "rbd", said(Code.SYSTEM_ERROR), StorageIOError, "no", "not_started"),
        (op.POOL_START, "rbd", said(Code.SYSTEM_ERROR, errno.ENOENT), StorageIOError, "no", "not_started"),
        (op.POOL_START, "rbd", said(Code.SYSTEM_ERROR, errno.EINVAL), StorageIOError, "no", "not_started"),
        (op.POOL_REFRESH, "rbd", said(Code.SYSTEM_ERROR), StorageIOError, "no", "not_started"),
        (op.POOL_START, "rbd", said(Code.SYSTEM_ERROR, errno.EACCES), AccessDeniedError, "no", None),
        (op.POOL_START, "dir", said(Code.SYSTEM_ERROR), StorageIOError, "no", None),
        (
            op.POOL_START,
            "gluster",
            said(Code.SYSTEM_ERROR, errno.ENOENT),
            StorageIOError,
            "no",
            "not_started",
        ),
        (
            op.POOL_START,
            "gluster",
            said(Code.SYSTEM_ERROR, errno.ENOTCONN),
            StorageIOError,
            "backoff",
            "not_started",
        ),
        (op.POOL_START, "gluster", said(Code.SYSTEM_ERROR, errno.EIO), StorageIOError, "backoff", None),
        (op.POOL_START, "iscsi-direct", said(Code.INTERNAL_ERROR), StorageIOError, "backoff", "not_started"),
        (op.POOL_BUILD, "iscsi-direct", said(Code.INTERNAL_ERROR), LibvirtError, "no", None),
        (
            op.VOLUME_DELETE,
            "rbd/there",
            said(Code.SYSTEM_ERROR, errno.EBUSY),
            StateError,
            "no",
            "not_started",
        ),
        (op.VOLUME_DELETE, "rbd/none", said(Code.SYSTEM_ERROR, errno.EBUSY), StorageIOError, "no", None),
        (op.VOLUME_DELETE, "dir/there", said(Code.SYSTEM_ERROR, errno.EBUSY), StorageIOError, "no", None),
    ],
)
def test_one_more_read_decides(
    host: Host,
    operation: op.Operation,
    place: str,
    answer: Answer,
    kind: type[StorageError],
    retry: Retry,
    outcome: Outcome | None,
) -> None:
    pool, slash, volume = place.partition("/")
    pool_of = pool_id(host, pool)
    with judged(host, operation, VolumeId(pool_of, volume) if slash else pool_of, answer) as found:
        assert (found.error, found.retry, found.outcome) == (kind, retry, outcome)


@pytest.mark.parametrize(
    ("operation", "place", "answer", "hint"),
    [
        (op.POOL_START, "scsi", said(Code.SYSTEM_ERROR, errno.ENOENT), "/sys/class/scsi_host"),
        (op.POOL_START, "dir", said(Code.SYSTEM_ERROR, errno.ENOENT), "pool.build() creates the directory"),
        (op.POOL_CREATE_TRANSIENT, "dir", said(Code.SYSTEM_ERROR, errno.ENOENT), "build=True creates"),
        (op.POOL_START, "stopped", said(Code.OPERATION_INVALID), "overwrite needs a device"),
        (op.VOLUME_CREATE, "rbd", said(Code.CONFIG_UNSUPPORTED), "raw images"),
        (op.POOL_START, "logical", said(Code.CONFIG_UNSUPPORTED), "that volume group"),
        (op.POOL_START, "rbd", said(Code.SYSTEM_ERROR), "no monitor answers"),
    ],
)
def test_the_hint_is_for_pools_of_that_type(
    host: Host, operation: op.Operation, place: str, answer: Answer, hint: str
) -> None:
    with judged(host, operation, pool_id(host, place), answer) as found:
        assert hint in str(found.hint)


def test_a_transient_pool_does_not_start_by_itself(host: Host) -> None:
    transient = host.pools.create_transient(PoolSpec.dir("transient", "/srv/transient"))
    target = PoolId(host.uri, transient.name, transient.uuid)
    with judged(host, op.POOL_SET_AUTOSTART, target, said(Code.INTERNAL_ERROR)) as found:
        assert found.error is StateError
    with judged(host, op.POOL_SET_AUTOSTART, pool_id(host, "dir"), said(Code.INTERNAL_ERROR)) as found:
        assert found.error is LibvirtError
    transient.stop()
