"""A volume of which a later step failed: deleted again, or told of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from libstorage import Pool, PoolSpec, VolumeSpec, connect
from libstorage.connection.identity import PoolId, VolumeId
from libstorage.errors import Outcome, Retry, TransferError
from libstorage.operations import VOLUME_UPLOAD
from libstorage.provision.undo import Made
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
        ("gone", "after_reconcile", "not_started", "backoff"),
        ("gone", "no", "not_started", "no"),
    ],
)
def test_the_error_says_what_became_of_the_volume(
    pool: Pool, name: str, before: Retry, outcome: Outcome, retry: Retry
) -> None:
    reason, target = TransferError("broke", outcome="unknown", retry=before), volume_id(pool, name)
    channel = channel_of(pool)
    new = Made.of(channel, volume_id(pool, "there"))
    attrs.evolve(new, volume=target).take_back(channel, reason, VOLUME_UPLOAD)
    assert (reason.outcome, reason.retry) == (outcome, retry)
    assert (reason.target, reason.uri, reason.operation) == (str(target), pool.host.uri, "volume.upload")
    assert ("was deleted again" in str(reason.hint)) is (name == "there")
    assert ("was deleted by another client meanwhile" in str(reason.hint)) is (name == "gone")
    assert pool.volumes.names() == (() if name == "there" else ("there",))


def test_any_other_error_gets_a_note(pool: Pool) -> None:
    reason, channel = KeyboardInterrupt(), channel_of(pool)
    Made.of(channel, volume_id(pool, "there")).take_back(channel, reason, VOLUME_UPLOAD)
    assert "was deleted again" in reason.__notes__[0]


def test_a_volume_that_cannot_be_looked_at_is_left(pool: Pool) -> None:
    reason = TransferError("broke", outcome="unknown", retry="no")
    new = Made.of(channel_of(pool), volume_id(pool, "there"))
    with connect(pool.host.uri) as host:
        closed = channel_of(host)
    new.take_back(closed, reason, VOLUME_UPLOAD)
    assert (reason.outcome, reason.retry) == ("unknown", "after_reconcile")
    assert "could not be deleted: delete it" in str(reason.hint)
