"""Pictures of the moment at which most moves, read back from the recording in its colours."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from bgsub.errors import BgsubError, OutputError, ParameterError
from bgsub.files import atomic_write
from bgsub.motion.events import Event
from bgsub.motion.results import Scanned
from bgsub.motion.tracking import Track
from bgsub.video.frame import Frame
from bgsub.video.opening import open_source
from bgsub.video.source import Source

logger = logging.getLogger(__name__)

_BOX_COLOR, _PATH_COLOR, _RIM = (60, 200, 255), (255, 200, 60), (0, 0, 0)
_BEFORE = 0.02  # seconds; a time that was rounded must not pass its frame over
_WITHIN = 2.0  # seconds after the peak in which its frame is looked for
_NEAR, _TOGETHER = 5.0, 16  # seconds between peaks, and how many are in memory together
_WIDTHS = (16, 4096)


def peak_pictures(
    result: Scanned,
    events: Sequence[Event] | None = None,
    *,
    width: int = 640,
    boxes: bool = False,
    path: bool = False,
) -> Iterator[tuple[Event, np.ndarray | None]]:
    """Yield each event with the picture of its peak, BGR uint8; None where it cannot be read again.

    Parameters
    ----------
    result : Scanned
        What was found, and where.
    events : sequence of Event, optional
        Of which; default all of the result.
    width : int, default 640
        Of the picture, in pixels, 16 to 4096; a narrower source stays as it is.
    boxes : bool
        Draw boxes around what moves at the peak.
    path : bool
        Draw where the event's tracks have come from, and go to.
    """
    if not _WIDTHS[0] <= width <= _WIDTHS[1]:
        raise ParameterError(f"width={width} is out of bounds; give {_WIDTHS[0]} to {_WIDTHS[1]} pixels")
    tracks = {track.number: track for track in result.tracks}
    for group in _near_each_other(result.events if events is None else events):
        for event, frame in zip(group, _read(result, group, width), strict=True):
            image = None if frame is None or result.facts is None else frame.copy()
            if image is not None and result.facts is not None:
                factor = image.shape[1] / max(1, result.facts.width)
                if path:
                    _draw_paths(image, [tracks[n] for n in event.tracks if n in tracks], event, factor)
                if boxes:
                    _draw_boxes(image, event, factor)
            yield event, image


def write_thumbnails(
    result: Scanned, base: Path, *, width: int = 640, boxes: bool = False, path: bool = False, overwrite: bool = False
) -> Iterator[Path]:
    """Write a JPEG of each event's peak, ``NAME.event-003.jpg``, and yield each that was written, when it is.

    Parameters
    ----------
    result : Scanned
        What was found.
    base : Path
        Folder and beginning of the names; the folder exists.
    width : int
        Of the pictures, as of `peak_pictures`.
    boxes, path : bool
        What is drawn, likewise.
    overwrite : bool
        Replace files that exist.

    Raises
    ------
    OutputError
        When a file exists, before any is written, or cannot be written: those before it are whole.
    """
    targets = {event.number: base.with_name(f"{base.name}.event-{event.number:03}.jpg") for event in result.events}
    for target in targets.values():
        if target.exists() and not overwrite:
            raise OutputError(f"{target} exists; pass --overwrite or choose another name")
    for event, image in peak_pictures(result, width=width, boxes=boxes, path=path):
        if image is not None:
            with atomic_write(targets[event.number]) as file:
                file.write(as_jpeg(image))
            yield targets[event.number]


def as_jpeg(image: np.ndarray, quality: int = 85) -> bytes:
    """Return a picture as JPEG.

    Parameters
    ----------
    image : ndarray of uint8
        Grey or BGR.
    quality : int
        From 1 to 100.
    """
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return bytes(data.tobytes())


def _near_each_other(events: Sequence[Event]) -> Iterator[list[Event]]:
    """Yield events in groups that are read in one go: opening and seeking takes as long as some seconds of reading."""
    group: list[Event] = []
    for event in events:
        if group and not (0 <= event.peak - group[-1].peak <= _NEAR and len(group) < _TOGETHER):
            yield group
            group = []
        group.append(event)
    if group:
        yield group


def _read(result: Scanned, group: Sequence[Event], width: int) -> list[np.ndarray | None]:
    """Return the frames of the peaks of events that rise in time, or those just before."""
    files = result.source or (result.facts.source if result.facts else ())
    found: list[np.ndarray | None] = []
    if files and result.facts is not None and files != ("-",):
        start, end = max(0.0, group[0].peak - _BEFORE), group[-1].peak + _WITHIN
        try:
            with open_source(
                list(files) if len(files) > 1 else files[0], start=start, end=end, scale=width, prefetch=0
            ) as source:
                if source.repeatable:
                    _collect(source, group, found)
        except BgsubError as error:  # the recording was moved, or is damaged there: the events stand
            logger.debug("no picture of event %s: %s", group[min(len(found), len(group) - 1)].number, error)
    return [*found, *[None] * (len(group) - len(found))]


def _collect(source: Source, group: Sequence[Event], found: list[np.ndarray | None]) -> None:
    """Add the frames of the peaks to `found`, one after another."""
    before: Frame | None = None
    for frame in source:
        while len(found) < len(group):
            event = group[len(found)]
            if frame.index < event.peak_frame and frame.time < event.peak - 1e-6:
                break
            passed = frame.index > event.peak_frame and frame.time > event.peak + 1e-6
            found.append(_shown((before if before and passed else frame).image, source.info.bits))
        if len(found) == len(group):
            return
        before = frame
    while before and len(found) < len(group) and before.time >= group[len(found)].peak - _BEFORE:
        found.append(_shown(before.image, source.info.bits))


def _shown(image: np.ndarray, bits: int) -> np.ndarray:
    """Return a frame as BGR of 8 bits."""
    if image.dtype != np.uint8:
        scale = 255.0 / max(float(image.max()), 1e-9) if image.dtype.kind == "f" else 255.0 / (2**bits - 1)
        image = cv2.convertScaleAbs(image, alpha=scale)
    return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.ndim == 2 else image


def _draw_boxes(image: np.ndarray, event: Event, factor: float) -> None:
    for left, top, width, height in event.peak_boxes:
        corners = [round(v * factor) for v in (left, top, left + width, top + height)]
        for color, thickness in ((_RIM, 3), (_BOX_COLOR, 1)):
            cv2.rectangle(image, corners[:2], corners[2:], color, thickness, cv2.LINE_AA)


def _draw_paths(image: np.ndarray, tracks: Sequence[Track], event: Event, factor: float) -> None:
    for track in tracks:
        places = [s.center for s in track.sightings if event.start <= s.time <= event.end]
        if len(places) < 2:
            continue
        line = np.round(np.array(places) * factor).astype(np.int32).reshape(-1, 1, 2)
        for color, thickness in ((_RIM, 4), (_PATH_COLOR, 2)):
            cv2.polylines(image, [line], False, color, thickness, cv2.LINE_AA)
        cv2.circle(image, line[-1, 0].tolist(), 4, _PATH_COLOR, -1, cv2.LINE_AA)
