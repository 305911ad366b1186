"""Rows that belong to no cluster, on the command line: from the fit to labels, scores, samples and pictures."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from bgsub import TableModel
from bgsub.clustering.fitting import FitSettings, fit_table
from bgsub.plots.plane import noise_of
from tests.mixture.em.test_robust_data import with_a_wrong_value


@pytest.fixture
def run(bgsub):
    """Call a cluster command, which must succeed."""

    def call(*arguments):
        outcome = bgsub("cluster", *arguments)
        assert outcome.code == 0, outcome.err
        return outcome

    return call


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table of two clusters with a -999 in row 3, and models of it."""
    folder = tmp_path_factory.mktemp("noise")
    rows = [f"{a:.4f},{b:.4f}" for a, b in with_a_wrong_value(-999.0)[0]]
    (folder / "rows.csv").write_text("\n".join(["a,b", *rows]) + "\n")
    (folder / "gap.csv").write_text("\n".join(["a,b", *rows[:4], ",3.1"]) + "\n")
    for name, how in (("noise", {"noise": "box"}), ("trim", {"trim": 0.05})):
        fit_table(str(folder / "rows.csv"), 2, settings=FitSettings(**how)).model.save(folder / f"{name}.bgsub")
    return folder


@pytest.mark.parametrize("how", [["--noise"], ["--noise", "box"], ["--noise", "HULL"], ["--trim", "0.05"]], ids=str)
@pytest.mark.parametrize("prepared", [[], ["--scale"], ["--pca", "2"]], ids=str)
def test_a_wrong_value_widens_no_cluster(run, folder, how, prepared):
    facts = json.loads(run("fit", folder / "rows.csv", "--components", 2, *how, *prepared, "--json", "-q").out)
    right = with_a_wrong_value(-999.0)[1]
    narrow = min(facts["components"], key=lambda component: component["mean"]["a"])
    assert narrow["standard_deviation"]["a"] == pytest.approx(right[:, 0].std(), rel=0.1)
    noise = facts["noise"]
    assert (noise["label"], noise["rows"]) == (-1, 3 if how[0] == "--trim" else 1)
    assert sum(component["weight"] for component in facts["components"]) + (
        noise["weight"] if how[0] == "--noise" else 0
    ) == pytest.approx(1)


def test_the_summary_has_a_line_for_noise(run, folder):
    lines = run("fit", folder / "rows.csv", "--components", 2, "--noise").out.splitlines()
    line = next(line.split() for line in lines if line.split()[:1] == ["noise"])
    assert line[2] == "1"
    assert float(line[1].rstrip("%")) == pytest.approx(1.7, abs=0.3)


def test_without_noise_there_is_none(run, folder):
    result = run("fit", folder / "rows.csv", "--components", 2, "--json", "-q")
    assert json.loads(result.out)["noise"] is None


@pytest.mark.parametrize("model", ["noise", "trim"])
def test_labels_are_minus_one_and_what_is_missing_has_none(run, folder, model):
    out = folder / "labels.csv"
    told = run(
        "predict", folder / f"{model}.bgsub", folder / "gap.csv", "--missing", "drop", "--output", out, "--overwrite"
    )
    assert "4 rows; by cluster" in told.out
    assert "noise: 1 (25.0%)" in told.out
    rows = read(out)
    assert list(rows[0]) == ["label", "probability_0", "probability_1", "noise", "log_density"]
    assert rows[2]["label"] == "-1"
    assert float(rows[2]["noise"]) == pytest.approx(1)
    assert rows[0]["label"] in ("0", "1")
    assert sum(float(rows[0][name]) for name in ("probability_0", "probability_1", "noise")) == pytest.approx(1)
    assert set(rows[4].values()) == {""}


@pytest.mark.parametrize("model", ["noise", "trim"])
def test_anomalies_are_the_rows_of_no_cluster(run, folder, model):
    out = folder / "scores.csv"
    told = run("score", folder / f"{model}.bgsub", folder / "rows.csv", "--output", out, "--overwrite", "--top", 2)
    count = {"noise": 1, "trim": 3}[model]
    assert f"{count} of 60 rows ({count / 60:.2%}) belong to no cluster" in told.out
    first = next(line.split() for line in told.out.splitlines() if line.split()[:1] == ["3"])
    assert first[2:4] == ["100.0%", "anomaly"]
    rows = read(out)
    assert [row["anomaly"] for row in rows].count("true") == count
    assert list(rows[0]) == ["log_density", "anomaly", "noise"]


def test_a_threshold_that_is_given_decides(run, folder):
    told = run("score", folder / "noise.bgsub", folder / "rows.csv", "--quantile", 0.2, "--top", 0, "--json")
    facts = json.loads(told.out)
    assert facts["anomalies"] == 12
    assert facts["threshold"] == pytest.approx(TableModel.load(folder / "noise.bgsub").threshold(0.2))


def test_from_python_it_is_the_same(folder):
    model = TableModel.load(folder / "noise.bgsub")
    labels = model.predict(folder / "rows.csv")
    assert labels[2] == -1
    assert (np.delete(labels, 2) >= 0).all()
    assert model.predict_proba(folder / "rows.csv")[2].sum() == pytest.approx(0, abs=1e-9)
    drawn, of = model.sample(2000)
    assert (of == -1).mean() == pytest.approx(model.mixture.noise.weight, abs=0.02)
    assert min(drawn["a"].to_pylist()) < 0


def test_select_compares_with_noise(run, folder):
    told = run("select", folder / "rows.csv", "--noise", "--components", "1-3", "--json", "-q", "--covariance", "full")
    assert json.loads(told.out)["best"]["n_components"] == 2


def test_a_picture_has_them_grey(run, folder):
    run("plot", folder / "noise.bgsub", folder / "rows.csv", "--output", folder / "n.png", "--overwrite")
    assert (folder / "n.png").stat().st_size > 10_000
    assert noise_of(np.array([[0.6, 0.4], [0.2, 0.1], [0.0, 0.0], [0.5, 0.5 - 1e-9]])).tolist() == [
        0.0,
        pytest.approx(0.7),
        1.0,
        0.0,
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--noise", "ball"], 2, "'ball' is no region of noise: write --noise box, --noise hull, or --noise last"),
        (["--trim", "0.6"], 2, "0.6 is not in the range"),
        (["--noise", "--trim", "0.1"], 2, "noise and trim do the same in two ways: give one of them"),
        (["--noise", "--missing", "em"], 2, "noise and trim need complete rows"),
    ],
)
def test_what_does_not_go_together_is_told(bgsub, folder, arguments, code, message):
    outcome = bgsub("cluster", "fit", folder / "rows.csv", "--components", 2, *arguments)
    assert (outcome.code, outcome.out) == (code, "")
    assert message in outcome.err
