"""The page as a service of a watch."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from bgsub.live.archive.index import INDEX
from bgsub.live.archive.index_questions import IndexReader
from bgsub.live.archive.recordings import path_of
from bgsub.live.configuration.reading import Configuration
from bgsub.live.health.metrics import Metrics, Other
from bgsub.live.messages import FromCamera
from bgsub.live.settings import Watch, Web
from bgsub.live.supervising.running import Running
from bgsub.live.web.page_server import PageServer
from bgsub.live.web.station import Station

logger = logging.getLogger(__name__)


class PageService:
    """Serves the page where `Watch.web` says; without it nothing. The index is there before it is started.

    Parameters
    ----------
    configuration : Path or None
        The file that says what is watched, in which the page's changes are kept.
    read_again : callable or None
        Returns what it says, with what the command line says beside it.
    others : list of Other, optional
        What `/metrics` tells beside the cameras.

    Attributes
    ----------
    address : str or None
        Where the page is: ``http://127.0.0.1:8080/``.
    """

    name = "page"

    def __init__(
        self,
        configuration: Path | None = None,
        read_again: Callable[[], Configuration] | None = None,
        others: list[Other] | None = None,
    ) -> None:
        self.address: str | None = None
        self._configuration, self._read_again = configuration, read_again
        self._others = others if others is not None else []
        self._server: PageServer | None = None
        self._station: Station | None = None

    async def start(self, running: Running) -> None:
        """Begin to serve.

        Raises
        ------
        OutputError
            When the port is taken, or a certificate cannot be read.
        """
        web = running.watch.web
        if web is None:
            return
        self._station = self._seen(running)
        self._server = PageServer(web, self._station)
        self.address = await self._server.start()
        running.audience.add(self, statuses=True)
        running.supervisor.seen = self._server.viewing.show
        logger.info("the page is at %s", self.address)

    def _seen(self, running: Running) -> Station:
        directory = Path(running.watch.directory)
        read_again = self._read_again

        async def apply(watch: Watch) -> None:
            await running.take_up(watch)

        return Station(
            watch=running.watch,
            health=running.health,
            index=IndexReader.of(Path(running.watch.state or "") / INDEX),
            path=lambda name: path_of(directory, name),
            send=running.supervisor.send,
            apply=apply,
            metrics=Metrics(running.health, self._others).text,
            configuration=self._configuration,
            read_again=None if read_again is None else lambda: read_again().watch,
            clock=running.clock,
        )

    async def take(self, message: FromCamera) -> None:
        """Take what a camera says."""
        if self._server is not None:
            self._server.note(message)

    async def change(self, watch: Watch) -> None:
        """Let others in, where that has changed; where the page is served takes a restart."""
        if self._station is None or self._server is None:
            if watch.web is not None:
                logger.warning("a page where there was none takes a restart of bgsub watch")
            return
        before, now = self._station.watch.web or Web(), watch.web or Web()
        if any(getattr(before, name) != getattr(now, name) for name in ("listen", "certificate", "key", "names")):
            logger.warning("a change of where the page is served takes a restart of bgsub watch")
        self._server.change(now)
        self._station.watch = watch

    async def stop(self) -> None:
        """Serve no more."""
        if self._server is not None:
            await self._server.stop()
        if self._station is not None:
            self._station.close()
