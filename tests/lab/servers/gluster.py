"""A Gluster volume of one brick, served by a glusterd of our own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path

from attrs import frozen

from tests.lab.servers.programs import ServerError, run, running_apart, scratch, wait_for

VOLUME = "gv0"
_VOLFILE = """volume management
    type mgmt/glusterd
    option working-directory {folder}/state
    option run-directory {folder}/run
    option transport-type socket
    option transport.socket.bind-address {address}
    option transport.socket.listen-port 24007
    option glusterd-sockfile {folder}/control
    option ping-timeout 0
    option event-threads 1
    option max-port 60999
end-volume
"""


@frozen
class GlusterServer:
    """A running server.

    Attributes:
        address: Where it listens, on the usual ports.
        brick: The folder with what is in the volume.
    """

    address: str
    brick: Path


@contextmanager
def gluster_server() -> Iterator[GlusterServer]:
    """A Gluster server with the volume ``gv0``."""
    with scratch("gluster") as folder, _loopback_address() as address:
        for name in ("state", "run", "log", "bricks", "usual-state", "usual-run/gluster"):
            (folder / name).mkdir(parents=True)
        volfile, log = folder / "glusterd.vol", folder / "log" / "output"
        volfile.write_text(_VOLFILE.format(folder=folder, address=address), "ascii")
        hidden = {
            folder / "usual-state": "/var/lib/glusterd",
            folder / "usual-run": "/run",
            folder / "log": "/var/log/glusterfs",
        }
        command = ("glusterd", "--no-daemon", f"--volfile={volfile}", f"--pid-file={folder}/pid")
        admin = partial(
            run,
            "gluster",
            f"--glusterd-sock={folder}/control",
            "--mode=script",
            f"--log-file={folder}/log/cli",
        )
        with running_apart(*command, log=log, hidden=hidden):
            wait_for(lambda: admin("pool", "list"), "glusterd", log=log)
            brick = folder / "bricks" / VOLUME
            admin("volume", "create", VOLUME, f"{address}:{brick}", "force")
            admin("volume", "start", VOLUME)
            yield GlusterServer(address, brick)


@contextmanager
def _loopback_address() -> Iterator[str]:
    """An address of this machine that is not 127.0.0.0/8, which Gluster refuses for bricks; one for each lab.

    It is of the range that is for tests within one machine (RFC 2544), and goes by itself after an hour if need be.
    """
    address = next(
        filter(_added, (f"198.18.{number >> 8 & 255}.{number & 255}" for number in count(os.getpid())))
    )
    try:
        yield address
    finally:
        run("ip", "address", "delete", f"{address}/32", "dev", "lo")


def _added(address: str) -> bool:
    hour = ("valid_lft", "3600", "preferred_lft", "3600")
    try:
        run("ip", "address", "add", f"{address}/32", "dev", "lo", *hour)
    except ServerError as refused:
        if "exists" not in str(refused):
            raise
        return False  # another lab has it
    return True
