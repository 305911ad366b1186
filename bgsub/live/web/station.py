"""What the page sees of the rest of the program."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from bgsub.live.archive.index_questions import IndexReader
from bgsub.live.clock import Clock
from bgsub.live.health.state import Health
from bgsub.live.messages import ToCamera
from bgsub.live.settings import Camera, Watch

T = TypeVar("T")


@dataclass
class Station:
    """What is watched, how it is, and what can be done about it.

    Attributes
    ----------
    watch : Watch
        What is watched now.
    health : Health
        How cameras are.
    index : IndexReader
        What was recorded.
    path : callable
        Returns the path of a recorded file by its name in a record; raises where that leads anywhere else.
    send : callable
        Tells a camera's process something.
    apply : callable
        Watches something else from now on.
    metrics : callable
        Returns the numbers as Prometheus reads them.
    configuration : Path or None
        The file that says what is watched.
    read_again : callable or None
        Returns what that file says, with what the command line says beside it.
    clock : Clock
        The time.
    """

    watch: Watch
    health: Health
    index: IndexReader
    path: Callable[[str], Path]
    send: Callable[[str, ToCamera], bool]
    apply: Callable[[Watch], Awaitable[None]]
    metrics: Callable[[], bytes]
    configuration: Path | None = None
    read_again: Callable[[], Watch] | None = None
    clock: Clock = field(default_factory=Clock)
    _asking: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(4, "bgsub-page-index"))
    _reading: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(8, "bgsub-page-files"))

    async def ask(self, function: Callable[..., T], *values: object, **named: object) -> T:
        """Call a function that asks the index, in a thread of those for that."""
        call = functools.partial(function, *values, **named)
        return await asyncio.get_running_loop().run_in_executor(self._asking, call)

    async def read(self, function: Callable[..., T], *values: object) -> T:
        """Call a function that reads the disk of the recordings, in a thread of those for that.

        A share that hangs holds these up, and neither the index nor anything that has nothing to do with the page.
        """
        return await asyncio.get_running_loop().run_in_executor(self._reading, functools.partial(function, *values))

    def close(self) -> None:
        """Ask nothing any more."""
        for threads in (self._asking, self._reading):
            threads.shutdown(wait=False, cancel_futures=True)
        self.index.close()

    def camera(self, name: str) -> Camera | None:
        """Return a camera's settings by its name."""
        return next((camera for camera in self.watch.cameras if camera.name == name), None)
