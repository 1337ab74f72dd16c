"""What a host has is always readable: documents that libvirt takes, changed in every place, and what it makes of them.

``LIBSTORAGE_READABLE`` says how many changed documents to try of each (default 12), ``LIBSTORAGE_SEED`` which.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import libvirt
import pytest
from lxml import etree

from libstorage import Host, PoolSpec, VolumeSpec, connect
from libstorage.models.spec import Spec
from libstorage.testing import PrivateDaemon
from libstorage.xml.parse import parse
from tests.corpus.documents import ours

TRIES = int(os.environ.get("LIBSTORAGE_READABLE") or 12)
ROUNDS = (TRIES + 4) // 5
"""The same on a real daemon, which takes longer."""
SEED = int(os.environ.get("LIBSTORAGE_SEED") or 12)

OURS = {path.name: path.read_bytes() for path in ours()}
WORDS = [
    *(
        "",
        " ",
        "0",
        "-1",
        "none",
        "x y",
        "/",
        "é",
        "18446744073709551615",
        "1e3",
        "yes",
        "/dev/sdb",
        "\t",
        "a\nb",
    ),
    *(" 7 ", "+5", "007", "0x10", "4294967295", "a&b<c>'\"", "\u2028", "//a//", "..", "x" * 300),
]


def changed(data: bytes, chance: random.Random) -> str:
    """A document in which something is given twice, left out, moved, or says something else."""
    root = deepcopy(parse(data))
    for _ in range(chance.randint(1, 3)):
        places = [element for element in root.iter() if element is not root]
        if not places:
            break
        element: Any = chance.choice(places)
        parent = element.getparent()
        match chance.randrange(6):
            case 0 | 1:
                twin = deepcopy(element)
                for name in twin.attrib:
                    if chance.random() < 0.5:
                        twin.set(name, chance.choice(WORDS))
                parent.insert(chance.randint(0, len(parent)), twin)
            case 2:
                parent.remove(element)
            case 3:
                parent.remove(element)
                chance.choice([place for place in root.iter() if place is not element]).append(element)
            case 4:
                element.text = chance.choice(WORDS)
            case _:
                if element.attrib:
                    element.set(chance.choice(list(element.attrib)), chance.choice(WORDS))
    return etree.tostring(root, encoding="unicode")


def of_kind(kind: str) -> list[tuple[str, bytes]]:
    return [(name, data) for name, data in OURS.items() if parse(data).tag == kind]


def changed_ones(kind: str) -> Iterator[tuple[str, str]]:
    chance = random.Random(SEED)
    for name, data in of_kind(kind):
        for number in range(TRIES):
            yield f"{name} {number}", changed(data, chance)


@pytest.fixture(scope="module")
def imagined() -> Iterator[libvirt.virConnect]:
    """libvirt's test driver, which makes all volumes and all pools that its parser takes."""
    connection = libvirt.open("test:///default")
    yield connection
    connection.close()


def readable(model: type[Spec], printed: str) -> Spec:
    """What a daemon printed, read and written back: all is there."""
    spec = model.from_libvirt(printed)
    again = model.from_libvirt(spec.to_xml(reported=True))
    assert again == spec
    return spec


def test_pools(imagined: libvirt.virConnect) -> None:
    taken = 0
    for name, text in changed_ones("pool"):
        try:
            raw = imagined.storagePoolDefineXML(text, 0)
        except libvirt.libvirtError:
            continue
        taken += 1
        printed = raw.XMLDesc(0)
        try:
            spec = readable(PoolSpec, printed)
            assert isinstance(spec, PoolSpec)
            assert str(spec.type) == parse(printed).get("type"), name
            raw.undefine()
            raw = imagined.storagePoolDefineXML(spec.to_xml(), 0)
            assert PoolSpec.from_libvirt(raw.XMLDesc(0)).differences(spec) == (), name
        finally:
            raw.undefine()
    assert taken > 25 * TRIES


def test_volumes(imagined: libvirt.virConnect) -> None:
    taken, pool = 0, imagined.storagePoolLookupByName("default-pool")
    for name, text in changed_ones("volume"):
        try:
            raw = pool.createXML(text, 0)
        except libvirt.libvirtError:
            continue
        taken += 1
        try:
            spec = readable(VolumeSpec, raw.XMLDesc(0))
            assert isinstance(spec, VolumeSpec)
            assert spec.name == raw.name(), name
        finally:
            raw.delete(0)
    assert taken > 8 * TRIES


# ---- a real daemon --------------------------------------------------------------------------------------------------


def defined(real: libvirt.virConnect, chance: random.Random) -> list[libvirt.virStoragePool]:
    """One changed document of each of ours, as far as the daemon takes it."""
    pools: dict[str, libvirt.virStoragePool] = {}
    for _, data in of_kind("pool"):
        try:
            raw = real.storagePoolDefineXML(changed(data, chance), 0)
        except libvirt.libvirtError:
            continue
        pools[raw.UUIDString()] = raw
    return list(pools.values())


def said(host: Host, raw: libvirt.virStoragePool) -> PoolSpec:
    """What a pool says of itself, in every way in which it can be asked."""
    printed = raw.XMLDesc(0)
    spec, pool = readable(PoolSpec, printed), host.pools.by_uuid(raw.UUIDString())
    assert isinstance(spec, PoolSpec)
    assert pool.spec() == spec
    assert (pool.name, str(pool.type())) == (raw.name(), parse(printed).get("type"))
    return spec


def test_pools_of_a_daemon(own_daemon: PrivateDaemon) -> None:
    """Many are there at once and listed; then each is defined again, alone: libvirt may refuse two with one source."""
    chance, types = random.Random(SEED), Counter[str]()
    real = libvirt.open(own_daemon.uri)
    with connect(own_daemon.uri) as host:
        for _ in range(ROUNDS):
            pools = defined(real, chance)
            specs = {raw.UUIDString(): said(host, raw) for raw in pools}
            assert {entry.uuid: entry.spec for entry in host.inventory().pools} == specs
            assert {pool.uuid for pool in host.pools.list()} == specs.keys()
            types.update(str(spec.type) for spec in specs.values())
            for raw in pools:
                raw.undefine()
            for spec in specs.values():
                again = real.storagePoolDefineXML(spec.to_xml(), 0)
                assert PoolSpec.from_libvirt(again.XMLDesc(0)).differences(spec) == (), spec.to_xml()
                again.undefine()
        supported = {str(each.type) for each in host.pool_capabilities().pools if each.supported}
    real.close()
    assert types.keys() == supported
    assert types.total() > 40 * ROUNDS
