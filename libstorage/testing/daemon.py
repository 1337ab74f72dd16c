"""A private, real libvirt daemon in a temporary directory, for the duration of a ``with`` block."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Self

from libstorage.connection.address.uri import HostURI
from libstorage.connection.connection import Connection
from libstorage.connection.failures.daemons import to_install
from libstorage.errors import ConnectionFailedError, UnsupportedError

_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_START_LIMIT = 30.0  # seconds; such a daemon needs 0.1
_STOP_LIMIT = 10.0
_SOCKET_ROOM = len("/run/libvirt/libvirt-admin-sock") + len("/libstorage-12345678")
_SOCKET_PATH_LIMIT = 107  # sockaddr_un.sun_path, without its final NUL

# "$1" lists what to bind where; "$2" is the command line of a second daemon, whose pid goes into the file "$3"; the rest
# of "$@" is the daemon's command line. The reader in the background outlives its parent process by design: if the process
# that started the daemon dies, its end of the pipe closes, and the reader ends the daemons, too.
_LAUNCH = """
for place in $1; do
    [ -f "${place#*:}" ] || mkdir -p "${place#*:}" || exit 1
    mount --bind "${place%%:*}" "${place#*:}" || exit 1
done
second=
exec 3<&0
if [ "$2" ]; then
    $2 3<&- </dev/null & second=$!
    echo $second > "$3"
fi
shift 3
(read -r word <&3 || kill -TERM $$ $second) &
exec "$@" 3<&- </dev/null
"""


class PrivateDaemon:
    """A private libvirt daemon, which has only its own pools and leaves nothing behind.

    This is a real ``libvirtd`` with the storage and the secret driver, or, on a machine without it, ``virtstoraged`` with
    ``virtsecretd`` beside it. If root starts it, it is a *system* daemon in a
    mount namespace of its own, with all the abilities of a system daemon. If it is started by or for an ordinary user, it
    is a *session* daemon.

    ```python
    with PrivateDaemon() as daemon, libstorage.connect(daemon.uri) as host:
        ...
    ```

    Args:
        user: Run as this ordinary user (a uid, which need not be in the password file). Only root can set it.
        path: Directories to search for programs (``qemu-img``, ``mount``, ...) before the usual ones.
        environment: Additional environment variables for the daemon.
        settings: Additional lines for the daemon's ``libvirtd.conf``, such as ``{"max_clients": 8}``.

    Attributes:
        folder: The daemon's directory; removed at the end.
        socket: Path of the socket that the daemon listens on.
        uri: The daemon's address, for ``libstorage.connect`` or ``virsh --connect``.
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
        self._needs_name: bool = self._user is not None and not _has_name(self._user)
        self.folder: Path = Path(tempfile.mkdtemp(prefix="libstorage-", dir=_short_folder(self._user)))
        self._is_modular: bool = (
            self._program("libvirtd") is None and self._program("virtstoraged") is not None
        )
        name = "virtstoraged" if self._is_modular else "libvirt"
        self.socket: Path = self.folder / "run" / "libvirt" / f"{name}-sock"
        self.uri: str = str(
            HostURI("storage", path="system" if self.is_system else "session", socket=self.socket)
        )
        self._prepare()

    @property
    def pid(self) -> int:
        """The process id of the running daemon.

        Raises:
            RuntimeError: If the daemon is not running.
        """
        if self._process is None:
            raise RuntimeError("the private daemon is not running: call start() first")
        return self._process.pid

    def start(self) -> Self:
        """Start the daemon and wait until it answers.

        Raises:
            UnsupportedError: If this machine has no such daemon.
            ConnectionFailedError: If the daemon does not come up; the message ends with the daemon's log.
        """
        if self._process is not None:
            raise RuntimeError("the private daemon is already running")
        command, user = self._command(), None if self._needs_name else self._user
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=self._variables(),
                start_new_session=True,  # Ctrl-C in a terminal is for the tests
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )
        try:
            self._wait_until_ready(monotonic() + _START_LIMIT)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self, *, kill: bool = False) -> None:
        """Stop the daemon; with ``kill``, immediately and without cleanup. Pools and volumes stay in place."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        process.send_signal(signal.SIGCONT)  # the daemon may be paused
        self._signal_second(signal.SIGKILL if kill else signal.SIGTERM)
        try:
            process.wait(_STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _dismiss_guard(process)

    def _signal_second(self, number: signal.Signals) -> None:
        """Send a signal to virtsecretd, if it runs beside virtstoraged."""
        with suppress(FileNotFoundError, ProcessLookupError, ValueError):
            os.kill(int(self._second_pid.read_text("ascii")), number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            self._second_pid.unlink(missing_ok=True)

    def restart(self, *, kill: bool = False) -> None:
        """Stop the daemon and start it again in the same directory, under the same address."""
        self.stop(kill=kill)
        self.start()

    def pause(self) -> None:
        """Make the daemon hang: it accepts connections, but does not answer until ``resume()``."""
        os.kill(self.pid, signal.SIGSTOP)
        self._signal_second(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused daemon continue."""
        os.kill(self.pid, signal.SIGCONT)
        self._signal_second(signal.SIGCONT)

    def close(self) -> None:
        """Stop the daemon and remove its directory."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        """Return what the daemon has printed and logged so far."""
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
    def _secret_socket(self) -> Path:
        return self.socket.with_name("virtsecretd-sock")

    @property
    def _configured(self) -> Path:
        return self.folder / "libvirtd.conf"

    @property
    def _second_pid(self) -> Path:
        return self.folder / "virtsecretd.pid"

    @property
    def _names(self) -> Path:
        return self.folder / "names"

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _prepare(self) -> None:
        for name in ("run", "run/libvirt", "etc", "lib", "cache", "home", "drivers"):
            (self.folder / name).mkdir(mode=0o700)
        (self.folder / "lib").chmod(0o711)  # helpers that run as another user need to pass through
        self._configured.write_text(self._configuration(), "utf-8")
        for driver in _storage_drivers():
            (self.folder / "drivers" / driver.name).symlink_to(driver)
        if self._needs_name:
            self._names.mkdir()
            entries = {
                "passwd": f"libstorage:x:{self._user}:{self._user}::{self.folder}/home:/bin/sh\n",
                "group": f"libstorage:x:{self._user}:\n",
            }
            for name, entry in entries.items():
                (self._names / name).write_text(Path("/etc", name).read_text("utf-8") + entry, "utf-8")
        if self._user is not None:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, self._user, self._user, follow_symlinks=False)

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
        main = "virtstoraged" if self._is_modular else "libvirtd"
        if self._program(main) is None or (self._is_modular and self._program("virtsecretd") is None):
            raise UnsupportedError(
                "a private daemon needs libvirtd, or virtstoraged and virtsecretd, which this machine does not have",
                hint=f"Install it: {to_install()}. The service need not be enabled or running.",
            )
        as_user = list[str]()
        if self._needs_name:
            as_user = ["setpriv", f"--reuid={self._user}", f"--regid={self._user}", "--clear-groups"]

        def run(name: str) -> list[str]:
            pid_file = ["--pid-file", f"{self.folder}/{name}.lock"] if self.is_system else []
            return [*as_user, str(self._program(name)), "--config", str(self._configured), *pid_file]

        binds = self._binds()
        launch = [
            *("sh", "-c", _LAUNCH, "sh"),
            " ".join(f"{ours}:{usual}" for ours, usual in binds.items()),
            " ".join(run("virtsecretd")) if self._is_modular else "",
            str(self._second_pid),
            *run(main),
        ]
        return ["unshare", "--mount", "--propagation", "private", *launch] if binds else launch

    def _binds(self) -> dict[str, str]:
        """Return what the daemon sees in another place; only root can do that."""
        if self._needs_name:
            return {str(self._names / name): f"/etc/{name}" for name in ("passwd", "group")}
        if not self.is_system:
            return {}
        return {
            f"{self.folder}/run/libvirt": "/run/libvirt",
            f"{self.folder}/etc": "/etc/libvirt",
            f"{self.folder}/lib": "/var/lib/libvirt",
            f"{self.folder}/cache": "/var/cache/libvirt",
        }

    def _program(self, name: str) -> str | None:
        return shutil.which(name, path=self._path)

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
            if self.socket.exists() and (not self._is_modular or self._secret_socket.exists()):
                try:
                    Connection(self.uri, lanes=1, open_timeout=max(0.1, limit - monotonic())).close()
                    return
                except ConnectionFailedError as error:  # perhaps the socket of a previous daemon
                    refused = error
            sleep(0.005)
        raise self._failure(f"did not answer within {_START_LIMIT:g} s") from refused

    def _failure(self, what: str) -> ConnectionFailedError:
        tail = "\n".join(self.log().splitlines()[-15:]) or "(nothing)"
        hint = (
            "A system daemon needs permission to mount (CAP_SYS_ADMIN); with user=UID it runs as an ordinary user."
            if self.is_system
            else "The user that the daemon runs as must be able to access the daemon's directory."
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
    """Run a private, real libvirt daemon for the duration of the ``with`` block; yield its address.

    ```python
    with private_daemon() as uri, libstorage.connect(uri) as host:
        ...
    ```

    As root, this is a system daemon in its own mount namespace, otherwise a session daemon. It starts in a tenth of a
    second and touches neither the machine's own daemon nor its pools.
    [PrivateDaemon][libstorage.testing.PrivateDaemon] offers more: restarting, the log, and the pid.

    Args:
        user: Run as this ordinary user (a uid); only root can set it.
        path: Directories to search for programs (``qemu-img``, ...) before the usual ones.
        environment: Additional environment variables for the daemon.

    Raises:
        UnsupportedError: If ``libvirtd`` is not installed on this machine.
        ConnectionFailedError: If the daemon does not come up; the message ends with the daemon's log.
    """
    with PrivateDaemon(user=user, path=path, environment=environment) as daemon:
        yield daemon.uri


def _short_folder(user: int | None) -> str:
    """Return a temporary directory, reachable for every user if needed, with a path short enough for a socket in it."""
    usual = tempfile.gettempdir()
    return usual if user is None and len(usual) + _SOCKET_ROOM <= _SOCKET_PATH_LIMIT else "/tmp"  # noqa: S108


def _storage_drivers() -> list[Path]:
    """Return the daemon's storage and secret modules; with only these it starts faster, and needs no guest software."""
    folders = [
        *Path("/usr/lib").glob("*/libvirt/connection-driver"),
        Path("/usr/lib64/libvirt/connection-driver"),
    ]
    modules = [folder / f"libvirt_driver_{name}.so" for folder in folders for name in ("storage", "secret")]
    return [module for module in modules if module.exists()]


def _has_name(user: int) -> bool:
    """Return whether a user is in the password file: libvirt 11.3 dies at its start if its own is not."""
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def _dismiss_guard(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(b"done\n")
        process.stdin.close()
    except BrokenPipeError:
        pass
