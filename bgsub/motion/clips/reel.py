"""One video of the events of many recordings, with a chapter for each."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from bgsub.errors import OutputError, SourceError
from bgsub.jobs import Excerpt
from bgsub.motion.clips.picturing import Drawing, Picturer
from bgsub.motion.clips.spans import Clip, plan_clips
from bgsub.motion.clips.writing import NOTHING, Progress, read_again
from bgsub.motion.events import Rule
from bgsub.motion.results import Scanned
from bgsub.outputs import check_output
from bgsub.times import written_time
from bgsub.video.frame import Frame
from bgsub.video.writers.copying import Chapter, copy_clip
from bgsub.video.writers.drawing import to_bgr
from bgsub.video.writers.encode import explain_error
from bgsub.video.writers.joining import Piece, join_sounds
from bgsub.video.writers.videos import FrameSink, frames_sink

logger = logging.getLogger(__name__)

_SUFFIXES = (".mp4", ".mkv")


@dataclass(frozen=True)
class _Part:
    """A clip in the reel, and when it begins there."""

    result: Scanned
    clip: Clip
    place: float

    @property
    def length(self) -> float:
        return self.clip.end - self.clip.start

    @property
    def chapter(self) -> Chapter:
        facts, event = self.result.facts, self.clip.event
        assert facts is not None
        title = f"{facts.name} event {event.number}, {written_time(event.start)}"
        return Chapter(self.place, self.place + self.length, title)


def write_reel(
    results: Sequence[Scanned],
    path: str | os.PathLike[str],
    rule: Rule,
    *,
    draw: Drawing = NOTHING,
    excerpt: Excerpt | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> list[Chapter]:
    """Write the clips of all events into one video, one after another, with their sound.

    Recordings of another size than the first are brought to it, with black beside them. Clips that overlap show the
    same frames twice, each in its chapter.

    Parameters
    ----------
    results : sequence of Scanned
        Of the recordings, in the order of the reel.
    path : path-like
        ``.mp4`` or ``.mkv``. It appears when it is whole.
    rule : Rule
        How much is shown before and after an event.
    draw : Drawing
        What is drawn on the frames.
    excerpt : Excerpt, optional
        How the sources were read.
    overwrite : bool
        Let an existing file be replaced.
    progress : callable, optional
        Called with how many events are in it, and of how many.

    Returns
    -------
    list of Chapter
        One an event, with the recording's name, the event's number and its time; none, and no file, without events.

    Raises
    ------
    OutputError
        When the file exists or cannot be written.
    SourceError
        When not one frame could be read again.
    """
    parts = _parts(results, rule)
    target = check_output(path, overwrite=overwrite, suffixes=_SUFFIXES)
    for part in parts:
        for source in part.result.facts.source if part.result.facts else ():
            check_output(path, overwrite=overwrite, source=source, suffixes=_SUFFIXES)
    if not parts:
        return []
    try:
        with tempfile.TemporaryDirectory(prefix=f".{target.stem[:40]}.", dir=target.parent) as folder:
            plain = Path(folder) / f"reel{target.suffix.lower()}"
            kept = _write_frames(parts, plain, Path(folder), draw, excerpt or Excerpt(), progress)
            chapters = [part.chapter for part in kept]
            copy_clip(plain, 0.0, float("inf"), target, overwrite=overwrite, chapters=chapters)
    except OSError as error:
        reason, advice = explain_error(error)
        raise OutputError(f"cannot write {target}: {reason}; {advice}") from error
    except OutputError as error:
        if error.__cause__ is None or str(target) in str(error):
            raise
        reason, advice = explain_error(error.__cause__)  # type: ignore[arg-type]
        raise OutputError(f"cannot write {target}: {reason}; {advice}") from error
    return chapters


def _parts(results: Sequence[Scanned], rule: Rule) -> list[_Part]:
    parts, place = [], 0.0
    for result in results:
        for clip in plan_clips(result, rule, "", ".mp4"):
            parts.append(_Part(result, clip, place))
            place += parts[-1].length
    return parts


def _write_frames(
    parts: Sequence[_Part], path: Path, folder: Path, draw: Drawing, reading: Excerpt, progress: Progress | None
) -> list[_Part]:
    """Encode the frames of all parts, and return those of which there are any."""
    sound = join_sounds(_pieces(parts, reading), folder / "sound.mkv")
    kept: list[_Part] = []
    with ExitStack() as stack:
        sink: FrameSink | None = None
        for number, part in enumerate(parts, 1):
            clip = part.clip
            picturer = Picturer(draw, part.result, clip.start, clip.end, clip.event)
            try:
                with read_again(part.result, reading, clip.start, clip.end) as source:
                    for frame in source:
                        if sink is None:
                            size = (frame.image.shape[1], frame.image.shape[0])
                            info = replace(source.info, width=size[0], height=size[1])
                            sink = stack.enter_context(frames_sink(path, info, sound=sound))
                        image = to_bgr(frame.image).copy()
                        picturer.draw(image, frame.index, frame.time)
                        time = part.place + frame.time - clip.start
                        sink.write(Frame(frame.index, time, letterboxed(image, size)))
                        if not kept or kept[-1] is not part:
                            kept.append(part)
            except SourceError as error:
                logger.warning("%s; the reel goes on with the next event", error)
            if progress is not None:
                progress(number, len(parts))
    if sink is None:
        raise SourceError("there is no reel: not one frame of its events can be read again; check the recordings")
    return kept


def _pieces(parts: Sequence[_Part], reading: Excerpt) -> list[Piece]:
    """Return what is heard, of recordings that have sound."""
    pieces: list[Piece] = []
    opened: Scanned | None = None
    sound = None
    for part in parts:
        if part.result is not opened:
            opened, sound = part.result, None
            try:
                with read_again(part.result, reading, 0.0, 1e9) as source:
                    sound = source.sound
            except SourceError:  # its frames, which come next, tell
                continue
        if sound is not None:
            pieces.append(Piece(sound, part.clip.start, part.length, part.place))
    return pieces


def letterboxed(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a picture in a size (width, height), whole, its shape kept, with black beside it."""
    width, height = size
    if image.shape[:2] == (height, width):
        return image
    factor = min(width / image.shape[1], height / image.shape[0])
    small = max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor))
    resized = cv2.resize(image, small, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    left, top = (width - small[0]) // 2, (height - small[1]) // 2
    right, bottom = width - small[0] - left, height - small[1] - top
    return cv2.copyMakeBorder(resized, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(0, 0, 0))
