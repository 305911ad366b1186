"""A sequence of frames with ground truth, wherever it comes from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bgsub.errors import SourceError


@dataclass(frozen=True, slots=True)
class LabelledFrame:
    """One frame of a sequence.

    Attributes
    ----------
    number : int
        As in the names of CDnet's files: the mask of the frame is called ``bin%06d.png``.
    image : ndarray of uint8, shape (H, W, 3) or (H, W)
        BGR or grey.
    truth : ndarray of uint8, shape (H, W), or None
        Labels as in `bgsub.evaluation.protocol`; None where the frame does not count and a model only learns from it.
    """

    number: int
    image: np.ndarray
    truth: np.ndarray | None


class LabelledSequence(ABC):
    """Frames with ground truth; may be iterated any number of times, each time from the first frame.

    Parameters
    ----------
    category, name : str
        What to call it.
    """

    def __init__(self, category: str, name: str) -> None:
        self.category = category
        self.name = name

    @property
    def key(self) -> str:
        """Category and name, ``baseline/highway``."""
        return f"{self.category}/{self.name}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.key}>"

    @abstractmethod
    def region(self) -> np.ndarray | None:
        """Return which pixels count: bool, shape (H, W); None for all."""

    @property
    @abstractmethod
    def frame_count(self) -> int | None:
        """Number of frames, as far as it is known before they are read."""

    @abstractmethod
    def __iter__(self) -> Iterator[LabelledFrame]:
        """Yield all frames in order; raise `SourceError` where one cannot be read or does not fit the others."""

    def decoded(self) -> DecodedSequence:
        """Return the sequence with all of its frames in memory, for many methods to be tried on it."""
        return DecodedSequence(self.category, self.name, list(self), self.region())


class DecodedSequence(LabelledSequence):
    """A sequence in memory: one that was decoded, or frames that a program has made.

    Parameters
    ----------
    category, name : str
        What to call it.
    frames : sequence of LabelledFrame
        In order.
    region : ndarray of bool, shape (H, W), optional
        Pixels that count; all by default.
    """

    def __init__(
        self, category: str, name: str, frames: Sequence[LabelledFrame], region: np.ndarray | None = None
    ) -> None:
        super().__init__(category, name)
        self._frames = frames
        self._region = region

    def region(self) -> np.ndarray | None:
        """Return which pixels count."""
        return self._region

    @property
    def frame_count(self) -> int:
        """Number of frames."""
        return len(self._frames)

    def __iter__(self) -> Iterator[LabelledFrame]:
        return iter(self._frames)


def check_size(file: Path, plane: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a ground truth or a region, or raise `SourceError` unless it has the shape of the frames."""
    if plane.shape != shape[:2]:
        (height, width), (rows, columns) = plane.shape, shape[:2]
        raise SourceError(f"{file} has {width}x{height} pixels, the frames {columns}x{rows}: make them one size")
    return plane
