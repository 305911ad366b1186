"""Eight float64 lanes: rows of them, fused multiply-add, the exponential function and the logarithm.

Error bounds hold where the processor fuses multiply and add; without, a last digit differs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from bgsub.simd import operators  # noqa: F401  (registers + - * /)
from bgsub.simd.functions import select, splat_like
from bgsub.simd.inlining import inline
from bgsub.simd.internals import ir
from bgsub.simd.types import Vec, lower, spread, vector_among

DOUBLES = 8

# 2^k times a polynomial in r, where x = k ln 2 + r: near-minimax on |r| <= ln(2) / 2, interpolated at Chebyshev nodes.
_LOG2_E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10  # k * _LN2_HIGH is exact
_ROUNDING = 6755399441055744.0  # 1.5 * 2**52: a float64 added to it has its rounded integer in the low bits of the sum
_EXP = (
    2.5108878975973002e-08,
    2.763265687302572e-07,
    2.7557244562543326e-06,
    2.4801485439049193e-05,
    0.0001984126988602114,
    0.00138888889523505,
    0.008333333333321436,
    0.041666666666487974,
    0.16666666666666677,
    0.5000000000000019,
    1.0,
    1.0,
)
# log m = 2 artanh(f / (2 + f)), with f = m - 1 and sqrt(1/2) <= m < sqrt(2).
_ARTANH = tuple(1.0 / n for n in range(21, 1, -2))
_HALF_ROOT_BITS = np.int64(0x3FE6A09E667F3BCD)  # sqrt(1/2)
_MANTISSA = np.int64((1 << 52) - 1)
_MANTISSA_BITS = np.int64(52)
_ROUNDING_BITS = np.int64(0x4338000000000000)


def multiply_add(a: Any, b: Any, c: Any) -> Any:
    """Return ``a * b + c``, rounded once where the processor can."""
    return a * b + c


@lower(multiply_add, vector_among)
def _(b: Any, out: Vec, tys: tuple, values: tuple, context: Any) -> Any:
    return fused(b, out, *(spread(context, b, x, t, out) for x, t in zip(values, tys, strict=True)))


def fused(b: Any, vec: Vec, x: Any, y: Any, z: Any) -> Any:
    """Emit ``x * y + z``; where there is no such instruction it must not become a call a lane, as llvm.fma would."""
    ty = vec.llvm()
    name = f"llvm.fmuladd.v{vec.lanes}f{vec.bits}"
    return b.call(b.module.declare_intrinsic(name, (), ir.FunctionType(ty, [ty] * 3)), [x, y, z])


def bits_of(v: Any) -> Any:
    """Return the bits of float64 lanes as int64."""
    return v.view(np.int64)


@lower(bits_of, lambda v: v.with_dtype(types.int64) if isinstance(v, Vec) else None)
def _(b: Any, out: Vec, tys: tuple, values: tuple, context: Any) -> Any:
    return b.bitcast(values[0], out.llvm())


def from_bits(v: Any) -> Any:
    """Return the float64 lanes that have these bits."""
    return v.view(np.float64)


@lower(from_bits, lambda v: v.with_dtype(types.float64) if isinstance(v, Vec) else None)
def _(b: Any, out: Vec, tys: tuple, values: tuple, context: Any) -> Any:
    return b.bitcast(values[0], out.llvm())


def shift_left(v: Any, n: Any) -> Any:
    """Return int64 lanes shifted to the left by `n` bits."""
    return v << n


@lower(shift_left, vector_among)
def _(b: Any, out: Vec, tys: tuple, values: tuple, context: Any) -> Any:
    return b.shl(values[0], spread(context, b, values[1], tys[1], out))


def shift_right(v: Any, n: Any) -> Any:
    """Return int64 lanes shifted to the right by `n` bits, with their sign."""
    return v >> n


@lower(shift_right, vector_among)
def _(b: Any, out: Vec, tys: tuple, values: tuple, context: Any) -> Any:
    return b.ashr(values[0], spread(context, b, values[1], tys[1], out))


def total(v: Any) -> Any:
    """Return the sum of the lanes: of the halves first, as a processor adds them."""
    while len(v) > 1:
        v = v[: len(v) // 2] + v[len(v) // 2 :]
    return v[0]


@lower(total, lambda v: v.dtype if isinstance(v, Vec) and v.is_float else None)
def _(b: Any, out: types.Type, tys: tuple, values: tuple, context: Any) -> Any:
    x, n = values[0], tys[0].lanes
    i32 = ir.IntType(32)
    while n > 1:
        n //= 2
        halves = (ir.Constant(ir.VectorType(i32, n), list(range(i, i + n))) for i in (0, n))
        x = b.fadd(*(b.shuffle_vector(x, x, half) for half in halves))
    return b.extract_element(x, ir.Constant(i32, 0))


@inline
def larger(a: Any, b: Any) -> Any:
    """Return the larger of two, lane by lane."""
    return select(a > b, a, b)


@inline
def exp_or_zero(x: Any, least: float) -> Any:
    """Return e^x for x from `least` (not below -708) to 709, and 0 below; within 0.6 units in the last place."""
    shifted = multiply_add(x, _LOG2_E, _ROUNDING)
    k = shifted - _ROUNDING
    r = multiply_add(k, -_LN2_LOW, multiply_add(k, -_LN2_HIGH, x))
    y = splat_like(x, _EXP[0])
    for c in _EXP[1:]:
        y = multiply_add(y, r, c)
    # The exponent bits of y go up by k; this is what 2^k * y is, as long as neither overflows.
    return select(x >= least, from_bits(bits_of(y) + shift_left(bits_of(shifted), _MANTISSA_BITS)), 0.0)


@inline
def log(x: Any) -> Any:
    """Return the natural logarithm of positive, normal, finite lanes, within one unit in the last place."""
    bits = bits_of(x) - _HALF_ROOT_BITS
    m = from_bits((bits & _MANTISSA) + _HALF_ROOT_BITS)
    k = from_bits(shift_right(bits, _MANTISSA_BITS) + _ROUNDING_BITS) - _ROUNDING
    f = m - 1.0
    s = f / (f + 2.0)
    z = s * s
    t = splat_like(x, _ARTANH[0])
    for c in _ARTANH[1:]:
        t = multiply_add(t, z, c)
    # 2 s is f - s f, whose rounding error is smaller.
    return k * _LN2_HIGH + (f - (s * f - multiply_add(k, _LN2_LOW, 2.0 * s * z * t)))
