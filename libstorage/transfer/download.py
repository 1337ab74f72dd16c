"""Downloads: bytes of a volume into a file."""

from __future__ import annotations

from typing import Final

from libstorage.connection.arguments import check_count
from libstorage.connection.identity import VolumeId
from libstorage.models.volume import VolumeSpec
from libstorage.operations import VOLUME_DOWNLOAD
from libstorage.session.channel import Channel
from libstorage.session.leases import leases
from libstorage.transfer.ends.opening import DownloadTarget, is_path, opened_sink
from libstorage.transfer.ends.sinks import NewFileSink, SaveOptions
from libstorage.transfer.explain import explained
from libstorage.transfer.pieces.checksum import Checks
from libstorage.transfer.pieces.filters import Hashed
from libstorage.transfer.pieces.piece import Sink, Source
from libstorage.transfer.pieces.resume import after_what_is_there
from libstorage.transfer.progress import Watch
from libstorage.transfer.pump import pump
from libstorage.transfer.volume.range import (
    Part,
    VolumeRange,
    is_file,
    readable_spec,
    refusal,
    volume_range,
)
from libstorage.transfer.volume.receiver import receiving

_AT_ONCE: Final = 3
"""Default number of ranges to receive at once; a fourth gains little, and the last lane is left for other calls."""
_WORTHWHILE: Final = 128 << 20
"""Number of bytes that justify another lane."""


def download(
    channel: Channel,
    volume: VolumeId,
    given: DownloadTarget,
    part: Part,
    watch: Watch,
    checks: Checks,
    saving: SaveOptions,
    *,
    parallel: int | None = None,
) -> None:
    """Download into a file. See [Volume.download][libstorage.Volume.download]."""
    if parallel is not None:
        _check_ranges(volume, parallel, given, saving)
    channel = watch.limited(channel)
    with (
        leases().reading(volume, VOLUME_DOWNLOAD),
        opened_sink(given, saving) as sink,
        explained(VOLUME_DOWNLOAD, volume, lambda: _after_download(volume, watch)),
    ):
        spec = readable_spec(channel, volume)
        wanted = volume_range(volume, spec, part, holes=saving.sparse)
        if not isinstance(sink, NewFileSink):
            _in_order(channel, wanted, sink, watch, checks)
        elif saving.resume:
            _in_order(channel, wanted, sink, watch, checks, resumed=sink)
        elif parallel == 1 or (parallel is None and not _is_worth_ranges(spec, wanted, checks)):
            _in_order(channel, wanted, sink, watch, checks)
        else:
            _in_ranges(channel, wanted, sink, watch, checks, parallel or _AT_ONCE)


def _in_order(
    channel: Channel,
    wanted: VolumeRange,
    sink: Sink,
    watch: Watch,
    checks: Checks,
    *,
    resumed: NewFileSink | None = None,
) -> None:
    digest, same = checks.digest(), 0
    with receiving(channel, wanted, latest=watch.latest) as source:
        reading: Source = Hashed(source, digest) if digest else source
        if resumed is not None:
            compared = watch.phase("compare", min(resumed.there, wanted.length))
            reading = after_what_is_there(reading, resumed.content(), compared)
            same = compared.done
            resumed.go_on_at(same)
        pump(reading, sink, watch.phase("download", wanted.length - same))
        checks.check(digest, str(wanted.volume))


def _in_ranges(
    channel: Channel, wanted: VolumeRange, sink: NewFileSink, watch: Watch, checks: Checks, at_once: int
) -> None:
    """Receive ranges into one new file, then compute the digest of the file."""
    from libstorage.transfer.volume.parallel import Ranges

    meter, digest = watch.phase("download", wanted.length), checks.digest()
    if wanted.length:
        Ranges(channel, wanted).receive(sink, meter, at_once)
    sink.go_on_at(wanted.length)
    if digest is not None:
        pump(Hashed(sink.content(), digest), None, watch.phase("verify", wanted.length))
        checks.check(digest, str(wanted.volume))


def _is_worth_ranges(spec: VolumeSpec, wanted: VolumeRange, checks: Checks) -> bool:
    is_full = not is_file(spec) or (spec.allocation or 0) * 2 > (spec.physical or spec.capacity or 0)
    return is_full and wanted.length >= _WORTHWHILE and not checks.digits


def _check_ranges(volume: VolumeId, parallel: int, given: DownloadTarget, saving: SaveOptions) -> None:
    check_count("parallel", parallel)
    if parallel > 1 and saving.resume:
        raise refusal(VOLUME_DOWNLOAD, volume, "a parallel download cannot be resumed")
    if parallel > 1 and not is_path(given):
        raise refusal(
            VOLUME_DOWNLOAD,
            volume,
            "parallel ranges need a path as target",
            hint="Omit parallel=, or download to a path.",
        )


def _after_download(volume: VolumeId, watch: Watch) -> tuple[str, bool]:
    meter = watch.meter
    if meter is None:
        return "", False
    return f"{meter.done} of {meter.total} bytes were received; {volume} is unchanged.", False
