"""The WebSocket of a page: pictures in bundles, news each second, and what the page says it looks at."""

from __future__ import annotations

import asyncio
import contextlib

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from bgsub.live.web.entrances import Entrances
from bgsub.live.web.questions import Drawn, Looking
from bgsub.live.web.station import Station
from bgsub.live.web.viewing import Viewer, Viewing

NO_PASSWORD, TOO_MANY, NOT_UNDERSTOOD = 4401, 4429, 4400
"""Why a connection was closed."""

_STUCK = 30.0  # seconds; a page that takes nothing for so long is gone
_PAUSE = 0.02  # seconds between two messages of a page: nobody is asked more often
_decode = msgspec.json.Decoder(Looking | Drawn).decode


async def look(socket: WebSocket, station: Station, viewing: Viewing, entrances: Entrances) -> None:
    """Serve a page until it is closed, or its session ends."""
    await socket.accept()
    if socket.state.who is None:
        await socket.close(NO_PASSWORD, "log in first")
        return
    viewer = viewing.enter()
    if viewer is None:
        await socket.close(TOO_MANY, "too many pages are open")
        return
    tasks = [
        asyncio.ensure_future(work)
        for work in (
            _hear(socket, station, viewing, viewer),
            _send_pictures(socket, viewer),
            _send_news(socket, viewer, entrances),
        )
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        viewing.leave(viewer)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(Exception):  # it may be gone already
            async with asyncio.timeout(1.0):
                await socket.close()


async def _hear(socket: WebSocket, station: Station, viewing: Viewing, viewer: Viewer) -> None:
    """Take what the page says until it is gone."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            try:
                said = _decode(message.get("text") or message.get("bytes") or b"")
            except (msgspec.MsgspecError, ValueError, RecursionError):
                await socket.close(NOT_UNDERSTOOD, "that was not understood")
                return
            if isinstance(said, Drawn):
                viewer.drawn(said.number)
                continue
            viewer.look(said, (camera.name for camera in station.watch.cameras))
            viewing.ask()
            await asyncio.sleep(_PAUSE)


async def _send_pictures(socket: WebSocket, viewer: Viewer) -> None:
    """Send the newest pictures, not more often than they are wanted."""
    loop = asyncio.get_running_loop()
    while True:
        began = loop.time()
        bundle = await viewer.next_bundle()
        async with asyncio.timeout(_STUCK):
            await socket.send_bytes(bundle)
        await asyncio.sleep(max(0.0, began + 0.9 / viewer.per_second - loop.time()))


async def _send_news(socket: WebSocket, viewer: Viewer, entrances: Entrances) -> None:
    """Send news for as long as whoever looks may."""
    while True:
        news = await viewer.next_news()
        secret = socket.state.secret
        if secret and entrances.of_session(secret) is None:
            await socket.close(NO_PASSWORD, "the session has ended")
            return
        async with asyncio.timeout(_STUCK):
            await socket.send_text(news.decode())
