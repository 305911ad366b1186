"""Files of SQLite in the folder of the state: a new one where there is none, or one that is no use.

What is in them can be done without: a file that is damaged, of a later version or of another program is moved aside.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path
from typing import NamedTuple

from bgsub.errors import OutputError
from bgsub.live.clock import Clock
from bgsub.live.layout import stamp
from bgsub.live.places import check_local

_ENDINGS = 3  # files that a database may have
_BUSY = 10.0  # seconds to wait for another connection
_ROOM = 1 << 20  # bytes that opening a file takes, and more


class Kind(NamedTuple):
    """What a file is.

    Attributes
    ----------
    name : str
        As errors and the log say it: ``"the index"``.
    application, version : int
        By which it is known again.
    tables : str
        The statements that make them.
    instead : str
        What comes in place of one that is no use: ``"is built again from the recordings"``.
    synchronous : str
        As SQLite has it: ``"full"`` is safe from a power cut each time, ``"normal"`` after a while.
    """

    name: str
    application: int
    version: int
    tables: str
    instead: str
    synchronous: str = "normal"


class Opened(NamedTuple):
    """A connection, and why its file is a new one in place of another, in a line."""

    connection: sqlite3.Connection
    new_because: str | None


def open_for_writing(path: Path, kind: Kind, clock: Clock) -> Opened:
    """Open a file, or make one; a damaged or foreign one is moved aside.

    Raises
    ------
    OutputError
        When it cannot be opened, or is on a network share.
    """
    check_local(path.parent)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fault = _fault(path, kind) if path.exists() else None
        told = None
        if fault is not None:
            aside = _moved_aside(path, clock)
            told = f"{kind.name} {path} {fault}; it was moved to {aside.name}, and {kind.instead}"
        connection = _connected(path, kind)
        if not connection.execute("pragma user_version").fetchone()[0]:
            connection.executescript(
                f"begin; {kind.tables} pragma application_id={kind.application};"
                f" pragma user_version={kind.version}; commit;"
            )
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(
            f"cannot open {kind.name} {path}: {reason}; make room, or give another folder as state"
        ) from error
    return Opened(connection, told)


def open_in_memory(kind: Kind) -> sqlite3.Connection:
    """Open a database that is in no file, for as long as none can be opened."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.execute("pragma foreign_keys=1")
    connection.executescript(kind.tables)
    return connection


def is_full(path: Path) -> bool:
    """Tell whether the disk of a file has no room for it to be opened."""
    try:
        return shutil.disk_usage(path.parent).free < _ROOM
    except OSError:
        return False


def open_as_it_lies(path: Path) -> sqlite3.Connection:
    """Open a file of a full disk, for what was in it when it was last closed: nothing is written, also beside it."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open a file that somebody else writes; the connection is for any one thread at a time."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY, isolation_level=None, check_same_thread=False
    )
    connection.execute("pragma query_only=1")
    return connection


def _connected(path: Path, kind: Kind) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("pragma journal_mode=wal")
        connection.execute(f"pragma synchronous={kind.synchronous}")
        connection.execute("pragma foreign_keys=1")
        connection.execute("pragma trusted_schema=0")
    except BaseException:
        connection.close()
        raise
    return connection


def _fault(path: Path, kind: Kind) -> str | None:
    """Say why a file is none of its kind, or none that can be used."""
    if not path.is_file():
        raise OutputError(f"cannot open {kind.name} {path}: it is no file; remove it, or give another folder as state")
    try:
        with contextlib.closing(_connected(path, kind)) as connection:
            application, version, tables = (
                connection.execute(question).fetchone()[0]
                for question in ("pragma application_id", "pragma user_version", "select count(*) from sqlite_master")
            )
            if not version and not tables:  # killed before anything was in it
                return None
            if application != kind.application:
                return "is of another program"
            if version != kind.version:
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
