"""Judges cut and changed images: ``python -m tests.images --images 20000``."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path
from time import monotonic

from tests.images.judge import broken_laws, case, shown
from tests.images.made import Maker


def say(line: str) -> None:
    """Show a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def judged(images: int, seed: int) -> int:
    """Judge so many images; return how many broke a law."""
    chance, count, bad, began = random.Random(seed), Counter[str](), 0, monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = list(Maker(folder, seed).all())
        for _ in range(images):
            one = case(chance.choice(made), chance)
            for law in broken_laws(one, folder, chance.choice((1 << 20, 5000, 300_000)), count):
                bad += 1
                say(shown(one, law))
    say(f"{images} images of {len(made)} kinds, seed {seed}, {monotonic() - began:.0f} s: {bad} laws broken")
    say(", ".join(f"{what}: {many}" for what, many in sorted(count.items())))
    return bad


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    sys.exit(judged(given.images, given.seed) > 0)
