"""`kernels_of`: how what Python calls is compiled, and cached."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any

from numba import config, njit

from bgsub.compilation import add_seconds
from bgsub.simd.inlining import UNCOUNTED, KernelCompiler
from bgsub.simd.internals import KernelCache, event, type_of
from bgsub.simd.sources import fingerprint_of

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

_ONCE = "preparing for this processor, once (a few seconds)"
_EACH_TIME = (
    "preparing for this processor (a few seconds), at each start since no folder can be written that would keep it; "
    "set NUMBA_CACHE_DIR to one"
)

_kernels: list[Any] = []


def kernels_of(module: str) -> Callable[[Callable], Any]:
    """Return the decorator for the entry points of a module, to be used as ``kernel = kernels_of(__name__)``.

    It compiles a function with its helpers at the first call: cached on disk, without the GIL, divisions as IEEE has
    them. Numba's cache notices an edit in the file of the function only, while a kernel holds constants and functions
    of other files too. The cache file is named after the function, so a fingerprint of all these files
    (`sources.sources_of`) in the name makes kernels compile anew after an edit of any, in an editable install too.

    Parameters
    ----------
    module : str
        ``__name__`` of the module that defines the kernels; what it imports must stand above.

    Returns
    -------
    callable
        The decorator.
    """
    fingerprint = fingerprint_of(module)

    def kernel(function: Callable) -> Any:
        function.__qualname__ = f"{function.__qualname__}_{fingerprint}"
        options = {"nogil": True, "error_model": "numpy", **UNCOUNTED}
        compiled = njit(**options, pipeline_class=KernelCompiler)(function)
        if not config.DISABLE_JIT:
            compiled.typeof_pyval = partial(type_of, otherwise=compiled.typeof_pyval)
            with contextlib.suppress(RuntimeError):  # no folder can be written: nothing is kept
                compiled._cache = KernelCache(function)
        _kernels.append(compiled)
        return compiled

    return kernel


class _Attendant(event.Listener):
    """Says that kernels are being compiled, counts the seconds, and lets one process do so at a time.

    These seconds must not be mistaken for a hang, nor for the speed of what waits for them. And Numba numbers the
    files of its cache by what it finds there: two processes that compile for different kinds of frames at once may
    take one number, and a third would then run the code of the wrong kind. The lock is on the kernel's source file;
    systems without `flock` do without.
    """

    def __init__(self) -> None:
        self._locked: dict[int, IO[bytes]] = {}
        self._holders: set[tuple[int, str]] = set()
        self._started: dict[int, float] = {}
        self._announced = False

    def on_start(self, event: event.Event) -> None:
        dispatcher = event.data["dispatcher"]
        if not any(dispatcher is one for one in _kernels):
            return
        if not self._announced:
            self._announced = True
            told = log.hasHandlers()  # Python prints what nobody handles from a warning on, and that alone
            text = _ONCE if isinstance(dispatcher._cache, KernelCache) else _EACH_TIME
            log.log(logging.INFO if told else logging.WARNING, text if told else f"bgsub: {text}")
        log.debug("compiling %s", dispatcher.__name__)
        self._started[id(dispatcher)] = time.perf_counter()
        source = dispatcher.py_func.__code__.co_filename
        if fcntl is not None and (threading.get_ident(), source) not in self._holders:  # else for one that calls it
            with contextlib.suppress(OSError):  # source in an archive, or a file system without locks
                file = Path(source).open("rb")  # noqa: SIM115  (closed by on_end)
                self._locked[id(dispatcher)] = file
                fcntl.flock(file, fcntl.LOCK_EX)
                self._holders.add((threading.get_ident(), source))

    def on_end(self, event: event.Event) -> None:
        key = id(event.data["dispatcher"])
        if key in self._started:
            add_seconds(time.perf_counter() - self._started.pop(key))
        file = self._locked.pop(key, None)
        if file is not None:
            self._holders.discard((threading.get_ident(), file.name))
            file.close()  # which ends the lock


event.register("numba:compile", _Attendant())
