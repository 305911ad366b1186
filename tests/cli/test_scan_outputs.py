"""`bgsub scan`: what it writes, and what it says of that."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import av
import cv2
import pytest

from bgsub.cli import main
from tests.cli.clips import files_in, read_video
from tests.motion.recordings import pictures, record
from tests.video.clips import write_clip


@pytest.fixture
def door(workplace):
    """A recording with two crossings and a key frame every two seconds."""
    Path("rec").mkdir()
    shown = pictures(150, [(20, 45), (110, 135)])
    write_clip("rec/door.mp4", shown, codec="libx264", pix_fmt="yuv420p", gop=50, options={"bf": "0"})
    return workplace / "rec" / "door.mp4"


def test_what_was_written_is_told_and_how_far_copies_reach_over(bgsub, door):
    arguments = ["rec/door.mp4", "--before", "0.2", "--after", "0.2", "--thumbnails", "--tracks", "--into", "out"]
    outcome = bgsub("scan", *arguments, "--clips", "copy", "--report", "out/all.csv", "--reel", "out/all.mkv")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines()[4:] == [
        "  wrote out/door.*: 2 clips, 2 thumbnails, tracks",
        "  copied between key frames, clips begin up to 0.6 s earlier",  # at 0 for 0.6, at 4.0 for 4.2
        "  wrote out/all.csv",
        "  wrote out/all.mkv",
    ]
    again = bgsub("scan", *arguments, "--clips", "copy", "--json")
    (first, second) = json.loads(again.out)["clips"]  # read back with the result
    assert (first["event"], first["file"], first["copied"]) == (1, "out/door.event-001.mp4", True)
    assert (first["start"], second["start"]) == (0, 4)
    for clip in (first, second):
        times, _ = read_video(clip["file"])
        assert clip["end"] - clip["start"] == pytest.approx(times[-1] + 0.04)
    with Path("out/all.csv").open(newline="") as table:
        told = [(float(row["Clip Start (Seconds)"]), float(row["Clip End (Seconds)"])) for row in csv.DictReader(table)]
    assert told == [(clip["start"], pytest.approx(clip["end"], abs=1e-3)) for clip in (first, second)]


def test_clips_that_lie_among_the_recordings_are_not_scanned(bgsub, door):
    Path("rec/yard.event-001.mp4").write_bytes(door.read_bytes())  # a recording, whatever it is called
    arguments = ["rec", "--into", "rec", "--clips", "copy", "--reel", "rec/all.mp4", "--overwrite", "--jobs", "1"]
    first = bgsub("scan", *arguments)
    assert first.out.splitlines()[-2].startswith("2 videos: 2 done; 4 events")
    again = bgsub("scan", *arguments)
    assert again.out.splitlines()[-2].startswith("2 videos: 2 done; 4 events")
    assert [name for name in files_in("rec") if name.endswith(".mp4")] == [
        "all.mp4",
        "door.event-001.mp4",
        "door.event-002.mp4",
        "door.mp4",
        "yard.event-001.event-001.mp4",
        "yard.event-001.event-002.mp4",
        "yard.event-001.mp4",
    ]
    refused = bgsub("scan", "rec/door.event-001.mp4", "--into", "rec", "--clips", "copy")
    assert "door.event-001.mp4: it was made by an earlier scan" in refused.error
    assert bgsub("scan", "rec/door.event-001.mp4").code == 0  # elsewhere it is one as any other


def test_the_motion_graph_is_a_picture(bgsub, door):
    outcome = bgsub("scan", "rec/door.mp4", "--graph", "--into", "out")
    assert outcome.out.splitlines()[-1] == "  wrote out/door.*: graph"
    picture = cv2.imread("out/door.graph.png")
    assert picture.shape[1] > 1000
    Path("no.toml").write_text("graph = false\n")
    assert "wrote" not in bgsub("scan", "rec/door.mp4", "--config", "no.toml").out


def test_a_graph_without_matplotlib_is_refused_before_the_scan(bgsub, door, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    outcome = bgsub("scan", "rec/door.mp4", "--graph")
    assert (outcome.code, outcome.out) == (1, "")
    assert 'pip install "bgsub[plots]"' in outcome.error


def test_clips_that_are_encoded_reach_over_nothing(bgsub, door):
    outcome = bgsub("scan", "rec/door.mp4", "--clips", "exact", "--max-events", "1")
    assert outcome.out.splitlines()[-1] == "  wrote door.*: 1 clip"


def test_files_that_exist_are_refused_before_the_scan(bgsub, door):
    Path("door.event-007.mp4").write_bytes(b"mine")
    outcome = bgsub("scan", "rec/door.mp4", "--clips", "exact")
    assert (outcome.code, outcome.out) == (1, "")
    assert "door.event-007.mp4 exists; pass --overwrite" in outcome.error
    assert bgsub("scan", "rec/door.mp4", "--thumbnails").code == 0  # they are called otherwise


def test_a_reel_of_nothing_is_told(bgsub, workplace):
    record("rec/wall.mkv", 40)
    outcome = bgsub("scan", "rec/wall.mkv", "--reel", "reel.mp4")
    assert outcome.code == 0
    assert "reel.mp4 is not written: nothing moves" in outcome.err
    assert files_in(".") == ["rec", "rec/wall.mkv"]


def test_frames_that_are_damaged_are_told(bgsub, workplace):
    Path("shots").mkdir()
    for i, image in enumerate(pictures(40)):
        cv2.imwrite(f"shots/in{i:03}.png", image)
    Path("shots/in020.png").write_bytes(b"no picture")
    outcome = bgsub("scan", "shots")
    assert outcome.out.splitlines()[1:] == ["  1 frame damaged and skipped"]


@pytest.mark.parametrize("null", [[], ["--null"], ["-0"]])
def test_still_files_are_printed_as_they_are_called(workplace, capfdbinary, null):
    names = [b"rec/a b.mkv", b"rec/c\nd.mkv", b"rec/e\xff.mkv"]
    record("rec/a b.mkv", 40)
    for name in names[1:]:
        Path(os.fsdecode(name)).write_bytes(Path("rec/a b.mkv").read_bytes())
    capfdbinary.readouterr()
    main(["scan", "rec", "--list-still", "--jobs", "1", *null])
    stop = b"\0" if null else b"\n"
    assert capfdbinary.readouterr().out == b"".join(name + stop for name in names)


def test_names_are_ended_only_where_they_are_printed(bgsub, door):
    outcome = bgsub("scan", "rec/door.mp4", "-0")
    assert outcome.code == 2
    assert "--list-still" in outcome.error


def test_a_copy_has_a_chapter_for_each_event(bgsub, door):
    outcome = bgsub("scan", "rec/door.mp4", "--chapters", "--into", "out")
    assert outcome.out.splitlines()[-1] == "  wrote out/door.*: copy with chapters"
    with av.open("out/door.chapters.mkv") as container:
        told = [(float(c["start"] * c["time_base"]), c["metadata"]["title"]) for c in container.chapters()]
    assert [title.partition(":")[0] for _, title in told] == ["Event 1", "Event 2"]
    assert [start for start, _ in told] == [pytest.approx(0.8, abs=0.08), pytest.approx(4.4, abs=0.08)]
    times, shown = read_video("out/door.chapters.mkv")
    assert (times, len(shown)) == (pytest.approx([i / 25 for i in range(150)], abs=1e-3), 150)


def test_what_cannot_be_copied_has_no_chapters_and_says_so(bgsub, door):
    outcome = bgsub("scan", "rec/door.mp4", "rec/door.mp4", "--concat", "--chapters")
    assert outcome.code == 0
    assert "one timeline, cannot be copied: there is no copy with chapters" in outcome.err
    assert "wrote" not in outcome.out
