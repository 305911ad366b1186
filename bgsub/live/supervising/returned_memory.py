"""Memory that is needed no more goes back to the system soon, where Python or the C library would keep it.

Objects that refer to each other in a circle, as those of libraries may, are free only when Python looks for circles: in
a process that makes few objects, hours later. And glibc takes blocks of the size of large pictures from its heaps once
it has seen some of them freed; a heap can only shrink at its end.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
import threading
import time

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of mallopt(3)
# Bytes. Each block that is mapped by itself costs a fault for every 4 kB that are written: with glibc's own 128 kB, in
# which no array of a small picture has room, that was a sixth of a camera's time.
_LARGE = 1 << 20
_HEAPS = 2
_COLLECT_EVERY = 60.0  # seconds; it takes some 50 ms


def return_memory() -> None:
    """Let this process look for circles every minute, map large blocks each by itself, and have fewer heaps."""
    threading.Thread(target=_collect, name="bgsub-collect", daemon=True).start()
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):  # of another C library than glibc
            library = ctypes.CDLL(None)
            for option, value in ((_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _LARGE), (_ARENA_MAX, _HEAPS)):
                library.mallopt(option, value)


def _collect() -> None:
    while True:
        time.sleep(_COLLECT_EVERY)
        gc.collect()
