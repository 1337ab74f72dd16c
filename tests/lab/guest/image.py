"""The guest's image and its saved state, built once and kept by what they are made of."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.lab.guest.machine import Machine

_HERE = Path(__file__).parent
_MADE_OF = ("build", "initrd-init", "machine.py", "modules", "packages", "root/**/*")
_OLD = 3
"""So many images are kept: that of this tree and those of a few others."""


class Image:
    """A folder with the kernel, the disks, and the state of a machine in which everything is up."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def machine(self, folder: Path) -> Machine:
        """A machine that goes on from the saved state; its own files go to ``folder``."""
        return Machine(folder, self.folder, self.folder / "saved")


@contextmanager
def image() -> Iterator[Image]:
    """The image for this tree and this machine's packages: built if there is none, and in nobody's way meanwhile."""
    images = _folder_of_images()
    images.mkdir(parents=True, exist_ok=True)
    folder = images / _key()
    with (images / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(
            lock, fcntl.LOCK_SH
        )  # it may not be removed while it is in use, and many may use it at once
        if not folder.exists():
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                _build(folder)
            fcntl.flock(lock, fcntl.LOCK_SH)
        os.utime(folder)
        _remove_old(images)
        yield Image(folder)


def _folder_of_images() -> Path:
    chosen = os.environ.get("LIBSTORAGE_LAB_CACHE")
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "libstorage-lab"
    return Path(chosen) if chosen else usual


@cache
def _key() -> str:
    digest = hashlib.sha256()
    for path in sorted(path for pattern in _MADE_OF for path in _HERE.glob(pattern) if path.is_file()):
        digest.update(f"{path.relative_to(_HERE)}\0".encode() + path.read_bytes() + b"\0")
    for command in (
        ["qemu-system-x86_64", "--version"],
        ["apt-cache", "policy", "linux-image-cloud-amd64", "libvirt-daemon", "lvm2", "nfs-kernel-server"],
    ):
        digest.update(subprocess.run(command, capture_output=True, check=True).stdout)
    return digest.hexdigest()[:16]


def _build(folder: Path) -> None:
    """Build the image; nobody else does so at the same time."""
    new = folder.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)  # of one that was ended by force
    new.mkdir()
    try:
        _run_build(new)
        with (
            tempfile.TemporaryDirectory(prefix="boot-", dir=new) as boot,
            Machine(Path(boot), new) as machine,
        ):
            machine.save(new / "saved")
        _rebase(new / "saved" / "root.qcow2", folder / "root.img")
        new.rename(folder)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def _run_build(new: Path) -> None:
    with (
        (new / "build.log").open("wb") as log,
        subprocess.Popen([_HERE / "build", new], stdout=log, stderr=log, start_new_session=True) as build,
    ):
        try:
            status = build.wait()
        except BaseException:
            os.killpg(build.pid, signal.SIGTERM)
            raise
    if status != 0:
        said = (new / "build.log").read_text("utf-8", "replace")
        raise RuntimeError(f"the guest's image cannot be built:\n{said}")


def _rebase(disk: Path, base: Path) -> None:
    """Tell a disk where what it is based on will be."""
    subprocess.run(["qemu-img", "rebase", "-u", "-F", "raw", "-b", base, disk], check=True)


def _remove_old(images: Path) -> None:
    folders = [folder for folder in images.iterdir() if folder.is_dir() and folder.suffix != ".new"]
    for folder in sorted(folders, key=lambda folder: folder.stat().st_mtime)[:-_OLD]:
        with (images / f"{folder.name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(folder)
