"""All that this package takes from inside Numba, beyond its public interface: what another version may not have.

Numba has no public way to give a type operators without overloads, whose compiling takes several times as long, nor
one to write LLVM code for arrays. What is imported here has been there, with the same meaning, in the versions that
`SUPPORTED` names.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import from_dtype, typeof, types

from bgsub.errors import BgsubError

SUPPORTED = ">=0.61,<0.70"


log = logging.getLogger(__name__)


class NumbaVersionError(BgsubError, ImportError):
    """A version of Numba that is made otherwise inside; the text says which are not."""


try:
    from llvmlite import ir
    from numba._dispatcher import compute_fingerprint
    from numba.core import cgutils, event
    from numba.core.caching import FunctionCache
    from numba.core.codegen import JITCodeLibrary
    from numba.core.compiler import Compiler
    from numba.core.compiler_lock import global_compiler_lock
    from numba.core.compiler_machinery import register_pass
    from numba.core.imputils import lower_builtin
    from numba.core.registry import CPUDispatcher
    from numba.core.runtime import rtsys
    from numba.core.typed_passes import NativeLowering
    from numba.core.typing.templates import AbstractTemplate, infer_global, signature
    from numba.np.arrayobj import make_array
    from numba.np.numpy_support import map_layout
except ImportError as error:
    raise NumbaVersionError(
        f"bgsub cannot compile with Numba {numba.__version__} ({error}): pip install 'numba{SUPPORTED}'"
    ) from error


def frozen(b: Any, x: Any) -> Any:
    """Emit `x` as it is, but so that what was selected is stored whole.

    LLVM 21 and later store a choice between a new value and the one that is there through a mask; with AVX2 that takes
    AMD's processors a dozen times as long. llvmlite's builder has no name for the instruction.
    """
    instruction = ir.Instruction(b.block, x.type, "freeze", [x])
    b._insert(instruction)
    return instruction


class KernelCache(FunctionCache):
    """Numba's cache of compiled code, which is there without the compiler, and fails no one whom it cannot serve.

    Numba imports all that it can compile, SciPy's linear algebra among it, before it loads what it compiled earlier:
    half a second. Nor is the runtime, which Numba compiles in every process, started for code that counts no
    references; and the compiler, where it is needed, sees to itself. And of a damaged file, or a full disk, Numba
    raises, where compiling once more is all that is needed.

    Raises
    ------
    RuntimeError
        When there is no folder that can be written.
    """

    _told = False

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled code for a signature, or None."""
        try:
            with self._guard_against_spurious_io_errors():
                return self._load_overload(sig, target_context)
        except Exception as error:  # whatever unpickling raises of a file that a power cut left empty
            log.debug("%s cannot be read (%r): it is written anew", self._cache_file._index_path, error)
            with contextlib.suppress(OSError):
                self._cache_file.flush()
            return None

    def _load_overload(self, sig: Any, target_context: Any) -> Any:
        if not self._enabled:
            return None
        data = self._cache_file.load(self._index_key(sig, target_context.codegen()))
        if data is None:
            return None
        if _uses_runtime(data):
            rtsys.initialize(target_context)
        return self._impl.rebuild(target_context, data)

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep compiled code, or say once that it cannot be kept."""
        try:
            super().save_overload(sig, data)
        except OSError as error:
            if not KernelCache._told:
                KernelCache._told = True
                log.warning(
                    "compiled code cannot be kept in %s (%s), so it is compiled again at each start; "
                    "set NUMBA_CACHE_DIR to a folder with room for it",
                    *(self.cache_path, error.strerror or error),
                )


def _uses_runtime(part: Any) -> bool:
    """Say whether compiled code names functions of Numba's runtime, wherever in what the cache holds it stands."""
    if isinstance(part, tuple):
        return any(map(_uses_runtime, part))
    return isinstance(part, bytes) and b"NRT_" in part


_arrays: dict[tuple, types.Array] = {}  # kept: Numba forgets a type that nobody holds


def type_of(value: Any, otherwise: Callable[[Any], Any] = typeof) -> Any:
    """Return Numba's type of an argument, as `numba.typeof` does.

    That one imports `numpy.ma` to refuse what none of a kernel's arrays is: one part in twenty of a start.

    Parameters
    ----------
    value : object
        An argument; arrays in it may stand in tuples.
    otherwise : callable
        Tells the types of all but arrays and tuples.
    """
    if type(value) is np.ndarray:
        layout, writeable = map_layout(value), value.flags.writeable
        key = value.dtype, value.ndim, layout, writeable
        if key not in _arrays:
            with contextlib.suppress(Exception):  # told by `otherwise`, in the same words
                _arrays[key] = types.Array(from_dtype(value.dtype), value.ndim, layout, readonly=not writeable)
        return _arrays[key] if key in _arrays else otherwise(value)
    if isinstance(value, tuple):
        parts = [type_of(part, otherwise) for part in value]
        return otherwise(value) if types.pyobject in parts else types.BaseTuple.from_types(parts, type(value))
    return otherwise(value)


def load_compiled(dispatcher: Any, argument_types: tuple) -> bool:
    """Load the code for these types from the cache, as `Dispatcher.compile` does; return whether it lay there."""
    with global_compiler_lock:
        found = dispatcher._cache.load_overload(argument_types, dispatcher.targetctx)
        if found is None:
            return False
        dispatcher.targetctx.insert_user_function(found.entry_point, found.fndesc, [found.library])
        dispatcher.add_overload(found)
        return True


__all__ = [
    "SUPPORTED",
    "AbstractTemplate",
    "CPUDispatcher",
    "Compiler",
    "JITCodeLibrary",
    "KernelCache",
    "NativeLowering",
    "NumbaVersionError",
    "cgutils",
    "compute_fingerprint",
    "event",
    "infer_global",
    "ir",
    "load_compiled",
    "lower_builtin",
    "make_array",
    "register_pass",
    "signature",
    "type_of",
]
