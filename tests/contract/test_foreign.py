"""Names from libvirt's binding and from elsewhere: each is answered by something that exists, and stays out of sight."""

from __future__ import annotations

import inspect
import pydoc
import re
from typing import Any, cast

import libvirt
import pytest

import libstorage
from libstorage import Host, Pool, Pools, PoolSpec, Secret, Secrets, Volume, Volumes, VolumeSpec
from libstorage.client.attribute import attribute
from libstorage.foreign import FOREIGN

OWNERS: dict[str, type[Any]] = {
    owner.__name__: owner
    for owner in (Host, Pools, Pool, Volumes, Volume, Secrets, Secret, PoolSpec, VolumeSpec)
}
NAMES = [(owner, name) for owner, names in FOREIGN.items() for name in names]
ROOTS = {
    "host": Host,
    "pool": Pool,
    "volume": Volume,
    "secret": Secret,
    "PoolSpec": PoolSpec,
    "VolumeSpec": VolumeSpec,
}
BEHIND: dict[Any, type[Any]] = {Host.pools: Pools, Host.secrets: Secrets, Pool.volumes: Volumes}

BINDING: dict[type[Any], tuple[type[Any], str]] = {
    Host: (libvirt.virConnect, "torage|ecret"),
    Pool: (libvirt.virStoragePool, ""),
    Volume: (libvirt.virStorageVol, ""),
    Secret: (libvirt.virSecret, ""),
}
NOT_OURS = re.compile("_|c_pointer|connect|.*Event|streamBufSize")


def test_every_class_is_known() -> None:
    assert set(FOREIGN) == set(OWNERS)


@pytest.mark.parametrize("owner", BINDING, ids=lambda owner: owner.__name__)
def test_every_storage_method_of_the_binding_is_ours_or_answered(owner: type[Any]) -> None:
    raw, wanted = BINDING[owner]
    theirs = {name for name in dir(raw) if re.search(wanted, name) and not NOT_OURS.match(name)}
    assert len(theirs) > 5
    assert {name for name in theirs if not hasattr(owner, name)} == theirs & set(FOREIGN[owner.__name__])


@pytest.mark.parametrize(("owner", "name"), NAMES)
def test_a_name_is_out_of_sight(owner: str, name: str) -> None:
    cls = OWNERS[owner]
    assert not hasattr(cls, name)
    with pytest.raises(AttributeError, match=re.escape(FOREIGN[owner][name])):
        getattr(cls, name)
    assert name not in dir(cls)
    assert name not in dict(inspect.getmembers(cls))


def test_help_does_not_have_them() -> None:
    assert "listAllVolumes" not in pydoc.render_doc(Pool)
    assert "multipath" not in dir(PoolSpec.dir("images", "/srv/images"))


@pytest.mark.parametrize(("owner", "name"), NAMES)
def test_what_to_use_exists(owner: str, name: str) -> None:
    said = FOREIGN[owner][name]
    chains = re.findall(
        r"\b(host|pool|volume|secret|PoolSpec|VolumeSpec)((?:\[\w+\]|\.\w+(?:\([^()]*\))?)+)", said
    )
    for root, chain in chains:
        follow(ROOTS[root], chain)
    if not chains:
        verb = re.match(r"\w+", said)
        assert verb is not None
        assert hasattr(OWNERS[owner], verb[0])


def follow(cls: Any, chain: str) -> None:
    """Go along a chain of attributes, as far as the classes of handles go."""
    for step in re.findall(r"\[\w+\]|\.(?:\w+)", chain):
        if step.startswith("["):
            cls = {Pools: Pool, Volumes: Volume, Secrets: Secret}[cls]
            continue
        found = getattr(cls, step[1:])
        if not isinstance(found, attribute):
            returned = str(inspect.signature(found).return_annotation) if callable(found) else ""
            cls = {"'PoolInfo'": libstorage.PoolInfo, "'VolumeInfo'": libstorage.VolumeInfo}.get(returned)
            if cls is None:
                return
            continue
        cls = BEHIND[found]


def test_fields_are_passed_by_name() -> None:
    for spec in (PoolSpec, VolumeSpec, libstorage.SecretSpec):
        with pytest.raises(TypeError, match=re.escape(f"use a factory, such as {spec.EXAMPLE}")):
            cast(Any, spec)("images", "1 GiB")
        assert isinstance(eval(spec.EXAMPLE, dict(vars(libstorage))), spec)
        assert str(inspect.signature(spec)).startswith("(*, ")


def test_a_change_names_evolve() -> None:
    spec = VolumeSpec.raw("a", "1 MiB")
    for element, field in ((spec, "name"), (spec.target, "format")):
        with pytest.raises(AttributeError) as caught:
            setattr(element, field, "raw")
        assert caught.value.__notes__ == [
            f"{type(element).__name__} is immutable; for a changed copy: attrs.evolve(it, {field}=...)"
        ]
