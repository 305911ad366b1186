"""When a camera's events are told and recorded: spans of the week by the clock on the wall."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import NamedTuple

from bgsub.errors import ParameterError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_SPAN = re.compile(r"(?:(?P<days>[a-z, -]+?) +)?(?P<begin>\d{1,2}:\d\d) *- *(?P<end>\d{1,2}:\d\d)")
_DAY = 24 * 60  # minutes


class Span(NamedTuple):
    """A span of some days of the week.

    Attributes
    ----------
    days : frozenset of int
        On which it begins; Monday is 0.
    begin, end : int
        Minutes since midnight; from an end that is no later than the beginning it lasts until the next day.
    """

    days: frozenset[int]
    begin: int
    end: int


def parse_schedule(texts: Sequence[str]) -> tuple[Span, ...]:
    """Return the spans of a schedule.

    Parameters
    ----------
    texts : sequence of str
        Each ``"22:00-06:00"`` (every day), ``"mon-fri 18:00-06:00"`` or ``"sat,sun 00:00-24:00"``. One that goes over
        midnight belongs to the day on which it begins.

    Raises
    ------
    ParameterError
        When one is none.

    Examples
    --------
    >>> parse_schedule(["sat,sun 09:30-17:00"])
    (Span(days=frozenset({5, 6}), begin=570, end=1020),)
    """
    return tuple(_span(text) for text in texts)


def is_active(spans: Sequence[Span], moment: datetime, zone: tzinfo | None = None) -> bool:
    """Return whether a moment is in a schedule; one without spans has every moment.

    The clock on the wall decides: an hour that comes twice, as summer ends, is in it twice.

    Parameters
    ----------
    spans : sequence of Span
        Of the schedule.
    moment : datetime
        With a zone.
    zone : tzinfo, optional
        Of the wall; the system's by default.

    Examples
    --------
    >>> from datetime import UTC
    >>> friday_night = parse_schedule(["fri 22:00-06:00"])
    >>> is_active(friday_night, datetime(2026, 11, 28, 5, 59, tzinfo=UTC), UTC)
    True
    """
    if not spans:
        return True
    wall = moment.astimezone(zone)
    return any(_holds(span, wall.weekday(), wall.hour * 60 + wall.minute) for span in spans)


def _holds(span: Span, day: int, minute: int) -> bool:
    if span.begin < span.end:
        return day in span.days and span.begin <= minute < span.end
    return (day in span.days and minute >= span.begin) or ((day - 1) % 7 in span.days and minute < span.end)


def _span(text: str) -> Span:
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None:
        raise _refusal(text, "it is no span of time")
    begin, end = (_minutes(text, found[name]) for name in ("begin", "end"))
    if begin in (end, _DAY):
        raise _refusal(text, "it has no length")
    return Span(_days(text, found["days"]), begin, end)


def _minutes(text: str, clock: str) -> int:
    hours, minutes = map(int, clock.split(":"))
    if minutes > 59 or hours * 60 + minutes > _DAY:
        raise _refusal(text, f"{clock} is no time of the day")
    return hours * 60 + minutes


def _days(text: str, days: str | None) -> frozenset[int]:
    if days is None:
        return frozenset(range(7))
    found: set[int] = set()
    for part in days.split(","):
        names = [name.strip() for name in part.split("-")]
        for name in names:
            if name not in DAYS:
                raise _refusal(text, f"{name!r} is no day, which are {', '.join(DAYS)}")
        if len(names) > 2:
            raise _refusal(text, f"{part.strip()!r} are no days")
        first, last = DAYS.index(names[0]), DAYS.index(names[-1])
        found.update((first + i) % 7 for i in range((last - first) % 7 + 1))
    return frozenset(found)


def _refusal(text: str, why: str) -> ParameterError:
    return ParameterError(f'schedule "{text[:60]}": {why}; write "22:00-06:00" or "mon-fri 18:00-06:00"')
