"""Threads: the same bits for any number, models side by side, and a fork in between."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import weakref

import cv2
import numpy as np
import pytest

from bgsub import MOG2
from bgsub import threads as pool
from tests.background.twins import stored
from tests.test_naive import switching_scene

FRAMES = switching_scene(12, shape=(173, 171), seed=41)  # seven blocks of 256 tiles, and a part of a tile


def run(threads, frames=FRAMES, **parameters):
    """Return masks and state; some frames are frozen, some gated, and the region cuts through tiles."""
    model = MOG2(threads=threads, **parameters)
    known = np.zeros(frames[0].shape[:2], np.uint8)
    known[50:90, 20:60] = 1
    masks = []
    for t, frame in enumerate(frames):
        options = {3: {"learning_rate": 0}, 5: {"known_foreground": known}}.get(t % 7, {})
        masks.append(model.apply(frame, **options))
    return np.stack(masks), stored(model)


@pytest.fixture
def used(monkeypatch):
    """Numbers of threads that frames were given to."""
    seen = []
    share = pool.share

    def noting(work, n, threads):
        seen.append(threads)
        share(work, n, threads)

    monkeypatch.setattr(pool, "share", noting)
    return seen


@pytest.mark.usefixtures("every_tile_worth_a_thread")
@pytest.mark.parametrize("parameters", [{}, {"region": FRAMES[0, ..., 0] > 60}], ids=["whole", "region"])
def test_any_number_of_threads_gives_the_same_bits(parameters, used):
    expected, state = run(1, **parameters)
    assert set(used) == {1}
    for threads in (2, 3, 7):
        used.clear()
        masks, other = run(threads, **parameters)
        assert set(used) == {threads}
        np.testing.assert_array_equal(masks, expected)
        assert other == state


@pytest.mark.usefixtures("every_tile_worth_a_thread")
@pytest.mark.parametrize("shape", [(1, 1), (1, 17), (5, 7), (17, 13)], ids=str)
def test_more_threads_than_a_small_frame_has_work_for(shape):
    frames = switching_scene(8, shape=shape, seed=43)
    alone, model = MOG2(threads=1), MOG2(threads=256)
    expected = [alone.apply(frame) for frame in frames]
    np.testing.assert_array_equal([model.apply(frame) for frame in frames], expected)
    assert stored(model) == stored(alone)


def test_the_number_is_chosen_by_processors_and_size(monkeypatch, used):
    monkeypatch.setattr(pool, "available_processors", lambda: 4)
    for pixels, threads, expected in [(99, None, 1), (1_000_000, None, 4), (99, 3, 1), (120_000, 3, 2), (10**6, 3, 3)]:
        used.clear()
        MOG2(threads=threads).apply(np.zeros((pixels, 1), np.uint8))
        assert used == [expected]


def test_available_processors_are_at_least_one():
    assert 1 <= pool.available_processors() <= (os.cpu_count() or 1)


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
@pytest.mark.parametrize("n", [1, 2, 5, 28, 29, 1000])
def test_share_gives_out_everything_once(n, threads):
    ranges = []
    pool.share(lambda lo, hi: ranges.append((lo, hi)), n, threads)
    ranges.sort()
    assert ranges[0][0] == 0
    assert ranges[-1][1] == n
    assert all(lo < hi for lo, hi in ranges)
    assert all(before[1] == after[0] for before, after in itertools.pairwise(ranges))


def meet(n_threads):
    """Let as many threads wait for one another: fewer would wait in vain, and end in a BrokenBarrierError."""
    meeting, turns = threading.Barrier(n_threads), itertools.count()
    pool.share(lambda lo, hi: next(turns) < n_threads and meeting.wait(30), 120, n_threads)


def test_share_works_side_by_side():
    meet(3)
    meet(5)
    meet(2)


@pytest.mark.parametrize("wrong", [0, 17, 99])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_share_passes_errors_on_when_all_have_ended(wrong, threads):
    running = []

    def work(lo, hi):
        running.append(lo)
        try:
            if lo <= wrong < hi:
                raise ValueError(f"tile {wrong}")
        finally:
            running.remove(lo)

    with pytest.raises(ValueError, match=f"tile {wrong}"):
        pool.share(work, 100, threads)
    assert running == []


@pytest.mark.usefixtures("every_tile_worth_a_thread")
def test_two_models_at_once_give_the_masks_of_each_alone():
    scenes = FRAMES, switching_scene(12, shape=(173, 171), channels=1, seed=42)
    expected = [run(2, frames) for frames in scenes]
    start, results = threading.Barrier(4), {}

    def apply(key, frames):
        start.wait(30)
        results[key] = run(2, frames)

    threads = [threading.Thread(target=apply, args=(key, scenes[key % 2])) for key in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == 4
    for key, (masks, state) in results.items():
        np.testing.assert_array_equal(masks, expected[key % 2][0])
        assert state == expected[key % 2][1]


def send_masks(connection, model, frames):
    meet(3)
    connection.send(np.stack([model.apply(frame) for frame in frames]))


@pytest.mark.usefixtures("every_tile_worth_a_thread")
@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_process_goes_on_where_its_parent_used_threads():
    model = MOG2(threads=3)
    for frame in FRAMES[:6]:
        model.apply(frame)
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=send_masks, args=(sender, model, FRAMES[6:]), daemon=True)
    child.start()
    try:
        expected = np.stack([model.apply(frame) for frame in FRAMES[6:]])
        assert receiver.poll(60), "the child hangs"
        np.testing.assert_array_equal(receiver.recv(), expected)
        child.join(60)
        assert child.exitcode == 0
    finally:
        child.kill()


@pytest.mark.parametrize("threads", [1, 3, 16])
def test_work_of_its_own_is_never_shared(threads):
    """Each is used by one thread at a time, and again: no more are made than threads work at once."""
    made, busy = [], set()

    def make():
        one = object()
        made.append(one)

        def work(lo, hi):
            assert one not in busy
            busy.add(one)
            time.sleep(0.0005)
            busy.remove(one)

        return work

    pool.share(pool.each_its_own(make), 100, threads)
    assert 1 <= len(made) <= threads


def test_helpers_let_go_of_what_they_worked_on():
    class Arrays:
        def __call__(self, lo, hi):
            time.sleep(0.001)

    work = Arrays()
    gone = weakref.ref(work)
    pool.share(work, 100, 5)
    del work
    deadline = time.monotonic() + 10
    while gone() is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert gone() is None


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timers")
def test_ctrl_c_reaches_the_caller_only_when_every_range_has_ended(monkeypatch):
    begun, may_end, ended = threading.Event(), threading.Event(), []

    def work(lo, hi):
        if threading.current_thread() is threading.main_thread():
            assert begun.wait(10)
            return
        begun.set()
        may_end.wait(10)
        time.sleep(0.1)  # the caller would be gone by now if it did not wait
        ended.append((lo, hi))

    def interrupt(signum, frame):
        may_end.set()
        raise KeyboardInterrupt

    monkeypatch.setattr(pool, "_RANGES_A_THREAD", 1)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(KeyboardInterrupt):
            pool.share(work, 100, 2)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(ended) == 1


# ---------------------------------------------------------------------------------- OpenCV's threads in a model's bound


@pytest.fixture
def opencv_threads():
    """OpenCV's number of threads, as it was, after a test that changes it."""
    before = cv2.getNumThreads()
    yield
    cv2.setNumThreads(before)


@pytest.mark.usefixtures("opencv_threads")
def test_opencv_is_bounded_within_a_block_and_has_the_users_number_again():
    cv2.setNumThreads(3)
    with pool.opencv_bounded(2):
        assert cv2.getNumThreads() == 2
        with pool.opencv_bounded(1), pool.opencv_bounded(5):
            assert cv2.getNumThreads() == 1
        assert cv2.getNumThreads() == 2
    assert cv2.getNumThreads() == 3
    with pool.opencv_bounded(7):
        assert cv2.getNumThreads() == 3
    with pool.opencv_bounded(None):
        assert cv2.getNumThreads() == 3
    with pytest.raises(ZeroDivisionError), pool.opencv_bounded(1):
        raise ZeroDivisionError
    assert cv2.getNumThreads() == 3


@pytest.mark.usefixtures("opencv_threads")
def test_blocks_of_two_threads_end_in_any_order():
    """The number of the user is not taken for one that another block has set."""
    cv2.setNumThreads(4)
    first, second = pool.opencv_bounded(1), pool.opencv_bounded(2)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert cv2.getNumThreads() == 2
    second.__exit__(None, None, None)
    assert cv2.getNumThreads() == 4


@pytest.mark.usefixtures("opencv_threads")
def test_a_number_that_the_user_sets_in_the_meantime_stays():
    cv2.setNumThreads(2)
    with pool.opencv_bounded(1):
        cv2.setNumThreads(3)
    assert cv2.getNumThreads() == 3
    with pool.opencv_bounded(2):
        cv2.setNumThreads(4)
        with pool.opencv_bounded(1):
            assert cv2.getNumThreads() == 1
        assert cv2.getNumThreads() == 2
    assert cv2.getNumThreads() == 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.usefixtures("opencv_threads")
def test_a_child_process_has_the_users_number_though_its_parent_was_in_a_block():
    cv2.setNumThreads(3)
    with pool.opencv_bounded(1):
        child = os.fork()
        if child == 0:
            free = cv2.getNumThreads()
            with pool.opencv_bounded(2):
                bounded = cv2.getNumThreads()
            os._exit(10 * free + bounded)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 32


COUNT = """
import os, threading
import cv2, numpy as np
from bgsub import BackgroundSubtractor

def others():  # threads of the system that are not Python's
    return len(os.listdir("/proc/self/task")) - threading.active_count()

cv2.setNumThreads(4)  # starts none
frame, before = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8), others()
model = BackgroundSubtractor(threads={threads})
for t in range(3):
    model.apply(np.roll(frame, 9 * t, 0))
print(others() - before, cv2.getNumThreads())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted as Linux does it")
@pytest.mark.parametrize(("threads", "started"), [(1, 0), (2, 1), (None, 3)])
def test_a_model_starts_no_more_of_opencvs_threads_than_its_bound(threads, started):
    """The caller works too. Without a bound there are as many as the user lets OpenCV have, so this shows something."""
    program = COUNT.format(threads=threads)
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # it starts its own, as soon as Numba loads it
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=300)
    assert done.stdout.split() == [str(started), "4"], done.stderr
