"""Several frames at once: a range of tiles takes them all before the next range.

The mixture of a frame is far larger than the caches, so a frame after the other fetches all of it each time. A range of
tiles stays in the cache while it takes frame after frame. Every pixel sees the same frames in the same order with the
same constants: masks and state are the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bgsub.background.mog2.kernels import Gated, State
from bgsub.background.mog2.step import MOST_AT_ONCE, Step
from bgsub.simd import bound, kernels_of
from bgsub.simd.calls import address_of, call_at
from bgsub.threads import Work

kernel = kernels_of(__name__)

RANGE = 768  # cost: tiles whose mixture, and pixels of so many frames, stay in the cache of one processor


@kernel
def each_frame(address, images, state, masks, steps, n_frames, shadows, lo, hi):
    """Call the kernel at an address for each of `n_frames` frames, a range of tiles after the other."""
    for begin in range(lo, hi, RANGE):
        for i in range(n_frames):
            call_at(address, images[i], state, masks[i], 0, steps[i], shadows, begin, min(begin + RANGE, hi))


def learning(
    kernel: Any,
    images: Sequence[np.ndarray],
    state: State | Gated,
    masks: Sequence[np.ndarray],
    steps: Sequence[Step],
    shadows: bool,
) -> Work:
    """Return what calls a kernel for all frames and the tiles lo to hi - 1.

    Parameters
    ----------
    kernel : callable
        Of `kernels`.
    images : sequence of ndarray, shape (N,) or (N, 3)
        At most `MOST_AT_ONCE`, of one type.
    masks : sequence of ndarray of uint8, shape (tiles, 16)
        As many.
    steps : sequence of Step
        As many.
    """
    first = (images[0], state, masks[0], 0, steps[0], shadows)
    if len(images) == 1:
        return bound(kernel, *first)
    missing = MOST_AT_ONCE - len(images)  # filled up, so that one code serves any number

    def filled(values: Sequence[Any]) -> tuple[Any, ...]:
        return (*values, *[values[-1]] * missing)

    address = address_of(kernel, (*first, 0, 0), ())
    return bound(each_frame, address, filled(images), state, filled(masks), filled(steps), len(images), shadows)
