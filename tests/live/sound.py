"""Strategies for sound specs of dir pools and their volumes, all within one folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from attrs import frozen
from hypothesis import strategies as st

from libstorage import (
    BackingStore,
    Cipher,
    DirSource,
    Encryption,
    InvalidRequestError,
    Ivgen,
    PoolFeatures,
    PoolSpec,
    PoolTarget,
    SecretRef,
    StorageError,
    VolumeSpec,
    VolumeTarget,
)
from libstorage.models.pool import POOL_NAME
from libstorage.models.volume import VOLUME_NAME
from libstorage.session.names import check_pool_name, check_volume_name
from tests.property.strategies import Values, instances, matching, pools


@frozen
class Reason:
    """Why a machine, and not libvirt, refuses a sound spec."""

    message: str
    why: str

    def covers(self, error: StorageError) -> bool:
        return re.search(self.message, str(error)) is not None


MACHINE = (
    Reason("control COW flag on .* not btrfs", "only btrfs can switch copy-on-write off"),
    Reason("File too large|requested file size is too large", "the file system has no files of that size"),
    Reason("No space left on device", "the disk is full"),
    Reason("chown .*Invalid argument", "this user namespace does not have that owner"),
    Reason("Unable to get accurate CPU usage", "qemu-img cannot time its key derivation on this machine"),
)

FORMATS = (None, "raw", "qcow2", "qcow", "qed", "vmdk", "vdi", "vpc", "iso", "dir")
"""What a dir pool makes; without a format it is raw."""
UNMADE = ("bochs", "cloop", "dmg", "fat", "vhd", "cow", "luks", "ploop", "unknown", "ext4", "linux")
"""What a dir pool has a word for, or another type of pool has, and cannot make."""
BACKED = {"qcow2": FORMATS[1:8], "qcow": FORMATS[1:8], "qed": ("raw",), "vmdk": ("vmdk",)}

CIPHERS = st.sampled_from(
    [
        (Cipher(name="aes", size=256), Ivgen(name="plain64")),
        (Cipher(name="aes", size=128, mode="xts", hash="sha512"), Ivgen(name="plain")),
        (Cipher(name="serpent", size=256, mode="cbc", hash="sha256"), Ivgen(name="essiv", hash="sha256")),
        (None, None),
    ]
)


def encryptions(secrets: Sequence[SecretRef]) -> st.SearchStrategy[Encryption]:
    """LUKS with one of these secrets, as qemu-img can do it."""
    return st.builds(
        lambda secret, parts: Encryption(format="luks", secrets=secret, cipher=parts[0], ivgen=parts[1]),
        st.sampled_from(secrets),
        CIPHERS,
    )


small = st.integers(0, 1 << 20) | st.integers(0, 20).map(lambda power: 1 << power)
large = st.integers(0, 1 << 36) | st.integers(20, 36).map(lambda power: 1 << power)
huge = st.integers(37, 62).map(lambda power: 1 << power)


@st.composite
def volumes(
    draw: st.DrawFn, bases: dict[str, BackingStore], secrets: Sequence[SecretRef], encrypted: int
) -> VolumeSpec:
    """Volumes that a dir pool makes, one of so many ``encrypted``, which takes seconds."""
    form = draw(st.sampled_from(FORMATS))
    encrypts = form in (None, "raw", "qcow2") and draw(st.integers(0, encrypted)) == encrypted // 2
    target = draw(
        instances(
            VolumeTarget,
            path=st.none(),
            format=st.just(form),
            encryption=encryptions(secrets) if encrypts else st.none(),
        ).filter(lambda target: target.format == form)
    )
    backing = bases[draw(st.sampled_from(BACKED[form]))] if form in BACKED and draw(st.booleans()) else None
    plain = form in (None, "raw")
    whole = plain and draw(st.booleans())
    sizes = small if whole else small | large | huge if plain else small | large
    return VolumeSpec(
        name=draw(
            matching("[a-zA-Z][a-zA-Z0-9._-]{0,20}")
            if encrypts
            else names(VOLUME_NAME.pattern, check_volume_name)
        ),
        capacity=None if backing and draw(st.booleans()) else draw(sizes) or int(form == "qcow"),
        allocation=None if whole else draw(small if plain else st.none() | small | large),
        target=target,
        backing_store=backing,
    ).request()


def dir_pools(folder: Path) -> st.SearchStrategy[PoolSpec]:
    """Directory pools below a folder."""
    target = instances(PoolTarget, path=paths(folder)).filter(lambda target: target.path is not None)
    features = instances(PoolFeatures, cow=st.sampled_from([None] * 8 + [True, False]))
    made = pools(DirSource, name=pool_names(), target=target, features=features)
    return made.map(PoolSpec.request)


def pool_names() -> Values:
    """Names that may be given to new pools."""
    return names(POOL_NAME.pattern, check_pool_name)


def names(pattern: str | None, check: Callable[[str], None]) -> Values:
    """Names that may be given to new things."""

    def good(name: str) -> bool:
        if name.startswith("-"):  # which is taken, with a warning
            return False
        try:
            check(name)
        except InvalidRequestError:
            return False
        return True

    return matching(cast("str", pattern)).filter(good)


def paths(folder: Path) -> st.SearchStrategy[str]:
    """Paths below a folder, in every spelling."""
    part = matching(r"[^\n\r/]{1,20}").filter(lambda part: part not in (".", ".."))
    return st.builds(
        lambda parts, between, end: f"{folder}/{between.join(parts)}{end}",
        st.lists(part, min_size=1, max_size=3),
        st.sampled_from(["/", "//"]),
        st.sampled_from(["", "", "/"]),
    )
