"""``--missing em`` and ``bgsub cluster impute``: what rows with gaps hold is used, and told."""

import json

import numpy as np
import pyarrow.csv
import pytest

from tests.tables.files import write_csv

NAMES = ["id", "bill", "mass", "island"]


@pytest.fixture
def table(workplace):
    """200 birds of two kinds, a third of them with a gap; number 3 has nothing but a name."""
    random = np.random.default_rng(0)
    kinds = np.arange(200) % 2
    rows = []
    for i, kind in enumerate(kinds):
        bill, mass = 40 + 8 * kind + random.normal(), 3700 + 1300 * kind + 300 * random.normal()
        row = [f"p{i}", f"{bill:.1f}", f"{mass:.0f}", ("Dream", "Biscoe")[kind]]
        if i % 3 == 0:
            row[1 + i % 2] = ""
        rows.append(["p3", "", "", ""] if i == 3 else row)
    return write_csv(workplace / "birds.csv", rows, names=NAMES)


@pytest.fixture
def model(bgsub, table):
    outcome = bgsub("cluster", "fit", table, "--components", "2", "--scale", "--missing", "em", "--model", "m.bgsub")
    assert outcome.code == 0, outcome.err
    assert "left out 1 row without any value" in outcome.err
    assert "66 rows with gaps, used by what they hold" in outcome.err
    assert "\n199 rows, full covariance" in outcome.out
    return "m.bgsub"


def test_every_row_that_holds_something_is_labelled(bgsub, model, table):
    outcome = bgsub("cluster", "predict", model, table, "--missing", "em", "--output", "o.csv", "--keep", "id")
    assert outcome.code == 0, outcome.err
    labels = np.array(pyarrow.csv.read_csv("o.csv")["label"])
    assert np.flatnonzero(labels == -1).tolist() == [3]
    kinds = np.delete(np.arange(200) % 2, 3)
    assert max(np.mean(np.delete(labels, 3) == kinds), np.mean(np.delete(labels, 3) != kinds)) > 0.97
    assert "199 rows; by cluster" in outcome.out
    assert "1 row has a missing value, and no label" in outcome.out


def test_json_counts_rows_with_gaps(bgsub, table):
    outcome = bgsub("cluster", "fit", table, "--components", "2", "--missing", "em", "--json")
    facts = json.loads(outcome.out)
    assert (facts["rows"], facts["rows_left_out"], facts["rows_with_gaps"]) == (199, 1, 66)


def test_score_shows_gaps_as_empty_cells(bgsub, model, table):
    rows = [["p0", "", "9900", "Dream"], ["p1", "41.0", "3700", "Dream"]]
    new = write_csv(table.parent / "new.csv", rows, names=NAMES)
    outcome = bgsub("cluster", "score", model, new, "--missing", "em", "--top", "1")
    assert outcome.code == 0, outcome.err
    assert outcome.out.splitlines()[1].split() == ["1", outcome.out.splitlines()[1].split()[1], "anomaly", "9900"]
    outcome = bgsub("cluster", "score", model, new, "--missing", "em", "--top", "1", "--json")
    assert json.loads(outcome.out)["most_unusual"][0]["values"]["bill"] is None


def test_a_picture_has_the_rows_that_have_what_it_shows(bgsub, model, table):
    outcome = bgsub("cluster", "plot", model, table, "--missing", "em", "--output", "p.png", "--k-means")
    assert outcome.code == 0, outcome.err
    assert "66 of the rows lack a column that is shown, and are not drawn" in outcome.out
    assert bgsub("cluster", "plot", model, table, "--missing", "em", "--columns", "mass", "--output", "h.png").code == 0


def test_select_takes_rows_with_gaps(bgsub, table):
    outcome = bgsub(
        "cluster", "select", table, "--components", "1-3", "--covariance", "diag", "--scale", "--missing", "em"
    )
    assert outcome.code == 0, outcome.err
    assert "the lowest BIC: 2 components" in outcome.out


def test_impute_fills_gaps_and_leaves_the_rest(bgsub, model, table):
    outcome = bgsub("cluster", "impute", model, table, "--output", "whole.csv")
    assert outcome.code == 0, outcome.err
    assert "200 rows, 68 gaps filled in: bill 35, mass 33" in outcome.out
    assert "wrote whole.csv" in outcome.out
    before, after = pyarrow.csv.read_csv(table).to_pylist(), pyarrow.csv.read_csv("whole.csv").to_pylist()
    assert list(after[0]) == NAMES
    for old, new in zip(before, after, strict=True):
        assert {name: value for name, value in old.items() if value is not None} == {
            name: new[name] for name in NAMES if old[name] is not None
        }
        assert 36 < new["bill"] < 52
        assert new["island"] == old["island"]  # no column of the model


def test_impute_draws_rows_by_a_seed(bgsub, model, table):
    first, again, other = (
        bgsub("cluster", "impute", model, table, "--draws", "3", "--seed", seed).out for seed in ("1", "1", "2")
    )
    assert first == again != other
    lines = first.splitlines()
    assert lines[0] == '"draw","id","bill","mass","island"'
    assert len(lines) == 601
    facts = json.loads(bgsub("cluster", "impute", model, table, "--draws", "2", "--output", "d.parquet", "--json").out)
    assert facts == {"rows": 200, "draws": 2, "filled": {"bill": 35, "mass": 33}, "outputs": ["d.parquet"]}


def test_values_that_mean_missing_are_filled_in(bgsub, model, table):
    new = write_csv(table.parent / "new.csv", [["a", "-999", "5000", "Dream"], ["b", "40", "3700", "x"]], names=NAMES)
    outcome = bgsub("cluster", "impute", model, new, "--na", "-999")
    assert outcome.code == 0, outcome.err
    assert 46 < float(outcome.out.splitlines()[1].split(",")[1]) < 50


def test_what_cannot_be_is_one_line(bgsub, model, table):
    outcome = bgsub("cluster", "fit", table, "--components", "2")
    assert outcome.code == 1
    assert (
        "row 1, column 'bill' is missing (NaN): correct it, or leave such rows out with --missing drop" in outcome.err
    )
    assert "or use what they hold with --missing em" in outcome.err
    outcome = bgsub("cluster", "fit", table, "--components", "2", "--missing", "em", "--pca", "1")
    assert outcome.code == 2
    assert "--pca needs rows without gaps" in outcome.err
    assert bgsub("cluster", "impute", model, table, "--output", table).code != 0
