"""One picture out of an image file: decoded by OpenCV, with all its digits where it is grey."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bgsub.errors import SourceError
from bgsub.video.frame import MAX_PIXELS, too_large

# OpenCV 5 has moved the two functions.
opencv_log: Any = cv2 if hasattr(cv2, "setLogLevel") else cv2.utils.logging

AS_IT_IS = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR
_EXACT = {np.int8: np.int16, np.uint32: np.float64, np.int32: np.float64, np.int64: np.float64, np.uint64: np.float64}
_TAKEN = (np.uint8, np.uint16, np.int16, np.float32, np.float64)


@dataclass(frozen=True, slots=True)
class Look:
    """How the images of a source are decoded, as the first of them decides.

    Attributes
    ----------
    flags : int
        OpenCV's: colour is BGR of 8 bits, grey keeps its depth.
    dtype : dtype
        Of the images that are delivered: that of the file, or a wider one that holds all its numbers.
    width, height : int
        Of the images.
    bits : int
        Of a sample in the file.
    """

    flags: int
    dtype: np.dtype
    width: int
    height: int
    bits: int

    @classmethod
    def of(cls, image: np.ndarray, shown: object) -> Look:
        """Return that of a first image, decoded as it is.

        Raises
        ------
        SourceError
            When it is too large, or its pixels are of a type that no model takes.
        """
        height, width = image.shape[:2]
        if width * height > MAX_PIXELS:
            raise SourceError(too_large(str(shown), width, height))
        if image.ndim == 3:
            return cls(cv2.IMREAD_COLOR, np.dtype(np.uint8), width, height, 8)
        dtype = np.dtype(_EXACT.get(image.dtype.type, image.dtype.type))
        if dtype.type not in _TAKEN:
            raise SourceError(f"cannot open {shown}: its pixels are {image.dtype}; convert the images to 8 or 16 bits")
        deep = 0 if image.dtype == np.uint8 else cv2.IMREAD_ANYDEPTH
        return cls(cv2.IMREAD_GRAYSCALE | deep, dtype, width, height, 8 * image.dtype.itemsize)

    def fits(self, image: np.ndarray) -> bool:
        """Say whether an image has the size of the first."""
        return image.shape[:2] == (self.height, self.width)

    def brought(self, image: np.ndarray) -> np.ndarray:
        """Return an image in the type and the size of the first."""
        if image.dtype != self.dtype:
            image = image.astype(self.dtype)
        if self.fits(image):
            return image
        shrinks = image.shape[0] * image.shape[1] > self.height * self.width
        way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return cv2.resize(image, (self.width, self.height), interpolation=way)


def decode(file: Path, flags: int) -> np.ndarray | None:
    """Return the decoded image, or None where the file cannot be read or is cut off."""
    try:
        data = file.read_bytes()
    except OSError:
        return None
    # OpenCV 4 fills what is missing of a JPEG with grey and says nothing: one without an end is refused here.
    if not data or (data.startswith(b"\xff\xd8") and b"\xff\xd9" not in data[2:]):
        return None
    try:
        with quiet():
            return cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None


class _Quiet:
    """OpenCV's level of logging, down as long as anybody in any thread wants it down."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted = 0
        self._level: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if not self._wanted:
                self._level = opencv_log.getLogLevel()
                opencv_log.setLogLevel(0)
            self._wanted += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._wanted -= 1
            if not self._wanted:
                opencv_log.setLogLevel(self._level)


_QUIET = _Quiet()


def quiet() -> contextlib.AbstractContextManager[None]:
    """Keep OpenCV from writing its own lines to stderr."""
    return _QUIET
