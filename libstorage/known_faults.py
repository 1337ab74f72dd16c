"""Known faults of libvirt, the versions that have each of them, and what libstorage does about it."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import attrs

Side: TypeAlias = Literal["client", "daemon"]


@attrs.frozen
class KnownFault:
    """A fault of libvirt.

    Attributes:
        name: Name of the fault.
        side: Whether the version of the client library or that of the daemon decides.
        since: The first version that has the fault: 9000000 is 9.0.0. ``0`` is every older version.
        until: The first version without the fault; ``None`` if no version up to 12.8 was seen without it.
        what: What happens.
        measured: Where the fault was seen, and where it was not.
        measure: What libstorage does.
    """

    name: str
    side: Side
    since: int
    until: int | None
    what: str
    measured: str
    measure: str

    def affects(self, version: int) -> bool:
        """Return whether a version has the fault."""
        return self.since <= version and (self.until is None or version < self.until)


SHARED_CONNECTION: Final = KnownFault(
    name="threads that share a connection",
    side="client",
    since=0,
    until=10_004_000,
    what="Two threads in one connection crash the process if the daemon hangs (CVE-2024-4418).",
    measured="9.0: crashed within 45 s. 11.3 and 12.8: alive after 60 s with 64 threads.",
    measure="One thread at a time is in a connection; with a later client, several short calls may share one.",
)
STREAMS_OF_ONE_CONNECTION: Final = KnownFault(
    name="several streams on one connection",
    side="daemon",
    since=0,
    until=None,
    what="The daemon's memory is corrupted if a client with several streams on one connection is killed.",
    measured="9.0: 1 of 15 clients. 11.3: 2 of 34. 12.8: 1 of 24.",
    measure="A connection has at most one stream, and no other call meanwhile.",
)
FULL_STREAM: Final = KnownFault(
    name="an upload that fills the disk",
    side="daemon",
    since=10_001_000,
    until=12_007_000,
    what="The daemon dies when the disk becomes full in the middle of an upload.",
    measured="11.3: 10 of 10. 9.0 and 12.8: 0 of 10. The bounds are those of libvirt's release notes.",
    measure="An upload sends no data that the pool has no room for: it ends with NoSpaceError before.",
)
KILLED_UPLOAD: Final = KnownFault(
    name="a client that is killed in an upload",
    side="daemon",
    since=10_001_000,
    until=12_007_000,
    what="The daemon stops to answer all clients after a client was killed in the middle of an upload.",
    measured="11.3: after 34 and after 113 uploads; 15 of 60 times if the daemon itself stands still for a moment when the "
    "connection is cut. 9.0: 0 of 90. 12.8: 0 of 147. The bounds are not known.",
    measure="An upload that ends early aborts its stream before its connection is closed. Nothing helps if the client is "
    "killed, or if the daemon does not take the abort within a second.",
)
ISCSI_DIRECT_SOURCES: Final = KnownFault(
    name="discovery of iscsi-direct sources",
    side="daemon",
    since=0,
    until=None,
    what="The daemon writes beyond its memory, and mostly dies, if the server has more than one target.",
    measured="9.0: died 2 of 2. 11.3 and 12.8: the fault is in the source and in the binary.",
    measure="The call is refused; allow_crash=True makes it.",
)
VOLUME_VALIDATE: Final = KnownFault(
    name="validation of volumes",
    side="daemon",
    since=8_010_000,
    until=11_003_000,
    what='Every call that asks for it fails with "unsupported flags".',
    measured="9.0: fails. 11.3: works, but for clones, which fail in 12.8, too.",
    measure="It is asked for where it works, and never for a clone.",
)
LOST_END: Final = KnownFault(
    name="the end of an upload",
    side="daemon",
    since=0,
    until=None,
    what="An upload whose last bytes could not be written reports success.",
    measured="9.0: some megabytes were missing on a full disk.",
    measure="The last bytes are read back and compared.",
)
RENAMED_CLONE: Final = KnownFault(
    name="a clone in a pool that was renamed",
    side="daemon",
    since=0,
    until=None,
    what="The daemon hangs for ever.",
    measured="9.0.",
    measure="Source and target are looked up again, the source first.",
)
SHORT_IMAGE: Final = KnownFault(
    name="the beginning of a qcow2 image",
    side="daemon",
    since=0,
    until=None,
    what="A pool with a file that is shorter than its qcow2 header of version 3 does not start, or stops at a refresh.",
    measured="9.0.",
    measure="An upload of such a file is refused; the error of a pool that does not start names the file.",
)
USER_WITHOUT_NAME: Final = KnownFault(
    name="a session daemon of a user without a name",
    side="daemon",
    since=11_003_000,
    until=12_008_000,
    what="The daemon dies at its start if its user has no entry in /etc/passwd.",
    measured="11.3: 67 of 67. 12.8: 0 of 61. The bounds are not known.",
    measure="private_daemon(user=…) gives its daemon an entry.",
)

KNOWN_FAULTS: Final = (
    FULL_STREAM,
    KILLED_UPLOAD,
    STREAMS_OF_ONE_CONNECTION,
    SHARED_CONNECTION,
    ISCSI_DIRECT_SOURCES,
    LOST_END,
    RENAMED_CLONE,
    SHORT_IMAGE,
    VOLUME_VALIDATE,
    USER_WITHOUT_NAME,
)
"""All known faults, the worst first."""
