"""Pools and volumes for tests of the connection, made with raw XML."""

from __future__ import annotations

import uuid as uuids
from pathlib import Path

from libstorage import operations as op
from libstorage.connection.connection import Connection
from libstorage.connection.identity import PoolId, VolumeId
from libstorage.connection.lane import Lane


def pool_xml(name: str, path: Path, uuid: str, kind: str = "dir", source: str = "") -> str:
    return (
        f"<pool type='{kind}'><name>{name}</name><uuid>{uuid}</uuid><source>{source}</source>"
        f"<target><path>{path}</path></target></pool>"
    )


def volume_xml(
    name: str, capacity: int = 1 << 20, kind: str = "raw", allocation: int = 0, more: str = ""
) -> str:
    return (
        f"<volume><name>{name}</name><capacity>{capacity}</capacity><allocation>{allocation}</allocation>"
        f"<target><format type='{kind}'/></target>{more}</volume>"
    )


def make_pool(
    connection: Connection, path: Path, *, name: str | None = None, uuid: str | None = None
) -> PoolId:
    """A running dir pool."""
    uuid = uuid or str(uuids.uuid4())
    target = PoolId(connection.uri, name or f"pool-{uuid[:8]}", uuid)

    def body(lane: Lane) -> None:
        raw = lane.connection.storagePoolDefineXML(pool_xml(target.name, path, uuid))
        raw.build()
        raw.create()

    connection.call(op.POOL_DEFINE, target, body, timeout=60)
    return target


def remove_pool(connection: Connection, pool: PoolId) -> None:
    def body(lane: Lane) -> None:
        raw = lane.pool(pool, fresh=True)
        if raw.isActive():
            raw.destroy()
        raw.undefine()

    connection.call(op.POOL_UNDEFINE, pool, body, timeout=60)


def make_volume(connection: Connection, pool: PoolId, name: str, capacity: int = 1 << 20) -> VolumeId:
    """A sparse raw volume."""
    target, xml = VolumeId(pool, name), volume_xml(name, capacity)
    connection.call(op.VOLUME_CREATE, target, lambda lane: lane.pool(pool).createXML(xml), timeout=60)
    return target
