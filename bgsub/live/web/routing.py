"""What a route is, and how a request becomes a call of its function, and what that returns an answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Struct
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute

from bgsub.errors import BgsubError, ParameterError
from bgsub.live.web.entrances import TooOften, Who
from bgsub.live.web.questions import Nothing, Refusal
from bgsub.live.web.station import Station

logger = logging.getLogger(__name__)

LARGEST_BODY = 256 * 1024
"""Bytes of a request's body."""

_PATIENCE = 15.0  # seconds for a body to come
_YEARS = range(1971, 2200)


class Refused(BgsubError):
    """A request that is answered with an error: its status, and a line."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Call(NamedTuple):
    """A request, as a function that answers it sees it.

    Attributes
    ----------
    place, query, body : Struct
        What the path, what follows the question mark, and the body say, of the route's types.
    who : Who or None
        Who asks; None only where anyone may.
    request : Request
        The rest.
    """

    place: Any
    query: Any
    body: Any
    who: Who | None
    request: Request


Answering = Callable[[Station, Call], Awaitable[Struct | Response]]


class Route(NamedTuple):
    """One line of the table.

    Attributes
    ----------
    method, path : str
        Of requests.
    role : {'anyone', 'viewer', 'owner'}
        Who may ask: a viewer nothing of an owner's.
    answering : callable
        What answers.
    says : str
        What it is for.
    answer : type of Struct, or str
        What it returns; of anything but JSON the kind of content.
    place, query, body : type of Struct
        What it takes.
    status : int
        Of its answer.
    others : tuple of int
        Further statuses.
    """

    method: str
    path: str
    role: Literal["anyone", "viewer", "owner"]
    answering: Answering
    says: str
    answer: type[Struct] | str
    place: type[Struct] = Nothing
    query: type[Struct] = Nothing
    body: type[Struct] | None = None
    status: int = 200
    others: tuple[int, ...] = ()


def starlette_route(route: Route, station: Station) -> StarletteRoute:
    """Return a route as starlette has it."""

    async def endpoint(request: Request) -> Response:
        try:
            answer = await _answered(route, station, request)
        except TooOften as often:
            return refusal(429, str(often), {"Retry-After": str(often.seconds)})
        except Refused as refused:
            return refusal(refused.status, str(refused))
        except ClientDisconnect:
            return refusal(400, "the request broke off")
        except ParameterError as error:
            return refusal(400, str(error))
        except BgsubError as error:
            logger.warning("%s %s: %s", route.method, route.path, error)
            return refusal(503, "this cannot be read or written now: the log says why")
        if isinstance(answer, Response):
            return answer
        return Response(msgspec.json.encode(answer), route.status, media_type="application/json")

    return StarletteRoute(route.path, endpoint, methods=[route.method])


async def _answered(route: Route, station: Station, request: Request) -> Struct | Response:
    who: Who | None = request.state.who
    if route.role != "anyone":
        if who is None:
            raise Refused(401, "this needs a password: log in, or send a token")
        if route.role == "owner" and who.role != "owner":
            raise Refused(403, f"{who.name} may look, and change nothing")
    place = _converted(dict(request.path_params), route.place, 404, "there is nothing of this name")
    query = _converted(_once(request), route.query, 400)
    body = None if route.body is None else _decoded(await _body(request), route.body)
    return await route.answering(station, Call(place, query, body, who, request))


def _once(request: Request) -> dict[str, str]:
    pairs = request.query_params.multi_items()
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Refused(400, "a question is asked twice")
    return found


def _converted(values: dict[str, str], kind: type[Struct], status: int, text: str = "") -> Any:
    try:
        value = msgspec.convert(values, kind, strict=False)
    except (msgspec.ValidationError, ValueError, OverflowError) as error:
        raise Refused(status, text or str(error)[:300]) from None
    for name in kind.__struct_fields__:
        moment = getattr(value, name)
        if isinstance(moment, datetime) and moment.year not in _YEARS:
            raise Refused(400, f"{name} is in the year {moment.year}: give a time from {_YEARS[0]} to {_YEARS[-1]}")
    return value


def _decoded(body: bytes, kind: type[Struct]) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Refused(400, f"the body does not do: {str(error)[:300]}") from None


async def _body(request: Request) -> bytes:
    """Return a request's body, which must say that it is JSON; no form of another page can."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "the body must be JSON, and its Content-Type application/json")
    parts, size = [], 0
    try:
        async with asyncio.timeout(_PATIENCE):
            async for part in request.stream():
                size += len(part)
                if size > LARGEST_BODY:
                    raise Refused(413, f"the body is larger than {LARGEST_BODY // 1024} KiB")
                parts.append(part)
    except TimeoutError:
        raise Refused(408, f"the body did not come within {_PATIENCE:g} s") from None
    return b"".join(parts)


def refusal(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    """Return an error as an answer."""
    body = msgspec.json.encode(Refusal(text.encode("utf-8", "replace").decode()))
    return Response(body, status, headers, media_type="application/json")
