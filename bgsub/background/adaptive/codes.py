"""What the numbers mean that the adaptive model's engines keep: rows of a mode, and bytes of the planes."""

from __future__ import annotations

import numpy as np

VAR_Y, MEAN_Y, VAR_C, MEAN_C = 0, 1, 2, 3  # rows of a mode; a grey one has the first two only

# The memory of a byte decides what follows: cost.
ZERO_BYTE = 160  # evidence of 0 as a byte
STEPS = 8  # bytes to a unit of evidence: bytes reach from -20 to 11.9
CERTAIN = np.float32((255 - ZERO_BYTE) / STEPS)  # the most evidence there is
LEAST = np.float32(-ZERO_BYTE / STEPS)
ROUNDED_ZERO_BYTE = np.float32(ZERO_BYTE + 0.5)

FLICKER_STEPS = np.float32(1024)  # bytes to a flicker of 1: bytes reach up to 0.249

FOREGROUND, GHOST = 255, 1  # in the mask that learning sees: learn slowly; learn fast, what was there has gone

DIMMING_STEPS = np.float32(255 / 1.2)  # bytes to brightness as of the background: bytes reach up to 1.2

NOBODY = 64  # owner of a pixel that no mode is near
SHADOW = 128  # flag beside the owner: evidence that a shadow may explain, or has explained away

WITNESS, SUSPECT = 1, 2  # flags of a tile: a pixel has evidence, a pixel is explained as a shadow


def rows_of_mode(n_channels: int) -> int:
    """Return how many rows a mode of pixels of 1 or 3 channels has."""
    return MEAN_Y + 1 if n_channels == 1 else MEAN_C + 2
