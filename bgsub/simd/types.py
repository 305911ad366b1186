"""The vector types, and `lower`: one call that teaches Numba one operation on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import types
from numba.extending import models, register_model

from bgsub.simd.internals import AbstractTemplate, infer_global, ir, lower_builtin, signature


class Vec(types.Type):
    """A vector of `lanes` numbers of one scalar type, held in vector registers; of booleans, a mask."""

    def __init__(self, dtype: types.Type, lanes: int) -> None:
        self.dtype, self.lanes = dtype, lanes
        super().__init__(f"Vec({dtype}, {lanes})")

    @property
    def key(self) -> tuple[types.Type, int]:
        """What makes two vector types equal."""
        return self.dtype, self.lanes

    @property
    def is_float(self) -> bool:
        """Whether the lanes are floating-point numbers."""
        return isinstance(self.dtype, types.Float)

    @property
    def is_mask(self) -> bool:
        """Whether the lanes are booleans."""
        return self.dtype == types.boolean

    @property
    def is_signed(self) -> bool:
        """Whether the lanes are signed integers."""
        return getattr(self.dtype, "signed", False)

    @property
    def bits(self) -> int:
        """Width of a lane."""
        return 1 if self.is_mask else self.dtype.bitwidth

    def llvm(self) -> ir.VectorType:
        """Return the LLVM type; masks are vectors of i1."""
        scalar = {32: ir.FloatType, 64: ir.DoubleType}[self.bits]() if self.is_float else ir.IntType(self.bits)
        return ir.VectorType(scalar, self.lanes)

    def with_dtype(self, dtype: types.Type) -> Vec:
        """Return the vector type of as many lanes of another scalar type."""
        return Vec(dtype, self.lanes)


@register_model(Vec)
class _VecModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Vec) -> None:
        super().__init__(dmm, fe_type, fe_type.llvm())


def lower(function: Callable, result: Callable[..., types.Type | None], *patterns: tuple) -> Callable:
    """Teach Numba to type and compile calls of `function` on vectors.

    Typing and code go straight into the caller (no overload, no call to inline), which is the cheapest in compile
    time. `function` must be an attribute of its module by its own name, as Numba requires of a global.

    Parameters
    ----------
    function : callable
        The Python function or operator; its body is the plain-Python form.
    result : callable
        ``result(*argument_types)`` gives the type of the call, or None when the call is not on vectors. Integers that
        are known when they are compiled are asked for a second time as their ``types.Literal``.
    *patterns : tuple of types
        Argument types to register for; operators need them, functions take any arguments without.

    Returns
    -------
    callable
        A decorator for ``emit(builder, result_type, argument_types, values, context)``, which writes the code and
        returns the LLVM value, or None for a call without result.
    """

    def register(emit: Callable) -> Callable:
        @infer_global(function)
        class _Typing(AbstractTemplate):
            def generic(self, args: tuple, kws: dict) -> Any:
                out = result(*args) if not kws else None
                return None if out is None else signature(out, *(types.unliteral(a) for a in args))

        def code(context: Any, builder: ir.IRBuilder, sig: Any, values: tuple) -> Any:
            out = emit(builder, sig.return_type, sig.args, values, context)
            return context.get_dummy_value() if out is None else out

        for pattern in patterns or [(types.VarArg(types.Any),)]:
            lower_builtin(function, *pattern)(code)
        return emit

    return register


def vector_among(*args: types.Type) -> Vec | None:
    """Return the vector type that scalars among `args` are spread to; None without one, or if two disagree."""
    found = {a for a in args if isinstance(a, Vec)}
    mixable = all(isinstance(a, (Vec, types.Number, types.Boolean)) for a in args)
    return found.pop() if len(found) == 1 and mixable else None


def constant(vec: Vec, x: float) -> ir.Constant:
    """Return an LLVM constant with `x` in every lane."""
    return ir.Constant(vec.llvm(), [ir.Constant(vec.llvm().element, x)] * vec.lanes)


def spread(context: Any, builder: ir.IRBuilder, value: Any, ty: types.Type, vec: Vec) -> Any:
    """Return `value` of type `ty` as a `vec`: a vector passes through, a scalar goes to every lane."""
    if isinstance(ty, Vec):
        return value
    value = context.cast(builder, value, ty, vec.dtype)
    undefined, index = ir.Constant(vec.llvm(), ir.Undefined), ir.VectorType(ir.IntType(32), vec.lanes)
    one = builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(one, undefined, ir.Constant(index, [0] * vec.lanes))
