"""Real recordings; skipped where they are not at hand."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from bgsub.video.opening import open_source, probe


def test_raw_frames_that_opencv_cannot_read(footage: Path) -> None:
    with open_source(footage / "video" / "demo.avi") as source:
        frames = list(source)
    assert len(frames) == 51
    assert frames[0].image.shape == (48, 48, 3)
    assert [frame.time for frame in frames] == pytest.approx([index / 15 for index in range(51)])


@pytest.mark.parametrize("name", ["vtest.avi", "traffic_camera.mp4", "issue53_brightness_change.avi"])
def test_pixels_are_those_of_opencv(footage: Path, name: str) -> None:
    path = footage / "video" / name
    capture = cv2.VideoCapture(str(path))
    with open_source(path, end=5) as source:
        for frame in source:
            ok, expected = capture.read()
            assert ok
            np.testing.assert_array_equal(frame.image, expected)
        assert frame.index > 30
    capture.release()


def test_variable_frame_rate(footage: Path) -> None:
    even, varied = footage / "video" / "traffic_camera.mp4", footage / "video" / "traffic_camera_vfr.mp4"
    with open_source(varied, scale=32) as source:
        times = [frame.time for frame in source]
    assert len(times) == probe(even)["frame_count"] == 576
    assert {round(step, 3) for step in np.diff(times)} == {0.04, 0.08}


def test_late_start_gives_the_frames_of_the_whole(footage: Path) -> None:
    path = footage / "video" / "traffic_camera.mp4"
    with open_source(path, end=13) as source:
        expected = [frame for frame in source if frame.time >= 12]
    with open_source(path, start=12, end=13) as source:
        for frame, original in zip(source, expected, strict=True):
            assert (frame.index, frame.time) == (original.index, original.time)
            np.testing.assert_array_equal(frame.image, original.image)


@pytest.mark.parametrize(
    ("sequence", "count", "first", "size"),
    [
        ("baseline/highway", 1700, 1, (320, 240)),
        ("dynamicBackground/fall", 231, 1330, (720, 480)),
        ("SBI2015/HighwayI", 440, 0, (320, 240)),
        ("UCSD/boats", 31, 1, (344, 224)),
    ],
)
def test_cdnet_sequences(footage: Path, sequence: str, count: int, first: int, size: tuple[int, int]) -> None:
    folder = footage / "cdnet" / sequence
    with open_source(folder, every=50) as source:
        info = source.info
        frames = list(source)
    assert (info.name, (info.width, info.height)) == (folder.name, size)
    assert [frame.number for frame in frames] == [first + frame.index for frame in frames]
    assert info.frame_count == len(frames) == -(-count // 50)
    for frame in frames:
        (file,) = (folder / "input").glob(f"in{first + frame.index:06d}.*")
        flags = cv2.IMREAD_GRAYSCALE if frame.image.ndim == 2 else cv2.IMREAD_COLOR
        np.testing.assert_array_equal(frame.image, cv2.imread(str(file), flags))
