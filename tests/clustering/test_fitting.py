"""From a table to its model: the order of the clusters, what is told on the way, what cannot be fitted."""

import contextlib

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from bgsub import select
from bgsub.clustering.description import advice, describe
from bgsub.clustering.fitting import FitSettings, fit_table, select_table
from bgsub.clustering.model_file import QUANTILES
from bgsub.errors import ParameterError, SourceError
from bgsub.mixture.settings import COVARIANCE_TYPES, STARTS
from bgsub.tables.learning import Choice
from tests.clustering.samples import columns, with_a_gap

SCALED = Choice(scale=True)


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_the_largest_cluster_comes_first_whatever_the_start(covariance_type):
    for seed in range(4):
        fitted = fit_table(
            columns(), 2, covariance_type=covariance_type, choice=SCALED, settings=FitSettings(n_init=1, seed=seed)
        )
        assert (np.diff(fitted.model.mixture.weights) <= 0).all()
        assert fitted.sizes.tolist() == [80, 40]
        assert fitted.model.mixture.covariance_type == covariance_type


def test_what_is_kept_of_the_rows():
    fitted = fit_table(with_a_gap(columns()), 2, choice=Choice(scale=True, missing="drop"))
    model = fitted.model
    assert (fitted.n_rows, fitted.n_dropped, fitted.total_weight) == (119, 1, 119)
    densities = model.score_samples(with_a_gap(columns()), missing="drop")
    assert np.allclose(model.densities, np.quantile(densities[~np.isnan(densities)], QUANTILES))
    assert fitted.criteria["log_likelihood"] == pytest.approx(np.nansum(densities))
    facts = describe(fitted)
    assert [part["rows"] for part in facts["components"]] == fitted.sizes.tolist()
    assert list(facts["components"][0]["mean"]) == list(model.columns)
    assert advice(fitted, 500) == []


def test_the_stages_are_told_in_their_order():
    told = []

    @contextlib.contextmanager
    def stage(title, n_rows):
        told.append((title, n_rows))
        yield told.append
        told.append("end")

    fit_table(columns(), 2, stage=stage)
    assert told == [("reading", 120), 120, "end", ("fitting", None), "end"]
    told.clear()
    select_table(columns(), [1, 2], ["full"], stage=stage)
    assert told == [("reading", 120), 120, "end", ("fitting", None), "end"]


def test_the_best_of_several_is_the_model():
    selection, model = select_table(columns(), [1, 2, 3], ["full", "tied"], choice=SCALED)
    assert len(selection.table) == 6
    best = selection.best_candidate
    assert (model.n_components, model.mixture.covariance_type) == (best.n_components, best.covariance_type)
    assert best.n_components == 2
    assert (np.diff(model.mixture.weights) <= 0).all()


def test_python_and_the_commands_have_one_table_of_defaults():
    table = {name: values * 10 for name, values in columns().items() if name != "tilt"}
    selection, model = select_table(table, [1, 2, 3], list(COVARIANCE_TYPES))
    found = select(np.stack(list(table.values()), axis=1), [1, 2, 3], random_state=0)
    assert found.table == selection.table
    assert found.best_candidate == selection.best_candidate
    assert np.array_equal(found.best.means_, model.mixture.means)
    best = found.best_candidate
    fitted = fit_table(table, best.n_components, covariance_type=best.covariance_type)
    assert fitted.criteria["bic"] == best.bic  # what was chosen is what is fitted
    settings = FitSettings()
    chosen = (found.best.n_init, found.best.tol, found.best.max_iter, found.best.reg_covar)
    assert chosen == (settings.n_init, settings.tol, settings.max_iter, settings.reg_covar)
    assert found.best.init_params == STARTS["table"]


def test_equal_weights_have_one_order_whatever_the_seed():
    random = np.random.default_rng(3)
    value = np.concatenate([random.normal(1190, 50, 30), random.normal(2533, 50, 30)])
    for seed in range(4):
        model = fit_table({"value": value}, 2, settings=FitSettings(seed=seed)).model
        assert model.predict({"value": value}).tolist() == [0] * 30 + [1] * 30


def test_a_fit_that_does_not_converge_gives_advice_and_no_warning(recwarn):
    fitted = fit_table(columns(), 2, choice=SCALED, settings=FitSettings(n_init=1, max_iter=1, tol=0))
    assert advice(fitted, 1) == ["did not converge in 1 iterations: raise --max-iter, or --tol"]
    assert not [warning for warning in recwarn if issubclass(warning.category, ConvergenceWarning)]


def test_what_cannot_be_fitted():
    with pytest.raises(SourceError, match=r"^the table has 1 row, too few for 2 components: give 2 rows or more"):
        fit_table({"a": [1.0]}, 2)
    with pytest.raises(ParameterError, match=r"^the table has no column 'weight': there are length, price, tilt"):
        fit_table(columns(), 2, choice=Choice(columns=("weight",)))
