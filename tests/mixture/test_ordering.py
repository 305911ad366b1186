"""The order of components: by weight, equal ones by their means, the same for every seed."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from bgsub import GaussianMixture, select
from bgsub.mixture.ordering import by_weight
from bgsub.mixture.parameters import Parameters
from tests.mixture.samples import COVARIANCE_TYPES


def parameters(weights, means):
    unit = np.ones(len(weights))
    return Parameters(np.array(weights, float), np.array(means, float), unit, unit)


@pytest.mark.parametrize(
    ("weights", "means", "order"),
    [
        ([0.2, 0.5, 0.3], [[0], [1], [2]], [1, 2, 0]),
        ([0.5, 0.5], [[3], [1]], [1, 0]),
        ([0.5 - 4e-7, 0.5 + 4e-7], [[1], [3]], [0, 1]),
        ([0.5 - 1e-5, 0.5 + 1e-5], [[1], [3]], [1, 0]),
        ([0.25] * 4, [[1, 5], [0, 7], [1, 2], [0, 3]], [3, 1, 2, 0]),
        ([0.25] * 4, [[1, 5], [1e-9, 7], [1, 2], [0, 8]], [1, 3, 2, 0]),
        ([0.25] * 4, [[1e9, 5], [0, 7], [1e9 + 1, 2], [0, 3]], [3, 1, 2, 0]),
        ([0.2, 0.4, 0.4], [[0], [2], [1]], [2, 1, 0]),
        ([1.0], [[0]], [0]),
        ([0.5, 0.5], [[2, 2], [2, 2]], [0, 1]),
    ],
)
def test_the_order(weights, means, order):
    assert by_weight(parameters(weights, means)).tolist() == order


def equal_groups(k, n=30, n_features=2):
    """As many rows in each of k groups, far apart, in a random order."""
    random = np.random.default_rng(5)
    centres = np.stack([np.arange(k) % 2, np.arange(k)], axis=1)[:, :n_features] * 100.0
    return random.permutation(np.concatenate([centre + random.normal(size=(n, n_features)) for centre in centres]))


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_seeds_give_the_same_numbers(covariance_type):
    X = equal_groups(3)
    models = [
        GaussianMixture(3, covariance_type=covariance_type, random_state=seed, order="weight", n_init=5).fit(X)
        for seed in range(5)
    ]
    for model in models:
        assert_array_equal(model.predict(X), models[0].predict(X))
        assert_array_equal(np.round(model.means_ / 100), [[0, 0], [0, 2], [1, 1]])
    unordered = {
        tuple(GaussianMixture(3, covariance_type=covariance_type, random_state=seed, n_init=5).fit(X).predict(X[:9]))
        for seed in range(5)
    }
    assert len(unordered) > 1  # as scikit-learn has it


def test_the_fitted_attributes_are_ordered_together():
    X = np.concatenate([equal_groups(2), np.random.default_rng(0).normal([900, -900], 3, (200, 2))])
    model = GaussianMixture(3, random_state=1, order="weight").fit(X)
    assert (np.diff(model.weights_) <= 1e-6).all()
    expected = GaussianMixture(3, random_state=1).fit(X)
    order = [int(np.argmin(np.abs(expected.means_ - mean).sum(axis=1))) for mean in model.means_]
    assert sorted(order) == [0, 1, 2]
    for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_"):
        assert_array_equal(getattr(model, name), getattr(expected, name)[order])


def test_a_selection_has_its_largest_component_first():
    X = np.concatenate([equal_groups(2), np.random.default_rng(0).normal([900, -900], 3, (200, 2))])
    found = [select(X, [3], "full", random_state=seed).best for seed in range(3)]
    assert all((np.diff(model.weights_) <= 1e-6).all() for model in found)
    assert_array_equal(found[0].predict(X), found[2].predict(X))
    assert found[0].order == "weight"


def test_an_unknown_order_is_refused():
    with pytest.raises(ValueError, match="'order' parameter"):
        GaussianMixture(order="size").fit(np.eye(3))
    with pytest.raises(ValueError, match=r"^order is 'size': give one of None, weight$"):
        select(np.eye(3), 1, order="size")
