"""A daemon that starts as it does when its machine boots."""

from __future__ import annotations

from libstorage.testing import PrivateDaemon


def boot(daemon: PrivateDaemon) -> None:
    """Start it again, as the first time since the machine booted: libvirt starts pools (autostart) only then."""
    daemon.stop()
    (daemon.socket.parent / "storage" / "autostarted").unlink(missing_ok=True)
    daemon.start()
