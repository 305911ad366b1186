"""Tracks in MOTChallenge's columns: read again, in order, and whole or not at all."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from bgsub.errors import OutputError
from bgsub.motion.motchallenge import write_motchallenge
from bgsub.motion.tracking import Sighting, Track


def track(number: int, frames) -> Track:
    return Track(number, tuple(Sighting(i, i / 25, (10 * number + i, 5, 7, 9), 50.0, (1.0, 2.0)) for i in frames))


def read(path: Path) -> dict[int, list[tuple[int, tuple[int, ...]]]]:
    """Frames from 0 and boxes by track."""
    found: dict[int, list] = {}
    with path.open(newline="") as file:
        for row in csv.reader(file):
            frame, number, left, top, width, height = map(int, row[:6])
            assert row[6:] == ["1", "-1", "-1", "-1"]
            found.setdefault(number, []).append((frame - 1, (left - 1, top - 1, width, height)))
    return found


def test_the_table_gives_the_tracks_back(tmp_path: Path) -> None:
    tracks = [track(2, [3, 4, 9]), track(1, range(6))]
    write_motchallenge(tmp_path / "tracks.csv", tracks)
    assert read(tmp_path / "tracks.csv") == {t.number: [(s.frame, s.box) for s in t.sightings] for t in tracks}


def test_lines_are_by_frame_and_number_and_frames_and_pixels_count_from_1(tmp_path: Path) -> None:
    write_motchallenge(tmp_path / "tracks.csv", [track(2, [0, 1]), track(1, [1])])
    assert (tmp_path / "tracks.csv").read_bytes() == (
        b"1,2,21,6,7,9,1,-1,-1,-1\n2,1,12,6,7,9,1,-1,-1,-1\n2,2,22,6,7,9,1,-1,-1,-1\n"
    )


def test_no_tracks_are_an_empty_file(tmp_path: Path) -> None:
    write_motchallenge(tmp_path / "tracks.csv", [])
    assert (tmp_path / "tracks.csv").read_bytes() == b""


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write .*tracks\.csv"):
        write_motchallenge(tmp_path / "no" / "tracks.csv", [])
