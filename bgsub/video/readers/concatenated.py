"""Several sources as one: their frames follow on one timeline, as if they had never been cut."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from bgsub.errors import ParameterError, SourceError
from bgsub.video.frame import Frame, VideoInfo
from bgsub.video.readers.fitting import brought_to, like
from bgsub.video.selection import Selection
from bgsub.video.source import Source

log = logging.getLogger(__name__)

_MOST_LOOKED_AT = 200  # parts that are opened beforehand, to know how long all are together
_ASSUMED_RATE = Fraction(25)  # between the last frame of a part and the first of the next, where nothing tells it
_TIME_BASE = Fraction(1, 90_000)  # where the parts have different ones

_TAIL = 2.0  # seconds at the end of a part that tell where the next one begins

_NO_IMAGE = np.empty((0, 0), np.uint8)

OpenPart = Callable[[str | int, Selection], Source]


class _Reading:
    """What was seen of one part."""

    def __init__(self, *, from_the_first: bool = True) -> None:
        self.rate: Fraction | None = None
        self.last: Frame | None = None
        self.damaged = 0
        self._first = 0 if from_the_first else None
        self._seen = 0
        self._step: float | None = None

    def note(self, frame: Frame) -> None:
        """Take note of a frame."""
        if self.last is not None:
            self._step = frame.time - self.last.time
        if self._first is None:
            self._first = frame.index
        self._seen += 1
        self.last = Frame(frame.index, frame.time, _NO_IMAGE)

    @property
    def count(self) -> int:
        """Frames of the part, also those at its end that cannot be decoded."""
        assert self.last is not None
        return self.last.index + 1 + self._lost

    @property
    def end(self) -> float:
        """Time at which the next part begins."""
        assert self.last is not None
        period = float(1 / self.rate) if self.rate else self._step or float(1 / _ASSUMED_RATE)
        return self.last.time + period * (1 + self._lost)

    @property
    def _lost(self) -> int:
        assert self.last is not None
        return max(0, self._seen + self.damaged - (self.last.index + 1 - (self._first or 0)))


class ConcatenatedSource(Source):
    """Frames of several files or folders, one after another.

    Indices run on, and times go on: the first frame of a part follows the last of the part before by that one's frame
    period. The first part decides the size, and whether all are colour or grey: others are brought to it, with a
    warning. A part that cannot be opened, or breaks off, is warned of, and the next one follows; at the end, after all
    were read, the iteration raises `SourceError`.

    Parameters
    ----------
    parts : sequence of str or int
        What is read, in this order.
    open_part : callable
        Opens one of them for what a selection of it wants, in its own size.
    selection : Selection
        Of the whole timeline.

    Raises
    ------
    SourceError
        When none can be opened.
    ParameterError
        When one cannot be read twice: a camera, a pipe, a live stream.
    """

    repeatable = True

    def __init__(self, parts: Sequence[str | int], open_part: OpenPart, selection: Selection) -> None:
        self._parts = parts
        self._open_part = open_part
        self._selection = selection
        self._errors: list[str] = []
        self._told: set[str] = set()
        self._part: Source | None = None
        self._done_damage = 0
        self._closed = False
        self._audio = False
        self._known = self._look(parts)
        whole = _joined([info for info in self._known if info is not None], len(parts) > len(self._known))
        self._shape: tuple[int, ...] | None = None
        self._selection = selection.thinned(whole.fps)
        self.info = self._selection.narrowed(whole, uniform=False)
        self._frames = self._read()

    def _look(self, parts: Sequence[str | int]) -> list[VideoInfo | None]:
        """Open the parts and close them again, until enough are known; None of one that cannot be opened."""
        known: list[VideoInfo | None] = []
        first: SourceError | None = None
        for number, part in enumerate(parts):
            if number >= _MOST_LOOKED_AT and any(known):
                break
            try:
                with self._open_part(part, Selection()) as source:
                    if not source.repeatable:
                        raise ParameterError(
                            f"cannot join {source.info.name} to others: it cannot be read twice; record it first"
                        )
                    known.append(source.info)
                    self._audio = self._audio or bool(source.describe().get("audio"))
            except SourceError as error:
                first = first or error
                known.append(None)
        if not any(known):
            raise first or SourceError("there is nothing to join: name the parts")
        return known

    @property
    def damaged(self) -> int:  # type: ignore[override]
        """Frames of all parts skipped so far because they could not be decoded."""
        part = self._part
        return self._done_damage + (0 if part is None else part.damaged)

    def describe(self) -> dict[str, object]:
        """Return all that is known of the source, in types that JSON has."""
        return super().describe() | {"audio": self._audio, "parts": [str(part) for part in self._parts]}

    def __iter__(self) -> Iterator[Frame]:
        return self._frames

    def _read(self) -> Iterator[Frame]:
        """Yield the selected frames of all parts."""
        delivered, time = False, 0.0
        for time, frame in self._timeline():
            if self._selection.over(time):
                break
            if self._selection.wants(frame.index, time):
                image = frame.image if self._selection.scale is None else self._selection.resize(frame.image)
                yield Frame(frame.index, time, image, duration=frame.duration)
                delivered = True
        if self._closed:
            return
        if self._errors:
            more = f", and {len(self._errors) - 1} more such" if len(self._errors) > 1 else ""
            raise SourceError(f"of {len(self._parts)} parts, one could not be read whole{more}: {self._errors[0]}")
        if not delivered:
            raise self._selection.nothing_in(self.info.name, time)

    def _timeline(self) -> Iterator[tuple[float, Frame]]:
        """Yield the frames of all parts with their indices and times in the whole, of the first part's shape.

        Of what lies long before the selection's start only so much as tells where the next part begins.
        """
        index, start = 0, 0.0
        for position, part in enumerate(self._parts):
            reading = _Reading()
            try:
                for begin in self._beginnings(position, self._selection.start - start):
                    reading = _Reading(from_the_first=begin == 0)
                    for frame in self._frames_of(part, begin, reading):
                        image = self._fitted(part, frame.image)
                        yield start + frame.time, Frame(index + frame.index, 0.0, image, duration=frame.duration)
                    if reading.last is not None:
                        break
            except SourceError as error:
                self._errors.append(str(error))
                log.warning("%s", error)
            if self._closed:
                return
            if reading.last is not None:
                index, start = index + reading.count, start + reading.end

    def _beginnings(self, position: int, wanted: float) -> Iterator[float]:
        """Yield from which time on a part is read whose frames are wanted from `wanted` on; 0 at last."""
        info = self._known[position] if position < len(self._known) else None
        if info is not None and info.duration:
            begin = min(wanted, info.duration) - _TAIL
            if begin > _TAIL:
                yield begin
        yield 0.0

    def _frames_of(self, part: str | int, begin: float, reading: _Reading) -> Iterator[Frame]:
        """Yield the frames of one part, take note of them, and close it."""
        with self._open_part(part, self._selection.whole_part(begin)) as source:
            self._part, reading.rate = source, source.info.fps
            try:
                for frame in source:
                    reading.note(frame)
                    yield frame
            except SourceError:
                if begin == 0 or reading.last is not None:
                    raise  # else it ends before it said it would: read from its beginning
            finally:
                reading.damaged = source.damaged
                self._done_damage += source.damaged
                self._part = None

    def _fitted(self, part: str | int, image: np.ndarray) -> np.ndarray:
        """Return an image in the size and the channels of the first."""
        if self._shape is None:
            self._shape, self._dtype = image.shape, image.dtype
        if image.shape == self._shape and image.dtype == self._dtype:
            return image
        if image.dtype != self._dtype:
            raise SourceError(f"{part} has pixels of {image.dtype}, the parts before it {self._dtype}: it is left out")
        if str(part) not in self._told:
            self._told.add(str(part))
            log.warning("%s has %s: it is brought to %s", part, like(image.shape), like(self._shape))
        return brought_to(image, self._shape)

    def close(self) -> None:
        """End the iteration before its next frame, and close the part that is open."""
        self._closed = True
        if self._part is not None:
            self._part.close()


def _joined(known: Sequence[VideoInfo], more: bool) -> VideoInfo:
    """Return what is known of the whole, from what is known of the parts; there may be more of them."""
    first = known[0]
    counts = [info.frame_count for info in known]
    durations = [info.duration for info in known]
    bases = {info.time_base for info in known}
    others = "" if len(known) == 1 and not more else f"+{len(known) - 1}{'...' if more else ''}"
    return replace(
        first,
        name=first.name + others,
        frame_count=None if more or None in counts else sum(filter(None, counts)),
        duration=None if more or None in durations else sum(filter(None, durations)),
        time_base=bases.pop() if len(bases) == 1 and not more else _TIME_BASE,
    )
