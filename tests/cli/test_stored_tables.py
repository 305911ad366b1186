"""Tables and models on a store: read where they lie, written whole or not at all; what a store says no to is a line."""

import gzip
import json
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from bgsub.stores import stored_file
from bgsub.tables.sources import open_table
from tests.s3 import SECRET, served
from tests.tables.files import NAMES, values, write_as

fsspec = pytest.importorskip("fsspec")

FIT = ["--components", "2", "--scale", "--columns", ",".join(NAMES)]


@pytest.fixture
def memory():
    """fsspec's store in memory, empty."""
    files = fsspec.filesystem("memory")
    yield files
    files.store.clear()
    files.pseudo_dirs[:] = [""]


@pytest.fixture(scope="module")
def s3():
    with served() as server:
        yield server


@pytest.fixture
def year(workplace):
    """A folder of two months, of which the second has a column more, and what is no part of the table."""
    table = pa.table(dict(zip(NAMES, values().T, strict=True)))
    for name, rows in (("month=1", table[:200]), ("month=2", table[200:].append_column("more", pa.array(range(300))))):
        (workplace / "year" / name).mkdir(parents=True)
        parquet.write_table(rows, workplace / "year" / name / "a.parquet", row_group_size=70)
    (workplace / "year" / "_old").mkdir()
    (workplace / "year" / "_old" / "a.parquet").write_bytes(b"")
    (workplace / "year" / "notes.txt").write_bytes(b"")
    return "year"


@pytest.fixture
def model(bgsub, year):
    assert bgsub("cluster", "fit", year, *FIT, "--model", "m.bgsub", "-q").code == 0
    return "m.bgsub"


@pytest.mark.slow
def test_all_is_read_and_written_there_as_here(s3, bgsub, year):
    s3.files.put("year", "cams/year", recursive=True)
    select = ["--components", "1-2", "--columns", ",".join(NAMES)]
    for place in ("", "s3://cams/"):
        score = ["--keep", "month", "--output", f"{place}s.csv"]
        told = [
            bgsub("cluster", "fit", f"{place}year", *FIT, "--model", f"{place}m.bgsub", "--output", f"{place}l.csv"),
            bgsub("cluster", "predict", f"{place}m.bgsub", f"{place}year", "--output", f"{place}p.parquet"),
            bgsub("cluster", "score", f"{place}m.bgsub", f"{place}year", *score),
            bgsub("cluster", "select", f"{place}year", *select, "--model", f"{place}b.bgsub"),
            bgsub("cluster", "sample", f"{place}m.bgsub", "-n", 9, "--output", f"{place}r.csv"),
        ]
        assert [outcome.code for outcome in told] == [0] * 5, told
        if not place:
            here = told
    for outcome, other in zip(told, here, strict=True):
        assert outcome.out.replace("s3://cams/", "") == other.out
        assert SECRET not in outcome.out + outcome.err
    for name in ("m.bgsub", "l.csv", "p.parquet", "s.csv", "b.bgsub", "r.csv"):
        assert s3.files.cat(f"cams/{name}") == Path(name).read_bytes(), name


def test_a_table_is_read_where_it_lies_and_only_what_is_wanted(memory, workplace, monkeypatch):
    table = pa.table({f"c{i}": range(100_000) for i in range(20)})
    parquet.write_table(table, "wide.parquet", compression="none", use_dictionary=False)
    memory.pipe("/wide.parquet", Path("wide.parquet").read_bytes())
    asked, ask = [], stored_file.StoredFile._ask

    def counted(file, start, end):
        asked.append(end - start)
        return ask(file, start, end)

    monkeypatch.setattr(stored_file.StoredFile, "_ask", counted)
    with open_table("memory://wide.parquet") as source:
        (column,) = {batch.num_columns for batch in source.batches({"c7": "number"})}
        assert source.n_rows == 100_000
    assert column == 1
    assert sum(asked) < Path("wide.parquet").stat().st_size / 5


@pytest.mark.parametrize("suffix", [".csv", ".npy", ".jsonl", ".arrow"])
def test_what_is_no_parquet_is_read_from_a_copy(memory, bgsub, workplace, suffix):
    path = write_as(suffix, workplace, values())
    memory.pipe("/t" + suffix, Path(path).read_bytes())
    memory.pipe("/t.csv.gz", gzip.compress(Path(path).read_bytes()) if suffix == ".csv" else b"")
    here, there = bgsub("cluster", "fit", path, *FIT[:3]), bgsub("cluster", "fit", f"memory://t{suffix}", *FIT[:3])
    assert there.out == here.out
    assert there.code == 0
    if suffix == ".csv":
        assert bgsub("cluster", "fit", "memory://t.csv.gz", *FIT[:3]).out == here.out


def test_a_picture_and_filled_gaps_go_there(memory, bgsub, model, year):
    pytest.importorskip("matplotlib")
    memory.put(year, "/year", recursive=True)
    told = bgsub("cluster", "impute", model, "memory://year", "--output", "memory://i.csv")
    assert "  wrote memory://i.csv" in told.out
    bgsub("cluster", "impute", model, year, "--output", "i.csv")
    assert memory.cat("/i.csv") == Path("i.csv").read_bytes()
    told = bgsub("cluster", "plot", model, "memory://year", "--output", "memory://p.svg")
    assert told.out.startswith("  wrote memory://p.svg")
    assert b"<svg" in memory.cat("/p.svg")


def test_what_is_not_there_and_what_may_not_be_written_is_one_line(s3, bgsub, model, year):
    for words, line in (
        (["fit", "s3://cams/nothing.parquet", *FIT], "cannot read s3://cams/nothing.parquet: no such file or folder;"),
        (["fit", "s3://nowhere/a.parquet", *FIT], "cannot read s3://nowhere/a.parquet: no such file or folder; check"),
        (["fit", "s3://cams:secret@x/a.parquet", *FIT], "cannot open s3://x/a.parquet: its address holds a password"),
        (["predict", "s3://cams/no.bgsub", year], "cannot load the model s3://cams/no.bgsub: no such file; check the"),
        (
            ["predict", model, year, "--output", "s3://nowhere/a.csv"],
            "cannot write s3://nowhere/a.csv: there is no s3://nowhere; make it or choose another",
        ),
        (
            ["predict", model, year, "--output", "s3://cams:secret@x/a.csv"],
            "cannot open s3://x/a.csv: its address holds a password",
        ),
        (
            ["predict", model, year, "--output", "s3://cams/a.jpg"],
            "cannot write s3://cams/a.jpg: its extension is not one of .csv",
        ),
    ):
        told = bgsub("cluster", *words)
        assert told.code == 1
        assert told.error.startswith(f"Error: {line}"), told.err
        assert "secret" not in told.err
    s3.files.pipe("cams/a.csv", b"old")
    told = bgsub("cluster", "predict", model, year, "--output", "s3://cams/a.csv")
    assert told.error == "Error: s3://cams/a.csv exists; pass --overwrite or choose another name"
    told = bgsub("cluster", "predict", model, "s3://cams/a.csv", "--output", "s3://cams/a.csv", "--overwrite")
    assert told.error == "Error: cannot write s3://cams/a.csv: it is the input; choose another name"
    s3.files.pipe("cams/bad.parquet", b"PAR1" + bytes(100) + b"junk")
    told = bgsub("cluster", "fit", "s3://cams/bad.parquet", *FIT)
    assert told.error.startswith("Error: cannot read s3://cams/bad.parquet: it is no Parquet file, or damaged (")
    s3.stop()
    try:
        away = [
            bgsub("cluster", "fit", "s3://cams/year", *FIT),
            bgsub("cluster", "predict", model, year, "--output", "s3://cams/new.csv"),
            bgsub("cluster", "predict", "s3://cams/m.bgsub", year),
        ]
    finally:
        s3.start()
    starts = ("cannot read s3://cams/year", "cannot write s3://cams/new.csv", "cannot load the model s3://cams/m.bgsub")
    for told, start in zip(away, starts, strict=True):
        assert told.error.startswith(f"Error: {start}: Could not connect to the endpoint URL")
        assert told.error.endswith("and that the store answers")


@pytest.mark.parametrize("name", ["memory://year/a.parquet", "memory://year"])
def test_a_store_that_goes_while_a_table_is_read_is_one_line_and_leaves_nothing(
    memory, bgsub, model, year, monkeypatch, name
):
    memory.put(f"{year}/month=1/a.parquet", "/year/a.parquet")
    monkeypatch.setattr(stored_file, "WAITS", ())
    monkeypatch.setattr("bgsub.tables.stored._WINDOW", 64)
    ask, asked, most = type(memory).cat_file, [], 999

    def fail(*arguments, **keywords):
        asked.append(arguments)
        if len(asked) > most:
            raise ConnectionError("gone")
        return ask(*arguments, **keywords)

    monkeypatch.setattr(type(memory), "cat_file", fail)
    assert bgsub("cluster", "predict", model, name, "--output", "memory://whole.parquet").code == 0
    most = len(asked) - 1
    asked.clear()
    told = bgsub("cluster", "predict", model, name, "--output", "memory://p.parquet")
    assert told.code == 1
    assert told.error.startswith("Error: cannot read memory://year")
    assert "gone; check the address, the credentials in the environment" in told.error
    assert not memory.exists("/p.parquet")


def test_what_a_store_does_not_take_stays_here_and_the_message_says_where(memory, bgsub, model, year, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(Path.cwd()))
    monkeypatch.setattr("bgsub.jobs.staging.WAITS", ())

    def fail(*_, **__):
        raise ConnectionError("gone")

    monkeypatch.setattr(type(memory), "put_file", fail)
    told = bgsub("cluster", "predict", model, year, "--output", "memory://p.csv")
    assert told.error.startswith("Error: cannot write memory://p.csv: gone; check the address,")
    place = Path(told.error.rpartition("it lies in ")[2].removesuffix(" now"))
    assert len((place / "p.csv").read_text().splitlines()) == 501


def test_models_are_saved_and_loaded_there_from_python_too(memory, model, year, monkeypatch):
    import bgsub

    learned = bgsub.TableModel.load(model)
    learned.save("memory://models/m.bgsub")
    assert memory.cat("/models/m.bgsub") == Path(model).read_bytes()
    assert bgsub.TableModel.load("memory://models/m.bgsub").columns == learned.columns

    def fail(*_, **__):
        raise ConnectionError("gone")

    monkeypatch.setattr(type(memory), "put_file", fail)
    with pytest.raises(bgsub.OutputError, match=r"^cannot write memory://models/n\.bgsub: gone; check the address"):
        learned.save("memory://models/n.bgsub")


def test_the_summary_tells_no_user_of_a_store(memory, bgsub, year):
    memory.put(year, "/year", recursive=True)
    told = bgsub("cluster", "fit", "memory://year", *FIT, "--json", "--model", "memory://m.bgsub")
    facts = json.loads(told.out)
    assert (facts["table"], facts["outputs"]) == ("memory://year", ["memory://m.bgsub"])
