"""Time a pass of EM over rows of many features with 1, 2, 4, ... threads, in turn; say how much is the interpreter's.

Times are by the clock, the best of several passes each, so run it on an idle machine. The interpreter's share is the
processor time of a pass on one thread that is spent outside the compiled kernels.

    python scripts/bench_threads.py
    python scripts/bench_threads.py --rows 1000000,64,16 --threads 1,2,4,8,16
"""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from bench_em import blobs, start

from bgsub.mixture.passes import large
from bgsub.mixture.passes.cpu import row_pass
from bgsub.threads import available_processors

CASES = ["200000,64,16", "400000,20,4"]


def main() -> None:
    """Print a row a case and covariance type."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    doubled = [2**i for i in range(10) if 2**i <= available_processors()]
    parser.add_argument("--rows", action="append", help="rows,columns,components; repeatable; columns above 16")
    parser.add_argument("--types", default="full,tied")
    parser.add_argument("--threads", default=",".join(map(str, doubled)))
    parser.add_argument("--repeats", type=int, default=7)
    given = parser.parse_args()
    counts = [int(n) for n in given.threads.split(",")]
    heads = " | ".join(f"{n} thread{'s' * (n > 1)}" for n in counts)
    print(f"| rows, columns, components | | {heads} | interpreter |\n|---|---|{'---:|' * (len(counts) + 1)}")
    for case in given.rows or CASES:
        n, d, k = map(int, case.split(","))
        for kind in given.types.split(","):
            seconds, share = measured(n, d, k, kind, counts, given.repeats)
            cells = " | ".join(f"{1000 * s:.0f} ms ({seconds[0] / s:.2f}x)" for s in seconds)
            print(f"| {n:,}, {d}, {k} | {kind} | {cells} | {share:.1%} |")


def measured(n: int, d: int, k: int, kind: Any, counts: list[int], repeats: int) -> tuple[list[float], float]:
    """Return the seconds of a pass with each number of threads, and the interpreter's share of one thread's."""
    X = blobs(n, d, k, 1.0)
    parameters = start(X, k, kind)
    best = [float("inf")] * len(counts)
    with contextlib.ExitStack() as stack:
        passes = [stack.enter_context(row_pass(X, k, kind, None, threads)) for threads in counts]
        for one_pass in passes:
            one_pass(parameters)
        for _ in range(repeats):
            for i, one_pass in enumerate(passes):
                begun = time.perf_counter()
                one_pass(parameters)
                best[i] = min(best[i], time.perf_counter() - begun)
    with counted_kernels() as spent, row_pass(X, k, kind, None, 1) as one_pass:
        begun = time.process_time()
        for _ in range(repeats):
            one_pass(parameters)
        whole = time.process_time() - begun
    return best, 1 - sum(spent) / whole


@contextlib.contextmanager
def counted_kernels() -> Iterator[list[float]]:
    """Yield a list to which the processor seconds of each call of a kernel are added."""
    spent: list[float] = []
    kernels = dict(large._KERNELS)

    def timed(kernel: Callable[..., None]) -> Callable[..., None]:
        def call(*arguments: Any) -> None:
            begun = time.process_time()
            kernel(*arguments)
            spent.append(time.process_time() - begun)

        return call

    large._KERNELS.update({kind: timed(kernel) for kind, kernel in kernels.items()})
    try:
        yield spent
    finally:
        large._KERNELS.update(kernels)


if __name__ == "__main__":
    main()
