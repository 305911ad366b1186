"""Clips of all events of a timeline, each a file of its own."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace

from bgsub.errors import OutputError, ParameterError, SourceError
from bgsub.jobs import Excerpt
from bgsub.motion.clips.film import Film
from bgsub.motion.clips.masks import KeptMasks
from bgsub.motion.clips.picturing import Drawing, Picturer
from bgsub.motion.clips.spans import Clip, check_clips, passages, plan_clips
from bgsub.motion.events import Rule
from bgsub.motion.results import Scanned
from bgsub.video.opening import open_source
from bgsub.video.source import Source
from bgsub.video.writers.copying import Copier

logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
OnClip = Callable[[Clip, int], None]
NOTHING = Drawing()


def write_clips(
    result: Scanned,
    rule: Rule,
    folder: str | os.PathLike[str],
    *,
    copy: bool = False,
    draw: Drawing = NOTHING,
    excerpt: Excerpt | None = None,
    name: str = "",
    overwrite: bool = False,
    keep: Sequence[str] = (),
    masks: KeptMasks | None = None,
    on_clip: OnClip | None = None,
) -> list[Clip]:
    """Write a clip of each event, with its sound.

    Each shows its event and the time before and after, also where that belongs to the next clip too: padding cuts
    nothing, and joins nothing. A clip takes its name when it is whole.

    Parameters
    ----------
    result : Scanned
        What came of a scan.
    rule : Rule
        How much is shown before and after an event.
    folder : path-like
        Where: ``NAME.event-001.mp4``, ... It is made if its own folder is there.
    copy : bool
        Copy packets from the key frame before on, instead of encoding: fast, without loss, and reaching over. A source
        that cannot be copied is encoded, with a warning.
    draw : Drawing
        What is drawn on the frames.
    excerpt : Excerpt, optional
        How the source was read: its rate, stream, and pictures without a header.
    name : str
        Beginning of the names; that of the source unless told.
    overwrite : bool
        Let existing clips be replaced.
    keep : sequence of str
        Files that are no output, whatever `overwrite` says; those of the source never are.
    masks : KeptMasks, optional
        Of the scan, where they are drawn.
    on_clip : callable, optional
        Called with each clip when it is whole, and how many there will be.

    Returns
    -------
    list of Clip
        What was written, with real beginnings and ends.

    Raises
    ------
    OutputError
        When one exists, or cannot be written; those before it are whole.
    SourceError
        When the source cannot be opened.
    ParameterError
        When something is to be drawn on copies.
    """
    if copy and draw:
        raise ParameterError("nothing can be drawn on clips that are copied; leave copying or drawing out")
    reading = excerpt or Excerpt()
    copier = copier_of(result, reading, "its clips are encoded") if copy and result.events else None
    clips = plan_clips(result, rule, folder, copier.suffix if copier else ".mp4", name)
    if not clips or result.facts is None:
        return []
    check_clips(clips, overwrite=overwrite, sources=[*result.facts.source, *keep])
    written: list[Clip] = []

    def done(clip: Clip) -> None:
        written.append(clip)
        if on_clip is not None:
            on_clip(clip, len(clips))

    try:
        if copier is not None:
            for clip in clips:
                copied = copier.copy(clip.start, clip.end, clip.path, overwrite=overwrite)
                done(replace(clip, start=copied.start, end=copied.end, copied=True))
        else:
            for passage in passages(clips):
                _encode(result, passage, draw, masks, reading, done)
    except OutputError as error:
        several = f"the {len(written)} clips before it are" if len(written) > 1 else "the clip before it is"
        before = f"; {several} whole" if written else ""
        raise OutputError(f"{error}{before}") from error
    return sorted(written, key=lambda clip: clip.event.number)


def copier_of(result: Scanned, reading: Excerpt, else_: str) -> Copier | None:
    """Return what copies parts of the source; None where it cannot be, and a warning says what is done else."""
    assert result.facts is not None
    name = result.facts.name
    try:
        if len(result.facts.source) > 1:
            raise SourceError(f"{name} and others, one timeline, cannot be copied")
        if reading.fps is not None or reading.size is not None:
            raise SourceError(f"{name} cannot be copied: its times are not its own")
        return Copier(result.facts.source[0], stream=reading.stream)
    except SourceError as error:
        logger.warning("%s: %s", str(error).removesuffix("; encode its clips anew"), else_)
        return None


def read_again(result: Scanned, reading: Excerpt, start: float, end: float) -> Source:
    """Open what was scanned once more, from a time to another, in its full size."""
    assert result.facts is not None
    names = list(result.facts.source)
    return open_source(
        names if len(names) > 1 else names[0],
        start=start,
        end=end,
        fps=reading.fps,
        stream=reading.stream,
        size=reading.size,
        pixel_format=reading.pixel_format,
    )


def _encode(
    result: Scanned,
    passage: Sequence[Clip],
    draw: Drawing,
    masks: KeptMasks | None,
    reading: Excerpt,
    done: Callable[[Clip], None],
) -> None:
    """Encode clips that lie close together, from one reading of the source."""
    waiting = sorted(passage, key=lambda clip: clip.start)
    end = max(clip.end for clip in passage)
    with ExitStack() as stack, read_again(result, reading, waiting[0].start, end) as source:
        films: dict[Film, Clip] = {}

        def finish(film: Film, next_time: float | None) -> None:
            clip = films.pop(film)
            start, end = film.finish(next_time)
            done(replace(clip, start=start, end=min(end, clip.end) if next_time is not None else end))

        try:
            for frame in source:
                while waiting and waiting[0].start <= frame.time + 1e-6:
                    clip = waiting.pop(0)
                    picturer = Picturer(draw, result, clip.start, clip.end, clip.event, masks) if draw else None
                    film = stack.enter_context(Film(clip.path, source.info, source.sound, picturer))
                    films[film] = clip
                for film in [film for film, clip in films.items() if clip.end <= frame.time + 1e-6]:
                    finish(film, frame.time)
                for film in films:
                    film.write(frame)
        except SourceError as error:
            logger.warning("%s; clips end there", error)
        for film in list(films):
            finish(film, None)
