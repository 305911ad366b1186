"""The pictures of an animated WebP, one after the other: OpenCV decodes each, and here it is laid on those before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO

import cv2
import numpy as np

from bgsub.errors import SourceError
from bgsub.video.frame import MAX_PIXELS, too_large
from bgsub.video.readers.stills import Look, quiet

_MOST_FRAMES = 1_000_000
_LEAST_MS, _ASSUMED_MS = 11, 100  # shorter ones are shown for a tenth of a second, as browsers do


@dataclass(frozen=True, slots=True)
class Piece:
    """One picture of an animation: where its data lie, where it is laid, and how.

    Attributes
    ----------
    place, size : int
        Of its data, in bytes of the file.
    left, top, width, height : int
        Of the rectangle that it covers.
    duration : int
        Milliseconds that it is shown for.
    blends : bool
        What is below shines through where it is transparent.
    vanishes : bool
        Its rectangle is cleared before the next one.
    """

    place: int
    size: int
    left: int
    top: int
    width: int
    height: int
    duration: int
    blends: bool
    vanishes: bool


class WebPStack:
    """The pictures of an animated WebP.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    SourceError
        When there are none, or they are larger than supported.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            width, height, self._pieces = _pieces(file)
        if width * height > MAX_PIXELS:
            raise SourceError(too_large(str(path), width, height))
        if not self._pieces:
            raise SourceError(f"cannot open {path}: it is an animation without a picture; check the file")
        self.look = Look(cv2.IMREAD_COLOR, np.dtype(np.uint8), width, height, 8)
        self.durations: list[Fraction] | None = [Fraction(piece.duration, 1000) for piece in self._pieces]
        self.count = len(self._pieces)

    def images(self, first: int) -> Iterator[np.ndarray | None]:
        """Yield the pictures from a number on, BGR, each in memory of its own; None for one that is damaged."""
        canvas = np.zeros((self.look.height, self.look.width, 4), np.uint8)
        with self._path.open("rb") as file:
            for index, piece in enumerate(self._pieces):
                drawn = _draw(file, piece, canvas)
                if index >= first:
                    yield np.ascontiguousarray(canvas[:, :, :3]) if drawn else None
                if piece.vanishes:
                    _window(canvas, piece)[:] = 0


def _pieces(file: IO[bytes]) -> tuple[int, int, list[Piece]]:
    """Return width, height and the pieces of an animation."""
    head = file.read(30)
    width, height = _u24(head, 24) + 1, _u24(head, 27) + 1
    pieces: list[Piece] = []
    place = 12
    while len(pieces) < _MOST_FRAMES:
        file.seek(place)
        chunk = file.read(24)
        if len(chunk) < 24:
            return width, height, pieces
        size = int.from_bytes(chunk[4:8], "little")
        if chunk[:4] == b"ANMF":
            left, top, across, down, duration = (_u24(chunk, 8 + 3 * index) for index in range(5))
            # An odd byte of flags: bit 0 clears, bit 1 does not blend.
            pieces.append(
                Piece(
                    place + 24,
                    size - 16,
                    2 * left,
                    2 * top,
                    across + 1,
                    down + 1,
                    duration if duration >= _LEAST_MS else _ASSUMED_MS,
                    not chunk[23] & 2,
                    bool(chunk[23] & 1),
                )
            )
        place += 8 + size + size % 2
    return width, height, pieces


def _u24(data: bytes, place: int) -> int:
    return int.from_bytes(data[place : place + 3], "little")


def _window(canvas: np.ndarray, piece: Piece) -> np.ndarray:
    return canvas[piece.top : piece.top + piece.height, piece.left : piece.left + piece.width]


def _draw(file: IO[bytes], piece: Piece, canvas: np.ndarray) -> bool:
    """Decode a piece and lay it on the canvas; False, and nothing done, where it is damaged."""
    file.seek(piece.place)
    data = file.read(max(piece.size, 0))
    window = _window(canvas, piece)
    if len(data) < piece.size or window.shape[:2] != (piece.height, piece.width):
        return False
    flags = bytes([0x10 if data[:4] == b"ALPH" else 0, 0, 0, 0])
    sides = b"".join((side - 1).to_bytes(3, "little") for side in (piece.width, piece.height))
    if data[:4] == b"ALPH":
        data = b"VP8X" + (10).to_bytes(4, "little") + flags + sides + data
    single = b"RIFF" + (4 + len(data)).to_bytes(4, "little") + b"WEBP" + data
    try:
        with quiet():
            image = cv2.imdecode(np.frombuffer(single, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return False
    if image is None or image.shape[:2] != window.shape[:2] or image.dtype != np.uint8 or image.ndim != 3:
        return False
    if image.shape[2] == 3:
        window[:, :, :3], window[:, :, 3] = image, 255
    elif piece.blends:
        window[:] = _blended(image, window)
    else:
        window[:] = image
    return True


def _blended(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Return one picture laid on another, as libwebp does: colours are not multiplied with their opacity."""
    opacity = above[:, :, 3:].astype(np.int64)
    shining = below[:, :, 3:].astype(np.int64) * (256 - opacity) >> 8
    both = opacity + shining
    scale = (1 << 24) // np.maximum(both, 1)
    colours = (above[:, :, :3] * opacity + below[:, :, :3] * shining) * scale >> 24
    mixed = np.concatenate([colours, both], axis=2).astype(np.uint8)
    return np.where(opacity == 0, below, np.where(opacity == 255, above, mixed))
