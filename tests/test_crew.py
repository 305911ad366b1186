"""Threads with memory of their own that share pieces of work."""

from __future__ import annotations

import threading

import pytest

from bgsub.threads import Crew


def test_a_crew_does_every_piece_once_and_each_thread_has_its_own_memory():
    crew = Crew([[], [], []])
    done, used = [], []

    def work(i, memory):
        memory.append(threading.get_ident())
        used.append(memory)
        done.append(i)

    crew.run(work, 50)
    crew.close()
    assert sorted(done) == list(range(50))
    assert 1 <= len({id(memory) for memory in used}) <= 3


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_ends_the_work_and_is_raised_when_nothing_runs_any_more(threads):
    crew = Crew([None] * threads)
    running, most_after = [], []

    def work(i, memory):
        running.append(i)
        try:
            if i == 1:
                raise ZeroDivisionError(i)
        finally:
            running.remove(i)

    with pytest.raises(ZeroDivisionError):
        crew.run(work, 1000)
    most_after.extend(running)
    crew.close()
    assert most_after == []
