"""Signals that ask for the end: the first ends the work, the second is answered, the third breaks off its finishing."""

from __future__ import annotations

import signal
import sys

import pytest

from bgsub.cli.signals import ended_by_signals

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as Unix has them")
ANSWER = "bgsub: finishing what was begun; press Ctrl-C once more to leave it unfinished\n"


@pytest.fixture(autouse=True)
def heeded():
    """Undo what a shell does to a job in the background; pytest's own handlers come back afterwards."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.SIG_DFL) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_what_is_being_finished_outlives_the_second(second, capfd):
    finished = []
    with pytest.raises(KeyboardInterrupt), ended_by_signals():
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(second)
            finished.append("all of it")
    assert finished == ["all of it"]
    assert capfd.readouterr().err == ANSWER


@pytest.mark.parametrize(
    ("number", "end", "code"),
    [(signal.SIGINT, KeyboardInterrupt, None), (signal.SIGTERM, SystemExit, 143), (signal.SIGHUP, SystemExit, 129)],
)
def test_the_third_breaks_it_off(number, end, code, capfd):
    finished = []
    with pytest.raises(end) as raised, ended_by_signals():
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            signal.raise_signal(signal.SIGINT)
            finished.append("a part")
            signal.raise_signal(number)
            finished.append("the rest")
    assert finished == ["a part"]
    assert getattr(raised.value, "code", None) == code
    assert capfd.readouterr().err == ANSWER


def test_each_block_counts_for_itself_and_leaves_signals_as_they_were(capfd):
    for _ in range(2):
        with pytest.raises(SystemExit), ended_by_signals():
            signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == signal.getsignal(signal.SIGINT) == signal.SIG_DFL
    assert capfd.readouterr().err == ""


def test_a_signal_that_is_ignored_stays_so(capfd):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with ended_by_signals():
        signal.raise_signal(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    assert capfd.readouterr().err == ""
