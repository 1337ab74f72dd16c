"""Which daemons can check a document against their own schema, and the flags that ask for it."""

from __future__ import annotations

from typing import Final

from libstorage.enums import PoolDefineFlags, SecretDefineFlags, VolumeCreateFlags
from libstorage.session.options import Versions

VOLUME_CREATE_SINCE: Final[int | None] = None
"""Never by default.

The flag came with 8.10.0, but in that and later releases, 9.0 among them, every call with it fails with "unsupported
flags". A later release repaired it; we do not know which. A caller who knows that a host supports it can pass
``flags=VolumeCreateFlags.VALIDATE``.
"""


def pool_define_flags(versions: Versions) -> PoolDefineFlags:
    """Return the flags to define pools with on a host of these versions."""
    flag = PoolDefineFlags.VALIDATE
    return flag if _has(versions, flag.since_number) else PoolDefineFlags(0)


def secret_define_flags(versions: Versions) -> SecretDefineFlags:
    """Return the flags to define secrets with on a host of these versions."""
    flag = SecretDefineFlags.VALIDATE
    return flag if _has(versions, flag.since_number) else SecretDefineFlags(0)


def volume_create_flags(versions: Versions) -> VolumeCreateFlags:
    """Return the flags to create volumes with on a host of these versions."""
    return VolumeCreateFlags.VALIDATE if _has(versions, VOLUME_CREATE_SINCE) else VolumeCreateFlags(0)


def _has(versions: Versions, since: int | None) -> bool:
    return since is not None and min(versions.daemon, versions.client) >= since
