"""Decoded pictures become NumPy images."""

from __future__ import annotations

import math
import re
import sys
import weakref

import av
import av.error
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from bgsub.video.readers.luma import small_luma
from bgsub.video.readers.orientation import Orientation, Orientations
from bgsub.video.selection import Selection

_MAX_IDLE = 32
_UNSPECIFIED = 2  # FFmpeg's number of a colour space that nobody has named
_LOSSLESS_DETOUR = {"bgr24": "bgra", "gray": "gray16le"}
_DEEP_GREY = re.compile(r"(?:gray|ya)(?:(9|10|12|14|16)|f(?:16|32))(?:le|be)")
_NATIVE = {"little": "le", "big": "be"}[sys.byteorder]


class PictureConverter:
    """Convert decoded pictures to BGR, or leave them grey, with all their digits, where the source is grey.

    Bicubic chroma makes the images those of ``cv2.VideoCapture``, pixel for pixel.

    Parameters
    ----------
    first : av.VideoFrame
        A picture of the source; all images are colour or grey, upright and of the size, as this one is.
    selection : Selection
        What `delivered` makes of them.

    Attributes
    ----------
    width, height : int
        Size of the images.
    bits : int
        Significant bits of a sample: 8, or 9 to 16 of grey in uint16, or 32 of grey in float32.
    """

    def __init__(self, first: av.VideoFrame, selection: Selection = Selection()) -> None:  # noqa: B008 - frozen
        self._selection = selection
        self._format, self.bits, self._dtype = _delivered(first.format.name)
        self._orientations = Orientations()
        self.width, self.height = self._orientations.of(first).size(first.width, first.height)
        self._reformatter = VideoReformatter()
        self._memory = _ImageMemory()

    def fits(self, picture: av.VideoFrame) -> bool:
        """Say whether a picture, upright, has the size of the images."""
        return self._orientations.of(picture).size(picture.width, picture.height) == (self.width, self.height)

    def delivered(self, picture: av.VideoFrame) -> np.ndarray:
        """Return the picture as it is to be delivered; the caller owns it."""
        if self._selection.luma:
            size = (self.width, self.height)
            luma = None if self.bits > 8 else small_luma(picture, self._orientations.of(picture), size, self._selection)
            if luma is not None:
                return luma
        return self._selection.resize(self.image(picture))

    def image(self, picture: av.VideoFrame) -> np.ndarray:
        """Return the picture upright, brought to the size of the images; the caller owns it.

        Returns
        -------
        ndarray of uint8, uint16 or float32
            Shape (H, W, 3) in BGR, uint8; or (H, W) in grey.
        """
        orientation = self._orientations.of(picture)
        width, height = orientation.size(self.width, self.height)
        plain = self._converted(picture)
        if (plain.width, plain.height) != (width, height):
            # In a second step: in one, chroma of half the size smears over sharp edges.
            plain = VideoReformatter().reformat(plain, width, height, interpolation=Interpolation.BICUBIC)
        if plain.planes[0].line_size < 0 and self._format in _LOSSLESS_DETOUR:
            # Stored bottom-up, not converted: some versions of PyAV read beyond the memory of such a picture.
            detour = self._reformatter.reformat(plain, format=_LOSSLESS_DETOUR[self._format])
            plain = self._reformatter.reformat(detour, format=self._format)
        pixels = plain.to_ndarray()
        if orientation != Orientation():
            return orientation.upright(pixels)
        image = self._memory.array(pixels.shape, self._dtype)
        image[:] = pixels
        return image

    def _converted(self, picture: av.VideoFrame) -> av.VideoFrame:
        """Return the picture in the format of the images."""
        try:
            return self._reformatter.reformat(picture, format=self._format, interpolation=Interpolation.BICUBIC)
        except av.error.FFmpegError:
            # Of a colour space that swscale has no matrix for: the usual one shows what there is, in nearby hues.
            picture.colorspace = _UNSPECIFIED
            return self._reformatter.reformat(picture, format=self._format, interpolation=Interpolation.BICUBIC)


def _delivered(name: str) -> tuple[str, int, np.dtype]:
    """Return format, bits and type of the images of a source whose pictures have the pixel format of this name."""
    if deep := _DEEP_GREY.fullmatch(name):
        # Alpha is left out. A half is a float with fewer digits.
        if deep[1] is None:
            return f"grayf32{_NATIVE}", 32, np.dtype(np.float32)
        return f"gray{deep[1]}{_NATIVE}", int(deep[1]), np.dtype(np.uint16)
    return "gray" if name.startswith("gray") else "bgr24", 8, np.dtype(np.uint8)


class _ImageMemory:
    """Memory of images that nobody holds any more, handed out again.

    Fresh memory from the operating system (each page is faulted in) costs more than filling it with pixels.
    An image's memory returns here only when the image and all views of it are gone: its holder never notices.
    """

    def __init__(self) -> None:
        self._idle: list[bytearray] = []
        self._size = 0

    def array(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Return an uninitialised array of that shape and type."""
        size = math.prod(shape) * dtype.itemsize
        if size != self._size:
            self._size, self._idle = size, []
        memory = self._idle.pop() if self._idle else bytearray(size)
        array: np.ndarray = np.ndarray(shape, dtype, buffer=memory)
        # Views keep `array` alive, not just `memory`: their base is the first array over the bytes.
        weakref.finalize(array, self._take_back, self._idle, memory).atexit = False
        return array

    @staticmethod
    def _take_back(idle: list[bytearray], memory: bytearray) -> None:
        if len(idle) < _MAX_IDLE:
            idle.append(memory)
