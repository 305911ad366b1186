"""The order of a mixture's components: the same whatever start they come from."""

from __future__ import annotations

from functools import cmp_to_key

import numpy as np

from bgsub.mixture.parameters import Parameters

_EQUAL = 1e-6  # difference of weights, or of means in units of a column's spread, that is none


def by_weight(parameters: Parameters) -> np.ndarray:
    """Return the order, int of shape (K,), of falling weights; equal ones by their means, column after column.

    Weights, and means in units of their column's spread, are equal where they differ by no more than 1e-6: what is left
    of a start when EM ends does not decide.
    """
    weights, means = parameters.weights, parameters.means
    falling = np.argsort(-weights, kind="stable")
    borders = np.flatnonzero(-np.diff(weights[falling]) > _EQUAL) + 1
    spread = np.ptp(means, axis=0)
    scaled = (means - means.min(axis=0)) / np.where(spread > 0, spread, 1.0)

    def compared(one: int, other: int) -> int:
        apart = np.flatnonzero(np.abs(scaled[one] - scaled[other]) > _EQUAL)
        return 0 if not apart.size else int(np.sign(scaled[one, apart[0]] - scaled[other, apart[0]]))

    groups = np.split(falling, borders)
    return np.array([k for group in groups for k in sorted(group.tolist(), key=cmp_to_key(compared))], dtype=np.intp)
