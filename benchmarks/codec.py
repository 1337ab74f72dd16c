"""Read and write time of documents, as ratios to lxml's bare parse of the same text.

Over every document that libvirt itself writes in its test suite, in one process, the variants in turn; the minimum of
many rounds counts, since other work on the machine only ever adds.

Run: python benchmarks/codec.py [ROUNDS]
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from lxml import etree

import libstorage
from libstorage import PoolSpec, VolumeSpec

CORPUS = Path(os.environ.get("LIBSTORAGE_CORPUS", Path(__file__).parents[1] / "../shared/corpus"))


def corpus() -> list[str]:
    """The documents that libvirt writes."""
    found = sorted(CORPUS.glob("*/*-out/*.xml"))
    if not found:
        raise SystemExit(f"no documents in {CORPUS}; set LIBSTORAGE_CORPUS")
    return [path.read_text() for path in found]


def alternately(variants: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The least seconds that each variant took, over ``rounds`` rounds in which they take turns."""
    best = dict.fromkeys(variants, float("inf"))
    for _ in range(rounds):
        for name, run in variants.items():
            start = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def codec(rounds: int) -> None:
    """Print microseconds per document and ratios."""
    texts = corpus()
    models: list[type[PoolSpec | VolumeSpec]] = [
        PoolSpec if "<pool" in text else VolumeSpec for text in texts
    ]
    documents = [model.from_xml(text) for model, text in zip(models, texts, strict=True)]
    variants: dict[str, Callable[[], object]] = {
        "lxml.etree.fromstring": lambda: [etree.fromstring(text) for text in texts],
        "from_xml": lambda: [model.from_xml(text) for model, text in zip(models, texts, strict=True)],
        "to_xml": lambda: [document.to_xml() for document in documents],
        "to_xml(reported=True)": lambda: [document.to_xml(reported=True) for document in documents],
    }
    best = alternately(variants, rounds)
    floor = best["lxml.etree.fromstring"]
    print(f"{len(texts)} documents, mean {sum(map(len, texts)) // len(texts)} characters, {rounds} rounds")
    print(f"{'':24}{'µs/document':>12}{'ratio':>8}")
    for name, seconds in best.items():
        print(f"{name:24}{seconds / len(texts) * 1e6:12.2f}{seconds / floor:8.2f}")


def imports(rounds: int) -> None:
    """Print what ``import libstorage`` costs beside what it cannot do without."""
    run: Callable[[str], object] = lambda code: subprocess.run([sys.executable, "-c", code], check=True)  # noqa: E731
    best = alternately(
        {
            "python": lambda: run(""),
            "import attrs, lxml.etree": lambda: run("import attrs, lxml.etree"),
            "import libstorage": lambda: run("import libstorage"),
        },
        rounds,
    )
    bare, needed, ours = best.values()
    print(f"\nimport, whole process, {rounds} rounds")
    for name, seconds in best.items():
        print(f"{name:28}{seconds * 1e3:8.1f} ms")
    print(f"{'ratio, whole process':28}{ours / needed:8.2f}")
    print(f"{'ratio, without python itself':28}{(ours - bare) / (needed - bare):8.2f}")


if __name__ == "__main__":
    print(
        f"libstorage {libstorage.__version__}, lxml {etree.__version__}, Python {platform.python_version()}"
    )
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    codec(times)
    imports(max(3, times // 10))
