"""What this process holds, measured at rest: libvirt's event loop closes sockets a moment after we did."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic, sleep

from libstorage.connection.sockets import all_sockets


def wait_until(true: Callable[[], bool], limit: float = 5.0) -> bool:
    """Whether it becomes true in so many seconds."""
    end = monotonic() + limit
    while not (is_true := true()) and monotonic() < end:
        sleep(0.005)
    return is_true


def resources() -> tuple[int, int]:
    """How many sockets and threads there are now."""
    return len(all_sockets()), threading.active_count()


def resources_at_rest() -> tuple[int, int]:
    """The same, once it no longer changes."""
    seen = [resources()]
    while len(set(seen[-20:])) > 1 or len(seen) < 20:
        sleep(0.005)
        seen.append(resources())
    return seen[-1]


def are_back(before: tuple[int, int]) -> bool:
    """Whether no more of them are left than there were."""
    return wait_until(lambda: resources() == before)
