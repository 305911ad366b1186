"""After how many frames something becomes background or is forgotten, worked out from the formula by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub import MOG2
from tests.background.twins import mixtures_of


def weights_of_the_wall(alpha, prior):
    """By the formula: the wall's weight in each frame from the object's second on, updated and not yet normalised."""
    wall, thing = 1 - alpha, alpha  # after the first, which gave the object a mode of its own
    while True:
        wall = (1 - alpha) * wall - alpha * prior
        thing = (1 - alpha) * thing + alpha - alpha * prior
        yield wall
        wall, thing = wall / (wall + thing), thing / (wall + thing)


def frames_until_the_wall_weighs_less_than(limit, alpha, prior):
    return next(n for n, weight in enumerate(weights_of_the_wall(alpha, prior), 2) if weight < limit)


WALL, THING = np.full((5, 7, 3), 90, np.uint8), np.full((5, 7, 3), 200, np.uint8)


@pytest.mark.parametrize(
    ("alpha", "share", "prior"),
    [(0.01, 0.9, 0.05), (0.005, 0.9, 0.05), (0.02, 0.7, 0.2), (0.03, 0.5, 0.0), (0.002, 0.95, 0.01)],
)
def test_a_stopped_object_becomes_background_after_as_many_frames_as_the_formula_says(alpha, share, prior):
    model = MOG2(background_ratio=share, complexity_prior=prior)
    for _ in range(5):
        model.apply(WALL, learning_rate=alpha)
    expected = frames_until_the_wall_weighs_less_than(share, alpha, prior)
    assert expected > 10
    for n in range(1, expected):
        assert (model.apply(THING, learning_rate=alpha) == 255).all(), n
    assert (model.apply(THING, learning_rate=alpha) == 0).all()
    assert (model.apply(WALL, learning_rate=alpha) == 0).all()  # the wall is background still


@pytest.mark.parametrize(("alpha", "prior"), [(0.05, 0.05), (0.02, 0.2), (0.1, 0.4)])
def test_the_old_background_is_forgotten_after_as_many_frames_as_the_formula_says(alpha, prior):
    expected = frames_until_the_wall_weighs_less_than(alpha * prior, alpha, prior)
    assert expected > 10
    model = MOG2(complexity_prior=prior, detect_shadows=False)
    model.apply(WALL)
    for n in range(1, expected + 1):
        model.apply(THING, learning_rate=alpha)
        assert (mixtures_of(model).n_modes == (2 if n < expected else 1)).all(), n
    assert (model.apply(WALL, learning_rate=alpha) == 255).all()


def test_a_glimpse_is_forgotten_when_the_formula_says():
    """An object that passes leaves a mode of weight alpha; the prior takes more in each frame."""
    model = MOG2(complexity_prior=0.05)
    for _ in range(50):
        model.apply(WALL)
    model.apply(THING)
    weight, n = 1 / (2 * 51), 51
    while True:
        n += 1
        alpha = 1 / (2 * n)
        weight = (1 - alpha) * weight - alpha * 0.05
        forgotten = weight < alpha * 0.05
        weight /= 1 - 2 * alpha * 0.05
        assert (model.apply(WALL) == 0).all()
        assert (mixtures_of(model).n_modes == (1 if forgotten else 2)).all(), n
        if forgotten:
            break
    assert n > 60


def test_a_darker_wall_is_shadow_down_to_the_threshold():
    model = MOG2(shadow_threshold=0.6, shadow_value=77)
    wall = np.full((4, 4, 3), (100, 140, 180), np.uint8)
    for _ in range(10):
        model.apply(wall)
    for brightness, expected in ((0.85, 77), (0.65, 77), (0.55, 255)):
        assert (model.apply((wall * brightness).astype(np.uint8), learning_rate=0) == expected).all()
    assert (model.apply((wall * 1.2).astype(np.uint8), learning_rate=0) == 255).all()  # brighter is no shadow
    model.set_parameters(detect_shadows=False)
    assert (model.apply((wall * 0.85).astype(np.uint8), learning_rate=0) == 255).all()
