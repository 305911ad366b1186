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
from bgsub.video.opening import open_source

logger = logging.getLogger(__name__)

_BOX_COLOR, _PATH_COLOR, _RIM = (60, 200, 255), (255, 200, 60), (0, 0, 0)
_BEFORE = 0.02  # seconds; a time that was rounded must not pass its frame over
_WITHIN = 2.0  # seconds after the peak in which its frame is looked for
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
    for event in result.events if events is None else events:
        image = _read(result, event, width)
        if image is not None and result.facts is not None:
            factor = image.shape[1] / max(1, result.facts.width)
            if path:
                _draw_paths(image, [tracks[n] for n in event.tracks if n in tracks], event, factor)
            if boxes:
                _draw_boxes(image, event, factor)
        yield event, image


def write_thumbnails(
    result: Scanned, base: Path, *, width: int = 640, boxes: bool = False, path: bool = False, overwrite: bool = False
) -> list[Path]:
    """Write a JPEG of each event's peak, ``NAME.event-003.jpg``, and return those that were written.

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
    written = []
    for event, image in peak_pictures(result, width=width, boxes=boxes, path=path):
        if image is not None:
            with atomic_write(targets[event.number]) as file:
                file.write(as_jpeg(image))
            written.append(targets[event.number])
    return written


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


def _read(result: Scanned, event: Event, width: int) -> np.ndarray | None:
    """Return the frame of the peak, or the nearest to its time."""
    files = result.source or (result.facts.source if result.facts else ())
    if not files or result.facts is None or files == ("-",):
        return None
    start = max(0.0, event.peak - _BEFORE)
    best: np.ndarray | None = None
    try:
        source = open_source(
            list(files) if len(files) > 1 else files[0], start=start, duration=_WITHIN, scale=width, prefetch=0
        )
        with source:
            if not source.repeatable:
                return None
            for frame in source:
                best = frame.image if best is None or frame.time <= event.peak + 1e-6 else best
                if frame.index >= event.peak_frame or frame.time >= event.peak:
                    break
            return None if best is None else _shown(best, source.info.bits)
    except BgsubError as error:  # the recording was moved, or is damaged there: the event stands
        logger.debug("no picture of event %s: %s", event.number, error)
        return None


def _shown(image: np.ndarray, bits: int) -> np.ndarray:
    """Return a frame as BGR of 8 bits that may be drawn on."""
    if image.dtype != np.uint8:
        scale = 255.0 / max(float(image.max()), 1e-9) if image.dtype.kind == "f" else 255.0 / (2**bits - 1)
        image = cv2.convertScaleAbs(image, alpha=scale)
    return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.ndim == 2 else image.copy()


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
