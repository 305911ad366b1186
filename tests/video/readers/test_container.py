"""Video files: their frames, times and shapes."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from bgsub.video.opening import open_source, probe
from tests.video.clips import HEIGHT, WIDTH, pictures, silence, smooth_pictures, write_clip


@pytest.mark.parametrize("prefetch", [0, 1, 8])
def test_every_frame_comes_once_in_order_with_its_pixels(tmp_path: Path, prefetch: int) -> None:
    images = pictures(20)
    path = write_clip(tmp_path / "clip.avi", images)
    with open_source(path, prefetch=prefetch) as source:
        assert (source.info.width, source.info.height) == (WIDTH, HEIGHT)
        assert source.info.fps == 25
        assert source.info.frame_count == 20
        assert source.info.duration == pytest.approx(0.8)
        assert (source.info.codec, source.info.name, source.info.live) == ("ffv1", "clip", False)
        assert source.repeatable
        frames = list(source)
        assert list(source) == []
    assert [frame.index for frame in frames] == list(range(20))
    assert [frame.time for frame in frames] == pytest.approx([index / 25 for index in range(20)])
    for frame, image in zip(frames, images, strict=True):
        assert frame.image.flags.c_contiguous
        np.testing.assert_array_equal(frame.image, image)
    assert source.damaged == 0


def test_images_and_their_views_are_never_written_again(tmp_path: Path) -> None:
    images = pictures(30)
    kept = []
    with open_source(write_clip(tmp_path / "clip.avi", images), prefetch=0) as source:
        for frame in source:
            if frame.index % 3 == 0:
                kept.append((frame.index, frame.image))
            elif frame.index % 3 == 1:
                kept.append((frame.index, frame.image[:, ::2].reshape(HEIGHT, -1)))
            # every third one is let go, and its memory may be used again
    for index, pixels in kept:
        expected = images[index] if index % 3 == 0 else images[index][:, ::2].reshape(HEIGHT, -1)
        np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize(
    ("codec", "pix_fmt"),
    [
        ("ffv1", "yuv420p"),
        ("ffv1", "yuv444p"),
        ("ffv1", "yuv420p10le"),
        ("mjpeg", "yuvj422p"),
        ("mpeg4", "yuv420p"),
    ],
)
def test_colours_are_those_of_opencv(tmp_path: Path, codec: str, pix_fmt: str) -> None:
    path = write_clip(tmp_path / "clip.avi", pictures(4), codec=codec, pix_fmt=pix_fmt)
    capture = cv2.VideoCapture(str(path))
    with open_source(path) as source:
        for frame in source:
            ok, expected = capture.read()
            assert ok
            np.testing.assert_array_equal(frame.image, expected)
    assert not capture.read()[0]
    capture.release()


def test_variable_frame_rate_keeps_the_times(tmp_path: Path) -> None:
    pts = [100, 140, 260, 270, 900]
    path = write_clip(tmp_path / "clip.mkv", pictures(5), pts=pts, time_base=Fraction(1, 1000))
    with open_source(path) as source:
        assert [frame.time for frame in source] == pytest.approx([0, 0.04, 0.16, 0.17, 0.8])


def test_fps_replaces_the_times(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", smooth_pictures(6), codec="mpeg4", pix_fmt="yuv420p")
    with open_source(path, fps=29.97) as source:
        assert source.info.fps == Fraction(2997, 100)
        assert source.info.duration == pytest.approx(6 / 29.97)
        assert [frame.time for frame in source] == pytest.approx([index / 29.97 for index in range(6)])


def test_grey_video_stays_grey(tmp_path: Path) -> None:
    images = [image[:, :, 0] for image in pictures(3)]
    path = write_clip(tmp_path / "clip.avi", images, pix_fmt="gray")
    with open_source(path) as source:
        for frame, image in zip(source, images, strict=True):
            np.testing.assert_array_equal(frame.image, image)


def test_raw_avi_that_is_stored_bottom_up(tmp_path: Path) -> None:
    images = pictures(3)
    path = tmp_path / "raw.avi"
    path.write_bytes(_bottom_up_avi(images))
    with open_source(path) as source:
        frames = list(source)
    for frame, image in zip(frames, images, strict=True):
        assert frame.image.flags.c_contiguous
        np.testing.assert_array_equal(frame.image, image)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_is_applied(tmp_path: Path, degrees: int) -> None:
    images = smooth_pictures(3)
    path = write_clip(tmp_path / "plain.mp4", images, codec="mpeg4", pix_fmt="yuv420p")
    with open_source(path) as source:
        plain = [frame.image for frame in source]
    data = bytearray(path.read_bytes())
    set_mp4_rotation(data, degrees)
    turned = tmp_path / "turned.mp4"
    turned.write_bytes(data)
    with open_source(turned) as source:
        upright = [frame.image for frame in source]
        size = (source.info.height, source.info.width)
    assert len(upright) == 3
    for image, original in zip(upright, plain, strict=True):
        # The matrix says how to turn the stored picture in order to show it.
        np.testing.assert_array_equal(image, np.rot90(original, degrees // 90))
        assert image.shape[:2] == size
    capture = cv2.VideoCapture(str(turned))
    np.testing.assert_array_equal(upright[0], capture.read()[1])
    capture.release()
    assert probe(turned)["rotation"] == degrees


def test_b_frames_come_in_the_order_of_time(tmp_path: Path) -> None:
    images = smooth_pictures(20)  # each brighter by 4 than the one before
    options = {"x264-params": "bframes=3:b-adapt=0:scenecut=0:crf=1"}
    path = write_clip(tmp_path / "clip.mp4", images, codec="libx264", pix_fmt="yuv420p", options=options)
    assert _has_b_frames(path)
    with open_source(path) as source:
        frames = list(source)
    assert [frame.time for frame in frames] == pytest.approx([index / 25 for index in range(20)])
    brightness = [float(frame.image.mean()) for frame in frames]
    assert np.diff(brightness) == pytest.approx([4] * 19, abs=1.5)


def test_audio_beside_the_video_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "both.mkv"
    images = pictures(5)
    with av.open(str(path), "w") as container:
        sound = container.add_stream("pcm_s16le", rate=8000)
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "bgr0"
        container.mux(sound.encode(silence()))
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())
    with open_source(path) as source:
        assert [int(frame.image[0, 0, 0]) for frame in source] == [0, 1, 2, 3, 4]
    assert probe(path)["audio"] is True


def test_probe_says_what_the_container_tells(tmp_path: Path) -> None:
    told = probe(write_clip(tmp_path / "clip.mp4", smooth_pictures(6), codec="mpeg4", pix_fmt="yuv420p"))
    assert told["container"] == "mov,mp4,m4a,3gp,3g2,mj2"
    assert (told["codec"], told["pixel_format"], told["rotation"]) == ("mpeg4", "yuv420p", 0)
    assert (told["width"], told["height"], told["fps"], told["frame_count"]) == (WIDTH, HEIGHT, 25.0, 6)
    assert told["audio"] is False


def test_probe_finds_a_variable_frame_rate(tmp_path: Path) -> None:
    pts, base = [0, 40, 160, 170, 900, 940], Fraction(1, 1000)
    options = {"codec": "mpeg4", "pix_fmt": "yuv420p"}
    varied = write_clip(tmp_path / "a.mp4", smooth_pictures(6), pts=pts, time_base=base, **options)
    even = write_clip(tmp_path / "b.mp4", smooth_pictures(6), **options)
    assert probe(varied)["variable_frame_rate"] is True
    assert probe(even)["variable_frame_rate"] is False


def test_a_source_can_be_closed_early_and_twice(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.avi", pictures(30))
    for prefetch in (0, 2):
        source = open_source(path, prefetch=prefetch)
        frames = iter(source)
        next(frames)
        source.close()
        source.close()
        assert list(frames) == []
        unread = open_source(path, prefetch=prefetch)
        unread.close()
        assert list(unread) == []


def test_an_interrupted_loop_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.avi", pictures(6))
    for prefetch in (0, 2):
        with open_source(path, prefetch=prefetch) as source:
            for frame in source:
                if frame.index == 2:
                    break
            assert [frame.index for frame in source] == [3, 4, 5]


def _bottom_up_avi(images: list[np.ndarray]) -> bytes:
    """Write an AVI of raw BGR rows from the bottom, as the format has them."""
    height, width = images[0].shape[:2]

    def chunk(name: bytes, data: bytes) -> bytes:
        return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)

    size = width * height * 3
    main = struct.pack("<10I16x", 40_000, 0, 0, 0x10, len(images), 0, 1, size, width, height)
    stream = b"vidsDIB " + struct.pack("<IHHIIIIIIII4H", 0, 0, 0, 0, 1, 25, 0, len(images), size, 0, 0, 0, 0, 0, 0)
    bitmap = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, size, 0, 0, 0, 0)
    streams = chunk(b"LIST", b"strl" + chunk(b"strh", stream) + chunk(b"strf", bitmap))
    movie = b"".join(chunk(b"00db", image[::-1].tobytes()) for image in images)
    header = chunk(b"LIST", b"hdrl" + chunk(b"avih", main) + streams)
    return chunk(b"RIFF", b"AVI " + header + chunk(b"LIST", b"movi" + movie))


def set_mp4_rotation(data: bytearray, degrees: int) -> None:
    """Write the display matrix that turns by so many degrees counterclockwise into the track's header."""
    place = data.index(b"tkhd") + 4 + 40
    one = 1 << 16
    cos, sin = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    matrix = struct.pack(">9i", cos * one, -sin * one, 0, sin * one, cos * one, 0, 0, 0, 1 << 30)
    data[place : place + 36] = matrix


def _has_b_frames(path: Path) -> bool:
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    shown = [packet.pts for packet in packets]
    return shown != sorted(shown)
