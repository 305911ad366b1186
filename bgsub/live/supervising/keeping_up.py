"""One camera, kept going: its process is started, and started again when it dies or hangs, less and less eagerly."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from bgsub.live.clock import Clock
from bgsub.live.messages import CameraFound, CameraLost, FromCamera, Note, Shown, Status, Stop, ToCamera
from bgsub.live.settings import Camera, Watch
from bgsub.live.supervising.camera_process import PROGRAM, CameraProcess

_TICK = 0.5  # seconds between two looks at whether a process still speaks
_LATE = 5.0  # seconds; when even the supervisor sleeps so long (the machine did), nobody is to blame for silence


class Pace(NamedTuple):
    """How patient a supervisor is, in seconds.

    Attributes
    ----------
    first_delay, longest_delay : float
        Before a process is started again; each time twice as long.
    settled : float
        A process that ran so long is started again as if for the first time.
    proven : float
        A camera whose process died counts as found when the next one has been live so long.
    silent : float
        A process that says nothing for so long hangs, and is killed.
    beginning : float
        The same until it has looked at a picture: what looks may have to be compiled first.
    stopping : float
        What a process that is told to end has for it.
    """

    first_delay: float = 1.0
    longest_delay: float = 60.0
    settled: float = 60.0
    proven: float = 5.0
    silent: float = 30.0
    beginning: float = 240.0
    stopping: float = 20.0


class KeptCamera:
    """A camera whose process is kept going by a task in the event loop, until it is stopped.

    Whether the camera is lost is known here, not in its process, which may die of it: of each loss and each return
    listeners hear once.

    Parameters
    ----------
    camera : Camera
        What is watched.
    watch : Watch
        What holds for all.
    tell : callable
        Called with each message, those of the process and those about it, but pictures.
    seen : callable
        As of `CameraProcess`.
    clock : Clock
        The time.
    pace : Pace
        How patient it is.
    program : str
        As `bgsub.live.supervising.camera_process.PROGRAM`.
    order : callable
        Returns what each process is told when it begins, if anything.

    Attributes
    ----------
    status : Status or None
        The newest.
    restarts : int
        How often its process was started again.
    """

    def __init__(
        self,
        camera: Camera,
        watch: Watch,
        tell: Callable[[FromCamera], None],
        seen: Callable[[Shown], None],
        clock: Clock,
        pace: Pace = Pace(),  # noqa: B008 - immutable
        program: str = PROGRAM,
        order: Callable[[], ToCamera | None] = lambda: None,
    ) -> None:
        self.camera, self.watch = camera, watch
        self.status: Status | None = None
        self.restarts = 0
        self._tell, self._seen, self._clock, self._pace, self._program = tell, seen, clock, pace, program
        self._order = order
        self._process: CameraProcess | None = None
        self._stop = asyncio.Event()
        self._lost: _Lost | None = None
        self._last_heard = self._live_since = 0.0
        self._has_looked = False
        self._last_error = ""
        self._task = asyncio.get_running_loop().create_task(self._keep(), name=f"bgsub-{camera.name}")

    @property
    def pid(self) -> int | None:
        """Of its process; None while there is none."""
        return None if self._process is None else self._process.pid

    @property
    def lost_since(self) -> datetime | None:
        """Since when it is lost; None of one that is not."""
        return None if self._lost is None else self._lost.at

    def recall(self, since: datetime) -> None:
        """Know that it was lost before its process began; a live one is told as found."""
        if self._lost is None:
            away = max(0.0, (self._clock.now() - since).total_seconds())
            self._lost = _Lost(since, self._clock.monotonic() - away, by_death=True)

    def send(self, message: ToCamera) -> bool:
        """Tell its process something; return False where none listens."""
        return self._process is not None and self._process.send(message)

    async def stop(self) -> None:
        """End its process in order, or after a while without."""
        self._stop.set()
        await self._task

    def kill(self) -> None:
        """End its process at once, if it is being stopped."""
        if self._stop.is_set() and self._process is not None:
            self._process.kill()

    # ------------------------------------------------------------------------------------------------- its process

    async def _keep(self) -> None:
        delay = self._pace.first_delay
        while not self._stop.is_set():
            began = self._clock.monotonic()
            why = await self._run_once()
            if self._stop.is_set():
                return
            if self._clock.monotonic() - began >= self._pace.settled:
                delay = self._pace.first_delay
            if self._last_error:
                why += f" ({self._last_error})"
            self._broken(f"its process {why}; started again in {delay:g} s")
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stop.wait(), delay)
            delay = min(2 * delay, self._pace.longest_delay)
            self.restarts += 1

    async def _run_once(self) -> str:
        """Run a process until it ends, and return how."""
        self._last_heard, self._live_since, self._has_looked = self._clock.monotonic(), 0.0, False
        self._last_error = ""
        try:
            self._process = process = CameraProcess(self.camera, self.watch, self._hear, self._seen, self._program)
        except Exception as error:  # whatever it is, the next try may go well
            reason = getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
            return f"could not be started: {reason}"
        if (order := self._order()) is not None:
            process.send(order)
        try:
            return await self._attend(process)
        finally:
            self._process = None

    async def _attend(self, process: CameraProcess) -> str:
        before, hangs = self._clock.monotonic(), ""
        stopping, told = 0.0, False
        while True:
            await self._pass_time(process, waiting=not stopping)
            now = self._clock.monotonic()
            if now - before > _LATE:
                self._last_heard += now - before
            before = now
            if process.ended.done():
                return hangs or process.ended.result()
            if self._stop.is_set():
                stopping = stopping or now
                told = told or process.send(Stop())
                if now - stopping > self._pace.stopping:
                    self._note(logging.WARNING, f"did not end within {self._pace.stopping:g} s, and was killed")
                    process.kill()
            elif not hangs and now - self._last_heard > self._patience:
                hangs = f"gave no sign for {self._patience:g} s, and was killed"
                process.kill()

    async def _pass_time(self, process: CameraProcess, waiting: bool) -> None:
        """Wait for a moment, less if the process ends, or (where that is waited for) is to be stopped."""
        stop = asyncio.ensure_future(self._stop.wait() if waiting else asyncio.sleep(_TICK))
        awaited: set[asyncio.Future] = {process.ended, stop}
        await asyncio.wait(awaited, timeout=_TICK, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()

    @property
    def _patience(self) -> float:
        return self._pace.silent if self._has_looked else self._pace.beginning

    # -------------------------------------------------------------------------------------------------- what is told

    def _hear(self, message: FromCamera) -> None:
        """Take a message of the process; of a loss or a return that is known already nobody hears again."""
        self._last_heard = self._clock.monotonic()
        if isinstance(message, CameraLost):
            self._lose(message.at, message.why, by_death=False)
        elif isinstance(message, CameraFound):
            if self._lost is not None and not self._lost.by_death:
                self._find(message.at)
        else:
            if isinstance(message, Status):
                self._take_status(message)
            elif isinstance(message, Note) and message.level >= logging.ERROR:
                self._last_error = message.text
            self._tell(message)

    def _take_status(self, status: Status) -> None:
        self.status = status
        self._has_looked = self._has_looked or status.frames > 0
        if status.state != "live" or not status.frames:
            self._live_since = 0.0
            return
        now = self._clock.monotonic()
        self._live_since = self._live_since or now
        if self._lost is not None and (not self._lost.by_death or now - self._live_since >= self._pace.proven):
            self._find(status.at)

    def _broken(self, why: str) -> None:
        """Tell that the process is gone."""
        now = self._clock.now()
        since = self._lost.at if self._lost is not None else now
        self._note(logging.WARNING, why)
        self.status = Status(camera=self.camera.name, at=now, state="broken", since=since, why=why)
        self._tell(self.status)
        self._lose(now, why, by_death=True)

    def _lose(self, at: datetime, why: str, *, by_death: bool) -> None:
        if self._lost is None:
            self._lost = _Lost(at, self._clock.monotonic(), by_death)
            self._tell(CameraLost(camera=self.camera.name, at=at, why=why))
        elif by_death:
            self._lost = self._lost._replace(by_death=True)

    def _find(self, at: datetime) -> None:
        if self._lost is not None:
            away = self._clock.monotonic() - self._lost.monotonic
            self._lost = None
            self._tell(CameraFound(camera=self.camera.name, at=at, away=round(away, 3)))

    def _note(self, level: int, text: str) -> None:
        self._tell(Note(camera=self.camera.name, at=self._clock.now(), level=level, text=text))


class _Lost(NamedTuple):
    """Since when a camera is lost, by two clocks, and whether its process died."""

    at: datetime
    monotonic: float
    by_death: bool
