"""A tour of libstorage: pools, volumes, an image up and down again, clones, and a tidy end.

    python docs/examples/quickstart.py
    python docs/examples/quickstart.py --uri qemu:///system --path /var/tmp

Without ``--uri`` it starts a real libvirt daemon of its own, which needs neither root nor a running libvirtd. On any
host it makes one pool in a new folder, touches nothing else, and removes both in the end.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import libstorage as ls
from libstorage.testing import private_daemon

CAPACITY = ls.Size("32 MiB")
TEXT = b"This is what a guest would see.\n"

_steps = itertools.count(1)


def main() -> int:
    """Take the tour on the host that was asked for; answers the exit status."""
    arguments = parse_arguments()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="libstorage-tour-") as scratch,
            host_for(arguments.uri) as uri,
        ):
            parent = scratch if arguments.uri is None else "/var/tmp"
            tour(uri, arguments.path or parent, Path(scratch))
    except ls.StorageError as error:
        print(f"\nThe tour ends early: {error}", file=sys.stderr)
        return 1
    print("\nAll went well, and nothing of it is left.")
    return 0


def parse_arguments() -> argparse.Namespace:
    """What to take the tour on."""
    parser = argparse.ArgumentParser(description="A tour of libstorage on a real libvirt daemon.")
    parser.add_argument("--uri", help="the host, such as qemu:///system (default: a private daemon)")
    parser.add_argument("--path", help="where on the host to make the pool's folder (default: /var/tmp)")
    return parser.parse_args()


def host_for(uri: str | None) -> AbstractContextManager[str]:
    """The host that was asked for, or a daemon of our own for as long as the tour lasts."""
    return private_daemon() if uri is None else nullcontext(uri)


def tour(uri: str, parent: str, scratch: Path) -> None:
    """Everything that the tour shows, on one host."""
    content, image = make_image(scratch)
    with ls.connect(uri) as host:
        say(f"Connected to {host.uri}.")
        with new_pool(host, parent) as pool:
            data, base, _ = create_volumes(pool)
            upload_and_download(base, image, scratch)
            copy = clone_and_grow(base, content, scratch)
            show(host, pool)
            wipe(copy, scratch)
            data.delete()
            say(f"Deleted {data.name}; left are {', '.join(pool.volumes.names())}.")


def make_image(scratch: Path) -> tuple[Path, Path]:
    """Content as a guest would see it, and a qcow2 image of it."""
    if shutil.which("qemu-img") is None:
        raise ls.UnsupportedError(
            "qemu-img is not installed on this machine", hint="On Debian: apt-get install qemu-utils"
        )
    content, image = scratch / "content.raw", scratch / "image.qcow2"
    with content.open("wb") as file:
        file.write(TEXT * 200_000)
        file.truncate(CAPACITY)
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", content, image], check=True)
    say(f"Made an image with qemu-img: a qcow2 file of {size_of(image)} that holds {CAPACITY}.")
    return content, image


@contextmanager
def new_pool(host: ls.Host, parent: str) -> Iterator[ls.Pool]:
    """A pool of the files in a new folder; gone, with all that is in it, when the ``with`` block ends."""
    name = f"tour-{secrets.token_hex(3)}"
    pool = host.pools.define(ls.PoolSpec.dir(name, f"{parent}/{name}"))
    try:
        pool.build().start()
        info = pool.info()
        say(
            f"Defined, built and started pool {name!r}: {info.available:.1h} of {info.capacity:.1h} are free."
        )
        yield pool
    finally:
        remove(pool)
    say("Deleted all volumes, stopped the pool, deleted its folder and undefined it.")


def remove(pool: ls.Pool) -> None:
    """Remove a pool and everything in it, however far it came."""
    if pool.is_active():
        for volume in pool.volumes:
            volume.delete()
        pool.stop().delete()
    pool.undefine()


def create_volumes(pool: ls.Pool) -> tuple[ls.Volume, ls.Volume, ls.Volume]:
    """A sparse raw volume, a qcow2 volume, and one that holds only what differs from that."""
    data = pool.volumes.create(ls.VolumeSpec.raw("data.raw", "1 GiB", allocation=0))
    base = pool.volumes.create(ls.VolumeSpec.qcow2("base.qcow2", CAPACITY))
    web = pool.volumes.create(ls.VolumeSpec.qcow2("web.qcow2", CAPACITY, backing=base.as_backing()))
    for volume in (data, base, web):
        info = volume.info()
        say(f"Created {volume.name}: {info.capacity} for a guest, {info.allocation} of the pool.")
    return data, base, web


def upload_and_download(volume: ls.Volume, image: Path, scratch: Path) -> None:
    """Send an image to the host, fetch it back, and compare."""
    returned = scratch / "returned.qcow2"
    volume.upload(image).download(returned)
    expect(sha256(returned) == sha256(image), "what came back is not what was sent")
    say(
        f"Uploaded the image into {volume.name} and downloaded it again: sha256 {sha256(image)[:12]}… both times."
    )


def clone_and_grow(base: ls.Volume, content: Path, scratch: Path) -> ls.Volume:
    """Copy a volume into another format, see that its content is still the same, and make the copy larger."""
    copy = base.clone(ls.VolumeSpec.raw("copy.raw", CAPACITY))
    copied = scratch / "copied.raw"
    copy.download(copied)
    expect(sha256(copied) == sha256(content), "the clone's content is not that of the image")
    with copied.open(encoding="utf-8") as lines:
        say(f"Cloned {base.name} to {copy.name}, raw bytes that begin with {next(lines).strip()!r}.")
    copy.resize(2 * CAPACITY)
    say(f"Grew {copy.name} from {CAPACITY} to {copy.info().capacity}.")
    return copy


def show(host: ls.Host, pool: ls.Pool) -> None:
    """The pool in the inventory of its host."""
    inventory = host.inventory()
    ours = tuple(entry for entry in inventory.pools if entry.uuid == pool.uuid)
    say("The inventory of the host, as far as it is ours:\n")
    print(ls.Inventory(uri=inventory.uri, pools=ours), end="\n\n")


def wipe(volume: ls.Volume, scratch: Path) -> None:
    """Overwrite a volume, and look."""
    wiped = scratch / "wiped.raw"
    volume.wipe().download(wiped)
    expect(not wiped.read_bytes().strip(b"\0"), "the wiped volume still holds data")
    say(f"Wiped {volume.name}: all of its {size_of(wiped)} are zeros.")


def expect(fact: bool, otherwise: str) -> None:
    """Stop the tour when something is not as it should be."""
    if not fact:
        raise ls.TransferError(otherwise)


def say(text: str) -> None:
    """One step of the tour."""
    print(f"{next(_steps):2}. {text}")


def size_of(path: Path) -> ls.Size:
    """The size of a local file."""
    return ls.Size(path.stat().st_size)


def sha256(path: Path) -> str:
    """What identifies the content of a local file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
