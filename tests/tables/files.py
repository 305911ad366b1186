"""One small table in every format, with what it holds."""

import bz2
import gzip
import json
import lzma
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

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


PACKERS = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda content: pa.compress(content, codec="zstd", asbytes=True),
    ".zip": None,
}


def write_sheets(path, sheets):
    """A workbook with sheets, each a list of rows."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
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
    elif suffix == ".feather":
        feather.write_feather(pa.table(columns), path, chunksize=170)
    elif suffix in (".arrow", ".arrows"):
        table = pa.table(columns)
        with (pa.ipc.new_file if suffix == ".arrow" else pa.ipc.new_stream)(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=170)
    elif suffix == ".jsonl":
        path.write_text("".join(json.dumps(dict(zip(NAMES, row, strict=True))) + "\n" for row in matrix.tolist()))
    elif suffix == ".json":
        path.write_text(json.dumps([dict(zip(NAMES, row, strict=True)) for row in matrix.tolist()], indent=1))
    elif suffix == ".xlsx":
        write_sheets(path, {"Sheet": [list(NAMES), *matrix.tolist()]})
    elif suffix == ".folder":
        for part in range(3):
            (path / f"third={part}").mkdir(parents=True)
            pq.write_table(pa.table(columns)[part * 170 : (part + 1) * 170], path / f"third={part}" / "rows.parquet")
    elif suffix.endswith(tuple(PACKERS)) and suffix != ".npz":
        inner, _, packer = suffix.rpartition(".")
        packed = write_as(inner, folder, matrix)
        if packer == "zip":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.write(packed, f"../out/{packed.name}")
        else:
            path.write_bytes(PACKERS[f".{packer}"](packed.read_bytes()))
        packed.unlink()
    else:
        write_csv(
            path,
            matrix.tolist(),
            delimiter="\t" if suffix in (".tsv", ".tab", ".dat") else ";" if suffix == ".txt" else ",",
        )
    return path


FORMATS = (".csv", ".tsv", ".txt", ".csv.gz", ".parquet", ".npy", ".npz")
MORE_FORMATS = (
    *(".tab", ".dat", ".CSV", ".feather", ".arrow", ".arrows", ".jsonl", ".json", ".xlsx", ".folder"),
    *(f".csv{packer}" for packer in PACKERS),
    *(".parquet.gz", ".jsonl.xz", ".npy.zst", ".npz.bz2", ".xlsx.zip", ".feather.zip"),
)
