"""The tables of the index, and how they have times.

The index is what is quick to ask; what is true are the records beside the clips, from which it can be built again.
Times are microseconds since 1970, in UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bgsub.live.database_files import Kind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_TABLES = """
create table event (
    number integer primary key,
    id text not null unique,
    camera text not null,
    start integer not null,
    finish integer,
    length real,
    unusual real,
    named integer not null,
    size integer not null,
    record text not null
);
-- With what they are asked for: a question that most events do not answer reads no records.
create index event_start on event (start, id, finish, length, unusual);
create index event_camera on event (camera, start, id, finish, length, unusual);
create index event_kept on event (finish, start, id, camera, length, unusual, named, size);
create table zone (
    name text not null,
    start integer not null,
    number integer not null references event on delete cascade,
    primary key (name, start, number)
) without rowid;
create index zone_number on zone (number);
create table segment (
    path text primary key,
    camera text not null,
    start integer not null,
    finish integer,
    size integer not null
) without rowid;
create index segment_camera on segment (camera, start);
create index segment_finish on segment (finish, size);
create table outage (
    number integer primary key,
    camera text not null,
    start integer not null,
    finish integer,
    why text not null
);
create index outage_camera on outage (camera, start);
create table removal (
    number integer primary key,
    at integer not null,
    what text not null,
    reason text not null,
    size integer not null
);
create table removed (
    reason text primary key,
    files integer not null,
    size integer not null
) without rowid;
create table fact (
    name text primary key,
    value text not null
) without rowid;
"""

KIND = Kind("the index", 0x62677375, 1, _TABLES, "is built again from the recordings")  # "bgsu"
"""What its file is."""


def micros(moment: datetime) -> int:
    """Return a moment as the tables have it."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_of(value: int) -> datetime:
    """Return the moment of a table's number, in UTC."""
    return _EPOCH + timedelta(microseconds=value)
