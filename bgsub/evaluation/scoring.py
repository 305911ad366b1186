"""A background model goes through a sequence, and its masks are counted."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from bgsub.background.subtractor import Subtractor
from bgsub.errors import ParameterError, SourceError
from bgsub.evaluation.protocol import Counts, Metrics, count, outside_of
from bgsub.evaluation.sequences import LabelledFrame, LabelledSequence

OnFrame = Callable[[LabelledFrame, np.ndarray], None]
"""Called with each frame and its mask, which the model may overwrite later."""


@dataclass(repr=False)
class SequenceScore:
    """What a method did on one sequence.

    Attributes
    ----------
    category, name : str
        Of the sequence.
    numbers : list of int
        Numbers of the frames that count.
    counts : list of Counts
        One for each of these frames.
    n_frames : int
        Frames that the method was given.
    seconds : float or None
        Time that it took for them, reading and counting left out; None where masks were made elsewhere.
    """

    category: str
    name: str
    numbers: list[int] = field(default_factory=list)
    counts: list[Counts] = field(default_factory=list)
    n_frames: int = 0
    seconds: float | None = None

    def __repr__(self) -> str:
        return f"SequenceScore({self.key!r}, {self.n_frames} frames, F {self.metrics.f_measure:.3f})"

    @property
    def key(self) -> str:
        """Category and name."""
        return f"{self.category}/{self.name}"

    @property
    def total(self) -> Counts:
        """Counts of the whole sequence."""
        return Counts.total(self.counts)

    @property
    def metrics(self) -> Metrics:
        """CDnet's metrics of the whole sequence."""
        return Metrics.of(self.total)

    @property
    def f_measures(self) -> np.ndarray:
        """F of each frame that counts, shape (len(numbers),); nan where it is undefined."""
        return np.array([Metrics.of(counts).f_measure for counts in self.counts])

    @property
    def milliseconds(self) -> float | None:
        """Mean time a frame, None where it was not measured."""
        return None if self.seconds is None or not self.n_frames else 1000 * self.seconds / self.n_frames


def evaluate(sequence: LabelledSequence, subtractor: Subtractor, on_frame: OnFrame | None = None) -> SequenceScore:
    """Run a model over a sequence and count its masks by CDnet's protocol.

    Parameters
    ----------
    sequence : LabelledSequence
        From `bgsub.evaluation.datasets.find_sequences`. To try many models on it, take ``sequence.decoded()``.
    subtractor : Subtractor
        A new model; it learns every frame.
    on_frame : callable, optional
        Called with each `LabelledFrame` and its mask, out of the time that is measured.

    Returns
    -------
    SequenceScore

    Raises
    ------
    SourceError
        When a frame cannot be read, a label does not exist, or the model's mask has not the frame's size.
    """
    score = SequenceScore(sequence.category, sequence.name, seconds=0.0)
    seconds = 0.0
    outside = outside_of(sequence.region())
    for frame in sequence:
        start = time.perf_counter()
        mask = subtractor.apply(frame.image)
        seconds += time.perf_counter() - start
        score.n_frames += 1
        if frame.truth is not None:
            add_frame(score, frame, mask, outside)
        if on_frame is not None:
            on_frame(frame, mask)
    score.seconds = seconds
    return score


def add_frame(score: SequenceScore, frame: LabelledFrame, mask: np.ndarray, outside: np.ndarray | None) -> None:
    """Count one mask; the frame has a ground truth."""
    assert frame.truth is not None
    try:
        counts = count(mask, frame.truth, outside)
    except ParameterError as error:
        raise SourceError(f"{score.key}, frame {frame.number}: {error}") from error
    score.numbers.append(frame.number)
    score.counts.append(counts)
