"""The files of an event beside its clip: the record, the picture of its peak, the tracks."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from bgsub.errors import BgsubError
from bgsub.files import atomic_write
from bgsub.live.layout import CLIP, RECORD, THUMBNAIL, TRACKS, day_folder, stamp
from bgsub.live.looking.drawing import draw_boxes
from bgsub.live.looking.privacy import hide
from bgsub.live.messages import EventRecord
from bgsub.live.settings import Zone
from bgsub.motion.blobs import Box
from bgsub.motion.thumbnails import as_jpeg
from bgsub.motion.tracking import Track
from bgsub.video.key_frames import key_times

logger = logging.getLogger(__name__)

_LARGEST_HEAD = 4096  # bytes of a clip in which nothing is shown


class Moment(NamedTuple):
    """Where one picture is on two clocks, by which times near it are told on the other.

    Attributes
    ----------
    time : float
        In seconds of `Clock.monotonic`.
    day : datetime
        Of the day.
    """

    time: float
    day: datetime

    def of_day(self, time: float) -> datetime:
        """Return the time of the day at a second of the clock."""
        return self.day + timedelta(seconds=time - self.time)


class Peak(NamedTuple):
    """The picture in which most moves so far, BGR, what moves in it, and how much: boxes in pixels of the source."""

    picture: np.ndarray
    boxes: tuple[Box, ...]
    size: tuple[int, int]
    area: float


class Place(NamedTuple):
    """Where the files of an event lie.

    Attributes
    ----------
    directory : Path
        Of recordings.
    folder : str
        Of the camera's day, relative to it.
    stem : str
        What their names begin with.
    """

    directory: Path
    folder: str
    stem: str

    @classmethod
    def of(cls, directory: Path, camera: str, start: datetime) -> Place:
        """Return the place of an event that begins at a time of the day."""
        folder = day_folder(directory, camera, start).relative_to(directory).as_posix()
        return cls(directory, folder, stamp(start))

    def name(self, ending: str) -> str:
        """Return the name of one of its files, relative to the directory."""
        return f"{self.folder}/{self.stem}{ending}"

    def path(self, ending: str) -> Path:
        """Return the path of one of its files."""
        return self.directory / self.name(ending)

    def size(self) -> int:
        """Return the bytes of those of its files that are there."""
        paths = (self.path(ending) for ending in (CLIP, THUMBNAIL, TRACKS))
        return sum(path.stat().st_size for path in paths if path.exists())


def shown_seconds(clip: Path) -> float:
    """Return how long a clip is, by its packets; 0 where it shows nothing, or is none."""
    try:
        return max(key_times(str(clip)), default=0.0)
    except BgsubError as error:
        logger.info("%s", error)
        return 0.0


def remove_empty(clip: Path) -> None:
    """Remove a clip that shows nothing; one that is more than a head may only not be readable now."""
    with contextlib.suppress(OSError):
        if clip.stat().st_size <= _LARGEST_HEAD:
            clip.unlink()


def write_record(place: Place, record: EventRecord) -> None:
    """Write the record of an event, which appears whole or not at all; `OutputError` where it cannot be written."""
    with atomic_write(place.path(RECORD)) as file:
        file.write(msgspec.json.format(msgspec.json.encode(record)))


def write_thumbnail(place: Place, peak: Peak, zones: Sequence[Zone]) -> None:
    """Write the picture of an event's peak, boxes drawn around what moves, and what is private black."""
    image = draw_boxes(np.ascontiguousarray(peak.picture), peak.boxes, peak.size)
    with atomic_write(place.path(THUMBNAIL)) as file:
        file.write(as_jpeg(hide(image, zones)))


def write_tracks(place: Place, tracks: Sequence[Track], size: tuple[int, int], moment: Moment) -> None:
    """Write a table of tracks: a line for each sighting, its time of the day, its box in fractions of the picture."""
    with atomic_write(place.path(TRACKS)) as file:
        file.write(b"track,time,left,top,width,height\n")
        for line in _track_lines(tracks, size, moment):
            file.write(line.encode())


def _track_lines(tracks: Iterable[Track], size: tuple[int, int], moment: Moment) -> Iterable[str]:
    across, down = size
    for track in tracks:
        for sighting in track.sightings:
            at = moment.of_day(sighting.time).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            left, top, width, height = sighting.box
            box = (left / across, top / down, width / across, height / down)
            yield f"{track.number},{at},{','.join(f'{value:.4f}' for value in box)}\n"
