"""Cameras that shake, and those that only seem to: known movements of a textured picture are the reference."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bgsub import BackgroundSubtractor
from bgsub.background.adaptive.displacement import Displacement
from bgsub.background.adaptive.registration import Registration, mean_displacement, small, small_shape
from bgsub.background.region import region_mask
from tests.background.adaptive_scenes import arrays_of, engaged, reference_of

SHAPE = (96, 128)
MARGIN = 24  # of the world around what the camera shows at rest


def world(shape=SHAPE, seed=0):
    """A textured surface, larger than a frame by the margin on all sides; float32, (H, W, 3)."""
    rng = np.random.default_rng(seed)
    blocks = rng.uniform(40, 200, (shape[0] // 6 + 9, shape[1] // 6 + 9, 3)).astype(np.float32)
    size = (shape[1] + 2 * MARGIN, shape[0] + 2 * MARGIN)
    return cv2.GaussianBlur(cv2.resize(blocks, size, interpolation=cv2.INTER_NEAREST), (0, 0), 0.7)


def view(surface, dx=0.0, dy=0.0, rng=None):
    """What a camera shows in whose frame everything has moved by (dx, dy)."""
    size = (surface.shape[1] - 2 * MARGIN, surface.shape[0] - 2 * MARGIN)
    matrix = np.array([[1, 0, MARGIN - dx], [0, 1, MARGIN - dy]], float)
    picture = cv2.warpAffine(surface, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    noise = 0 if rng is None else rng.normal(0, 2, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def shaken(n, reach=4.0, square_from=None, seed=0):
    """Return frames, movements and, where the square is in the frame, truth of a camera that shakes."""
    rng, surface = np.random.default_rng(seed), world(seed=seed)
    moves = rng.uniform(-reach, reach, (n, 2))
    frames, truth = [], []
    for t, (dx, dy) in enumerate(moves):
        scene, inside = surface.copy(), np.zeros(surface.shape[:2], np.float32)
        if square_from is not None and t >= square_from:
            box = (
                slice(MARGIN + 30, MARGIN + 50),
                slice(MARGIN + 3 * (t - square_from), MARGIN + 3 * (t - square_from) + 20),
            )
            scene[box], inside[box] = (20, 240, 250), 255
        frames.append(view(scene, dx, dy, rng))
        truth.append(view(inside[..., None].repeat(3, 2), dx, dy)[..., 0] > 127)
    return frames, moves, truth


def learned(frames, **parameters):
    model = BackgroundSubtractor(**parameters)
    for frame in frames:
        model.apply(frame)
    return model


class Pictures:
    """Gives small pictures of frames, and of one background."""

    def __init__(self, background=None):
        self.background = background

    def small_frame(self, pixels, shape):
        return small(pixels, shape)

    def small_background(self, shape):
        return small(self.background, shape)


def registration_of(background):
    """A registration that knows a background, and that the camera shakes."""
    registration = Registration(np.zeros(background.shape[:2], bool))
    registration.renew(small(background, registration.shape))
    registration.set_progress({"engaged": True, "recent": [], "calm": 0})
    return registration


# ------------------------------------------------------------------------------------------------- the measurement


@pytest.mark.parametrize("shape", [SHAPE, (150, 900)], ids=str)
@pytest.mark.parametrize("grey", [False, True], ids=["colour", "grey"])
@pytest.mark.parametrize("floats", [False, True], ids=["bytes", "floats"])
def test_a_known_movement_is_found(shape, grey, floats):
    surface = world(shape)

    def seen(dx, dy):
        frame = view(surface, dx, dy)[..., 1] if grey else view(surface, dx, dy)
        return frame.astype(np.float32) if floats else frame

    registration = registration_of(seen(0, 0))
    assert registration.reference.shape == small_shape(shape)
    for dx, dy in [(0, 0), (3.5, -2.25), (-6, 5), (0.75, 0.75)]:
        matrix = registration.follow(Pictures(), seen(dx, dy), 7, learn=False)
        corners = np.array([[0, 0, 1], [shape[1], 0, 1], [0, shape[0], 1], [shape[1], shape[0], 1]], float)
        expected = corners[:, :2] + [dx, dy]
        np.testing.assert_allclose(corners @ matrix.T, expected, atol=0.3 if shape == SHAPE else 0.6)


def test_rotation_and_scale_are_found_about_the_right_point():
    """On a copy of a third of the size; a matrix that is scaled up wrongly misses by a pixel."""
    shape = (300, 1000)
    picture = view(world(shape))
    registration = registration_of(picture)
    matrix = cv2.getRotationMatrix2D((500, 150), 1.0, 1.01)
    turned = cv2.warpAffine(picture, matrix, (1000, 300), borderMode=cv2.BORDER_REPLICATE)
    found = registration.follow(Pictures(), turned, 7, learn=False)
    corners = np.array([[0, 0, 1], [1000, 0, 1], [0, 300, 1], [1000, 300, 1]], float)
    np.testing.assert_allclose(corners @ found.T, corners @ matrix.T, atol=0.5)


@pytest.mark.parametrize("case", ["too far", "noise", "nothing", "a small picture", "zoomed"])
def test_what_is_no_shaking_gives_no_matrix(case):
    shape = (20, 128) if case == "a small picture" else SHAPE
    rng, surface = np.random.default_rng(0), world(shape)
    registration = registration_of(view(surface))
    frame = {
        "too far": view(surface, 18, 0),
        "noise": rng.integers(0, 256, (*SHAPE, 3), np.uint8),
        "nothing": np.full((*SHAPE, 3), 90, np.uint8),
        "a small picture": view(surface, 2, 2),
        "zoomed": cv2.resize(view(surface), None, fx=1.2, fy=1.2)[: SHAPE[0], : SHAPE[1]],
    }[case]
    assert registration.follow(Pictures(), frame, 7, learn=True) is None


def test_a_frame_is_interpolated_and_a_mask_is_not():
    shift = Displacement(np.array([[1, 0, 0.5], [0, 1, 0.0]]), (4, 6))
    ramp = np.tile(np.arange(0, 60, 10, np.uint8), (4, 1))
    np.testing.assert_array_equal(shift.to_background(ramp)[:, :-1], ramp[:, :-1] + 5)
    np.testing.assert_array_equal(shift.to_frame(ramp)[:, 1:], ramp[:, 1:] - 5)
    for moved in (shift.to_background(ramp, nearest=True), shift.to_frame(ramp, nearest=True)):
        assert set(np.unique(moved)) <= set(np.unique(ramp))


def test_a_movement_is_as_large_as_it_takes_the_corners_away():
    """Scaled by 1.1 about (0, 0), 30 x 40: by 0, 4, 3 and 5 pixels; each corner counts, and each to the pixel."""
    shape, about_corner = (30, 40), np.array([[1.1, 0, 0], [0, 1.1, 0]])
    assert mean_displacement(about_corner, shape) == pytest.approx(3.0)
    for x, y in [(0, 0), (40, 0), (0, 30), (40, 30)]:  # about another one, which stays
        matrix = about_corner - [[0, 0, 0.1 * x], [0, 0, 0.1 * y]]
        assert mean_displacement(matrix, shape) == pytest.approx(3.0)
    assert mean_displacement(np.array([[1, 0, 3.0], [0, 1, -4.0]]), shape) == pytest.approx(5.0)


def test_there_and_back():
    shift = Displacement(np.array([[1, 0, 3.0], [0, 1, -2.0]]), SHAPE)  # the frame shows all 3 right, 2 up
    picture = view(world())
    frame = shift.to_frame(picture)
    np.testing.assert_array_equal(frame[:-2, 3:], picture[2:, :-3])
    assert not frame[:, :3].any()
    assert not frame[-2:].any()
    hidden = shift.hidden()
    expected = np.zeros(SHAPE, bool)
    expected[:2], expected[:, -3:] = True, True
    np.testing.assert_array_equal(hidden, expected)
    np.testing.assert_array_equal(shift.to_background(frame)[~hidden], picture[~hidden])


# ------------------------------------------------------------------------------------------------ whether it engages


def test_a_camera_that_shakes_engages_and_is_brought_back():
    frames, _, truth = shaken(60, square_from=30)
    scores = {}
    for stabilise in (True, False):
        model, right, found = BackgroundSubtractor(stabilise=stabilise), 0, 0
        for t, (frame, inside) in enumerate(zip(frames, truth, strict=True)):
            mask = model.apply(frame) == 255
            if t >= 32:
                right, found = right + np.count_nonzero(mask & inside), found + np.count_nonzero(mask)
        assert engaged(model) is stabilise
        scores[stabilise] = 2 * right / (found + sum(np.count_nonzero(inside) for inside in truth[32:]))
    assert scores[True] > 0.85
    assert scores[True] > scores[False] + 0.1


@pytest.mark.parametrize(
    ("moved", "at"),
    [
        ("mmmmmmmm", 4),
        ("smmmmmmm", 5),
        ("msmsmsms", None),  # of any six in a row, three
        ("mmssmmss", 6),
        ("mmmsssmm", None),  # the first ones are forgotten
        ("msmmsmmm", 6),
        ("sssssmmm", None),
        ("sssssmmmm", 9),
        ("sssssssssmmmm", 13),  # of the first ten, each is measured
        ("ssssssssssmmmm", None),
    ],
)
def test_a_camera_shakes_when_four_of_the_latest_six_frames_have_moved(moved, at):
    surface, rng = world(), np.random.default_rng(0)
    model = learned([view(surface, rng=rng)])
    found = None
    for n, kind in enumerate(moved, start=1):
        model.apply(view(surface, *((3.0, -2.0) if kind == "m" else (0.0, 0.0)), rng))
        found = found or (n if engaged(model) else None)
    assert found == at


def test_a_camera_that_is_still_is_measured_in_one_frame_of_forty_until_one_has_moved():
    surface, rng = world(), np.random.default_rng(0)
    model = learned([view(surface, rng=rng) for _ in range(60)])
    for n in range(60, 84):
        model.apply(view(surface, 3.0, -2.0, rng))
        assert engaged(model) == (n >= 83)  # frames 80 to 83 show it
    for calm_frames in range(1, 101):
        model.apply(view(surface, rng=rng))
        assert engaged(model) == (calm_frames < 100)


def test_the_reference_is_taken_again_when_the_background_is_known_better():
    """After 25 and 100 frames, and at every three hundredth."""
    model, taken, before = BackgroundSubtractor(history=5, compensate_light=False), [], None
    for n in range(610):
        model.apply(np.full((20, 40), 60 + n // 5, np.uint8))
        reference = reference_of(model)
        taken += [n] if before is None or (reference != before).any() else []
        before = reference
    assert taken == [0, 25, 100, 300, 600]


@pytest.mark.parametrize(("distance", "moves"), [(0.6, False), (0.9, True)])
def test_less_than_three_quarters_of_a_pixel_is_not_worth_undoing(distance, moves):
    surface, rng = world(), np.random.default_rng(0)
    model = learned([view(surface, rng=rng), *(view(surface, distance, 0, rng) for _ in range(9))])
    assert engaged(model) == moves


def test_a_still_camera_does_not_engage_and_has_the_same_masks():
    rng, surface = np.random.default_rng(0), world()
    model, other = BackgroundSubtractor(), BackgroundSubtractor(stabilise=False)
    for t in range(130):
        scene = surface.copy()
        scene[50:74, (5 * t) % 110 : (5 * t) % 110 + 30] = 230
        frame = view(scene, rng=rng)
        np.testing.assert_array_equal(model.apply(frame), other.apply(frame))
    assert not engaged(model)


def test_what_moves_in_a_part_of_the_picture_is_no_camera():
    """A large textured thing that sways in front of a background that stays."""
    rng, surface, sheet = np.random.default_rng(0), world(), world(seed=1)
    model = BackgroundSubtractor()
    for _ in range(40):
        frame = view(surface, rng=rng)
        frame[:, :80] = view(sheet, *rng.uniform(-4, 4, 2), rng)[:, :80]
        model.apply(frame)
    assert not engaged(model)


def test_shaking_that_begins_late_is_noticed_and_its_end_too():
    rng, surface = np.random.default_rng(0), world()
    model = learned([view(surface, rng=rng) for _ in range(60)])
    assert not engaged(model)
    for _ in range(30):
        model.apply(view(surface, *rng.uniform(2, 4, 2), rng))
    assert engaged(model)
    for _ in range(110):
        model.apply(view(surface, rng=rng))
    assert not engaged(model)


def test_a_camera_that_turns_away_is_let_go():
    rng, surface = np.random.default_rng(0), world((96, 700))
    model = BackgroundSubtractor()
    for t in range(130):
        model.apply(np.ascontiguousarray(view(surface, -4 * t, 0, rng)[:, :128]))
        if engaged(model):
            assert t < 110
    assert not engaged(model)


# ----------------------------------------------------------------------------------------- what the caller gets


def test_region_and_known_foreground_are_those_of_the_frame():
    polygons = [[(10, 8), (110, 8), (110, 80), (10, 80)]]
    inside = region_mask(polygons, SHAPE) > 0
    frames, _, _ = shaken(40, square_from=20)
    known = np.zeros(SHAPE, bool)
    known[60:90, 90:120] = True
    model, soft = BackgroundSubtractor(region=polygons), np.empty(SHAPE, np.float32)
    found = 0
    for frame in frames:
        mask = model.apply(frame, known_foreground=known, probability=soft)
        assert not mask[~inside].any()
        assert not soft[~inside].any()
        assert ((soft >= 0) & (soft <= 1)).all()
        assert (mask[known & inside] == 255).all()
        found += np.count_nonzero(mask[~known] == 255)
    assert engaged(model)
    assert found > 1000


def test_what_the_frame_does_not_show_is_neither_seen_nor_learned():
    rng, surface = np.random.default_rng(0), world()
    moves = rng.uniform(3, 6, (20, 2))  # always away from the top left, which the first frame alone shows
    frames = [view(surface, rng=rng), *(view(surface, dx, dy, rng) for dx, dy in moves)]
    model = learned(frames)
    assert engaged(model)
    before = arrays_of(model)["modes"].copy()
    mask = model.apply(view(surface, 5, 5, rng), learning_rate=0.3)
    changed = (arrays_of(model)["modes"] != before).any((0, 1))
    assert not changed[:, -3:].any()
    assert not changed[-3:].any()
    assert changed[10:-10, 10:-10].mean() > 0.98
    assert np.count_nonzero(mask == 255) < 0.02 * mask.size
