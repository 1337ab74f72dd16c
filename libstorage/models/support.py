"""What pools of each type can do, as far as it is known for sure: from the tables of libvirt 9.0's storage drivers.

Only what is known to fail is refused before the daemon is asked: of a type that is not known here, nothing is.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from libstorage.enums import PoolType

_FILES: Final = frozenset({PoolType.DIR, PoolType.FS, PoolType.NETFS, PoolType.VSTORAGE})
_ALL: Final = frozenset(PoolType) - {PoolType.SHEEPDOG}  # its driver was removed from libvirt
_WITHOUT_PATHS: Final = frozenset({PoolType.RBD, PoolType.GLUSTER, PoolType.ISCSI_DIRECT})
_MAKING: Final = _FILES | {PoolType.LOGICAL, PoolType.DISK, PoolType.RBD, PoolType.ZFS}


class Ability(StrEnum):
    """What a pool, or its volumes, may be able to do."""

    FILES = "hold volumes that are files"
    PATHS = "give volumes a path that the host can open"
    CREATE = "create volumes"
    DELETE = "delete volumes"
    CLONE = "clone volumes"
    REFLINK = "share blocks between volumes"
    LINK = "hold volumes that are linked to another"
    RESIZE = "resize volumes"
    WIPE = "wipe volumes"
    UPLOAD = "upload into volumes"
    DOWNLOAD = "download volumes"


ABLE: Final[dict[Ability, frozenset[PoolType]]] = {
    Ability.FILES: _FILES,
    Ability.PATHS: _ALL - _WITHOUT_PATHS,
    Ability.CREATE: _MAKING,
    Ability.DELETE: _MAKING | {PoolType.GLUSTER},
    Ability.CLONE: _MAKING - {PoolType.ZFS},
    Ability.REFLINK: _FILES,  # Linux shares blocks of regular files only
    Ability.LINK: _FILES,
    Ability.RESIZE: _FILES | {PoolType.RBD},
    Ability.WIPE: _ALL - {PoolType.GLUSTER, PoolType.ZFS},
    Ability.UPLOAD: _ALL - _WITHOUT_PATHS,
    Ability.DOWNLOAD: _ALL - _WITHOUT_PATHS,
}
"""The types of pools that can do it."""


def supports(type: PoolType | str, ability: Ability) -> bool:
    """Whether pools of that type can do it, or may: ``False`` is certain, ``True`` is for the daemon to decide."""
    return type in ABLE[ability] or type not in set(PoolType)


def able_types(ability: Ability) -> str:
    """The types that can do it, for people."""
    return ", ".join(each for each in PoolType if each in ABLE[ability])
