"""The parts of a host below its handles, for tests that look at connections and lanes."""

from __future__ import annotations

from libstorage.client.handle import Handle
from libstorage.client.host import Host
from libstorage.connection.connection import Connection
from libstorage.session.channel import Channel
from libstorage.session.session import Session


def channel_of(thing: Host | Handle) -> Channel:  # type: ignore[type-arg] # of any identity
    """The channel that a host or a handle uses."""
    return thing._channel


def session_of(thing: Host | Handle) -> Session:  # type: ignore[type-arg] # of any identity
    """The session that a host or a handle uses, opened now if it is not open."""
    return channel_of(thing).session()


def connection_of(thing: Host | Handle) -> Connection:  # type: ignore[type-arg] # of any identity
    """The connection of that session."""
    return session_of(thing).connection
