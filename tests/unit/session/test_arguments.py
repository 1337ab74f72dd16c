"""Flags of calls: whose they are, and how many bits they have."""

from __future__ import annotations

from typing import Any

import pytest

from libstorage import PoolBuildFlags, VolumeCreateFlags, VolumeDeleteFlags, WipeAlgorithm
from libstorage.errors import InvalidRequestError
from libstorage.session.arguments import combined, switch

NONE = VolumeCreateFlags(0)


@pytest.mark.parametrize(
    "wrong",
    [
        PoolBuildFlags.OVERWRITE,
        VolumeDeleteFlags.WITH_SNAPSHOTS,
        WipeAlgorithm.ZERO,
        True,
        False,
        -1,
        2**32,
        1.0,
        "1",
        None,
    ],
)
def test_what_are_no_flags_of_that_call(wrong: Any) -> None:
    with pytest.raises(InvalidRequestError, match="flags must be a combination of VolumeCreateFlags"):
        combined(VolumeCreateFlags, wrong)


def test_what_are() -> None:
    metadata, reflink = VolumeCreateFlags.PREALLOC_METADATA, VolumeCreateFlags.REFLINK
    assert combined(VolumeCreateFlags, 0) == NONE
    assert combined(VolumeCreateFlags, metadata) is metadata
    assert combined(VolumeCreateFlags, metadata, None, reflink, NONE) == metadata | reflink
    assert combined(VolumeCreateFlags, 2**32 - 1) == 2**32 - 1
    assert type(combined(VolumeCreateFlags, 1 << 20)) is VolumeCreateFlags


def test_a_switch_has_three_positions() -> None:
    yes, no = PoolBuildFlags.OVERWRITE, PoolBuildFlags.NO_OVERWRITE
    assert [switch(value, yes, no) for value in (True, False, None)] == [yes, no, None]
