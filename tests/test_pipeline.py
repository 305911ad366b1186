"""The loop from source to sinks: order, warm-up, ending, and a tally that is true however the run ends."""

import cv2
import numpy as np
import pytest

from bgsub import BackgroundSubtractor
from bgsub.errors import OutputError, ParameterError, SourceError
from bgsub.pipeline import Tally, run
from bgsub.video.frame import Frame, VideoInfo
from bgsub.video.sink import Sink
from bgsub.video.source import Source

INFO = VideoInfo("fake", 4, 2, fps=None, frame_count=None, codec="fake", duration=None)


class FakeSource(Source):
    """Frames at the given times; `breaks` raises after them. Of the numbered it counts damage and drops."""

    info = INFO

    def __init__(self, times, log=None, breaks=False):
        self.times, self.log, self.breaks = times, log if log is not None else [], breaks
        self.closed = False

    def __iter__(self):
        for index, time in enumerate(self.times):
            self.damaged, self.dropped = index, 2 * index
            self.log.append(f"read {index}")
            yield Frame(index, time, np.full((2, 4), index, np.uint8))
        self.damaged = 77
        if self.breaks:
            raise SourceError("it broke")

    def close(self):
        self.closed = True


class FakeSubtractor:
    """The mask has as many foreground pixels as the image's value, and one of shadow."""

    def __init__(self, log=None):
        self.log, self.rates, self.times = log if log is not None else [], [], []

    def apply(self, image, *, learning_rate=None, time=None):
        self.times.append(time)
        self.log.append(f"apply {image[0, 0]}")
        self.rates.append(learning_rate)
        mask = np.zeros(image.size, np.uint8)
        mask[: image[0, 0]] = 255
        mask[-1] = 127
        return mask.reshape(image.shape)


class FakeSink(Sink):
    def __init__(self, log=None, name="sink", breaks_at=None):
        self.log, self.name, self.breaks_at = log if log is not None else [], name, breaks_at
        self.items = []

    def write(self, frame, mask):
        if frame.index == self.breaks_at:
            raise OutputError("no room")
        self.log.append(f"{self.name} {frame.index}")
        self.items.append((frame, mask))

    def close(self):
        raise AssertionError("the caller closes sinks")


def test_each_frame_goes_all_the_way_before_the_next_is_read():
    log = []

    def clean(mask):
        log.append("clean")
        return mask

    source = FakeSource([0.0, 0.1], log)
    sinks = [FakeSink(log, "a"), FakeSink(log, "b")]
    run(source, FakeSubtractor(log), sinks, clean=clean, progress=lambda tally: log.append(f"progress {tally.written}"))
    assert log == [
        *("read 0", "apply 0", "clean", "a 0", "b 0", "progress 1"),
        *("read 1", "apply 1", "clean", "a 1", "b 1", "progress 2"),
    ]
    assert not source.closed


def test_sinks_get_the_frame_and_the_cleaned_mask():
    sink = FakeSink()
    run(FakeSource([0.5, 0.7, 0.9]), FakeSubtractor(), [sink], clean=lambda mask: 255 - mask, learning_rate=0.25)
    assert [frame.time for frame, _ in sink.items] == [0.5, 0.7, 0.9]
    assert [frame.image[0, 0] for frame, _ in sink.items] == [0, 1, 2]
    assert [int((mask == 255).sum()) for _, mask in sink.items] == [7, 6, 5]


def test_the_learning_rate_goes_to_the_model():
    for rate in (None, 0.0, 0.25):
        subtractor = FakeSubtractor()
        run(FakeSource([0, 1]), subtractor, learning_rate=rate)
        assert subtractor.rates == [rate, rate]


def test_the_times_go_to_the_model_unless_it_takes_none():
    subtractor = FakeSubtractor()
    run(FakeSource([0.5, 0.75, 1.5]), subtractor)
    assert subtractor.times == [0.5, 0.75, 1.5]

    class WithoutTimes:
        def apply(self, image, *, learning_rate=None):
            return np.zeros(image.shape, np.uint8)

    assert run(FakeSource([0.5, 0.75]), WithoutTimes()).read == 2
    WithoutTimes.apply.__signature__ = "unknown, as of what is not written in Python"
    assert run(FakeSource([0.5, 0.75]), WithoutTimes()).read == 2


def test_times_that_do_not_rise_are_the_sources_fault_and_do_not_end_the_run():
    subtractor = FakeSubtractor()
    run(FakeSource([0.0, 1.0, 1.0, 0.5, np.nan, np.inf, 2.0]), subtractor)
    assert subtractor.times == [0.0, 1.0, None, None, None, None, 2.0]


def test_a_model_may_see_one_source_after_another():
    model = BackgroundSubtractor()
    for times in ([5.0, 5.1, 5.2], [0.0, 0.1], [3.0, 2.0, 4.0]):
        assert run(FakeSource(times), model).read == len(times)
    with pytest.raises(ParameterError, match="the last frame's was 4"):
        model.apply(np.zeros((2, 4), np.uint8), time=4.0)


def test_the_tally():
    tally = run(FakeSource([2.0, 2.5, 3.5]), FakeSubtractor(), [FakeSink()])
    assert (tally.read, tally.written) == (3, 3)
    assert (tally.first_time, tally.last_time) == (2.0, 3.5)
    assert (tally.damaged, tally.dropped) == (77, 4)  # what was damaged at the very end counts
    assert tally.foreground == pytest.approx(3 / 8)  # shadows do not
    assert tally.mean_foreground == pytest.approx(1 / 8)
    assert tally.elapsed > 0
    assert tally.as_dict() == {
        "frames_read": 3,
        "frames_written": 3,
        "frames_damaged": 77,
        "frames_dropped": 4,
        "reconnects": 0,
        "mean_foreground": 0.125,
        "first_time": 2.0,
        "last_time": 3.5,
        "elapsed": round(tally.elapsed, 3),
        "frames_per_second": round(tally.rate, 2),
    }


def test_the_share_counts_the_cleaned_mask():
    tally = run(FakeSource([0, 1]), FakeSubtractor(), clean=lambda mask: np.full_like(mask, 255))
    assert tally.mean_foreground == 1


def test_nothing_read():
    tally = run(FakeSource([]), FakeSubtractor(), [FakeSink()])
    assert (tally.read, tally.written, tally.mean_foreground, tally.first_time) == (0, 0, 0.0, None)


@pytest.mark.parametrize(("warm_up", "first"), [(0, 0), (0.3, 3), (0.31, 4), (100, 10)])
def test_warm_up_counts_seconds_from_the_first_frame(warm_up, first):
    """Frames come at 5.0, 5.1, 5.2, ..., as sums that are not exact."""
    times = [5.0]
    for _ in range(9):
        times.append(times[-1] + 0.1)
    subtractor, sink = FakeSubtractor(), FakeSink()
    cleaned = []
    tally = run(FakeSource(times), subtractor, [sink], warm_up=warm_up, clean=lambda mask: (cleaned.append(1), mask)[1])
    assert [frame.index for frame, _ in sink.items] == list(range(first, 10))
    assert len(subtractor.rates) == 10
    assert (tally.read, tally.written, len(cleaned)) == (10, 10 - first, 10 - first)
    assert tally.foreground == pytest.approx(sum(range(first, 8)) / 8 + (10 - max(first, 8)) * 7 / 8)


def test_stop_ends_the_run_after_the_frame():
    answers = iter([False, True])
    sink, source = FakeSink(), FakeSource([0, 1, 2, 3])
    tally = run(source, FakeSubtractor(), [sink], stop=lambda: next(answers))
    assert [frame.index for frame, _ in sink.items] == [0, 1]
    assert (tally.read, tally.written, tally.damaged) == (2, 2, 1)


def test_a_source_that_breaks_leaves_a_true_tally():
    tally, sink = Tally(), FakeSink()
    with pytest.raises(SourceError, match="it broke"):
        run(FakeSource([0, 1, 2], breaks=True), FakeSubtractor(), [sink], tally=tally)
    assert (tally.read, tally.written, tally.damaged, tally.dropped) == (3, 3, 77, 4)
    assert (len(sink.items), tally.last_time) == (3, 2)
    assert tally.elapsed > 0


def test_a_sink_that_breaks_leaves_a_true_tally():
    tally, whole, log = Tally(), FakeSink(), []
    with pytest.raises(OutputError, match="no room"):
        run(FakeSource([0, 1, 2], log), FakeSubtractor(), [whole, FakeSink(breaks_at=1)], tally=tally)
    assert (tally.read, tally.written) == (2, 1)
    assert (tally.damaged, tally.dropped, tally.last_time) == (1, 2, 1)
    assert [entry for entry in log if entry.startswith("read")] == ["read 0", "read 1"]


class Clock:
    """A clock that a test winds on; frames cost what `costs` says, of which `compiled` goes into compiling."""

    def __init__(self, monkeypatch, costs, compiled):
        self.now, self.compiling, self.costs = 100.0, 0.0, list(zip(costs, compiled, strict=True))
        monkeypatch.setattr("bgsub.pipeline.time.perf_counter", lambda: self.now)
        monkeypatch.setattr("bgsub.pipeline.compilation.seconds", lambda: self.compiling)

    def apply(self, image, *, learning_rate=None):
        cost, compiled = self.costs[image[0, 0]]
        self.now, self.compiling = self.now + cost, self.compiling + compiled
        return np.zeros(image.shape, np.uint8)


def test_the_rate_leaves_out_the_first_frame_and_compiling(monkeypatch):
    clock = Clock(monkeypatch, [9.0, 0.5, 3.5, 0.5], [7.0, 0.0, 3.0, 0.0])
    tally = run(FakeSource([0, 1, 2, 3]), clock)
    assert tally.elapsed == pytest.approx(13.5)
    assert tally.rate == pytest.approx(2.0)
    run(FakeSource([0, 1]), clock, tally=tally)  # a second run has a first frame of its own
    assert tally.elapsed == pytest.approx(23.0)
    assert (tally.read, tally.rate) == (6, pytest.approx(2.0))


def test_the_rate_of_one_frame_and_of_none(monkeypatch):
    assert Tally().rate == 0
    assert run(FakeSource([0]), Clock(monkeypatch, [0.5], [0.0])).rate == pytest.approx(2.0)


def test_a_tally_goes_on_where_it_stood():
    tally = Tally(elapsed=5.0)
    assert run(FakeSource([0, 1]), FakeSubtractor(), tally=tally) is tally
    run(FakeSource([0, 1]), FakeSubtractor(), tally=tally)
    assert (tally.read, tally.written) == (4, 4)
    assert 5 < tally.elapsed < 6


def test_progress_sees_the_tally_of_each_frame():
    seen = []
    run(
        FakeSource([0, 1, 2]),
        FakeSubtractor(),
        [FakeSink()],
        warm_up=1,
        progress=lambda tally: seen.append((tally.read, tally.written, tally.damaged, tally.elapsed > 0)),
    )
    assert seen == [(1, 0, 0, True), (2, 1, 1, True), (3, 2, 2, True)]


def test_opencvs_threads_are_those_of_the_model_meanwhile_and_the_users_own_afterwards():
    before, seen = cv2.getNumThreads(), []
    cv2.setNumThreads(3)
    try:
        run(
            FakeSource([0.0, 0.1, 0.2]),
            BackgroundSubtractor(threads=1),
            progress=lambda tally: seen.append(cv2.getNumThreads()),
        )
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)
    assert seen == [1, 1, 1]
