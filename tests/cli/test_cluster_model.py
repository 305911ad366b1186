"""The model of a table: components sorted by size in every shape; tables of several blocks treated as one."""

import json

import numpy as np
import pytest

from bgsub.cli.cluster.model_file import QUANTILES, TableModel, full_covariances, largest_first
from bgsub.mixture.estimator import GaussianMixture
from tests.cli.test_cluster import fitted, read
from tests.tables.files import values


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_the_largest_first_is_the_same_mixture(covariance_type):
    rows = np.vstack([values(n=60)[-20:, ::2], values(seed=1, n=90)[:60, ::2] * 1.5])
    mixture = GaussianMixture(3, covariance_type=covariance_type, random_state=0).fit(rows)
    densities, probabilities = mixture.score_samples(rows), mixture.predict_proba(rows)
    order = np.argsort(-mixture.weights_)
    if (order == np.arange(3)).all():  # turn it round, so that there is something to do
        for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_")[
            : 2 if covariance_type == "tied" else None
        ]:
            setattr(mixture, name, getattr(mixture, name)[::-1].copy())
        probabilities, order = probabilities[:, ::-1], order[::-1]
    precisions, covariances = mixture.precisions_.copy(), mixture.covariances_.copy()
    largest_first(mixture)
    assert (np.diff(mixture.weights_) <= 0).all()
    assert np.allclose(mixture.score_samples(rows), densities, rtol=1e-12)
    assert np.allclose(mixture.predict_proba(rows), probabilities[:, order], atol=1e-12)
    chosen = slice(None) if covariance_type == "tied" else order
    assert np.array_equal(mixture.precisions_, precisions[chosen])
    assert np.array_equal(mixture.covariances_, covariances[chosen])


def test_full_covariances_of_every_shape():
    n_components, n_features = 2, 3
    root = np.random.default_rng(0).normal(size=(2, 3, 3))
    full = root @ np.swapaxes(root, 1, 2)
    for covariance_type, given, expected in (
        ("full", full, full),
        ("tied", full[0], np.stack([full[0], full[0]])),
        ("diag", np.array([[1.0, 2, 3], [4, 5, 6]]), np.stack([np.diag([1.0, 2, 3]), np.diag([4.0, 5, 6])])),
        ("spherical", np.array([2.0, 5.0]), np.stack([2 * np.eye(3), 5 * np.eye(3)])),
    ):
        mixture = GaussianMixture(n_components, covariance_type=covariance_type)
        mixture.means_, mixture.covariances_ = np.zeros((n_components, n_features)), given
        assert np.array_equal(full_covariances(mixture), expected)


def test_thresholds_are_quantiles_of_the_learned_rows():
    densities = np.random.default_rng(0).normal(size=50_000)
    model = TableModel(None, None, np.quantile(densities, QUANTILES))
    for share in (1e-4, 0.003, 0.01, 0.055, 0.5, 0.99):
        assert (densities < model.threshold(share)).mean() == pytest.approx(share, rel=0.08)


@pytest.fixture
def long_table(workplace):
    """Rows of three blocks; the most unusual ones stand in the first and the last."""
    rng = np.random.default_rng(0)
    rows = np.vstack([rng.normal(0, 1, (70_000, 2)), rng.normal(8, 1, (70_000, 2))])
    rows[5], rows[-3] = [40, -40], [30, -30]
    np.save("long.npy", rows)
    return rows


def test_tables_of_several_blocks(bgsub, long_table, monkeypatch):
    facts = fitted(
        bgsub, "long.npy", "--components", "2", "--n-init", "1", "--model", "m.bgsub", "--output", "o.parquet"
    )
    assert (facts["rows"], sum(c["rows"] for c in facts["components"])) == (140_000, 140_000)
    found = read("o.parquet")
    model = TableModel.load("m.bgsub").mixture
    assert np.allclose(found["log_density"], model.score_samples(long_table), rtol=1e-12)
    assert np.array_equal(found["label"], model.predict(long_table))
    facts = json.loads(bgsub("cluster", "score", "m.bgsub", "long.npy", "--top", "3", "--json").out)
    assert [row["row"] for row in facts["most_unusual"][:2]] == [6, 139_998]
    assert facts["most_unusual"][0]["values"] == {"x0": 40.0, "x1": -40.0}
    assert facts["anomalies"] == (found["log_density"] < facts["threshold"]).sum()

    drawn = {}
    monkeypatch.setattr("bgsub.plots.figures.save_figure", lambda figure, path, **_: None)
    monkeypatch.setattr(
        "bgsub.plots.mixture.mixture_figure",
        lambda plane, points, probabilities, **others: drawn.update(points=points, shares=probabilities, **others),
    )
    bgsub("cluster", "plot", "m.bgsub", "long.npy", "--output", "p.png", "--quantile", "0.00001")
    assert drawn["points"].shape == (20_000, 2)
    assert len(np.unique(drawn["points"], axis=0)) == 20_000
    assert (drawn["points"][:, 0] > 4).mean() == pytest.approx(0.5, abs=0.02)  # of all blocks alike
    assert drawn["anomalies"].tolist() == [[40, -40], [30, -30]][: len(drawn["anomalies"])]
    assert np.array_equal(drawn["shares"].argmax(axis=1), model.predict(drawn["points"]))
