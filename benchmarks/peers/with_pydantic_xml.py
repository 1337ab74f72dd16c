"""libstorage's fields of ``<volume>`` and ``<pool>`` as models of pydantic-xml.

Simpler than ours, in the peer's favour: times, modes, UUIDs and switches stay text, and a size is a number beside its unit.
One class holds what the sources of all pool types have, for a model cannot be chosen by its parent's attribute.
"""

# Where the group "bench" is not installed, its base class is unknown.
# pyright: reportMissingImports=false, reportCallIssue=false, reportGeneralTypeIssues=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic_xml import BaseXmlModel, attr, element, wrapped

from libstorage import AuthType, EncryptionFormat, RefreshAllocation, VolumeFormat

PACKAGE = "pydantic-xml"
NAMESPACES = {
    "fs": "http://libvirt.org/schemas/storagepool/fs/1.0",
    "rbd": "http://libvirt.org/schemas/storagepool/rbd/1.0",
}


class Size(BaseXmlModel):
    unit: str | None = attr(default=None)
    number: int


class Flag(BaseXmlModel):
    pass


class Permissions(BaseXmlModel):
    mode: str | None = element(default=None)
    owner: int | None = element(default=None)
    group: int | None = element(default=None)
    label: str | None = element(default=None)


class Timestamps(BaseXmlModel):
    atime: str | None = element(default=None)
    mtime: str | None = element(default=None)
    ctime: str | None = element(default=None)
    btime: str | None = element(default=None)


class SecretRef(BaseXmlModel):
    type: str | None = attr(default=None)
    usage: str | None = attr(default=None)
    uuid: str | None = attr(default=None)


class Cipher(BaseXmlModel):
    name: str = attr()
    size: int = attr()
    mode: str | None = attr(default=None)
    hash: str | None = attr(default=None)


class Ivgen(BaseXmlModel):
    name: str = attr()
    hash: str | None = attr(default=None)


class Encryption(BaseXmlModel):
    format: EncryptionFormat = attr()
    engine: str | None = attr(default=None)
    secrets: list[SecretRef] = element(tag="secret", default=[])
    cipher: Cipher | None = element(default=None)
    ivgen: Ivgen | None = element(default=None)


class VolumeFeatures(BaseXmlModel):
    lazy_refcounts: Flag | None = element(default=None)
    extended_l2: Flag | None = element(default=None)


class Extent(BaseXmlModel):
    start: int = attr()
    end: int = attr()


class VolumeDevice(BaseXmlModel):
    path: str = attr()
    extents: list[Extent] = element(tag="extent", default=[])


class VolumeSource(BaseXmlModel):
    devices: list[VolumeDevice] = element(tag="device", default=[])


class VolumeTarget(BaseXmlModel):
    path: str | None = element(default=None)
    format: VolumeFormat | None = wrapped("format", attr(name="type", default=None))
    permissions: Permissions | None = element(default=None)
    timestamps: Timestamps | None = element(default=None)
    encryption: Encryption | None = element(default=None)
    compat: str | None = element(default=None)
    nocow: Flag | None = element(default=None)
    cluster_size: Size | None = element(tag="clusterSize", default=None)
    features: VolumeFeatures | None = element(default=None)


class BackingStore(BaseXmlModel):
    path: str = element()
    format: VolumeFormat | None = wrapped("format", attr(name="type", default=None))
    permissions: Permissions | None = element(default=None)
    timestamps: Timestamps | None = element(default=None)


class Volume(BaseXmlModel, tag="volume"):
    type: str | None = attr(default=None)
    name: str = element()
    key: str | None = element(default=None)
    source: VolumeSource | None = element(default=None)
    capacity: Size | None = element(default=None)
    allocation: Size | None = element(default=None)
    physical: Size | None = element(default=None)
    target: VolumeTarget | None = element(default=None)
    backing_store: BackingStore | None = element(tag="backingStore", default=None)


class PoolFeatures(BaseXmlModel):
    cow: str | None = wrapped("cow", attr(name="state", default=None))


class SourceHost(BaseXmlModel):
    name: str = attr()
    port: int | None = attr(default=None)


class Device(BaseXmlModel):
    path: str = attr()
    part_separator: str | None = attr(default=None)
    free_extents: list[Extent] = element(tag="freeExtent", default=[])


class PciAddress(BaseXmlModel):
    domain: str | None = attr(default=None)
    bus: str | None = attr(default=None)
    slot: str | None = attr(default=None)
    function: str | None = attr(default=None)
    multifunction: str | None = attr(default=None)


class ParentAddress(BaseXmlModel):
    unique_id: int | None = attr(default=None)
    address: PciAddress = element()


class Adapter(BaseXmlModel):
    type: str | None = attr(default=None)
    name: str | None = attr(default=None)
    parent: str | None = attr(default=None)
    managed: str | None = attr(default=None)
    parent_wwnn: str | None = attr(default=None)
    parent_wwpn: str | None = attr(default=None)
    parent_fabric_wwn: str | None = attr(default=None)
    wwnn: str | None = attr(default=None)
    wwpn: str | None = attr(default=None)
    parent_address: ParentAddress | None = element(tag="parentaddr", default=None)


class Auth(BaseXmlModel):
    type: AuthType = attr()
    username: str = attr()
    secret: SecretRef = element()


class Source(BaseXmlModel):
    hosts: list[SourceHost] = element(tag="host", default=[])
    devices: list[Device] = element(tag="device", default=[])
    dir: str | None = wrapped("dir", attr(name="path", default=None))
    adapter: Adapter | None = element(default=None)
    name: str | None = element(default=None)
    initiator: str | None = wrapped("initiator/iqn", attr(name="name", default=None))
    auth: Auth | None = element(default=None)
    format: str | None = wrapped("format", attr(name="type", default=None))
    protocol_version: str | None = wrapped("protocol", attr(name="ver", default=None))
    vendor: str | None = wrapped("vendor", attr(name="name", default=None))
    product: str | None = wrapped("product", attr(name="name", default=None))


class PoolTarget(BaseXmlModel):
    path: str | None = element(default=None)
    permissions: Permissions | None = element(default=None)


class RefreshVolume(BaseXmlModel):
    allocation: RefreshAllocation | None = attr(default=None)


class PoolRefresh(BaseXmlModel):
    volume: RefreshVolume | None = element(default=None)


class MountOption(BaseXmlModel, tag="option", ns="fs", nsmap=NAMESPACES):
    name: str = attr()


class ConfigOption(BaseXmlModel, tag="option", ns="rbd", nsmap=NAMESPACES):
    name: str = attr()
    value: str = attr()


class MountOptions(BaseXmlModel, tag="mount_opts", ns="fs", nsmap=NAMESPACES):
    options: list[MountOption] = element(default=[])


class ConfigOptions(BaseXmlModel, tag="config_opts", ns="rbd", nsmap=NAMESPACES):
    options: list[ConfigOption] = element(default=[])


class Pool(BaseXmlModel, tag="pool", nsmap=NAMESPACES):
    type: str = attr()
    name: str = element()
    uuid: str | None = element(default=None)
    capacity: Size | None = element(default=None)
    allocation: Size | None = element(default=None)
    available: Size | None = element(default=None)
    features: PoolFeatures | None = element(default=None)
    source: Source | None = element(default=None)
    target: PoolTarget | None = element(default=None)
    refresh: PoolRefresh | None = element(default=None)
    mount_options: MountOptions | None = element(default=None)
    config_options: ConfigOptions | None = element(default=None)


def reader(root: str) -> Callable[[str], Any]:
    """What reads a document with this root element."""
    model: Any = Volume if root == "volume" else Pool
    read: Callable[[str], Any] = model.from_xml
    return read


def write(document: Any) -> Any:
    """The document as XML, in bytes."""
    return document.to_xml(exclude_none=True)
