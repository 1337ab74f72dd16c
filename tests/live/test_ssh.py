"""Hosts at the other end of ssh: a real sshd on loopback, and which sockets are taken for theirs."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest

from libstorage import Host, connect
from libstorage.errors import ConnectionFailedError, DeadlineError
from libstorage.testing import PrivateDaemon
from tests.inside import channel_of, connection_of
from tests.live.forward import ForwardedPort
from tests.live.rest import are_back, resources_at_rest, wait_until
from tests.live.ssh import SshClient, SshServer


class Net:
    """Two servers behind which two daemons are, and an ssh that knows them as ``near`` and ``far``."""

    def __init__(self, ssh: SshClient, near: SshServer, far: SshServer, daemons: list[PrivateDaemon]) -> None:
        self.ssh, self.near, self.far, self.daemons = ssh, near, far, daemons

    def uri(self, server: str, daemon: PrivateDaemon, more: str = "&proxy=netcat") -> str:
        """An address of a daemon."""
        return f"storage+ssh://{server}/{path(daemon)}?socket={daemon.socket}{more}"


def path(daemon: PrivateDaemon) -> str:
    return "system" if daemon.is_system else "session"


@pytest.fixture(scope="module")
def servers(daemon: PrivateDaemon) -> Iterator[tuple[SshServer, SshServer, Path]]:
    with tempfile.TemporaryDirectory(prefix="libstorage-ssh-") as folder:
        near, far = (SshServer(Path(folder) / name, daemon) for name in ("near", "far"))
        with near.running(), far.running():
            yield near, far, Path(folder)


@pytest.fixture
def net(
    servers: tuple[SshServer, SshServer, Path],
    daemon: PrivateDaemon,
    user_daemon: PrivateDaemon,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Net]:
    near, far, folder = servers
    with tempfile.TemporaryDirectory(prefix="client-", dir=folder) as own:
        ssh = SshClient(Path(own), {"near": near, "far": far})
        monkeypatch.setenv("PATH", str(ssh.bin), prepend=":")
        yield Net(ssh, near, far, [daemon, user_daemon])
        assert wait_until(lambda: not ssh.left())


@pytest.fixture
def netcat(net: Net) -> Net:
    """The same with an ssh that is netcat: all that this process does is the same, and nothing is encrypted."""
    net.ssh.becomes(f"exec nc -q0 -U {net.daemons[0].socket}")
    return net


class TestAddresses:
    @pytest.mark.parametrize("server", ["localhost:{}", "near"])
    def test_with_and_without_a_port(self, net: Net, server: str) -> None:
        daemon = net.daemons[0]
        with connect(net.uri(server.format(net.near.port), daemon)) as host:
            assert host.pools.count() == 0
            assert host.versions.daemon >= 9_000_000
            assert len(net.ssh.processes()) == 1  # told at the first look
            assert not connection_of(host).local
            cut(host)
            assert wait_until(lambda: is_over(net.ssh.processes()[0]))
            assert host.is_alive()
            assert len(net.ssh.processes()) == 2
        assert all(map(is_over, net.ssh.processes()))

    def test_over_libvirts_own_helper(self, net: Net) -> None:
        daemon = net.daemons[0]
        with connect(f"storage+ssh://far/{path(daemon)}?proxy=native") as host:
            assert host.is_alive()
            assert host.secrets.count() == 0  # over the twin: another tunnel
            assert len(net.ssh.processes()) == 2

    def test_libvirts_default_address(self, net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LIBVIRT_DEFAULT_URI", net.uri("near", net.daemons[0]))
        with connect() as host:
            cut(host)
            assert wait_until(lambda: is_over(net.ssh.processes()[0]))

    def test_two_hosts_at_once(self, net: Net) -> None:
        uris = [net.uri("near", net.daemons[0]), net.uri(f"127.0.0.1:{net.far.port}", net.daemons[1])]
        with ThreadPoolExecutor(2) as threads:
            one, other = threads.map(connect, uris)
        with one, other:
            one.close()
            assert other.is_alive()
            assert other.pools.count() == 0
            assert sum(map(is_over, net.ssh.processes())) == 1

    def test_nobody_there(self, net: Net) -> None:
        with pytest.raises(ConnectionFailedError):
            connect(net.uri("127.0.0.1:1", net.daemons[0]))


class TestLanes:
    @pytest.mark.usefixtures("one_thread_a_lane")
    def test_opening_at_once(self, net: Net) -> None:
        before = resources_at_rest()
        meeting = threading.Barrier(4)
        with connect(net.uri("near", net.daemons[0]), lanes=4) as host, ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda _: busy(host, lambda: meeting.wait(20)), range(4)))
            assert connection_of(host).lane_count() == 4
            assert len(net.ssh.left()) == len(net.ssh.processes()) == 4
        assert all(map(is_over, net.ssh.processes()))
        assert are_back(before)

    @pytest.mark.parametrize("hanging", ["the daemon", "ssh", "what ssh has started"])
    def test_a_deadline_cuts_the_tunnel(self, net: Net, own_daemon: PrivateDaemon, hanging: str) -> None:
        if hanging == "what ssh has started":
            net.ssh.becomes(f"{net.ssh.real}\nexit $?")
        with connect(net.uri(f"127.0.0.1:{net.near.port}", own_daemon)) as host:
            if hanging == "the daemon":
                own_daemon.pause()
            else:
                for program in net.ssh.left():
                    os.kill(program, signal.SIGSTOP)
            began = monotonic()
            with pytest.raises(DeadlineError, match=r"no answer within 0\.5 s"):
                host.with_options(timeout=0.5).pools.count()
            assert 0.5 <= monotonic() - began < 5
            assert wait_until(lambda: not net.ssh.left())
            own_daemon.resume()
            assert host.pools.count() == 0

    def test_opening_ends_in_time(self, net: Net, own_daemon: PrivateDaemon) -> None:
        own_daemon.pause()
        began = monotonic()
        with pytest.raises(ConnectionFailedError, match=r"no answer within 0\.8 s"):
            connect(net.uri("near", own_daemon), open_timeout=0.8)
        assert monotonic() - began < 5
        assert wait_until(lambda: not net.ssh.left())
        own_daemon.resume()

    @pytest.mark.parametrize("way", ["ssh", "tcp", "libssh"])
    def test_nobody_says_anything(self, net: Net, way: str) -> None:
        """A server that takes connections and is silent, and an ssh that never gets anywhere."""
        net.ssh.becomes("sleep 1000\nexit $?")
        before = resources_at_rest()
        with socket.create_server(("127.0.0.1", 0)) as silent:
            began = monotonic()
            with pytest.raises(ConnectionFailedError, match=r"no answer within 0\.3 s"):
                connect(f"qemu+{way}://127.0.0.1:{silent.getsockname()[1]}/system", open_timeout=0.3)
            assert monotonic() - began < 5
        assert wait_until(lambda: all(map(is_over, net.ssh.processes())))
        assert are_back(before)

    def test_a_program_that_ends_without_closing(self, net: Net, own_daemon: PrivateDaemon) -> None:
        script = "import sys, libstorage; host = libstorage.connect(sys.argv[1]); print(host.pools.count())"
        command = [sys.executable, "-c", script, net.uri("near", own_daemon)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        assert done.stdout == "0\n"
        assert len(net.ssh.processes()) == 1
        assert wait_until(lambda: not net.ssh.left())


class TestWhoseSocketItIs:
    """What else the process has: pairs of sockets to programs of its own, and of an event loop."""

    def test_pairs_of_others(self, netcat: Net) -> None:
        with neighbours() as others:
            hosts = [connect(netcat.uri("near", netcat.daemons[0])) for _ in range(5)]
            assert len(netcat.ssh.processes()) == len(hosts)  # told at the first look
            programs = netcat.ssh.processes()
            for number, host in enumerate(hosts, 1):
                cut(host)
                assert wait_until(lambda: all(map(is_over, programs[:number])))  # noqa: B023
                assert not any(map(is_over, programs[number:]))
            assert others.are_well()
            for host in hosts:
                assert host.is_alive()  # over another lane
                host.close()

    def test_ports(self, daemon: PrivateDaemon, user_daemon: PrivateDaemon) -> None:
        """Two hosts over TCP at once, and somebody else who connects to the same ports."""
        with ForwardedPort(daemon.socket) as one, ForwardedPort(user_daemon.socket) as other:
            uris = [
                f"storage+tcp://127.0.0.1:{port.port}/{path(behind)}"
                for port, behind in ((one, daemon), (other, user_daemon))
            ]
            with ThreadPoolExecutor(2) as threads:
                hosts = list(threads.map(connect, uris))
            with socket.create_connection(("127.0.0.1", one.port)) as stranger, hosts[0], hosts[1]:
                cut(hosts[0])
                assert connection_of(hosts[1]).is_alive()
                assert not connection_of(hosts[0]).is_alive()
                assert all(host.is_alive() for host in hosts)
                assert stranger.getpeername()[1] == one.port
            assert (one.served, other.served) == (3, 1)

    @pytest.mark.parametrize("way", ["link", "folder", "moved"])
    def test_a_local_socket_of_another_name(self, own_daemon: PrivateDaemon, folder: Path, way: str) -> None:
        """A socket's name is where it was bound; the way to it may be another."""
        place = folder / "sock"
        if way == "folder":
            (folder / "run").symlink_to(own_daemon.socket.parent)
            place = folder / "run" / own_daemon.socket.name
        elif way == "link":
            place.symlink_to(own_daemon.socket)
        else:
            own_daemon.socket.rename(place)
        with connect(f"storage:///{path(own_daemon)}?socket={place}") as host:
            cut(host)
            assert not connection_of(host).is_alive()
            assert host.is_alive()  # over another lane


# ---- outsiders ------------------------------------------------------------------------------------------------------


def cut(host: Host) -> None:
    """Cut the host's only lane, which must know how."""
    (lane,) = connection_of(host)._lanes._lanes
    lane.cut()
    assert lane.is_cut


def is_over(pid: int) -> bool:
    """Whether a program has ended, though nobody may have waited for it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:  # no such process
        return True


def busy(host: Host, meet: Callable[[], object]) -> None:
    """Hold a lane until all have met."""
    from libstorage.operations import HOST_VERSION

    channel_of(host).call(
        HOST_VERSION, channel_of(host).host, lambda lane: (lane.connection.getLibVersion(), meet())
    )


class Neighbours:
    """Threads that start programs over pairs of sockets, one after the other, and event loops."""

    def __init__(self) -> None:
        self.is_over = False
        self.pairs: list[tuple[socket.socket, subprocess.Popen[bytes]]] = []
        self._threads = [threading.Thread(target=work) for work in (self._start, self._start, self._loop)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()
        assert wait_until(lambda: len(self.pairs) > 1)

    def stop(self) -> None:
        self.is_over = True
        for thread in self._threads:
            thread.join()

    def are_well(self) -> bool:
        """Whether each program still says what it is told."""
        self.stop()
        for mine, _ in self.pairs:
            mine.sendall(b"well?")
            if mine.recv(5) != b"well?":
                return False
        return True

    def _start(self) -> None:
        while not self.is_over and len(self.pairs) < 100:
            mine, theirs = socket.socketpair()
            program = subprocess.Popen(["cat"], stdin=theirs.fileno(), stdout=theirs.fileno())
            theirs.close()
            mine.settimeout(10)
            self.pairs.append((mine, program))
            sleep(0.01)

    def _loop(self) -> None:
        while not self.is_over:
            asyncio.run(asyncio.sleep(0.002))


@contextmanager
def neighbours() -> Iterator[Neighbours]:
    others = Neighbours()
    others.start()
    try:
        yield others
    finally:
        others.stop()
        for mine, program in others.pairs:
            mine.close()
            program.wait()
