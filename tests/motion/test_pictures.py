"""Heat maps and pictures of peaks: looked at again, in the right place and colour."""

from dataclasses import replace

import av
import cv2
import numpy as np
import pytest

from bgsub.errors import OutputError, ParameterError
from bgsub.motion import thumbnails
from bgsub.motion.heatmap import heat_picture, write_heatmap, written_seconds
from bgsub.motion.job import ScanJob
from bgsub.motion.outputs import ScanOutputs
from bgsub.motion.results import Scanned, SourceFacts
from bgsub.motion.thumbnails import peak_pictures, write_thumbnails
from bgsub.motion.writing import Writing
from tests.motion.scanned import failed_result, some_event, some_result, some_track

WIDTH, HEIGHT = 320, 180


def colour_of(index):
    """What frame `index` of a written video is filled with: BGR."""
    return (20 + 4 * index % 200, 220 - 3 * index % 200, 40 + 7 * index % 200)


def written_video(path, times=None, n=60):
    """A lossless video whose frames can be told by their colour."""
    with av.open(path, "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = WIDTH, HEIGHT, "bgr0", 12
        for i in range(n):
            frame = av.VideoFrame.from_ndarray(np.full((HEIGHT, WIDTH, 3), colour_of(i), np.uint8), "bgr24")
            frame.pts = i if times is None else round(times[i] * 25)
            container.mux(stream.encode(frame.reformat(format="bgr0")))
        container.mux(stream.encode(None))
    return str(path)


def result_of(source, *events, tracks=()):
    facts = SourceFacts((source,), "gate", WIDTH, HEIGHT, 25.0, 2.4)
    return Scanned(facts, events=events, tracks=tracks, source=(source,))


def peak_at(frame, number=1, **changes):
    return some_event(number, 0.4, 2.0, peak=frame / 25, peak_frame=frame, **changes)


def test_a_picture_is_the_frame_of_the_peak(tmp_path):
    source = written_video(tmp_path / "a.mkv")
    result = result_of(source, peak_at(0), peak_at(17, 2), peak_at(59, 3))
    for (event, image), frame in zip(peak_pictures(result), (0, 17, 59), strict=True):
        assert event.peak_frame == frame
        assert image.shape == (HEIGHT, WIDTH, 3)
        assert np.abs(image.astype(int) - colour_of(frame)).max() <= 1


@pytest.mark.parametrize("order", [(5, 20, 40, 58), (40, 5, 58, 20), (30, 30, 31), (10, 59, 200, 20)])
def test_peaks_near_each_other_are_each_its_own_frame_in_any_order(tmp_path, order):
    source = written_video(tmp_path / "a.mkv")
    events = [peak_at(frame, i) for i, frame in enumerate(order)]
    for (event, image), frame in zip(peak_pictures(result_of(source, *events)), order, strict=True):
        assert event.peak_frame == frame
        if frame == 200:  # the video ends before
            assert image is None
        else:
            assert np.abs(image.astype(int) - colour_of(frame)).max() <= 1


def test_what_is_drawn_into_one_picture_is_not_in_the_next_of_the_same_frame(tmp_path):
    source = written_video(tmp_path / "a.mkv")
    boxes = [((10, 10, 40, 40),), ((200, 100, 40, 40),)]
    result = result_of(source, *(peak_at(30, i, peak_boxes=box) for i, box in enumerate(boxes)))
    _, second = (image for _, image in peak_pictures(result, boxes=True))
    assert (second[10, 30] == second[60, 60]).all()
    assert (second[100, 220] != second[60, 60]).any()


def test_peaks_near_each_other_are_read_in_one_go_and_far_ones_apart(tmp_path, monkeypatch):
    opened = []
    real = thumbnails.open_source
    monkeypatch.setattr(thumbnails, "open_source", lambda *a, **k: opened.append(k["start"]) or real(*a, **k))
    source = written_video(tmp_path / "a.mkv", np.arange(60) * 10 / 25)  # 24 s
    events = [some_event(i, t, t + 0.5, peak=t, peak_frame=round(t / 0.4)) for i, t in enumerate((2.0, 4.0, 8.0, 20.0))]
    pictures = [image for _, image in peak_pictures(result_of(source, *events))]
    assert len(opened) == 2
    for image, frame in zip(pictures, (5, 10, 20, 50), strict=True):
        assert np.abs(image.astype(int) - colour_of(frame)).max() <= 1


def test_a_picture_of_a_variable_rate_is_the_frame_of_the_peak(tmp_path):
    times = np.r_[np.arange(30) / 25, 1.2 + np.arange(30) * 2 / 25]
    source = written_video(tmp_path / "a.mkv", times)
    result = result_of(source, some_event(1, 0.4, 3.0, peak=float(times[41]), peak_frame=41))
    ((_, image),) = peak_pictures(result)
    assert np.abs(image.astype(int) - colour_of(41)).max() <= 1


def test_a_picture_is_shrunk_and_its_boxes_and_paths_with_it(tmp_path):
    source = written_video(tmp_path / "a.mkv")
    event = peak_at(12, peak_boxes=((100, 40, 40, 60),))
    result = result_of(source, event, tracks=(some_track(1, 0.4, 20),))
    ((_, plain),) = peak_pictures(result, width=160)
    ((_, drawn),) = peak_pictures(result, width=160, boxes=True, path=True)
    assert plain.shape == drawn.shape == (90, 160, 3)
    rows, columns = np.nonzero((plain != drawn).any(axis=2))
    assert 47 <= columns.min() <= 50 and 75 <= columns.max() <= 82  # the box 50..70, the path to 76, its dot
    assert 17 <= rows.min() <= 20 and 50 <= rows.max() <= 54
    assert (plain[30, 60] == drawn[30, 60]).all()  # the box is no area


@pytest.mark.parametrize("width", [0, 15, 5000])
def test_a_width_out_of_bounds_is_refused(width):
    with pytest.raises(ParameterError, match=rf"^width={width} is out of bounds; give 16 to 4096 pixels$"):
        list(peak_pictures(result_of("a.mkv", peak_at(0)), width=width))


def test_what_cannot_be_read_again_has_no_picture(tmp_path):
    short = written_video(tmp_path / "short.mkv", n=10)
    (tmp_path / "broken.mkv").write_bytes(b"no video")
    for source in (str(tmp_path / "gone.mkv"), str(tmp_path / "broken.mkv"), short, "-"):
        assert [image for _, image in peak_pictures(result_of(source, peak_at(40)))] == [None]
    assert list(peak_pictures(failed_result())) == []


def test_thumbnails_are_jpegs_named_by_their_events_and_replace_nothing(tmp_path):
    source = written_video(tmp_path / "a.mkv")
    result = result_of(source, peak_at(10), peak_at(200, 2), peak_at(30, 3))
    written = list(write_thumbnails(result, tmp_path / "gate"))
    assert [path.name for path in written] == ["gate.event-001.jpg", "gate.event-003.jpg"]
    picture = cv2.imread(str(written[1]))
    assert np.abs(picture[90, 160].astype(int) - colour_of(30)).max() <= 6
    before = written[0].read_bytes()
    written[1].unlink()
    with pytest.raises(OutputError, match=r"event-001\.jpg exists; pass --overwrite or choose another name$"):
        list(write_thumbnails(result, tmp_path / "gate"))
    assert written[0].read_bytes() == before
    assert not written[1].exists()
    assert len(list(write_thumbnails(result, tmp_path / "gate", overwrite=True))) == 2


def heat_result(heat, background=None, **facts):
    known = SourceFacts(("a.mp4",), "a", **{"width": 640, "height": 360, "fps": 25.0, "duration": 9.0} | facts)
    return Scanned(known, heat=heat, background=background)


def test_heat_lies_where_it_was_and_the_rest_is_grey():
    heat = np.zeros((90, 160), np.float32)
    heat[20:40, 100:140] = 8.0
    heat[60:80, 10:30] = 0.5
    background = np.full((90, 160, 3), (10, 200, 90), np.uint8)
    picture = heat_picture(heat_result(heat, background), legend=False)
    assert picture.shape == (360, 640, 3)
    colour = np.ptp(picture.astype(int), axis=2)
    assert colour[120, 480] > 60 and colour[280, 80] > 30  # hot, and sixteen times less
    assert colour[200, 300] == 0 and picture[200, 300, 0] > 60
    assert picture[120, 480].astype(int).sum() > picture[280, 80].astype(int).sum()  # lighter is more


def test_a_legend_stands_below_and_its_end_is_the_hottest(monkeypatch):
    texts = []
    monkeypatch.setattr(cv2, "putText", lambda image, text, *rest: texts.append(text))
    heat = np.zeros((90, 160), np.float32)
    heat[20:40, 100:140] = 8.0
    picture = heat_picture(heat_result(heat))
    assert picture.shape == (404, 640, 3)
    assert texts == ["0 s", "0.5 s", "2 s", "4.5 s", "8 s"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (0.04, "0.04 s"), (9.96, "10 s"), (119, "119 s"), (120, "2 min"), (9000, "2.5 h")]
)
def test_seconds_of_a_legend(seconds, text):
    assert written_seconds(seconds) == text


def test_the_picture_has_the_sources_shape_and_a_bounded_size():
    heat = np.ones((45, 80), np.float32)
    assert heat_picture(heat_result(heat, width=3840, height=2160), legend=False).shape == (720, 1280, 3)
    assert heat_picture(heat_result(heat, width=160, height=90), legend=False).shape == (270, 480, 3)
    assert heat_picture(heat_result(heat), legend=False, width=64).shape == (36, 64, 3)
    assert heat_picture(heat_result(np.zeros((45, 80), np.float32))) is not None  # stillness is grey
    assert heat_picture(some_result(heat=None)) is None
    assert heat_picture(replace(heat_result(heat), facts=None)).shape[1] == 480


def test_a_heat_map_is_written_as_png(tmp_path):
    assert write_heatmap(tmp_path / "h.png", some_result())
    assert cv2.imread(str(tmp_path / "h.png")).shape == (270 + 44, 480, 3)
    assert not write_heatmap(tmp_path / "none.png", failed_result())
    assert not (tmp_path / "none.png").exists()
    with pytest.raises(OutputError, match=r"its extension is not \.png; choose that$"):
        write_heatmap(tmp_path / "h.jpg", some_result())


def test_a_scan_writes_its_pictures_and_in_a_folder_of_results_again(tmp_path):
    source = written_video(tmp_path / "a.mkv")
    result = replace(result_of(source, peak_at(10), peak_at(30, 2)), heat=np.ones((18, 32), np.float32))
    base, job, both = tmp_path / "out" / "day" / "gate", ScanJob(str(source)), {"thumbnails": True, "heatmap": True}
    first = Writing(base, job, ScanOutputs(**both))
    first.check()
    first.write(result)
    written = first.paths
    assert [path.name for path in written] == ["gate.event-001.jpg", "gate.event-002.jpg", "gate.heat.png"]
    assert all(cv2.imread(str(path)) is not None for path in written)
    for wanted, name in ({"thumbnails": True}, "event-001.jpg"), ({"heatmap": True}, "heat.png"):
        other = Writing(base, job, ScanOutputs(**wanted))
        with pytest.raises(OutputError, match=rf"gate\.{name} exists; pass --overwrite"):
            other.check()
        with pytest.raises(OutputError, match=rf"gate\.{name} exists; pass --overwrite"):
            other.write(result)
    Writing(base, job, ScanOutputs(clips="exact")).check()  # no clip lies there
    again = Writing(base, job, ScanOutputs(**both, result=True), replace=True)  # what a killed run has left there
    again.check()
    again.write(result)
    assert again.paths[:3] == written
