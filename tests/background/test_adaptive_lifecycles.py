"""What becomes of squares, stops, light, shadows and blinking walls in the course of a sequence."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bgsub import MOG2, BackgroundSubtractor
from tests.background.adaptive_scenes import calm, f_measure, in_light, seen, square, wall, with_square

pytestmark = pytest.mark.slow

SHAPE = (60, 80)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_square_that_walks_is_found_after_30_calm_frames(channels, seed):
    rng, background = np.random.default_rng(seed), wall(SHAPE, channels, seed)
    model = BackgroundSubtractor()
    assert not calm(model, background, 30, rng).any()
    scores = []
    for left in range(5, 60, 3):
        mask = model.apply(seen(with_square(background, 20, left), rng))
        scores.append(f_measure(mask, square(SHAPE, 20, left)))
        assert not (mask[~square(SHAPE, 14, left - 6, 26)] == 255).any()
    assert np.mean(scores) > 0.8
    assert min(scores) > 0.6
    assert not calm(model, background, 3, rng).any()  # it leaves no trail


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("factor", [0.8, 1.2])
def test_a_change_of_all_light_gives_no_foreground(channels, factor):
    rng, background = np.random.default_rng(0), wall(SHAPE, channels)
    model = BackgroundSubtractor()
    calm(model, background, 30, rng)
    for _ in range(30):
        assert (model.apply(seen(background * factor, rng)) == 255).mean() < 0.002
    mask = model.apply(seen(with_square(background, 20, 30) * factor, rng))
    assert f_measure(mask, square(SHAPE, 20, 30)) > 0.7
    for _ in range(30):
        assert (model.apply(seen(background, rng)) == 255).mean() < 0.002


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("factor", [0.8, 1.2])
def test_without_compensation_the_light_counts(channels, factor):
    """So the test above shows something; what else explains light is off in both."""
    background, shares = wall(SHAPE, channels), {}
    for compensate in (True, False):
        rng = np.random.default_rng(0)
        model = BackgroundSubtractor(compensate_light=compensate, structure=1, detect_shadows=False)
        calm(model, background, 30, rng)
        shares[compensate] = (model.apply(seen(background * factor, rng)) == 255).mean()
    assert shares[True] < 0.002
    assert shares[False] > 0.3


ABSORBED = 0.186  # weight at which a Gaussian with a usual distance counts as background, see `learning_rates`


def frames_until_absorbed(seconds, frame_rate):
    """By the formula: foreground is learned at a rate a, and has the weight 1 - (1 - a)^n after n frames."""
    rate = ABSORBED / (seconds * frame_rate)
    return np.log(1 - ABSORBED) / np.log(1 - rate)


@pytest.mark.parametrize(("seconds", "frame_rate"), [(6.0, 10.0), (3.0, 50.0), (30.0, 5.0)])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_stopped_object_is_absorbed_when_the_user_said(seconds, frame_rate, channels):
    """Within 45 %: how soon depends on how much the object's pixels vary."""
    rng, background = np.random.default_rng(0), wall(SHAPE, channels)
    model = BackgroundSubtractor(
        absorption_time=seconds,
        frame_rate=frame_rate,
        history=50,
        taper=0,
        low_weight=0.1,
        weight_doubt=6,
        threshold=6.5,
    )
    calm(model, background, 100, rng)
    thing, truth = with_square(background, 20, 30, 18), square(SHAPE, 24, 34, 10)
    expected = frames_until_absorbed(seconds, frame_rate)
    assert expected == pytest.approx(seconds * frame_rate, rel=0.15)
    absorbed = None
    for n in range(1, int(2 * expected)):
        share = (model.apply(seen(thing, rng))[truth] == 255).mean()
        if share < 0.5:
            absorbed = n
            break
        assert share > 0.9 or n > 0.55 * expected
    assert absorbed == pytest.approx(expected, rel=0.45)
    assert not calm(model, thing, int(expected), rng)[truth].any()


@pytest.mark.parametrize("channels", [1, 3])
def test_where_an_object_stood_from_the_start_is_background_soon_after_it_went(channels):
    rng, background = np.random.default_rng(0), wall(SHAPE, channels)
    model = BackgroundSubtractor(absorption_time=600, history=500)
    calm(model, with_square(background, 20, 20), 10, rng)
    for left in range(20, 63):
        mask = model.apply(seen(with_square(background, 20, left), rng))
    assert not (mask[:, :55] == 255).any()
    assert (mask[square(SHAPE, 23, 65, 8)] == 255).all()


def frames_of_a_ghost(most, **parameters):
    """A box stands from the first frame on and goes after 100; return shares of mask and evidence where it was."""
    rng, ground, truth = np.random.default_rng(0), np.full((*SHAPE, 3), 110.0), square(SHAPE, 22, 32, 14)
    model = BackgroundSubtractor(**parameters)
    calm(model, with_square(ground, 20, 30, 18), 100, rng)
    shares, probability = [], np.zeros(SHAPE, np.float32)
    for _ in range(most):
        mask = model.apply(seen(ground, rng), probability=probability)
        shares.append(((mask[truth] == 255).mean(), (probability[truth] > 0.5).mean()))
    return shares


@pytest.mark.parametrize("rate", [0.01, 0.02, 0.04, 0.2])
def test_ground_that_an_object_has_left_is_background_after_the_frames_that_its_rate_takes(rate):
    """By the formula: when 1 - (1 - a)^n is the weight that counts, `low_weight` and what early frames may have given.

    It is no foreground in between, and a Gaussian begins with what one frame gives.
    """
    for n, (marked, unexplained) in enumerate(frames_of_a_ghost(30, ghost_rate=rate, low_contrast=0.0)):
        weight, counts = 1 - (1 - max(rate, 1 / (100 + n))) ** n, 0.1 + 2.0 / (100 + n)
        assert marked == 0
        if abs(weight - counts) > 0.015:
            assert unexplained == pytest.approx(float(weight < counts), abs=0.01), n


def test_in_a_view_without_contrast_ground_that_an_object_has_left_blinks_at_most_once():
    """A wall of one grey passes for fog, where the new Gaussian of the ground, still wide, counts as sharp."""
    shares = frames_of_a_ghost(30)
    assert sum(marked > 0 for marked, _ in shares) <= 1
    assert all(marked == 0 for marked, _ in shares[3:])
    assert shares[-1] == (0, 0)


def test_without_a_look_for_ghosts_the_ground_stays_an_object():
    """So the test above shows something; and with a rate of 0, what an object has left is learned like background."""
    assert frames_of_a_ghost(30, ghost_ratio=0) == [(1.0, 1.0)] * 30
    shares = frames_of_a_ghost(30, ghost_rate=0, low_contrast=0.0)
    assert [marked for marked, _ in shares] == [0] * 30
    assert [unexplained for _, unexplained in shares][:10] == [1] * 10
    assert shares[-1][1] == 0


# ------------------------------------------------------------------------------------------------------------- shadows


def shaded(picture, factor=0.7):
    picture = picture.copy()
    picture[20:40, 25:45] *= factor
    return picture


CORE = square(SHAPE, 23, 28, 14)


def mask_of_shadow(background, factor=0.7, **parameters):
    rng, model = np.random.default_rng(0), BackgroundSubtractor(structure=1, smoothing=0, **parameters)
    calm(model, background, 30, rng)
    return model.apply(seen(shaded(background, factor), rng))


@pytest.mark.parametrize("value", [127, 50, 1])
def test_a_cast_shadow_is_marked_with_its_value(value):
    background = wall(SHAPE, level=(70, 170))
    mask = mask_of_shadow(background, shadow_value=value, shadow_threshold=0.5)
    assert set(np.unique(mask)) <= {0, value}
    assert (mask[CORE] == value).mean() > 0.7
    assert (mask[~square(SHAPE, 18, 23, 24)] == 0).all()


def test_without_detection_a_shadow_is_foreground():
    mask = mask_of_shadow(wall(SHAPE, level=(70, 170)), detect_shadows=False)
    assert set(np.unique(mask)) <= {0, 255}
    assert (mask[CORE] == 255).mean() > 0.9


def test_what_is_darker_than_any_shadow_is_foreground():
    mask = mask_of_shadow(wall(SHAPE, level=(70, 170)), factor=0.3, shadow_threshold=0.5)
    assert (mask[CORE] == 255).mean() > 0.9


def test_a_dimmed_place_of_another_hue_is_no_shadow():
    rng, background = np.random.default_rng(0), wall(SHAPE, level=(70, 170))
    model = BackgroundSubtractor(structure=1)
    calm(model, background, 30, rng)
    assert (model.apply(seen(shaded(background, np.array([0.4, 0.7, 1.0])), rng))[CORE] == 255).mean() > 0.9


@pytest.mark.parametrize("as_bgr", [True, False])
def test_grey_pictures_have_no_shadows(as_bgr):
    rng, background = np.random.default_rng(0), wall(SHAPE, 1, level=(70, 170))
    model = BackgroundSubtractor(structure=1)
    convert = (lambda frame: np.dstack([frame] * 3)) if as_bgr else (lambda frame: frame)
    for t in range(40):
        mask = model.apply(convert(seen(background if t < 30 else shaded(background, 0.6), rng)))
        assert set(np.unique(mask)) <= {0, 255}
    assert (mask[CORE] == 255).any()


# ---------------------------------------------------------------------------------------------------- blinking, specks


@pytest.mark.parametrize("channels", [1, 3])
def test_a_blinking_wall_is_absorbed_and_a_large_object_on_it_found(channels):
    """Of two colours far apart; OpenCV's model, with two Gaussians for three colours, never calms down."""
    rng = np.random.default_rng(0)
    dark, bright = wall(SHAPE, channels, 1, (40, 90)), wall(SHAPE, channels, 2, (120, 170))

    def blinking(share):
        return np.where(rng.random(SHAPE if channels == 1 else (*SHAPE, 1)) < share, bright, dark)

    model = BackgroundSubtractor()
    shares = [(model.apply(seen(blinking(0.25), rng)) == 255).mean() for _ in range(150)]
    assert np.mean(shares[-50:]) < 0.005
    scores = []
    for left in range(10, 50, 4):
        mask = model.apply(seen(with_square(blinking(0.25), 15, left, 26, (250, 250, 5)), rng))
        scores.append(f_measure(mask, square(SHAPE, 15, left, 26)))
    assert np.mean(scores) > (0.7 if channels == 3 else 0.5)


def test_rare_blinks_make_flicker_and_flicker_asks_for_more():
    rng, background = np.random.default_rng(0), wall(SHAPE)
    shares = {}
    for doubt in (0.0, 60.0):
        model, share = BackgroundSubtractor(flicker_doubt=doubt, flicker_rate=0.05, min_area=0), []
        for t in range(120):
            speckled = np.where(rng.random((*SHAPE, 1)) < 0.1, rng.uniform(0, 255, (*SHAPE, 3)), background)
            mask = model.apply(seen(speckled, rng))
            share.append((mask == 255).mean() if t >= 60 else 0)
        shares[doubt] = np.sum(share) / 60
    assert shares[60.0] < 0.5 * shares[0.0]


def traffic(n_frames, shape=(240, 320), height=14, width=24, gap=64, speed=13):
    """Twelve lanes of cars, each of another colour, of a size between what is large in a calm and in a lively scene."""
    rng, background = np.random.default_rng(4), wall(shape, seed=4)
    colours = rng.uniform(0, 255, (4000, 3))
    for t in range(n_frames):
        picture, passed = background.copy(), speed * t // gap
        for lane, top in enumerate(range(4, shape[0] - height, height + 6)):
            for car in range(-1, shape[1] // gap + 1):
                left = gap * car + speed * t % gap
                picture[top : top + height, max(0, left) : max(0, left + width)] = colours[100 * lane + car - passed]
        yield seen(picture, rng)


def test_a_scene_full_of_traffic_from_the_start_is_not_taken_for_one_in_motion():
    model = BackgroundSubtractor()
    for frame in traffic(100):
        mask = model.apply(frame)
    assert (mask == 255).mean() > 0.2  # of 0.26 that the cars cover


@pytest.mark.parametrize("size", [2, 3, 5, 8])
def test_specks_are_dropped_below_the_least_area(size):
    rng, background = np.random.default_rng(0), wall(SHAPE)
    for least, found in ((size * size // 2, True), (4 * size * size + 40, False)):
        model = BackgroundSubtractor(min_area=least, lively_area=0, smoothing=0, structure=1)
        calm(model, background, 30, rng)
        mask = model.apply(seen(with_square(background, 20, 30, size), rng))
        assert (mask == 255).any() == found


@pytest.mark.parametrize(("fill_area", "filled"), [(0.02, True), (0.0, False)])
def test_small_holes_are_filled(fill_area, filled):
    rng, background = np.random.default_rng(0), wall(SHAPE)
    model = BackgroundSubtractor(fill_area=fill_area, smoothing=0, structure=1)
    calm(model, background, 30, rng)
    picture = with_square(background, 20, 30, 20)
    picture[26:34, 36:44] = background[26:34, 36:44]  # 64 pixels, 0.013 of the frame
    mask = model.apply(seen(picture, rng))
    assert (mask[27:33, 37:43] == 255).all() if filled else not mask[27:33, 37:43].any()
    assert (mask[20:25, 30:50] == 255).mean() > 0.9


def test_a_lamp_on_a_part_of_the_wall_is_light_and_no_object():
    """Light keeps the structure; the same brightness painted flat does not."""
    rng, background = np.random.default_rng(0), wall(SHAPE, level=(60, 120))
    lit, covered = in_light(background, 1.6, 15, 20, 30), with_square(background, 15, 20, 30, (150, 150, 150))
    for picture, found in ((lit, False), (covered, True)):
        model = BackgroundSubtractor(structure=0.5, structure_area=50)
        calm(model, background, 30, rng)
        assert (model.apply(seen(picture, rng))[23:37, 28:42] == 255).mean() == pytest.approx(float(found), abs=0.1)


def test_a_pan_by_a_pixel_over_a_trembling_texture_disturbs_it_less_than_mog2():
    """A camera that trembles by a pixel: neighbours explain what moved."""
    rng, texture = np.random.default_rng(0), wall((70, 90), seed=3)
    texture = cv2.GaussianBlur(texture, (0, 0), 1.0)
    ours, theirs = BackgroundSubtractor(stabilise=False), MOG2()
    found = np.zeros(2)
    for t in range(120):
        y, x = rng.integers(0, 3, 2) if t % 2 else (1, 1)
        frame = seen(texture[y : y + 60, x : x + 80], rng)
        found += [(model.apply(frame) == 255).mean() if t >= 60 else 0 for model in (ours, theirs)]
    assert found[0] < 0.2 * found[1]


def test_a_camera_that_sways_is_found_out_and_held_still():
    """The whole view moves; the square on it is found where the frame shows it."""
    background = wall((120, 150), seed=3, level=(20, 235))
    scores, bare = {}, {}
    for stabilise in (True, False):
        rng, model, score, empty = np.random.default_rng(0), BackgroundSubtractor(stabilise=stabilise), [], []
        for t in range(90):
            y, x = round(12 + 4 * np.sin(0.37 * t)), round(12 + 4 * np.cos(0.23 * t))
            picture = with_square(background, 40, 20 + t, 18, (250, 250, 5)) if t >= 60 else background
            mask = model.apply(seen(picture[y : y + 96, x : x + 126], rng))
            if t >= 60:
                score.append(f_measure(mask, square((120, 150), 40, 20 + t, 18)[y : y + 96, x : x + 126]))
            elif t >= 40:
                empty.append((mask == 255).mean())
        scores[stabilise], bare[stabilise] = np.mean(score), np.mean(empty)
    assert bare[True] < 0.01
    assert scores[True] > 0.75
    assert scores[True] > scores[False] + 0.1


def test_a_camera_that_stands_still_is_left_alone():
    rng, background = np.random.default_rng(0), wall((96, 126), seed=3, level=(20, 235))
    model, other = BackgroundSubtractor(), BackgroundSubtractor(stabilise=False)
    for t in range(60):
        frame = seen(with_square(background, 40, 10 + t, 30) if t > 20 else background, rng)
        np.testing.assert_array_equal(model.apply(frame), other.apply(frame))
