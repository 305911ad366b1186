"""Columns of text: for covariances that are not along the axes one value is left out, and found again."""

from __future__ import annotations

import numpy as np
import pytest

import bgsub
from bgsub.clustering.fitting import fit_table, select_table
from bgsub.mixture.diagnosis import collapse_of
from bgsub.tables.learning import Choice, prepared
from bgsub.tables.preparation import Preparation
from bgsub.tables.sources import open_table

BOTH = ("kind", "sex")


def people(n=300, seed=0):
    random = np.random.default_rng(seed)
    kinds, sexes = random.choice(["a", "b", "c"], n, p=[0.2, 0.3, 0.5]), random.choice(["f", "m"], n)
    return {"age": random.normal(40, 9, n), "kind": kinds, "sex": sexes}


@pytest.mark.parametrize("covariance_type", ["full", "tied"])
@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("encode", [("kind",), BOTH])
class TestLeftOut:
    def fitted(self, covariance_type, scale, encode):
        return fit_table(people(), 1, covariance_type=covariance_type, choice=Choice(encode=encode, scale=scale)).model

    def test_the_fit_is_sound(self, covariance_type, scale, encode):
        model = self.fitted(covariance_type, scale, encode)
        assert not collapse_of(model.mixture.parameters, covariance_type, 1e-6)
        expected = ["age", "kind=b", "kind=c", "sex=m"][: 3 + ("sex" in encode)]
        assert model.preparation.output_names == expected

    def test_means_and_deviations_have_all_values(self, covariance_type, scale, encode):
        model, table = self.fitted(covariance_type, scale, encode), people()
        categories = model.preparation.features.categories
        values = [table[name] == value for name, known in categories.items() for value in known]
        features = np.column_stack([table["age"], *values]).astype(float)
        np.testing.assert_allclose(model.means()[0], features.mean(axis=0), atol=1e-9)
        np.testing.assert_allclose(model.covariances()[0], np.cov(features.T, bias=True), atol=1e-4)

    def test_a_saved_model_says_the_same(self, covariance_type, scale, encode, tmp_path):
        model = self.fitted(covariance_type, scale, encode)
        model.save(tmp_path / "m.bgsub")
        later = bgsub.TableModel.load(tmp_path / "m.bgsub")
        assert later.preparation.steps == (("scale",) * scale + ("baseline",))
        np.testing.assert_array_equal(later.score_samples(people(seed=1)), model.score_samples(people(seed=1)))

    def test_drawn_rows_have_all_values(self, covariance_type, scale, encode):
        rows, _ = self.fitted(covariance_type, scale, encode).sample(3000)
        drawn = rows.column("kind").to_pylist()
        assert set(drawn) == {"a", "b", "c"}
        assert drawn.count("c") > drawn.count("a") > 100


def test_along_the_axes_nothing_is_left_out():
    model = fit_table(people(), 1, covariance_type="diag", choice=Choice(encode=BOTH)).model
    assert model.preparation.steps == ()
    assert model.preparation.output_names == ["age", "kind=a", "kind=b", "kind=c", "sex=f", "sex=m"]


def test_all_that_are_compared_have_the_same_columns():
    selection, model = select_table(people(), [1], ["diag", "full"], choice=Choice(encode=BOTH))
    assert all(row.eligible for row in selection.table)
    assert [row.n_parameters for row in selection.table] == [8, 14]  # of four columns
    assert model.preparation.steps == ("baseline",)


def test_principal_components_need_nothing_left_out():
    model = fit_table(people(), 1, choice=Choice(encode=BOTH, pca=2, scale=True)).model
    assert model.preparation.steps == ("scale", "pca")
    assert model.preparation.output_names == ["principal component 1", "principal component 2"]


def test_a_value_that_was_not_learned_stays_unknown():
    model = fit_table(people(), 2, choice=Choice(encode=("sex",), columns=("age",))).model
    table = {"age": [40.0, 41.0, 42.0], "sex": ["f", "x", "m"]}
    labels = model.predict(table)
    assert labels[1] == -2 and (labels[[0, 2]] >= 0).all()


def test_what_is_missing_stays_in_its_column():
    with open_table(people()) as table, prepared(table, Choice(encode=BOTH, scale=True, baseline=True)) as rows:
        preparation: Preparation = rows.preparation
    features = np.array([[np.nan, 0, 1, 0, 0, 1]])
    assert np.isnan(preparation.transform(features)).tolist() == [[True, False, False, False]]


@pytest.mark.parametrize("steps", [["baseline", "scale"], ["pca", "pca"], ["other"], [1], [["scale"]], "scale"])
def test_steps_that_are_none_are_refused(steps):
    with open_table(people()) as table, prepared(table, Choice(encode=BOTH)) as rows:
        meta, arrays = rows.preparation.meta(), rows.preparation.arrays()
    with pytest.raises(bgsub.ModelFileError, match="preparation of tables is not laid out"):
        Preparation.from_parts({**meta, "steps": steps}, arrays)


def test_columns_of_few_values_are_noted_but_not_those_of_texts():
    random = np.random.default_rng(0)
    table = {**people(), "visits": random.poisson(2, 300), "hour": random.integers(0, 24, 300)}
    notes = fit_table(table, 1, choice=Choice(encode=BOTH)).notes
    count = len(set(table["visits"].tolist()))
    assert notes == (
        f"column 'visits' has only {count} different values, and a component can shrink onto one of them: "
        "leave the column out, or take few components",
    )
