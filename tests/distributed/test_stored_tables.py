"""Tables on a store, on a cluster: read and written there as on a disk, and nothing half is left."""

from __future__ import annotations

import contextlib
import itertools
import json
from pathlib import Path

import pytest
from distributed import Client
from pyarrow import parquet

from bgsub.distributed import labelling, whole_folder
from bgsub.jobs import staging
from bgsub.stores.store_paths import StorePath
from tests.distributed.conftest import small_cluster
from tests.distributed.test_tables import CHOICES, assert_same_model, birds, program, written  # noqa: F401 (a fixture)
from tests.s3 import SECRET, served

pytestmark = pytest.mark.slow

N = 2000  # rows, in four parts


@pytest.fixture(scope="module")
def s3():
    with served() as server:
        yield server


@pytest.fixture(scope="module")
def address(s3):
    """Workers that were started where the environment tells of the store."""
    with small_cluster(2) as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def year(s3, program):  # noqa: F811
    """A folder of two months here, and the same on the store; what else is there is forgotten."""
    if s3.files.exists("cams"):
        s3.files.rm("cams", recursive=True)
    s3.files.makedirs("cams", exist_ok=True)
    table = birds()[:N]
    for name, rows in (("month=1", table[: N // 2]), ("month=2", table[N // 2 :])):
        Path("year", name).mkdir(parents=True)
        written(Path("year", name, "a.parquet"), rows)
    s3.files.put("year", "cams/year", recursive=True)
    return "s3://cams/year"


def names(s3, folder=""):
    s3.files.invalidate_cache()
    return sorted(name.removeprefix("cams/") for name in s3.files.find(f"cams/{folder}"))


def fetched(s3, name):
    s3.files.invalidate_cache()
    s3.files.get(f"cams/{name}", name, recursive=True)
    return parquet.read_table(name)


def test_a_table_is_fitted_labelled_and_scored_there_as_here(program, address, s3, year):  # noqa: F811
    how = ["--components", 3, *CHOICES["plain"]]
    program("cluster", "fit", "year", *how, "--model", "here.bgsub")
    far = ["--scheduler", address]
    told = program("cluster", "fit", year, *how, "--model", "s3://cams/there.bgsub", "--json", *far)
    facts = json.loads(told.out)
    assert facts["outputs"] == ["s3://cams/there.bgsub"]
    assert facts["table"] == year
    s3.files.get("cams/there.bgsub", "there.bgsub")
    assert_same_model("there.bgsub", "here.bgsub")
    for command in ("predict", "score"):
        what = ["--missing", "em", "--keep", "id,month"]
        program("cluster", command, "there.bgsub", "year", *what, "--output", f"here-{command}.parquet")
        output = f"s3://cams/{command}.parquet"
        told = program("cluster", command, "s3://cams/there.bgsub", year, *what, "--output", output, *far)
        assert f"  wrote {output}\n" in told.out
        assert names(s3, f"{command}.parquet")[0] == f"{command}.parquet/part-00000.parquet"
        assert fetched(s3, f"{command}.parquet").equals(parquet.read_table(f"here-{command}.parquet"))
        assert SECRET not in told.out + told.err
    assert [name for name in names(s3) if "/." in name or name.startswith(".") or "_un" in name] == []


@contextlib.contextmanager
def copies_end(monkeypatch, count):
    """Let the store fail after so many copies."""
    copy, numbers = StorePath.copy_to, itertools.count()

    def fail(path, other):
        if next(numbers) >= count:
            raise OSError("the store fails")
        copy(path, other)

    with monkeypatch.context() as broken:
        broken.setattr(staging, "WAITS", ())
        broken.setattr(StorePath, "copy_to", fail)
        yield


def test_an_output_there_is_replaced_when_that_is_said_and_left_alone_after_an_error(
    program,  # noqa: F811
    address,
    s3,
    year,
    monkeypatch,
):
    program("cluster", "fit", "year", "--components", 3, *CHOICES["plain"], "--model", "m.bgsub")
    how = ["cluster", "predict", "m.bgsub", year, "--output", "s3://cams/o.parquet", "--scheduler", address]
    how += ["--missing", "drop"]
    s3.files.pipe("cams/o.parquet/left.parquet", b"old")
    before = names(s3)
    told = program(*how, code=1)
    assert told.err == "Error: s3://cams/o.parquet exists; pass --overwrite or choose another name\n"
    told = program(*how[:-1], "error", "--overwrite", code=1)  # the first gap
    assert told.err.startswith("Error: s3://cams/year: row ")
    assert names(s3) == before
    program(*how, "--overwrite")
    assert fetched(s3, "o.parquet").num_rows == N
    assert "o.parquet/left.parquet" not in names(s3)

    s3.files.pipe("cams/o.parquet/notes.txt", b"precious")
    told = program(*how, "--overwrite", code=1)
    assert told.err.startswith("Error: cannot replace s3://cams/o.parquet: it holds more than Parquet files")
    s3.files.rm("cams/o.parquet/notes.txt")

    before = names(s3)
    for count, left in ((0, []), (2, ["o.parquet/_unfinished"])):
        with copies_end(monkeypatch, count):
            told = program(*how, "--overwrite", code=1)
        assert told.err.startswith("Error: cannot write s3://cams/o.parquet: the store fails; check the address, ")
        assert names(s3) == sorted([*before, *left])  # what was made is removed
    told = program("cluster", "fit", "s3://cams/o.parquet", "--components", 2, code=1)
    assert told.err == (
        "Error: cannot read s3://cams/o.parquet: it was not written to its end; write it again with --overwrite\n"
    )
    program(*how, "--overwrite")
    assert [name for name in names(s3) if "_un" in name or name.startswith(".")] == []


def test_a_store_that_is_away_is_one_line_and_the_command_works_when_it_is_back(program, address, s3, year):  # noqa: F811
    how = ["cluster", "fit", year, "--components", 3, *CHOICES["plain"], "--scheduler", address]
    s3.stop()
    try:
        told = program(*how, code=1)
    finally:
        s3.start()
    (line,) = told.err.splitlines()
    assert line.startswith(f"Error: cannot read {year}: Could not connect to the endpoint URL: ")
    assert line.endswith("and that the store answers")
    program(*how)


def test_a_store_that_goes_in_mid_pass_is_one_line(program, address, s3, year, monkeypatch):  # noqa: F811
    from bgsub.distributed import learning

    gathered = learning._gathered

    def away(*arguments):
        s3.stop()
        return gathered(*arguments)

    with Client(address) as client:
        client.run(_impatient, True)
        monkeypatch.setattr(learning, "_gathered", away)
        try:
            told = program("cluster", "fit", year, "--components", 3, *CHOICES["plain"], "--scheduler", address, code=1)
        finally:
            s3.start()
            client.run(_impatient, False)
    (line,) = [line for line in told.err.splitlines() if line.startswith("Error")]
    assert line.startswith("Error: cannot read s3://cams/year")
    assert "Could not connect to the endpoint URL" in line
    assert "Traceback" not in told.err
    assert SECRET not in told.err


def _impatient(now):
    from bgsub.stores import stored_file

    stored_file.WAITS = () if now else (1.0, 2.0, 4.0, 8.0)


def test_workers_that_may_not_read_the_store_are_named_before_the_work(program, address, s3, year):  # noqa: F811
    with Client(address) as client:
        client.run(_locked_out, True)
        try:
            told = program("cluster", "fit", year, "--components", 3, *CHOICES["plain"], "--scheduler", address, code=1)
        finally:
            client.run(_locked_out, False)
    (line,) = told.err.splitlines()
    assert line.startswith("Error: the worker tcp://127.0.0.1:")
    assert f"cannot read {year}/month=1/a.parquet: no way in; let it have the libraries that this" in line


def _locked_out(now):
    from bgsub.stores import store_paths

    def refuse(_):
        raise PermissionError(13, "no way in")

    if now:
        store_paths.StorePath._stat = store_paths.StorePath.stat
        store_paths.StorePath.stat = refuse
    else:
        store_paths.StorePath.stat = store_paths.StorePath._stat


def test_what_workers_have_put_is_removed_where_the_work_ends_early(s3, year):
    with pytest.raises(KeyboardInterrupt), whole_folder.whole_folder("s3://cams/o.parquet") as place:
        (place / "part-00000.parquet").put_bytes(b"whole")
        assert len(names(s3)) == 3
        raise KeyboardInterrupt
    assert names(s3) == ["year/month=1/a.parquet", "year/month=2/a.parquet"]


def test_a_part_that_nobody_wants_any_more_is_not_put(s3, year, monkeypatch):
    monkeypatch.setattr(labelling, "is_wanted", lambda: False)
    with pytest.raises(Exception, match="not wanted"), labelling._written("s3://cams/o/part-0.parquet") as here:
        Path(here).write_bytes(b"whole")
    assert names(s3, "o") == []
