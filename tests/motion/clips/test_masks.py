"""Masks of a scan as a video, and drawn into clips and over the whole: in the right place of the right frame."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from bgsub.errors import OutputError
from bgsub.jobs import Excerpt, ModelChoice
from bgsub.jobs.inputs import find_inputs
from bgsub.motion.clips.masks import KeptMasks, enlarged
from bgsub.motion.events import Rule
from bgsub.motion.job import ScanJob
from bgsub.motion.outputs import ScanOutputs
from bgsub.motion.scanning import Scan
from bgsub.motion.working import ScanTask, work
from bgsub.video.frame import VideoInfo
from bgsub.video.opening import open_source
from tests.motion.recordings import pictures, record
from tests.video.clips import write_clip
from tests.video.writers.test_sound import beeps, make_film

ONE = ModelChoice(threads=1)


def info(width, height, source_size=None):
    return VideoInfo("a", width, height, Fraction(25), None, "raw", None, source_size=source_size)


def scan(source, folder, *, job=None, **outputs):
    """Scan one recording with some outputs, and return what came of it."""
    (item,) = find_inputs([str(source)]).each
    job = job or ScanJob(str(source), model=ONE)
    return work(ScanTask(0, item, job, Path(folder), "a"), ScanOutputs(**outputs))


def masks_of(job):
    """Times and masks of all frames of a scan, however many it needs to look at."""
    seen = []
    for _ in Scan(replace(job, looks=None), seen=lambda frame, mask: seen.append((frame.time, mask.copy()))):
        pass
    return [time for time, _ in seen], [mask for _, mask in seen]


def video(path, form):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        return [float(f.pts * stream.time_base) for f in frames], [f.to_ndarray(format=form) for f in frames]


@pytest.mark.parametrize(("small", "size"), [((9, 7), None), ((9, 7), (18, 14)), ((9, 7), (19, 15)), ((1, 1), (2, 3))])
def test_masks_are_kept_to_the_pixel(tmp_path, small, size):
    rng = np.random.default_rng(1)
    masks = rng.choice(np.array([0, 127, 255], np.uint8), (40, small[1], small[0]))
    masks[7] = 0
    numbers = np.cumsum(rng.integers(1, 4, 40)).tolist()
    with KeptMasks(tmp_path, info(*small, size)) as kept:
        for number, mask in zip(numbers, masks, strict=True):
            kept.add(number, mask)
        for place in rng.permutation(40):
            wanted = np.where(masks[place] == 255, 255, 0)
            found = kept.mask(numbers[place])
            assert found.shape == (size or small)[::-1]
            factor = found.shape[1] // small[0]
            rows, columns = small[1] * factor, small[0] * factor
            assert np.array_equal(found[:rows, :columns], wanted.repeat(factor, 0).repeat(factor, 1))
            assert not found[rows:].any()
            assert not found[:, columns:].any()
        missing = set(range(-1, numbers[-1] + 3)) - set(numbers)
        assert all(kept.mask(number) is None for number in missing)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_nothing_is_told(tmp_path):
    with pytest.raises(OutputError, match=r"cannot keep masks in .*none: No such file or directory; make room or"):
        KeptMasks(tmp_path / "none", info(4, 4))


@pytest.mark.parametrize("shrink", [1, 2])
def test_the_video_of_masks_has_those_of_the_scan(tmp_path, shrink):
    source = record(tmp_path / "in" / "door.mkv", 60, [(20, 45)])
    job = ScanJob(str(source), model=ONE, shrink=shrink)
    done = scan(source, tmp_path, job=job, mask_video=True)
    times, masks = masks_of(job)
    assert [path.name for path in done.outputs] == ["a.mask.mkv"]
    found_times, found = video(tmp_path / "a.mask.mkv", "gray")
    assert found_times == pytest.approx(times, abs=6e-4)
    assert np.array_equal(found, [enlarged(mask, shrink, (160, 120)) for mask in masks])
    assert any(mask.any() for mask in found)


@pytest.mark.parametrize("excerpt", [Excerpt(), Excerpt(start=1.0), Excerpt(start=0.5, duration=1.0), Excerpt(every=2)])
def test_the_overlay_tints_what_moves_and_nothing_else(tmp_path, excerpt):
    shown = pictures(60, [(20, 45)])
    source = write_clip(tmp_path / "door.mkv", shown)
    job = ScanJob(str(source), model=ONE, excerpt=excerpt)
    (tmp_path / "out").mkdir()
    done = scan(source, tmp_path / "out", job=job, overlay_video=True)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.overlay.mp4"]
    first = round(done.scanned.tally.first_time * 25)
    seen = dict(zip(*masks_of(job), strict=True))
    times, found = video(tmp_path / "out" / "a.overlay.mp4", "bgr24")
    assert times == pytest.approx([i / 25 for i in range(len(found))], abs=1e-3)
    assert len(found) == round((done.scanned.facts.duration - done.scanned.tally.first_time) * 25)
    tinted = 0
    for place, picture in enumerate(found):
        mask = seen.get((place + first) / 25)
        moves = np.zeros((120, 160), bool) if mask is None else mask == 255
        change = cv2.absdiff(cv2.blur(picture, (5, 5)), cv2.blur(shown[place + first], (5, 5))).max(axis=2)
        near = cv2.dilate(moves.astype(np.uint8), np.ones((9, 9))) > 0
        assert change[~near].mean() < 8  # H.264 is not without loss
        if moves.sum() > 300:
            tinted += change[moves].mean() > 40
    assert tinted >= 8 / excerpt.every


def test_masks_are_drawn_into_the_frames_of_clips(tmp_path):
    source = record(tmp_path / "door.mkv", 160, [(20, 45), (110, 135)])
    job = ScanJob(str(source), model=ONE, looks=None, rule=Rule(merge=0.5, before=0.2, after=0.2))
    (tmp_path / "plain").mkdir()
    (tmp_path / "drawn").mkdir()
    scan(source, tmp_path / "plain", job=job, clips="exact")
    done = scan(source, tmp_path / "drawn", job=job, clips="exact", draw=("mask",))
    _, seen = masks_of(job)
    assert len(done.clips) == 2
    for clip in done.clips:
        _, plain = video(tmp_path / "plain" / clip.path.name, "bgr24")
        _, drawn = video(clip.path, "bgr24")
        for place in (12, 18, 24):
            moves = seen[round(clip.start * 25) + place] == 255
            change = cv2.absdiff(plain[place], drawn[place]).max(axis=2)
            assert change[moves].mean() > 40
            assert change[cv2.dilate(moves.astype(np.uint8), np.ones((17, 17))) == 0].mean() < 8


def test_the_overlay_of_a_variable_rate_keeps_its_times(tmp_path):
    stamps = np.cumsum([0] + [40, 120, 200] * 20).tolist()
    source = write_clip(tmp_path / "v.mkv", pictures(len(stamps), [(20, 45)]), pts=stamps, time_base=Fraction(1, 1000))
    (tmp_path / "out").mkdir()
    scan(source, tmp_path / "out", overlay_video=True, mask_video=True)
    for name in ("a.overlay.mp4", "a.mask.mkv"):
        times, _ = video(tmp_path / "out" / name, "gray")
        assert times == pytest.approx([stamp / 1000 for stamp in stamps], abs=1e-3)


def test_a_recording_that_breaks_off_has_masks_as_far_as_it_goes(tmp_path):
    source = write_clip(tmp_path / "door.ts", pictures(100, [(20, 45)]), codec="libx264", pix_fmt="yuv420p")
    source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    (tmp_path / "out").mkdir()
    done = scan(source, tmp_path / "out", overlay_video=True, mask_video=True)
    for name in ("a.overlay.mp4", "a.mask.mkv"):
        assert len(video(tmp_path / "out" / name, "gray")[0]) == done.scanned.tally.read


def test_a_scan_that_is_stopped_leaves_no_videos(tmp_path):
    source = record(tmp_path / "door.mkv", 60, [(20, 45)])
    (item,) = find_inputs([str(source)]).each
    (tmp_path / "out").mkdir()
    task = ScanTask(0, item, ScanJob(str(source), model=ONE), tmp_path / "out", "a")
    read = []
    done = work(task, ScanOutputs(mask_video=True, overlay_video=True), lambda *told: read.append(told), lambda: True)
    assert isinstance(done.error, KeyboardInterrupt)
    assert list((tmp_path / "out").iterdir()) == []


def test_what_is_left_to_do_counts_the_overlay_too(tmp_path):
    source = record(tmp_path / "door.avi", 60, [(20, 45)])
    (item,) = find_inputs([str(source)]).each
    told = []
    task = ScanTask(0, item, ScanJob(str(source), model=ONE), tmp_path, "a")
    work(task, ScanOutputs(overlay_video=True), lambda task, read, total: told.append((read, total)))
    assert told == [(read, 120) for read in range(1, 121)]


@pytest.mark.slow
def test_the_overlay_is_heard_in_step(tmp_path):
    source = make_film(tmp_path / "aac.mp4")
    (tmp_path / "out").mkdir()
    scan(source, tmp_path / "out", overlay_video=True)
    assert beeps(tmp_path / "out" / "a.overlay.mp4")[1] == pytest.approx(beeps(source)[1], abs=0.02)
    with open_source(tmp_path / "out" / "a.overlay.mp4") as opened:
        assert opened.sound is not None
