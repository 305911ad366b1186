"""F over time."""

import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from bgsub.evaluation.protocol import Counts
from bgsub.evaluation.scoring import SequenceScore
from bgsub.plots.f_measure import f_over_time, moving_f_measure


def score_of(*counts):
    return SequenceScore("c", "n", list(range(5, 5 + len(counts))), [Counts(*c, 0, 0, 0) for c in counts])


def test_a_window_over_single_frames_is_their_f():
    score = score_of((1, 0, 0), (1, 1, 1), (0, 0, 0), (0, 0, 4))
    assert moving_f_measure(score) == pytest.approx([1, 0.5, math.nan, 0], nan_ok=True)


def test_a_window_counts_pixels_not_frames():
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 50, (200, 3))
    found = moving_f_measure(score_of(*counts))
    for i in (0, 1, 57, 199):  # 200 / 40 = 5 frames wide
        tp, fp, fn = counts[max(0, i - 2) : i + 3].sum(axis=0)
        assert found[i] == pytest.approx(2 * tp / (2 * tp + fp + fn))


def test_the_picture():
    score = score_of(*[(i, 1, 2) for i in range(30)])
    label = "mog2:<b>$x$ & \\frac{"
    picture = f_over_time({label: score, "_other": score}, [9])
    root = ET.fromstring(picture)
    assert root.tag.endswith("svg")
    assert f_over_time({label: score, "_other": score}, [9]) == picture
    assert f_over_time({"one": score}) != picture
    assert ET.fromstring(f_over_time({"one": score_of((0, 0, 0))})).tag.endswith("svg")
