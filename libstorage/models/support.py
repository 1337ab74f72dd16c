"""Abilities of pools, also of types that are newer than this version of libstorage."""

from __future__ import annotations

from libstorage.enums import Ability, PoolType
from libstorage.enums.abilities import ABLE


def supports(type: PoolType | str, ability: Ability) -> bool:
    """Return ``False`` if pools of that type certainly lack ``ability``, else ``True``: the daemon decides."""
    return type not in set(PoolType) or PoolType(type).supports(ability)


def has_files(type: PoolType | str) -> bool:
    """Return whether volumes of pools of that type are certainly files."""
    return type in ABLE[Ability.FILES]


def able_types(ability: Ability) -> str:
    """Return the pool types that support ``ability``, as text for people."""
    return ", ".join(each for each in PoolType if each.supports(ability))
