"""Rational numbers: those of PyAV become Fractions here and nowhere else, and so do frame rates."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from bgsub.errors import ParameterError

MAX_FPS = 100_000
_LARGEST = 2**31 - 1  # of the numbers that FFmpeg's fractions are made of


def fraction(rational: Any) -> Fraction | None:
    """Return a time base, a frame rate or an aspect ratio of PyAV as a Fraction, None where it is not set.

    Up to PyAV 18 such a number is a Fraction, and None where it is not set. From 19 on it is a type of its own,
    in which 0/1 is not set, 1/0 is infinite and 0/0 undefined: all of them are false, as None is.
    """
    return Fraction(rational.numerator, rational.denominator) if rational else None


def as_rate(fps: float | Fraction) -> Fraction:
    """Return frames a second as a Fraction, or raise ParameterError: 29.97 for 29.969999999999998863."""
    try:
        rate = Fraction(fps) if math.isfinite(fps) and 0 < fps <= MAX_FPS else Fraction(0)
    except TypeError:
        rate = Fraction(0)
    if not isinstance(fps, Fraction) or max(rate.numerator, rate.denominator) > _LARGEST:
        rate = rate.limit_denominator(1001) or rate.limit_denominator(_LARGEST)
    if not rate:
        raise ParameterError(f"fps={fps} is out of bounds; give frames per second above 0, up to {MAX_FPS}")
    return rate
