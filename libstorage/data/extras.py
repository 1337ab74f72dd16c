"""Packages that only some users need: imported when they are used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from libstorage.errors import UnsupportedError


def extra(module: str, package: str, name: str, needed_for: str) -> Any:
    """Return a module of an optional package.

    Args:
        module: Name of the module.
        package: Name of the package, as pip knows it.
        name: The extra of libstorage that installs the package.
        needed_for: What cannot be done without it, as the beginning of a sentence.

    Raises:
        UnsupportedError: If the package is not installed. The hint says how to install it.
    """
    try:
        return import_module(module)
    except ImportError:
        raise UnsupportedError(
            f"{needed_for}: the Python package {package} is not installed",
            hint=f"Install it with: pip install 'libstorage[{name}]'",
        ) from None
