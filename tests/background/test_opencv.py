"""OpenCV's interface: the same calls give the same masks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import bgsub
from bgsub.background.mog2.opencv import BackgroundSubtractorMOG2
from bgsub.background.parameters import ADAPTIVE_PARAMETERS
from bgsub.errors import ParameterError
from tests.test_naive import switching_scene

FRAMES = switching_scene(60, shape=(17, 23), seed=61)
VALUES = {
    "History": 33,
    "NMixtures": 3,
    "VarThreshold": 20.0,
    "VarThresholdGen": 7.5,
    "BackgroundRatio": 0.75,
    "VarInit": 12.0,
    "VarMin": 5.0,
    "VarMax": 50.0,
    "ComplexityReductionThreshold": 0.125,
    "DetectShadows": False,
    "ShadowValue": 99,
    "ShadowThreshold": 0.25,
}


def twins(**keywords):
    return bgsub.createBackgroundSubtractorMOG2(**keywords), cv2.createBackgroundSubtractorMOG2(**keywords)


def assert_same(ours, theirs, frames, **options):
    for t, frame in enumerate(frames):
        np.testing.assert_array_equal(ours.apply(frame, **options), theirs.apply(frame, **options), f"frame {t}")


def known_foreground_exists():
    return "knownForegroundMask" in cv2.createBackgroundSubtractorMOG2().apply.__doc__


# -------------------------------------------------------------------------------------------------------------- calls


@pytest.mark.parametrize(
    "keywords", [{}, {"history": 30}, {"varThreshold": 40.5}, {"detectShadows": False, "history": 9}], ids=str
)
def test_the_same_masks(keywords):
    assert_same(*twins(**keywords), FRAMES)


def test_arguments_by_position():
    ours, theirs = (
        bgsub.createBackgroundSubtractorMOG2(30, 25, False),
        cv2.createBackgroundSubtractorMOG2(30, 25, False),
    )
    for frame in FRAMES:
        np.testing.assert_array_equal(ours.apply(frame, None, 0.05), theirs.apply(frame, None, 0.05))


@pytest.mark.parametrize(
    "rates", [(-1, -7.5), (0.1, -1), (1.0, -1, -1, -1), (-1, -1, -1, 2.5), (0.05, 1, 0.2)], ids=str
)
def test_learning_rates(rates):
    ours, theirs = twins()
    for t, frame in enumerate(FRAMES):
        rate = rates[t % len(rates)]
        np.testing.assert_array_equal(ours.apply(frame, learningRate=rate), theirs.apply(frame, learningRate=rate))


@pytest.mark.parametrize("first", [0, 0.3, 1])
def test_the_first_frame_is_learned_at_any_rate(first):
    ours, theirs = twins()
    assert_same(ours, theirs, FRAMES[:1], learningRate=first)
    assert_same(ours, theirs, FRAMES[1:])


def test_frames_with_rate_0_are_counted():
    """Ten frozen frames make the automatic rate of the next ones smaller."""
    frames = switching_scene(60, shape=(17, 23), jumps=0.05, n_colours=2, seed=62)
    ours, theirs = twins()
    assert_same(ours, theirs, frames[:10])
    assert_same(ours, theirs, frames[10:20], learningRate=0)
    assert ours.model.n_frames == 20
    assert_same(ours, theirs, frames[20:])


def test_another_size_or_number_of_channels_starts_again():
    ours, theirs = twins()
    smaller, grey = FRAMES[:, 2:15, 3:20].copy(), FRAMES[..., 0].copy()
    for frames in (FRAMES[:20], smaller[:20], grey[:20], FRAMES[20:40], FRAMES[40:].transpose(0, 2, 1, 3).copy()):
        assert_same(ours, theirs, frames)
        assert ours.model.shape == frames[0].shape
        assert ours.model.n_frames == 20


DEPTHS = {  # what brings grey levels to a range of that type
    "int8": lambda f: f // 2 - 60,
    "uint16": lambda f: f * 17 + 900,
    "int16": lambda f: f * 3 - 500,
    "int32": lambda f: f * 70_001 - 2_000_000,
    "float16": lambda f: f / 7 - 3,
    "float32": lambda f: f * 1.37 - 90,
    "float64": lambda f: f * 1.37e3 + 0.1,
}


@pytest.mark.parametrize(("dtype", "convert"), DEPTHS.items(), ids=DEPTHS)
@pytest.mark.parametrize("channels", [1, 3])
def test_any_depth_and_range_is_taken_as_it_is(dtype, convert, channels):
    frames = convert(FRAMES.astype(float)).astype(dtype)
    ours, theirs = twins()
    assert_same(ours, theirs, frames if channels == 3 else frames[..., 0].copy())
    background = ours.getBackgroundImage()
    assert background.dtype == dtype
    if dtype == "float32":  # of the others OpenCV gives none
        np.testing.assert_allclose(background, theirs.getBackgroundImage(), rtol=1e-5)


def test_variances_are_in_the_units_of_the_frames():
    frames = FRAMES.astype(np.uint16) * 257
    ours, theirs = twins(detectShadows=False)
    for one in (ours, theirs):
        one.setVarMax(75 * 257.0**2), one.setVarMin(4 * 257.0**2), one.setVarInit(15 * 257.0**2)
    assert_same(ours, theirs, frames)
    assert ours.getVarMax() == 75 * 257.0**2
    assert 0 < (ours.apply(FRAMES[-1].astype(np.uint16) * 257) == 255).mean() < 0.9


def test_another_type_starts_again():
    ours, theirs = twins()
    for dtype in ("uint8", "uint16", "float32", "float64", "uint16", "float64", "uint8"):
        assert_same(ours, theirs, FRAMES[:9].astype(dtype))
        assert ours.model.n_frames == 9


def test_what_is_refused_starts_nothing_again():
    ours, _ = twins()
    ours.apply(FRAMES[0])
    for image in (None, [[1]], FRAMES[0][..., :2], np.full((17, 23), np.nan), FRAMES[0].astype(complex)):
        with pytest.raises(ParameterError, match="image "):
            ours.apply(image)
    assert ours.model.n_frames == 1


def test_grey_frames_with_an_axis_for_it():
    ours, theirs = twins()
    assert_same(ours, theirs, FRAMES[..., :1].copy())
    assert ours.model.n_frames == 60


def test_the_mask_is_written_to_fgmask():
    ours, theirs = twins()
    mask = np.full((17, 23), 7, np.uint8)
    for frame in FRAMES[:10]:
        assert ours.apply(frame, mask) is mask
        np.testing.assert_array_equal(mask, theirs.apply(frame))
    assert ours.apply(FRAMES[10], fgmask=mask, learningRate=0.5) is mask
    too_small = np.full((5, 5), 7, np.uint8)
    assert ours.apply(FRAMES[11], too_small).shape == (17, 23)
    assert (too_small == 7).all()


@pytest.mark.skipif(not known_foreground_exists(), reason="this OpenCV knows no knownForegroundMask")
def test_known_foreground():
    ours, theirs = twins()
    known = np.random.default_rng(0).choice([0, 0, 1, 255], (60, 17, 23)).astype(np.uint8)
    for frame, skip in zip(FRAMES, known, strict=True):
        assert_same(ours, theirs, [frame], knownForegroundMask=skip)


def test_clear_and_the_background_image():
    ours, theirs = twins()
    assert ours.getBackgroundImage() is None
    assert_same(ours, theirs, FRAMES)
    difference = ours.getBackgroundImage().astype(int) - theirs.getBackgroundImage()
    assert np.abs(difference).max() <= 1
    assert (difference == 0).mean() > 0.99
    ours.clear()
    assert ours.getBackgroundImage() is None
    np.testing.assert_array_equal(ours.apply(FRAMES[0]), cv2.createBackgroundSubtractorMOG2().apply(FRAMES[0]))


# -------------------------------------------------------------------------------------------------- getters, setters


def test_every_method_of_opencv_is_here():
    of_its_file_storage = {"read", "write"}
    theirs = {name for name in dir(cv2.createBackgroundSubtractorMOG2()) if not name.startswith("_")}
    ours = {name for name in dir(BackgroundSubtractorMOG2) if not name.startswith("_")}
    assert theirs - of_its_file_storage == ours
    assert {f"set{name}" for name in VALUES} == {name for name in ours if name.startswith("set")}


@pytest.mark.parametrize("name", VALUES)
def test_getters_and_setters(name):
    ours, theirs = twins()
    value = VALUES[name]
    assert getattr(ours, f"get{name}")() == pytest.approx(getattr(theirs, f"get{name}")(), rel=1e-6)
    assert getattr(ours, f"get{name}")() != value
    for one in (ours, theirs):
        getattr(one, f"set{name}")(value)
        assert getattr(one, f"get{name}")() == value
    others = [other for other in VALUES if other != name]
    for other in others:
        assert getattr(ours, f"get{other}")() == pytest.approx(getattr(theirs, f"get{other}")(), rel=1e-6)
    assert_same(ours, theirs, FRAMES)


def test_all_setters_together_and_between_frames():
    ours, theirs = twins()
    assert_same(ours, theirs, FRAMES[:20])
    for name, value in VALUES.items():
        if name != "NMixtures":  # OpenCV's own state does not survive it
            getattr(ours, f"set{name}")(value)
            getattr(theirs, f"set{name}")(value)
    assert_same(ours, theirs, FRAMES[20:])


def test_the_number_of_mixtures_may_change_later():
    ours, theirs = twins()
    assert_same(ours, theirs, FRAMES[:20])
    ours.setNMixtures(2)
    fresh = cv2.createBackgroundSubtractorMOG2()
    fresh.setNMixtures(2)
    assert_same(ours, fresh, FRAMES[20:])


def test_getters_and_setters_are_named_and_documented():
    for name in VALUES:
        for prefix in ("get", "set"):
            method = getattr(BackgroundSubtractorMOG2, prefix + name)
            assert method.__name__ == prefix + name
            assert method.__doc__


@pytest.mark.parametrize(
    ("setter", "value", "message"),
    [
        ("setHistory", 0, "setHistory: history is 0: give a whole number from 1 to"),
        ("setVarThreshold", -1, "setVarThreshold: var_threshold is -1: give a number above 0"),
        ("setVarMin", 80, "setVarMin: var_min is 80, above var_max 75: exchange or change them"),
        ("setNMixtures", 0, "n_components is 0: give a whole number from 1 to 32"),
        ("setShadowValue", 300, "setShadowValue: shadow_value is 300: give a whole number from 0 to 255"),
    ],
)
def test_a_refused_value_changes_nothing(setter, value, message):
    ours, theirs = twins()
    assert_same(ours, theirs, FRAMES[:20])
    with pytest.raises(ParameterError, match=message):
        getattr(ours, setter)(value)
    assert_same(ours, theirs, FRAMES[20:])


def test_a_refused_constructor():
    with pytest.raises(ParameterError, match=r"var_threshold is 0\.0: give a number above 0"):
        bgsub.createBackgroundSubtractorMOG2(varThreshold=0)


# ----------------------------------------------------------------------------------------------------- both subtractors

MAKERS = {
    "adaptive": (bgsub.createBackgroundSubtractor, bgsub.BackgroundSubtractor),
    "mog2": (bgsub.createBackgroundSubtractorMOG2, bgsub.MOG2),
}


@pytest.fixture(params=MAKERS)
def make(request):
    return MAKERS[request.param][0]


def test_the_name_is_that_of_opencv():
    ours, theirs = twins()
    assert ours.getDefaultName() == theirs.getDefaultName() == "BackgroundSubtractor_MOG2"
    assert bgsub.createBackgroundSubtractor().getDefaultName() == "BackgroundSubtractor_Adaptive"


def test_it_is_empty_until_a_frame_is_learned(make):
    subtractor = make()
    assert subtractor.empty()
    assert subtractor.getBackgroundImage() is None
    subtractor.apply(FRAMES[0], None, 0)  # the first is learned at any rate
    assert not subtractor.empty()
    np.testing.assert_array_equal(subtractor.getBackgroundImage(), FRAMES[0])
    subtractor.clear()
    assert subtractor.empty()


@pytest.mark.parametrize("image", [None, [[1, 2], [3, 4]], "frame.png", 7], ids=str)
def test_what_is_no_image_is_a_parameter_error_and_changes_nothing(make, image):
    subtractor, untouched = make(), make()
    for one in (subtractor, untouched):
        for frame in FRAMES[:5]:
            one.apply(frame)
    for given in (subtractor, make()):
        with pytest.raises(ParameterError, match=f"^image is a {type(image).__name__}: "):
            given.apply(image)
    np.testing.assert_array_equal(subtractor.apply(FRAMES[5]), untouched.apply(FRAMES[5]))


@pytest.mark.parametrize("image", [FRAMES[0][:, :, :0], np.zeros((5, 5), complex), np.zeros((9, 9, 7), np.uint8)])
def test_a_refused_image_of_another_shape_restarts_nothing(make, image):
    subtractor, untouched = make(), make()
    for one in (subtractor, untouched):
        for frame in FRAMES[:5]:
            one.apply(frame)
    with pytest.raises(ParameterError, match=r"^image has "):
        subtractor.apply(image)
    np.testing.assert_array_equal(subtractor.apply(FRAMES[5]), untouched.apply(FRAMES[5]))


@pytest.mark.parametrize("rate", [None, "fast", float("nan"), [0.1]], ids=str)
def test_a_learning_rate_that_is_no_number(make, rate):
    subtractor = make()
    with pytest.raises(ParameterError, match=r"^learningRate is .*: give a number, -1 for the automatic rate$"):
        subtractor.apply(FRAMES[0], learningRate=rate)
    assert subtractor.empty()


@pytest.mark.parametrize("name", MAKERS)
def test_a_saved_model_goes_on(name, tmp_path):
    maker, model = MAKERS[name]
    subtractor = maker(history=77)
    for frame in FRAMES[:20]:
        subtractor.apply(frame)
    subtractor.save(tmp_path / "model.bgsub")
    again = maker()
    again.model = model.load(tmp_path / "model.bgsub")
    assert again.getHistory() == 77
    for frame in FRAMES[20:]:
        np.testing.assert_array_equal(again.apply(frame), subtractor.apply(frame))


# ----------------------------------------------------------------------------------------------------- the adaptive one


def test_the_masks_are_those_of_the_model():
    subtractor, model = (
        bgsub.createBackgroundSubtractor(40, threshold=8),
        bgsub.BackgroundSubtractor(history=40, threshold=8),
    )
    mask = np.zeros((17, 23), np.uint8)
    known = np.zeros((17, 23), np.uint8)
    known[3:6] = 255
    for t, frame in enumerate(FRAMES):
        if t % 4 == 0:
            np.testing.assert_array_equal(subtractor.apply(frame), model.apply(frame))
        elif t % 4 == 1:
            assert subtractor.apply(frame, mask, 0.05) is mask
            np.testing.assert_array_equal(mask, model.apply(frame, learning_rate=0.05))
        elif t % 4 == 2:
            np.testing.assert_array_equal(subtractor.apply(frame, None, 0), model.apply(frame, learning_rate=0))
        else:
            ours = subtractor.apply(frame, learningRate=-0.5, knownForegroundMask=known)
            np.testing.assert_array_equal(ours, model.apply(frame, known_foreground=known))
        np.testing.assert_array_equal(subtractor.getBackgroundImage(), model.background_image())
    assert subtractor.model.n_frames == model.n_frames == 45


def test_another_size_restarts_the_adaptive_one_and_a_high_rate_too():
    subtractor = bgsub.createBackgroundSubtractor()
    for frames, rate in ((FRAMES[:9], -1), (FRAMES[:9, 2:15, 3:20], 0), (FRAMES[:9, ..., 0], -1)):
        for frame in frames:
            subtractor.apply(frame, learningRate=rate)
        assert subtractor.model.shape == frames[0].shape
        assert subtractor.model.n_frames == (1 if rate == 0 else 9)
    subtractor.apply(FRAMES[0, ..., :1], learningRate=3)
    assert subtractor.model.n_frames == 1


def test_opencvs_threshold_is_not_taken_for_ours():
    with pytest.raises(TypeError):
        bgsub.createBackgroundSubtractor(500, 16, True)
    with pytest.raises(TypeError):
        bgsub.createBackgroundSubtractor(varThreshold=16)


def test_getters_and_setters_of_the_adaptive_one():
    subtractor = bgsub.createBackgroundSubtractor()
    common = {name for name, p in ADAPTIVE_PARAMETERS.items() if not p.advanced}
    found = {name for name in dir(subtractor) if name.startswith("set")}
    assert len(found) == len(common)
    changed = set()
    for name in found:
        before = subtractor.model.parameters
        value = getattr(subtractor, name.replace("set", "get", 1))()
        getattr(subtractor, name)(not value if isinstance(value, bool) else value + 1 if value >= 1 else value + 0.125)
        assert getattr(subtractor, name.replace("set", "get", 1))() != value
        changed |= {k for k, v in subtractor.model.parameters.items() if v != before[k]}
    assert changed == common
    with pytest.raises(ParameterError, match=r"^setMinArea: min_area is -1: give a whole number from 0 to"):
        subtractor.setMinArea(-1)
    with pytest.raises(ParameterError, match=r"^n_components is 17: give a whole number from 1 to 16"):
        subtractor.setNMixtures(17)


def test_repr_shows_what_is_behind():
    assert (
        repr(bgsub.createBackgroundSubtractor(99)) == "BackgroundSubtractorAdaptive(BackgroundSubtractor(history=99))"
    )


# ------------------------------------------------------------------------------------------------- masks to write into


def read_only():
    mask = np.zeros((17, 23), np.uint8)
    mask.flags.writeable = False
    return mask


@pytest.mark.parametrize(
    "unfit",
    [np.zeros((17, 23), np.float32), np.zeros((17, 23), bool), np.zeros((17, 23, 3), np.uint8), read_only()],
    ids=["float32", "bool", "three channels", "read-only"],
)
def test_a_mask_that_cannot_take_it_stays_as_it_is_as_in_opencv(make, unfit):
    ours, theirs = make(), cv2.createBackgroundSubtractorMOG2()
    before = unfit.copy()
    for one in (ours, theirs):
        found = one.apply(FRAMES[0], unfit)
        assert (found.dtype, found.shape) == (np.uint8, (17, 23))
        assert found is not unfit
        np.testing.assert_array_equal(unfit, before)


def test_a_mask_with_an_axis_for_its_channel(make):
    ours, plain = make(), make()
    mask = np.full((17, 23, 1), 9, np.uint8)
    for frame in FRAMES[:9]:
        assert ours.apply(frame, mask) is mask
        np.testing.assert_array_equal(mask[:, :, 0], plain.apply(frame))
    rows = np.full((23, 17), 9, np.uint8).T  # not contiguous
    assert ours.apply(FRAMES[9], rows) is rows
    np.testing.assert_array_equal(rows, plain.apply(FRAMES[9]))


@pytest.mark.parametrize("mask", [0.05, "mask", [[0]]], ids=str)
def test_what_is_no_mask_is_told_and_changes_nothing(make, mask):
    subtractor = make()
    with pytest.raises(ParameterError, match=r"^fgmask is a \w+: give a uint8 array, and learningRate by its name$"):
        subtractor.apply(FRAMES[0], mask)
    assert subtractor.empty()


def test_times_reach_the_model():
    subtractor, model = bgsub.createBackgroundSubtractor(), bgsub.BackgroundSubtractor()
    subtractor.setAbsorptionTime(2)
    model.set_parameters(absorption_time=2)
    scene = np.full((40, 40, 3), 90, np.uint8)
    absorbed = []
    for t in range(40):
        if t == 10:
            scene[10:25, 10:25] = 200
        mask = subtractor.apply(scene, time=t / 2)
        np.testing.assert_array_equal(mask, model.apply(scene, time=t / 2))
        absorbed.append(t > 10 and mask[17, 17] == 0)
    assert any(absorbed[:25])  # in 7 s; at 25 frames a second that is 175 of them
    with pytest.raises(ParameterError, match=r"^time is "):
        subtractor.apply(scene, time=1.0)
    bgsub.createBackgroundSubtractorMOG2().apply(scene, time=1.0)
