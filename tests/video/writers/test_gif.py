"""Overlays as animated GIF."""

import logging
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from bgsub.errors import OutputError
from bgsub.video.frame import Frame
from bgsub.video.writers.painting import Painter
from bgsub.video.writers.videos import foreground_sink, mask_sink, overlay_sink
from tests.video.writers.sink_clips import clip_frame, clip_info, clip_mask


def read(path):
    """Times of the pictures, and of the end; and the pictures."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        times = [float(frame.pts * stream.time_base) for frame in frames]
        return times, container.duration / av.time_base, [frame.to_ndarray(format="bgr24") for frame in frames]


def write(path, times, size=(64, 48), **info):
    with overlay_sink(path, clip_info(*size, **info), overwrite=True) as sink:
        for index, time in enumerate(times):
            sink.write(clip_frame(index, time, width=size[0], height=size[1]), clip_mask(index, *size))
    return path


@pytest.mark.parametrize("fps", [5, 10, 12.5, 25, 30, 60, 1000])
def test_pictures_come_at_their_times_and_not_too_many(tmp_path, fps):
    times, end, _ = read(write(tmp_path / "o.gif", np.arange(round(3 * fps)) / fps, fps=Fraction(fps)))
    steps = np.diff(times)
    assert steps.min() > 0.069 and steps.max() < max(1 / fps, 0.11) + 1e-6
    assert times[0] == 0 and times[-1] >= 3 - max(1 / fps, 0.1) - 0.02
    assert end == pytest.approx(3, abs=0.09)


def test_uneven_times_are_kept(tmp_path):
    given = [7.0, 7.1, 7.5, 7.6, 9.0]
    times, end, _ = read(write(tmp_path / "o.gif", given, fps=None))
    np.testing.assert_allclose(times, np.array(given) - 7, atol=0.006)
    assert end == pytest.approx(2.08, abs=0.01)


@pytest.mark.parametrize(
    ("size", "aspect", "shown"),
    [
        ((64, 48), Fraction(1), (64, 48)),
        ((1280, 720), Fraction(1), (480, 270)),
        ((720, 576), Fraction(16, 15), (480, 360)),
        ((72, 48), Fraction(16, 11), (105, 48)),
        ((64, 1), Fraction(1), (64, 1)),
        ((2, 48), Fraction(1), (2, 48)),
    ],
)
def test_pictures_are_small_and_their_pixels_square(tmp_path, size, aspect, shown):
    _, _, pictures = read(write(tmp_path / "o.gif", [0, 0.1], size, sample_aspect_ratio=aspect))
    assert pictures[0].shape == (shown[1], shown[0], 3)


def test_it_looks_as_drawn_also_where_objects_come_late(tmp_path):
    """The colours are chosen before the first object is there."""
    rng = np.random.default_rng(0)
    scene = cv2.resize(rng.integers(0, 256, (6, 8, 3), np.uint8), (160, 120), interpolation=cv2.INTER_CUBIC)
    painter, drawn = Painter(), []
    with overlay_sink(tmp_path / "o.gif", clip_info(160, 120)) as sink:
        for index in range(40):
            mask = np.zeros((120, 160), np.uint8)
            mask[30:90, 3 * index : 3 * index + 40] = 255 if index >= 25 else 0
            drawn.append(painter.overlay(scene, mask))
            sink.write(Frame(index, index / 10, scene), mask)
    _, _, pictures = read(tmp_path / "o.gif")
    assert len(pictures) == 40
    for shown, expected in zip(pictures, drawn, strict=True):
        assert np.abs(cv2.blur(shown, (4, 4)).astype(int) - cv2.blur(expected, (4, 4))).mean() < 6


def test_it_loops_and_what_stands_still_costs_nothing(tmp_path):
    still = write(tmp_path / "a.gif", [0, 0.1])
    assert b"NETSCAPE2.0\x03\x01\x00\x00" in still.read_bytes()
    scene = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)
    sizes = []
    for count in (20, 40):
        with overlay_sink(tmp_path / f"{count}.gif", clip_info()) as sink:
            for index in range(count):
                sink.write(Frame(index, index / 10, scene), np.zeros((48, 64), np.uint8))
        sizes.append((tmp_path / f"{count}.gif").stat().st_size)
    assert sizes[1] - sizes[0] < 20 * 100


def test_one_picture_and_none(tmp_path):
    assert len(read(write(tmp_path / "one.gif", [3.0]))[2]) == 1
    with overlay_sink(tmp_path / "none.gif", clip_info()):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["one.gif"]


def test_masks_and_cutouts_are_no_gif(tmp_path):
    for make in (mask_sink, foreground_sink):
        with pytest.raises(OutputError, match=r"its extension is not one of \.mkv, \.mp4, \.webm"):
            make(tmp_path / "m.gif", clip_info())
    with pytest.raises(OutputError, match=r"\.webm, \.gif; choose one"):
        overlay_sink(tmp_path / "o.mov", clip_info())


def test_a_long_one_is_warned_of_once(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        write(tmp_path / "o.gif", np.arange(0, 70, 2.0))
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith(f"{tmp_path / 'o.gif'} grows large: a GIF is for seconds; take .mp4")
    assert len(read(tmp_path / "o.gif")[2]) == 35


def test_a_gif_that_cannot_be_written_is_told(tmp_path):
    sink = overlay_sink(tmp_path / "o.gif", clip_info())
    (tmp_path / "o.gif").mkdir()
    with pytest.raises(OutputError, match=r"^cannot write .*o\.gif: Is a directory; choose another"), sink:
        sink.write(clip_frame(0), clip_mask(0))
    assert not sink.wrote
