"""Tracks as JSON keeps them: hours of video have millions of sightings, so each is a short list of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, cast

import numpy as np

from bgsub.motion.blobs import Box
from bgsub.motion.stored import as_plain, damage, from_plain
from bgsub.motion.tracking import Sighting, Track

_NUMBERS = 9  # of a sighting: frame, time, box, area, centre


def plain_track(track: Track) -> dict[str, Any]:
    """Return a track in types that JSON has, a sighting as [frame, time, left, top, width, height, area, x, y]."""
    values = {field.name: getattr(track, field.name) for field in fields(track)}
    sightings = [[s.frame, s.time, *s.box, s.area, *s.center] for s in values.pop("sightings")]
    return {name: as_plain(value) for name, value in values.items()} | {"sightings": sightings}


def stored_track(value: Any, where: str) -> Track:
    """Return the track that `plain_track` has told.

    Parameters
    ----------
    value : object
        What is said to be it.
    where : str
        What to call it in messages.
    """
    if not isinstance(value, Mapping):
        raise damage(where, "is no object")
    sightings = _sightings(value.get("sightings"), f"{where}.sightings")
    return replace(from_plain(Track, {**value, "sightings": []}, where), sightings=sightings)


def _sightings(rows: Any, where: str) -> tuple[Sighting, ...]:
    """Return sightings from lists of numbers, which rise in time; there is at least one."""
    if not (
        isinstance(rows, list)
        and rows
        and all(isinstance(row, list) and len(row) == _NUMBERS for row in rows)
        and all(type(number) in (int, float) for row in rows for number in row)
    ):
        raise damage(where, f"are no lists of {_NUMBERS} numbers")
    try:
        table = np.array(rows, np.float64)
    except OverflowError as error:
        raise damage(where, "hold a number without bounds") from error
    whole = table[:, [0, 2, 3, 4, 5]]
    if not np.isfinite(table).all() or np.abs(table).max() > 2**53 or (whole != np.floor(whole)).any():
        raise damage(where, "hold numbers that are not finite, or broken ones of pixels or frames")
    if (np.diff(table[:, :2], axis=0) < 0).any() or (table[:, 4:7] < 0).any():
        raise damage(where, "go back in time, or have a negative size")
    found = []
    for row in rows:
        box = cast(Box, tuple(int(number) for number in row[2:6]))
        found.append(Sighting(int(row[0]), float(row[1]), box, float(row[6]), (float(row[7]), float(row[8]))))
    return tuple(found)
