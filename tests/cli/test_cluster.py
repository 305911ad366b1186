"""`bgsub cluster` from a table to clusters and back: every output re-opened and computed again by hand."""

import io
import json
import re
import sys

import numpy as np
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import sklearn.mixture
from PIL import Image
from sklearn.preprocessing import StandardScaler

from bgsub.plots.mixture import mixture_figure
from tests.tables.files import FORMATS, NAMES, csv_text, values, write_as, write_csv

pytestmark = pytest.mark.slow

NOTHING = {"missing": 0, "unseen": 0, "unseen_values": {}}
FIT = ["--components", "2", "--scale", "--tol", "1e-8"]


def read(path):
    """The columns of a table of output, missing values as NaN."""
    table = pyarrow.csv.read_csv(path) if str(path).endswith(".csv") else pq.read_table(path)
    return {name: column.to_numpy() for name, column in zip(table.column_names, table.columns, strict=True)}


def fitted(bgsub, *arguments):
    """What `fit --json` says."""
    outcome = bgsub("cluster", "fit", *arguments, "--json")
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


@pytest.fixture
def table(workplace):
    return write_as(".parquet", workplace, values())


@pytest.fixture
def model(bgsub, table):
    fitted(bgsub, table, *FIT, "--model", "m.bgsub")
    return "m.bgsub"


def reference(matrix, k=2, covariance_type="full"):
    """scikit-learn's mixture of the standardised rows, components by weight; the scaler."""
    scaler = StandardScaler().fit(matrix)
    mixture = sklearn.mixture.GaussianMixture(
        k, covariance_type=covariance_type, tol=1e-8, max_iter=500, n_init=3, random_state=0
    ).fit(scaler.transform(matrix))
    return mixture, scaler, np.argsort(-mixture.weights_)


@pytest.mark.slow
@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
def test_the_summary_is_in_the_units_of_the_table(bgsub, table, covariance):
    facts = fitted(bgsub, table, *FIT, "--covariance", covariance)
    mixture, scaler, order = reference(values(), covariance_type=covariance)
    z = scaler.transform(values())
    variances = {
        "full": lambda k: np.diag(mixture.covariances_[k]),
        "tied": lambda k: np.diag(mixture.covariances_),
        "diag": lambda k: mixture.covariances_[k],
        "spherical": lambda k: np.full(3, mixture.covariances_[k]),
    }[covariance]
    for component, k in zip(facts["components"], order, strict=True):
        assert component["weight"] == pytest.approx(mixture.weights_[k], rel=1e-5)
        assert component["rows"] == (mixture.predict(z) == k).sum()
        means = mixture.means_[k] * scaler.scale_ + scaler.mean_
        assert list(component["mean"]) == list(NAMES)
        assert np.allclose(list(component["mean"].values()), means, rtol=1e-4)
        deviations = np.sqrt(variances(k)) * scaler.scale_
        assert np.allclose(list(component["standard_deviation"].values()), deviations, rtol=1e-4)
    assert facts["aic"] == pytest.approx(mixture.aic(z), rel=1e-6)
    assert facts["bic"] == pytest.approx(mixture.bic(z), rel=1e-6)
    assert facts["log_likelihood_per_row"] == pytest.approx(mixture.score(z), rel=1e-6)
    assert (facts["converged"], facts["rows"], facts["rows_left_out"]) == (True, 500, 0)


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_the_same_clusters(bgsub, workplace, table, suffix):
    facts = fitted(bgsub, write_as(suffix, workplace, values()), *FIT)
    assert facts["components"] == fitted(bgsub, table, *FIT)["components"]


def test_printed_summary(bgsub, table):
    outcome = bgsub("cluster", "fit", table, *FIT)
    assert (outcome.code, outcome.err) == (0, "")
    heading, first, second, _, how, criteria = outcome.out.splitlines()
    assert heading.split() == ["cluster", "weight", "rows", *NAMES]
    assert re.match(r" +0  66\.[78]\d%   33[34]  2\.\d+ ± 0\.\d+  4,9\d\d ± \d{3}  -0\.0\d+ ± 0\.0\d+", first)
    assert second.split()[:3] == ["1", second.split()[1], "166"]
    assert re.fullmatch(r"500 rows, full covariance, converged after \d+ iterations", how)
    assert re.fullmatch(r"log-likelihood -?[\d.]+ per row, AIC [\d,-]+, BIC [\d,-]+, ICL [\d,-]+", criteria)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_output_of_fit_is_what_the_model_says(bgsub, table, suffix):
    fitted(bgsub, table, *FIT, "--output", f"rows{suffix}", "--keep", "tilt", "--model", "m.bgsub")
    mixture, scaler, order = reference(values())
    z = scaler.transform(values())
    found = read(f"rows{suffix}")
    assert list(found) == ["tilt", "label", "probability_0", "probability_1", "log_density"]
    assert np.array_equal(found["tilt"], values()[:, 2])
    assert np.array_equal(found["label"], np.argsort(order)[mixture.predict(z)])
    probabilities = np.column_stack([found["probability_0"], found["probability_1"]])
    assert np.allclose(probabilities, mixture.predict_proba(z)[:, order], atol=1e-5)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-12)
    assert np.allclose(found["log_density"], mixture.score_samples(z), atol=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        ["--scale"],
        ["--scale", "--pca", "2", "--covariance", "tied"],
        ["--encode", "kind", "--covariance", "diag"],
        ["--log", "price", "--covariance", "spherical"],
        ["--weights", "length", "--columns", "price,tilt"],
    ],
)
def test_predict_gives_what_fit_gave(bgsub, workplace, options):
    kinds = [["small", "large"][int(row[0] > 4)] for row in values()]
    rows = [[*row, kind] for row, kind in zip(values().tolist(), kinds, strict=True)]
    write_csv(workplace / "t.csv", rows, names=[*NAMES, "kind"])
    fitted(bgsub, "t.csv", "--components", 2, *options, "--model", "m.bgsub", "--output", "fit.csv")
    reordered = [row[::-1] for row in rows]
    write_csv(workplace / "r.csv", reordered, names=["kind", *NAMES[::-1]])
    for name in ("t.csv", "r.csv"):
        outcome = bgsub("cluster", "predict", "m.bgsub", name, "--output", f"out.{name}")
        assert outcome.code == 0, outcome.err
        assert (workplace / f"out.{name}").read_bytes() == (workplace / "fit.csv").read_bytes()


def test_predict_from_standard_input_to_standard_output(bgsub, model, workplace, monkeypatch):
    text = csv_text(values().tolist())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    outcome = bgsub("cluster", "predict", model, "-")
    assert outcome.err == "500 rows; by cluster 0: 334 (66.8%), 1: 166 (33.2%)\n"
    (workplace / "out.csv").write_text(outcome.out)
    assert np.bincount(read("out.csv")["label"]).tolist() == [334, 166]


def test_rows_left_out_keep_their_place(bgsub, model, workplace):
    matrix = values()[:5]
    matrix[1, 0] = np.nan
    write_csv(workplace / "t.csv", matrix.tolist())
    outcome = bgsub("cluster", "predict", model, "t.csv", "--missing", "drop", "--output", "o.parquet")
    assert (outcome.code, outcome.out.splitlines()[-1]) == (0, "  wrote o.parquet")
    found = pq.read_table("o.parquet").to_pydict()
    assert found["label"] == [0, -1, 0, 0, 0]
    for name in ("probability_0", "probability_1", "log_density"):
        assert [value is None for value in found[name]] == [False, True, False, False, False]


def test_long_identifiers_come_through(bgsub, model, workplace):
    rows = [[*row, 9007199254740993 + index] for index, row in enumerate(values()[:3].tolist())]
    write_csv(workplace / "t.csv", rows, names=[*NAMES, "id"])
    bgsub("cluster", "predict", model, "t.csv", "--keep", "id", "--output", "o.csv")
    assert read("o.csv")["id"].tolist() == [9007199254740993, 9007199254740994, 9007199254740995]


def test_score_finds_the_anomaly(bgsub, model, workplace):
    odd = [4.0, 7000.0, 0.01]
    write_csv(
        workplace / "new.csv",
        [[*row, f"c{i}"] for i, row in enumerate([*values(1).tolist(), odd])],
        names=[*NAMES, "customer"],
    )
    options = ["--quantile", "0.001", "--keep", "customer", "--output", "s.csv"]
    facts = json.loads(bgsub("cluster", "score", model, "new.csv", *options, "--json").out)
    mixture, scaler, _ = reference(values())
    expected = mixture.score_samples(scaler.transform([*values(1), odd]))
    found = read("s.csv")
    assert np.allclose(found["log_density"], expected, rtol=1e-4, atol=1e-4)
    assert facts["threshold"] == pytest.approx(
        np.quantile(mixture.score_samples(scaler.transform(values())), 0.001), abs=0.02
    )
    assert np.array_equal(found["anomaly"], found["log_density"] < facts["threshold"])
    assert facts["anomalies"] == found["anomaly"].sum() >= 1
    assert found["customer"][-1] == "c500"
    top = facts["most_unusual"]
    assert (top[0]["row"], top[0]["values"]) == (501, {"customer": "c500", **dict(zip(NAMES, odd, strict=True))})
    assert [row["row"] - 1 for row in top] == np.argsort(expected)[:10].tolist()
    assert facts["mean_log_density"] == pytest.approx(expected.mean(), rel=1e-4)


def test_a_share_of_the_learned_rows_is_anomalous(bgsub, model, table):
    facts = json.loads(bgsub("cluster", "score", model, table, "--quantile", "0.1", "--json").out)
    assert facts["anomalies"] == 50


def test_score_in_words(bgsub, model, table):
    outcome = bgsub("cluster", "score", model, table, "--threshold", "-1e9", "--top", "2")
    heading, first, second, _, count = outcome.out.splitlines()
    assert heading.split() == ["row", "log-density", *NAMES]
    assert "anomaly" not in first + second
    assert count == "0 of 500 rows (0.00%) have a log-density below -1e+09"


def test_samples_have_the_moments_of_the_table(bgsub, model):
    assert bgsub("cluster", "sample", model, "-n", 70_000, "--output", "s.parquet").code == 0
    found = read("s.parquet")
    assert list(found) == [*NAMES, "label"]
    for index, name in enumerate(NAMES):
        expected = values()[:, index]
        assert found[name].mean() == pytest.approx(expected.mean(), abs=4 * expected.std() / np.sqrt(70_000))
        assert found[name].std() == pytest.approx(expected.std(), rel=0.02)
    assert found["label"].mean() == pytest.approx(1 / 3, abs=0.01)
    assert np.abs(np.diff(found["label"][:1000])).sum() > 300  # not cluster by cluster
    longest = found["length"][found["label"] == 1].mean()
    assert longest == pytest.approx(6, abs=0.2)


def test_samples_follow_the_seed(bgsub, model):
    outputs = [bgsub("cluster", "sample", model, "-n", 5, "--seed", seed).out for seed in (1, 1, 2)]
    assert outputs[0] == outputs[1] != outputs[2]
    assert len(outputs[0].splitlines()) == 6


def test_samples_of_logarithms_and_texts(bgsub, workplace):
    rng = np.random.default_rng(0)
    rows = [[value, "ab"[int(value > 20)]] for value in np.exp(rng.normal(3, 1, 400))]
    write_csv(workplace / "t.csv", rows, names=["value", "kind"])
    fitted(bgsub, "t.csv", "--components", 2, "--log", "value", "--encode", "kind", "--model", "m.bgsub")
    bgsub("cluster", "sample", "m.bgsub", "-n", 4000, "--output", "s.csv")
    found = read("s.csv")
    assert set(found["kind"]) == {"a", "b"}
    assert found["value"].min() > 0
    assert np.log(found["value"]).mean() == pytest.approx(3, abs=0.2)


@pytest.mark.slow
def test_select_finds_two(bgsub, table):
    options = ["--scale", "--components", "1-3", "--n-init", "1"]
    outcome = bgsub("cluster", "select", table, *options, "--plot", "bic.png", "--model", "best.bgsub")
    assert outcome.code == 0, outcome.err
    assert "* the lowest BIC: 2 components" in outcome.out
    heading, *rows = outcome.out.split("\n\n")[0].splitlines()
    assert heading.split() == ["components", "full", "tied", "diag", "spherical"]
    assert [row.split()[0] for row in rows] == ["1", "2", "3"]
    assert [("*" in row) for row in rows] == [False, True, False]
    with Image.open("bic.png") as picture:
        assert picture.size[0] > 1000
    facts = json.loads(bgsub("cluster", "select", table, *options, "--json").out)
    assert len(facts["table"]) == 12
    best = min(facts["table"], key=lambda row: row["bic"])
    assert best == facts["best"] and best["n_components"] == 2
    predicted = json.loads(bgsub("cluster", "predict", "best.bgsub", table, "--output", "o.csv", "--json").out)
    assert predicted == {"rows": 500, "sizes": [334, 166], "left_out": NOTHING, "notes": [], "outputs": ["o.csv"]}


def test_select_of_one_shape(bgsub, table):
    options = ["--components", "2,1", "--covariance", "diag", "--criterion", "icl", "--scale", "--json"]
    facts = json.loads(bgsub("cluster", "select", table, *options).out)
    assert [(row["n_components"], row["covariance_type"]) for row in facts["table"]] == [(1, "diag"), (2, "diag")]
    one = facts["table"][0]
    assert one["icl"] == pytest.approx(one["bic"])  # one component leaves no doubt


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--columns", "tilt"],
        ["--columns", "price,tilt,length", "--quantile", "0.01"],
        ["--columns", "tilt,length", "--k-means"],
    ],
)
def test_plot(bgsub, model, table, options):
    outcome = bgsub("cluster", "plot", model, table, "--output", "p.png", *options)
    assert (outcome.code, outcome.out) == (0, "  wrote p.png\n"), outcome.err
    with Image.open("p.png") as picture:
        seen = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    assert len(np.unique(seen, axis=0)) > 50


def test_what_is_plotted(bgsub, model, table, monkeypatch):
    """The marginal mixture over the two columns, in the table's units, and the rows with their probabilities."""
    seen = {}

    def spy(plane, rows, title, note):
        seen.update(plane=plane, rows=rows, title=title)
        return mixture_figure(plane, rows, title)

    monkeypatch.setattr("bgsub.plots.mixture.mixture_figure", spy)
    bgsub(
        "cluster",
        "plot",
        model,
        table,
        "--output",
        "p.png",
        "--columns",
        "tilt,length",
        "--quantile",
        "0.02",
        "--k-means",
    )
    mixture, scaler, order = reference(values())
    columns = [2, 0]
    plane = seen["plane"]
    assert seen["title"] == "2 of the model's 3 columns"
    assert plane.names == ("tilt", "length") and plane.log == (False, False)
    assert np.allclose(plane.weights, mixture.weights_[order], rtol=1e-5)
    means = mixture.means_[order] * scaler.scale_ + scaler.mean_
    assert np.allclose(plane.means, means[:, columns], rtol=1e-4)
    covariances = mixture.covariances_[order] * np.outer(scaler.scale_, scaler.scale_)
    assert np.allclose(plane.covariances, covariances[:, columns][:, :, columns], rtol=1e-3, atol=1e-9)
    z = scaler.transform(values())
    rows = seen["rows"]
    by_place = np.lexsort(rows.points.T)
    expected = np.lexsort(values()[:, columns].T)
    assert np.allclose(rows.points[by_place], values()[:, columns][expected])
    assert np.allclose(rows.probabilities[by_place], mixture.predict_proba(z)[:, order][expected], atol=1e-5)
    densities = mixture.score_samples(z)
    lowest = values()[:, columns][np.argsort(densities)[:10]]
    assert np.allclose(rows.unusual, lowest)
    labels = np.argsort(order)[mixture.predict(z)]
    assert (rows.hard[by_place] == labels[expected]).mean() > 0.99  # these clusters k-means finds, too
    assert len(rows.hard) == 500


def test_columns_of_a_picture_are_those_that_tell_clusters_apart(bgsub, workplace, monkeypatch):
    """Of seven columns five are drawn: of two the clusters' means are the same."""
    rng = np.random.default_rng(0)
    apart = np.array([3.0, 0, 5, 4, 0, 6, 7])
    values = np.repeat([[0.0], [1.0]], 200, axis=0) * apart + rng.normal(size=(400, 7))
    np.savetxt("wide.csv", values, delimiter=",", header="a,b,c,d,e,f,g", comments="")
    bgsub("cluster", "fit", "wide.csv", "--components", 2, "--model", "wide.bgsub")
    seen = {}

    def spy(mixture, rows, title, note):
        seen.update(names=mixture.names, title=title)
        return mixture_figure(mixture.over(0, 1), rows.over(0, 1))

    monkeypatch.setattr("bgsub.plots.mixture.mixture_figure", spy)
    assert bgsub("cluster", "plot", "wide.bgsub", "wide.csv", "--output", "p.png").out == "  wrote p.png\n"
    assert seen["names"] == ("a", "c", "d", "f", "g")
    assert seen["title"].startswith("5 of the model's 7 columns, those that tell the clusters apart most")
    bgsub("cluster", "plot", "wide.bgsub", "wide.csv", "--output", "p.png", "--overwrite", "--columns", "g,b")
    assert (seen["names"], seen["title"]) == (("g", "b"), "2 of the model's 7 columns")


def test_a_picture_of_a_model_of_one_column(bgsub, workplace):
    np.savetxt("one.csv", np.random.default_rng(0).normal(20, 3, 300), header="temperature", comments="")
    bgsub("cluster", "fit", "one.csv", "--components", 2, "--model", "one.bgsub")
    assert bgsub("cluster", "plot", "one.bgsub", "one.csv", "--output", "p.png").out == "  wrote p.png\n"
    with Image.open("p.png") as picture:
        assert picture.width > 1000
    refused = bgsub("cluster", "plot", "one.bgsub", "one.csv", "--output", "q.png", "--k-means")
    assert refused.code == 2
    assert refused.error == "Error: --k-means is drawn over two columns: leave it out, or name two with --columns"


def test_help_of_the_group_names_all_commands(bgsub):
    shown = bgsub("cluster", "--help").out
    for name in ("fit", "predict", "score", "sample", "select", "plot"):
        assert re.search(rf"^  {name}  +[A-Z]", shown, re.MULTILINE)
