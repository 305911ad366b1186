"""Logging in and out, and who one is."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from bgsub import __version__
from bgsub.live.web.entrances import ANYWAY, Entrances
from bgsub.live.web.guard import address_of, cookie_name
from bgsub.live.web.questions import Session
from bgsub.live.web.routing import Call, Refused
from bgsub.live.web.station import Station


async def session(entrances: Entrances, station: Station, call: Call) -> Session:
    """Answer who asks."""
    who = call.who
    return Session(
        name=None if who is None else who.name,
        role=None if who is None else who.role,
        needs_password=not entrances.is_open,
        keeps=station.configuration is not None,
        version=__version__,
    )


async def log_in(entrances: Entrances, station: Station, call: Call) -> Response:
    """Begin a session, whose secret is in a cookie that scripts do not see and other pages do not send."""
    scope = call.request.scope
    if entrances.is_open:
        raise Refused(409, "nobody needs a password here")
    entered = await entrances.enter(call.body.password, address_of(scope))
    if entered is None:
        raise Refused(401, "this password is wrong")
    secret, who = entered
    told = await session(entrances, station, call._replace(who=who))
    response = Response(msgspec.json.encode(told), media_type="application/json")
    secure = scope["scheme"] == "https"
    response.set_cookie(
        cookie_name(secure), secret, max_age=int(ANYWAY), path="/", secure=secure, httponly=True, samesite="strict"
    )
    return response


async def log_out(entrances: Entrances, station: Station, call: Call) -> Response:
    """End the session."""
    scope = call.request.scope
    entrances.leave(call.request.state.secret)
    secure = scope["scheme"] == "https"
    response = Response(status_code=204)
    response.delete_cookie(cookie_name(secure), path="/", secure=secure, httponly=True, samesite="strict")
    return response
