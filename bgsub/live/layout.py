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
