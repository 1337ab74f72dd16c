"""Parses libvirt's report of a helper program that failed on the host."""

from __future__ import annotations

import re

import attrs

from libstorage.connection.binding import Answer
from libstorage.connection.codes import Code, Domain

# If a program was not installed when libvirt was built, libvirt searches PATH for it and names it without a path.
_BY_NAME = "parted|scrub|zpool|zfs|gluster|ploop|mount|umount|vstorage|vstorage-mount|dmsetup|qemu-img|tc"

# "Child process (/usr/bin/qemu-img create a (1).img 4K) unexpected exit status 1: qemu-img: …": libvirt translates the
# words, but keeps their order.
_RUN = re.compile(
    rf"\((?P<program>/\S+|(?:{_BY_NAME})(?=[ )])).*?\)[^():\d]+(?P<status>\d+)(?::\s*(?P<output>.*))?$",
    re.DOTALL,
)
# "/usr/bin/iscsiadm failed new mode for target 'iqn…' with status '127'"
_SESSION = re.compile(r"^(?P<program>/\S+iscsiadm) .*\D(?P<status>\d+)\D*(?P<output>)$", re.DOTALL)
_MISSING = 127
_MOST_LINES = 3


@attrs.frozen
class ProgramRun:
    """A program that failed on the host.

    Attributes:
        program: The program's name, without its arguments, because these may contain passwords.
        exit_status: The exit status, or the number of the signal that ended the program.
        stderr: The program's error output.
    """

    program: str
    exit_status: int
    stderr: str

    @classmethod
    def read(cls, said: Answer) -> ProgramRun | None:
        """Parse the failed program out of a message; return ``None`` if the message does not report one."""
        if said.code != Code.INTERNAL_ERROR or said.domain != Domain.NONE:
            return None
        found = _RUN.search(said.bare) or _SESSION.search(said.bare)
        if found is None:
            return None
        return cls(found["program"].rpartition("/")[2], int(found["status"]), (found["output"] or "").strip())

    @property
    def is_missing(self) -> bool:
        """Whether the program is not installed."""
        return self.exit_status == _MISSING

    def __str__(self) -> str:
        lines = [line for line in self.stderr.splitlines() if "dmesg(1)" not in line]
        said = "\n".join(lines[:_MOST_LINES]) or "the program did not say why"
        more = f"\n… ({len(lines) - _MOST_LINES} more lines, in .stderr)" if len(lines) > _MOST_LINES else ""
        return f"{self.program} on the host failed with status {self.exit_status}: {said}{more}"
