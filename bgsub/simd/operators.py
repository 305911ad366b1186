"""``+ - * /``, comparisons and ``& | ^ ~`` on vectors. Importing this module registers them with Numba."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from numba import types

from bgsub.simd.types import Vec, constant, lower, spread, vector_among

_SCALARS = types.Number, types.Boolean
_MIXED = [(Vec, Vec), *((Vec, scalar) for scalar in _SCALARS), *((scalar, Vec) for scalar in _SCALARS)]


def _binary(
    function: Callable,
    code: Callable,
    result: Callable[[Vec], Vec] = lambda v: v,
    accepts: Callable[[Vec], bool] = lambda v: True,
) -> None:
    """Register a binary operator whose ``code(builder, vec, x, y)`` works on two vectors of one type."""

    def typed(*args: types.Type) -> Vec | None:
        v = vector_among(*args)
        return result(v) if v is not None and len(args) == 2 and accepts(v) else None

    @lower(function, typed, *_MIXED)
    def _(b: Any, out: Vec, tys: tuple, values: tuple, context: Any) -> Any:
        v = vector_among(*tys)
        return code(b, v, *(spread(context, b, x, t, v) for x, t in zip(values, tys, strict=True)))


def _instruction(for_floats: str | None, for_integers: str | None) -> Callable:
    """Return code that emits the one or the other builder instruction, by the kind of the lanes."""

    def code(b: Any, v: Vec, x: Any, y: Any) -> Any:
        return getattr(b, for_floats if v.is_float else for_integers)(x, y)

    return code


def _comparison(symbol: str) -> Callable:
    """Return code that compares as Python does: nothing but ``!=`` is true of a NaN."""

    def code(b: Any, v: Vec, x: Any, y: Any) -> Any:
        if v.is_float:
            return (b.fcmp_unordered if symbol == "!=" else b.fcmp_ordered)(symbol, x, y)
        return (b.icmp_signed if v.is_signed else b.icmp_unsigned)(symbol, x, y)

    return code


def _is_integer(v: Vec) -> bool:
    return not v.is_float


def _is_float(v: Vec) -> bool:
    return v.is_float


def _is_number(v: Vec) -> bool:
    return not v.is_mask


def _mask_of(v: Vec) -> Vec:
    return v.with_dtype(types.boolean)


# The in-place twins (iadd, ior, ...) are needed too, or `mask |= other` does not type.
for _name in "add", "sub", "mul":
    _binary(getattr(operator, _name), _instruction("f" + _name, _name), accepts=_is_number)
    _binary(getattr(operator, "i" + _name), _instruction("f" + _name, _name), accepts=_is_number)
for _function in operator.truediv, operator.itruediv:
    _binary(_function, _instruction("fdiv", None), accepts=_is_float)
for _name, _plain, _in_place in [("and_", "and_", "iand"), ("or_", "or_", "ior"), ("xor", "xor", "ixor")]:
    _binary(getattr(operator, _plain), _instruction(None, _name), accepts=_is_integer)
    _binary(getattr(operator, _in_place), _instruction(None, _name), accepts=_is_integer)
for _name, _symbol in {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}.items():
    _binary(getattr(operator, _name), _comparison(_symbol), result=_mask_of)


@lower(operator.invert, lambda v: v if isinstance(v, Vec) and not v.is_float else None, (Vec,))
def _(b: Any, out: Vec, tys: tuple, values: tuple, context: Any) -> Any:
    return b.xor(values[0], constant(out, -1 if out.bits > 1 else 1))


@lower(operator.neg, lambda v: v if isinstance(v, Vec) and not v.is_mask else None, (Vec,))
def _(b: Any, out: Vec, tys: tuple, values: tuple, context: Any) -> Any:
    return b.fneg(values[0]) if out.is_float else b.neg(values[0])
