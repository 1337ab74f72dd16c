"""A real sshd on loopback, with keys of its own, and the ssh that knows the way to it."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from libstorage.testing import PrivateDaemon

_SEPARATE = Path("/run/sshd")  # where sshd that runs as root locks up its part that talks with strangers
_IN_ITS_PLACE = (
    *("unshare", "--mount", "--propagation", "private", "sh", "-c"),
    'mkdir -p /run/libvirt && mount --bind "$0" /run/libvirt && exec "$@"',
)
# Ends when whoever started it goes without a word.
_GUARDED = ("sh", "-c", 'exec 3<&0; (read -r word <&3 || kill -TERM $$) & exec "$@" 3<&- </dev/null', "sh")
_START_LIMIT = 20.0


class SshServer:
    """One sshd, which lets us in as who we are.

    Args:
        folder: Where its files go.
        daemon: The daemon that those who log in find where libvirt looks for it.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, folder: Path, daemon: PrivateDaemon) -> None:
        self.port: int = _free_port()
        self._folder, self._daemon = folder, daemon
        folder.mkdir(mode=0o700)
        for key in ("host_key", "key"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        settings = {
            "Port": self.port,
            "ListenAddress": "127.0.0.1",
            "HostKey": folder / "host_key",
            "AuthorizedKeysFile": folder / "key.pub",
            "StrictModes": "no",  # our folder is in one where all may write
            "PermitRootLogin": "yes",
            "UsePAM": "no",
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "MaxStartups": "100",
            "PidFile": "none",
            "SetEnv": f"XDG_RUNTIME_DIR={daemon.folder / 'run'}",  # for a session daemon
        }
        (folder / "sshd_config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))

    def entry(self, name: str) -> str:
        """What ssh's configuration says of it under a name, which then needs no port."""
        return f"Host {name}\n HostName 127.0.0.1\n Port {self.port}\n"

    @property
    def key(self) -> Path:
        """The key that opens it."""
        return self._folder / "key"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let it run for a while."""
        if os.geteuid() == 0:
            _SEPARATE.mkdir(mode=0o755, exist_ok=True)
        program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program is not None, "make system installs openssh-server"
        command = [program, "-D", "-e", "-f", str(self._folder / "sshd_config")]
        if self._daemon.is_system:
            command = [*_IN_ITS_PLACE, str(self._daemon.socket.parent), *command]
        log = self._folder / "log"
        with log.open("wb") as written:
            process = subprocess.Popen(
                [*_GUARDED, *command],
                stdin=subprocess.PIPE,
                stdout=written,
                stderr=written,
            )
        try:
            end = monotonic() + _START_LIMIT
            while not _answers(self.port):
                assert process.poll() is None, log.read_text()
                assert monotonic() < end, log.read_text()
                sleep(0.01)
            yield
        finally:
            process.terminate()
            process.wait()
            assert process.stdin is not None
            with process.stdin as guard:
                guard.write(b"done\n")


class SshClient:
    """A program ``ssh`` that reads a configuration of ours, and notes each time that it is started.

    Args:
        folder: Where its files go; ``folder / "bin"`` comes first on PATH.
        servers: Which servers it knows, by name.
    """

    def __init__(self, folder: Path, servers: dict[str, SshServer]) -> None:
        real = shutil.which("ssh")
        assert real is not None, "make system installs openssh-client"
        (folder / "bin").mkdir(parents=True)
        entries = "".join(server.entry(name) for name, server in servers.items())
        keys = "".join(f" IdentityFile {server.key}\n" for server in servers.values())
        (folder / "config").write_text(
            f"{entries}Host *\n User {getpass.getuser()}\n{keys} IdentitiesOnly yes\n BatchMode yes\n"
            f" StrictHostKeyChecking accept-new\n UserKnownHostsFile {folder}/known\n"
            " GlobalKnownHostsFile /dev/null\n ControlPath none\n"
        )
        self.folder = folder
        self.bin: Path = folder / "bin"
        self._runs = folder / "runs"
        self.becomes(f'{real} -F {folder}/config "$@"')

    def becomes(self, command: str) -> None:
        """Be another program, whose arguments are ssh's."""
        program = self.bin / "ssh"
        program.write_text(f"#!/bin/sh\necho $$ >>{self._runs}\nexec {command}\n")
        program.chmod(0o755)

    def processes(self) -> list[int]:
        """All that it ever was, by pid."""
        return [int(line) for line in self._runs.read_text().split()] if self._runs.exists() else []

    def left(self) -> list[int]:
        """Those of them that are still there, as what nobody has waited for, too."""
        return [pid for pid in self.processes() if Path(f"/proc/{pid}").exists()]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
