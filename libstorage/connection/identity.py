"""Identities of objects on a host: handles use them to compare, to hash, and to find their raw objects."""

from __future__ import annotations

from typing import TypeAlias

import attrs


@attrs.frozen
class HostId:
    """A host, identified by its address."""

    uri: str

    def __str__(self) -> str:
        return f"host {self.uri}"


@attrs.frozen
class PoolId:
    """A pool of a host. The uuid distinguishes it from a later pool of the same name."""

    uri: str
    name: str
    uuid: str

    def __str__(self) -> str:
        return f"pool {self.name!r}"


@attrs.frozen
class NewPool(PoolId):
    """A pool that is being defined or created, with its type, for which libvirt cannot be asked yet."""

    type: str = attrs.field(eq=False)


@attrs.frozen
class VolumeId:
    """A volume of a pool."""

    pool: PoolId
    name: str

    @property
    def uri(self) -> str:
        """Address of the host."""
        return self.pool.uri

    def __str__(self) -> str:
        return f"volume {self.name!r} in {self.pool}"


@attrs.frozen
class SecretId:
    """A secret of a host."""

    uri: str
    uuid: str

    def __str__(self) -> str:
        return f"secret {self.uuid}"


Identity: TypeAlias = HostId | PoolId | VolumeId | SecretId
"""The target of an operation."""
