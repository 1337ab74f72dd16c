"""Judges libvirt's errors about network storage that libvirt accesses by itself.

Ceph, Gluster and iscsi-direct pools do not have a helper program that could say what is wrong. The only evidence is the
type of the pool, the system's error number, and the status of an iSCSI login, a number that the protocol defines
(RFC 7143, 11.13.5).
"""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping
from typing import Final

from libstorage import operations as op
from libstorage.connection.codes import Code, Domain
from libstorage.connection.failures.case import Case
from libstorage.connection.failures.verdict import VOLUME_GONE, Verdict
from libstorage.enums import PoolType
from libstorage.errors import (
    AccessDeniedError,
    AuthenticationError,
    NotFoundError,
    StateError,
    StorageIOError,
)

_OPENING = {op.POOL_START, op.POOL_REFRESH, op.POOL_CREATE_TRANSIENT}


def judge_source(case: Case) -> Verdict | None:
    """Return what is wrong with a source that libvirt accesses by itself; ``None`` for other pools and other errors."""
    if case.op not in _OPENING or case.said.domain != Domain.STORAGE:
        return None
    if case.said.code == Code.INTERNAL_ERROR:
        return _login(case.said.bare) or (_NO_TARGET if case.pool_type() == PoolType.ISCSI_DIRECT else None)
    pool_type = case.pool_type()
    if pool_type == PoolType.RBD and case.said.errno in _NO_CEPH_ERRNO:
        return _NO_CEPH
    if pool_type == PoolType.GLUSTER:
        return _GLUSTER.get(case.said.errno or 0)
    return None


def judge_image(case: Case) -> Verdict | None:
    """Return why a volume cannot be read or a Ceph image cannot be deleted; ``None`` for any other failure."""
    if case.op in {op.VOLUME_INFO, op.VOLUME_XML} and case.said.errno == errno.ENOENT:
        return VOLUME_GONE
    if case.op != op.VOLUME_DELETE or case.pool_type() != PoolType.RBD:
        return None
    return _HAS_SNAPSHOTS if case.volume_answers() else _MAY_HAVE_SNAPSHOTS


# "Failed to login: Failed to log in to target. Status: Authentication failure(513)": the number combines class and detail.
_STATUS: Final = re.compile(r"\((?P<status>\d{3})\)\W*$")
_SERVER_FAILED: Final = 0x300


def _login(text: str) -> Verdict | None:
    found = _STATUS.search(text)
    status = int(found["status"]) if found else 0
    return _SERVER_ERROR if status >= _SERVER_FAILED else _LOGIN.get(status)


_NO_SUCH_TARGET: Final = Verdict(
    NotFoundError,
    "The server does not have that target, or shows it to other initiators only: check source.device.",
)
_LOGIN: Final[Mapping[int, Verdict]] = {
    0x201: Verdict(
        AuthenticationError,
        "The target rejects the login: check the source's auth, its user, and the value of its secret.",
    ),
    0x202: Verdict(AccessDeniedError, "The target does not admit this initiator: check source.initiator."),
    0x203: _NO_SUCH_TARGET,
    0x204: _NO_SUCH_TARGET,
}
_SERVER_ERROR: Final = Verdict(
    StorageIOError, "The iSCSI server reports an internal error.", retry="backoff", outcome="not_started"
)
_NO_TARGET: Final = Verdict(
    StorageIOError,
    "Check that an iSCSI server is running at that host and port.",
    retry="backoff",
    outcome="not_started",
)
_NO_CEPH: Final = Verdict(
    StorageIOError,
    "libvirt reports several mistakes in the same way: no monitor answers at these hosts and ports; the user is unknown; "
    "the secret is not the user's (its value must be the key's bytes, not their base64 text); "
    "the Ceph pool of that name does not exist.",
    outcome="not_started",
)
# EINVAL: the resolver does not know a monitor's name
_NO_CEPH_ERRNO: Final = {None, errno.ENOENT, errno.EINVAL}
_GLUSTER: Final[Mapping[int, Verdict]] = {
    errno.ENOENT: Verdict(
        StorageIOError,
        "Check that the server has a volume of that name, and that the volume contains that directory.",
        outcome="not_started",
    ),
    errno.ENOTCONN: Verdict(
        StorageIOError,
        "Check that a Gluster server is running at that host and port.",
        retry="backoff",
        outcome="not_started",
    ),
}
_SNAPSHOTS: Final = (
    "An image that was cloned keeps a snapshot that libvirt made: "
    "once the clones are deleted, delete(with_snapshots=True) deletes the image with its snapshots."
)
_HAS_SNAPSHOTS: Final = Verdict(
    StateError, f"The image exists, but has snapshots or is in use. {_SNAPSHOTS}", outcome="not_started"
)
_MAY_HAVE_SNAPSHOTS: Final = Verdict(
    StorageIOError, f"The image may have snapshots or be in use. {_SNAPSHOTS}"
)
