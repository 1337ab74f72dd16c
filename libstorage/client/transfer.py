"""What uploads and downloads share: pieces from a source to a sink, and what is said when that breaks off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from libstorage.client.pieces import Sink, Source, length_of
from libstorage.client.progress import Meter
from libstorage.client.raw import decoded, raw_volume
from libstorage.connection.identity import VolumeId
from libstorage.connection.lane import Lane
from libstorage.enums import VolumeType
from libstorage.errors import InvalidRequestError, StorageError, TransferError
from libstorage.models.volume import VolumeSpec
from libstorage.operations import VOLUME_UPLOAD, VOLUME_XML, Operation

if TYPE_CHECKING:
    from libstorage.client.host import Host

_MOST: Final = 64 << 20  # bytes of a hole at once, so that one that has to be filled does not take too long


def pump(
    source: Source, sink: Sink | None, meter: Meter, lane: Lane | None = None, *, room: int | None = None
) -> None:
    """Move everything from a source to a sink.

    Args:
        source: Where from.
        sink: Where to; ``None`` for nowhere, when reading is all.
        meter: Knows how much there is, unless the source ends by itself.
        lane: The lane that the sink is on: the source and whoever watches may take as long as they like.
        room: How many bytes the sink takes at most.

    Raises:
        TransferError: The source ended before, or goes on after, what was to be moved.
    """
    while (left := meter.left) is None or left:
        with _own_time(lane, meter.latest):
            piece = source.read(_MOST if left is None else min(left, _MOST))
        if not length_of(piece):
            if left is None:
                return
            raise TransferError(f"{source.name} ended after {meter.done} of {meter.total} bytes")
        if room is not None and meter.done + length_of(piece) > room:
            raise TransferError(
                f"{source.name} does not fit: there is room for {room} bytes", hint="Resize it first."
            )
        if sink is not None:
            sink.write(piece)
        with _own_time(lane, meter.latest):
            meter.add(length_of(piece))


@contextmanager
def _own_time(lane: Lane | None, latest: float) -> Iterator[None]:
    """For what the caller's file and progress do: they may take as long as they like."""
    if lane is None:
        yield
        return
    lane.pause()
    try:
        yield
    finally:
        lane.renew(latest)


@contextmanager
def explained(
    operation: Operation, volume: VolumeId, state: Callable[[], tuple[str, bool]]
) -> Iterator[None]:
    """Say in an error what state things are in; one of the caller's own keeps its class and gets a note."""
    try:
        yield
    except BaseException as error:
        told, begun = state()
        if not isinstance(error, StorageError):
            error.add_note(f"{operation} on {volume} broke off. {told}".rstrip())
            raise
        if error.target in (None, str(volume)):  # and not about the source
            error.operation, error.target, error.uri = operation.name, str(volume), volume.uri
        error.hint = "\n".join(filter(None, (error.hint, told)))
        if begun:
            error.outcome, error.retry = "unknown", "after_reconcile"
        elif operation is VOLUME_UPLOAD:
            error.outcome = "not_started"
        raise


def refusal(
    operation: Operation, volume: VolumeId, message: str, hint: str | None = None
) -> InvalidRequestError:
    """What is said of a transfer that cannot be."""
    return InvalidRequestError(
        message,
        operation=operation.name,
        target=str(volume),
        uri=volume.uri,
        hint=hint,
        outcome="not_started",
        retry="no",
    )


def read_document(host: Host, volume: VolumeId) -> VolumeSpec:
    """What libvirt says of a volume."""
    return VolumeSpec.from_xml(
        host._call(
            VOLUME_XML, volume, lambda lane: decoded(lambda: raw_volume(lane, volume).XMLDesc(0))
        ).encode("utf-8", "backslashreplace")
    )


def check_bytes(operation: Operation, volume: VolumeId, spec: VolumeSpec) -> None:
    """Refuse a volume that has no bytes of its own.

    Raises:
        InvalidRequestError: It is a directory.
    """
    if spec.type in (VolumeType.DIR, VolumeType.NETDIR):
        raise refusal(operation, volume, f"{volume} is a directory: it holds files, but no bytes of its own")


def is_file(spec: VolumeSpec) -> bool:
    """Whether it is a file, which can have holes."""
    return spec.type in (None, VolumeType.FILE)
