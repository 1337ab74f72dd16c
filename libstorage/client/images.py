"""Probing images."""

from __future__ import annotations

from libstorage.client.volume import Volume, readable
from libstorage.transfer.ends.opening import UploadSource, opened_source
from libstorage.transfer.pieces.image import HEAD, ImageInfo, Probed
from libstorage.transfer.pieces.piece import peek_of, taken


def probe_image(source: UploadSource | Volume) -> ImageInfo:
    """Detect the format of an image without trusting it, and without opening a file that it names.

    The first 2 MiB are read, and of a local file at most 16 MiB of tables behind them. The detection uses the same marks
    as libvirt and qemu. Tables of qcow2, qcow, qed, vmdk, vdi and vpc images that are behind the end of the file, or point
    there, are an error: the image is cut off. What is checked per format, and what is not, is in
    [Transfers](../transfers.md#what-a-probe-checks).

    A VHD of fixed size has its only mark at the end. libvirt takes it for a raw image, and so does this function;
    ``fixed_vhd`` is set where the end can be read.

    Args:
        source: A path or URL, a file object in binary mode (read from its current position), bytes, an iterable of
            bytes, or a volume. The source is not decompressed, but ``packed`` says what is inside a compression.

    Raises:
        InvalidRequestError: If the image has the mark of a format and breaks its rules, or is cut off; or if the source
            is not readable.
        OSError: If the source cannot be read.
    """
    with opened_source(readable(source), holes=True) as opened:
        return Probed(taken(opened, HEAD), opened, peek_of(opened)).info
