"""What touches the folder of recordings is done in a thread of its own: a share that hangs stops nothing else."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from pathlib import Path

from bgsub.errors import BgsubError
from bgsub.live.archive.retention import why_no_room
from bgsub.live.clock import Clock

logger = logging.getLogger(__name__)

_MOST_WAITING = 64  # pieces of work; each may hold a picture
_HANGS = 10.0  # seconds that one piece may take
_LOOK_AFTER = 10.0  # seconds between two looks at the room on the disk


class Filing:
    """Does one piece of work after another in its thread, and keeps an eye on the room there is.

    Parameters
    ----------
    directory : Path
        Of recordings.
    min_free : int
        Bytes that shall stay free on its disk. Who removes old recordings sees to it; where there is less than half of
        it, nothing more is recorded.
    clock : Clock
        The time.
    """

    def __init__(self, directory: Path, min_free: int, clock: Clock) -> None:
        self._directory, self._min_free, self._clock = directory, min_free, clock
        self._work: queue.Queue[Callable[[], None] | None] = queue.Queue(_MOST_WAITING)
        self._since: float | None = None  # when the piece in work was begun
        self._looked: float | None = None
        self._full: str | None = None
        self._held: str | None = None
        self._is_away = False
        self._thread = threading.Thread(target=self._run, name="bgsub-filing", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str | None:
        """Why nothing can be recorded, in one line; None where it can."""
        if self.hangs:
            return f"{self._directory} does not answer; is the share away?"
        return self._held or self._full

    def do(self, work: Callable[[], None]) -> bool:
        """Let something be done, in the order of calls; return False, and do nothing, where nothing gets done."""
        if self.hangs or self._is_away:
            return False
        try:
            self._work.put_nowait(work)
        except queue.Full:
            return False
        return True

    @property
    def hangs(self) -> bool:
        """Whether a piece of work takes so long that nothing should be added to it."""
        since = self._since
        return since is not None and self._clock.monotonic() - since > _HANGS

    def hold(self, why: str | None, *, away: bool = False) -> None:
        """Record nothing, and why; None: record again. While the folder is away, do nothing in what is in its place.

        Any thread may call it.
        """
        self._held, self._is_away = why, away

    def look_after(self) -> None:
        """See now and then how much room there is; to be called often."""
        now = self._clock.monotonic()
        if self._looked is None or now - self._looked >= _LOOK_AFTER:
            self._looked = now
            self.do(self._measure)

    def close(self, patience: float) -> bool:
        """Do what is left, and end the thread; return False where it hangs for so many seconds."""
        try:
            self._work.put(None, timeout=patience)
        except queue.Full:
            return False
        self._thread.join(patience)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            self._since = self._clock.monotonic()
            try:
                work()
            except (BgsubError, OSError) as error:
                logger.warning("%s", error)
            except Exception:  # one event's files must not cost all that follow
                logger.exception("cannot file what was recorded")
            self._since = None

    def _measure(self) -> None:
        self._full = why_no_room(self._directory, self._min_free)
