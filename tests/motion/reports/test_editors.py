"""What editing programs and players read: EDL, OpenTimelineIO, FFmpeg's chapters."""

import io
import json
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from urllib.parse import unquote, urlsplit

import av
import numpy as np
import pytest

from bgsub.errors import OutputError
from bgsub.motion.events import Rule
from bgsub.motion.job import ScanJob
from bgsub.motion.reports.chapters import chapters, ffmetadata_report
from bgsub.motion.reports.edl import edl_report
from bgsub.motion.reports.otio import otio_report
from bgsub.motion.reports.writing import check_report, write_report
from bgsub.motion.results import Scanned
from bgsub.motion.scanning import Scan
from bgsub.times import frame_timecode
from tests.motion.recordings import pictures
from tests.motion.scanned import failed_result, some_event, some_result

RULE = Rule(before=1.5, after=2.0)
BARE = Rule(before=0.0, after=0.0)


def at(rate, result):
    return replace(result, facts=replace(result.facts, fps=rate))


def cuts(edl):
    """The four timecodes of each cut, in frames of 30, 25 ... a second."""
    found = re.findall(r"^(\d{3,})  AX       V     C        (\S+) (\S+) (\S+) (\S+)$", edl.decode(), re.MULTILINE)
    assert [int(cut[0]) for cut in found] == list(range(1, len(found) + 1))
    return [cut[1:] for cut in found]


def test_an_edl_has_a_cut_an_event_with_padding_and_the_record_runs_on():
    edl = edl_report([some_result()], RULE).replace(b"\r\n", b"\n")
    assert edl.decode().startswith("TITLE: gate.mp4\nFCM: NON-DROP FRAME\n\n")
    assert cuts(edl) == [
        ("00:00:00:00", "00:00:06:00", "00:00:00:00", "00:00:06:00"),
        ("00:00:05:13", "00:00:10:13", "00:00:06:00", "00:00:11:00"),  # 5.5 s is frame 137.5
    ]
    assert "* FROM CLIP NAME: gate.mp4\n* COMMENT: EVENT 1 IN gate, path\n" in edl.decode()


@pytest.mark.parametrize(("rate", "base"), [(30000 / 1001, 30), (24000 / 1001, 24), (60000 / 1001, 60), (25.0, 25)])
def test_an_edl_counts_frames_so_that_nothing_drifts(rate, base):
    first = 100_000  # about an hour
    event = some_event(start=first / rate, end=(first + 250) / rate, first=first, last=first + 249)
    result = at(rate, some_result(events=(event,)))
    result = replace(result, facts=replace(result.facts, duration=1e5))
    (cut,) = cuts(edl_report([result], BARE).replace(b"\r\n", b"\n"))

    def frame(text):
        hours, minutes, seconds, frames = map(int, text.split(":"))
        return ((hours * 60 + minutes) * 60 + seconds) * base + frames

    assert [frame(text) for text in cut] == [first, first + 250, 0, 250]


def test_an_edl_of_two_rates_keeps_the_lengths_and_says_so():
    edl = edl_report([some_result(("a.mp4",)), at(50.0, some_result(("b.mp4",)))], BARE).replace(b"\r\n", b"\n")
    third = cuts(edl)[2]
    assert third[:2] == ("00:00:00:20", "00:00:04:00")
    assert third[2:] == ("00:00:05:03", "00:00:08:18")  # at the first one's 25
    assert edl.decode().count("SOURCE AT 50.000 FRAMES/S") == 2
    assert edl.decode().startswith("TITLE: a.mp4 and others\n")


def test_a_name_with_line_breaks_adds_no_line_to_an_edl():
    hostile = "x\n002  AX       V     C        00:00:00:00 00:00:01:00 00:00:00:00 00:00:01:00\udcff.mp4"
    edl = edl_report([some_result((hostile,), events=(some_event(zones=("a\nb",)),))], RULE)
    assert len(cuts(edl.replace(b"\r\n", b"\n"))) == 1
    assert edl.count(b"\n") == edl.count(b"\r\n") == 6


def test_an_edl_of_stillness_is_whole():
    assert edl_report([some_result(events=()), failed_result()], RULE) == (
        b"TITLE: nothing moved\r\nFCM: NON-DROP FRAME\r\n\r\n"
    )


def begun(timecode, result, rate=25.0):
    return replace(result, facts=replace(result.facts, timecode=timecode, fps=rate))


def test_an_edl_begins_with_the_timecode_of_its_file():
    edl = edl_report([begun("10:00:00:00", some_result())], RULE).replace(b"\r\n", b"\n")
    assert cuts(edl) == [
        ("10:00:00:00", "10:00:06:00", "10:00:00:00", "10:00:06:00"),
        ("10:00:05:13", "10:00:10:13", "10:00:06:00", "10:00:11:00"),
    ]


def test_an_edl_of_drop_frame_says_so_where_it_holds():
    results = [begun("00:59:58;00", some_result(("a.mov",)), 30000 / 1001), some_result(("b.mp4",))]
    edl = edl_report(results, BARE).replace(b"\r\n", b"\n").decode()
    lines = edl.splitlines()
    assert lines[1] == "FCM: DROP FRAME"
    assert lines.index("FCM: NON-DROP FRAME") == next(i for i, line in enumerate(lines) if line.startswith("003")) - 1
    first, second, third, _ = cuts(edl.encode())
    # .4 s is frame 12, 4 s frame 120, and the hour, a tenth minute, leaves nothing out
    assert first == ("00:59:58;12", "01:00:02;00", "00:59:58;00", "01:00:01;18")
    assert second[2] == first[3]
    assert third[0] == "00:00:00:10"
    assert all(";" in time for time in third[2:])


@pytest.mark.parametrize("told", ["", "now", "10:00:00:25", None])
def test_what_is_no_timecode_is_none(told):
    assert edl_report([begun(told, some_result())], RULE) == edl_report([some_result()], RULE)
    assert json.loads(otio_report([begun(told, some_result())], RULE))["global_start_time"] is None


def test_otio_begins_with_the_timecode_of_its_file():
    plain, moved = (json.loads(otio_report([r], RULE)) for r in (some_result(), begun("10:00:00:00", some_result())))
    start = 36_000 * 25
    assert moved["global_start_time"] == {"OTIO_SCHEMA": "RationalTime.1", "rate": 25.0, "value": start}
    for before, after in zip(*(t["tracks"]["children"][0]["children"] for t in (plain, moved)), strict=True):
        for here, there in (
            (before["source_range"], after["source_range"]),
            (before["markers"][0]["marked_range"], after["markers"][0]["marked_range"]),
            (c["media_references"]["DEFAULT_MEDIA"]["available_range"] for c in (before, after)),
        ):
            assert there["start_time"]["value"] == here["start_time"]["value"] + start
            assert there["duration"] == here["duration"]


@pytest.mark.parametrize("name", ["t.mov", "t.mp4", "t.mkv", "t.mxf", "t.avi"])
def test_the_timecode_of_a_file_is_read(tmp_path, name):
    with av.open(tmp_path / name, "w") as container:
        stream = container.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        container.metadata["timecode"] = stream.metadata["timecode"] = "01:02:03:04"
        for i, image in enumerate(pictures(60, [(20, 45)])):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts = i
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    scan = Scan(ScanJob(str(tmp_path / name), looks=None))
    (event,) = list(scan)
    assert scan.result.facts.timecode == "01:02:03:04"
    kept = Scanned.from_dict(json.loads(json.dumps(scan.result.as_dict())))
    (cut,) = cuts(edl_report([kept], BARE).replace(b"\r\n", b"\n"))
    start = (3723 * 25 + 4) + event.first
    assert cut[0] == frame_timecode(start, 25.0)
    joined = Scan(ScanJob([str(tmp_path / name)] * 2, looks=None))
    list(joined)
    assert joined.result.facts.timecode is None  # it is of one of the files


def test_otio_has_a_clip_an_event_with_its_recording_and_peak(tmp_path):
    path = tmp_path / "a b#.mp4"
    clips = json.loads(otio_report([some_result((str(path),))], RULE))["tracks"]["children"][0]["children"]
    assert [clip["source_range"]["start_time"] for clip in clips] == [
        {"OTIO_SCHEMA": "RationalTime.1", "rate": 25.0, "value": 0.0},
        {"OTIO_SCHEMA": "RationalTime.1", "rate": 25.0, "value": 138.0},
    ]
    assert [clip["source_range"]["duration"]["value"] for clip in clips] == [150.0, 125.0]
    media = clips[0]["media_references"]["DEFAULT_MEDIA"]
    assert Path(unquote(urlsplit(media["target_url"]).path)) == path
    assert media["available_range"]["duration"]["value"] == 300.0
    assert clips[0]["markers"][0]["marked_range"]["start_time"]["value"] == 20.0
    assert clips[1]["metadata"]["bgsub"]["kind"] == "stopped"


@pytest.mark.parametrize(
    ("source", "kind", "url"),
    [
        (("rtsp://camera/one",), "ExternalReference.1", "rtsp://camera/one"),
        (("-",), "ExternalReference.1", "-"),
        (("a.mp4", "b.mp4"), "MissingReference.1", None),
    ],
)
def test_otio_of_what_is_no_single_file(source, kind, url):
    timeline = json.loads(otio_report([some_result(source)], RULE))
    media = timeline["tracks"]["children"][0]["children"][0]["media_references"]["DEFAULT_MEDIA"]
    assert (media["OTIO_SCHEMA"], media.get("target_url")) == (kind, url)


def test_opentimelineio_reads_it(tmp_path):
    otio = pytest.importorskip("opentimelineio", reason="pip install opentimelineio")
    write_report(tmp_path / "e.otio", [some_result(), at(30000 / 1001, some_result(("b.mp4",)))], RULE)
    timeline = otio.adapters.read_from_file(str(tmp_path / "e.otio"))
    clips = list(timeline.find_clips())
    assert len(clips) == 4
    assert clips[0].duration().to_seconds() == pytest.approx(6.0)
    assert clips[2].source_range.duration.to_seconds() == pytest.approx(6.0, abs=0.04)


def test_ffmpeg_reads_the_chapters_and_no_name_breaks_out_of_its_title(tmp_path):
    events = (
        some_event(zones=("a=b;c#d\\e", "two\nlines\n[CHAPTER]\nSTART=0")),
        some_event(2, 7.0, 8.5, zones=(), kind="removed"),
    )
    write_report(tmp_path / "e.ffmeta", [some_result(events=events)], RULE)
    with av.open(tmp_path / "e.ffmeta", format="ffmetadata") as container:
        told = container.chapters()
    assert [(c["start"] * c["time_base"], c["end"] * c["time_base"]) for c in told] == [
        (Fraction(2, 5), 4),
        (7, Fraction(17, 2)),
    ]
    assert [c["metadata"]["title"] for c in told] == [
        "Event 1: a=b;c#d\\e, two lines [CHAPTER] START=0",
        "Event 2: removed",
    ]


def test_chapters_follow_a_players_clock_and_can_be_put_into_a_matroska_file():
    result = some_result()
    result = replace(result, facts=replace(result.facts, start_time=0.5))
    found = chapters(result)
    assert [(chapter.start, chapter.end) for chapter in found] == [(0.9, 4.5), (7.5, 9.0)]
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "gray"
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32), np.uint8), "gray")
        container.set_chapters(
            [
                {
                    "id": i,
                    "start": round(1000 * chapter.start),
                    "end": round(1000 * chapter.end),
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": chapter.title},
                }
                for i, chapter in enumerate(found)
            ]
        )
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as container:
        assert [chapter["metadata"]["title"] for chapter in container.chapters()] == [c.title for c in found]


def test_chapters_of_nothing_are_a_whole_file():
    assert ffmetadata_report(failed_result()) == b";FFMETADATA1\n"


def test_chapters_are_those_of_one_video():
    check_report("e.ffmeta", 1)
    with pytest.raises(OutputError, match=r"chapters of one video, and there are 3; scan one, or choose another"):
        check_report("e.ffmeta", 3)
