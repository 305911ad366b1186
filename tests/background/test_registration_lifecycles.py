"""A camera that shakes in the course of a model's life: copies, files, frozen frames, forgetting, threads."""

from __future__ import annotations

import json
import pickle

import cv2
import numpy as np
import pytest

from bgsub import BackgroundSubtractor
from bgsub.background.adaptive.displacement import within_frame
from bgsub.errors import ModelFileError
from bgsub.files import read_container, write_container
from tests.background.adaptive_scenes import FILE_VERSION, engaged
from tests.background.test_registration import SHAPE, learned, shaken, view, world
from tests.background.twins import stored

pytestmark = pytest.mark.slow


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
    model.registration.set_progress({"engaged": True, "recent": [], "calm": 0})
    matrix = cv2.getRotationMatrix2D((195, 150), 1.5, 1.0)
    turned = cv2.warpAffine(picture, matrix, (390, 300), borderMode=cv2.BORDER_REPLICATE)
    found = within_frame(model.registration.follow(model.engine, turned, 1, learn=False), (150, 100))
    corners = np.array([[150, 100, 1], [380, 100, 1], [150, 290, 1], [380, 290, 1]], float)
    np.testing.assert_allclose(corners @ found.T, corners @ matrix.T, atol=0.3)


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
    meta, arrays = read_container(tmp_path / "m", "adaptive", FILE_VERSION)
    write_container(tmp_path / "m", "adaptive", FILE_VERSION, {**meta, "registration": values}, arrays)
    with pytest.raises(ModelFileError, match=r"describes no BackgroundSubtractor model .*; save it again"):
        BackgroundSubtractor.load(tmp_path / "m")


@pytest.mark.parametrize("bits", [lambda a: a[:-1], lambda a: a.astype(np.float32)], ids=["shape", "dtype"])
def test_another_reference_is_refused(bits, tmp_path):
    learned(FRAMES[:3]).save(tmp_path / "m")
    meta, arrays = read_container(tmp_path / "m", "adaptive", FILE_VERSION)
    arrays = {**arrays, "reference": bits(arrays["reference"])}
    write_container(tmp_path / "m", "adaptive", FILE_VERSION, meta, arrays)
    with pytest.raises(ModelFileError, match="reference of shape"):
        BackgroundSubtractor.load(tmp_path / "m")
