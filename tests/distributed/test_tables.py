"""`bgsub cluster fit`, `predict` and `score` on a cluster: the model and the tables of one machine, by parts."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import threading
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import bgsub.cli
from bgsub import TableModel
from bgsub.errors import OutputError, ParameterError
from bgsub.tables import parts
from tests.distributed import errands as work
from tests.distributed.conftest import small_cluster

dask = pytest.importorskip("dask")

N = 4000


@pytest.fixture
def program(tmp_path, monkeypatch, capsys):
    """Calls the program in an empty folder; every table is large, and has a part of each group of rows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bgsub.cli.cluster.scheduled.SMALL", 100)
    monkeypatch.setattr(parts, "_FEWEST_CELLS", 900)

    def call(*arguments, code=0):
        capsys.readouterr()
        try:
            bgsub.cli.main([str(argument) for argument in arguments])
        except SystemExit as end:
            assert end.code == code
        else:
            assert code == 0
        return capsys.readouterr()

    return call


def birds(gaps=True, strays=0):
    """Three kinds of birds, with weights, texts, an id, a column of dates, and gaps; some may be of no kind."""
    random = np.random.default_rng(0)
    kind = random.integers(0, 3, N)
    bill, mass = 40 + 8 * kind + random.normal(size=N), np.exp(8 + 0.3 * kind + 0.05 * random.normal(size=N))
    bill[random.permutation(N)[:strays]] += random.uniform(-40, 90, strays)
    columns = {
        "id": np.arange(N),
        "bill": np.where(random.random(N) < 0.1 * gaps, np.nan, bill),
        "mass": mass,
        "island": np.array(["Dream", "Biscoe", "Torgersen"])[(kind + (random.random(N) < 0.2)) % 3],
        "times": random.integers(0, 4, N),
        "day": np.datetime64("2024-01-01") + (kind * 90 + random.integers(0, 20, N)).astype("timedelta64[D]"),
    }
    return pa.table(columns)


def written(path, table, group=500):
    parquet.write_table(table, path, row_group_size=group)
    return path


CHOICES = {
    "plain": ["--columns", "bill,mass", "--missing", "drop"],
    "all that sums give": [
        *("--columns", "bill,mass", "--log", "mass", "--encode", "island", "--dates", "day", "--scale"),
        *("--weights", "times", "--missing", "em"),
    ],
    "principal components and noise": [
        *("--columns", "bill,mass", "--log", "mass", "--encode", "island", "--scale", "--pca", "3"),
        *("--weights", "times", "--missing", "drop", "--noise", "box"),
    ],
    "trimmed": ["--columns", "bill,mass", "--scale", "--weights", "times", "--missing", "drop", "--trim", "0.05"],
    "principal components in the columns' units": ["--pca", "2", "--missing", "drop", "--covariance", "tied"],
}


def assert_same_model(found, wanted):
    """Models of files, but for rounding."""
    found, wanted = TableModel.load(found), TableModel.load(wanted)
    assert found.preparation.meta() == wanted.preparation.meta()
    for name, values in wanted.preparation.arrays().items():
        np.testing.assert_allclose(found.preparation.arrays()[name], values, rtol=1e-9, atol=1e-12)
    for ours, theirs in zip(found.mixture.parameters, wanted.mixture.parameters, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-9 * np.abs(theirs).max())
    np.testing.assert_allclose(found.densities, wanted.densities, rtol=1e-8)
    assert found.outcome == pytest.approx(wanted.outcome)
    assert found.width == wanted.width


@pytest.mark.slow
class TestOnACluster:
    @pytest.mark.parametrize("choice", CHOICES)
    def test_the_model_and_what_is_said_of_it_are_those_of_one_machine(self, program, address, choice):
        written("birds.parquet", birds(strays=300 * ("noise" in choice)))
        how = ["cluster", "fit", "birds.parquet", "--components", 3, *CHOICES[choice]]
        here = program(*how, "--model", "here.bgsub", "--json")
        there = program(*how, "--model", "there.bgsub", "--json", "--scheduler", address)
        assert_same_model("there.bgsub", "here.bgsub")
        facts, wanted = json.loads(there.out), json.loads(here.out)
        assert facts.keys() == wanted.keys()
        for name in ("rows", "rows_left_out", "rows_with_gaps", "notes", "advice", "logarithms", "iterations"):
            assert facts[name] == wanted[name], name
        if wanted["noise"] is not None:
            assert facts["noise"]["rows"] == wanted["noise"]["rows"] > 0
        for name in ("aic", "bic", "icl", "log_likelihood_per_row"):
            assert facts[name] == pytest.approx(wanted[name], rel=1e-9), name
        sizes = [[component["rows"] for component in told["components"]] for told in (facts, wanted)]
        assert sizes[0] == sizes[1]
        assert "the rows stay in the workers' memory" in there.err
        others = ("the rows stay", "preparing for this")  # the second where kernels are compiled first
        told = [[line for line in one.err.splitlines() if not line.startswith(others)] for one in (there, here)]
        assert told[0] == told[1]

    def test_select_chooses_what_one_machine_chooses(self, program, address):
        written("birds.parquet", birds())
        how = ["cluster", "select", "birds.parquet", *CHOICES["all that sums give"], "--components", "2-3"]
        how += ["--covariance", "full", "--covariance", "diag"]
        here = program(*how, "--model", "here.bgsub", "--json")
        there = program(*how, "--model", "there.bgsub", "--json", "--scheduler", address)
        assert_same_model("there.bgsub", "here.bgsub")
        facts, wanted = json.loads(there.out), json.loads(here.out)
        assert facts.keys() == wanted.keys()
        for row, other in zip([facts["best"], *facts["table"]], [wanted["best"], *wanted["table"]], strict=True):
            for name, value in other.items():
                assert row[name] == (pytest.approx(value, rel=1e-9) if isinstance(value, float) else value), name

    def test_rows_that_are_read_in_each_pass_give_the_same_bits(self, program, address, monkeypatch):
        written("birds.parquet", birds())
        how = ["cluster", "fit", "birds.parquet", "--components", 3, *CHOICES["plain"], "--scheduler", address]
        program(*how, "--model", "held.bgsub")
        monkeypatch.setattr("bgsub.distributed.learning._HELD", 1e-9)
        told = program(*how, "--model", "read.bgsub")
        assert "the rows are read again in each pass: " in told.err
        assert Path("held.bgsub").read_bytes() == Path("read.bgsub").read_bytes()

    def test_labels_and_scores_are_those_of_one_machine(self, program, address):
        table = birds()
        Path("birds").mkdir()
        written("birds/1.parquet", table[:1700])
        written("birds/2.parquet", table[1700:])
        program("cluster", "fit", "birds", "--components", 3, *CHOICES["all that sums give"], "--model", "m.bgsub")
        for command in (["predict"], ["score", "--top", 4, "--quantile", 0.02]):
            how = ["cluster", *command[:1], "m.bgsub", "birds", *command[1:], "--missing", "em", "--keep", "id,island"]
            here = program(*how, "--output", "here.parquet", "--overwrite")
            there = program(*how, "--output", f"there-{command[0]}.parquet", "--scheduler", address)
            assert there.out == here.out.replace("here.parquet", f"there-{command[0]}.parquet")
            found = parquet.read_table(f"there-{command[0]}.parquet")
            assert found.equals(parquet.read_table("here.parquet"))
            names = sorted(path.name for path in Path(f"there-{command[0]}.parquet").iterdir())
            assert names[0] == "part-00000.parquet"
            assert len(names) > 5

    def test_an_output_is_replaced_when_that_is_said_and_left_alone_after_an_error(self, program, address):
        written("birds.parquet", birds(gaps=False))
        program("cluster", "fit", "birds.parquet", "--components", 3, *CHOICES["plain"], "--model", "m.bgsub")
        how = ["cluster", "predict", "m.bgsub", "birds.parquet", "--output", "o.parquet", "--scheduler", address]
        program(*how)
        told = program(*how, code=1)
        assert told.err == "Error: o.parquet exists; pass --overwrite or choose another name\n"
        before = sorted(Path("o.parquet").iterdir())
        table = birds(gaps=False)
        infinite = table["bill"].to_numpy().copy()
        infinite[2345] = np.inf
        written("birds.parquet", table.set_column(1, "bill", pa.array(infinite)))
        told = program(*how, "--overwrite", code=1)
        assert told.err.startswith("Error: birds.parquet: row 2346, column 'bill' is infinite: correct it")
        assert sorted(Path("o.parquet").iterdir()) == before
        written("birds.parquet", table[:1000])
        program(*how, "--overwrite")
        assert parquet.read_table("o.parquet").num_rows == 1000
        assert sorted(path.name for path in Path.cwd().iterdir()) == ["birds.parquet", "m.bgsub", "o.parquet"]

    def test_a_worker_that_is_killed_in_mid_table_costs_its_part_only(self, program, cluster, address, tmp_path):
        from bgsub.distributed import labelling
        from bgsub.distributed.connecting import connected
        from bgsub.tables.sources import open_table

        written("birds.parquet", birds(gaps=False))
        program("cluster", "fit", "birds.parquet", "--components", 3, *CHOICES["plain"], "--model", "m.bgsub")
        model = Deadly(*vars(TableModel.load("m.bgsub")).values())
        model.__dict__["flag"] = str(tmp_path / "killed")
        with connected(address), open_table("birds.parquet") as table:
            labelled = labelling.write_labels("o.parquet", table, model)
        assert (tmp_path / "killed").exists()
        assert labelled.sizes.sum() == parquet.read_table("o.parquet").num_rows == N
        assert not list(Path("o.parquet").glob(".*"))
        program("cluster", "predict", "m.bgsub", "birds.parquet", "--output", "here.parquet")
        assert parquet.read_table("o.parquet").equals(parquet.read_table("here.parquet"))

    def test_the_first_fault_of_the_table_is_named_with_its_row(self, program, address):
        table = birds(gaps=False)
        mass = table["mass"].to_numpy().copy()
        mass[3210] = -1.0
        written("birds.parquet", table.set_column(2, "mass", pa.array(mass)))
        how = ["cluster", "fit", "birds.parquet", "--components", 2, "--columns", "mass,bill", "--scheduler", address]
        told = program(*how, "--log", "mass", code=1)
        assert told.err.startswith("Error: birds.parquet: row 3211, column 'mass' is -1, which has no logarithm")


@pytest.mark.slow
@pytest.mark.parametrize("command", ["fit", "predict"])
def test_a_scheduler_that_goes_away_is_one_line(program, started, monkeypatch, command):
    from distributed import Client

    from bgsub.distributed import labelling, learning

    written("birds.parquet", birds(gaps=False))
    started.scheduler()
    started.worker()
    with Client(started.address, timeout=60) as client:
        client.wait_for_workers(1, timeout=60)
    how = ["--components", 3, *CHOICES["plain"], "--tol", 0, "--max-iter", 100_000]
    if command == "predict":
        program("cluster", "fit", "birds.parquet", "--components", 3, *CHOICES["plain"], "--model", "m.bgsub")
        how = ["--output", "o.parquet"]

    def kill_at(module, name):
        before = getattr(module, name)

        def killing(*arguments, **keywords):
            threading.Timer(0.1, started.kill_scheduler).start()
            return before(*arguments, **keywords)

        monkeypatch.setattr(module, name, killing)

    kill_at(*((learning, "fit") if command == "fit" else (labelling, "computed_one_by_one")))
    if command == "predict":
        monkeypatch.setattr(labelling, "_label", work.label_slowly)
    with dask.config.set({"distributed.comm.timeouts.connect": "5s"}):  # that the client tries to reach it again
        words = ["cluster", command, *["m.bgsub"][: command == "predict"], "birds.parquet", *how]
        told = program(*words, "--scheduler", started.address, code=1)
    line = "the connection to the scheduler was lost in the middle of a pass: start it again, and repeat the command"
    assert [said for said in told.err.splitlines() if said.startswith("Error")] == [f"Error: {line}"]
    assert "Traceback" not in told.err
    assert not Path("o.parquet").exists()


@pytest.mark.slow
def test_what_the_readme_shows_works(program, address):
    text = (Path(bgsub.__file__).parent / "distributed" / "README.md").read_text(encoding="utf-8")
    text = text[text.index("## Tables") :]
    random = np.random.default_rng(0)
    season = random.integers(0, 4, N)  # far apart: a few passes find all
    columns = {"warmth": season % 2 * 40 + random.normal(size=N), "light": season // 2 * 40 + random.normal(size=N)}
    table = pa.table({**columns, "hours": random.uniform(1, 2, N)})
    Path("year").mkdir()
    written("year/1.parquet", table[:2000], group=2000)
    written("year/2.parquet", table[2000:], group=2000)
    (shown,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of rows that are not those of a year
        exec(shown, names)
    assert names["labels"].compute().max() == 3
    (lines,) = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    for line in lines.splitlines():
        name, *arguments = shlex.split(line.replace("tcp://10.0.0.5:8786", address))
        assert name == "bgsub"
        program(*arguments)
    assert parquet.read_table("labels.parquet").num_rows == parquet.read_table("scores.parquet").num_rows == N


class Deadly(TableModel):
    """A model whose first use after some parts kills the worker, once."""

    def assign(self, table, **how):
        flag = Path(self.__dict__["flag"])
        if table.first_row >= 1500 and not flag.exists():
            flag.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().assign(table, **how)


def test_a_small_table_stays_here_and_the_command_says_so(program, monkeypatch):
    monkeypatch.setattr("bgsub.cli.cluster.scheduled.SMALL", 8000)
    written("birds.parquet", birds(gaps=False))
    told = program(
        *("cluster", "fit", "birds.parquet", "--components", 2, "--columns", "bill,mass", "--model", "m.bgsub"),
        *("--scheduler", "tcp://127.0.0.1:1"),
    )
    line = "birds.parquet has 8,000 values (4,000 rows, 2 columns), no more than 8,000: the work is done here"
    assert line in told.err
    assert "4,000 rows, full covariance" in told.out
    told = program("cluster", "predict", "m.bgsub", "birds.parquet", "--scheduler", "tcp://127.0.0.1:1")
    assert line in told.err
    assert told.out.startswith('"label","probability_0"')
    told = program("cluster", "score", "m.bgsub", "birds.parquet", "--scheduler", "tcp://127.0.0.1:1", "--top", 0)
    assert line in told.err


def test_a_small_table_of_text_stays_here_too(program):
    text = "bill,mass\n" + "".join(f"{i % 7},{i % 2}\n" for i in range(45))
    assert len(text) <= 200  # and so it cannot have more than 100 values
    Path("few.csv").write_text(text)
    told = program("cluster", "fit", "few.csv", "--components", 1, "--scheduler", "tcp://127.0.0.1:1")
    assert "few.csv has at most 95 values, by its size, no more than 100: the work is done here" in told.err
    assert "45 rows, full covariance" in told.out


@pytest.mark.parametrize("command", ["fit", "predict", "score"])
def test_tables_that_are_not_parquet_and_outputs_that_are_no_folders_of_it(program, command):
    written("birds.parquet", birds(gaps=False))
    program("cluster", "fit", "birds.parquet", "--components", 2, "--columns", "bill,mass", "--model", "m.bgsub")
    Path("birds.csv").write_text("bill,mass\n" + "1,2\n2,4\n3,5\n" * 50)
    first = ["--components", 2, "--columns", "bill,mass"] if command == "fit" else []
    model = [] if command == "fit" else ["m.bgsub"]
    far = ["--scheduler", "local"]
    told = program("cluster", command, *model, "birds.csv", *first, *far, code=2)
    assert told.err == (
        "Error: birds.csv is not Parquet, of which each worker can read rows of its own: write it as Parquet first, or "
        "work on it without a scheduler\n"
    )
    for name, where in (("o.csv", "o.csv"), ("-", "standard output")):
        told = program("cluster", command, *model, "birds.parquet", *first, *far, "--output", name, code=1)
        assert told.err.startswith(f"Error: cannot write {where}: a cluster writes a folder of Parquet files; give")
    told = program("cluster", command, *model, "birds.parquet", *first, "--output", "birds.parquet", *far, code=1)
    told_so = (
        "cannot write birds.parquet: it is the input;"
        if command == "fit"
        else "birds.parquet exists; pass --overwrite or"
    )
    assert told.err == f"Error: {told_so} choose another name\n"
    Path("full.parquet").mkdir()
    Path("full.parquet/precious.txt").write_text("")
    told = program(
        *("cluster", command, *model, "birds.parquet", *first, *far, "--output", "full.parquet", "--overwrite"), code=1
    )
    assert told.err.startswith("Error: cannot replace full.parquet: it holds more than Parquet files")
    assert Path("full.parquet/precious.txt").exists()
    told = program(
        *("cluster", command, *model, "birds.parquet", *first, "--output", "full.parquet", "--overwrite"), code=1
    )
    assert told.err.startswith("Error: cannot write full.parquet: it is a folder, which only a cluster writes")


def test_what_no_sums_over_parts_give():
    from bgsub.clustering.fitting import FitSettings
    from bgsub.distributed.learning import _check_possible

    message = "--noise hull needs all rows on one machine: give --noise box, or leave out --scheduler"
    with pytest.raises(ParameterError, match=f"^{message}"):
        _check_possible(FitSettings(noise="hull"))
    _check_possible(FitSettings(noise="box"))


@pytest.mark.slow
def test_one_worker_and_two_give_the_same_bits(program, cluster, address):
    """Of preparation, principal components and noise, too."""
    written("birds.parquet", birds(strays=300))
    how = ["cluster", "fit", "birds.parquet", "--components", 3, *CHOICES["principal components and noise"]]
    program(*how, "--model", "two.bgsub", "--scheduler", address)
    with small_cluster(1) as one:
        program(*how, "--model", "one.bgsub", "--scheduler", one.scheduler_address)
    assert Path("one.bgsub").read_bytes() == Path("two.bgsub").read_bytes()


def test_a_folder_that_cannot_be_written(tmp_path):
    from bgsub.distributed.whole_folder import whole_folder

    with (
        pytest.raises(OutputError, match=r"cannot write .*nowhere/o\.parquet: No such file"),
        whole_folder(str(tmp_path / "nowhere" / "o.parquet")),
    ):
        pass
