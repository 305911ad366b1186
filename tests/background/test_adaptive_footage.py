"""Masks of the adaptive model beside MOG2's: sample videos, and real footage where it is at hand."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

from bgsub import MOG2, BackgroundSubtractor
from bgsub.evaluation.datasets import find_sequences
from bgsub.evaluation.scoring import evaluate

pytestmark = pytest.mark.slow  # whole videos

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


STAGES = [  # a clip, F below which something is broken, and the one parameter that switches a stage off
    ("light_switch", 0.45, {"structure": 1}),
    ("light_switch", 0.45, {"compensate_light": False}),
    ("exposure", 0.85, {"compensate_light": False}),
    ("bootstrap", 0.768, {"ghost_ratio": 0}),
    ("bootstrap", 0.78, {"vacated_frames": 0}),
    ("shake", 0.82, {"stabilise": False}),
    ("shake", 0.89, {"even_credit": 0.0}),
    ("rain", 0.70, {"tone_doubt": 0.0}),
]


@cache
def decoded(name):
    (sequence,) = find_sequences(SAMPLES / f"{name}.mp4")
    return sequence.decoded()


@cache
def f_measure_of(name, *off):
    return evaluate(decoded(name), BackgroundSubtractor(**dict(off))).metrics.f_measure


@pytest.mark.slow
@pytest.mark.parametrize(("name", "floor", "off"), STAGES, ids=str)
def test_each_stage_lifts_the_clip_that_it_is_for_above_its_floor(name, floor, off):
    assert f_measure_of(name) > floor > f_measure_of(name, *off.items())


def test_real_footage_is_masked_better_than_by_mog2():
    """The floor lies well below what the model reaches: it notices what breaks, not what is tuned."""
    folder = os.environ.get("BGSUB_DATA")
    if not folder:
        pytest.skip("set BGSUB_DATA to the folder of real footage to run this test")
    ours, theirs = f_measures(Path(folder) / "cdnet", names=["HallAndMonitor"])
    assert ours > theirs + 0.1
    assert ours > 0.8
