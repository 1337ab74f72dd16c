"""A volume of which a later step failed: deleted again, or told of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from libstorage import Pool, PoolSpec, VolumeSpec, connect
from libstorage.connection.identity import PoolId, VolumeId
from libstorage.errors import Outcome, Retry, TransferError
from libstorage.operations import VOLUME_UPLOAD
from libstorage.provision.undo import take_back
from tests.inside import channel_of


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    (tmp_path / "node.xml").write_text("<node/>")
    with connect(f"test://{tmp_path}/node.xml") as host:
        pool = host.pools.define(PoolSpec.dir("images", "/srv")).build().start()
        pool.volumes.create(VolumeSpec.raw("there", 4096))
        yield pool


def volume_id(pool: Pool, name: str) -> VolumeId:
    return VolumeId(PoolId(pool.host.uri, pool.name, pool.uuid), name)


@pytest.mark.parametrize(
    ("name", "before", "outcome", "retry"),
    [
        ("there", "after_reconcile", "not_started", "backoff"),
        ("there", "backoff", "not_started", "backoff"),
        ("there", "no", "not_started", "no"),
        ("gone", "after_reconcile", "unknown", "after_reconcile"),
        ("gone", "backoff", "unknown", "after_reconcile"),
        ("gone", "no", "unknown", "after_reconcile"),
    ],
)
def test_the_error_says_what_became_of_the_volume(
    pool: Pool, name: str, before: Retry, outcome: Outcome, retry: Retry
) -> None:
    reason, target = TransferError("broke", outcome="unknown", retry=before), volume_id(pool, name)
    take_back(channel_of(pool), target, reason, VOLUME_UPLOAD)
    assert (reason.outcome, reason.retry) == (outcome, retry)
    assert (reason.target, reason.uri, reason.operation) == (str(target), pool.host.uri, "volume.upload")
    assert ("was deleted again" in str(reason.hint)) is (name == "there")
    assert ("could not be deleted: delete it" in str(reason.hint)) is (name == "gone")
    assert pool.volumes.names() == (() if name == "there" else ("there",))


def test_any_other_error_gets_a_note() -> None:
    reason = KeyboardInterrupt()
    with connect("test:///default") as host:
        pool = host.pools.list()[0]
        take_back(channel_of(pool), volume_id(pool, "none"), reason, VOLUME_UPLOAD)
    assert "could not be deleted" in reason.__notes__[0]
