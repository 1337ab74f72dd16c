"""How many calls to the daemon each public verb makes; a test counts them on the wire of a real daemon."""

from __future__ import annotations

from typing import Final

import attrs


@attrs.frozen
class Cost:
    """The calls of a verb.

    Attributes:
        operation: The row of the table of operations that the verb is about.
        first: Calls when the lane does not know the thing yet.
        later: Calls when it does. ``pools`` and ``volumes`` stand for the numbers of running pools and of volumes,
            ``opening`` for the calls that open one more connection.
    """

    operation: str
    first: str
    later: str


def _cost(operation: str, first: int | str, later: int | str) -> Cost:
    return Cost(operation, str(first), str(later))


CALLS: Final = {
    "Host.find_sources": _cost("pool.find_sources", 1, 1),
    "Host.inventory": _cost("pools.list", "4 + 2 * pools + volumes", "4 + 2 * pools + volumes"),
    "Host.is_alive": _cost("host.version", 1, 1),
    "Host.pool_capabilities": _cost("pool.capabilities", 1, 1),
    "Host.volume_at": _cost("volume.lookup_by_path", 2, 2),
    "Host.volume_by_key": _cost("volume.lookup_by_key", 2, 2),
    "Pool.autostart": _cost("pool.autostart", 2, 1),
    "Pool.build": _cost("pool.build", 2, 1),
    "Pool.delete": _cost("pool.delete", 2, 1),
    "Pool.info": _cost("pool.info", 2, 1),
    "Pool.is_active": _cost("pool.is_active", 2, 1),
    "Pool.is_persistent": _cost("pool.is_persistent", 2, 1),
    "Pool.refresh": _cost("pool.refresh", 2, 1),
    "Pool.set_autostart": _cost("pool.set_autostart", 2, 1),
    "Pool.spec": _cost("pool.xml", 2, 1),
    "Pool.start": _cost("pool.start", 2, 1),
    "Pool.stop": _cost("pool.stop", 2, 1),
    "Pool.type": _cost("pool.xml", 2, 1),
    "Pool.undefine": _cost("pool.undefine", 2, 1),
    "Pool.xml": _cost("pool.xml", 2, 1),
    "Pools.by_target_path": _cost("pool.lookup_by_target_path", 1, 1),
    "Pools.by_uuid": _cost("pool.lookup_by_uuid", 1, 1),
    "Pools.count": _cost("pools.count", 2, 2),
    "Pools.create_transient": _cost("pool.create_transient", 1, 1),
    "Pools.define": _cost("pool.define", 1, 1),
    "Pools.ensure": _cost("pool.define", 5, 5),
    "Pools.exists": _cost("pool.lookup_by_name", 1, 1),
    "Pools.get": _cost("pool.lookup_by_name", 1, 1),
    "Pools.list": _cost("pools.list", 1, 1),
    "Pools.lookup": _cost("pool.lookup_by_name", 1, 1),
    "Pools.names": _cost("pools.list", 1, 1),
    "Secret.set_value": _cost("secret.set_value", 2, 1),
    "Secret.spec": _cost("secret.xml", 2, 1),
    "Secret.undefine": _cost("secret.undefine", 2, 1),
    "Secret.value": _cost("secret.value", 2, 1),
    "Secret.xml": _cost("secret.xml", 2, 1),
    "Secrets.by_usage": _cost("secret.lookup_by_usage", 1, 1),
    "Secrets.count": _cost("secrets.count", 1, 1),
    "Secrets.define": _cost("secret.define", 1, 1),
    "Secrets.ensure_ceph": _cost("secret.set_value", 3, 2),
    "Secrets.exists": _cost("secret.lookup_by_uuid", 1, 1),
    "Secrets.get": _cost("secret.lookup_by_uuid", 1, 1),
    "Secrets.list": _cost("secrets.list", 1, 1),
    "Secrets.lookup": _cost("secret.lookup_by_uuid", 1, 1),
    "Volume.as_backing": _cost("volume.xml", 4, 2),
    "Volume.clone": _cost("volume.clone", 7, 4),
    "Volume.copy_to": _cost("volume.create", "opening + 16", "opening + 14"),
    "Volume.delete": _cost("volume.delete", 3, 2),
    "Volume.download": _cost("volume.download", 4, 2),
    "Volume.info": _cost("volume.info", 3, 1),
    "Volume.key": _cost("volume.key", 2, 0),
    "Volume.open": _cost("volume.download", 4, 2),
    "Volume.path": _cost("volume.path", 3, 1),
    "Volume.resize": _cost("volume.resize", 3, 2),
    "Volume.spec": _cost("volume.xml", 3, 1),
    "Volume.type": _cost("volume.info", 3, 1),
    "Volume.upload": _cost("volume.upload", 7, 5),
    "Volume.wipe": _cost("volume.wipe", 3, 2),
    "Volume.xml": _cost("volume.xml", 3, 1),
    "Volumes.count": _cost("volumes.count", 2, 1),
    "Volumes.create": _cost("volume.create", 2, 1),
    "Volumes.exists": _cost("volume.lookup_by_name", 2, 1),
    "Volumes.get": _cost("volume.lookup_by_name", 2, 1),
    "Volumes.import_image": _cost("volume.create", 10, 9),
    "Volumes.list": _cost("volumes.list", 2, 1),
    "Volumes.lookup": _cost("volume.lookup_by_name", 2, 1),
    "Volumes.names": _cost("volumes.list", 2, 1),
    "Volumes.specs": _cost("volumes.list", "2 + volumes", "1 + volumes"),
}
