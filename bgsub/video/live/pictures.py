"""A live camera's picture: small and grey to look at, and whole where somebody asks for it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from bgsub.video.readers.luma import small_luma
from bgsub.video.readers.orientation import Orientation
from bgsub.video.selection import Selection

_AS_STORED = Orientation()
_own = threading.local()


@dataclass(frozen=True, slots=True, eq=False)
class LivePicture:
    """One picture to look at.

    Attributes
    ----------
    index : int
        Counts the pictures that were to be looked at, from 0; of those that were dropped there is none.
    time : float
        Seconds of the clock (`Clock.monotonic`) at which it was taken; they rise, over reconnects too.
    arrived : float
        Seconds of the clock at which its packet came, a little later.
    moment : datetime
        `time` as time of the day, in UTC; it steps where the system's clock is set.
    image : ndarray of uint8, shape (h, w)
        Its brightness, shrunk.
    gap : float
        Seconds for which the camera was away just before it; 0 otherwise.
    """

    index: int
    time: float
    arrived: float
    moment: datetime
    image: np.ndarray
    gap: float = 0.0
    decoded: av.VideoFrame | None = field(default=None, repr=False)
    orientation: Orientation = _AS_STORED

    def color(self, width: int | None = None) -> np.ndarray:
        """Return the whole picture, converted now.

        Parameters
        ----------
        width : int, optional
            Greatest width, in pixels; unless told, the camera's own.

        Returns
        -------
        ndarray of uint8, shape (H, W, 3)
            BGR, upright.
        """
        if self.decoded is None:
            return cv2.cvtColor(self.image, cv2.COLOR_GRAY2BGR)
        return color_of(self.decoded, self.orientation, width)


def color_of(picture: av.VideoFrame, orientation: Orientation, width: int | None = None) -> np.ndarray:
    """Return a decoded picture in BGR, uint8, upright, no wider than told."""
    upright = orientation.size(picture.width, picture.height)
    factor = 1.0 if width is None else min(1.0, width / upright[0])
    size = orientation.size(*(max(1, round(side * factor)) for side in upright))
    # Unless told, FFmpeg wakes a thread for each processor, which takes longer than the work.
    converted = _reformatter().reformat(picture, *size, format="bgr24", interpolation=Interpolation.AREA, threads=1)
    pixels = _pixels(converted)
    return orientation.upright(pixels.copy() if converted is picture else pixels)  # not in the decoder's memory


def _pixels(picture: av.VideoFrame) -> np.ndarray:
    """Return a picture in BGR, where it lies if its rows lie side by side: a copy takes half as long as converting."""
    plane = picture.planes[0]
    if plane.line_size != 3 * picture.width:
        return picture.to_ndarray()
    return np.frombuffer(plane, np.uint8).reshape(picture.height, picture.width, 3)  # type: ignore[call-overload]


def _reformatter() -> VideoReformatter:
    """Return this thread's: to make one takes longer than to use it."""
    if not hasattr(_own, "reformatter"):
        _own.reformatter = VideoReformatter()
    return _own.reformatter


def small_grey(picture: av.VideoFrame, orientation: Orientation, selection: Selection) -> np.ndarray:
    """Return the brightness of a decoded picture, uint8, upright and shrunk."""
    size = orientation.size(picture.width, picture.height)
    luma = small_luma(picture, orientation, size, selection)
    if luma is not None:
        return luma
    grey = VideoReformatter().reformat(picture, format="gray").to_ndarray()
    return selection.shrunk(orientation.upright(grey)).copy()
