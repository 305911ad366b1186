"""A copy of a recording in which a player leaps from event to event."""

from __future__ import annotations

import math
from pathlib import Path

from bgsub.jobs import Excerpt
from bgsub.motion.clips.writing import copier_of
from bgsub.motion.reports.chapters import chapter_title
from bgsub.motion.results import Scanned
from bgsub.video.writers.copying import Chapter


def write_chaptered(result: Scanned, path: Path, *, excerpt: Excerpt) -> bool:
    """Copy a whole recording, without decoding it and with its sound, and give it a chapter for each event.

    Parameters
    ----------
    result : Scanned
        With its events.
    path : Path
        ``.mkv``, replaced where it exists. It appears when it is whole.
    excerpt : Excerpt
        How the source was read.

    Returns
    -------
    bool
        Whether there is a copy: not of a recording without events, nor of what cannot be copied, which is warned of.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    copier = copier_of(result, excerpt, "there is no copy with chapters") if result.events else None
    if copier is None:
        return False
    chapters = [Chapter(event.start, event.end, chapter_title(event)) for event in result.events]
    copier.copy(0.0, math.inf, path, overwrite=True, chapters=chapters)
    return True
