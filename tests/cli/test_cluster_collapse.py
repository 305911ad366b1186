"""What the commands say of collapsed clusters: which columns, and what helps."""

from __future__ import annotations

import json

import numpy as np
import pytest


def write(path, names, X):
    lines = [",".join(names), *(",".join(f"{value:.9g}" for value in row) for row in X)]
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def visits(workplace):
    random = np.random.default_rng(0)
    write(workplace / "visits.csv", ["visits", "value"], np.c_[random.poisson(2, 300), random.normal(size=300)])
    return "visits.csv"


@pytest.fixture
def totals(workplace):
    parts = np.random.default_rng(0).normal(size=(200, 2)).round(3)
    write(workplace / "totals.csv", ["net", "tax", "gross"], np.c_[parts, parts.sum(axis=1)])
    return "totals.csv"


def test_select_marks_what_has_collapsed_and_says_why(bgsub, visits):
    outcome = bgsub("cluster", "select", visits, "--components", "1-8", "--covariance", "diag")
    assert outcome.code == 0
    cells = [line.split()[1] for line in outcome.out.splitlines()[1:9]]
    assert any(cell.endswith("x") for cell in cells[2:]) and not any(cell.endswith("x") for cell in cells[:2])
    assert sum(cell.endswith("*") for cell in cells) == 1
    assert "x has collapsed, cannot be the best: a variance is mostly --reg-covar in column" in outcome.out
    assert "column 'visits' has only " in outcome.err and "leave the column out, or take few" in outcome.err


def test_json_has_it(bgsub, visits):
    facts = json.loads(bgsub("cluster", "select", visits, "--components", "1-8", "--covariance", "diag", "--json").out)
    said = [row["collapsed"] for row in facts["table"]]
    assert said[:2] == ["", ""]
    collapsed = [text for text in said if text]
    assert collapsed and all(text.startswith("in column") and "'visits'" in text for text in collapsed)
    assert said[facts["best"]["n_components"] - 1] == ""


def test_nothing_eligible_is_an_error_of_the_table(bgsub, totals, workplace):
    outcome = bgsub("cluster", "select", totals, "--components", "1-3", "--covariance", "full", "--model", "m.bgsub")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.error.startswith("Error: no combination is sound: all 3 have collapsed")
    assert "columns 'net', 'tax', 'gross'" in outcome.error
    assert "leave out a column that follows from others, or take diagonal covariances" in outcome.error
    assert not (workplace / "m.bgsub").exists()


def test_other_shapes_are_chosen_among_where_one_cannot_be(bgsub, totals):
    outcome = bgsub("cluster", "select", totals, "--components", "1-3")
    assert outcome.code == 0
    assert "diag covariance" in outcome.out or "spherical covariance" in outcome.out
    assert "6 of 12 combinations have collapsed and cannot be the best" in outcome.err


def test_fit_names_the_columns_of_an_oblique_direction(bgsub, totals):
    outcome = bgsub("cluster", "fit", totals, "--components", "1")
    assert outcome.code == 0
    assert (
        "component 0 has collapsed (a variance that is mostly reg_covar, in a direction of columns 'net',"
        in outcome.err
    )


def test_the_curves_are_drawn(bgsub, totals, workplace):
    assert bgsub("cluster", "select", totals, "--components", "1-3", "--plot", "bic.png").code == 0
    assert (workplace / "bic.png").stat().st_size > 5000


def test_fit_and_plot_say_what_is_not_gaussian(bgsub, workplace):
    random = np.random.default_rng(0)
    write(workplace / "pay.csv", ["pay", "age"], np.c_[random.exponential(size=400), random.normal(size=400)])
    outcome = bgsub("cluster", "fit", "pay.csv", "--components", "1", "--model", "m.bgsub")
    assert outcome.code == 0
    assert outcome.err.count("not Gaussian: cluster 0 ") == 1
    assert "is skewed in column 'pay'" in outcome.err and "--log pay if these are amounts" in outcome.err
    assert bgsub("cluster", "plot", "m.bgsub", "pay.csv", "--output", "pay.svg").code == 0
