"""Videos come back with the pictures and the times that were written."""

import logging
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from bgsub.errors import OutputError
from bgsub.video.frame import Frame
from bgsub.video.opening import open_source
from bgsub.video.writers import codecs
from bgsub.video.writers.painting import Painter
from bgsub.video.writers.videos import foreground_sink, frames_sink, mask_sink, overlay_sink
from tests.video.writers.sink_clips import (
    clip_frame,
    clip_image,
    clip_info,
    clip_mask,
    mp4_boxes,
    noise_mask,
    read_video,
)

VIDEOS = [(make, suffix) for make in (mask_sink, overlay_sink, foreground_sink) for suffix in ("mkv", "mp4", "webm")]
IRREGULAR = [0.0, 0.04, 0.05, 0.3, 1.9, 1.94, 5.0, 5.001, 9.7]


def write_clip(sink, times, **size):
    with sink:
        for index, time in enumerate(times):
            sink.write(clip_frame(index, time, **size), clip_mask(index, **size))


@pytest.mark.parametrize("codec", ["ffv1", "h264"])
@pytest.mark.parametrize("size", [(64, 48), (63, 47), (640, 361)])
def test_mkv_masks_are_exact(tmp_path, codec, size):
    width, height = size
    path = tmp_path / "m.mkv"
    with mask_sink(path, clip_info(width, height), codec=codec) as sink:
        for index in range(12):
            sink.write(clip_frame(index, width=width, height=height), noise_mask(index, width, height))
    assert not sink.lossy
    times, masks = read_video(path, "gray")
    np.testing.assert_allclose(times, np.arange(12) / 25, atol=1e-9)
    np.testing.assert_array_equal(masks, [noise_mask(index, width, height) for index in range(12)])
    np.testing.assert_array_equal(read_video(path, "bgr24")[1][3][..., 1], masks[3])


def test_mkv_masks_are_ffv1_grey(tmp_path):
    write_clip(mask_sink(tmp_path / "m.mkv", clip_info()), [0, 0.04])
    with av.open(str(tmp_path / "m.mkv")) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt, context.width, context.height) == ("ffv1", "gray", 64, 48)


@pytest.mark.parametrize("codec", ["ffv1", "h264"])
def test_opencv_reads_masks(tmp_path, codec):
    if not any(cv2.videoio_registry.getBackendName(b) == "FFMPEG" for b in cv2.videoio_registry.getBackends()):
        pytest.skip("this OpenCV reads no video")
    write_clip(mask_sink(tmp_path / "m.mkv", clip_info(), codec=codec), np.arange(5) / 25)
    capture = cv2.VideoCapture(str(tmp_path / "m.mkv"), cv2.CAP_FFMPEG)
    for index in range(5):
        read, picture = capture.read()
        assert read
        np.testing.assert_array_equal(picture[..., 0], clip_mask(index))
    assert not capture.read()[0]


@pytest.mark.parametrize("suffix", ["mp4", "webm"])
def test_lossy_masks_keep_their_three_levels(tmp_path, suffix):
    sink = mask_sink(tmp_path / f"m.{suffix}", clip_info())
    assert sink.lossy
    write_clip(sink, np.arange(10) / 25)
    _, pictures = read_video(tmp_path / f"m.{suffix}")
    assert len(pictures) == 10
    for index, picture in enumerate(pictures):
        middle = picture[10:22].astype(int)
        left = index
        assert abs(middle[:, left + 2 : left + 8] - 255).max() < 40
        assert abs(middle[:, left + 11 : left + 13] - 127).mean() < 25
        assert middle[:, 50:].max() < 40


@pytest.mark.parametrize(("suffix", "tolerance"), [("mp4", 1), ("webm", 5)])
@pytest.mark.parametrize("level", [0, 127, 255])
def test_lossy_masks_of_one_level_come_back_as_it(tmp_path, suffix, tolerance, level):
    with mask_sink(tmp_path / f"m.{suffix}", clip_info()) as sink:
        sink.write(clip_frame(0), np.full((48, 64), level, np.uint8))
    assert abs(read_video(tmp_path / f"m.{suffix}")[1][0].astype(int) - level).max() <= tolerance


@pytest.mark.parametrize(("make", "suffix"), VIDEOS)
@pytest.mark.parametrize("start", [0.0, 7.5])
def test_times_are_kept(tmp_path, make, suffix, start):
    times = [start + time for time in IRREGULAR]
    path = tmp_path / f"v.{suffix}"
    write_clip(make(path, clip_info(time_base=Fraction(1, 1000))), times)
    np.testing.assert_allclose(read_video(path, None)[0], times, atol=5e-4)


@pytest.mark.parametrize("base", [Fraction(1, 90_000), Fraction(1001, 30_000), Fraction(1, 25), Fraction(1, 10**12)])
def test_mp4_times_follow_the_source(tmp_path, base):
    step = Fraction(1001, 30_000) if base.numerator == 1001 else Fraction(1, 25)
    times = [float(step * index) for index in range(40)]
    write_clip(overlay_sink(tmp_path / "v.mp4", clip_info(fps=1 / step, time_base=base)), times)
    np.testing.assert_allclose(read_video(tmp_path / "v.mp4", None)[0], times, atol=6e-6)


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "webm"])
def test_times_that_coincide_are_moved_apart(tmp_path, suffix):
    path = tmp_path / f"v.{suffix}"
    write_clip(mask_sink(path, clip_info(time_base=Fraction(1, 25))), [0.0, 0.04, 0.04, 0.04, 0.02, 0.08])
    times, pictures = read_video(path)
    assert len(pictures) == 6
    assert (np.diff(times) > 0).all()
    np.testing.assert_allclose(times, [0, 0.04, 0.04, 0.04, 0.04, 0.08], atol=0.0041)


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "webm"])
@pytest.mark.parametrize("fps", [0.5, 3, 25, 60])
def test_key_frames_come_every_second(tmp_path, suffix, fps):
    path = tmp_path / f"v.{suffix}"
    count = int(max(4, 3.5 * fps))
    write_clip(overlay_sink(path, clip_info(fps=Fraction(fps))), np.arange(count) / fps)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.pts is not None]
        keys = [float(packet.pts * stream.time_base) for packet in packets if packet.is_keyframe]
    assert len(packets) == count
    assert np.diff([*keys, (count - 1) / fps]).max() <= max(1, 1 / fps) + 2e-3
    assert len(keys) <= 1.5 * count / min(fps, 25) + 1  # and are not simply all


def test_key_frames_follow_time_in_a_variable_rate(tmp_path):
    times = np.concatenate([np.arange(0, 20, 2), 20 + np.arange(40) / 20])
    write_clip(overlay_sink(tmp_path / "v.mp4", clip_info()), times)
    _, frames = read_video(tmp_path / "v.mp4", None)
    keys = [time for time, frame in zip(times, frames, strict=True) if frame.key_frame]
    np.testing.assert_allclose(keys[:11], [*range(0, 20, 2), 20], atol=0.06)
    assert 2 <= len(keys[10:]) <= 4 and np.diff([*keys[10:], 22]).max() <= 1


def test_a_finished_mp4_is_an_ordinary_one(tmp_path):
    write_clip(overlay_sink(tmp_path / "v.mp4", clip_info()), np.arange(60) / 25)
    boxes = mp4_boxes(tmp_path / "v.mp4")
    assert "moov" in boxes and "moof" not in boxes
    with av.open(str(tmp_path / "v.mp4")) as container:
        assert container.streams.video[0].frames == 60
        assert container.duration / av.time_base == pytest.approx(2.4, abs=0.05)


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "webm"])
def test_overlay_looks_as_drawn(tmp_path, suffix):
    write_clip(overlay_sink(tmp_path / f"o.{suffix}", clip_info(128, 96)), np.arange(5) / 25, width=128, height=96)
    painter = Painter()
    for index, picture in enumerate(read_video(tmp_path / f"o.{suffix}")[1]):
        drawn = painter.overlay(clip_image(index, 128, 96), clip_mask(index, 128, 96))
        assert np.abs(picture.astype(int) - drawn).mean() < 6
        assert np.abs(picture[50:, 60:].astype(int) - drawn[50:, 60:]).mean() < 3  # no shift of colours


def test_foreground_mkv_is_exact_and_transparent(tmp_path):
    path = tmp_path / "f.mkv"
    write_clip(foreground_sink(path, clip_info(63, 47)), np.arange(4) / 25, width=63, height=47)
    for index, picture in enumerate(read_video(path, "bgra")[1]):
        moving = clip_mask(index, 63, 47) == 255
        np.testing.assert_array_equal(picture[..., 3], moving * np.uint8(255))
        np.testing.assert_array_equal(picture[moving][:, :3], clip_image(index, 63, 47)[moving])
        assert not picture[~moving].any()


def test_foreground_webm_has_alpha(tmp_path):
    write_clip(foreground_sink(tmp_path / "f.webm", clip_info()), np.arange(4) / 25)
    _, frames = read_video(tmp_path / "f.webm", None, codec="libvpx-vp9")
    assert [frame.format.name for frame in frames] == ["yuva420p"] * 4
    plane = frames[2].planes[3]
    alpha = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, -1)[:, :64]
    moving = clip_mask(2) == 255
    assert ((alpha > 127) == moving).mean() > 0.98


def test_foreground_mp4_is_grey_elsewhere(tmp_path):
    """On black a person in black is not seen."""
    write_clip(foreground_sink(tmp_path / "f.mp4", clip_info()), np.arange(4) / 25)
    picture = read_video(tmp_path / "f.mp4")[1][2].astype(int)
    assert abs(picture[30:, 30:] - 128).max() < 12
    assert np.abs(picture[12:20, 5:9] - clip_image(2)[12:20, 5:9]).mean() < 8


@pytest.mark.parametrize("make", [overlay_sink, foreground_sink, mask_sink])
def test_odd_sizes_are_padded_and_said_once(tmp_path, caplog, make):
    with caplog.at_level(logging.INFO):
        write_clip(make(tmp_path / "v.mp4", clip_info(63, 47)), [0, 0.04, 0.08], width=63, height=47)
    assert [record.getMessage() for record in caplog.records if "padded" in record.getMessage()] == [
        f"{tmp_path / 'v.mp4'}: libx264 needs an even size; "
        "63x47 is padded to 64x48 by repeating the last row or column"
    ]
    picture = read_video(tmp_path / "v.mp4")[1][0]
    assert picture.shape == (48, 64, 3)
    if make is overlay_sink:
        assert np.abs(picture[-1].astype(int) - picture[-2]).max() < 6  # repeated, not black


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("make", [overlay_sink, foreground_sink])
def test_grey_images_of_any_depth(tmp_path, dtype, make):
    full = {np.uint8: 255, np.uint16: 65535, np.float32: 1}[dtype]
    image = np.full((48, 64), 0.8 * full).astype(dtype)
    with make(tmp_path / "v.mp4", clip_info()) as sink:
        sink.write(Frame(0, 0.0, image), np.full((48, 64), 255 if make is foreground_sink else 0, np.uint8))
    assert abs(read_video(tmp_path / "v.mp4")[1][0].astype(int) - 204).max() < 4


def test_no_frames_leave_nothing(tmp_path):
    for make, suffix in VIDEOS:
        with make(tmp_path / f"v.{suffix}", clip_info()):
            pass
    assert not list(tmp_path.iterdir())


def test_overwriting_begins_with_the_first_frame(tmp_path):
    path = tmp_path / "m.mkv"
    path.write_bytes(b"old")
    with mask_sink(path, clip_info(), overwrite=True):
        pass
    assert path.read_bytes() == b"old"
    write_clip(mask_sink(path, clip_info(), overwrite=True), [0, 0.04])
    assert len(read_video(path)[0]) == 2


def test_an_encoder_that_refuses_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "m.mkv"
    path.write_bytes(b"old")
    monkeypatch.setattr(codecs, "FFV1_GRAY", codecs.Encoding("ffv1", "gray", False, None, {"slices": "7919"}))
    sink = mask_sink(path, clip_info(), overwrite=True)
    with pytest.raises(OutputError, match=r"^cannot write .*m\.mkv: .*; choose another"):
        sink.write(clip_frame(0), clip_mask(0))
    sink.close()
    assert path.read_bytes() == b"old"


def test_a_missing_encoder_is_said_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(codecs, "FFV1_GRAY", codecs.Encoding("no_such_codec", "gray", False))
    with pytest.raises(OutputError, match=r"m\.mkv: this FFmpeg has no no_such_codec encoder"):
        mask_sink(tmp_path / "m.mkv", clip_info())


def test_a_change_of_size_is_refused_and_the_rest_kept(tmp_path):
    with mask_sink(tmp_path / "m.mkv", clip_info()) as sink:
        sink.write(clip_frame(0), clip_mask(0))
        with pytest.raises(OutputError, match="the picture changed from 64x48 to 32x24"):
            sink.write(clip_frame(1, width=32, height=24), clip_mask(1, 32, 24))
    assert len(read_video(tmp_path / "m.mkv")[0]) == 1


def test_names_that_look_like_protocols_are_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("tcp:1.mkv", "-y.mkv", "a%03d.mp4", "ü ß.webm"):
        write_clip(mask_sink(name, clip_info()), [0, 0.04])
        assert len(read_video(f"file:{name}")[0]) == 2
        assert (tmp_path / name).is_file()


@pytest.mark.parametrize("size", [(64, 48), (63, 47)])
def test_frames_come_back_as_they_were(tmp_path, size):
    path = tmp_path / "f.mkv"
    written = [
        Frame(index, time, np.random.default_rng(index).integers(0, 256, (*size[::-1], 3), np.uint8))
        for index, time in enumerate(IRREGULAR)
    ]
    with frames_sink(path, clip_info(*size, time_base=Fraction(1, 1000)), codec="ffv1") as sink:
        assert not sink.lossy
        for frame in written:
            sink.write(frame)
    with open_source(path) as source:
        read = list(source)
    assert [frame.time for frame in read] == pytest.approx(IRREGULAR, abs=5e-4)
    for frame, original in zip(read, written, strict=True):
        np.testing.assert_array_equal(frame.image, original.image)


@pytest.mark.parametrize(("codec", "factor"), [("ffv1", 1), ("ffv1", 257), ("h264", 1)])
def test_grey_frames_come_back_in_bgr(tmp_path, codec, factor):
    grey = np.tile(np.arange(64, dtype=np.uint8) * 3 + 20, (48, 1))
    with frames_sink(tmp_path / "f.mkv", clip_info(), codec=codec, bounds=(0, 255 * factor)) as sink:
        sink.write(Frame(0, 0.0, grey.astype(np.uint16) * factor if factor > 1 else grey))
    ((picture,), tolerance) = read_video(tmp_path / "f.mkv")[1], 0 if codec == "ffv1" else 8
    np.testing.assert_allclose(picture.astype(int), np.dstack([grey.astype(int)] * 3), atol=tolerance)


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "webm"])
@pytest.mark.parametrize("size", [(64, 48), (63, 47)])
def test_a_frame_without_objects_is_its_own_overlay(tmp_path, suffix, size):
    """Whatever mask the sink of plain frames is given, and where it is given none."""
    width, height = size
    makers = [overlay_sink, frames_sink, frames_sink]
    sinks = [make(tmp_path / f"{number}.{suffix}", clip_info(*size)) for number, make in enumerate(makers)]
    assert all(sink.lossy for sink in sinks)
    for index in range(5):
        frame = clip_frame(index, width=width, height=height)
        sinks[0].write(frame, np.zeros((height, width), np.uint8))
        sinks[1].write(frame, clip_mask(index, width, height))
        sinks[2].write(frame)
    for sink in sinks:
        sink.close()
    films = [read_video(tmp_path / f"{number}.{suffix}") for number in range(3)]
    for times, pictures in films[1:]:
        assert times == films[0][0]
        np.testing.assert_array_equal(pictures, films[0][1])


def test_frames_of_odd_size_are_padded_with_a_warning(tmp_path, caplog):
    with caplog.at_level(logging.WARNING), frames_sink(tmp_path / "f.mp4", clip_info(63, 47)) as sink:
        sink.write(clip_frame(0, width=63, height=47))
        sink.write(clip_frame(1, width=63, height=47))
    (message,) = [record.getMessage() for record in caplog.records]
    assert "63x47 is padded to 64x48" in message
