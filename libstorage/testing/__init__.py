"""Support for tests of programs that use libstorage: a private, real libvirt daemon."""

from __future__ import annotations

from libstorage.testing.daemon import PrivateDaemon, private_daemon

__all__ = ["PrivateDaemon", "private_daemon"]
