"""Threads of our own: started, listened to and waited for as long as they can run.

At the end of the program they are frozen, and a forked child does not have them: who waits for one then would wait for
ever.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic, sleep
from typing import Final, TypeVar

from libstorage.connection import ending
from libstorage.errors import ConnectionFailedError, ConnectionLostError, StorageError

T = TypeVar("T")

FORK_HINT: Final = (
    "Start workers with multiprocessing's 'spawn' or 'forkserver' method, or connect for the first time after fork; "
    "the parent's connection is unharmed."
)
"""What to do about a connection that a fork has separated from its process."""

ENDING_HINT: Final = (
    "Use hosts and volumes while the program runs: in a with block, or in a function that is registered with atexit; "
    "a __del__ may be called too late."
)
"""What to do about a call that comes after the end of the program."""

LOOK_AGAIN: Final = 1.0
"""Seconds after which to look whether the thread that is waited for is still there."""

_LINGER = 2.0  # seconds


def start(thread: threading.Thread) -> None:
    """Start a thread.

    Raises:
        ConnectionFailedError: None can be started: the program is ending, or has too many.
    """
    if ending.is_past():
        raise too_late("no thread can be started")
    try:
        thread.start()
    except RuntimeError as error:
        raise ConnectionFailedError(
            f"no thread can be started: {error}",
            hint=f"The program has too many, or is ending. {ENDING_HINT}",
            outcome="not_started",
            retry="backoff",
        ) from None


def join(thread: threading.Thread, seconds: float | None = None) -> None:
    """Wait until a thread is over, as long as it can get there."""
    if not ending.is_past():
        thread.join(seconds)


def take(words: SimpleQueue[T], speaker: threading.Thread, seconds: float | None = None) -> T:
    """The next word of a thread. Ctrl-C may interrupt this, which cannot be said of ``Thread.join()``.

    Args:
        words: Where it puts them.
        speaker: The thread.
        seconds: How long to wait, at most.

    Raises:
        Empty: It has not said any in that time.
        StorageError: It has not said any, and never will.
    """
    latest = None if seconds is None else monotonic() + seconds
    while True:
        is_silent = ending.is_past() or not speaker.is_alive()
        left = LOOK_AGAIN if latest is None else max(0.0, min(LOOK_AGAIN, latest - monotonic()))
        with suppress(Empty):
            return words.get(timeout=0 if is_silent else left)
        if is_silent:
            raise _gone(speaker)
        if not left:
            raise Empty


def linger() -> None:
    """In a daemon thread: let the program end first, for what is raised then would be printed over its end."""
    if threading.current_thread().daemon:
        sleep(_LINGER)


def too_late(what: str, uri: str | None = None) -> ConnectionFailedError:
    """What is said of something that comes after the end of the program."""
    return ConnectionFailedError(
        f"{what}: the program is ending", uri=uri, hint=ENDING_HINT, outcome="not_started", retry="no"
    )


def _gone(speaker: threading.Thread) -> StorageError:
    if ending.is_past():
        return too_late(f"{speaker.name} does not run any more")
    return ConnectionLostError(
        f"{speaker.name} belongs to the process that this one was forked from",
        hint=FORK_HINT,
        outcome="not_started",
        retry="no",
    )
