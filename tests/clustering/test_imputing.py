"""A table's gaps filled in by its model: values in the table's units, observed cells and other columns as they are."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pytest

from bgsub import ParameterError, TableModel
from bgsub.clustering.fitting import fit_table
from bgsub.tables.learning import Choice
from tests.clustering.test_missing import birds, numbers


@pytest.fixture(scope="module")
def table():
    return pa.table(birds()[0] | {"id": [f"p{i}" for i in range(344)]})


@pytest.fixture(scope="module")
def model(table):
    choice = Choice(missing="em", scale=True, encode=("island",), logs=("mass",))
    return fit_table(table, 3, choice=choice, covariance_type="diag").model


def test_gaps_get_values_and_all_else_stays(table, model):
    whole = model.impute(table)
    assert whole.column_names == table.column_names
    for name in ("bill", "depth", "flipper", "mass"):
        before, after = (t[name].to_numpy(zero_copy_only=False) for t in (table, whole))
        there = ~np.isnan(before)
        assert before[there].tobytes() == after[there].tobytes()
        low, high = np.nanmin(before), np.nanmax(before)
        assert ((after >= low) & (after <= high)).all()
    islands = zip(table["island"].to_pylist(), whole["island"].to_pylist(), strict=True)
    assert all(
        after == before or (before is None and after in {"Torgersen", "Dream", "Biscoe"}) for before, after in islands
    )
    assert whole["id"] == table["id"]


def test_what_is_filled_in_is_the_mixtures_expectation_in_the_tables_units():
    columns, X, _ = birds()
    model = fit_table(numbers(columns), 3, choice=Choice(missing="em", scale=True)).model
    prepared = model.preparation.transform(X)
    expected = model.preparation.restore(model.mixture.impute(prepared))
    whole = model.impute(numbers(columns))
    found = np.column_stack([whole[name].to_numpy() for name in numbers(columns)])
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_text_gets_the_likeliest_value(model):
    row = {"bill": [38.0, 47.0], "depth": [18.3, 15.0], "flipper": [190.0, 220.0], "mass": [3700.0, 5200.0]}
    whole = model.impute(pa.table({**row, "island": pa.array([None, None], pa.string())}))
    assert whole["island"].to_pylist() == ["Torgersen", "Biscoe"]


def test_an_unseen_text_stays_and_is_no_ground_for_guesses(model):
    row = {"bill": [None, None], "depth": [15.0, 15.0], "flipper": [220.0, 220.0], "mass": [5200.0, 5200.0]}
    whole = model.impute(pa.table({**row, "island": ["Atlantis", None]}))
    assert whole["island"].to_pylist() == ["Atlantis", "Biscoe"]
    assert whole["bill"][0] == whole["bill"][1]


def test_draws_repeat_rows_and_spread(table, model):
    drawn = model.impute(table, 5, random_state=2)
    assert drawn.column_names == ["draw", *table.column_names]
    assert drawn["draw"].to_pylist() == [1, 2, 3, 4, 5] * 344
    assert drawn["id"].to_pylist() == [f"p{i}" for i in range(344) for _ in range(5)]
    bills = drawn["bill"].to_numpy().reshape(344, 5)
    missing = np.isnan(table["bill"].to_numpy(zero_copy_only=False))
    assert (np.ptp(bills[missing], axis=1) > 0).all()
    assert (np.ptp(bills[~missing], axis=1) == 0).all()
    assert drawn.equals(model.impute(table, 5, random_state=2))
    assert not drawn.equals(model.impute(table, 5, random_state=3))


def test_rows_that_hold_nothing_are_filled_too(model):
    nothing = pa.table({name: pa.array([None], pa.float64()) for name in ("bill", "depth", "flipper", "mass")})
    whole = model.impute(nothing.append_column("island", pa.array([None], pa.string())))
    assert 38 < whole["bill"][0].as_py() < 49


def test_dates_are_filled_in_as_dates():
    random = np.random.default_rng(0)
    days = random.integers(0, 300, 200)
    when = [datetime.date(2024, 1, 1) + datetime.timedelta(int(day)) for day in days]
    when[7] = None
    table = pa.table({"when": pa.array(when), "x": days + random.normal(size=200)})
    model = fit_table(table, 1, choice=Choice(missing="em", dates=("when",), scale=True)).model
    whole = model.impute(table)["when"].to_pylist()
    assert abs((whole[7].date() - (datetime.date(2024, 1, 1) + datetime.timedelta(int(days[7])))).days) < 8
    assert [value.date() for i, value in enumerate(whole) if i != 7] == [day for day in when if day is not None]


def test_a_saved_model_of_whole_rows_fills_gaps(tmp_path):
    columns = birds(share=0)[0]
    fit_table(numbers(columns), 3).model.save(tmp_path / "m.bgsub")
    model = TableModel.load(tmp_path / "m.bgsub")
    filled = model.impute({"bill": [None], "depth": [15.0], "flipper": [217.0], "mass": [5076.0]})
    assert filled["bill"][0].as_py() == pytest.approx(47.5, abs=2.5)


def test_what_cannot_be_filled_is_one_line(table, model):
    with pytest.raises(ParameterError, match="draws is 0: give 1 or more, or None for what the model expects"):
        model.impute(table, 0)
    with pytest.raises(ParameterError, match="has a column 'draw', which numbers the draws in the output: rename it"):
        model.impute(table.append_column("draw", table["id"]), 2)
    with pytest.raises(ParameterError, match="has no column 'mass'"):
        model.impute(table.drop_columns(["mass"]))
    projected = fit_table(numbers(birds(share=0)[0]), 2, choice=Choice(pca=2)).model
    with pytest.raises(ParameterError, match="the model stands on principal components"):
        projected.impute(table)
