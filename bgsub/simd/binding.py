"""`bound`: a kernel with its arguments, to be called for one range after the other.

Numba finds out at every call which code the types of the arguments need. For a mixture and the constants of a frame,
some fifty values, that takes 13 microseconds and the call itself 2, and it holds the GIL, at which all threads then
queue. Here it is found out once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from typing import Any

from numba import types

from bgsub.simd.internals import compute_fingerprint

_entries: dict[tuple[int, Hashable], tuple[Callable, Callable]] = {}


def bound(kernel: Any, *arguments: Any, kind: Hashable = None) -> Callable[[int, int], None]:
    """Return what calls a kernel with these arguments and a range.

    Parameters
    ----------
    kernel : callable
        Its last parameters are the beginning and the end of a range; it returns nothing.
    *arguments
        All before these. Arrays keep their memory: what is in them when the kernel runs counts.
    kind : hashable, optional
        What tells the types of the arguments, where the caller knows: those of all calls of this kernel with an equal
        `kind` must be the same. To find it out from the arguments takes 20 microseconds.
    """
    if not hasattr(kernel, "overloads"):
        return partial(kernel, *arguments)
    key = id(kernel), compute_fingerprint(arguments) if kind is None else kind  # all that Numba itself goes by
    if key not in _entries:
        signature = (*map(kernel.typeof_pyval, arguments), types.int64, types.int64)
        kernel.compile(signature)
        _entries[key] = (kernel.overloads[signature].entry_point, kernel)  # which keeps its id
    return partial(_entries[key][0], *arguments)
