"""EM steps where the kernel that does them may have to be compiled first: little is done without, at once.

To compile `loops.em_steps` takes seconds. All it does but the pass is arithmetic on a few numbers a component, which
Python does too, in the same order and to the same bit. So where it is not at hand its own source runs as it stands,
until that has taken `PATIENCE`; then it is compiled, for this process and all that come. Nobody can tell but by the
time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from bgsub.mixture.kernels import loops
from bgsub.mixture.kernels.buffers import NO_ROWS, NO_WEIGHTS, NO_WORK
from bgsub.mixture.kernels.loops import Work
from bgsub.simd.calls import is_at_hand

PATIENCE = 0.4
"""Seconds in all that steps may take in plain Python."""

_spent = [0.0]


class OnePass(NamedTuple):
    """A pass, for kernels and for Python."""

    address: Any
    function: Callable[..., None] | None


NO_PASS = OnePass(0, None)  # where one is asked for


def em_steps(
    kind: int,
    parts: int,
    one_pass: OnePass,
    rows: np.ndarray,
    weights: np.ndarray,
    begin: int,
    end: int,
    work: Work,
    reg_covar: float = 0.0,
    tol: float = 0.0,
    bounds: np.ndarray | None = None,
) -> int:
    """Do what `loops.em_steps` does; a single step where there are no `bounds`.

    Parameters
    ----------
    kind, parts, rows, weights, work, reg_covar, tol, bounds
        As there.
    one_pass : OnePass
        The pass.
    begin, end : int
        First row, and the row after the last one.
    """
    bounds = np.empty(2) if bounds is None else bounds
    fixed = (kind, parts, rows, weights, begin, end, work, float(reg_covar), float(tol))
    for i in range(1, len(bounds)):
        done = None if _is_compiled() or _spent[0] >= PATIENCE else _plain_step(one_pass, *fixed, bounds[i - 1 : i + 1])
        if done is None:
            done = loops.em_steps(kind, parts, one_pass.address, *fixed[2:], bounds[i - 1 :])
            return int(done if done < 0 else i - 1 + done)
        if done < 0 or (parts & loops.MAXIMISE and abs(bounds[i] - bounds[i - 1]) < tol):
            return -1 if done < 0 else i
    return len(bounds) - 1


@cache
def _is_compiled() -> bool:
    arguments = (0, 0, 0, NO_ROWS, NO_WEIGHTS, 0, 0, NO_WORK, 0.0, 0.0, np.empty(2))
    return is_at_hand(loops.em_steps, arguments)


def _plain_step(one_pass: OnePass, kind: int, parts: int, *others: Any) -> int | None:
    """Return what a step in plain Python does; None where it comes to the logarithm of 0, of no effect."""
    begun = time.perf_counter()
    try:
        with np.errstate(all="ignore"):  # as in compiled code
            return int(loops.em_steps.py_func(kind, parts, one_pass.function, *others))
    except ValueError:
        return None
    finally:
        _spent[0] += time.perf_counter() - begun
