"""Inventories and listings of a real host as rows and frames, and the data of its documents."""

from __future__ import annotations

import libstorage as ls


def test_an_inventory_and_a_listing_say_the_same(host: ls.Host, pool: ls.Pool) -> None:
    pool.volumes.create(ls.VolumeSpec.qcow2("a.qcow2", "1 GiB"))
    base = pool.volumes.create(ls.VolumeSpec.raw("b.img", "1 MiB", allocation=0))
    pool.volumes.create(ls.VolumeSpec.qcow2("c.qcow2", "1 MiB", backing=base.as_backing()))

    whole = ls.to_pandas(host.inventory(), "volumes")
    mine = whole[whole["pool"] == pool.name].sort_values("volume").reset_index(drop=True)
    listed = ls.to_pandas(pool.volumes.specs(), "volumes", pool=pool).sort_values("volume")

    assert mine.equals(listed.reset_index(drop=True))
    assert mine["volume"].tolist() == ["a.qcow2", "b.img", "c.qcow2"]
    assert mine["pool_uuid"].unique().tolist() == [pool.uuid]
    assert mine["host"].unique().tolist() == [host.uri]
    assert mine["capacity"].tolist() == [2**30, 2**20, 2**20]
    assert mine["format"].tolist() == ["qcow2", "raw", "qcow2"]
    assert mine["backing_path"][2] == base.path()
    assert mine["error"].isna().all()
    assert (mine["modified"].dt.year >= 2026).all()


def test_pools_of_every_state(host: ls.Host, pool: ls.Pool) -> None:
    pool.volumes.create(ls.VolumeSpec.raw("a.img", "1 MiB"))
    frame = ls.to_polars(host.inventory(), "pools")
    row = frame.filter(frame["pool"] == pool.name).row(0, named=True)
    assert (row["type"], row["active"], row["volumes"]) == ("dir", True, 1)
    assert row["capacity"] == pool.info().capacity

    pool.stop()
    frame = ls.to_polars(host.inventory(), "pools")
    row = frame.filter(frame["pool"] == pool.name).row(0, named=True)
    assert (row["type"], row["active"], row["volumes"]) == ("dir", False, None)


def test_what_a_host_reports_comes_back_from_yaml(pool: ls.Pool) -> None:
    volume = pool.volumes.create(ls.VolumeSpec.qcow2("a.qcow2", "1 GiB", compat="1.1"))
    for spec in (pool.spec(), volume.spec()):
        text = ls.dump(spec, format="yaml", reported=True)
        assert ls.load(type(spec), text, format="yaml") == spec


def test_a_pool_and_a_volume_of_a_file(pool: ls.Pool) -> None:
    """What a file says is made, and differs in nothing from what the file says."""
    text = "name: a.qcow2\ncapacity: 1 GiB\ntarget: {format: qcow2, compat: 1.1, permissions: {mode: 0640}}\n"
    spec = ls.load(ls.VolumeSpec, text, format="yaml")
    volume = pool.volumes.create(spec)
    assert volume.spec().differences(spec) == ()
    permissions = volume.spec().target.permissions
    assert permissions is not None
    assert permissions.mode == 0o640
