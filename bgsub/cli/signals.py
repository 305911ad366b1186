"""Ctrl-C and the signals that ask for an end: they finish the outputs, and finishing is not broken off by chance."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType

_PATIENCE = b"bgsub: finishing what was begun; press Ctrl-C once more to leave it unfinished\n"


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Raise SystemExit in the block at SIGTERM and SIGHUP, KeyboardInterrupt at Ctrl-C.

    The first of them ends the work, and what was written is finished. The second is answered with a line: many press
    Ctrl-C twice, and a file that was being finished would be lost. The third breaks that off. A signal that is ignored
    (nohup) stays so.
    """
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    answer = _Answer()
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, answer)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: not set by Python


class _Answer:
    """What is done at each signal."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        self._count += 1
        if self._count == 2:
            with contextlib.suppress(OSError):  # nobody reads it
                os.write(2, _PATIENCE)  # print may be in the middle of a line
        elif signum == signal.SIGINT:
            raise KeyboardInterrupt
        else:
            raise SystemExit(128 + signum)  # the status that the shell gives to the signal
