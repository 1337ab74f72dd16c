"""Programs that a server consists of: started in the foreground, ended by their pid."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from time import monotonic, sleep

_END_LIMIT = 10.0


class ServerError(Exception):
    """A server of the lab did not do what it should."""


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """An empty folder for a server."""
    folder = Path(tempfile.mkdtemp(prefix=f"lab-{name}-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def free_ports(count: int, address: str = "127.0.0.1") -> list[int]:
    """Ports that nobody listens on, all different."""
    with ExitStack() as held:
        sockets = [held.enter_context(closing(socket.socket())) for _ in range(count)]
        for one in sockets:
            one.bind((address, 0))
        return [int(one.getsockname()[1]) for one in sockets]


def run(*command: str | Path, variables: Mapping[str, str] | None = None, limit: float = 60) -> str:
    """What a program prints that ends by itself."""
    done = subprocess.run(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=os.environ | (variables or {}),
        timeout=limit,
        check=False,
    )
    if done.returncode:
        raise ServerError(f"{command[0]} exited with status {done.returncode}: {done.stderr or done.stdout}")
    return done.stdout


@contextmanager
def running(
    *command: str | Path,
    log: Path,
    variables: Mapping[str, str] | None = None,
    ending: signal.Signals = signal.SIGTERM,
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs until it is ended; it goes, too, when this process goes without a word."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
            env=os.environ | (variables or {}),
            start_new_session=True,  # Ctrl-C in a terminal is for the tests
        )
    try:
        yield process
    finally:
        end(process, ending)


@contextmanager
def running_apart(*command: str | Path, log: Path, hidden: Mapping[Path, str]) -> Iterator[int]:
    """A program as the first of its own pid namespace, so that what it starts in the background ends with it.

    Args:
        command: The program.
        log: What it prints.
        hidden: Folders that it sees in the place of the machine's, which must be there.

    Yields:
        Its pid, as it is called here.
    """
    binds = " && ".join(f"mount --bind {ours} {place}" for ours, place in hidden.items())
    apart = [
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
    ]
    with running(*apart, "sh", "-c", f'{binds} && exec "$@"', "sh", *command, log=log) as process:
        child = _only_child(process)
        try:
            yield child
        finally:
            if process.poll() is None:  # it goes when its child has gone
                os.kill(child, signal.SIGKILL)
                process.wait(_END_LIMIT)


def _only_child(process: subprocess.Popen[bytes]) -> int:
    found: list[int] = []

    def look() -> None:
        found.extend(
            map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii").split())
        )
        if not found:
            raise ServerError("no program was started yet")

    wait_for(look, "unshare")
    return found[0]


def end(process: subprocess.Popen[bytes], ending: signal.Signals = signal.SIGTERM) -> None:
    """End a program, at last by force."""
    process.send_signal(ending)
    try:
        process.wait(_END_LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_for(answers: Callable[[], object], what: str, *, limit: float = 30, log: Path | None = None) -> None:
    """Wait until something answers without an error."""
    last: Exception | None = None
    until = monotonic() + limit
    while monotonic() < until:
        try:
            answers()
            return
        except (ServerError, OSError) as error:
            last = error
            sleep(0.05)
    printed = log.read_text("utf-8", "replace")[-2000:] if log and log.exists() else ""
    raise ServerError(f"{what} did not answer within {limit:g} s: {last}\n{printed}")
