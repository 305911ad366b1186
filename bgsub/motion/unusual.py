"""Which events are unlike the others: a mixture of Gaussians of what is usual, and who is unlikely in it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

import numpy as np

from bgsub.errors import FitWarning
from bgsub.motion.events import Event
from bgsub.motion.results import Scanned, SourceFacts

FEWEST = 20
"""Events that say what is usual."""

_KINDS_OF_USUAL = range(1, 5)  # components that are tried
_RARE = 0.1  # a component of less weight is no usual kind but some odd events that are alike
_LEAST_VARIANCE = 0.05  # of scaled columns: events are few, and a finer difference is none
_FARTHEST = 6.0  # standard deviations: what is farther away is as odd, and must not stretch the fit
_NOTHING = 1e-9  # a spread that rounding makes
_STARTS = 4
_SEED = 0


class Marked(NamedTuple):
    """Results with `Event.unusual` set, or as they were, and why then, in a line."""

    results: list[Scanned]
    why_not: str | None = None


def mark_unusual(results: Sequence[Scanned]) -> Marked:
    """Compare the events of all results, and set `Event.unusual` of each: the share of them that are more usual.

    Compared are length, area, place, speed and number of what moves, and, where recordings know their date, the time
    of day. Events of one camera belong together.

    Parameters
    ----------
    results : sequence of Scanned
        Of one timeline or of many.
    """
    told = [(event, result) for result in results for event in result.events]
    if len(told) < FEWEST:
        return Marked(
            list(results), f"{len(told)} events are too few to say which are unusual: scan more, for {FEWEST} or more"
        )
    table = _scaled(np.array([_features(event, result) for event, result in told]))
    if not table.shape[1]:
        return Marked(list(results), "all events are alike: none is unusual")
    likely = np.round(_log_densities(table), 9)
    shares = iter((likely[None, :] > likely[:, None]).mean(axis=1).tolist())
    return Marked(
        [
            replace(result, events=tuple(replace(event, unusual=next(shares)) for event in result.events))
            for result in results
        ]
    )


def _features(event: Event, result: Scanned) -> list[float]:
    """Return what an event is compared by; NaN where it is not known."""
    facts = result.facts
    assert facts is not None  # what has events was opened
    numbers = set(event.tracks)
    tracks = [track for track in result.tracks if track.number in numbers]
    side = math.hypot(facts.width, facts.height)
    boxes = event.peak_boxes or (event.box,)
    weights = [box[2] * box[3] for box in boxes]
    x, y = (
        sum(w * (box[axis] + box[axis + 2] / 2) for w, box in zip(weights, boxes, strict=True)) / max(sum(weights), 1)
        for axis in (0, 1)
    )
    speed = max((track.speed for track in tracks), default=math.nan) / side
    return [
        math.log(max(event.length, 0.05)),
        math.log(max(event.area, 1.0) / (facts.width * facts.height)) / 2,
        x / side,
        y / side,
        math.log(speed + 0.01),
        math.log1p(len(event.tracks)),
        *_time_of_day(event, facts),
    ]


def _time_of_day(event: Event, facts: SourceFacts) -> tuple[float, float]:
    """Return the hour hand of a clock of 24 hours: midnight is near to both sides."""
    if facts.recorded is None:
        return math.nan, math.nan
    when = facts.recorded + timedelta(seconds=event.start)
    angle = 2 * math.pi * (when.hour + when.minute / 60 + when.second / 3600) / 24
    return math.cos(angle), math.sin(angle)


def _scaled(table: np.ndarray) -> np.ndarray:
    """Return columns of median 0 and a spread of 1 that few odd rows do not move; those that tell nothing fall away."""
    columns = []
    for column in table.T:
        known = column[np.isfinite(column)]
        if len(known) < len(column) / 2:
            continue
        middle = np.median(known)
        low, high = np.percentile(known, [25, 75])
        spread = (high - low) / 1.349
        if spread < _NOTHING:  # most are the same: what differs does so much
            spread = known.std()
        if spread > _NOTHING:
            away = np.where(np.isfinite(column), column - middle, 0.0) / spread
            columns.append(np.clip(away, -_FARTHEST, _FARTHEST))
    return np.stack(columns, axis=1) if columns else np.empty((len(table), 0))


def _log_densities(table: np.ndarray) -> np.ndarray:
    """Return how likely each row is among what is usual."""
    from bgsub.mixture.selection import select  # where it is needed: it brings its kernels

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # of variances as small as the least that matters, which are meant
        selection = select(
            table,
            _KINDS_OF_USUAL,
            ("diag", "full"),
            n_init=_STARTS,
            random_state=_SEED,
            threads=1,
            allow_collapsed=True,
            reg_covar=_LEAST_VARIANCE,
        )
    found = selection.best_mixture
    logs = []
    for weight, mean, covariance in zip(found.weights, found.means, found.matrices, strict=True):
        if weight < _RARE:
            continue
        away = np.linalg.solve(np.linalg.cholesky(covariance), (table - mean).T)
        logs.append(math.log(weight) - 0.5 * (away**2).sum(axis=0) - 0.5 * np.linalg.slogdet(covariance)[1])
    return np.asarray(np.logaddexp.reduce(logs, axis=0))
