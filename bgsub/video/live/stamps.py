"""From a camera's time stamps to seconds of the clock here."""

from __future__ import annotations

from typing import NamedTuple

_EARLY, _LATE = 0.1, 0.001  # shares of the difference by which the clock follows: nothing arrives before it was sent
_COUNTED_S = 0.1  # a packet that is later than this says nothing of the camera's clock
_FUTURE_S = 1.0  # a stamp further ahead than this was set
_PAST_S = 30.0  # and one further behind; a network that halts, or sends in bursts, makes up for it sooner
_STANDS_S = 0.5
_MOST_SET = 5  # times that a clock may be set in one connection and still be believed


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


class StreamClock:
    """Places the packets of one connection on the clock here.

    A packet's time is its stamp's, brought to the clock so that packets arrive at it or a little later: what halts on
    its way is not later for that. A clock that was set is placed anew at the arrival; one that stands still, or is set
    again and again, is not believed any more, and arrivals are the times.

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

    def begin(self, stamp: float, arrival: float) -> None:
        """Take a stamp for that of a moment."""
        self._zero = self._offset = arrival - stamp
        self._stamp = None
        self._has_begun = True

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
            return self.beside(stamp, arrival)
        if not self._has_begun:
            self.begin(stamp, arrival)
        late = arrival - (stamp + self._offset)
        stands = self._stamp is not None and stamp <= self._stamp
        if stands and stamp == self._stamp and late < _STANDS_S:
            return self.beside(stamp, arrival)  # a part of the same picture
        if stands or not -_FUTURE_S < late < _PAST_S:
            self.n_set += 1
            self.believed = self.n_set <= _MOST_SET and stamp != self._stamp
            self.begin(stamp, arrival)
        else:
            self._offset += _EARLY * late if late < 0 else _LATE * min(late, _COUNTED_S)
        self._stamp = stamp
        return self.beside(stamp, arrival)

    def beside(self, stamp: float | None, arrival: float) -> Placed:
        """Place a packet that tells nothing of the clock: of sound."""
        if stamp is None or not self.believed:
            return Placed(0.0, arrival)
        return Placed(self._zero, stamp + self._offset)
