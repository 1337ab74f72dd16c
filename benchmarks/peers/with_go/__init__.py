"""Go's libvirt-go-xml, in a process of its own with one processor: built here, where Go and its module can be had."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MODULE = "libvirt.org/go/libvirtxml"
VERSION = "v1.9000.0"  # of libvirt 9.0.0, whose documents are read


class NotMeasuredError(Exception):
    """Why there is no figure."""


class Program:
    """The built program."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def measured(self, rounds: int, paths: Sequence[Path]) -> dict[str, Any]:
        """Go's version, the nanoseconds that reading and writing took in each round, and the documents as written."""
        command = [str(self._path), str(rounds), *map(str, paths)]
        done = subprocess.run(
            command, env={**os.environ, "GOMAXPROCS": "1"}, check=True, capture_output=True, text=True
        )
        said: dict[str, Any] = json.loads(done.stdout)
        return said


@contextmanager
def built() -> Iterator[Program]:
    """Build the program in a temporary folder; Go's own settings, such as ``GOPROXY``, say where modules come from.

    Raises:
        NotMeasuredError: Go is not installed, or the module cannot be had.
    """
    if not shutil.which("go"):
        raise NotMeasuredError("not measured here: Go is not installed")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(Path(__file__).with_name("main.go"), folder)
        for arguments in (
            ["mod", "init", "libstorage.bench"],
            ["get", f"{MODULE}@{VERSION}"],
            ["build", "-o", "main"],
        ):
            done = subprocess.run(["go", *arguments], cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode:
                raise NotMeasuredError(f"not measured here: Go could not get {MODULE}")
        yield Program(Path(folder, "main"))
