"""What can be asked of the index: events page by page, segments, outages, and how much happened when."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec

from bgsub.errors import ParameterError, SourceError
from bgsub.live.archive.index_tables import micros, moment_of
from bgsub.live.database_files import open_for_reading
from bgsub.live.layout import moment
from bgsub.live.messages import EventRecord, SegmentRecord

MOST = 1000
"""Rows of a page."""

_LONGEST_SEGMENT = 4 * 3600 * 1_000_000  # microseconds; settings allow half of it
_record_of = msgspec.json.Decoder(EventRecord).decode


class Outage(NamedTuple):
    """When a camera gave no pictures; of one that lasts the end is None."""

    camera: str
    start: datetime
    end: datetime | None
    why: str


class Removal(NamedTuple):
    """What was removed when, why, and its bytes; `what` is an event's identity, or a segment's path."""

    at: datetime
    what: str
    reason: str
    size: int


class Amount(NamedTuple):
    """How many events began in a stretch of time, and seconds of motion in them."""

    start: datetime
    events: int
    seconds: float


class Counts(NamedTuple):
    """How much there is, and how much was removed, by reason: files and bytes."""

    events: int
    segments: int
    size: int
    removed: dict[str, tuple[int, int]]


class Kept(NamedTuple):
    """What retention must know of an event or a segment.

    Attributes
    ----------
    key : str
        Identity of an event, or path of a segment.
    camera : str
        Whose.
    start, end : int or None
        Microseconds since 1970; of what is being written the second is None.
    size : int
        Bytes.
    unusual : float or None
        As of `EventRecord`; None of a segment.
    named : bool
        It has a zone, a crossing, or a kind.
    """

    key: str
    camera: str
    start: int
    end: int | None
    size: int
    unusual: float | None = None
    named: bool = False


class IndexReader:
    """Questions to an index, from any thread, one after another.

    Parameters
    ----------
    connection : sqlite3.Connection
        Nobody else uses it.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.RLock()

    @classmethod
    def of(cls, path: Path) -> Self:
        """Open the index of another process or thread, for reading alone.

        Raises
        ------
        SourceError
            When there is none, or it cannot be read.
        """
        try:
            return cls(open_for_reading(path))
        except sqlite3.Error as error:
            raise SourceError(f"cannot read the index {path}: {error}; start bgsub watch first") from error

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def events(
        self,
        *,
        camera: str | None = None,
        zone: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        min_length: float | None = None,
        unusual: float | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> list[EventRecord]:
        """Return events, the latest first.

        Parameters
        ----------
        camera, zone : str, optional
            Only those of a camera; only those that touched a zone of this name.
        start, end : datetime, optional
            Only those that began from here on, and before there.
        min_length : float, optional
            Seconds; one that goes on is long enough.
        unusual : float, optional
            Only those that are at least so unusual, 0 to 1.
        before : str, optional
            Identity of the last event of the page before; it may have been removed since.
        limit : int
            At most so many, up to `MOST`.
        """
        asked: list[tuple[str, Any]] = []
        table = "event"
        if zone is not None:
            table = "zone cross join event on event.number = zone.number"
            asked.append(("zone.name = ?", zone))
        began = "zone.start" if zone is not None else "event.start"
        if camera is not None:
            asked.append(("event.camera = ?", camera))
        if start is not None:
            asked.append((f"{began} >= ?", micros(start)))
        if end is not None:
            asked.append((f"{began} < ?", micros(end)))
        if min_length is not None:
            asked.append(("(event.finish is null or event.length >= ?)", min_length))
        if unusual is not None:
            asked.append(("event.unusual >= ?", unusual))
        values = [value for _, value in asked]
        conditions = [condition for condition, _ in asked]
        if before is not None:
            conditions.append(f"({began}, event.id) < (?, ?)")
            values += [self._start_of(before), before]
        where = f"where {' and '.join(conditions)}" if conditions else ""
        # The identities first, out of an index alone; then the records of this page.
        numbers = self._rows(
            f"select event.number from {table} {where} order by {began} desc, event.id desc limit ?",
            *values,
            max(0, min(limit, MOST)),
        )
        return [record for (number,) in numbers if (record := self._record("number", number)) is not None]

    def event(self, identity: str) -> EventRecord | None:
        """Return an event by its identity."""
        return self._record("id", identity)

    def unfinished(self) -> list[EventRecord]:
        """Return the events that have no end."""
        rows = self._rows("select record from event where finish is null order by start")
        return [_decoded(record) for (record,) in rows]

    def segments(self, *, camera: str | None = None, start: datetime, end: datetime) -> list[SegmentRecord]:
        """Return the continuous segments that show any of a time, the earliest first."""
        first, last = micros(start), micros(end)
        rows = self._rows(
            "select path, camera, start, finish, size from segment where (camera = ? or ? is null)"
            " and start >= ? and start < ? and (finish is null or finish > ?) order by start, path",
            *(camera, camera, first - _LONGEST_SEGMENT, last, first),
        )
        return [
            SegmentRecord(path=path, camera=whose, start=moment_of(begun), end=_moment(ended), size=size)
            for path, whose, begun, ended, size in rows
        ]

    def outages(
        self, *, camera: str | None = None, start: datetime | None = None, end: datetime | None = None
    ) -> list[Outage]:
        """Return when cameras gave no pictures, in a time, the latest first; a thousand at most."""
        rows = self._rows(
            "select camera, start, finish, why from outage where (camera = ? or ? is null)"
            " and start < ? and (finish is null or finish > ?) order by start desc, number desc limit ?",
            *(camera, camera),
            *(2**62 if end is None else micros(end), -(2**62) if start is None else micros(start), MOST),
        )
        return [Outage(whose, moment_of(begun), _moment(ended), why) for whose, begun, ended, why in rows]

    def away(self) -> dict[str, datetime]:
        """Return the cameras that were lost and have not been found, and since when."""
        rows = self._rows("select camera, max(start) from outage where finish is null group by camera")
        return {camera: moment_of(begun) for camera, begun in rows}

    def amounts(self, start: datetime, end: datetime, step: float, *, camera: str | None = None) -> list[Amount]:
        """Return how much happened in each step of a time, also where nothing did: of a day, of a viewer's day.

        Parameters
        ----------
        start, end : datetime
            From and to.
        step : float
            Seconds; there are `MOST` steps at most.
        camera : str, optional
            Only of this one.
        """
        first, last = micros(start), micros(end)
        wide = max(int(step * 1e6), (last - first) // MOST + 1, 1)
        where = "camera = ? and" if camera is not None else ""
        rows = self._rows(
            f"select (start - ?) / ? as step, count(*), total(length) from event where {where} start >= ? and start < ?"
            " group by step",
            *(first, wide),
            *(() if camera is None else (camera,)),
            *(first, last),
        )
        found = {at: (events, seconds) for at, events, seconds in rows}
        steps = range(max(0, -(-(last - first) // wide)))
        return [Amount(moment_of(first + at * wide), *found.get(at, (0, 0.0))) for at in steps]

    def removals(self, limit: int = 100) -> list[Removal]:
        """Return what was removed last, the latest first."""
        rows = self._rows("select at, what, reason, size from removal order by number desc limit ?", min(limit, MOST))
        return [Removal(moment_of(at), what, reason, size) for at, what, reason, size in rows]

    def counts(self) -> Counts:
        """Return how much there is, and how much was removed."""
        ((events, of_events),) = self._rows("select count(*), coalesce(sum(size), 0) from event indexed by event_kept")
        ((segments, of_segments),) = self._rows("select count(*), coalesce(sum(size), 0) from segment")
        removed = self._rows("select reason, files, size from removed order by reason")
        return Counts(
            events, segments, of_events + of_segments, {reason: (files, size) for reason, files, size in removed}
        )

    def oldest(self, since: datetime) -> datetime | None:
        """Return when the oldest that is whole ended, of those that ended since then."""
        first = micros(since)
        ((event,),) = self._rows("select min(finish) from event where finish >= ?", first)
        ((segment,),) = self._rows("select min(finish) from segment where finish >= ?", first)
        return _moment(min((value for value in (event, segment) if value is not None), default=None))

    def kept_before(self, end: datetime) -> list[Kept]:
        """Return what retention must know of what ended before."""
        last = micros(end)
        rows = self._rows(
            "select id, camera, start, finish, size, unusual, named from event where finish < ?"
            " union all select path, camera, start, finish, size, null, 0 from segment where finish < ?",
            *(last, last),
        )
        return [Kept(*row) for row in rows]

    def kept_events(self) -> list[Kept]:
        """Return what retention must know of all events."""
        rows = self._rows("select id, camera, start, finish, size, unusual, named from event indexed by event_kept")
        return [Kept(*row) for row in rows]

    def kept_segments(self) -> list[Kept]:
        """Return what retention must know of all segments."""
        return [Kept(*row) for row in self._rows("select path, camera, start, finish, size from segment")]

    def clips(self) -> dict[str, str]:
        """Return the clips of events that are over, by their identities."""
        return dict(
            self._rows(
                "select id, json_extract(record, '$.clip') from event"
                " where finish is not null and json_extract(record, '$.clip') is not null"
            )
        )

    def days(self, camera: str) -> Iterator[str]:
        """Yield the days of a camera that have events or segments, ``2026-11-27`` in UTC, the earliest first."""
        day = 86_400_000_000
        rows = self._rows(
            "select distinct start / ? from event where camera = ?"
            " union select distinct start / ? from segment where camera = ? order by 1",
            *(day, camera, day, camera),
        )
        for (number,) in rows:
            yield f"{moment_of(number * day):%Y-%m-%d}"

    def uncompared(self) -> dict[str, int]:
        """Return how many events of each camera have never been compared with its others."""
        return dict(
            self._rows(
                "select camera, count(*) from event where unusual is null and finish is not null group by camera"
            )
        )

    def fact(self, name: str) -> str | None:
        """Return what was put down under a name."""
        rows = self._rows("select value from fact where name = ?", name)
        return rows[0][0] if rows else None

    def _start_of(self, identity: str) -> int:
        """Return when an event began; a removed one, whose identity tells it, is still a place to go on from."""
        rows = self._rows("select start from event where id = ?", identity)
        if rows:
            return rows[0][0]
        try:
            return micros(moment(identity.rpartition("/")[2])) + 999  # the identity has milliseconds
        except ValueError as error:
            raise ParameterError(f"before={identity!r} is no event; give the identity of one") from error

    def _record(self, column: str, value: str | int) -> EventRecord | None:
        rows = self._rows(f"select record from event where {column} = ?", value)
        return _decoded(rows[0][0]) if rows else None

    def _rows(self, question: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._connection.execute(question, values).fetchall()
            except sqlite3.Error as error:
                raise SourceError(f"cannot read the index: {error}; start bgsub watch again, it mends it") from error


def _moment(value: int | None) -> datetime | None:
    return None if value is None else moment_of(value)


def _decoded(text: str) -> EventRecord:
    try:
        return _record_of(text)
    except msgspec.DecodeError as error:  # somebody else has written it
        raise SourceError(f"the index has a record that is none ({error}); remove it, and it is built again") from error
