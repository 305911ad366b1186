"""How the values of frames become the grey levels, 0 to 255, that a model works with, and its background values again.

There are three ways: values are grey levels already, as of all 8-bit frames; a range of them is brought to 0 to 255; or
they are taken as they are, which is OpenCV's way.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bgsub.background.arguments import Extremes, extremes_of, place_of
from bgsub.background.parameters import check_range
from bgsub.background.value_range import GREY_LEVELS, GREY_SCALE, Range, RangeFinder
from bgsub.errors import ParameterError

logger = logging.getLogger(__name__)

_OF_16_BITS = 257.0  # chosen: brings 255 to 65535
_DTYPES = frozenset(["bool", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))])
_DTYPES |= {"float16", "float32", "float64"}
_SAME = 0.02  # chosen: ranges whose ends differ by less than this share of the width are one


class Rescaling(NamedTuple):
    """A grey level v of before is gain v + offset now."""

    gain: float
    offset: float


class Levels:
    """What a model knows of the values of its frames.

    Parameters
    ----------
    scale : {"full", "auto", "opencv"}
        Values are grey levels, all 16 bits being 255; their range is found, unless the first frame has 8 bits; or they
        are taken as they are.
    value_range : (float, float) or None
        The range to take, instead of any of these.

    Attributes
    ----------
    dtype : dtype or None
        Of the last frame; None before the first.
    range : Range or None
        What is brought to 0 to 255; None where values are no such range, or before the first frame.
    clipped : int
        Values so far that lay outside the range.
    quiet : float
        How far the noise is below what 8 bits have, see `RangeFinder`; 1 where no range was found.
    """

    def __init__(self, scale: str, value_range: Sequence[float] | None) -> None:
        self.scale = scale
        self.given = _as_range(check_range(value_range, scale))
        self.forget()

    def forget(self) -> None:
        """Begin again with the next frame."""
        self.dtype: np.dtype | None = None
        self.range = self.given
        self.clipped = 0
        self.quiet = 1.0
        self._told = False
        self._finder = RangeFinder() if self.scale == "auto" and self.given is None else None

    @property
    def is_looking(self) -> bool:
        """Whether the range is still looked for, so that the next frame may change what grey levels mean."""
        return self._finder is not None

    def suited(self, parameters: Mapping[str, Any], shape: tuple[int, ...]) -> Mapping[str, Any]:
        """Return the adaptive model's parameters as they suit frames of `shape`.

        Those of 8 bits, all in colour, and floats that are grey levels, tell of light. Grey of more bits is taken for
        a measure, such as a temperature or a distance: no lamp changes it, and where its range is wide and its noise
        far below a grey level, a difference counts that would be nothing among the noise of 8 bits.
        """
        if self.range in (None, GREY_SCALE) or len(shape) == 3 or (self.dtype is not None and self.dtype.itemsize == 1):
            return parameters
        return {**parameters, "structure": 1.0, "var_min_y": parameters["var_min_y"] * self.quiet**2}

    def check(self, image: np.ndarray) -> Extremes | None:
        """Return the extremes of an image, None where they do not matter, or raise ParameterError about its values."""
        eight_bits = image.dtype in (np.uint8, np.bool_)
        if self.range is not None or (self._finder is not None and not eight_bits):
            return extremes_of(image)
        if self.scale == "opencv":
            return extremes_of(image) if image.dtype.kind == "f" else None
        if image.dtype != np.uint8:
            _check_grey_levels(image, self.scale)
        return None

    def checked_anew(self, image: np.ndarray) -> Extremes | None:
        """Check an image as the first one of a model that has forgotten all others."""
        return Levels(self.scale, self.given).check(image)

    def pixels(self, image: np.ndarray, extremes: Extremes | None, learns: bool) -> tuple[np.ndarray, Rescaling | None]:
        """Return an image as grey levels, and what has become of those of before.

        Parameters
        ----------
        image : ndarray
            From `as_image`.
        extremes : Extremes or None
            What `check` returned.
        learns : bool
            Whether the frame may change the range.

        Returns
        -------
        ndarray of uint8 or float32, shape (H, W) or (H, W, 3)
            C-contiguous and aligned; its values are in [0, 255] unless they are taken as they are.
        Rescaling or None
            None where grey levels mean what they did.
        """
        change = None
        if self._finder is not None and (learns or self.range is None):
            change = self._find(self._finder, image, extremes)
        if learns or self.dtype is None:
            self.dtype = image.dtype.newbyteorder("=")
        if self.range is not None and extremes is not None:
            levels = self._within(self.range, image, extremes)
        elif self.scale == "opencv":
            levels = image if image.dtype == np.uint8 else image.astype(np.float32)
        else:
            levels = _grey_levels(image)
        levels = np.ascontiguousarray(levels)
        return np.require(levels, requirements=["A", "W"]), change  # kernels compile anew for one that is read-only

    def in_units(self, levels: np.ndarray) -> np.ndarray:
        """Return a picture of grey levels, float32, NaN where there are none, as values of the frames, 0 there.

        Where these are grey levels it is uint8.
        """
        dtype = np.dtype(np.uint8)
        if self.dtype is not None and self.dtype != np.bool_ and (self.range is not None or self.scale == "opencv"):
            dtype = self.dtype
        if self.range is not None:
            levels = self.range.low + levels.astype(np.float64) * (self.range.width / GREY_LEVELS)
        known = np.nan_to_num(levels, nan=0.0)
        if dtype.kind == "f":
            return known.astype(dtype)
        bounds = np.iinfo(dtype)
        return np.clip(np.rint(known), bounds.min, bounds.max).astype(dtype)

    # ---------------------------------------------------------------------------------------------- persistence

    def progress(self) -> dict[str, Any]:
        """Return what was found out, as plain values; `arrays` has the rest."""
        return {
            "dtype": None if self.dtype is None else self.dtype.name,
            "range": None if self.range is None else list(self.range),
            "clipped": self.clipped,
            "quiet": self.quiet,
            "told": self._told,
            "finder": None if self._finder is None else self._finder.progress(),
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that belong to it, by name: there is one while the range is looked for."""
        earlier = None if self._finder is None else self._finder.earlier
        return {} if earlier is None else {"earlier": earlier}

    def restore(
        self, values: Mapping[str, Any] | None, arrays: Mapping[str, np.ndarray], shape: tuple[int, ...]
    ) -> None:
        """Take over `progress` and `arrays` of frames of `shape`, or raise ValueError about what they cannot be.

        None is of files from before ranges were found: values are grey levels.
        """
        self.forget()
        if values is None:
            self._finder = None
            return
        self.dtype = None if values["dtype"] is None else _known_dtype(values["dtype"])
        self.range = _as_range(check_range(values["range"]))
        self.clipped, self.quiet, self._told = values["clipped"], values["quiet"], values["told"]
        if type(self.clipped) is not int or self.clipped < 0 or type(self._told) is not bool:
            raise ValueError(f"{self.clipped!r} values outside a range, told {self._told!r}")
        if type(self.quiet) is not float or not 0 < self.quiet <= 1:
            raise ValueError(f"noise of {self.quiet!r} of what there may be")
        if values["finder"] is None:
            self._finder = None
        else:
            self._finder = RangeFinder()
            self._finder.restore(values["finder"], arrays.get("earlier"), shape)

    # ------------------------------------------------------------------------------------------------- one frame

    def _find(self, finder: RangeFinder, image: np.ndarray, extremes: Extremes | None) -> Rescaling | None:
        """Look at a frame for the range, and return what changes with it."""
        if extremes is None:  # the first frame has 8 bits, and so will the others
            self._finder = None
            return None
        old, new = self.range, finder.look(image, extremes)
        self.quiet = finder.quiet
        if finder.done:
            self._finder = None
        if old is None:
            self.range = new
            return None
        if max(abs(new.low - old.low), abs(new.high - old.high)) <= _SAME * new.width:
            return None
        self.range = new
        return Rescaling(old.width / new.width, (old.low - new.low) * GREY_LEVELS / new.width)

    def _within(self, span: Range, image: np.ndarray, extremes: Extremes) -> np.ndarray:
        """Return an image with a range of its values brought to 0 to 255, and count what lies outside."""
        exact = float(np.float32(span.low)) == span.low and (image.dtype == np.float32 or image.dtype.itemsize <= 2)
        real = np.float32 if exact else np.float64  # before the least value is taken off there may be too many digits
        levels = np.subtract(image, real(span.low), dtype=real).astype(np.float32, copy=False)
        levels *= np.float32(GREY_LEVELS / span.width)
        if extremes.low < span.low or extremes.high > span.high:
            outside = int(np.count_nonzero((image < span.low) | (image > span.high)))
            self.clipped += outside
            self._tell(span, image, extremes, outside)
        return np.clip(levels, 0, np.float32(GREY_LEVELS), out=levels)

    def _tell(self, span: Range, image: np.ndarray, extremes: Extremes, outside: int) -> None:
        """Say once that values are clipped, when the range no longer changes."""
        if self._told or self._finder is not None:
            return
        self._told = True
        logger.warning(
            "%d of %d values of a frame, from %g to %g, lie outside the range %g to %g that %s and count as its ends; "
            "give a wider one (value_range, --range) if they matter",
            outside,
            image.size,
            extremes.low,
            extremes.high,
            *span,
            "was given" if self.given is not None else "the first frames use",
        )


def _check_grey_levels(image: np.ndarray, scale: str) -> None:
    """Raise ParameterError unless the values of an image are grey levels: all 16 bits, or floats from 0 to 255."""
    other = scale == "auto" and (image.dtype.kind == "f" or image.dtype == np.bool_)
    if image.dtype not in (np.uint8, np.uint16, np.float32) and not other:
        choice = "call reset() first, since the first frame had 8 bits" if scale == "auto" else "choose scale='auto'"
        raise ParameterError(
            f"image has dtype {image.dtype}: convert it to uint8, uint16 or float32 in [0, 255], or {choice}"
        )
    if image.dtype.kind == "f" and not (image.min() >= 0 and image.max() <= GREY_LEVELS):  # true for NaN too
        where = place_of(image, ~((image >= 0) & (image <= GREY_LEVELS)))
        raise ParameterError(
            f"image has values outside 0 to 255, or NaN: scale float32 images to that range; it is {where}"
        )


def _grey_levels(image: np.ndarray) -> np.ndarray:
    """Return an image whose values are grey levels as uint8 or float32."""
    if image.dtype == np.uint8:
        return image
    if image.dtype == np.bool_:
        return image.astype(np.uint8) * np.uint8(GREY_LEVELS)
    if image.dtype == np.uint16:
        return np.ascontiguousarray(image, np.float32) * np.float32(1 / _OF_16_BITS)
    return image.astype(np.float32, copy=False)


def _as_range(value_range: tuple[float, float] | None) -> Range | None:
    return None if value_range is None else Range(*value_range)


def _known_dtype(name: Any) -> np.dtype:
    """Return a dtype of real numbers by its name, or raise ValueError."""
    if name not in _DTYPES:
        raise ValueError(f"frames of {name!r}")
    return np.dtype(name)
