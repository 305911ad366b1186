"""Memory that is needed no more goes back to the system at once, where the C library would keep it.

glibc takes blocks of the size of pictures from its heaps once it has seen some of them freed, and a heap can only
shrink at its end: a camera that is opened again and again would seem to grow by some 70 MB each time.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of mallopt(3)
_LARGE = 128 << 10  # bytes; what glibc begins with
_HEAPS = 2


def return_memory() -> None:
    """Have large blocks of this process mapped each by itself, and fewer heaps; without glibc nothing happens."""
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        for option, value in ((_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _LARGE), (_ARENA_MAX, _HEAPS)):
            library.mallopt(option, value)
