"""Evidence as a picture: smoothing, and the probability that it stands for."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub.background.adaptive.codes import NOBODY, SHADOW, ZERO_BYTE
from bgsub.background.adaptive.evidence import probability_of, shadows_of, smoothed


def test_smoothing_spreads_evidence_and_keeps_its_level():
    evidence = np.full((21, 21), 100, np.uint8)
    assert smoothed(evidence, 0) is evidence
    np.testing.assert_array_equal(smoothed(evidence, 1.5), evidence)
    evidence[10, 10] = 255
    spread = smoothed(evidence, 1.5).astype(int)
    assert 100 < spread[10, 11] < spread[10, 10] < 255
    np.testing.assert_array_equal(spread, spread.T)
    np.testing.assert_array_equal(spread, spread[::-1, ::-1])
    assert spread[10, 10] == pytest.approx(100 + 155 / (2 * np.pi * 1.5**2), abs=2)
    assert (spread[10, 18:] == 100).all()


def test_the_probability_is_the_logistic_function_of_the_evidence():
    evidence, probability = np.arange(256, dtype=np.uint8).reshape(16, 16), np.zeros((16, 16), np.float32)
    probability_of(evidence, probability)
    odds = (np.arange(256) - 160) / 8
    np.testing.assert_allclose(probability.ravel(), 1 / (1 + np.exp(-odds)), rtol=1e-5)
    assert probability.ravel()[ZERO_BYTE] == 0.5


@pytest.mark.parametrize("value", [1, 90, 255])
def test_shadows_are_where_most_pixels_around_were_explained_as_one(value):
    """Of 5 x 5: 13 are enough, though the one in the middle is none; 12 are not, though it is one."""
    rng = np.random.default_rng(0)
    others = [place for place in np.ndindex(5, 5) if place != (2, 2)]
    for places, expected in ((rng.permutation(others)[:13], value), ([*rng.permutation(others)[:11], (2, 2)], 0)):
        owner = np.full((11, 11), NOBODY, np.uint8)
        for i, (row, column) in enumerate(places):
            owner[3 + row, 3 + column] = SHADOW + i % 3  # which mode it was does not matter
        assert shadows_of(owner, value)[5, 5] == expected
        assert not shadows_of(owner, value)[0, 0]
