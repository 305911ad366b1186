"""Blocks of rows, worked on by threads side by side."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

Block = tuple[int, int]

_WORK = 1 << 21  # about half a millisecond: what calling a kernel costs should not count
_MOST_BLOCKS = 64  # each has sums of its own


def blocks(n_rows: int, n_components: int, n_features: int, height: int) -> list[Block]:
    """Cut the rows into blocks of whole tiles, whatever the number of threads: sums do not depend on it."""
    work = n_rows * n_components * (n_features * n_features // 8 + n_features + 4)
    n = min(max(work // _WORK, 1), _MOST_BLOCKS)
    length = -(-n_rows // n)
    length = max(length + -length % height, height)
    return [(lo, min(lo + length, n_rows)) for lo in range(0, max(n_rows, 1), length)]


class Crew:
    """Threads, each with memory of its own, that share numbered pieces of work; none but the caller's, for one."""

    def __init__(self, threads: int, memory: Callable[[], Any]) -> None:
        self._memory: SimpleQueue[Any] = SimpleQueue()
        for _ in range(threads):
            self._memory.put(memory())
        self._pool = ThreadPoolExecutor(threads, "bgsub-em") if threads > 1 else None

    def run(self, work: Callable[[int, Any], None], n: int) -> None:
        """Call ``work(i, memory)`` for i from 0 to n - 1, and wait for all; raise the first error there was."""

        def one(i: int) -> None:
            memory = self._memory.get()
            try:
                work(i, memory)
            finally:
                self._memory.put(memory)

        if self._pool is None:
            for i in range(n):
                one(i)
            return
        futures: list[Future[None]] = [self._pool.submit(one, i) for i in range(n)]
        try:
            for future in futures:
                future.result()
        finally:  # after an error or Ctrl-C nothing must write to arrays that the caller has given up
            for future in futures:
                future.cancel()
            for future in futures:
                if not future.cancelled():
                    future.exception()

    def close(self) -> None:
        """Let the threads go."""
        if self._pool is not None:
            self._pool.shutdown()
