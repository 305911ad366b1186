"""The one loop from a source through a model to the sinks."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bgsub import compilation
from bgsub.background.subtractor import Subtractor
from bgsub.masks import foreground_share
from bgsub.threads import opencv_bounded
from bgsub.video.frame import Frame, VideoInfo
from bgsub.video.sink import Sink
from bgsub.video.source import Source

if TYPE_CHECKING:
    from bgsub.background.model import BackgroundModel

_TOLERANCE = 1e-6  # seconds: a warm-up of 0.1 + 0.2 must not take the frame at 0.3


@dataclass
class Tally:
    """What a run has done so far; kept up to date by `run`, so that it tells the truth of an interrupted one too.

    Attributes
    ----------
    read, written : int
        Frames read from the source, and frames handed to the sinks.
    damaged, dropped : int
        Frames that the source could not decode, and that a live source skipped because the run was too slow.
    reconnects : int
        How often the source dropped and was opened again.
    foreground : float
        Sum over the written frames of the share of pixels that are foreground.
    first_time, last_time : float or None
        Times in the source, in seconds, of the first and the last frame read.
    elapsed : float
        Seconds that the run took.
    timed, steady : int, float
        Frames after the first, and the seconds from the first to the last without those of compiling: from them comes
        the rate.
    """

    read: int = 0
    written: int = 0
    damaged: int = 0
    dropped: int = 0
    reconnects: int = 0
    foreground: float = 0.0
    first_time: float | None = None
    last_time: float | None = None
    elapsed: float = 0.0
    timed: int = 0
    steady: float = 0.0

    @property
    def rate(self) -> float:
        """Frames per second, without start and compiling where there were two frames; 0 before the first."""
        if self.timed and self.steady > 0:
            return self.timed / self.steady
        return self.read / self.elapsed if self.elapsed > 0 else 0.0

    @property
    def mean_foreground(self) -> float:
        """Mean share of pixels that are foreground, 0 to 1."""
        return self.foreground / self.written if self.written else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the figures in types that JSON has."""
        return {
            "frames_read": self.read,
            "frames_written": self.written,
            "frames_damaged": self.damaged,
            "frames_dropped": self.dropped,
            "reconnects": self.reconnects,
            "mean_foreground": round(self.mean_foreground, 6),
            "first_time": self.first_time,
            "last_time": self.last_time,
            "elapsed": round(self.elapsed, 3),
            "frames_per_second": round(self.rate, 2),
        }


def tell_frame_rate(model: BackgroundModel, info: VideoInfo) -> None:
    """Let a model that counts in seconds know at which nominal rate frames will come, if the source knows."""
    if "frame_rate" in model.parameters and info.fps:
        model.set_parameters(frame_rate=float(info.fps))


def run(
    source: Source,
    subtractor: Subtractor,
    sinks: Sequence[Sink] = (),
    *,
    clean: Callable[[np.ndarray], np.ndarray] | None = None,
    learning_rate: float | None = None,
    warm_up: float = 0.0,
    stop: Callable[[], bool] | None = None,
    progress: Callable[[Tally], None] | None = None,
    tally: Tally | None = None,
) -> Tally:
    """Mask every frame of a source and hand frame and mask to the sinks.

    Parameters
    ----------
    source : Source
        Open, as from `bgsub.open_source`. The caller closes it, and the sinks: both are context managers.
    subtractor : Subtractor
        The background model; it learns from every frame, and is told its time unless it takes none.
    sinks : sequence of Sink
        They get each frame with its mask. With none, the run only learns.
    clean : callable, optional
        Takes a mask and returns a cleaner one, such as `bgsub.background.cleanup.Cleanup`.
    learning_rate : float in [0, 1], optional
        Passed on to the model; None is its automatic rate.
    warm_up : float
        Seconds from the first frame that are learned but not written.
    stop : callable, optional
        Asked after every frame; True ends the run as the end of the source would.
    progress : callable, optional
        Called with the tally after every frame.
    tally : Tally, optional
        To count in; by default a new one.

    Returns
    -------
    Tally
        The one given.

    Raises
    ------
    SourceError
        When the source breaks; the frames before it have been written.
    OutputError
        When a sink can write no further.
    """
    tally = Tally() if tally is None else tally
    started = time.perf_counter() - tally.elapsed
    mask_of = _mask_maker(subtractor, learning_rate)
    last: float | None = None
    # Once: with every frame OpenCV's pool of threads would be stopped and started, which takes a millisecond.
    bound = opencv_bounded(getattr(subtractor, "threads", None))
    try:
        with bound:
            for frame in source:
                mask = mask_of(frame)
                tally.read += 1
                tally.first_time = frame.time if tally.first_time is None else tally.first_time
                tally.last_time = frame.time
                if frame.time >= tally.first_time + warm_up - _TOLERANCE:
                    if clean is not None:
                        mask = clean(mask)
                    for sink in sinks:
                        sink.write(frame, mask)
                    tally.written += 1
                    tally.foreground += foreground_share(mask)
                _count_losses(tally, source)
                now = time.perf_counter()
                tally.elapsed = now - started
                last, before = now - compilation.seconds(), last
                if before is not None:
                    tally.timed, tally.steady = tally.timed + 1, tally.steady + last - before
                if progress is not None:
                    progress(tally)
                if stop is not None and stop():
                    break
    finally:
        _count_losses(tally, source)
        tally.elapsed = time.perf_counter() - started
    return tally


def _takes_time(subtractor: Subtractor) -> bool:
    try:
        taken = inspect.signature(subtractor.apply).parameters
    except (TypeError, ValueError):  # one that is not written in Python
        return False
    return "time" in taken or any(p.kind is p.VAR_KEYWORD for p in taken.values())


def _mask_maker(subtractor: Subtractor, learning_rate: float | None) -> Callable[[Frame], np.ndarray]:
    """Return what makes a frame's mask, and tells the subtractor the times of one source, if it wants them."""
    # A model that learns nothing keeps the clock that it has, to the bit.
    if learning_rate == 0 or not _takes_time(subtractor):
        return lambda frame: subtractor.apply(frame.image, learning_rate=learning_rate)
    if hasattr(subtractor, "restart_clock"):
        subtractor.restart_clock()  # it may have seen another source, whose times were others
    latest = -math.inf

    def mask_of(frame: Frame) -> np.ndarray:
        nonlocal latest
        rises = latest < frame.time < math.inf  # a source whose clock stands still shall not end the run
        latest = frame.time if rises else latest
        return subtractor.apply(frame.image, learning_rate=learning_rate, time=frame.time if rises else None)

    return mask_of


def _count_losses(tally: Tally, source: Source) -> None:
    tally.damaged, tally.dropped, tally.reconnects = source.damaged, source.dropped, source.reconnects
