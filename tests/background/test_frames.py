"""Frames and options as `MOG2.apply` takes them, and as it refuses them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bgsub import MOG2
from bgsub.background.mog2 import kernels
from bgsub.errors import ParameterError
from tests.background.test_mog2 import FRAMES, GREY, masks_of, trained
from tests.background.twins import assert_same_mixtures, stored

# ------------------------------------------------------------------------------------------------ kinds of images

VIEWS = {
    "transposed": lambda f: f.transpose(1, 0, 2).copy().transpose(1, 0, 2),
    "sliced": lambda f: np.repeat(np.repeat(f, 2, 0), 3, 1)[::2, 1::3],
    "backwards": lambda f: f[::-1, ::-1, ::-1].copy()[::-1, ::-1, ::-1],
    "Fortran order": np.asfortranarray,
    "a part of a larger frame": lambda f: np.pad(f, ((2, 3), (4, 5), (0, 0)))[2:-3, 4:-5],
    "planes": lambda f: np.moveaxis(np.moveaxis(f, 2, 0).copy(), 0, 2),
    "unaligned": lambda f: np.frombuffer(b"?" + f.tobytes(), np.uint8, offset=1).reshape(f.shape),
    "a subclass": lambda f: f.view(np.recarray),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_images_of_any_strides(view):
    model, other = MOG2(), MOG2()
    for frame in FRAMES:
        given = view(frame)
        before = given.copy()
        np.testing.assert_array_equal(other.apply(given), model.apply(frame))
        np.testing.assert_array_equal(given, before)
    assert_same_mixtures(model, other)


@pytest.mark.parametrize("frames", [FRAMES, GREY], ids=["bgr", "grey"])
@pytest.mark.parametrize(
    "convert",
    [lambda f: f.astype(np.float32), lambda f: f.astype(np.uint16) * 257, lambda f: f[::-1].astype(np.float32)[::-1]],
    ids=["float32", "uint16", "float32 backwards"],
)
def test_other_dtypes_are_brought_to_the_scale_of_uint8(frames, convert):
    np.testing.assert_array_equal(masks_of(MOG2(), map(convert, frames)), masks_of(MOG2(), frames))


def test_dtypes_may_change_from_frame_to_frame():
    model, mixed = MOG2(), MOG2()
    for t, frame in enumerate(FRAMES):
        given = (frame, frame.astype(np.float32), frame.astype(np.uint16) * 257)[t % 3]
        np.testing.assert_array_equal(mixed.apply(given), model.apply(frame))


def test_one_channel_is_grey():
    model, other = MOG2(), MOG2()
    np.testing.assert_array_equal(masks_of(other, GREY[..., None]), masks_of(model, GREY))
    assert other.shape == (17, 13)
    assert other.background_image().shape == (17, 13)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_read_only_or_unaligned_image_is_no_reason_to_compile(dtype):
    frame = FRAMES[0].astype(dtype)
    expected = MOG2().apply(frame)
    compiled = len(kernels.update_tiles.signatures)
    unaligned = np.frombuffer(b"?" + frame.tobytes(), dtype, frame.size, offset=1).reshape(frame.shape)
    frame.flags.writeable = False
    for image in (frame, unaligned):
        np.testing.assert_array_equal(MOG2().apply(image), expected)
    assert len(kernels.update_tiles.signatures) == compiled


# -------------------------------------------------------------------------------------------------- what is refused


def of_float(value):
    image = np.full((12, 20, 3), 100, np.float32)
    image[3, 4, 1] = value
    return image


BAD_IMAGES = [
    ([[1, 2], [3, 4]], "image is a list: give a NumPy array"),
    (None, "image is a NoneType: give a NumPy array"),
    (np.zeros(9, np.uint8), r"image has shape \(9,\): give \(height, width\) or \(height, width, 3\)"),
    (np.zeros((2, 12, 20, 3), np.uint8), r"image has shape \(2, 12, 20, 3\): give"),
    (np.zeros((12, 20, 2), np.uint8), r"image has shape \(12, 20, 2\): give"),
    (np.zeros((12, 20, 4), np.uint8), r"image has shape \(12, 20, 4\): give"),
    (np.zeros((0, 20, 3), np.uint8), r"image has shape \(0, 20, 3\): it needs at least one pixel"),
    (np.zeros((12, 0), np.uint8), r"image has shape \(12, 0\): it needs at least one pixel"),
    (np.zeros((12, 20, 3)), r"image has dtype float64: convert it to uint8, uint16 or float32 in \[0, 255\]"),
    (np.zeros((12, 20, 3), np.int32), "image has dtype int32: convert it"),
    (np.zeros((12, 20, 3), bool), "image has dtype bool: convert it"),
    (np.zeros((12, 20, 3), object), "image has dtype object: convert it"),
    (of_float(np.nan), "image has values outside 0 to 255, or NaN: scale float32 images to that range"),
    (of_float(np.inf), "image has values outside 0 to 255"),
    (of_float(-0.01), "image has values outside 0 to 255"),
    (of_float(255.01), "image has values outside 0 to 255"),
    (np.zeros((20, 12, 3), np.uint8), r"image has shape \(20, 12, 3\), the model \(12, 20, 3\): resize the image, or"),
    (np.zeros((12, 20), np.uint8), r"image has shape \(12, 20\), the model \(12, 20, 3\): .* call reset\(\) first"),
]
BAD_OPTIONS = [
    ({"learning_rate": -0.1}, r"learning_rate is -0.1: give None \(automatic\) or a number from 0 to 1"),
    ({"learning_rate": 1.01}, "learning_rate is 1.01: give"),
    ({"learning_rate": math.nan}, "learning_rate is nan: give"),
    ({"learning_rate": "fast"}, "learning_rate is 'fast': give"),
    ({"learning_rate": [0.5, 0.5]}, r"learning_rate is \[0.5, 0.5\]: give"),
    (
        {"out": np.zeros((12, 21), np.uint8)},
        r"out is uint8 of shape \(12, 21\): give a uint8 array of shape \(12, 20\)",
    ),
    ({"out": np.zeros((12, 20, 1), np.uint8)}, r"out is uint8 of shape \(12, 20, 1\): give"),
    ({"out": np.zeros((12, 20), np.float32)}, r"out is float32 of shape \(12, 20\): give a uint8 array"),
    ({"out": np.zeros((12, 20), bool)}, "out cannot be written: give a writable uint8 array"),
    ({"out": np.broadcast_to(np.uint8(0), (12, 20))}, "out cannot be written: give a writable uint8 array"),
    ({"out": [0]}, r"out is list: give a uint8 array of shape \(12, 20\)"),
    ({"known_foreground": np.zeros((20, 12), bool)}, r"known_foreground is bool of shape \(20, 12\): give"),
    ({"known_foreground": np.zeros((12, 20, 3), np.uint8)}, r"known_foreground is uint8 of shape \(12, 20, 3\): give"),
    ({"known_foreground": np.zeros((12, 20))}, r"known_foreground is float64 of shape \(12, 20\): give a uint8 array"),
    ({"known_foreground": [[0]]}, "known_foreground is list: give a uint8 array"),
]


@pytest.mark.parametrize(("image", "message"), BAD_IMAGES, ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_no_frame_is_refused_and_changes_nothing(image, message):
    model, other = trained(FRAMES[:20]), trained(FRAMES[:20])
    before = stored(model)
    with pytest.raises(ParameterError, match=message) as refusal:
        model.apply(image)
    assert "\n" not in str(refusal.value)
    assert stored(model) == before
    np.testing.assert_array_equal(masks_of(model, FRAMES[20:]), masks_of(other, FRAMES[20:]))


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS, ids=lambda value: value if isinstance(value, str) else "")
def test_wrong_options_are_refused_and_change_nothing(options, message):
    model, other = trained(FRAMES[:20]), trained(FRAMES[:20])
    before = stored(model)
    with pytest.raises(ParameterError, match=message):
        model.apply(FRAMES[20], **options)
    assert stored(model) == before
    np.testing.assert_array_equal(masks_of(model, FRAMES[20:]), masks_of(other, FRAMES[20:]))


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS, ids=lambda value: value if isinstance(value, str) else "")
def test_wrong_options_on_the_first_frame_leave_the_model_unused(options, message):
    model = MOG2()
    with pytest.raises(ParameterError, match=message):
        model.apply(FRAMES[0], **options)
    assert (model.shape, model.n_frames) == (None, 0)
    np.testing.assert_array_equal(masks_of(model, GREY), masks_of(MOG2(), GREY))


@pytest.mark.parametrize("threads", [0, 257, -1, 2.5, math.nan, "2", True, [1]])
def test_a_wrong_number_of_threads_is_refused(threads):
    with pytest.raises(ParameterError, match=r"threads is .*: give a whole number from 1 to 256, or None"):
        MOG2(threads=threads)
