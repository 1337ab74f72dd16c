"""A real libvirt daemon of one's own, in a temporary folder, for as long as a ``with`` block lasts."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Self

from libstorage.connection.address.uri import HostURI
from libstorage.connection.connection import Connection
from libstorage.errors import ConnectionFailedError, UnsupportedError

_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_START_LIMIT = 30.0  # seconds; a daemon of our kind needs 0.1
_STOP_LIMIT = 10.0
_SOCKET_ROOM = len("/run/libvirt/libvirt-admin-sock") + len("/libstorage-12345678")
_SOCKET_PATH_LIMIT = 107  # sockaddr_un.sun_path, without its final NUL

# "$1" is what to bind where, "$@" after it the daemon's command line. The reader in the background outlives its
# parent process by design: when whoever started us goes without a word, its end of the pipe closes and the daemon
# is told to go, too.
_LAUNCH = """
for place in $1; do
    mkdir -p "${place#*:}" && mount --bind "${place%%:*}" "${place#*:}" || exit 1
done
shift
exec 3<&0
(read -r word <&3 || kill -TERM $$) &
exec "$@" 3<&- </dev/null
"""


class PrivateDaemon:
    """A libvirt daemon of one's own: nobody else's pools, and nothing of it is left afterwards.

    It is a real ``libvirtd`` with the storage and the secret driver. Started by root it is a *system* daemon in a
    mount namespace of its own, which can do all that a system daemon can; started by or for an ordinary user it is a
    *session* daemon.

    ```python
    with PrivateDaemon() as daemon, libstorage.connect(daemon.uri) as host:
        ...
    ```

    Args:
        user: Run as this ordinary user (a uid, which need not be in the password file). Only root can ask for it.
        path: Folders to search for programs (``qemu-img``, ``mount``, ...) before the usual ones.
        environment: More environment variables for the daemon.
        settings: More lines for its ``libvirtd.conf``, such as ``{"max_clients": 8}``.

    Attributes:
        folder: The daemon's folder; removed at the end.
        socket: Where it listens.
        uri: Its address, for ``libstorage.connect`` or ``virsh --connect``.
    """

    def __init__(
        self,
        *,
        user: int | None = None,
        path: Sequence[str | os.PathLike[str]] = (),
        environment: Mapping[str, str] | None = None,
        settings: Mapping[str, str | int] | None = None,
    ) -> None:
        self._user = None if user == os.geteuid() else user
        self._path = os.pathsep.join(
            dict.fromkeys([*(os.fspath(folder) for folder in path), *os.get_exec_path(), *_SYSTEM_FOLDERS])
        )
        self._environment = dict(environment or {})
        self._settings = dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        self.is_system: bool = os.geteuid() == 0 and self._user in {None, 0}
        self.folder: Path = Path(tempfile.mkdtemp(prefix="libstorage-", dir=_short_folder(self._user)))
        self.socket: Path = self.folder / "run" / "libvirt" / "libvirt-sock"
        self.uri: str = str(
            HostURI("storage", path="system" if self.is_system else "session", socket=self.socket)
        )
        self._prepare()

    @property
    def pid(self) -> int:
        """The process id of the running daemon.

        Raises:
            RuntimeError: It does not run.
        """
        if self._process is None:
            raise RuntimeError("the private daemon does not run: start() it first")
        return self._process.pid

    def start(self) -> Self:
        """Start the daemon and wait until it answers.

        Raises:
            UnsupportedError: There is no ``libvirtd`` on this machine.
            ConnectionFailedError: It does not come up; the message ends with what it logged.
        """
        if self._process is not None:
            raise RuntimeError("the private daemon runs already")
        command = self._command()
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=self._variables(),
                start_new_session=True,  # Ctrl-C in a terminal is for the tests
                user=self._user,
                group=self._user,
                extra_groups=None if self._user is None else [],
            )
        try:
            self._wait_until_ready(monotonic() + _START_LIMIT)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self, *, kill: bool = False) -> None:
        """End the daemon, at once and without a chance to tidy up if ``kill``; pools and volumes stay in place."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        process.send_signal(signal.SIGCONT)  # it may have been stopped
        try:
            process.wait(_STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _dismiss_guard(process)

    def restart(self, *, kill: bool = False) -> None:
        """End the daemon and start it again in the same folder, under the same address."""
        self.stop(kill=kill)
        self.start()

    def pause(self) -> None:
        """Let the daemon hang: it accepts connections and answers nobody, until it may ``resume``."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let the daemon go on."""
        os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        """End the daemon and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        """What the daemon has printed and logged so far."""
        return "".join(
            file.read_text("utf-8", "replace") for file in (self._output, self._log) if file.exists()
        )

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<PrivateDaemon {self.uri}>"

    @property
    def _output(self) -> Path:
        return self.folder / "output"

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _prepare(self) -> None:
        for name in ("run", "run/libvirt", "etc", "lib", "cache", "home", "drivers"):
            (self.folder / name).mkdir(mode=0o700)
        (self.folder / "lib").chmod(0o711)  # helpers that run as another user pass through
        (self.folder / "libvirtd.conf").write_text(self._configuration(), "utf-8")
        for driver in _storage_drivers():
            (self.folder / "drivers" / driver.name).symlink_to(driver)
        if self._user is not None:
            for entry in (self.folder, *self.folder.rglob("*")):
                os.chown(entry, self._user, self._user, follow_symlinks=False)

    def _configuration(self) -> str:
        settings: dict[str, str | int] = {
            "auth_unix_ro": "none",
            "auth_unix_rw": "none",
            "unix_sock_ro_perms": "0700",
            "unix_sock_rw_perms": "0700",
            "host_uuid": str(uuid.uuid4()),
            "log_outputs": f"3:file:{self._log}",
        }
        if self.is_system:
            settings |= {"unix_sock_dir": str(self.socket.parent), "unix_sock_group": "root"}
        settings |= self._settings
        quoted = {key: value if isinstance(value, int) else f'"{value}"' for key, value in settings.items()}
        return "".join(f"{key} = {value}\n" for key, value in quoted.items())

    def _command(self) -> list[str]:
        programs = {
            name: shutil.which(name, path=self._path) for name in ("libvirtd", "sh", "unshare", "mount")
        }
        if programs["libvirtd"] is None:
            raise UnsupportedError(
                "a private daemon needs libvirtd, which is not on this machine",
                hint="Install it: apt-get install --no-install-recommends libvirt-daemon qemu-utils "
                "(Debian; it need not be enabled or run).",
            )
        daemon = [programs["libvirtd"], "--config", f"{self.folder}/libvirtd.conf"]
        launch = ["sh", "-c", _LAUNCH, "sh"]
        if not self.is_system:
            return [*launch, "", *daemon]
        binds = {
            f"{self.folder}/run/libvirt": "/run/libvirt",
            f"{self.folder}/etc": "/etc/libvirt",
            f"{self.folder}/lib": "/var/lib/libvirt",
            f"{self.folder}/cache": "/var/cache/libvirt",
        }
        places = " ".join(f"{ours}:{usual}" for ours, usual in binds.items())
        own_mounts = ["unshare", "--mount", "--propagation", "private"]
        return [*own_mounts, *launch, places, *daemon, "--pid-file", f"{self.folder}/pid"]

    def _variables(self) -> dict[str, str]:
        home = self.folder / "home"
        variables = {
            "PATH": self._path,
            "LANG": "C.UTF-8",
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "XDG_CACHE_HOME": str(home / ".cache"),
            "XDG_DATA_HOME": str(home / ".local" / "share"),
        }
        if any((self.folder / "drivers").iterdir()):
            variables["LIBVIRT_DRIVER_DIR"] = str(self.folder / "drivers")
        return variables | self._environment

    def _wait_until_ready(self, limit: float) -> None:
        assert self._process is not None
        refused = None
        while monotonic() < limit:
            if self._process.poll() is not None:
                raise self._failure(f"ended with status {self._process.returncode}")
            if self.socket.exists():
                try:
                    Connection(self.uri, lanes=1, open_timeout=max(0.1, limit - monotonic())).close()
                    return
                except ConnectionFailedError as error:  # the socket of the daemon's predecessor, perhaps
                    refused = error
            sleep(0.005)
        raise self._failure(f"did not answer within {_START_LIMIT:g} s") from refused

    def _failure(self, what: str) -> ConnectionFailedError:
        tail = "\n".join(self.log().splitlines()[-15:]) or "(nothing)"
        hint = (
            "A system daemon needs the right to mount (CAP_SYS_ADMIN); with user=UID it runs as an ordinary user."
            if self.is_system
            else "Its folder must be within reach of the user that it runs as."
        )
        return ConnectionFailedError(
            f"the private daemon {what}. Its log ends with:\n{tail}", uri=self.uri, hint=hint
        )


@contextmanager
def private_daemon(
    *,
    user: int | None = None,
    path: Sequence[str | os.PathLike[str]] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """A real libvirt daemon of one's own, for as long as the ``with`` block lasts; yields its address.

    ```python
    with private_daemon() as uri, libstorage.connect(uri) as host:
        ...
    ```

    As root it is a system daemon in its own mount namespace, otherwise a session daemon. It starts in a tenth of a
    second and touches neither the machine's own daemon nor its pools.
    [PrivateDaemon][libstorage.testing.PrivateDaemon] offers more: restarting, its log, its pid.

    Args:
        user: Run as this ordinary user (a uid); only root can ask for it.
        path: Folders to search for programs (``qemu-img``, ...) before the usual ones.
        environment: More environment variables for the daemon.

    Raises:
        UnsupportedError: There is no ``libvirtd`` on this machine.
        ConnectionFailedError: It does not come up; the message ends with what it logged.
    """
    with PrivateDaemon(user=user, path=path, environment=environment) as daemon:
        yield daemon.uri


def _short_folder(user: int | None) -> str:
    """A temporary folder that every user can reach if need be, short enough for the name of a socket in it."""
    usual = tempfile.gettempdir()
    return usual if user is None and len(usual) + _SOCKET_ROOM <= _SOCKET_PATH_LIMIT else "/tmp"  # noqa: S108


def _storage_drivers() -> list[Path]:
    """The daemon's modules for storage and secrets: with no other it starts faster and needs no guest software."""
    folders = [
        *Path("/usr/lib").glob("*/libvirt/connection-driver"),
        Path("/usr/lib64/libvirt/connection-driver"),
    ]
    modules = [folder / f"libvirt_driver_{name}.so" for folder in folders for name in ("storage", "secret")]
    return [module for module in modules if module.exists()]


def _dismiss_guard(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(b"done\n")
        process.stdin.close()
    except BrokenPipeError:
        pass
