"""From a camera's time stamps to seconds of the clock here."""

from __future__ import annotations

import collections
import itertools
import math
from typing import NamedTuple

_EARLY, _LATE = 0.1, 0.001  # shares of the difference by which the clock follows: nothing arrives before it was sent
_COUNTED_S = 0.1  # a packet that is later than this says nothing of the camera's clock
_FUTURE_S = 1.0  # a stamp further ahead than this was set
_PAST_S = 30.0  # and one further behind; a network that halts, or sends in bursts, makes up for it sooner
_STANDS_S = 0.5
_MOST_SET = 5  # times that a clock may be set in one connection and still be believed
_WINDOW_S = 5.0
_WINDOWS = 3  # in which a network that halts, or slows down, makes up for it: something arrives when it was sent
_WRONG_PACE = 0.05  # by which a clock may be too slow or too fast: it counts pictures, at a rate that is not theirs
_WRONG_WINDOWS = 5  # that tell so, each later, or each sooner, than the one before


class Placed(NamedTuple):
    """Where a packet lies.

    Attributes
    ----------
    zero : float
        Seconds of the clock at the stamp 0; it stays the same as long as the camera's clock only runs.
    time : float
        Seconds of the clock at this stamp, following the camera's clock as it drifts.
    """

    zero: float
    time: float


class _Window(NamedTuple):
    """Some seconds of arrivals: when they began, the least delay after a stamp in them, and whether that is in time."""

    began: float
    soonest: float
    in_time: bool


class StreamClock:
    """Places the packets of one connection on the clock here.

    A packet's time is its stamp's, brought to the clock so that packets arrive at it or a little later: what halts on
    its way is not later for that; but where nothing arrives in time for some windows of seconds, the clock is slow, and
    followed. A clock that was set is placed anew at the arrival; one that stands still, or is set again and again, or
    runs at quite another pace, is not believed any more, and arrivals are the times.

    Parameters
    ----------
    believed : bool
        There are stamps; without, arrivals are the times from the beginning.

    Attributes
    ----------
    believed : bool
        Stamps tell the time; where they do not, `zero` is 0 and stamps are to be made of times.
    n_set : int
        How often the clock was set.
    """

    def __init__(self, *, believed: bool = True) -> None:
        self.believed = believed
        self.n_set = 0
        self._zero = self._offset = 0.0
        self._stamp: float | None = None
        self._has_begun = False
        self._aside = 0.0  # of sound, whose clock was set
        self._forget()

    def _forget(self) -> None:
        """Know nothing of the pace of the camera's clock."""
        self._window: float | None = None  # its first arrival
        self._soonest = math.inf  # arrival after the stamp, in this window
        self._windows: collections.deque[_Window] = collections.deque(maxlen=_WRONG_WINDOWS)

    def begin(self, stamp: float, arrival: float) -> None:
        """Take a stamp for that of a moment."""
        self._zero = self._offset = arrival - stamp
        self._stamp = None
        self._has_begun = True
        self._aside = 0.0
        self._forget()

    def place(self, stamp: float | None, arrival: float) -> Placed:
        """Place the next packet of pictures, in the order of decoding.

        Parameters
        ----------
        stamp : float or None
            Its own, in seconds.
        arrival : float
            When it came, in seconds of the clock.
        """
        if stamp is None or not self.believed:
            return Placed(0.0, arrival)
        if not self._has_begun:
            self.begin(stamp, arrival)
        late = arrival - (stamp + self._offset)
        stands = self._stamp is not None and stamp <= self._stamp
        if stands and stamp == self._stamp and late < _STANDS_S:
            return self._placed(stamp, arrival)  # a part of the same picture
        if stands or not -_FUTURE_S < late < _PAST_S:
            self.n_set += 1
            self.believed = self.n_set <= _MOST_SET and stamp != self._stamp
            self.begin(stamp, arrival)
        else:
            self._offset += _EARLY * late if late < 0 else _LATE * min(late, _COUNTED_S)
            self._follow(arrival - stamp, arrival)
        self._stamp = stamp
        return self._placed(stamp, arrival)

    def _follow(self, after: float, arrival: float) -> None:
        """Follow a clock whose packets all arrive later than it says, from window to window."""
        if self._window is None:
            self._window = arrival
        if arrival - self._window >= _WINDOW_S:
            self._windows.append(_Window(self._window, self._soonest, self._soonest <= self._offset))
            self.believed = not self._has_wrong_pace()
            if len(self._windows) >= _WINDOWS:
                self._offset = max(self._offset, min(one.soonest for one in list(self._windows)[-_WINDOWS:]))
            self._window, self._soonest = arrival, math.inf
        self._soonest = min(self._soonest, after)

    def _has_wrong_pace(self) -> bool:
        """Say whether packets come later and later, or sooner and sooner, than the camera's clock says."""
        windows = self._windows
        if len(windows) < _WRONG_WINDOWS:
            return False
        changes = [later.soonest - sooner.soonest for sooner, later in itertools.pairwise(windows)]
        # What comes sooner than before, and still too late, makes up for a network that halted.
        one_way = min(changes) > 0 or (max(changes) < 0 and all(one.in_time for one in windows))
        return one_way and abs(sum(changes)) > _WRONG_PACE * (windows[-1].began - windows[0].began)

    def beside(self, stamp: float | None, arrival: float) -> Placed:
        """Place a packet of sound, which tells nothing of the pictures' clock; where its own was set, at its arrival.

        So it is for the moment between sound and picture of a camera whose whole clock is set, too.
        """
        if stamp is None or not self.believed:
            return Placed(0.0, arrival)
        if not self._fits(stamp, arrival):
            self._aside = 0.0
            if not self._fits(stamp, arrival):
                self._aside = arrival - stamp - self._offset
        return Placed(self._zero + self._aside, stamp + self._offset + self._aside)

    def _fits(self, stamp: float, arrival: float) -> bool:
        return -_FUTURE_S < arrival - (stamp + self._offset + self._aside) < _PAST_S

    def _placed(self, stamp: float | None, arrival: float) -> Placed:
        if stamp is None or not self.believed:
            return Placed(0.0, arrival)
        return Placed(self._zero, stamp + self._offset)
