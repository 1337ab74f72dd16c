"""Which daemons can check a document against their own schema, and the flags that ask for it."""

from __future__ import annotations

from libstorage.enums import PoolDefineFlags, SecretDefineFlags, VolumeCreateFlags
from libstorage.known_faults import VOLUME_VALIDATE
from libstorage.session.options import Versions


def pool_define_flags(versions: Versions) -> PoolDefineFlags:
    """Return the flags to define pools with on a host of these versions."""
    flag = PoolDefineFlags.VALIDATE
    return flag if _has(versions, flag.since_number) else PoolDefineFlags(0)


def secret_define_flags(versions: Versions) -> SecretDefineFlags:
    """Return the flags to define secrets with on a host of these versions."""
    flag = SecretDefineFlags.VALIDATE
    return flag if _has(versions, flag.since_number) else SecretDefineFlags(0)


def volume_create_flags(versions: Versions, *, validate: bool) -> VolumeCreateFlags:
    """Return the flags to create volumes with on a host of these versions."""
    flag = VolumeCreateFlags.VALIDATE
    works = validate and _has(versions, flag.since_number) and not VOLUME_VALIDATE.affects(versions.daemon)
    return flag if works else VolumeCreateFlags(0)


def _has(versions: Versions, since: int | None) -> bool:
    return since is not None and min(versions.daemon, versions.client) >= since
