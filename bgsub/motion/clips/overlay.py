"""The whole of a recording once more, with what moves in it drawn on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bgsub.jobs import Excerpt
from bgsub.motion.clips.film import Film
from bgsub.motion.clips.masks import KeptMasks
from bgsub.motion.clips.picturing import Drawing, Picturer
from bgsub.motion.clips.writing import read_again
from bgsub.motion.results import Scanned


def write_overlay(
    result: Scanned,
    path: Path,
    masks: KeptMasks,
    *,
    draw: Drawing,
    excerpt: Excerpt,
    progress: Callable[[int], None] | None = None,
) -> bool:
    """Write all that was scanned, with its sound, what moves tinted and outlined, and whatever else is asked for.

    Parameters
    ----------
    result : Scanned
        What came of the scan.
    path : Path
        ``.mp4`` or ``.mkv``, replaced where it exists. It appears when it is whole.
    masks : KeptMasks
        Of the scan.
    draw : Drawing
        What is drawn beside masks.
    excerpt : Excerpt
        How the source was read.
    progress : callable, optional
        Called with the number of frames in it so far.

    Returns
    -------
    bool
        Whether there is a video: whether a frame was scanned.

    Raises
    ------
    OutputError
        When it cannot be written.
    SourceError
        When the source cannot be read again.
    """
    first, end, count = result.tally.first_time, result.facts.duration if result.facts else 0.0, 0
    if first is None or not end > first:
        return False
    picturer = Picturer(replace(draw, mask=True), result, first, end, masks=masks)
    with read_again(result, excerpt, first, end) as source, Film(path, source.info, source.sound, picturer) as film:
        for frame in source:
            film.write(frame)
            count += 1
            if progress is not None:
                progress(count)
            if count == result.tally.read and excerpt.every == 1:  # the scan has ended here, whatever comes
                break
        if count:
            film.finish()
    return count > 0
