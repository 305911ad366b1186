"""Events as one HTML file that opens anywhere: its pictures are in it, it asks no host for anything."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import numpy as np

from bgsub.motion.events import Event
from bgsub.motion.heatmap import heat_picture, written_seconds
from bgsub.motion.reports.moments import GENERATOR, Clips, named, short_name
from bgsub.motion.reports.page_parts import (
    choice,
    filter_form,
    is_unusual,
    least_length,
    shown,
    timeline_axis,
    unusual_alone,
)
from bgsub.motion.reports.scanned_parts import data_url, paths_of, scanned_card, scanned_row
from bgsub.motion.results import Scanned
from bgsub.motion.thumbnails import as_jpeg, peak_pictures
from bgsub.times import timecode

MOST_PICTURES = 600
"""Events of a page that have a picture: a page of more would not open any longer."""

_MOST_MAPS, _MOST_ROWS = 100, 300
_PICTURE_WIDTH, _MAP_WIDTH = 400, 640


def html_report(results: Sequence[Scanned], made: datetime, path: Path, clips: Clips | None = None) -> bytes:
    """Return the page.

    Parameters
    ----------
    results : sequence of Scanned
        What was scanned; pictures of peaks are read from their files again.
    made : datetime
        When.
    path : Path
        Where it will lie: clips are linked from there.
    clips : mapping, optional
        Of an event, by the number of its result from 0 and its own, the clip.
    """
    n_events = sum(len(result.events) for result in results)
    lead = f"{_count(n_events, 'event')} in {_count(len(results), 'recording')}"
    body = [
        "<header><h1>Motion</h1>",
        f'<p>{lead}. <span class="soft">Made on {made:%Y-%m-%d at %H:%M} by {GENERATOR}.</span></p></header>',
        "<main>",
        _failed(results),
        _timeline(results),
        _events(results, path, clips or {}, n_events),
        _maps(results),
        _still(results),
        "</main>",
    ]
    return _page(f"Motion: {lead}", "\n".join(filter(None, body)))


def _page(title: str, body: str) -> bytes:
    style, script = (_joined(f"parts.{kind}", f"page.{kind}") for kind in ("css", "js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    policy = (  # no other script runs, whatever stands in the names of files
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{shown(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n{body}\n"
        f"<script>{script}</script>\n</body>\n</html>\n"
    ).encode()


def _joined(*names: str) -> str:
    return "".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in names)


def _failed(results: Sequence[Scanned]) -> str:
    failed = [result for result in results if result.error is not None]
    if not failed:
        return ""
    lines = "".join(f"<li>{shown(result.error or '')}</li>" for result in failed)
    return f'<h2 id="failed">Not read to the end ({len(failed)})</h2><ul class="plain">{lines}</ul>'


def _timeline(results: Sequence[Scanned]) -> str:
    known = [(i, result) for i, result in enumerate(results) if result.facts is not None]
    rows = known if len(known) <= _MOST_ROWS else [(i, result) for i, result in known if result.events][:_MOST_ROWS]
    if not rows:
        return ""
    longest = max(result.facts.duration for _, result in rows if result.facts is not None)
    drawn = "".join(scanned_row(i, result, longest) for i, result in rows)
    axis = timeline_axis([timecode(longest * part / 4).removesuffix(".000") for part in range(5)])
    left = f'<p class="soft">{len(known) - len(rows)} more are not drawn.</p>' if len(known) > len(rows) else ""
    return f'<h2 id="timeline">Timeline</h2>{left}{drawn}{axis}'


def _events(results: Sequence[Scanned], path: Path, clips: Clips, n_events: int) -> str:
    if not n_events:
        return '<h2 id="events">Events</h2><p>Nothing moved.</p>'
    zones = sorted({zone for result in results for event in result.events for zone in event.zones})
    cards, room = [], MOST_PICTURES
    for i, result in enumerate(results):
        pictured, rest = result.events[:room], result.events[room:]
        room -= len(pictured)
        pictures: list[tuple[Event, np.ndarray | None]] = [
            *peak_pictures(result, pictured, width=_PICTURE_WIDTH, boxes=True, path=True),
            *((event, None) for event in rest),
        ]
        for event, picture in pictures:
            clip = clips.get((i, event.number))
            link = None if clip is None else _address(clip.path, path)
            cards.append(scanned_card(i, result, event, zones, picture, link))
    return f'<h2 id="events">Events</h2>{_filters(results, zones)}<ul class="events">{"".join(cards)}</ul>'


def _filters(results: Sequence[Scanned], zones: Sequence[str]) -> str:
    events = [event for result in results for event in result.events]
    sources = [(str(i), short_name(result)) for i, result in enumerate(results) if result.events]
    kinds = sorted({event.kind for event in events})
    fields = [
        choice("source", "Recording", sources) if len(sources) > 1 else "",
        choice("zone", "Zone", [(str(i), zone) for i, zone in enumerate(zones)]) if zones else "",
        choice("kind", "Kind", [(kind, kind) for kind in kinds]) if len(kinds) > 1 else "",
        least_length(),
    ]
    orders = [("time", "time"), ("length", "length"), ("area", "area")]
    if any(event.unusual is not None for event in events):
        orders.insert(1, ("unusual", "unusual first"))
    if any(is_unusual(event.unusual) for event in events):
        fields.append(unusual_alone())
    fields.append(choice("sort", "Order", orders, every=False))
    return filter_form(fields)


def _maps(results: Sequence[Scanned]) -> str:
    figures: list[str] = []
    for result in results:
        drawn = result.events and len(figures) < _MOST_MAPS
        picture = heat_picture(result, legend=False, width=_MAP_WIDTH) if drawn else None
        if picture is None or result.heat is None or not result.heat.max() > 0:
            continue
        size = f'width="{picture.shape[1]}" height="{picture.shape[0]}"'
        image = f'<img src="{data_url(as_jpeg(picture, 80))}" {size} alt="Where how much moved">'
        legend = f'<div class="legend">0 s<i></i>{written_seconds(float(result.heat.max()))}</div>'
        figures.append(
            f"<figure><figcaption>{shown(short_name(result))}</figcaption>"
            f'<div class="map">{image}{paths_of(result)}</div>{legend}</figure>'
        )
    if not figures:
        return ""
    switch = '<label class="inline" hidden><input type="checkbox" id="paths" checked>Paths</label>'
    return f'<h2 id="maps">Where it moved</h2>{switch}<div class="maps">{"".join(figures)}</div>'


def _still(results: Sequence[Scanned]) -> str:
    still = [result for result in results if result.is_still]
    if not still:
        return ""
    lines = "".join(f"<li>{shown(named(result))}</li>" for result in still)
    summary = f"<summary>{_count(len(still), 'recording')} in which nothing moved</summary>"
    return f'<h2 id="still">Still</h2><details>{summary}<ul class="plain">{lines}</ul></details>'


def _address(clip: Path, page: Path) -> str:
    """Return a link to a file, as seen from the page's folder; no name in it is taken for a scheme or a query."""
    relative = os.path.relpath(clip.absolute(), page.absolute().parent)
    return quote(os.fsencode(relative.replace(os.sep, "/")))


def _count(n: int, word: str) -> str:
    return f"{n} {word}{'' if n == 1 else 's'}"
