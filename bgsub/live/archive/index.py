"""The index: what there is, quick to ask, told by the messages of cameras' processes as they come."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from bgsub.errors import OutputError
from bgsub.live.archive.index_questions import IndexReader
from bgsub.live.archive.index_tables import KIND, micros, moment_of
from bgsub.live.clock import Clock
from bgsub.live.database_files import is_full, open_as_it_lies, open_for_writing, open_in_memory
from bgsub.live.messages import (
    CameraFound,
    CameraLost,
    EventClosed,
    EventOpened,
    EventRecord,
    FromCamera,
    SegmentClosed,
    SegmentOpened,
    SegmentRecord,
)
from bgsub.live.places import check_local

INDEX = "index.sqlite"
"""Name of its file in the folder of the state."""

_OUTAGES = 100_000  # rows that are kept: a camera that drops every minute makes half a million a year
_REMOVALS = 10_000  # rows that are kept of what was removed; the counts know all


class Index(IndexReader):
    """The index, open for writing; what it has taken survives a kill of the program.

    Methods may be called from any thread, one at a time does its work. Only one program may have an index open for
    writing; who else reads opens an `IndexReader`.

    Parameters
    ----------
    path : Path
        Its file, on a disk of this machine; a missing one is made, one that is no use is moved aside.
    clock : Clock
        The time.

    Attributes
    ----------
    path : Path
        Its file. On a disk that is full it cannot be opened: all is in memory then, until `open_again`.
    new_because : str or None
        Why the file was moved aside, in a line for the log; the index is to be built again then.
    in_memory_because : str or None
        Why all is in memory alone, in a line.
    behind : str or None
        Why something that was told is not in it, until it has been compared with the recordings.

    Raises
    ------
    OutputError
        When the file cannot be opened, or is on a network share.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        check_local(path.parent)
        self.path = path
        self.new_because: str | None = None
        self.behind: str | None = None
        self._clock = clock
        self.in_memory_because: str | None = None
        try:
            opened = open_for_writing(path, KIND, clock)
        except OutputError as error:
            if not is_full(path):
                raise
            self.in_memory_because = f"{error}; it is in memory alone"
            super().__init__(open_in_memory(KIND))
            self._put_facts_of_file()
        else:
            self.new_because = opened.new_because
            super().__init__(opened.connection)

    def open_again(self) -> None:
        """Open the file of an index that is in memory alone, and put down what is known.

        Raises
        ------
        OutputError
            When that is still not possible.
        """
        opened = open_for_writing(self.path, KIND, self._clock)
        with self._lock:
            before, self._connection = self._connection, opened.connection
            self.in_memory_because = None
            self.behind = opened.new_because or f"the index {self.path} was in memory alone"  # what is gone is in it
            with self.together(), contextlib.closing(before):
                for (text,) in before.execute("select record from event"):
                    self.put_event(msgspec.json.decode(text, type=EventRecord))
                for camera, path, start, end, size in before.execute(
                    "select camera, path, start, finish, size from segment"
                ):
                    finish = None if end is None else moment_of(end)
                    self.put_segment(
                        SegmentRecord(camera=camera, path=path, start=moment_of(start), end=finish, size=size)
                    )
                self._connection.executemany(
                    "insert into outage (camera, start, finish, why) values (?, ?, ?, ?)",
                    before.execute("select camera, start, finish, why from outage").fetchall(),
                )

    def take(self, message: FromCamera) -> None:
        """Put down what a message tells; when this returns, a kill does not lose it.

        Raises
        ------
        OutputError
            When it cannot be written; `behind` says so until `bgsub.live.archive.rebuilding.compare` has run.
        """
        match message:
            case EventOpened(record) | EventClosed(record):
                self.put_event(record)
            case SegmentOpened(segment) | SegmentClosed(segment):
                self.put_segment(segment)
            case CameraLost():
                self._lost(message)
            case CameraFound():
                self._found(message)

    def put_event(self, record: EventRecord) -> None:
        """Put an event down, in place of what was known of it; one that has ended is not opened again."""
        start, finish = micros(record.start), None if record.end is None else micros(record.end)
        values = (
            record.camera,
            start,
            finish,
            None if finish is None else max(0.0, (finish - start) / 1e6),
            record.unusual,
            bool(record.zones or record.crossings or record.kind != "motion"),
            record.size,
            msgspec.json.encode(record).decode(),
        )
        with self._writing() as connection:
            known = connection.execute("select number, finish from event where id = ?", (record.id,)).fetchone()
            if known is None:
                added = connection.execute(
                    "insert into event (camera, start, finish, length, unusual, named, size, record, id)"
                    " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (*values, record.id),
                )
                number = added.lastrowid
            elif known[1] is not None and finish is None:
                return
            else:
                number = known[0]
                connection.execute(
                    "update event set camera = ?, start = ?, finish = ?, length = ?, unusual = coalesce(?, unusual),"
                    " named = ?, size = ?, record = ? where number = ?",
                    (*values, number),
                )
                connection.execute("delete from zone where number = ?", (number,))
            connection.executemany(
                "insert into zone (name, start, number) values (?, ?, ?)",
                [(name, start, number) for name in set(record.zones)],
            )

    def put_segment(self, segment: SegmentRecord) -> None:
        """Put a segment down, in place of what was known of it; one that has ended is not opened again."""
        finish = None if segment.end is None else micros(segment.end)
        with self._writing() as connection:
            connection.execute(
                "insert into segment (path, camera, start, finish, size) values (?, ?, ?, ?, ?) on conflict (path)"
                " do update set finish = excluded.finish, size = excluded.size where excluded.finish is not null",
                (segment.path, segment.camera, micros(segment.start), finish, segment.size),
            )

    def mark_unusual(self, shares: Mapping[str, float]) -> None:
        """Put down how unusual events are, by their identities."""
        with self._writing() as connection:
            connection.executemany(
                "update event set unusual = ?, record = json_set(record, '$.unusual', ?) where id = ?",
                [(share, share, identity) for identity, share in shares.items()],
            )

    def remove_event(self, identity: str, reason: str, size: int = 0) -> None:
        """Forget an event, whose files are gone, and count it with the reason."""
        self.remove_all([(identity, size)], reason)

    def remove_all(self, gone: Iterable[tuple[str, int]], reason: str) -> None:
        """Forget events and segments, whose files are gone, and count them with the reason.

        Parameters
        ----------
        gone : iterable of (str, int)
            Identity of an event, or path of a segment, and bytes that became free.
        reason : str
            Why, in a word or three.
        """
        at = micros(self._clock.now())
        with self._writing() as connection:
            for what, size in gone:
                if not (_event_deleted(connection, what) or _segment_deleted(connection, what)):
                    continue
                connection.execute(
                    "insert into removal (at, what, reason, size) values (?, ?, ?, ?)", (at, what, reason, size)
                )
                connection.execute(
                    "insert into removed (reason, files, size) values (?, 1, ?) on conflict (reason)"
                    " do update set files = files + 1, size = size + excluded.size",
                    (reason, size),
                )
            connection.execute(
                "delete from removal where number <= (select max(number) from removal) - ?", (_REMOVALS,)
            )

    def forget_all(self) -> None:
        """Forget all events, segments and facts: they were of other recordings."""
        with self._writing() as connection:
            for table in ("event", "segment", "outage", "removal", "removed", "fact"):
                connection.execute(f"delete from {table}")

    def put_fact(self, name: str, value: str) -> None:
        """Put something down under a name."""
        with self._writing() as connection:
            connection.execute(
                "insert into fact (name, value) values (?, ?) on conflict (name) do update set value = excluded.value",
                (name, value),
            )

    def _put_facts_of_file(self) -> None:
        """Know what the file on the full disk knows of the folder of recordings: which one it is."""
        with (
            contextlib.suppress(sqlite3.Error, OutputError),
            contextlib.closing(open_as_it_lies(self.path)) as connection,
        ):
            for name, value in connection.execute("select name, value from fact").fetchall():
                self.put_fact(name, value)

    def _lost(self, message: CameraLost) -> None:
        with self._writing() as connection:
            connection.execute(
                "insert into outage (camera, start, why) select ?, ?, ?"
                " where not exists (select 1 from outage where camera = ? and finish is null)",
                (message.camera, micros(message.at), message.why, message.camera),
            )
            connection.execute("delete from outage where number <= (select max(number) from outage) - ?", (_OUTAGES,))

    def _found(self, message: CameraFound) -> None:
        with self._writing() as connection:
            at = micros(message.at)
            closed = connection.execute(
                "update outage set finish = max(start, ?) where camera = ? and finish is null", (at, message.camera)
            ).rowcount
            if not closed:
                connection.execute(
                    "insert into outage (camera, start, finish, why) values (?, ?, ?, 'not known')",
                    (message.camera, at - int(max(0.0, message.away) * 1e6), at),
                )

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Put all that a block tells down at once, or nothing: many small things take less time so."""
        with self._writing():
            yield

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Do all of a block or nothing, while no other thread writes."""
        with self._lock:
            if self._connection.in_transaction:  # part of a larger block
                yield self._connection
                return
            try:
                self._connection.execute("begin immediate")
                try:
                    yield self._connection
                    self._connection.execute("commit")
                except BaseException:
                    if self._connection.in_transaction:
                        self._connection.execute("rollback")
                    raise
            except sqlite3.Error as error:
                self.behind = f"cannot write the index {self.path}: {error}; make room on its disk"
                raise OutputError(self.behind) from error


def _event_deleted(connection: sqlite3.Connection, identity: str) -> bool:
    return connection.execute("delete from event where id = ?", (identity,)).rowcount > 0


def _segment_deleted(connection: sqlite3.Connection, path: str) -> bool:
    """Delete a segment, and let no event point to it; say whether there was one."""
    facts = connection.execute("select camera, start, finish from segment where path = ?", (path,)).fetchone()
    if facts is None:
        return False
    camera, start, finish = facts
    connection.execute("delete from segment where path = ?", (path,))
    rows = connection.execute(
        "select number, record from event where camera = ? and start < ? and (finish is null or finish >= ?)"
        " and instr(record, ?)",
        (camera, start if finish is None else finish, start, path),
    ).fetchall()
    for number, text in rows:
        record = msgspec.json.decode(text, type=EventRecord)
        left = tuple(one for one in record.segments if one != path)
        changed = msgspec.json.encode(msgspec.structs.replace(record, segments=left)).decode()
        connection.execute("update event set record = ? where number = ?", (changed, number))
    return True
