"""The obvious reference of the registration: when a frame is measured, what counts as a camera's movement, and when.

Nothing of bgsub is imported here; corners, tracker and RANSAC are OpenCV's.
"""

from __future__ import annotations

import cv2
import numpy as np


class NaiveRegistration:
    """Whether a camera shakes, and how its frames are displaced.

    Attributes
    ----------
    said : list of str
        Why each measured frame was taken for moved, still, or none of both.
    """

    def __init__(self, shape: tuple[int, ...], outside: np.ndarray | None = None) -> None:
        self.factor = int(np.ceil(shape[1] / 400))  # frames are measured at a width up to 400 pixels
        self.shape = max(1, shape[0] // self.factor), max(1, shape[1] // self.factor)
        self.inside = None
        if outside is not None and outside.any():
            whole = (self.small(np.where(outside, 0, 255).astype(np.uint8)) == 255).astype(np.uint8)
            self.inside = cv2.erode(whole, np.ones((15, 15), np.uint8), borderType=cv2.BORDER_REPLICATE)
        self.engaged = False
        self.history: list[bool] = []  # of all measured frames, whether they had moved
        self.said: list[str] = []

    def small(self, picture: np.ndarray) -> np.ndarray:
        """Return a picture's luma, brought down by a whole factor, uint8."""
        height, width = (self.factor * n for n in self.shape)
        if self.factor > 1:
            picture = cv2.resize(picture[:height, :width], self.shape[::-1], interpolation=cv2.INTER_AREA)
        if picture.ndim == 3:
            picture = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        return np.clip(np.rint(picture), 0, 255).astype(np.uint8)

    def renew(self, background: np.ndarray) -> None:
        """Take a picture of the background."""
        self.reference = self.small(background)
        corners = None
        if min(self.shape) >= 32:
            corners = cv2.goodFeaturesToTrack(self.reference, 300, 0.005, 5, mask=self.inside)
        self.corners = np.empty((0, 1, 2), np.float32) if corners is None else corners

    def displacement(self, frame: np.ndarray, n_learned: int, learn: bool) -> np.ndarray | None:
        """Return the matrix from the background to a frame, None for a still camera or an unclear frame."""
        if not self.engaged:
            measured = n_learned <= 10 or n_learned % 40 == 0 or self.history[-1:] == [True]
            if n_learned == 0 or not learn or not measured:
                return None
        matrix, verdict = self._measure(self.small(frame))
        self.said.append(verdict)
        if learn:
            self.history.append(verdict == "moved")
            if self.engaged:
                self.engaged = len(self.history) < 100 or any(self.history[-100:])
            else:
                self.engaged = sum(self.history[-6:]) >= 4
        return matrix if self.engaged else None

    def _measure(self, small: np.ndarray) -> tuple[np.ndarray | None, str]:
        corners = self.corners if self.engaged else self.corners[:64]
        n = len(corners)
        found = self._track(small, corners, corners, 2)
        if found and self.engaged and len(found[3]) < n / 2:
            guess = cv2.transform(corners, found[0]).astype(np.float32)
            found = self._track(small, corners, guess, 1)
        if not found:
            return None, "few corners"
        matrix, start, end, agreeing = found
        why = self._unlike_a_camera(matrix, agreeing, n)
        if why:
            return None, why
        far = mean_move(matrix, self.shape)
        kept = near(start, end)
        followed = near(np.c_[start, np.ones(len(start))] @ matrix.T, end)
        if far <= max(0.25, 0.75 / self.factor):
            verdict = "not far enough"
        elif followed < (0.06 if self.engaged else 0.5) * n:
            verdict = "too few follow"
        else:
            verdict = "moved" if followed > 3 * kept else "as many stay"
        # Pixel i of the small copy has its middle at that of pixels factor * i to factor * i + factor - 1.
        middle = np.full(2, (self.factor - 1) / 2)
        offset = self.factor * matrix[:, 2] + middle - matrix[:, :2] @ middle
        return np.c_[matrix[:, :2], offset], verdict

    def _track(
        self, small: np.ndarray, corners: np.ndarray, guess: np.ndarray, levels: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None:
        """Return matrix, corners that were found again, where they are now, and those that agree with the matrix."""
        if len(corners) < 10:
            return None
        flags = cv2.OPTFLOW_USE_INITIAL_FLOW
        ends, found, _ = cv2.calcOpticalFlowPyrLK(
            self.reference, small, corners, guess.copy(), winSize=(15, 15), maxLevel=levels, flags=flags
        )
        start, end = corners[found[:, 0] == 1, 0], ends[found[:, 0] == 1, 0]
        if len(start) < 10:
            return None
        matrix, agree = cv2.estimateAffinePartial2D(start, end, method=cv2.RANSAC, ransacReprojThreshold=1.0)
        return None if matrix is None else (matrix, start, end, start[agree[:, 0] == 1])

    def _unlike_a_camera(self, matrix: np.ndarray, agreeing: np.ndarray, n: int) -> str:
        height, width = self.shape
        if len(agreeing) < 10 or len(agreeing) < 0.06 * n:
            return "few agree"
        right, low = agreeing[:, 0] >= width / 2, agreeing[:, 1] >= height / 2
        quarters = [np.count_nonzero((right == x) & (low == y)) for x in (False, True) for y in (False, True)]
        if sum(count >= 4 for count in quarters) < (2 if self.engaged else 3):
            return "in a part only"
        if max(abs(matrix[0, 0] - 1), abs(matrix[1, 1] - 1), abs(matrix[0, 1]), abs(matrix[1, 0])) > 0.05:
            return "turned or zoomed"
        return "too far" if mean_move(matrix, self.shape) > width / 10 else ""


def mean_move(matrix: np.ndarray, shape: tuple[int, int]) -> float:
    """Return how far a matrix takes the corners of a picture, on average."""
    corners = [(x, y) for x in (0, shape[1]) for y in (0, shape[0])]
    return float(np.mean([np.hypot(*(matrix @ (x, y, 1) - (x, y))) for x, y in corners]))


def near(points: np.ndarray, others: np.ndarray) -> int:
    """Return how many points are within 0.35 pixels of their counterparts."""
    return sum(bool(np.hypot(*(a - b)) < 0.35) for a, b in zip(points, others, strict=True))
