"""Evidence as a picture: smoothing, and the probability that it stands for."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub.background.adaptive.codes import ZERO_BYTE
from bgsub.background.adaptive.evidence import probability_of, smoothed


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
