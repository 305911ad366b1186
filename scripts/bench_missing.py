"""Time a pass of EM over rows with gaps and the ordinary pass over as many complete ones, in turn; print a table.

One thread, processor time, the quickest of several rounds. One cell in ten is missing, at random. Rows are those of
`bench_em.py`, the parameters those after a few steps over the complete rows.

    python scripts/bench_missing.py
    python scripts/bench_missing.py --rows 100000,8,8 --types full,diag --share 0.3
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from bench_em import blobs, start
from threadpoolctl import threadpool_limits

from bgsub.mixture.em.loop import run_em
from bgsub.mixture.em.rules import Rules
from bgsub.mixture.em.training_data import RowsInMemory
from bgsub.mixture.parameters import COVARIANCE_TYPES, Parameters
from bgsub.mixture.passes.cpu import row_pass
from bgsub.mixture.passes.missing import gap_pass

CASES = ["1000,4,3", "100000,4,3", "100000,8,8", "100000,16,8", "100000,32,8"]
ROUNDS = 15


def seconds(one_pass: Callable[[Parameters], object], parameters: Parameters) -> float:
    """Return the processor time of a pass."""
    begun = time.process_time()
    one_pass(parameters)
    return time.process_time() - begun


def measure(X: np.ndarray, k: int, covariance_type: str, share: float) -> tuple[float, float]:
    """Return the least seconds of a pass over rows with gaps and over complete ones."""
    rules = Rules(covariance_type, reg_covar=1e-6, tol=0, max_iter=3)
    parameters = run_em(RowsInMemory(X), start(X, k, covariance_type), rules, threads=1).parameters
    gapped = np.where(np.random.default_rng(1).random(X.shape) < share, np.nan, X)
    with (
        gap_pass(gapped, k, covariance_type, None, 1) as over_gaps,
        row_pass(X, k, covariance_type, None, 1) as over_all,
    ):
        pairs = [(seconds(over_gaps, parameters), seconds(over_all, parameters)) for _ in range(ROUNDS)]
    least = np.min(pairs[1:], axis=0)  # the first one may have compiled
    return float(least[0]), float(least[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="*", default=CASES, metavar="N,D,K", help="tables and components")
    parser.add_argument("--types", default=",".join(COVARIANCE_TYPES))
    parser.add_argument("--share", type=float, default=0.1, help="of the cells that are missing")
    arguments = parser.parse_args()
    print("| N, D, K | covariance | with gaps, ms | complete, ms | ratio |")
    print("|---|---|---:|---:|---:|")
    for case in arguments.rows:
        n, d, k = (int(x) for x in case.split(","))
        X = blobs(n, d, k, 1.0)
        for covariance_type in arguments.types.split(","):
            with threadpool_limits(1):
                a, b = measure(X, k, covariance_type, arguments.share)
            print(f"| {n}, {d}, {k} | {covariance_type} | {a * 1e3:.3g} | {b * 1e3:.3g} | {a / b:.1f} |", flush=True)


if __name__ == "__main__":
    main()
