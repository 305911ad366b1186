"""Parts of a page about events, as HTML: they come from values alone, so that a report and a live page show the same.

`parts.css` is their style and `parts.js` what both pages' scripts ask of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from bgsub.motion.reports.moments import one_line

UNUSUAL = 0.9
"""Share of events that must be more usual for one to be marked; `parts.js` has the same."""

_COLUMNS = 1000  # of a timeline's picture


class Bar(NamedTuple):
    """An event on a timeline.

    Attributes
    ----------
    start, length : float
        As fractions of the timeline.
    identity : str
        By which name the event is found on the page.
    link : str
        Address of what a click shows.
    title : str
        What is said of it.
    odd : bool
        It is unlike the others.
    """

    start: float
    length: float
    identity: str
    link: str
    title: str
    odd: bool


class Card(NamedTuple):
    """An event in a list.

    Attributes
    ----------
    identity : str
        By which name it is found on the page.
    title, source : str
        What it is called, and of what it is.
    span : str
        HTML that says from when to when.
    said : sequence of str
        Further lines, as HTML.
    zones : sequence of str
        Names of those that were touched.
    unusual : float or None
        As of `Event`.
    picture, link : str or None
        Addresses of its picture, and of what a click shows.
    facts : mapping of str to str
        What the page's script is told: attributes, without ``data-``.
    offered : str
        What its link is called.
    """

    identity: str
    title: str
    source: str
    span: str
    said: Sequence[str]
    zones: Sequence[str]
    unusual: float | None
    picture: str | None
    link: str | None
    facts: Mapping[str, str]
    offered: str = "Clip"


def shown(text: str) -> str:
    """Return a text from outside as HTML that says it, in one line, whatever is in it."""
    return escape(one_line(text).encode("utf-8", "backslashreplace").decode())


def is_unusual(unusual: float | None) -> bool:
    """Whether an event that is so unusual is marked as unlike the others."""
    return unusual is not None and unusual >= UNUSUAL


def timeline_row(name: str, note: str, bars: Sequence[Bar], graph: str = "") -> str:
    """Return what a timeline is of, and its events and motion graph over time.

    Parameters
    ----------
    name : str
        Of what.
    note : str
        HTML below the name, or nothing.
    bars : sequence of Bar
        Its events.
    graph : str
        As of `motion_area`.
    """
    drawn = "".join(_bar(bar) for bar in bars)
    below = f'<br><span class="soft">{note}</span>' if note else ""
    return (
        f'<div class="row"><div class="name">{shown(name)}{below}</div>'
        f'<svg viewBox="0 0 {_COLUMNS} 38" preserveAspectRatio="none" role="group" '
        f'aria-label="Events of {shown(name)}">{graph}{drawn}</svg></div>'
    )


def timeline_axis(labels: Sequence[str]) -> str:
    """Return the row below timelines, with five labels, which are HTML."""
    marks = "".join(f"<span>{label}</span>" for label in labels)
    return f'<div class="row"><div></div><div class="axis">{marks}</div></div>'


def _bar(bar: Bar) -> str:
    left, width = bar.start * _COLUMNS, max(3.0, bar.length * _COLUMNS)
    return (
        f'<a href="{escape(bar.link)}" data-event="{shown(bar.identity)}" aria-label="{shown(bar.title)}">'
        f'<title>{shown(bar.title)}</title><rect class="bar{" odd" if bar.odd else ""}" x="{left:.1f}" y="2" '
        f'width="{width:.1f}" height="34" rx="2"/></a>'
    )


def motion_area(places: np.ndarray, amounts: np.ndarray) -> str:
    """Return how much moves over time as an area, by the root of it; nothing where nothing moves.

    Parameters
    ----------
    places : ndarray of float
        When, as fractions of the timeline, rising.
    amounts : ndarray of float
        How much, in any unit.
    """
    if len(places) < 2 or not float(amounts.max()) > 0:
        return ""
    starts = np.arange(0, len(places), -(-len(places) // _COLUMNS))
    heights = 36 * np.sqrt(np.maximum.reduceat(amounts, starts) / float(amounts.max()))
    points = [f"{at * _COLUMNS:.1f},{38 - h:.1f}" for at, h in zip(places[starts], heights, strict=True)]
    first, last = points[0].split(",")[0], points[-1].split(",")[0]
    return f'<polygon class="graph" points="{first},38 {" ".join(points)} {last},38"/>'


def event_card(card: Card) -> str:
    """Return an item of the list of events."""
    link = f' <a href="{escape(card.link)}">{shown(card.offered)}</a>' if card.link else ""
    image = '<div class="nothing">no picture</div>'
    if card.picture is not None:
        image = f'<img src="{escape(card.picture)}" loading="lazy" alt="Peak of {shown(card.title)}">'
        image = f'<a href="{escape(card.link)}">{image}</a>' if card.link else image
    marks = [f'<span class="mark">{shown(zone)}</span>' for zone in card.zones]
    if is_unusual(card.unusual):
        marks.append(f'<span class="mark odd">unusual, more so than {card.unusual:.0%}</span>')
    said = [
        f'<h3>{shown(card.title)} <span class="soft">{shown(card.source)}</span></h3>',
        f'<p class="figures">{card.span}{link}</p>',
        *card.said,
        f"<p>{' '.join(marks)}</p>" if marks else "",
    ]
    facts = "".join(f' data-{key}="{shown(value)}"' for key, value in card.facts.items())
    return f'<li class="event" id="{shown(card.identity)}"{facts}>{image}<div class="said">{"".join(said)}</div></li>'


def filter_form(fields: Sequence[str]) -> str:
    """Return the form above a list; the script shows it, for without it it could do nothing."""
    count = '<output id="count" class="soft" aria-live="polite"></output>'
    return f'<form hidden class="filters" aria-label="Filter events">{"".join(fields)}{count}</form>'


def choice(name: str, label: str, options: Sequence[tuple[str, str]], *, every: bool = True) -> str:
    """Return a field of the form: one of several values, each with its text, or all."""
    first = '<option value="">all</option>' if every else ""
    rest = "".join(f'<option value="{shown(value)}">{shown(text)}</option>' for value, text in options)
    return f'<label>{label}<select name="{name}">{first}{rest}</select></label>'


def least_length() -> str:
    """Return a field of the form: how long an event must be."""
    return '<label>At least, seconds<input type="number" name="shortest" min="0" step="0.1" placeholder="0"></label>'


def unusual_alone() -> str:
    """Return a field of the form: only what is unlike the others."""
    return '<label class="inline"><input type="checkbox" name="odd">Unusual alone</label>'
