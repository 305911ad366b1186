"""Cameras that shake, and those that only seem to: known movements of a textured picture are the reference."""

from __future__ import annotations

import json
import pickle

import cv2
import numpy as np
import pytest

from bgsub import BackgroundSubtractor
from bgsub.background.adaptive.registration import Displacement, Registration, small_shape
from bgsub.background.region import region_mask
from bgsub.errors import ModelFileError
from bgsub.files import read_container, write_container
from tests.background.adaptive_scenes import arrays_of, engaged, reference_of
from tests.background.twins import stored

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


# ------------------------------------------------------------------------------------------------- the measurement


@pytest.mark.parametrize("shape", [SHAPE, (150, 900)], ids=str)
@pytest.mark.parametrize("grey", [False, True], ids=["colour", "grey"])
@pytest.mark.parametrize("floats", [False, True], ids=["bytes", "floats"])
def test_a_known_movement_is_found(shape, grey, floats):
    surface, registration = world(shape), Registration(np.zeros(shape, bool))
    registration.engaged = True

    def seen(dx, dy):
        frame = view(surface, dx, dy)[..., 1] if grey else view(surface, dx, dy)
        return frame.astype(np.float32) if floats else frame

    registration.renew(seen(0, 0))
    assert registration.reference.shape == small_shape(shape)
    for dx, dy in [(0, 0), (3.5, -2.25), (-6, 5), (0.75, 0.75)]:
        matrix = registration.displacement(seen(dx, dy), 7, learn=False)
        corners = np.array([[0, 0, 1], [shape[1], 0, 1], [0, shape[0], 1], [shape[1], shape[0], 1]], float)
        expected = corners[:, :2] + [dx, dy]
        np.testing.assert_allclose(corners @ matrix.T, expected, atol=0.3 if shape == SHAPE else 0.6)


def test_rotation_and_scale_are_found_about_the_right_point():
    """On a copy of a third of the size; a matrix that is scaled up wrongly misses by a pixel."""
    shape = (300, 1000)
    picture, registration = view(world(shape)), Registration(np.zeros(shape, bool))
    registration.engaged = True
    registration.renew(picture)
    matrix = cv2.getRotationMatrix2D((500, 150), 1.0, 1.01)
    turned = cv2.warpAffine(picture, matrix, (1000, 300), borderMode=cv2.BORDER_REPLICATE)
    found = registration.displacement(turned, 7, learn=False)
    corners = np.array([[0, 0, 1], [1000, 0, 1], [0, 300, 1], [1000, 300, 1]], float)
    np.testing.assert_allclose(corners @ found.T, corners @ matrix.T, atol=0.5)


@pytest.mark.parametrize("case", ["too far", "noise", "nothing", "a small picture", "zoomed"])
def test_what_is_no_shaking_gives_no_matrix(case):
    shape = (20, 128) if case == "a small picture" else SHAPE
    rng, surface, registration = np.random.default_rng(0), world(shape), Registration(np.zeros(shape, bool))
    registration.engaged = True
    registration.renew(view(surface))
    frame = {
        "too far": view(surface, 18, 0),
        "noise": rng.integers(0, 256, (*SHAPE, 3), np.uint8),
        "nothing": np.full((*SHAPE, 3), 90, np.uint8),
        "a small picture": view(surface, 2, 2),
        "zoomed": cv2.resize(view(surface), None, fx=1.2, fy=1.2)[: SHAPE[0], : SHAPE[1]],
    }[case]
    assert registration.displacement(frame, 7, learn=True) is None


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


# ------------------------------------------------------------------------------------------------- lifecycles


def through_a_file(model, folder):
    model.save(folder / "shaken.model")
    return BackgroundSubtractor.load(folder / "shaken.model")


WAYS = {
    "copy": lambda model, _: model.copy(),
    "pickle": lambda model, _: pickle.loads(pickle.dumps(model)),
    "file": through_a_file,
}
FRAMES, _, _ = shaken(42, square_from=10)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("cut", [2, 5, 26, 33])  # before it engages, while, and around renewals of the reference
def test_a_run_in_two_parts_is_the_run_in_one(way, cut, tmp_path):
    model = learned(FRAMES[:cut])
    twin = way(model, tmp_path)
    assert twin._progress() == model._progress()
    for frame in FRAMES[cut:]:
        np.testing.assert_array_equal(twin.apply(frame), model.apply(frame))
    assert engaged(model)
    assert stored(twin) == stored(model)
    assert twin._progress() == model._progress()


def test_a_frozen_model_measures_and_learns_nothing():
    model = learned(FRAMES[:30])
    before, progress = stored(model), json.dumps(model._progress())
    still = [model.copy().apply(frame, learning_rate=0) for frame in FRAMES[30:]]
    for frame, expected in zip(FRAMES[30:], still, strict=True):
        np.testing.assert_array_equal(model.apply(frame, learning_rate=0), expected)
    for _ in range(5):
        model.apply(FRAMES[0], learning_rate=0)  # would count as calm
    assert (stored(model), json.dumps(model._progress())) == (before, progress)
    unregistered = model.copy()
    unregistered.set_parameters(stabilise=False)
    bare = [np.count_nonzero(unregistered.apply(frame, learning_rate=0)) for frame in FRAMES[30:]]
    assert sum(bare) > 1.5 * sum(np.count_nonzero(mask) for mask in still)


@pytest.mark.parametrize("forget", [lambda m: m.reset(), lambda m: m.apply(FRAMES[0], learning_rate=1)])
def test_forgetting_forgets_the_shaking(forget):
    model, fresh = learned(FRAMES[:20]), BackgroundSubtractor()
    assert engaged(model)
    forget(model)
    forget(fresh)
    assert model._progress() == fresh._progress()
    for frame in FRAMES:
        np.testing.assert_array_equal(model.apply(frame), fresh.apply(frame))


@pytest.mark.usefixtures("every_tile_worth_a_thread")
def test_any_number_of_threads_gives_the_same_bits():
    one, two = BackgroundSubtractor(threads=1), BackgroundSubtractor(threads=2)
    before = cv2.getNumThreads()
    try:
        for frame in FRAMES:
            cv2.setNumThreads(1)
            expected = one.apply(frame)
            cv2.setNumThreads(4)
            np.testing.assert_array_equal(two.apply(frame), expected)
    finally:
        cv2.setNumThreads(before)
    assert engaged(one)
    assert stored(one) == stored(two)


def test_calm_frames_are_counted_across_a_file(tmp_path):
    model = learned(FRAMES[:20])
    for _ in range(60):
        model.apply(FRAMES[0])  # the first frame is where the background lies
    assert model._progress()["registration"]["calm"] == 60
    twin = through_a_file(model, tmp_path)
    for _ in range(45):
        np.testing.assert_array_equal(twin.apply(FRAMES[0]), model.apply(FRAMES[0]))
    assert not engaged(model)
    assert not engaged(twin)


def test_a_turn_is_about_the_corner_of_the_frame_not_of_the_region():
    shape, box = (300, 390), np.zeros((300, 390), bool)
    box[100:290, 150:380] = True
    picture, model = view(world(shape)), BackgroundSubtractor(region=box)
    model.apply(picture)
    model._state.registration.engaged = True
    matrix = cv2.getRotationMatrix2D((195, 150), 1.5, 1.0)
    turned = cv2.warpAffine(picture, matrix, (390, 300), borderMode=cv2.BORDER_REPLICATE)
    shift = model._state.displacement(turned, 1, learn=False)
    corners = np.array([[150, 100, 1], [380, 100, 1], [150, 290, 1], [380, 290, 1]], float)
    np.testing.assert_allclose(corners @ shift.matrix.T, corners @ matrix.T, atol=0.3)


def test_blocks_that_sway_each_on_its_own_are_no_camera():
    """Trees: corners all over the picture move, and a few by chance agree."""
    rng, surface, engaged_once = np.random.default_rng(0), world(), False
    model = BackgroundSubtractor()
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]].astype(np.float32)
    for _ in range(40):
        sway = cv2.resize(rng.normal(0, 1.0, (7, 9, 2)).astype(np.float32), SHAPE[::-1], interpolation=cv2.INTER_CUBIC)
        picture = cv2.remap(view(surface), x + sway[..., 0], y + sway[..., 1], cv2.INTER_LINEAR)
        model.apply(picture)
        engaged_once |= engaged(model)
    assert not engaged_once


ABSURD = {
    "engaged is a word": {"engaged": "yes", "recent": [], "calm": 0},
    "too many movements": {"engaged": True, "recent": [True] * 99, "calm": 0},
    "movements that are numbers": {"engaged": True, "recent": [1, 0], "calm": 0},
    "a negative count": {"engaged": True, "recent": [], "calm": -1},
    "a huge count": {"engaged": True, "recent": [], "calm": 2**40},
    "a value too few": {"engaged": True, "calm": 0},
    "no values at all": None,
}


@pytest.mark.parametrize("values", ABSURD.values(), ids=ABSURD)
def test_absurd_values_in_a_file_are_refused(values, tmp_path):
    learned(FRAMES[:3]).save(tmp_path / "m")
    meta, arrays = read_container(tmp_path / "m", "adaptive", BackgroundSubtractor._VERSION)
    write_container(tmp_path / "m", "adaptive", BackgroundSubtractor._VERSION, {**meta, "registration": values}, arrays)
    with pytest.raises(ModelFileError, match=r"describes no BackgroundSubtractor model .*; save it again"):
        BackgroundSubtractor.load(tmp_path / "m")


@pytest.mark.parametrize("bits", [lambda a: a[:-1], lambda a: a.astype(np.float32)], ids=["shape", "dtype"])
def test_another_reference_is_refused(bits, tmp_path):
    learned(FRAMES[:3]).save(tmp_path / "m")
    meta, arrays = read_container(tmp_path / "m", "adaptive", BackgroundSubtractor._VERSION)
    arrays = {**arrays, "reference": bits(arrays["reference"])}
    write_container(tmp_path / "m", "adaptive", BackgroundSubtractor._VERSION, meta, arrays)
    with pytest.raises(ModelFileError, match="reference of shape"):
        BackgroundSubtractor.load(tmp_path / "m")
