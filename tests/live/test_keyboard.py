"""What the keyboard gets: completion in IPython, and the name that was probably meant."""

from __future__ import annotations

import os
import re
import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from libstorage import (
    Host,
    InvalidRequestError,
    NotFoundError,
    Pool,
    PoolNotFoundError,
    PoolSpec,
    SecretNotFoundError,
    SecretSpec,
    VolumeNotFoundError,
    VolumeSpec,
    connect,
)
from libstorage.session.hints import MEANT
from libstorage.testing import PrivateDaemon
from tests.inside import connection_of
from tests.live.rpc import RpcCounter
from tests.shell import completions


@pytest.fixture
def images(host: Host, folder: Path) -> Iterator[Pool]:
    """A pool with a name that nothing else has, and a volume in it."""
    pool = (
        host.pools.define(PoolSpec.dir(f"images-{uuid.uuid4().hex[:6]}", str(folder / "pool")))
        .build()
        .start()
    )
    pool.volumes.create(VolumeSpec.raw("web-1.img", 4096))
    yield pool
    pool.stop().undefine()


@pytest.mark.parametrize("jedi", [True, False], ids=["jedi", "plain"])
class TestCompletion:
    def test_names_of_pools(self, host: Host, images: Pool, jedi: bool) -> None:
        assert images.name in completions('host.pools["', jedi, host=host)
        assert completions('host.pools["images-', jedi, host=host) == [images.name]

    def test_names_of_volumes(self, images: Pool, jedi: bool) -> None:
        assert completions('pool.volumes["', jedi, pool=images) == ["web-1.img"]

    def test_uuids_of_secrets(self, host: Host, jedi: bool) -> None:
        secret = host.secrets.define(SecretSpec.volume(f"/{uuid.uuid4().hex}"))
        assert secret.uuid in completions('host.secrets["', jedi, host=host)
        secret.undefine()

    def test_attributes_behind_attributes(self, host: Host, jedi: bool) -> None:
        assert {"define", "names"} <= {
            found.lstrip(".") for found in completions("host.pools.", jedi, host=host)
        }


def test_what_an_item_has(host: Host) -> None:
    offered = completions('host.pools["images"].', host=host)
    assert {"info", "start", "volumes"} <= set(offered)
    assert not any(name.startswith("_") for name in offered)


def test_a_host_that_hangs_offers_nothing_and_keeps_its_lane(own_daemon: PrivateDaemon) -> None:
    with connect(own_daemon.uri, lanes=1) as host:
        os.kill(own_daemon.pid, signal.SIGSTOP)
        try:
            begun = time.monotonic()
            offered = host.pools._ipython_key_completions_()
            took = time.monotonic() - begun
        finally:
            os.kill(own_daemon.pid, signal.SIGCONT)
        assert (offered, took < 4) == ([], True)
        lane = connection_of(host)
        assert host.pools.names() == ()
        assert lane.lane_count() == 1


def test_a_closed_host_offers_nothing(uri: str) -> None:
    with connect(uri) as host:
        pass
    assert host.pools._ipython_key_completions_() == []


class TestMeant:
    def test_a_pool(self, host: Host, images: Pool) -> None:
        with pytest.raises(PoolNotFoundError) as caught:
            host.pools[images.name.replace("images", "imags")]
        error = caught.value
        assert error.message.startswith("no pool 'imags-")
        assert error.hint is not None
        assert error.hint.startswith(f"Did you mean {images.name!r}?\n")

    def test_a_volume(self, images: Pool) -> None:
        with pytest.raises(
            VolumeNotFoundError, match=r"no volume 'web1.img' in pool 'images-.*' on storage:"
        ) as caught:
            images.volumes["web1.img"]
        assert str(caught.value.hint).startswith("Did you mean 'web-1.img'?")

    def test_a_secret(self, host: Host) -> None:
        secret = host.secrets.define(SecretSpec.ceph(f"client.web secret {uuid.uuid4().hex[:6]}"))
        usage = secret.spec().usage
        assert usage is not None
        assert usage.id is not None
        with pytest.raises(SecretNotFoundError) as caught:
            host.secrets.by_usage("ceph", usage.id.upper())
        assert str(caught.value.hint).startswith(f"Did you mean {usage.id!r}?")
        last = "0" if secret.uuid[-1] != "0" else "1"
        with pytest.raises(SecretNotFoundError, match="no secret") as caught:
            host.secrets[secret.uuid[:-1] + last]
        assert str(caught.value.hint).startswith(f"Did you mean {secret.uuid!r}?")
        secret.undefine()

    def test_nothing_that_is_similar(self, host: Host, images: Pool) -> None:
        with pytest.raises(PoolNotFoundError) as caught:
            host.pools["quite-another"]
        assert caught.value.hint == "host.pools.names() lists the existing pools."

    def test_it_costs_one_call_and_none_where_the_names_are_known(
        self, counter: RpcCounter, images: Pool
    ) -> None:
        wrong = images.name.replace("images", "imags")
        with connect(counter.uri, lanes=1) as host:
            assert calls(counter, lambda: host.pools[wrong]) == 2
            host.pools.names()
            assert calls(counter, lambda: host.pools[wrong]) == 1
            pool = host.pools[images.name]
            assert calls(counter, lambda: pool.volumes["web1.img"]) == 2
            pool.volumes.list()
            assert calls(counter, lambda: pool.volumes["web1.img"]) == 1

    def test_questions_whether_something_is_there_cost_one_call(
        self, counter: RpcCounter, images: Pool
    ) -> None:
        wrong = images.name.replace("images", "imags")
        with connect(counter.uri, lanes=1) as host:
            volumes = host.pools[images.name].volumes
            host.secrets.count()
            absent = str(uuid.uuid4())
            for ask in (
                lambda: host.pools.get(wrong),
                lambda: host.pools.exists(wrong),
                lambda: wrong in host.pools,
                lambda: volumes.get("web1.img"),
                lambda: volumes.exists("web1.img"),
                lambda: "web1.img" in volumes,
                lambda: host.secrets.get(absent),
                lambda: absent in host.secrets,
            ):
                assert calls(counter, ask) == 1

    def test_an_answer_that_takes_too_long_is_not_waited_for(
        self, host: Host, images: Pool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pools = type(host.pools)

        def slowly(_: object) -> tuple[str, ...]:
            time.sleep(1.5)
            return (images.name,)

        monkeypatch.setattr(pools, "names", slowly)
        begun = time.monotonic()
        with pytest.raises(PoolNotFoundError) as caught:
            host.pools[images.name.replace("images", "imags")]
        assert time.monotonic() - begun < MEANT + 0.8
        assert "Did you mean" not in str(caught.value)


def calls(counter: RpcCounter, act: Any) -> int:
    before = counter.calls
    with suppress(NotFoundError):
        act()
    return counter.calls - before


def test_handles_are_sorted_by_name(host: Host, folder: Path) -> None:
    names = [f"{letter}-{uuid.uuid4().hex[:6]}" for letter in "cafbed"]
    pools = [host.pools.define(PoolSpec.dir(name, str(folder / name))) for name in names]
    assert [pool.name for pool in sorted(pools)] == sorted(names)
    assert [name for name in host.pools.names() if name in names] == sorted(names)
    for pool in pools:
        pool.undefine()
    with pytest.raises(TypeError):
        sorted([pools[0], "pool"])  # type: ignore[type-var]


def test_a_repr_shortens_the_address(host: Host, images: Pool) -> None:
    for thing in (host, host.pools, host.secrets, images, images.volumes["web-1.img"]):
        assert "?socket=…>" in repr(thing)
    assert "libvirt-sock" in host.uri


def test_a_host_is_no_address(host: Host) -> None:
    with pytest.raises(ValueError, match="You have a host already"):
        connect(host)  # type: ignore[arg-type]


class TestForeignNames:
    def test_the_error_has_the_right_name(self, host: Host, images: Pool) -> None:
        for thing, name, instead in (
            (host, "listAllStoragePools", "host.pools.list()"),
            (images, "destroy", "pool.stop()"),
            (images, "capacity", "pool.info().capacity"),
            (images.volumes["web-1.img"], "size", "volume.info().capacity"),
        ):
            with pytest.raises(AttributeError, match=re.escape(instead)):
                getattr(thing, name)
            assert not hasattr(thing, name)
            assert name not in dir(thing)
            assert name not in dir(type(thing))

    def test_completion_does_not_offer_them(self, host: Host, images: Pool) -> None:
        offered = completions("pool.", pool=images)
        assert "stop" in offered
        assert not {"destroy", "isActive", "capacity"} & set(offered)

    def test_parts_of_a_document_name_the_factory(self, host: Host, images: Pool) -> None:
        with pytest.raises(InvalidRequestError, match=re.escape("VolumeSpec.qcow2('x', '1 GiB')")):
            images.volumes.create("x", "1 GiB")  # type: ignore[call-arg, arg-type]
        with pytest.raises(InvalidRequestError, match=re.escape("PoolSpec.dir('x', '/srv/x')")):
            host.pools.define("x", "/srv/x")  # type: ignore[call-arg, arg-type]
