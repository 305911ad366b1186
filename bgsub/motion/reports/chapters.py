"""Events as chapters of their video: values for whoever writes a container, and FFmpeg's metadata file."""

from __future__ import annotations

import re
from typing import NamedTuple

from bgsub.motion.events import Event
from bgsub.motion.reports.moments import one_line
from bgsub.motion.results import Scanned


class Chapter(NamedTuple):
    """A chapter of a video.

    Attributes
    ----------
    start, end : float
        Seconds, as a player of the file counts them.
    title : str
        One line.
    """

    start: float
    end: float
    title: str


def chapters(result: Scanned) -> list[Chapter]:
    """Return a chapter for each event, from its first frame of motion to the end of the last; without padding.

    A player's clock starts with the file, also where sound comes before the first picture: the chapters lie that much
    later than the events.
    """
    offset = result.facts.start_time if result.facts else 0.0
    return [Chapter(event.start + offset, event.end + offset, chapter_title(event)) for event in result.events]


def chapter_title(event: Event) -> str:
    """Return what an event is called in a list: its number, its zones, what it is where it is not plain motion."""
    said = [", ".join(map(one_line, event.zones)), "" if event.kind == "motion" else event.kind]
    return ": ".join([f"Event {event.number}", *filter(None, said)])


def ffmetadata_report(result: Scanned) -> bytes:
    """Return chapters as FFmpeg reads them: ``ffmpeg -i VIDEO -i events.ffmeta -map_chapters 1 -c copy OUT.mkv``."""
    lines = [";FFMETADATA1"]
    for chapter in chapters(result):
        start, end = round(chapter.start * 1000), round(chapter.end * 1000)
        lines += ["[CHAPTER]", "TIMEBASE=1/1000", f"START={start}", f"END={max(start + 1, end)}"]
        lines.append(f"title={_escaped(chapter.title)}")
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")


def _escaped(text: str) -> str:
    """Return a text in which nothing means anything to FFmpeg's reader."""
    return re.sub(r"([=;#\\\n])", r"\\\1", text)
