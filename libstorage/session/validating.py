"""Since when a daemon can be asked to check what it is given against its own schema."""

from __future__ import annotations

from typing import Final

from libstorage.enums import PoolDefineFlags, SecretDefineFlags, VolumeCreateFlags
from libstorage.session.options import Versions

VOLUME_CREATE_SINCE: Final[int | None] = None
"""Never by itself.

The flag came with 8.10.0, but there and in later releases, 9.0 among them, every call with it fails: "unsupported
flags". libvirt has repaired it since; in which release is not known to us. Whoever knows that a host can may pass
``flags=VolumeCreateFlags.VALIDATE``.
"""


def pool_define_flags(versions: Versions) -> PoolDefineFlags:
    """What to define pools with on that host."""
    flag = PoolDefineFlags.VALIDATE
    return flag if _has(versions, flag.since_number) else PoolDefineFlags(0)


def secret_define_flags(versions: Versions) -> SecretDefineFlags:
    """What to define secrets with on that host."""
    flag = SecretDefineFlags.VALIDATE
    return flag if _has(versions, flag.since_number) else SecretDefineFlags(0)


def volume_create_flags(versions: Versions) -> VolumeCreateFlags:
    """What to create volumes with on that host."""
    return VolumeCreateFlags.VALIDATE if _has(versions, VOLUME_CREATE_SINCE) else VolumeCreateFlags(0)


def _has(versions: Versions, since: int | None) -> bool:
    return since is not None and min(versions.daemon, versions.client) >= since
