"""The one table of routes: all that is answered, to whom, and what it takes and returns."""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from bgsub.live.messages import EventRecord
from bgsub.live.web import asking, changing, entering, fragments, page_files, questions, recorded
from bgsub.live.web.entrances import Entrances
from bgsub.live.web.openapi import document
from bgsub.live.web.routing import Call, Refused, Route
from bgsub.live.web.station import Station
from bgsub.live.web.viewing import Viewing

SOCKET = "/api/live"
"""Where the WebSocket is."""

JPEG, MP4, CSV, HTML, TEXT = "image/jpeg", "video/mp4", "text/csv", "text/html", "text/plain"


def table(viewing: Viewing, entrances: Entrances) -> tuple[Route, ...]:
    """Return the routes.

    Parameters
    ----------
    viewing : Viewing
        Who looks at what.
    entrances : Entrances
        Who may in.
    """
    q, files = questions, page_files.page_files()
    event, one = "/api/events/{camera}/{stamp}", "/api/cameras/{camera}"
    part = (206, 304, 416)
    routes = [
        Route("GET", "/", "anyone", partial(page_files.index, files), "The page.", HTML, others=(304,)),
        Route("GET", "/page/{name}", "anyone", partial(page_files.file, files), "A file of the page.", "*/*",
              place=q.OfFile, others=(304,)),
        Route("GET", "/api/session", "anyone", partial(entering.session, entrances), "Who asks.", q.Session),
        Route("POST", "/api/session", "anyone", partial(entering.log_in, entrances), "Log in.", q.Session,
              body=q.Login, others=(409,)),
        Route("DELETE", "/api/session", "anyone", partial(entering.log_out, entrances), "Log out.", "", status=204),
        Route("GET", "/api/overview", "viewer", asking.overview, "How all is.", q.Overview),
        Route("GET", one, "viewer", asking.camera, "How a camera is.", q.CameraState, place=q.OfCamera),
        Route("GET", f"{one}/motion", "viewer", partial(asking.graph, viewing), "How much moved, second by second.",
              q.Graph, place=q.OfCamera),
        Route("GET", f"{one}/settings", "viewer", changing.settings, "What is asked of a camera.", q.CameraSettings,
              place=q.OfCamera),
        Route("PUT", f"{one}/settings", "owner", changing.change, "Ask something else of a camera.", q.Changed,
              body=q.CameraChange, others=(409,), place=q.OfCamera),
        Route("GET", "/api/events", "viewer", asking.events, "Events, the latest first.", q.EventPage,
              query=q.EventsAsked),
        Route("GET", event, "viewer", asking.event, "An event.", EventRecord, place=q.OfEvent),
        Route("GET", f"{event}/clip", "viewer", recorded.clip, "Its clip.", MP4, query=q.FileAsked, others=part,
              place=q.OfEvent),
        Route("GET", f"{event}/thumbnail", "viewer", recorded.thumbnail, "Its picture.", JPEG, others=part,
              place=q.OfEvent),
        Route("GET", f"{event}/tracks", "viewer", recorded.tracks, "Where what moved was.", CSV, query=q.FileAsked,
              others=part, place=q.OfEvent),
        Route("GET", "/api/segments", "viewer", asking.segments, "Continuous segments of a stretch of time.",
              q.SegmentList, query=q.TimeAsked),
        Route("GET", "/api/segments/{camera}/{stamp}/file", "viewer", recorded.segment, "A continuous segment.", MP4,
              query=q.FileAsked, others=part, place=q.OfEvent),
        Route("GET", "/api/outages", "viewer", asking.outages, "When cameras gave no pictures.", q.AwayList,
              query=q.TimeAsked),
        Route("GET", "/api/amounts", "viewer", asking.amounts, "How much happened when.", q.Amounts,
              query=q.TimeAsked),
        Route("GET", "/parts/events", "viewer", fragments.event_list, "Events as a list of the page.", HTML,
              query=q.EventsAsked),
        Route("GET", "/parts/timeline", "viewer", fragments.timeline, "Events over time as a part of the page.", HTML,
              query=q.TimelineAsked),
        Route("GET", "/parts/form", "viewer", fragments.form, "The form that filters events.", HTML),
        Route("GET", "/health", "viewer", asking.health, "How all is, for machines.", "application/json",
              others=(503,)),
        Route("GET", "/metrics", "viewer", asking.metrics, "Numbers, as Prometheus reads them.", TEXT),
        Route("GET", SOCKET, "viewer", _no_socket, "A WebSocket: bundles of pictures, and news; see Bundle, News, "
              "Looking, Drawn.", "", status=426),
    ]  # fmt: skip
    described = document(routes)

    async def openapi(station: Station, call: Call) -> Response:
        return Response(described, media_type="application/json")

    described_route = Route("GET", "/api/openapi.json", "viewer", openapi, "This document.", "application/json")
    described = document([*routes, described_route])
    return (*routes, described_route)


async def _no_socket(station: Station, call: Call) -> Response:
    raise Refused(426, "this is a WebSocket")
