"""Names that people bring from libvirt and from other libraries: using one raises an error that has the right name.

A foreign name is a descriptor of the class, because a ``__getattr__`` would make IPython stop to complete. ``hasattr`` is
false, and ``dir``, completion, ``help`` and type checkers do not see the names.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Any, Final, NoReturn

FOREIGN: Final = MappingProxyType(
    {
        "Host": {
            "findStoragePoolSources": "host.find_sources(type, hosts=...)",
            "getStoragePoolCapabilities": "host.pool_capabilities()",
            "getLibVersion": "host.versions.daemon",
            "getURI": "host.uri",
            "isAlive": "host.is_alive()",
            "listAllSecrets": "host.secrets.list()",
            "listAllStoragePools": "host.pools.list()",
            "listDefinedStoragePools": "host.pools.names(active=False)",
            "listSecrets": "host.secrets.list()",
            "listStoragePools": "host.pools.names(active=True)",
            "numOfDefinedStoragePools": "host.pools.count(active=False)",
            "numOfSecrets": "host.secrets.count()",
            "numOfStoragePools": "host.pools.count(active=True)",
            "secretDefineXML": "host.secrets.define(spec)",
            "secretLookupByUUID": "host.secrets[uuid]",
            "secretLookupByUUIDString": "host.secrets[uuid]",
            "secretLookupByUsage": "host.secrets.by_usage(type, name)",
            "storagePoolCreateXML": "host.pools.create_transient(spec)",
            "storagePoolDefineXML": "host.pools.define(spec)",
            "storagePoolLookupByName": "host.pools[name]",
            "storagePoolLookupByTargetPath": "host.pools.by_target_path(path)",
            "storagePoolLookupByUUID": "host.pools.by_uuid(uuid)",
            "storagePoolLookupByUUIDString": "host.pools.by_uuid(uuid)",
            "storageVolLookupByKey": "host.volume_by_key(key)",
            "storageVolLookupByPath": "host.volume_at(path)",
            "create_pool": "host.pools.define(spec).build().start()",
            "get_pool": "host.pools[name]",
            "list_pools": "host.pools.list()",
            "volumes": "host.pools[name].volumes, of one pool, or host.inventory().volumes, of all",
        },
        "Pools": {
            "all": "list()",
            "create": "define(spec).build().start(), or create_transient(spec)",
            "delete": "host.pools[name].delete(), which destroys the storage, or .undefine()",
            "keys": "names()",
        },
        "Pool": {
            "UUID": "pool.uuid",
            "UUIDString": "pool.uuid",
            "XMLDesc": "pool.spec(), or pool.xml() for the text",
            "create": "pool.start()",
            "createXML": "pool.volumes.create(spec)",
            "createXMLFrom": "volume.clone(spec)",
            "destroy": "pool.stop(), which loses no data; pool.delete() destroys the storage",
            "isActive": "pool.is_active()",
            "isPersistent": "pool.is_persistent()",
            "listAllVolumes": "pool.volumes.list()",
            "listVolumes": "pool.volumes.names()",
            "numOfVolumes": "pool.volumes.count()",
            "setAutostart": "pool.set_autostart(True)",
            "storageVolLookupByName": "pool.volumes[name]",
            "allocation": "pool.info().allocation",
            "available": "pool.info().available",
            "capacity": "pool.info().capacity",
            "create_volume": "pool.volumes.create(spec)",
            "list_volumes": "pool.volumes.list()",
            "path": "pool.spec().target.path",
            "size": "pool.info().capacity",
            "state": "pool.info().state",
        },
        "Volumes": {
            "all": "list()",
            "define": "create(spec)",
            "delete": "pool.volumes[name].delete()",
            "keys": "names()",
        },
        "Volume": {
            "XMLDesc": "volume.spec(), or volume.xml() for the text",
            "infoFlags": "volume.info(physical=True)",
            "storagePoolLookupByVolume": "volume.pool",
            "wipePattern": "volume.wipe(algorithm)",
            "allocation": "volume.info().allocation",
            "capacity": "volume.info().capacity",
            "format": "volume.spec().target.format",
            "physical": "volume.info(physical=True).physical",
            "read": "volume.download(target), or volume.open()",
            "size": "volume.info().capacity",
            "write": 'volume.upload(source), or volume.open("wb")',
        },
        "Secrets": {
            "all": "list()",
            "create": "define(spec)",
            "keys": "list()",
        },
        "Secret": {
            "UUID": "secret.uuid",
            "UUIDString": "secret.uuid",
            "XMLDesc": "secret.spec(), or secret.xml() for the text",
            "delete": "secret.undefine()",
            "setValue": "secret.set_value(value)",
            "usage": "secret.spec().usage",
            "usageID": "secret.spec().usage.id",
            "usageType": "secret.spec().usage.type",
        },
        "PoolSpec": {
            "ceph": "PoolSpec.rbd(name, hosts=..., source_name=...)",
            "cifs": 'PoolSpec.netfs(name, path, host=..., dir=..., format="cifs")',
            "directory": "PoolSpec.dir(name, path)",
            "lvm": "PoolSpec.logical(name, source_name=..., devices=...)",
            "multipath": "PoolSpec.mpath(name)",
            "nfs": "PoolSpec.netfs(name, path, host=..., dir=...)",
            "smb": 'PoolSpec.netfs(name, path, host=..., dir=..., format="cifs")',
        },
        "VolumeSpec": {
            "iso": 'VolumeSpec.image(name, "iso", capacity)',
            "luks": "VolumeSpec.raw(name, capacity, encryption=Encryption.luks(...))",
            "qed": 'VolumeSpec.image(name, "qed", capacity)',
            "vdi": 'VolumeSpec.image(name, "vdi", capacity)',
            "vhd": 'VolumeSpec.image(name, "vpc", capacity)',
            "vmdk": 'VolumeSpec.image(name, "vmdk", capacity)',
        },
    }
)
"""For each class, foreign names and what they are here."""


class Foreign:
    """A name that the class does not have, and what to use instead."""

    __slots__ = ("_instead", "_name")

    def __init__(self, name: str, instead: str) -> None:
        self._name = name
        self._instead = instead

    def __get__(self, thing: object, owner: type) -> NoReturn:
        said = f"{owner.__name__} has no {self._name!r}; use {self._instead}"
        raise AttributeError(
            said, name=self._name
        )  # with a name but no object, Python suggests no other name


class NativeType(type):
    """Metaclass of classes whose ``dir`` does not have their foreign names."""

    def __dir__(cls) -> Iterable[str]:
        return (name for name in super().__dir__() if not _is_foreign(cls, name))


class Native(metaclass=NativeType):
    """Base class of classes that answer foreign names."""

    __slots__ = ()

    def __dir__(self) -> Iterable[str]:
        return (name for name in super().__dir__() if not _is_foreign(type(self), name))


def answer_foreign_names(*owners: type[Native]) -> None:
    """Let classes answer their foreign names."""
    for owner in owners:
        for name, instead in FOREIGN[owner.__name__].items():
            setattr(owner, name, Foreign(name, instead))


def _is_foreign(owner: type[Any], name: str) -> bool:
    return any(isinstance(vars(base).get(name), Foreign) for base in owner.__mro__)
