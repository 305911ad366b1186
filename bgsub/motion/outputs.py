"""What of a scan is written beside reports: files of each timeline, named after it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from bgsub.errors import OutputError
from bgsub.files import atomic_write
from bgsub.motion.clips.spans import Clip
from bgsub.motion.results import Scanned
from bgsub.motion.stored import as_plain, damage, from_plain

RESULT, HEATMAP, TRACKS = ".scan.json", ".heat.png", ".tracks.csv"
"""What the files of a timeline are called, behind its name: its result, its heat map, its table of tracks."""

MASKS, OVERLAY, GRAPH, CHAPTERS = ".mask.mkv", ".overlay.mp4", ".graph.png", ".chapters.mkv"
"""Likewise the videos of its masks, and of its frames with the masks on them, its motion graph, its copy."""

EVENT, THUMBNAIL = ".event-", ".jpg"
"""How the names of each event's clip and thumbnail go on, and how the latter ends."""

_IN_WORDS = {
    MASKS: "masks",
    OVERLAY: "overlay",
    CHAPTERS: "copy with chapters",
    HEATMAP: "heat map",
    GRAPH: "graph",
    TRACKS: "tracks",
}


@dataclass(frozen=True)
class ScanOutputs:
    """Files that are made of each timeline, in the folder of results.

    Attributes
    ----------
    clips : {'copy', 'exact'} or None
        A clip of each event: packets copied between key frames, or encoded again from frame to frame.
    draw : tuple of str
        What is drawn into exact clips and the overlay: "boxes", "path", "timecode", "graph", "mask"; clips that are
        copied stay as they are.
    thumbnails : bool
        A picture of each event's peak.
    heatmap : bool
        Where how much moves, over the background.
    graph : bool
        How much moves over time, as a picture.
    tracks : bool
        A table of tracks in MOTChallenge's columns.
    mask_video : bool
        The masks as a video without loss.
    overlay_video : bool
        The whole video once more, with what moves tinted and outlined.
    chapters : bool
        A copy of the video with a chapter for each event.
    result : bool
        The result itself, which a broken-off run goes on from.
    overwrite : bool
        Replace what exists.
    """

    clips: Literal["copy", "exact"] | None = None
    draw: tuple[str, ...] = ()
    thumbnails: bool = False
    heatmap: bool = False
    graph: bool = False
    tracks: bool = False
    mask_video: bool = False
    overlay_video: bool = False
    chapters: bool = False
    result: bool = False
    overwrite: bool = False

    @property
    def of_masks(self) -> bool:
        """Whether anything is made of the masks of all frames."""
        return self.mask_video or self.overlay_video or (self.clips == "exact" and "mask" in self.draw)

    @property
    def any(self) -> bool:
        """Whether anything is written."""
        return any(value for name, value in vars(self).items() if name not in ("draw", "overwrite"))


class _KeptClip(NamedTuple):
    """A clip as it stands in the file of its result, in whose folder it lies."""

    event: int
    file: str
    start: float
    end: float
    copied: bool


def in_words(paths: Sequence[Path]) -> str:
    """Return what of a timeline was written, in words: ``2 clips, 2 thumbnails, heat map``."""
    of_events = [path for path in paths if EVENT in path.name]
    thumbnails = sum(path.suffix == THUMBNAIL for path in of_events)
    counts = (len(of_events) - thumbnails, "clip"), (thumbnails, "thumbnail")
    words = [f"{n} {word}{'s' * (n > 1)}" for n, word in counts if n]
    words += [word for ending, word in _IN_WORDS.items() if any(path.name.endswith(ending) for path in paths)]
    return ", ".join(words)


def read_result(path: Path) -> tuple[Scanned, tuple[Clip, ...]]:
    """Return a result that was written before, and the clips that were written with it.

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
        values = json.loads(data)
        scanned = Scanned.from_dict(values)
        return scanned, _clips(scanned, values.get("clips", ()), path.parent)
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"cannot read {path}: {reason}; delete it and it is made again") from error


def write_result(path: Path, scanned: Scanned, clips: Sequence[Clip] = ()) -> None:
    """Write a result that `read_result` reads; clips lie beside it."""
    kept = [_KeptClip(clip.event.number, clip.path.name, clip.start, clip.end, clip.copied) for clip in clips]
    with atomic_write(path) as file:
        file.write(json.dumps({**scanned.as_dict(), "clips": as_plain(kept)}).encode())


def _clips(scanned: Scanned, values: Any, folder: Path) -> tuple[Clip, ...]:
    """Return the clips of a result that was read; what is told comes from outside."""
    events = {event.number: event for event in scanned.events}
    clips = []
    for kept in from_plain(tuple[_KeptClip, ...], values, "clips"):
        if kept.event not in events or Path(kept.file).name != kept.file:
            raise damage("clips", "are not those of its events")
        clips.append(Clip(events[kept.event], kept.start, kept.end, folder / kept.file, kept.copied))
    return tuple(clips)


_LARGEST = 2**28  # bytes of a result; a day with ten thousand tracks has a tenth


def as_settings(outputs: ScanOutputs) -> dict[str, Any]:
    """Return what decides which files there are, in types that JSON has."""
    return {name: value for name, value in vars(outputs).items() if name != "overwrite"}
