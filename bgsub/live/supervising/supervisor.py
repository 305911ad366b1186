"""All cameras' processes, kept going; what they say goes to an audience."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from bgsub.live.clock import Clock
from bgsub.live.messages import FromCamera, Note, Shown, ToCamera
from bgsub.live.settings import Watch
from bgsub.live.supervising.audience import Audience
from bgsub.live.supervising.camera_process import PROGRAM
from bgsub.live.supervising.keeping_up import KeptCamera, Pace

logger = logging.getLogger(__name__)


class Supervisor:
    """Starts a process for each camera, keeps it going, and ends it. Lives in a running event loop.

    Parameters
    ----------
    watch : Watch
        What is watched. Its state folder is named.
    audience : Audience
        Who is told what the processes say.
    notice : callable, optional
        Called with each message before all others, at once: for what must be up to date when anybody asks.
    clock : Clock, optional
        The time.
    pace : Pace, optional
        How patient it is.
    program : str, optional
        As `bgsub.live.supervising.camera_process.PROGRAM`.

    Attributes
    ----------
    watch : Watch
        What is watched now.
    loop : asyncio.AbstractEventLoop
        The event loop that it lives in.
    seen : callable
        Called with each picture that somebody looks at, in the thread that listens to its camera; it may not wait.
        Whoever shows pictures sets it.
    """

    def __init__(
        self,
        watch: Watch,
        audience: Audience,
        notice: Callable[[FromCamera], None] | None = None,
        *,
        clock: Clock | None = None,
        pace: Pace = Pace(),  # noqa: B008 - immutable
        program: str = PROGRAM,
    ) -> None:
        self.watch = watch
        self.loop = asyncio.get_running_loop()
        self.seen: Callable[[Shown], None] = lambda shown: None
        self._audience, self._notice = audience, notice
        self._clock, self._pace, self._program = clock or Clock(), pace, program
        self._cameras: dict[str, KeptCamera] = {}
        self._order: ToCamera | None = None
        self._lost: dict[str, datetime] = {}

    @property
    def cameras(self) -> Mapping[str, KeptCamera]:
        """The cameras by their names."""
        return self._cameras

    def start(self) -> None:
        """Start the process of each camera that has none yet."""
        for camera in self.watch.cameras:
            if camera.name not in self._cameras:
                self._cameras[camera.name] = KeptCamera(
                    camera,
                    self.watch,
                    self._tell,
                    lambda shown: self.seen(shown),
                    self._clock,
                    self._pace,
                    self._program,
                    lambda: self._order,
                )
                if camera.name in self._lost:
                    self._cameras[camera.name].recall(self._lost.pop(camera.name))

    def recall(self, lost: Mapping[str, datetime]) -> None:
        """Know that cameras were lost before, since when: of that nobody hears again, of their return all do."""
        self._lost |= {name: since for name, since in lost.items() if name not in self._cameras}
        for name in self._cameras.keys() & lost.keys():
            self._cameras[name].recall(lost[name])

    def send(self, camera: str, message: ToCamera) -> bool:
        """Tell a camera's process something; return False where none of that name listens."""
        kept = self._cameras.get(camera)
        return kept is not None and kept.send(message)

    def order(self, message: ToCamera) -> None:
        """Tell all cameras' processes something, and those that begin later, until there is another order."""
        self._order = message
        for kept in self._cameras.values():
            kept.send(message)

    async def change(self, watch: Watch) -> tuple[str, ...]:
        """Watch something else: cameras whose settings changed are started again, others go on undisturbed.

        Parameters
        ----------
        watch : Watch
            What is watched from now on. What holds for all cameras is as it was.

        Returns
        -------
        tuple of str
            Names of cameras that were stopped, started, or started again.
        """
        wanted = {camera.name: camera for camera in watch.cameras}
        stopped = [name for name, kept in self._cameras.items() if wanted.get(name) != kept.camera]
        await asyncio.gather(*(self._cameras[name].stop() for name in stopped))
        for name in stopped:
            since = self._cameras.pop(name).lost_since
            if since is not None:
                self._lost[name] = since
        begun = [name for name in wanted if name not in self._cameras]
        self.watch = watch
        self.start()
        return tuple(dict.fromkeys([*stopped, *begun]))

    async def stop(self) -> None:
        """End all processes in order; those that do not end in time without."""
        await asyncio.gather(*(kept.stop() for kept in self._cameras.values()))

    def hurry(self) -> None:
        """End processes that are being stopped at once."""
        for kept in self._cameras.values():
            kept.kill()

    def _tell(self, message: FromCamera) -> None:
        if isinstance(message, Note):
            logger.log(
                message.level,
                "%s: %s",
                message.camera,
                message.text,
                extra={"camera": message.camera, "text": message.text},
            )
        if self._notice is not None:
            self._notice(message)
        self._audience.tell(message)
