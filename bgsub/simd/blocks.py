"""Tuples of vectors as small vectors and matrices whose sizes are known when they are compiled.

Numba can loop over a tuple but not build one, and a matrix in memory is loaded and stored at every use. Each function
here is unrolled into straight code on registers. Sizes come from the lengths of tuples: where there is no other,
`size` is a tuple whose values do not matter, say ``(0,) * n``.

Scalars come from rows of C-contiguous two-dimensional arrays, from `first` on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from bgsub.simd.doubles import fused
from bgsub.simd.internals import cgutils, ir, make_array
from bgsub.simd.memory import Rows, fits, row_pointer
from bgsub.simd.types import Vec, lower, spread

Block = tuple  # of vectors, all of one type

_FEW = 4  # columns whose transposition is best left to shuffles


def is_block(block: types.Type) -> bool:
    """Return whether a type is that of a tuple of vectors of one type."""
    return isinstance(block, types.UniTuple) and isinstance(block.dtype, Vec)


def is_table(table: types.Type) -> bool:
    """Return whether a type is that of an array whose rows scalars can come from."""
    return isinstance(table, types.Array) and table.ndim == 2 and table.layout == "C"


def _block_if(ok: bool, vec: types.Type, n: int) -> types.Type | None:
    return types.UniTuple(vec, n) if ok else None


def scalars_of(context: Any, b: Any, table_ty: types.Type, table: Any, row: Any, first: Any, n: int, vec: Vec) -> list:
    """Emit n numbers of a row of a table, each spread over a vector."""
    array = make_array(table_ty)(context, b, table)
    start = b.add(b.mul(row, cgutils.unpack_tuple(b, array.shape, 2)[1]), first)
    i64 = ir.IntType(64)
    pointers = (b.gep(array.data, [b.add(start, ir.Constant(i64, i))]) for i in range(n))
    return [spread(context, b, b.load(pointer), table_ty.dtype, vec) for pointer in pointers]


def load(rows: Any, i: int, first: int, size: tuple) -> Block:
    """Return the vectors ``rows[i, first]``, ``rows[i, first + 1]``, ..."""
    return tuple(rows[i, first + j] for j in range(len(size)))


def _loaded(rows: types.Type, i: types.Type, first: types.Type, size: types.Type) -> types.Type | None:
    return _block_if(fits(rows, types.UniTuple(i, 2)), getattr(rows, "vec", None), len(size))


@lower(load, _loaded)
def _(b: Any, out: types.UniTuple, tys: tuple, values: tuple, context: Any) -> Any:
    pointer = _first_vector(context, b, tys, values)
    return cgutils.pack_array(b, [_aligned(b.load(_next(b, pointer, j)), out.dtype) for j in range(out.count)])


def store(rows: Any, i: int, first: int, block: Block) -> None:
    """Write a block where `load` would read it."""
    for j, v in enumerate(block):
        rows[i, first + j] = v


def _stored(rows: types.Type, i: types.Type, first: types.Type, block: types.Type) -> types.Type | None:
    return types.none if fits(rows, types.UniTuple(i, 2)) and is_block(block) else None


@lower(store, _stored)
def _(b: Any, out: types.Type, tys: tuple, values: tuple, context: Any) -> None:
    pointer = _first_vector(context, b, tys, values)
    for j, v in enumerate(cgutils.unpack_tuple(b, values[3], len(tys[3]))):
        _aligned(b.store(v, _next(b, pointer, j)), tys[3].dtype)


def _first_vector(context: Any, b: Any, tys: tuple, values: tuple) -> Any:
    """Return the address of ``rows[i, first]`` for arguments that begin with rows, i and first."""
    rows: Rows = tys[0]
    view = cgutils.create_struct_proxy(rows)(context, b, value=values[0])
    index = cgutils.pack_array(b, [context.cast(b, values[j], tys[j], types.intp) for j in (1, 2)])
    return row_pointer(context, b, rows, view, types.UniTuple(types.intp, 2), index)


def _next(b: Any, pointer: Any, j: int) -> Any:
    return b.gep(pointer, [ir.Constant(ir.IntType(64), j)])


def _aligned(instruction: Any, vec: Vec) -> Any:
    instruction.align = vec.bits // 8
    return instruction


def subtract(block: Block, table: np.ndarray, row: int, first: int) -> Block:
    """Return the block less the scalars ``table[row, first]``, ..."""
    return tuple(v - table[row, first + i] for i, v in enumerate(block))


def scale(block: Block, table: np.ndarray, row: int, first: int) -> Block:
    """Return the block times the scalars ``table[row, first]``, ..."""
    return tuple(v * table[row, first + i] for i, v in enumerate(block))


def _with_scalars(block: types.Type, table: types.Type, *index: types.Type) -> types.Type | None:
    return block if is_block(block) and is_table(table) else None


@lower(subtract, _with_scalars)
def _(b: Any, out: types.UniTuple, tys: tuple, values: tuple, context: Any) -> Any:
    packed, table, row, first = values
    scalars = scalars_of(context, b, tys[1], table, row, first, out.count, out.dtype)
    block = cgutils.unpack_tuple(b, packed, out.count)
    return cgutils.pack_array(b, [b.fsub(v, x) for v, x in zip(block, scalars, strict=True)])


@lower(scale, _with_scalars)
def _(b: Any, out: types.UniTuple, tys: tuple, values: tuple, context: Any) -> Any:
    packed, table, row, first = values
    scalars = scalars_of(context, b, tys[1], table, row, first, out.count, out.dtype)
    block = cgutils.unpack_tuple(b, packed, out.count)
    return cgutils.pack_array(b, [b.fmul(v, x) for v, x in zip(block, scalars, strict=True)])


def times(block: Block, v: Any) -> Block:
    """Return the block times a vector."""
    return tuple(x * v for x in block)


@lower(times, lambda block, v: block if is_block(block) and v == block.dtype else None)
def _(b: Any, out: types.UniTuple, tys: tuple, values: tuple, context: Any) -> Any:
    return cgutils.pack_array(b, [b.fmul(x, values[1]) for x in cgutils.unpack_tuple(b, values[0], out.count)])


def plus(a: Block, b: Block) -> Block:
    """Return the sum of two blocks of one size."""
    return tuple(x + y for x, y in zip(a, b, strict=True))


@lower(plus, lambda a, b: a if is_block(a) and a == b else None)
def _(b: Any, out: types.UniTuple, tys: tuple, values: tuple, context: Any) -> Any:
    pairs = zip(*(cgutils.unpack_tuple(b, value, out.count) for value in values), strict=True)
    return cgutils.pack_array(b, [b.fadd(x, y) for x, y in pairs])


def add_times(sums: Block, block: Block, v: Any) -> Block:
    """Return the sums plus the block times a vector."""
    return tuple(s + x * v for s, x in zip(sums, block, strict=True))


@lower(add_times, lambda sums, block, v: sums if is_block(sums) and sums == block and v == sums.dtype else None)
def _(b: Any, out: types.UniTuple, tys: tuple, values: tuple, context: Any) -> Any:
    sums, block = (cgutils.unpack_tuple(b, value, out.count) for value in values[:2])
    return cgutils.pack_array(b, [fused(b, out.dtype, x, values[2], s) for s, x in zip(sums, block, strict=True)])


def add_each(sums: Block, a: Block, b: Block) -> Block:
    """Return the sums plus ``a[i] * b[i]``."""
    return tuple(s + x * y for s, x, y in zip(sums, a, b, strict=True))


@lower(add_each, lambda sums, a, b: sums if is_block(sums) and sums == a == b else None)
def _(b: Any, out: types.UniTuple, tys: tuple, values: tuple, context: Any) -> Any:
    return _emit_products(b, out, tys, values, [(i, i) for i in range(out.count)])


def triangular_product(block: Block, table: np.ndarray, row: int) -> Block:
    """Return U^T x for the block x and an upper triangular U, packed by columns: U_00, U_01, U_11, U_02, ..."""
    packed = table[row]
    result = []
    for j in range(len(block)):
        y = block[0] * packed[j * (j + 1) // 2]
        for i in range(1, j + 1):
            y = block[i] * packed[j * (j + 1) // 2 + i] + y
        result.append(y)
    return tuple(result)


@lower(triangular_product, _with_scalars)
def _(b: Any, out: types.UniTuple, tys: tuple, values: tuple, context: Any) -> Any:
    n, vec = out.count, out.dtype
    zero = ir.Constant(ir.IntType(64), 0)
    u = scalars_of(context, b, tys[1], values[1], values[2], zero, n * (n + 1) // 2, vec)
    x = cgutils.unpack_tuple(b, values[0], n)
    result = []
    for j in range(n):
        y = b.fmul(x[0], u[j * (j + 1) // 2])
        for i in range(1, j + 1):
            y = fused(b, vec, x[i], u[j * (j + 1) // 2 + i], y)
        result.append(y)
    return cgutils.pack_array(b, result)


def squared_norm(block: Block) -> Any:
    """Return the sum of the squares."""
    q = block[0] * block[0]
    for v in block[1:]:
        q = v * v + q
    return q


@lower(squared_norm, lambda block: block.dtype if is_block(block) else None)
def _(b: Any, out: Vec, tys: tuple, values: tuple, context: Any) -> Any:
    return _norm(b, out, cgutils.unpack_tuple(b, values[0], tys[0].count))


def squared_norms(block: Block, size: tuple) -> Block:
    """Return the sums of the squares of as many equal parts of a block as `size` is long."""
    n = len(block) // len(size)
    return tuple(squared_norm(block[i : i + n]) for i in range(0, len(block), n))


@lower(squared_norms, lambda block, size: _block_if(is_block(block), getattr(block, "dtype", None), len(size)))
def _(b: Any, out: types.UniTuple, tys: tuple, values: tuple, context: Any) -> Any:
    n = tys[0].count // out.count
    block = cgutils.unpack_tuple(b, values[0], tys[0].count)
    return cgutils.pack_array(b, [_norm(b, out.dtype, block[i : i + n]) for i in range(0, tys[0].count, n)])


def _norm(b: Any, vec: Vec, x: list) -> Any:
    q = b.fmul(x[0], x[0])
    for v in x[1:]:
        q = fused(b, vec, v, v, q)
    return q


def repeated(v: Any, size: tuple) -> Block:
    """Return a block of copies of a vector."""
    return (v,) * len(size)


@lower(repeated, lambda v, size: _block_if(isinstance(v, Vec), v, len(size)))
def _(b: Any, out: types.UniTuple, tys: tuple, values: tuple, context: Any) -> Any:
    return cgutils.pack_array(b, [values[0]] * out.count)


def pairs(size: tuple) -> tuple:
    """Return a size: that of `add_triangle` for blocks of this size."""
    return (0,) * (len(size) * (len(size) + 1) // 2)


def products(a: tuple, b: tuple) -> tuple:
    """Return a size: that of `add_products` for blocks of these sizes."""
    return (0,) * (len(a) * len(b))


def _size(n: int) -> types.Type:
    return types.UniTuple(types.intp, n)


@lower(pairs, lambda size: _size(len(size) * (len(size) + 1) // 2))
@lower(products, lambda a, b: _size(len(a) * len(b)))
def _(b: Any, out: types.UniTuple, tys: tuple, values: tuple, context: Any) -> Any:
    return cgutils.pack_array(b, [ir.Constant(ir.IntType(64), 0)] * out.count)


def add_triangle(sums: Block, a: Block, b: Block) -> Block:
    """Return the sums plus ``a[i] * b[j]`` for i <= j, by rows: 00, 01, 02, 11, ..."""
    n = len(a)
    return tuple(s + a[i] * b[j] for s, (i, j) in zip(sums, _triangle(n), strict=True))


def add_products(sums: Block, a: Block, b: Block) -> Block:
    """Return the sums plus ``a[i] * b[j]`` for all i and j, by rows."""
    return tuple(s + a[i] * b[j] for s, (i, j) in zip(sums, _rectangle(len(a), len(b)), strict=True))


def _triangle(n: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(n) for j in range(i, n)]


def _rectangle(m: int, n: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(m) for j in range(n)]


def _sums(sums: types.Type, a: types.Type, b: types.Type) -> types.Type | None:
    return sums if all(is_block(block) for block in (sums, a, b)) else None


def _emit_products(b: Any, out: types.UniTuple, tys: tuple, values: tuple, places: list[tuple[int, int]]) -> Any:
    sums, x, y = (cgutils.unpack_tuple(b, value, len(ty)) for value, ty in zip(values, tys, strict=True))
    return cgutils.pack_array(b, [fused(b, out.dtype, x[i], y[j], s) for s, (i, j) in zip(sums, places, strict=True)])


@lower(add_triangle, _sums)
def _(b: Any, out: types.UniTuple, tys: tuple, values: tuple, context: Any) -> Any:
    return _emit_products(b, out, tys, values, _triangle(len(tys[1])))


@lower(add_products, _sums)
def _(b: Any, out: types.UniTuple, tys: tuple, values: tuple, context: Any) -> Any:
    return _emit_products(b, out, tys, values, _rectangle(len(tys[1]), len(tys[2])))


def transposed(table: np.ndarray, row: int, size: tuple) -> Block:
    """Return the columns of eight rows, from `row` on, of a table with as many columns as `size` is long."""
    return tuple(table[row : row + 8, j].copy() for j in range(len(size)))


@lower(transposed, lambda table, row, size: _block_if(is_table(table), Vec(table.dtype, 8), len(size)))
def _(b: Any, out: types.UniTuple, tys: tuple, values: tuple, context: Any) -> Any:
    n, vec = out.count, out.dtype
    first = b.mul(context.cast(b, values[1], tys[1], types.intp), ir.Constant(ir.IntType(64), n))
    start = b.gep(make_array(tys[0])(context, b, values[0]).data, [first])
    i32 = ir.IntType(32)
    if n <= _FEW:  # one wide load, and shuffles
        together = ir.VectorType(vec.llvm().element, 8 * n)
        raw = _aligned(b.load(b.bitcast(start, together.as_pointer())), vec)
        lanes = [ir.Constant(ir.VectorType(i32, 8), list(range(j, 8 * n, n))) for j in range(n)]
        return cgutils.pack_array(b, [b.shuffle_vector(raw, raw, lane) for lane in lanes])
    columns = []
    for j in range(n):
        v = ir.Constant(vec.llvm(), ir.Undefined)
        for lane in range(8):
            v = b.insert_element(v, b.load(_next(b, start, lane * n + j)), ir.Constant(i32, lane))
        columns.append(v)
    return cgutils.pack_array(b, columns)
