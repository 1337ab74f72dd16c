"""The versions for a report of a fault."""

from __future__ import annotations

import platform
import re
import socket
import sys
from pathlib import Path

import pytest

import libstorage as ls


def lines() -> dict[str, str]:
    text = ls.show_versions(as_text=True)
    return dict(re.split("  +", line, maxsplit=1) for line in text.splitlines())


def test_what_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    import lxml.etree

    shown = lines()
    assert shown["libstorage"] == ls.__version__
    assert shown["Python"].startswith(platform.python_version())
    assert shown["libxml2"] == ".".join(map(str, lxml.etree.LIBXML_VERSION))
    assert shown["pandas"][0].isdigit()
    assert ls.show_versions() is None
    assert capsys.readouterr().out == ls.show_versions(as_text=True)


def test_the_version_of_the_client_library() -> None:
    libvirt = pytest.importorskip("libvirt", reason="not run: no libvirt here")
    major, minor, release = map(int, lines()["libvirt (client)"].split("."))
    assert major * 1_000_000 + minor * 1_000 + release == libvirt.getVersion()


def test_nothing_fails_where_something_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "libvirt", None)
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: (_ for _ in ()).throw(OSError()))
    monkeypatch.setattr("libstorage.doctor._EXTRAS", ("a-package-that-does-not-exist",))
    shown = lines()
    assert shown["libvirt (client)"] == "cannot be loaded (UnsupportedError)"
    assert shown["distribution"] == "not known"
    assert shown["a-package-that-does-not-exist"] == "not installed"


def test_nothing_private_is_shown() -> None:
    text = ls.show_versions(as_text=True)
    assert socket.gethostname() not in text
    assert str(Path.home()) not in text
    assert sys.prefix not in text
