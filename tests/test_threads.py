"""How many threads a frame is worth, alone and in a run that decodes and writes beside it."""

import pytest

from bgsub.threads import available_processors, threads_beside_io, threads_for


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
