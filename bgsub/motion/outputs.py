"""What of a scan is written beside reports: files of each timeline, named after it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bgsub.errors import OutputError
from bgsub.files import atomic_write
from bgsub.motion.results import Scanned

RESULT = ".scan.json"
TRACKS = ".tracks.csv"
"""What the file of a timeline's result is called, behind its name."""

HEATMAP, TRACKS, EVENT = ".heat.png", ".tracks.csv", ".event-"
"""What its heat map, its table of tracks, and the beginning of each event's clip and thumbnail are called."""


@dataclass(frozen=True)
class ScanOutputs:
    """Files that are made of each timeline, in the folder of results.

    Attributes
    ----------
    clips : {'copy', 'exact'} or None
        A clip of each event: packets copied between key frames, or encoded again from frame to frame.
    draw : tuple of str
        What is drawn into exact clips: "boxes", "path", "timecode", "graph"; those that are copied stay as they are.
    thumbnails : bool
        A picture of each event's peak.
    heatmap : bool
        Where how much moves, over the background.
    tracks : bool
        A table of tracks in MOTChallenge's columns.
    result : bool
        The result itself, which a broken-off run goes on from.
    overwrite : bool
        Replace what exists.
    """

    clips: Literal["copy", "exact"] | None = None
    draw: tuple[str, ...] = ()
    thumbnails: bool = False
    heatmap: bool = False
    tracks: bool = False
    result: bool = False
    overwrite: bool = False

    @property
    def any(self) -> bool:
        """Whether anything is written."""
        return bool(self.clips or self.thumbnails or self.heatmap or self.tracks or self.result)


def read_result(path: Path) -> Scanned:
    """Return a result that was written before.

    Raises
    ------
    OutputError
        When the file cannot be read, or is no result.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise ValueError("it is too large")
        return Scanned.from_dict(json.loads(data))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"cannot read {path}: {reason}; delete it and it is made again") from error


def write_result(path: Path, scanned: Scanned) -> None:
    """Write a result that `read_result` reads."""
    with atomic_write(path) as file:
        file.write(json.dumps(scanned.as_dict()).encode())


_LARGEST = 2**28  # bytes of a result; a day with ten thousand tracks has a tenth


def as_settings(outputs: ScanOutputs) -> dict[str, Any]:
    """Return what decides which files there are, in types that JSON has."""
    return {name: value for name, value in vars(outputs).items() if name != "overwrite"}
