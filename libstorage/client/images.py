"""What an image is, for callers."""

from __future__ import annotations

from libstorage.client.volume import Volume, readable
from libstorage.transfer.ends.opening import UploadSource, opened_source
from libstorage.transfer.pieces.image import HEAD, ImageInfo, probe
from libstorage.transfer.pieces.piece import taken


def probe_image(source: UploadSource | Volume) -> ImageInfo:
    """Find out what an image is, without trusting it: only its first 2 MiB are read, and nothing that it names.

    What libvirt and qemu go by is looked at in the same way. A VHD of fixed size has its only mark at its end, which is
    not looked at: to libvirt, too, it is a raw image.

    Args:
        source: A path or URL, a file object opened in binary mode (read from where it stands), bytes, an iterable of
            bytes, or a volume. It is not decompressed.

    Raises:
        InvalidRequestError: It says that it is of some format, and breaks its rules; or it is nothing to read from.
        OSError: It cannot be read.
    """
    with opened_source(readable(source), holes=True) as opened:
        return probe(taken(opened, HEAD), opened)
