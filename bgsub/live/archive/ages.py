"""How old recordings are, by a clock that may be wrong: nothing goes for its age while there is doubt."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from bgsub.errors import BgsubError
from bgsub.live.archive.index import Index
from bgsub.live.archive.index_questions import Kept
from bgsub.live.archive.index_tables import micros
from bgsub.live.clock import Clock

SETTLING = 600.0
"""Seconds that the clock must go without being set before something is too old."""

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
"""A clock that is before that has not been set: it is that of a machine without a battery that has just begun."""

_STEP = 60.0  # seconds by which a clock is set, and not put right a little
_AHEAD = timedelta(days=7)  # by which a clock may be ahead of what it last was
_DOUBT = timedelta(days=1)  # for which one that is further ahead is not believed
_PUT_DOWN = timedelta(hours=1)  # after which the time is put down again
_SEEN, _DOUBTED, _UNDATED = "clock seen", "clock doubted", "undated"  # names of facts

logger = logging.getLogger(__name__)


class Ages:
    """Whether the time of the day is to be trusted, and how old what was recorded without it is.

    A clock that was set is believed after ten minutes; one that is a week ahead of what it ever was, in this run or the
    one before, after a day, for it may have been set to nonsense: what is removed for its age does not come back. What
    was recorded before the clock of a machine without a battery was set is as old as the time since that was found.

    Parameters
    ----------
    index : Index
        Where it is kept what the clock was.
    clock : Clock
        The time.
    settling : float
        Seconds.

    Attributes
    ----------
    doubt : str or None
        Why nothing goes for its age, where somebody should look at the clock: a line.
    """

    def __init__(self, index: Index, clock: Clock, settling: float = SETTLING) -> None:
        self.doubt: str | None = None
        self._index, self._clock, self._settling = index, clock, settling
        self._settled = clock.monotonic() + settling
        self._began = self._beginning()
        self._checked = clock.monotonic()
        self._seen, self._doubted = self._moment(_SEEN), self._moment(_DOUBTED)
        self._put_down = self._seen
        self._undated = self._read_undated()

    def are_known(self) -> bool:
        """Say whether the time of the day is to be trusted; to be called every minute or so."""
        now, ran = self._clock.now(), self._clock.monotonic()
        began, elapsed = self._beginning(), timedelta(seconds=ran - self._checked)
        ahead = began - self._began
        self._began, self._checked = began, ran
        if abs(ahead) > _STEP:
            logger.info("the clock was set by %.0f s: nothing is too old for %g s", ahead, self._settling)
            self._settled = ran + self._settling
        return self._is_believed(now, elapsed, was_set=ahead > _STEP) and ran >= self._settled

    def undated(self, max_age: float | None) -> bool:
        """Say whether something was recorded before the clock was set, that is new, or too old by now."""
        if self._clock.now() < FIRST:
            return False
        kept = self._index.kept_before(FIRST)
        oldest = self._clock.now() - timedelta(seconds=min(max_age, 1e10)) if max_age is not None else FIRST
        return {one.key for one in kept} != self._undated.keys() or any(at < oldest for at in self._undated.values())

    def dated(self, kept: Iterable[Kept]) -> list[Kept]:
        """Return recordings; of those that were made before the clock was set the end is when that was found."""
        now, found, all_of_it = self._clock.now(), {}, []
        for one in kept:
            if one.end is not None and one.end < micros(FIRST) and now >= FIRST:
                at = found[one.key] = self._undated.get(one.key, now)
                one = one._replace(start=micros(at) - (one.end - one.start), end=micros(at))
            all_of_it.append(one)
        if found != self._undated:
            self._undated = found
            self._put(_UNDATED, msgspec.json.encode(found).decode())
        return all_of_it

    def _is_believed(self, now: datetime, elapsed: timedelta, *, was_set: bool) -> bool:
        """Say whether the clock is not far ahead of what it ever was."""
        if now < FIRST:  # nothing is too old then
            return True
        expected = now if self._seen is None else self._seen + elapsed
        if now - expected <= _AHEAD:
            if self._doubted is not None:
                self._doubted = None
                self._put(_DOUBTED, "")
            is_back = self._seen is not None and now < self._seen and self._clock.monotonic() >= self._settled
            self._see(now if self._seen is None or is_back else max(self._seen, now))
        elif self._doubted is None or was_set:
            self._doubted = now + _DOUBT
            self._put(_DOUBTED, self._doubted.isoformat())
            logger.warning("%s", self._doubtful(now, expected))
        elif now >= self._doubted:
            self._doubted = None
            self._put(_DOUBTED, "")
            self._see(now)
        self.doubt = None if self._doubted is None else self._doubtful(now, expected)
        return self._doubted is None

    def _doubtful(self, now: datetime, expected: datetime) -> str:
        return (
            f"the clock says {now:%Y-%m-%d}, {(now - expected).days} days after what it last was: set it if that is "
            f"wrong, else what is older than max_age is removed from {self._doubted:%Y-%m-%dT%H:%M}Z on"
        )

    def _see(self, now: datetime) -> None:
        self._seen = now
        if self._put_down is None or abs(now - self._put_down) >= _PUT_DOWN:
            self._put_down = now
            self._put(_SEEN, now.isoformat())

    def _beginning(self) -> float:
        """Return when the clock that never steps began, by that of the day: when that is set, it changes."""
        return self._clock.now().timestamp() - self._clock.monotonic()

    def _put(self, name: str, value: str) -> None:
        with contextlib.suppress(BgsubError):  # a full disk, which is told
            self._index.put_fact(name, value)

    def _moment(self, name: str) -> datetime | None:
        with contextlib.suppress(BgsubError, ValueError):
            found = datetime.fromisoformat(self._index.fact(name) or "")
            return found if found.tzinfo is not None else None
        return None

    def _read_undated(self) -> dict[str, datetime]:
        try:
            found = msgspec.json.decode(self._index.fact(_UNDATED) or "{}", type=dict[str, datetime])
        except (BgsubError, msgspec.DecodeError, RecursionError):
            return {}
        return {key: at for key, at in found.items() if at.tzinfo is not None}
