"""What pools can do whose type may be newer than we are."""

from __future__ import annotations

from libstorage.enums import Ability, PoolType
from libstorage.enums.abilities import ABLE


def supports(type: PoolType | str, ability: Ability) -> bool:
    """Whether pools of that type can do it, or may: ``False`` is certain, ``True`` is for the daemon to decide."""
    return type not in set(PoolType) or PoolType(type).supports(ability)


def has_files(type: PoolType | str) -> bool:
    """Whether it is certain that volumes of pools of that type are files."""
    return type in ABLE[Ability.FILES]


def able_types(ability: Ability) -> str:
    """The types that can do it, for people."""
    return ", ".join(each for each in PoolType if each.supports(ability))
