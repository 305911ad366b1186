"""What stands above foreground is no shadow, what has nothing below it is."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub import BackgroundSubtractor
from bgsub.background.adaptive.codes import NOBODY, SHADOW, ZERO_BYTE
from bgsub.background.adaptive.kernels import Planes
from bgsub.background.adaptive.standing import raise_standing, share_below
from bgsub.background.adaptive.step import Standing
from tests.background.adaptive_scenes import calm, seen, wall

SHAPE = (60, 80)
FOREGROUND = ZERO_BYTE + 40


def evidence_with(shape, rows, columns):
    """Background, with foreground in a box."""
    evidence = np.full(shape, ZERO_BYTE - 40, np.uint8)
    evidence[rows, columns] = FOREGROUND
    return evidence


class TestShareBelow:
    def test_counts_what_lies_below_and_to_both_sides(self):
        share, spacing = share_below(evidence_with((60, 80), slice(30, 40), slice(20, 40)), 1 / 6)
        assert spacing == 1
        assert share.shape == (60, 80)
        assert share[30, 30] == 255  # the box of 10 rows is full
        assert share[25, 30] == pytest.approx(255 / 2, abs=1)
        assert share[30, 20] == pytest.approx(255 * 3 / 5, abs=1)  # of its 5 columns the left two are outside
        assert share[20, 30] == 0
        assert not share[40:].any()  # above is not below
        assert share[35, 30] == pytest.approx(255 / 2, abs=1)

    def test_beyond_the_picture_there_is_no_foreground(self):
        share, _ = share_below(evidence_with((60, 80), slice(0, 60), slice(0, 80)), 1 / 6)
        assert share[50, 40] == 255
        assert share[55, 40] == pytest.approx(255 / 2, abs=1)
        assert share[30, 0] < 255

    def test_of_large_frames_a_sample_is_looked_at(self):
        box = slice(300, 400), slice(500, 700)
        share, spacing = share_below(evidence_with((720, 1280), *box), 1 / 6)
        assert spacing == 6
        assert share.shape == (120, -(-1280 // 6) - 1)
        assert share[300 // 6, 600 // 6] == pytest.approx(255 * 100 / 120, abs=12)
        assert share[180 // 6 - 2, 600 // 6] == 0

    @pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (2, 3), (121, 7), (1000, 2)], ids=str)
    @pytest.mark.parametrize("reach", [0.0, 0.17, 1.0])
    def test_any_size_of_frame_and_reach(self, shape, reach):
        share, spacing = share_below(np.full(shape, FOREGROUND, np.uint8), reach)
        assert share.size >= 1
        assert share.max() > 0
        assert (share.shape[0] - 1) * spacing < shape[0]
        assert (share.shape[1] - 1) * spacing < shape[1]


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (9, 7), (8, 12), (40, 52), (250, 9)], ids=str)
def test_only_shadows_change_and_by_the_equation(shape):
    rng, n = np.random.default_rng(0), shape[0] * shape[1]
    planes = Planes(*(np.zeros((-(-n // 16), 16), np.uint8) for _ in Planes._fields))
    evidence, owner, closed = (
        plane.ravel()[:n].reshape(shape) for plane in (planes.evidence, planes.owner, planes.closed)
    )
    planes.evidence[...] = rng.integers(0, 256, planes.evidence.shape)
    planes.owner[...] = rng.choice([0, 2, NOBODY, SHADOW, SHADOW + 1], planes.owner.shape)
    planes.closed[...] = rng.random(planes.closed.shape) < 0.2
    before = evidence.copy()
    told_of = (owner >= SHADOW) & (closed == 0)
    constants = Standing(np.float32(20), np.float32(0.1))
    share, spacing = share_below(before, 0.17)
    raise_standing(planes, share, spacing, shape, constants, 0, len(planes.owner))
    i, j = (np.minimum(np.arange(n) // spacing, m - 1) for n, m in zip(shape, share.shape, strict=True))
    told = 8 * 20 * (share[np.ix_(i, j)] / 255 - 0.1)
    expected = np.where(told_of, np.clip(before + told, 0, 255), before)
    np.testing.assert_allclose(evidence, expected, atol=1)
    assert (evidence[~told_of] == before[~told_of]).all()


def grey_figure(picture):
    """A figure in front of a grey wall: its coat as dark as a shadow on the wall, its legs red."""
    picture = picture.copy()
    picture[22:30, 30:44] = picture[22:30, 30:44] * 0.6
    picture[30:45, 30:44] = (20, 20, 200)
    return picture


def with_shadow(picture):
    """A red box on the ground, and its shadow below it."""
    picture = picture.copy()
    picture[10:25, 30:44] = (20, 20, 200)
    picture[25:40, 30:44] = picture[25:40, 30:44] * 0.6
    return picture


def mask_of(scene, **parameters):
    rng, background = np.random.default_rng(1), wall(SHAPE, 3, 1).mean(2, keepdims=True) + np.array([0.0, 6.0, 9.0])
    model = BackgroundSubtractor(structure=1, **parameters)
    assert not calm(model, background, 30, rng).any()
    return model.apply(seen(scene(background), rng))


def test_the_dark_coat_of_a_figure_belongs_to_it():
    coat = slice(23, 29), slice(31, 43)
    assert (mask_of(grey_figure)[coat] == 255).mean() > 0.9
    assert (mask_of(grey_figure, standing_gain=0)[coat] == 255).mean() < 0.5


def test_a_shadow_below_its_object_stays_a_shadow():
    mask = mask_of(with_shadow)
    assert (mask[11:24, 31:43] == 255).mean() > 0.9
    assert (mask[27:39, 31:43] == 127).mean() > 0.9


def test_what_is_outside_the_region_holds_nothing_up():
    """The tiles of the region's edge are looked at whole, but the legs in them do not count."""
    inside, coat = np.ones(SHAPE, bool), (slice(23, 29), slice(31, 43))
    assert (mask_of(grey_figure, region=inside)[coat] == 255).mean() > 0.9
    inside[30:, ::2] = inside[30:, 28:46] = False
    assert (mask_of(grey_figure, region=inside)[coat] == 255).mean() < 0.5


def test_known_foreground_holds_up_what_stands_on_it():
    """Legs as grey as the coat are found where they are known."""
    rng, background = np.random.default_rng(1), wall(SHAPE, 3, 1).mean(2, keepdims=True) + np.array([0.0, 6.0, 9.0])
    model, known = BackgroundSubtractor(structure=1), np.zeros(SHAPE, bool)
    calm(model, background, 30, rng)
    dark = background.copy()
    dark[22:45, 30:44] *= 0.6
    known[30:45, 30:44] = True
    frame, coat = seen(dark, rng), (slice(23, 29), slice(31, 43))
    assert (model.apply(frame, learning_rate=0)[coat] == 255).mean() < 0.1
    assert (model.apply(frame, learning_rate=0, known_foreground=known)[coat] == 255).mean() > 0.9
