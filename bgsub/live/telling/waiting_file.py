"""The file of what waits to be told: read at the start, and brought up to what waits by now, each time on the disk."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from bgsub.errors import OutputError
from bgsub.live.archive.records import fault_of
from bgsub.live.clock import Clock
from bgsub.live.database_files import Kind, open_for_writing
from bgsub.live.telling.occasions import Occasion

WAITING = "waiting.sqlite"
"""Name of the file in the folder of the state."""

LARGEST = 1 << 18
"""Bytes of an occasion."""

_MOST = 100_000  # rows that are read
_LONGEST_NAME = 1000  # characters of a topic, or of a fact's name
_TABLES = """
create table waiting (
    number integer primary key,
    channel text not null,
    put text not null,
    occasion text not null
);
create table topic (
    channel text not null,
    name text not null,
    primary key (channel, name)
) without rowid;
create table fact (
    name text primary key,
    value text not null
) without rowid;
"""
KIND = Kind("the file of what waits to be told", 0x62677377, 1, _TABLES, "what waited in it is not told", "full")
_KEYS = {"waiting": ("number",), "topic": ("channel", "name"), "fact": ("name",)}
_COLUMNS = {"waiting": 4, "topic": 2, "fact": 2}

Key = tuple[str, tuple[str | int, ...]]
"""A table, and what tells its rows apart."""

Changes = Mapping[Key, tuple[str | int, ...] | None]
"""Rows as they are now; None: gone."""

_occasion_of = msgspec.json.Decoder(Occasion).decode


class Stored(NamedTuple):
    """What waits, as it was read: its number, for which channel, since when, and what."""

    number: int
    channel: str
    put: datetime
    occasion: Occasion


class Read(NamedTuple):
    """All that was read.

    Attributes
    ----------
    waiting : list of Stored
        In order.
    topics : list of (str, str)
        By channel.
    facts : dict of str to str
        By name.
    told : list of str
        Lines for the log.
    """

    waiting: list[Stored]
    topics: list[tuple[str, str]]
    facts: dict[str, str]
    told: list[str]


def row_of(stored: Stored) -> tuple[int, str, str, str]:
    """Return what waits as a row of the table."""
    text = msgspec.json.encode(stored.occasion).decode()
    return stored.number, stored.channel, stored.put.isoformat(), text


class WaitingFile:
    """The file, for one thread at a time.

    Parameters
    ----------
    path : Path
        Where it is; a missing one is made, one that is no use is moved aside.
    clock : Clock
        The time.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock = path, clock
        self._connection: sqlite3.Connection | None = None

    def open(self) -> Read:
        """Open it, and return what is in it.

        Raises
        ------
        OutputError
            When that is not possible.
        """
        connection, new_because = open_for_writing(self._path, KIND, self._clock)
        self._connection = connection
        with self._explained():
            lines, wrong = [] if new_because is None else [new_because], 0
            waiting = []
            rows = connection.execute(
                "select number, channel, put, occasion from waiting where length(occasion) <= ?"
                " and number between 0 and ? and typeof(channel) = 'text' order by number limit ?",
                (LARGEST, 1 << 53, _MOST),
            )
            for number, channel, put, text in rows:
                try:
                    waiting.append(Stored(number, channel, _moment(put), _checked(_occasion_of(text))))
                except (ValueError, TypeError, RecursionError):  # of msgspec, too
                    wrong += 1
            if wrong:
                lines.append(f"{self._path}: {wrong} messages that waited are none, and are left out")
            text = "typeof({0}) = 'text' and length({0}) <= ?"
            topics = connection.execute(
                f"select channel, name from topic where {text.format('channel')} and {text.format('name')} limit ?",
                (_LONGEST_NAME, _LONGEST_NAME, _MOST),
            ).fetchall()
            facts = connection.execute(
                f"select name, value from fact where {text.format('name')} and {text.format('value')} limit ?",
                (_LONGEST_NAME, LARGEST, _MOST),
            ).fetchall()
        return Read(waiting, topics, dict(facts), lines)

    @property
    def is_open(self) -> bool:
        """Whether it is open."""
        return self._connection is not None

    def write(self, changes: Changes, anew: bool = False) -> None:
        """Write what has changed, all or nothing; when this returns, it is on the disk.

        Parameters
        ----------
        changes : Changes
            What is to be written.
        anew : bool
            Nothing else is to be in it.

        Raises
        ------
        OutputError
            When that is not possible; the file is closed then.
        """
        assert self._connection is not None
        with self._explained():
            connection = self._connection
            connection.execute("begin immediate")
            if anew:
                for table in _KEYS:
                    connection.execute(f"delete from {table}")
            for (table, key), row in changes.items():
                if row is None:
                    where = " and ".join(f"{name} = ?" for name in _KEYS[table])
                    connection.execute(f"delete from {table} where {where}", key)
                else:
                    places = ", ".join("?" * _COLUMNS[table])
                    connection.execute(f"insert or replace into {table} values ({places})", row)
            connection.execute("commit")

    def close(self) -> None:
        """Close it."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Close the file on an error, and say what is wrong."""
        try:
            yield
        except sqlite3.Error as error:
            self.close()
            raise OutputError(
                f"cannot write {self._path}: {error}; make room on its disk, or give another folder as state"
            ) from error


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment


def _checked(occasion: Occasion) -> Occasion:
    """Return an occasion if its event is one: its files are sent to people.

    Raises
    ------
    ValueError
        When it is none.
    """
    fault = None if occasion.event is None else fault_of(occasion.event)
    if fault is not None or occasion.at.tzinfo is None:
        raise ValueError(fault)
    return occasion
