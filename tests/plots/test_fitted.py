"""Figures of fitted models from a program: the command line's, of what it was given."""

from __future__ import annotations

import io
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas
import pytest

import bgsub
from bgsub.errors import ParameterError
from bgsub.mixture.comparison import Candidate, ModelSelection

RANDOM = np.random.default_rng(0)
ROWS = np.concatenate([RANDOM.normal([0, 5, 1], 1, (60, 3)), RANDOM.normal([9, 1, 4], 2, (40, 3))])


def candidate(k, kind, bic):
    return Candidate(k, kind, bic, bic - 5, bic + 5, -bic / 2, 3 * k, True)


@pytest.mark.parametrize(("criterion", "other"), [("bic", "aic"), ("aic", "bic"), ("icl", "bic")])
def test_a_selection_is_drawn_by_its_criterion_beside_another(criterion, other):
    table = [candidate(k, kind, 100.0 - k) for kind in ("full", "diag") for k in (1, 2, 3)]
    figure = bgsub.plot_selection(ModelSelection(table, criterion, None))
    assert [axes.get_title().splitlines()[0] for axes in figure.axes] == [
        f"{name.upper()}: lower is better" for name in (criterion, other)
    ]
    for axes, name in zip(figure.axes, (criterion, other), strict=True):
        for line, kind in zip(axes.lines, ("full", "diag"), strict=True):
            expected = [(row.n_components, getattr(row, name)) for row in table if row.covariance_type == kind]
            np.testing.assert_array_equal(line.get_xydata(), expected)


@pytest.mark.parametrize(("columns", "labels"), [(1, ["a"]), (2, ["a", "b"]), (3, ["a", "b", "c"])])
def test_a_mixture_is_drawn_over_its_features(columns, labels):
    rows = pandas.DataFrame(ROWS[:, :columns], columns=labels)
    mixture = bgsub.GaussianMixture(2, random_state=0).fit(rows)
    figure = bgsub.plot_mixture(mixture, rows)
    shown = {axes.get_xlabel() for axes in figure.axes} | {axes.get_ylabel() for axes in figure.axes}
    assert set(labels) <= shown
    written = io.BytesIO()
    figure.savefig(written, format="png")
    assert written.getvalue().startswith(b"\x89PNG")


def test_more_features_than_can_be_shown():
    rows = np.random.default_rng(0).normal(size=(50, 6))
    mixture = bgsub.GaussianMixture(1).fit(rows)
    with pytest.raises(ParameterError, match=r"^the mixture has 6 features, a figure shows 5 at most: draw mixture"):
        bgsub.plot_mixture(mixture, rows)
    figure = bgsub.plot_mixture(mixture.marginal([0, 3]), rows[:, [0, 3]])
    assert figure.axes[0].get_xlabel() == "feature 0"


def test_so_many_rows_are_drawn_that_they_can_be_seen():
    rows = np.random.default_rng(0).normal(size=(30_000, 2))
    fitted = bgsub.GaussianMixture(1).fit(rows).fitted_mixture()
    drawn = []

    def predict_proba(X):
        drawn.append(len(X))
        return np.ones((len(X), 1))

    gaussian = SimpleNamespace(in_words=lambda names: "")
    mixture = SimpleNamespace(
        fitted_mixture=lambda: fitted, predict_proba=predict_proba, gaussianity=lambda X: gaussian
    )
    figure = bgsub.plot_mixture(mixture, rows)
    points = [c for axes in figure.axes for c in axes.collections if len(c.get_offsets()) > 1000]
    assert drawn == [30_000]
    assert sum(len(c.get_offsets()) for c in points) == 20_000


def test_without_matplotlib_it_says_what_to_type():
    code = (
        "import sys; sys.modules['matplotlib'] = sys.modules['matplotlib.figure'] = None\n"
        "import bgsub\n"
        "try: bgsub.plot_selection(bgsub.select([[1.0], [2.0], [9.0]], [1]))\n"
        "except bgsub.MissingExtraError as error: print(error)"
    )
    told = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert (
        told.stdout.strip()
        == 'bgsub.plot_selection needs matplotlib, which is not installed; pip install "bgsub[plots]"'
    )
