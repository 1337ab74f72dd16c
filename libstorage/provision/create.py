"""Creates a volume without content."""

from __future__ import annotations

import attrs

from libstorage.connection.identity import PoolId, VolumeId
from libstorage.enums import VolumeCreateFlags
from libstorage.models.volume import VolumeSpec
from libstorage.operations import VOLUME_CREATE
from libstorage.provision.checks import check_capacity, check_volume_spec
from libstorage.session.arguments import NoFlags, combined
from libstorage.session.calls import make_volume, without_schema
from libstorage.session.channel import Channel
from libstorage.session.validating import volume_create_flags


def create_volume(
    channel: Channel,
    pool: PoolId,
    spec: VolumeSpec,
    *,
    preallocate_metadata: bool = False,
    allow_unknown: bool = False,
    validate: bool = True,
    flags: VolumeCreateFlags | NoFlags = 0,
) -> VolumeId:
    """Create a volume. See [Volumes.create][libstorage.Volumes.create]."""
    spec = check_volume_spec(spec, strict_name=channel.options.strict_names, allow_unknown=allow_unknown)
    check_capacity(spec)
    if preallocate_metadata and spec.allocation is None:  # libvirt would allocate the whole capacity
        spec = attrs.evolve(spec, allocation=0)
    preallocate = VolumeCreateFlags.PREALLOC_METADATA if preallocate_metadata else None

    def made(by_schema: VolumeCreateFlags) -> VolumeId:
        wanted = combined(VolumeCreateFlags, flags, preallocate, by_schema)
        return make_volume(
            channel,
            VOLUME_CREATE,
            pool,
            spec,
            lambda raw, _: raw.createXML(spec.to_xml(), wanted),
            validate=validate,
        )

    return without_schema(made, volume_create_flags(channel.versions, validate=validate), spec)
