"""Rational numbers of PyAV become Fractions, here and nowhere else."""

from __future__ import annotations

from fractions import Fraction
from typing import Any


def fraction(rational: Any) -> Fraction | None:
    """Return a time base, a frame rate or an aspect ratio of PyAV as a Fraction, None where it is not set.

    Up to PyAV 18 such a number is a Fraction, and None where it is not set. From 19 on it is a type of its own,
    in which 0/1 is not set, 1/0 is infinite and 0/0 undefined: all of them are false, as None is.
    """
    return Fraction(rational.numerator, rational.denominator) if rational else None
