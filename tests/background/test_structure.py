"""The structure of a patch beside that of the background: light keeps it, objects hide it."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub.background.adaptive.structure import correlation

TEXTURE = np.random.default_rng(0).uniform(60, 140, (24, 30)).astype(np.float32)
OTHER = np.random.default_rng(1).uniform(60, 140, (24, 30)).astype(np.float32)
EVERYWHERE = np.full((24, 30), 255, np.uint8)


@pytest.mark.parametrize(("gain", "offset"), [(1, 0), (0.5, 0), (1.6, 0), (1, 40), (0.7, 30)])
def test_light_on_the_background_correlates(gain, offset):
    noise = np.random.default_rng(2).normal(0, 2, TEXTURE.shape).astype(np.float32)
    assert correlation(TEXTURE * gain + offset + noise, TEXTURE, EVERYWHERE) > 0.97


def test_light_that_varies_slowly_correlates():
    ramp = np.linspace(0.6, 1.5, 30, dtype=np.float32)
    assert correlation(TEXTURE * ramp, TEXTURE, EVERYWHERE) > 0.9


@pytest.mark.parametrize("patch", [OTHER, np.full_like(TEXTURE, 200)], ids=["textured", "plain"])
def test_an_object_does_not(patch):
    assert abs(correlation(patch, TEXTURE, EVERYWHERE)) < 0.15


def test_the_negative_has_a_correlation_below_0():
    assert correlation(255 - TEXTURE, TEXTURE, EVERYWHERE) == pytest.approx(-1, abs=1e-3)


def test_only_what_is_inside_counts():
    inside = np.zeros((24, 30), np.uint8)
    inside[:, :12] = 1
    patch = TEXTURE.copy()
    patch[:, 15:] = OTHER[:, 15:]
    assert correlation(patch, TEXTURE, inside) > 0.99
    assert correlation(patch, TEXTURE, 1 - inside) < 0.6


def test_a_plain_background_tells_nothing():
    plain = np.full((24, 30), 90, np.float32)
    faint = plain + np.random.default_rng(0).normal(0, 0.5, plain.shape).astype(np.float32)
    for background in (plain, faint):
        assert correlation(background * 0.7, background, EVERYWHERE) == 0
