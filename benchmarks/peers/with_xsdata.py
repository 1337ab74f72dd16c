"""libstorage's fields of ``<volume>`` and ``<pool>`` as dataclasses for xsdata, in the form that its generator writes.

Simpler than ours, in the peer's favour: times, modes, UUIDs and switches stay text, and a size is a number beside its unit.
One class holds what the sources of all pool types have, for a class cannot be chosen by its parent's attribute.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from xsdata.formats.dataclass.context import XmlContext
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.serializers import XmlSerializer
from xsdata.formats.dataclass.serializers.config import SerializerConfig

from libstorage import AuthType, EncryptionFormat, RefreshAllocation, VolumeFormat

PACKAGE = "xsdata"
FS = "http://libvirt.org/schemas/storagepool/fs/1.0"
RBD = "http://libvirt.org/schemas/storagepool/rbd/1.0"


def attribute(name: str | None = None) -> Any:
    return field(default=None, metadata={"type": "Attribute", **({"name": name} if name else {})})


def element(name: str | None = None, namespace: str = "") -> Any:
    return field(
        default=None,
        metadata={"type": "Element", "namespace": namespace, **({"name": name} if name else {})},
    )


def elements(name: str, namespace: str = "") -> Any:
    return field(default_factory=list, metadata={"type": "Element", "name": name, "namespace": namespace})


@dataclass(kw_only=True, slots=True)
class Size:
    number: int | None = field(default=None, metadata={"required": True})
    unit: str | None = attribute()


@dataclass(kw_only=True, slots=True)
class Flag:
    pass


@dataclass(kw_only=True, slots=True)
class Permissions:
    mode: str | None = element()
    owner: int | None = element()
    group: int | None = element()
    label: str | None = element()


@dataclass(kw_only=True, slots=True)
class Timestamps:
    atime: str | None = element()
    mtime: str | None = element()
    ctime: str | None = element()
    btime: str | None = element()


@dataclass(kw_only=True, slots=True)
class SecretRef:
    type: str | None = attribute()
    usage: str | None = attribute()
    uuid: str | None = attribute()


@dataclass(kw_only=True, slots=True)
class Cipher:
    name: str | None = attribute()
    size: int | None = attribute()
    mode: str | None = attribute()
    hash: str | None = attribute()


@dataclass(kw_only=True, slots=True)
class Ivgen:
    name: str | None = attribute()
    hash: str | None = attribute()


@dataclass(kw_only=True, slots=True)
class Encryption:
    format: EncryptionFormat | None = attribute()
    engine: str | None = attribute()
    secrets: list[SecretRef] = elements("secret")
    cipher: Cipher | None = element()
    ivgen: Ivgen | None = element()


@dataclass(kw_only=True, slots=True)
class VolumeFeatures:
    lazy_refcounts: Flag | None = element()
    extended_l2: Flag | None = element()


@dataclass(kw_only=True, slots=True)
class Extent:
    start: int | None = attribute()
    end: int | None = attribute()


@dataclass(kw_only=True, slots=True)
class VolumeDevice:
    path: str | None = attribute()
    extents: list[Extent] = elements("extent")


@dataclass(kw_only=True, slots=True)
class VolumeSource:
    devices: list[VolumeDevice] = elements("device")


@dataclass(kw_only=True, slots=True)
class Format:
    type: VolumeFormat | None = attribute()


@dataclass(kw_only=True, slots=True)
class VolumeTarget:
    path: str | None = element()
    format: Format | None = element()
    permissions: Permissions | None = element()
    timestamps: Timestamps | None = element()
    encryption: Encryption | None = element()
    compat: str | None = element()
    nocow: Flag | None = element()
    cluster_size: Size | None = element("clusterSize")
    features: VolumeFeatures | None = element()


@dataclass(kw_only=True, slots=True)
class BackingStore:
    path: str | None = element()
    format: Format | None = element()
    permissions: Permissions | None = element()
    timestamps: Timestamps | None = element()


@dataclass(kw_only=True, slots=True)
class Volume:
    class Meta:
        name = "volume"

    type: str | None = attribute()
    name: str | None = element()
    key: str | None = element()
    source: VolumeSource | None = element()
    capacity: Size | None = element()
    allocation: Size | None = element()
    physical: Size | None = element()
    target: VolumeTarget | None = element()
    backing_store: BackingStore | None = element("backingStore")


@dataclass(kw_only=True, slots=True)
class State:
    state: str | None = attribute()


@dataclass(kw_only=True, slots=True)
class PoolFeatures:
    cow: State | None = element()


@dataclass(kw_only=True, slots=True)
class SourceHost:
    name: str | None = attribute()
    port: int | None = attribute()


@dataclass(kw_only=True, slots=True)
class Device:
    path: str | None = attribute()
    part_separator: str | None = attribute()
    free_extents: list[Extent] = elements("freeExtent")


@dataclass(kw_only=True, slots=True)
class PciAddress:
    domain: str | None = attribute()
    bus: str | None = attribute()
    slot: str | None = attribute()
    function: str | None = attribute()
    multifunction: str | None = attribute()


@dataclass(kw_only=True, slots=True)
class ParentAddress:
    unique_id: int | None = attribute()
    address: PciAddress | None = element()


@dataclass(kw_only=True, slots=True)
class Adapter:
    type: str | None = attribute()
    name: str | None = attribute()
    parent: str | None = attribute()
    managed: str | None = attribute()
    parent_wwnn: str | None = attribute()
    parent_wwpn: str | None = attribute()
    parent_fabric_wwn: str | None = attribute()
    wwnn: str | None = attribute()
    wwpn: str | None = attribute()
    parent_address: ParentAddress | None = element("parentaddr")


@dataclass(kw_only=True, slots=True)
class Auth:
    type: AuthType | None = attribute()
    username: str | None = attribute()
    secret: SecretRef | None = element()


@dataclass(kw_only=True, slots=True)
class Dir:
    path: str | None = attribute()


@dataclass(kw_only=True, slots=True)
class Named:
    name: str | None = attribute()


@dataclass(kw_only=True, slots=True)
class Initiator:
    iqn: Named | None = element()


@dataclass(kw_only=True, slots=True)
class SourceFormat:
    type: str | None = attribute()


@dataclass(kw_only=True, slots=True)
class Protocol:
    ver: str | None = attribute()


@dataclass(kw_only=True, slots=True)
class Source:
    hosts: list[SourceHost] = elements("host")
    devices: list[Device] = elements("device")
    dir: Dir | None = element()
    adapter: Adapter | None = element()
    name: str | None = element()
    initiator: Initiator | None = element()
    auth: Auth | None = element()
    format: SourceFormat | None = element()
    protocol: Protocol | None = element()
    vendor: Named | None = element()
    product: Named | None = element()


@dataclass(kw_only=True, slots=True)
class PoolTarget:
    path: str | None = element()
    permissions: Permissions | None = element()


@dataclass(kw_only=True, slots=True)
class RefreshVolume:
    allocation: RefreshAllocation | None = attribute()


@dataclass(kw_only=True, slots=True)
class PoolRefresh:
    volume: RefreshVolume | None = element()


@dataclass(kw_only=True, slots=True)
class MountOptions:
    options: list[Named] = elements("option", FS)


@dataclass(kw_only=True, slots=True)
class ConfigOption:
    name: str | None = attribute()
    value: str | None = attribute()


@dataclass(kw_only=True, slots=True)
class ConfigOptions:
    options: list[ConfigOption] = elements("option", RBD)


@dataclass(kw_only=True, slots=True)
class Pool:
    class Meta:
        name = "pool"

    type: str | None = attribute()
    name: str | None = element()
    uuid: str | None = element()
    capacity: Size | None = element()
    allocation: Size | None = element()
    available: Size | None = element()
    features: PoolFeatures | None = element()
    source: Source | None = element()
    target: PoolTarget | None = element()
    refresh: PoolRefresh | None = element()
    mount_options: MountOptions | None = element("mount_opts", FS)
    config_options: ConfigOptions | None = element("config_opts", RBD)


_CONTEXT = XmlContext()
_PARSER = XmlParser(context=_CONTEXT)
_SERIALIZER = XmlSerializer(context=_CONTEXT, config=SerializerConfig(xml_declaration=False))


def reader(root: str) -> Callable[[str], Any]:
    """What reads a document with this root element."""
    return partial(_PARSER.from_string, clazz=Volume if root == "volume" else Pool)


def write(document: Any) -> Any:
    """The document as XML, in text."""
    return _SERIALIZER.render(document)
