"""Weights that sum to less than the rows: criteria would take them for fewer rows."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bgsub import FitWarning, GaussianMixture, select
from bgsub.clustering.fitting import fit_table, select_table
from bgsub.tables.learning import Choice

RANDOM = np.random.default_rng(0)
STRUCTURELESS = RANDOM.normal(size=(300, 2))
SCALED = "the weights sum to {}, less than the {} rows that have one: they are scaled to sum to that number"
WARNED = "criteria take the sum as the number of rows"


def told(caught):
    return [str(warning.message) for warning in caught if issubclass(warning.category, FitWarning)]


@pytest.mark.parametrize(
    ("weights", "total"),
    [
        (np.full(300, 1 / 300), "1"),
        (np.full(300, np.float32(1 / 300), np.float32), "1"),
        (np.full(300, 0.999), "299.7"),
        (np.full(300, 1e-9), "3e-07"),
    ],
)
def test_equal_weights_change_nothing_whatever_their_sum(weights, total):
    plain = select(STRUCTURELESS, range(1, 6), "full", random_state=0)
    with pytest.warns(FitWarning, match=SCALED.format(total, 300)):
        found = select(STRUCTURELESS, range(1, 6), "full", random_state=0, sample_weight=weights)
    assert found.best_candidate.n_components == plain.best_candidate.n_components == 1
    assert_allclose([row.bic for row in found.table[:1]], [row.bic for row in plain.table[:1]])


def test_iris_with_weights_that_sum_to_1():
    from sklearn.datasets import load_iris

    X = load_iris().data
    with pytest.warns(FitWarning, match=SCALED.format(1, 150)):
        found = select(X, range(1, 7), "full", random_state=0, sample_weight=np.full(150, 1 / 150))
    assert found.best_candidate.n_components == 2


@pytest.mark.parametrize(
    "weights",
    [
        np.ones(300),
        np.arange(300) % 2.0,  # rows of weight 0 are none
        np.full(300, 50.0),
        np.arange(300) % 4 + 1.0,
        np.float32(RANDOM.permutation(np.linspace(0.5, 1.5, 300))),  # their mean is 1 but for rounding
    ],
    ids=["ones", "zeros", "large", "frequencies", "float32"],
)
def test_weights_that_count_rows_stay_and_nothing_is_said(weights):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        row = select(STRUCTURELESS, [1], "full", random_state=0, sample_weight=weights).table[0]
        assert GaussianMixture().fit(STRUCTURELESS, sample_weight=weights).bic(
            STRUCTURELESS, sample_weight=weights
        ) == pytest.approx(row.bic)
    assert not told(caught)
    assert row.bic == pytest.approx(-2 * row.log_likelihood + 5 * np.log(np.float64(weights.sum())))


@pytest.mark.parametrize("method", ["fit", "aic", "bic", "icl", "criteria"])
def test_the_estimator_warns(method):
    model = GaussianMixture(random_state=0).fit(STRUCTURELESS)
    with pytest.warns(FitWarning, match=f"^the weights sum to 1, less than the 300 rows that have one: {WARNED}"):
        getattr(model, method)(STRUCTURELESS, sample_weight=np.full(300, 1 / 300))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.score(STRUCTURELESS, sample_weight=np.full(300, 1 / 300))  # a mean, whatever the sum


def test_a_table_is_told_once_and_counts_its_rows(caplog):
    table = {"a": STRUCTURELESS[:, 0], "b": STRUCTURELESS[:, 1], "w": np.full(300, 1 / 300)}
    choice = Choice(weights="w")
    selection, model = select_table(table, [1, 2, 3, 4, 5], ["full"], choice=choice)
    assert selection.best_candidate.n_components == model.n_components == 1
    assert sum("weights sum to 1" in record.message for record in caplog.records) == 1
    caplog.clear()
    fitted = fit_table(table, 1, choice=choice)
    assert fitted.total_weight == pytest.approx(300)
    assert fitted.criteria["bic"] == pytest.approx(selection.table[0].bic)
    assert [record.message for record in caplog.records] == [
        SCALED.format(1, 300) + ", which the criteria count",
    ]
