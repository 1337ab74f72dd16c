"""One turn of ``benchmarks.compare``: what a benchmark measures of the libstorage that is importable here, as JSON.

The figures are the package's own, with one of something else as a control. Less is better in all of them. What this
package cannot do is not measured, and the reason is among ``failed``.

Run: python -m benchmarks.measure BENCHMARK FOLDER-OF-DOCUMENTS
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from attrs import Factory, frozen

from benchmarks.clock import alternately

CONTROL = "control: "

Ways = Mapping[str, Callable[[], object]]


@frozen
class Turn:
    """What one process measured: figures, and why others are missing, by their names."""

    figures: dict[str, float] = Factory(dict)
    failed: dict[str, str] = Factory(dict)

    def time(self, unit: str, ways: Ways, rounds: int, *, scale: float = 1, **clock: Any) -> None:
        """Add the least time of each way, those aside that raise when they are tried."""
        able = {name: way for name, way in ways.items() if self._can(name, way, clock.get("before"))}
        if able:
            times = alternately(able, rounds, **clock)
            self.figures.update({f"{name} [{unit}]": min(taken) * scale for name, taken in times.items()})

    def keep(self, name: str, measure: Callable[[], float | None]) -> None:
        """Add one figure that is no time."""
        try:
            self.figures[name] = measure() or 0.0
        except Exception as error:  # noqa: BLE001 - an older revision may fail in any way
            self.failed[name] = _reason(error)

    def _can(self, name: str, way: Callable[[], object], before: Callable[[], object] | None) -> bool:
        try:
            if before is not None:
                before()
            way()
        except Exception as error:  # noqa: BLE001 - see above
            self.failed[name] = _reason(error)
            return False
        return True


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]


# ---- the benchmarks -------------------------------------------------------------------------------------------------


def codec(turn: Turn, documents: Sequence[Path]) -> None:
    """Reading, writing and judging."""
    from lxml import etree

    from benchmarks.codec import each, requoted
    from benchmarks.documents import root_of
    from libstorage import PoolSpec, VolumeSpec, validate

    texts = [path.read_text(encoding="utf-8") for path in documents]
    models: list[type[Any]] = [VolumeSpec if root_of(text) == "volume" else PoolSpec for text in texts]
    pairs = [*zip(models, texts, strict=True)]
    quoted = [(model, requoted(text)) for model, text in pairs]
    scale = 1e6 / len(texts)
    specs = [model.from_xml(text) for model, text in pairs]
    quick: Ways = {
        f"{CONTROL}lxml.etree.fromstring": each([partial(etree.fromstring, text) for text in texts]),
        "from_xml": each([partial(model.from_xml, text) for model, text in pairs]),
        "from_xml, unusual documents": each([partial(model.from_xml, text) for model, text in quoted]),
        "to_xml(reported=True)": each([partial(spec.to_xml, reported=True) for spec in specs]),
        "to_xml": each([spec.to_xml for spec in specs]),
    }
    slow: Ways = {
        "validate, our XSD": each([partial(validate, text, "xsd") for text in texts]),
        "validate, libvirt's RELAX NG": each([partial(validate, text, "rng") for text in texts]),
        "from_xml(strict=True)": each([partial(model.from_xml, text, strict=True) for model, text in pairs]),
    }
    turn.time("µs a document", quick, 25, scale=scale, warm=True)
    turn.time("µs a document", slow, 3, scale=scale)


def footprint(turn: Turn, documents: Sequence[Path]) -> None:
    """Imports, the first document, memory."""
    from benchmarks.codec import OURS
    from benchmarks.footprint import IMPORTS, first_table, memory_table, python

    ours = [name for name, line in IMPORTS.items() if "libstorage" in line]
    ways = {name: partial(python, IMPORTS[name]) for name in ours}
    turn.time("ms", {f"{CONTROL}python": partial(python, ""), **ways}, 3, scale=1e3)
    texts = [path.read_text(encoding="utf-8") for path in documents]
    try:
        for row in first_table(texts, 3).results:
            turn.figures[f"{row.name} [ms]"] = row.value or 0.0
    except Exception as error:  # noqa: BLE001 - an older revision may fail in any way
        turn.failed["the first document"] = _reason(error)
    turn.keep(
        "specs of 2,000 volumes [MiB]",
        lambda: next(row.value for row in memory_table(2000).results if row.name == OURS),
    )


def listing(turn: Turn, _: Sequence[Path]) -> None:
    """Pools of 500 volumes near, and of 200 far away."""
    from benchmarks import listing as script
    from benchmarks.link import slow_link
    from libstorage import connect

    with script.filled_daemon(500) as uri, script.bare_loop(uri) as bare, connect(uri) as host:
        ways = {f"{CONTROL}libvirt-python's loop": bare, **script.our_ways(uri, host)}
        checked = {name: script.as_a_user(way, 500) for name, way in ways.items()}
        turn.time("ms", checked, 5, scale=1e3)
    with script.filled_daemon(200) as near, slow_link(near, script.DELAY) as uri:
        far = script.as_a_user(partial(script.specs_from_nothing, uri, None), 200)
        turn.time("ms", {f"{script.COLD}, 20 ms away": far}, 2, scale=1e3)


SIZE, SPARSE, AT_ONCE = 64 << 20, 256 << 20, 4


def transfer(turn: Turn, _: Sequence[Path]) -> None:
    """Uploads and downloads of 64 MiB, of 256 MiB with holes, and several at once."""
    from benchmarks.transfer import Workshop, peak, workshop

    def once(here: Workshop, title: str, source: Path, size: int) -> None:
        target = here.file("target")
        turn.time(
            "ms",
            {f"upload{title}": lambda: here.pool.volumes["one"].upload(source)},
            5,
            scale=1e3,
            before=partial(here.volume, "one", size),
        )
        volume = here.pool.volumes["one"]
        volume.upload(source)
        downloads: dict[str, Callable[[], object]] = {f"download{title}": partial(volume.download, target)}
        if not title:
            downloads["download(parallel=3)"] = partial(volume.download, target, parallel=3)
            downloads[f"{CONTROL}copy of the file"] = partial(shutil.copyfile, source, target)
        turn.time("ms", downloads, 5, scale=1e3, before=partial(target.unlink, missing_ok=True))

    def at_once(here: Workshop, source: Path) -> None:
        names = [f"volume-{number}" for number in range(AT_ONCE)]

        def upload(name: str) -> None:
            here.pool.volumes[name].upload(source)

        def all_of_them() -> None:
            with ThreadPoolExecutor(AT_ONCE) as threads:
                list(threads.map(upload, names))

        turn.time(
            "ms",
            {f"{AT_ONCE} uploads at once": all_of_them},
            3,
            scale=1e3,
            before=lambda: [here.volume(name, SIZE) for name in names],
        )

    with workshop(None) as here:
        dense, sparse = here.file("dense"), here.file("sparse")
        dense.write_bytes(random.Random(1).randbytes(16 << 20) * (SIZE >> 24))
        with sparse.open("wb") as file:
            for number in range(16):
                file.seek(number * SPARSE // 16)
                file.write(random.Random(number).randbytes(1 << 20))
            file.truncate(SPARSE)
        once(here, "", dense, SIZE)
        once(here, " with holes", sparse, SPARSE)
        at_once(here, dense)
        turn.keep("peak memory of an upload [MiB]", lambda: peak(here, "upload", dense, SIZE))


BENCHMARKS: dict[str, Callable[[Turn, Sequence[Path]], None]] = {
    "codec": codec,
    "footprint": footprint,
    "listing": listing,
    "transfer": transfer,
}


def main(benchmark: str, folder: str) -> None:
    turn = Turn()
    try:
        BENCHMARKS[benchmark](turn, sorted(Path(folder).glob("*.xml")))
    except Exception as error:  # noqa: BLE001 - an older revision may fail in any way
        turn.failed["the rest"] = _reason(error)
    package = os.fspath(Path(str(files("libstorage"))).resolve())
    print(json.dumps({"package": package, "figures": turn.figures, "failed": turn.failed}))


if __name__ == "__main__":
    main(*sys.argv[1:])
