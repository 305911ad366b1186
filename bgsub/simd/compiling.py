"""`inline` and `kernel`: the two ways a function that uses vectors is compiled."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from numba import njit
from numba.core import event

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

# A helper must be inlined: a real call passes its vectors through memory.
inline = njit(forceinline=True, error_model="numpy")


def _vocabulary_fingerprint() -> str:
    """Return a short hash of this package's source."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


_FINGERPRINT = _vocabulary_fingerprint()
_kernels: list[Any] = []


def kernel(function: Callable) -> Callable:
    """Compile an entry point: cached on disk, without the GIL, divisions as IEEE has them.

    Numba's cache notices an edit in the file of `function` only, while the code it emits for vectors is written by
    this package. The cache file is named after the function, so a fingerprint of the package in the name makes
    kernels compile anew when the vocabulary changes, in an editable install too.
    """
    function.__qualname__ = f"{function.__qualname__}_{_FINGERPRINT}"
    compiled = njit(nogil=True, cache=True, error_model="numpy")(function)
    _kernels.append(compiled)
    return compiled


class _Attendant(event.Listener):
    """Says that a kernel is being compiled, and lets one process do so at a time.

    The seconds it takes must not be mistaken for a hang. And Numba numbers the files of its cache by what it finds
    there: two processes that compile for different kinds of frames at once may take one number, and a third would then
    run the code of the wrong kind. The lock is on the kernel's source file; systems without `flock` do without.
    """

    def __init__(self) -> None:
        self._locked: dict[int, IO[bytes]] = {}

    def on_start(self, event: event.Event) -> None:
        dispatcher = event.data["dispatcher"]
        if not any(dispatcher is one for one in _kernels):
            return
        log.info("compiling %s for this processor, once: a few seconds", dispatcher.__name__)
        if fcntl is not None:
            with contextlib.suppress(OSError):  # source in an archive, or a file system without locks
                file = Path(dispatcher.py_func.__code__.co_filename).open("rb")  # noqa: SIM115  (closed by on_end)
                self._locked[id(dispatcher)] = file
                fcntl.flock(file, fcntl.LOCK_EX)

    def on_end(self, event: event.Event) -> None:
        file = self._locked.pop(id(event.data["dispatcher"]), None)
        if file is not None:
            file.close()  # which ends the lock


event.register("numba:compile", _Attendant())
