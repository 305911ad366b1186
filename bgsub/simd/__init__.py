"""SIMD values for Numba: fixed-width vectors that live in registers and read like numbers.

Inside ``@njit`` a ``Vec(float32, 16)`` supports ``+ - * /``, comparisons (which give a mask, ``Vec(boolean, 16)``),
``& | ^ ~`` on masks and integers, and mixes with plain scalars, which are spread over all lanes. Vectors come from
``rows(array, 16)[i, j]`` and go back with ``rows(array, 16)[i, j] = v``.

Outside ``@njit`` (``NUMBA_DISABLE_JIT=1``, tests) a vector is a NumPy array of one row, and the functions of this
package are what Python runs. Both forms do the same IEEE operations in the same order: results agree to the bit.
Only operations that LLVM has for every processor are used, so the same source runs on AVX-512, AVX2, SSE and NEON.

=============  ====================================================================================================
`types`        the vector types, and `lower`: how one operation is taught to Numba
`operators`    ``+ - * /``, comparisons, ``& | ^ ~``
`functions`    `select`, `clip`, `any_`, `all_`, `none_like`, `zeros_like`, `convert`, ...
`memory`       `rows`, `fixed_point`, `load_pixels`, `zeros`: vectors from arrays and back
`doubles`      for lanes of float64: `multiply_add`, `exp_or_zero`, `log`, `total`, and their bits
`denormals`    `flush_denormals`, `restore_denormals`: what decays ends at 0
`blocks`       tuples of vectors as small vectors and matrices whose sizes are known to the compiler
`outer`        outer products of scalars and such a tuple: the inner loop of a matrix product
`inlining`     `inline`: a helper that becomes part of the kernels that call it
`compiling`    `kernels_of`: how what Python calls is compiled, and cached
`binding`      `bound`: a kernel with its arguments, for one range after the other
`calls`        a kernel called by another at its address, so that both are compiled for themselves
`internals`    all that comes from inside Numba, and the versions that have it
`sources`      which source files a kernel is made of, so that its cache notices an edit of any
=============  ====================================================================================================

Two things to know: a *list* of vectors is not supported (its buffer is not aligned for them; use tuples), and
``mask and mask`` is a typing error (write ``mask & mask``, or ``any_(mask)`` where a truth value is meant).
"""

from bgsub.simd import operators  # noqa: F401  (registers the operators)
from bgsub.simd.binding import bound
from bgsub.simd.compiling import kernels_of
from bgsub.simd.denormals import flush_denormals, restore_denormals
from bgsub.simd.doubles import DOUBLES
from bgsub.simd.functions import all_, any_, clip, convert, none_like, select, splat_like, to_bytes, zeros_like
from bgsub.simd.inlining import inline
from bgsub.simd.memory import LANES, fixed_point, load_pixels, prefetch, rows, zeros
from bgsub.simd.types import Vec

__all__ = [
    "DOUBLES",
    "LANES",
    "Vec",
    "all_",
    "any_",
    "bound",
    "clip",
    "convert",
    "fixed_point",
    "flush_denormals",
    "inline",
    "kernels_of",
    "load_pixels",
    "none_like",
    "prefetch",
    "restore_denormals",
    "rows",
    "select",
    "splat_like",
    "to_bytes",
    "zeros",
    "zeros_like",
]
