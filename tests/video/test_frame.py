"""What is known of a video before its frames are read."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from bgsub.video.frame import VideoInfo
from bgsub.video.opening import open_source
from tests.video.clips import pictures, write_clip


def info(frame_count: int | None, duration: float | None, fps: Fraction | None) -> VideoInfo:
    return VideoInfo("x", 32, 24, fps=fps, frame_count=frame_count, codec="ffv1", duration=duration)


@pytest.mark.parametrize(
    ("frame_count", "duration", "fps", "expected"),
    [
        (7, 100.0, Fraction(25), 7),  # counted is known better than computed
        (None, 2.0, Fraction(25), 50),
        (None, 1.001, Fraction(30_000, 1001), 30),
        (None, 0.319, Fraction(25), 8),
        (None, None, Fraction(25), None),
        (None, 2.0, None, None),
        (0, 2.0, Fraction(25), 0),
    ],
)
def test_frames_to_expect(
    frame_count: int | None, duration: float | None, fps: Fraction | None, expected: int | None
) -> None:
    assert info(frame_count, duration, fps).expected_frame_count == expected


@pytest.mark.parametrize("name", ["x.mkv", "x.webm", "x.mp4", "x.avi"])
@pytest.mark.parametrize("options", [{}, {"every": 4}, {"start": 0.4, "end": 1.2}])
def test_as_many_frames_come_as_were_to_be_expected(tmp_path: Path, name: str, options: dict[str, float]) -> None:
    codec = {"codec": "libvpx-vp9" if name == "x.webm" else "mpeg4", "pix_fmt": "yuv420p"}
    path = write_clip(tmp_path / name, pictures(40), **codec)
    with open_source(path, **options) as source:
        assert source.info.expected_frame_count == len(list(source))
        if name in ("x.mkv", "x.webm"):
            assert source.info.frame_count is None
