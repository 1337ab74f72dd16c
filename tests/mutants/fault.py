"""A planted fault as data, and how it is planted."""

from __future__ import annotations

import shlex
from pathlib import Path

import attrs


class NotThereError(ValueError):
    """The text that a fault replaces does not occur exactly once."""


@attrs.frozen
class Fault:
    """One subtle fault.

    Attributes:
        name: Unique among all faults.
        file: The module, below ``libstorage``.
        old: A text that occurs there exactly once.
        new: What stands there instead while the fault is planted.
        tests: The tests that should notice it: files, or tests by their full names, as pytest takes them.
        why: What a user would notice of it.
    """

    name: str
    file: str
    old: str
    new: str
    tests: str
    why: str

    @property
    def package(self) -> str:
        """The package that the fault is in: ``transfer/ends``; a module of libstorage itself by its own name."""
        return self.file.rpartition("/")[0] or self.file

    @property
    def selection(self) -> list[str]:
        """The arguments of pytest."""
        return shlex.split(self.tests)

    def planted_in(self, library: Path) -> str:
        """The text of the module with the fault.

        Raises:
            NotThereError: If the module does not have the text exactly once.
        """
        text = (library / self.file).read_text("utf-8")
        if text.count(self.old) != 1:
            raise NotThereError(f"{self.name}: {text.count(self.old)} times in {self.file}: {self.old!r}")
        return text.replace(self.old, self.new)
