"""What the lab has seen: one file for each case, and how it is read and written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import attrs

from libstorage import DocumentError, StorageError

HERE = Path(__file__).parent
WORKS, NOT_TRIED = "works", "not tried"
_RANDOM = {
    r"/dev/loop\d+": "/dev/loopN",
    r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b": "UUID",
    r"/tmp/[^/\s'\"]+": "/tmp/FOLDER",
    r"\b127\.0\.0\.1:\d+": "127.0.0.1:PORT",
}


@attrs.frozen
class Cell:
    """What came of one operation.

    Attributes:
        result: ``works``, ``not tried``, or the class of the error.
        code: libvirt's error number; ``None`` when libvirt was not asked.
        domain: The part of libvirt that spoke.
        program: The helper program that failed.
        exit_status: What it exited with.
        hint: What the error says can be done, or why it was not tried.
    """

    result: str
    code: int | None = None
    domain: int | None = None
    program: str | None = None
    exit_status: int | None = None
    hint: str | None = None

    @classmethod
    def of(cls, error: StorageError, words: Mapping[str, str]) -> Self:
        """The cell for an error, without what is different in each run."""
        hint = error.hint
        if hint is None and isinstance(error, DocumentError):
            hint = error.message  # it says what is expected
        for text in sorted(words, key=len, reverse=True):
            hint = hint and hint.replace(text, words[text])
        for pattern, word in _RANDOM.items():
            hint = hint and re.sub(pattern, word, hint)
        return cls(
            type(error).__name__, error.code, error.domain, error.program, error.exit_status, hint or None
        )

    @property
    def is_error(self) -> bool:
        """Whether an error came out."""
        return self.result not in {WORKS, NOT_TRIED}


@attrs.frozen
class Seen:
    """What a case has shown.

    Attributes:
        title: What it is called.
        type: The pool type.
        where: Where its storage ran.
        versions: Of libvirt and of the programs that served the storage.
        remark: What else a reader must know.
        operations: A cell for each operation.
        mistakes: A cell for each mistake.
    """

    title: str
    type: str
    where: str
    versions: Mapping[str, str]
    remark: str
    operations: Mapping[str, Cell]
    mistakes: Mapping[str, Cell]

    def cells(self) -> dict[str, Cell]:
        """All that is compared between two runs."""
        return {**self.operations, **{f"mistake: {name}": cell for name, cell in self.mistakes.items()}}

    def write(self, name: str) -> None:
        """Keep it as what is seen in that case."""
        data = attrs.asdict(self, filter=lambda _, value: value is not None)
        text = json.dumps(data, indent=1, ensure_ascii=False)
        (HERE / f"{name}.json").write_text(text + "\n", "utf-8")


def read(name: str) -> Seen:
    """What was seen in that case."""
    data: dict[str, Any] = json.loads((HERE / f"{name}.json").read_text("utf-8"))
    for part in ("operations", "mistakes"):
        data[part] = {key: Cell(**cell) for key, cell in data[part].items()}
    return Seen(**data)


def read_all() -> dict[str, Seen]:
    """What was seen in all cases, by their names."""
    return {path.stem: read(path.stem) for path in sorted(HERE.glob("*.json"))}
