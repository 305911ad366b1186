"""`bgsub scan`: what is printed, settings from files, and how the whole ends."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest

from bgsub.cli.scan import _job, command
from bgsub.motion.looking import Look
from bgsub.motion.presets import PRESETS
from bgsub.motion.tracking import Tracker
from tests.cli.clips import files_in, read_video
from tests.motion.recordings import record


@pytest.fixture
def recordings(workplace):
    """A recording with two crossings, one without, and a damaged one."""
    record("rec/door.mkv", 150, [(20, 45), (100, 125)])
    record("rec/wall.mkv", 40)
    Path("rec/zz.mp4").write_bytes(b"no video at all")
    return workplace / "rec"


def test_the_events_of_one_video(bgsub, recordings):
    outcome = bgsub("scan", "rec/door.mkv", "--merge", "0.5")
    assert (outcome.code, outcome.err) == (0, "")
    head, columns, first, second = outcome.out.splitlines()
    assert re.fullmatch(r"rec/door\.mkv: 2 events in 0:00:06\.00 \(looked at 75 frames, \d+ frames/s\)", head)
    assert columns.split() == ["event", "start", "end", "seconds", "moving", "objects"]
    assert first.split()[0] == "1"
    assert abs(_seconds(first.split()[1]) - 0.8) <= 0.08
    assert abs(_seconds(second.split()[2]) - 5.0) <= 0.08
    assert files_in("rec") == ["door.mkv", "wall.mkv", "zz.mp4"]  # nothing is written


def _seconds(text):
    hours, minutes, seconds = text.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def test_events_within_the_merge_window_are_one(bgsub, recordings):
    assert "1 event in" in bgsub("scan", "rec/door.mkv", "--merge", "3s").out


def test_quiet_prints_times_alone(bgsub, recordings):
    outcome = bgsub("scan", "rec/door.mkv", "--merge", "0.5", "-q")
    times = outcome.out.strip().split(",")
    assert len(times) == 4
    assert all(re.fullmatch(r"00:00:0\d\.\d{3}", time) for time in times)


def test_a_folder_tells_of_each_video_and_of_all(bgsub, recordings):
    outcome = bgsub("scan", "rec")
    assert outcome.code == 1
    assert "zz.mp4" in outcome.error
    lines = outcome.out.splitlines()
    assert any(line.startswith("rec/wall.mkv: nothing moves in 0:00:01.60") for line in lines)
    assert lines[-1] == "3 videos: 2 done, 1 failed; 2 events, nothing moves in 1"


def test_still_files_are_listed_alone(bgsub, recordings):
    outcome = bgsub("scan", "rec", "--list-still")
    assert outcome.out == "rec/wall.mkv\n"


def test_of_a_video_with_motion_a_list_of_still_ones_needs_the_first_event_only(bgsub, recordings, monkeypatch):
    record("rec/long.mkv", 250, [(20, 45)])
    seen = []
    look = Look.__call__
    monkeypatch.setattr(Look, "__call__", lambda self, frame: seen.append(frame.time) or look(self, frame))
    assert bgsub("scan", "rec/long.mkv", "--list-still").out == ""
    assert 4 < max(seen) < 6  # the event ends at 1.8 s, and is over when nothing has moved for two more
    seen.clear()
    assert bgsub("scan", "rec/long.mkv", "--list-still", "--into", "out").out == ""
    assert max(seen) > 9.9  # its result is kept
    seen.clear()
    assert bgsub("scan", "rec/wall.mkv", "--list-still").out == "rec/wall.mkv\n"
    assert max(seen) > 1.5


@pytest.mark.parametrize(
    ("options", "follows"),
    [
        (["-q"], False),
        (["--list-still"], False),
        (["-q", "--into", "out"], True),
        (["-q", "--report", "events.csv"], True),
        (["-q", "--heatmap"], True),
        ([], True),
    ],
)
def test_objects_are_followed_where_anybody_sees_them(bgsub, recordings, monkeypatch, options, follows):
    followed = []
    update = Tracker.update
    monkeypatch.setattr(Tracker, "update", lambda self, seen: followed.append(seen) or update(self, seen))
    plain = bgsub("scan", "rec/door.mkv", "-q", "--json")  # everything, whatever is printed
    assert followed
    followed.clear()
    assert bgsub("scan", "rec/door.mkv", *options).code == 0
    assert bool(followed) is follows
    if options == ["-q"]:
        times = [event[end] for event in json.loads(plain.out)["events"] for end in ("start", "end")]
        said = bgsub("scan", "rec/door.mkv", "-q").out.strip().split(",")
        assert [_seconds(time) for time in said] == pytest.approx(times, abs=1e-3)


def test_json(bgsub, recordings):
    (told,) = [json.loads(bgsub("scan", "rec/door.mkv", "--json").out)]
    assert told["source"] == "rec/door.mkv"
    assert told["state"] == "done"
    assert len(told["events"]) == 2


def test_a_broken_off_folder_goes_on(bgsub, recordings):
    bgsub("scan", "rec", "--into", "out")
    record("rec/door.mkv", 60, [(20, 45)])
    outcome = bgsub("scan", "rec", "--into", "out")
    assert re.search(r"rec/wall\.mkv: nothing moves .* \(done before\)", outcome.out)
    assert outcome.out.splitlines()[-1].startswith("3 videos: 1 done, 1 done before, 1 failed")
    refused = bgsub("scan", "rec", "--into", "out", "--merge", "9")
    assert (refused.code, "by other settings" in refused.error) == (1, True)


def test_several_are_one_timeline(bgsub, recordings):
    outcome = bgsub("scan", "rec/door.mkv", "rec/wall.mkv", "--concat", "--merge", "0.5")
    assert "2 events in 0:00:07.60" in outcome.out


@pytest.mark.parametrize("extension", ["csv", "json"])
def test_reports(bgsub, recordings, extension):
    assert bgsub("scan", "rec/door.mkv", "--merge", ".5", "--report", f"e.{extension}").code == 0
    text = Path(f"e.{extension}").read_text()
    found = list(csv.DictReader(text.splitlines())) if extension == "csv" else json.loads(text)["events"]
    assert len(found) == 2
    again = bgsub("scan", "rec/door.mkv", "--report", f"e.{extension}")
    assert again.code == 1
    assert "--overwrite" in again.error
    assert Path(f"e.{extension}").read_text() == text


@pytest.mark.parametrize("name", ["e.txt", "e"])
def test_a_report_of_no_known_kind_is_refused_before_the_scan(bgsub, recordings, name):
    outcome = bgsub("scan", "rec/door.mkv", "--report", name)
    assert outcome.code == 1
    assert ".csv" in outcome.error
    assert outcome.out == ""


def test_files_of_each_event_and_of_the_whole(bgsub, recordings):
    arguments = ["--merge", "0.5", "--before", "0.2", "--after", "0.4", "--clips", "exact", "--draw", "boxes,timecode"]
    arguments += ["--thumbnails", "--heatmap", "--tracks", "--report", "out/page.html", "--into", "out"]
    outcome = bgsub("scan", "rec/door.mkv", *arguments)
    assert (outcome.code, outcome.err) == (0, "")
    names = [name for name in files_in("out") if name.startswith("door.event")]
    assert [name for name in names if name.endswith(".jpg")] == ["door.event-001.jpg", "door.event-002.jpg"]
    clips = [name for name in names if not name.endswith(".jpg")]
    assert len(clips) == 2
    times, _ = read_video(f"out/{clips[0]}")
    assert abs(len(times) - 40) <= 4  # 25 frames, 5 before and 10 after
    rows = [line.split(",") for line in Path("out/door.tracks.csv").read_text().splitlines()]
    assert {row[1] for row in rows} == {"1", "2"}
    assert abs(int(rows[0][0]) - 21) <= 3  # frames begin at 1 there
    page = Path("out/page.html").read_text()
    assert all(clip in page for clip in clips)
    assert cv2.imread("out/door.heat.png") is not None
    again = bgsub("scan", "rec/door.mkv", *arguments[:-4], "--into", "out")
    assert "done before" in again.out


def test_files_of_others_are_kept(bgsub, recordings):
    Path("door.tracks.csv").write_text("mine")
    outcome = bgsub("scan", "rec/door.mkv", "--tracks")
    assert outcome.code == 1
    assert "door.tracks.csv exists" in outcome.error
    assert Path("door.tracks.csv").read_text() == "mine"
    Path("out").mkdir()
    Path("out/door.tracks.csv").write_text("mine")
    for _ in range(2):
        assert bgsub("scan", "rec/door.mkv", "--tracks", "--into", "out").code == 1
        assert Path("out/door.tracks.csv").read_text() == "mine"
    assert bgsub("scan", "rec/door.mkv", "--tracks", "--into", "out", "--overwrite").code == 0
    assert Path("out/door.tracks.csv").read_text() != "mine"


@pytest.mark.parametrize(
    ("arguments", "method"),
    [
        ([], "adaptive"),
        (["--fast"], "mog2"),
        (["--fast", "--method", "adaptive"], "adaptive"),
        (["--threshold", "7"], "adaptive"),
    ],
)
def test_the_fast_model_is_mog2_unless_another_one_is_asked_for(arguments, method):
    with command.make_context("scan", ["a.mp4", *arguments]) as context:
        job = _job(context, context.params)
    assert job.model.method == method


def test_an_option_of_the_other_model_is_refused_with_fast(bgsub, recordings):
    outcome = bgsub("scan", "rec/door.mkv", "--fast", "--absorption-time", "60")
    assert outcome.code == 2
    assert "--absorption-time" in outcome.error


def test_a_line_is_counted_over(bgsub, recordings):
    outcome = bgsub("scan", "rec/door.mkv", "--line", "gate=60,119 60,0")
    assert outcome.out.splitlines()[-1] == "  gate: in 2, out 0"


# -------------------------------------------------------------------------------------------------------- where to look


def test_what_moves_outside_the_region_is_none(bgsub, recordings):
    assert "nothing moves" in bgsub("scan", "rec/door.mkv", "--region", "0,80,160,40").out
    assert "event" in bgsub("scan", "rec/door.mkv", "--region", "0,30,160,50").out


def test_what_is_ignored_does_not_move(bgsub, recordings):
    assert "nothing moves" in bgsub("scan", "rec/door.mkv", "--ignore", "0,30,160,50").out


def test_zones_are_named(bgsub, recordings):
    Path("zones.toml").write_text('[[zone]]\nname = "far"\nrectangle = [0, 90, 160, 30]\n')
    outcome = bgsub("scan", "rec/door.mkv", "--zones", "zones.toml", "--zone", "door=0,30,60,50")
    assert outcome.out.splitlines()[1].split()[-1] == "zones"
    assert outcome.out.splitlines()[2].split()[-1] == "door"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--zone", "door=900,900,10,10"], "outside the picture of 160x120"),
        (["--zones", "none.toml"], "none.toml"),
        (["--zone", "door=1,1,20,20", "--ignore", "door=1,1,20,20"], "two zones are called door"),
        (["--min-motion", "many"], "is no area"),
        (["--min-motion", "0px"], "is no area"),
        (["--min-length", "3", "--max-length", "2"], "--max-length"),
        (["--draw", "boxes"], "--clips exact"),
        (["--draw", "boxes", "--clips", "copy"], "--overlay-video"),
        (["--draw", "mask", "--reel", "reel.mp4"], "not into a reel"),
        (["--clips", "exact", "--draw", "hats"], "boxes, path, timecode, graph, mask"),
        (["--mask", "m.mkv"], "--mask-video"),
        (["-mo", "m.avi"], "--mask-video"),
        (["-bb"], "--draw boxes"),
        (["--list-still", "--json"], "leave one out"),
    ],
)
def test_bad_options_are_one_line(bgsub, recordings, arguments, words):
    outcome = bgsub("scan", "rec/door.mkv", *arguments)
    assert outcome.code in (1, 2)
    assert words in outcome.error
    assert outcome.out == ""


@pytest.mark.parametrize(("names", "words"), [(["empty"], "empty"), (["none.mp4"], "none.mp4"), (["texts"], "texts")])
def test_nothing_to_scan(bgsub, workplace, names, words):
    Path("empty").mkdir()
    Path("texts").mkdir()
    Path("texts/a.txt").write_text("no video")
    outcome = bgsub("scan", *names)
    assert outcome.code == 1
    assert words in outcome.error


# ------------------------------------------------------------------------------------------------------------- settings


def test_settings_from_a_file_hold_unless_typed(bgsub, recordings):
    Path("scan.toml").write_text('merge = "3s"\nmin-motion = "0.5%"\n')
    assert "1 event in" in bgsub("scan", "rec/door.mkv", "--config", "scan.toml").out
    assert "2 events in" in bgsub("scan", "rec/door.mkv", "--config", "scan.toml", "--merge", "0.5").out


def test_settings_that_were_saved_are_read_again(bgsub, recordings):
    typed = [
        "--merge",
        "0.5",
        "--min-motion",
        "80px",
        "--region",
        "0,30,160,50",
        "--threshold",
        "7",
        "--preset",
        "night",
    ]
    first = bgsub("scan", "rec/door.mkv", *typed, "--save-config", "my.toml", "--json")
    second = bgsub("scan", "rec/door.mkv", "--config", "my.toml", "--json")
    assert second.code == 0, second.err
    assert json.loads(first.out)["events"] == json.loads(second.out)["events"]
    assert 'region = ["0,30,160,50"]' in Path("my.toml").read_text()
    assert "threshold = 7.0" in Path("my.toml").read_text()


def test_who_is_gone_in_half_a_second_is_traffic_and_no_more_than_a_leaf_outdoors(bgsub, workplace):
    record("rec/car.mkv", 150, [(60, 73)])
    assert ": 1 event in" in bgsub("scan", "rec/car.mkv", "--preset", "traffic").out
    assert ": 1 event in" in bgsub("scan", "rec/car.mkv", "--preset", "indoor").out
    assert ": nothing moves in" in bgsub("scan", "rec/car.mkv", "--preset", "outdoor").out
    assert ": 1 event in" in bgsub("scan", "rec/car.mkv", "--preset", "outdoor", "--min-length", "0.4").out


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_scans(bgsub, recordings, name):
    for fast in ((), ("--fast",)):
        assert "event" in bgsub("scan", "rec/door.mkv", "--preset", name, *fast).out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("merg = 2", "scan.toml: there is no option 'merg'; is it merge?"),
        ("config = 'other.toml'", "scan.toml: there is no option 'config'"),
        ("merge = 'soon'", "scan.toml: merge: 'soon' is no time"),
        ("merge = [1, 2]", "scan.toml: merge is one text or number"),
        ("max-events = 0", "scan.toml: max-events"),
        ("merge = ", "scan.toml is no file of settings"),
        ("[events]\nmerge = 2", "scan.toml: there is no option 'events'"),
        ("preset = 'moon'", "scan.toml: preset"),
    ],
)
def test_a_file_of_settings_that_is_none(bgsub, recordings, text, words):
    Path("scan.toml").write_text(text)
    outcome = bgsub("scan", "rec/door.mkv", "--config", "scan.toml")
    assert outcome.code == 2
    assert words in outcome.error


def test_every_option_can_stand_in_a_file(bgsub, recordings):
    names = {max(p.opts, key=len).lstrip("-") for p in command.params if p.opts[0].startswith("-")}
    left_out = {"config", "save-config", "help", "help-model"}
    for name in sorted(names - left_out):
        Path("scan.toml").write_text(f"{name} = 2020-01-01\n")  # a value that few take, and a name that is known
        outcome = bgsub("scan", "none.mp4", "--config", "scan.toml")
        assert "there is no option" not in outcome.err, name


# -------------------------------------------------------------------------------------------------------------- endings


@pytest.mark.slow
def test_several_processes_print_in_the_order_of_the_inputs(bgsub, workplace):
    record("rec/a.mkv", 300, [(20, 45), (200, 225)])  # takes longest
    record("rec/b.mkv", 40, [(10, 30)])
    record("rec/c.mkv", 60, [(20, 45), (50, 58)])
    one, two = (bgsub("scan", "rec", "-q", "--merge", "0.2", "--jobs", jobs) for jobs in "12")
    assert one.out == two.out
    assert len(set(two.out.splitlines())) == 3


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_prints_what_was_found_and_goes_on(workplace, jobs):
    first = record("rec/0.mkv", 700, [(20, 45)])
    for i in (1, 2):
        shutil.copy(first, f"rec/{i}.mkv")
    command = [sys.executable, "-m", "bgsub", "scan", "rec", "--into", "out", "--jobs", jobs]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as process:
        process.stdout.readline()
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "interrupted" in out
    assert subprocess.run(command, capture_output=True, env=environment, check=True).returncode == 0
    assert [name for name in files_in("out") if name.endswith(".scan.json")] == [f"{i}.scan.json" for i in range(3)]


def test_the_most_unusual_events_come_first(bgsub, workplace):
    spans = [(20 + 40 * i, 32 + 40 * i) for i in range(20)]
    spans[12] = (500, 524)  # twice as long
    record("door.mkv", 840, spans)
    outcome = bgsub("scan", "door.mkv", "--merge", "0.2", "--rank", "unusual")
    assert outcome.code == 0
    assert "Warning" not in outcome.err
    _, columns, first, *_ = outcome.out.splitlines()
    assert columns.split()[-1] == "unusual"
    assert (first.split()[0], first.split()[-1]) == ("13", "95%")
    found = json.loads(bgsub("scan", "door.mkv", "--merge", "0.2", "--rank", "unusual", "--json").out)
    assert found["events"][12]["unusual"] == 0.95


def test_too_few_events_to_rank_are_told(bgsub, recordings):
    outcome = bgsub("scan", "rec/door.mkv", "--merge", "0.5", "--rank", "unusual")
    assert outcome.code == 0
    assert outcome.err == "Warning: 2 events are too few to say which are unusual: scan more, for 20 or more\n"
    assert "2 events" in outcome.out


def test_tracks_are_written_beside_the_results(bgsub, recordings):
    assert bgsub("scan", "rec/door.mkv", "--into", "out", "--tracks").code == 0
    with Path("out/door.tracks.csv").open(newline="") as file:
        rows = [list(map(int, row)) for row in csv.reader(file)]
    assert {row[1] for row in rows} == {1, 2}
    assert all(21 <= row[0] <= 46 or 101 <= row[0] <= 126 for row in rows)
