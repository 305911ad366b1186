"""What is written has the source's shape of pixels, whatever its size, and times finer than a millisecond."""

import logging
from fractions import Fraction

import av
import numpy as np
import pytest

from bgsub.video.writers.videos import foreground_sink, frames_sink, mask_sink, overlay_sink
from tests.video.writers.sink_clips import clip_frame, clip_info, clip_mask, noise_mask, read_video

MAKERS = (mask_sink, overlay_sink, foreground_sink, frames_sink)
SUFFIXES = ("mkv", "mp4", "webm")
DVD = Fraction(16, 11)


def write(sink, count, fps=25.0, size=(64, 48), noise=False):
    for index in range(count):
        mask = (noise_mask if noise else clip_mask)(index, *size)
        sink.write(clip_frame(index, index / fps, width=size[0], height=size[1]), mask)


def pixel_shape(path):
    with av.open(str(path)) as container:
        return container.streams.video[0].sample_aspect_ratio


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("aspect", [DVD, Fraction(8, 9), Fraction(1)])
def test_pixels_keep_their_shape(tmp_path, make, suffix, aspect):
    path = tmp_path / f"v.{suffix}"
    with make(path, clip_info(sample_aspect_ratio=aspect)) as sink:
        write(sink, 30)
    assert (pixel_shape(path) or 1) == aspect
    times, pictures = read_video(path)
    np.testing.assert_allclose(times, np.arange(30) / 25, atol=5e-4)
    assert pictures[0].shape == (48, 64, 3)


@pytest.mark.parametrize("codec", ["ffv1", "h264"])
def test_masks_of_such_pixels_are_exact(tmp_path, codec):
    with mask_sink(tmp_path / "m.mkv", clip_info(sample_aspect_ratio=DVD), codec=codec) as sink:
        write(sink, 30, noise=True)
    assert pixel_shape(tmp_path / "m.mkv") == DVD
    for index, mask in enumerate(read_video(tmp_path / "m.mkv", "gray")[1]):
        np.testing.assert_array_equal(mask, noise_mask(index))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_was_never_closed_has_the_shape_too(tmp_path, suffix):
    path = tmp_path / f"v.{suffix}"
    sink = mask_sink(path, clip_info(sample_aspect_ratio=DVD))
    write(sink, 80)
    copy = tmp_path / f"killed.{suffix}"
    copy.write_bytes(path.read_bytes())
    sink.close()
    assert pixel_shape(copy) == DVD


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("aspect", [Fraction(10**9, 1), Fraction(1, 10**9)])
def test_a_shape_that_no_display_has_is_no_shape(tmp_path, suffix, aspect):
    with overlay_sink(tmp_path / f"v.{suffix}", clip_info(sample_aspect_ratio=aspect)) as sink:
        write(sink, 2)
    assert (pixel_shape(tmp_path / f"v.{suffix}") or 1) == 1


def test_a_shape_of_large_numbers_is_kept_as_near_as_can_be(tmp_path):
    aspect = Fraction(1_000_003, 700_001)
    for suffix in SUFFIXES:
        with mask_sink(tmp_path / f"v.{suffix}", clip_info(sample_aspect_ratio=aspect)) as sink:
            write(sink, 2)
        assert float(pixel_shape(tmp_path / f"v.{suffix}")) == pytest.approx(float(aspect), rel=1e-5)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("size", [(64, 1), (1, 48), (1, 1), (2, 1), (1, 2)])
def test_pictures_of_one_row_or_column(tmp_path, make, suffix, size):
    path = tmp_path / f"v.{suffix}"
    with make(path, clip_info(*size)) as sink:
        for index in range(5):
            sink.write(clip_frame(index, width=size[0], height=size[1]), np.full(size[::-1], 255, np.uint8))
    times, pictures = read_video(path, "gray")
    np.testing.assert_allclose(times, np.arange(5) / 25, atol=5e-4)
    assert all(abs(int(picture[0, 0]) - int(pictures[0][0, 0])) < 16 for picture in pictures)


@pytest.mark.parametrize("codec", ["ffv1", "h264"])
@pytest.mark.parametrize("size", [(512, 1), (1, 300), (1, 1), (3, 1)])
def test_masks_of_one_row_or_column_are_exact(tmp_path, codec, size):
    with mask_sink(tmp_path / "m.mkv", clip_info(*size), codec=codec) as sink:
        for index in range(12):
            sink.write(clip_frame(index, width=size[0], height=size[1]), noise_mask(index, *size))
    for index, mask in enumerate(read_video(tmp_path / "m.mkv", "gray")[1]):
        np.testing.assert_array_equal(mask, noise_mask(index, *size))


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(("fps", "aspect"), [(2000, Fraction(1)), (960, DVD), (30_000, Fraction(1))])
def test_times_of_high_speed_cameras(tmp_path, make, suffix, fps, aspect, caplog):
    path = tmp_path / f"v.{suffix}"
    info = clip_info(fps=Fraction(fps), time_base=Fraction(1, 90_000), sample_aspect_ratio=aspect)
    with caplog.at_level(logging.WARNING), make(path, info) as sink:
        write(sink, 200, fps)
    times, _ = read_video(path, None)
    np.testing.assert_allclose(times, np.arange(200) / fps, atol=1.2e-5)
    with av.open(str(path)) as container:
        assert container.duration / av.time_base == pytest.approx(200 / fps, rel=0.02)
    assert (pixel_shape(path) or 1) == aspect
    assert not caplog.records


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_times_that_must_be_changed_are_told_once(tmp_path, suffix, caplog):
    """Nobody knows the rate before the file is begun, and the frames come faster than its steps."""
    with caplog.at_level(logging.WARNING):
        info = clip_info(fps=None, time_base=Fraction(1, 1000))
        with mask_sink(tmp_path / f"m.{suffix}", info) as sink:
            write(sink, 100, 4000)
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith(f"{tmp_path / f'm.{suffix}'}: from 0.00")
    assert "frames are later than they were, so many come within its steps of 1 ms" in message
    assert (".mp4 has finer ones" in message) == (suffix == "mkv")
