"""How many threads a frame is worth, alone and in a run that decodes and writes beside it."""

import cv2
import pytest

from bgsub import open_source, threads
from bgsub.threads import available_processors, bound_processors, processor_bound, threads_beside_io, threads_for
from tests.cli.clips import scene, write_clip


@pytest.mark.parametrize(
    ("size", "threads", "expected"),
    [((1280, 720), 1, 1), ((1280, 720), 8, 8), ((1280, 720), 64, 18), ((320, 240), 64, 1), ((8, 8), 64, 1)],
)
def test_a_thread_gets_enough_to_do(size, threads, expected):
    assert threads_for(size[0] * size[1], threads) == expected


def test_all_processors_unless_told():
    assert threads_for(10**9, None) == available_processors()


@pytest.mark.parametrize(
    ("size", "processors", "expected"),
    [((1280, 720), 1, 1), ((1280, 720), 2, 1), ((1280, 720), 8, 4), ((1920, 1080), 64, 32), ((320, 240), 64, 1)],
)
def test_a_model_leaves_processors_to_decoding_and_writing(size, processors, expected):
    assert threads_beside_io(size[0] * size[1], processors) == expected


def test_a_process_that_shares_the_machine_counts_on_its_part(monkeypatch, tmp_path):
    monkeypatch.setattr(threads, "_bound", None)
    before, every = cv2.getNumThreads(), available_processors()
    decoders = []
    monkeypatch.setattr("bgsub.video.readers.streams.processor_bound", lambda: decoders.append(1) or processor_bound())
    try:
        cv2.setNumThreads(2)
        bound_processors(1)
        assert (available_processors(), processor_bound(), cv2.getNumThreads()) == (1, 1, 1)
        with open_source(write_clip(tmp_path / "clip.mkv", scene(2))) as source:
            assert len(list(source)) == 2
        assert decoders
        bound_processors(every + 5)  # what is not there cannot be promised
        assert available_processors() == every
    finally:
        cv2.setNumThreads(before)
