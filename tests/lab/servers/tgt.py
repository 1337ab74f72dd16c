"""An iSCSI server in user space: tgtd, with a target for everybody and one that asks for a CHAP password."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from attrs import frozen

from tests.lab.servers.programs import free_ports, run, running, scratch, wait_for

PLAIN = "iqn.2024-01.lab:plain"
CHAP = "iqn.2024-01.lab:chap"
USER = "labuser"
PASSWORD = "labpassword1"
INITIATOR = "iqn.2024-01.lab:initiator"
LUN_SIZE = 4 << 20


@frozen
class IscsiServer:
    """A running server.

    Attributes:
        address: Host name or address.
        port: Where it listens.
        images: The files behind LUN 1 of each target.
    """

    address: str
    port: int
    images: dict[str, Path]

    @property
    def portal(self) -> str:
        """Address and port in one."""
        return f"{self.address}:{self.port}"


@contextmanager
def iscsi_server() -> Iterator[IscsiServer]:
    """An iSCSI server on a free port of this machine."""
    with scratch("iscsi") as folder:
        server = IscsiServer(
            "127.0.0.1", free_ports(1)[0], {PLAIN: folder / "plain.img", CHAP: folder / "chap.img"}
        )
        variables = {"TGT_IPC_SOCKET": str(folder / "control")}
        admin = partial(run, "tgtadm", "--control-port", "0", variables=variables)
        log = folder / "log"
        command = ("tgtd", "--foreground", "--control-port", "0", "--iscsi", f"portal={server.portal}")
        with running(*command, log=log, variables=variables, ending=signal.SIGKILL):  # deaf to others
            wait_for(lambda: admin("--lld", "iscsi", "--op", "show", "--mode", "target"), "tgtd", log=log)
            for number, (name, image) in enumerate(server.images.items(), 1):
                with image.open("wb") as file:
                    file.truncate(LUN_SIZE)
                target = ("--lld", "iscsi", "--tid", str(number))
                admin(*target, "--op", "new", "--mode", "target", "--targetname", name)
                admin(
                    *target,
                    "--op",
                    "new",
                    "--mode",
                    "logicalunit",
                    "--lun",
                    "1",
                    "--backing-store",
                    str(image),
                )
                admin(*target, "--op", "bind", "--mode", "target", "--initiator-address", "127.0.0.1")
            account = ("--lld", "iscsi", "--mode", "account", "--user", USER)
            admin(*account, "--op", "new", "--password", PASSWORD)
            admin(*account, "--op", "bind", "--tid", "2")
            yield server
