"""Where something is at a time: a line through way points, with stops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .textures import Array


@dataclass(frozen=True)
class Path:
    """Way points with their times; between them the pace is steady, around them it eases.

    Attributes
    ----------
    stops : sequence of (time, x, y)
        Seconds and metres, times rising. Before the first and after the last the thing is not there.
    """

    stops: Sequence[tuple[float, float, float]]

    def active(self, time: float) -> bool:
        """Tell whether the thing is in the scene."""
        return self.stops[0][0] <= time <= self.stops[-1][0]

    def position(self, time: float) -> Array:
        """Point on the ground, (x, y, 0); smoothed over half a second so that nobody turns on the spot."""
        times, xs, ys = np.array(self.stops, float).T
        first, last = times[0], times[-1]
        moments = time + np.linspace(-0.25, 0.25, 5)
        x = np.interp(moments, times, xs) + _beyond(moments, times, xs, first, last)
        y = np.interp(moments, times, ys) + _beyond(moments, times, ys, first, last)
        return np.array([x.mean(), y.mean(), 0.0])

    def velocity(self, time: float) -> Array:
        """Metres a second, (vx, vy, 0)."""
        return (self.position(time + 0.05) - self.position(time - 0.05)) / 0.1

    def heading(self, time: float) -> float:
        """Angle of travel in radians; while standing, that of the last steps."""
        for back in (0.0, *np.arange(0.1, 12, 0.2)):
            velocity = self.velocity(max(time - back, self.stops[0][0]))
            if np.hypot(velocity[0], velocity[1]) > 0.15:
                return float(np.arctan2(velocity[1], velocity[0]))
        return 0.0

    def travelled(self, time: float) -> float:
        """Metres from the first way point, for the gait and the wheels."""
        times, xs, ys = np.array(self.stops, float).T
        lengths = np.concatenate([[0], np.cumsum(np.hypot(np.diff(xs), np.diff(ys)))])
        return float(np.interp(time + np.linspace(-0.25, 0.25, 5), times, lengths).mean())


def _beyond(moments: Array, times: Array, values: Array, first: float, last: float) -> Array:
    """Carry the first and the last leg on in a straight line, so that the pace keeps at the ends."""
    begin = (values[1] - values[0]) / (times[1] - times[0]) * np.minimum(moments - first, 0)
    end = (values[-1] - values[-2]) / (times[-1] - times[-2]) * np.maximum(moments - last, 0)
    return begin + end
