"""Thumbnails of all frames, and their principal components: where a frame lies among all others.

A video is longer than memory, so thumbnails go to a temporary file (768 bytes a frame, 69 MB for an hour at 25 frames
a second), and only their sums are kept in memory. The pixels are whole numbers, and so are the sums: float64 holds them
exactly, so the components are those of all frames at once, to the bit, in whatever portions they were added. An
incremental PCA would only come near, and depend on the portions.
"""

from __future__ import annotations

import tempfile
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from bgsub.errors import OutputError

SIZE = (32, 24)
"""Width and height of a thumbnail, whatever the shape of the frame."""

_PIXELS = SIZE[0] * SIZE[1]
_PORTION = 256  # thumbnails gathered before they are summed and written
_LEAST_VARIANCE = 1e-6  # of the total; below it there is only rounding


def thumbnail(image: np.ndarray) -> np.ndarray:
    """Return an image (H, W, 3) in BGR or (H, W) in grey, uint8 or uint16, as a small grey one: uint8, (24, 32)."""
    small = cv2.resize(image, SIZE, interpolation=cv2.INTER_AREA)
    if small.dtype == np.uint16:
        small = cv2.convertScaleAbs(small, alpha=1 / 257)
    return cv2.cvtColor(small, cv2.COLOR_BGR2GRAY) if small.ndim == 3 else small


class Thumbnails:
    """Thumbnails in a temporary file, with the sums that their principal components need.

    A context manager: leaving the block deletes the file.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="bgsub-")  # noqa: SIM115 (open as long as this object)
        self._waiting: list[np.ndarray] = []
        self._count = 0
        self._sum = np.zeros(_PIXELS)
        self._products = np.zeros((_PIXELS, _PIXELS))

    def add(self, image: np.ndarray) -> None:
        """Take the thumbnail of one more frame.

        Raises
        ------
        OutputError
            When the disk is full.
        """
        self._waiting.append(thumbnail(image))
        if len(self._waiting) == _PORTION:
            self._store()

    def embedding(self, n_components: int) -> np.ndarray:
        """Return the principal components of every thumbnail.

        Parameters
        ----------
        n_components : int
            How many, up to 768.

        Returns
        -------
        ndarray of float64, shape (N, n_components)
            In grey levels: the root mean square over a thumbnail's pixels of its difference from the mean thumbnail
            along that component. The first varies most; 0 where the frames have fewer components.
        """
        self._store()
        mean = self._sum / max(1, self._count)
        # Both terms are exact: the difference keeps all digits that it can have.
        covariance = (self._products * self._count - np.outer(self._sum, self._sum)) / max(1, self._count) ** 2
        variances, vectors = np.linalg.eigh(covariance)
        axes = vectors[:, : -n_components - 1 : -1]
        axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])  # else the sign is chance
        axes[:, variances[: -n_components - 1 : -1] <= _LEAST_VARIANCE * variances.sum()] = 0
        axes /= np.sqrt(_PIXELS)

        found = np.empty((self._count, n_components))
        self._file.seek(0)
        for start in range(0, self._count, _PORTION):
            size = min(_PORTION, self._count - start)
            pixels = np.frombuffer(self._file.read(size * _PIXELS), np.uint8).reshape(size, _PIXELS)
            found[start : start + size] = (pixels - mean) @ axes
        return found

    def _store(self) -> None:
        """Sum and write the thumbnails that wait."""
        if not self._waiting:
            return
        pixels = np.stack(self._waiting).reshape(-1, _PIXELS)
        self._waiting.clear()
        self._file.seek(0, 2)
        try:
            self._file.write(pixels.data)
            self._file.flush()
        except OSError as error:
            raise OutputError(
                f"cannot keep thumbnails in {tempfile.gettempdir()}: {error.strerror or error}; make room, or let "
                "TMPDIR name a folder on a larger disk"
            ) from error
        exact = pixels.astype(np.float64)
        self._count += len(exact)
        self._sum += exact.sum(axis=0)
        self._products += exact.T @ exact

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
