"""The content of a volume as the source of a transfer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from libstorage.connection.identity import VolumeId
from libstorage.operations import VOLUME_DOWNLOAD
from libstorage.session.channel import Channel
from libstorage.session.leases import leases
from libstorage.transfer.pieces.piece import Source
from libstorage.transfer.volume.range import Part, readable_spec, volume_range
from libstorage.transfer.volume.receiver import receiving


class VolumeContent:
    """All bytes of a volume, received over a lane of their own.

    Args:
        channel: The host that the volume is on.
        volume: The volume.
    """

    def __init__(self, channel: Channel, volume: VolumeId) -> None:
        self.channel: Channel = channel
        self.volume: VolumeId = volume

    @property
    def name(self) -> str:
        """Name of the volume."""
        return self.volume.name

    @contextmanager
    def opened(self, *, holes: bool, latest: float) -> Iterator[Source]:
        """Receive the bytes. Meanwhile no operation of this process can change the volume.

        Raises:
            VolumeBusyError: If an operation of this process changes the volume.
        """
        with leases().reading(self.volume, VOLUME_DOWNLOAD), self.channel.apart(latest) as channel:
            spec = readable_spec(channel, self.volume)
            wanted = volume_range(self.volume, spec, Part(0, None), holes=holes)
            with receiving(channel, wanted, latest=latest) as source:
                yield source
