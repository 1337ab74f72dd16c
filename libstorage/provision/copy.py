"""Copies a volume into a pool of any host."""

from __future__ import annotations

from libstorage.connection.identity import PoolId, VolumeId
from libstorage.enums import VolumeFormat
from libstorage.errors import InvalidRequestError
from libstorage.models.volume import VolumeSpec
from libstorage.operations import VOLUME_CREATE
from libstorage.provision.checks import check_volume_spec
from libstorage.provision.fill import Image, Wanted, fill_image
from libstorage.session.calls import volume_spec
from libstorage.session.channel import Channel
from libstorage.session.guards import Change
from libstorage.session.names import check_volume_name
from libstorage.session.soundness import refuse_unsound
from libstorage.transfer.pieces.ceiling import check_shown
from libstorage.transfer.progress import Watch
from libstorage.transfer.upload import Sparse
from libstorage.transfer.volume.content import VolumeContent


def copy_volume(
    content: VolumeContent,
    channel: Channel,
    pool: PoolId,
    new: str | VolumeSpec | None,
    watch: Watch,
    *,
    sparse: Sparse,
    verify: bool,
) -> VolumeId:
    """Copy a volume into a pool of any host. See [Volume.copy_to][libstorage.Volume.copy_to].

    Args:
        content: The volume to copy.
        channel: The host of the copy.
        pool: The pool of the copy.
        new: The document or the name of the copy.
        watch: Progress and deadline of the transfer.
        sparse: How holes and zeros are handled.
        verify: Read the copy back, and compare.
    """
    have = volume_spec(watch.limited(content.channel), content.volume)
    request = _request(have, content.volume.name if new is None else new, pool, channel.options.strict_names)
    if have.backing_store and (
        request.backing_store is None or request.backing_store.path != have.backing_store.path
    ):
        raise InvalidRequestError(
            f"{content.volume} holds only what differs from {have.backing_store.path}",
            hint="Copy a clone of it, which is independent; or pass a VolumeSpec with the same backing store, "
            "if that exists on the other host.",
        )
    linked = have.backing_store is not None
    with content.opened(holes=sparse is not False, latest=watch.latest) as source:
        wanted, image = (
            Wanted(allow_backing_file=linked, sparse=sparse, verify=verify),
            Image(source, follows=False),
        )
        if request.capacity is not None:
            check_shown(image.name, image.info.virtual_size or 0, request.capacity)
        return fill_image(channel, pool, image, request, wanted, watch)


def _request(have: VolumeSpec, new: str | VolumeSpec, pool: PoolId, strict_names: bool) -> VolumeSpec:
    """Return the document of the copy; a name alone means the original's document under that name."""
    if isinstance(new, VolumeSpec):
        request = check_volume_spec(new, strict_name=strict_names)
        refuse_unsound(Change(VOLUME_CREATE, VolumeId(pool, request.name), request))
    else:
        check_volume_name(new, strict=strict_names)
        request = have.request(name=new, backing_store=None)
    if request.target.format is None:
        request = request.with_target(format=have.target.format or VolumeFormat.RAW)
    return request
