"""The frames that a report shows."""

import numpy as np
import pytest

from bgsub.evaluation.protocol import Counts
from bgsub.evaluation.samples import MaskStore, choose_frames, take_samples
from bgsub.evaluation.scoring import SequenceScore
from bgsub.evaluation.sequences import DecodedSequence, LabelledFrame


def score_of(found, objects=100):
    """A frame for each number of pixels found of as many as its objects have."""
    sizes = np.broadcast_to(objects, len(found))
    counts = [Counts(tp, 0, int(size) - tp, 1000, 0, 0) for tp, size in zip(found, sizes, strict=True)]
    return SequenceScore("c", "n", [10 + i for i in range(len(found))], counts)


def test_the_worst_the_median_and_others_far_apart():
    found = [50] * 21
    found[3], found[15], found[8] = 1, 60, 40
    found[0:3] = [90, 80, 70]
    chosen = choose_frames(score_of(found), 5)
    assert chosen[13] == "worst"
    (median,) = [number for number, remark in chosen.items() if remark == "median"]
    assert found[median - 10] == 50
    assert len(chosen) == 5 and list(chosen) == sorted(chosen)
    assert {10, 30} & chosen.keys()
    assert min(np.diff(list(chosen))) >= 3


def test_frames_without_objects_worth_it_are_left_out():
    found, objects = [0, 0, 30, 60, 0, 90], [0, 2, 100, 100, 3, 100]
    assert choose_frames(score_of(found, objects), 9) == {12: "worst", 13: "median", 15: ""}


@pytest.mark.parametrize("n_frames", [1, 2, 4])
def test_few_frames_and_no_objects_at_all(n_frames):
    chosen = choose_frames(score_of([0] * n_frames, 0), 3)
    assert len(chosen) == min(3, n_frames) and set(chosen.values()) == {""}
    assert set(choose_frames(score_of([5] * n_frames), 3).values()) >= {"worst"}


def test_the_worst_is_not_of_the_beginning_in_which_nothing_is_known_yet():
    found = [0, 0, *[60] * 37, 20]
    score = score_of(found)
    score.n_frames = 40
    score.numbers = list(range(1, 41))
    chosen = choose_frames(score, 4)
    assert chosen[40] == "worst" and chosen[1] == ""  # shown, as the one that is furthest from the others
    score.n_frames = 4000  # all of them are of the beginning: then they are judged
    assert choose_frames(score, 4)[1] == "worst"


def test_frames_late_in_a_sequence_are_all_judged():
    """As of CDnet, where those that count begin at frame 470."""
    score = score_of([1, 60, 70])
    score.numbers, score.n_frames = [470, 471, 472], 472
    assert choose_frames(score, 2)[470] == "worst"


def test_masks_come_back_as_they_were():
    rng = np.random.default_rng(1)
    region = rng.random((9, 13)) < 0.5
    labels = np.array([0, 50, 170, 255], np.uint8)
    frames = [
        LabelledFrame(i, np.full((9, 13), i, np.uint8), None if i < 2 else rng.choice(labels, (9, 13)))
        for i in range(6)
    ]
    masks = [rng.choice(np.array([0, 127, 255], np.uint8), (9, 13)) for _ in frames]
    store = MaskStore()
    for frame, mask in zip(frames, masks, strict=True):
        store(frame, mask)
    for where in (region, None):
        samples = take_samples(DecodedSequence("c", "n", frames, where), {2: "worst", 5: ""}, [store, store])
        assert [(sample.number, sample.remark) for sample in samples] == [(2, "worst"), (5, "")]
        for sample in samples:
            i = sample.number
            assert np.array_equal(sample.image, frames[i].image)
            assert len(sample.masks) == 2 and np.array_equal(sample.masks[1], masks[i] == 255)
            inside = slice(None) if where is None else where
            assert np.array_equal(sample.truth[inside], frames[i].truth[inside])
            assert where is None or (sample.truth[~where] == 85).all()
