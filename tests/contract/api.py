"""libvirt's own description of its C API, as its development package installs it."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest


@cache
def api() -> ET.Element:
    """The root of ``libvirt-api.xml``."""
    asked = subprocess.run(
        ["pkg-config", "--variable=libvirt_api", "libvirt"], capture_output=True, text=True, check=False
    )
    path = Path(asked.stdout.strip() or "/usr/share/libvirt/api/libvirt-api.xml")
    if not path.exists():
        pytest.skip(f"not run: libvirt's development files are not installed ({path})")
    return ET.parse(path).getroot()


def functions() -> frozenset[str]:
    """The names of all functions."""
    return frozenset(function.attrib["name"] for function in api().iter("function"))


def library_version() -> int:
    """The version of the libvirt that this describes, as libvirt counts: 9.1.2 is 9001002."""
    asked = subprocess.run(
        ["pkg-config", "--modversion", "libvirt"], capture_output=True, text=True, check=True
    )
    major, minor, release = map(int, asked.stdout.split("."))
    return major * 1_000_000 + minor * 1_000 + release
