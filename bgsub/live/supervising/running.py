"""A watch as it runs: its parts put together, started in order, read anew on SIGHUP, and ended in order."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from bgsub.errors import BgsubError, OutputError
from bgsub.live.clock import Clock
from bgsub.live.configuration.reading import Configuration
from bgsub.live.health.state import Health
from bgsub.live.locking import locked
from bgsub.live.places import check_local, from_home, state_folder
from bgsub.live.settings import Watch
from bgsub.live.supervising.audience import Audience
from bgsub.live.supervising.camera_process import PROGRAM
from bgsub.live.supervising.keeping_up import Pace
from bgsub.live.supervising.supervisor import Supervisor
from bgsub.live.supervising.systemd import ServiceManager

logger = logging.getLogger(__name__)

LOCK = ".bgsub-watch.lock"
"""A file in each folder that a watch uses: no other one may."""

_LAST_WORDS = 10.0  # seconds for listeners to take what waits, when all ends
_TAKES_A_RESTART = ("directory", "state", "listen", "fsync")
_SIGN_OF_LIFE = 10.0  # seconds
_AWAY = ("lost", "broken")
_LOOK = 0.2  # seconds between two looks at whether pictures come

ReadAgain = Callable[[], Configuration]
"""Reads the configuration again."""


class Service(Protocol):
    """Something that runs as long as the watch does: the index, retention, those who are told, a server."""

    async def start(self, running: Running, /) -> None:
        """Begin, before any camera does; raise `BgsubError` where that is no use."""

    async def change(self, watch: Watch, /) -> None:
        """Take up other settings, while all goes on."""

    async def stop(self) -> None:
        """End, after all cameras have."""


class Running(NamedTuple):
    """What services find there.

    Attributes
    ----------
    watch : Watch
        As it was at the start, with its state folder named and its paths absolute.
    clock : Clock
        The time.
    health : Health
        How all is.
    audience : Audience
        Listeners are added to it.
    supervisor : Supervisor
        Of the cameras' processes.
    take_up : callable
        Takes up other settings while all goes on, and returns the cameras that were started again.
    """

    watch: Watch
    clock: Clock
    health: Health
    audience: Audience
    supervisor: Supervisor
    take_up: Callable[[Watch], Awaitable[tuple[str, ...]]]


async def run(
    watch: Watch,
    services: Sequence[Service],
    *,
    read_again: ReadAgain | None = None,
    duration: float | None = None,
    clock: Clock | None = None,
    pace: Pace = Pace(),  # noqa: B008 - immutable
    program: str = PROGRAM,
) -> int:
    """Watch until a signal says to end, or a while is over.

    Parameters
    ----------
    watch : Watch
        What is watched.
    services : sequence of Service
        In the order in which they are started; they end in the reverse one.
    read_again : callable, optional
        Called on SIGHUP, where there is that: cameras whose settings changed are started again. Without it SIGHUP
        ends the watch.
    duration : float, optional
        Seconds after which it ends, counted from the first picture that was looked at, or the first camera that is
        lost.
    clock : Clock, optional
        The time.
    pace : Pace, optional
        How patient the supervisor is.
    program : str, optional
        As `bgsub.live.supervising.camera_process.PROGRAM`.

    Returns
    -------
    int
        The signal; 0 where the while is over.

    Raises
    ------
    BgsubError
        When a folder cannot be used or is in use, or a service cannot begin.
    """
    clock = clock or Clock()
    watch = with_places(watch)
    state = Path(watch.state or "")
    check_local(state)
    _make(state)
    with locked(state, LOCK):
        health, audience = Health(clock), Audience(clock)
        health.watch(tuple(camera.name for camera in watch.cameras))
        supervisor = Supervisor(watch, audience, health.note, clock=clock, pace=pace, program=program)
        changing = _Changing(supervisor, health, services)
        running = Running(watch, clock, health, audience, supervisor, changing.take_up)
        return await _Run(running, services, read_again, duration).run()


def with_places(watch: Watch) -> Watch:
    """Return settings with absolute paths; the state of each directory of recordings has a folder of its own."""
    directory = from_home(watch.directory).absolute()
    if watch.state is not None:
        state = from_home(watch.state).absolute()
    else:
        told = hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]
        state = state_folder() / "watch" / f"{directory.name[:40]}-{told}"
    return msgspec.structs.replace(watch, directory=str(directory), state=str(state))


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot make the folder {folder}: {error.strerror or error}; choose another, or mend this one"
        ) from None


class _Changing:
    """Takes up other settings, one change after another."""

    def __init__(self, supervisor: Supervisor, health: Health, services: Sequence[Service]) -> None:
        self._supervisor, self._health, self._services = supervisor, health, services
        self._lock = asyncio.Lock()

    async def take_up(self, watch: Watch) -> tuple[str, ...]:
        """Take up settings, as far as that takes no restart; return the cameras that were started again."""
        async with self._lock:
            watch, before = with_places(watch), self._supervisor.watch
            fixed = {name: getattr(before, name) for name in _TAKES_A_RESTART}
            differs = [name for name, value in fixed.items() if getattr(watch, name) != value]
            if differs:
                logger.warning("a change of %s takes a restart of bgsub watch", ", ".join(differs))
            watch = msgspec.structs.replace(watch, **fixed)
            for service in self._services:
                await service.change(watch)
            self._health.watch(tuple(camera.name for camera in watch.cameras))
            return await self._supervisor.change(watch)


class _Run:
    """One run, from its first service to its last."""

    def __init__(
        self, running: Running, services: Sequence[Service], read_again: ReadAgain | None, duration: float | None
    ) -> None:
        self._running, self._services, self._read_again = running, services, read_again
        self._duration = duration
        self._heard: asyncio.Queue[int] = asyncio.Queue()
        self._systemd = ServiceManager()

    async def run(self) -> int:
        started: list[Service] = []
        with _signals(self._heard.put_nowait, again=self._read_again is not None):
            try:
                for service in self._services:
                    if (heard := await self._start(service)) is not None:
                        return heard
                    started.append(service)
                _tell_costs(self._running.watch)
                self._running.supervisor.start()
                ending = asyncio.ensure_future(self._end_after_a_while())
                try:
                    return await self._until_told()
                finally:
                    ending.cancel()
            finally:
                await self._end(started)

    async def _start(self, service: Service) -> int | None:
        """Start a service; return a signal that comes meanwhile."""
        starting, told = asyncio.ensure_future(service.start(self._running)), asyncio.ensure_future(self._heard.get())
        await asyncio.wait({starting, told}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            told.cancel()
            starting.result()
            return None
        starting.cancel()
        return told.result()

    async def _until_told(self) -> int:
        """Show signs of life, and read the configuration again when told so, until told to end."""
        self._systemd.ready()
        while True:
            wrong = self._running.health.wrong()
            cameras = len(self._running.health.cameras)
            self._systemd.alive(
                "; ".join(f"{what}: {line}" for what, line in wrong.items()) or f"{cameras} cameras are live"
            )
            try:
                heard = await asyncio.wait_for(self._heard.get(), min(self._systemd.interval or 60.0, _SIGN_OF_LIFE))
            except TimeoutError:
                continue
            if heard != getattr(signal, "SIGHUP", None) or self._read_again is None or _terminal_is_gone():
                return heard
            await self._change(self._read_again)

    async def _end_after_a_while(self) -> None:
        """Tell to end once the duration is over."""
        if self._duration is None:
            return
        cameras = self._running.supervisor.cameras.values()
        while not any(kept.status and (kept.status.frames or kept.status.state in _AWAY) for kept in cameras):
            await asyncio.sleep(_LOOK)
        await asyncio.sleep(self._duration)
        self._heard.put_nowait(0)

    async def _change(self, read_again: ReadAgain) -> None:
        """Take up what the configuration says now; what is in use stays where that is no use."""
        running = self._running
        self._systemd.reloading(running.clock.monotonic())
        try:
            configuration = await asyncio.to_thread(read_again)
            for line in configuration.warnings:
                logger.warning("%s", line)
            changed = await running.take_up(configuration.watch)
            logger.info("the configuration was read again: %s", ", ".join(changed) or "no camera has changed")
        except BgsubError as error:
            logger.error("%s; all goes on with the settings before", error)
        finally:
            self._systemd.ready()

    async def _end(self, started: list[Service]) -> None:
        """End cameras, then services; a second signal hurries."""
        self._systemd.stopping()
        hurrying = asyncio.ensure_future(self._hurry())
        try:
            await self._running.supervisor.stop()
            await self._running.audience.close(_LAST_WORDS)
        finally:
            hurrying.cancel()
            for service in reversed(started):
                await service.stop()

    async def _hurry(self) -> None:
        while await self._heard.get():
            self._running.supervisor.hurry()


def _tell_costs(watch: Watch) -> None:
    """Say of which cameras no packet is copied, and what that takes; as measured, in scripts/README.md."""
    for camera in watch.cameras:
        why = "has a privacy zone" if camera.has_privacy else "is drawn into" if camera.draw else None
        if why is not None and (camera.record != "none" or camera.has_privacy):
            logger.info(
                "%s %s: what is recorded of it is decoded and encoded anew, which takes about an eighth of a core "
                "for 640x360 at 25 pictures/s, a core for 1920x1080",
                camera.name,
                why,
            )


def _terminal_is_gone() -> bool:
    """Tell whether SIGHUP came because the terminal was closed, not because somebody wants something read again."""
    if sys.platform == "win32":
        return True
    import termios

    try:
        with Path("/dev/tty").open("rb") as terminal:
            termios.tcgetattr(terminal)
    except OSError as error:
        return error.errno == 5  # EIO; without a terminal there is none to close
    return False


@contextlib.contextmanager
def _signals(heard: Callable[[int], None], *, again: bool) -> Iterator[None]:
    """Hand the signals that end a watch, or have it read again, to the event loop; those ignored (nohup) stay so."""
    loop = asyncio.get_running_loop()
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN or (again and number == getattr(signal, "SIGHUP", None)):
            signal.signal(number, lambda told, _frame: loop.call_soon_threadsafe(heard, told))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
