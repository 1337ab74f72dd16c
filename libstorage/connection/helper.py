"""What libvirt tells of a program that failed on the host."""

from __future__ import annotations

import re

import attrs

from libstorage.connection.codes import Code, Domain
from libstorage.connection.libvirt import Answer

# "Child process (/usr/bin/qemu-img create a (1).img 4K) unexpected exit status 1: qemu-img: …": the words are translated,
# the order is not.
_RUN = re.compile(r"\((?P<program>/\S+).*?\)[^():\d]+(?P<status>\d+)(?::\s*(?P<output>.*))?$", re.DOTALL)
_NOT_FOUND = 127


@attrs.frozen
class HelperRun:
    """A program that failed on the host.

    Attributes:
        program: Its name, without arguments: these may hold passwords.
        exit_status: What it exited with.
        stderr: What it wrote to its error output.
    """

    program: str
    exit_status: int
    stderr: str

    @classmethod
    def read(cls, said: Answer) -> HelperRun | None:
        """What a message tells of a program that failed; ``None`` if it does not tell of one."""
        if said.code != Code.INTERNAL_ERROR or said.domain != Domain.NONE:
            return None
        found = _RUN.search(said.bare)
        if found is None:
            return None
        return cls(found["program"].rpartition("/")[2], int(found["status"]), (found["output"] or "").strip())

    @property
    def is_missing(self) -> bool:
        """Whether the program is not there at all."""
        return self.exit_status == _NOT_FOUND

    @property
    def has_no_space(self) -> bool:
        """Whether it says that the disk is full. libvirt runs programs in the C locale."""
        return any(words in self.stderr for words in ("No space left on device", "Disk quota exceeded"))

    @property
    def has_no_clock(self) -> bool:
        """Whether qemu-img could not time a cipher: on a machine whose CPU clock is coarse that fails at random."""
        return "accurate CPU usage" in self.stderr

    def __str__(self) -> str:
        said = self.stderr or "it did not say why"
        return f"{self.program} on the host exited with status {self.exit_status}: {said}"
