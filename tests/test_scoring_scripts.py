"""The scripts that score scans: counted by hand, and by what the sample videos were drawn with."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"


@pytest.fixture
def tracks(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("score_tracks")


@pytest.fixture
def chooser(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("choose_events")


A, B = (0, 0, 10, 10), (50, 0, 10, 20)


def test_a_track_that_goes_over_to_another_object_is_right_for_one_of_them(tracks: ModuleType) -> None:
    drawn = [{1: A, 2: B}] * 10
    assert tracks.compared(drawn, [{7: A, 8: B}] * 10) == tracks.Count(2, 2, 2, 2, 20, 20, 20)
    # Exchanged from the seventh frame on: six of ten frames each are of the object that they serve best.
    swapped = [{7: A, 8: B}] * 6 + [{7: B, 8: A}] * 4
    assert tracks.compared(drawn, swapped) == tracks.Count(2, 2, 2, 2, 20, 20, 12)


def test_pieces_noise_and_what_is_missed_count_against_it(tracks: ModuleType) -> None:
    drawn = [{1: A, 2: B}] * 10
    pieces = [{7: A}] * 4 + [{8: A}] * 3 + [{9: A}] * 3
    assert tracks.compared(drawn, pieces) == tracks.Count(2, 0, 3, 3, 20, 10, 4)
    assert tracks.compared(drawn, [{}] * 10) == tracks.Count(2, 0, 0, 0, 20, 0, 0)
    assert tracks.compared([{}] * 10, [{7: A}] * 10) == tracks.Count(0, 0, 1, 0, 0, 10, 0)


def test_boxes_are_one_from_four_tenths_of_both_on(tracks: ModuleType) -> None:
    assert tracks.overlap(A, (0, 0, 10, 4)) == pytest.approx(0.4)
    assert tracks.matched({1: A}, {7: (0, 0, 10, 4)}) == [(1, 7)]
    assert tracks.matched({1: A}, {7: (0, 0, 10, 3)}) == []
    assert tracks.matched({1: A, 2: (2, 0, 10, 10)}, {7: (2, 0, 10, 10)}) == [(2, 7)]


def test_a_setting_is_chosen_by_the_others_and_the_default_where_it_is_as_good(
    chooser: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    even = dict.fromkeys([chooser.DEFAULT, *chooser.TRIED], 0.5)
    other = chooser.TRIED[-1]
    assert chooser.best_of([even, even]) == chooser.DEFAULT
    chooser.tell({"a": even | {other: 0.9}, "b": even, "c": even | {other: 0.3}})
    printed = {line.split()[0]: line.split()[1:3] for line in capsys.readouterr().out.splitlines()}
    # By b and c the default, by a and c the other, by a and b the other: a .5, b .5, c .3.
    assert (printed["a"], printed["b"], printed["c"]) == (["0.50", "0.50"], ["0.50", "0.50"], ["0.50", "0.30"])
    assert printed["mean"] == ["0.500", "0.433"]


@pytest.mark.slow
def test_objects_are_where_the_truth_says_that_something_moves(tracks: ModuleType) -> None:
    scene = tracks.CLIPS["trees"].build(1.0)
    seen = 0
    for index in range(40, 240, 40):
        _, truth = scene.frame(index)
        inside = np.zeros(truth.shape, bool)
        for _, (left, top, width, height), _ in tracks.boxes(scene, index / scene.fps):
            inside[top : top + height, left : left + width] = True
            seen += 1
        moving = truth == 255
        assert moving.sum() == 0 or inside[moving].mean() > 0.95
    assert seen >= 3
