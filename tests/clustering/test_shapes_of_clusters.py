"""Clusters that are not Gaussian: told in the summary, in JSON and under the picture, and what helps."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub import GaussianMixture, plot_mixture
from bgsub.clustering.description import advice, describe
from bgsub.clustering.fitting import fit_table
from bgsub.plots.mixture import mixture_figure
from bgsub.plots.shown import ShownMixture, ShownRows
from bgsub.tables.learning import Choice


def amounts(n=600):
    random = np.random.default_rng(0)
    return {"price": np.exp(random.normal(size=n)), "age": random.normal(40, 9, n)}


def lines(table, n_components=1, **choice):
    return advice(fit_table(table, n_components, choice=Choice(**choice)), 100)


class TestSummary:
    def test_names_the_column_and_advises_its_logarithm(self):
        (line,) = lines(amounts())
        assert line.startswith("not Gaussian: cluster 0 has heavy tails (kurtosis ")
        assert "is skewed in column 'price' (skewness" in line
        assert line.endswith(": --log price if these are amounts, or more --components")

    @pytest.mark.parametrize("scale", [False, True])
    def test_is_silent_once_that_is_done(self, scale):
        assert lines(amounts(), logs=("price",), scale=scale) == []

    def test_of_principal_components_does_not_advise_a_column(self):
        (line,) = lines(amounts(), pca=2, scale=True)
        assert "--log" not in line and line.endswith(": more --components")

    def test_json_says_it_cluster_by_cluster(self):
        table = {"x": np.r_[amounts()["price"], np.random.default_rng(1).normal(-30, 1, 500)]}
        skewed, gaussian = describe(fit_table(table, 2))["components"]
        assert [found["kind"] for found in skewed["departures"]] == ["heavy tails", "skewed"]
        assert skewed["departures"][1]["column"] == "x"
        assert skewed["departures"][1]["expected"] == 0.0
        assert gaussian["departures"] == []

    def test_weights_count(self):
        random = np.random.default_rng(0)
        table = {"x": np.r_[random.normal(size=400), np.full(40, 9.0)], "w": np.r_[np.ones(400), np.zeros(40)]}
        assert lines(table, columns=("x",), weights="w") == []
        assert lines({"x": table["x"]})[0].startswith("not Gaussian")


class TestPicture:
    def test_the_line_stands_below(self):
        random = np.random.default_rng(0)
        X = random.exponential(size=(300, 2))
        figure = plot_mixture(GaussianMixture(1).fit(X), X)
        told = figure.get_supxlabel().replace("\n", " ")
        assert told.startswith("not Gaussian: cluster 0 has heavy tails")
        assert max(map(len, figure.get_supxlabel().splitlines())) <= 13 * figure.get_figwidth()

    def test_nothing_stands_there_of_gaussian_ones(self):
        X = np.random.default_rng(0).normal(size=(300, 2))
        assert plot_mixture(GaussianMixture(1).fit(X), X).get_supxlabel() == ""

    @pytest.mark.parametrize("width", [1, 2, 3])
    def test_of_any_number_of_columns(self, width):
        shown = ShownMixture(
            np.ones(1), np.zeros((1, width)), np.eye(width)[None], ("a", "b", "c")[:width], (False,) * width
        )
        rows = ShownRows(np.random.default_rng(0).normal(size=(50, width)), np.ones((50, 1)))
        assert mixture_figure(shown, rows, note="flat").get_supxlabel() == "flat"
