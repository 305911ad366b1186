"""The page's server: the application of all routes, behind the guard, in the event loop that is running."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Iterator
from functools import partial

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket
from uvicorn.protocols.http.h11_impl import H11Protocol

from bgsub.errors import OutputError
from bgsub.live.configuration.checking import host_and_port, is_loopback
from bgsub.live.messages import FromCamera
from bgsub.live.settings import Web
from bgsub.live.web.asking import news
from bgsub.live.web.entrances import Entrances
from bgsub.live.web.guard import Guard
from bgsub.live.web.looking_socket import look
from bgsub.live.web.routes import SOCKET, table
from bgsub.live.web.routing import refusal, starlette_route
from bgsub.live.web.station import Station
from bgsub.live.web.viewing import Viewing

logger = logging.getLogger(__name__)

MOST_CONNECTIONS = 256
"""Connections at a time; more are told to come again."""

_SLOW = 15.0  # seconds for the lines of a request to come
_LARGEST_MESSAGE = 64 * 1024  # bytes, of a page


class PageServer:
    """Serves the page from `start` to `stop`; it is told what cameras say by `note`.

    Parameters
    ----------
    web : Web
        What is asked of the page.
    station : Station
        The rest of the program.
    """

    def __init__(self, web: Web, station: Station) -> None:
        self._web, self._station = web, station
        self.entrances = Entrances(web.access, station.clock)
        self.viewing = Viewing(station.send, lambda: tuple(one.name for one in station.watch.cameras), station.clock)
        self._server: _Server | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def application(self) -> ASGIApp:
        """Return all that is answered, behind the guard."""
        routes = [starlette_route(route, self._station) for route in table(self.viewing, self.entrances)]

        async def live(page: WebSocket) -> None:
            await look(page, self._station, self.viewing, self.entrances)

        handlers = {404: _plain, 405: _plain, Exception: _failed}
        app = Starlette(routes=[*routes, WebSocketRoute(SOCKET, live)], exception_handlers=handlers)
        app.router.redirect_slashes = False
        secure = self._web.certificate is not None
        return Guard(app, self.entrances, self._web.listen, self._web.names, secure=secure)

    async def start(self) -> str:
        """Begin to serve, and return the page's address.

        Raises
        ------
        OutputError
            When the port is taken, or a certificate cannot be read.
        """
        sock = _bound(self._web.listen)
        host, port = host_and_port(self._web.listen)[0], sock.getsockname()[1]
        try:
            config = _config(self.application(), self._web)
        except BaseException:
            sock.close()
            raise
        self._server = _Server(config)
        self._tasks = [
            asyncio.create_task(self._server.serve(sockets=[sock]), name="bgsub-page"),
            asyncio.create_task(self.viewing.keep_asking(), name="bgsub-page-asking"),
            asyncio.create_task(self._tell(), name="bgsub-page-news"),
        ]
        scheme = "http" if self._web.certificate is None else "https"
        return f"{scheme}://[{host}]:{port}/" if ":" in host else f"{scheme}://{host}:{port}/"

    def note(self, message: FromCamera) -> None:
        """Take what a camera says; never waits."""
        self.viewing.note(message)

    def change(self, web: Web) -> None:
        """Let others in from now on.

        A page that everybody on this machine may see stays so only where nobody is named; one that others reach never
        opens to all.
        """
        if web.access or is_loopback(host_and_port(self._web.listen)[0]):
            self.entrances.change(web.access)

    async def stop(self) -> None:
        """Serve no more."""
        if self._server is None:
            return
        self._server.should_exit = self._server.force_exit = True
        for task in self._tasks[1:]:
            task.cancel()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.gather(*self._tasks, return_exceptions=True), 5.0)

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self.viewing.tell(partial(news, self._station))


class _Server(uvicorn.Server):
    """Leaves signals to the program that it is part of."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Impatient(H11Protocol):
    """Closes connections on which no request comes, or one that never ends."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._timer = self.loop.call_later(_SLOW, self._give_up)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        waits = self.cycle is None or self.cycle.response_complete
        if not waits and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        elif waits and self._timer is None:
            self._timer = self.loop.call_later(_SLOW, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        if self.transport.get_protocol() is self:  # else it has become a WebSocket
            self.transport.close()


def _config(app: ASGIApp, web: Web) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        http=_Impatient,
        ws="websockets-sansio",
        ws_max_size=_LARGEST_MESSAGE,
        ws_per_message_deflate=False,  # pictures are compressed
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=2,
        ssl_certfile=web.certificate,
        ssl_keyfile=web.key,
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(
            f"cannot read the certificate {web.certificate} and its key {web.key}: {reason}; give both in PEM"
        ) from None
    if config.ssl is not None:
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
    return config


def _bound(listen: str) -> socket.socket:
    """Return a socket that listens, so that a port that is taken is told before anything begins."""
    host, port = host_and_port(listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(128)  # who asks before the server has begun waits
    except OSError as error:
        sock.close()
        reason = error.strerror or str(error)
        raise OutputError(
            f"cannot show the page on {listen}: {reason}; choose another port, or 0 for a free one"
        ) from None
    return sock


async def _plain(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    return refusal(status, "there is nothing here" if status == 404 else "this is not asked so")


async def _failed(request: Request, error: Exception) -> Response:
    return refusal(500, "this failed; the log says more")
