"""Compile the kernels that most tests need, where Numba's cache lacks them: ``python -m tests.warm mog2``.

A convenience, which no test relies on: what is not compiled here is compiled by the first test that needs it.
"""

from __future__ import annotations

import itertools
import sys

import numpy as np

import bgsub

SHAPES = ((20, 33), (20, 33, 3))
DTYPES = (np.uint8, np.float32)


def mog2() -> None:
    """Take a few frames of each kind with both precisions."""
    for precision, shape, dtype in itertools.product(("exact", "compact"), SHAPES, DTYPES):
        model = bgsub.MOG2(precision=precision)
        for level in (0, 9, 200):
            model.apply(np.full(shape, level, dtype))


def adaptive() -> None:
    """Let an object, and what may be its shadow, come into view of each kind of frame."""
    for shape, dtype in itertools.product(SHAPES, DTYPES):
        model = bgsub.BackgroundSubtractor()
        image = np.full(shape, 180, dtype)
        for _ in range(5):
            model.apply(image)
        image[:8, 4:20], image[8:14, 4:20] = 20, 120
        model.apply(image)


def mixture() -> None:
    """Fit mixtures of every type to two and three columns, with weights and without."""
    rng = np.random.default_rng(0)
    for n_columns, kind in itertools.product((2, 3), ("full", "tied", "diag", "spherical")):
        rows = rng.normal(size=(100, n_columns))
        fitted = bgsub.GaussianMixture(2, covariance_type=kind, random_state=0).fit(rows)
        fitted.predict_proba(rows)
        fitted.fit(rows, sample_weight=np.ones(100))


if __name__ == "__main__":
    {"mog2": mog2, "adaptive": adaptive, "mixture": mixture}[sys.argv[1]]()
