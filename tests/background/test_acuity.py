"""Where fog leaves little contrast, little differences count; noise is no reason to see more."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub import BackgroundSubtractor
from bgsub.background.adaptive.constants import acuity_of
from bgsub.background.adaptive.light import Light
from bgsub.background.parameters import check_adaptive
from tests.background.adaptive_scenes import wall

DEFAULTS = check_adaptive({})
SHAPE = (120, 160)


def acuity(contrast, noise, **parameters):
    return acuity_of({**DEFAULTS, **parameters}, Light(1.0, True, contrast, noise))


def test_acuity_grows_as_contrast_falls():
    """By the fourth power of what is missing to .42, up to 8."""
    assert [acuity(contrast, 0.0) for contrast in (1, 0.43, 0.42, 0.3, 0.25, 0.2, 0)] == pytest.approx(
        [1, 1, 1, 3.8416, 7.9659, 8, 8], rel=1e-4
    )
    assert acuity(0.3, 0.0, low_contrast=0.6) == pytest.approx(8)
    assert acuity(0.1, 0.0, low_contrast=0.0) == 1


def test_twice_the_noise_stays_within_what_is_allowed_for():
    """`var_min_y` is 20."""
    assert [acuity(0.2, noise) for noise in (0.0, 1.25, 4.0, 10.0, 11.0, 1e6, np.inf)] == pytest.approx(
        [8, 8, 2.5, 1, 1, 1, 1]
    )
    assert acuity(0.2, 4.0, noise_margin=4.0) == pytest.approx(1.25)
    assert acuity(0.2, 4.0, var_min_y=12.0) == pytest.approx(1.5)


# ------------------------------------------------------------------------------------------------ what is seen


def shown(view, difference, noise, seed=0, **parameters):
    """The shares of a square and of its surroundings that are marked; it is so much brighter than the mean."""
    rng, model = np.random.default_rng(seed), BackgroundSubtractor(stabilise=False, **parameters)
    for t in range(60):
        picture = view + rng.normal(0, noise, view.shape)
        if t >= 40:
            picture[40:80, 30 + t : 60 + t] = view.mean() + difference + rng.normal(0, noise, (40, 30, *view.shape[2:]))
        mask = model.apply(np.clip(np.rint(picture), 0, 255).astype(np.uint8)) == 255
    inside = np.zeros(SHAPE, bool)
    inside[40:80, 30 + t : 60 + t] = True
    return mask[inside].mean(), mask[~inside].mean()


def faint(channels, level=170.0):
    """A wall of 12 grey levels from dark to bright: in fog, or in a dim light."""
    view = wall(SHAPE, channels, 1, level=(60, 180)).astype(np.float64)
    low, high = np.percentile(view, (1, 99))
    return level + (view - low) * 12 / (high - low)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("difference", [14, -14])
def test_a_faint_object_in_fog_is_found(channels, difference):
    found, around = shown(faint(channels), difference, noise=1.0)
    assert found > 0.9
    assert around < 0.02
    missed, _ = shown(faint(channels), difference, noise=1.0, low_contrast=0.0)
    assert missed < 0.2


@pytest.mark.parametrize("channels", [1, 3])
def test_the_same_difference_in_a_dim_light_is_none(channels):
    """The view has all its contrast, and what a lamp or a screen adds to it is as strong as an object."""
    found, around = shown(faint(channels, level=12.0), 14, noise=1.0)
    assert found < 0.2
    assert around == 0


@pytest.mark.parametrize("noise", [3.0, 5.0, 8.0])
def test_a_noisy_view_without_contrast_is_no_reason_to_see_things(noise):
    _, around = shown(faint(3), 0, noise)
    assert around == 0


def test_a_lamp_and_a_dark_corner_do_not_hide_the_fog():
    view = faint(3)
    view[:8, :8] = 255
    view[-8:, :8] = 5
    found, _ = shown(view, 14, noise=1.0)
    assert found > 0.9
