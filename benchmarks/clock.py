"""The clock of all benchmarks.  It needs nothing but Python, so that Debian's own interpreter can use it too."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from time import perf_counter


def alternately(
    variants: Mapping[str, Callable[[], object]],
    rounds: int,
    *,
    warm: bool = False,
    before: Callable[[], object] | None = None,
) -> dict[str, list[float]]:
    """The seconds that each variant took in each of ``rounds`` rounds, after one that does not count.

    In every round each variant runs once; who begins moves on by one each time.  The garbage collector runs between the
    variants and never within one, whichever it is.

    Args:
        variants: What to run, by name.
        rounds: How often.
        warm: Let each variant run once more, untimed, right before it is timed.  Variants of a millisecond need that: else
            the processor's caches hold what the one before left, and a short variant pays for a long one.
        before: Run before each, untimed.
    """
    names = list(variants)
    times: dict[str, list[float]] = {name: [] for name in names}
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        for turn in range(rounds + 1):
            first = turn % len(names)
            for name in names[first:] + names[:first]:
                run = variants[name]
                gc.collect()
                if before is not None:
                    before()
                if warm:
                    run()
                start = perf_counter()
                run()
                taken = perf_counter() - start
                if turn:
                    times[name].append(taken)
    finally:
        gc.enable()
        gc.unfreeze()
    return times
