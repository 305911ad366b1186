"""Many sequences and methods, in one process and in two."""

import os

import cv2
import numpy as np
import pytest

from bgsub.background.mog2.model import MOG2
from bgsub.errors import BgsubError, SourceError
from bgsub.evaluation.datasets import find_sequences
from bgsub.evaluation.methods import PeerError, parse_method
from bgsub.evaluation.running import Plan, evaluate_all
from bgsub.evaluation.scoring import evaluate
from bgsub.evaluation.sequences import DecodedSequence, LabelledFrame
from bgsub.evaluation.stored import StoredMasks
from tests.evaluation.made import pictures, write_dataset, write_image

pytestmark = pytest.mark.slow

METHODS = [parse_method("mog2:history=5"), parse_method("opencv-mog2")]


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "data")


def test_each_method_on_each_sequence(dataset):
    sequences, told = find_sequences(dataset), []
    results = list(evaluate_all(sequences, Plan(METHODS), progress=told.append))
    assert [[s.key for s in result.scores] for result in results] == [[s.key] * 2 for s in sequences]
    assert told == list(range(1, 3 * 2 * 12 + 1))
    for sequence, result in zip(sequences, results, strict=True):
        assert result.scores[0].counts == evaluate(sequence, MOG2(history=5)).counts
        assert result.scores[1].counts == evaluate(sequence, cv2.createBackgroundSubtractorMOG2()).counts
        assert result.samples == [] and result.scores[0].n_frames == 12 and result.scores[0].seconds > 0


def test_processes_give_the_same(dataset, tmp_path):
    sequences, told = find_sequences(dataset), []
    one = list(evaluate_all(sequences, Plan(METHODS, samples=3, masks=tmp_path / "one")))
    two = list(evaluate_all(sequences, Plan(METHODS, samples=3, masks=tmp_path / "two"), jobs=2, progress=told.append))
    for a, b in zip(one, two, strict=True):
        assert [s.counts for s in a.scores] == [s.counts for s in b.scores]
        assert [(s.number, s.remark) for s in a.samples] == [(s.number, s.remark) for s in b.samples]
        assert len(a.samples) == 3 and len(a.samples[0].masks) == 2
        assert all(np.array_equal(x.masks, y.masks) for x, y in zip(a.samples, b.samples, strict=True))
    assert told and told == sorted(told) and told[-1] <= 72
    names = [sorted(f.relative_to(tmp_path / n) for f in (tmp_path / n).rglob("*.png")) for n in ("one", "two")]
    assert names[0] == names[1] and len(names[0]) == 72
    assert str(names[0][0]) == "mog2_history=5/easy/one/bin000001.png"


def test_masks_of_a_single_method_lie_at_the_top(dataset, tmp_path):
    plan = Plan([METHODS[0], StoredMasks(tmp_path / "out")], masks=tmp_path / "out")
    told = []
    (result,) = evaluate_all(find_sequences(dataset, names=["one"]), plan, progress=told.append)
    assert result.scores[0].counts == result.scores[1].counts
    assert (tmp_path / "out/easy/one/bin000012.png").is_file()
    assert told[-1] == 24


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_sequence_that_fails_is_named(dataset, jobs):
    truth = dataset / "easy/two/groundtruth/gt000007.png"
    write_image(truth, np.full((32, 40), 9, np.uint8))
    with pytest.raises(SourceError, match="easy/two, frame 7: there is no label 9"):
        list(evaluate_all(find_sequences(dataset), Plan(METHODS[:1]), jobs=jobs))


def test_a_method_that_fails_is_named_with_the_sequence(monkeypatch):
    class Failing:
        def apply(self, image):
            raise cv2.error("odd\nframe")

    monkeypatch.setattr(cv2, "createBackgroundSubtractorKNN", Failing)
    frames = [LabelledFrame(i, image, truth) for i, (image, truth) in enumerate(zip(*pictures(3), strict=True))]
    with pytest.raises(PeerError, match=r"^made/odd: opencv-knn failed: odd frame$"):
        list(evaluate_all([DecodedSequence("made", "odd", frames)], Plan([parse_method("opencv-knn")])))
    with pytest.raises(SourceError, match="made/none has no frames"):
        list(evaluate_all([DecodedSequence("made", "none", [])], Plan(METHODS)))


def test_opencv_keeps_its_threads(dataset):
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(3)
        list(evaluate_all(find_sequences(dataset, names=["one"]), Plan(METHODS, threads=2)))
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)


class Deadly:
    """Ends the process that unpickles it."""

    label = "deadly"

    def __reduce__(self):
        return os._exit, (3,)


def test_a_process_that_dies(dataset):
    with pytest.raises(BgsubError, match=r"a process died, perhaps for want of memory, at easy/\w+ or soon after it"):
        list(evaluate_all(find_sequences(dataset), Plan([Deadly()]), jobs=2))
