"""Which of a camera's pictures are looked at, where fewer are enough."""

from __future__ import annotations

_FOLLOWS = 0.05  # share of each step by which the period follows
_TOLERANCE = 1.02
_LONGEST_STEPS = 4  # a longer pause is none of the camera's pace


class Thinning:
    """Chooses at least so many pictures a second as are enough, evenly, by their times.

    Of a camera with twice as many it is every second picture, whatever rate it claims to have.

    Parameters
    ----------
    enough : float
        Pictures a second; 0 chooses all.
    fps : float or None
        Pictures a second that the camera claims to send.
    """

    def __init__(self, enough: float, fps: float | None) -> None:
        self._longest = _TOLERANCE / enough if enough else 0.0
        self._period = 1 / fps if fps else None
        self._latest: float | None = None
        self._chosen: float | None = None

    def wants(self, time: float) -> bool:
        """Say whether the picture of the next time, in seconds, is looked at."""
        step = None if self._latest is None else time - self._latest
        self._latest = time
        if step is not None and step > 0:
            if self._period is None:
                self._period = step
            self._period += _FOLLOWS * (min(step, _LONGEST_STEPS * self._period) - self._period)
        # The next one would come too late.
        if self._chosen is None or self._period is None or time + self._period - self._chosen > self._longest:
            self._chosen = time
            return True
        return False
