"""What anything that masks frames has in common: ours, and peers that are compared with ours."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Subtractor(Protocol):
    """A background model, as a run or an evaluation sees it: `bgsub.MOG2` is one."""

    def apply(self, image: np.ndarray, *, learning_rate: float | None = None, time: float | None = None) -> np.ndarray:
        """Learn a frame and return its mask.

        Parameters
        ----------
        image : ndarray of uint8, shape (H, W, 3) or (H, W)
            BGR or grey.
        learning_rate : float in [0, 1], optional
            None is the model's own.
        time : float, optional
            Of the frame, in seconds; they rise from frame to frame. A model that counts frames does not look at it.

        Returns
        -------
        ndarray of uint8, shape (H, W)
            0 background, 127 shadow, 255 foreground.
        """
