"""Clips of events are the source's frames, from one time to another, whole or not there."""

import subprocess
import sys
from datetime import UTC, datetime

import numpy as np
import pytest

from bgsub.errors import OutputError, ParameterError
from bgsub.motion.clips.picturing import Drawing, Picturer
from bgsub.motion.clips.spans import Clip, passages, plan_clips
from bgsub.motion.clips.writing import write_clips
from bgsub.motion.events import Event, Rule
from bgsub.motion.results import Activity, Scanned, SourceFacts
from bgsub.motion.tracking import Sighting, Track
from bgsub.video.opening import open_source
from tests.video.clips import pictures, write_clip
from tests.video.writers.test_copying import film
from tests.video.writers.test_sound import beeps, make_film

RULE = Rule(before=0.2, after=0.2)


def event(number, start, end, **more):
    frame = round(start * 25)
    return Event(number, start, end, frame, round(end * 25) - 1, start, frame, (8, 8, 16, 12), **more)


def scanned(*sources, events=(), duration=4.0, **more):
    facts = SourceFacts(tuple(map(str, sources)), sources[0].stem, 64, 48, 25.0, duration)
    return Scanned(facts, tuple(event(n, *span) for n, span in enumerate(events, 1)), **more)


def read(path):
    with open_source(path, prefetch=0) as source:
        return [(frame.time, frame.image) for frame in source]


def first_of(path):
    return float(read(path)[0][1].mean())


def test_clips_show_their_events_with_padding(tmp_path):
    source = film(tmp_path / "yard.mp4")
    result = scanned(source, events=[(0.08, 0.6), (1.0, 1.4), (3.6, 4.0)])
    told = []
    clips = write_clips(result, RULE, tmp_path / "clips", on_clip=lambda clip, n: told.append((clip, n)))
    assert [clip.path.name for clip in clips] == [f"yard.event-00{n}.mp4" for n in (1, 2, 3)]
    assert [(clip.start, clip.end) for clip in clips] == pytest.approx(
        [pytest.approx((0.0, 0.8)), pytest.approx((0.8, 1.6)), pytest.approx((3.4, 4.0))]
    )
    assert told == [(clip, 3) for clip in clips]
    frames = read(source)
    for clip in clips:
        wanted = [image for time, image in frames if clip.start - 1e-6 <= time < clip.end - 1e-6]
        found = read(clip.path)
        assert len(found) == len(wanted)
        assert [time for time, _ in found] == pytest.approx([index / 25 for index in range(len(wanted))])
        for (_, here), there in zip(found, wanted, strict=True):
            assert np.abs(here[16:].astype(int) - there[16:]).mean() < 4


def test_padding_of_neighbours_overlaps_and_cuts_nothing(tmp_path):
    source = film(tmp_path / "yard.mp4")
    result = scanned(source, events=[(1.0, 1.4), (1.6, 2.0), (1.68, 1.8)])
    clips = write_clips(result, Rule(before=0.4, after=0.4), tmp_path)
    assert [(clip.start, clip.end) for clip in clips] == [
        pytest.approx(span) for span in [(0.6, 1.8), (1.2, 2.4), (1.28, 2.2)]
    ]
    assert [len(read(clip.path)) for clip in clips] == [30, 30, 23]


def test_a_variable_frame_rate_stays_one(tmp_path):
    from fractions import Fraction

    stamps = np.cumsum([0] + [40, 120, 200] * 20).tolist()
    source = film(tmp_path / "vfr.mkv", frames=len(stamps), pts=stamps, time_base=Fraction(1, 1000))
    clips = write_clips(scanned(source, events=[(2.2, 3.1)], duration=7.2), RULE, tmp_path)
    wanted = [time for time, _ in read(source) if 2.0 <= time < 3.3]
    assert [time + clips[0].start for time, _ in read(clips[0].path)] == pytest.approx(wanted, abs=1e-3)


def test_several_files_are_one_timeline(tmp_path):
    parts = [film(tmp_path / f"{name}.mp4", frames=50) for name in "ab"]
    clips = write_clips(scanned(*parts, events=[(1.8, 2.2)]), RULE, tmp_path)
    assert (clips[0].start, clips[0].end) == pytest.approx((1.6, 2.4))
    assert len(read(clips[0].path)) == 20


def test_far_events_are_sought_and_near_ones_read_in_one_go():
    clips = [Clip(event(n, at, at + 1), at, at + 1, None) for n, at in enumerate((0, 5, 8, 100, 101.5, 300), 1)]
    assert [[clip.event.number for clip in group] for group in passages(clips)] == [[1, 2, 3], [4, 5], [6]]
    long = [Clip(event(1, 0, 90), 0, 90, None), Clip(event(2, 1, 2), 1, 2, None), Clip(event(3, 95, 96), 95, 96, None)]
    assert len(list(passages(long))) == 1


def test_copies_are_lossless_and_say_how_far_they_reach(tmp_path):
    source = film(tmp_path / "yard.mp4", bf=2)
    clips = write_clips(scanned(source, events=[(1.5, 1.8), (3.0, 3.2)]), RULE, tmp_path, copy=True)
    frames = read(source)
    for clip in clips:
        assert clip.copied
        wanted = [image for time, image in frames if clip.start - 1e-6 <= time < clip.end - 1e-6]
        assert np.array_equal([image for _, image in read(clip.path)], wanted)
        assert clip.start <= clip.event.start - 0.2 + 1e-6
        assert clip.end >= clip.event.end + 0.2 - 1e-6


def test_what_cannot_be_copied_is_encoded_with_a_warning(tmp_path, caplog):
    raw = film(tmp_path / "raw.h264", container_format="h264")
    clips = write_clips(scanned(raw, events=[(1.0, 1.4)]), RULE, tmp_path, copy=True)
    assert [(clip.copied, len(read(clip.path))) for clip in clips] == [(False, 20)]
    assert [r.getMessage() for r in caplog.records if "clips are encoded" in r.getMessage()] == [
        "raw cannot be copied: it is no file that tells its own times: its clips are encoded"
    ]
    parts = [film(tmp_path / f"{name}.mp4", frames=50) for name in "ab"]
    write_clips(scanned(*parts, events=[(1.8, 2.2)]), RULE, tmp_path, copy=True)
    assert "a and others, one timeline, cannot be copied: its clips are encoded" in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("copy", [False, True])
def test_clips_are_heard_in_step(tmp_path, copy):
    source = make_film(tmp_path / "aac.mp4")
    clips = write_clips(scanned(source, events=[(1.6, 2.4), (3.7, 4.2)], duration=5.0), RULE, tmp_path / "c", copy=copy)
    for clip in clips:
        wanted = [time - clip.start for time in beeps(source)[1] if clip.start + 0.05 < time < clip.end - 0.1]
        found = beeps(clip.path)[1]
        assert wanted
        assert all(min(abs(time - here) for here in found) < 0.02 for time in wanted)


def test_nothing_is_overwritten_unless_told(tmp_path):
    source = film(tmp_path / "yard.mp4")
    result = scanned(source, events=[(0.5, 1.0), (2.0, 2.4)])
    (tmp_path / "yard.event-002.mp4").write_bytes(b"kept")
    with pytest.raises(OutputError, match=r"yard\.event-002\.mp4 exists; pass --overwrite or choose another name"):
        write_clips(result, RULE, tmp_path)
    assert not (tmp_path / "yard.event-001.mp4").exists()
    assert len(write_clips(result, RULE, tmp_path, overwrite=True)) == 2


def test_a_recording_is_never_replaced_by_a_clip(tmp_path):
    source = film(tmp_path / "yard.mp4")
    other = film(tmp_path / "yard.event-001.mp4", frames=10)
    before = other.read_bytes()
    with pytest.raises(OutputError, match="it is the input; choose another name"):
        write_clips(scanned(source, events=[(0.5, 1.0)]), RULE, tmp_path, overwrite=True, keep=[str(other)])
    assert other.read_bytes() == before


def test_names_from_outside_lead_nowhere(tmp_path):
    source = film(tmp_path / "yard.mp4")
    result = scanned(source, events=[(0.5, 1.0)])
    clip = plan_clips(result, RULE, tmp_path, ".mp4", "../../etc/pass%03d\nwd")[0]
    assert clip.path.parent == tmp_path
    assert "%" not in clip.path.name
    assert "\n" not in clip.path.name


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    source = film(tmp_path / "yard.mp4")
    with pytest.raises(OutputError, match=r"cannot write clips to .*no/clips: No such file or directory; choose"):
        write_clips(scanned(source, events=[(0.5, 1.0)]), RULE, tmp_path / "no" / "clips")
    with pytest.raises(OutputError, match=r"cannot write clips to .*yard\.mp4: File exists; choose another folder"):
        write_clips(scanned(source, events=[(0.5, 1.0)]), RULE, source)


def test_nothing_can_be_drawn_on_copies(tmp_path):
    with pytest.raises(ParameterError, match="leave copying or drawing out"):
        write_clips(scanned(tmp_path / "a.mp4"), RULE, tmp_path, copy=True, draw=Drawing(boxes=True))


def test_a_damaged_source_gives_what_it_has(tmp_path):
    source = film(tmp_path / "yard.ts")
    data = source.read_bytes()
    source.write_bytes(data[: len(data) * 3 // 4])
    clips = write_clips(scanned(source, events=[(0.5, 1.0), (2.2, 3.8)]), RULE, tmp_path)
    assert len(clips) == 2
    assert clips[1].end < 3.5
    assert len(read(clips[1].path)) > 10


FULL = """
import resource, sys
from bgsub.errors import OutputError
from bgsub.motion.clips.writing import write_clips
from bgsub.motion.events import Rule
from pathlib import Path
from tests.motion.clips.test_clips import scanned
resource.setrlimit(resource.RLIMIT_FSIZE, (25_000, 25_000))
try:
    write_clips(scanned(Path(sys.argv[1]), events=[(0.5, 0.7), (1.5, 3.9)]), Rule(before=0.1, after=0), sys.argv[2],
                copy=len(sys.argv) > 3)
except OutputError as error:
    print(error)
"""


@pytest.mark.parametrize("copy", [[], ["copy"]])
def test_a_full_disk_leaves_the_clips_before_it_whole(tmp_path, copy):
    source = write_clip(tmp_path / "a.mkv", pictures(100, 96, 64), codec="mpeg4", pix_fmt="yuv420p", gop=6)
    folder = tmp_path / "clips"
    run = [sys.executable, "-c", FULL, str(source), str(folder), *copy]
    told = subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip()
    assert told == (
        f"cannot write {folder / 'a.event-002.mp4'}: File too large; raise the limit on file sizes or choose "
        "another disk; the clip before it is whole"
    )
    assert [path.name for path in folder.iterdir()] == ["a.event-001.mp4"]
    assert read(folder / "a.event-001.mp4")


def picture_of(drawing, *, index=30, time=1.2, tracks=True, recorded=None):
    way = tuple(Sighting(n, n / 25, (4 + n, 20, 12, 8), 96.0, (10 + n, 24)) for n in range(25, 50))
    result = Scanned(
        SourceFacts(("a",), "a", 160, 120, 25.0, 4.0, recorded),
        (event(1, 1.0, 2.0),),
        (Track(1, way),) if tracks else (),
        Activity(np.array([0.0, 1.0, 2.0]), np.array([0.0, 0.5, 0.1], np.float32)),
    )
    picture = np.full((120, 160, 3), 90, np.uint8)
    Picturer(drawing, result, 0.8, 2.2, result.events[0]).draw(picture, index, time)
    return (picture != 90).any(axis=2)


def test_only_what_is_asked_for_is_drawn_and_where_it_belongs():
    assert not picture_of(Drawing()).any()
    box = picture_of(Drawing(boxes=True))
    assert box[20, 34:46].all()
    assert not box[80:].any()
    assert not picture_of(Drawing(boxes=True), index=60, time=2.1).any()
    way = picture_of(Drawing(path=True))
    assert way[24, 35:40].all()
    assert not way[:, 44:].any()  # what is still to come
    time = picture_of(Drawing(time=True))
    assert time[:20].any()
    assert not time[60:].any()
    hour = picture_of(Drawing(time=True), recorded=datetime(2024, 5, 6, tzinfo=UTC))
    assert hour.sum() > time.sum()
    graph = picture_of(Drawing(graph=True))
    assert graph[-12:].all(axis=0).any()
    assert not graph[:100].any()


def test_without_tracks_the_box_is_around_all_that_moved():
    box = picture_of(Drawing(boxes=True), tracks=False)
    assert box[8, 8:24].all()
    assert not picture_of(Drawing(boxes=True), tracks=False, time=2.1).any()


def test_drawings_reach_the_clip_and_not_the_source_s_frames(tmp_path):
    source = film(tmp_path / "yard.mp4")
    plain = write_clips(scanned(source, events=[(1.0, 2.0)]), RULE, tmp_path / "plain")
    drawn = write_clips(scanned(source, events=[(1.0, 2.0)]), RULE, tmp_path / "drawn", draw=Drawing(boxes=True))
    (_, one), (_, other) = read(plain[0].path)[15], read(drawn[0].path)[15]
    change = np.abs(one.astype(int) - other).max(axis=2)
    assert change[8, 8:24].min() > 20
    assert change[30:].max() < 30
