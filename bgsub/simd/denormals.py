"""Numbers too small for a full mantissa, taken as 0 while a kernel runs.

What decays by a factor a frame gets there in hours and stays there: rounding stops it just above 0, and processors are
slow with such numbers. On an AMD EPYC that was 4 to 7 % of the time of the default model; others were not measured.
"""

from __future__ import annotations

from typing import Any

from numba import types

from bgsub.simd.internals import cgutils, ir
from bgsub.simd.types import lower

_FLUSH = 0x8040  # bits of MXCSR: such results are 0 (FTZ), and such operands (DAZ)


def flush_denormals() -> int:
    """Take denormal numbers as 0 from here on, in this thread; return what `restore_denormals` needs.

    Has an effect in compiled kernels on x86 only.
    """
    return 0


def restore_denormals(before: int) -> None:
    """Do again with denormal numbers what was done before `flush_denormals`."""


@lower(flush_denormals, lambda: types.uint32)
def _(b: Any, out: types.Type, tys: tuple, values: tuple, context: Any) -> Any:
    if not _is_x86(b):
        return ir.Constant(ir.IntType(32), 0)
    slot = cgutils.alloca_once(b, ir.IntType(32))
    _call(b, "stmxcsr", slot)
    before = b.load(slot)
    b.store(b.or_(before, ir.Constant(before.type, _FLUSH)), slot)
    _call(b, "ldmxcsr", slot)
    return before


@lower(restore_denormals, lambda before: types.none if before == types.uint32 else None)
def _restore(b: Any, out: types.Type, tys: tuple, values: tuple, context: Any) -> None:
    if _is_x86(b):
        slot = cgutils.alloca_once(b, ir.IntType(32))
        b.store(values[0], slot)
        _call(b, "ldmxcsr", slot)


def _is_x86(b: Any) -> bool:
    return b.module.triple.startswith(("x86_64", "i386", "i686"))


def _call(b: Any, instruction: str, slot: Any) -> None:
    """Emit an instruction that reads or writes the register of floating point's modes."""
    modes = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t])
    b.call(b.module.declare_intrinsic(f"llvm.x86.sse.{instruction}", (), modes), [b.bitcast(slot, cgutils.voidptr_t)])
