"""A model over a sequence: what is counted, what only trains, and what is timed."""

import csv
import os
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from bgsub.background.mog2.model import MOG2
from bgsub.errors import SourceError
from bgsub.evaluation.datasets import find_sequences
from bgsub.evaluation.protocol import Counts, Metrics, count
from bgsub.evaluation.scoring import evaluate
from bgsub.evaluation.sequences import DecodedSequence, LabelledFrame
from tests.evaluation.made import Repeating, pictures

IMAGES, TRUTHS = pictures(10)


def sequence_of(truths, region=None):
    frames = [LabelledFrame(7 + i, image, truth) for i, (image, truth) in enumerate(zip(IMAGES, truths, strict=True))]
    return DecodedSequence("made", "squares", frames, region)


def test_a_perfect_and_an_empty_mask():
    perfect = evaluate(sequence_of(TRUTHS), Repeating(TRUTHS))
    assert perfect.metrics == Metrics(recall=1, specificity=1, fpr=0, fnr=0, pwc=0, precision=1, f_measure=1)
    empty = evaluate(sequence_of(TRUTHS), Repeating([np.zeros_like(TRUTHS[0])] * 10))
    assert empty.total == Counts(0, 0, 500, 10 * TRUTHS[0].size - 500 - 50, 0, 150)  # 5 frames: 10x10, 1x10, 3x10
    assert (empty.metrics.f_measure, empty.metrics.precision) == (0, 0)


def test_every_frame_trains_and_labelled_ones_count():
    truths = [None, None, *TRUTHS[2:8], None, None]
    model, seen = MOG2(history=20), []
    score = evaluate(sequence_of(truths), model, lambda frame, mask: seen.append((frame.number, mask.copy())))
    assert model.n_frames == score.n_frames == 10
    assert [number for number, _ in seen] == list(range(7, 17))
    assert score.numbers == list(range(9, 15))
    assert score.key == "made/squares"
    assert score.counts == [count(mask, truth) for (_, mask), truth in zip(seen[2:8], TRUTHS[2:8], strict=True)]
    assert score.total == Counts(*np.sum(score.counts, axis=0))
    assert score.total.tp > 0 and 0 < score.metrics.f_measure < 1
    assert np.allclose(score.f_measures, [Metrics.of(c).f_measure for c in score.counts], equal_nan=True)


def test_a_model_that_reuses_its_mask():
    class Reusing:
        def __init__(self):
            self.mask, self.truths = np.zeros_like(TRUTHS[0]), iter(TRUTHS)

        def apply(self, image):
            self.mask[:] = next(self.truths)
            return self.mask

    assert evaluate(sequence_of(TRUTHS), Reusing()).metrics.f_measure == 1


def test_the_region():
    region = np.zeros(TRUTHS[0].shape, bool)
    region[:8] = True  # above the square, but for the unknown row
    assert evaluate(sequence_of(TRUTHS, region), Repeating(TRUTHS)).total == Counts(0, 0, 0, 8 * 40 * 10 - 50, 0, 0)


def test_only_the_model_is_timed(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    class Slow(Repeating):
        def apply(self, image):
            now[0] += 0.25
            return super().apply(image)

    def on_frame(frame, mask):
        now[0] += 60

    score = evaluate(sequence_of(TRUTHS), Slow(TRUTHS), on_frame)
    assert score.seconds == 2.5
    assert score.milliseconds == 250


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (TRUTHS[0][:-1], "made/squares, frame 7: the mask is 40x31, the ground truth 40x32: give both in one size"),
        (TRUTHS[0] > 0, "made/squares, frame 7: the mask is bool, the ground truth uint8: give uint8"),
    ],
)
def test_a_mask_that_does_not_fit(mask, message):
    with pytest.raises(SourceError, match=message):
        evaluate(sequence_of(TRUTHS), Repeating([mask]))


def test_a_wrong_label_is_named_with_its_frame():
    truths = [*TRUTHS[:3], TRUTHS[3] + np.uint8(3), *TRUTHS[4:]]
    with pytest.raises(SourceError, match="made/squares, frame 10: there is no label 3: labels are 0, 50"):
        evaluate(sequence_of(truths), Repeating(TRUTHS))


@pytest.mark.parametrize("name", ["peds", "boats", "HallAndMonitor"])
def test_published_scores_of_opencv_are_reproduced(name):
    """OpenCV's MOG2 gave the same masks in every version so far; its KNN draws at random."""
    folder = os.environ.get("BGSUB_DATA")
    if not folder:
        pytest.skip("set BGSUB_DATA to the folder of real footage to run this test")
    with (Path(folder) / "peers.csv").open(newline="") as file:
        (row,) = [r for r in csv.DictReader(file) if r["sequence"] == name and r["method"] == "MOG2"]
    (sequence,) = find_sequences(Path(folder) / "cdnet", names=[name])

    class Colour:
        def __init__(self):
            self.model = cv2.createBackgroundSubtractorMOG2()

        def apply(self, image):
            return self.model.apply(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.ndim == 2 else image)

    metrics = evaluate(sequence, Colour()).metrics
    for name in ("precision", "recall", "f_measure", "pwc"):
        assert getattr(metrics, name) == pytest.approx(float(row[name]), abs=6e-5)
