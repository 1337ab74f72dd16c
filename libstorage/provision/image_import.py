"""Imports an image as a new volume."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

import attrs

from libstorage.connection.identity import PoolId, VolumeId
from libstorage.errors import InvalidRequestError
from libstorage.operations import VOLUME_CREATE
from libstorage.provision.claims import Claims
from libstorage.provision.fill import Image, Wanted, fill_image, nothing_made
from libstorage.session.channel import Channel
from libstorage.session.guards import Change
from libstorage.session.soundness import refuse_unsound
from libstorage.transfer.ends.addresses import is_url
from libstorage.transfer.ends.opening import UploadSource, opened_source
from libstorage.transfer.ends.web.asking import USUAL, Asking
from libstorage.transfer.pieces.ceiling import Capped
from libstorage.transfer.pieces.checksum import Checks
from libstorage.transfer.pieces.decompress import SUFFIXES, Compression, Decompressed, decompressed
from libstorage.transfer.pieces.filters import Hashed
from libstorage.transfer.pieces.piece import Openable, peek_of
from libstorage.transfer.progress import Watch
from libstorage.units import Size


def import_image(
    channel: Channel,
    pool: PoolId,
    given: UploadSource,
    wanted: Wanted,
    checks: Checks,
    how: Compression | None,
    watch: Watch,
    asking: Asking = USUAL,
) -> VolumeId:
    """Create a volume from an image. See [Volumes.import_image][libstorage.Volumes.import_image]."""
    _check_asked(given, wanted, asking)
    if wanted.spec is not None:
        refuse_unsound(Change(VOLUME_CREATE, VolumeId(pool, wanted.spec.name), wanted.spec))
    with opened_source(given, holes=wanted.sparse is not False, latest=watch.latest, asking=asking) as opened:
        source = opened if wanted.ceiling is None else Capped(opened, wanted.ceiling, tables=True)
        digest = checks.digest()
        with nothing_made():
            content = decompressed(Hashed(source, digest) if digest else source, how)
        found = content.how if isinstance(content, Decompressed) else None
        name = _file_name(given, SUFFIXES.get(found or "", ()))
        request = wanted.request(lambda: _needed(name), strict_name=channel.options.strict_names)
        claims = _claims(given, name, wanted, found, how)
        peek = peek_of(opened) if found is None else None

        def check() -> None:
            checks.check(digest, source.name)
            claims.check(image)

        with nothing_made():
            image = Image(content, check, peek)
            claims.check(image)
            if wanted.ceiling is not None:
                image.cap(wanted.ceiling)
        if isinstance(content, Decompressed) and wanted.sparse == "auto":
            wanted = attrs.evolve(wanted, sparse=True)
        return fill_image(channel, pool, image, request, wanted, watch)


def _check_asked(given: UploadSource, wanted: Wanted, asking: Asking) -> None:
    """Check that the arguments agree with each other.

    Raises:
        InvalidRequestError: If the minimum is above the maximum, a header is not allowed, or headers are given for a
            source that is not a URL.
    """
    asking.check()
    floor = max(wanted.min_capacity or 0, (wanted.spec.capacity if wanted.spec else None) or 0)
    if wanted.max_capacity is not None and floor > wanted.max_capacity:
        raise InvalidRequestError(
            f"the minimum capacity {Size(floor)} is above the maximum {wanted.max_capacity}"
        )
    if asking.headers and not (isinstance(given, str) and is_url(given)):
        raise InvalidRequestError("headers are for URLs only, and the source is not a URL")


def _claims(
    given: UploadSource, name: str, wanted: Wanted, found: str | None, how: Compression | None
) -> Claims:
    """Return what the image is said to be; the name of a volume says nothing."""
    return Claims(
        name="" if isinstance(given, Openable) else name,
        is_url=isinstance(given, str) and is_url(given),
        how=found,
        said=None if wanted.spec is None else wanted.spec.target.format,
        unchanged=how is None,
    )


def _file_name(given: UploadSource, suffixes: tuple[str, ...]) -> str:
    """Return the name of the source's file, without the suffix of its compression; empty if it has none."""
    place: object = given if isinstance(given, str | os.PathLike) else getattr(given, "name", None)
    if isinstance(given, str) and "://" in given:
        place = unquote(urlsplit(given).path)
    name = Path(place).name if isinstance(place, str | os.PathLike) else ""
    for suffix in suffixes:
        name = name.removesuffix(suffix)
    return name


def _needed(name: str) -> str:
    """Check that a name was found.

    Raises:
        InvalidRequestError: If the source has no file name.
    """
    if not name:
        raise InvalidRequestError(
            "the volume has no name, and the source has no file name", hint="Pass name=."
        )
    return name
