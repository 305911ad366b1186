"""What waits to be told, a line for each channel: in memory, and in a file for what comes after a kill or a power cut.

Nobody waits for the file. Where it cannot be written all goes on in memory, and is written once that is possible.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bgsub.errors import BgsubError
from bgsub.live.clock import Clock
from bgsub.live.one_thread import OneThread
from bgsub.live.telling.occasions import Occasion
from bgsub.live.telling.waiting_file import Key, Read, Stored, WaitingFile, row_of

MOST = 1000
"""Occasions that wait for a channel."""

FOR_MACHINES, FOR_PEOPLE = 3 * 86400.0, 86400.0
"""Seconds for which something waits to be told, before it is of no use."""

_OPENING = 10.0  # seconds for the file to be read, at the start
_AGAIN = 30.0  # seconds before a file that could not be written is tried again
_CLOSING = 5.0  # seconds for the last words to be written
_FIRST = datetime(2024, 1, 1, tzinfo=UTC)  # a clock that is before that has not been set

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class Waits:
    """An occasion that waits.

    Attributes
    ----------
    number : int
        Higher than of all that came before.
    occasion : Occasion
        What is to be told.
    put : datetime
        When it came, by the clock of the day.
    since : float
        The same, by the clock that never steps.
    """

    number: int
    occasion: Occasion
    put: datetime
    since: float


class Line:
    """What waits for one channel, the oldest first.

    Parameters
    ----------
    waiting : Waiting
        What it is part of.
    key : str
        Tells channels apart, also in the next run; without secrets.

    Attributes
    ----------
    name : str
        Of the channel, as the log has it.
    keeps : float
        Seconds after which what waits is given up.
    replaces : callable
        Says whether a newer occasion takes the place of one that still waits.
    held : list of Waits
        What is not to be told yet; `hold` and `release` say so.
    lost : int
        How many were given up.
    topics : set of str
        What a broker remembers; for who speaks to one.
    """

    def __init__(self, waiting: Waiting, key: str) -> None:
        self.key = self.name = key
        self.keeps = FOR_MACHINES
        self.replaces: Callable[[Occasion, Occasion], bool] = lambda old, new: False
        self.held: list[Waits] = []
        self.lost = 0
        self.topics: set[str] = set()
        self._waiting = waiting
        self._ready: deque[Waits] = deque()
        self._news = asyncio.Event()
        self._has_said = False

    def __len__(self) -> int:
        return len(self._ready)

    def __iter__(self) -> Iterator[Waits]:
        return iter(tuple(self._ready))

    def __contains__(self, waits: object) -> bool:
        return waits in self._ready

    @property
    def first(self) -> Waits | None:
        """The oldest that is still of use."""
        self._give_up_old()
        return self._ready[0] if self._ready else None

    async def news(self) -> None:
        """Wait until something has been put, or `wake` was called."""
        await self._news.wait()
        self._news.clear()

    def wake(self) -> None:
        """End the wait for news."""
        self._news.set()

    def put(self, occasion: Occasion) -> None:
        """Let an occasion wait; where too many do, the oldest is given up."""
        self._append(self._waiting.new(self, occasion))

    def hold(self, occasion: Occasion) -> Waits:
        """Let an occasion wait until it is released."""
        self.held.append(waits := self._waiting.new(self, occasion))
        return waits

    def hold_back(self, waits: Waits) -> None:
        """Let something that waits do so until it is released."""
        self._ready.remove(waits)
        self.held.append(waits)

    def release(self, waits: Waits) -> None:
        """Let what was held be told."""
        self.held.remove(waits)
        self._append(waits)

    def drop(self, waits: Waits) -> None:
        """Let something wait no more: it was told, or is of no use; one that does not wait is no error."""
        for of in (self._ready, self.held):
            if waits in of:
                of.remove(waits)
                self._waiting.gone(waits)
        self._has_said = self._has_said and bool(self._ready)

    def give_up(self, waits: Waits) -> None:
        """Drop something that was not told, and count it."""
        if waits in self._ready:
            self.lost += 1
        self.drop(waits)

    def remember(self, topic: str) -> None:
        """Remember that a broker does of a topic."""
        if topic not in self.topics:
            self.topics.add(topic)
            self._waiting.note(("topic", (self.key, topic)), (self.key, topic))

    def forget(self, topic: str) -> None:
        """Forget a topic, as the broker has."""
        if topic in self.topics:
            self.topics.discard(topic)
            self._waiting.note(("topic", (self.key, topic)), None)

    def take_up(self, before: list[Waits]) -> None:
        """Let what waited in the run before wait, in front of all else."""
        self._ready.extendleft(reversed(before))
        self._give_up_old()
        self._news.set()

    def _append(self, waits: Waits) -> None:
        for old in tuple(self._ready):
            if self.replaces(old.occasion, waits.occasion):
                self.drop(old)
        self._ready.append(waits)
        self._give_up_old()
        self._news.set()

    def _give_up_old(self) -> None:
        """Give up what is too old, or too much."""
        now = self._waiting.clock.monotonic()
        while self._ready and (len(self._ready) > MOST or now - self._ready[0].since > self.keeps):
            too_many = len(self._ready) > MOST
            self.give_up(self._ready[0])
            if not self._has_said:
                self._has_said = True
                why = f"more than {MOST} wait" if too_many else f"they are older than {self.keeps / 3600:g} h"
                logger.warning("%s: messages that wait for it are given up, the oldest first: %s", self.name, why)


class Waiting:
    """All that waits to be told. Lives in a running event loop, once it was opened.

    Parameters
    ----------
    path : Path or None
        The file; None keeps all in memory.
    clock : Clock
        The time.

    Attributes
    ----------
    clock : Clock
        The time.
    trouble : str or None
        Why what waits is in memory alone, in a line.
    facts : dict of str to str
        What else the next run is to know, by name; `put_fact` puts it there.
    """

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self.clock = clock
        self.trouble: str | None = None
        self.facts: dict[str, str] = {}
        self._file = None if path is None else WaitingFile(path, clock)
        self._lines: dict[str, Line] = {}
        self._number = 0
        self._changes: dict[Key, tuple[str | int, ...] | None] = {}
        self._news, self._closing = asyncio.Event(), asyncio.Event()
        self._at_rest = asyncio.Event()
        self._is_writing = self._is_read = False
        self._thread: OneThread | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Read what waited in the run before, and begin to write; what is wrong with that is told, not raised."""
        if self._file is None:
            return
        self._thread = OneThread("bgsub-waiting")
        self._task = asyncio.get_running_loop().create_task(self._keep_writing(), name="bgsub-waiting")
        self._news.set()
        opened = asyncio.get_running_loop().time() + _OPENING
        while not self._is_read and self.trouble is None:  # who is told first should be told what has waited longest
            if asyncio.get_running_loop().time() > opened:
                self._fail("the folder of the state does not answer; what waits to be told is in memory alone")
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        """Write what has changed, say what is not told in this run, and end."""
        if self._thread is not None and self._task is not None and self._file is not None:
            self._closing.set()
            self._news.set()
            done, _ = await asyncio.wait([self._task], timeout=_CLOSING)
            if not done:
                self._task.cancel()
                self.trouble = "the folder of the state does not answer"
            await asyncio.wait([self._thread.do(self._file.close)], timeout=_CLOSING if done else 0.0)
            self._thread.end()
        for line in self._lines.values():
            if count := len(line) + len(line.held):
                is_kept = self._file is not None and self.trouble is None
                then = "what waits is told when it is started again" if is_kept else "what waits is not told any more"
                logger.warning("%s: %s: %d", line.name, then, count)

    async def written(self) -> None:
        """Wait until all that has changed is on the disk, or cannot be written."""
        while self._file is not None and self._is_writing and self.trouble is None:
            self._at_rest.clear()
            await self._at_rest.wait()

    def line(self, key: str) -> Line:
        """Return what waits for a channel."""
        if key not in self._lines:
            self._lines[key] = Line(self, key)
        return self._lines[key]

    def keep(self, keys: Collection[str]) -> None:
        """Give up what waits for all other channels: they are no longer asked for."""
        for key in [key for key in self._lines if key not in keys]:
            line = self._lines.pop(key)
            if count := len(line) + len(line.held):
                logger.warning("%s is no longer told; what waited for it is given up: %d", line.name, count)
            for waits in (*line, *line.held):
                line.drop(waits)
            for topic in tuple(line.topics):
                line.forget(topic)

    def put_fact(self, name: str, value: str) -> None:
        """Put down something that the next run is to know."""
        if self.facts.get(name) != value:
            self.facts[name] = value
            self.note(("fact", (name,)), (name, value))

    def new(self, line: Line, occasion: Occasion) -> Waits:
        """Return an occasion that waits from now on."""
        self._number += 1
        waits = Waits(self._number, occasion, self.clock.now(), self.clock.monotonic())
        self.note(("waiting", (waits.number,)), row_of(Stored(waits.number, line.key, waits.put, occasion)))
        return waits

    def gone(self, waits: Waits) -> None:
        """Take note that something waits no more."""
        key: Key = ("waiting", (waits.number,))
        if self._changes.get(key) is not None:  # it was never written
            del self._changes[key]
        else:
            self.note(key, None)

    def note(self, key: Key, row: tuple[str | int, ...] | None) -> None:
        """Have a row written, or removed."""
        if self._file is not None:
            self._changes[key] = row
            self._is_writing = True
            self._news.set()

    def _all(self) -> dict[Key, tuple[str | int, ...] | None]:
        """Return all rows that there are to be."""
        rows: dict[Key, tuple[str | int, ...] | None] = {}
        for line in self._lines.values():
            for waits in (*line, *line.held):
                stored = Stored(waits.number, line.key, waits.put, waits.occasion)
                rows["waiting", (waits.number,)] = row_of(stored)
            for topic in line.topics:
                rows["topic", (line.key, topic)] = (line.key, topic)
        for name, value in self.facts.items():
            rows["fact", (name,)] = (name, value)
        return rows

    async def _keep_writing(self) -> None:
        """Write whenever something has changed, all of it at once; where that fails, all anew after a while."""
        assert self._file is not None and self._thread is not None
        file, do = self._file, self._thread.do
        while True:
            self._is_writing = self._news.is_set()
            if not self._is_writing:
                self._at_rest.set()
            await self._news.wait()
            self._news.clear()
            try:
                anew = not file.is_open
                if anew:
                    self._take_up(await do(file.open))
                changes = self._all() if anew else self._changes
                self._changes = {}
                if changes:
                    await do(file.write, changes, anew)
                if self.trouble is not None:
                    logger.info("what waits to be told is kept on the disk again")
                self.trouble = None
            except Exception as error:  # whatever it is: who is told has nothing to do with it
                self._changes = {}
                await do(file.close)  # what is in it is written anew
                told = str(error) if isinstance(error, BgsubError) else type(error).__name__
                self._fail(f"what waits to be told is in memory alone: {told}")
                if not self._closing.is_set():
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._closing.wait(), _AGAIN)
                    self._news.set()
            if self._closing.is_set() and (not self._changes or self.trouble is not None):
                return

    def _fail(self, why: str) -> None:
        self._at_rest.set()
        if self.trouble is None:
            logger.warning("%s", why)
        self.trouble = why

    def _take_up(self, read: Read) -> None:
        """Take up what was read, the first time; later all that was in the file is known, or was told to be gone."""
        for told in read.told:
            logger.warning("%s", told)
        if self._is_read:
            return
        self._is_read = True
        last = max((stored.number for stored in read.waiting), default=0)
        self._number += last
        for line in self._lines.values():
            for waits in (*line, *line.held):
                waits.number += last
        self.facts = read.facts | self.facts
        for channel, topic in read.topics:
            self.line(channel).topics.add(topic)
        now, ran = self.clock.now(), self.clock.monotonic()
        before: dict[str, list[Waits]] = {}
        for number, channel, put, occasion in read.waiting:
            known = put >= _FIRST and now >= _FIRST  # else by a clock that was not set: who knows how old it is
            age = max(0.0, (now - put).total_seconds()) if known else 0.0
            before.setdefault(channel, []).append(Waits(number, occasion, put, ran - age))
        for channel, waiting in before.items():
            self.line(channel).take_up(waiting)
