"""Tables with gaps: fits, predictions and scores that use what rows hold."""

from __future__ import annotations

import logging

import numpy as np
import pyarrow as pa
import pytest

from bgsub import GaussianMixture, ParameterError
from bgsub.clustering.fitting import FitSettings, fit_table, select_table
from bgsub.errors import SourceError
from bgsub.tables.learning import Choice

EM = Choice(missing="em")


def birds(n=344, share=0.08, seed=0):
    """A table like that of Palmer's penguins: four measures and an island, with gaps; the measures; the kinds."""
    random = np.random.default_rng(seed)
    kinds = random.integers(3, size=n)
    means = np.array([[38.8, 18.3, 190, 3700], [48.8, 18.4, 196, 3733], [47.5, 15.0, 217, 5076]])
    deviations = np.array([[2.6, 1.2, 6.5, 458], [3.3, 1.1, 7.1, 384], [3.1, 1.0, 6.5, 504]])
    X = means[kinds] + deviations[kinds] * random.normal(size=(n, 4))
    X[random.random(X.shape) < share] = np.nan
    islands = np.array(["Torgersen", "Dream", "Biscoe"])[kinds].tolist()
    islands = [None if random.random() < share else island for island in islands]
    columns = {name: pa.array(X[:, i], from_pandas=True) for i, name in enumerate(("bill", "depth", "flipper", "mass"))}
    return columns | {"island": pa.array(islands)}, X, kinds


def numbers(columns):
    return {name: values for name, values in columns.items() if name != "island"}


def test_a_fit_uses_rows_with_gaps_and_says_so(caplog):
    columns, X, _ = birds()
    columns["bill"] = pa.array([None, *columns["bill"].to_pylist()[1:]])
    for name in ("depth", "flipper", "mass"):
        columns[name] = pa.array([None, *columns[name].to_pylist()[1:]])
    caplog.set_level(logging.INFO, "bgsub")
    found = fit_table(numbers(columns), 3, choice=EM)
    partial = np.isnan(X[1:]).any(axis=1).sum()
    assert (found.n_rows, found.n_dropped, found.n_partial) == (343, 1, partial)
    assert "left out 1 row without any value" in caplog.text
    assert f"{partial} rows with gaps, used by what they hold" in caplog.text
    assert found.sizes.sum() == 343
    dropped = fit_table(numbers(columns), 3, choice=Choice(missing="drop"))
    assert dropped.n_rows == 343 - partial


def test_the_fit_is_the_estimators():
    columns, X, _ = birds()
    settings = FitSettings(n_init=2, seed=3)
    found = fit_table(numbers(columns), 3, choice=EM, settings=settings)
    same = {"n_init": 2, "random_state": 3, "tol": settings.tol, "max_iter": settings.max_iter}
    model = GaussianMixture(3, missing="em", init_params="short_runs", **same)
    model.fit(X)
    np.testing.assert_allclose(np.sort(found.model.mixture.weights), np.sort(model.weights_), rtol=1e-9)
    assert found.criteria["bic"] == pytest.approx(model.bic(X), rel=1e-9)


def test_standardising_goes_by_the_values_that_are_there():
    columns, X, _ = birds()
    model = fit_table(numbers(columns), 3, choice=Choice(missing="em", scale=True)).model
    np.testing.assert_allclose(model.preparation.offset, np.nanmean(X, axis=0), rtol=1e-12)
    np.testing.assert_allclose(np.diag(model.preparation.backward), np.nanstd(X, axis=0), rtol=1e-12)
    logs = Choice(missing="em", logs=("mass",))
    means = fit_table(numbers(columns), 1, choice=logs).model.means()[0]
    assert means[3] == pytest.approx(np.nanmean(np.log(X[:, 3])), abs=0.02)


def test_predictions_of_rows_with_gaps_are_right_more_often_than_chance_and_never_left_out():
    columns, X, kinds = birds(2000, 0.2)
    X[5] = np.nan
    table = numbers(columns) | {"bill": pa.array(X[:, 0], from_pandas=True)}
    table = {name: pa.array(X[:, i], from_pandas=True) for i, name in enumerate(table)}
    model = fit_table(table, 3, choice=Choice(missing="em", scale=True)).model
    labels = model.predict(table, missing="em")
    assert np.flatnonzero(labels == -1).tolist() == np.flatnonzero(np.isnan(X).all(axis=1)).tolist()
    held = labels >= 0
    agreement = max(
        np.mean(np.array(order)[labels[held]] == kinds[held])
        for order in ([0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0])
    )
    assert agreement > 0.85
    probabilities, densities = model.predict_proba(table, missing="em"), model.score_samples(table, missing="em")
    assert (np.isnan(densities) == ~held).all()
    np.testing.assert_allclose(probabilities[held].sum(axis=1), 1)
    prepared = model.preparation.transform(X)
    np.testing.assert_allclose(densities[held], model.mixture.log_densities(prepared, missing="em")[held], rtol=1e-12)
    complete = ~np.isnan(X).any(axis=1)
    assert (model.predict(table, missing="drop")[complete] == labels[complete]).all()
    assert (model.predict(table, missing="drop")[~complete] == -1).all()


def test_a_model_of_whole_rows_predicts_rows_with_gaps():
    columns, _, _ = birds(share=0)
    model = fit_table(numbers(columns), 3).model
    assert model.predict({"mass": [5100.0], "flipper": [None], "bill": [47.0], "depth": [None]}, missing="em")[0] >= 0


def test_a_missing_category_is_a_gap_and_an_unseen_one_is_not():
    columns, _, _ = birds()
    choice = Choice(missing="em", scale=True, encode=("island",))
    model = fit_table(columns, 3, choice=choice, covariance_type="diag").model
    rows = {name: values.slice(0, 3) for name, values in numbers(columns).items()}
    labels = model.predict(rows | {"island": ["Dream", None, "Atlantis"]}, missing="em")
    assert labels[0] >= 0
    assert labels[1] >= 0
    assert labels[2] == -2
    only = {name: [None] for name in numbers(columns)}
    assert model.predict(pa.table({**only, "island": ["Biscoe"]}), missing="em")[0] >= 0
    assert model.predict(pa.table({**only, "island": pa.array([None], pa.string())}), missing="em")[0] == -1


def test_the_threshold_is_that_of_whole_rows():
    columns, X, _ = birds(3000, 0.3)
    model = fit_table(numbers(columns), 3, choice=EM).model
    whole = X[~np.isnan(X).any(axis=1)]
    np.testing.assert_allclose(model.threshold(0.5), np.median(model.mixture.log_densities(whole)), rtol=1e-6)


def test_rows_that_all_have_gaps_can_be_fitted():
    columns, X, _ = birds(600)
    X[np.arange(600), np.random.default_rng(0).integers(4, size=600)] = np.nan
    table = {name: pa.array(X[:, i], from_pandas=True) for i, name in enumerate(numbers(columns))}
    found = fit_table(table, 2, choice=EM)
    assert found.n_partial == found.n_rows == 600 - np.isnan(X).all(axis=1).sum()
    assert np.isfinite(found.model.densities).all()


def test_select_table_compares_fits_to_rows_with_gaps():
    columns, _, _ = birds(900)
    choice = Choice(missing="em", scale=True)
    selection, model = select_table(numbers(columns), [1, 2, 3, 4], ["diag", "spherical"], choice=choice)
    assert selection.best_candidate.n_components == 3
    assert model.n_components == 3


def test_weights_count_and_must_be_there():
    columns, X, _ = birds()
    weights = np.random.default_rng(0).integers(1, 4, len(X)).astype(float)
    choice = Choice(missing="em", weights="w", columns=("bill", "mass"), scale=True)
    found = fit_table(columns | {"w": weights}, 2, choice=choice)
    assert found.total_weight == weights[~np.isnan(X[:, [0, 3]]).all(axis=1)].sum()
    expected = np.nansum(weights[:, None] * X[:, [0, 3]], axis=0) / (weights @ ~np.isnan(X[:, [0, 3]]))
    np.testing.assert_allclose(found.model.preparation.offset, expected, rtol=1e-12)
    weights[9] = np.nan
    with pytest.raises(SourceError, match=r"row 10, column 'w' is missing \(NaN\): correct it, or .* --missing drop$"):
        fit_table(columns | {"w": weights}, 2, choice=choice)


def test_what_em_cannot_use_is_one_line():
    columns, X, _ = birds()
    infinite = X[:, 0].copy()
    infinite[20] = np.inf
    with pytest.raises(SourceError, match=r"row 21, column 'bill' is infinite: correct it, .* --missing drop$"):
        fit_table(numbers(columns) | {"bill": infinite}, 2, choice=EM)
    with pytest.raises(SourceError, match="column 'bill' has no value in any row; leave it out with --exclude"):
        fit_table(numbers(columns) | {"bill": pa.array([None] * 344, pa.float64())}, 2, choice=EM)
    with pytest.raises(ParameterError, match="--pca needs rows without gaps: leave it out, or rows with gaps, with"):
        fit_table(numbers(columns), 2, choice=Choice(missing="em", pca=2))
    with pytest.raises(SourceError, match=r"is missing \(NaN\): .* or use what they hold with --missing em$"):
        fit_table(numbers(columns), 2)
    projected = fit_table(numbers(birds(share=0)[0]), 2, choice=Choice(pca=2)).model
    with pytest.raises(ParameterError, match="the model stands on principal components, which need rows without gaps"):
        projected.predict(numbers(columns), missing="em")
    constant = pa.array([None, *[7.0] * 343])
    with pytest.raises(SourceError, match="column 'bill' has one value in all rows"):
        fit_table(numbers(columns) | {"bill": constant}, 2, choice=EM)
