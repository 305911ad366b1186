"""Which of the combinations that were compared may be the best, and what is to be told of the others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np

from bgsub.errors import ParameterError
from bgsub.mixture.diagnosis import Collapse, collapse_of
from bgsub.mixture.few_values import MANY, few_values, in_words
from bgsub.mixture.fitting import Fit


class NothingEligible(ParameterError):
    """No combination could be fitted, or all have collapsed: rows, columns or `reg_covar` have to be others."""


class Doubts(NamedTuple):
    """What is wrong with combinations.

    Attributes
    ----------
    n_combinations : int
        How many were compared.
    collapsed : sequence of Collapse
        Of those that have collapsed, where.
    failures : sequence of str
        Of those that could not be fitted, why.
    """

    n_combinations: int
    collapsed: Sequence[Collapse]
    failures: Sequence[str]

    def lines(self, X: np.ndarray, names: Sequence[str] | None) -> list[str]:
        """Return what to tell where some combination is eligible, a line a kind."""
        found = []
        if self.collapsed:
            which = self._of_all(len(self.collapsed), "has", "have")
            found.append(f"{which} collapsed and cannot be the best {self._where(names)}")
        for text in dict.fromkeys(self.failures):
            found.append(f"{self._of_all(self.failures.count(text), 'was', 'were')} not fitted: {text}")
        return found + self._few_values(X, names)

    def error(self, X: np.ndarray, names: Sequence[str] | None) -> NothingEligible:
        """Return what to raise where none is."""
        if not self.collapsed:
            return NothingEligible(f"no combination could be fitted: {self.failures[0]}")
        how = "have collapsed or failed" if self.failures else "have collapsed"
        lines = [f"no combination is sound: all {self.n_combinations} {how} {self._where(names)}"]
        return NothingEligible("; ".join(lines + self._few_values(X, names)))

    def _of_all(self, count: int, one: str, several: str) -> str:
        return f"{count} of {self.n_combinations} combinations {one if count == 1 else several}"

    def _where(self, names: Sequence[str] | None) -> str:
        found = reduce(Collapse.joined, self.collapsed)
        return f"(a variance that is mostly reg_covar, {found.where(names)}): {found.advice}"

    def _few_values(self, X: np.ndarray, names: Sequence[str] | None) -> list[str]:
        """Return a line for each column of few values that something has collapsed onto."""
        columns = {column for found in self.collapsed for column in (*found.everywhere, *found.columns)}
        return in_words(few_values(X, sorted(columns), MANY), names)


def collapse_of_fit(found: Fit, n_rows: int) -> Collapse:
    """Return where a fit to so many rows has collapsed."""
    mixture = found.mixture
    return collapse_of(mixture.parameters, mixture.covariance_type, found.options.reg_covar, n_rows)


def first_of_each_kind(lines: Iterable[str]) -> list[str]:
    """Return the first of lines that differ in nothing but numbers."""
    return list({re.sub(r"\d+", "#", line): line for line in reversed(list(lines))}.values())[::-1]
