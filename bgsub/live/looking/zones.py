"""A camera's zones in the pixels of one of its streams, and who stays in them for how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bgsub.live.settings import Zone
from bgsub.motion.blobs import Box
from bgsub.motion.under_way import Sighting
from bgsub.motion.zones import Zone as PlacedZone
from bgsub.motion.zones import check_names, zone_plane

_OUT_OF_SIGHT = 1.0  # seconds for which who loiters may be hidden, or step out


def placed(zones: Sequence[Zone], size: tuple[int, int]) -> tuple[PlacedZone, ...]:
    """Return zones in pixels; what is private is not looked at.

    Parameters
    ----------
    zones : sequence of Zone
        Of the camera.
    size : (int, int)
        Width and height of the stream's pictures, in pixels.

    Raises
    ------
    ParameterError
        When two have the same name, or one has no shape.
    """
    width, height = size
    found = []
    for zone in zones:
        shape = tuple((x * width, y * height) for x, y in zone.polygon)
        found.append(PlacedZone(zone.name, (shape,), "ignore" if zone.kind == "privacy" else zone.kind))
    check_names(found)
    return tuple(found)


class Loitering:
    """Tells who has been in a zone for as long as the zone asks for.

    Where somebody is, is told by the middle of the lower edge of a box, as crossings are.

    Parameters
    ----------
    zones : sequence of Zone
        Of the camera; those with a loitering time are looked at.
    size : (int, int)
        Width and height of the stream's pictures, in pixels.

    Attributes
    ----------
    longest : float
        Seconds that a zone asks for at most; 0 where none does.
    names : frozenset of str
        Of the zones that ask.
    decides : bool
        All watched zones ask, so that only who loiters is an event.
    """

    def __init__(self, zones: Sequence[Zone], size: tuple[int, int]) -> None:
        watched = [zone for zone in zones if zone.kind == "watch"]
        asking = [zone for zone in watched if zone.loiter > 0]
        self._seconds = {zone.name: zone.loiter for zone in asking}
        self._planes = {zone.name: zone_plane(zone, size) != 0 for zone in placed(asking, size)}
        self._there: dict[tuple[str, int], tuple[float, float]] = {}  # since when, and when last
        self.longest = max(self._seconds.values(), default=0.0)
        self.names = frozenset(self._seconds)
        self.decides = bool(watched) and len(asking) == len(watched)

    def update(self, time: float, objects: Mapping[int, Sighting]) -> frozenset[str]:
        """Take where objects are, by the numbers of their tracks, and return the zones in which one loiters."""
        for name, plane in self._planes.items():
            for number, sighting in objects.items():
                if _is_at(plane, sighting.box):
                    since, _ = self._there.get((name, number), (time, time))
                    self._there[name, number] = (since, time)
        self._there = {who: seen for who, seen in self._there.items() if time - seen[1] <= _OUT_OF_SIGHT}
        return frozenset(
            name for (name, _), (since, last) in self._there.items() if last - since >= self._seconds[name]
        )


def _is_at(plane: np.ndarray, box: Box) -> bool:
    """Return whether the foot of a box is in a zone."""
    height, width = plane.shape
    x, y = box[0] + (box[2] - 1) // 2, box[1] + box[3] - 1
    return bool(plane[min(max(y, 0), height - 1), min(max(x, 0), width - 1)])
