"""Download: bytes of a volume into a local file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from libstorage.client import sinks
from libstorage.client.checks import Checks
from libstorage.client.leases import leases
from libstorage.client.options import Part
from libstorage.client.pieces import Hashed, Source
from libstorage.client.progress import Watch
from libstorage.client.resume import after_what_is_there
from libstorage.client.sinks import Keeping, NewFileSink
from libstorage.client.streams import receiving
from libstorage.client.transfer import check_bytes, explained, pump, read_document, refusal
from libstorage.connection.process import NEVER
from libstorage.connection.target import VolumeId
from libstorage.enums import VolumeType
from libstorage.operations import VOLUME_DOWNLOAD

if TYPE_CHECKING:
    from libstorage.client.host import Host


def download(
    host: Host,
    volume: VolumeId,
    given: sinks.Target,
    part: Part,
    watch: Watch,
    checks: Checks,
    keeping: Keeping,
    *,
    parallel: int = 1,
) -> None:
    """Receive into a local file. See [Volume.download][libstorage.Volume.download]."""
    host = watch.limited(host)
    if parallel != 1:
        _download_at_once(host, volume, given, part, watch, checks, keeping, parallel)
        return
    with (
        leases().reading(volume, VOLUME_DOWNLOAD),
        sinks.opened(given, keeping) as sink,
        explained(VOLUME_DOWNLOAD, volume, lambda: _after_download(volume, watch)),
        content(host, volume, part, holes=keeping.sparse, latest=watch.latest) as source,
    ):
        digest, total, same = checks.digest(), source.length or 0, 0
        reading: Source = Hashed(source, digest) if digest else source
        if keeping.resume and isinstance(sink, NewFileSink):
            compared = watch.phase("compare", min(sink.there, total))
            reading = after_what_is_there(reading, sink.content(), compared)
            same = compared.done
            sink.go_on_at(same)
        pump(reading, sink, watch.phase("download", total - same))
        checks.check(digest, str(volume))


def _download_at_once(
    host: Host,
    volume: VolumeId,
    given: sinks.Target,
    part: Part,
    watch: Watch,
    checks: Checks,
    keeping: Keeping,
    parallel: int,
) -> None:
    """Receive ranges into one new file; a digest is taken of what is in it then."""
    from libstorage.client.parallel import Ranges

    if parallel < 1 or keeping.resume:
        told = "cannot be resumed" if keeping.resume else f"has one range at least, not {parallel}"
        raise refusal(VOLUME_DOWNLOAD, volume, f"a parallel download {told}")
    with leases().reading(volume, VOLUME_DOWNLOAD), sinks.opened(given, keeping) as sink:
        if not isinstance(sink, NewFileSink):
            raise refusal(
                VOLUME_DOWNLOAD,
                volume,
                "only a path takes ranges of a volume at once",
                hint="Leave out parallel=, or download to a path.",
            )
        with explained(VOLUME_DOWNLOAD, volume, lambda: _after_download(volume, watch)):
            length, is_file = _extent(host, volume, part)
            meter, digest = watch.phase("download", length), checks.digest()
            if length:
                ranges = Ranges(host, volume, part.offset, length, holes=keeping.sparse and is_file)
                ranges.receive(sink, meter, parallel)
            sink.go_on_at(length)
            if digest is not None:
                pump(Hashed(sink.whole(), digest), None, watch.phase("verify", length))
                checks.check(digest, str(volume))


@contextmanager
def content(
    host: Host, volume: VolumeId, part: Part, *, holes: bool, latest: float = NEVER
) -> Iterator[Source]:
    """A part of a volume, as a source.

    Raises:
        InvalidRequestError: The volume has no such part.
    """
    length, is_file = _extent(host, volume, part)
    with receiving(host, volume, part.offset, length, holes=holes and is_file, latest=latest) as source:
        yield source


def _extent(host: Host, volume: VolumeId, part: Part) -> tuple[int, bool]:
    """How many bytes a part of a volume has, and whether they are in a file, which can have holes.

    Raises:
        InvalidRequestError: The volume has no such part.
    """
    spec = read_document(host, volume)
    check_bytes(VOLUME_DOWNLOAD, volume, spec)
    size = int(spec.physical or spec.capacity or 0)
    end = size if part.length is None else part.offset + part.length
    if max(end, part.offset) > size:
        raise refusal(
            VOLUME_DOWNLOAD,
            volume,
            f"bytes {part.offset} to {end} are past the end of {volume}, which has {size}",
        )
    return end - part.offset, spec.type in (None, VolumeType.FILE)


def _after_download(volume: VolumeId, watch: Watch) -> tuple[str, bool]:
    meter = watch.meter
    if meter is None:
        return "", False
    return f"{meter.done} of {meter.total} bytes were received; {volume} is as it was.", False
