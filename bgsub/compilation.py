"""Kernels are compiled on a machine's first runs: what that took so far, which a rate of frames leaves out."""

from __future__ import annotations

import threading

_lock = threading.Lock()
_seconds = 0.0


def add_seconds(seconds: float) -> None:
    """Count seconds that this process has just spent on compiling a kernel, or on waiting for another that did."""
    global _seconds
    with _lock:
        _seconds += seconds


def seconds() -> float:
    """Return the seconds that this process has spent so."""
    return _seconds
