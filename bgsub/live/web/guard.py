"""What every request passes before anything answers it: names of hosts, origins, who asks, and headers that hold.

A page of another host cannot read or change anything here, whatever a browser sends along with its requests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bgsub.live.health.serving import is_own_name
from bgsub.live.web.entrances import Entrances, TooOften, Who

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may do: nothing of another host, no script or style but those in files of ours."""

OWN_HEADER = "x-bgsub"
"""A header that requests which change something must have: no form and no other page can send it."""

_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_HOST = re.compile(r"([A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?")
_SAFE = {"GET", "HEAD", "OPTIONS"}


class Guard:
    """Lets requests through to an application, with who asks in ``scope["state"]["who"]``, None if that is not known.

    Parameters
    ----------
    app : ASGI application
        What answers.
    entrances : Entrances
        Who may in; what each route demands, its handler's table says.
    listen : str
        Host and port that are listened on.
    names : sequence of str
        Further names of this host.
    secure : bool
        Requests come by TLS.
    """

    def __init__(
        self, app: ASGIApp, entrances: Entrances, listen: str, names: Sequence[str] = (), *, secure: bool = False
    ) -> None:
        self._app, self._entrances, self._listen = app, entrances, listen
        self._names, self._secure = {name.lower() for name in names}, secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it be answered."""
        if scope["type"] not in ("http", "websocket"):
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        headers = Headers(scope=scope)
        wrong = self._wrong(scope, headers)
        if wrong is None:
            state = scope.setdefault("state", {})
            try:
                state["who"], state["secret"] = await self._who(scope, headers)
            except TooOften as often:
                wrong = (429, str(often))
        if wrong is not None:
            await _refuse(scope, send_with_headers, *wrong)
            return
        await self._app(scope, receive, send_with_headers)

    def _wrong(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        """Return the status and the line for a request that another page may have sent."""
        host = headers.get("host", "")
        found = _HOST.fullmatch(host)
        if found is None or not (found[1].lower() in self._names or is_own_name(host, self._listen)):
            return 421, "this name is not this machine's: ask by its address, or put the name into web.names"
        own_page = headers.get("sec-fetch-site", "none") in ("same-origin", "none")
        if not own_page and headers.get("sec-fetch-mode") != "navigate":
            return 403, "another page asks this: it is not answered"
        is_socket = scope["type"] == "websocket"
        if not is_socket and scope["method"] in _SAFE:
            return None
        origin = headers.get("origin")
        foreign = origin is not None and origin.partition("://")[2].lower() != host.lower()
        if foreign or not own_page:
            return 403, "another page sent this: it is not done"
        if not is_socket and OWN_HEADER not in headers and not _token(headers):
            return 403, "a request that changes something needs the header X-Bgsub: 1"
        return None

    async def _who(self, scope: Scope, headers: Headers) -> tuple[Who | None, str]:
        """Return who asks, and the secret of their session."""
        if self._entrances.is_open:
            return Who("anybody", "owner"), ""
        token = _token(headers)
        if token:
            return await self._entrances.of_token(token, address_of(scope)), ""
        secret = _cookie(headers, cookie_name(self._secure))
        return (self._entrances.of_session(secret), secret) if secret else (None, "")


def cookie_name(secure: bool) -> str:
    """Return the name of the session's cookie; by TLS one that no other host and no plain request can set."""
    return "__Host-bgsub" if secure else "bgsub"


def address_of(scope: Scope) -> str:
    """Return where a request comes from."""
    client = scope.get("client")
    return client[0] if client else "this machine"


def _token(headers: Headers) -> str:
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _cookie(headers: Headers, name: str) -> str:
    """Return a cookie; other cookies of this host may be anything."""
    for part in headers.get("cookie", "").split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value.strip('"')
    return ""


async def _refuse(scope: Scope, send: Send, status: int, text: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 4403, "reason": text[:120]})
        return
    body = json.dumps({"error": text}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope.get("method") == "HEAD" else body})
