"""The software that libstorage runs on, for a report of a fault."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Literal, overload

from libstorage.connection.binding import load

_NEEDED = ("attrs", "lxml", "typing-extensions", "xmlschema")
_EXTRAS = ("aiohttp", "fsspec", "pandas", "polars", "PyYAML", "tomli-w", "tqdm", "zstandard")
_ABSENT = "not installed"


@overload
def show_versions(*, as_text: Literal[False] = False) -> None: ...
@overload
def show_versions(*, as_text: Literal[True]) -> str: ...
def show_versions(*, as_text: bool = False) -> str | None:
    """Print the versions of libstorage, of libvirt's client and of all that both run on, for a report of a fault.

    No connection is opened, nothing fails where libvirt is missing, and the text has no paths and no names of hosts.

    Args:
        as_text: Return the text, and print nothing.

    Raises:
        OSError: If the text cannot be printed.
    """
    found = list(_versions())
    width = max(len(name) for name, _ in found)
    text = "".join(f"{name:<{width}}  {value}\n" for name, value in found)
    if as_text:
        return text
    sys.stdout.write(text)
    return None


def _versions() -> Iterator[tuple[str, str]]:
    yield "libstorage", sys.modules[__name__.partition(".")[0]].__version__
    yield "Python", f"{platform.python_version()} ({platform.python_implementation()})"
    yield "platform", f"{platform.system()} {platform.release()} {platform.machine()}"
    yield "distribution", _distribution()
    yield "libvirt-python", _package("libvirt-python")
    yield "libvirt (client)", _libvirt()
    for name in _NEEDED:
        yield name, _package(name)
    yield "libxml2", _libxml2()
    for name in _EXTRAS:
        yield name, _package(name)


def _package(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return _ABSENT


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "not known")
    except OSError:
        return "not known"


def _libvirt() -> str:
    """Return the version of libvirt's client library. Its import runs code of others, which may fail in any way."""
    try:
        number = load().getVersion()
    except Exception as error:  # noqa: BLE001 -- see above
        return f"cannot be loaded ({type(error).__name__})"
    return f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"


def _libxml2() -> str:
    from lxml import etree

    return ".".join(map(str, etree.LIBXML_VERSION))
