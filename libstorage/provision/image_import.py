"""A new volume that is an image from somewhere else: made, filled, compared with what was found; or not there at all."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

import attrs

from libstorage.connection.identity import PoolId, VolumeId
from libstorage.errors import InvalidRequestError
from libstorage.provision.fill import Image, Wanted, fill_image, nothing_made
from libstorage.session.channel import Channel
from libstorage.transfer.ends.addresses import is_url
from libstorage.transfer.ends.opening import UploadSource, opened_source
from libstorage.transfer.ends.web.asking import USUAL, Asking
from libstorage.transfer.pieces.ceiling import Capped
from libstorage.transfer.pieces.checksum import Checks
from libstorage.transfer.pieces.decompress import SUFFIXES, Compression, Decompressed, decompressed
from libstorage.transfer.pieces.filters import Hashed
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
    """Make a volume of an image. See [Volumes.import_image][libstorage.Volumes.import_image]."""
    _check_asked(given, wanted, asking)
    with opened_source(given, holes=wanted.sparse is not False, latest=watch.latest, asking=asking) as opened:
        source = opened if wanted.ceiling is None else Capped(opened, wanted.ceiling, tables=True)
        digest = checks.digest()
        with nothing_made():
            content = decompressed(Hashed(source, digest) if digest else source, how)
        suffixes = SUFFIXES[content.how] if isinstance(content, Decompressed) else ()
        request = wanted.request(
            lambda: _file_name(given, suffixes), strict_name=channel.options.strict_names
        )
        with nothing_made():
            image = Image(content, lambda: checks.check(digest, source.name), wanted.ceiling)
        if isinstance(content, Decompressed) and wanted.sparse == "auto":
            wanted = attrs.evolve(wanted, sparse=True)
        return fill_image(channel, pool, image, request, wanted, watch)


def _check_asked(given: UploadSource, wanted: Wanted, asking: Asking) -> None:
    """Refuse what contradicts itself.

    Raises:
        InvalidRequestError: A floor is above the ceiling; a server cannot be asked like that, or there is none to ask.
    """
    asking.check()
    floor = max(wanted.min_capacity or 0, (wanted.spec.capacity if wanted.spec else None) or 0)
    if wanted.max_capacity is not None and floor > wanted.max_capacity:
        raise InvalidRequestError(
            f"the volume is to have {Size(floor)} at least, and {wanted.max_capacity} at most"
        )
    if asking.headers and not (isinstance(given, str) and is_url(given)):
        raise InvalidRequestError("headers are for URLs, and the source is none")


def _file_name(given: UploadSource, suffixes: tuple[str, ...]) -> str:
    """What a source's file is called, without the suffix of its compression.

    Raises:
        InvalidRequestError: It is no file.
    """
    place: object = given if isinstance(given, str | os.PathLike) else getattr(given, "name", None)
    if isinstance(given, str) and "://" in given:
        place = unquote(urlsplit(given).path)
    name = Path(place).name if isinstance(place, str | os.PathLike) else ""
    for suffix in suffixes:
        name = name.removesuffix(suffix)
    if not name:
        raise InvalidRequestError(
            "the volume has no name, and the source has none either", hint="Give it with name=."
        )
    return name
