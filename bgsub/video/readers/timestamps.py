"""Times of frames that never stand still and never go back."""

from __future__ import annotations

import collections
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Generic, NamedTuple, TypeVar

Item = TypeVar("Item")

_LOOK_AHEAD = 2  # frames after an odd time stamp that tell a mislabelled frame from a clock that was set
_MOST_LOOK_AHEAD = 64
_BREAK_S = 10.0  # a clock that jumps further ahead was set, where streams may be joined; FFmpeg has the same bound
_ODD_S = 1.0  # a step ahead that is looked at twice: one mislabelled frame must not shift all that follow
_REGULAR = 1.5  # the steps of a clock that runs differ by less than this factor
_CRAWL = 0.1  # seconds of time stamps in a second of the world that are as good as none
_WATCHED_S = 6.0
_AT_ONCE_S = 1e-3  # between frames that come together
_STANDS = "stands still"
_MOST_TOLD = 5


class Stamped(NamedTuple, Generic[Item]):
    """A frame as it comes: what its container claims, and when it came.

    Attributes
    ----------
    stamp : int or None
        Its time stamp in ticks, None where it has none.
    item : object
        The frame itself.
    arrival : float or None
        Seconds of a monotonic clock, where frames come at the pace of the world.
    """

    stamp: int | None
    item: Item
    arrival: float | None = None


class Timestamps(Generic[Item]):
    """Presentation times in seconds from the first frame, out of what a container claims.

    A frame without a time stamp follows the one before by the nominal period; of a live source, by the time that
    passed in the world, which also replaces stamps that stand still or fall far behind it. A frame whose stamp does not
    fit those around it is mislabelled, and comes to lie between them. Where the frames after it go on from its stamp,
    the clock was set, as where two recordings were joined: they follow on what came before.

    Parameters
    ----------
    time_base : Fraction
        Seconds per tick of the claimed time stamps.
    period : float
        Nominal seconds per frame.
    joined : bool
        In this format streams may be joined, each with a clock of its own: a long jump ahead is no gap.
    told : callable, optional
        Called with what the clock did, in words, with the frame, and with its time; only for the first few times.

    Attributes
    ----------
    n_set : int
        How often the clock was set so far: what a container says of its length means little then.
    """

    def __init__(
        self,
        time_base: Fraction,
        period: float,
        *,
        joined: bool = False,
        told: Callable[[str, Item, float], None] | None = None,
    ) -> None:
        self._time_base = time_base
        self._period = period
        self._joined = joined
        # In ticks longer than a period several frames have one time stamp, and do not stand still.
        self._look_ahead = min(max(_LOOK_AHEAD, 1 + math.ceil(float(time_base) / period)), _MOST_LOOK_AHEAD)
        self._told = told
        self._n_told = 0
        self.n_set = 0
        self._stands = False
        self._origin: Fraction | None = None
        self._last: float | None = None
        self._step = period
        self._arrival: float | None = None
        self._world: float | None = None  # the monotonic clock at time 0, while that clock tells the time
        self._recent: collections.deque[tuple[float, float]] = collections.deque(maxlen=256)  # arrivals and times
        self._distrusted = False

    def start_from(self, stamp: int) -> None:
        """Take a time stamp for that of the first frame, which is not read: reading begins at a later one."""
        self._origin = stamp * self._time_base

    def times(self, frames: Iterable[Stamped[Item]]) -> Iterator[tuple[float, Item]]:
        """Yield each frame with its time, always later than that of the frame before.

        Parameters
        ----------
        frames : iterable of Stamped
            In the order in which they are shown. What it raises is raised after the frames before it.
        """
        queue = _LookAhead(frames)
        while (frame := queue.pop()) is not None:
            time = self._time_of(frame, queue)
            if frame.arrival is not None:
                time = self._kept_up(frame, frame.arrival, time)
            if self._last is not None:
                # The tick is lost in rounding where a hostile stamp made the time astronomic.
                time = max(time, math.nextafter(self._last, math.inf))
                self._step = time - self._last
            self._last, self._arrival = time, frame.arrival
            yield time, frame.item

    def _time_of(self, frame: Stamped[Item], queue: _LookAhead[Item]) -> float:
        """Return the time of the next frame."""
        expected = self._expected(frame)
        if frame.stamp is None or self._distrusted:
            return expected
        if self._origin is None:
            self._origin = frame.stamp * self._time_base - Fraction(expected)
        time = self._claimed(frame.stamp)
        if self._last is None:
            return time
        ahead = time - self._last
        if 0 < ahead <= max(_ODD_S, 3 * self._step) and not self._crawls(self._last, time, frame, queue):
            self._stands = False
            self._world = None
            return time
        following = [self._claimed(later.stamp) for later in queue.peek(self._look_ahead) if later.stamp is not None]
        if ahead > max(_ODD_S, 3 * self._step):
            return self._after_a_jump(frame, time, following, expected)
        return self._after_a_step_back(frame, time, following, expected)

    def _expected(self, frame: Stamped[Item]) -> float:
        """Return when a frame comes that tells no time."""
        if self._last is None:
            return 0.0
        if frame.arrival is None or self._arrival is None:
            return self._last + self._period
        if self._world is None:
            self._world = self._arrival - self._last
        return max(frame.arrival - self._world, self._last + _AT_ONCE_S)

    def _claimed(self, stamp: int) -> float:
        # The quotient of whole numbers is that of Fractions, to the bit, in a tenth of the time.
        assert self._origin is not None
        ticks, tick = self._time_base.as_integer_ratio()
        began, unit = self._origin.as_integer_ratio()
        return (stamp * ticks * unit - began * tick) / (tick * unit)

    def _after_a_jump(self, frame: Stamped[Item], time: float, following: Sequence[float], expected: float) -> float:
        """Return the time of a frame whose stamp lies far ahead."""
        assert self._last is not None
        between = [later for later in following if self._last < later < time]
        if between:
            return min(expected, (self._last + min(between)) / 2)
        if self._joined and time - self._last > _BREAK_S:
            return self._set_clock(frame, time, expected, f"jumps ahead by {time - expected:.1f} s")
        return time

    def _after_a_step_back(
        self, frame: Stamped[Item], time: float, following: Sequence[float], expected: float
    ) -> float:
        """Return the time of a frame whose stamp is not later than the one before."""
        last = self._last
        assert last is not None
        resumed = next((i for i, later in enumerate(following) if later > last), None)
        if resumed is None and not following:
            return expected
        crawls = time > last
        if crawls or resumed is None or (resumed > 0 and self._is_regular([time, *following[: resumed + 1]])):
            stands = crawls or (time == last and (self._stands or all(later == last for later in following)))
            words = _STANDS if stands else f"steps back by {expected - time:.2f} s"
            return self._set_clock(frame, time, expected, words)
        return last + min(expected - last, (following[resumed] - last) / (resumed + 2))

    def _crawls(self, last: float, time: float, frame: Stamped[Item], queue: _LookAhead[Item]) -> bool:
        """Say whether time stamps nearly stand still while the world goes on."""

        def lags(earlier: float, later: float, arrivals: tuple[float | None, float | None]) -> bool:
            came, comes = arrivals
            return came is not None and comes is not None and later - earlier < _CRAWL * (comes - came)

        if not lags(last, time, (self._arrival, frame.arrival)):
            return False
        times, arrivals = [time], [frame.arrival]
        for later in queue.peek(_LOOK_AHEAD):
            if later.stamp is None:
                return False
            times.append(self._claimed(later.stamp))
            arrivals.append(later.arrival)
        steps = zip(itertools.pairwise(times), itertools.pairwise(arrivals), strict=True)
        return len(times) > 1 and all(lags(*pair, came) for pair, came in steps)

    def _kept_up(self, frame: Stamped[Item], arrival: float, time: float) -> float:
        """Return the time of a live frame, and the world's from the moment on when time stamps fall far behind it."""
        recent = self._recent
        recent.append((arrival, time))
        while arrival - recent[0][0] > _WATCHED_S:
            recent.popleft()
        pauses = [later[0] - earlier[0] for earlier, later in itertools.pairwise(recent)]
        if self._distrusted or not pauses:
            return time
        # A network that halts and makes up for it is no clock that falls behind: the longest pause does not count.
        passed = arrival - recent[0][0] - max(pauses)
        if passed < _WATCHED_S / 2 or time - recent[0][1] > passed / 2:
            return time
        self._distrusted = True
        self._world = recent[0][0] - recent[0][1]
        self._tell("falls behind the world's", frame, time)
        return arrival - self._world

    def _is_regular(self, times: Sequence[float]) -> bool:
        """Say whether times rise by steps such as those before them."""
        steps = [later - earlier for earlier, later in itertools.pairwise(times)]
        return all(0 < step < _REGULAR * max(self._step, self._period) for step in steps)

    def _set_clock(self, frame: Stamped[Item], time: float, expected: float, words: str) -> float:
        """Let the claimed times go on at the expected one; tell of it, of a clock that stands only once."""
        assert self._origin is not None
        self._origin += Fraction(time) - Fraction(expected)
        self.n_set += 1
        repeated, self._stands = self._stands and words == _STANDS, words == _STANDS
        if not repeated:
            self._tell(words, frame, expected)
        return expected

    def _tell(self, words: str, frame: Stamped[Item], time: float) -> None:
        if self._told is not None and self._n_told < _MOST_TOLD:
            self._n_told += 1
            self._told(words, frame.item, time)


class _LookAhead(Generic[Item]):
    """Frames, and those that come after them; what their source raises comes after the last frame."""

    def __init__(self, frames: Iterable[Stamped[Item]]) -> None:
        self._source: Iterator[Stamped[Item]] | None = iter(frames)
        self._ahead: collections.deque[Stamped[Item]] = collections.deque()
        self._failure: Exception | None = None

    def peek(self, count: int) -> list[Stamped[Item]]:
        """Return the next frames, as many as there are, and leave them in their place."""
        while len(self._ahead) < count and self._source is not None:
            try:
                self._ahead.append(next(self._source))
            except StopIteration:
                self._source = None
            except Exception as error:
                self._source, self._failure = None, error
        return list(self._ahead)[:count]

    def pop(self) -> Stamped[Item] | None:
        """Return the next frame, None after the last; raise what the source raised."""
        if self.peek(1):
            return self._ahead.popleft()
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        return None
