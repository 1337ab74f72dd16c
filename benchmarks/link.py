"""A link to a daemon that takes its time: TCP on this machine, every piece of data on its way for so long, no other limit.

It runs in a process of its own, so that it takes no turns with the client's threads.  ``slow_link`` starts and ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_MOST_AT_ONCE = 1 << 18  # bytes


@contextmanager
def slow_link(uri: str, delay: float) -> Iterator[str]:
    """The address of a private daemon as seen from far away.

    Args:
        uri: The daemon's own address, ``storage:///system?socket=PATH``.
        delay: Seconds from one end to the other: half of a round trip.
    """
    here, _, socket = uri.partition("?socket=")
    command = [sys.executable, __file__, socket, str(delay)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as link:
        assert link.stdin is not None
        assert link.stdout is not None
        port = int(link.stdout.readline())
        try:
            yield here.replace(":///", f"+tcp://127.0.0.1:{port}/")
        finally:
            link.stdin.close()


async def _serve(socket: str, delay: float) -> None:
    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, questions = await asyncio.open_unix_connection(socket)
        await asyncio.gather(_carry(reader, questions, delay), _carry(answers, writer, delay))

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    orphaned = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, orphaned.set)
    await orphaned.wait()


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter, delay: float) -> None:
    later = asyncio.get_running_loop().call_later
    with contextlib.suppress(ConnectionError):
        while data := await source.read(_MOST_AT_ONCE):
            later(delay, sink.write, data)
    later(delay, sink.close)


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], float(sys.argv[2])))
