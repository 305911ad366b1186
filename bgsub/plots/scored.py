"""What a report is drawn from: scores and frames, as far as its tables and pictures need to know them.

`bgsub.evaluation` makes such objects; anything else that has these attributes can be drawn as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

METRICS = ("recall", "specificity", "fpr", "fnr", "pwc", "precision", "f_measure")
"""CDnet's metrics, attributes of every `Metrics`."""


class Metrics(Protocol):
    """Numbers named as in `METRICS`; undefined ones are nan."""

    @property
    def f_measure(self) -> float:
        """F, the one that has curves and a table of its own."""


class Score(Protocol):
    """What a method did on one sequence."""

    @property
    def category(self) -> str:
        """Of the sequence."""

    @property
    def name(self) -> str:
        """Of the sequence."""

    @property
    def n_frames(self) -> int:
        """Frames that the method was given."""

    @property
    def numbers(self) -> Sequence[int]:
        """Numbers of the frames that count."""

    @property
    def counts(self) -> Sequence[Sequence[int]]:
        """Of each of these, pixels: true positives, false positives and false negatives first."""

    @property
    def f_measures(self) -> np.ndarray:
        """F of each of these; nan where it is undefined."""

    @property
    def metrics(self) -> Metrics:
        """Of the whole sequence."""

    @property
    def milliseconds(self) -> float | None:
        """Mean time a frame; None where it was not measured."""


class MethodScores(Protocol):
    """What a method did on all sequences."""

    @property
    def label(self) -> str:
        """What it is called."""

    @property
    def scores(self) -> Sequence[Score]:
        """One for each sequence."""

    @property
    def categories(self) -> Mapping[str, Metrics]:
        """Means over the sequences of each category."""

    @property
    def overall(self) -> Metrics:
        """Means over the categories."""

    @property
    def sequence_mean(self) -> Metrics:
        """Means over the sequences."""

    @property
    def milliseconds(self) -> float | None:
        """Mean time a frame; None where it was not measured."""


class Sample(Protocol):
    """One frame to show, with what every method made of it."""

    @property
    def number(self) -> int:
        """Of the frame."""

    @property
    def remark(self) -> str:
        """Why it is shown, may be empty."""

    @property
    def image(self) -> np.ndarray:
        """The frame, BGR (H, W, 3) or grey (H, W), uint8 or uint16."""

    @property
    def truth(self) -> np.ndarray:
        """Labels, uint8 (H, W), shown as they are."""

    @property
    def masks(self) -> Sequence[np.ndarray]:
        """Foreground, bool (H, W), one for each method."""

    def errors(self, method: int) -> np.ndarray:
        """Return what each pixel of a method's mask is, uint8 (H, W): a place in `bgsub.plots.mask_errors.LEGEND`."""


class SequenceScores(Protocol):
    """What came of one sequence."""

    @property
    def scores(self) -> Sequence[Score]:
        """One for each method."""

    @property
    def samples(self) -> Sequence[Sample]:
        """Frames to show."""
