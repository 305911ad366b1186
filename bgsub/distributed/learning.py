"""The clusters of Parquet of any size: the preparation and the mixture of `bgsub.clustering.fitting`, by parts."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from dask.delayed import delayed
from distributed import get_client

from bgsub.clustering.fitting import (
    FitSettings,
    FittedTable,
    Stage,
    check_rows,
    explained_by,
    for_types,
    model_from,
    note_few_values,
    sizes_and_densities,
    tell_of_fit,
)
from bgsub.clustering.model import OnRows, TableModel, for_mixture
from bgsub.distributed.partitions import Partitioned
from bgsub.distributed.rows import RowsOnDask
from bgsub.distributed.seeing import check_table
from bgsub.distributed.summing import computed, computed_one_by_one, each, losses_explained, tree_sum
from bgsub.errors import ParameterError
from bgsub.mixture.comparison import ModelSelection, compare_data
from bgsub.mixture.em.rules import Tell
from bgsub.mixture.em.starts import seeding_rows
from bgsub.mixture.fitting import Fit, fit
from bgsub.mixture.gaussianity import drawn_places, gaussianity_of_drawn
from bgsub.mixture.settings import CovarianceType, Criterion
from bgsub.tables.learning import Categories, Choice, Gathered, categories_from, features_of, pca_steps, values_of
from bgsub.tables.parts import Part, parts_of
from bgsub.tables.preparation import Features, Preparation
from bgsub.tables.principal_axes import PrincipalAxes, Products
from bgsub.tables.reading import ReadOptions
from bgsub.tables.rows import read_rows
from bgsub.tables.table import Table

logger = logging.getLogger(__name__)

_HELD = 0.25  # of the workers' memory, that rows may take from pass to pass


def fit_table(
    table: Table,
    n_components: int,
    *,
    covariance_type: CovarianceType,
    choice: Choice,
    settings: FitSettings,
    stage: Stage,
) -> FittedTable:
    """Learn the clusters of a table on the cluster whose client is connected, as `bgsub.clustering.fitting.fit_table`.

    The model is the one that one machine would learn, but for rounding, and has the same bits for any number of
    workers. Rows are held in the workers' memory where they take no more than a quarter of it, and else read again in
    each pass.

    Parameters
    ----------
    table : Table
        Open, Parquet, which all workers see.
    n_components, covariance_type, choice, settings, stage
        As there; noise in a hull needs all rows on one machine.

    Raises
    ------
    SourceError, ParameterError, BgsubError
        As there.
    ClusterError
        When the scheduler is lost.
    """
    _check_possible(settings)
    options = settings.options(n_components, covariance_type, choice.missing)
    rows = _read_all(table, n_components, [covariance_type], choice, stage)
    with stage("fitting", None), explained_by(table) as tell:
        data, total_weight = rows.training_data(table, n_components, tell)
        found = fit(data, options, np.random.RandomState(settings.seed), tell=tell)
        sizes, densities, criteria, residuals = _told_of_rows(data, rows, found, settings)
    model = model_from(table, rows.preparation, found, densities)
    gathered = rows.gathered
    counts = gathered.n_kept, gathered.n_dropped
    return FittedTable(model, sizes, criteria, *counts, total_weight, residuals, tuple(table.notes), gathered.n_partial)


def select_table(
    table: Table,
    counts: Sequence[int],
    covariance_types: Sequence[CovarianceType],
    *,
    criterion: Criterion,
    choice: Choice,
    settings: FitSettings,
    stage: Stage,
) -> tuple[ModelSelection, TableModel]:
    """Choose among numbers and shapes of clusters on the cluster whose client is connected.

    Parameters
    ----------
    table, choice, settings, stage
        As of `fit_table`; so are the errors.
    counts, covariance_types, criterion
        As of `bgsub.clustering.fitting.select_table`.
    """
    _check_possible(settings)
    most = max(counts)
    rows = _read_all(table, most, covariance_types, choice, stage)
    with stage("fitting", None), explained_by(table) as tell:
        data, _ = rows.training_data(table, most, tell)
        options = settings.options(missing=choice.missing)
        how = (counts, covariance_types, criterion, options, settings.seed)
        selection = compare_data(data, data.criteria, data.some_rows(seeding_rows(most)), *how, tell=tell)
        found = selection.best_fit
        _, densities, _, _ = _told_of_rows(data, rows, found, settings)
    return selection, model_from(table, rows.preparation, found, densities)


@dataclass(frozen=True)
class _Rows:
    """What is known of a table's rows once all were read.

    Attributes
    ----------
    parts : list of Part
        Where they lie.
    gathered : Gathered
        What one pass tells of all.
    preparation : Preparation
        What they become.
    choice : Choice
        What is wanted of them.
    options : ReadOptions
        How they are read.
    """

    parts: list[Part]
    gathered: Gathered
    preparation: Preparation
    choice: Choice
    options: ReadOptions

    def training_data(self, table: Table, n_components: int, tell: Tell) -> tuple[RowsOnDask, float]:
        """Return them prepared, and the sum of their weights as the criteria count it."""
        data = RowsOnDask(_partitioned(self), for_mixture(self.choice.missing))
        note_few_values(table, self.preparation, data.some_rows(seeding_rows(n_components)))
        shortfall = data.shortfall()
        if not shortfall:
            return data, self.gathered.weight
        tell(f"{shortfall}: they are scaled to sum to that number, which the criteria count")
        data.rescaled()
        return data, float(self.gathered.n_weighted)


def _read_all(table: Table, n_components: int, types: Sequence[CovarianceType], choice: Choice, stage: Stage) -> _Rows:
    """Look at all rows once; raise where there are too few, or they cannot be used."""
    choice = for_types(choice, types)
    features = features_of(table, choice, _categories)
    parts = parts_of(table, len(features.selection(choice.weights).wanted))
    check_table(get_client(), [path for part in parts for path, _ in part.groups])
    with stage("reading", table.n_rows) as on_rows:
        gathered = _gathered(parts, features, choice, table.options, on_rows)
    gathered.check(table, choice)
    check_rows(gathered, gathered.n_kept, table.name, n_components, types, choice)
    rows = _Rows(parts, gathered, _preparation(gathered, choice), choice, table.options)
    return rows if choice.pca is None else replace(rows, preparation=_projected(rows, choice.pca))


def _check_possible(settings: FitSettings) -> None:
    """Raise ParameterError for what no sums over parts give."""
    if settings.noise == "hull":
        raise ParameterError("--noise hull needs all rows on one machine: give --noise box, or leave out --scheduler")


def _categories(table: Table, choice: Choice) -> Categories:
    """Return the values of the columns of text, read by the workers."""
    if not choice.encode:
        return {}
    parts = parts_of(table, len(choice.encode))
    tasks = each(_values, [(part,) for part in parts], choice, table.options)
    return categories_from(computed_one_by_one(tasks, lambda _: None), table, choice)


def _gathered(
    parts: Sequence[Part],
    features: Features,
    choice: Choice,
    options: ReadOptions,
    on_rows: OnRows,
) -> Gathered:
    """Return what one pass tells of all rows."""
    done = 0

    def on_done(number: int) -> None:
        nonlocal done
        done += parts[number].n_rows
        if on_rows is not None:
            on_rows(done)

    tasks = each(_gather, [(part,) for part in parts], features, choice, options)
    first, *others = computed_one_by_one(tasks, on_done)
    for other in others:
        first.merge(other)
    found: Gathered = first
    return found


def _preparation(gathered: Gathered, choice: Choice) -> Preparation:
    """Return what rows become before they are projected."""
    if choice.pca is not None:
        return gathered.standardisation(choice.scale)
    preparation = Preparation.identity(gathered.features)
    if choice.scale:
        preparation = gathered.standardisation(True)
    return preparation.without_baseline() if choice.baseline and gathered.features.categories else preparation


def _projected(rows: _Rows, n_components: int) -> Preparation:
    """Return the preparation that projects on principal components, too, from one pass over all rows."""
    centred = rows.preparation
    blocks = [(delayed(block, traverse=False),) for block in _blocks(rows)]
    (sums,) = computed([tree_sum(Products.joined, each(_products, blocks))])
    return PrincipalAxes.of(sums, n_components).after(centred, pca_steps(rows.choice))


@dataclass(frozen=True)
class PreparedBlock:
    """The prepared rows of a part of a table.

    Attributes
    ----------
    part : Part
        Where they lie.
    preparation : Preparation
        Of the table.
    choice : Choice
        What is wanted of it.
    options : ReadOptions
        How it is read.
    """

    part: Part
    preparation: Preparation
    choice: Choice
    options: ReadOptions

    def read(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the rows that count (n, D), and their weights or None."""
        features, choice = self.preparation.features, self.choice
        blocks, weights = [np.empty((0, self.preparation.n_outputs))], []
        with self.part.open(self.options) as table:
            for rows in read_rows(table, features.selection(choice.weights), choice.missing):
                blocks.append(self.preparation.transform(features.of(rows, table.name)[rows.complete]))
                if rows.weights is not None:
                    weights.append(rows.weights[rows.complete])
        return np.concatenate(blocks), np.concatenate(weights) if weights else None


def _blocks(rows: _Rows) -> list[Any]:
    return [PreparedBlock(part, rows.preparation, rows.choice, rows.options) for part in rows.parts]


def _partitioned(rows: _Rows) -> Partitioned:
    """Return the prepared rows in partitions, held by the workers where these have room."""
    preparation, blocks = rows.preparation, _blocks(rows)
    width = preparation.n_outputs
    size = rows.gathered.n_kept * width * 8
    with losses_explained():
        workers = get_client().scheduler_info(n_workers=-1)["workers"].values()
    memory = sum(worker["memory_limit"] or 0 for worker in workers)
    if size <= _HELD * memory:
        blocks = get_client().persist([delayed(_read, pure=False)(delayed(block, traverse=False)) for block in blocks])
        logger.info("the rows stay in the workers' memory: %.3g of %.3g GB", size / 1e9, memory / 1e9)
    else:
        logger.info(
            "the rows are read again in each pass: %.3g GB are more than a quarter of the workers' %.3g GB of memory",
            size / 1e9,
            memory / 1e9,
        )
    return Partitioned([(block, None) for block in blocks], width, np.dtype(np.float64), preparation.output_names)


def _told_of_rows(
    data: RowsOnDask, all_rows: _Rows, found: Fit, settings: FitSettings
) -> tuple[np.ndarray, np.ndarray, dict[str, float], Any]:
    """Return, from one pass, the components' rows, log-densities, the criteria, and whether components are Gaussian."""
    n_rows, mixture = all_rows.gathered.n_kept, found.mixture
    step = tell_of_fit(found, all_rows.preparation, n_rows)
    ends = np.cumsum([part.length for part in data.looked])
    starts = ends - [part.length for part in data.looked]
    places = drawn_places(n_rows, mixture)
    own = [(places[(places >= start) & (places < end)] - start,) for start, end in zip(starts, ends, strict=True)]
    plain = replace(found, run=found.run._replace(lower_bounds=[]))
    parts = data.each(_tell, own, plain, step, all_rows.gathered.n_partial < n_rows)
    sizes, densities, sums, rows, weights = zip(*parts, strict=True)
    drawn = np.concatenate(rows), np.concatenate(weights)
    residuals = gaussianity_of_drawn(mixture, *drawn, threads=settings.threads)
    return sum(sizes), np.concatenate(densities), mixture.criteria_of(sum(sums)), residuals


# ------------------------------------------------------------------------------------------------------- on a worker


def _values(part: Part, choice: Choice, options: ReadOptions) -> list[set[str]]:
    with part.open(options) as table:
        return values_of(table, choice)


def _gather(part: Part, features: Features, choice: Choice, options: ReadOptions) -> Gathered:
    gathered = Gathered(features, choice)
    with part.open(options) as table:
        for rows in read_rows(table, features.selection(choice.weights), choice.missing):
            gathered.add(rows, table.name)
    return gathered


def _products(block: PreparedBlock) -> Products:
    X, _ = block.read()
    return Products.of(X)


def _read(block: PreparedBlock) -> tuple[np.ndarray, np.ndarray | None]:
    return block.read()


def _tell(
    X: np.ndarray, weights: np.ndarray | None, places: np.ndarray, found: Fit, step: int, complete: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    missing = found.options.missing
    sizes, densities = sizes_and_densities(found, X, step, complete, threads=1)
    sums = found.mixture.criterion_sums(X, weights, missing=missing, threads=1)
    drawn = np.ones(len(places)) if weights is None else weights[places]
    return sizes, densities, sums, X[places], drawn
