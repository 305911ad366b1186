"""Masks of the adaptive model beside MOG2's: sample videos, and real footage where it is at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bgsub import MOG2, BackgroundSubtractor
from bgsub.evaluation.datasets import find_sequences
from bgsub.evaluation.scoring import evaluate

SAMPLES = Path(__file__).parents[2] / "sample_videos"


def f_measures(path, **selection):
    """Return F of the adaptive model and of MOG2 with their defaults."""
    (sequence,) = find_sequences(path, **selection)
    decoded = sequence.decoded()
    return [evaluate(decoded, model).metrics.f_measure for model in (BackgroundSubtractor(), MOG2())]


@pytest.mark.parametrize("name", ["street", "room", "trees"])
def test_sample_videos_are_masked_better_than_by_mog2(name):
    ours, theirs = f_measures(SAMPLES / f"{name}.mp4")
    assert ours > theirs + 0.1
    assert ours > 0.6


@pytest.mark.parametrize(("name", "floor"), [("HallAndMonitor", 0.8), ("fall", 0.8)])
def test_real_footage_is_masked_better_than_by_mog2(name, floor):
    """The floor lies well below what the model reaches: it notices what breaks, not what is tuned."""
    folder = os.environ.get("BGSUB_DATA")
    if not folder:
        pytest.skip("set BGSUB_DATA to the folder of real footage to run this test")
    ours, theirs = f_measures(Path(folder) / "cdnet", names=[name])
    assert ours > theirs + 0.1
    assert ours > floor
