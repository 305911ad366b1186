"""The features of every frame of a video, gathered while it streams by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bgsub.features.appearance import APPEARANCE, appearance
from bgsub.features.movement import BOXES, MOVEMENT, movement_and_boxes
from bgsub.features.thumbnails import Thumbnails
from bgsub.video.frame import Frame
from bgsub.video.sink import Sink
from bgsub.video.writers.tones import Tones

N_EMBEDDING = 8
EMBEDDING = tuple(f"embedding_{k}" for k in range(N_EMBEDDING))
FEATURES = (*APPEARANCE, *MOVEMENT, *EMBEDDING)
"""Names of a frame's features, in their order."""

_BLOCK = 4096  # frames


@dataclass(frozen=True)
class FrameFeatures:
    """What is known of each of N frames.

    Attributes
    ----------
    indices : ndarray of int64, shape (N,)
        Position of each frame in its source, from 0.
    times : ndarray of float64, shape (N,)
        Seconds from the source's first frame.
    values : ndarray of float64, shape (N, len(FEATURES))
        Its features, in the order of `FEATURES`; the last ones, the embedding, may be missing.
    boxes : ndarray of uint16, shape (N, BOXES, 4), optional
        Where the largest moving objects of each frame are: left, top, width, height; 0 where there is none.
    """

    indices: np.ndarray
    times: np.ndarray
    values: np.ndarray
    boxes: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, name: str) -> np.ndarray:
        """Return one feature of all frames, shape (N,)."""
        return self.values[:, FEATURES.index(name)]

    def columns(self) -> dict[str, np.ndarray]:
        """Return what a table of the frames has by column: frame, time, and all features."""
        return {"frame": self.indices, "time": self.times, **dict(zip(FEATURES, self.values.T, strict=False))}


class FeatureCollector(Sink):
    """A sink that keeps the features of each frame: a quarter of a kilobyte, whatever the size of the picture.

    Parameters
    ----------
    embedding : bool
        Whether they have an embedding, whose axes are those of the frames collected: of two videos they mean two
        things.

    Examples
    --------
    >>> import bgsub
    >>> from bgsub.pipeline import run
    >>> with bgsub.open_source("sample_videos/night.mp4", end=0.5) as source, FeatureCollector() as collector:
    ...     tally = run(source, bgsub.MOG2(), [collector])
    ...     features = collector.features()
    >>> len(features)
    10
    """

    def __init__(self, embedding: bool = True) -> None:
        self._thumbnails = Thumbnails() if embedding else None
        self._tones = Tones()  # thermal video uses a few per cent of its 16 bits
        self._blocks: list[np.ndarray] = []
        self._boxes: list[np.ndarray] = []
        self._count = 0

    def write(self, frame: Frame, mask: np.ndarray) -> None:
        """Take one frame and its mask."""
        row = self._count % _BLOCK
        if row == 0:
            self._blocks.append(np.empty((_BLOCK, 2 + len(APPEARANCE) + len(MOVEMENT))))
            self._boxes.append(np.empty((_BLOCK, BOXES, 4), np.uint16))
        moving, self._boxes[-1][row] = movement_and_boxes(mask)
        image = self._tones(frame.image)
        self._blocks[-1][row] = [frame.index, frame.time, *appearance(image), *moving]
        if self._thumbnails is not None:
            self._thumbnails.add(image)
        self._count += 1

    def features(self) -> FrameFeatures:
        """Return the features of the frames so far."""
        rows = np.concatenate([np.empty((0, 2 + len(APPEARANCE) + len(MOVEMENT))), *self._blocks])[: self._count]
        values = rows[:, 2:]
        if self._thumbnails is not None:
            values = np.hstack([values, self._thumbnails.embedding(N_EMBEDDING)])
        boxes = np.concatenate([np.empty((0, BOXES, 4), np.uint16), *self._boxes])[: self._count]
        return FrameFeatures(rows[:, 0].astype(np.int64), rows[:, 1], values, boxes)

    def close(self) -> None:
        """Delete the thumbnails' temporary file."""
        if self._thumbnails is not None:
            self._thumbnails.__exit__(None, None, None)
