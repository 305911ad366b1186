"""The parameters that EM starts from, drawn from the data.

Starting from some ten thousand rows is as good as from millions and costs less than a few EM iterations. Up to
`seeding_rows` rows all are used, and then the start is scikit-learn's own for the same `random_state`, but for two
quirks of it: a component without rows stays at the data's mean instead of going to the origin, and a tied covariance
of single-row seeds does not depend on the number of rows.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from bgsub.errors import ParameterError
from bgsub.mixture.diagnosis import warn
from bgsub.mixture.em.given_start import GivenStart, check_given, with_given
from bgsub.mixture.em.partitions import Partition, Scatter, parameters_of_cells, partition, scatter_of
from bgsub.mixture.em.rules import Rules, Tell, without_failures
from bgsub.mixture.em.short_runs import farthest
from bgsub.mixture.em.training_data import TrainingData
from bgsub.mixture.parameters import Parameters
from bgsub.mixture.passes.statistics import Statistics, maximisation

FEWEST_SEEDING_ROWS = 20_000
SEEDING_ROWS_A_COMPONENT = 200


def seeding_rows(n_components: int) -> int:
    """Return from how many rows at most a start is drawn."""
    return max(FEWEST_SEEDING_ROWS, SEEDING_ROWS_A_COMPONENT * n_components)


Drawn = Sequence["np.ndarray | Partition"]


class Seeding(NamedTuple):
    """How to start: scikit-learn's parameters of the same names, where starts are drawn from, and who hears of it."""

    n_components: int
    n_init: int
    init_params: str
    random: np.random.RandomState
    tell: Tell = warn
    threads: int | None = None


class Source(NamedTuple):
    """Where starts come from.

    Attributes
    ----------
    rows, weights : float64 ndarray, shapes (n, D) and (n,)
        Rows, and their weights.
    drawn : sequence
        What was drawn of them: responsibilities or partitions.
    scatter : Scatter or None
        How dense they lie, where that is known.
    sampled : bool
        Whether these are some of many rows.
    """

    rows: np.ndarray
    weights: np.ndarray
    drawn: Drawn
    scatter: Scatter | None
    sampled: bool


def draw_starts(
    data: TrainingData, seeding: Seeding, rules: Rules, inits: tuple[Any, Any, Any], last: Parameters | None
) -> list[Parameters]:
    """Return the parameters to start from: the last ones, if they are given, or given and drawn ones.

    Parameters
    ----------
    data : TrainingData
        Rows to draw from, which are checked at that.
    seeding : Seeding
        How to draw.
    rules : Rules
        Those of the fit.
    inits : tuple
        scikit-learn's weights_init, means_init and precisions_init.
    last : Parameters or None
        Those that a fit goes on from.

    Raises
    ------
    ParameterError
        When there are fewer rows than components, or what is given does not fit the rows.
    """
    drawing = last is None and any(init is None for init in inits)
    size = seeding_rows(seeding.n_components) if drawing else 0
    rows, weights = data.sample(size, _peeked(seeding.random))
    check_enough_rows(data.n_rows, seeding.n_components)
    shape = (seeding.n_components, data.n_features)
    if last is not None:
        if last.means.shape != shape:
            raise ParameterError(
                f"warm_start cannot go on: the last fit had n_components, n_features = {last.means.shape}, this one "
                f"has {shape}; set warm_start=False"
            )
        return [last]
    nothing_given = all(init is None for init in inits)
    given = None if nothing_given else check_given(*inits, shape, rules.covariance_type)
    drawn = drawn_seeds(rows, weights, seeding) if drawing else []
    starts = starts_from(rows, weights, drawn, given, rules)
    return shortlisted(Source(rows, weights, drawn, None, len(rows) < data.n_rows), starts, seeding, rules)


def shortlisted(source: Source, starts: list[Parameters], seeding: Seeding, rules: Rules) -> list[Parameters]:
    """Return the starts that EM is to run from: all, or what short runs over the source's rows make of the best."""
    if seeding.init_params != "short_runs":
        return starts
    rows, weights = source.rows, source.weights
    return farthest(rows, weights, starts, rules, sampled=source.sampled, threads=seeding.threads)


def _peeked(random: np.random.RandomState) -> int:
    """Return what a generator would draw next, 64 bits: what is drawn of rows costs the draws after it nothing."""
    return int.from_bytes(copy.deepcopy(random).bytes(8), "little")


def sampled(data: TrainingData, seeding: Seeding) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that starts are drawn from, and their weights."""
    return data.sample(seeding_rows(seeding.n_components), _peeked(seeding.random))


def check_enough_rows(n_rows: int, n_components: int) -> None:
    """Raise scikit-learn's error where there are fewer rows (of a weight above 0) than components."""
    if n_rows < n_components:
        raise ParameterError(
            f"Expected n_samples >= n_components but got n_components = {n_components}, n_samples = {n_rows}"
        )


def drawn_seeds(rows: np.ndarray, weights: np.ndarray, seeding: Seeding, scatter: Scatter | None = None) -> Drawn:
    """Return `n_init` times responsibilities of shape (n, K), or partitions, drawn one after another."""
    n_components, n_init, init_params, random, tell, _ = seeding
    if init_params == "short_runs":
        scatter = scatter or scatter_of(rows, weights)
        n_different = n_init if n_components > 1 else 1
        return [partition(scatter, n_components, random, by_density=i % 2 == 1) for i in range(n_different)]
    return [seeds(rows, weights, n_components, init_params, random, tell) for _ in range(n_init)]


def starts_from(
    rows: np.ndarray, weights: np.ndarray, drawn: Drawn, given: GivenStart | None, rules: Rules
) -> list[Parameters]:
    """Return starting parameters for each of the seeds drawn that has some; a single one where all is given."""
    kind = rules.covariance_type
    if given is not None and given.complete:
        return [with_given(None, given, kind)]

    def made(seeds: np.ndarray | Partition) -> Parameters:
        if isinstance(seeds, Partition):
            return parameters_of_cells(rows, weights, seeds, rules)
        return parameters_of(rows, weights, seeds, kind, rules.reg_covar)

    starts = without_failures(made, drawn)
    return starts if given is None else [with_given(start, given, kind) for start in starts]


def seeds(
    rows: np.ndarray,
    weights: np.ndarray,
    n_components: int,
    init_params: str,
    random: np.random.RandomState,
    tell: Tell = warn,
) -> np.ndarray:
    """Return responsibilities, shape (n, K), from which the first M step is made.

    Parameters
    ----------
    rows : float64 ndarray, shape (n, D)
        The rows, n at least K.
    weights : float64 ndarray, shape (n,)
        Their weights.
    n_components : int
        K.
    init_params : {'kmeans', 'k-means++', 'random', 'random_from_data'}
        As in scikit-learn. A row that is no component's seed gets a row of zeros.
    random : RandomState
        Where everything is drawn from, in scikit-learn's order.
    tell : callable
        Called with a line about what is doubtful.
    """
    from bgsub.mixture.em.kmeans import kmeans_labels, kmeans_plusplus  # here: only who fits needs it

    n = len(rows)
    if init_params == "random":
        responsibilities = random.uniform(size=(n, n_components))
        responsibilities /= responsibilities.sum(axis=1)[:, None]
        return responsibilities
    responsibilities = np.zeros((n, n_components), dtype=bool)  # all or nothing: an eighth of the memory
    if init_params == "kmeans":
        responsibilities[np.arange(n), kmeans_labels(rows, weights, n_components, random, tell)] = True
    else:
        if init_params == "k-means++":
            chosen = kmeans_plusplus(rows - rows.mean(axis=0), weights, n_components, random)
        else:
            chosen = random.choice(n, size=n_components, replace=False)
        responsibilities[chosen, np.arange(n_components)] = True
    return responsibilities


def parameters_of(
    rows: np.ndarray, weights: np.ndarray, responsibilities: np.ndarray, covariance_type: str, reg_covar: float
) -> Parameters:
    """Return the M step's parameters for rows of given responsibilities, shape (n, K).

    Raises
    ------
    ValueError
        When a covariance is not positive definite.
    """
    shared = responsibilities * weights[:, None]
    counts = shared.sum(axis=0)
    centre = np.average(rows, axis=0, weights=weights)
    centred = rows - centre
    filled = counts > 0
    offsets = (shared.T @ centred) / np.where(filled, counts, 1.0)[:, None]  # an empty component stays at the centre
    means = centre + offsets
    scatter = _scatter(centred, shared, offsets, covariance_type)
    statistics = Statistics(0.0, float(counts.sum()), counts, np.zeros_like(means), scatter)
    reference = Parameters(counts, means, scatter, scatter)  # the M step asks it for the means only
    return maximisation(statistics, reference, covariance_type, reg_covar)


def _scatter(rows: np.ndarray, shared: np.ndarray, means: np.ndarray, covariance_type: str) -> np.ndarray:
    """Return sum_i r_ik (x_i - mu_k)(x_i - mu_k)^T in the shape of the covariance type."""
    n_components, n_features = means.shape
    if covariance_type in ("full", "tied"):
        scatter = np.empty((n_components, n_features, n_features))
        for k, mean in enumerate(means):
            offset = rows - mean
            scatter[k] = (shared[:, k] * offset.T) @ offset
        return scatter if covariance_type == "full" else scatter.sum(axis=0)
    diagonal = np.stack([shared[:, k] @ (rows - mean) ** 2 for k, mean in enumerate(means)])
    return diagonal if covariance_type == "diag" else diagonal.sum(axis=1)
