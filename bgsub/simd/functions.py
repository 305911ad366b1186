"""Functions of vectors. Each body is the plain-Python form; below it stands what Numba compiles instead."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from bgsub.simd.internals import ir
from bgsub.simd.types import Vec, constant, lower, spread, vector_among


def _is_mask(m: types.Type) -> bool:
    return isinstance(m, Vec) and m.is_mask


def select(mask: Any, a: Any, b: Any) -> Any:
    """Return `a` in the lanes where `mask` is set, else `b`; one of the two may be a scalar."""
    dtype = next(x.dtype for x in (a, b) if isinstance(x, np.ndarray))
    return np.where(mask, a, b).astype(dtype)


@lower(select, lambda m, a, b: vector_among(a, b) if _is_mask(m) else None)
def _(b: Any, out: Vec, tys: tuple, values: tuple, context: Any) -> Any:
    return b.select(values[0], *(spread(context, b, x, t, out) for x, t in zip(values[1:], tys[1:], strict=True)))


def clip(v: Any, low: Any, high: Any) -> Any:
    """Return `v` limited to ``low .. high``."""
    return select(v < low, low, select(v > high, high, v))


@lower(clip, lambda v, low, high: vector_among(v, low, high))
def _(b: Any, out: Vec, tys: tuple, values: tuple, context: Any) -> Any:
    v, low, high = (spread(context, b, x, t, out) for x, t in zip(values, tys, strict=True))
    v = b.select(b.fcmp_ordered("<", v, low), low, v)
    return b.select(b.fcmp_ordered(">", v, high), high, v)


def any_(mask: Any) -> bool:
    """Return whether any lane of `mask` is set."""
    return bool(np.any(mask))


def all_(mask: Any) -> bool:
    """Return whether every lane of `mask` is set."""
    return bool(np.all(mask))


def _truth_of(m: types.Type) -> types.Type | None:
    return types.boolean if _is_mask(m) else None


def _compare_bits(b: Any, mask: Any, vec: Vec, symbol: str, bits: int) -> Any:
    """Compare a mask, read as one integer, with a constant: one test instruction on every processor."""
    integer = ir.IntType(vec.lanes)
    return b.icmp_unsigned(symbol, b.bitcast(mask, integer), ir.Constant(integer, bits))


@lower(any_, _truth_of)
def _(b: Any, out: types.Type, tys: tuple, values: tuple, context: Any) -> Any:
    return _compare_bits(b, values[0], tys[0], "!=", 0)


@lower(all_, _truth_of)
def _(b: Any, out: types.Type, tys: tuple, values: tuple, context: Any) -> Any:
    return _compare_bits(b, values[0], tys[0], "==", -1)


def splat_like(v: Any, x: Any) -> Any:
    """Return `x` in every lane, as a vector of the type of `v`."""
    return np.full_like(v, x)


@lower(splat_like, lambda v, x: v if isinstance(v, Vec) else None)
def _(b: Any, out: Vec, tys: tuple, values: tuple, context: Any) -> Any:
    return spread(context, b, values[1], tys[1], out)


def zeros_like(v: Any) -> Any:
    """Return 0 in every lane, as a vector of the type of `v`."""
    return np.zeros_like(v)


def none_like(mask: Any) -> Any:
    """Return a mask of as many lanes as `mask`, of which none is set."""
    return np.zeros_like(mask)


@lower(zeros_like, lambda v: v if isinstance(v, Vec) and not v.is_mask else None)
@lower(none_like, lambda m: m if _is_mask(m) else None)
def _(b: Any, out: Vec, tys: tuple, values: tuple, context: Any) -> Any:
    return constant(out, 0)


def convert(v: Any, dtype: Any) -> Any:
    """Return `v` converted by value, lane by lane; floats are truncated towards zero. For a mask, compare instead."""
    return v.astype(dtype)


def _converted(v: types.Type, dtype: types.Type) -> Vec | None:
    if isinstance(v, Vec) and isinstance(dtype, (types.NumberClass, types.DType)) and dtype.dtype != types.boolean:
        return v.with_dtype(dtype.dtype)
    return None


@lower(convert, _converted)
def _(b: Any, out: Vec, tys: tuple, values: tuple, context: Any) -> Any:
    return convert_lanes(b, values[0], tys[0], out)


def convert_lanes(b: Any, x: Any, v: Vec, out: Vec) -> Any:
    """Emit the conversion of `x` from vector type `v` to `out`."""
    if v.bits == out.bits and v.is_float == out.is_float:
        return x
    if v.is_float and out.is_float:
        return (b.fpext if out.bits > v.bits else b.fptrunc)(x, out.llvm())
    if v.is_float:
        return (b.fptosi if out.is_signed else b.fptoui)(x, out.llvm())
    if out.is_float:
        return (b.sitofp if v.is_signed else b.uitofp)(x, out.llvm())
    return (b.trunc if out.bits < v.bits else b.sext if v.is_signed else b.zext)(x, out.llvm())


def to_bytes(mask: Any, value: int) -> Any:
    """Return uint8 lanes: `value` where `mask` is set, else 0."""
    return np.where(mask, value, 0).astype(np.uint8)


@lower(to_bytes, lambda m, x: m.with_dtype(types.uint8) if _is_mask(m) else None)
def _(b: Any, out: Vec, tys: tuple, values: tuple, context: Any) -> Any:
    return b.select(values[0], spread(context, b, values[1], tys[1], out), constant(out, 0))
