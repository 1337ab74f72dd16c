"""Abilities of each pool type, as far as they are certain.

The table comes from libvirt's storage drivers as of 9.0. Only requests that are known to fail are refused before the
daemon is asked. Nothing is refused for a pool type that is not in the table, and a newer daemon decides for itself.
"""

from __future__ import annotations

from typing import Final

from libstorage.enums.base import Words

AS_OF: Final = 9_000_999
"""The last version of libvirt for which the table is certain."""

_FILES: Final = frozenset({"dir", "fs", "netfs", "vstorage"})
_SERVED: Final = frozenset(
    {"rbd", "gluster", "iscsi-direct"}
)  # libvirt itself accesses these, without a path on the host
_DEVICES: Final = frozenset({"logical", "disk", "iscsi", "scsi", "mpath", "zfs"})
_MAKING: Final = _FILES | {"logical", "disk", "rbd", "zfs"}


class Ability(Words):
    """An ability of pools of a type, or of their volumes: ``PoolType.RBD.supports(Ability.UPLOAD)``.

    ``False`` is certain for libvirt 9.0. ``True`` means that the daemon decides, since much depends on formats, file
    systems and servers.
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


ABLE: Final[dict[Ability, frozenset[str]]] = {
    Ability.FILES: _FILES,
    Ability.PATHS: _FILES | _DEVICES,
    Ability.CREATE: _MAKING,
    Ability.DELETE: _MAKING | {"gluster"},
    Ability.CLONE: _MAKING - {"zfs"},
    Ability.REFLINK: _FILES,  # Linux shares blocks of regular files only
    Ability.LINK: _FILES,
    Ability.RESIZE: _FILES | {"rbd"},
    Ability.WIPE: _FILES | _DEVICES - {"zfs"} | _SERVED - {"gluster"},
    Ability.UPLOAD: _FILES | _DEVICES,
    Ability.DOWNLOAD: _FILES | _DEVICES,
    Ability.FIND_SOURCES: frozenset({"netfs", "logical", "iscsi", "iscsi-direct", "gluster"}),
    Ability.DELETE_POOL: _FILES | {"logical", "disk", "zfs"},
}
"""The pool types with each ability, in libvirt's words."""
