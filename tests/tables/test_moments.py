"""Streaming moments: those of all rows at once, whatever the blocks, and scikit-learn's."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.preprocessing import StandardScaler

from bgsub.tables.moments import Moments


def moments_of(rows, weights, sizes):
    """Moments of rows that go by in blocks of these sizes."""
    found, start = Moments(rows.shape[1]), 0
    for size in sizes:
        block = slice(start, start + size)
        found.add(rows[block], None if weights is None else weights[block])
        start += size
    assert start == len(rows)
    return found


ROWS = np.random.default_rng(0).normal([0.0, 3.0, 1e6], [1.0, 1e-3, 50.0], (1000, 3))
WEIGHTS = {
    "none": None,
    "some 0": np.random.default_rng(1).integers(0, 3, 1000).astype(float),
    "small": np.random.default_rng(2).random(1000) / 1000,
}


@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
@pytest.mark.parametrize("sizes", [[1000], [1] * 1000, [999, 1], [0, 300, 700]])
def test_of_blocks_as_of_all_rows(weights, sizes):
    found = moments_of(ROWS, weights, sizes)
    mean = np.average(ROWS, axis=0, weights=weights)
    assert_allclose(found.mean, mean, rtol=1e-12)
    assert_allclose(found.variance, np.average((ROWS - mean) ** 2, axis=0, weights=weights), rtol=1e-9)


@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
def test_of_parts_put_together_as_of_all_rows(weights):
    whole, parts = moments_of(ROWS, weights, [1000]), Moments(3)
    for chosen in (slice(0, 300), slice(300, 300), slice(300, 1000)):
        rows = ROWS[chosen]
        parts.merge(moments_of(rows, None if weights is None else weights[chosen], [len(rows)]))
    assert_allclose(parts.mean, whole.mean, rtol=1e-14)
    assert_allclose(parts.variance, whole.variance, rtol=1e-12)


@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
def test_they_are_scikit_learns(weights):
    theirs = StandardScaler()
    for block in (slice(0, 600), slice(600, 1000)):
        theirs.partial_fit(ROWS[block], sample_weight=None if weights is None else weights[block])
    found = moments_of(ROWS, weights, [600, 400])
    assert_allclose(found.mean, theirs.mean_, rtol=1e-12)
    assert_allclose(found.variance, theirs.var_, rtol=1e-12 if weights is None else 1e-9)


def test_far_from_0_no_digit_is_lost():
    rows = 1e9 + np.arange(1000.0)[:, None] % 7
    assert_allclose(moments_of(rows, None, [10] * 100).variance, np.var(np.arange(1000) % 7), rtol=1e-6)


def test_rows_of_weight_0_do_not_count():
    found = moments_of(np.array([[5.0], [1.0], [3.0]]), np.array([0.0, 1.0, 1.0]), [1, 2])
    assert_array_equal((found.mean, found.variance), ([2.0], [1.0]))
    nothing = moments_of(np.ones((2, 2)), np.zeros(2), [2])
    assert_array_equal((nothing.mean, nothing.variance), np.zeros((2, 2)))
