"""`GaussianMixture(missing="em")`: fits to rows with gaps, and all that a fitted model says of such rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import check_estimator

import bgsub
from bgsub import GaussianMixture, ParameterError
from bgsub.mixture.parameters import Parameters
from tests import naive_missing as naive
from tests.mixture.samples import COVARIANCE_TYPES, aligned, blobs, ellipses, given_start, precisions_of_ones

NAN = np.nan


def with_gaps(X, share=0.2, seed=0):
    """The rows with a share of their cells missing at random."""
    X = X.copy()
    X[np.random.default_rng(seed).random(X.shape) < share] = NAN
    return X


def parameters_of(model):
    return Parameters(model.weights_, model.means_, model.covariances_, model.precisions_cholesky_)


# ------------------------------------------------------------------------------------------------------------ fitting


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_steps_are_those_of_a_naive_em(covariance_type):
    X = with_gaps(blobs(n=120)[0], 0.3)
    X[5] = NAN
    start = given_start(np.nan_to_num(X), 3) | {"precisions_init": precisions_of_ones(covariance_type, 3, 3)}
    settings = {"covariance_type": covariance_type, "missing": "em", "max_iter": 1, "reg_covar": 0, **start}
    before = GaussianMixture(3, **(settings | {"max_iter": 0})).fit(X)
    with pytest.warns(match="did not converge"):
        model = GaussianMixture(3, **settings).fit(X)
    likelihood, total, counts, shift, scatter = naive.expectation(X, parameters_of(before), covariance_type)
    np.testing.assert_allclose(model.lower_bound_, likelihood / total, rtol=1e-10)
    np.testing.assert_allclose(model.weights_, counts / total, rtol=1e-8)
    moved = shift / counts[:, None]
    np.testing.assert_allclose(model.means_, before.means_ + moved, rtol=1e-8)
    if covariance_type == "full":
        expected = scatter / counts[:, None, None] - moved[:, :, None] * moved[:, None, :]
    elif covariance_type == "tied":
        expected = (scatter - np.einsum("k,kd,ke->de", counts, moved, moved)) / total
    elif covariance_type == "diag":
        expected = scatter / counts[:, None] - moved**2
    else:
        expected = (scatter / counts - (moved**2).sum(axis=1)) / 3
    np.testing.assert_allclose(model.covariances_, expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("acceleration", [None, "squarem"])
def test_the_likelihood_never_falls(covariance_type, acceleration):
    X = with_gaps(blobs(n=300, spread=1.5)[0], 0.35)
    settings = {"covariance_type": covariance_type, "reg_covar": 0, "tol": 0, "max_iter": 60, "random_state": 0}
    with pytest.warns(match="did not converge"):
        model = GaussianMixture(3, missing="em", acceleration=acceleration, **settings).fit(X)
    bounds = np.array(model.lower_bounds_)
    if acceleration is None:
        assert (np.diff(bounds) > -1e-11).all()
    assert bounds[-1] == max(bounds) or acceleration
    assert bounds[-1] > bounds[0]


def test_complete_rows_give_the_fit_without_it_bit_for_bit():
    X = blobs()[0]
    weights = np.random.default_rng(0).integers(0, 3, len(X))
    for covariance_type in COVARIANCE_TYPES:
        plain, em = (
            GaussianMixture(4, covariance_type=covariance_type, random_state=0, missing=missing).fit(X, None, weights)
            for missing in ("error", "em")
        )
        np.testing.assert_array_equal(em.means_, plain.means_)
        np.testing.assert_array_equal(em.covariances_, plain.covariances_)
        assert em.lower_bounds_ == plain.lower_bounds_
        assert em.criteria(X, weights) == plain.criteria(X, weights)


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_parameters_are_found_where_dropping_rows_would_leave_few(share):
    X, labels, means, covariances = ellipses(6000)
    gapped = with_gaps(X, share)
    model = GaussianMixture(2, missing="em", random_state=0, tol=1e-6, max_iter=500).fit(gapped)
    order = aligned(model.means_, means)
    np.testing.assert_allclose(model.weights_[order], [0.3, 0.7], atol=0.03)
    np.testing.assert_allclose(model.means_[order], means, atol=0.15)
    np.testing.assert_allclose(model.covariances_[order], covariances, atol=0.35)
    complete = GaussianMixture(2, random_state=0, tol=1e-6, max_iter=500).fit(X)
    assert model.score(X) > complete.score(X) - 0.005
    assert adjusted_rand_score(labels, model.predict(X)) > adjusted_rand_score(labels, complete.predict(X)) - 0.02


def test_eight_columns_with_one_cell_in_ten_missing_lose_little():
    """Only .43 of the rows are complete, and three clusters of eight columns have 134 parameters."""
    random = np.random.default_rng(4)
    labels = random.integers(3, size=600)
    X = 1.3 * random.normal(size=(3, 8))[labels] + random.normal(size=(600, 8))
    gapped = with_gaps(X, 0.1)
    held_out = X[np.isnan(gapped).any(axis=1)]
    settings = {"random_state": 0, "n_init": 3, "tol": 1e-5, "max_iter": 500}
    em = GaussianMixture(3, missing="em", **settings).fit(gapped)
    dropped = GaussianMixture(3, **settings).fit(gapped[~np.isnan(gapped).any(axis=1)])
    complete = GaussianMixture(3, **settings).fit(X)
    assert em.score(held_out) > dropped.score(held_out) + 0.3
    assert em.score(held_out) > complete.score(held_out) - 0.15


def test_what_is_missing_by_the_value_of_another_column_does_not_bias_the_mean():
    """Missing at random, not completely: the second column is known only where the first is low."""
    random = np.random.default_rng(0)
    x = random.normal(size=5000)
    X = np.column_stack([x, 2 * x + random.normal(size=5000)])
    X[x > 0, 1] = NAN
    model = GaussianMixture(1, missing="em", tol=1e-8, max_iter=1000).fit(X)
    assert abs(np.nanmean(X[:, 1])) > 1.5
    np.testing.assert_allclose(model.means_[0, 1], 0, atol=0.15)
    np.testing.assert_allclose(model.covariances_[0], [[1, 2], [2, 5]], atol=0.3)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_weights_count_as_repetitions_and_threads_change_nothing(covariance_type):
    X = with_gaps(blobs(n=3000, spread=3.0)[0], 0.25)
    weights = np.random.default_rng(1).integers(0, 3, len(X))
    start = given_start(np.nan_to_num(X), 4) | {"precisions_init": precisions_of_ones(covariance_type, 4, 3)}
    settings = {"covariance_type": covariance_type, "missing": "em", "max_iter": 300, **start}
    weighted = GaussianMixture(4, threads=1, **settings).fit(X, None, weights)
    repeated = GaussianMixture(4, **settings).fit(np.repeat(X, weights, axis=0))
    np.testing.assert_allclose(weighted.means_, repeated.means_, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(weighted.bic(X, weights), repeated.bic(np.repeat(X, weights, axis=0)), rtol=1e-9)
    threaded = GaussianMixture(4, threads=3, **settings).fit(X, None, weights)
    np.testing.assert_array_equal(threaded.covariances_, weighted.covariances_)
    np.testing.assert_array_equal(threaded.predict_proba(X), weighted.predict_proba(X))


def test_blocks_give_the_fit_of_all_rows():
    X = with_gaps(blobs()[0], 0.2)
    X[3] = NAN
    X[100:160] = NAN  # a whole block among them
    settings = {"n_components": 4, "missing": "em", "random_state": 0, "max_iter": 300}
    whole = GaussianMixture(**settings).fit(X)
    blocks = GaussianMixture(**settings).fit_blocks(np.array_split(X, 20))
    np.testing.assert_allclose(blocks.means_, whole.means_, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(blocks.lower_bounds_, whole.lower_bounds_, rtol=1e-10)


def test_partial_fit_takes_rows_with_gaps():
    X, _, means, _ = ellipses(20_000)
    gapped = with_gaps(X, 0.2)
    model = GaussianMixture(2, missing="em", random_state=0, learning_decay=1.0)
    for batch in np.array_split(gapped, 10):
        model.partial_fit(batch)
    np.testing.assert_allclose(model.means_[aligned(model.means_, means)], means, atol=0.25)
    before = model.means_.copy()
    model.partial_fit(np.array([[NAN, 1.0]]))  # a column that this batch lacks is known from those before
    assert np.isfinite(model.means_).all()
    assert (model.means_ != before).any()


def test_a_batch_that_holds_nothing_teaches_nothing():
    X = blobs()[0]
    model = GaussianMixture(2, missing="em", random_state=0).fit(X)
    before = model.means_.copy()
    model.partial_fit(np.full((2, 3), NAN))
    np.testing.assert_array_equal(model.means_, before)


def test_float32_rows_give_float32_attributes_near_those_of_float64():
    X = with_gaps(blobs(n=2000)[0]).astype(np.float32)
    settings = {"n_components": 4, "missing": "em", "random_state": 0, "max_iter": 300}
    single, double = GaussianMixture(**settings).fit(X), GaussianMixture(**settings).fit(X.astype(np.float64))
    assert (single.means_.dtype, single.score_samples(X).dtype, single.impute(X).dtype) == (np.float32,) * 3
    np.testing.assert_allclose(single.means_, double.means_, rtol=1e-5, atol=1e-5)


def test_a_warm_start_goes_on():
    X = with_gaps(blobs()[0])
    settings = {"n_components": 4, "missing": "em", "random_state": 0, "tol": 0}
    with pytest.warns(match="did not converge"):
        once = GaussianMixture(max_iter=8, **settings).fit(X)
        twice = GaussianMixture(max_iter=4, warm_start=True, **settings).fit(X).fit(X)
    np.testing.assert_allclose(twice.means_, once.means_, rtol=1e-9)


# -------------------------------------------------------------------------------------------------- a fitted model


def test_a_fitted_model_says_of_a_row_what_its_marginal_says():
    X = blobs()[0]
    model = GaussianMixture(3, random_state=0, missing="em").fit(X)
    gapped = X[:50].copy()
    gapped[:, 1] = NAN
    marginal = model.marginal([0, 2])
    np.testing.assert_allclose(model.score_samples(gapped), marginal.score_samples(X[:50, [0, 2]]), rtol=1e-10)
    np.testing.assert_allclose(model.predict_proba(gapped), marginal.predict_proba(X[:50, [0, 2]]), atol=1e-12)
    np.testing.assert_array_equal(model.predict(gapped), marginal.predict(X[:50, [0, 2]]))
    np.testing.assert_allclose(model.impute(gapped)[:, 1], model.regress(X[:50, [0, 2]], [0, 2])[:, 0], rtol=1e-9)


def test_a_row_that_holds_nothing_has_no_label_and_does_not_count():
    X = with_gaps(blobs()[0])
    X[np.isnan(X).all(axis=1)] = 0.0
    X[7] = NAN
    model = GaussianMixture(3, random_state=0, missing="em").fit(X)
    assert model.predict(X)[7] == -1
    assert (model.predict(np.delete(X, 7, axis=0)) >= 0).all()
    np.testing.assert_allclose(model.predict_proba(X)[7], model.weights_, rtol=1e-12)
    assert model.score_samples(X)[7] == 0
    for name in ("score", "bic", "aic", "icl"):
        assert getattr(model, name)(X) == pytest.approx(getattr(model, name)(np.delete(X, 7, axis=0)), rel=1e-12)
    assert model.bic(X) == pytest.approx(model.criteria(X)["bic"], rel=1e-12)
    np.testing.assert_array_equal(model.fit_predict(X), model.predict(X))


def test_impute_works_whatever_missing_is_and_draws_by_its_random_state():
    X = with_gaps(blobs()[0])
    model = GaussianMixture(3, random_state=0).fit(blobs()[0])
    assert model.missing == "error"
    filled = model.impute(X)
    assert (filled[~np.isnan(X)] == X[~np.isnan(X)]).all()
    tables = model.impute(X, 5)
    assert tables.shape == (5, *X.shape)
    np.testing.assert_array_equal(tables, model.impute(X, 5))
    assert (tables != model.impute(X, 5, random_state=1)).any()
    error = np.abs(filled - blobs()[0])[np.isnan(X)].mean()
    of_means = np.abs(np.nanmean(X, axis=0) - blobs()[0])[np.isnan(X)].mean()
    assert error < 0.8 * of_means


def test_a_model_file_and_copies_keep_it(tmp_path):
    X = with_gaps(blobs()[0])
    model = GaussianMixture(3, random_state=0, missing="em").fit(X)
    model.save(tmp_path / "m.bgsub")
    later = GaussianMixture.load(tmp_path / "m.bgsub")
    np.testing.assert_array_equal(later.predict(X), model.predict(X))
    assert clone(model).missing == "em"
    assert model.marginal([0]).missing == "em"
    assert model.to_sklearn().means_.shape == (3, 3)


def test_select_compares_fits_to_rows_with_gaps():
    X = with_gaps(blobs(n=1500, n_components=3, spread=6.0, seed=2)[0], 0.15)
    X[0] = NAN
    found = bgsub.select(X, range(1, 5), ["full", "spherical"], missing="em", random_state=0, n_init=3)
    assert found.best_candidate[:2] == (3, "spherical")
    assert found.best.missing == "em"
    assert found.best.bic(X) == pytest.approx(found.best_candidate.bic, rel=1e-9)


# ------------------------------------------------------------------------------------------------------------ refusals


def test_without_it_the_error_says_that_there_is_one():
    X = with_gaps(blobs()[0])
    row, column = np.argwhere(np.isnan(X))[0]
    text = (
        f'Input X contains NaN at row {row}, column {column}; drop or impute such rows, or let missing="em" count them'
    )
    with pytest.raises(ValueError, match=text):
        GaussianMixture(2).fit(X)
    model = GaussianMixture(2, random_state=0).fit(blobs()[0])
    for method in (model.predict, model.score_samples, model.score, model.predict_proba):
        with pytest.raises(ValueError, match=text):
            method(X)


def test_infinities_are_refused_all_the_same():
    X = with_gaps(blobs()[0])
    X[4, 1] = -np.inf
    model = GaussianMixture(2, missing="em")
    for method in (model.fit, model.partial_fit, lambda X: model.fit_blocks([X])):
        with pytest.raises(ValueError, match=r"contains infinity .* at row 4, column 1; drop or impute such rows$"):
            method(X)
    model.fit(with_gaps(blobs()[0]))
    for method in (model.predict, model.impute):
        with pytest.raises(ValueError, match="contains infinity"):
            method(X)


def test_too_little_is_refused_in_one_line():
    X = blobs()[0]
    X[:, 1] = NAN
    with pytest.raises(ParameterError, match=r"column 1 of X is missing in every row: leave out what nothing is known"):
        GaussianMixture(2, missing="em").fit(X)
    with pytest.raises(ParameterError, match="n_samples >= n_components but got n_components = 3, n_samples = 2"):
        GaussianMixture(3, missing="em").fit([[1.0, 2.0], [NAN, NAN], [2.0, NAN], [NAN, NAN]])
    with pytest.raises(ValueError, match="missing"):
        GaussianMixture(2, missing="drop").fit(blobs()[0])
    with pytest.raises(ParameterError, match="missing is 'drop': give one of error, em"):
        bgsub.select(blobs()[0], 2, missing="drop")


@pytest.mark.slow
def test_scikit_learns_own_checks_hold():
    check_estimator(GaussianMixture(missing="em"))
