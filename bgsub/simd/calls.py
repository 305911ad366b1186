"""Calls of one kernel by another without its code: by address.

A kernel that calls another takes its code in, and has to be compiled anew for each that it may call. By address, both
are compiled for themselves. Sizes that code is unrolled for must not be seen by the caller: they come as tuples of
empty tuples, which have a length and take no room among the arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from numba import types

from bgsub.simd.internals import cgutils, load_compiled, type_of
from bgsub.simd.types import lower

Size = tuple[tuple[()], ...]


def size_of(n: int) -> Size:
    """Return a tuple of length n that takes no room."""
    return ((),) * n


def address_of(kernel: Callable, arguments: tuple, sizes: tuple[Size, ...]) -> Any:
    """Return where the code of a kernel lies for arguments of these types and these sizes; it is compiled if need be.

    Parameters
    ----------
    kernel : callable
        Returns nothing; its last parameters are the sizes.
    arguments : tuple
        Arguments of the types of all that will come.
    sizes : tuple of sizes
        See `size_of`.

    Returns
    -------
    address : int
        For `call_at`; without the compiler, what Python can call.
    """
    if not hasattr(kernel, "overloads"):
        return with_sizes(kernel, sizes)
    signature = tuple(type_of(argument) for argument in (*arguments, *sizes))
    kernel.compile(signature)
    compiled = kernel.overloads[signature]
    return compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)


def is_at_hand(kernel: Any, arguments: tuple) -> bool:
    """Return whether a kernel need not be compiled for arguments of these types; what lies in the cache is loaded.

    Parameters
    ----------
    kernel : callable
        As `kernels_of` makes them.
    arguments : tuple
        Arguments of the types of all that will come.

    Returns
    -------
    bool
        Always, without the compiler.
    """
    if not hasattr(kernel, "overloads"):
        return True
    signature = tuple(type_of(argument) for argument in arguments)
    return signature in kernel.overloads or load_compiled(kernel, signature)


def with_sizes(kernel: Callable, sizes: tuple[Size, ...]) -> Callable[..., None]:
    """Return a kernel for Python, which gives it all arguments but the sizes."""
    return partial(_called, kernel, sizes)


def _called(kernel: Callable, sizes: tuple[Size, ...], *arguments: Any) -> None:
    kernel(*arguments, *sizes)


def call_at(address: Any, *arguments: Any) -> None:
    """Call a kernel at an address, with all arguments but the sizes."""
    address(*arguments)


@lower(call_at, lambda address, *arguments: types.none if isinstance(address, types.Integer) else None)
def _(b: Any, out: types.Type, tys: tuple, values: tuple, context: Any) -> None:
    convention, argument_tys = context.call_conv, tys[1:]
    pointer = b.inttoptr(values[0], convention.get_function_type(types.none, argument_tys).as_pointer())
    status, _ = convention.call_function(b, pointer, types.none, argument_tys, values[1:])
    with cgutils.if_unlikely(b, status.is_error):  # an index, where they are checked
        convention.return_status_propagate(b, status)
