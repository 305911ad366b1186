"""Schedules: spans of the week by the clock on the wall, over midnight and over both changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bgsub.errors import ParameterError
from bgsub.live.schedule import Span, is_active, parse_schedule

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone=UTC) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def active_minutes(schedule: list[str], day: str, zone) -> int:
    """Minutes of a day in a zone, by its wall, that a schedule holds: each minute of the world is asked for."""
    spans = parse_schedule(schedule)
    begin = at(day, zone).astimezone(UTC)
    return sum(
        is_active(spans, moment, zone)
        for moment in (begin + timedelta(minutes=i) for i in range(26 * 60))
        if moment.astimezone(zone).date() == at(day).date()
    )


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("22:00-06:00", Span(frozenset(range(7)), 1320, 360)),
        ("mon-fri 18:00-06:00", Span(frozenset(range(5)), 1080, 360)),
        ("Sat,Sun 00:00-24:00", Span(frozenset({5, 6}), 0, 1440)),
        ("fri-mon 8:05 - 9:00", Span(frozenset({4, 5, 6, 0}), 485, 540)),
        ("mon, wed-thu 08:00-09:00", Span(frozenset({0, 2, 3}), 480, 540)),
    ],
)
def test_a_span_is_read(text, span):
    assert parse_schedule([text]) == (span,)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is no span of time"),
        ("always", "it is no span of time"),
        ("22-6", "it is no span of time"),
        ("25:00-06:00", "25:00 is no time of the day"),
        ("22:60-06:00", "22:60 is no time of the day"),
        ("08:00-08:00", "it has no length"),
        ("24:00-06:00", "it has no length"),
        ("mo-fri 08:00-09:00", "'mo' is no day, which are mon, tue, wed, thu, fri, sat, sun"),
        ("mon-wed-fri 08:00-09:00", "'mon-wed-fri' are no days"),
        ("08:00-09:00 mon", "it is no span of time"),
    ],
)
def test_a_wrong_span_is_told_with_what_to_write(text, why):
    with pytest.raises(ParameterError) as error:
        parse_schedule(["08:00-09:00", text])
    assert str(error.value) == f'schedule "{text}": {why}; write "22:00-06:00" or "mon-fri 18:00-06:00"'


def test_without_spans_it_is_always():
    assert is_active((), datetime.now(UTC))


def test_over_midnight_a_span_belongs_to_the_day_on_which_it_begins():
    friday = parse_schedule(["fri 22:00-06:00"])
    held = [at(f"2026-11-{day}T{clock}") for day in (26, 27, 28, 29) for clock in ("05:59", "06:00", "21:59", "22:00")]
    assert [moment for moment in held if is_active(friday, moment, UTC)] == [
        at("2026-11-27T22:00"),
        at("2026-11-28T05:59"),
    ]


def test_a_span_until_midnight_ends_there():
    spans = parse_schedule(["sat 12:00-24:00"])
    assert is_active(spans, at("2026-11-28T23:59"), UTC) and not is_active(spans, at("2026-11-29T00:00"), UTC)


@pytest.mark.parametrize(
    ("day", "minutes"),
    [("2026-03-28", 8 * 60), ("2026-03-29", 7 * 60), ("2026-10-24", 8 * 60), ("2026-10-25", 9 * 60)],
)
def test_the_wall_decides_where_the_clock_is_changed(day, minutes):
    """From 22 to 6 are 2 + 6 hours of a usual day; in spring the hour from 2 is missing, in autumn it comes twice."""
    assert active_minutes(["22:00-06:00"], day, BERLIN) == minutes


def test_a_moment_in_utc_is_asked_of_the_zone_of_the_wall():
    evening = parse_schedule(["18:00-19:00"])
    assert is_active(evening, at("2026-07-01T16:30"), BERLIN)
    assert is_active(evening, at("2026-01-01T17:30"), BERLIN)
    assert not is_active(evening, at("2026-01-01T16:30"), BERLIN)
