"""Time an EM iteration of ours and of scikit-learn, in turn, from the same start; print a table for scripts/README.md.

Both run on one thread, matrix products too, and what is taken is processor time, which other programs disturb least.
An iteration's time is that of the quickest of several fits of a few iterations, divided by their number; scikit-learn
ends a fit with an E step, which is taken for 0.45 of an iteration. The start is what a few iterations make of some
rows for means and the covariance of everything: as in most iterations of a fit, clusters have begun to form.

    python scripts/bench_em.py
    python scripts/bench_em.py --rows 400,2,4 --types full,diag --dtype float32
    python scripts/bench_em.py --rows 1000000,3,8 --types full --whole
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from bgsub import GaussianMixture as OurMixture
from bgsub.mixture.em.loop import run_em
from bgsub.mixture.em.rules import Rules
from bgsub.mixture.em.training_data import RowsInMemory
from bgsub.mixture.parameters import COVARIANCE_TYPES, Parameters, precisions_cholesky
from bgsub.mixture.settings import CovarianceType

CASES = ["400,2,4", "100000,2,5", "1000000,3,8", "1000000,8,32", "100000,16,10", "100000,64,16", "20000,128,8"]
FINAL_E_STEP = 0.45
WARM_UP = 10


def blobs(n: int, d: int, k: int, separation: float) -> np.ndarray:
    """Return rows of k Gaussian clusters, in random order."""
    rng = np.random.default_rng(0)
    means = rng.normal(size=(k, d)) * separation
    shape = np.eye(d) + 0.3 * rng.normal(size=(d, d)) / np.sqrt(d)
    return means[rng.integers(k, size=n)] + rng.normal(size=(n, d)) @ shape


def start(X: np.ndarray, k: int, covariance_type: str) -> Parameters:
    """Return parameters on the way to convergence."""
    d = X.shape[1]
    part = X[:20000].astype(np.float64)
    everything = np.cov(part.T).reshape(d, d)
    covariances = {
        "full": np.array([everything] * k),
        "tied": everything,
        "diag": np.array([np.diag(everything)] * k),
        "spherical": np.full(k, np.trace(everything) / d),
    }[covariance_type]
    return Parameters(
        np.full(k, 1 / k), part[:k].copy(), covariances, precisions_cholesky(covariances, covariance_type)
    )


def ours(X: np.ndarray, parameters: Parameters, covariance_type: str, steps: int) -> float:
    """Return the seconds of an iteration."""
    begun = time.process_time()
    run_em(RowsInMemory(X), parameters, Rules(covariance_type, reg_covar=1e-6, tol=0, max_iter=steps), threads=1)
    return (time.process_time() - begun) / steps


def theirs(X: np.ndarray, parameters: Parameters, covariance_type: str, steps: int) -> float:
    """Return the seconds of an iteration."""
    factors = parameters.precisions_cholesky
    precisions = factors @ np.swapaxes(factors, -1, -2) if covariance_type in ("full", "tied") else factors**2
    model = GaussianMixture(
        len(parameters.weights),
        covariance_type=covariance_type,
        tol=0,
        max_iter=steps,
        weights_init=parameters.weights.astype(X.dtype),
        means_init=parameters.means.astype(X.dtype),
        precisions_init=precisions.astype(X.dtype),
    )
    begun = time.process_time()
    model.fit(X)
    return (time.process_time() - begun) / (steps + FINAL_E_STEP)


def measure(X: np.ndarray, k: int, covariance_type: str, budget: float) -> tuple[float, float]:
    """Return the least seconds an iteration of ours and theirs, of fits in turn."""
    parameters = start(X, k, covariance_type)
    ours(X, parameters, covariance_type, 1)  # compiles, or loads what was compiled
    one = theirs(X, parameters, covariance_type, 1)
    steps = int(np.clip(budget / 8 / one, 2, 50))
    times: list[tuple[float, float]] = []
    begun = time.process_time()
    while not times or (time.process_time() - begun < budget and len(times) < 20):
        pair = [ours(X, parameters, covariance_type, steps * 4) for _ in range(2)]
        times.append((min(pair), theirs(X, parameters, covariance_type, steps)))
    least = np.min(times, axis=0)
    return float(least[0]), float(least[1])


def whole_fits(X: np.ndarray, k: int, covariance_type: CovarianceType) -> tuple[float, float]:
    """Return the seconds of our default fit and of theirs, the least of three."""
    least = []
    for model in (OurMixture, GaussianMixture):
        times = []
        for _ in range(3):
            begun = time.process_time()
            model(k, covariance_type=covariance_type, random_state=0).fit(X)
            times.append(time.process_time() - begun)
        least.append(min(times))
    return least[0], least[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="*", default=CASES, metavar="N,D,K", help="tables and components")
    parser.add_argument("--types", default=",".join(COVARIANCE_TYPES))
    parser.add_argument("--dtype", default="float64", choices=["float64", "float32"])
    parser.add_argument("--separation", type=float, default=1.0, help="of the clusters; 6 sets them well apart")
    parser.add_argument("--seconds", type=float, default=3.0, help="to spend on each line")
    parser.add_argument("--whole", action="store_true", help="time whole default fits instead, start included")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    print("| N, D, K | covariance | ours, ms | scikit-learn, ms | ratio |")
    print("|---|---|---:|---:|---:|")
    for case in arguments.rows:
        n, d, k = (int(x) for x in case.split(","))
        X = blobs(n, d, k, arguments.separation).astype(arguments.dtype)
        for covariance_type in arguments.types.split(","):
            with threadpool_limits(1):
                if arguments.whole:
                    a, b = whole_fits(X, k, covariance_type)
                else:
                    a, b = measure(X, k, covariance_type, arguments.seconds)
            print(f"| {n}, {d}, {k} | {covariance_type} | {a * 1e3:.3g} | {b * 1e3:.3g} | {b / a:.1f} |", flush=True)


if __name__ == "__main__":
    main()
