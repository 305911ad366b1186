"""How EM iterates, whom it tells, and where it stopped."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from bgsub.errors import BgsubError
from bgsub.mixture.parameters import Parameters

OnStep = Callable[[int, float], None]
"""Called with the number of an iteration, from 1, and its lower bound."""

Tell = Callable[[str], None]
"""Called with a line about what is doubtful: whether that is a warning, and of what kind, decides who wants the fit."""
_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


class Rules(NamedTuple):
    """How to iterate: scikit-learn's parameters of the same names, and `acceleration`."""

    covariance_type: str
    reg_covar: float
    tol: float
    max_iter: int
    acceleration: str | None = None
    lower_bound: float = -math.inf  # of the iteration before the first, when a fit goes on


class EMResult(NamedTuple):
    """Where EM stopped."""

    parameters: Parameters  # after the last M step
    lower_bounds: list[float]  # mean log-likelihood a unit of weight at each E step, before its M step
    converged: bool

    @property
    def lower_bound(self) -> float:
        """The last one; without an iteration there is none."""
        return self.lower_bounds[-1] if self.lower_bounds else -math.inf


def without_failures(make: Callable[[_Given], _Made], given: Iterable[_Given]) -> list[_Made]:
    """Return what is made of each that can be made; where none can, raise the first one's error.

    A covariance of one start that is not positive definite (a ValueError) says nothing of the others; rows or settings
    that are unfit (a BgsubError) are so for all.
    """
    made, failures = [], []
    for item in given:
        try:
            made.append(make(item))
        except BgsubError:
            raise
        except ValueError as error:
            failures.append(error)
    if failures and not made:
        raise failures[0]
    return made
