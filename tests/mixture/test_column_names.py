"""Columns of frames and tables are found by their names, whatever their order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose

from bgsub import GaussianMixture, ParameterError
from bgsub.mixture.column_names import column_names
from tests.mixture.samples import blobs

NAMES = ["age", "income", "debt"]
MAKERS = {
    "pandas": lambda columns: pd.DataFrame(columns),
    "polars": lambda columns: pl.DataFrame(columns),
    "arrow table": lambda columns: pa.table(columns),
    "arrow batch": lambda columns: pa.table(columns).to_batches()[0],
}


@pytest.fixture(scope="module")
def model():
    X = blobs(n=600, spread=2.0)[0] @ np.array([[1.0, 0.5, 0.2], [0.0, 1.0, -0.6], [0.0, 0.0, 1.0]])
    return GaussianMixture(3, random_state=0).fit(pd.DataFrame(X, columns=NAMES))


@pytest.fixture(params=MAKERS)
def frame(request):
    return MAKERS[request.param]


KNOWN = {"age": np.array([0.0, 1.0, -2.0]), "debt": np.array([3.0, -1.0, 0.5])}
TURNED = {"debt": KNOWN["debt"], "age": KNOWN["age"]}


def test_columns_in_any_order_give_the_same(model, frame):
    expected = model.regress(np.column_stack([KNOWN["age"], KNOWN["debt"]]), ["age", "debt"])
    for table in (frame(KNOWN), frame(TURNED)):
        for given in (["age", "debt"], ["debt", "age"], [0, 2], [2, 0], ["debt", 0], None):
            assert_allclose(model.regress(table, given), expected, rtol=1e-12)
    assert model.regress(frame({"income": [1.0]})).shape == (1, 2)
    assert model.regress(frame({"income": [1]}), "income").shape == (1, 2)  # whole numbers too


@pytest.mark.parametrize(
    ("columns", "given", "message"),
    [
        ({"age": [1.0], "wealth": [1.0]}, ["age", "debt"], "X lacks 'debt' and has 'wealth' beside"),
        ({"age": [1.0]}, ["age", "debt"], "X lacks 'debt': give the columns that given names, 'age', 'debt'"),
        ({"age": [1.0], "debt": [1.0], "income": [1.0]}, ["age", "debt"], "X has 'income' beside"),
        ({"age": [1.0], "wealth": [1.0]}, None, "unknown feature 'wealth': there are age, income, debt"),
        ({"age": [1.0], "debt": [1.0], "income": [1.0]}, None, "given holds every feature"),
    ],
)
def test_other_names_are_told(model, frame, columns, given, message):
    with pytest.raises(ParameterError, match=message):
        model.regress(frame(columns), given)


def test_a_name_twice_is_told(model):
    with pytest.raises(ParameterError, match="X has a name twice"):
        model.regress(pd.DataFrame([[1.0, 2.0]], columns=["age", "age"]), ["age"])


def test_rows_without_names_go_by_place(model):
    expected = model.regress([[0.0, 3.0]], [0, 2])
    assert_allclose(model.regress([[3.0, 0.0]], [2, 0]), expected)
    assert_allclose(model.regress(pd.DataFrame([[3.0, 0.0]]), ["debt", "age"]), expected)  # columns 0 and 1
    with pytest.raises(ParameterError, match="X has no names of columns: say with given"):
        model.regress([[0.0, 3.0]])


def test_a_model_without_names_takes_a_frame_by_place():
    nameless = GaussianMixture(2, random_state=0).fit(blobs()[0])
    table = pd.DataFrame({"debt": [3.0], "age": [0.0]})
    assert_allclose(nameless.regress(table, [2, 0]), nameless.regress([[3.0, 0.0]], [2, 0]))
    with pytest.raises(ParameterError, match="the model was fitted without names"):
        nameless.regress(table)


def test_a_gap_is_told_with_its_column(model):
    with pytest.raises(ParameterError, match=r"NaN at row 1, column 0 \('debt'\)"):
        model.regress(pd.DataFrame({"age": [1.0, 2.0], "debt": [0.0, np.nan]}), ["debt", "age"])


def test_what_has_no_names():
    for X in ([[1.0]], np.eye(2), pd.DataFrame(np.eye(2)), pa.table({}), 3, None):
        assert column_names(X) is None
