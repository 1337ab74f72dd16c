"""What there is to pay beside each document: imports, the first document of each kind, and memory.

Run: python -m benchmarks.footprint [ROUNDS [VOLUMES]]
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable, Sequence
from enum import Enum
from functools import partial
from types import BuiltinFunctionType, FunctionType, ModuleType

from attrs import evolve

from benchmarks.clock import alternately
from benchmarks.codec import MISSING, OURS, PEERS, peers
from benchmarks.documents import corpus, daemon_volume, root_of
from benchmarks.results import Result, Table, compared, figure, installed, save
from libstorage import VolumeSpec

MODELS = {"volume": "VolumeSpec", "pool": "PoolSpec"}
FIRST = """
import json, sys
from time import perf_counter as now
text = sys.stdin.read()
began = now()
import libstorage
imported = now()
model = libstorage.{model}
found = now()
spec = model.from_xml(text)
read = now()
spec.to_xml(reported=True)
written = now()
later = []
for _ in range(50):
    start = now()
    model.from_xml(text)
    middle = now()
    spec.to_xml(reported=True)
    later.append((middle - start, now() - middle))
print(json.dumps([imported - began, found - imported, read - found, written - read, *map(min, zip(*later))]))
"""
MEBI = 1 << 20
NEEDED = "import attrs, lxml.etree"
IMPORTS = {
    "python": "",
    "import libstorage": "import libstorage",
    "its documents": "from libstorage import PoolSpec, VolumeSpec",
    "its client": "from libstorage import connect",
    NEEDED: NEEDED,
    "import libvirt": "import libvirt",
    "import pydantic_xml": "import pydantic_xml",
    "import xsdata's parser": "import xsdata.formats.dataclass.parsers",
}


# ---- imports ----------------------------------------------------------------------------------------------------------


def import_table(rounds: int) -> Table:
    """Whole processes that import something and end."""
    there = {name: line for name, line in IMPORTS.items() if _runs(line)}
    variants: dict[str, Callable[[], object]] = {name: partial(python, line) for name, line in there.items()}
    results = compared(alternately(variants, rounds), NEEDED, scale=1e3)
    return Table(
        name="import",
        title="Importing",
        unit="ms",
        about=f"Whole processes, Python's own start included; the least of {rounds}. What is not used is not loaded.",
        floor=f"`{NEEDED}`",
        results=[*results, *(Result(name=name, note=MISSING) for name in IMPORTS if name not in there)],
    )


def python(code: str, text: str = "") -> str:
    """What a new process prints that runs this."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, input=text, check=True, capture_output=True, text=True).stdout


def _runs(code: str) -> bool:
    return subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


# ---- the first document -----------------------------------------------------------------------------------------------


def first_table(texts: Sequence[str], rounds: int) -> Table:
    """The first document of each kind in a process, which compiles what reads and writes the others."""
    results = []
    for root, model in MODELS.items():
        text = next(text for text in texts if root_of(text) == root)
        runs = [json.loads(python(FIRST.format(model=model), text)) for _ in range(rounds)]
        _, found, read, written, later_read, later_written = map(min, zip(*runs, strict=True))
        results += [
            Result(name=f"{model}: its module is loaded", value=found * 1e3, note="with attrs"),
            Result(
                name=f"{model}: first read",
                value=read * 1e3,
                note=f"a later one: {figure(later_read * 1e6)} µs",
            ),
            Result(
                name=f"{model}: first write",
                value=written * 1e3,
                note=f"a later one: {figure(later_written * 1e6)} µs",
            ),
        ]
    return Table(
        name="first",
        title="The first document",
        unit="ms",
        about="After `import libstorage`, in a fresh process. Readers and writers are compiled when they are first used; "
        f"the first read of a pool or volume also loads lxml where it needs it. The least of {rounds}.",
        results=results,
    )


# ---- memory -----------------------------------------------------------------------------------------------------------


def memory_table(volumes: int) -> Table:
    """What the specs of many volumes take, their strings left out."""
    readers: dict[str, Callable[[str], object]] = {OURS: VolumeSpec.from_xml}
    readers |= {name: peer.reader("volume") for name, peer in peers().items()}
    results = [_held(name, read, volumes) for name, read in readers.items()]
    ours = results[0].value
    assert ours
    results = [evolve(row, ratio=row.value and row.value / ours) for row in results]
    missing = [Result(name=name, note=MISSING) for name in PEERS if name not in readers]
    return Table(
        name="memory",
        title="Memory",
        unit="MiB",
        about=f"What `tracemalloc` counts for the specs of {volumes:,} qcow2 volumes, read from documents as a daemon prints "
        "them (with permissions, times, cluster size and features), less the strings in them.",
        floor=OURS,
        results=[*results, *missing],
    )


def _held(name: str, read: Callable[[str], object], volumes: int) -> Result:
    texts = [daemon_volume(number) for number in range(volumes)]
    read(texts[0])
    gc.collect()
    tracemalloc.start()
    held = [read(text) for text in texts]
    gc.collect()
    total = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    parts = sizes(held)
    strings = parts.pop("str", 0)
    most = ", ".join(f"{kind} {figure(taken / volumes)}" for kind, taken in parts.most_common(7))
    return Result(
        name=name,
        value=(total - strings) / MEBI,
        note=f"and {figure(strings / MEBI)} MiB of strings; bytes a volume: {most}",
    )


_SHARED = (type, ModuleType, FunctionType, BuiltinFunctionType, Enum)


def sizes(root: object) -> Counter[str]:
    """The bytes of all objects that can be reached from ``root``, by class; what is shared is counted once."""
    seen = {id(root)}
    waiting = [root]
    found: Counter[str] = Counter()
    while waiting:
        one = waiting.pop()
        found[type(one).__name__] += sys.getsizeof(one)
        for other in gc.get_referents(one):
            if id(other) not in seen and not isinstance(other, _SHARED):
                seen.add(id(other))
                waiting.append(other)
    return found


def main(rounds: int, volumes: int) -> None:
    texts = [path.read_text(encoding="utf-8") for path in corpus()]
    tables = [import_table(rounds), first_table(texts, rounds), memory_table(volumes)]
    save("footprint", tables, installed("attrs", "lxml", "libvirt-python", *PEERS))


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*given, *(20, 10_000)[len(given) :])
