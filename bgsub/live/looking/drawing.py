"""What moves, drawn into pictures: into thumbnails, live views, and clips that are encoded anew."""

from __future__ import annotations

import threading
import zlib
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from bgsub.live.looking.privacy import hide
from bgsub.live.settings import Zone
from bgsub.masks import FOREGROUND
from bgsub.motion.blobs import Box
from bgsub.video.writers.drawing import overlay

_BOX_COLOR, _RIM, _TINT = (60, 200, 255), (0, 0, 0), (255, 0, 255)
_ENCODING = 1.7e-8  # seconds of a processor for a pixel that is decoded, painted on and encoded
_HOLDS = 0.5  # seconds for which what was seen is drawn


def draw_boxes(picture: np.ndarray, boxes: Sequence[Box], size: tuple[int, int]) -> np.ndarray:
    """Draw boxes into a picture, in place, and return it.

    Parameters
    ----------
    picture : ndarray of uint8, shape (H, W, 3)
        BGR.
    boxes : sequence of Box
        In pixels of the source.
    size : (int, int)
        Width and height of the source's pictures.
    """
    across, down = picture.shape[1] / size[0], picture.shape[0] / size[1]
    for left, top, width, height in boxes:
        begin = (round(left * across), round(top * down))
        end = (round((left + width) * across), round((top + height) * down))
        for color, thickness in ((_RIM, 3), (_BOX_COLOR, 1)):
            cv2.rectangle(picture, begin, end, color, thickness, cv2.LINE_AA)
    return picture


def with_mask(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return a BGR picture with what a mask of any size marks tinted and outlined; the same where it marks nothing."""
    if mask.max() < FOREGROUND:
        return picture
    large = cv2.resize(mask, picture.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    return overlay(picture, large, _TINT, shadow_color=None)


def cost_of_encoding(size: tuple[int, int]) -> str:
    """Say what it costs to encode all that is recorded anew, for pictures of a size."""
    width, height = size
    return (
        "what is recorded is encoded anew, for a privacy zone or what is drawn: that takes about "
        f"{1000 * _ENCODING * width * height:.1f} ms of a processor for each picture of {width}x{height}"
    )


class _Sight(NamedTuple):
    """What moved at a time: boxes, and the mask as compressed bits."""

    time: float
    boxes: tuple[Box, ...]
    bits: bytes
    shape: tuple[int, ...]


class ClipPainter:
    """Paints on the pictures of clips what was seen in them, and blacks out what is private.

    Parameters
    ----------
    zones : sequence of Zone
        Of the camera.
    draw : sequence of str
        ``boxes``, ``mask``, both or none.
    keep : float
        Seconds that a clip shows before its event is known.
    """

    def __init__(self, zones: Sequence[Zone], draw: Sequence[str], keep: float) -> None:
        self._zones, self._boxes, self._mask, self._keep = zones, "boxes" in draw, "mask" in draw, keep
        self._size = (1, 1)
        self._seen: deque[_Sight] = deque()
        self._lock = threading.Lock()

    def note(self, time: float, boxes: tuple[Box, ...], mask: np.ndarray, size: tuple[int, int]) -> None:
        """Take what moves at a time: boxes in pixels of the source, whose size is told, and the mask."""
        if not (self._boxes or self._mask):
            return
        bits = zlib.compress(np.packbits(mask == FOREGROUND).tobytes(), 1) if self._mask else b""
        with self._lock:
            self._size = size
            self._seen.append(_Sight(time, boxes, bits, mask.shape))
            while self._seen[0].time < time - self._keep:
                self._seen.popleft()

    def paint(self, picture: np.ndarray, time: float) -> np.ndarray:
        """Return a picture of a clip, BGR, as it may be seen; called in the thread that writes the clip."""
        sight = self._at(time)
        if sight is not None and self._mask:
            moving = np.unpackbits(np.frombuffer(zlib.decompress(sight.bits), np.uint8))
            height, width = sight.shape
            picture = with_mask(picture, moving[: height * width].reshape(height, width) * np.uint8(FOREGROUND))
        if sight is not None and self._boxes:
            picture = draw_boxes(picture, sight.boxes, self._size)
        return hide(picture, self._zones)

    def _at(self, time: float) -> _Sight | None:
        """Return what was last seen at a time."""
        with self._lock:
            for sight in reversed(self._seen):
                if sight.time <= time:
                    return sight if time - sight.time <= _HOLDS else None
        return None
