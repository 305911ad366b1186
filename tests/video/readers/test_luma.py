"""Sources read small and grey: the same picture as the colours', whatever the pixels are stored as."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import bgsub
from bgsub.errors import ParameterError
from tests.video.clips import write_clip

W, H = 50, 38
PTS = [0, 40, 80, 200, 240]


def slopes(count: int = 4) -> list[np.ndarray]:
    """Grey pictures with all levels and an edge, which differ."""
    base = np.add.outer(np.arange(H) * 2.0, np.arange(W) * 3.0)
    pictures = []
    for i in range(count):
        image = np.clip(base + 6 * i, 0, 255).astype(np.uint8)
        image[10:20, 5 + 4 * i : 15 + 4 * i] = 250
        pictures.append(np.dstack([image] * 3))
    return pictures


def means(image: np.ndarray, factor: int) -> np.ndarray:
    """Means of squares of a grey picture, by hand."""
    height, width = (n // factor * factor for n in image.shape)
    squares = image[:height, :width].astype(float).reshape(height // factor, factor, width // factor, factor)
    return squares.mean(axis=(1, 3))


def delivered(path: Path | list[Path], **options: object) -> list[np.ndarray]:
    with bgsub.open_source(path, **options) as source:  # type: ignore[arg-type]
        return [frame.image for frame in source]


def write_deep(path: Path, images: list[np.ndarray], pix_fmt: str) -> Path:
    """Encode BGR images with more than 8 bits, by way of 8.

    FFmpeg's own step from colours to ten bits leaves some pixels of such a width to chance.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = W, H, pix_fmt
        for index, image in enumerate(images):
            eight = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format=re.sub(r"1\dle$", "", pix_fmt))
            frame = eight.reformat(format=pix_fmt)
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


STORED = {
    "yuv420p": "ffv1",
    "yuvj420p": "mjpeg",
    "yuv422p": "ffv1",
    "yuv444p": "ffv1",
    "yuva420p": "ffv1",
    "yuv420p10le": "ffv1",
    "yuv422p12le": "ffv1",
    "gray": "ffv1",
    "bgr0": "ffv1",
    "rgb24": "png",
    "nv12": "rawvideo",
    "yuyv422": "rawvideo",
}


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
@pytest.mark.parametrize("pix_fmt", STORED)
def test_luma_is_that_of_the_colours_for_all_kinds_of_pixels(tmp_path: Path, pix_fmt: str, factor: int) -> None:
    suffix = ".nut" if STORED[pix_fmt] in ("rawvideo", "png") else ".mkv"
    options = {"qmin": "1", "qmax": "1"} if STORED[pix_fmt] == "mjpeg" else {}
    path = tmp_path / f"clip{suffix}"
    if pix_fmt.endswith("le"):
        write_deep(path, slopes(), pix_fmt)
    else:
        write_clip(path, slopes(), codec=STORED[pix_fmt], pix_fmt=pix_fmt, options=options)
    wanted = [means(image[:, :, 0], factor) for image in slopes()]
    images = delivered(path, luma=True, shrink=factor)
    assert len(images) == 4
    for image, want in zip(images, wanted, strict=True):
        assert image.dtype == np.uint8
        assert image.shape == (H // factor, W // factor)
        np.testing.assert_allclose(image, want, atol=6 if pix_fmt == "yuvj420p" else 2)


def test_grey_of_many_bits_keeps_them_and_is_shrunk(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    deep = rng.integers(0, 1024, (H, W), np.uint16) * 64
    for i in range(2):
        cv2.imwrite(str(tmp_path / f"{i}.png"), deep)
    for image in delivered(tmp_path, luma=True, shrink=2):
        assert image.dtype == np.uint16
        np.testing.assert_allclose(image, means(deep, 2), atol=1)


def test_folders_of_colour_pictures_become_small_and_grey(tmp_path: Path) -> None:
    for i, image in enumerate(slopes()):
        cv2.imwrite(str(tmp_path / f"{i}.png"), image)
    images = delivered(tmp_path, luma=True, shrink=2)
    for image, whole in zip(images, slopes(), strict=True):
        np.testing.assert_allclose(image, means(whole[:, :, 0], 2), atol=1)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_recording_is_upright_and_cut_at_its_own_right_and_lower_edge(tmp_path: Path, degrees: int) -> None:
    path = write_clip(tmp_path / "turned.mp4", slopes(), codec="libx264", pix_fmt="yuv420p", options={"qp": "1"})
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 44  # of the display matrix
    a, b = {90: (0, -1), 180: (-1, 0), 270: (0, 1)}[degrees]
    matrix = [a << 16, b << 16, 0, -b << 16, a << 16, 0, 0, 0, 1 << 30]
    data[place : place + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in matrix)
    path.write_bytes(data)
    upright = delivered(path)
    assert upright[0].shape[:2] == ((W, H) if degrees % 180 else (H, W))
    for image, whole in zip(delivered(path, luma=True, shrink=4), upright, strict=True):
        np.testing.assert_allclose(image, means(whole[:, :, 0], 4), atol=6)


def test_several_recordings_of_other_ranges_and_sizes_are_one(tmp_path: Path) -> None:
    narrow = write_clip(tmp_path / "a.mkv", slopes(), pix_fmt="yuv420p")
    wide = write_clip(tmp_path / "b.mkv", slopes(), pix_fmt="bgr0")
    large = [cv2.resize(image, (2 * W, 2 * H), interpolation=cv2.INTER_NEAREST) for image in slopes()]
    other = write_clip(tmp_path / "c.mkv", large, pix_fmt="yuv420p")
    images = delivered([narrow, wide, other], luma=True, shrink=2)
    assert len(images) == 12
    for i in range(4):
        np.testing.assert_allclose(images[i], images[4 + i], atol=2)
        np.testing.assert_allclose(images[i], images[8 + i], atol=40)
    with bgsub.open_source([narrow, wide], luma=True, shrink=2) as source:
        assert (source.info.width, source.info.height, source.info.source_size) == (W // 2, H // 2, (W, H))


def test_a_width_is_reached_by_a_power_of_two(tmp_path: Path) -> None:
    images = [np.zeros((72, 200, 3), np.uint8)] * 2
    path = write_clip(tmp_path / "wide.mkv", images, pix_fmt="yuv420p")
    for most, width in ((199, 100), (100, 100), (99, 50), (65, 50), (200, 200), (5000, 200)):
        assert delivered(path, luma=True, shrink=most)[0].shape == (72 * width // 200, width)


def test_shrinking_in_colour_gives_means_too_and_small_pictures_stay_a_pixel(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (H, W, 3), np.uint8)
    path = write_clip(tmp_path / "noise.mkv", [noise] * 2)
    np.testing.assert_allclose(delivered(path, shrink=3)[0][:, :, 1], means(noise[:, :, 1], 3), atol=1)
    assert delivered(path, shrink=64)[0].shape == (1, 1, 3)


def test_unfit_values_are_refused() -> None:
    with pytest.raises(bgsub.ParameterError, match=r"shrink=0 is out of bounds; give a whole factor from 1"):
        bgsub.open_source("x.mp4", shrink=0)
    with pytest.raises(bgsub.ParameterError, match=r"scale=0.5 and shrink=2 exclude each other"):
        bgsub.open_source("x.mp4", scale=0.5, shrink=2)


def test_frames_know_how_long_they_are_shown(tmp_path: Path) -> None:
    base = Fraction(1, 1000)
    x264 = {"codec": "libx264", "pix_fmt": "yuv420p", "options": {"bf": "0"}}
    path = write_clip(tmp_path / "vfr.mp4", slopes(5), **x264, pts=PTS, time_base=base)
    for options in ({}, {"luma": True, "shrink": 2}):
        with bgsub.open_source(path, **options) as source:
            shown = [frame.duration for frame in source]
        np.testing.assert_allclose(shown[:4], np.diff(PTS) / 1000, atol=1e-3)
    with bgsub.open_source(path, fps=10) as source:
        assert [frame.duration for frame in source] == [0.1] * 5


@pytest.mark.parametrize("pix_fmt", ["gray", "yuv420p", "yuvj420p", "yuv420p10le"])
@pytest.mark.parametrize("factor", [1, 2])
def test_pictures_are_the_callers_own(tmp_path: Path, pix_fmt: str, factor: int) -> None:
    """Neither does the decoder write to one that was delivered, nor does the caller to one that comes."""
    codec = "mjpeg" if pix_fmt.startswith("yuvj") else "ffv1"
    path = tmp_path / "clip.mkv"
    if pix_fmt.endswith("le"):
        write_deep(path, slopes(12), pix_fmt)
    else:
        write_clip(path, slopes(12), codec=codec, pix_fmt=pix_fmt)
    wanted = [image.copy() for image in delivered(path, luma=True, shrink=factor)]
    with bgsub.open_source(path, luma=True, shrink=factor) as source:
        kept = [frame.image for frame in source]
    for image, right in zip(kept, wanted, strict=True):
        np.testing.assert_array_equal(image, right)
        image[:] = 0
    np.testing.assert_array_equal(delivered(path, luma=True, shrink=factor), wanted)


def test_a_narrow_range_is_widened_to_the_bit(tmp_path: Path) -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    path = tmp_path / "levels.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
        planes = np.concatenate([levels.ravel(), np.full(128, 128, np.uint8)]).reshape(24, 16)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    (image,) = delivered(path, luma=True)
    right = np.clip(np.rint((np.arange(256) - 16.0) * 255 / 219), 0, 255)
    np.testing.assert_array_equal(image.ravel(), right)


@pytest.mark.parametrize("codec", ["h264", "mpeg4", "ffv1"])
@pytest.mark.parametrize("prefetch", [0, 8])
def test_pictures_are_the_same_for_any_number_of_threads(tmp_path: Path, codec: str, prefetch: int) -> None:
    path = write_clip(tmp_path / "clip.mkv", slopes(30), codec=codec, pix_fmt="yuv420p")
    alone = delivered(path, luma=True, shrink=2, threads=1, prefetch=prefetch)
    assert len(alone) == 30
    np.testing.assert_array_equal(alone, delivered(path, luma=True, shrink=2))
    np.testing.assert_array_equal(alone, delivered(path, luma=True, shrink=2, threads=3, prefetch=prefetch))
    parts = delivered([path, path], luma=True, shrink=2, threads=1)
    np.testing.assert_array_equal(parts, [*alone, *alone])


@pytest.mark.parametrize("threads", [0, -1, 1.5])
def test_an_unfit_number_of_threads_is_refused(tmp_path: Path, threads: float) -> None:
    path = write_clip(tmp_path / "clip.mkv", slopes(1))
    with pytest.raises(ParameterError, match=rf"threads={threads} is out of bounds; give a whole number from 1"):
        delivered(path, threads=threads)
