"""What machines ask of a watch, as a service: ``/health`` in JSON, ``/metrics`` for Prometheus."""

from __future__ import annotations

import logging

import msgspec

from bgsub.live.health.metrics import CONTENT_TYPE, Metrics, Other
from bgsub.live.health.serving import Answer, Server
from bgsub.live.health.state import Health
from bgsub.live.settings import Watch
from bgsub.live.supervising.running import Running

logger = logging.getLogger(__name__)


class HealthService:
    """Serves how all is, where `Watch.listen` says; without it nothing.

    Parameters
    ----------
    others : list of Other, optional
        What `/metrics` tells beside the cameras; others may add to it at any time.

    Attributes
    ----------
    address : str or None
        Where: ``http://127.0.0.1:8099``.
    """

    def __init__(self, others: list[Other] | None = None) -> None:
        self.address: str | None = None
        self._others = others if others is not None else []
        self._server: Server | None = None

    async def start(self, running: Running) -> None:
        """Begin to serve.

        Raises
        ------
        OutputError
            When the port is taken.
        """
        self._others += _own(running)
        if running.watch.listen is None:
            return
        metrics = Metrics(running.health, self._others)
        self._server = Server(
            running.watch.listen,
            {
                "/health": lambda: health_answer(running.health),
                "/metrics": lambda: Answer(200, CONTENT_TYPE, metrics.text()),
            },
        )
        self.address = await self._server.start()
        logger.info("how all is: %s/health and %s/metrics", self.address, self.address)

    async def change(self, watch: Watch) -> None:
        """Do nothing: where it is served takes a restart."""

    async def stop(self) -> None:
        """Serve no more."""
        if self._server is not None:
            await self._server.stop()


def health_answer(health: Health) -> Answer:
    """Return how all is as JSON: with status 200 where all is well, else 503."""
    report = health.report()
    return Answer(200 if report["well"] else 503, "application/json", msgspec.json.encode(report) + b"\n")


def _own(running: Running) -> list[Other]:
    """Return the numbers of the supervisor and of the audience."""
    supervisor, audience = running.supervisor, running.audience
    return [
        Other(
            "camera_restarts",
            "How often a camera's process was started again.",
            "camera",
            lambda: {name: kept.restarts for name, kept in supervisor.cameras.items()},
            counts=True,
        ),
        Other("untold", "Messages that did not reach a listener.", "listener", lambda: audience.lost, counts=True),
    ]
