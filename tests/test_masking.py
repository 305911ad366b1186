"""Frames of a file are held and masked several at once where nobody waits for each; nothing is lost thereby."""

import dataclasses

import numpy as np
import pytest

from bgsub import MOG2
from bgsub.errors import OutputError, ParameterError, SourceError
from bgsub.pipeline import Tally, run
from bgsub.video.frame import Frame
from bgsub.video.writers.stats import stats_sink
from bgsub.video.writers.threaded import ThreadedSink
from tests.test_naive import switching_scene
from tests.test_pipeline import INFO, FakeSink, FakeSource

FRAMES = switching_scene(30, shape=(13, 19), seed=3)


class File(FakeSource):
    """Frames that could be read again; `end` is raised after them."""

    repeatable = True

    def __init__(self, images=FRAMES, end=None):
        super().__init__([])
        self.images, self.end, self.n_read = images, end, 0

    def __iter__(self):
        for index, image in enumerate(self.images):
            self.n_read += 1
            yield Frame(index, index / 10, image)
        if self.end is not None:
            raise self.end


class Noting(MOG2):
    """Knows how many frames came at once."""

    def __init__(self, **kind):
        super().__init__(**kind)
        self.sizes = []

    def apply_all(self, images, **arguments):
        self.sizes.append(len(images))
        return super().apply_all(images, **arguments)


def one_by_one(images):
    model = MOG2()
    return [model.apply(image) for image in images]


def assert_written(sink, n):
    assert [frame.index for frame, _ in sink.items] == list(range(n))
    for (_, mask), wanted in zip(sink.items, one_by_one(FRAMES[:n]), strict=True):
        np.testing.assert_array_equal(mask, wanted)


def test_masks_order_tally_and_progress_are_those_of_one_after_another():
    sink, model, seen = FakeSink(), Noting(), []
    tally = run(File(), model, [sink], warm_up=0, progress=lambda tally: seen.append((tally.read, tally.last_time)))
    assert_written(sink, 30)
    assert model.sizes == [8, 8, 8, 5]  # the first by itself, so that it is seen at once
    assert (tally.read, tally.written, tally.first_time, tally.last_time) == (30, 30, 0.0, 2.9)
    assert tally.foreground == pytest.approx(sum((mask == 255).mean() for mask in one_by_one(FRAMES)))
    assert seen == [(i + 1, i / 10) for i in range(30)]
    assert tally.timed == 29


@pytest.mark.parametrize("end", [SourceError("it broke"), KeyboardInterrupt(), SystemExit(143)], ids=repr)
@pytest.mark.parametrize("n", [1, 2, 9, 12, 29])
def test_what_was_read_before_the_end_is_written(end, n):
    sink, tally, model = FakeSink(), Tally(), MOG2()
    with pytest.raises(type(end)):
        run(File(FRAMES[:n], end), model, [sink], tally=tally)
    assert_written(sink, n)
    assert (tally.read, tally.written, model.n_frames) == (n, n, n)


@pytest.mark.parametrize("at", [0, 1, 5, 8])
def test_ctrl_c_while_several_are_handed_on_leaves_none_out(at):
    sink, tally = FakeSink(), Tally()

    def interrupt(tally):
        if tally.read == at + 1:
            raise KeyboardInterrupt

    source = File()
    with pytest.raises(KeyboardInterrupt):
        run(source, MOG2(), [sink], tally=tally, progress=interrupt)
    assert_written(sink, source.n_read)
    assert tally.read == source.n_read == (1 if at == 0 else 9)


def test_ctrl_c_while_several_are_masked_leaves_none_out(monkeypatch):
    from bgsub import masking

    class Interrupted(masking.ThreadPoolExecutor):
        def submit(self, *arguments, **named):
            future = super().submit(*arguments, **named)
            result, times = future.result, iter([True])

            def interrupted():
                if next(times, False):
                    raise KeyboardInterrupt
                return result()

            future.result = interrupted
            return future

    monkeypatch.setattr(masking, "ThreadPoolExecutor", Interrupted)
    sink, source, tally = FakeSink(), File(), Tally()
    with pytest.raises(KeyboardInterrupt):
        run(source, MOG2(), [sink], tally=tally)
    assert source.n_read == tally.written == 9
    assert_written(sink, 9)


def test_a_sink_that_breaks_ends_the_run_at_its_frame():
    tally, whole = Tally(), FakeSink()
    with pytest.raises(OutputError, match="no room"):
        run(File(), MOG2(), [whole, FakeSink(breaks_at=12)], tally=tally)
    assert (tally.read, tally.written, len(whole.items)) == (13, 12, 13)


@pytest.mark.parametrize("bad", [1, 4, 8, 9, 29])
def test_a_frame_that_the_model_refuses_comes_after_those_before_it(bad):
    images = [image.astype(np.float32) for image in FRAMES]
    images[bad][2, 3, 0] = np.nan
    sink, tally, model = FakeSink(), Tally(), MOG2()
    with pytest.raises(ParameterError, match="row 2, column 3"):
        run(File(images), model, [sink], tally=tally)
    assert [frame.index for frame, _ in sink.items] == list(range(bad))
    assert (tally.read, tally.written, model.n_frames) == (bad, bad, bad)


def sizes_of_run(source=None, sinks=(), **arguments):
    model = Noting()
    run(source or File(), model, sinks, **arguments)
    return model.sizes


def test_nothing_is_held_where_somebody_waits_for_each_frame(tmp_path):
    live, once = File(), File()
    live.info, once.repeatable = dataclasses.replace(INFO, live=True), False
    for source in (live, once):
        assert sizes_of_run(source) == []
    assert sizes_of_run(stop=lambda: False) == []
    assert stats_sink("-").prompt
    prompt = FakeSink()
    prompt.prompt = True
    assert sizes_of_run(sinks=[FakeSink(), prompt]) == []
    with ThreadedSink([stats_sink(tmp_path / "a.csv")]) as threaded:
        assert not threaded.prompt
        assert sizes_of_run(sinks=[threaded]) == [8, 8, 8, 5]
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 31
    assert ThreadedSink([stats_sink("-"), FakeSink()]).prompt


HELD = [((1080, 1920, 3), [8, 2]), ((1200, 2000, 3), [6, 4]), ((2160, 3840, 3), [2] * 5)]


@pytest.mark.parametrize(("shape", "sizes"), HELD)
def test_what_is_held_has_64_mb_at_most_with_its_masks(shape, sizes):
    frame, seen = np.zeros(shape, np.uint8), []

    class Sizes:
        def apply(self, image, *, learning_rate=None):
            return image[..., 0]

        def apply_all(self, images, *, learning_rate=None):
            seen.append(len(images))
            return [image[..., 0] for image in images]

    for n in sizes:
        assert n * frame.nbytes * 4 / 3 <= 64 << 20
    run(File([frame] * 11), Sizes())
    assert seen == sizes
