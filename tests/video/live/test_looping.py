"""A looped file's packets: in order over its end, whatever its container tells of reordered pictures."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from bgsub.video.live.looping import LoopedFile

RATE, COUNT = 25, 40


def write_reordered(path: Path, count: int = COUNT) -> Path:
    """Pictures of which most are not decoded in the order in which they are shown."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=RATE, options={"bf": "3", "b_strategy": "0", "g": "20"})
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        for index in range(count):
            image = np.full((64, 96, 3), 40 + 3 * index, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(video.encode())
    return path


class Still:
    """A clock that goes on when it is waited for."""

    seconds = 100.0

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.mark.parametrize(
    ("ending", "count"),
    [*itertools.product([".mkv", ".mp4", ".avi"], [1, 3, COUNT]), (".ts", COUNT)],
)
def test_pictures_follow_each_other_over_the_end_of_a_file(tmp_path: Path, ending: str, count: int) -> None:
    clock = Still()
    looped = LoopedFile(str(write_reordered(tmp_path / f"x{ending}", count)), clock, clock.wait, audio=False)
    arrived = list(itertools.islice(looped, 3 * count))
    looped.close()
    tick = looped.streams.video.time_base
    decoded, shown = ([getattr(one.packet, key) * tick for one in arrived] for key in ("dts", "pts"))
    assert all(sooner < later for sooner, later in itertools.pairwise(decoded))
    assert all(pts >= dts for pts, dts in zip(shown, decoded, strict=True))
    steps = [later - sooner for sooner, later in itertools.pairwise(sorted(shown))]
    if ending != ".avi" and count != 3:  # of which no picture tells, and none of the first round
        assert max(steps) - min(steps) <= 2 * max(tick, Fraction(1, 1000))
    assert sum(steps) == pytest.approx((3 * count - 1) / RATE, abs=0.2)
    assert [one.arrival for one in arrived] == sorted(one.arrival for one in arrived)
