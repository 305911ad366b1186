"""The tone of a scene's shadows: one light makes shadows of one depth.

Of the pixels that lie within shadows a histogram of r, brightness beside the background's, is kept, which fades from
frame to frame. Ratios pile up at the tone of the scene; clothes that pass for shadow are darker and fewer. The tone is
the centre of the darkest peak that is not much lower than the highest, and it is believed by how much of the histogram
lies in that peak, and by how much has been seen.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from bgsub.background.adaptive.codes import DIMMING_STEPS

# Constants that are no parameters; of each its origin, as `parameters.Origin` defines the words.
_KEPT = 0.998  # tuned: of the histogram from frame to frame
_DARKEST, _WIDTH, N_BINS = 0.4, 0.05, 12  # chosen: of the histogram, which ends at 1
_HIGH = 0.6  # tuned: a peak beside the highest
_FEW, _MANY = 500, 5000  # chosen: pixels below which nothing is said, and from which it is said aloud
_SPREAD, _PEAKED = 0.25, 0.65  # tuned: share of the peak up to which it means nothing, and from which it is believed

_RATIOS = np.arange(256) / float(DIMMING_STEPS)
_BINS = np.floor((_RATIOS - _DARKEST) / _WIDTH + 1e-9).astype(int)
_COUNTED = (_BINS >= 0) & (_BINS < N_BINS)


class Tone(NamedTuple):
    """What the histogram says.

    Attributes
    ----------
    depth : float
        Brightness in shadow beside that in the light.
    sure : float
        How far that is known, 0 to 1.
    """

    depth: float
    sure: float


UNKNOWN = Tone(0.5, 0.0)


class ShadowTones:
    """The histogram of a scene's shadows.

    Attributes
    ----------
    bins : ndarray of float64, shape (12,)
        Pixels, those of earlier frames counted less.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Empty it."""
        self.bins = np.zeros(N_BINS)

    def learn(self, depths: np.ndarray) -> None:
        """Take a frame.

        Parameters
        ----------
        depths : ndarray of int64, shape (256,)
            Pixels within shadows, by `DIMMING_STEPS` r.
        """
        self.bins = _KEPT * self.bins + np.bincount(_BINS[_COUNTED], depths[_COUNTED], N_BINS)

    def tone(self) -> Tone:
        """Return what is known of the scene's shadows."""
        total = float(self.bins.sum())
        if total < _FEW:
            return UNKNOWN
        around = np.convolve(self.bins, np.ones(3), "same")
        peak = int(np.flatnonzero(around >= _HIGH * around.max())[0])
        while peak + 1 < N_BINS and around[peak + 1] > around[peak]:
            peak += 1
        members = np.arange(max(0, peak - 1), min(N_BINS, peak + 2))
        centre = float(members @ self.bins[members] / self.bins[members].sum()) + 0.5
        peaked = min(max((float(around[peak]) / total - _SPREAD) / (_PEAKED - _SPREAD), 0.0), 1.0)
        return Tone(_DARKEST + _WIDTH * centre, peaked * min(1.0, total / _MANY))

    # ---------------------------------------------------------------------------------------------- persistence

    def progress(self) -> list[float]:
        """Return the histogram as plain values."""
        return [float(n) for n in self.bins]

    def set_progress(self, values: Any) -> None:
        """Take over what `progress` returned, or raise ValueError about what it cannot have."""
        if not (isinstance(values, list) and len(values) == N_BINS):
            raise ValueError(f"tones {values!r}")
        if not all(type(n) is float and math.isfinite(n) and n >= 0 for n in values):
            raise ValueError(f"tones {values!r}")
        self.bins = np.array(values)
