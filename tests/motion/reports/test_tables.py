"""Events as CSV, JSON and JSON lines: read again, each value where it belongs."""

import csv
import io
import json
import os
import resource
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bgsub.errors import OutputError
from bgsub.motion.clips.spans import Clip
from bgsub.motion.events import Rule
from bgsub.motion.reports.csv_table import COLUMNS, csv_report
from bgsub.motion.reports.moments import clips_among
from bgsub.motion.reports.writing import check_report, write_report
from tests.motion.scanned import failed_result, some_event, some_result

MADE = datetime(2026, 11, 27, 20, 0, 1, tzinfo=UTC)
RULE = Rule(before=1.5, after=2.0)


def rows_of(results, rule=RULE):
    return list(csv.DictReader(io.StringIO(csv_report(results, rule).decode(), newline="")))


def test_csv_has_dvr_scans_columns_first_and_its_values():
    table = list(csv.reader(io.StringIO(csv_report([some_result()], RULE).decode(), newline="")))
    assert table[0][:8] == [
        *("Event", "Start Time", "End Time", "Duration", "Start Frame", "End Frame"),
        *("Start (Seconds)", "End (Seconds)"),
    ]
    assert table[1][:8] == ["1", "00:00:00.400", "00:00:04.000", "00:00:03.600", "10", "99", "0.400", "4.000"]
    assert {len(row) for row in table} == {len(COLUMNS)}


def test_csv_tells_all_of_an_event():
    first, second = rows_of([some_result()])
    assert first["Source"] == "clips/gate.mp4"
    assert first["Recorded"] == "2026-11-27T05:11:44.650+00:00"
    assert (first["Clip Start (Seconds)"], first["Clip End (Seconds)"]) == ("0.000", "6.000")  # not before the video
    assert (second["Clip Start (Seconds)"], second["Clip End (Seconds)"]) == ("5.500", "10.500")
    assert [first[name] for name in ("Left", "Top", "Width", "Height")] == ["100", "40", "60", "80"]
    assert (first["Area"], first["Share"], first["Evidence"]) == ("1234", "0.012300", "0.870")
    assert (first["Zones"], first["Tracks"], first["Kind"]) == ("gate; path", "1", "motion")
    assert (first["Unusual"], second["Unusual"], second["Kind"]) == ("", "0.750", "stopped")


def test_where_clips_were_written_tables_have_their_real_ends(tmp_path):
    one, other, third = some_result(), failed_result(), some_result(("b.mp4",))
    copied = Clip(one.events[1], 4.0, 11.25, Path("out/gate.event-002.mp4"), copied=True)
    encoded = Clip(third.events[0], 0.0, 5.96, Path("out/b.event-001.mp4"))
    clips = clips_among([[copied], [], [encoded]])
    for name in ("events.csv", "events.json", "events.jsonl"):
        write_report(tmp_path / name, [one, other, third], RULE, clips=clips, made=MADE)
    with (tmp_path / "events.csv").open(newline="") as file:
        rows = [(row["Clip Start (Seconds)"], row["Clip End (Seconds)"]) for row in csv.DictReader(file)]
    assert rows == [("0.000", "6.000"), ("4.000", "11.250"), ("0.000", "5.960"), ("5.500", "10.500")]
    values = [event["clip"] for event in json.loads((tmp_path / "events.json").read_text())["events"]]
    assert values == [
        {"start": 0.0, "end": 6.0},
        {"start": 4.0, "end": 11.25, "file": "out/gate.event-002.mp4", "copied": True},
        {"start": 0.0, "end": 5.96, "file": "out/b.event-001.mp4", "copied": False},
        {"start": 5.5, "end": 10.5},
    ]
    lines = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [line["clip"] for line in lines if line["type"] == "event"] == values


def test_csv_of_several_sources_says_which_and_of_failed_ones_nothing():
    rows = rows_of([some_result(("a.mp4",)), failed_result(), some_result(("b, 1.mp4", "b 2.mp4"))])
    assert [row["Source"] for row in rows] == ["a.mp4"] * 2 + ["b, 1.mp4 + b 2.mp4"] * 2
    assert rows_of([failed_result()]) == []


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=cmd|' /C calc'!A0.mp4", "./=cmd|' /C calc'!A0.mp4"),
        ("+1.mp4", "./+1.mp4"),
        ("-x.mp4", "./-x.mp4"),
        ("@SUM(A1).mp4", "./@SUM(A1).mp4"),
        ("\t=1.mp4", "./\t=1.mp4"),
        ("\r=1.mp4", "./\r=1.mp4"),
        ('two\nlines, "quoted".mp4', 'two\nlines, "quoted".mp4'),
        ("not utf-8 \udce9.mp4", "not utf-8 \\udce9.mp4"),
        ("day/=1.mp4", "day/=1.mp4"),
    ],
)
def test_no_file_name_becomes_a_formula_and_paths_stay_paths(name, cell):
    assert {row["Source"] for row in rows_of([some_result((name,))])} == {cell}
    if name.isprintable():
        assert os.path.normpath(cell) == os.path.normpath(name)


def test_no_zone_name_becomes_a_formula():
    result = some_result(events=(some_event(zones=("-2-3", "x")), some_event(zones=("a-b",)), some_event(zones=())))
    assert [row["Zones"] for row in rows_of([result])] == ["'-2-3; x", "a-b", ""]


def test_json_has_dvr_scans_names_and_ours(tmp_path):
    path = tmp_path / "events.json"
    write_report(path, [some_result(), failed_result(), some_result(("day/b.mp4",), events=())], RULE, made=MADE)
    values = json.loads(path.read_text())
    assert values["version"] == 1
    assert values["generator"].startswith("bgsub ")
    assert values["created"] == "2026-11-27T20:00:01+00:00"
    assert values["input"] == {"files": ["clips/gate.mp4", "clips/half.mp4", "day/b.mp4"], "frame_rate": 25.0}
    assert values["scan"] == {"frames_processed": 600, "num_events": 2}
    assert [source["still"] for source in values["sources"]] == [False, False, True]
    assert values["sources"][1]["error"] == "cannot open clips/half.mp4: no video in it; check the file"
    event = values["events"][0]
    assert event["number"] == 1
    assert event["source"] == 0
    assert event["start"] == {
        "frame": 10,
        "seconds": 0.4,
        "timecode": "00:00:00.400",
        "clock": "2026-11-27T05:11:44.650+00:00",
    }
    assert event["end"]["frame"] == 99
    assert event["duration"] == {"frame": 90, "seconds": 3.6, "timecode": "00:00:03.600"}
    assert event["clip"] == {"start": 0.0, "end": 6.0}
    assert event["peak"]["boxes"] == [[110, 50, 30, 60], [150, 60, 8, 8]]
    assert [track["crossings"][0]["direction"] for track in values["tracks"]] == ["in", "in", "in", "in"]
    assert values["rule"]["merge"] == RULE.merge


def test_json_of_sources_of_other_rates_names_none(tmp_path):
    from dataclasses import replace

    one, other = some_result(), some_result()
    other = replace(other, facts=replace(other.facts, fps=None, recorded=None))
    write_report(tmp_path / "events.json", [one, other], RULE, made=MADE)
    values = json.loads((tmp_path / "events.json").read_text())
    assert values["input"]["frame_rate"] is None
    assert "clock" not in values["events"][2]["start"]


def test_json_lines_are_a_line_an_event_and_a_line_a_source(tmp_path):
    write_report(tmp_path / "e.jsonl", [some_result(), failed_result(("né \udcff.mp4",))], RULE)
    lines = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    assert [line["type"] for line in lines] == ["event", "event", "source", "source"]
    assert lines[0]["start"]["seconds"] == 0.4
    assert lines[2]["num_events"] == 2
    assert lines[3]["files"] == ["né \udcff.mp4"]
    assert lines[3]["still"] is False


@pytest.mark.parametrize("name", ["events.txt", "events", "events.json.gz", ".csv"])
def test_an_unknown_extension_is_refused_before_anything_is_written(tmp_path, name):
    with pytest.raises(OutputError) as caught:
        check_report(tmp_path / name)
    assert "its extension is not one of .csv, .json, .jsonl" in str(caught.value)
    with pytest.raises(OutputError):
        write_report(tmp_path / name, [], RULE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".csv", ".json", ".jsonl"])
def test_a_full_disk_leaves_the_old_report_and_is_one_line(tmp_path, suffix):
    path = tmp_path / f"e{suffix}"
    write_report(path, [some_result(events=())], RULE)
    before = path.read_bytes()
    many = some_result(events=tuple(some_event(i + 1, i * 5.0, i * 5.0 + 2) for i in range(300)))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
    try:
        with pytest.raises(OutputError, match=r"^cannot write .*make room or choose another folder$"):
            write_report(path, [many], RULE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, old)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_reports_of_nothing_are_whole(tmp_path):
    for suffix in (".csv", ".json", ".jsonl"):
        write_report(tmp_path / f"e{suffix}", [], RULE)
    assert (tmp_path / "e.csv").read_text().startswith("Event,Start Time")
    assert json.loads((tmp_path / "e.json").read_text())["events"] == []
    assert (tmp_path / "e.jsonl").read_text() == ""
