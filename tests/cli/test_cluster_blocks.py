"""Tables of several blocks are treated as one."""

import json

import numpy as np
import pytest

from bgsub import TableModel
from tests.cli.test_cluster import fitted, read


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
    model = TableModel.load("m.bgsub")
    assert np.allclose(found["log_density"], model.score_samples(long_table), rtol=1e-12)
    assert np.array_equal(found["label"], model.predict(long_table))
    facts = json.loads(bgsub("cluster", "score", "m.bgsub", "long.npy", "--top", "3", "--json").out)
    assert [row["row"] for row in facts["most_unusual"][:2]] == [6, 139_998]
    assert facts["most_unusual"][0]["values"] == {"x0": 40.0, "x1": -40.0}
    assert facts["anomalies"] == (found["log_density"] < facts["threshold"]).sum()

    drawn = []
    monkeypatch.setattr("bgsub.plots.figures.save_figure", lambda figure, path, **_: None)
    monkeypatch.setattr("bgsub.plots.mixture.mixture_figure", lambda mixture, rows, title, note: drawn.append(rows))
    bgsub("cluster", "plot", "m.bgsub", "long.npy", "--output", "p.png", "--quantile", "0.00001")
    (rows,) = drawn
    assert rows.points.shape == (20_000, 2)
    assert len(np.unique(rows.points, axis=0)) == 20_000
    assert (rows.points[:, 0] > 4).mean() == pytest.approx(0.5, abs=0.02)  # of all blocks alike
    assert rows.unusual.tolist() == [[40, -40], [30, -30]][: len(rows.unusual)]
    assert np.array_equal(rows.probabilities.argmax(axis=1), model.predict(rows.points))
