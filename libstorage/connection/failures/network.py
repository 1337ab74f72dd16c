"""What libvirt answers when storage that it reaches itself, over the network, is not as a pool says.

Ceph, Gluster and iscsi-direct pools have no helper program that could say what is wrong: there are the type of the
pool, the system's error number, and the status of an iSCSI login, a number that the protocol defines (RFC 7143, 11.13.5).
"""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping
from typing import Final

from libstorage import operations as op
from libstorage.connection.failures.case import Case
from libstorage.connection.failures.codes import Code, Domain
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
    """What is wrong with a pool's source, if it is of a type that libvirt reaches itself; else ``None``."""
    if case.op not in _OPENING or case.said.domain != Domain.STORAGE:
        return None
    if case.said.code == Code.INTERNAL_ERROR:
        return _login(case.said.bare) or (_NO_TARGET if case.pool_type() == PoolType.ISCSI_DIRECT else None)
    pool_type = case.pool_type()
    if pool_type == PoolType.RBD and case.said.errno in {None, errno.ENOENT}:
        return _NO_CEPH
    if pool_type == PoolType.GLUSTER:
        return _GLUSTER.get(case.said.errno or 0)
    return None


def judge_image(case: Case) -> Verdict | None:
    """Why a volume is not read, or an image of a Ceph cluster not deleted; ``None`` if it is another case."""
    if case.op in {op.VOLUME_INFO, op.VOLUME_XML} and case.said.errno == errno.ENOENT:
        return VOLUME_GONE
    if case.op != op.VOLUME_DELETE or case.pool_type() != PoolType.RBD:
        return None
    return _HAS_SNAPSHOTS if case.volume_answers() else _MAY_HAVE_SNAPSHOTS


# "Failed to login: Failed to log in to target. Status: Authentication failure(513)": the number is class and detail.
_STATUS: Final = re.compile(r"\((?P<status>\d{3})\)\W*$")
_SERVER_FAILED: Final = 0x300


def _login(text: str) -> Verdict | None:
    found = _STATUS.search(text)
    status = int(found["status"]) if found else 0
    return _SERVER_ERROR if status >= _SERVER_FAILED else _LOGIN.get(status)


_NO_SUCH_TARGET: Final = Verdict(
    NotFoundError,
    "The server has no such target, or shows it to other initiators only: look at source.device.",
)
_LOGIN: Final[Mapping[int, Verdict]] = {
    0x201: Verdict(
        AuthenticationError,
        "The target wants another login: look at the source's auth, its user, and the value of its secret.",
    ),
    0x202: Verdict(AccessDeniedError, "The target does not let in this initiator: look at source.initiator."),
    0x203: _NO_SUCH_TARGET,
    0x204: _NO_SUCH_TARGET,
}
_SERVER_ERROR: Final = Verdict(
    StorageIOError, "The iSCSI server has a problem of its own.", retry="backoff", outcome="not_started"
)
_NO_TARGET: Final = Verdict(
    StorageIOError,
    "Does an iSCSI server answer at that host and port?",
    retry="backoff",
    outcome="not_started",
)
_NO_CEPH: Final = Verdict(
    StorageIOError,
    "libvirt says the same of several mistakes: no monitor answers at these hosts and ports; the user is unknown, or the "
    "secret not theirs (its value are the key's bytes, not their base64 text); there is no Ceph pool of that name.",
    outcome="not_started",
)
_GLUSTER: Final[Mapping[int, Verdict]] = {
    errno.ENOENT: Verdict(
        StorageIOError,
        "Has the server a volume of that name, and that directory in it?",
        outcome="not_started",
    ),
    errno.ENOTCONN: Verdict(
        StorageIOError,
        "Does a Gluster server answer at that host and port?",
        retry="backoff",
        outcome="not_started",
    ),
}
_SNAPSHOTS: Final = "What is cloned keeps a snapshot of libvirt's: delete(with_snapshots=True) takes it along, once the clones are gone."
_HAS_SNAPSHOTS: Final = Verdict(
    StateError, f"The image is there, but has snapshots, or is in use. {_SNAPSHOTS}"
)
_MAY_HAVE_SNAPSHOTS: Final = Verdict(
    StorageIOError, f"The image may have snapshots, or be in use. {_SNAPSHOTS}"
)
