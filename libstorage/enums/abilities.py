"""Abilities of each pool type, as far as they are certain.

The table comes from libvirt's storage drivers, from 9.0 to 12.8. Only requests that are known to fail are refused before
the daemon is asked. Nothing is refused for a pool type that is not in the table, and a newer daemon decides for itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from libstorage.enums.base import Words

AS_OF: Final = 12_008_999
"""The newest version of libvirt for which the table is certain. A newer one counts as this one."""

_FILES: Final = frozenset({"dir", "fs", "netfs", "vstorage"})
_SERVED: Final = frozenset(
    {"rbd", "gluster", "iscsi-direct"}
)  # libvirt itself accesses these, without a path on the host
_DEVICES: Final = frozenset({"logical", "disk", "iscsi", "scsi", "mpath", "zfs"})
_MAKING: Final = _FILES | {"logical", "disk", "rbd", "zfs"}


class Ability(Words):
    """An ability of pools of a type, or of their volumes: ``PoolType.RBD.supports(Ability.UPLOAD)``.

    ``False`` is certain for libvirt 9.0 to 12.8. ``True`` means that the daemon decides, since much depends on formats,
    file systems and servers.
    """

    FILES = "files", "hold volumes that are files"
    PATHS = "paths", "give volumes a path that the host can open"
    CREATE = "create", "create volumes"
    DELETE = "delete", "delete volumes"
    CLONE = "clone", "clone volumes"
    REFLINK = "reflink", "share blocks between volumes"
    LINK = "link", "hold volumes that are linked to another volume"
    RESIZE = "resize", "resize volumes"
    WIPE = "wipe", "wipe volumes"
    UPLOAD = "upload", "upload into volumes"
    DOWNLOAD = "download", "download volumes"
    FIND_SOURCES = "find-sources", "find sources from which pools can be made"
    DELETE_POOL = "delete-pool", "delete the storage under a pool"


def _always(types: AbstractSet[str]) -> dict[str, int]:
    return dict.fromkeys(types, 0)


ABLE: Final[Mapping[Ability, Mapping[str, int]]] = {
    Ability.FILES: _always(_FILES),
    Ability.PATHS: _always(_FILES | _DEVICES),
    Ability.CREATE: _always(_MAKING),
    Ability.DELETE: _always(_MAKING | {"gluster"}),
    Ability.CLONE: _always(_MAKING - {"zfs"}),
    Ability.REFLINK: _always(_FILES),  # Linux shares blocks of regular files only
    Ability.LINK: _always(_FILES),
    Ability.RESIZE: _always(_FILES | {"rbd"}) | {"zfs": 11_007_000},
    Ability.WIPE: _always(_FILES | _DEVICES - {"zfs"} | _SERVED - {"gluster"}),
    Ability.UPLOAD: _always(_FILES | _DEVICES),
    Ability.DOWNLOAD: _always(_FILES | _DEVICES),
    Ability.FIND_SOURCES: _always(frozenset({"netfs", "logical", "iscsi", "iscsi-direct", "gluster"})),
    Ability.DELETE_POOL: _always(_FILES | {"logical", "disk", "zfs"}),
}
"""The pool types with each ability, in libvirt's words, and the version of libvirt since which they have it; 0 is always."""


def is_able(type: str, ability: Ability, version: int | None = None) -> bool:
    """Return whether a daemon of a version may have the ability for pools of a type; ``None`` is the newest version."""
    since = ABLE[ability].get(type)
    return since is not None and (version is None or since <= version)
