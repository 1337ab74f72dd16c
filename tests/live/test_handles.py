"""What handles are without asking anybody: identity, pickles, options, what they show, and their end."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from libstorage import (
    ConnectionFailedError,
    DeadlineError,
    Host,
    InvalidRequestError,
    Options,
    Pool,
    Secret,
    SecretSpec,
    StateError,
    Volume,
    VolumeSpec,
    connect,
)
from libstorage.connection import process
from libstorage.connection.sockets import all_sockets
from libstorage.display.text import short_address
from libstorage.session.channel import Channel
from libstorage.testing import PrivateDaemon
from tests.inside import session_of
from tests.live.rpc import RpcCounter


@pytest.fixture
def volume(pool: Pool) -> Volume:
    return pool.volumes.create(VolumeSpec.raw("<b>.img", 4096))


@pytest.fixture
def secret(host: Host) -> Iterator[Secret]:
    secret = host.secrets.define(SecretSpec.volume("/srv/of-test-handles"))
    yield secret
    secret.undefine()


class TestIdentity:
    def test_handles_of_one_thing_are_equal(
        self, host: Host, pool: Pool, volume: Volume, secret: Secret
    ) -> None:
        with connect(host.uri) as another:
            for one, other in (
                (host, another),
                (pool, another.pools[pool.name]),
                (volume, another.volume_at(volume.path())),
                (volume, another.pools[pool.name].volumes[volume.name]),
                (secret, another.secrets[secret.uuid]),
                (pool, pool.with_options(timeout=1)),
            ):
                assert one == other
                assert hash(one) == hash(other)
                assert len({one, other}) == 1

    def test_handles_of_different_things_are_not(
        self, host: Host, pool: Pool, volume: Volume, secret: Secret
    ) -> None:
        other = pool.volumes.create(VolumeSpec.raw("other.img", 4096))
        with connect(host.uri, readonly=True) as reading:
            assert len({host, reading, pool, volume, other, secret}) == 6
        assert pool != "pool"
        assert host != host.uri

    def test_what_they_show(self, host: Host, pool: Pool, volume: Volume, secret: Secret) -> None:
        short = short_address(host.uri)
        assert repr(host) == f"<Host {short}>"
        assert repr(pool) == f"<Pool {pool.name!r} on {short}>"
        assert repr(volume) == f"<Volume '<b>.img' in pool {pool.name!r} on {short}>"
        assert repr(secret) == f"<Secret {secret.uuid} on {short}>"
        assert repr(pool.volumes) == f"<Volumes of pool {pool.name!r} on {short}>"
        assert repr(host.pools) == f"<Pools of host {short}>"
        assert repr(host.secrets) == f"<Secrets of host {short}>"
        assert "&lt;b&gt;" in volume._repr_html_()
        assert "<b>.img" not in volume._repr_html_()
        assert pool.uuid in pool._repr_html_()
        assert host.uri in host._repr_html_()

    def test_none_of_it_asks_the_daemon(self, counter: RpcCounter, pool: Pool, volume: Volume) -> None:
        with connect(counter.uri) as host:
            mine = host.pools[pool.name]
            thing = mine.volumes[volume.name]
            before = counter.calls
            assert (mine.name, mine.uuid, mine.host) == (pool.name, pool.uuid, host)
            assert (thing.name, thing.pool, thing.host) == (volume.name, mine, host)
            for handle in (host, mine, thing):
                assert {handle, copy.copy(handle)} == {handle}
                handle.__reduce__()
                handle._repr_html_()
                repr(handle)
            for collection in (host.pools, host.secrets, mine.volumes):
                collection._repr_html_()
            repr([host.pools, host.secrets, mine.volumes, host.versions, host.uri, host.readonly])
            host.with_options(timeout=1)
            assert counter.calls == before


class TestPickles:
    def test_every_handle_comes_back(self, host: Host, pool: Pool, volume: Volume, secret: Secret) -> None:
        secret.set_value(b"x")
        asked: list[tuple[Any, Callable[[Any], object]]] = [
            (host, lambda host: host.pools.count() > 0),
            (pool, lambda pool: pool.is_active()),
            (volume, lambda volume: volume.info().capacity == 4096),
            (secret, lambda secret: secret.value() == b"x"),
        ]
        for handle, works in asked:
            back = pickle.loads(pickle.dumps(handle))
            assert back == handle
            assert works(back)

    def test_all_that_come_back_share_one_connection(self, host: Host, pool: Pool, volume: Volume) -> None:
        one, two = pickle.loads(pickle.dumps((pool, volume)))
        assert one.info()
        assert two.info()
        assert session_of(one.host) is session_of(two.host)
        assert session_of(one.host) is not session_of(host)
        lanes = len(all_sockets())
        for _ in range(20):
            assert pickle.loads(pickle.dumps(pool)).is_active()
        assert len(all_sockets()) == lanes

    def test_options_travel_along(self, pool: Pool) -> None:
        back = pickle.loads(pickle.dumps(pool.with_options(timeout=7, strict_names=False)))
        assert back.host.options == Options(timeout=7, strict_names=False)

    def test_a_readonly_host_stays_readonly(self, uri: str) -> None:
        with connect(uri, readonly=True) as host:
            back = pickle.loads(pickle.dumps(host))
        assert back.readonly
        assert back.pools.count() >= 0

    def test_one_that_was_closed_opens_again(self, pool: Pool) -> None:
        back = pickle.loads(pickle.dumps(pool))
        assert back.is_active()
        back.host.close()
        assert pickle.loads(pickle.dumps(pool)).is_active()

    def test_loading_connects_to_nobody(self) -> None:
        there = Host(Channel("storage:///session?socket=/nosuch", False, Options()))
        back = pickle.loads(pickle.dumps(there)).with_options(timeout=3)
        assert (back.uri, back.options.timeout) == (there.uri, 3)
        with pytest.raises(ConnectionFailedError):
            back.pools.list()

    def test_in_another_process(self, volume: Volume) -> None:
        code = "import pickle, sys; print(pickle.load(sys.stdin.buffer).info().capacity)"
        run = subprocess.run(
            [sys.executable, "-c", code], input=pickle.dumps(volume), capture_output=True, check=True
        )
        assert (run.stdout, run.stderr) == (b"4 KiB\n", b"")

    @pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
    def test_in_a_forked_child_they_are_refused(self, volume: Volume) -> None:
        child = os.fork()
        if child == 0:
            refused = 0
            for handle in (volume, pickle.loads(pickle.dumps(volume))):
                try:
                    handle.info()
                except ConnectionError:
                    refused += 1
            os._exit(refused)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
        assert volume.info().capacity == 4096


class TestOptions:
    def test_children_inherit_them(self, host: Host, pool: Pool, volume: Volume) -> None:
        hasty = host.with_options(timeout=3.0)
        assert hasty.options.timeout == 3.0
        assert host.options.timeout == 60.0
        found = hasty.pools[pool.name]
        for child in (
            found,
            found.volumes[volume.name],
            found.volumes[volume.name].pool,
            found.stop().start(),
        ):
            assert child.host.options.timeout == 3.0
        assert pool.with_options(strict_names=False).volumes[volume.name].host.options.strict_names is False

    def test_they_share_the_connection(self, host: Host) -> None:
        assert session_of(host.with_options(timeout=1)) is session_of(host)

    def test_one_that_there_is_not(self, host: Host) -> None:
        with pytest.raises(InvalidRequestError, match="timeout"):
            host.with_options(retries=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]

    def test_the_time_limit_is_kept(self, own_daemon: PrivateDaemon) -> None:
        with connect(own_daemon.uri) as host:
            pools = host.with_options(timeout=0.3).pools
            assert pools.count() == 0
            os.kill(own_daemon.pid, 19)  # SIGSTOP
            try:
                with pytest.raises(DeadlineError):
                    pools.count()
            finally:
                os.kill(own_daemon.pid, 18)  # SIGCONT
            assert pools.count() == 0


def settled(count: Callable[[], int], expected: int) -> bool:
    """Whether a number comes to be as expected; closing takes a moment."""
    for _ in range(200):
        if count() == expected:
            return True
        sleep(0.01)
    return False


class TestTheEnd:
    def test_a_closed_host_refuses(self, uri: str) -> None:
        before = len(all_sockets())
        with connect(uri) as host:
            pools, secrets = host.pools, host.secrets
        for read in (pools.list, secrets.list, host.inventory, host.pool_capabilities):
            with pytest.raises(StateError, match="closed"):
                read()
        assert not host.is_alive()
        host.close()
        assert settled(lambda: len(all_sockets()), before)

    def test_closing_closes_everything(self, uri: str) -> None:
        before = len(all_sockets())
        with connect(uri) as host:
            host.secrets.list()
            assert len(all_sockets()) > before + 1
        assert settled(lambda: len(all_sockets()), before)

    def test_one_that_is_dropped_warns_and_closes(self, uri: str) -> None:
        before = len(all_sockets())
        host = connect(uri)
        host.secrets.list()
        kept = [host.pools]
        del host
        with warnings.catch_warnings(action="ignore", category=ResourceWarning):
            gc.collect()  # of hosts that others have dropped, too
        with pytest.warns(ResourceWarning, match="unclosed host"):
            kept.clear()
        assert settled(lambda: len(all_sockets()), before)

    def test_a_handle_keeps_its_host_open(self, pool: Pool) -> None:
        with connect(pool.host.uri) as host:
            handle = host.pools[pool.name]
            del host
            gc.collect()
            assert handle.is_active()

    def test_descriptors_and_threads_come_back(self, uri: str, pool: Pool) -> None:
        process.current()
        descriptors, threads = len(list(Path("/proc/self/fd").iterdir())), threading.active_count()
        for _ in range(20):
            with connect(uri) as host:
                host.pools[pool.name].volumes.specs()
                host.secrets.count()
        assert settled(lambda: len(list(Path("/proc/self/fd").iterdir())), descriptors)
        assert settled(threading.active_count, threads)

    def test_interpreters_end_with_open_hosts(self, uri: str) -> None:
        code = f"import libstorage; host = libstorage.connect({uri!r}); host.secrets.list(); print(host.is_alive())"
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=30)
        assert (run.stdout, run.stderr) == (b"True\n", b"")
