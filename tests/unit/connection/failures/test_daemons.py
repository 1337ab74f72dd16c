"""Hints about libvirt's daemons: which one serves an address, and which package has it."""

from __future__ import annotations

import platform

import pytest

from libstorage.connection.address.uri import Address, parse
from libstorage.connection.codes import Code
from libstorage.connection.failures.daemons import not_reached, to_install
from libstorage.connection.failures.translate import map_open_error
from tests.unit.connection.failures.test_error_map import complaint

RELEASES = {
    "debian": {"ID": "debian"},
    "ubuntu": {"ID": "ubuntu", "ID_LIKE": "debian"},
    "mint": {"ID": "linuxmint", "ID_LIKE": "ubuntu debian"},
    "fedora": {"ID": "fedora"},
    "rocky": {"ID": "rocky", "ID_LIKE": "rhel centos fedora"},
    "arch": {"ID": "arch"},
    "leap": {"ID": "opensuse-leap", "ID_LIKE": "suse opensuse"},
    "tumbleweed": {"ID": "opensuse-tumbleweed", "ID_LIKE": "opensuse suse"},
}
COMMANDS = {
    "debian": "apt-get install",
    "ubuntu": "apt-get install",
    "mint": "apt-get install",
    "fedora": "dnf install",
    "rocky": "dnf install",
    "arch": "pacman -S",
    "leap": "zypper install",
    "tumbleweed": "zypper install",
}


@pytest.mark.parametrize("name", RELEASES)
def test_the_command_of_the_distribution(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: RELEASES[name])
    assert to_install().startswith(COMMANDS[name])
    assert to_install(for_guests=True) != to_install()
    assert to_install() in not_reached(parse("storage:///system"))
    assert to_install(for_guests=True) in not_reached(parse("qemu:///system"))


def test_a_distribution_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> dict[str, str]:
        raise OSError("there is no such file")

    monkeypatch.setattr(platform, "freedesktop_os_release", none)
    assert "your distribution" in to_install()
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: {"ID": "slackware"})
    assert "your distribution" in to_install()


@pytest.mark.parametrize(
    ("uri", "daemon"),
    [
        ("qemu:///system", "libvirtd or virtqemud"),
        ("storage:///session", "libvirtd or virtstoraged"),
        ("secret:///system", "libvirtd or virtsecretd"),
        ("xen:///system", "libvirtd or virtxend"),
        ("other:///system", "(libvirtd)"),
    ],
)
def test_the_daemon_of_the_address(uri: str, daemon: str) -> None:
    error = map_open_error(complaint(Code.SYSTEM_ERROR), parse(uri))
    assert daemon in str(error.hint)
    assert "installed" in str(error.hint)
    assert error.retry == "backoff"


def test_another_machine_has_its_own_packages() -> None:
    hint = not_reached(parse("qemu+ssh://root@host.example.com/system"))
    assert "virtqemud" in hint
    assert "install" not in hint


@pytest.mark.parametrize("code", [Code.SYSTEM_ERROR, Code.NO_CONNECT])
def test_the_default_address_is_for_guests(code: Code) -> None:
    error = map_open_error(complaint(code), Address(None))
    assert "storage:///system" in str(error.hint)


def test_a_test_host_that_no_file_describes_will_not_come_up() -> None:
    error = map_open_error(complaint(Code.SYSTEM_ERROR, 2), parse("test:///none.xml"))
    assert error.retry == "no"
    assert "names a file" in str(error.hint)
