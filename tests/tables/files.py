"""One small table in every format, with what it holds."""

import gzip

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

N = 500


def values(seed=0, n=N):
    """Two clusters in three columns of very different units, (n, 3); rows of the second one come last."""
    rng = np.random.default_rng(seed)
    first = rng.multivariate_normal([2.0, 5000.0, -0.01], np.diag([0.09, 9e4, 1e-6]), n - n // 3)
    second = rng.multivariate_normal([6.0, 9000.0, 0.03], [[0.25, 100, 0], [100, 1.6e5, 0], [0, 0, 4e-6]], n // 3)
    return np.vstack([first, second])


NAMES = ("length", "price", "tilt")


def csv_text(rows, names=NAMES, delimiter=","):
    lines = [delimiter.join(names), *(delimiter.join(str(value) for value in row) for row in rows)]
    return "\n".join(lines) + "\n"


def write_csv(path, rows, names=NAMES, delimiter=","):
    path.write_text(csv_text(rows, names, delimiter), encoding="utf-8")
    return path


def write_as(suffix, folder, matrix):
    """The matrix with the columns NAMES in a file of a format; return its path."""
    path = folder / f"table{suffix}"
    columns = dict(zip(NAMES, matrix.T, strict=True))
    if suffix == ".parquet":
        pq.write_table(pa.table(columns), path, row_group_size=170)
    elif suffix == ".npz":
        np.savez(path, **columns)
    elif suffix == ".npy":
        records = np.empty(len(matrix), [(name, "f8") for name in NAMES])
        for name, column in columns.items():
            records[name] = column
        np.save(path, records)
    elif suffix == ".csv.gz":
        path.write_bytes(gzip.compress(csv_text(matrix.tolist()).encode()))
    else:
        write_csv(path, matrix.tolist(), delimiter="\t" if suffix == ".tsv" else ";" if suffix == ".txt" else ",")
    return path


FORMATS = (".csv", ".tsv", ".txt", ".csv.gz", ".parquet", ".npy", ".npz")
