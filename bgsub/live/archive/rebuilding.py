"""The index compared with the recordings themselves, and built again from them.

Read are records that are not known; of all others the names are enough. What is found there may have been written by
anybody: it is checked, and no link is followed.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from bgsub.errors import BgsubError
from bgsub.live.archive.index import Index
from bgsub.live.archive.index_questions import Kept
from bgsub.live.archive.recordings import Recordings
from bgsub.live.archive.records import files_of, read_record
from bgsub.live.clock import Clock
from bgsub.live.layout import CAMERA_NAME, CLIP, RECORD, SEGMENT, THUMBNAIL, TRACKS, moment, record_file
from bgsub.live.messages import EventRecord, SegmentRecord

VANISHED = "its files have vanished"
"""Why the index forgets what is no longer in the folder."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_UNFINISHED = re.compile(r"\.\d{4}-\d\d-\d\dT[\d.Z-]+\.\w+\.part(\.[a-z0-9]+)?", re.ASCII)  # of `files.replacing`
_SETTLED = timedelta(minutes=10)  # a younger file, while cameras run, may be one that will be told of
_LONGEST = timedelta(hours=4)  # what a file shows at most; later changes are somebody else's
_MOST_LINES = 20
_LOST = "its record was lost; its times are those of its clip"
_NO_CLIP = "its clip has vanished"
_ENDED = "the program ended during it"


@dataclass
class Compared:
    """What came of comparing the index with the recordings.

    Attributes
    ----------
    added : int
        Events and segments that were not in the index.
    completed : int
        Those that had no end, as the program ended during them, and those whose clip has vanished.
    gone : int
        Those that the index forgets, as their files have vanished.
    refused : list of str
        A line for each record that is none, and each folder that cannot be read, up to 20.
    unread : int
        Folders that cannot be read. Where there is one, the index forgets nothing.
    """

    added: int = 0
    completed: int = 0
    gone: int = 0
    refused: list[str] = field(default_factory=list)
    unread: int = 0

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
    clips = index.clips()
    for day in _days(recordings.directory, done):
        if since is None:
            _remove_unfinished(day)
        with index.together():
            _compare_day(day, index, events, segments, since, done)
            _forget_clips(day, index, clips, done)
    left = [kept for kept in (*events.values(), *segments.values()) if kept.end is not None or since is None]
    if recordings.away() is None and not done.unread:  # it may have gone meanwhile
        index.remove_all([(kept.key, 0) for kept in left], VANISHED)
        done.gone = len(left)
    index.behind = None
    return done


@dataclass(frozen=True)
class _Day:
    """The folder of a camera's day: the directory of recordings, the folder relative to it, and its files.

    What lies on a share is slow to ask for its size and time: it is asked for where that matters.
    """

    directory: Path
    folder: str
    files: dict[str, os.DirEntry[str]]

    @property
    def camera(self) -> str:
        return self.folder.partition("/")[0]

    def changed(self, name: str) -> datetime:
        return datetime.fromtimestamp(self._facts(name)[0], UTC)

    def size(self, name: str) -> int:
        return self._facts(name)[1]

    def path(self, name: str) -> str:
        return f"{self.folder}/{name}"

    def size_of(self, record: EventRecord) -> int:
        names = [name.rpartition("/") for name in files_of(record)]
        return sum(self.size(name) for folder, _, name in names if folder == self.folder and name in self.files)

    def _facts(self, name: str) -> tuple[float, int]:
        with contextlib.suppress(OSError):  # it has just gone
            facts = self.files[name].stat(follow_symlinks=False)
            return facts.st_mtime, facts.st_size
        return 0.0, 0


def _days(directory: Path, done: Compared) -> Iterator[_Day]:
    """Yield the folders of all days of all cameras."""
    for camera in _entries(directory, done):
        if not (CAMERA_NAME.fullmatch(camera.name) and camera.is_dir(follow_symlinks=False)):
            continue
        for day in _entries(directory / camera.name, done):
            if _DAY.fullmatch(day.name) and day.is_dir(follow_symlinks=False):
                inside = _entries(directory / camera.name / day.name, done)
                files = {entry.name: entry for entry in inside if _is_ours(entry)}
                yield _Day(directory, f"{camera.name}/{day.name}", files)


def _entries(path: Path, done: Compared) -> list[os.DirEntry[str]]:
    """Return what is in a folder, by name; one that cannot be read is noted, as its files may be there."""
    try:
        with os.scandir(path) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []
    except OSError as error:
        done.unread += 1
        done.refuse(f"cannot read the folder {path}: {error.strerror or error}; check its permissions")
        return []


def _is_ours(entry: os.DirEntry[str]) -> bool:
    """Say whether something in a day's folder is a regular file of a kind of ours."""
    ours = entry.name.endswith((RECORD, CLIP, THUMBNAIL, TRACKS)) and not entry.name.startswith(".")
    return ours and entry.is_file(follow_symlinks=False)


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
            if _is_news(day, [name], known, since):
                _take_segment(day, name, index)
                done.note(known)
        elif name.endswith(CLIP):
            stems.setdefault(name.removesuffix(CLIP))
    for stem in sorted(stems):
        known = events.pop(f"{day.camera}/{stem}", None)
        if not _is_news(day, [stem + ending for ending in (RECORD, CLIP)], known, since):
            continue
        record = _record(day, stem, index, done)
        if record is not None:
            index.put_event(_ended(day, record) if since is None else record)
            done.note(known)


def _forget_clips(day: _Day, index: Index, clips: dict[str, str], done: Compared) -> None:
    """Let events whose record is there, but their clip is not, have none: somebody has removed or renamed it."""
    for name in day.files:
        identity = f"{day.camera}/{name.removesuffix(RECORD)}"
        folder, _, clip = clips.get(identity, "").rpartition("/")
        if name.endswith(RECORD) and folder == day.folder and clip not in day.files:
            record = index.event(identity)
            if record is not None:
                size = day.size_of(record)
                index.put_event(replace(record, clip=None, error=record.error or _NO_CLIP, size=size))
                done.completed += 1


def _is_news(day: _Day, names: Sequence[str], known: Kept | None, since: datetime | None) -> bool:
    """Say whether the index must be told: it does not know of it, or as one without an end though nobody writes."""
    if since is None:
        return known is None or known.end is None
    return known is None and all(day.changed(name) < since for name in names if name in day.files)


def _take_segment(day: _Day, name: str, index: Index) -> None:
    with contextlib.suppress(ValueError):  # some other name
        start = moment(name.removesuffix(SEGMENT))
        end, size = _end_by_file(day, name, start), day.size(name)
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
        record = replace(record, clip=None, error=record.error or _NO_CLIP)
    return replace(record, size=day.size_of(record))


def _ended(day: _Day, record: EventRecord) -> EventRecord:
    """Return the record of an event during which the program was killed, with the end that its clip tells."""
    if record.end is not None:
        return record
    name = (record.clip or record_file(record.id)).rpartition("/")[2]
    end = _end_by_file(day, name, record.start) if name in day.files else record.start
    return replace(record, end=end, clip_end=end if record.clip else None, error=record.error or _ENDED)


def _end_by_file(day: _Day, name: str, start: datetime) -> datetime:
    return min(max(day.changed(name), start), start + _LONGEST)
