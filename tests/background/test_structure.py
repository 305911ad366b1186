"""The structure of a patch beside that of the background: light keeps it, objects hide it, ghosts have lost it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bgsub.background.adaptive.likeness import measure
from bgsub.background.adaptive.structure import LEFT, LIGHT, OBJECT, Bounds, judge
from bgsub.background.adaptive.structure import correlation as correlation_of

TEXTURE = np.random.default_rng(0).uniform(60, 140, (24, 30)).astype(np.float32)
OTHER = np.random.default_rng(1).uniform(60, 140, (24, 30)).astype(np.float32)
EVERYWHERE = np.full((24, 30), 255, np.uint8)


def correlation(luma, background, inside):
    return correlation_of(measure(luma, background, inside))


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


def test_structure_of_a_grey_level_and_a_half_is_enough_to_tell():
    """Of what is left after the local mean is taken away, and less is noise."""
    fine = TEXTURE - cv2.blur(TEXTURE, (5, 5))
    scale = 1.5 / np.sqrt((fine[2:-2, 2:-2] ** 2).mean())
    assert correlation(TEXTURE * 0.8 * scale, TEXTURE * 1.05 * scale, EVERYWHERE) > 0.99
    assert correlation(TEXTURE * 0.8 * scale, TEXTURE * 0.95 * scale, EVERYWHERE) == 0


def test_the_rim_of_an_object_does_not_count_unless_it_is_most_of_it():
    """There the object's structure mixes with that around it. A bar of 5 rows is left with a fifth of its pixels."""
    for height, expected in ((9, True), (5, False)):
        inside = np.zeros((24, 30), np.uint8)
        inside[6 : 6 + height, 3:27] = 255
        rim = (inside != 0) & (cv2.erode(inside, np.ones((5, 5), np.uint8)) == 0)
        far_off = np.where(rim, OTHER, TEXTURE)
        assert (correlation(far_off, TEXTURE, inside) > 0.6) == expected


# ------------------------------------------------------------------------------------------------- verdicts

BOUNDS = Bounds(structure=0.5, ghost_ratio=0.5, ghost_edges=6.0)
LEFT_HALF = np.zeros((24, 30), np.uint8)
LEFT_HALF[:, :15] = 255


def verdict(luma, background, inside=LEFT_HALF, **bounds):
    found = measure(luma.astype(np.float32), background.astype(np.float32), inside)
    return judge(found, BOUNDS._replace(**bounds))


def edge(height, ground=100.0):
    """A picture whose left half is brighter: its gradient, by Sobel / 4, is the height on both sides of the edge."""
    return np.where(LEFT_HALF, ground + height, ground)


GROUND = edge(0)


def test_ground_with_an_edge_learned_that_is_no_more_has_been_left():
    assert verdict(GROUND, edge(40)) == LEFT
    assert verdict(GROUND, edge(-40)) == LEFT
    assert verdict(edge(40), GROUND) == OBJECT
    assert verdict(edge(40), edge(40) + 30) == OBJECT


@pytest.mark.parametrize(("height", "expected"), [(6.1, LEFT), (5.9, OBJECT)])
def test_the_least_edge_of_a_ghost(height, expected):
    assert verdict(GROUND, edge(height)) == expected
    assert verdict(GROUND, edge(height), ghost_edges=height - 0.01) == LEFT
    assert verdict(GROUND, edge(height), ghost_edges=height + 0.01) == OBJECT


@pytest.mark.parametrize(("seen", "expected"), [(0, LEFT), (19, LEFT), (21, OBJECT), (40, OBJECT)])
def test_the_edge_that_is_seen_is_less_than_a_share_of_the_one_learned(seen, expected):
    assert verdict(edge(seen), edge(40)) == expected
    assert verdict(edge(seen), edge(40), ghost_ratio=(seen + 1) / 40) == LEFT
    assert verdict(edge(seen), edge(40), ghost_ratio=max(seen - 1, 0) / 40) == OBJECT


def test_only_the_outline_tells_of_a_ghost():
    """Edges within the place, or far from it, are not asked."""
    inner, plain = GROUND.copy(), np.zeros((24, 30), np.uint8)
    plain[8:16, 10:20] = 255
    inner[11:13, 14:16] = 250
    assert verdict(GROUND, inner, plain) == OBJECT
    framed = np.where(plain, 180.0, 100.0)
    assert verdict(inner, framed, plain) == LEFT
    far = GROUND.copy()
    far[:3, :3] = 250
    assert verdict(far, framed, plain) == LEFT
    assert verdict(GROUND, far, plain) == OBJECT


def test_what_fills_the_picture_is_no_ghost():
    assert verdict(GROUND, edge(40), EVERYWHERE) == OBJECT
    assert verdict(GROUND, TEXTURE, EVERYWHERE) == OBJECT


def test_ghosts_are_looked_for_first_and_not_at_all_with_a_ratio_of_0():
    """The ground that an object has left may look like it: textured like the one that was learned."""
    texture = (TEXTURE - 100) / 4
    seen, learned = GROUND + texture, edge(80) + texture
    assert verdict(seen, learned) == LEFT
    assert verdict(seen, learned, ghost_ratio=0) == LIGHT
    assert verdict(seen, learned, ghost_ratio=0, structure=1) == OBJECT
    assert verdict(GROUND, edge(40), ghost_ratio=0) == OBJECT


def test_light_on_the_background_is_none_but_by_its_structure():
    assert verdict(TEXTURE * 1.5, TEXTURE) == LIGHT
    assert verdict(TEXTURE * 1.5, TEXTURE, structure=1) == OBJECT
    assert verdict(TEXTURE, TEXTURE, structure=1) == OBJECT  # a correlation of 1 is not asked for
    assert verdict(OTHER, TEXTURE) == OBJECT


@pytest.mark.parametrize("structure", [0.2, 0.5, 0.8])
def test_the_correlation_from_which_something_is_light(structure):
    for share in np.linspace(0, 1, 21):
        seen = (share * TEXTURE + (1 - share) * OTHER).astype(np.float32)
        likeness = correlation(seen, TEXTURE, LEFT_HALF)
        assert verdict(seen, TEXTURE, structure=structure) == (LIGHT if likeness >= structure else OBJECT)
