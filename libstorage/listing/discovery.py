"""Source discovery: builds the query document, and refuses queries known to crash the daemon."""

from __future__ import annotations

from collections.abc import Iterable

from libstorage.enums import PoolType
from libstorage.errors import UnsupportedError
from libstorage.known_faults import ISCSI_DIRECT_SOURCES
from libstorage.models.discovery import PoolSources, SourceQuery
from libstorage.models.source_parts import SourceHost
from libstorage.operations import POOL_FIND_SOURCES
from libstorage.session.channel import Channel


def find_sources(
    channel: Channel,
    type: PoolType | str,
    hosts: Iterable[SourceHost | str] | SourceHost | str,
    initiator: str | None,
    *,
    allow_crash: bool,
) -> PoolSources:
    """Find sources that pools could be made from. See [Host.find_sources][libstorage.Host.find_sources]."""
    request = request_of(hosts, initiator)
    if not allow_crash:
        refuse_crash(type, channel.versions.daemon, channel.uri)
    xml = channel.call(
        POOL_FIND_SOURCES,
        channel.host,
        lambda lane: lane.connection.findStoragePoolSources(str(type), request, 0),
    )
    return PoolSources.from_libvirt(xml)


def request_of(hosts: Iterable[SourceHost | str] | SourceHost | str, initiator: str | None) -> str | None:
    """Return the query document, ``None`` if the query has no parameters.

    Raises:
        DocumentError: If a server or the initiator is malformed.
    """
    query = SourceQuery(hosts=hosts, initiator=initiator)
    return query.to_xml() if query.hosts or query.initiator else None


def refuse_crash(type: PoolType | str, daemon_version: int, uri: str) -> None:
    """Refuse a query that would crash the daemon.

    Raises:
        UnsupportedError: If it would.
    """
    if type != PoolType.ISCSI_DIRECT or not ISCSI_DIRECT_SOURCES.affects(daemon_version):
        return
    raise UnsupportedError(
        "finding iscsi-direct sources crashes this daemon if the server has more than one target",
        operation=POOL_FIND_SOURCES.name,
        target=f"host {uri}",
        uri=uri,
        hint="Find iscsi sources instead: they are the same. Or allow the crash with allow_crash=True.",
    )
