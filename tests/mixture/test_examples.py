"""Two uses with known truth: who speaks, and which regime a market is in."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bgsub import GaussianMixture
from tests.mixture.samples import aligned

N_COEFFICIENTS = 12  # of a cepstrum


class Speaker:
    """A voice: some sounds, each a Gaussian of cepstral coefficients, that follow each other at random."""

    def __init__(self, seed):
        random = np.random.default_rng(seed)
        common = np.random.default_rng(99)  # sounds are alike; voices shift them a little
        self.sounds = 3.0 * common.normal(size=(6, N_COEFFICIENTS)) + 0.8 * random.normal(size=(6, N_COEFFICIENTS))
        self.deviations = random.uniform(0.7, 1.3, size=(6, N_COEFFICIENTS))
        self.shares = random.dirichlet(np.full(6, 8.0))

    def say(self, n_frames, seed):
        random = np.random.default_rng(seed)
        sound = random.choice(6, n_frames, p=self.shares)
        return self.sounds[sound] + self.deviations[sound] * random.normal(size=(n_frames, N_COEFFICIENTS))


class TestSpeakers:
    """A mixture a speaker, fitted to some of their speech; an utterance is whose mixture finds it likeliest."""

    @pytest.fixture(scope="class")
    @classmethod
    def voices(cls):
        speakers = [Speaker(seed) for seed in range(4)]
        models = [
            GaussianMixture(6, covariance_type="diag", random_state=0).fit(speaker.say(1000, 100 + i))
            for i, speaker in enumerate(speakers)
        ]
        return speakers, models

    def test_half_a_second_tells_who_speaks(self, voices):
        speakers, models = voices
        for truth, speaker in enumerate(speakers):
            for seed in range(10):
                utterance = speaker.say(50, 1000 + seed)
                assert int(np.argmax([model.score(utterance) for model in models])) == truth

    def test_a_single_frame_says_less(self, voices):
        speakers, models = voices
        frames = np.stack([speaker.say(200, 7) for speaker in speakers])
        likeliest = np.argmax([[model.score_samples(said) for said in frames] for model in models], axis=0)
        share = np.mean(likeliest == np.arange(4)[:, None])
        assert 0.3 < share < 0.95

    def test_a_stranger_is_an_anomaly_to_everyone(self, voices):
        _, models = voices
        stranger = np.random.default_rng(5).normal(scale=5.0, size=(50, N_COEFFICIENTS))
        assert all(model.score(stranger) < model.anomaly_threshold(0.001) for model in models)


class TestReturns:
    """Daily returns of two assets: calm days, and crises in which both fall and swing together."""

    MEANS = np.array([[0.05, 0.04], [-0.20, -0.25]])  # percent a day
    CORRELATIONS = (0.2, 0.8)
    DEVIATIONS = np.array([[0.6, 0.5], [2.5, 2.2]])
    CRISIS_SHARE = 0.15

    @pytest.fixture(scope="class")
    @classmethod
    def history(cls):
        random = np.random.default_rng(1)
        crisis = (random.random(3000) < cls.CRISIS_SHARE).astype(int)
        covariances = [
            np.outer(s, s) * np.array([[1.0, c], [c, 1.0]])
            for s, c in zip(cls.DEVIATIONS, cls.CORRELATIONS, strict=True)
        ]
        returns = np.stack([random.multivariate_normal(cls.MEANS[k], covariances[k]) for k in crisis])
        model = GaussianMixture(2, n_init=4, tol=1e-7, max_iter=500, acceleration="squarem", random_state=0).fit(
            returns
        )
        calm_first = np.argsort(model.covariances_[:, 0, 0])
        return returns, crisis, model, calm_first

    def test_share_and_risk_of_each_regime(self, history):
        _, _, model, order = history
        assert model.weights_[order[1]] == pytest.approx(self.CRISIS_SHARE, abs=0.02)
        covariances = model.covariances_[order]
        deviations = np.sqrt(np.diagonal(covariances, axis1=1, axis2=2))
        assert_allclose(deviations, self.DEVIATIONS, rtol=0.1)
        correlations = covariances[:, 0, 1] / deviations.prod(axis=1)
        assert_allclose(correlations, self.CORRELATIONS, atol=0.07)

    def test_means_which_are_small_beside_the_risk(self, history):
        _, _, model, order = history
        assert_allclose(model.means_[order], self.MEANS, atol=0.25)
        assert aligned(model.means_, self.MEANS) == list(order)

    def test_the_days_of_crisis(self, history):
        returns, crisis, model, order = history
        probability = model.predict_proba(returns)[:, order[1]]
        assert np.mean((probability > 0.5) == crisis) > 0.93
        sure = probability > 0.99
        assert sure.sum() > 100
        assert crisis[sure].mean() > 0.98

    def test_a_fall_of_one_asset_foretells_the_other(self, history):
        _, _, model, order = history
        bad_day = model.conditional({0: -5.0})
        assert bad_day.weights_[order[1]] > 0.99
        slope = self.CORRELATIONS[1] * self.DEVIATIONS[1, 1] / self.DEVIATIONS[1, 0]
        expected = self.MEANS[1, 1] + slope * (-5.0 - self.MEANS[1, 0])
        assert model.regress([[-5.0]], [0])[0, 0] == pytest.approx(expected, abs=0.4)
        assert model.regress([[0.05]], [0])[0, 0] == pytest.approx(self.MEANS[0, 1], abs=0.1)

    def test_fat_tails_that_one_gaussian_misses(self, history):
        returns, _, model, _ = history
        single = GaussianMixture().fit(returns)
        assert model.bic(returns) < single.bic(returns) - 1000
        extreme = np.quantile(returns[:, 0], 0.001)
        drawn = {name: m.sample(100_000)[0][:, 0] for name, m in (("two", model), ("one", single))}
        assert np.quantile(drawn["two"], 0.001) == pytest.approx(extreme, rel=0.2)
        assert np.quantile(drawn["one"], 0.001) > 0.8 * extreme
