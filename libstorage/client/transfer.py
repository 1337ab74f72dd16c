"""Upload and download: one stream, one loop, and what is said when it breaks off."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import attrs

from libstorage.client import files
from libstorage.client.arrival import Ending
from libstorage.client.files import Local, Source
from libstorage.client.options import Part, Progress
from libstorage.client.raw import decoded, raw_volume
from libstorage.client.settle import let_pool_see
from libstorage.connection.lane import Lane
from libstorage.connection.raw import RawStream, RawVolume
from libstorage.connection.target import VolumeId
from libstorage.enums import VolumeFormat, VolumeInfoFlags, VolumeType
from libstorage.errors import InvalidRequestError, StorageError, TransferError
from libstorage.models.volume import VolumeSpec
from libstorage.operations import VOLUME_DOWNLOAD, VOLUME_INFO, VOLUME_UPLOAD, VOLUME_XML, Operation

if TYPE_CHECKING:
    from libstorage.client.host import Host

SEND_BYTES: Final = 1 << 20
"""How much to send at once: more is slower, and beyond 32 MiB refused."""
RECEIVE_BYTES: Final = 262_120
"""How much to ask for at once: libvirt gives no more."""

_PLAIN = (None, VolumeFormat.RAW, VolumeFormat.ISO, VolumeFormat.NONE, VolumeFormat.UNKNOWN)


# ---- upload ---------------------------------------------------------------------------------------------------------


def upload(host: Host, volume: VolumeId, local: Local, part: Part, progress: Progress | None) -> None:
    """Send a local file, and refresh the pool. See [Volume.upload][libstorage.Volume.upload]."""
    with files.source(local) as source:
        length = _length_to_send(source, part)
        _check_room(volume, _document(host, volume), part.offset, length)
        count = _Count(length, progress)
        try:
            _send(host, volume, source, part.offset, count)
        except BaseException as error:
            _explain(
                error,
                VOLUME_UPLOAD,
                volume,
                _state_after_upload(volume, part.offset, count),
                begun=count.begun,
            )
            raise
    if length:
        let_pool_see(host, volume.pool)


def _length_to_send(source: Source, part: Part) -> int:
    there = source.length
    if part.length is None:
        if there is None:
            raise InvalidRequestError(
                f"{source.name} cannot tell how long it is", hint="Pass length=.", outcome="not_started"
            )
        return there
    if there is not None and there < part.length:
        raise InvalidRequestError(
            f"{source.name} has {there} bytes, not {part.length}", outcome="not_started"
        )
    return part.length


def _document(host: Host, volume: VolumeId) -> VolumeSpec:
    xml = host._call(VOLUME_XML, volume, lambda lane: decoded(lambda: raw_volume(lane, volume).XMLDesc(0)))
    return VolumeSpec.from_xml(xml.encode("utf-8", "backslashreplace"))


def _check_room(volume: VolumeId, spec: VolumeSpec, offset: int, length: int) -> None:
    """Refuse to write past the end, which libvirt would do: the file, and with it the volume, would grow."""
    if spec.type in (VolumeType.DIR, VolumeType.NETDIR):
        raise _refusal(
            VOLUME_UPLOAD, volume, f"{volume} is a directory: it holds files, but no bytes of its own"
        )
    if spec.type == VolumeType.FILE and spec.target.format not in _PLAIN:
        return  # the file of an image that grows as it is filled
    room = int(max(spec.capacity or 0, spec.physical or 0))
    if offset + length > room:
        raise _refusal(
            VOLUME_UPLOAD,
            volume,
            f"{length} bytes from byte {offset} on do not fit into {volume}, which has {room}",
            hint=f"Make it larger first: resize({offset + length}).",
        )


def _send(host: Host, volume: VolumeId, source: Source, offset: int, count: _Count) -> None:
    count.show()
    if not count.length:
        return  # libvirt takes a length of 0 for no limit
    with host._lane(VOLUME_UPLOAD, volume) as lane:
        raw = raw_volume(lane, volume, fresh=True)
        ending = Ending(offset)
        with _stream(lane, lambda stream: raw.upload(stream, offset, count.length, 0)) as stream:
            count.begun = True
            while count.left:
                with _own_time(lane):
                    data = source.read(min(SEND_BYTES, count.left))
                if not data:
                    raise TransferError(f"{source.name} ended after {count.done} of {count.length} bytes")
                ending.add(data)
                _send_all(stream, data)
                with _own_time(lane):
                    count.add(len(data))
        _check_end(lane, raw, ending)


def _check_end(lane: Lane, raw: RawVolume, ending: Ending) -> None:
    def read(offset: int, length: int) -> bytes:
        found = b""
        with _stream(lane, lambda stream: raw.download(stream, offset, length, 0)) as stream:
            while len(found) < length and (data := stream.recv(length - len(found))):
                found += data
        return found

    missing = ending.first_missing(read)
    if missing is not None:
        raise TransferError(
            f"libvirt says that all is well, but the bytes from {missing.offset} on are not there",
            hint="The storage under the pool is full, probably, or somebody else wrote to the volume meanwhile.",
        )


def _send_all(stream: RawStream, data: bytes) -> None:
    while data:
        sent = stream.send(data)
        if sent <= 0:
            raise TransferError(f"the stream took none of {len(data)} bytes")
        data = data[sent:]


def _state_after_upload(volume: VolumeId, offset: int, count: _Count) -> str:
    if not count.begun:
        return f"Nothing was sent; {volume} is as it was."
    return (
        f"{count.done} of {count.length} bytes were sent; bytes {offset} to {offset + count.length} of {volume} are "
        "undefined now. Upload it again from the start."
    )


# ---- download -------------------------------------------------------------------------------------------------------


def download(
    host: Host, volume: VolumeId, local: Local, part: Part, progress: Progress | None, *, overwrite: bool
) -> None:
    """Receive into a local file. See [Volume.download][libstorage.Volume.download]."""
    with files.target(local, overwrite=overwrite) as write:
        count = _Count(_length_to_receive(host, volume, part), progress)
        try:
            _receive(host, volume, write, part.offset, count)
        except BaseException as error:
            state = f"{count.done} of {count.length} bytes were received; {volume} is as it was."
            _explain(error, VOLUME_DOWNLOAD, volume, state, begun=False)
            raise


def _length_to_receive(host: Host, volume: VolumeId, part: Part) -> int:
    kind, _, size = host._call(
        VOLUME_INFO, volume, lambda lane: raw_volume(lane, volume).infoFlags(VolumeInfoFlags.GET_PHYSICAL)
    )
    if kind in (VolumeType.DIR, VolumeType.NETDIR):
        raise _refusal(
            VOLUME_DOWNLOAD, volume, f"{volume} is a directory: it holds files, but no bytes of its own"
        )
    end = size if part.length is None else part.offset + part.length
    if max(end, part.offset) > size:
        raise _refusal(
            VOLUME_DOWNLOAD,
            volume,
            f"bytes {part.offset} to {end} are past the end of {volume}, which has {size}",
        )
    return end - part.offset


def _receive(
    host: Host, volume: VolumeId, write: Callable[[bytes], None], offset: int, count: _Count
) -> None:
    count.show()
    if not count.length:
        return  # libvirt takes a length of 0 for no limit
    with host._lane(VOLUME_DOWNLOAD, volume) as lane:
        raw = raw_volume(lane, volume)
        with _stream(lane, lambda stream: raw.download(stream, offset, count.length, 0)) as stream:
            while count.left:
                data = stream.recv(min(RECEIVE_BYTES, count.left))
                if not data:
                    raise TransferError(f"{volume} ended after {count.done} of {count.length} bytes")
                with _own_time(lane):
                    write(data)
                    count.add(len(data))


# ---- both -----------------------------------------------------------------------------------------------------------


@attrs.define
class _Count:
    """How far a transfer is."""

    length: int
    progress: Progress | None
    done: int = 0
    begun: bool = False

    @property
    def left(self) -> int:
        return self.length - self.done

    def add(self, number: int) -> None:
        self.done += number
        self.show()

    def show(self) -> None:
        if self.progress is not None:
            self.progress(self.done, self.length)


@contextmanager
def _stream(lane: Lane, begin: Callable[[RawStream], object]) -> Iterator[RawStream]:
    """A stream that is finished when the block ends well, and aborted when it does not; either once."""
    stream = lane.connection.newStream(0)
    try:
        begin(stream)
        yield stream
    except BaseException:
        with contextlib.suppress(Exception):  # it repeats what went wrong
            stream.abort()
        raise
    stream.finish()


@contextmanager
def _own_time(lane: Lane) -> Iterator[None]:
    """For what the caller's file and progress do: they may take as long as they like."""
    lane.pause()
    yield
    lane.renew()


def _explain(
    error: BaseException, operation: Operation, volume: VolumeId, state: str, *, begun: bool
) -> None:
    """Say in the error what state things are in; an error of the caller's own keeps its class and gets a note."""
    if not isinstance(error, StorageError):
        error.add_note(f"{operation} on {volume} broke off. {state}")
        return
    error.operation, error.target, error.uri = operation.name, str(volume), volume.uri
    error.hint = "\n".join(filter(None, (error.hint, state)))
    if begun:
        error.outcome, error.retry = "unknown", "after_reconcile"


def _refusal(
    operation: Operation, volume: VolumeId, message: str, hint: str | None = None
) -> InvalidRequestError:
    return InvalidRequestError(
        message,
        operation=operation.name,
        target=str(volume),
        uri=volume.uri,
        hint=hint,
        outcome="not_started",
        retry="no",
    )
