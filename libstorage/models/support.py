"""Abilities of pools, also of types that are newer than this version of libstorage."""

from __future__ import annotations

from libstorage.enums import Ability, PoolType
from libstorage.enums.abilities import is_able


def supports(type: PoolType | str, ability: Ability, version: int | None = None) -> bool:
    """Return ``False`` if pools of that type certainly lack ``ability``, else ``True``: the daemon decides.

    Args:
        type: The pool type.
        ability: The ability.
        version: libvirt version of the daemon; ``None`` is the newest one.
    """
    return type not in set(PoolType) or is_able(type, ability, version)


def has_files(type: PoolType | str) -> bool:
    """Return whether volumes of pools of that type are certainly files."""
    return is_able(type, Ability.FILES)


def able_types(ability: Ability, version: int | None = None) -> str:
    """Return the pool types that support ``ability`` in a version of libvirt, as text for people."""
    return ", ".join(each for each in PoolType if is_able(each, ability, version))
