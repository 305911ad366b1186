"""All that this package takes from inside Numba, beyond its public interface: what another version may not have.

Numba has no public way to give a type operators without overloads, whose compiling takes several times as long, nor
one to write LLVM code for arrays. What is imported here has been there, with the same meaning, in the versions that
`SUPPORTED` names.
"""

from __future__ import annotations

import contextlib
import logging
from typing import Any

import numba

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
except ImportError as error:
    raise NumbaVersionError(
        f"bgsub cannot compile with Numba {numba.__version__} ({error}): pip install 'numba{SUPPORTED}'"
    ) from error


class KernelCache(FunctionCache):
    """Numba's cache of compiled code, which is there without the compiler, and fails no one whom it cannot serve.

    Numba imports all that it can compile, SciPy's linear algebra among it, before it loads what it compiled earlier:
    half a second. The loaded code needs the runtime only; and the compiler, where it is needed, sees to itself. And of
    a damaged file, or a full disk, Numba raises, where compiling once more is all that is needed.

    Raises
    ------
    RuntimeError
        When there is no folder that can be written.
    """

    _told = False

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled code for a signature, or None."""
        rtsys.initialize(target_context)
        try:
            with self._guard_against_spurious_io_errors():
                return self._load_overload(sig, target_context)
        except Exception as error:  # whatever unpickling raises of a file that a power cut left empty
            log.debug("%s cannot be read (%r): it is written anew", self._cache_file._index_path, error)
            with contextlib.suppress(OSError):
                self._cache_file.flush()
            return None

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
]
