"""All that this package takes from inside Numba, beyond its public interface: what another version may not have.

Numba has no public way to give a type operators without overloads, whose compiling takes several times as long, nor
one to write LLVM code for arrays. What is imported here has been there, with the same meaning, in the versions that
`SUPPORTED` names.
"""

from __future__ import annotations

import numba

from bgsub.errors import BgsubError

SUPPORTED = ">=0.61,<0.70"


class NumbaVersionError(BgsubError, ImportError):
    """A version of Numba that is made otherwise inside; the text says which are not."""


try:
    from llvmlite import ir
    from numba.core import cgutils, event
    from numba.core.imputils import lower_builtin
    from numba.core.typing.templates import AbstractTemplate, infer_global, signature
    from numba.np.arrayobj import make_array
except ImportError as error:
    raise NumbaVersionError(
        f"bgsub cannot compile with Numba {numba.__version__} ({error}): pip install 'numba{SUPPORTED}'"
    ) from error

__all__ = [
    "SUPPORTED",
    "AbstractTemplate",
    "NumbaVersionError",
    "cgutils",
    "event",
    "infer_global",
    "ir",
    "lower_builtin",
    "make_array",
    "signature",
]
