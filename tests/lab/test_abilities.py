"""What the library says that pool types can do is what the lab has seen."""

from __future__ import annotations

from typing import Final

import pytest

from libstorage import Ability, PoolType
from tests.lab.seen import WORKS, Cell, read_all

OPERATIONS: Final = {
    Ability.CREATE: "create",
    Ability.DELETE: "delete",
    Ability.CLONE: "clone, copy",
    Ability.REFLINK: "clone, reflink",
    Ability.LINK: "clone, linked",
    Ability.RESIZE: "resize",
    Ability.WIPE: "wipe",
    Ability.UPLOAD: "upload",
    Ability.DOWNLOAD: "download",
    Ability.FIND_SOURCES: "find sources",
    Ability.DELETE_POOL: "delete pool",
}
WITHOUT_OPERATION: Final = {Ability.FILES, Ability.PATHS}
NOT_SEEN: Final[dict[tuple[PoolType, Ability], str]] = {
    (PoolType.ISCSI_DIRECT, Ability.FIND_SOURCES): "libstorage refuses it, for it kills libvirt 9.0",
    (PoolType.NETFS, Ability.REFLINK): "neither Gluster nor the NFS server of the lab shares blocks",
}
"""What may work, but works in no case of the lab."""
NOT_IN_THE_LAB: Final = {PoolType.ZFS, PoolType.VSTORAGE}
"""Types that no storage of the lab can show."""


def cells(kind: PoolType, ability: Ability) -> dict[str, Cell]:
    """What was seen of it, by case."""
    return {
        name: case.operations[OPERATIONS[ability]] for name, case in read_all().items() if case.type == kind
    }


def test_every_ability_is_looked_at() -> None:
    assert {*OPERATIONS, *WITHOUT_OPERATION} == set(Ability)


@pytest.mark.parametrize("ability", OPERATIONS)
@pytest.mark.parametrize("kind", PoolType)
def test_what_is_said_was_seen(kind: PoolType, ability: Ability) -> None:
    seen = cells(kind, ability)
    works = [name for name, cell in seen.items() if cell.result == WORKS]
    if not kind.supports(ability, version=9_000_000):  # what the recorded answers come from
        assert not works
        assert seen or kind in NOT_IN_THE_LAB
    elif (kind, ability) in NOT_SEEN or kind in NOT_IN_THE_LAB:
        assert not works, "then it is no exception"
    else:
        assert works
