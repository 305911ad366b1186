"""What waves all the time masks itself; who walks past, stops, or drives by often does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bgsub.errors import OutputError, ParameterError, SourceError
from bgsub.motion.blobs import find_blobs
from bgsub.motion.learned_mask import learn_mask, write_mask
from bgsub.motion.observing import Observation
from bgsub.motion.results import Scanned, SourceFacts
from bgsub.motion.tracking import Tracker
from bgsub.motion.zones import PlacedZones, Zone

SIZE = (160, 120)
FLAG = (slice(10, 40), slice(100, 150))


def waving(i: int) -> np.ndarray:
    """A mask of a flag: stripes that run over it."""
    mask = np.zeros(SIZE[::-1], np.uint8)
    y, x = np.mgrid[FLAG]
    mask[FLAG] = np.where((x + 3 * i + y // 2) % 24 < 8, 255, 0)
    return mask


def walker(mask: np.ndarray, x: float) -> np.ndarray:
    mask[60:100, max(0, round(x)) : max(0, round(x) + 14)] = 255
    return mask


def scanned(frames, factor: int = 1, fps: float = 10.0) -> Scanned:
    """What a scan of these masks would give."""
    tracker, tracks, n = Tracker(), [], 0
    heat = np.zeros((SIZE[1] // factor, SIZE[0] // factor), np.float32)
    for i, mask in enumerate(frames):
        heat += (mask[::factor, ::factor] == 255) / fps
        tracks += tracker.update(Observation(i, i / fps, find_blobs(mask, min_area=4)))
        n = i + 1
    tracks += tracker.finish()
    return Scanned(SourceFacts(("x.mp4",), "x", *SIZE, fps, n / fps), tracks=tuple(tracks), heat=heat)


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_a_flag_is_masked_and_who_crosses_it_once_is_not(factor: int) -> None:
    mask = learn_mask([scanned([walker(waving(i), 4 * i - 20) for i in range(300)], factor)])
    assert mask.shape == SIZE[::-1]
    assert (mask[FLAG] == 255).mean() > 0.95
    assert not mask[60:100].any()
    assert set(np.unique(mask)) == {0, 255}


def test_who_stands_for_half_of_the_time_is_no_flag() -> None:
    def place(i: int) -> float:
        return min(2 * i, 80) if i < 200 else 80 + 2 * (i - 200)

    mask = learn_mask([scanned([walker(waving(i), place(i) - 14) for i in range(300)])])
    assert (mask[FLAG] == 255).mean() > 0.95
    assert not mask[60:100].any()


def test_a_busy_road_is_no_flag() -> None:
    assert not learn_mask(
        [scanned([walker(np.zeros(SIZE[::-1], np.uint8), 8 * (i % 25) - 14) for i in range(400)])]
    ).any()


def test_what_waves_in_one_of_many_recordings_only_is_kept() -> None:
    still = scanned([np.zeros(SIZE[::-1], np.uint8)] * 300)
    flag = scanned([waving(i) for i in range(300)])
    assert learn_mask([flag, still]).any()
    assert not learn_mask([flag, *[still] * 5]).any()
    assert not learn_mask([flag], share=0.9).any()


def test_a_learned_mask_is_a_zone_that_is_ignored(tmp_path: Path) -> None:
    write_mask(tmp_path / "flag.png", learn_mask([scanned([waving(i) for i in range(300)])]))
    zones = PlacedZones([Zone("flag", str(tmp_path / "flag.png"), "ignore")], SIZE)
    left = zones.clear_ignored(walker(waving(5), 50))
    assert not left[FLAG].any()
    assert left[60:100, 50:64].all()


def test_wrong_input_is_told_in_a_line() -> None:
    flag = scanned([waving(i) for i in range(300)])
    other = replace(flag, facts=replace(flag.facts, width=320, height=240))
    with pytest.raises(SourceError, match=r"videos of 160x120 and 320x240 pixels: give those of one camera"):
        learn_mask([flag, other])
    with pytest.raises(SourceError, match=r"from 12 seconds of video: give 20 seconds or more"):
        learn_mask([scanned([waving(i) for i in range(120)])])
    with pytest.raises(SourceError, match="from 0 seconds"):
        learn_mask([Scanned(None, error="damaged")])
    for share in (0, 1.5, float("nan")):
        with pytest.raises(ParameterError, match=f"share={share} is out of bounds"):
            learn_mask([flag], share=share)


def test_a_mask_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write .*flag\.png"):
        write_mask(tmp_path / "no" / "flag.png", np.zeros((4, 4), np.uint8))
