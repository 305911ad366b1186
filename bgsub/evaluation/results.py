"""Scores of many sequences: means by category and overall, as rows, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Any

from bgsub.evaluation.protocol import METRIC_NAMES, Counts, Metrics
from bgsub.evaluation.scoring import SequenceScore
from bgsub.files import atomic_write
from bgsub.notebook import counted, html_table

_DIGITS = 6


@dataclass(frozen=True, repr=False)
class MethodResult:
    """What a method scored.

    Attributes
    ----------
    label : str
        What it is called.
    scores : list of SequenceScore
        One for each sequence.
    """

    label: str
    scores: Sequence[SequenceScore]

    def __repr__(self) -> str:
        sequences = counted(len(self.scores), "sequence")
        return f"MethodResult({self.label!r}, {sequences}, F {self.sequence_mean.f_measure:.3f})"

    def _repr_html_(self) -> str:
        header = ["sequence", *(name.replace("_", " ") for name in METRIC_NAMES), "ms a frame"]
        mean = ["mean over sequences", *astuple(self.sequence_mean), self.milliseconds]
        rows = [[score.key, *astuple(score.metrics), score.milliseconds] for score in self.scores]
        return html_table(f"{self.label}: {counted(len(self.scores), 'sequence')}", header, [mean, *rows], bold=[0])

    @property
    def categories(self) -> dict[str, Metrics]:
        """Means over the sequences of each category."""
        names = dict.fromkeys(score.category for score in self.scores)
        return {name: Metrics.mean([s.metrics for s in self.scores if s.category == name]) for name in names}

    @property
    def overall(self) -> Metrics:
        """CDnet's overall figures: means over the categories."""
        return Metrics.mean(list(self.categories.values()))

    @property
    def sequence_mean(self) -> Metrics:
        """Means over the sequences, whatever their category."""
        return Metrics.mean([score.metrics for score in self.scores])

    @property
    def milliseconds(self) -> float | None:
        """Mean time a frame over all frames; None where it was not measured."""
        seconds = [score.seconds for score in self.scores if score.seconds is not None]
        frames = sum(score.n_frames for score in self.scores)
        return 1000 * sum(seconds) / frames if len(seconds) == len(self.scores) and frames else None

    def as_dict(self) -> dict[str, Any]:
        """Return everything but the frames, in types that JSON has; None where a metric is undefined."""
        return {
            "method": self.label,
            "overall": _plain(self.overall),
            "sequence_mean": _plain(self.sequence_mean),
            "categories": {name: _plain(metrics) for name, metrics in self.categories.items()},
            **_speed(self.milliseconds),
            "sequences": [sequence_row(score) for score in self.scores],
        }


def sequence_row(score: SequenceScore) -> dict[str, Any]:
    """Return a sequence's figures in types that JSON has."""
    return {
        "category": score.category,
        "sequence": score.name,
        "frames": score.n_frames,
        "scored_frames": len(score.counts),
        **score.total._asdict(),
        **_plain(score.metrics),
        **_speed(score.milliseconds),
    }


def write_csv(path: str | os.PathLike[str], results: Sequence[MethodResult]) -> None:
    """Write a row for each method and sequence; an undefined metric is an empty field.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    columns = ["method", "category", "sequence", "frames", "scored_frames", *Counts._fields, *METRIC_NAMES]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [*columns, "milliseconds", "frames_per_second"], lineterminator="\n")
    writer.writeheader()
    for result in results:
        writer.writerows({"method": result.label, **sequence_row(score)} for score in result.scores)
    with atomic_write(path) as file:
        file.write(text.getvalue().encode())


def _plain(metrics: Metrics) -> dict[str, float | None]:
    return {name: None if math.isnan(v) else round(v, _DIGITS) for name, v in asdict(metrics).items()}


def _speed(milliseconds: float | None) -> dict[str, float | None]:
    rate = 1000 / milliseconds if milliseconds else None
    return {
        "milliseconds": None if milliseconds is None else round(milliseconds, 4),
        "frames_per_second": None if rate is None else round(rate, 1),
    }
