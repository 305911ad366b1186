"""SIMD values for Numba: fixed-width vectors that live in registers and read like numbers.

Inside ``@njit`` a ``Vec(float32, 16)`` supports ``+ - * /``, comparisons (which give a mask, ``Vec(boolean, 16)``),
``& | ^ ~`` on masks and integers, and mixes with plain scalars, which are spread over all lanes. Vectors come from
``rows16(array)[i, j]`` and go back with ``rows16(array)[i, j] = v``.

Outside ``@njit`` (``NUMBA_DISABLE_JIT=1``, tests) a vector is a NumPy array of one row, and the functions of this
package are what Python runs. Both forms do the same IEEE operations in the same order: results agree to the bit.
Only operations that LLVM has for every processor are used, so the same source runs on AVX-512, AVX2, SSE and NEON.

=================  ==========================================================================
`types`            the vector types, and how one operation is taught to Numba
`operators`        ``+ - * /``, comparisons, ``& | ^ ~``
`functions`        `select`, `clip`, `any_`, `all_`, `convert`, ...
`memory`           `rows16`, `fixed16`, `load_pixels`, `zeros`: vectors from arrays and back
`compiling`        `inline` and `kernels_of`: the two ways a function that uses vectors is compiled
=================  ==========================================================================

Two things to know: a *list* of vectors is not supported (its buffer is not aligned for them; use tuples), and
``mask and mask`` is a typing error (write ``mask & mask``, or ``any_(mask)`` where a truth value is meant).
"""

from bgsub.simd import operators  # noqa: F401  (registers the operators)
from bgsub.simd.compiling import inline, kernels_of
from bgsub.simd.functions import all_, any_, clip, convert, select, splat_like, to_bytes
from bgsub.simd.memory import LANES, fixed16, load_pixels, prefetch, rows16, zeros
from bgsub.simd.types import Vec

__all__ = [
    "LANES",
    "Vec",
    "all_",
    "any_",
    "clip",
    "convert",
    "fixed16",
    "inline",
    "kernels_of",
    "load_pixels",
    "prefetch",
    "rows16",
    "select",
    "splat_like",
    "to_bytes",
    "zeros",
]
