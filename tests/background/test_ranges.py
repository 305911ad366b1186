"""Several frames at once are masked and learned as one after another, to the bit, whatever kind of model it is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from bgsub import MOG2, ParameterError
from bgsub.background.mog2 import ranges
from tests.background.twins import stored
from tests.test_naive import switching_scene

RNG = np.random.default_rng(5)
KINDS = {
    "plain": {},
    "without shadows": {"detect_shadows": False},
    "compact": {"precision": "compact", "history": 10},
    "region": {"region": RNG.random((13, 19)) < 0.6},
    "polygon": {"region": [[(1, 1), (17, 2), (9, 12)]]},
    "few modes": {"n_components": 2, "history": 8, "complexity_prior": 0.4},
    "as they are": {"scale": "opencv"},
    "range looked for": {"scale": "auto"},
    "range given": {"value_range": (10, 240)},
}


def one_by_one(model, frames, **arguments):
    return [model.apply(frame, **arguments) for frame in frames]


def assert_alike(kind, frames, **arguments):
    """Some at the start, none, one, as many as are taken at once, and the rest: masks and all that is kept agree."""
    together, apart = MOG2(**kind), MOG2(**kind)
    expected = one_by_one(apart, frames, **arguments)
    begins = [0, 3, 3, 4, 12, len(frames)]
    masks = [
        mask for begin, end in itertools.pairwise(begins) for mask in together.apply_all(frames[begin:end], **arguments)
    ]
    assert len(masks) == len(expected)
    for i, (mask, wanted) in enumerate(zip(masks, expected, strict=True)):
        np.testing.assert_array_equal(mask, wanted, f"frame {i}")
    assert stored(together) == stored(apart)
    assert together.n_clipped == apart.n_clipped
    assert any((mask != 0).any() for mask in masks[20:])


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize(("channels", "dtype"), [(1, np.float32), (3, np.uint8)])
def test_masks_and_state_are_those_of_one_after_another(kind, channels, dtype):
    frames = switching_scene(40, shape=(13, 19), channels=channels, n_colours=6, seed=3)
    assert_alike(kind, [frame.astype(dtype) for frame in frames])


def test_sixteen_bits_whose_range_is_found_in_the_first_frames():
    frames = switching_scene(60, shape=(13, 19), channels=1, n_colours=6, seed=4)
    assert_alike({"scale": "auto"}, [frame.astype(np.uint16) * 7 + 900 * (i > 12) for i, frame in enumerate(frames)])


@pytest.mark.parametrize("rate", [0.003, 0.3, 1.0])
def test_rates(rate):
    assert_alike({"history": 20}, switching_scene(40, shape=(13, 19), seed=6), learning_rate=rate)


def test_frozen_and_before_anything_was_learned():
    frames = switching_scene(40, shape=(13, 19), seed=7)
    assert_alike({}, frames, learning_rate=0)
    for kind in (KINDS["plain"], KINDS["region"]):
        model = MOG2(**kind)
        one_by_one(model, frames[:20])
        before = stored(model)
        together = model.apply_all(frames[20:], learning_rate=0)
        np.testing.assert_array_equal(together, one_by_one(model, frames[20:], learning_rate=0))
        assert stored(model) == before


@pytest.mark.parametrize("kind", ["plain", "region"])
def test_known_foreground_is_marked_in_all_and_learned_in_none(kind):
    known = np.zeros((13, 19), np.uint8)
    known[4:9, 3:12] = 1
    assert_alike(KINDS[kind], switching_scene(40, shape=(13, 19), seed=8), known_foreground=known)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_any_number_of_threads_and_frames_of_many_ranges(threads):
    shape = (400, 650, 3)
    assert shape[0] * shape[1] > 16 * ranges.RANGE * 5
    frames = [RNG.integers(80, 120, shape, np.uint8) for _ in range(11)]
    for frame in frames[5:]:
        frame[100:300, 200:500] = 30
    expected = one_by_one(MOG2(threads=1), frames)
    np.testing.assert_array_equal(MOG2(threads=threads).apply_all(frames), expected)


def test_a_stack_views_and_frames_that_cannot_be_written():
    stack = np.stack(switching_scene(20, shape=(13, 19), seed=9))
    expected = one_by_one(MOG2(), list(stack))
    np.testing.assert_array_equal(MOG2().apply_all(stack), expected)
    padded = np.zeros((20, 13, 40, 3), np.uint8)
    padded[:, :, 1:39:2] = stack
    np.testing.assert_array_equal(MOG2().apply_all(padded[:, :, 1:39:2]), expected)
    stack.flags.writeable = False
    np.testing.assert_array_equal(MOG2().apply_all(stack), expected)
    assert MOG2().apply_all([]) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frames: [*frames[:12], frames[0][:-1]], r"shape \(12, 19, 3\).*the first \(13, 19, 3\).*of one kind"),
        (lambda frames: [*frames[:12], frames[0].astype(np.uint16)], "dtype uint16, the first .* uint8"),
        (lambda frames: [*frames[:12], None], "image is a NoneType"),
        (lambda frames: [frame[..., 0] for frame in frames], r"image has shape \(13, 19\), the model \(13, 19, 3\)"),
    ],
)
def test_what_is_refused_leaves_the_model_as_it_was(change, message):
    frames = switching_scene(20, shape=(13, 19), seed=10)
    model = MOG2()
    one_by_one(model, frames[:4])
    before = stored(model)
    with pytest.raises(ParameterError, match=message):
        model.apply_all(change(list(frames)))
    assert stored(model) == before


def test_a_value_that_is_no_number_in_the_last_frame_is_found_before_the_first_is_learned():
    frames = [frame.astype(np.float32) for frame in switching_scene(20, shape=(13, 19), seed=11)]
    frames[-1][3, 4, 1] = np.nan
    for kind in ({}, {"scale": "auto"}, {"scale": "opencv"}):
        model = MOG2(**kind)
        with pytest.raises(ParameterError, match="nan in row 3, column 4, channel 1"):
            model.apply_all(frames)
        assert model.n_frames == 0
        assert model.shape is None


def test_a_subclass_that_has_its_own_apply_sees_each_frame():
    class Counting(MOG2):
        seen = 0

        def apply(self, image, **arguments):
            self.seen += 1
            return super().apply(image, **arguments)

    model = Counting()
    model.apply_all(switching_scene(20, shape=(13, 19), seed=12))
    assert model.seen == 20
