"""Threads that share the tiles of a frame.

Numba's own thread layer aborts the process when two threads start parallel loops at once, so kernels are serial,
without the GIL, and run here over interleaved blocks of tiles: each model has its own number of threads, and models
can be used side by side. Every tile is written by one thread, so masks do not depend on how many there are.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

_pools: dict[int, ThreadPoolExecutor] = {}  # by number of workers

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.clear)  # threads do not survive a fork


def available_processors() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def share(work: Callable[[int], None], n: int) -> None:
    """Call ``work(0)`` to ``work(n - 1)`` side by side, the first in the calling thread, and wait for all."""
    if n == 1:
        work(0)
        return
    pool = _pools.setdefault(n - 1, ThreadPoolExecutor(n - 1, "bgsub"))
    others = [pool.submit(work, k) for k in range(1, n)]
    try:
        work(0)
    finally:
        for other in others:
            other.result()
