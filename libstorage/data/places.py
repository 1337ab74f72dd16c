"""The places of values in the text that they were read from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

import attrs

from libstorage.errors import shortened

_DECIMAL = re.compile("[-+]?[1-9][0-9]*")
_LAST_STEP = re.compile(r"(?:\.[^.\[\]]*|\[[0-9]+\])\Z")


def step(path: str, key: object) -> str:
    """Return the path of the value of ``key`` in the table at ``path``."""
    return f"{path}.{shortened(str(key))}"


@attrs.frozen
class Place:
    """The place of one value: its line, and its spelling if it is a number."""

    line: int
    spelling: str | None = None


_Table: TypeAlias = Mapping[str, Place]


@attrs.frozen
class Places:
    """The places of all values of a text, by path (``VolumeSpec.target.format``)."""

    _by_path: _Table

    def line(self, path: str) -> int | None:
        """Return the line of the value at ``path``, or of the nearest table around a value that is missing."""
        while path and path not in self._by_path:
            path = _LAST_STEP.sub("", path) if _LAST_STEP.search(path) else ""
        return self._by_path[path].line if path else None

    def decimal(self, path: str) -> str | None:
        """Return the digits of a number that the text spells in decimal."""
        spelling = self._by_path[path].spelling if path in self._by_path else None
        return spelling if spelling and _DECIMAL.fullmatch(spelling) else None


NO_PLACES = Places({})
"""The places of data that were not read from YAML: lines and spellings are not known."""
