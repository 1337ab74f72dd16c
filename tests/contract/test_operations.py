"""Every storage, secret and stream function of libvirt's C API is called by an operation, or left out for a reason."""

from __future__ import annotations

import re

from libstorage.operations import OPERATIONS
from tests.contract.api import functions

OURS = re.compile(r"vir(Storage|Secret|Stream)\w+|virConnect\w*(StoragePool|Secret)\w*")

MEMORY = "memory: the Python binding counts references itself"
LOCAL = "answered by the handle without a call; the name, uuid or usage is known from looking it up"
TWIN = "takes the 16 bytes of a uuid that the string form of the same function takes as text"
EVENTS = "events are not offered yet"
WHOLE = "a loop around send or receive that does not look at their results; we have our own"
LISTED = "listAll… gives the handles, of which the names are known, in the same one call"

LEFT_OUT = {
    "virConnectListDefinedStoragePools": LISTED,
    "virConnectListSecrets": LISTED,
    "virConnectListStoragePools": LISTED,
    "virStoragePoolListVolumes": LISTED,
    "virSecretFree": MEMORY,
    "virSecretRef": MEMORY,
    "virStoragePoolFree": MEMORY,
    "virStoragePoolRef": MEMORY,
    "virStorageVolFree": MEMORY,
    "virStorageVolRef": MEMORY,
    "virStreamFree": MEMORY,
    "virStreamRef": MEMORY,
    "virSecretGetConnect": LOCAL,
    "virSecretGetUUID": LOCAL,
    "virSecretGetUUIDString": LOCAL,
    "virSecretGetUsageID": LOCAL,
    "virSecretGetUsageType": LOCAL,
    "virStoragePoolGetConnect": LOCAL,
    "virStoragePoolGetName": LOCAL,
    "virStoragePoolGetUUID": LOCAL,
    "virStoragePoolGetUUIDString": LOCAL,
    "virStorageVolGetConnect": LOCAL,
    "virStorageVolGetName": LOCAL,
    "virSecretLookupByUUID": TWIN,
    "virStoragePoolLookupByUUID": TWIN,
    "virConnectSecretEventDeregisterAny": EVENTS,
    "virConnectSecretEventRegisterAny": EVENTS,
    "virConnectStoragePoolEventDeregisterAny": EVENTS,
    "virConnectStoragePoolEventRegisterAny": EVENTS,
    "virStreamEventAddCallback": EVENTS,
    "virStreamEventRemoveCallback": EVENTS,
    "virStreamEventUpdateCallback": EVENTS,
    "virStreamRecvAll": WHOLE,
    "virStreamSendAll": WHOLE,
    "virStreamSparseRecvAll": WHOLE,
    "virStreamSparseSendAll": WHOLE,
}
CALLED = {function for operation in OPERATIONS.values() for function in operation.functions}


def test_every_function_is_called_or_left_out() -> None:
    wanted = {name for name in functions() if OURS.fullmatch(name)}
    assert len(wanted) > 90
    assert wanted - CALLED == set(LEFT_OUT)


def test_nothing_is_called_and_left_out() -> None:
    assert not CALLED & set(LEFT_OUT)


def test_what_is_called_exists() -> None:
    assert functions() >= CALLED
