"""Tables of several trades, drawn from a known truth that `bgsub cluster` finds again."""

import json

import numpy as np
import pytest

from scripts.make_customers import SHARES, customers
from scripts.make_customers import main as make_customers
from tests.cli.test_cluster import fitted, read
from tests.tables.files import write_csv


def test_customers_fall_into_the_segments_that_they_were_drawn_from(bgsub, workplace, monkeypatch):
    monkeypatch.setattr("sys.argv", ["make_customers.py", "customers.csv"])
    assert make_customers() == 0
    columns = "purchase_value,purchases_per_year"
    options = ["--columns", columns, "--log", columns, "--scale", "--components", "3", "--output", "segments.csv"]
    facts = fitted(bgsub, "customers.csv", *options, "--keep", "customer")
    assert [c["weight"] for c in facts["components"]] == pytest.approx(SHARES, abs=0.01)
    medians = [list(c["mean"].values()) for c in facts["components"]]
    assert np.allclose(medians, [[45, 6], [14, 42], [600, 2.5]], rtol=0.1)
    found = read("segments.csv")
    truth = customers()[1]
    assert np.array_equal(found["customer"], np.arange(1, 5001))
    assert (found["label"] == truth).mean() > 0.99
    unsure = np.maximum.reduce([found[f"probability_{k}"] for k in range(3)]) < 0.8
    assert (found["label"] == truth)[~unsure].mean() > 0.998  # a probability says what it says


def test_two_criteria_agree_on_three_segments(bgsub, workplace, monkeypatch):
    monkeypatch.setattr("sys.argv", ["make_customers.py", "customers.csv"])
    make_customers()
    columns = "purchase_value,purchases_per_year"
    for criterion in ("bic", "icl"):
        options = ["--components", "1-5", "--covariance", "full", "--criterion", criterion, "--json"]
        outcome = bgsub(
            "cluster", "select", "customers.csv", "--columns", columns, "--log", columns, "--scale", *options
        )
        assert json.loads(outcome.out)["best"]["n_components"] == 3


def test_a_speaker_is_known_by_the_model_that_expects_the_voice(bgsub, workplace):
    """Each speaker is a mixture of four sounds in 12 cepstral coefficients; who speaks is the likeliest model."""
    rng = np.random.default_rng(5)
    sounds = {name: rng.normal(0, 2, (4, 12)) for name in ("anna", "ben", "carla")}

    def speech(name, n):
        return sounds[name][rng.integers(4, size=n)] + rng.normal(0, 1, (n, 12))

    for name in sounds:
        np.save(f"{name}.npy", speech(name, 800))
        fitted(bgsub, f"{name}.npy", "--components", "4", "--covariance", "diag", "--model", f"{name}.bgsub")
    for name in sounds:
        np.save("heard.npy", speech(name, 40))
        scores = {}
        for candidate in sounds:
            outcome = bgsub("cluster", "score", f"{candidate}.bgsub", "heard.npy", "--json")
            scores[candidate] = json.loads(outcome.out)["mean_log_density"]
        assert max(scores, key=scores.get) == name


def test_calm_and_stormy_days_of_two_assets(bgsub, workplace):
    """Daily returns in per cent: calm days, and 15 % of stormy ones, three times as wild and far more correlated."""
    rng = np.random.default_rng(9)
    stormy = rng.random(4000) < 0.15
    calm_days = rng.multivariate_normal([0.05, 0.04], [[0.64, 0.2 * 0.8 * 1.0], [0.16, 1.0]], 4000)
    storms = rng.multivariate_normal([-0.3, -0.4], [[6.25, 0.8 * 2.5 * 3.0], [6.0, 9.0]], 4000)
    returns = np.where(stormy[:, None], storms, calm_days)
    write_csv(
        workplace / "returns.csv", [[day, *row] for day, row in enumerate(returns.tolist())], names=["day", "a", "b"]
    )
    options = [
        "--columns",
        "a,b",
        "--components",
        "2",
        "--tol",
        "1e-7",
        "--model",
        "m.bgsub",
        "--output",
        "days.parquet",
    ]
    calm, storm = fitted(bgsub, "returns.csv", *options, "--keep", "day")["components"]
    assert (calm["weight"], storm["weight"]) == pytest.approx((0.85, 0.15), abs=0.02)
    assert list(calm["standard_deviation"].values()) == pytest.approx([0.8, 1.0], rel=0.05)
    assert list(storm["standard_deviation"].values()) == pytest.approx([2.5, 3.0], rel=0.1)
    found = read("days.parquet")
    assert found["probability_1"].mean() == pytest.approx(0.15, abs=0.02)
    wildest = np.abs(returns).max(axis=1) > 5
    assert (found["probability_1"][wildest] > 0.99).all()
