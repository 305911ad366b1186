"""EM step by step: the naive reference, scikit-learn, properties, and the two ways that it is run."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

import bgsub
from bgsub.errors import ParameterError
from bgsub.mixture.parameters import COVARIANCE_TYPES, Parameters, precisions_cholesky
from bgsub.mixture.passes import cpu
from tests.mixture.samples import blobs
from tests.mixture.starts import run_em, some_parameters
from tests.naive import naive_em

DEFAULTS = {"reg_covar": 1e-6, "tol": 0.0, "max_iter": 8}


@pytest.fixture(params=["compiled loop", "separate steps"])
def way(request, monkeypatch):
    """Run small tables in both ways."""
    if request.param == "separate steps":
        monkeypatch.setattr(cpu, "BLOCK_WORK", 500)


def fitted_by_scikit_learn(X, parameters, covariance_type, **keywords):
    u = parameters.precisions_cholesky
    precisions = u @ np.swapaxes(u, -1, -2) if covariance_type in ("full", "tied") else u**2
    model = GaussianMixture(
        len(parameters.weights),
        covariance_type=covariance_type,
        weights_init=parameters.weights,
        means_init=parameters.means,
        precisions_init=precisions,
        **keywords,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X)


@pytest.mark.parametrize("n_features", [1, 3, 18])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_scikit_learn_takes_the_same_steps(covariance_type, n_features, way):
    X = blobs(700, n_features)[0]
    parameters = some_parameters(X, 3, covariance_type)
    result = run_em(X, parameters, covariance_type, **DEFAULTS)
    model = fitted_by_scikit_learn(X, parameters, covariance_type, **DEFAULTS)
    np.testing.assert_allclose(result.parameters.means, model.means_, rtol=0, atol=1e-9)
    np.testing.assert_allclose(result.parameters.covariances, model.covariances_, rtol=0, atol=1e-9)
    np.testing.assert_allclose(result.parameters.weights, model.weights_, rtol=0, atol=1e-10)
    np.testing.assert_allclose(result.lower_bounds[-1], model.lower_bound_, rtol=0, atol=1e-10)
    assert len(result.lower_bounds) == model.n_iter_


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_it_stops_where_scikit_learn_stops(covariance_type, way):
    X = blobs(500, 2, n_components=3)[0]
    parameters = some_parameters(X, 3, covariance_type)
    settings = {"reg_covar": 1e-6, "tol": 1e-4, "max_iter": 500}
    result = run_em(X, parameters, covariance_type, **settings)
    model = fitted_by_scikit_learn(X, parameters, covariance_type, **settings)
    assert result.converged
    assert model.converged_
    assert len(result.lower_bounds) == model.n_iter_ > 3


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_weighted_rows_take_the_naive_steps(covariance_type, way):
    X = blobs(80, 2)[0]
    w = np.random.default_rng(3).uniform(0.1, 4, 80)
    parameters = some_parameters(X, 2, covariance_type)
    result = run_em(X, parameters, covariance_type, reg_covar=1e-6, tol=0, max_iter=3, sample_weight=w)
    *expected, bounds = naive_em(X, *parameters[:3], covariance_type, reg_covar=1e-6, steps=3, sample_weight=w)
    for found, array in zip(result.parameters, expected, strict=False):
        np.testing.assert_allclose(found, array, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(result.lower_bounds, bounds, rtol=1e-12)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_a_weight_of_two_is_a_row_twice(covariance_type, way):
    X = blobs(120, 2)[0]
    counts = np.random.default_rng(4).integers(0, 3, 120)
    parameters = some_parameters(X, 2, covariance_type)
    weighted = run_em(X, parameters, covariance_type, sample_weight=counts, **DEFAULTS)
    repeated = run_em(np.repeat(X, counts, axis=0), parameters, covariance_type, **DEFAULTS)
    np.testing.assert_allclose(weighted.lower_bounds, repeated.lower_bounds, rtol=1e-12)
    np.testing.assert_allclose(weighted.parameters.covariances, repeated.parameters.covariances, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_both_ways_and_any_rows_give_the_same(covariance_type, monkeypatch):
    X = blobs(300, 3)[0].astype(np.float32)
    parameters = some_parameters(X, 3, covariance_type)
    results = [run_em(rows, parameters, covariance_type, **DEFAULTS) for rows in (X, X.astype(np.float64))]
    monkeypatch.setattr(cpu, "BLOCK_WORK", 500)
    results += [run_em(X, parameters, covariance_type, threads=threads, **DEFAULTS) for threads in (1, 2)]
    for result in results[1:]:
        np.testing.assert_allclose(result.lower_bounds, results[0].lower_bounds, rtol=1e-12)
        np.testing.assert_allclose(result.parameters.means, results[0].parameters.means, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(results[3].parameters.covariances, results[2].parameters.covariances)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_the_likelihood_never_falls(covariance_type, way):
    """With reg_covar, which is no part of the likelihood, it could."""
    X = blobs(400, 3, spread=1.5)[0]
    parameters = some_parameters(X, 5, covariance_type)
    bounds = run_em(X, parameters, covariance_type, reg_covar=0.0, tol=0.0, max_iter=70).lower_bounds
    assert len(bounds) == 70
    assert np.diff(bounds).min() > -1e-13


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_a_shift_of_the_rows_shifts_the_means(covariance_type, way):
    X = np.round(blobs(300, 3)[0] * 2**10) / 2**10
    parameters = some_parameters(X, 3, covariance_type)
    here = run_em(X, parameters, covariance_type, **DEFAULTS)
    there = run_em(X + 1e8, parameters._replace(means=parameters.means + 1e8), covariance_type, **DEFAULTS)
    np.testing.assert_allclose(there.lower_bounds, here.lower_bounds, atol=1e-6)
    np.testing.assert_allclose(there.parameters.means - 1e8, here.parameters.means, atol=1e-6)
    np.testing.assert_allclose(there.parameters.covariances, here.parameters.covariances, atol=1e-5)


@pytest.mark.parametrize("thickness", [1e-5, 1e-4])
def test_a_cluster_that_is_nearly_flat(thickness, way):
    """Its smallest variance, 1e-10 of the largest, comes out."""
    random = np.random.default_rng(0)
    X = random.normal(size=(500, 2)) * [1.0, thickness] @ np.array([[0.6, 0.8], [-0.8, 0.6]])
    X[:250] += 100.0
    covariances = np.stack([np.eye(2), np.eye(2)])
    start = Parameters(np.full(2, 0.5), np.array([[99.0, 99.0], [1.0, 1.0]]), covariances, covariances.copy())
    result = run_em(X, start, "full", reg_covar=0.0, tol=0.0, max_iter=12)
    for k, rows in enumerate((X[:250], X[250:])):
        expected = np.linalg.eigvalsh(np.cov(rows.T, bias=True))
        np.testing.assert_allclose(np.linalg.eigvalsh(result.parameters.covariances[k]), expected, rtol=1e-3)


def test_steps_are_told_as_they_are_taken(way):
    X = blobs(200, 2)[0]
    told = []
    parameters = some_parameters(X, 3, "full")
    result = run_em(X, parameters, "full", on_step=lambda i, bound: told.append((i, bound)), **DEFAULTS)
    assert told == list(enumerate(result.lower_bounds, 1))
    assert len(told) == 8


def test_what_it_is_given_stays_as_it_is(way):
    X = blobs(200, 2)[0]
    parameters = some_parameters(X, 3, "full")
    kept = [X.copy(), *(array.copy() for array in parameters)]
    first = run_em(X, parameters, "full", **DEFAULTS)
    for array, before in zip((X, *parameters), kept, strict=True):
        np.testing.assert_array_equal(array, before)
    again = run_em(X, first.parameters, "full", **DEFAULTS)
    assert again.lower_bounds[0] > first.lower_bounds[-1]


def test_no_steps_change_nothing():
    X = blobs(100, 2)[0]
    parameters = some_parameters(X, 3, "full")
    result = run_em(X, parameters, "full", reg_covar=1e-6, tol=1e-3, max_iter=0)
    assert result == (parameters, [], False)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_collapsed_clusters_say_what_to_do(covariance_type, way):
    X = np.full((60, 2), 3.0)
    covariances = {"full": np.eye(2)[None], "tied": np.eye(2), "diag": np.ones((1, 2)), "spherical": np.ones(1)}
    start = covariances[covariance_type]
    parameters = Parameters(np.ones(1), X[:1].copy(), start, precisions_cholesky(start, covariance_type))
    with pytest.raises(ValueError, match="Try to decrease the number of components, increase reg_covar, or scale"):
        run_em(X, parameters, covariance_type, reg_covar=0.0, tol=0.0, max_iter=5)


def copies_beside_a_cloud(seed: int = 0, n_copies: int = 6) -> np.ndarray:
    """Return 100 rows of a Gaussian and some that are all the same, on which a component can collapse."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(size=(100, 2)), np.repeat([[3.0, 3.0]], n_copies, axis=0)])


def with_starts(n_init: int, seed: int, **keywords) -> bgsub.GaussianMixture:
    return bgsub.GaussianMixture(3, reg_covar=0, max_iter=500, n_init=n_init, random_state=seed, **keywords)


def fits(model: bgsub.GaussianMixture, X: np.ndarray) -> bool:
    try:
        model.fit(X)
    except ParameterError as error:
        assert "ill-defined empirical covariance" in str(error)
        return False
    return True


@pytest.mark.parametrize(("covariance_type", "n_copies"), [("full", 6), ("diag", 6), ("spherical", 4)])
def test_a_start_that_collapses_does_not_end_the_others(covariance_type, n_copies):
    X = copies_beside_a_cloud(n_copies=n_copies)
    models = {
        n: [with_starts(n, s, init_params="random", covariance_type=covariance_type) for s in range(30)]
        for n in (1, 10)
    }
    single, ten = ([fits(model, X) for model in models[n]] for n in (1, 10))
    assert not all(single)
    assert sum(ten) > sum(single)
    for alone, among, one, several in zip(single, ten, models[1], models[10], strict=True):
        assert among or not alone  # the first of the ten is the same start
        if alone:
            assert several.lower_bound_ >= one.lower_bound_
    if covariance_type == "full":
        assert all(ten)


def test_a_start_that_cannot_even_be_made_does_not_end_the_others():
    X = np.concatenate([np.random.default_rng(1).normal(size=(100, 2)), np.repeat([[2.0, 2.0]], 6, axis=0)])
    seeds = range(20)
    single = [fits(with_starts(1, seed, init_params="kmeans"), X) for seed in seeds]
    several = [fits(with_starts(8, seed, init_params="kmeans"), X) for seed in seeds]
    assert sum(several) > sum(single)  # k-means finds the copies more often than not


def test_where_every_start_collapses_the_error_is_raised():
    with pytest.raises(ParameterError, match="ill-defined empirical covariance"):
        with_starts(5, 0).fit(np.repeat(np.eye(3), 5, axis=0))


def test_rows_that_change_between_passes_are_not_taken_for_a_bad_start():
    passes = iter([3, 3, 2, 3, 3, 3])
    blocks = [np.random.default_rng(s).normal(size=(50, 2)) for s in range(3)]
    with pytest.raises(ParameterError, match="150 rows in the first pass and 100 in a later one"):
        bgsub.GaussianMixture(2, n_init=2, threads=1).fit_blocks(lambda: blocks[: next(passes)])


def test_a_combination_of_which_one_start_collapses_is_still_a_candidate():
    table = bgsub.select(
        copies_beside_a_cloud(),
        3,
        "full",
        n_init=10,
        random_state=0,
        reg_covar=0,
        init_params="random",
        tol=1e-3,  # some end before they collapse
    ).table
    assert np.isfinite(table[0].bic)
