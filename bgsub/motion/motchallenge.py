"""Tracks in MOTChallenge's columns, which tools for tracking read: a line for each object in each frame."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterable, Iterator

from bgsub.files import atomic_write
from bgsub.motion.tracking import Track


def motchallenge_lines(tracks: Iterable[Track]) -> Iterator[str]:
    """Yield the lines of a table, by frame and number, without ends of line.

    The columns are frame, number, left, top, width, height, confidence, and three of -1, for places in the world.
    Frames and pixels count from 1 there, so 1 is added to frame, left and top; confidence is 1.

    Parameters
    ----------
    tracks : iterable of Track
        In any order.
    """
    for frame, number, (left, top, width, height) in heapq.merge(*(_rows(track) for track in tracks)):
        yield f"{frame + 1},{number},{left + 1},{top + 1},{width},{height},1,-1,-1,-1"


def write_motchallenge(path: str | os.PathLike[str], tracks: Iterable[Track]) -> None:
    """Write the table of `motchallenge_lines`; the file takes its name once it is whole.

    Parameters
    ----------
    path : path-like
        File to write, replaced if it exists.
    tracks : iterable of Track
        In any order; none gives an empty file.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    with atomic_write(path) as file:
        for line in motchallenge_lines(tracks):
            file.write(line.encode() + b"\n")


def _rows(track: Track) -> Iterator[tuple[int, int, tuple[int, int, int, int]]]:
    return ((sighting.frame, track.number, sighting.box) for sighting in track.sightings)
