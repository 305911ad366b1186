"""Where recordings lie: a folder a camera, a folder a day, names in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

CAMERA_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What a camera may be called: its name is a folder, and a word in topics and addresses."""

CLIP, SEGMENT, THUMBNAIL, RECORD, TRACKS = ".mp4", ".segment.mp4", ".jpg", ".json", ".tracks.csv"
"""What the names of an event's clip, of a continuous segment, and of what lies beside a clip end in."""


def stamp(moment: datetime) -> str:
    """Return a moment as file names have it: ``2026-11-27T16-05-09.250Z``, which sorts by time.

    Parameters
    ----------
    moment : datetime
        With a zone.
    """
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H-%M-%S}.{moment.microsecond // 1000:03d}Z"


def day_folder(directory: Path, camera: str, moment: datetime) -> Path:
    """Return the folder of a camera's day, ``DIRECTORY/CAMERA/2026-11-27``."""
    return directory / camera / f"{moment.astimezone(UTC):%Y-%m-%d}"


EVENT = re.compile(rf"({CAMERA_NAME.pattern})/((\d{{4}}-\d\d-\d\d)T\d\d-\d\d-\d\d\.\d{{3}}Z)", re.ASCII)
"""The identity of an event: camera, and stamp of its beginning, which begins with the day."""

FILE = re.compile(rf"({CAMERA_NAME.pattern})/(\d{{4}}-\d\d-\d\d)/[A-Za-z0-9][A-Za-z0-9._-]{{0,120}}", re.ASCII)
"""A file of ours, relative to the directory: nothing that matches leads out of it."""


def event_id(camera: str, start: datetime) -> str:
    """Return the identity of an event, ``yard/2026-11-27T16-05-09.250Z``."""
    return f"{camera}/{stamp(start)}"


def record_file(event: str) -> str:
    """Return where the record of an event lies, by its identity, relative to the directory.

    Raises
    ------
    ValueError
        When it is no identity.
    """
    found = EVENT.fullmatch(event)
    if found is None:
        raise ValueError(f"{event!r} is no identity of an event")
    return f"{found[1]}/{found[3]}/{found[2]}{RECORD}"


def moment(text: str) -> datetime:
    """Return the moment of a stamp, in UTC.

    Raises
    ------
    ValueError
        When it is none.
    """
    return datetime.strptime(text, "%Y-%m-%dT%H-%M-%S.%fZ").replace(tzinfo=UTC)
