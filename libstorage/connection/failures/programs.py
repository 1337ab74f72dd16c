"""What the programs say that libvirt runs on the host, and what a person can do about it.

Their words are the only text that libstorage reads. Where the daemon runs in another language than C or English some
of them are translated: what is not recognised is a ``HelperError`` without a hint.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import attrs

from libstorage.connection.failures.program_run import ProgramRun
from libstorage.errors import HelperError, NoSpaceError, Retry, StorageError, UnsupportedError


@attrs.frozen
class Advice:
    """What one saying of a program means.

    Attributes:
        error: Our class for it.
        hint: What a person can do about it.
        retry: Whether the same call may be made again.
    """

    error: type[StorageError]
    hint: str | None = None
    retry: Retry = "no"


@attrs.frozen
class _Saying:
    programs: frozenset[str]
    words: re.Pattern[str]
    advice: Advice


def advise(run: ProgramRun) -> Advice:
    """What a failed program means."""
    if run.is_missing:
        package = _PACKAGES.get(run.program)
        debian = f" (Debian's package {package})" if package else ""
        return Advice(UnsupportedError, f"Install {run.program} on the host{debian}.")
    if _FULL.search(run.stderr):
        return Advice(NoSpaceError, "Free some space, or make the volume sparse: allocation=0.")
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
_MOUNTERS: Final = "for nfs, cifs and glusterfs Debian has it in nfs-common, cifs-utils and glusterfs-client"


def _says(
    programs: str,
    words: str,
    hint: str,
    error: type[StorageError] = HelperError,
    *,
    retry: Retry = "no",
) -> _Saying:
    return _Saying(frozenset(programs.split()), re.compile(words), Advice(error, hint, retry))


_SAYINGS: Final[tuple[_Saying, ...]] = (
    # ---- mount, umount
    _says("mount", "(?i)mount point (\\S+ )?does not exist", "pool.build() makes the directory."),
    _says(
        "mount",
        "special device (?P<what>.*) does not exist",
        "Is there a {what} on the host? The pool's source.device names it.",
    ),
    _says(
        "mount",
        "mount.<type> helper program",
        f"Install the program on the host that mounts that type: {_MOUNTERS}.",
        UnsupportedError,
    ),
    _says(
        "mount",
        "unknown filesystem type '(?P<what>[^']*)'",
        f"The host knows no file system {{what}}: its kernel lacks it, or mount.{{what}} is missing ({_MOUNTERS}).",
        UnsupportedError,
    ),
    _says(
        "mount",
        "wrong fs type, bad option",
        "Is there a file system of that type on the device? build(overwrite=False) makes one where there is none.",
    ),
    _says("mount", "access denied by server", "The server must export it to this host."),
    _says(
        "mount",
        "requested NFS version",
        "The server does not speak that version of NFS: look at source.protocol_version.",
    ),
    _says("mount", "reason given by server", "Does the server have that directory? Look at source.dir."),
    _says("mount", "already mounted|[Bb]usy", "Something on the host has mounted it, or uses it, already."),
    _says(
        "mount",
        "must be superuser|only root|[Pp]ermission denied|Operation not permitted",
        "Mounting needs the rights of root: is it a system daemon, and may it log in there?",
    ),
    _says(
        "mount",
        "(?i)connection (refused|timed out)|no route to host|not resolve|failed to resolve|network is unreachable"
        "|not registered|protocol not supported|not connected|mounting glusterfs|mount failed",
        "Does that server run, can the host reach it, and does it have that volume? "
        "For glusterfs the host's /var/log/glusterfs says more.",
    ),
    _says("umount", "[Bb]usy", "Something on the host still has files of it open: fuser -vm PATH names it."),
    # ---- mkfs
    _says(
        "mkfs",
        "failed to execute (?P<what>[^\\s:]+)",
        "Install {what} on the host.",
        UnsupportedError,
    ),
    _says("mkfs", "(?i)must be larger|too small|not enough", "The device is too small for that file system."),
    _says(
        "mkfs", "(?i)is mounted|mounted filesystem|in use|busy", "Something on the host is using the device."
    ),
    # ---- parted
    _says(
        "parted",
        "Partition doesn't exist",
        "This libvirt cannot delete partitions of a disk whose name ends in a digit (loop0, nvme0n1, mmcblk0): it gives "
        "parted 'p1' where that wants '1'. The partition is still there; parted rm on the host, then pool.refresh().",
    ),
    _says(
        "parted",
        "invalid token",
        "libvirt makes partitions on labels of format gpt and dos only.",
        UnsupportedError,
    ),
    _says(
        "parted",
        "You requested a partition|outside the disk|overlap",
        "parted cannot place a partition there: labels other than gpt and dos want it aligned otherwise.",
    ),
    _says("parted", "[Uu]nrecognised disk label", "Build the pool first: pool.build() writes a label."),
    _says("parted", "(?i)being used|in use|busy", "Something on the host is using the disk."),
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
        "The host's kernel has no device-mapper, or not this kind of it: modprobe dm_mod, dm_snapshot.",
        UnsupportedError,
    ),
    _says(
        _LVM_PROGRAMS,
        "(?i)names? .* (is|are) (invalid|reserved|too long)",
        "LVM's names have letters, digits and +_.- only, and some are its own, such as snapshot and pvmove.",
    ),
    _says(
        "lvcreate",
        "Volume group name expected",
        "Give a snapshot an allocation as large as its capacity, or none: libvirt makes no smaller ones.",
    ),
    _says(
        _LVM_PROGRAMS,
        "already exists in volume group",
        "Somebody else has made it: pool.refresh() lists it.",
    ),
    _says(
        "vgcreate", "already exists", "The host has a volume group of that name: choose another source_name."
    ),
    _says(_LVM_PROGRAMS, "(?i)in use|used by|exclusively|mounted|busy", "Something on the host is using it."),
    _says(
        _LVM_PROGRAMS,
        "(?i)not found|cannot find|couldn't find|no device|excluded by a filter|doesn't exist",
        "Is it there? vgs and pvs on the host list what LVM finds; pool.build() makes the volume group.",
    ),
    # ---- qemu-img
    _says(
        "qemu-img",
        "accurate CPU usage",
        "qemu-img could not time the cipher, as happens at random in virtual machines; try again.",
        retry="backoff",
    ),
    _says(
        "qemu-img",
        "(?i)unknown (file format|driver|protocol|block driver)|does(n't| not) support (resiz|image creation)"
        "|not support image creation",
        "The host's qemu-img cannot do that with this format; with raw and qcow2 it can.",
        UnsupportedError,
    ),
    _says("qemu-img", "(?i)too (large|big)", "That format holds no image of this size."),
    _says(
        "qemu-img",
        "[Ff]ailed to get .*lock",
        "Something on the host has the image open: a guest, or another qemu-img.",
    ),
    # ---- ZFS
    _says(
        "zpool zfs",
        "(?i)out of space|greater than available",
        "Destroy volumes, or add a device to the zpool.",
        NoSpaceError,
    ),
    _says(
        "zpool zfs",
        "(?i)connect: no such file|/dev/zfs|modules|permission denied",
        "Does ZFS run on the host? modprobe zfs, and the daemon must be root's.",
        UnsupportedError,
    ),
    _says(
        "zpool zfs",
        "(?i)no such pool|does not exist|cannot open",
        "The host has no such zpool: pool.build() makes it of its device; zpool list shows what is there.",
    ),
    _says("zpool zfs", "(?i)busy", "Something on the host is using it."),
)
_NO_SERVER: Final = Advice(HelperError, "No iSCSI server answers there: is host right, and the port?")
_NO_DAEMON: Final = Advice(HelperError, "Start iscsid on the host (Debian's package open-iscsi).")
_NO_LOGIN: Final = Advice(
    HelperError, "The server does not let it in: look at auth, the value of its secret, and the initiator."
)
# The numbers are iscsiadm's own (its manual page, EXIT STATUS).
_ISCSI: Final[Mapping[int, Advice]] = {
    4: _NO_SERVER,
    5: _NO_LOGIN,
    8: _NO_SERVER,
    12: Advice(UnsupportedError, "The host's kernel has no iSCSI: modprobe iscsi_tcp."),
    13: Advice(HelperError, "iscsiadm needs the rights of root: is it a system daemon?"),
    15: Advice(HelperError, "The host is logged in there already: iscsiadm -m session lists it."),
    18: _NO_DAEMON,
    19: _NO_LOGIN,
    20: _NO_DAEMON,
    21: Advice(HelperError, "The server has no such target, or shows none to this initiator."),
    24: _NO_LOGIN,
}
