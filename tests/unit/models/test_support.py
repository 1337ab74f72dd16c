"""What pool types can do, as far as it is known."""

from __future__ import annotations

import pytest

from libstorage import Ability, PoolType
from libstorage.enums.abilities import ABLE
from libstorage.models.support import able_types, has_files, supports


@pytest.mark.parametrize("ability", Ability)
def test_every_ability_is_told_of_types_that_libvirt_has(ability: Ability) -> None:
    assert ABLE[ability].keys() < set(PoolType)
    assert PoolType.SHEEPDOG not in ABLE[ability]
    assert able_types(ability).split(", ") == [kind for kind in PoolType if supports(kind, ability)]


EVERYTHING = set(Ability)
FILES = EVERYTHING - {Ability.FIND_SOURCES}
READ_AND_WRITTEN = {Ability.PATHS, Ability.WIPE, Ability.UPLOAD, Ability.DOWNLOAD}
MADE = {Ability.CREATE, Ability.DELETE, Ability.DELETE_POOL}
BY_TYPE: dict[PoolType, set[Ability]] = {
    PoolType.DIR: FILES,
    PoolType.FS: FILES,
    PoolType.NETFS: EVERYTHING,
    PoolType.VSTORAGE: FILES,
    PoolType.LOGICAL: READ_AND_WRITTEN | MADE | {Ability.CLONE, Ability.FIND_SOURCES},
    PoolType.DISK: READ_AND_WRITTEN | MADE | {Ability.CLONE},
    PoolType.ZFS: (READ_AND_WRITTEN | MADE) - {Ability.WIPE},
    PoolType.ISCSI: READ_AND_WRITTEN | {Ability.FIND_SOURCES},
    PoolType.SCSI: READ_AND_WRITTEN,
    PoolType.MPATH: READ_AND_WRITTEN,
    PoolType.ISCSI_DIRECT: {Ability.WIPE, Ability.FIND_SOURCES},
    PoolType.RBD: {Ability.CREATE, Ability.DELETE, Ability.CLONE, Ability.RESIZE, Ability.WIPE},
    PoolType.GLUSTER: {Ability.DELETE, Ability.FIND_SOURCES},
    PoolType.SHEEPDOG: set(),
}
"""The functions that the storage drivers of libvirt 9.0 have, driver by driver."""
LATER: dict[tuple[PoolType, Ability], int] = {(PoolType.ZFS, Ability.RESIZE): 11_007_000}
"""What they have learned since."""


@pytest.mark.parametrize(
    "version", [9_000_000, 11_003_000, 11_006_999, 11_007_000, 12_008_000, 99_000_000, None]
)
@pytest.mark.parametrize("kind", PoolType)
def test_each_type_can_do_what_its_driver_can(kind: PoolType, version: int | None) -> None:
    learned = {
        what for (of, what), since in LATER.items() if of == kind and (version is None or version >= since)
    }
    can = {ability for ability in Ability if kind.supports(ability, version=version)}
    assert can == BY_TYPE[kind] | learned
    assert can == {ability for ability in Ability if supports(kind, ability, version)}


def test_a_type_that_is_not_known_is_for_the_daemon_to_decide() -> None:
    assert all(supports("a newer one", ability) for ability in Ability)
    assert not has_files("a newer one")
    assert has_files("dir")
    assert not has_files("rbd")


def test_types_by_libvirts_word() -> None:
    assert supports("rbd", Ability.CLONE)
    assert not supports("rbd", Ability.UPLOAD)


def test_the_type_answers_itself() -> None:
    assert PoolType.RBD.supports(Ability.CLONE)
    assert not PoolType.RBD.supports("upload")
    with pytest.raises(ValueError, match="fly"):
        PoolType.RBD.supports("fly")


def test_what_is_cloned_or_linked_is_also_created() -> None:
    able = {ability: types.keys() for ability, types in ABLE.items()}
    assert able[Ability.REFLINK] <= able[Ability.CLONE] <= able[Ability.CREATE] <= able[Ability.DELETE]
    assert able[Ability.LINK] <= able[Ability.CREATE]
    assert able[Ability.UPLOAD] == able[Ability.DOWNLOAD] <= able[Ability.PATHS]
