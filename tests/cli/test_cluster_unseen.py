"""A category that a model has not learned: its row stays in its place, empty, and is counted and named."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from bgsub import TableModel
from tests.tables.files import write_csv


def columns(islands, flags):
    n = len(islands)
    return {"x": np.linspace(0, 1, n) + np.arange(n) % 3, "island": list(islands), "flag": [bool(f) for f in flags]}


@pytest.fixture
def model(bgsub, workplace):
    pq.write_table(pa.table(columns(["Biscoe", "Dream"] * 20, [0, 1, 1, 0] * 10)), "learned.parquet")
    options = ["--components", "1", "--encode", "island", "--reg-covar", "0.01", "--model", "m.bgsub", "-q"]
    outcome = bgsub("cluster", "fit", "learned.parquet", *options)
    assert outcome.code == 0, outcome.err
    return "m.bgsub"


@pytest.fixture
def table(workplace):
    rows = [[0.1, "Dream"], [0.2, "Atlantis"], [0.3, "Biscoe"], ["", "Dream"], ["", "Atlantis"], [0.5, "Mu"]]
    return write_csv(workplace / "new.csv", rows, names=["x", "island"])


def test_rows_stay_in_their_places(bgsub, model, table):
    outcome = bgsub("cluster", "predict", model, table, "--missing", "drop", "--output", "o.csv", "--keep", "island")
    assert outcome.code == 0, outcome.err
    found = pyarrow.csv.read_csv("o.csv").to_pydict()
    assert found["island"] == ["Dream", "Atlantis", "Biscoe", "Dream", "Atlantis", "Mu"]
    assert found["label"] == [0, None, 0, -1, -1, None]
    assert found["probability_0"] == [1, None, 1, None, None, None]
    assert [value is None for value in found["log_density"]] == [False, True, False, True, True, True]
    assert "2 rows have a missing value, and no label" in outcome.out
    assert "2 rows have a category that the model has not seen, and no label: island 'Atlantis', 'Mu'" in outcome.out


def test_it_is_no_error_where_a_missing_value_is(bgsub, model, table):
    outcome = bgsub("cluster", "predict", model, table)
    assert outcome.code == 1
    assert "row 4, column 'x' is missing (NaN)" in outcome.err
    write_csv(table, [[0.1, "Atlantis"], [0.2, "Dream"]], names=["x", "island"])
    assert bgsub("cluster", "predict", model, table, "-q").out.splitlines()[1] == ",,"


def test_json_counts_them(bgsub, model, table):
    expected = {"missing": 2, "unseen": 2, "unseen_values": {"island": ["Atlantis", "Mu"]}}
    for command in ("predict", "score"):
        outcome = bgsub("cluster", command, model, table, "--missing", "drop", "--output", f"{command}.csv", "--json")
        facts = json.loads(outcome.out)
        assert facts["left_out"] == expected
        assert facts["rows"] == 2


def test_they_are_no_anomalies(bgsub, model, table):
    outcome = bgsub("cluster", "score", model, table, "--missing", "drop", "--output", "o.parquet")
    assert "2 rows have a category that the model has not seen" in outcome.out
    assert "0 of 2 rows" in outcome.out
    found = pq.read_table("o.parquet").to_pydict()
    assert [value is None for value in found["log_density"]] == [False, True, False, True, True, True]
    assert [value is None for value in found["anomaly"]] == [False, True, False, True, True, True]


def test_plot_passes_over_them_and_says_so(bgsub, model, table):
    outcome = bgsub("cluster", "plot", model, table, "--missing", "drop", "--columns", "x", "--output", "p.png")
    assert outcome.code == 0, outcome.err
    assert "2 rows have a category that the model has not seen, and no label: island 'Atlantis', 'Mu'" in outcome.out
    write_csv(table, [[0.1, "Atlantis"]], names=["x", "island"])
    outcome = bgsub("cluster", "plot", model, table, "--output", "q.png")
    assert (outcome.code, "there is nothing to draw" in outcome.err) == (1, True)


@pytest.mark.parametrize("kind", ["text", "large", "coded", "pandas"])
def test_from_python(model, kind):
    learned = TableModel.load(model)
    islands = ["Dream", "Atlantis", None, "Biscoe"]
    column = pa.array(islands)
    if kind == "large":
        column = column.cast(pa.large_string())
    elif kind == "coded":
        column = column.dictionary_encode()
    elif kind == "pandas":
        column = pytest.importorskip("pandas").Categorical(islands)
    table = {"x": [0.5, 0.5, 0.5, 0.5], "island": column}
    if kind == "pandas":
        table = pytest.importorskip("pandas").DataFrame(table)
    assert learned.predict(table, missing="drop").tolist() == [0, -2, -1, 0]
    assert np.isnan(learned.predict_proba(table, missing="drop")).ravel().tolist() == [False, True, True, False]
    densities = learned.score_samples(table, missing="drop")
    assert np.isnan(densities).tolist() == [False, True, True, False]
    assert learned.score(table, missing="drop") == pytest.approx(densities[[0, 3]].mean())


def test_a_block_of_nothing_else(model):
    learned = TableModel.load(model)
    assert learned.predict({"x": [1.0, 2.0], "island": ["Mu", "Mu"]}).tolist() == [-2, -2]
    assert np.isnan(learned.score({"x": [1.0], "island": ["Mu"]}))
