"""Training data with gaps: what counts, what starts are drawn from, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub.errors import ParameterError
from bgsub.mixture.em.completion import completed
from bgsub.mixture.em.training_data import RowsInBlocks, RowsInMemory
from bgsub.mixture.parameters import precisions_cholesky
from bgsub.mixture.passes.statistics import Statistics
from tests.mixture.passes.test_missing import mixture_of, rows_with_gaps

NAN = np.nan


def in_blocks(X, n=3, names=None):
    """The rows in n blocks, checked as the estimator would."""
    return RowsInBlocks(lambda: np.array_split(X, n), lambda block, first: block, lambda: names, "em")


def test_gaps_of_one_gaussian_are_filled_near_the_regression_line():
    random = np.random.default_rng(0)
    x = random.normal(100, 5, 4000)
    X = np.column_stack([x, 2 * x + random.normal(size=4000), random.normal(7, 3, 4000)])
    gaps = random.random(X.shape) < 0.2
    gaps[gaps.all(axis=1)] = False
    filled = completed(np.where(gaps, NAN, X), np.ones(4000))
    assert (filled[~gaps] == X[~gaps]).all()
    known = gaps[:, 1] & ~gaps[:, 0]
    assert np.sqrt(np.mean((filled - X)[known, 1] ** 2)) < 1.2  # noise 1, the column's deviation 10
    alone = gaps[:, 2]
    np.testing.assert_allclose(filled[alone, 2], 7, atol=1.0)


def test_more_columns_than_rows_are_filled_with_finite_values_of_their_scale():
    random = np.random.default_rng(1)
    X = 1e4 * random.normal(size=(30, 60))
    X[random.random(X.shape) < 0.2] = NAN
    filled = completed(X, np.ones(30))
    assert np.isfinite(filled).all()
    assert np.abs(filled).max() < 8e4


def test_rows_that_hold_nothing_and_rows_of_no_weight_do_not_count():
    X = np.array([[1.0, NAN], [NAN, NAN], [2.0, 5.0], [NAN, 4.0]])
    data = RowsInMemory(X, missing="em")
    assert data.n_rows == 3
    rows, weights = data.sample(100, 0)
    assert rows.shape == (3, 2)
    assert np.isfinite(rows).all()
    assert weights.tolist() == [1.0, 1.0, 1.0]
    assert RowsInMemory(X, np.array([0.0, 3.0, 1.0, 2.0]), missing="em").n_rows == 2
    assert data.ranges().tolist() == [1.0, 1.0]


@pytest.mark.parametrize("covariance_type", ["full", "diag"])
def test_blocks_give_the_sums_of_all_rows(covariance_type):
    parameters = mixture_of(covariance_type, 3, 2)
    X = rows_with_gaps(200, parameters)
    blocks = in_blocks(X)
    assert np.isfinite(blocks.sample(1000, 0)[0]).all()
    assert blocks.n_rows == 200 - np.isnan(X).all(axis=1).sum()
    found = []
    for data in (blocks, RowsInMemory(X, missing="em")):
        with data.passes(2, covariance_type, 1) as one_pass:
            found.append(one_pass(parameters))
    for name in Statistics._fields:
        np.testing.assert_allclose(getattr(found[0], name), getattr(found[1], name), rtol=1e-12, atol=1e-10)


def test_without_gaps_the_sample_is_the_ordinary_one():
    X = np.random.default_rng(0).normal(size=(50, 2))
    weights = np.r_[np.zeros(10), np.ones(40)]
    for size in (20, 100):
        plain, gapped = (RowsInMemory(X, weights, missing=missing).sample(size, 3) for missing in ("error", "em"))
        np.testing.assert_array_equal(plain[0], gapped[0])
        np.testing.assert_array_equal(plain[1], gapped[1])


def test_a_column_of_which_nothing_is_known_is_named():
    X = np.array([[1.0, NAN, NAN], [2.0, NAN, 3.0]])
    with pytest.raises(ParameterError, match=r"column 1 \('b'\) of X is missing in every row"):
        RowsInMemory(X, None, ["a", "b", "c"], "em").sample(10, 0)
    with pytest.raises(ParameterError, match="columns 1, 2 of X are missing in every row"):
        RowsInMemory(X, np.array([1.0, 0.0]), missing="em").sample(0, 0)  # what is known of column 2 has no weight
    with pytest.raises(ParameterError, match=r"column 1 \('b'\) of X is missing in every row"):
        in_blocks(X, 2, ["a", "b", "c"]).sample(10, 0)


def test_infinite_values_are_refused_among_gaps():
    X = np.array([[1.0, NAN], [np.inf, 2.0], [3.0, 4.0]])
    with pytest.raises(ParameterError, match=r"infinity or a value too large .* at row 1, column 0; drop or impute"):
        in_blocks(X, 1).sample(10, 0)


def test_a_precision_for_the_single_gaussian_is_kept_positive():
    """Two equal columns, never observed together with a third: nothing to tell their covariance from."""
    X = np.array([[1.0, 1.0, NAN], [2.0, 2.0, NAN], [4.0, 4.0, NAN], [NAN, NAN, 1.0], [NAN, NAN, 3.0]])
    filled = completed(X, np.ones(5))
    assert np.isfinite(filled).all()
    assert np.isfinite(precisions_cholesky(np.cov(filled.T) + np.eye(3), "tied")).all()
