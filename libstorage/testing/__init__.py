"""What tests of programs that use libstorage need: a real libvirt daemon of one's own."""

from __future__ import annotations

from libstorage.testing.daemon import PrivateDaemon, private_daemon

__all__ = ["PrivateDaemon", "private_daemon"]
