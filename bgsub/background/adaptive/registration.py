"""A camera that shakes: how far each frame is displaced against the background, and whether that is worth undoing.

Corners of the learned background are looked for in the frame (Lucas and Kanade's tracker, on a copy a few hundred
pixels wide), and the rotation, scale and translation on which most of them agree (RANSAC) brings the frame back. Trees
and water move without agreement, people and cars in a part of the picture only: neither counts as a camera's movement.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np

# Constants, all without a parameter; of each its origin, as `parameters.Origin` defines the words.
_WIDEST = 400  # cost: pixels, frames are measured at a width up to this
_SMALLEST = 32  # chosen: pixels, a smaller picture has too few corners
_CORNERS, _QUALITY, _APART = 300, 0.005, 5  # cost: of the reference; their quality beside the best; pixels between them
_PROBES = 64  # cost: the best of them, looked for while the camera is still
_WINDOW = (15, 15)  # chosen: in which a corner is recognised, pixels
_LEVELS = 2  # chosen: of the tracker's pyramid, beside the picture itself
_ERROR = 1.0  # chosen: pixels by which a corner may miss the common movement

_FEWEST = 10  # chosen: corners that must agree
_PROOF, _AGREEMENT = 0.5, 0.06  # chosen: share of them that must to show that a camera shakes, and to follow one
_QUARTERS, _FOLLOWED = 3, 2  # chosen: quarters of the picture in which corners must agree, likewise
_IN_QUARTER = 4  # chosen: corners that agree in such a quarter
_FARTHEST = 0.1  # chosen: share of the width, a farther displacement is a camera that turns away
_STRETCH = 0.05  # chosen: most change of scale, and most sine of the rotation

_MOVED = 0.75  # chosen: pixels of displacement that are worth undoing
_MOVED_SMALL = 0.25  # physics: the same in the small copy, whose measurement is no finer
_NEAR = 0.35  # physics: pixels of the small copy, a corner nearer than this to a place is there
_BETTER = 3  # chosen: corners that move with the camera to one that stays where it was

_FIRST = 10  # cost: frames of which each is measured
_SELDOM = 40  # cost: then one frame of so many, while the camera is still
_RECENT, _ENGAGE = 6, 4  # chosen: latest measurements, and how many of them must show movement
_CALM = 100  # chosen: measured frames without movement after which the camera is still again
_RENEWALS, _RENEWED_EVERY = (25, 100), 300  # chosen: frames after which the reference is taken again


def small_shape(size: tuple[int, ...]) -> tuple[int, int]:
    """Return height and width of the copy on which a picture of `size` (H, W) is measured."""
    factor = _factor(size)
    return max(1, size[0] // factor), max(1, size[1] // factor)


def small(picture: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return the luma of a picture, (h, w) or (h, w, 3) in [0, 255], brought down to `small_shape`: uint8."""
    height, width = shape
    factor = _factor(picture.shape)
    if factor > 1:
        whole = picture[: height * factor, : width * factor]
        picture = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
    if picture.ndim == 3:
        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    if picture.dtype == np.uint8:
        return picture
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


class Pictures(Protocol):
    """Who gives small pictures: an engine."""

    def small_frame(self, pixels: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        """Return a frame's area, brought down to `shape` as by `small`."""

    def small_background(self, shape: tuple[int, int]) -> np.ndarray:
        """Return the learned background, brought down to `shape` as by `small`."""


class _Movement(NamedTuple):
    """How corners of the small reference went to the small copy of a frame."""

    matrix: np.ndarray  # float64, (2, 3)
    start: np.ndarray  # (N, 2): where corners that were found again are in the reference
    end: np.ndarray  # (N, 2): and in the frame
    agreeing: np.ndarray  # (M, 2): those of `start` that went as the matrix says


class Registration:
    """Finds out whether a camera shakes and, while it does, how each frame is displaced.

    Parameters
    ----------
    outside : ndarray of bool, shape (h, w)
        Pixels of which nothing is learned.

    Attributes
    ----------
    shape : (int, int)
        Height and width of the small pictures, `small_shape` of (h, w).
    reference : ndarray of uint8, of that shape
        Luma of the background; all 0 before there is one.
    engaged : bool
        Whether frames are to be brought back.
    """

    def __init__(self, outside: np.ndarray) -> None:
        self._factor = _factor(outside.shape)
        self.shape = small_shape(outside.shape)
        self.reference = np.zeros(self.shape, np.uint8)
        self._inside: np.ndarray | None = None
        if outside.any():  # the region's own outline is no corner
            inside = small(np.where(outside, np.uint8(0), np.uint8(255)), self.shape)
            _, inside = cv2.threshold(inside, 254, 255, cv2.THRESH_BINARY)
            self._inside = cv2.erode(inside, np.ones(_WINDOW, np.uint8), borderType=cv2.BORDER_REPLICATE)
        self.forget()

    def forget(self) -> None:
        """Empty the state."""
        self.reference[...] = 0
        self._corners: np.ndarray | None = None  # of the reference, found when they are needed
        self.engaged = False
        self._recent: list[bool] = []
        self._calm = 0

    def follow(self, pictures: Pictures, pixels: np.ndarray, n_frames: int, learn: bool) -> np.ndarray | None:
        """Return how a frame is displaced, looking at as few frames as will do.

        Parameters
        ----------
        pictures : Pictures
            Gives small pictures of frame and background, which are asked for when they are wanted.
        pixels : ndarray of uint8 or float32, shape (H, W) or (H, W, 3)
            The whole frame.
        n_frames : int
            Frames learned before it.
        learn : bool
            Whether the frame may change what is known of the camera.

        Returns
        -------
        ndarray of float64, shape (2, 3), or None
            Takes (x, y, 1) in the background to (x, y) in the frame, pixels of the area; None when the camera is still,
            or the displacement unknown.
        """
        if learn and (n_frames in _RENEWALS or n_frames % _RENEWED_EVERY == 0):
            background = pictures.small_background(self.shape) if n_frames else pictures.small_frame(pixels, self.shape)
            self.renew(background)
        if not self.engaged:
            due = n_frames <= _FIRST or n_frames % _SELDOM == 0 or self._recent[-1:] == [True]
            if not learn or n_frames == 0 or not due:
                return None
        matrix, moved = self._measure(pictures.small_frame(pixels, self.shape))
        if learn:
            self._decide(moved)
        return matrix if self.engaged else None

    def renew(self, background: np.ndarray) -> None:
        """Take a small picture of the background, as `small` gives it, as the reference."""
        self.reference[...] = background
        self._corners = None

    # ---------------------------------------------------------------------------------------------- persistence

    def progress(self) -> dict[str, Any]:
        """Return what was found out, besides the reference, as plain values."""
        return {"engaged": self.engaged, "recent": list(self._recent), "calm": self._calm}

    def restore(self, reference: np.ndarray) -> None:
        """Take over a saved reference."""
        self.reference[...] = reference
        self._corners = None

    def set_progress(self, values: Mapping[str, Any]) -> None:
        """Take over what `progress` returned, or raise ValueError about a value that it cannot have."""
        engaged, recent, calm = values["engaged"], values["recent"], values["calm"]
        if type(engaged) is not bool or type(calm) is not int or not 0 <= calm <= _CALM:
            raise ValueError(f"a registration that is {engaged!r} with {calm!r} calm frames")
        if type(recent) is not list or len(recent) > _RECENT or not all(type(moved) is bool for moved in recent):
            raise ValueError(f"movements {recent!r}")
        self.engaged, self._recent, self._calm = engaged, list(recent), calm

    # ------------------------------------------------------------------------------------------------- measuring

    def _measure(self, picture: np.ndarray) -> tuple[np.ndarray | None, bool]:
        """Return the matrix from the background to a frame, None without agreement, and whether the camera moved."""
        corners = self._reference_corners()
        if len(corners) < _FEWEST:
            return None, False
        movement = self._track(picture, corners)
        if movement is not None and self.engaged and len(movement.agreeing) < _PROOF * len(corners):
            # A far movement loses corners. Those that agreed tell where to look for the others; chance finds no more.
            movement = self._track(picture, corners, movement.matrix)
        if movement is None or not self._convincing(movement, len(corners)):
            return None, False
        matrix, moved = movement.matrix, self._moved(movement, len(corners))
        middle = np.full(2, (self._factor - 1) / 2)  # of the pixels that make one of the small copy
        matrix[:, 2] = matrix[:, 2] * self._factor + middle - matrix[:, :2] @ middle
        return matrix, moved

    def _track(self, picture: np.ndarray, corners: np.ndarray, guess: np.ndarray | None = None) -> _Movement | None:
        """Return the movement on which the most corners agree; `guess` is a matrix to start from."""
        expected = corners if guess is None else cv2.transform(corners, guess).astype(np.float32)
        tracked, found, _ = cv2.calcOpticalFlowPyrLK(
            self.reference,
            picture,
            corners,
            expected.copy(),  # is overwritten
            winSize=_WINDOW,
            maxLevel=_LEVELS if guess is None else 1,
            flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        )
        seen = found.ravel() > 0
        if np.count_nonzero(seen) < _FEWEST:
            return None
        start, end = corners[seen, 0], tracked[seen, 0]
        matrix, agree = cv2.estimateAffinePartial2D(start, end, method=cv2.RANSAC, ransacReprojThreshold=_ERROR)
        if matrix is None:
            return None
        return _Movement(matrix, start, end, start[agree.ravel() > 0])

    def _reference_corners(self) -> np.ndarray:
        """Return the reference's corners, float32, shape (N, 1, 2)."""
        if self._corners is None:
            found = None
            if min(self.reference.shape) >= _SMALLEST:
                found = cv2.goodFeaturesToTrack(self.reference, _CORNERS, _QUALITY, _APART, mask=self._inside)
            self._corners = np.empty((0, 1, 2), np.float32) if found is None else found
        return self._corners if self.engaged else self._corners[:_PROBES]

    def _convincing(self, movement: _Movement, n: int) -> bool:
        """Return whether a movement of some of the `n` corners is a camera's."""
        matrix, corners = movement.matrix, movement.agreeing
        if len(corners) < max(_FEWEST, _AGREEMENT * n):
            return False
        height, width = self.reference.shape
        quarter = (corners[:, 0] * 2 >= width).astype(int) + 2 * (corners[:, 1] * 2 >= height)
        quarters = _FOLLOWED if self.engaged else _QUARTERS
        if np.count_nonzero(np.bincount(quarter, minlength=4) >= _IN_QUARTER) < quarters:
            return False
        if np.abs(matrix[:, :2] - np.eye(2)).max() > _STRETCH:
            return False
        return mean_displacement(matrix, self.reference.shape) <= _FARTHEST * width

    def _moved(self, movement: _Movement, n: int) -> bool:
        """Return whether a displacement is worth undoing, and explains far more corners than a still camera does."""
        matrix, start, end, _ = movement
        if mean_displacement(matrix, self.reference.shape) <= max(_MOVED_SMALL, _MOVED / self._factor):
            return False
        with_camera = _count_near(start @ matrix[:, :2].T + matrix[:, 2], end)
        needed = _AGREEMENT if self.engaged else _PROOF
        return with_camera >= needed * n and with_camera > _BETTER * _count_near(start, end)

    def _decide(self, moved: bool) -> None:
        """Count a measurement, and engage or not."""
        self._recent = [*self._recent, moved][-_RECENT:]
        self._calm = 0 if moved else min(self._calm + 1, _CALM)
        if self.engaged:
            self.engaged = self._calm < _CALM
        else:
            self.engaged = sum(self._recent) >= _ENGAGE


def _factor(size: tuple[int, ...]) -> int:
    """Return the whole number by which pictures are made smaller before they are measured."""
    return -(-size[1] // _WIDEST)


def _count_near(points: np.ndarray, others: np.ndarray) -> int:
    """Return how many points lie near their counterparts."""
    return int(np.count_nonzero(np.linalg.norm(points - others, axis=1) < _NEAR))


def mean_displacement(matrix: np.ndarray, shape: tuple[int, ...]) -> float:
    """Return the mean distance, in pixels, by which a movement takes the corners of a picture away."""
    height, width = shape[:2]
    points = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], np.float64)
    return float(np.linalg.norm(points @ matrix.T - points[:, :2], axis=1).mean())
