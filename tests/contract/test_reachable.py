"""Every storage and secret method of libvirt's binding is called by the client, or is left out for a reason."""

from __future__ import annotations

import ast
import re

import libvirt
import pytest

from tests.support import CHECKOUT

LISTED_AT_ONCE = "listAll… gives handles, of which the names are known, in the same one call"
EVENTS = "events come with a later version"
TEXT = "the UUID as text is what identities hold"
OWN_LOOP = "transfers have a loop of their own: this one loses errors or data"

LEFT_OUT = {
    "virConnect.listDefinedStoragePools": LISTED_AT_ONCE,
    "virConnect.listStoragePools": LISTED_AT_ONCE,
    "virConnect.listSecrets": LISTED_AT_ONCE,
    "virStoragePool.listVolumes": LISTED_AT_ONCE,
    "virConnect.secretEventDeregisterAny": EVENTS,
    "virConnect.secretEventRegisterAny": EVENTS,
    "virConnect.storagePoolEventDeregisterAny": EVENTS,
    "virConnect.storagePoolEventRegisterAny": EVENTS,
    "virStream.eventAddCallback": EVENTS,
    "virStream.eventRemoveCallback": EVENTS,
    "virStream.eventUpdateCallback": EVENTS,
    "virConnect.secretLookupByUUID": TEXT,
    "virConnect.storagePoolLookupByUUID": TEXT,
    "virStoragePool.UUID": TEXT,
    "virSecret.UUID": TEXT,
    "virStream.recvAll": OWN_LOOP,
    "virStream.sendAll": OWN_LOOP,
    "virStream.sparseRecvAll": OWN_LOOP,
    "virStream.sparseSendAll": OWN_LOOP,
    "virStorageVol.wipe": "wipePattern with the algorithm zero is the same",
    "virStorageVol.streamBufSize": "a constant of the binding",
}


def methods() -> list[str]:
    """The methods of the binding that are about storage and secrets."""
    classes = (libvirt.virStoragePool, libvirt.virStorageVol, libvirt.virSecret, libvirt.virStream)
    found = [f"virConnect.{name}" for name in dir(libvirt.virConnect) if re.search("torage|ecret", name)]
    found += [f"{owner.__name__}.{name}" for owner in classes for name in dir(owner)]
    return [name for name in found if not re.search(r"\.(_|c_pointer$|connect$)", name)]


def called() -> set[str]:
    """The names of all methods that the client and its connection call."""
    trees = [ast.walk(ast.parse(path.read_text())) for path in CHECKOUT.glob("libstorage/**/*.py")]
    return {node.attr for tree in trees for node in tree if isinstance(node, ast.Attribute) and _is_raw(node)}


def _is_raw(node: ast.Attribute) -> bool:
    """Whether an attribute is looked up on what libvirt's binding gave: by the names that such values have here."""
    owner = node.value
    while isinstance(owner, ast.Attribute | ast.Call | ast.Subscript):
        if isinstance(owner, ast.Attribute) and owner.attr in RAW:
            return True
        owner = owner.func if isinstance(owner, ast.Call) else owner.value
    return isinstance(owner, ast.Name) and owner.id in RAW


RAW = {"raw", "connection", "opened", "_stream", "pool", "binding", "_raw", "source"}
"""What values of the binding's are called in this library."""

CALLED = called()


@pytest.mark.parametrize("method", methods())
def test_it_is_called_or_left_out(method: str) -> None:
    is_called = method.partition(".")[2] in CALLED
    assert is_called is (method not in LEFT_OUT), LEFT_OUT.get(method, "not reachable")


def test_nothing_else_is_left_out() -> None:
    assert set(LEFT_OUT) <= set(methods())
