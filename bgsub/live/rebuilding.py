"""The index compared with the recordings themselves, and built again from them.

Read are records that are not known; of all others the names are enough. What is found there may have been written by
anybody: it is checked, and no link is followed.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from bgsub.errors import BgsubError
from bgsub.live.clock import Clock
from bgsub.live.index import Index
from bgsub.live.index_questions import Kept
from bgsub.live.layout import CAMERA_NAME, CLIP, RECORD, SEGMENT, THUMBNAIL, TRACKS, moment, record_file
from bgsub.live.messages import EventRecord, SegmentRecord
from bgsub.live.recordings import Recordings
from bgsub.live.records import files_of, read_record

VANISHED = "its files have vanished"
"""Why the index forgets what is no longer in the folder."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_UNFINISHED = re.compile(r"\.\d{4}-\d\d-\d\dT[\d.Z-]+\.\w+\.part(\.[a-z0-9]+)?", re.ASCII)  # of `files.replacing`
_SETTLED = timedelta(minutes=10)  # a younger file, while cameras run, may be one that will be told of
_LONGEST = timedelta(hours=4)  # what a file shows at most; later changes are somebody else's
_MOST_LINES = 20
_LOST = "its record was lost; its times are those of its clip"
_ENDED = "the program ended during it"


@dataclass
class Compared:
    """What came of comparing the index with the recordings.

    Attributes
    ----------
    added : int
        Events and segments that were not in the index.
    completed : int
        Those that had no end, as the program ended during them.
    gone : int
        Those that the index forgets, as their files have vanished.
    refused : list of str
        A line for each record that is none, up to 20.
    """

    added: int = 0
    completed: int = 0
    gone: int = 0
    refused: list[str] = field(default_factory=list)

    def note(self, known: Kept | None) -> None:
        """Count one that was put down."""
        if known is None:
            self.added += 1
        else:
            self.completed += 1

    def refuse(self, line: str) -> None:
        """Keep a line, unless there are many."""
        if len(self.refused) < _MOST_LINES:
            self.refused.append(line)


def compare(index: Index, recordings: Recordings, clock: Clock, *, running: bool = False) -> Compared:
    """Bring the index up to what is in the folder of recordings.

    Parameters
    ----------
    index : Index
        What is known.
    recordings : Recordings
        The folder; it is there.
    clock : Clock
        The time.
    running : bool
        Cameras are recording: what has no end goes on, and young files are left to them. Else it is given an end.

    Returns
    -------
    Compared
        What was done.

    Raises
    ------
    OutputError
        When the index cannot be written.
    """
    done = Compared()
    since = clock.now() - _SETTLED if running else None
    events = {kept.key: kept for kept in index.kept_events()}
    segments = {kept.key: kept for kept in index.kept_segments()}
    for day in _days(recordings.directory):
        if since is None:
            _remove_unfinished(day)
        with index.together():
            _compare_day(day, index, events, segments, since, done)
    left = [kept for kept in (*events.values(), *segments.values()) if kept.end is not None or since is None]
    if recordings.away() is None:  # it may have gone meanwhile
        index.remove_all([(kept.key, 0) for kept in left], VANISHED)
        done.gone = len(left)
    index.behind = None
    return done


@dataclass(frozen=True)
class _Day:
    """The folder of a camera's day: the directory of recordings, the folder relative to it, and its files' facts."""

    directory: Path
    folder: str
    files: dict[str, os.stat_result]

    @property
    def camera(self) -> str:
        return self.folder.partition("/")[0]

    def changed(self, name: str) -> datetime:
        return datetime.fromtimestamp(self.files[name].st_mtime, UTC)

    def path(self, name: str) -> str:
        return f"{self.folder}/{name}"

    def size(self, record: EventRecord) -> int:
        names = [name.rpartition("/") for name in files_of(record)]
        return sum(
            self.files[name].st_size for folder, _, name in names if folder == self.folder and name in self.files
        )


def _days(directory: Path) -> Iterator[_Day]:
    """Yield the folders of all days of all cameras."""
    for camera in _folders(directory):
        if not CAMERA_NAME.fullmatch(camera):
            continue
        for day in _folders(directory / camera):
            if _DAY.fullmatch(day):
                yield _Day(directory, f"{camera}/{day}", _files(directory / camera / day))


def _folders(path: Path) -> list[str]:
    with contextlib.suppress(OSError), os.scandir(path) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    return []


def _files(path: Path) -> dict[str, os.stat_result]:
    """Return the regular files in a folder that are ours by their endings."""
    found = {}
    with contextlib.suppress(OSError), os.scandir(path) as entries:
        for entry in entries:
            if entry.name.endswith((RECORD, CLIP, THUMBNAIL, TRACKS)) and not entry.name.startswith("."):
                with contextlib.suppress(OSError):
                    facts = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(facts.st_mode):
                        found[entry.name] = facts
    return found


def _remove_unfinished(day: _Day) -> None:
    """Remove what a killed program was about to write whole or not at all: hidden files, of no use to anybody."""
    with contextlib.suppress(OSError), os.scandir(day.directory / day.folder) as entries:
        for entry in entries:
            if _UNFINISHED.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)  # noqa: PTH108


def _compare_day(
    day: _Day,
    index: Index,
    events: dict[str, Kept],
    segments: dict[str, Kept],
    since: datetime | None,
    done: Compared,
) -> None:
    """Compare one day; what is found is taken out of `events` and `segments`."""
    stems = {name.removesuffix(RECORD): None for name in day.files if name.endswith(RECORD)}
    for name in day.files:
        if name.endswith(SEGMENT):
            known = segments.pop(day.path(name), None)
            if _is_news(known, day.changed(name), since):
                _take_segment(day, name, index)
                done.note(known)
        elif name.endswith(CLIP):
            stems.setdefault(name.removesuffix(CLIP))
    for stem in sorted(stems):
        known = events.pop(f"{day.camera}/{stem}", None)
        if not _is_news(known, max(day.changed(name) for name in _names(day, stem)), since):
            continue
        record = _record(day, stem, index, done)
        if record is not None:
            index.put_event(_ended(day, record) if since is None else record)
            done.note(known)


def _is_news(known: Kept | None, changed: datetime, since: datetime | None) -> bool:
    """Say whether the index must be told: it does not know of it, or as one without an end though nobody writes."""
    if since is None:
        return known is None or known.end is None
    return known is None and changed < since


def _names(day: _Day, stem: str) -> list[str]:
    return [stem + ending for ending in (RECORD, CLIP) if stem + ending in day.files]


def _take_segment(day: _Day, name: str, index: Index) -> None:
    with contextlib.suppress(ValueError):  # some other name
        start = moment(name.removesuffix(SEGMENT))
        end, size = _end_by_file(day, name, start), day.files[name].st_size
        index.put_segment(SegmentRecord(camera=day.camera, path=day.path(name), start=start, end=end, size=size))


def _record(day: _Day, stem: str, index: Index, done: Compared) -> EventRecord | None:
    """Return the record of an event by its file, or by the index, or by the name of its clip; with what is there."""
    record = None
    if stem + RECORD in day.files:
        try:
            record = read_record(day.directory, day.path(stem + RECORD))
        except BgsubError as error:
            done.refuse(str(error))
    if record is None:
        record = index.event(f"{day.camera}/{stem}")
    if record is None and stem + CLIP in day.files:
        with contextlib.suppress(ValueError):  # a video of somebody's, that is none of ours to keep or remove
            start = moment(stem)
            record = EventRecord(id=f"{day.camera}/{stem}", camera=day.camera, start=start, error=_LOST)
            record = replace(record, clip=day.path(stem + CLIP), clip_start=start)
    if record is None:
        return None
    if record.clip is not None and not (day.directory / record.clip).is_file():
        record = replace(record, clip=None, error=record.error or "its clip has vanished")
    return replace(record, size=day.size(record))


def _ended(day: _Day, record: EventRecord) -> EventRecord:
    """Return the record of an event during which the program was killed, with the end that its clip tells."""
    if record.end is not None:
        return record
    name = (record.clip or record_file(record.id)).rpartition("/")[2]
    end = _end_by_file(day, name, record.start) if name in day.files else record.start
    return replace(record, end=end, clip_end=end if record.clip else None, error=record.error or _ENDED)


def _end_by_file(day: _Day, name: str, start: datetime) -> datetime:
    return min(max(day.changed(name), start), start + _LONGEST)
