"""What a pass of EM over partitions costs on Dask, beside one over rows in memory.

Processor seconds, which a busy machine does not change much: of this process, which has the client and the scheduler,
and of the workers. Tasks of a handful of rows show what Dask costs; tasks of many what there is to gain.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import time
import warnings
from collections.abc import Callable

import dask.array as da
import numpy as np
from distributed import Client, LocalCluster

import bgsub
from bgsub.distributed.cutting import partitioned
from bgsub.distributed.rows import RowsOnDask
from bgsub.mixture.em.training_data import RowsInMemory, TrainingData
from bgsub.mixture.parameters import Parameters

FEATURES, COMPONENTS = 4, 6


def rows_of(n: int, n_features: int, n_components: int) -> np.ndarray:
    """Return rows of several clusters."""
    random = np.random.default_rng(0)
    centres = random.normal(0, 5, (n_components, n_features))
    return centres[random.integers(0, n_components, n)] + random.normal(size=(n, n_features))


def parameters_for(X: np.ndarray, n_components: int) -> Parameters:
    """Return what a few steps find."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mixture = bgsub.GaussianMixture(n_components, random_state=0, max_iter=2, tol=0).fit(X[:20_000])
    return mixture.fitted_mixture().whole


def timed(data: TrainingData, parameters: Parameters, passes: int, workers: Callable[[], float]) -> list[float]:
    """Return medians of wall seconds, processor seconds here, and those of the workers, a pass."""
    found = []
    with data.passes(len(parameters.weights), "full", 1) as one_pass:
        one_pass(parameters)
        for _ in range(passes):
            before = time.perf_counter(), time.process_time(), workers()
            one_pass(parameters)
            after = time.perf_counter(), time.process_time(), workers()
            found.append([b - a for a, b in zip(before, after, strict=True)])
    return [statistics.median(column) for column in zip(*found, strict=True)]


def main() -> None:
    """Print a line for each number of workers and of partitions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000, 2_000_000])
    parser.add_argument("--partitions", type=int, nargs="+", default=[8, 64])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--features", type=int, default=FEATURES)
    parser.add_argument("--components", type=int, default=COMPONENTS)
    parser.add_argument("--passes", type=int, default=7)
    asked = parser.parse_args()
    for n in asked.rows:
        X = rows_of(n, asked.features, asked.components)
        parameters = parameters_for(X, asked.components)
        wall, here, _ = timed(RowsInMemory(X), parameters, asked.passes, lambda: 0.0)
        print(f"{n:>10,} rows x {asked.features}, {asked.components} components, in memory, 1 thread: ", end="")
        print(f"{wall * 1e3:8.1f} ms a pass, processor {here * 1e3:8.1f} ms", flush=True)
        for workers in asked.workers:
            with (
                LocalCluster(
                    workers, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL
                ) as cluster,
                Client(cluster) as client,
            ):

                def of_workers(client: Client = client) -> float:
                    return sum(client.run(time.process_time).values())

                for n_parts in asked.partitions:
                    blocks = da.from_array(X, chunks=(-(-n // n_parts), asked.features)).persist()
                    data = RowsOnDask(partitioned(blocks))
                    wall, here, there = timed(data, parameters, asked.passes, of_workers)
                    print(
                        f"  {workers} workers, {n_parts:3d} partitions: {wall * 1e3:8.1f} ms a pass; processor here "
                        f"{here * 1e3:7.1f} ms ({here / n_parts * 1e3:.2f} a partition), workers {there * 1e3:7.1f} ms "
                        f"({there / n_parts * 1e3:.2f})",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
