"""Download: bytes of a volume into a local file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from libstorage.client import sinks
from libstorage.client.checks import Checks
from libstorage.client.leases import leases
from libstorage.client.options import Part
from libstorage.client.pieces import Hashed, Sink, Source
from libstorage.client.progress import Watch
from libstorage.client.receive import Extent, receiving
from libstorage.client.resume import after_what_is_there
from libstorage.client.sinks import Keeping, NewFileSink
from libstorage.client.transfer import check_bytes, explained, is_file, pump, read_document, refusal
from libstorage.connection.arguments import check_count
from libstorage.connection.identity import VolumeId
from libstorage.connection.process import NEVER
from libstorage.models.volume import VolumeSpec
from libstorage.operations import VOLUME_DOWNLOAD

if TYPE_CHECKING:
    from libstorage.client.host import Host

_AT_ONCE: Final = 3
"""How many ranges are received at once, unless told otherwise; a fourth gains little, and the last lane is left for others."""
_WORTHWHILE: Final = 128 << 20
"""How many bytes are worth another lane."""


def download(
    host: Host,
    volume: VolumeId,
    given: sinks.Target,
    part: Part,
    watch: Watch,
    checks: Checks,
    keeping: Keeping,
    *,
    parallel: int | None = None,
) -> None:
    """Receive into a local file. See [Volume.download][libstorage.Volume.download]."""
    if parallel is not None:
        _check_ranges(volume, parallel, given, keeping)
    host = watch.limited(host)
    with (
        leases().reading(volume, VOLUME_DOWNLOAD),
        sinks.opened(given, keeping) as sink,
        explained(VOLUME_DOWNLOAD, volume, lambda: _after_download(volume, watch)),
    ):
        spec = _readable(host, volume)
        extent = _extent(volume, spec, part, holes=keeping.sparse)
        if not isinstance(sink, NewFileSink):
            _in_order(host, extent, sink, watch, checks)
        elif keeping.resume:
            _in_order(host, extent, sink, watch, checks, resumed=sink)
        elif parallel == 1 or (parallel is None and not _is_worth_ranges(spec, extent, checks)):
            _in_order(host, extent, sink, watch, checks)
        else:
            _in_ranges(host, extent, sink, watch, checks, parallel or _AT_ONCE)


def _in_order(
    host: Host,
    extent: Extent,
    sink: Sink,
    watch: Watch,
    checks: Checks,
    *,
    resumed: NewFileSink | None = None,
) -> None:
    digest, same = checks.digest(), 0
    with receiving(host, extent, latest=watch.latest) as source:
        reading: Source = Hashed(source, digest) if digest else source
        if resumed is not None:
            compared = watch.phase("compare", min(resumed.there, extent.length))
            reading = after_what_is_there(reading, resumed.content(), compared)
            same = compared.done
            resumed.go_on_at(same)
        pump(reading, sink, watch.phase("download", extent.length - same))
        checks.check(digest, str(extent.volume))


def _in_ranges(
    host: Host, extent: Extent, sink: NewFileSink, watch: Watch, checks: Checks, at_once: int
) -> None:
    """Receive ranges into one new file; a digest is taken of what is in it then."""
    from libstorage.client.parallel import Ranges

    meter, digest = watch.phase("download", extent.length), checks.digest()
    if extent.length:
        Ranges(host, extent).receive(sink, meter, at_once)
    sink.go_on_at(extent.length)
    if digest is not None:
        pump(Hashed(sink.content(), digest), None, watch.phase("verify", extent.length))
        checks.check(digest, str(extent.volume))


def _is_worth_ranges(spec: VolumeSpec, extent: Extent, checks: Checks) -> bool:
    is_full = not is_file(spec) or (spec.allocation or 0) * 2 > (spec.physical or spec.capacity or 0)
    return is_full and extent.length >= _WORTHWHILE and not checks.digits


def _check_ranges(volume: VolumeId, parallel: int, given: sinks.Target, keeping: Keeping) -> None:
    check_count("parallel", parallel)
    if parallel > 1 and keeping.resume:
        raise refusal(VOLUME_DOWNLOAD, volume, "a parallel download cannot be resumed")
    if parallel > 1 and not sinks.is_path(given):
        raise refusal(
            VOLUME_DOWNLOAD,
            volume,
            "only a path takes ranges of a volume at once",
            hint="Leave out parallel=, or download to a path.",
        )


@contextmanager
def content(
    host: Host, volume: VolumeId, part: Part, *, holes: bool, latest: float = NEVER
) -> Iterator[Source]:
    """A part of a volume, as a source.

    Raises:
        InvalidRequestError: The volume has no such part.
    """
    extent = _extent(volume, _readable(host, volume), part, holes=holes)
    with receiving(host, extent, latest=latest) as source:
        yield source


def _readable(host: Host, volume: VolumeId) -> VolumeSpec:
    spec = read_document(host, volume)
    check_bytes(VOLUME_DOWNLOAD, volume, spec)
    return spec


def _extent(volume: VolumeId, spec: VolumeSpec, part: Part, *, holes: bool) -> Extent:
    """A part of a volume; only files can have holes.

    Raises:
        InvalidRequestError: The volume has no such part.
    """
    size = int(spec.physical or spec.capacity or 0)
    end = size if part.length is None else part.offset + part.length
    if max(end, part.offset) > size:
        raise refusal(
            VOLUME_DOWNLOAD,
            volume,
            f"bytes {part.offset} to {end} are past the end of {volume}, which has {size}",
        )
    return Extent(volume, part.offset, end - part.offset, holes and is_file(spec))


def _after_download(volume: VolumeId, watch: Watch) -> tuple[str, bool]:
    meter = watch.meter
    if meter is None:
        return "", False
    return f"{meter.done} of {meter.total} bytes were received; {volume} is as it was.", False
