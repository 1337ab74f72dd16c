"""A Debian guest with a full kernel, in which the storage that this machine's kernel lacks is served and used."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.guest.image import image
from tests.lab.guest.machine import Machine


@contextmanager
def guest() -> Iterator[Machine]:
    """A guest of one's own, as it was when everything in it had just started; nothing of it is left afterwards."""
    with (
        image() as built,
        tempfile.TemporaryDirectory(prefix="libstorage-guest-") as folder,
        built.machine(Path(folder)) as machine,
    ):
        yield machine
