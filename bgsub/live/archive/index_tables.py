"""The tables of the index, and how its file is opened: a new one where there is none, or one that is no use.

The index is what is quick to ask; what is true are the records beside the clips, from which it can be built again.
Times are microseconds since 1970, in UTC.
"""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from bgsub.errors import OutputError
from bgsub.live.clock import Clock
from bgsub.live.layout import stamp
from bgsub.live.places import check_local

_APPLICATION = 0x62677375  # "bgsu"
_VERSION = 1  # of the tables
_ENDINGS = 3  # files that an index may have
_BUSY = 10.0  # seconds to wait for another connection
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


class Opened(NamedTuple):
    """A connection, and why its file is a new one in place of another, in a line."""

    connection: sqlite3.Connection
    new_because: str | None


def micros(moment: datetime) -> int:
    """Return a moment as the tables have it."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_of(value: int) -> datetime:
    """Return the moment of a table's number, in UTC."""
    return _EPOCH + timedelta(microseconds=value)


def open_for_writing(path: Path, clock: Clock) -> Opened:
    """Open the file of an index, or make one; a damaged or foreign file is moved aside.

    Raises
    ------
    OutputError
        When it cannot be opened, or is on a network share.
    """
    check_local(path.parent)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fault = _fault(path) if path.exists() else None
        told = None
        if fault is not None:
            aside = _moved_aside(path, clock)
            told = f"the index {path} {fault}; it was moved to {aside.name}, and is built again from the recordings"
        connection = _connected(path)
        if not connection.execute("pragma user_version").fetchone()[0]:
            connection.executescript(
                f"begin; {_TABLES} pragma application_id={_APPLICATION}; pragma user_version={_VERSION}; commit;"
            )
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(
            f"cannot open the index {path}: {reason}; make room, or give another folder as state"
        ) from error
    return Opened(connection, told)


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open the file of an index that somebody else writes; the connection is for any one thread at a time."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY, isolation_level=None, check_same_thread=False
    )
    connection.execute("pragma query_only=1")
    return connection


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=normal")
        connection.execute("pragma foreign_keys=1")
        connection.execute("pragma trusted_schema=0")
    except BaseException:
        connection.close()
        raise
    return connection


def _fault(path: Path) -> str | None:
    """Say why a file is no index of ours, or none that can be used."""
    if not path.is_file():
        raise OutputError(f"cannot open the index {path}: it is no file; remove it, or give another folder as state")
    try:
        with contextlib.closing(_connected(path)) as connection:
            application, version, tables = (
                connection.execute(question).fetchone()[0]
                for question in ("pragma application_id", "pragma user_version", "select count(*) from sqlite_master")
            )
            if not version and not tables:  # killed before anything was in it
                return None
            if application != _APPLICATION:
                return "is of another program"
            if version != _VERSION:
                return f"is of another version ({version})"
            fault = connection.execute("pragma quick_check(1)").fetchone()[0]
            return None if fault == "ok" else "is damaged"
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR):
            return "is damaged"
        raise  # locked, full, not permitted: it may be whole
    except sqlite3.DatabaseError:
        return "is damaged"


def _moved_aside(path: Path, clock: Clock) -> Path:
    aside = path.with_name(f"{path.stem}.{stamp(clock.now())}{path.suffix}")
    path.replace(aside)
    before = sorted(found for found in path.parent.glob(f"{path.stem}.2*{path.suffix}*") if not found.is_dir())
    for old in before[: -2 * _ENDINGS]:  # a disk that spoils files again and again must not fill with them
        old.unlink(missing_ok=True)
    for ending in ("-wal", "-shm"):  # of the old one: they would be taken for the new one's
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + ending).replace(aside.with_name(aside.name + ending))
    return aside
