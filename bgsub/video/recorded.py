"""When a recording began, by what its file says: never by the time of writing, which copies change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePath

_TAGS = ("com.apple.quicktime.creationdate", "creation_time", "date")  # the first knows its zone, not only UTC
_YEARS = range(1990, 2100)  # a clock that was never set says 1904 or 1970, and digits may be anything
# 20261127_051144, 2026-11-27T05-11-44Z, 2026.11.27 05:11:44.123, 20261127051144
_IN_NAME = re.compile(
    r"(?<!\d)(?P<y>\d{4})(?P<s>[-_.]?)(?P<m>\d\d)(?P=s)(?P<d>\d\d)(?:[T_ .-]|--|__|_-_|(?=\d))"
    r"(?P<h>\d\d)(?P<t>[-_.:hH]?)(?P<i>\d\d)(?:(?P=t)|[mM])(?P<sec>\d\d)(?:[._]?(?P<f>\d{3}))?"
    r"(?P<z>Z|[+-]\d\d:?\d\d)?(?!\d)"
)


def recorded_at(name: str, tags: Mapping[str, str] | None = None) -> datetime | None:
    """Return the time at which a recording began.

    Parameters
    ----------
    name : str
        Its path; where the tags know nothing, a date with a time in the file's name counts.
    tags : mapping of str to str, optional
        Metadata of the container.

    Returns
    -------
    datetime or None
        With its zone: as told, else that of this machine. Many cameras have their local time written as if it were
        UTC; nobody can tell.
    """
    for tag in _TAGS:
        told = _told((tags or {}).get(tag, ""))
        if told is not None:
            return told
    for match in _IN_NAME.finditer(PurePath(name).name):
        found = _found(match)
        if found is not None:
            return found
    return None


def as_local(time: datetime | None) -> datetime | None:
    """Return what a camera meant that has its local time written as if it were UTC; in this machine's zone.

    Parameters
    ----------
    time : datetime or None
        As `recorded_at` returns it; what has another zone than UTC stays.
    """
    return _in_zone(time.replace(tzinfo=None)) if time is not None and time.tzinfo is UTC else time


def _told(text: str) -> datetime | None:
    """Return a date with a time as ISO 8601 writes it; None of anything else."""
    try:
        told = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    # A date alone, a movie's year, is no time of recording.
    return _in_zone(told) if ":" in text and told.year in _YEARS else None


def _found(match: re.Match[str]) -> datetime | None:
    """Return the time that a part of a name means, None where it cannot be one."""
    numbers = [int(match[key]) for key in ("y", "m", "d", "h", "i", "sec")]
    try:
        found = datetime(*numbers, microsecond=1000 * int(match["f"] or 0))  # type: ignore[misc, arg-type]
        zone = match["z"]
        if zone:
            found = datetime.fromisoformat(f"{found.isoformat()}{zone}")
    except ValueError:
        return None
    return _in_zone(found) if found.year in _YEARS else None


def _in_zone(time: datetime) -> datetime | None:
    if time.tzinfo is not None:
        return time if time.utcoffset() or time.tzinfo is UTC else time.replace(tzinfo=UTC)
    try:
        return time.astimezone()
    except (OverflowError, OSError):
        return None
