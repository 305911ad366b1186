"""A model that already knows the background when the first frame comes.

A background model has seen nothing at the first frame: nothing moves in it, whatever it shows, and so the first frame
would be the most unusual one of many videos. Its first second or two are learned backwards before they are handed out:
that ends at the first frame, as what comes before it would have.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain

from bgsub.background.subtractor import Subtractor
from bgsub.errors import SourceError
from bgsub.video.frame import Frame
from bgsub.video.source import Source

_FRAMES = 50  # learned backwards; what moves in a motorway's first frame is the same with 25, 50 and 100
_BYTES = 256 << 20  # of pictures held back, at most


class LearnedBackwards(Source):
    """The frames of a source; before the first one is given, a model has learned the first ones from last to first.

    Parameters
    ----------
    source : Source
        Open. Whoever opened it closes it.
    model : Subtractor
        The one that these frames are meant for, which knows nothing yet.
    """

    def __init__(self, source: Source, model: Subtractor) -> None:
        self.info = source.info
        self.repeatable = source.repeatable
        self._source = source
        self._model = model

    def __iter__(self) -> Iterator[Frame]:
        frames = iter(self._source)
        first: list[Frame] = []
        broken = None
        try:
            _take(frames, first)
        except SourceError as error:  # what was read before it counts
            broken = error
        latest = -math.inf
        for frame in first[:0:-1]:  # the very first is the next one that the model is given
            moment = 2 * first[0].time - frame.time  # as long before the first frame as it comes after it
            self._model.apply(frame.image, time=moment if latest < moment < first[0].time else None)
            latest = max(latest, moment)
        for frame in chain(first, () if broken else frames):
            self._count_losses()
            yield frame
        self._count_losses()
        if broken is not None:
            raise broken

    def _count_losses(self) -> None:
        self.damaged, self.dropped = self._source.damaged, self._source.dropped

    def close(self) -> None:
        """Do nothing: who opened the source closes it."""


def _take(frames: Iterator[Frame], taken: list[Frame]) -> None:
    """Take the first frames, as many as are wanted and fit."""
    held = 0
    for frame in frames:
        taken.append(frame)
        held += frame.image.nbytes
        if len(taken) == _FRAMES or held >= _BYTES:
            break
