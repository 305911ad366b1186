"""Times and sizes as people write them: ``10min``, ``30d``, ``500MB``, ``20 GB``."""

from __future__ import annotations

import math
import re

from bgsub.errors import ParameterError

_TIMES = {
    "ms": 0.001,
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
    **dict.fromkeys(("w", "week", "weeks"), 604800.0),
}
_SIZES = {
    **dict.fromkeys(("b", "byte", "bytes"), 1),
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgt", 1)},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", 1)},
}
_PART = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*([A-Za-z]+)\s*")
_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+")
_LONGEST = 100  # characters


def seconds(text: str) -> float:
    """Return a time in seconds.

    Parameters
    ----------
    text : str
        A number, or numbers with units (ms, s, min, h, d, w): ``90``, ``30s``, ``1h 30min``.

    Raises
    ------
    ParameterError
        When it is none.

    Examples
    --------
    >>> seconds("1h 30min")
    5400.0
    """
    amount = _sum(text, _TIMES)
    if amount is None:
        raise ParameterError(f"{text[:_LONGEST]!r} is no time: write seconds (90), or 30s, 10min, 2h, 30d")
    return amount


def size(text: str) -> int:
    """Return a size in bytes.

    Parameters
    ----------
    text : str
        A number, or one with a unit: ``500MB`` and ``20 GB`` are of thousands, ``20 GiB`` of 1024.

    Raises
    ------
    ParameterError
        When it is none.

    Examples
    --------
    >>> size("20 GB")
    20000000000
    """
    amount = _sum(text, _SIZES, most=1)
    if amount is None:
        raise ParameterError(f"{text[:_LONGEST]!r} is no size: write bytes, or 500MB, 20GB, 1TB")
    return round(amount)


def _sum(text: str, units: dict[str, float] | dict[str, int], most: int = 6) -> float | None:
    """Return the sum of numbers with units, or a plain number; None where a text is neither."""
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    if _NUMBER.fullmatch(text):
        return float(text)
    parts, at = [], 0
    while at < len(text):
        part = _PART.match(text, at)
        if part is None or part[2].lower() not in units:
            return None
        parts.append(float(part[1]) * units[part[2].lower()])
        at = part.end()
    amount = sum(parts)
    return amount if 0 < len(parts) <= most and math.isfinite(amount) else None
