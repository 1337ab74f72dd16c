"""What pool types can do, as far as it is known."""

from __future__ import annotations

import pytest

from libstorage import PoolType
from libstorage.models.support import ABLE, Ability, able_types, supports


@pytest.mark.parametrize("ability", Ability)
def test_every_ability_is_told_of_types_that_libvirt_has(ability: Ability) -> None:
    assert ABLE[ability]
    assert PoolType.SHEEPDOG not in ABLE[ability]
    assert able_types(ability).split(", ") == [kind for kind in PoolType if supports(kind, ability)]


def test_a_type_that_is_not_known_is_for_the_daemon_to_decide() -> None:
    assert all(supports("a newer one", ability) for ability in Ability)


def test_types_by_libvirts_word() -> None:
    assert supports("rbd", Ability.CLONE)
    assert not supports("rbd", Ability.UPLOAD)


def test_what_is_cloned_or_linked_is_also_created() -> None:
    assert ABLE[Ability.REFLINK] <= ABLE[Ability.CLONE] <= ABLE[Ability.CREATE] <= ABLE[Ability.DELETE]
    assert ABLE[Ability.LINK] <= ABLE[Ability.CREATE]
    assert ABLE[Ability.UPLOAD] == ABLE[Ability.DOWNLOAD] <= ABLE[Ability.PATHS]
