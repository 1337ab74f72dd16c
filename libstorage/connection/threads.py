"""libstorage's own threads: starts them, receives from them and joins them as long as they can run.

At the end of the program these threads are frozen, and a forked child does not have them. In both cases, waiting for such
a thread would never end.
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
    "Start worker processes with multiprocessing's 'spawn' or 'forkserver' method, or make the first connection after "
    "the fork. The connection of the parent process still works."
)
"""Hint for a connection that belongs to the parent process."""

ENDING_HINT: Final = (
    "Use hosts and volumes while the program runs: in a with block, or in a function that is registered with atexit. "
    "A __del__ method may be called too late."
)
"""Hint for a call that comes after the end of the program."""

LOOK_AGAIN: Final = 1.0
"""Seconds between two checks that the awaited thread still runs."""

_LINGER = 2.0  # seconds


def start(thread: threading.Thread) -> None:
    """Start a thread.

    Raises:
        ConnectionFailedError: If no thread can be started, because the program is ending or has too many threads.
    """
    if ending.is_past():
        raise too_late("no thread can be started")
    try:
        thread.start()
    except RuntimeError as error:
        raise ConnectionFailedError(
            f"no thread can be started: {error}",
            hint=f"The program has too many threads, or is ending. {ENDING_HINT}",
            outcome="not_started",
            retry="backoff",
        ) from None


def join(thread: threading.Thread, seconds: float | None = None) -> None:
    """Wait until a thread ends, unless the end of the program has frozen it."""
    if not ending.is_past():
        thread.join(seconds)


def take(words: SimpleQueue[T], speaker: threading.Thread, seconds: float | None = None) -> T:
    """Return the next message of a thread. Unlike ``Thread.join()``, this can be interrupted by Ctrl-C.

    Args:
        words: The queue into which the thread puts its messages.
        speaker: The thread.
        seconds: How long to wait, at most.

    Raises:
        Empty: If the thread sent no message in that time.
        StorageError: If the thread sent no message and does not run any more.
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
    """In a daemon thread, let the program end first: an error that the thread raises would be printed after the end."""
    if threading.current_thread().daemon:
        sleep(_LINGER)


def too_late(what: str, uri: str | None = None) -> ConnectionFailedError:
    """Return the error for something that was tried after the end of the program."""
    return ConnectionFailedError(
        f"{what}: the program is ending", uri=uri, hint=ENDING_HINT, outcome="not_started", retry="no"
    )


def _gone(speaker: threading.Thread) -> StorageError:
    if ending.is_past():
        return too_late(f"the thread {speaker.name} no longer runs")
    return ConnectionLostError(
        f"the thread {speaker.name} belongs to the parent process that forked this one",
        hint=FORK_HINT,
        outcome="not_started",
        retry="no",
    )
