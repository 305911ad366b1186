"""Recordings cut into pieces: the events of an uncut scan."""

import itertools
import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from bgsub.errors import OutputError, ParameterError, SourceError
from bgsub.jobs.inputs import find_inputs
from bgsub.jobs.job import Excerpt, ModelChoice
from bgsub.motion.cutting import cut, in_pieces
from bgsub.motion.events import Rule
from bgsub.motion.job import ScanJob
from bgsub.motion.outputs import ScanOutputs
from bgsub.motion.pieces import Piece, join_parts, plan_pieces
from bgsub.motion.piecework import look_at
from bgsub.motion.scanning import Scan
from bgsub.motion.working import Finished, ScanTask, work
from bgsub.motion.zones import Zone
from bgsub.video.key_frames import key_times
from tests.motion.recordings import pictures, record
from tests.video.clips import pictures as noise
from tests.video.clips import smooth_pictures, write_clip

# ------------------------------------------------------------------------------------------------------------- planning


def spans(pieces):
    return [(piece.begin, piece.start, piece.end) for piece in pieces]


def test_pieces_begin_at_key_frames_and_leave_nothing_out():
    keys = [0.0, 3.0, 6.5, 9.0, 13.0, 20.0, 21.0, 30.0]
    pieces = plan_pieces(keys, 6, warm_up=4)
    assert spans(pieces) == [(0.0, 0.0, 6.5), (2.5, 6.5, 13.0), (9.0, 13.0, 20.0), (16.0, 20.0, math.inf)]
    assert [(piece.number, piece.count) for piece in pieces] == [(i, 4) for i in range(4)]


@pytest.mark.parametrize("length", [1, 2.5, 7, 100])
@pytest.mark.parametrize("start", [0.0, 12.3])
@pytest.mark.parametrize("end", [40.0, math.inf])
def test_pieces_follow_each_other(length, start, end):
    keys = sorted({0.0, *np.random.default_rng(1).uniform(0, 60, 40).round(2), 60.0})
    pieces = plan_pieces(keys, length, start=start, end=end)
    assert pieces[0].start == start
    assert pieces[-1].end == math.inf
    for one, after in itertools.pairwise(pieces):
        assert one.end == after.start
        assert after.start - one.start >= length
        assert after.start in keys
        assert after.start < end
    assert all(start <= piece.begin <= piece.start for piece in pieces)


@pytest.mark.parametrize("keys", [[], [0.0], [0.0, 60.0], [0.0, 1.0, 14.9]])
def test_what_is_short_or_has_no_key_frames_is_one_piece(keys):
    assert spans(plan_pieces(keys, 10)) == [(0.0, 0.0, math.inf)]


@pytest.mark.parametrize(("length", "warm_up"), [(0.5, 1), (-1, 1), (math.nan, 1), (math.inf, 1), (10, -1)])
def test_lengths_out_of_bounds_are_refused(length, warm_up):
    with pytest.raises(ParameterError, match="out of bounds"):
        plan_pieces([0.0, 100.0], length, warm_up=warm_up)


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mp4", "libx264", {"bf": "2"}),
        ("a.mkv", "libx264", {"bf": "2"}),
        ("a.avi", "mpeg4", {}),
        ("b.mp4", "mpeg4", {}),
    ],
)
def test_key_frames_of_an_index_and_of_packets(tmp_path, name, codec, options):
    images = smooth_pictures(30) + smooth_pictures(30)[::-1]
    options = {"sc_threshold": "1000000" if codec == "mpeg4" else "0", **options}
    clip = write_clip(tmp_path / name, images, codec=codec, pix_fmt="yuv420p", gop=10, options=options)
    times = key_times(str(clip))
    assert len(times) == 7
    assert times[:6] == pytest.approx([i * 0.4 for i in range(6)], abs=0.09)  # an index has times of decoding
    assert times[-1] == pytest.approx(59 / 25, abs=0.09)


def test_what_cannot_be_sought_has_no_key_frames(tmp_path):
    clip = write_clip(tmp_path / "a.ts", noise(20), codec="libx264", pix_fmt="yuv420p")
    assert key_times(str(clip)) == []
    import cv2

    for i in range(3):
        cv2.imwrite(str(tmp_path / f"{i}.png"), noise(1)[0])
    assert key_times(str(tmp_path / "*.png")) == []


# --------------------------------------------------------------------------------------------------------- same events


@pytest.fixture(scope="module")
def yard(tmp_path_factory):
    """40 s in which something crosses seven times, twice at a cut, and once stays."""
    crossings = [(60, 90), (230, 262), (370, 400), (490, 520), (505, 530), (640, 670), (900, 930)]
    images = pictures(1000, crossings)
    rng = np.random.default_rng(5)
    box = rng.integers(180, 250, (20, 20, 3), np.uint8)
    for i in range(760, 1000):
        left = 10 + 2 * min(i - 760, 25)
        images[i][80:100, left : left + 20] = box
    folder = tmp_path_factory.mktemp("yard")
    return write_clip(
        folder / "yard.mkv",
        images,
        codec="libx264",
        pix_fmt="yuv444p",
        gop=25,
        options={"crf": "10", "sc_threshold": "0"},
    )


def scanned(job):
    scan = Scan(job)
    list(scan)
    return scan.result


def cut_and_joined(job, length, warm_up):
    pieces = cut(job, length, warm_up)
    assert len(pieces) > 1
    return join_parts(job, reversed([look_at(job, piece) for piece in pieces]))


def told(events):
    return [(event.number, event.start, event.end, event.first, event.last, event.kind) for event in events]


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{"looks": None}, {"excerpt": Excerpt(start=4.0, end=33.0)}])
def test_events_are_those_of_an_uncut_scan(yard, changes):
    job = ScanJob(str(yard), **changes)
    whole, joined = scanned(job), cut_and_joined(job, 10, 8)
    assert told(joined.events) == told(whole.events)
    assert len(whole.events) >= 5
    assert joined.facts == whole.facts
    assert (joined.tally.read, joined.tally.first_time, joined.tally.last_time) == (
        whole.tally.read,
        whole.tally.first_time,
        whole.tally.last_time,
    )
    assert len(joined.tracks) == len(whole.tracks)
    assert [track.start for track in joined.tracks] == pytest.approx([track.start for track in whole.tracks])
    assert joined.activity.times.tolist() == whole.activity.times.tolist()
    assert joined.heat.sum() == pytest.approx(whole.heat.sum(), rel=0.02)


@pytest.mark.slow
def test_an_event_that_is_open_at_a_cut_is_one(tmp_path):
    crossings = [(first, first + 30) for first in range(100, 400, 30)]  # one after another
    job = ScanJob(str(record(tmp_path / "busy.mkv", 500, crossings)))
    whole, joined = scanned(job), cut_and_joined(job, 5, 4)
    assert len(cut(job, 5)) == 4
    assert told(joined.events) == told(whole.events)
    assert len(whole.events) == 1


@pytest.mark.slow
def test_who_goes_over_a_line_at_a_cut_counts_once(tmp_path):
    job = ScanJob(
        str(record(tmp_path / "gate.mkv", 300, [(110, 140)])),
        zones=(Zone("gate", (((80.0, 0.0), (80.0, 119.0)),), "line"),),
    )
    whole, joined = scanned(job), cut_and_joined(job, 5, 4)
    crossed = [[crossing for track in result.tracks for crossing in track.crossings] for result in (whole, joined)]
    assert len(crossed[0]) == 1
    assert [(c.name, c.direction, c.frame) for c in crossed[0]] == [(c.name, c.direction, c.frame) for c in crossed[1]]


@pytest.mark.slow
def test_without_a_warm_up_events_are_others(yard):
    """What the seconds before a cut are for."""
    job = ScanJob(str(yard), model=ModelChoice("mog2"))
    assert told(cut_and_joined(job, 5, 0).events) != told(scanned(job).events)


# --------------------------------------------------------------------------------------------------------------- crews


def one_by_one(tasks, outputs, watch):
    for task in tasks:
        yield work(task, outputs, watch)


def tasks_of(names, folder, **settings):
    return [
        ScanTask(i, item, ScanJob(item.source, **settings), folder, item.name)
        for i, item in enumerate(find_inputs([str(name) for name in names]).each)
    ]


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    return record(tmp_path_factory.mktemp("short") / "short.mkv", 60, [(20, 50)])


@pytest.mark.slow
def test_a_crew_does_pieces_and_whole_recordings(yard, short, tmp_path):
    tasks = tasks_of([yard, short], tmp_path / "out")
    outputs = ScanOutputs(clips="exact", thumbnails=True, heatmap=True, result=True)
    seen = []

    def crew(units, *args):
        seen.extend((unit.position, unit.piece and unit.piece.number) for unit in units)
        yield from one_by_one(list(reversed(units)), *args)

    watched = []
    done = list(in_pieces(crew, 10, 8)(tasks, outputs, lambda *told: watched.append(told)))
    assert seen == [(0, 0), (0, 1), (0, 2), (0, 3), (1, None)]
    assert [one.task.position for one in done] == [1, 0]
    assert all(one.error is None for one in done)
    whole = scanned(tasks[0].job)
    assert told(done[1].scanned.events) == told(whole.events)
    assert len([path for path in done[1].outputs if path.suffix == ".mp4"]) == len(whole.events) == len(done[1].clips)
    assert (tmp_path / "out" / "yard.scan.json").exists()
    assert {told[0].position for told in watched} == {0, 1}
    assert all(total is None or read <= total for _, read, total in watched)


def test_masks_are_not_made_in_pieces(yard, tmp_path):
    for outputs in (ScanOutputs(mask_video=True), ScanOutputs(clips="exact", draw=("mask",))):
        with pytest.raises(ParameterError, match="masks are drawn of a scan in one go"):
            list(in_pieces(one_by_one, 10)(tasks_of([yard], tmp_path), outputs, None))


def test_a_scan_that_ends_after_some_events_is_not_cut(yard):
    with pytest.raises(ParameterError, match="is not cut into pieces"):
        cut(ScanJob(str(yard), rule=Rule(max_events=1)), 10)


def test_what_exists_is_said_before_anything_is_read(yard, tmp_path):
    (tmp_path / "yard.scan.json").write_text("dear")
    (done,) = in_pieces(one_by_one, 10)(tasks_of([yard], tmp_path), ScanOutputs(result=True), None)
    assert isinstance(done.error, OutputError)
    assert "exists; pass --overwrite" in str(done.error)


def fake_part(task, error=None):
    piece = task.piece
    part = look_at(task.job, Piece(piece.number, piece.start, piece.start + 1, piece.start, piece.count))
    return replace(part, piece=piece, error=error)


def test_a_piece_that_fails_ends_the_recording_there(yard, tmp_path):
    def crew(units, outputs, watch):
        for unit in units:
            if unit.piece.number == 2:
                yield Finished(unit, None, (), SourceError("cannot scan yard: its process was killed twice"))
            else:
                yield Finished(unit, None, part=fake_part(unit))

    (done,) = in_pieces(crew, 10)(tasks_of([yard], tmp_path), ScanOutputs(result=True), None)
    assert str(done.error) == "cannot scan yard: its process was killed twice" == done.scanned.error
    assert done.scanned.tally.last_time < 20


def test_a_piece_that_breaks_off_ends_the_recording_there(yard, tmp_path):
    def crew(units, outputs, watch):
        for unit in units:
            yield Finished(unit, None, part=fake_part(unit, "broke off" if unit.piece.number == 1 else None))

    (done,) = in_pieces(crew, 10)(tasks_of([yard], tmp_path), ScanOutputs(), None)
    assert (str(done.error), done.scanned.tally.last_time < 20) == ("broke off", True)


def test_an_interruption_is_told_once(yard, tmp_path):
    def crew(units, outputs, watch):
        yield Finished(units[0], None, part=fake_part(units[0]))
        for unit in units[1:]:
            yield Finished(unit, None, (), KeyboardInterrupt())

    (done,) = in_pieces(crew, 10)(tasks_of([yard], tmp_path), ScanOutputs(), None)
    assert isinstance(done.error, KeyboardInterrupt)


def test_what_is_not_there_fails_as_ever(tmp_path):
    (done,) = in_pieces(one_by_one, 10)(tasks_of([tmp_path / "none.mkv"], tmp_path), ScanOutputs(), None)
    assert "no such file" in str(done.error)


def test_frames_of_another_rate_are_not_cut(yard, caplog):
    assert len(cut(ScanJob(str(yard), excerpt=Excerpt(fps=float(Fraction(10)))), 10)) == 1
    assert "is scanned uncut" in caplog.text
