"""The private daemon: it is real, private, and nothing of it is left."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from libstorage import operations as op
from libstorage.connection.connection import Connection
from libstorage.connection.identity import HostId
from libstorage.errors import ConnectionFailedError, UnsupportedError
from libstorage.testing import PrivateDaemon, daemon, private_daemon
from tests.live.conftest import started_daemon
from tests.live.rest import wait_until
from tests.live.things import make_pool, make_volume, remove_pool

ORDINARY = pwd.getpwnam("nobody").pw_uid

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="not run: needs root, who can become another user")


def is_running(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text("utf-8")
    except FileNotFoundError:
        return False


def owner(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def use(uri: str, folder: Path) -> None:
    """What a test would do with it."""
    with Connection(uri) as connection:
        pool = make_pool(connection, folder / "pool")
        volume = make_volume(connection, pool, "disk")
        assert (
            connection.call(op.VOLUME_INFO, volume, lambda lane: lane.volume(volume).info(), timeout=60)[1]
            == 1 << 20
        )
        assert (folder / "pool" / "disk").exists()
        remove_pool(connection, pool)


def libvirts_mounts() -> list[str]:
    """What is mounted where libvirt keeps its things; other tests mount elsewhere meanwhile."""
    lines = Path("/proc/self/mounts").read_text("utf-8").splitlines()
    return [line for line in lines if "libvirt" in line.split()[1]]


def test_it_works_and_nothing_is_left(tmp_path: Path) -> None:
    mounts = libvirts_mounts()
    with started_daemon() as private:
        pid, folder = private.pid, private.folder
        assert is_running(pid)
        assert private.is_system == (os.geteuid() == 0)
        assert str(private.socket) in private.uri
        use(private.uri, tmp_path)
        assert libvirts_mounts() == mounts
    assert not is_running(pid)
    assert not folder.exists()
    assert libvirts_mounts() == mounts
    with pytest.raises(RuntimeError, match="is not running"):
        _ = private.pid


def test_the_short_form_yields_an_address(tmp_path: Path) -> None:
    with private_daemon() as uri:
        assert type(uri) is str
        use(uri, tmp_path)


@needs_root
def test_as_an_ordinary_user(tmp_path: Path) -> None:
    with private_daemon(user=ORDINARY) as uri, Connection(uri) as connection:
        assert uri.startswith("storage:///session?")
        folder = Path(uri.partition("socket=")[2]).parents[2]
        assert folder.stat().st_uid == ORDINARY
        pool = make_pool(connection, folder / "pool")
        volume = make_volume(connection, pool, "disk")
        path = connection.call(op.VOLUME_PATH, volume, lambda lane: lane.volume(volume).path(), timeout=60)
        assert Path(path).stat().st_uid == ORDINARY
    assert not folder.exists()


@needs_root
def test_a_user_without_a_name_gets_one(tmp_path: Path) -> None:
    """libvirt 11.3 dies at its start without; nobody else sees the name."""
    nameless = 23_456
    (tmp_path / "pool").mkdir()
    os.chown(tmp_path / "pool", nameless, nameless)
    passwords = Path("/etc/passwd").read_bytes()
    with started_daemon(user=nameless) as private:
        assert owner(private.pid) == nameless
        assert not private.is_system
        seen = Path(f"/proc/{private.pid}/root/etc/passwd").read_text("utf-8")
        assert f":{nameless}:{nameless}:" in seen
        groups = Path(f"/proc/{private.pid}/root/etc/group").read_text("utf-8")
        assert groups.endswith(f":{nameless}:\n")
        assert Path("/etc/passwd").read_bytes() == passwords
        with Connection(private.uri) as connection:
            assert connection.daemon_version > 0
        private.restart()
        pid = private.pid
    assert not is_running(pid)
    assert "/etc/passwd" not in Path("/proc/self/mounts").read_text("utf-8")


@needs_root
def test_started_by_an_ordinary_user(tmp_path: Path) -> None:
    """As if such a user ran the tests; the interpreter here may be out of that user's reach, so it is loaded first."""
    script = f"""
    import os, sys
    from pathlib import Path
    from libstorage.testing import private_daemon
    import libstorage.connection.binding as binding
    from libstorage.connection.connection import Connection
    import encodings.idna, encodings.utf_8_sig, _posixsubprocess, random, shutil
    binding.load()
    os.setgroups([]); os.setgid({ORDINARY}); os.setuid({ORDINARY})
    os.environ["HOME"] = "/nowhere"
    with private_daemon() as uri:
        connection = Connection(uri)
        print(uri.split("?")[0], connection.daemon_version > 9000000 - 1)
        connection.close()
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "TMPDIR": "/tmp"},
        cwd="/",
    )
    assert done.stdout == "storage:///session True\n", done.stderr


def test_two_at_once_know_nothing_of_each_other(daemon: PrivateDaemon, tmp_path: Path) -> None:
    with (
        started_daemon() as private,
        Connection(private.uri) as ours,
        Connection(daemon.uri) as others,
    ):
        pool = make_pool(ours, tmp_path)

        def names(connection: Connection) -> list[str]:
            return connection.call(
                op.POOLS_LIST,
                HostId(connection.uri),
                lambda lane: lane.connection.listStoragePools(),
                timeout=60,
            )

        assert pool.name in names(ours)
        assert pool.name not in names(others)


def test_its_pools_survive_a_restart(own_daemon: PrivateDaemon, tmp_path: Path) -> None:
    with Connection(own_daemon.uri) as connection:
        pool = make_pool(connection, tmp_path)
    before = own_daemon.pid
    own_daemon.restart()
    assert own_daemon.pid != before
    with pytest.raises(RuntimeError, match="is already running"):
        own_daemon.start()
    with Connection(own_daemon.uri) as connection:
        assert connection.call(op.POOL_IS_ACTIVE, pool, lambda lane: lane.pool(pool).isActive(), timeout=60)


def test_it_ends_though_it_hangs() -> None:
    with started_daemon() as private:
        os.kill(private.pid, signal.SIGSTOP)
        pid = private.pid
    assert not is_running(pid)


def test_it_ends_with_the_process_that_started_it() -> None:
    script = """
    import os, signal
    from libstorage.testing import PrivateDaemon
    daemon = PrivateDaemon().start()
    print(daemon.pid, daemon.folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    pid, folder = done.stdout.split()
    try:
        assert wait_until(lambda: not is_running(int(pid)))
    finally:
        subprocess.run(["rm", "-r", folder], check=True)


def test_one_that_does_not_come_up_shows_its_log() -> None:
    private = PrivateDaemon(settings={"max_clients": 1, "max_anonymous_clients": 5})
    with (
        pytest.raises(
            ConnectionFailedError, match=r"(?s)Its log ends with:\n.*maximum number of clients"
        ) as caught,
        private,
    ):
        pass
    assert caught.value.uri == private.uri
    assert caught.value.hint
    assert not private.folder.exists()


def test_programs_and_variables_of_ones_own(tmp_path: Path) -> None:
    with started_daemon(path=[tmp_path], environment={"OURS": "yes"}) as private:
        variables = Path(f"/proc/{private.pid}/environ").read_bytes().split(b"\0")
        assert b"OURS=yes" in variables
        assert any(entry.startswith(f"PATH={tmp_path}:".encode()) for entry in variables)


def test_without_libvirtd_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(daemon, "_SYSTEM_FOLDERS", ())
    with pytest.raises(UnsupportedError, match="needs libvirtd") as caught, private_daemon():
        pass
    assert "apt-get install" in str(caught.value)
    assert "libvirt-daemon" in str(caught.value)


def test_a_long_temporary_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    long = tmp_path / ("x" * 90)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    with started_daemon() as private:
        assert len(str(private.socket)) < 108


def test_from_any_thread(tmp_path: Path) -> None:
    found: list[str] = []

    def work() -> None:
        with private_daemon() as uri:
            found.append(uri)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 4
