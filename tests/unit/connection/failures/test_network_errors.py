"""The statuses of an iSCSI login that no server here can be made to give, and answers about pools that are gone."""

from __future__ import annotations

import errno

import pytest

from libstorage import operations as op
from libstorage.connection.binding import Answer
from libstorage.connection.codes import Code, Domain
from libstorage.connection.failures.case import Case
from libstorage.connection.failures.judge import judge
from libstorage.connection.failures.network import judge_image, judge_source
from libstorage.connection.identity import PoolId, VolumeId
from libstorage.errors import (
    AccessDeniedError,
    AuthenticationError,
    LibvirtError,
    NotFoundError,
    Outcome,
    Retry,
    StorageError,
    StorageIOError,
    VolumeNotFoundError,
)

POOL = PoolId("x:///", "luns", "11111111-1111-4111-8111-111111111111")
FAILED = "Failed to login: Failed to log in to target. Status: "


def case(text: str, operation: op.Operation = op.POOL_START, domain: Domain = Domain.STORAGE) -> Case:
    return Case(Answer(Code.INTERNAL_ERROR, domain, 2, None, text, text), operation, POOL, None)


@pytest.mark.parametrize(
    ("status", "kind", "retry", "outcome"),
    [
        ("Authentication failure(513)", AuthenticationError, "no", None),
        ("Authorization failure(514)", AccessDeniedError, "no", None),
        ("Target not found(515)", NotFoundError, "no", None),
        ("Target removed(516)", NotFoundError, "no", None),
        ("Target error(768)", StorageIOError, "backoff", "not_started"),
        ("Service unavailable(769)", StorageIOError, "backoff", "not_started"),
    ],
)
def test_the_status_of_a_login_decides(
    status: str, kind: type[StorageError], retry: Retry, outcome: Outcome | None
) -> None:
    verdict = judge(case(FAILED + status))
    assert (verdict.error, verdict.retry, verdict.outcome) == (kind, retry, outcome)
    assert verdict.hint


def test_in_other_languages_the_number_stands_where_it_stood() -> None:
    text = "Anmeldung fehlgeschlagen: Failed to log in to target. Status: Authentication failure(513)."
    assert judge(case(text)).error is AuthenticationError


@pytest.mark.parametrize(
    "unlike",
    [
        case(f"{FAILED}Missing parameter(519)"),
        case("missing backend for pool type 13 (vstorage)"),
        case(f"{FAILED}Authentication failure(513)", domain=Domain.NONE),
        case(f"{FAILED}Authentication failure(513)", op.POOL_BUILD),
    ],
    ids=["other status", "no status", "not of storage", "other operation"],
)
def test_everything_else_is_not_judged_here(unlike: Case) -> None:
    assert judge_source(unlike) is None
    assert judge(unlike).error is LibvirtError


def test_without_a_lane_nobody_knows_that_an_image_is_one() -> None:
    target = VolumeId(POOL, "image")
    assert judge_image(Case(case("").said, op.VOLUME_DELETE, target, None)) is None


@pytest.mark.parametrize("operation", [op.VOLUME_INFO, op.VOLUME_XML])
def test_an_image_that_cannot_be_opened_is_gone(operation: op.Operation) -> None:
    gone = Answer(Code.SYSTEM_ERROR, Domain.STORAGE, 2, errno.ENOENT, "failed to open", "failed to open")
    assert judge(Case(gone, operation, VolumeId(POOL, "image"), None)).error is VolumeNotFoundError
