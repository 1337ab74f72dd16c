"""Probing images."""

from __future__ import annotations

from libstorage.client.volume import Volume, readable
from libstorage.transfer.ends.opening import UploadSource, opened_source
from libstorage.transfer.pieces.image import HEAD, ImageInfo, probe
from libstorage.transfer.pieces.piece import taken


def probe_image(source: UploadSource | Volume) -> ImageInfo:
    """Detect the format of an image without trusting it: only the first 2 MiB are read, and no file that it names.

    The detection uses the same marks as libvirt and qemu. A VHD of fixed size has its only mark at the end, which is not
    read: libvirt, too, takes it for a raw image.

    Args:
        source: A path or URL, a file object in binary mode (read from its current position), bytes, an iterable of
            bytes, or a volume. The source is not decompressed.

    Raises:
        InvalidRequestError: If the image has the mark of a format and breaks its rules; or if the source is not readable.
        OSError: If the source cannot be read.
    """
    with opened_source(readable(source), holes=True) as opened:
        return probe(taken(opened, HEAD), opened)
