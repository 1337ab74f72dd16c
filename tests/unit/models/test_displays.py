"""What documents, listings and inventories show: for people, whole as text, capped in a notebook."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from libstorage.enums import PoolState, VolumeFormat, VolumeType
from libstorage.errors import DocumentError, Problem, StorageError, VolumeNotFoundError
from libstorage.models.capabilities import PoolCapabilities
from libstorage.models.chains import chains_of
from libstorage.models.compare import Differences
from libstorage.models.entries import VolumeEntry
from libstorage.models.info import PoolInfo, VolumeInfo
from libstorage.models.inventory import Inventory, PoolEntry
from libstorage.models.listing import Listing
from libstorage.models.permissions import Permissions
from libstorage.models.pool import PoolSpec
from libstorage.models.volume import Timestamps, VolumeSpec
from libstorage.transfer.pieces.image import ImageInfo
from libstorage.units import GiB, MiB, Size
from libstorage.xml.describe import describe
from tests.unit.display.pages import HOSTILE, checked, twin, words

UUID = "2ec115d7-3a88-3ceb-bc12-0ac909a6fd87"
URI = "storage:///session?socket=/run/user/1000/private/libvirt-sock"


def volume(
    name: str, size: int = 20 * GiB, held: int = MiB, below: str | None = None, form: str = "qcow2"
) -> VolumeEntry:
    backing = f"<backingStore><path>/srv/{below}</path></backingStore>" if below else ""
    return VolumeEntry(
        name=name,
        spec=VolumeSpec.from_libvirt(
            f"<volume type='file'><name>{name}</name><capacity>{int(size)}</capacity><allocation>{int(held)}</allocation>"
            f"<target><path>/srv/{name}</path><format type='{form}'/></target>{backing}</volume>"
        ),
    )


def pool(
    name: str, used: int, volumes: Iterable[VolumeEntry] = (), *, size: int = 100 * GiB, active: bool = True
) -> PoolEntry:
    spec = PoolSpec.from_libvirt(
        f"<pool type='dir'><name>{name}</name><capacity>{int(size)}</capacity><allocation>{int(used)}</allocation>"
        f"<available>{int(size - used)}</available><target><path>/srv</path></target></pool>"
    )
    return PoolEntry(name=name, uuid=UUID, active=active, spec=spec, volumes=tuple(volumes))


LARGE = [volume(f"v{number}", 30 * GiB, (20 - number) * GiB) for number in range(7)]
IMAGES = [volume("base"), volume("web", below="base"), volume("db", below="base"), volume("test", below="db")]
HOST = Inventory(
    uri=URI,
    pools=(
        pool("off", 0, size=0, active=False),
        evolve(
            pool("images", 96 * GiB, LARGE), autostart=True, inactive_spec=PoolSpec.dir("images", "/other")
        ),
        pool("chains", 40 * GiB, IMAGES),
    ),
)


def listing(entries: Iterable[VolumeEntry]) -> Listing:
    return Listing(entries, uri=URI, pool="images", pool_uuid=UUID)


# ---- every display --------------------------------------------------------------------------------------------------

SHOWN: dict[str, Any] = {
    "inventory": HOST,
    "pool": HOST.pools[1],
    "stopped": HOST.pools[0],
    "volume": IMAGES[1],
    "listing": listing(IMAGES),
    "chains": HOST.chains(),
    "chart": HOST.chart(),
    "promised": HOST.chart("promised"),
    "usage": Inventory.usage_chart([HOST, HOST]),
    "chains chart": HOST.chains().chart(),
    "spec": VolumeSpec.qcow2("web", "20 GiB", permissions=Permissions(mode=0o640, owner=0)),
    "element": Permissions(mode=0o600),
    "info": PoolInfo(state=PoolState.RUNNING, capacity=GiB, allocation=MiB, available=Size(GiB - MiB)),
    "volume info": VolumeInfo(type=VolumeType.FILE, capacity=GiB, physical=MiB),
    "capabilities": PoolCapabilities.from_xml(
        "<storagepoolCapabilities><pool type='dir' supported='yes'/></storagepoolCapabilities>"
    ),
    "image": ImageInfo(VolumeFormat.QCOW2, Size(GiB), backing_file="base.qcow2"),
    "differences": PoolSpec.dir("a", "/a").differences(PoolSpec.dir("a", "/b")),
    "description": describe(VolumeSpec),
}


@pytest.mark.parametrize("name", SHOWN)
def test_a_display_says_the_same_as_text_and_as_html(name: str) -> None:
    html = checked(SHOWN[name]._repr_html_())
    said = set(re.findall(r"\w+", twin(html)))
    assert len(said) > 2
    assert said - words(html) <= {"print", "shows", "all", "free"}


@pytest.mark.parametrize("name", SHOWN)
def test_a_repr_fits_a_line(name: str) -> None:
    shown = repr(SHOWN[name])
    assert shown.isprintable()
    if name not in {"info", "volume info", "image", "description"}:  # attrs writes these
        assert len(shown) <= 100


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(name: str) -> None:
    entry = VolumeEntry(name=name, error=VolumeNotFoundError(name, target=name, hint=name))
    entries = listing([entry, VolumeEntry(name=name, spec=VolumeSpec.qcow2("x"))])
    bad = PoolEntry(
        name=name, uuid=UUID, active=True, error=VolumeNotFoundError(name), volumes=tuple(entries)
    )
    problem = Problem(name, name, found=name, expected=name)
    shown: tuple[Any, ...] = (
        entry,
        entries,
        bad,
        Inventory(uri=f"qemu:///{name}", pools=(bad,)),
        entry.error,
        problem,
        DocumentError([problem]),
    )
    for each in shown:
        checked(each._repr_html_())
        if not isinstance(each, (StorageError, Problem)):
            assert len(repr(each)) <= 200
            assert repr(each).isprintable()
            assert all(line.isprintable() for line in str(each).split("\n"))


def test_ten_thousand_volumes_are_small() -> None:
    many = [volume(f"volume-{number}.qcow2", below="base") for number in range(9_999)] + [volume("base")]
    host = Inventory(
        uri=URI, pools=(pool("images", 40 * GiB, many), *(pool(f"p{n}", GiB) for n in range(500)))
    )
    for shown in (host, host.pools[0], listing(many), host.chains(), host.chart(), host.chains().chart()):
        html = shown._repr_html_()
        assert len(html.encode()) < 100_000
        assert " more" in html
        checked(html)
    assert str(host).count("\n") > 10_500
    assert len(str(listing(many)).splitlines()) == 10_003


# ---- the host and its pools -----------------------------------------------------------------------------------------


def test_an_inventory_as_text() -> None:
    head, titles, _, chains, images, off, *rest = str(HOST).splitlines()
    assert head == "storage:///session?socket=… 3 pools, 2 running · 11 volumes"
    assert titles.split() == ["pool", "type", "state", "used", "free", "promised", "volumes", "autostart"]
    assert chains.split() == ["●", "chains", "dir", "running", "█████░░░░┃░░", "40%", "60", "GiB", "80%", "4"]
    assert images.split()[3:] == [
        "running,",
        "redefined",
        "███████████┃",
        "96%",
        "4",
        "GiB",
        "210%",
        "7",
        "yes",
    ]
    assert off.split() == ["○", "off", "dir", "stopped"]
    assert "web     qcow2     20 GiB      1 MiB  ░░░░░░░░░░░░  <1%  base" in rest


def test_an_inventory_in_a_notebook() -> None:
    html = checked(HOST._repr_html_())
    assert html.xpath("//i/@class") == ["full"]
    assert html.xpath("//td/span[@class='warn']/text()") == ["210%"]
    assert html.xpath("//td/span[@class='warn']/@title") == ["210 GiB promised to volumes"]
    assert "64,424,509,440 bytes" in html.xpath("//@title")
    assert repr(HOST) == "<Inventory of storage:///session?socket=…: 3 pools, 11 volumes, 0 errors>"


def test_an_image_shows_only_what_is_known() -> None:
    assert str(SHOWN["image"]).splitlines() == [
        "ImageInfo",
        "format        qcow2",
        "virtual_size  1 GiB",
        "backing_file  base.qcow2",
    ]


def test_a_size_of_0_is_shown() -> None:
    assert str(VolumeInfo(type=VolumeType.FILE, capacity=Size(0))).splitlines()[-1] == "capacity  0 bytes"


def test_a_time_of_creation_that_the_file_system_does_not_keep() -> None:
    assert "btime" not in str(Timestamps(mtime=1, btime=0))
    assert "btime" in str(Timestamps(mtime=1, btime=1))


def test_a_pool_of_small_volumes_shows_them_together() -> None:
    (bar,) = checked(pool("p", 50 * GiB, IMAGES)._repr_html_()).xpath("//div[@class='wide']/@aria-label")
    assert bar == "4 volumes and other files: 50 GiB; free: 50 GiB"


def test_a_pool_shows_what_fills_it() -> None:
    html = checked(HOST.pools[1]._repr_html_())
    (bar,) = html.xpath("//div[@class='wide']/@aria-label")
    assert (
        bar
        == "v0: 20 GiB; v1: 19 GiB; v2: 18 GiB; v3: 17 GiB; v4: 16 GiB; 2 other volumes and files: 6 GiB; free: 4 GiB"
    )
    assert html.xpath("//tbody/tr/th/text()") == [f"v{number}" for number in range(7)]
    assert repr(HOST.pools[1]) == "<PoolEntry 'images': dir, running, 7 volumes>"


def test_a_pool_without_large_volumes() -> None:
    html = checked(pool("p", MiB, [volume("a")])._repr_html_())
    assert html.xpath("//div[@class='wide']/@aria-label") == ["free: 100 GiB"]


def test_a_stopped_pool_shows_no_sizes() -> None:
    stopped = HOST.pools[0]
    assert str(stopped).splitlines() == [
        "○ off dir stopped /srv",
        "libvirt knows the sizes and volumes of a pool while it runs.",
    ]
    assert "capacity" not in str(stopped.spec)
    assert (
        str(PoolInfo(state=PoolState.INACTIVE, capacity=Size(0), allocation=Size(0), available=Size(0)))
        == "PoolInfo\nstate  inactive"
    )
    assert "GiB" not in str(PoolEntry(name="x", uuid=UUID, active=False))


def test_a_full_pool_shows_that_nothing_is_left() -> None:
    assert "available    0 bytes" in str(pool("full", 100 * GiB).spec)


def test_a_pool_by_name() -> None:
    assert HOST.get("images") is HOST.pools[1]
    assert HOST.get("imags") is None


def test_what_could_not_be_read_is_listed() -> None:
    gone = VolumeNotFoundError("it is gone")
    bad = PoolEntry(
        name="p", uuid=UUID, active=True, error=gone, volumes=(VolumeEntry(name="v", error=gone),)
    )
    host = Inventory(uri=URI, pools=(bad,))
    assert "v in p" in twin(checked(host._repr_html_()))
    assert str(host).count("it is gone") == 2
    assert str(bad).count("it is gone") == 2
    assert repr(bad.volumes[0]) == "<VolumeEntry 'v': VolumeNotFoundError>"
    assert repr(VolumeEntry(name="v")) == "<VolumeEntry 'v': not read>"
    assert repr(VolumeEntry(name="v", spec=VolumeSpec(name="v"))) == "<VolumeEntry 'v': read>"
    assert str(VolumeEntry(name="v")) == "v"
    assert "it is gone" in bad.volumes[0]._repr_html_()


# ---- listings and chains --------------------------------------------------------------------------------------------


class TestListing:
    def test_is_a_tuple(self) -> None:
        entries = listing(IMAGES)
        assert entries == tuple(IMAGES)
        assert hash(entries) == hash(tuple(IMAGES))
        assert (entries[0], *entries[1:]) == tuple(IMAGES)
        assert isinstance(entries[1:], Listing)
        assert entries[1:].pool == "images"

    def test_is_pickled(self) -> None:
        again = pickle.loads(pickle.dumps(listing(IMAGES)))
        assert (again, again.uri, again.pool, again.pool_uuid) == (listing(IMAGES), URI, "images", UUID)

    def test_repr_and_text(self) -> None:
        assert repr(listing(IMAGES)) == "<Listing of pool 'images' on storage:///session?socket=…: 4 volumes>"
        assert str(listing([])) == "images 0 volumes on storage:///session?socket=…"
        assert [link.name for link in listing(IMAGES).chains().links] == ["base", "db", "test", "web"]

    def test_ipython_shows_the_table(self) -> None:
        pretty = pytest.importorskip("IPython.lib.pretty").pretty
        assert pretty(listing(IMAGES)) == str(listing(IMAGES))
        assert pretty([listing(IMAGES)]).startswith("[<Listing")


class TestChains:
    def test_text(self) -> None:
        assert str(HOST.chains()).splitlines() == [
            "Backing chains 4 volumes on 1 root",
            "base qcow2 20 GiB · holds 1 MiB · 2 based on it",
            "├─ db qcow2 20 GiB · holds 1 MiB · 1 based on it",
            "│  └─ test qcow2 20 GiB · holds 1 MiB",
            "└─ web qcow2 20 GiB · holds 1 MiB",
        ]

    def test_a_backing_volume_outside(self) -> None:
        chains = chains_of([volume("web", below="gone")])
        assert [(link.level, link.path, link.name, link.note) for link in chains.links] == [
            (0, "/srv/gone", None, "not in this inventory"),
            (1, "/srv/web", "web", "20 GiB · holds 1 MiB"),
        ]

    def test_a_circle_is_shown_once(self) -> None:
        chains = chains_of([volume("a", below="b"), volume("b", below="a"), volume("c", below="c")])
        assert sorted(link.path for link in chains.links) == ["/srv/a", "/srv/b", "/srv/c"]

    def test_the_same_path_in_two_pools_is_one_volume(self) -> None:
        assert len(chains_of([*IMAGES, *IMAGES]).links) == 4

    def test_volumes_without_a_document_or_a_path_are_left_out(self) -> None:
        bare = VolumeEntry(name="a", spec=VolumeSpec(name="a"))
        assert chains_of([VolumeEntry(name="b"), bare, volume("alone")]).links == ()
        assert repr(chains_of([])) == "<Chains of 0 volumes>"

    def test_a_deep_chain(self) -> None:
        deep = chains_of([volume(f"v{n}", below=f"v{n - 1}" if n else None) for n in range(3000)])
        assert max(link.level for link in deep.links) == 2999
        assert str(deep).count("\n") == 3000
        checked(deep._repr_html_())
        checked(deep.chart()._repr_html_())

    def test_sizes_that_are_not_known(self) -> None:
        spec = VolumeSpec.from_libvirt(
            "<volume><name>a</name><target><path>/a</path></target><backingStore><path>/b</path></backingStore></volume>"
        )
        assert str(chains_of([VolumeEntry(name="a", spec=spec)])).splitlines()[-1] == "└─ a"


# ---- pictures -------------------------------------------------------------------------------------------------------


class TestCharts:
    def test_the_bars_begin_right_of_the_longest_name(self) -> None:
        def begin(name: str) -> float:
            shown = Inventory(uri=URI, pools=(pool(name, GiB),))
            return float(checked(shown.chart()._repr_html_()).xpath("//rect/@x")[0])

        assert 20 < begin("a") < begin("images") < 100 < begin("n" * 30) == begin("n" * 300)

    def test_the_scale_reaches_what_is_promised(self) -> None:
        marks = checked(HOST.chart("promised")._repr_html_()).xpath("//*[@class='s'][@text-anchor]/text()")
        assert marks == ["0%", "100%", "200%", "300%"]

    def test_capacity(self) -> None:
        assert str(HOST.chart()).splitlines()[1:3] == [
            f"chains  {'█' * 16}{'░' * 24}  40 GiB of 100 GiB",
            f"images  {'█' * 38}{'░' * 2}  96 GiB of 100 GiB",
        ]
        marks = checked(HOST.chart()._repr_html_()).xpath("//*[@class='s'][@text-anchor]/text()")
        assert marks == ["0", "32 GiB", "64 GiB", "96 GiB"]

    def test_promised(self) -> None:
        chains, images = str(HOST.chart("promised")).splitlines()[1:3]
        assert chains.endswith("40% used, 80% promised")
        assert images.endswith("96% used, 210% promised")
        assert images[8 + int(40 * 210 / 300)] == "┃"

    def test_of_a_host_without_running_pools(self) -> None:
        empty = Inventory(uri=URI, pools=())
        for chart in (
            empty.chart(),
            empty.chart("promised"),
            Inventory.usage_chart([]),
            Inventory.usage_chart([], []),
        ):
            checked(chart._repr_html_())

    def test_an_overcommitted_pool_beyond_every_step(self) -> None:
        host = Inventory(uri=URI, pools=(pool("p", GiB, [volume("v", 2**62)]),))
        checked(host.chart("promised")._repr_html_())

    def test_a_word_that_is_no_picture(self) -> None:
        with pytest.raises(ValueError, match="'size' is not a picture of an inventory: the pictures are"):
            HOST.chart("size")  # type: ignore[arg-type]

    def test_usage_over_time(self) -> None:
        hosts = [Inventory(uri=URI, pools=(pool("images", part * GiB),)) for part in (10, 20, 40)]
        hosts.append(Inventory(uri=URI, pools=(pool("new", GiB),)))
        start = datetime(2026, 11, 1, tzinfo=UTC)
        chart = Inventory.usage_chart(hosts, [start + timedelta(days=day) for day in (0, 1, 4, 8)])
        assert [line.split() for line in str(chart).splitlines()[1:5:1]] == [
            ["2026-11-01", "2026-11-02", "2026-11-05", "2026-11-09"],
            ["──────", "──────────", "──────────", "──────────", "──────────"],
            ["images", "10", "GiB", "20", "GiB", "40", "GiB"],
            ["new", "1", "GiB"],
        ]
        places = [float(x) for x in checked(chart._repr_html_()).xpath("//circle[@fill='#3f8ac9']/@cx")]
        assert (places[1] - places[0]) * 4 == pytest.approx(places[2] - places[0], abs=1)

    @pytest.mark.parametrize(
        ("step", "label"),
        [(timedelta(seconds=5), "00:00:05"), (timedelta(days=2), "11-03 00:00"), (timedelta(0), "00:00:00")],
    )
    def test_times_are_as_exact_as_the_span_needs(self, step: timedelta, label: str) -> None:
        start = datetime(2026, 11, 1, tzinfo=UTC)
        assert label in str(Inventory.usage_chart([HOST, HOST], [start, start + step]))

    def test_as_many_times_as_inventories(self) -> None:
        with pytest.raises(ValueError, match="there are 2 inventories, but 1 times"):
            Inventory.usage_chart([HOST, HOST], [datetime(2026, 11, 1, tzinfo=UTC)])

    def test_many_pools_over_time(self) -> None:
        host = Inventory(uri=URI, pools=tuple(pool(f"p{number:02}", GiB) for number in range(30)))
        assert "… 18 more" in str(Inventory.usage_chart([host, host]))


# ---- documents and answers ------------------------------------------------------------------------------------------


def test_a_spec_has_groups_and_values_for_people() -> None:
    spec = VolumeSpec.from_libvirt(
        "<volume type='file'><name>web</name><capacity>1610612736</capacity><allocation>0</allocation><target>"
        "<path>/srv/web</path><permissions><mode>0600</mode><owner>0</owner></permissions>"
        "<timestamps><atime>1795884764.129360210</atime></timestamps></target></volume>"
    )
    assert str(spec).splitlines() == [
        "VolumeSpec",
        "type                file",
        "name                web",
        "capacity            1.5 GiB",
        "allocation          0 bytes",
        "target",
        "  path              /srv/web",
        "  timestamps.atime  2026-11-28 16:52:44 UTC",
        "  permissions",
        "    mode            0o600 rw-------",
        "    owner           0",
    ]
    titles = checked(spec._repr_html_()).xpath("//@title")
    assert titles == ["1,610,612,736 bytes", "0 bytes", "1795884764129360210 ns since 1970"]


def test_a_pool_shows_its_type() -> None:
    assert "source.type  dir" in str(PoolSpec.dir("a", "/a"))
    logical = str(PoolSpec.logical("vg", devices=["/dev/sdb", "/dev/sdc"]))
    assert "  type             logical\n" in logical
    assert "  devices[1].path  /dev/sdc" in logical
    unknown = PoolSpec.from_xml("<pool type='moon'><name>x</name></pool>")
    assert str(unknown).count("moon") == 1


def test_values_that_have_no_other_form() -> None:
    far = Timestamps.from_xml(f"<timestamps><atime>{'9' * 20}</atime></timestamps>")
    assert str(far) == f"Timestamps\natime  {'9' * 20}000000000 ns since 1970"
    assert "nocow   yes" in str(VolumeSpec.raw("a", nocow=True).target)
    assert "ro, sync" in str(PoolSpec.fs("f", "/srv", "/dev/sdb1", mount_options=["ro", "sync"]))


def test_capabilities_are_a_matrix() -> None:
    capabilities = PoolCapabilities.from_xml(
        "<storagepoolCapabilities><pool type='rbd' supported='no'/><pool type='fs' supported='yes'>"
        "<poolOptions><defaultFormat type='auto'/><enum name='sourceFormatType'><value>auto</value><value>ext4</value></enum>"
        "</poolOptions></pool></storagepoolCapabilities>"
    )
    assert str(capabilities).splitlines() == [
        "PoolCapabilities 1 of 2 pool types have a driver",
        "pool type  supported  source formats  volume formats",
        "─────────  ─────────  ──────────────  ──────────────",
        "fs         ● yes      auto*, ext4",
        "rbd        ○ no",
        "* libvirt's default format",
    ]


def test_capabilities_without_pool_types() -> None:
    assert str(PoolCapabilities()) == "PoolCapabilities 0 of 0 pool types have a driver"


def test_differences_show_old_and_new() -> None:
    have = VolumeSpec.qcow2("a", "20 GiB", permissions=Permissions(mode=0o600))
    want = VolumeSpec.qcow2(
        "a", "40 GiB", permissions=Permissions(mode=0o640), compat="1.1", lazy_refcounts=True
    )
    found = have.differences(want)
    assert isinstance(found, Differences)
    assert found == tuple(found)
    assert [line.split("  ") for line in re.sub(" {2,}", "  ", str(found)).splitlines()][3:] == [
        ["capacity", "~ change", "20 GiB", "40 GiB"],
        ["target.permissions.mode", "~ change", "0o600 rw-------", "0o640 rw-r-----"],
        ["target.compat", "+ add", "1.1"],
        ["target.features", "+ add", "VolumeFeatures(lazy_refcounts=True)"],
    ]
    html = checked(found._repr_html_())
    assert html.xpath("//del/text()") == ["20 GiB", "0o600 rw-------"]
    assert html.xpath("//ins/text()")[0] == "40 GiB"
    assert repr(found).startswith("<4 differences: capacity, target.permissions.m…")
    assert pickle.loads(pickle.dumps(found)) == found


def test_no_differences() -> None:
    none = VolumeSpec(name="a").differences(VolumeSpec(name="a"))
    assert none == ()
    assert str(none) == "Differences none: everything that is wanted is there"
    assert repr(none) == "<0 differences>"
