"""The colours of a camera's pictures, whatever it codes them in, at any size and turned as it hangs."""

from __future__ import annotations

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from bgsub.video.live.pictures import color_of
from bgsub.video.readers.orientation import Orientation

QUARTERS = np.array([[(30, 40, 200), (60, 190, 50)], [(210, 70, 40), (128, 128, 128)]], np.uint8)  # BGR
WEIGHTS = {Colorspace.ITU601: (0.299, 0.114), Colorspace.ITU709: (0.2126, 0.0722)}  # of red and blue in luma


def quarters(width: int, height: int) -> np.ndarray:
    """A picture of four colours, upright."""
    rows, columns = np.arange(height) * 2 // height, np.arange(width) * 2 // width
    return QUARTERS[rows[:, None], columns[None, :]]


def coded(width: int, height: int, name: str, colorspace: Colorspace, full: bool) -> av.VideoFrame:
    """The same as a camera codes it, by the book."""
    blue, green, red = np.moveaxis(quarters(width, height).astype(float) / 255, 2, 0)
    of_red, of_blue = WEIGHTS[colorspace]
    luma = of_red * red + (1 - of_red - of_blue) * green + of_blue * blue
    chroma = (blue - luma) / (2 - 2 * of_blue), (red - luma) / (2 - 2 * of_red)
    bits = 10 if "10" in name else 8
    scale, steps = 1 << bits - 8, (1 << bits) - 1
    planes = [luma * steps if full else (16 + 219 * luma) * scale]
    planes += [128 * scale + one * (steps if full else 224 * scale) for one in chroma]
    frame = av.VideoFrame(width, height, name)
    for plane, samples in zip(frame.planes, planes, strict=False):
        every = (slice(None, None, height // plane.height), slice(None, None, width // plane.width))
        kept = samples[every][: plane.height, : plane.width].round().astype(np.uint16 if bits == 10 else np.uint8)
        rows = np.zeros((plane.height, plane.line_size // kept.itemsize), kept.dtype)
        rows[:, : plane.width] = kept
        plane.update(rows.tobytes())
    frame.colorspace, frame.color_range = colorspace, ColorRange.JPEG if full else ColorRange.MPEG
    return frame


def middles(picture: np.ndarray) -> np.ndarray:
    """The colour in the middle of each quarter."""
    height, width = picture.shape[:2]
    return picture[np.ix_([height // 4, 3 * height // 4], [width // 4, 3 * width // 4])].astype(int)


CODED = [(name, full) for name in ("yuv420p", "yuv422p", "yuv444p", "yuv420p10le") for full in (False, True)]


@pytest.mark.parametrize("colorspace", list(WEIGHTS), ids=lambda one: one.name)
@pytest.mark.parametrize(("name", "full"), [*CODED, ("yuvj420p", True)])
def test_colors_are_those_that_were_coded(name: str, colorspace: Colorspace, full: bool) -> None:
    frame = coded(128, 64, name, colorspace, full)
    for width in (None, 96, 45):
        assert np.abs(middles(color_of(frame, Orientation(), width)) - QUARTERS).max() <= 6


def test_grey_is_grey_and_what_is_bgr_already_stays_as_it_is() -> None:
    grey = av.VideoFrame.from_ndarray(quarters(64, 32)[..., 1].copy(), format="gray")
    assert np.abs(middles(color_of(grey, Orientation(), 32)) - QUARTERS[..., 1:2]).max() <= 1
    frame = av.VideoFrame.from_ndarray(quarters(64, 32), format="bgr24")
    color_of(frame, Orientation())[:] = 0  # as a privacy zone may be
    assert np.array_equal(color_of(frame, Orientation()), quarters(64, 32))


@pytest.mark.parametrize("size", [(64, 48), (63, 47), (66, 35)])
@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_turned_picture_is_upright_at_any_size(size: tuple[int, int], turns: int, mirrored: bool) -> None:
    upright = quarters(*size)
    stored = np.rot90(upright, -turns)
    stored = stored[:, ::-1] if mirrored else stored
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(stored), format="rgb24")  # blue and red change places
    for width in (None, 64, 31):
        picture = color_of(frame, Orientation(mirrored, turns), width)
        assert picture.shape[1] == min(size[0], width or size[0])
        assert picture.shape[0] == pytest.approx(picture.shape[1] * size[1] / size[0], abs=1)
        assert np.abs(middles(picture) - QUARTERS[..., ::-1]).max() <= 2
        picture[:] = 0  # it may be painted on


def test_pictures_can_be_kept_while_others_are_converted() -> None:
    frames = [av.VideoFrame.from_ndarray(np.full((36, 64, 3), level, np.uint8), format="rgb24") for level in range(60)]
    kept = [color_of(frame, Orientation(), 32) for frame in frames]
    del frames
    assert [int(picture.mean()) for picture in kept] == list(range(60))
