"""Frames and options as `BackgroundSubtractor.apply` takes them, and as it refuses them."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub import BackgroundSubtractor
from bgsub.errors import ParameterError
from tests.background.adaptive_scenes import walk
from tests.background.test_frames import BAD_OPTIONS, VIEWS
from tests.background.twins import stored

FRAMES = walk(14, shape=(27, 35))
GREY = [frame[..., 1] for frame in FRAMES]


def masks_of(model, frames):
    return np.stack([model.apply(frame) for frame in frames])


EXPECTED, EXPECTED_GREY = masks_of(BackgroundSubtractor(), FRAMES), masks_of(BackgroundSubtractor(), GREY)


def test_there_is_something_to_compare():
    assert (EXPECTED[7:] == 255).any((1, 2)).all()
    assert (EXPECTED_GREY[7:] == 255).any((1, 2)).any()


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_images_of_any_strides(view):
    model = BackgroundSubtractor()
    for frame, expected in zip(FRAMES, EXPECTED, strict=True):
        given = view(frame)
        before = given.copy()
        np.testing.assert_array_equal(model.apply(given), expected)
        np.testing.assert_array_equal(given, before)


@pytest.mark.parametrize(
    "convert",
    [lambda f: f.astype(np.float32), lambda f: f.astype(np.uint16) * 257, lambda f: f[::-1].astype(np.float32)[::-1]],
    ids=["float32", "uint16", "float32 backwards"],
)
@pytest.mark.parametrize("per_pixel", [True, False], ids=["structure off", "structure on"])
def test_other_dtypes_are_brought_to_the_scale_of_uint8(convert, per_pixel):
    options = {"structure": 1} if per_pixel else {}
    expected = masks_of(BackgroundSubtractor(**options), FRAMES)
    masks = masks_of(BackgroundSubtractor(**options), map(convert, FRAMES))
    np.testing.assert_array_equal(masks, expected)


def test_one_channel_is_grey():
    model = BackgroundSubtractor()
    np.testing.assert_array_equal(masks_of(model, [frame[..., None] for frame in GREY]), EXPECTED_GREY)
    assert model.shape == (27, 35)
    assert model.background_image().shape == (27, 35)


OUTS = {
    "contiguous": lambda: np.full((27, 35), 9, np.uint8),
    "strided": lambda: np.full((54, 70), 9, np.uint8)[::2, ::2],
    "transposed": lambda: np.full((35, 27), 9, np.uint8).T,
    "backwards": lambda: np.full((27, 35), 9, np.uint8)[::-1, ::-1],
}


@pytest.mark.parametrize("make", OUTS.values(), ids=OUTS)
def test_the_mask_goes_to_the_array_given(make):
    model, out = BackgroundSubtractor(), make()
    for frame, expected in zip(FRAMES, EXPECTED, strict=True):
        assert model.apply(frame, out=out) is out
        np.testing.assert_array_equal(out, expected)
    if out.base is not None and out.base.shape == (54, 70):
        assert (out.base[1::2] == 9).all()


def test_the_mask_is_the_callers():
    """A later frame does not write into a mask that was returned, nor does the caller into the model."""
    model, other = BackgroundSubtractor(), BackgroundSubtractor()
    kept = [model.apply(frame) for frame in FRAMES]
    np.testing.assert_array_equal(kept, EXPECTED)
    for frame, expected in zip(FRAMES, EXPECTED, strict=True):
        mask = other.apply(frame)
        np.testing.assert_array_equal(mask, expected)
        mask[...] = 255


@pytest.mark.parametrize("shape", [(27, 36, 3), (27, 35), (35, 27, 3)], ids=str)
def test_another_shape_is_refused_and_changes_nothing(shape):
    model = BackgroundSubtractor()
    masks_of(model, FRAMES[:9])
    before = stored(model)
    with pytest.raises(ParameterError, match=r"image has shape .*, the model \(27, 35, 3\): resize the image, or call"):
        model.apply(np.zeros(shape, np.uint8))
    assert stored(model) == before
    np.testing.assert_array_equal(masks_of(model, FRAMES[9:]), EXPECTED[9:])


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.01, 255.01])
def test_after_frames_of_8_bits_floats_must_be_grey_levels(value):
    image = FRAMES[0].astype(np.float32)
    image[3, 4, 1] = value
    model = BackgroundSubtractor()
    model.apply(FRAMES[0])
    with pytest.raises(ParameterError, match=r"image has values outside 0 to 255, or NaN: .*in row 3, column 4, chan"):
        model.apply(image)


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS, ids=lambda value: value if isinstance(value, str) else "")
def test_wrong_options_are_refused_and_change_nothing(options, message):
    frames = [frame[:12, :20] for frame in FRAMES]
    model, other = BackgroundSubtractor(), BackgroundSubtractor()
    masks_of(model, frames[:9]), masks_of(other, frames[:9])
    before = stored(model)
    with pytest.raises(ParameterError, match=message):
        model.apply(frames[9], **options)
    assert stored(model) == before
    np.testing.assert_array_equal(masks_of(model, frames[9:]), masks_of(other, frames[9:]))


def test_a_wrong_probability_is_refused_and_changes_nothing():
    model = BackgroundSubtractor()
    masks_of(model, FRAMES[:9])
    before = stored(model)
    with pytest.raises(ParameterError, match=r"probability is float64 of shape \(27, 35\): give a float32 array"):
        model.apply(FRAMES[9], probability=np.zeros((27, 35)))
    assert stored(model) == before


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 2), (3, 17)], ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_tiny_frames(shape, channels):
    """Smaller than every window of the spatial steps."""
    rng = np.random.default_rng(0)
    model = BackgroundSubtractor(min_area=0, neighbour_still=0, neighbour_lively=0)
    size = shape if channels == 1 else (*shape, 3)
    for t in range(12):
        frame = rng.integers(100, 106, size, np.uint8)
        mask = model.apply(frame + np.uint8(100) if t in (8, 10) else frame)
        assert mask.shape == shape
        assert (mask == (255 if t in (8, 10) else 0)).all() or t < 8 or t == 11
