"""`inline` and `kernel`: the two ways a function that uses vectors is compiled."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit
from numba.core import event

log = logging.getLogger(__name__)

# A helper must be inlined: a real call passes its vectors through memory and costs 40 % of a kernel's speed.
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


class _Announcer(event.Listener):
    """Says that a kernel is being compiled, so that the seconds it takes are not mistaken for a hang."""

    def on_start(self, event: event.Event) -> None:
        if any(event.data["dispatcher"] is one for one in _kernels):
            log.info("compiling %s for this processor, once: a few seconds", event.data["dispatcher"].__name__)

    def on_end(self, event: event.Event) -> None:
        """Nothing to say."""


event.register("numba:compile", _Announcer())
