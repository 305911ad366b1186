"""Which values the first frames use: what images of more than 8 bits are brought to 0 to 255 by.

A camera of 14 bits that looks at a room uses a few hundred of its 16,384 values, a depth camera a few thousand
millimetres of 65 metres. The *range* is what the frames use, without single pixels far off, and a quarter of it on both
sides. Where that would make more of the noise than a good camera of 8 bits shows, it is wider.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bgsub.background.arguments import Extremes

GREY_LEVELS = 255.0

# Constants that are no parameters; of each its origin, as `parameters.Origin` defines the words.
FRAMES = 25  # wish: frames after which the range stays
_MARGIN = 0.25  # wish: of what the frames use, on both sides
_NOISE = 1.3  # chosen: grey levels, the most noise, so that it is below 1.5 by any measure
_SAMPLE = 1 << 15  # cost: pixels that tell enough of a frame
_QUIETEST = 1 / 3  # chosen: of `_NOISE`; below 0.4 grey levels it is the scene that changes, not the camera
_FAR_OFF = 0.001  # chosen: share of the pixels on each side that may be far off
_GLITCHES = 0.2  # chosen: share of the frames that may be: a shutter's, a black first one
_FEW, _MANY = 16, 0.25  # chosen: different values, and share of the pixels that change, see `step_between`
_WHOLE = 0.75  # chosen: share of the whole scale, from which on that is taken, so that masks are those of 8 bits
_RELATIVE, _ABSOLUTE = 1e-5, 1e-9  # cost: the narrowest range by what float32 can tell apart, and at all
_SIGMAS = 1.4826 / math.sqrt(2)  # physics: noise of one frame by the median difference of two
_ROUNDED = 0.25 * _SIGMAS  # physics: the same of values that are rounded, and nothing else, by their distance


class Range(NamedTuple):
    """The values that are brought to 0 and to 255."""

    low: float
    high: float

    @property
    def width(self) -> float:
        """Of the values."""
        return self.high - self.low


GREY_SCALE = Range(0.0, GREY_LEVELS)
"""Of values that are grey levels."""


class RangeFinder:
    """Looks at the first frames, and says after each which range they ask for.

    Attributes
    ----------
    lows, highs : list of float
        Least and greatest value that each frame uses.
    noises : list of float
        Standard deviation of the noise, by each frame and the one before, where they differ.
    earlier : ndarray or None
        A sample of the last frame's pixels.
    quiet : float
        Noise in the range that was last returned, as a share of the most that there may be: 1/3 to 1.
    """

    def __init__(self) -> None:
        self.quiet = 1.0
        self.lows: list[float] = []
        self.highs: list[float] = []
        self.noises: list[float] = []
        self.earlier: np.ndarray | None = None

    @property
    def done(self) -> bool:
        """Whether enough frames have been seen."""
        return len(self.lows) >= FRAMES

    def look(self, image: np.ndarray, extremes: Extremes) -> Range:
        """Look at one more frame, (H, W) or (H, W, 3) of real numbers, and return the range of all so far."""
        stride = stride_of(image.shape)
        sample = np.ascontiguousarray(image[::stride, ::stride], np.float64)
        values = np.sort(sample, axis=None)
        low, high = used_by(image, values, extremes)
        self.lows.append(low)
        self.highs.append(high)
        changed = 0.0 if self.earlier is None else np.count_nonzero(sample != self.earlier) / sample.size
        step = step_between(values, changed, whole_numbers=image.dtype.kind != "f")
        if self.earlier is not None and changed:
            self.noises.append(noise_between(sample, self.earlier, step))
        self.earlier = sample
        return self._range(image.dtype, _ROUNDED * step)

    def _range(self, dtype: np.dtype, rounding: float) -> Range:
        """Return the range that the frames so far ask for; their noise is `rounding` at least."""
        low, high = without_glitches(self.lows, self.highs)
        noise = max(float(np.median(self.noises)) if self.noises else 0.0, rounding)
        used, calm, middle = (1 + 2 * _MARGIN) * (high - low), noise * GREY_LEVELS / _NOISE, (low + high) / 2
        whole = whole_scale(dtype, low, high)
        if whole is not None and used >= _WHOLE * whole.width:
            self.quiet = 1.0
            return whole
        width = max(used, calm, _RELATIVE * abs(middle), _ABSOLUTE)
        self.quiet = min(max(calm / width, _QUIETEST), 1.0)
        return Range(float(np.float32(middle - width / 2)), float(np.float32(middle + width / 2)))

    # ---------------------------------------------------------------------------------------------- persistence

    def progress(self) -> dict[str, Any]:
        """Return what was seen, besides `earlier`, as plain values."""
        return {"lows": list(self.lows), "highs": list(self.highs), "noises": list(self.noises)}

    def restore(self, values: Mapping[str, Any], earlier: np.ndarray | None, shape: tuple[int, ...]) -> None:
        """Take over what `progress` returned, and `earlier`, for frames of `shape`, or raise ValueError about them."""
        lows, highs, noises = values["lows"], values["highs"], values["noises"]
        for numbers in (lows, highs, noises):
            if type(numbers) is not list or not all(type(n) is float and math.isfinite(n) for n in numbers):
                raise ValueError("values of frames that are no numbers")
        if len(lows) != len(highs) or not len(noises) <= len(lows) <= FRAMES or (earlier is None) != (not lows):
            raise ValueError(f"values of {len(lows)} and {len(highs)} frames")
        sampled = np.broadcast_to(np.float64(0), shape)[:: stride_of(shape), :: stride_of(shape)]
        if earlier is not None and (earlier.dtype, earlier.shape) != (sampled.dtype, sampled.shape):
            raise ValueError(f"a sample of {earlier.dtype} and shape {earlier.shape}, not {sampled.shape}")
        if earlier is not None and not np.isfinite(earlier).all():
            raise ValueError("a sample of what are no numbers")
        self.lows, self.highs, self.noises, self.earlier = list(lows), list(highs), list(noises), earlier


# --------------------------------------------------------------------------------------------------- one or two frames


def stride_of(shape: tuple[int, ...]) -> int:
    """Return how many rows and columns of a frame lie between those that are looked at."""
    return math.ceil(math.sqrt(shape[0] * shape[1] / _SAMPLE))


def used_by(image: np.ndarray, values: np.ndarray, extremes: Extremes) -> Extremes:
    """Return the least and the greatest value of a frame, but for single pixels far off: dead or hot ones.

    Far off is what lies farther from nearly all others than these do from each other; `values` are many of the frame's,
    sorted.
    """
    aside = min(max(1, int(_FAR_OFF * values.size)), (values.size - 1) // 2)
    low, high = float(values[aside]), float(values[-1 - aside])
    least, most = low - (high - low), high + (high - low)
    return Extremes(
        extremes.low if extremes.low >= least else float(image[image >= least].min()),
        extremes.high if extremes.high <= most else float(image[image <= most].max()),
    )


def step_between(values: np.ndarray, changed: float, whole_numbers: bool) -> float:
    """Return how finely values, which are sorted, are measured: their least distance.

    A few different ones tell it only where noise changes many of them, a share `changed`, from frame to frame: they may
    be those of a drawn scene and its objects. Else it is 1 for whole numbers, and 0.
    """
    steps = np.diff(values)
    steps = steps[steps > 0]
    if len(steps) == 0 or (len(steps) + 1 < _FEW and changed < _MANY):
        return 1.0 if whole_numbers else 0.0
    return float(steps.min())


def noise_between(sample: np.ndarray, earlier: np.ndarray, step: float) -> float:
    """Return the standard deviation of the noise in one of two frames, by the median of their difference.

    What moves does not count while it covers less than half of the view, nor does a change of all values alike. Values
    are taken to be rounded to multiples of `step`, and spread evenly about them: noise far below a step is not lost.
    """
    difference = sample - earlier
    difference -= np.median(difference) if step == 0 else step * np.rint(np.median(difference) / step)
    sizes = np.abs(difference)
    middle = float(np.median(sizes))
    if step > 0:
        nearest = step * round(middle / step)
        low, high = max(nearest - step / 2, 0.0), nearest + step / 2
        below, inside = np.count_nonzero(sizes < low), np.count_nonzero((sizes >= low) & (sizes < high))
        middle = low + (high - low) * (sizes.size / 2 - below) / max(inside, 1)
    return float(_SIGMAS * middle)


def without_glitches(lows: Sequence[float], highs: Sequence[float]) -> Extremes:
    """Return the least and the greatest value of the frames, but for a few frames far off all others."""
    least, most = sorted(lows), sorted(highs, reverse=True)
    few = range(1, 1 + int(_GLITCHES * len(lows)))
    high = most[0]
    low = next((least[n] for n in reversed(few) if least[n] - least[n - 1] > high - least[n]), least[0])
    high = next((most[n] for n in reversed(few) if most[n - 1] - most[n] > most[n] - low), high)
    return Extremes(low, high)


def whole_scale(dtype: np.dtype, low: float, high: float) -> Range | None:
    """Return the scale by which values are grey levels anyway: all of uint16, or that of floats from 0 to 255."""
    if dtype == np.uint16:
        return Range(0.0, 65535.0)
    return GREY_SCALE if dtype.kind == "f" and low >= 0 and high <= GREY_LEVELS else None
