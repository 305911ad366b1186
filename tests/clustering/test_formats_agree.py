"""One table through every format: the same model, bit for bit, and the same predictions by it."""

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from bgsub.clustering.fitting import FitSettings, fit_table
from bgsub.tables.learning import Choice
from tests.tables.files import PACKERS, write_sheets

pytestmark = pytest.mark.slow

N = 150
CHOICE = Choice(encode=("ok", "kind"), dates=("day",), columns=("x", "n"), scale=True)


def columns():
    """Numbers, truth values, text and dates; numbers of at most 15 digits, which all formats hold."""
    rng = np.random.default_rng(0)
    second = np.arange(N) >= 100
    return {
        "x": np.round(rng.normal(2, 0.5, N) + 5 * second, 6),
        "n": rng.poisson(3, N) + 10 * second,
        "ok": rng.random(N) < 0.3 + 0.4 * second,
        "kind": np.array(["sea green", "red", "blue"])[rng.integers(0, 3, N)],
        "day": np.datetime64("2024-01-05") + rng.integers(0, 60, N),
    }


def plain_rows(table):
    return [list(row) for row in zip(*(column.to_pylist() for column in pa.table(table).columns), strict=True)]


def write_json(path, table):
    import json

    names = list(table)
    records = [dict(zip(names, row, strict=True)) for row in plain_rows(table)]
    path.write_text("".join(json.dumps(record, default=str) + "\n" for record in records))


def files(folder, table):
    arrow = pa.table(table)
    pq.write_table(arrow, folder / "t.parquet", row_group_size=40)
    feather.write_feather(arrow, folder / "t.feather", chunksize=40)
    with pa.ipc.new_stream(folder / "t.arrows", arrow.schema) as writer:
        writer.write_table(arrow)
    np.savez(folder / "t.npz", **table)
    write_json(folder / "t.jsonl", table)
    write_sheets(folder / "t.xlsx", {"S": [list(table), *plain_rows(table)]})
    (folder / "t.jsonl.xz").write_bytes(PACKERS[".xz"]((folder / "t.jsonl").read_bytes()))
    for part in range(3):
        (folder / "parts").mkdir(exist_ok=True)
        pq.write_table(arrow[part * 50 : (part + 1) * 50], folder / "parts" / f"{part}.parquet")
    csv = [",".join(map(str, row)) for row in [list(table), *plain_rows(table)]]
    (folder / "t.csv").write_text("\n".join(csv) + "\n")
    (folder / "t.csv.zst").write_bytes(PACKERS[".zst"]((folder / "t.csv").read_bytes()))
    return sorted(folder.iterdir())


def in_memory(table):
    pandas = pytest.importorskip("pandas")
    found = [
        table,
        pa.table(table),
        pandas.DataFrame(table),
        np.rec.fromarrays(list(table.values()), names=",".join(table)),
    ]
    try:
        import polars
    except ImportError:
        return found
    return [*found, polars.DataFrame(table)]


def test_every_format_fits_the_same_model(tmp_path):
    table = columns()
    expected = fit_table(table, 2, choice=CHOICE, settings=FitSettings(n_init=1, reg_covar=0.01)).model
    assert expected.preparation.features.names == [
        *("x", "n", "day", "ok=false", "ok=true", "kind=blue", "kind=red", "kind=sea green")
    ]
    densities = expected.score_samples(table)
    for source in (*in_memory(table), *files(tmp_path, table)):
        found = fit_table(source, 2, choice=CHOICE, settings=FitSettings(n_init=1, reg_covar=0.01)).model
        shown = source if not hasattr(source, "shape") else type(source)
        for ours, theirs in zip(found.mixture.parameters, expected.mixture.parameters, strict=True):
            assert np.array_equal(ours, theirs), shown
        assert found.preparation.features == expected.preparation.features, shown
        assert np.array_equal(expected.score_samples(source), densities), shown
