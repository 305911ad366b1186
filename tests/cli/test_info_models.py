"""`bgsub info` of model files."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from bgsub import MOG2, BackgroundSubtractor, GaussianMixture
from bgsub.clustering.fitting import FitSettings, fit_table
from bgsub.files import read_container, write_container
from bgsub.tables.learning import Choice

RANDOM = np.random.RandomState(5)
ROWS = np.concatenate([RANDOM.normal([3, 5], 0.3, (300, 2)), RANDOM.normal([9, 1], 0.2, (100, 2))])


def told(bgsub, name):
    outcome = bgsub("info", name)
    assert (outcome.code, outcome.err) == (0, "")
    return dict(line.strip().split("  ", 1) for line in outcome.out.splitlines())


def facts_of(bgsub, name):
    outcome = bgsub("info", name, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    return json.loads(outcome.out)


def test_an_estimators_mixture(bgsub, workplace):
    mixture = GaussianMixture(2, random_state=0, order="weight").fit(ROWS)
    mixture.save("m.bgsub")
    assert told(bgsub, "m.bgsub") == {
        "kind": "Gaussian mixture, for bgsub.GaussianMixture.load and bgsub cluster predict",
        "components": "2: 75.0%, 25.0%",
        "covariance": "full",
        "columns": "2 without names",
        "fit": f"converged after 2 iterations, mean log-likelihood {mixture.lower_bound_:.5g}",
    }
    facts = facts_of(bgsub, "m.bgsub")
    assert (facts["kind"], facts["components"], facts["columns"]) == ("gaussian-mixture", 2, None)
    assert (facts["n_columns"], facts["covariance_type"], facts["converged"]) == (2, "full", True)
    assert facts["weights"] == pytest.approx([0.75, 0.25])
    assert facts["mean_log_likelihood"] == mixture.lower_bound_


def test_an_estimator_that_was_not_fitted_here_and_one_that_did_not_converge(bgsub, workplace):
    GaussianMixture.from_parameters([1.0], [[0.0]], [[[1.0]]]).save("given.bgsub")
    assert told(bgsub, "given.bgsub")["fit"] == "no iterations"
    assert facts_of(bgsub, "given.bgsub")["mean_log_likelihood"] is None
    with pytest.warns(UserWarning, match="converge"):
        GaussianMixture(2, random_state=0, max_iter=1, tol=0).fit(ROWS).save("short.bgsub")
    assert told(bgsub, "short.bgsub")["fit"].startswith("not converged after 1 iteration,")


def test_a_tables_mixture(bgsub, workplace):
    table = pa.table({"size": ROWS[:, 0], "price": ROWS[:, 1], "kind": ["a", "b", "a", "c"] * 100})
    choice = Choice(columns=("size", "price"), logs=("size",), encode=("kind",), scale=True)
    fit_table(table, 2, covariance_type="diag", choice=choice).model.save("t.bgsub")
    lines = told(bgsub, "t.bgsub")
    assert lines["kind"] == "Gaussian mixture of a table, for bgsub cluster predict and bgsub.TableModel.load"
    assert lines["columns"] == "size, price, kind"
    assert lines["prepared"] == "log of size, encode of kind, scale"
    assert lines["covariance"] == "diag"
    facts = facts_of(bgsub, "t.bgsub")
    assert facts["kind"] == "mixture of a table"
    assert (facts["log"], facts["encode"], facts["dates"], facts["scale"], facts["pca"]) == (
        ["size"],
        ["kind"],
        [],
        True,
        None,
    )


def test_rows_that_are_of_no_component_and_principal_components(bgsub, workplace):
    table = {"a": np.append(ROWS[:, 0], [50.0, -70.0] * 5), "b": np.append(ROWS[:, 1], [-60.0, 40.0] * 5)}
    fitted = fit_table(table, 2, settings=FitSettings(noise="box")).model
    fitted.save("noise.bgsub")
    share = fitted.mixture.noise.weight
    assert told(bgsub, "noise.bgsub")["components"].endswith(f", and {share:.1%} noise")
    assert facts_of(bgsub, "noise.bgsub")["noise"] == share > 0.01
    fitted = fit_table(table, 2, settings=FitSettings(trim=0.05), choice=Choice(pca=1)).model
    fitted.save("trim.bgsub")
    lines = told(bgsub, "trim.bgsub")
    assert lines["trimmed"] == f"rows of a log-density below {fitted.mixture.cutoff:.4g}"
    assert lines["prepared"].endswith("1 principal component")


def test_background_models(bgsub, workplace):
    model = BackgroundSubtractor()
    for _ in range(3):
        model.apply(np.zeros((48, 64, 3), np.uint8))
    model.save("street.bgsub")
    assert told(bgsub, "street.bgsub") == {
        "kind": "background model (adaptive), for bgsub run --load",
        "components": "4 a pixel",
        "learned": "3 frames of 64x48, colour",
    }
    facts = facts_of(bgsub, "street.bgsub")
    assert (facts["method"], facts["width"], facts["height"], facts["channels"]) == ("adaptive", 64, 48, 3)
    grey = MOG2(n_components=3)
    grey.apply(np.zeros((48, 64), np.uint8))
    grey.save("grey.bgsub")
    assert told(bgsub, "grey.bgsub")["learned"] == "1 frame of 64x48, grey"
    assert facts_of(bgsub, "grey.bgsub")["components"] == 3
    MOG2().save("new.bgsub")
    assert told(bgsub, "new.bgsub")["learned"] == "nothing yet"


def test_what_cannot_be_read_ends_in_one_line(bgsub, workplace):
    GaussianMixture(2, random_state=0).fit(ROWS).save("m.bgsub")
    content = (workplace / "m.bgsub").read_bytes()
    meta, arrays = read_container("m.bgsub", "gaussian-mixture", 1)
    write_container("newer.bgsub", "gaussian-mixture", 2, meta, arrays)
    write_container("strange.bgsub", "tree", 1, {}, {})
    (workplace / "short.bgsub").write_bytes(content[:-9])
    (workplace / "header.bgsub").write_bytes(content[:60])
    (workplace / "container.bgsub").write_bytes(content.replace(b"container 1", b"container 2", 1))
    expected = {
        "newer.bgsub": "upgrade bgsub",
        "strange.bgsub": "kind 'tree'",
        "short.bgsub": "damaged",
        "header.bgsub": "damaged",
        "container.bgsub": "upgrade bgsub",
    }
    for name, said in expected.items():
        outcome = bgsub("info", name)
        assert (outcome.code, outcome.out) == (1, "")
        assert outcome.error.startswith(f"Error: cannot load the model {name}: ")
        assert said in outcome.error


def test_a_model_has_no_streams(bgsub, workplace):
    MOG2().save("m.bgsub")
    outcome = bgsub("info", "m.bgsub", "--stream", "1")
    assert outcome.code == 2
    assert "a model file is no video" in outcome.err


def test_the_commands_take_an_estimators_file(bgsub, workplace):
    mixture = GaussianMixture(2, random_state=0).fit(ROWS)
    mixture.save("m.bgsub")
    pa.csv.write_csv(pa.table({"a": ROWS[:, 0], "b": ROWS[:, 1]}), workplace / "t.csv")
    outcome = bgsub("cluster", "predict", "m.bgsub", "t.csv", "--output", "p.csv")
    assert outcome.code == 0, outcome.err
    assert "took the columns by their place, as the model learned no names: a, b" in outcome.err
    assert pa.csv.read_csv(workplace / "p.csv")["label"].to_pylist() == mixture.predict(ROWS).tolist()
    scored = json.loads(bgsub("cluster", "score", "m.bgsub", "t.csv", "--json", "--top", "1").out)
    worst = int(mixture.score_samples(ROWS).argmin())
    assert scored["most_unusual"][0]["row"] == worst + 1
    assert scored["most_unusual"][0]["values"] == pytest.approx({"a": ROWS[worst, 0], "b": ROWS[worst, 1]})
    assert scored["mean_log_density"] == pytest.approx(mixture.score(ROWS))
    for command in (("sample", "m.bgsub", "-n", "5"), ("plot", "m.bgsub", "t.csv", "--output", "p.png")):
        assert bgsub("cluster", *command).code == 0
