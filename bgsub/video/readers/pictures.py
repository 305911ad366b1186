"""Decoded pictures become NumPy images."""

from __future__ import annotations

import math
import weakref

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

_MAX_IDLE = 32
_LOSSLESS_DETOUR = {"bgr24": "bgra", "gray": "gray16le"}


class PictureConverter:
    """Convert decoded pictures to BGR, or leave them grey where the source is grey.

    Bicubic chroma makes the images those of ``cv2.VideoCapture``, pixel for pixel.

    Parameters
    ----------
    first : av.VideoFrame
        A picture of the source; all images are colour or grey as this one is.
    """

    def __init__(self, first: av.VideoFrame) -> None:
        self._format = "gray" if first.format.name.startswith("gray") else "bgr24"
        self._reformatter = VideoReformatter()
        self._memory = _ImageMemory()

    def image(self, picture: av.VideoFrame) -> np.ndarray:
        """Return the picture upright: uint8, (H, W, 3) in BGR or (H, W) in grey; the caller owns it."""
        plain = self._reformatter.reformat(picture, format=self._format, interpolation=Interpolation.BICUBIC)
        if plain.planes[0].line_size < 0:
            # Stored bottom-up, not converted: some versions of PyAV read beyond the memory of such a picture.
            detour = self._reformatter.reformat(plain, format=_LOSSLESS_DETOUR[self._format])
            plain = self._reformatter.reformat(detour, format=self._format)
        pixels = plain.to_ndarray()
        if turns := quarter_turns(picture.rotation):
            return _turned(pixels, turns)
        image = self._memory.array(pixels.shape)
        image[:] = pixels
        return image


def quarter_turns(degrees: float) -> int:
    """Return how many turns of 90 degrees counterclockwise, 0 to 3, set a picture upright."""
    return round(degrees / 90) % 4


def _turned(pixels: np.ndarray, turns: int) -> np.ndarray:
    import cv2  # np.rot90 and a copy take ten times as long

    codes = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}
    return cv2.rotate(np.ascontiguousarray(pixels), codes[turns])


class _ImageMemory:
    """Memory of images that nobody holds any more, handed out again.

    Fresh memory from the operating system (each page is faulted in) costs more than filling it with pixels.
    An image's memory returns here only when the image and all views of it are gone: its holder never notices.
    """

    def __init__(self) -> None:
        self._idle: list[bytearray] = []
        self._size = 0

    def array(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return an uninitialised uint8 array of that shape."""
        size = math.prod(shape)
        if size != self._size:
            self._size, self._idle = size, []
        memory = self._idle.pop() if self._idle else bytearray(size)
        array: np.ndarray = np.ndarray(shape, np.uint8, buffer=memory)
        # Views keep `array` alive, not just `memory`: their base is the first array over the bytes.
        weakref.finalize(array, self._take_back, self._idle, memory).atexit = False
        return array

    @staticmethod
    def _take_back(idle: list[bytearray], memory: bytearray) -> None:
        if len(idle) < _MAX_IDLE:
            idle.append(memory)
