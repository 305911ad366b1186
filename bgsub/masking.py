"""Frames of a run become masks: one by one, or several at once where nobody waits for each."""

from __future__ import annotations

import inspect
import math
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from bgsub.background.subtractor import Subtractor, TakesSeveral
from bgsub.errors import ParameterError
from bgsub.video.frame import Frame
from bgsub.video.sink import Sink
from bgsub.video.source import Source

_MOST_HELD = 8  # frames
_MOST_BYTES = 64 << 20  # of frames held, and their masks


def held_at_once(source: Source, subtractor: Subtractor, sinks: Sequence[Sink]) -> int:
    """Return how many frames a run may hold, to have them masked at once: 1 where somebody waits for each."""
    waits = source.info.live or not source.repeatable or any(sink.prompt for sink in sinks)
    return 1 if waits or not isinstance(subtractor, TakesSeveral) else _MOST_HELD


class Masker:
    """Makes masks of frames that are held, and tells the subtractor the times of one source, if it wants them.

    Parameters
    ----------
    subtractor : Subtractor
        Told the time of each frame unless it takes none.
    learning_rate : float in [0, 1] or None
        Passed on to it.
    most : int
        Frames to hold, 1 for none beside the one that is masked.

    Attributes
    ----------
    held : list of Frame
        Not yet masked, in their order.
    masked : deque of (Frame, ndarray)
        To be handed on, in their order.
    """

    def __init__(self, subtractor: Subtractor, learning_rate: float | None, most: int) -> None:
        self.held: list[Frame] = []
        self.masked: deque[tuple[Frame, np.ndarray]] = deque()
        self._subtractor = subtractor
        self._learning_rate = learning_rate
        self._most = most
        # A model that learns nothing keeps the clock that it has, to the bit.
        self._is_timed = learning_rate != 0 and _takes_time(subtractor)
        self._latest = -math.inf
        if self._is_timed and hasattr(subtractor, "restart_clock"):
            subtractor.restart_clock()  # it may have seen another source, whose times were others
        # Ctrl-C is raised in the caller's thread alone: there it would take along the masks of all that are held.
        self._thread = ThreadPoolExecutor(1, "bgsub-mask") if most > 1 else None

    @property
    def is_full(self) -> bool:
        """Whether no frame is to be added to those held."""
        image = self.held[0].image
        one = image.nbytes + image.shape[0] * image.shape[1]  # with its mask
        return len(self.held) >= self._most or (len(self.held) + 1) * one > _MOST_BYTES

    def mask(self) -> None:
        """Mask what is held."""
        if len(self.held) > 1 and self._thread is not None and isinstance(self._subtractor, TakesSeveral):
            images = [frame.image for frame in self.held]
            masks = self._thread.submit(self._subtractor.apply_all, images, learning_rate=self._learning_rate)
            try:
                try:
                    masks.result()
                finally:  # Ctrl-C: they are made all the same
                    made = masks.result()
                    self.masked.extend(zip(self.held, made, strict=True))
                    self.held = []
            except ParameterError:
                pass  # of one of them, and none was learned: those before it are masked below
        while self.held:
            frame = self.held.pop(0)
            self.masked.append((frame, self._mask_of(frame)))

    def close(self) -> None:
        """Let the thread go."""
        if self._thread is not None:
            self._thread.shutdown()

    def _mask_of(self, frame: Frame) -> np.ndarray:
        apply, rate = self._subtractor.apply, self._learning_rate
        if not self._is_timed:
            return apply(frame.image, learning_rate=rate)
        rises = self._latest < frame.time < math.inf  # a source whose clock stands still shall not end the run
        self._latest = frame.time if rises else self._latest
        return apply(frame.image, learning_rate=rate, time=frame.time if rises else None)


def _takes_time(subtractor: Subtractor) -> bool:
    try:
        taken = inspect.signature(subtractor.apply).parameters
    except (TypeError, ValueError):  # one that is not written in Python
        return False
    return "time" in taken or any(p.kind is p.VAR_KEYWORD for p in taken.values())
