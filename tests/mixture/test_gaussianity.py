"""The test of each component's residuals: silent on Gaussian mixtures, and it speaks of what is none."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_circles, make_moons

from bgsub import GaussianMixture
from bgsub.mixture import gaussianity as room
from bgsub.mixture.gaussianity import Gaussianity, gaussianity
from tests.mixture.samples import COVARIANCE_TYPES, ellipses

TWO = [[0.0], [20.0]]


def kinds(X, n_components, covariance_type="full", **options):
    """The kinds of departures, of each component that was looked at."""
    model = GaussianMixture(
        n_components, covariance_type=covariance_type, n_init=3, tol=1e-5, random_state=0, **options
    )
    found = gaussianity(model.fit(X).fitted_mixture(), X)
    return [tuple(departure.kind for departure in residuals.departures) for residuals in found]


def twice(draw):
    """Rows of two equal clusters, of what `draw` draws."""
    return np.r_[draw(), draw() + 25.0]


class TestSpeaks:
    @pytest.mark.parametrize("covariance_type", ["full", "diag", "spherical"])
    def test_of_heavy_tails(self, covariance_type):
        random = np.random.default_rng(0)
        X = twice(lambda: random.standard_t(3, (1000, 2)))
        assert all("heavy tails" in found for found in kinds(X, 2, covariance_type))

    @pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
    def test_of_boxes(self, covariance_type):
        random = np.random.default_rng(0)
        assert kinds(twice(lambda: random.uniform(size=(500, 3))), 2, covariance_type) == [("flat or hollow",)] * 2

    @pytest.mark.parametrize("width", [1, 2, 5])
    def test_of_exponential_amounts(self, width):
        random = np.random.default_rng(0)
        found = kinds(random.exponential(size=(400, width)), 1)
        assert "skewed" in found[0]

    @pytest.mark.parametrize("covariance_type", ["full", "spherical"])
    def test_of_moons(self, covariance_type):
        X = make_moons(1000, noise=0.08, random_state=0)[0]
        assert all("skewed" in found and "flat or hollow" in found for found in kinds(X, 2, covariance_type))

    def test_of_moons_that_are_turned(self):
        X = make_moons(1000, noise=0.08, random_state=0)[0] @ [[0.8, 0.6], [-0.6, 0.8]]
        assert all("flat or hollow" in found for found in kinds(X, 2))

    @pytest.mark.parametrize("n_components", [1, 2])
    def test_of_rings(self, n_components):
        X = make_circles(2000, noise=0.05, factor=0.4, random_state=0)[0]
        assert all(found == ("flat or hollow",) for found in kinds(X, n_components))

    def test_of_a_shell_in_five_dimensions(self):
        X = np.random.default_rng(0).normal(size=(1000, 5))
        assert kinds(X / np.linalg.norm(X, axis=1)[:, None], 1) == [("flat or hollow",)]

    def test_of_two_clusters_taken_for_one_in_an_oblique_direction(self):
        random = np.random.default_rng(0)
        X = np.r_[random.normal(size=(300, 6)), random.normal(size=(300, 6)) + 3.0]
        assert kinds(X, 1) == [("flat or hollow",)]
        assert kinds(X, 2) == [(), ()]

    def test_of_one_column_among_many(self):
        X = np.random.default_rng(0).normal(size=(1000, 12))
        X[:, 7] = np.exp(X[:, 7])
        model = GaussianMixture(1).fit(X)
        found = gaussianity(model.fitted_mixture(), X)
        line = found.in_words([f"c{i}" for i in range(12)])
        assert line.startswith("not Gaussian: cluster 0 has heavy tails")
        assert "and is skewed in column 'c7' (skewness " in line
        assert (found.skewed, found.kinds) == ([7], {"heavy tails", "skewed"})


class TestIsSilent:
    @pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
    @pytest.mark.parametrize("apart", [0.5, 2.0, 6.0])
    def test_on_gaussian_mixtures_however_they_overlap(self, covariance_type, apart):
        for seed in range(12):
            X, start = gaussian_rows(seed, covariance_type, apart)
            found = kinds(X, len(start["means_init"]), covariance_type, **start)
            assert found and set(found) == {()}

    def test_where_the_shape_is_wrong_and_the_rows_are_gaussian(self):
        random = np.random.default_rng(0)
        X = np.r_[random.normal(size=(500, 2)) * [3, 1], random.normal(size=(500, 2)) * [1, 3] + 30.0]
        for covariance_type in COVARIANCE_TYPES:
            assert kinds(X, 2, covariance_type) == [(), ()]

    def test_on_few_rows(self):
        X = np.random.default_rng(0).exponential(size=(49, 1))
        assert kinds(X, 1) == []

    def test_on_a_trifle_in_a_million_rows(self):
        random = np.random.default_rng(0)
        X = random.standard_gamma(400.0, (1_000_000, 1))  # skewness 0.1
        assert kinds(X, 1) == [()]

    @pytest.mark.filterwarnings("ignore::bgsub.FitWarning")
    def test_on_rows_that_lie_in_a_plane(self):
        X = np.random.default_rng(0).uniform(size=(500, 2))
        assert kinds(np.c_[X, X.sum(axis=1)], 1) == []


class TestFigures:
    def test_kurtosis_is_mardias(self):
        X = ellipses(n=800)[0]
        centred = X - X.mean(axis=0)
        distance = np.einsum("nd,de,ne->n", centred, np.linalg.inv(np.cov(X.T, bias=True)), centred)
        (found,) = gaussianity(GaussianMixture(1).fit(X).fitted_mixture(), X)
        assert (found.component, found.n_rows, found.expected) == (0, 800, 8)
        assert found.kurtosis == pytest.approx((distance**2).mean(), rel=1e-10)

    @pytest.mark.parametrize("width", [1, 2, 5])
    def test_scores_of_gaussian_samples_are_standard_normal(self, width):
        random, n = np.random.default_rng(width), 200
        scores = []
        for _ in range(400):
            X = random.normal(size=(n, width))
            centred = X - X.mean(axis=0)
            distance = np.einsum("nd,de,ne->n", centred, np.linalg.inv(centred.T @ centred / n), centred)
            scores.append(room._kurtosis_score((distance**2).mean() / (width * (width + 2)) - 1, n, width))
        assert abs(np.mean(scores)) < 0.2
        assert 0.85 < np.std(scores) < 1.15
        assert np.max(np.abs(scores)) < 4.0

    def test_a_weight_counts_as_repeated_rows(self):
        random = np.random.default_rng(0)
        X, weights = random.exponential(size=(300, 2)), np.full(300, 3.0)
        mixture = GaussianMixture(1).fit(X).fitted_mixture()
        (once,), (weighted,) = gaussianity(mixture, X), gaussianity(mixture, X, weights)
        assert once == weighted  # equal weights say nothing of how many rows there are
        weights[:150] = 0.0
        (half,), (by_weight,) = gaussianity(mixture, X[150:]), gaussianity(mixture, X, weights)
        assert by_weight.kurtosis == pytest.approx(half.kurtosis)

    def test_a_line_names_three_at_most(self):
        random = np.random.default_rng(0)
        X = np.concatenate([random.exponential(size=(200, 1)) + 100.0 * k for k in range(5)])
        means = 100.0 * np.arange(5)[:, None] + 1.0
        found = GaussianMixture(5, means_init=means).fit(X).gaussianity(X)
        assert found.in_words(["pay"], "component").startswith("not Gaussian: component 0 ")
        assert found.in_words().count("is skewed in column 0") == 3
        assert found.in_words().endswith("; and 2 more")
        assert Gaussianity().in_words() == ""

    def test_the_estimator_has_it(self):
        X = np.random.default_rng(0).exponential(size=(300, 2))
        model = GaussianMixture(1).fit(X)
        assert model.gaussianity(X.astype(np.float32))[0].departures[0].kind == "heavy tails"
        with pytest.raises(ValueError, match="sample_weight"):
            model.gaussianity(X, [1.0])

    def test_rows_with_gaps_do_not_count(self):
        X = np.random.default_rng(0).exponential(size=(300, 2))
        mixture = GaussianMixture(1).fit(X).fitted_mixture()
        assert gaussianity(mixture, np.r_[X, [[np.nan, 1.0]]]) == gaussianity(mixture, X)
        assert gaussianity(mixture, np.full((3, 2), np.nan)) == Gaussianity()


def gaussian_rows(seed, covariance_type, apart):
    """Rows of one to four Gaussians of the type, and their true parameters as a start."""
    random = np.random.default_rng(seed)
    width, count, n = (
        int(random.choice([1, 2, 4, 7])),
        int(random.integers(1, 5)),
        int(random.choice([200, 1000, 5000])),
    )
    means, weights = apart * random.normal(size=(count, width)), random.dirichlet(np.full(count, 5.0))
    factors = 0.5 * np.eye(width) + random.normal(size=(count, width, width)) / np.sqrt(width)
    if covariance_type == "tied":
        factors = np.broadcast_to(factors[0], factors.shape)
    elif covariance_type != "full":
        factors = np.exp(0.5 * random.normal(size=(count, width if covariance_type == "diag" else 1, 1))) * np.eye(
            width
        )
    labels = random.choice(count, n, p=weights)
    X = means[labels] + np.einsum("nij,nj->ni", factors[labels], random.normal(size=(n, width)))
    matrices = factors @ np.swapaxes(factors, 1, 2)
    precisions = {
        "full": np.linalg.inv(matrices),
        "tied": np.linalg.inv(matrices[0]),
        "diag": 1 / np.einsum("kii->ki", matrices),
        "spherical": 1 / matrices[:, 0, 0],
    }[covariance_type]
    return X, {"weights_init": weights / weights.sum(), "means_init": means, "precisions_init": precisions}
