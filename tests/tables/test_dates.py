"""Dates as numbers, where they are asked for: days since 1970, the same from every type, text and file, and back."""

import datetime

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

import bgsub
from bgsub.clustering.fitting import FitSettings, fit_table
from bgsub.errors import ParameterError, SourceError
from bgsub.tables.dates import as_days, from_days
from bgsub.tables.learning import Choice, prepared
from bgsub.tables.sources import open_table
from tests.tables.files import write_sheets

DAY, HOUR = datetime.timedelta(days=1), datetime.timedelta(hours=1)
FIRST = datetime.datetime(1970, 1, 1)


@pytest.mark.parametrize(
    ("column", "days"),
    [
        (pa.array([datetime.date(1970, 1, 3), None, datetime.date(1969, 12, 31)]), [2, np.nan, -1]),
        (pa.array([86_400_000, None], pa.date64()), [1, np.nan]),
        (pa.array([FIRST + 36 * HOUR]), [1.5]),
        (pa.array([129_600], pa.timestamp("s")), [1.5]),
        (pa.array([129_600 * 10**9, None], pa.timestamp("ns", "Europe/Berlin")), [1.5, np.nan]),
        (pa.array([datetime.time(18, 0)]), [0.75]),
        (pa.array([43_200], pa.time32("s")), [0.5]),
        (pa.array([6 * HOUR, -DAY]), [0.25, -1]),
        (pa.array([datetime.date(1970, 1, 2)] * 2).dictionary_encode(), [1, 1]),
        (pa.array(np.array(["1970-01-05", "NaT"], "M8[D]")), [4, np.nan]),
        (
            pa.array(["1970-01-02", " 1970-01-03 12:00", None, "", "1970-01-01T06:00:00"]),
            [1, 2.5, np.nan, np.nan, 0.25],
        ),
        (pa.array(["1970-01-02T02:00+02:00", "1970-01-02T00:00Z"], pa.large_string()), [1, 1]),
        (pa.array(["12:00", "06:00:00", "18:00:00.000"]), [0.5, 0.25, 0.75]),
        (pa.nulls(2), [np.nan, np.nan]),
    ],
)
def test_days(column, days):
    assert np.array_equal(as_days(column, "t", 0, "day"), days, equal_nan=True)


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (pa.array([2024, 2025]), "column 'day' holds int64, no dates or times; leave it out of --dates"),
        (pa.array([True]), "column 'day' holds bool, no dates or times; leave it out of --dates"),
        (pa.array([[1]]), "column 'day' holds list<"),
        (
            pa.array(["2024-01-05", "05.01.2024"]),
            "row 12, column 'day' holds '05.01.2024', which is no date like 2024-01-05",
        ),
        (pa.array(["2024-13-05"]), "row 11, column 'day' holds '2024-13-05', which is no date like 2024-01-05"),
        (pa.array(["2024-01-05", None, "12:30"]), "row 13, column 'day' holds '12:30', which is no date like"),
        (
            pa.array(["2024-01-05T00:00Z", "2024-01-05"]),
            "row 12, column 'day' holds '2024-01-05', which is no date like",
        ),
    ],
)
def test_what_is_no_date(column, reason):
    with pytest.raises(SourceError) as raised:
        as_days(column, "t.csv", 10, "day")
    assert str(raised.value).startswith(f"cannot read t.csv: {reason}")


def test_there_and_back():
    days = np.array([0.0, 19_737.25, -3.5])
    assert np.array_equal(as_days(from_days(days), "t", 0, "a"), days)
    assert from_days(days).to_pylist()[1] == datetime.datetime(2024, 1, 15, 6)


def table_of_days(n=60):
    rng = np.random.default_rng(0)
    days = np.sort(rng.integers(19_000, 20_000, n))
    return {"x": rng.normal(size=n), "day": [datetime.date(1970, 1, 1) + int(day) * DAY for day in days]}, days


def test_every_format_learns_the_same_days(tmp_path):
    columns, days = table_of_days()
    table = pa.table(columns)
    pq.write_table(table, tmp_path / "t.parquet")
    feather.write_feather(table, tmp_path / "t.feather")
    pyarrow.csv.write_csv(table, tmp_path / "t.csv")
    rows = list(zip(*columns.values(), strict=True))
    write_sheets(tmp_path / "t.xlsx", {"S": [["x", "day"], *rows]})
    (tmp_path / "t.jsonl").write_text("".join(f'{{"x": {x}, "day": "{day}"}}\n' for x, day in rows))
    np.savez(tmp_path / "t.npz", x=columns["x"], day=np.array(columns["day"], "M8[D]"))
    for source in (columns, table, *sorted(tmp_path.iterdir())):
        with open_table(source) as opened, prepared(opened, Choice(dates=("day",))) as found:
            assert found.preparation.features.names == ["x", "day"]
            assert np.array_equal(found.matrix[:, 1], days)
            assert np.allclose(found.matrix[:, 0], columns["x"], rtol=1e-15, atol=0)
        with open_table(source) as opened, prepared(opened, Choice()) as found:
            assert found.preparation.features.names == ["x"]


def test_choices_of_dates(tmp_path):
    columns, _ = table_of_days()
    for choice, names in (({"columns": ("x",)}, ["x", "day"]), ({"columns": ("day", "x")}, ["day", "x"])):
        with open_table(columns) as opened, prepared(opened, Choice(dates=("day",), **choice)) as found:
            assert found.preparation.features.names == names
    with open_table(columns) as opened:
        for choice, message in (
            ({"dates": ("when",)}, "has no column 'when': there are x, day"),
            ({"dates": ("day", "day")}, "--dates names column 'day' twice"),
            ({"dates": ("day",), "exclude": ("day",)}, "column 'day' is named in --exclude and in --dates"),
            ({"dates": ("day",), "encode": ("day",)}, "column 'day' is to be a number and a category"),
        ):
            with pytest.raises(ParameterError, match=message), prepared(opened, Choice(**choice)):
                pass
        advice = pytest.raises(SourceError, match=r"not numbers; leave it out of --columns, or name it in --dates$")
        with advice, prepared(opened, Choice(columns=("day",))):
            pass


@pytest.mark.slow
def test_a_model_remembers_its_dates(tmp_path):
    columns, _ = table_of_days()
    choice = Choice(dates=("day",), scale=True)
    fit_table(columns, 1, choice=choice, settings=FitSettings(n_init=1)).model.save(tmp_path / "m.bgsub")
    model = bgsub.TableModel.load(tmp_path / "m.bgsub")
    densities = model.score_samples(columns)
    assert np.array_equal(model.score_samples({**columns, "day": [str(day) for day in columns["day"]]}), densities)
    rows, _ = model.sample(50)
    assert pa.types.is_timestamp(rows.schema.field("day").type)
    assert np.isfinite(model.score_samples(rows)).all()
    assert 2022 <= np.mean([day.year for day in rows["day"].to_pylist()]) <= 2024
    with pytest.raises(SourceError, match="column 'day' holds int64, no dates or times; leave it out of --dates"):
        model.predict({"x": [1.0], "day": [19_500]})
