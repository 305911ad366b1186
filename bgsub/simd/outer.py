"""Outer products of scalars from memory and a block of vectors: the inner loop of a matrix product.

See `blocks` for what a block and a table are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from bgsub.simd.blocks import Block, is_block, is_table, scalars_of
from bgsub.simd.doubles import fused
from bgsub.simd.internals import cgutils, ir
from bgsub.simd.types import lower


def add_scaled_by_row(sums: Block, table: np.ndarray, row: int, first: int, block: Block) -> Block:
    """Return the sums plus the block times each of the scalars ``table[row, first]``, ``table[row, first + 1]``, ..."""
    n = len(block)
    return tuple(s + block[i % n] * table[row, first + i // n] for i, s in enumerate(sums))


def add_scaled_by_column(sums: Block, table: np.ndarray, first: int, column: int, block: Block) -> Block:
    """Return the sums plus the block times the scalars ``table[first, column]``, ``table[first + 1, column]``, ..."""
    n = len(block)
    return tuple(s + block[i % n] * table[first + i // n, column] for i, s in enumerate(sums))


def _scaled_sums(sums: types.Type, table: types.Type, i: types.Type, j: types.Type, block: types.Type) -> Any:
    return sums if is_block(sums) and is_table(table) and is_block(block) else None


def _emit_scaled(b: Any, out: types.UniTuple, tys: tuple, values: tuple, context: Any, by_row: bool) -> Any:
    sums, block = (cgutils.unpack_tuple(b, values[i], tys[i].count) for i in (0, 4))
    n = out.count // tys[4].count
    result = []
    for a in range(n):
        step = ir.Constant(ir.IntType(64), a)
        row, column = values[2:4]
        row, column = (row, b.add(column, step)) if by_row else (b.add(row, step), column)
        (scalar,) = scalars_of(context, b, tys[1], values[1], row, column, 1, out.dtype)
        result += [fused(b, out.dtype, v, scalar, s) for v, s in zip(block, sums[a * len(block) :], strict=False)]
    return cgutils.pack_array(b, result)


@lower(add_scaled_by_row, _scaled_sums)
def _(b: Any, out: types.UniTuple, tys: tuple, values: tuple, context: Any) -> Any:
    return _emit_scaled(b, out, tys, values, context, by_row=True)


@lower(add_scaled_by_column, _scaled_sums)
def _(b: Any, out: types.UniTuple, tys: tuple, values: tuple, context: Any) -> Any:
    return _emit_scaled(b, out, tys, values, context, by_row=False)
