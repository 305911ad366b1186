"""The masks of a scan, kept until its frames are read again to be drawn on."""

from __future__ import annotations

import tempfile
import zlib
from array import array
from bisect import bisect_left
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import cv2
import numpy as np

from bgsub.errors import OutputError
from bgsub.video.frame import VideoInfo
from bgsub.video.writers.painting import Painter


class KeptMasks:
    """Masks by the numbers of their frames, in a file without a name, which goes when this is left.

    Of a day's masks there are too many for memory; packed, one of 640x360 pixels takes some hundred bytes.

    Parameters
    ----------
    folder : Path
        Where there is room.
    info : VideoInfo
        Of the source as it is looked at.

    Raises
    ------
    OutputError
        When nothing can be written there, also by `add`.
    """

    def __init__(self, folder: Path, info: VideoInfo) -> None:
        self._folder = folder
        self._size = info.source_size or (info.width, info.height)
        self._factor = max(1, self._size[0] // info.width)
        self._indices, self._ends = array("q"), array("Q")
        self._shape = (0, 0)
        self._painter = Painter()
        try:
            self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__
        except OSError as error:
            raise self._failed(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, index: int, mask: np.ndarray) -> None:
        """Keep a mask; the numbers of frames rise."""
        self._shape = mask.shape
        packed = zlib.compress(np.packbits(mask == 255).tobytes(), 1)
        try:
            self._file.write(packed)
        except OSError as error:
            raise self._failed(error) from error
        self._indices.append(index)
        self._ends.append((self._ends[-1] if self._ends else 0) + len(packed))

    def mask(self, index: int) -> np.ndarray | None:
        """Return the mask of a frame in the source's size, 0 and 255; None where there is none."""
        place = bisect_left(self._indices, index)
        if place == len(self._indices) or self._indices[place] != index:
            return None
        begin = self._ends[place - 1] if place else 0
        self._file.seek(begin)
        bits = np.frombuffer(zlib.decompress(self._file.read(self._ends[place] - begin)), np.uint8)
        height, width = self._shape
        return enlarged(
            np.unpackbits(bits, count=height * width).reshape(height, width) * 255, self._factor, self._size
        )

    def tint(self, picture: np.ndarray, index: int) -> None:
        """Tint and outline what moves in a frame, in place: in one colour in all of a recording."""
        mask = self.mask(index)
        if mask is not None and mask.shape == picture.shape[:2]:
            picture[:] = self._painter.overlay(picture, mask)

    def _failed(self, error: OSError) -> OutputError:
        reason = error.strerror or error
        return OutputError(f"cannot keep masks in {self._folder}: {reason}; make room or choose another folder")


def enlarged(mask: np.ndarray, factor: int, size: tuple[int, int]) -> np.ndarray:
    """Return a mask in a source's size (width, height); its last rows and columns, which are not looked at, are 0."""
    height, width = mask.shape
    if (width, height) == size:
        return mask
    large = cv2.resize(mask, (width * factor, height * factor), interpolation=cv2.INTER_NEAREST)
    right, bottom = size[0] - width * factor, size[1] - height * factor
    return cv2.copyMakeBorder(large, 0, max(0, bottom), 0, max(0, right), cv2.BORDER_CONSTANT, value=0)
