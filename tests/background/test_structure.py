"""The structure of a patch beside that of the background: light keeps it, objects hide it, ghosts have lost it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bgsub.background.adaptive.codes import MEAN_Y
from bgsub.background.adaptive.engine import Objects
from bgsub.background.adaptive.likeness import luma_within, measure
from bgsub.background.adaptive.structure import LEFT, LIGHT, OBJECT, Bounds, judge, verdicts_of
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


# ------------------------------------------------------------------------------------------- the sums that are judged


def neighbours(picture, height, width):
    """The pixels around each pixel; beyond the border the picture is mirrored, its outermost row not twice."""
    padded = np.pad(picture, ((height // 2, height // 2), (width // 2, width // 2)), mode="reflect")
    return np.lib.stride_tricks.sliding_window_view(padded, (height, width))


def gradient(picture):
    """Slope, grey levels a pixel: the mean of both sides, a row counting twice as much as those beside it."""
    around = neighbours(picture.astype(float), 3, 3)
    weights = np.array([1, 2, 1]) / 4
    across = (around[..., 2] - around[..., 0]) @ weights
    down = (around[:, :, 2] - around[:, :, 0]) @ weights
    return np.hypot(across, down)


@pytest.mark.parametrize("top", [0, 5])
@pytest.mark.parametrize(("height", "width"), [(3, 9), (6, 6), (7, 12), (12, 9), (5, 30)])
def test_the_sums_are_those_of_the_plain_formula(height, width, top):
    """Fine is what differs from the mean of 5 x 5; two pixels at the rim do not count where a third is left."""
    left = 0 if width == 30 else 8
    inside = np.zeros((24, 30), np.uint8)
    inside[top : top + height, left : left + width] = 255
    inner = np.zeros((24, 30), bool)
    for y, x in np.argwhere(inside):
        inner[y, x] = inside[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3].all()
    counted = inner if 3 * inner.sum() > (inside != 0).sum() else inside != 0
    fine, expected = (picture - neighbours(picture.astype(float), 5, 5).mean((2, 3)) for picture in (OTHER, TEXTURE))
    around = [inside[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2] for y, x in np.ndindex(24, 30)]
    outline = np.array([near.any() and not near.all() for near in around]).reshape(24, 30)
    found = measure(OTHER, TEXTURE, inside)
    assert found.n_pixels == counted.sum()
    assert found.product == pytest.approx((fine * expected)[counted].sum(), rel=1e-4, abs=1)
    assert found.seen_energy == pytest.approx((fine[counted] ** 2).sum(), rel=1e-4)
    assert found.learned_energy == pytest.approx((expected[counted] ** 2).sum(), rel=1e-4)
    assert found.seen_edges == pytest.approx(gradient(OTHER)[outline].mean(), rel=1e-4)
    assert found.learned_edges == pytest.approx(gradient(TEXTURE)[outline].mean(), rel=1e-4)


def test_a_colour_patch_is_judged_by_its_luma():
    colours = np.random.default_rng(3).integers(0, 256, (24, 30, 3), np.uint8)
    luma = colours @ np.array([0.114, 0.587, 0.299])
    found = measure(colours, TEXTURE, EVERYWHERE)
    assert found.product == pytest.approx(measure(luma.astype(np.float32), TEXTURE, EVERYWHERE).product, rel=0.05)


# ------------------------------------------------------------------------------------------------- who is asked

PARAMETERS = {"structure_area": 100, "structure": 0.5, "ghost_ratio": 0.5, "ghost_edges": 6.0}
LIT = measure(TEXTURE * 1.5, TEXTURE, LEFT_HALF)
GONE = measure(GROUND.astype(np.float32), edge(40).astype(np.float32), LEFT_HALF)
NEW = measure(OTHER, TEXTURE, LEFT_HALF)


def asked_of(areas, held, n_frames, **parameters):
    """Return the rows of which the likeness is asked."""
    rows = []
    verdicts_of(
        Objects(np.array(areas), np.array(held)),
        lambda asked: rows.extend(asked) or [NEW] * len(asked),
        {**PARAMETERS, **parameters},
        n_frames,
    )
    return rows


def test_each_object_gets_its_own_verdict():
    found = [NEW, LIT, GONE, LIT, NEW]
    kept, ghosts = verdicts_of(
        Objects(np.full(5, 500), np.zeros(5, int)), lambda rows: [found[row] for row in rows], PARAMETERS, 9
    )
    assert kept.tolist() == [True, False, False, False, True]
    assert ghosts.tolist() == [False, False, True, False, False]
    kept, ghosts = verdicts_of(
        Objects(np.zeros(0, int), np.zeros(0, int)), lambda rows: [found[row] for row in rows], PARAMETERS, 9
    )
    assert (len(kept), len(ghosts)) == (0, 0)


def test_small_objects_are_not_asked_and_stay():
    assert asked_of([99, 100, 20, 101], [0, 0, 0, 0], 9) == [1, 3]
    assert asked_of([99, 100, 20, 101], [0, 0, 0, 0], 9, structure_area=101) == [3]
    kept, ghosts = verdicts_of(Objects(np.array([99]), np.array([0])), lambda rows: [LIT] * len(rows), PARAMETERS, 9)
    assert (kept.tolist(), ghosts.tolist()) == ([True], [False])


@pytest.mark.parametrize("n_frames", range(7, 18))
def test_one_that_more_than_half_covers_where_objects_were_is_asked_in_every_eighth_frame(n_frames):
    asked = asked_of([200, 200, 200, 200], [0, 100, 101, 200], n_frames)
    assert asked == ([0, 1, 2, 3] if n_frames in (8, 16) else [0, 1])


@pytest.mark.parametrize("rows", [2, 5])
@pytest.mark.parametrize(
    "box",
    [
        np.s_[0:13, 0:90],
        np.s_[3:4, 5:6],
        np.s_[2:11, 20:80],
        np.s_[2:11, 40:47],
        np.s_[12:13, 3:90],
        np.s_[1:13:3, 2:90:4],
    ],
    ids=str,
)
def test_the_background_of_a_box_is_fetched_from_its_tiles(box, rows):
    luma = np.random.default_rng(0).uniform(0, 255, (13, 90)).astype(np.float32)
    modes = np.full((-(-luma.size // 16), rows, 16), -7, np.float32)
    for i, value in enumerate(luma.reshape(-1).tolist()):
        modes[i // 16, MEAN_Y, i % 16] = value
    np.testing.assert_array_equal(luma_within(box, modes, 90), luma[box])
