"""What a camera's process was recording when it was killed: completed when it begins again, and told once."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import msgspec

from bgsub.errors import BgsubError
from bgsub.live.archive.records import read_record
from bgsub.live.layout import RECORD, SEGMENT, moment
from bgsub.live.messages import EventClosed, EventRecord, FromCamera, SegmentClosed, SegmentRecord
from bgsub.live.recording.event_files import Place, remove_empty, shown_seconds, write_record

logger = logging.getLogger(__name__)

_DAYS = 2  # folders, the newest: an event, and a segment, lasts for hours at most
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_ENDED = "the program ended during it"


def finish_interrupted(directory: Path, camera: str, send: Callable[[FromCamera], None]) -> None:
    """Complete the records of events that nobody has ended, and tell of them; and of the last segment.

    What the clip shows is told by the clip. Nothing is recorded anew, and what is complete is left alone.

    Parameters
    ----------
    directory : Path
        Of recordings.
    camera : str
        Name of the camera, which is not recorded now.
    send : callable
        Called with each `EventClosed` and `SegmentClosed`.
    """
    for name in _newest(directory, camera, RECORD):
        try:
            record = read_record(directory, name)
            if record.end is None:
                send(EventClosed(_completed(directory, record)))
        except (BgsubError, OSError) as error:
            logger.warning("%s", error)
    for name in list(_newest(directory, camera, SEGMENT))[-1:]:
        try:
            segment = _segment(directory, camera, name)
            if segment is not None:
                send(SegmentClosed(segment))
        except (BgsubError, OSError, ValueError) as error:
            logger.warning("%s", error)


def _newest(directory: Path, camera: str, ending: str) -> Iterator[str]:
    """Yield the names of a camera's files of the last days, relative to the directory, the oldest first."""
    folder = directory / camera
    if not folder.is_dir():
        return
    days = sorted(path.name for path in folder.iterdir() if _DAY.fullmatch(path.name) and path.is_dir())
    for day in days[-_DAYS:]:
        for path in sorted((folder / day).glob(f"*{ending}")):
            yield f"{camera}/{day}/{path.name}"


def _completed(directory: Path, record: EventRecord) -> EventRecord:
    """Return the record of an event whose recording was cut off, as it is written now."""
    place = Place.of(directory, record.camera, record.start)
    shown = 0.0 if record.clip is None else shown_seconds(directory / record.clip)
    if record.clip is not None and not shown:
        remove_empty(directory / record.clip)
    clip_start = record.clip_start or record.start
    clip_end = clip_start + timedelta(seconds=shown)
    complete = msgspec.structs.replace(
        record,
        end=max(record.start, clip_end),
        clip=record.clip if shown else None,
        clip_start=clip_start if shown else None,
        clip_end=clip_end if shown else None,
        size=place.size(),
        error=record.error or _ENDED,
    )
    write_record(place, complete)
    return complete


def _segment(directory: Path, camera: str, name: str) -> SegmentRecord | None:
    path = directory / name
    start = moment(path.name.removesuffix(SEGMENT))
    end = start + timedelta(seconds=shown_seconds(path))
    if end == start:
        remove_empty(path)
    if not path.exists():
        return None
    return SegmentRecord(camera=camera, path=name, start=start, end=end, size=path.stat().st_size)
