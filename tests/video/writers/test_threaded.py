"""The writing thread: order, errors, and every sink closed."""

import threading

import numpy as np
import pytest

from bgsub.errors import OutputError
from bgsub.video.sink import Sink
from bgsub.video.writers.threaded import ThreadedSink
from bgsub.video.writers.videos import mask_sink, overlay_sink
from tests.video.writers.sink_clips import clip_frame, clip_info, clip_mask, read_video


class Recorder(Sink):
    """Notes what happens to it; may fail at a frame, or wait for leave to go on."""

    def __init__(self, fail_at=None, error=None, gate=None, fail_close=None):
        self.indices, self.closed, self.threads = [], 0, set()
        self.fail_at, self.error, self.gate, self.fail_close = fail_at, error, gate, fail_close

    def write(self, frame, mask):
        if self.gate:
            assert self.gate.wait(20)
        self.threads.add(threading.current_thread())
        if frame.index == self.fail_at:
            raise self.error
        self.indices.append(frame.index)

    def close(self):
        self.closed += 1
        if self.fail_close:
            raise self.fail_close


def feed(sink, count):
    for index in range(count):
        sink.write(clip_frame(index), clip_mask(index))


def test_every_sink_gets_every_frame_in_order_from_one_other_thread():
    sinks = [Recorder(), Recorder()]
    with ThreadedSink(sinks, depth=3) as sink:
        feed(sink, 20)
    for each in sinks:
        assert each.indices == list(range(20))
        assert each.closed == 1
    threads = sinks[0].threads | sinks[1].threads
    assert len(threads) == 1 and threading.current_thread() not in threads
    assert not next(iter(threads)).is_alive()


def test_the_queue_is_bounded():
    gate = threading.Event()
    slow = Recorder(gate=gate)
    taken = []
    sink = ThreadedSink([slow], depth=3)

    def produce():
        for index in range(10):
            sink.write(clip_frame(index), clip_mask(index))
            taken.append(index)

    producer = threading.Thread(target=produce)
    producer.start()
    producer.join(0.5)
    assert producer.is_alive()
    assert len(taken) <= 4  # three wait, one is being written
    gate.set()
    producer.join(20)
    sink.close()
    assert slow.indices == list(range(10))


def test_an_error_surfaces_in_a_later_write_and_the_others_are_finished(tmp_path):
    bad = Recorder(fail_at=3, error=OutputError("cannot write x: disk full"))
    good = mask_sink(tmp_path / "m.mkv", clip_info())
    with (
        pytest.raises(OutputError, match="cannot write x: disk full") as caught,
        ThreadedSink([bad, good], depth=2) as sink,
    ):
        feed(sink, 1000)
    assert caught.value is bad.error
    assert bad.closed == 1
    assert bad.indices == [0, 1, 2]
    _, masks = read_video(tmp_path / "m.mkv", "gray")
    assert 4 <= len(masks) < 20
    np.testing.assert_array_equal(masks, [clip_mask(index) for index in range(len(masks))])


def test_an_error_of_the_last_frame_surfaces_in_close():
    bad = Recorder(fail_at=4, error=ZeroDivisionError("odd"))
    good = Recorder()
    sink = ThreadedSink([good, bad])
    feed(sink, 5)
    with pytest.raises(ZeroDivisionError, match="odd"):
        sink.close()
    assert (good.closed, bad.closed) == (1, 1)
    assert good.indices == [0, 1, 2, 3, 4]
    sink.close()  # told once
    assert (good.closed, bad.closed) == (1, 1)


def test_a_sink_that_cannot_close_does_not_keep_others_open():
    sinks = [Recorder(), Recorder(fail_close=OutputError("no room for the end")), Recorder()]
    with pytest.raises(OutputError, match="no room for the end"), ThreadedSink(sinks) as sink:
        feed(sink, 2)
    assert [each.closed for each in sinks] == [1, 1, 1]


def test_an_error_of_the_caller_still_writes_what_waits():
    gate = threading.Event()
    slow = Recorder(gate=gate)
    with pytest.raises(RuntimeError, match="model"), ThreadedSink([slow]) as sink:
        feed(sink, 5)
        gate.set()
        raise RuntimeError("model")
    assert slow.indices == [0, 1, 2, 3, 4]
    assert slow.closed == 1


def test_no_frames_start_no_thread():
    sinks = [Recorder()]
    before = threading.active_count()
    with ThreadedSink(sinks):
        assert threading.active_count() == before
    assert sinks[0].closed == 1


def test_it_is_lossy_if_one_is(tmp_path):
    exact = mask_sink(tmp_path / "m.mkv", clip_info())
    assert not ThreadedSink([exact]).lossy
    assert ThreadedSink([exact, overlay_sink(tmp_path / "o.mp4", clip_info())]).lossy


def test_writing_after_close_is_an_error():
    sink = ThreadedSink([Recorder()])
    sink.close()
    with pytest.raises(ValueError, match="closed"):
        feed(sink, 1)
