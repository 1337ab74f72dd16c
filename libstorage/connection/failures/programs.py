"""Recognizes the error output of the programs that libvirt runs on the host, and says what to do about it.

This output is the only text that libstorage interprets. If the daemon runs in a language other than C or English, some
of the output is translated. Output that is not recognized becomes a ``HelperError`` without a hint.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import attrs

from libstorage.connection.failures.program_run import ProgramRun
from libstorage.errors import HelperError, NoSpaceError, Outcome, Retry, StorageError, UnsupportedError


@attrs.frozen
class Advice:
    """The meaning of a program's error output.

    Attributes:
        error: The libstorage error class.
        hint: What the user can do.
        retry: Whether, and when, the same call may be repeated.
        outcome: What became of the request, if the program says so.
    """

    error: type[StorageError]
    hint: str | None = None
    retry: Retry = "no"
    outcome: Outcome | None = None


@attrs.frozen
class _Saying:
    programs: frozenset[str]
    words: re.Pattern[str]
    advice: Advice


def advise(run: ProgramRun) -> Advice:
    """Return the meaning of a failed program run."""
    if run.is_missing:
        package = _PACKAGES.get(run.program)
        debian = f" (Debian's package {package})" if package else ""
        return Advice(UnsupportedError, f"Install {run.program} on the host{debian}.")
    if _FULL.search(run.stderr):
        return Advice(NoSpaceError, "Free some space, or create a sparse volume: allocation=0.")
    if run.program == "iscsiadm" and run.exit_status in _ISCSI:
        return _ISCSI[run.exit_status]
    for saying in _SAYINGS:
        if run.program in saying.programs and (found := saying.words.search(run.stderr)) is not None:
            hint = (saying.advice.hint or "").format(**found.groupdict())
            return attrs.evolve(saying.advice, hint=hint)
    return Advice(HelperError)


_LVM_PROGRAMS: Final = (
    "lvcreate lvremove lvchange lvs pvcreate pvremove pvs vgcreate vgremove vgchange vgs vgscan"
)
_PACKAGES: Final[Mapping[str, str]] = {
    **dict.fromkeys(_LVM_PROGRAMS.split(), "lvm2"),
    "iscsiadm": "open-iscsi",
    "qemu-img": "qemu-utils",
    "showmount": "nfs-common",
    "parted": "parted",
    "scrub": "scrub",
    "gluster": "glusterfs-cli",
    "zpool": "zfsutils-linux",
    "zfs": "zfsutils-linux",
    "dmsetup": "dmsetup",
}
_FULL: Final = re.compile("No space left on device|Disk quota exceeded")
_MOUNTERS: Final = "Debian packages for nfs, cifs and glusterfs: nfs-common, cifs-utils and glusterfs-client"


def _says(
    programs: str,
    words: str,
    hint: str,
    error: type[StorageError] = HelperError,
    *,
    retry: Retry = "no",
    outcome: Outcome | None = None,
) -> _Saying:
    return _Saying(frozenset(programs.split()), re.compile(words), Advice(error, hint, retry, outcome))


_SAYINGS: Final[tuple[_Saying, ...]] = (
    # ---- mount, umount
    _says("mount", "(?i)mount point (\\S+ )?does not exist", "Create the directory: pool.build()."),
    _says(
        "mount",
        "special device (?P<what>.*) does not exist",
        "Check that {what} exists on the host. The pool's source.device names this device.",
    ),
    _says(
        "mount",
        "mount.<type> helper program",
        f"Install the mount helper for that file system type on the host. {_MOUNTERS}.",
        UnsupportedError,
    ),
    _says(
        "mount",
        "unknown filesystem type '(?P<what>[^']*)'",
        f"The host does not support the file system {{what}}: its kernel lacks it, or mount.{{what}} is missing. {_MOUNTERS}.",
        UnsupportedError,
    ),
    _says(
        "mount",
        "wrong fs type, bad option",
        "Check that the device contains a file system of that type. On an empty device, build(overwrite=False) makes one.",
    ),
    _says("mount", "access denied by server", "Export the directory to this host on the server."),
    _says(
        "mount",
        "requested NFS version",
        "The server does not support that version of NFS: check source.protocol_version.",
    ),
    _says(
        "mount", "reason given by server", "Check that the server has the directory that source.dir names."
    ),
    _says(
        "mount",
        "already mounted|[Bb]usy",
        "The source or the target is already mounted or in use on the host.",
    ),
    _says(
        "mount",
        "must be superuser|only root|[Pp]ermission denied|Operation not permitted",
        "Mounting requires root: use a system daemon, and check that the server lets this host log in.",
    ),
    _says(
        "mount",
        "(?i)connection (refused|timed out)|no route to host|not resolve|failed to resolve|network is unreachable"
        "|not registered|protocol not supported|not connected|mounting glusterfs|mount failed",
        "Check that the server is running, that the host can reach it, and that the volume exists on it. "
        "For glusterfs, the host's /var/log/glusterfs has details.",
    ),
    _says(
        "umount",
        "[Bb]usy",
        "A process on the host still has files in the pool open: fuser -vm PATH lists it.",
    ),
    # ---- mkfs
    _says(
        "mkfs",
        "failed to execute (?P<what>[^\\s:]+)",
        "Install {what} on the host.",
        UnsupportedError,
    ),
    _says(
        "mkfs",
        "(?i)must be larger|too small|not enough",
        "The device is too small for a file system of that type.",
    ),
    _says(
        "mkfs",
        "(?i)is mounted|mounted filesystem|in use|busy",
        "The device is mounted or in use on the host.",
    ),
    # ---- parted
    _says(
        "parted",
        "Partition doesn't exist",
        "This libvirt cannot delete partitions of a disk whose name ends in a digit (loop0, nvme0n1, mmcblk0): it passes "
        "'p1' to parted, which expects '1'. The partition still exists. Run parted rm on the host, then pool.refresh().",
    ),
    _says(
        "parted",
        "invalid token",
        "libvirt creates partitions on disk labels of format gpt and dos only.",
        UnsupportedError,
    ),
    _says(
        "parted",
        "You requested a partition|outside the disk|overlap",
        "parted cannot place a partition there: disk labels other than gpt and dos require a different alignment.",
    ),
    _says("parted", "[Uu]nrecognised disk label", "Build the pool first: pool.build() writes a disk label."),
    _says("parted", "(?i)being used|in use|busy", "The disk is in use on the host."),
    # ---- LVM
    _says(
        _LVM_PROGRAMS,
        "(?i)insufficient (suitable |allocatable )?(free )?(space|extents)|not enough free",
        "Delete volumes, or add a device to the volume group (vgextend on the host).",
        NoSpaceError,
    ),
    _says(
        _LVM_PROGRAMS,
        "device-mapper driver|Required device-mapper target|/dev/mapper/control",
        "The host's kernel lacks device-mapper, or this target of device-mapper: modprobe dm_mod, dm_snapshot.",
        UnsupportedError,
    ),
    _says(
        _LVM_PROGRAMS,
        "(?i)names? .* (is|are) (invalid|reserved|too long)",
        "Use only letters, digits and +_.- in LVM names. LVM reserves some names, such as snapshot and pvmove.",
    ),
    _says(
        "lvcreate",
        "Volume group name expected",
        "Set the snapshot's allocation to its capacity, or leave it out: libvirt cannot create a smaller snapshot.",
    ),
    _says(
        _LVM_PROGRAMS,
        "already exists in volume group",
        "Another program created a logical volume of that name: pool.refresh() lists it.",
    ),
    _says(
        "vgcreate",
        "already exists",
        "The host already has a volume group of that name: choose another source_name.",
    ),
    _says(
        _LVM_PROGRAMS,
        "(?i)in use|used by|exclusively|mounted|busy",
        "The volume or device is in use on the host.",
    ),
    _says(
        _LVM_PROGRAMS,
        "(?i)not found|cannot find|couldn't find|no device|excluded by a filter|doesn't exist",
        "Check with vgs and pvs on the host that LVM finds the volume group and its devices. "
        "If the volume group does not exist, pool.build() creates it.",
    ),
    # ---- qemu-img
    _says(
        "qemu-img",
        "accurate CPU usage",
        "qemu-img could not time the cipher, which happens at random in virtual machines; try again.",
        retry="backoff",
        outcome="not_started",
    ),
    _says(
        "qemu-img",
        "(?i)unknown (file format|driver|protocol|block driver)|does(n't| not) support (resiz|image creation)"
        "|not support image creation",
        "The host's qemu-img does not support this operation for this format; raw and qcow2 are supported.",
        UnsupportedError,
    ),
    _says("qemu-img", "(?i)too (large|big)", "An image of that format cannot be this large."),
    _says(
        "qemu-img",
        "[Ff]ailed to get .*lock",
        "Another process on the host has the image open: a guest, or another qemu-img.",
    ),
    # ---- ZFS
    _says(
        "zpool zfs",
        "(?i)out of space|greater than available",
        "Delete volumes, or add a device to the zpool.",
        NoSpaceError,
    ),
    _says(
        "zpool zfs",
        "(?i)connect: no such file|/dev/zfs|modules|permission denied",
        "Load ZFS on the host (modprobe zfs), and check that the daemon runs as root.",
        UnsupportedError,
    ),
    _says(
        "zpool zfs",
        "(?i)no such pool|does not exist|cannot open",
        "The host does not have that zpool: zpool list on the host shows the zpools; pool.build() creates it on its device.",
    ),
    _says("zpool zfs", "(?i)busy", "The dataset or zpool is in use on the host."),
)
_NO_SERVER: Final = Advice(HelperError, "No iSCSI server answers there: check the source's host and port.")
_NO_DAEMON: Final = Advice(HelperError, "Start iscsid on the host (Debian's package open-iscsi).")
_NO_LOGIN: Final = Advice(
    HelperError, "The server refuses the login: check auth, the value of its secret, and the initiator."
)
# The numbers are iscsiadm's own (its manual page, EXIT STATUS).
_ISCSI: Final[Mapping[int, Advice]] = {
    4: _NO_SERVER,
    5: _NO_LOGIN,
    8: _NO_SERVER,
    12: Advice(UnsupportedError, "The host's kernel does not support iSCSI: modprobe iscsi_tcp."),
    13: Advice(HelperError, "iscsiadm requires root: use a system daemon."),
    15: Advice(
        HelperError, "The host is already logged in to that target: iscsiadm -m session lists the session."
    ),
    18: _NO_DAEMON,
    19: _NO_LOGIN,
    20: _NO_DAEMON,
    21: Advice(HelperError, "The server does not have that target, or does not show it to this initiator."),
    24: _NO_LOGIN,
}
