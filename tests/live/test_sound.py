"""What is sound, libvirt takes, and what it has then is what was asked for.

``LIBSTORAGE_SOUND`` says how many specs to try (``make sound``: 10,000), ``LIBSTORAGE_SEED`` which.
"""

from __future__ import annotations

import os
import random
import shutil
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from libstorage import (
    BackingStore,
    Host,
    Pool,
    PoolSpec,
    SecretRef,
    SecretSpec,
    StorageError,
    VolumeSpec,
    connect,
)
from libstorage.models.sources import SOURCES
from libstorage.models.spec import Spec
from tests.live.conftest import remove
from tests.live.sound import FORMATS, MACHINE, UNMADE, dir_pools, pool_names, volumes
from tests.property.strategies import pools

COUNT = int(os.environ.get("LIBSTORAGE_SOUND") or 150)
SEED = int(os.environ.get("LIBSTORAGE_SEED") or random.randrange(10**6))
ENCRYPTED = 400  # one of so many: a key derivation takes seconds


@frozen
class Ground:
    """Where the specs are tried."""

    host: Host
    pool: Pool
    folder: Path
    bases: dict[str, BackingStore]
    secrets: tuple[SecretRef, ...]


@pytest.fixture(scope="module")
def ground(uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder, name = tmp_path_factory.mktemp("sound"), f"sound-{uuid.uuid4().hex[:8]}"
    with connect(uri) as host:
        pool = host.pools.define(PoolSpec.dir(name, folder / "pool")).build().start()
        formats = [form for form in FORMATS if form not in (None, "iso", "dir")]
        bases = {
            form: pool.volumes.create(
                VolumeSpec.image(f"base {form}", form, "1 MiB", allocation=0)
            ).as_backing()
            for form in formats
        }
        secret = host.secrets.define(SecretSpec.volume(f"/{name}"))
        secret.set_value(b"passphrase")
        refs = SecretRef(uuid=secret.uuid), SecretRef(usage=f"/{name}")
        yield Ground(host, pool, folder, bases, refs)
        secret.undefine()
        remove(pool)


def tried(specs: st.SearchStrategy[Any], trial: Callable[[Any], None], count: int) -> None:
    """Try many; each that the machine refuses, it must refuse for one of its reasons."""
    outcomes: Counter[str] = Counter()

    @seed(SEED)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(specs)
    def each(spec: Any) -> None:
        try:
            trial(spec)
        except StorageError as error:
            why = [reason.why for reason in MACHINE if reason.covers(error)]
            if not why:
                error.add_note(spec.to_xml())
                raise
            outcomes[why[0]] += 1
        else:
            outcomes["taken"] += 1

    each()
    print(f"seed {SEED}: {dict(outcomes)}")  # noqa: T201 (the long run shows it)
    assert outcomes["taken"] > count // 3


def compare(have: Spec, want: Spec) -> None:
    differences = have.differences(want)
    assert not differences, f"{'; '.join(map(str, differences))} in {want.to_xml()}"
    have.request().check()


def test_volumes(ground: Ground) -> None:
    def trial(spec: VolumeSpec) -> None:
        volume = ground.pool.volumes.create(spec)
        try:
            compare(volume.spec(), spec)
            ground.pool.refresh()
            assert volume.spec().differences(spec) == ()
        finally:
            volume.delete()

    tried(volumes(ground.bases, ground.secrets, ENCRYPTED), trial, COUNT * 2 // 3)


def test_dir_pools(ground: Ground) -> None:
    folder = ground.folder / "pools"

    def trial(spec: PoolSpec) -> None:
        pool = ground.host.pools.define(spec)
        try:
            compare(pool.spec(), spec)
            pool.build().start()
            compare(pool.spec(), spec)
            compare(pool.refresh().spec(), spec)
            compare(pool.spec(inactive=True), spec)
        finally:
            remove(pool)
            shutil.rmtree(folder, ignore_errors=True)

    tried(dir_pools(folder), trial, COUNT // 3)


NO_BACKEND = ("sheepdog", "vstorage")  # libvirt 9.0 in Debian has none for these types


@pytest.mark.parametrize(
    "source",
    [source for source in SOURCES.models if source.type not in NO_BACKEND],  # type: ignore[attr-defined]
    ids=lambda source: source.type,
)
def test_pools_of_every_type_are_defined(ground: Ground, source: Any) -> None:
    def trial(spec: PoolSpec) -> None:
        pool = ground.host.pools.define(spec)
        try:
            assert pool.spec().differences(spec) == ()
        finally:
            pool.undefine()

    tried(pools(source, name=pool_names()).map(PoolSpec.request), trial, max(COUNT // 50, 10))


@pytest.mark.parametrize("form", UNMADE)
def test_what_a_dir_pool_cannot_make(ground: Ground, form: str) -> None:
    """Why these formats are not among those above: no other type of pool has anything against them."""
    with pytest.raises(StorageError, match=r"format|ploop|not support"):
        ground.pool.volumes.create(VolumeSpec.image("unmade", form, "1 MiB"))
