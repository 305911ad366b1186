"""The brightness of decoded pictures, small, without a detour over colours."""

from __future__ import annotations

import re
import sys
from functools import cache

import av
import cv2
import numpy as np

from bgsub.video.readers.orientation import Orientation
from bgsub.video.selection import Selection

# The first plane of these is luma, one sample after the other. Grey of more than 8 bits keeps all its digits elsewhere.
_PLANAR = re.compile(r"(?:yuvj?a?4[0-4][0-4]p|nv(?:12|16|21|24))")
_DEEP = re.compile(r"yuva?4[0-4][0-4]p(9|10|12|14|16)le")
_HIGH = re.compile(r"p[024]1[026]le")  # samples in the upper bits of 16
_FULL_RANGE = 2  # FFmpeg's number


def small_luma(
    picture: av.VideoFrame, orientation: Orientation, size: tuple[int, int], selection: Selection
) -> np.ndarray | None:
    """Return the luma of a picture, upright, as grey levels from 0 to 255, in the size of delivery.

    Parameters
    ----------
    picture : av.VideoFrame
        Decoded.
    orientation : Orientation
        That of the picture.
    size : (int, int)
        Width and height that pictures have, upright.
    selection : Selection
        Its `shrink` is the size of delivery.

    Returns
    -------
    ndarray of uint8, shape (h, w), or None
        In memory of its own; None where the picture has no plane of luma, or another size.
    """
    bits = _bits(picture.format.name)
    if not bits or orientation.size(picture.width, picture.height) != size:
        return None
    plane = picture.planes[0]
    dtype = np.dtype(np.uint8 if bits == 8 else np.uint16)
    if plane.line_size <= 0 or plane.line_size % dtype.itemsize:
        return None  # stored bottom-up
    samples = np.frombuffer(plane, dtype, plane.line_size // dtype.itemsize * picture.height)  # type: ignore[call-overload]
    stored = samples.reshape(picture.height, -1)[:, : picture.width]
    small = selection.shrunk(orientation.upright(stored))
    full = picture.color_range == _FULL_RANGE or picture.format.name.startswith(("yuvj", "gray"))
    # Neither shrunk nor turned, it still lies in the decoder's memory.
    return _levels(small, bits, full, None if small is stored else small)


@cache
def _bits(name: str) -> int:
    """Return the bits of a sample of luma, 0 where there is no plane of it."""
    if _PLANAR.fullmatch(name) or name == "gray":
        return 8
    if sys.byteorder == "big":
        return 0
    if deep := _DEEP.fullmatch(name):
        return int(deep[1])
    return 16 if _HIGH.fullmatch(name) else 0


def _levels(luma: np.ndarray, bits: int, full: bool, own: np.ndarray | None) -> np.ndarray:
    """Return samples as grey levels of 8 bits: where they have a narrow range, 16 is black and 235 white.

    They may be written to `own`, which holds them already.
    """
    if bits == 8 and full:
        return luma.copy() if own is None else own
    black, white = (0, (1 << bits) - 1) if full else (16 << bits - 8, 235 << bits - 8)
    above = cv2.subtract(luma, float(black), dst=own)  # type: ignore[call-overload]
    return cv2.convertScaleAbs(above, dst=above if bits == 8 else None, alpha=255 / (white - black))
