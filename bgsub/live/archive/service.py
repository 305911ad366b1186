"""What has been recorded, as a service: the index takes what cameras tell, retention removes what has to go."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from pathlib import Path

from bgsub.errors import BgsubError, OutputError
from bgsub.live.archive.index import INDEX, Index
from bgsub.live.archive.index_questions import Counts
from bgsub.live.archive.rebuilding import compare
from bgsub.live.archive.recordings import Recordings
from bgsub.live.archive.retention import Keeper, free_bytes
from bgsub.live.clock import Clock
from bgsub.live.health.metrics import Other
from bgsub.live.locking import locked
from bgsub.live.messages import EventClosed, EventOpened, FromCamera, Hold, SegmentOpened, Trouble
from bgsub.live.one_thread import OneThread
from bgsub.live.settings import Watch
from bgsub.live.supervising.running import LOCK, Running

logger = logging.getLogger(__name__)

_SWEEP_EVERY = 60.0  # seconds
_SWEEP_PAUSE = 5.0  # seconds between two sweeps that recordings ask for
_COMPARE_EVERY = 3600.0  # seconds between two comparisons of events with each other
_LOOK_EVERY = 86400.0  # seconds between two comparisons of the index with the files, which somebody may have removed
_ROOM = 10_000  # messages that wait for the index
_TROUBLE = "trouble"  # name of the fact
_PATIENCE = 60.0  # seconds for the folder of recordings to answer, before cameras are watched without it


class Archive:
    """Keeps the index, and the disk from filling.

    Parameters
    ----------
    others : list of Other
        Gets the numbers that `/metrics` tells.
    patience : float
        Seconds for the folder of recordings to answer, at the start.

    Attributes
    ----------
    index : Index
        Once it has been started.
    recordings : Recordings
        The same.
    """

    name = "index"
    index: Index
    recordings: Recordings

    def __init__(self, others: list[Other], patience: float = _PATIENCE) -> None:
        self._others, self._patience = others, patience
        self._held: contextlib.ExitStack | None = None  # the lock of the folder
        self._held_file: tuple[int, int] | None = None  # its file, by which it is known
        self._sweeping: _Sweeping | None = None
        self._opening: asyncio.Future[None] | None = None
        self._is_late = False

    async def start(self, running: Running) -> None:
        """Open the index, complete what a run that was killed has left, and begin to take and to remove.

        A folder that does not answer is not waited for for ever: cameras are watched meanwhile, and what they tell
        waits.

        Raises
        ------
        OutputError
            When index or folder cannot be used, or another watch records into the folder.
        """
        self._taking = OneThread("bgsub-index")
        self._opening = self._taking.do(self._open, running)
        running.health.troubles["recordings"] = self._trouble
        running.health.troubles["clock"] = lambda: self._sweeping.keeper.ages.doubt if self._sweeping else None
        try:
            await asyncio.wait_for(asyncio.shield(self._opening), self._patience)
        except TimeoutError:
            self._is_late = True
            logger.warning("%s does not answer; cameras are watched meanwhile", running.watch.directory)
        running.health.troubles["index"] = self._trouble_of_index
        running.audience.add(self, room=_ROOM)

    async def take(self, message: FromCamera) -> None:
        """Put down what a camera tells; where something is recorded, see to it that there is room."""
        await self._taking.do(self._put, message)
        if self._sweeping is not None and isinstance(message, EventOpened | EventClosed | SegmentOpened):
            self._sweeping.wake()

    def _put(self, message: FromCamera) -> None:
        self.index.take(message)

    async def change(self, watch: Watch) -> None:
        """Take up other rules."""
        if self._sweeping is not None:
            self._sweeping.keeper.rules = watch.retention
            self._sweeping.wake()

    async def stop(self) -> None:
        """Close the index. A sweep that waits for a disk that does not answer is left alone."""
        if self._sweeping is not None and self._sweeping.stop():
            await self._taking.do(self.index.close)
        self._taking.end()
        if self._held is not None:
            self._held.close()

    def _trouble(self) -> str | None:
        """Say what is wrong with recordings."""
        if self._sweeping is not None:
            return self._sweeping.keeper.trouble
        return "the folder of recordings does not answer"

    def _trouble_of_index(self) -> str | None:
        """Say what is wrong with the index."""
        return (self.index.behind or self.index.in_memory_because) if hasattr(self, "index") else None

    def _open(self, running: Running) -> None:
        """Open the index, bring it up to what is in the folder, unless that is away, and begin to sweep."""
        watch, clock = running.watch, running.clock
        self.index = Index(Path(watch.state or "") / INDEX, clock)
        if told := self.index.new_because or self.index.in_memory_because:
            logger.warning("%s", told)
        if lost := self.index.away():  # that they are lost was told, in the run before
            running.supervisor.loop.call_soon_threadsafe(running.supervisor.recall, lost)
        self.recordings = Recordings(Path(watch.directory), self.index)
        away = self.recordings.away()
        if away is None:
            self._settle(clock)
        else:  # cameras are watched all the same, and the first sweep says why
            self.index.behind = away
        keeper = Keeper(self.index, self.recordings, watch.retention, clock, hold=self._hold)
        sweeping = _Sweeping(keeper, self.index, self.recordings, running)
        sweeping.once()
        if self.index.in_memory_because is not None:  # there may be room now
            sweeping.once()
        self._others += sweeping.numbers()
        self._sweeping = sweeping
        sweeping.start()

    def _settle(self, clock: Clock) -> None:
        """Make the folder this watch's own, and compare the index with it."""
        told = self.recordings.settle()
        if told is not None:
            logger.warning("%s", told)
        not_ours = self._hold()
        if not_ours is not None:
            raise OutputError(not_ours)
        found = compare(self.index, self.recordings, clock, running=self._is_late)
        for line in found.refused:
            logger.warning("%s", line)
        if found.added or found.completed or found.gone:
            logger.info(
                "the index was brought up to the recordings: %d added, %d completed, %d gone",
                found.added,
                found.completed,
                found.gone,
            )

    def _hold(self) -> str | None:
        """Let no other watch use the folder: one that was away until now, or was made anew, is locked now.

        Returns
        -------
        str or None
            Why it is not this one's, in one line.
        """
        directory = self.recordings.directory
        if self._held is not None:
            with contextlib.suppress(FileNotFoundError):
                if _file_number(directory / LOCK) == self._held_file:
                    return None
            self._held.close()
            self._held = None
        held = contextlib.ExitStack()
        try:
            held.enter_context(locked(directory, LOCK))
        except OutputError as error:
            return str(error)
        self._held, self._held_file = held, _file_number(directory / LOCK)
        return None


def _file_number(path: Path) -> tuple[int, int]:
    known = path.stat()
    return known.st_dev, known.st_ino


class _Sweeping:
    """Sweeps in a thread of its own, which a share that does not answer may hold up for ever."""

    def __init__(self, keeper: Keeper, index: Index, recordings: Recordings, running: Running) -> None:
        self.keeper = keeper
        self._index, self._recordings, self._running = index, recordings, running
        self._loop = running.supervisor.loop
        self._wanted, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._sweep, name="bgsub-retention", daemon=True)
        self._counts = Counts(0, 0, 0, {})
        self._free = 0
        self._holds: str | None = None
        self._trouble = self._known_trouble = self._trouble_before()
        self._is_away = False

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Sweep soon."""
        self._wanted.set()

    def stop(self) -> bool:
        """End; return False where a sweep does not."""
        self._stop.set()
        self._wanted.set()
        if self._thread.ident is not None:
            self._thread.join(_SWEEP_PAUSE)
        return not self._thread.is_alive()

    def once(self) -> None:
        """Sweep, and have cameras told whether there is room to record."""
        self.keeper.sweep()
        self._is_away = self._recordings.away() is not None
        self._remember_trouble()
        with contextlib.suppress(BgsubError, OSError):
            self._counts, self._free = self._index.counts(), free_bytes(Path(self._running.watch.directory))
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._tell)

    def _sweep(self) -> None:
        compared = looked = self._running.clock.monotonic()
        while not self._stop.is_set():
            self._wanted.wait(_SWEEP_EVERY)
            self._wanted.clear()
            if self._stop.is_set():
                return
            if self._running.clock.monotonic() - looked > _LOOK_EVERY:
                looked = self._running.clock.monotonic()
                self.keeper.look()
            self.once()
            if self._running.clock.monotonic() - compared > _COMPARE_EVERY:
                compared = self._running.clock.monotonic()
                self.keeper.compare_events()
            self._stop.wait(_SWEEP_PAUSE)

    def _trouble_before(self) -> str | None:
        """Return the trouble that there was when the run before ended: everybody was told of that."""
        with contextlib.suppress(BgsubError):
            return self._index.fact(_TROUBLE) or None
        return None

    def _remember_trouble(self) -> None:
        trouble = self.keeper.trouble
        if (trouble is None) != (self._known_trouble is None):
            with contextlib.suppress(BgsubError):  # a full disk, which is told
                self._index.put_fact(_TROUBLE, trouble or "")
                self._known_trouble = trouble

    def _tell(self) -> None:
        """Tell cameras to pause recording, or to go on, and everybody what is wrong."""
        running, trouble = self._running, self.keeper.trouble
        why = None if self.keeper.may_record() else trouble or "there is no room"
        if why is not None or self._holds is not None:
            running.supervisor.order(Hold(why=why, away=self._is_away))
        if trouble != self._trouble:
            running.audience.tell(Trouble(at=running.clock.now(), why=trouble))
        self._holds, self._trouble = why, trouble

    def numbers(self) -> list[Other]:
        """Return what `/metrics` tells of recordings."""
        removed = lambda part: {reason: float(of[part]) for reason, of in self._counts.removed.items()}  # noqa: E731
        return [
            Other("recorded_bytes", "Of all recordings.", "", lambda: {"": self._counts.size}),
            Other("recorded_events", "Events that are kept.", "", lambda: {"": self._counts.events}),
            Other("recorded_segments", "Continuous segments that are kept.", "", lambda: {"": self._counts.segments}),
            Other("free_bytes", "Of the disk of recordings.", "", lambda: {"": self._free}),
            Other("removed", "Recordings that were removed.", "reason", lambda: removed(0), counts=True),
            Other("removed_bytes", "Of these.", "reason", lambda: removed(1), counts=True),
        ]
