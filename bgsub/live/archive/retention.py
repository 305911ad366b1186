"""What goes when recordings grow too old, too many, or the disk too full; and its removal, each with its reason.

What is too old goes, whatever it shows. Room is made with the oldest and least interesting first: an event ages slower
the more interesting it is, up to a quarter of the pace.
"""

from __future__ import annotations

import bisect
import contextlib
import logging
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from bgsub.errors import BgsubError
from bgsub.live.archive.ages import FIRST, SETTLING, Ages
from bgsub.live.archive.index import Index
from bgsub.live.archive.index_questions import Kept
from bgsub.live.archive.index_tables import micros, moment_of
from bgsub.live.archive.rebuilding import compare
from bgsub.live.archive.recordings import Recordings
from bgsub.live.archive.records import files_of
from bgsub.live.archive.unusual_events import compare_in_a_process
from bgsub.live.clock import Clock
from bgsub.live.settings import Retention

TOO_OLD, TOO_MUCH, TOO_FULL = "older than max_age", "more than max_size", "less than min_free"
"""Why something is removed."""

FREE = Callable[[Path], int]
"""Bytes that are free on the disk of a folder."""

logger = logging.getLogger(__name__)

_SLOWEST = 0.25  # pace at which the most interesting event ages
_TYPICAL = 0.5  # of unusual, where it is not known
_LONG = 20.0  # seconds of an event of middle length
_SPARE = 0.05  # of min_free, and a hundredth of max_size, are made free at a time, so that not each clip is a reason
_FEWEST_FAILURES = 10  # after which a sweep gives up: the disk is read-only
_DAY = timedelta(days=2)
_NEW = 20  # events that are worth a comparison
_AT_ONCE = 50  # removed before the index is told


def free_bytes(folder: Path) -> int:
    """Return the bytes that are free on the disk of a folder, or of the nearest one above that is there."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def why_no_room(folder: Path, min_free: int, free: FREE = free_bytes) -> str | None:
    """Say why nothing more may be recorded: less than half of what retention keeps free is left.

    Parameters
    ----------
    folder : Path
        Where recordings lie.
    min_free : int
        Bytes, as of `Retention`.
    free : callable
        Tells the free bytes.

    Returns
    -------
    str or None
        One line; None where there is room, or none is asked for.
    """
    try:
        left = free(folder)
    except OSError as error:
        return f"cannot record in {folder}: {error.strerror or error}; is the disk or the share there?"
    if left * 2 >= min_free and left > 0:
        return None
    return f"cannot record in {folder}: {written_bytes(left)} are free; make room, or set min_free lower"


def interest(kept: Kept) -> float:
    """Return how interesting an event is, 0 to 1: half of it is how unusual it is, the rest zones and length."""
    unusual = _TYPICAL if kept.unusual is None else kept.unusual
    length = 0.0 if kept.end is None else (kept.end - kept.start) / 1e6
    return 0.5 * unusual + 0.25 * kept.named + 0.25 * length / (length + _LONG)


def what_goes(
    events: Sequence[Kept], segments: Sequence[Kept], size: int, free: int, rules: Retention, now: datetime
) -> list[tuple[Kept, str]]:
    """Choose what is removed.

    Parameters
    ----------
    events, segments : sequence of Kept
        All there are, in any order. One without an end is being written, and stays.
    size : int
        Bytes of all recordings.
    free : int
        Bytes that are free on the disk.
    rules : Retention
        How long, and how much.
    now : datetime
        The time.

    Returns
    -------
    list of (Kept, str)
        What goes, and why, the first one first.
    """
    at = micros(now)
    whole = [kept for kept in (*events, *segments) if kept.end is not None]
    going = []
    if rules.max_age is not None:
        oldest = micros(now - timedelta(seconds=min(rules.max_age, 1e10)))
        going = [(kept, TOO_OLD) for kept in whole if kept.end is not None and kept.end < oldest]
        going.sort(key=lambda one: one[0].start)
    gone = {kept.key for kept, _ in going}
    freed = sum(kept.size for kept, _ in going)
    over = 0 if rules.max_size is None else size - rules.max_size
    under = rules.min_free - free
    wanted = max(
        over + (rules.max_size or 0) // 100 if over > freed else 0,
        under + int(rules.min_free * _SPARE) if under > freed else 0,
    )
    if wanted > freed:
        reason = TOO_FULL if under > over else TOO_MUCH
        interests = dict(_interests(events, segments))
        left = [kept for kept in whole if kept.key not in gone and kept.size > 0]
        left.sort(key=lambda kept: (kept.start - at) * (1 - (1 - _SLOWEST) * interests[kept.key]))
        for kept in left:
            if freed >= wanted:
                break
            going.append((kept, reason))
            freed += kept.size
    return going


class Keeper:
    """Removes what has to go, and says whether there is room to record.

    Its methods wait for the disk, for a share that hangs for ever: call them from a thread of their own. `trouble` and
    `may_record` may be read from any.

    Parameters
    ----------
    index : Index
        What there is.
    recordings : Recordings
        Where it lies.
    rules : Retention
        How long, and how much.
    clock : Clock
        The time.
    free : callable
        Tells the free bytes of a folder's disk.
    hold : callable
        Makes the folder, which is there, this program's own; returns why it is not, in one line, or None.
    settling : float
        Seconds for which the time of the day must not have been set before anything is too old; more in `Ages`.

    Attributes
    ----------
    trouble : str or None
        What is wrong with the disk, in one line.
    ages : Ages
        Whether something can be too old.
    """

    def __init__(
        self,
        index: Index,
        recordings: Recordings,
        rules: Retention,
        clock: Clock,
        free: FREE = free_bytes,
        *,
        hold: Callable[[], str | None] = lambda: None,
        settling: float = SETTLING,
    ) -> None:
        self.rules = rules
        self.trouble: str | None = None
        self._index = index
        self._recordings = recordings
        self._clock = clock
        self._free = free
        self._hold = hold
        self._may_record = True
        self.ages = Ages(index, clock, settling)

    def may_record(self) -> bool:
        """Say whether there is room, and the folder is there, as of the last sweep."""
        return self._may_record

    def sweep(self) -> int:
        """Remove what has to go; to be called every minute, and when something is recorded.

        Returns
        -------
        int
            How many events and segments were removed.
        """
        try:
            return self._sweep()
        except (BgsubError, OSError) as error:
            self._note(str(error), may_record=self._may_record)
        except Exception as error:  # whatever it is, the next sweep must come: else the disk fills
            logger.exception("cannot remove recordings")
            self._note(f"cannot remove recordings: {type(error).__name__}; see the log", may_record=self._may_record)
        return 0

    def _sweep(self) -> int:
        directory = self._recordings.directory
        away = self._recordings.away()
        if away is not None:
            self._note(away, may_record=False)
            return 0
        if not self._recordings.is_marked():
            self._recordings.settle()
            self._index.behind = self._index.behind or f"{directory} was emptied"
        not_ours = self._hold()
        if not_ours is not None:
            self._note(not_ours, may_record=False)
            return 0
        if self._index.in_memory_because is not None:
            with contextlib.suppress(BgsubError):  # there is no room still: it says so
                self._index.open_again()
                self._recordings.settle()
        if self._index.behind is not None and self._index.in_memory_because is None:
            compare(self._index, self._recordings, self._clock, running=True)
        removed, failures = self._remove(self._what_goes())
        full = why_no_room(directory, self.rules.min_free, self._free)
        short = self.rules.min_free - self._free(directory)
        trouble = full or (failures[0] if failures else None)
        if trouble is None and short > 0:
            trouble = (
                f"{directory}: nothing is left that may be removed, and {written_bytes(self.rules.min_free - short)} "
                "are free; make room, or set min_free lower"
            )
        self._note(trouble, may_record=full is None)
        return removed

    def look(self) -> None:
        """Compare the index with the files, some of which somebody may have removed or put there; once a day or so."""
        try:
            if self._recordings.away() is None:
                compare(self._index, self._recordings, self._clock, running=True)
        except (BgsubError, OSError) as error:
            logger.warning("cannot compare the index with the recordings: %s", error)

    def compare_events(self) -> None:
        """Find out how unusual the events of each camera are, where many are new; to be called every hour or so.

        It takes a process some seconds.
        """
        try:
            for camera, new in self._index.uncompared().items():
                if new >= _NEW:
                    self._index.mark_unusual(compare_in_a_process(self._index.path, camera))
        except (BgsubError, OSError) as error:
            logger.warning("cannot compare events: %s", error)

    def _what_goes(self) -> list[tuple[Kept, str]]:
        """Choose what goes; where nothing has to, which is nearly always, without looking at all there is."""
        now, rules = self._clock.now(), self.rules
        if not self.ages.are_known():
            rules = replace(rules, max_age=None)
        size, free, oldest = (
            self._index.counts().size,
            self._free(self._recordings.directory),
            self._index.oldest(FIRST),
        )
        aged = rules.max_age is not None and oldest is not None and (now - oldest).total_seconds() > rules.max_age
        aged = aged or (rules.max_age is not None and self.ages.undated(rules.max_age))
        if not aged and (rules.max_size is None or size <= rules.max_size) and free >= rules.min_free:
            return []
        events, segments = self._index.kept_events(), self._index.kept_segments()
        dated = self.ages.dated([*events, *segments])
        return what_goes(dated[: len(events)], dated[len(events) :], size, free, rules, now)

    def _remove(self, going: Iterable[tuple[Kept, str]]) -> tuple[int, list[str]]:
        """Remove what goes; return how much went, and a line for each that could not."""
        removed = 0
        failures: list[str] = []
        by_reason: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for kept, reason in going:
            try:
                freed = self._remove_files(kept)
            except BgsubError as error:
                failures.append(str(error))
                if len(failures) >= _FEWEST_FAILURES:
                    break
                continue
            removed += 1
            by_reason[reason].append((kept.key, freed))
            logger.info("removed %s: %s", kept.key, reason)
            if sum(map(len, by_reason.values())) >= _AT_ONCE:
                self._tell(by_reason)
        self._tell(by_reason)
        return removed, failures

    def _remove_files(self, kept: Kept) -> int:
        """Remove the files of an event or a segment; the record is the last, so that a kill leaves no nameless clip."""
        record = self._index.event(kept.key)
        names = [kept.key] if record is None else files_of(record)
        freed = sum(self._recordings.remove(name) for name in names)
        if self._clock.now() - moment_of(kept.start) > _DAY:  # nobody is about to record into it
            self._recordings.remove_day_if_empty(names[-1])
        return freed

    def _tell(self, by_reason: dict[str, list[tuple[str, int]]]) -> None:
        for reason, gone in by_reason.items():
            self._index.remove_all(gone, reason)
            logger.info("retention removed %d recordings: %s", len(gone), reason)
        by_reason.clear()

    def _note(self, trouble: str | None, *, may_record: bool) -> None:
        if trouble != self.trouble and trouble is not None:
            logger.warning("%s", trouble)
        elif trouble is None and self.trouble is not None:
            logger.info("%s: there is room again", self._recordings.directory)
        self.trouble, self._may_record = trouble, may_record


def written_bytes(count: int) -> str:
    """Return bytes as people read them: ``"2.1 GB"``."""
    amount = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if abs(amount) < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def _interests(events: Sequence[Kept], segments: Sequence[Kept]) -> Iterator[tuple[str, float]]:
    """Yield how interesting each is: a segment as the most interesting event in it."""
    of_camera: dict[str, list[tuple[int, int, float]]] = defaultdict(list)
    for event in events:
        yield event.key, interest(event)
        of_camera[event.camera].append((event.start, event.start if event.end is None else event.end, interest(event)))
    for shown in of_camera.values():
        shown.sort()
    for segment in segments:
        shown = of_camera.get(segment.camera, [])
        end = segment.start if segment.end is None else segment.end
        first = bisect.bisect_left(shown, (segment.start,))
        last = bisect.bisect_right(shown, (end,))
        touching = shown[max(0, first - 1) : last]  # events do not overlap: at most one reaches in from before
        yield segment.key, max((share for _, until, share in touching if until >= segment.start), default=0.0)
