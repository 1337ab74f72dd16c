"""libvirt's daemons: which one serves an address, and the package that has it on this machine's distribution."""

from __future__ import annotations

import platform
from typing import Final

import attrs

from libstorage.connection.address.uri import Address

_MODULAR: Final = {
    "bhyve": "virtbhyved",
    "ch": "virtchd",
    "lxc": "virtlxcd",
    "qemu": "virtqemud",
    "secret": "virtsecretd",
    "storage": "virtstoraged",
    "vbox": "virtvboxd",
    "vz": "virtvzd",
    "xen": "virtxend",
}
"""The daemon of each driver where libvirt has one for each; libvirtd has all drivers."""


@attrs.frozen
class Distribution:
    """A family of distributions.

    Attributes:
        names: Its names in ``/etc/os-release``.
        install: The command that installs packages.
        storage: The packages with a daemon that has the storage and the secret driver.
        qemu: The packages with a daemon that also runs guests.
    """

    names: frozenset[str]
    install: str
    storage: str
    qemu: str


DISTRIBUTIONS: Final = (
    Distribution(
        frozenset({"debian", "ubuntu"}),
        "apt-get install --no-install-recommends",
        "libvirt-daemon qemu-utils",
        "libvirt-daemon-system qemu-system",
    ),
    Distribution(
        frozenset({"fedora", "rhel", "centos"}),
        "dnf install",
        "libvirt-daemon-driver-storage-core libvirt-daemon-driver-secret qemu-img",
        "libvirt-daemon-kvm",
    ),
    Distribution(frozenset({"arch"}), "pacman -S", "libvirt qemu-img", "libvirt qemu-base"),
    Distribution(
        frozenset({"opensuse", "suse"}),
        "zypper install",
        "libvirt-daemon-driver-storage-core libvirt-daemon-driver-secret qemu-img",
        "libvirt-daemon-qemu",
    ),
)


def to_install(*, for_guests: bool = False) -> str:
    """Return the command that installs a daemon on this machine, or the advice to look for it."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    names = {release.get("ID", ""), *release.get("ID_LIKE", "").split()}
    for known in DISTRIBUTIONS:
        if known.names & names:
            return f"{known.install} {known.qemu if for_guests else known.storage}"
    return "install the package of your distribution that has libvirt's storage driver"


def not_reached(address: Address) -> str:
    """Return the hint for a daemon that cannot be reached."""
    if address.driver == "test":
        return (
            "An address of libvirt's test driver names a file that describes a host, or is test:///default."
        )
    if not address.driver:
        return (
            "libvirt's default address is the one of a hypervisor. For storage alone, connect to storage:///system, or to "
            "storage:///session as an ordinary user."
        )
    modular = _MODULAR.get(address.driver)
    daemon = f"libvirtd or {modular}" if modular else "libvirtd"
    hint = f"Check that the daemon ({daemon}) is running there, and that this is its socket."
    if not address.is_local:
        return hint
    return f"{hint} If it is not installed: {to_install(for_guests=address.driver not in ('storage', 'secret'))}."
