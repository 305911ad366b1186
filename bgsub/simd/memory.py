"""Vectors from arrays and back: whole rows, rows kept as 16-bit fixed point, interleaved pixels.

Nothing here checks bounds inside ``@njit``, as Numba's own indexing does not. Rows point into their array and do not
keep it alive: it must be an argument of the kernel, or have a name that is used after the last use of its rows.
"""

from __future__ import annotations

import mmap
import operator
from typing import Any

import numpy as np
from numba import types
from numba.extending import models, register_model

from bgsub.simd.functions import convert_lanes
from bgsub.simd.internals import cgutils, frozen, ir, make_array
from bgsub.simd.types import Vec, constant, lower, spread

LANES = 16

_PAGE = 4096
_HUGE_PAGE = 2 << 20
_ROUNDING = 12582912.0  # 1.5 * 2**23: a float32 added to it has its rounded integer in the low bits of the sum


class Rows(types.Type):
    """An array whose last axis (`lanes` long, contiguous) is read and written as one vector.

    With `scaled`, the array holds unsigned integers, value * scale; reading and writing convert from and to float32.
    """

    def __init__(self, dtype: types.Type, lanes: int, ndim: int, scaled: bool = False) -> None:
        self.stored, self.ndim, self.scaled = Vec(dtype, lanes), ndim, scaled
        self.vec = Vec(types.float32, lanes) if scaled else self.stored
        super().__init__(f"Rows({dtype}, {lanes}, {ndim}, {scaled})")


@register_model(Rows)
class _RowsModel(models.StructModel):
    def __init__(self, dmm: Any, fe_type: Rows) -> None:
        members = [
            ("data", types.voidptr),
            ("strides", types.UniTuple(types.intp, fe_type.ndim)),
            ("scale", types.float32),
            ("step", types.float32),
        ]
        super().__init__(dmm, fe_type, members)


class _PlainRows:
    """Plain-Python rows: like the array, but reading makes a copy, as a register would."""

    def __init__(self, array: np.ndarray, lanes: int, scale: np.float32 | None = None) -> None:
        if array.shape[-1] != lanes:
            raise ValueError(f"an array of shape {array.shape} has no rows of {lanes}: its last axis must be as long")
        self.array, self.scale = array, scale

    def __getitem__(self, index: Any) -> np.ndarray:
        stored = self.array[index].copy()
        return stored if self.scale is None else stored.astype(np.float32) * (np.float32(1) / self.scale)

    def __setitem__(self, index: Any, value: np.ndarray) -> None:
        self.array[index] = value if self.scale is None else np.rint(value * self.scale)


def rows(array: np.ndarray, lanes: int) -> Any:
    """View numbers of shape (..., lanes), last axis contiguous, as rows that are read and written as vectors.

    `lanes` is a constant: a literal, or a global such as `LANES`.
    """
    return _PlainRows(array, lanes)


def fixed_point(array: np.ndarray, scale: np.float32, lanes: int) -> Any:
    """View a uint16 array of shape (..., lanes) as rows of float32 vectors kept as value * scale, rounded.

    Values must lie in 0 .. 65535 / scale: beyond it they wrap round. A float32 array is read and written as it is,
    so that one kernel serves both kinds of state.
    """
    return _PlainRows(array, lanes, scale if array.dtype == np.uint16 else None)


def _rows_of(array: types.Type, lanes: types.Type) -> Rows | None:
    numbers = isinstance(array, types.Array) and isinstance(array.dtype, (types.Integer, types.Float))
    return Rows(array.dtype, lanes.literal_value, array.ndim - 1) if numbers and _is_size(lanes) else None


def _fixed_rows_of(array: types.Type, scale: types.Type, lanes: types.Type) -> Rows | None:
    if isinstance(array, types.Array) and scale == types.float32 and _is_size(lanes):
        return Rows(array.dtype, lanes.literal_value, array.ndim - 1, array.dtype == types.uint16)
    return None


def _is_size(lanes: types.Type) -> bool:
    return isinstance(lanes, types.IntegerLiteral) and lanes.literal_value > 0


@lower(rows, _rows_of)
def _view(b: Any, out: Rows, tys: tuple, values: tuple, context: Any) -> Any:
    array = make_array(tys[0])(context, b, values[0])
    view = cgutils.create_struct_proxy(out)(context, b)
    view.data = b.bitcast(array.data, view.data.type)
    strides = cgutils.unpack_tuple(b, array.strides, tys[0].ndim)[:-1]
    if tys[0].layout == "C" and strides:  # known now, it becomes a displacement: rows of one tile need one address
        strides[-1] = ir.Constant(strides[-1].type, out.stored.lanes * tys[0].dtype.bitwidth // 8)
    view.strides = cgutils.pack_array(b, strides)
    if out.scaled:
        view.scale = values[1]
        view.step = b.fdiv(ir.Constant(values[1].type, 1.0), values[1])
    return view._getvalue()


lower(fixed_point, _fixed_rows_of)(_view)


def row_pointer(context: Any, b: Any, ty: Rows, view: Any, index_ty: types.Type, index: Any) -> Any:
    """Emit the address of the row at `index`, an integer or a tuple of them."""
    if isinstance(index_ty, types.BaseTuple):
        index_tys, indices = list(index_ty), cgutils.unpack_tuple(b, index, len(index_ty))
    else:
        index_tys, indices = [index_ty], [index]
    offset = ir.Constant(ir.IntType(64), 0)
    for i, t, stride in zip(indices, index_tys, cgutils.unpack_tuple(b, view.strides, ty.ndim), strict=True):
        offset = b.add(offset, b.mul(context.cast(b, i, t, types.intp), stride))
    return b.bitcast(b.gep(view.data, [offset]), ty.stored.llvm().as_pointer())


def fits(rows: types.Type, index: types.Type) -> bool:
    """Return whether rows can be read at an index: an integer for each axis but the last."""
    n = len(index) if isinstance(index, types.BaseTuple) else 1
    return isinstance(rows, Rows) and n == rows.ndim


@lower(operator.getitem, lambda r, i: r.vec if fits(r, i) else None, (Rows, types.Any))
def _(b: Any, out: Vec, tys: tuple, values: tuple, context: Any) -> Any:
    rows = tys[0]
    view = cgutils.create_struct_proxy(rows)(context, b, value=values[0])
    x = b.load(row_pointer(context, b, rows, view, tys[1], values[1]))
    x.align = rows.stored.bits // 8  # of a scalar: an array that is not aligned for vectors cannot fault
    if rows.scaled:
        wide = b.zext(x, ir.VectorType(ir.IntType(32), out.lanes))
        x = b.fmul(b.sitofp(wide, out.llvm()), spread(context, b, view.step, types.float32, out))
    return x


def _stores(rows: types.Type, index: types.Type, value: types.Type) -> types.Type | None:
    return types.none if fits(rows, index) and (value == rows.vec or isinstance(value, types.Number)) else None


@lower(operator.setitem, _stores, (Rows, types.Any, types.Any))
def _(b: Any, out: types.Type, tys: tuple, values: tuple, context: Any) -> None:
    rows = tys[0]
    view = cgutils.create_struct_proxy(rows)(context, b, value=values[0])
    x = spread(context, b, values[2], tys[2], rows.vec)
    if rows.scaled:
        x = b.fmul(x, spread(context, b, view.scale, types.float32, rows.vec))
        x = b.bitcast(b.fadd(x, constant(rows.vec, _ROUNDING)), ir.VectorType(ir.IntType(32), rows.vec.lanes))
        x = b.trunc(x, rows.stored.llvm())
    store = b.store(frozen(b, x), row_pointer(context, b, rows, view, tys[1], values[1]))
    store.align = rows.stored.bits // 8


def prefetch(rows: Any, index: Any) -> None:
    """Ask for the row at `index` to be brought into the cache; a hint that changes nothing else."""


@lower(prefetch, lambda r, i: types.none if fits(r, i) else None)
def _(b: Any, out: types.Type, tys: tuple, values: tuple, context: Any) -> None:
    view = cgutils.create_struct_proxy(tys[0])(context, b, value=values[0])
    pointer = row_pointer(context, b, tys[0], view, tys[1], values[1])
    i32 = ir.IntType(32)
    hint = b.module.declare_intrinsic(
        "llvm.prefetch", [cgutils.voidptr_t], ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, i32, i32, i32])
    )
    for_writing, keep_close, data = (ir.Constant(i32, x) for x in (1, 3, 1))
    b.call(hint, [b.bitcast(pointer, cgutils.voidptr_t), for_writing, keep_close, data])


def load_pixels(image: np.ndarray, t: int) -> tuple:
    """Return the 16 pixels from pixel 16*t on, as one float32 vector a channel.

    Parameters
    ----------
    image : ndarray of uint8 or float32, shape (N,) for grey or (N, 3) for BGR
        C-contiguous pixels in row-major order.
    t : int
        Number of the group of 16 pixels.

    Returns
    -------
    tuple of 1 or 3 vectors
    """
    pixels = image[LANES * t : LANES * (t + 1)].reshape(LANES, -1).astype(np.float32)
    return tuple(pixels[:, c].copy() for c in range(pixels.shape[1]))


def _pixel_vectors(image: types.Type, t: types.Type) -> types.Type | None:
    if isinstance(image, types.Array) and image.layout == "C" and image.dtype in (types.uint8, types.float32):
        return types.UniTuple(Vec(types.float32, LANES), {1: 1, 2: 3}[image.ndim])
    return None


@lower(load_pixels, _pixel_vectors)
def _(b: Any, out: types.UniTuple, tys: tuple, values: tuple, context: Any) -> Any:
    stored, channels = Vec(tys[0].dtype, LANES), out.count
    together = ir.VectorType(stored.llvm().element, LANES * channels)
    data = make_array(tys[0])(context, b, values[0]).data
    first = b.mul(context.cast(b, values[1], tys[1], types.intp), ir.Constant(ir.IntType(64), LANES * channels))
    raw = b.load(b.bitcast(b.gep(data, [first]), together.as_pointer()))
    raw.align = stored.bits // 8
    index = ir.VectorType(ir.IntType(32), LANES)
    vectors = []
    for c in range(channels):
        x = b.shuffle_vector(raw, raw, ir.Constant(index, [channels * i + c for i in range(LANES)]))
        vectors.append(convert_lanes(b, x, stored, out.dtype))
    return cgutils.pack_array(b, vectors)


def zeros(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return a zeroed array for vectors: no row straddles two cache lines, and large arrays lie in huge pages.

    A model walks through several streams at once, far more memory than the processor keeps page-table entries for, so
    pages of 2 MB are asked for where the system has them.
    """
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    if size < _HUGE_PAGE or not hasattr(mmap, "MADV_HUGEPAGE"):
        page, raw = _PAGE, np.zeros(size + _PAGE, np.uint8)
    else:
        # Shared, as is the default, a forked child would write to its parent's pages, and they would be small ones.
        memory = mmap.mmap(-1, size + _HUGE_PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        memory.madvise(mmap.MADV_HUGEPAGE)
        page, raw = _HUGE_PAGE, np.frombuffer(memory, np.uint8)
    start = -raw.ctypes.data % page
    return raw[start : start + size].view(dtype).reshape(shape)
