"""Known faults of libvirt: the versions that have each of them."""

from __future__ import annotations

from itertools import pairwise

import pytest

from libstorage import UnsupportedError, VolumeCreateFlags
from libstorage.known_faults import KNOWN_FAULTS, KnownFault
from libstorage.listing.discovery import refuse_crash
from libstorage.session.options import Versions
from libstorage.session.validating import volume_create_flags

VERSIONS = (
    9_000_000,
    10_000_999,
    10_001_000,
    10_003_000,
    10_004_000,
    11_003_000,
    12_006_999,
    12_007_000,
    12_008_000,
)
SEEN: dict[str, tuple[bool, bool, bool]] = {
    "an upload that fills the disk": (False, True, False),
    "a client that is killed in an upload": (False, True, False),
    "several streams on one connection": (True, True, True),
    "threads that share a connection": (True, False, False),
    "discovery of iscsi-direct sources": (True, True, True),
    "validation of volumes": (True, False, False),
    "a session daemon of a user without a name": (False, True, False),
}
"""What was measured on 9.0, 11.3 and 12.8."""


@pytest.mark.parametrize("fault", KNOWN_FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_where_it_was_measured(fault: KnownFault) -> None:
    affected = tuple(fault.affects(version) for version in (9_000_000, 11_003_000, 12_008_000))
    assert affected == SEEN.get(fault.name, (True, True, True))
    assert fault.until is None or fault.since < fault.until
    changes = [fault.affects(one) != fault.affects(two) for one, two in pairwise(VERSIONS)]
    assert sum(changes) == sum(
        VERSIONS[0] < bound <= VERSIONS[-1] for bound in (fault.since, fault.until) if bound
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_discovery_that_kills_the_daemon_is_refused_on_every_version(version: int) -> None:
    with pytest.raises(UnsupportedError, match="crashes this daemon"):
        refuse_crash("iscsi-direct", version, "test:///")
    refuse_crash("iscsi", version, "test:///")


@pytest.mark.parametrize("client", VERSIONS)
@pytest.mark.parametrize("daemon", VERSIONS)
def test_volumes_are_validated_by_a_daemon_that_can(daemon: int, client: int) -> None:
    flags = volume_create_flags(Versions(daemon, client), validate=True)
    assert flags == (VolumeCreateFlags.VALIDATE if daemon >= 11_003_000 else 0)
    assert volume_create_flags(Versions(daemon, client), validate=False) == 0
