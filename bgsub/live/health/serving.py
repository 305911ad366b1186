"""A small HTTP server for what machines ask: ``/health`` and ``/metrics``. It reads requests of a few lines, no bodies.

Names in the header ``Host`` are checked, so that no web page on the internet reads it through a name of its own that
it lets point to this machine (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import os
import socket
from collections.abc import Callable, Mapping
from typing import NamedTuple

from bgsub.errors import OutputError
from bgsub.live.configuration.checking import host_and_port

logger = logging.getLogger(__name__)

_LONGEST_REQUEST = 8192  # bytes
_PATIENCE = 5.0  # seconds for a request, and for its answer
_MOST = 32  # connections at a time
_LOCAL_ENDINGS = (".local", ".localhost", ".lan", ".home.arpa", ".internal")


class Answer(NamedTuple):
    """What is answered: status, kind of content, and the content."""

    status: int
    content_type: str
    body: bytes


Page = Callable[[], Answer]
"""Makes an answer."""

_REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed"}
_REASONS |= {500: "Internal Server Error", 503: "Service Unavailable"}


class Server:
    """Serves pages in a running event loop.

    Parameters
    ----------
    listen : str
        Host and port, as of `bgsub.live.settings.Watch`; port 0 takes a free one.
    pages : mapping of str to callable
        By path.
    """

    def __init__(self, listen: str, pages: Mapping[str, Page]) -> None:
        self._listen, self._pages = listen, dict(pages)
        self._server: asyncio.Server | None = None
        self._open = 0

    async def start(self) -> str:
        """Begin to serve, and return the address: ``http://127.0.0.1:8099``.

        Raises
        ------
        OutputError
            When the port is taken, or the host is none of this machine.
        """
        host, port = host_and_port(self._listen)
        try:
            self._server = await asyncio.start_server(self._serve, host, port, limit=_LONGEST_REQUEST)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
            raise OutputError(
                f"cannot listen on {self._listen}: {reason}; choose another port with --listen, or 0 for a free one"
            ) from None
        port = self._server.sockets[0].getsockname()[1]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def stop(self) -> None:
        """Serve no more."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._open >= _MOST:
            writer.transport.abort()
            return
        self._open += 1
        writer.transport.set_write_buffer_limits(0)  # so that `drain` waits until all has gone
        try:
            async with asyncio.timeout(_PATIENCE):
                writer.write(_written(*(await self._answer(reader))))
                await writer.drain()
            writer.close()
        except (OSError, TimeoutError):
            writer.transport.abort()
        finally:
            self._open -= 1

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[Answer, bool]:
        """Return what a request is answered, and whether its content is wanted."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return _told(400, "that is no request"), True
        request, *lines = head.split("\r\n")
        method, _, rest = request.partition(" ")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if not rest.endswith((" HTTP/1.0", " HTTP/1.1")):
            return _told(400, "that is no request"), True
        if method not in ("GET", "HEAD"):
            return _told(405, "only GET and HEAD are answered"), True
        if not is_own_name(headers.get("host", ""), self._listen):
            return _told(403, "this name is not this machine's: ask by its address"), method == "GET"
        page = self._pages.get(rest.rpartition(" ")[0].partition("?")[0])
        if page is None:
            return _told(404, f"there are {', '.join(self._pages)}"), method == "GET"
        try:
            return page(), method == "GET"
        except Exception as error:  # nothing that is served may end what serves
            logger.warning("a page failed: %s: %s", type(error).__name__, error)
            return _told(500, "this failed; the log says more"), method == "GET"


def is_own_name(host: str, listen: str) -> bool:
    """Tell whether a request's header ``Host`` is a name that only this machine or its network gives.

    An address, a name without a dot, one that ends as local ones do, this machine's own, or that which is listened on.

    Parameters
    ----------
    host : str
        The header: a name or an address, and perhaps a port.
    listen : str
        Host and port that are listened on.
    """
    name = host.strip().lower()
    name = name[1:].partition("]")[0] if name.startswith("[") else name.rpartition(":")[0] if ":" in name else name
    if not name or not name.isascii():
        return False
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(name)
        return True
    own = {socket.gethostname().lower(), host_and_port(listen)[0].lower()}
    return "." not in name or name.endswith(_LOCAL_ENDINGS) or name in own


def _told(status: int, text: str) -> Answer:
    return Answer(status, "text/plain; charset=utf-8", f"{text}\n".encode())


def _written(answer: Answer, wanted: bool) -> bytes:
    """Return an answer as bytes, its content only where it is wanted."""
    head = (
        f"HTTP/1.1 {answer.status} {_REASONS[answer.status]}\r\n"
        f"Content-Type: {answer.content_type}\r\n"
        f"Content-Length: {len(answer.body)}\r\n"
        "Cache-Control: no-store\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode("latin-1") + (answer.body if wanted else b"")
