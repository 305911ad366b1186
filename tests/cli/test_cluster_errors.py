"""Bad input of `bgsub cluster`: one line that says what, where and what to do; nothing is left half-written."""

import json

import numpy as np
import pytest

from tests.cli.clips import files_in
from tests.tables.files import NAMES, values, write_as, write_csv

FIT = ["--components", "2", "--scale"]


@pytest.fixture
def table(workplace):
    return write_as(".parquet", workplace, values())


@pytest.fixture
def model(bgsub, table):
    assert bgsub("cluster", "fit", table, *FIT, "--model", "m.bgsub", "-q").code == 0
    return "m.bgsub"


def faulty(folder):
    rows = values()[:20].tolist()
    for name, index, value in (("nan", 1, ""), ("text", 2, "oops"), ("infinite", 0, "inf")):
        fault = [*rows[7]]
        fault[index] = value
        write_csv(folder / f"{name}.csv", [*rows, fault])
    write_csv(folder / "constant.csv", [[*row[:2], 5] for row in rows])
    write_csv(folder / "short.csv", rows[:3])
    write_csv(folder / "empty.csv", [])
    write_csv(folder / "ragged.csv", [*rows, [1, 2]])
    np.save(folder / "objects.npy", np.array([None, 1], dtype=object), allow_pickle=True)
    (folder / "junk.parquet").write_bytes(b"junk")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nan.csv"], 1, "nan.csv: row 21, column 'price' is missing (NaN): correct it, or leave such rows out with"),
        (["infinite.csv"], 1, "infinite.csv: row 21, column 'length' is infinite: correct it, or leave such rows out"),
        (
            ["text.csv"],
            1,
            "cannot read text.csv: row 21, column 'tilt' holds the text 'oops', not a number; correct it",
        ),
        (["constant.csv"], 1, "constant.csv: column 'tilt' has one value in all rows; leave it out with --columns"),
        (["short.csv", "--components", "4"], 1, "short.csv has 3 rows, too few for 4 components: give 4 rows or more"),
        (["empty.csv"], 1, "cannot read empty.csv: it has no rows; give a table with some"),
        (["ragged.csv"], 1, "cannot read ragged.csv: row 21 has 2 values where the heading has 3 names; correct that"),
        (["objects.npy"], 1, "cannot read objects.npy: it holds Python objects, which only pickle can read"),
        (["junk.parquet"], 1, "cannot read junk.parquet: it is no Parquet file, or damaged"),
        (["missing.csv"], 1, "cannot read missing.csv: no such file; check the path"),
        (
            ["short.csv", "--columns", "length,weight"],
            2,
            "short.csv has no column 'weight': there are length, price, t",
        ),
        (
            ["short.csv", "--keep", "id", "--output", "x.csv"],
            2,
            "short.csv has no column 'id': there are length, price",
        ),
        (["short.csv", "--columns", "a,,b"], 2, "Invalid value for '--columns': 'a,,b' has an empty name: write a,b,c"),
        (["short.csv", "--weights", "tilt"], 1, "short.csv: row 1, column 'tilt' is a negative weight: give 0 or more"),
        (["short.csv", "--pca", "4"], 2, "--pca 4 is above the 3 features or rows that there are: give fewer"),
        (["short.csv", "--output", "x.xls"], 1, "cannot write x.xls: its extension is not one of .csv, .parquet, .pq"),
        (["short.csv", "--model", "x"], 1, "cannot write x: its extension is not one of .bgsub; choose"),
        (["short.csv", "--model", "x.npz"], 1, "cannot write x.npz: its extension is not one of .bgsub; choose"),
        (
            ["short.csv", "--model", "no/x.bgsub"],
            1,
            "cannot write no/x.bgsub: there is no folder no; create it or choose",
        ),
        (
            ["short.csv", "--output", "short.csv", "--overwrite"],
            1,
            "cannot write short.csv: it is the input; choose anot",
        ),
        (["short.csv", "--components", "0"], 2, "Invalid value for '--components': 0 is not in the range"),
    ],
)
def test_what_fit_refuses(bgsub, workplace, arguments, code, message):
    faulty(workplace)
    before = files_in(workplace)
    outputs = (
        [] if "--model" in arguments or "--output" in arguments else ["--model", "m.bgsub", "--output", "o.parquet"]
    )
    outcome = bgsub("cluster", "fit", *FIT, *arguments, *outputs)
    assert (outcome.code, outcome.out) == (code, "")
    assert outcome.error.startswith(f"Error: {message}")
    assert files_in(workplace) == before


def test_collapsed_clusters_are_told_by_the_number_that_they_have_in_the_summary(bgsub, workplace):
    rows = [*values()[:40, :2].tolist(), *[[9.0, 9000.0]] * 5]
    write_csv(workplace / "t.csv", rows, names="ab")
    outcome = bgsub("cluster", "fit", "t.csv", *FIT)
    assert outcome.code == 0
    small = outcome.out.splitlines()[2].split()
    assert small[0] == "1" and small[2] == "5"
    told = "component 1 has collapsed (a variance that is mostly reg_covar, in columns 'a', 'b'): take fewer"
    assert outcome.err.count(told) == 1


def test_collapse_without_regularisation_is_one_line(bgsub, workplace):
    rows = [*values()[:40, :2].tolist(), *[[9.0, 9000.0]] * 5]
    write_csv(workplace / "t.csv", rows, names="ab")
    outcome = bgsub("cluster", "fit", "t.csv", *FIT, "--reg-covar", "0", "--model", "m.bgsub")
    assert outcome.code != 0
    assert "increase reg_covar" in outcome.error
    assert files_in(workplace) == ["t.csv"]


def test_no_convergence_is_told_with_what_to_do(bgsub, table):
    arguments = ["cluster", "fit", table, "--components", "5", "--max-iter", "1", "--tol", "0"]
    outcome = bgsub(*arguments)
    assert (outcome.code, "did not converge in 1 iterations: raise --max-iter, or --tol\n" in outcome.err) == (0, True)
    assert "ended after 1 iterations" in outcome.out
    facts = json.loads(bgsub(*arguments, "--json").out)
    assert facts["converged"] is False
    assert facts["advice"][0].startswith("did not converge")


def test_columns_of_very_different_spread_are_told_where_clusters_are_spheres(bgsub, table):
    line = "-fold: spherical clusters follow the widest, --scale makes all count alike"
    fit = ("cluster", "fit", table, "--components", "2", "--covariance")
    assert line in bgsub(*fit, "spherical").err
    assert "-fold" not in bgsub(*fit, "spherical", "--scale").err
    assert "-fold" not in bgsub(*fit, "full").err  # whose starts do not depend on units


def test_rows_left_out_are_counted(bgsub, workplace):
    faulty(workplace)
    outcome = bgsub("cluster", "fit", "nan.csv", *FIT, "--missing", "drop")
    assert (outcome.code, "left out 1 row with missing values\n" in outcome.err) == (0, True)
    assert "20 rows, full covariance" in outcome.out


@pytest.mark.parametrize("name", ["m.bgsub", "o.csv"])
def test_existing_outputs_stay_without_overwrite(bgsub, table, workplace, name):
    (workplace / name).write_text("old")
    option = "--model" if name == "m.bgsub" else "--output"
    outcome = bgsub("cluster", "fit", table, *FIT, option, name)
    assert (outcome.code, outcome.error) == (1, f"Error: {name} exists; pass --overwrite or choose another name")
    assert (workplace / name).read_text() == "old"
    assert bgsub("cluster", "fit", table, *FIT, option, name, "--overwrite").code == 0
    assert (workplace / name).read_bytes()[:3] != b"old"


def test_models_and_tables_that_do_not_fit(bgsub, model, workplace):
    write_csv(workplace / "other.csv", [[1, 2]], names=["length", "price"])
    outcome = bgsub("cluster", "predict", model, "other.csv", "--output", "o.csv")
    assert (outcome.code, outcome.error) == (2, "Error: other.csv has no column 'tilt': there are length, price")
    np.save("two.npy", values()[:, :2])
    np.save("three.npy", values())
    assert bgsub("cluster", "fit", "two.npy", *FIT, "--model", "two.bgsub").code == 0
    outcome = bgsub("cluster", "predict", "two.bgsub", "three.npy", "--output", "o.csv")
    message = "three.npy has 3 columns without names, the model learned 2: give a table of that width"
    assert (outcome.code, outcome.error) == (2, f"Error: {message}")
    assert "o.csv" not in files_in(workplace)


@pytest.mark.parametrize("command", ["predict", "score", "plot"])
def test_faults_of_a_table_leave_nothing(bgsub, model, workplace, command):
    faulty(workplace)
    before = files_in(workplace)
    output = "p.png" if command == "plot" else "o.csv"
    outcome = bgsub("cluster", command, model, "nan.csv", "--output", output)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.error.startswith("Error: nan.csv: row 21, column 'price' is missing (NaN)")
    assert files_in(workplace) == before


def test_damaged_model_files(bgsub, model, table, workplace):
    whole = (workplace / model).read_bytes()
    for content, reason in (
        (whole[:-100], "it is damaged"),
        (whole[:-200] + bytes([whole[-200] ^ 1]) + whole[-199:], "it is damaged (its checksum does not match)"),
        (b"PK\x03\x04 an archive", "it is no model file of bgsub; give one that bgsub has written"),
    ):
        (workplace / "bad.bgsub").write_bytes(content)
        for arguments in (
            ["predict", "bad.bgsub", table],
            ["sample", "bad.bgsub", "-n", "3"],
            ["score", "bad.bgsub", table],
        ):
            outcome = bgsub("cluster", *arguments)
            assert (outcome.code, outcome.out) == (1, "")
            assert outcome.error.startswith(f"Error: cannot load the model bad.bgsub: {reason}")
    outcome = bgsub("cluster", "predict", "gone.bgsub", table)
    assert outcome.error == "Error: cannot load the model gone.bgsub: no such file; check the path"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["plot", "m.bgsub", "table.parquet", "--output", "p.gif"],
            1,
            "cannot write p.gif: its extension is not one of",
        ),
        (
            ["plot", "m.bgsub", "table.parquet", "--output", "-"],
            2,
            "a picture cannot go to standard output: name a file",
        ),
        (
            ["plot", "m.bgsub", "table.parquet", "--output", "p.png", "--columns", "tilt,tilt"],
            2,
            "--columns names tilt, tilt: name 1 to 5 different columns, a,b",
        ),
        (
            ["plot", "m.bgsub", "table.parquet", "--output", "p.png", "--k-means", "--columns", "tilt,price,length"],
            2,
            "--columns names tilt, price, length: name 1 to 2 different columns, a,b",
        ),
        (
            ["plot", "m.bgsub", "table.parquet", "--output", "p.png", "--columns", "tilt,x"],
            2,
            "the model has no column 'x'",
        ),
        (["sample", "m.bgsub", "-n", "0"], 2, "Invalid value for '-n' / '--rows': 0 is not in the range x>=1"),
        (
            ["select", "table.parquet", "--components", "3-1"],
            2,
            "Invalid value for '--components': '3-1' is no list of",
        ),
        (["select", "table.parquet", "--components", "2-600"], 1, "table.parquet has 500 rows, too few for 600 compon"),
        (
            ["predict", "m.bgsub", "labels.csv", "--keep", "label"],
            2,
            "--keep names 'label', which the output has already",
        ),
        (
            ["score", "m.bgsub", "table.parquet", "--quantile", "1"],
            2,
            "Invalid value for '--quantile': 1.0 is not in the",
        ),
    ],
)
def test_what_the_other_commands_refuse(bgsub, model, workplace, arguments, code, message):
    write_csv(workplace / "labels.csv", [[1, 2, 3, 4]], names=[*NAMES, "label"])
    before = files_in(workplace)
    outcome = bgsub("cluster", *arguments)
    assert (outcome.code, outcome.out) == (code, "")
    assert outcome.error.startswith(f"Error: {message}")
    assert files_in(workplace) == before


@pytest.mark.parametrize(
    ("given", "columns"),
    [
        ('"x,y",z', ["x,y", "z"]),
        ('z, "x,y"', ["z", "x,y"]),
        ('"say ""hi""", z', ['say "hi"', "z"]),
        ("z,x", ["z", "x"]),
    ],
)
def test_names_with_commas_and_quotes_can_be_given(bgsub, workplace, given, columns):
    names = ["x,y", 'say "hi"', "z", "x"]
    quoted = ['"{}"'.format(name.replace('"', '""')) for name in names]
    write_csv(workplace / "t.csv", [[*row, row[0]] for row in values()[::20].tolist()], names=quoted)
    outcome = bgsub("cluster", "fit", "t.csv", "--components", "1", "--columns", given, "--json")
    assert outcome.code == 0, outcome.err
    assert list(json.loads(outcome.out)["components"][0]["mean"]) == columns


@pytest.mark.parametrize("given", ['"x,y', '"x"y', "x\ny"])
def test_names_that_are_no_list_are_refused(bgsub, workplace, given):
    write_csv(workplace / "t.csv", [[1, 2], [2, 3]], names="xy")
    outcome = bgsub("cluster", "fit", "t.csv", "--components", "1", "--columns", given)
    assert outcome.code == 2
    assert "is no list of names: write a,b,c" in outcome.error


def test_a_column_can_be_excluded_and_a_value_be_missing(bgsub, workplace):
    write_csv(workplace / "t.csv", [[i, *row] for i, row in enumerate(values()[::5].tolist())], names=["id", *NAMES])
    with (workplace / "t.csv").open("a") as file:
        file.write("7,-999,1,1\n")
    given = ["t.csv", "--exclude", "id", "--na", "-999", "--missing", "drop", "--json"]
    facts = json.loads(bgsub("cluster", "fit", *FIT, *given, "--model", "m.bgsub").out)
    assert list(facts["components"][0]["mean"]) == list(NAMES)
    assert (facts["rows"], facts["rows_left_out"]) == (100, 1)
    outcome = bgsub("cluster", "predict", "m.bgsub", "t.csv", "--na", "-999", "--missing", "drop", "--output", "o.csv")
    assert outcome.code == 0
    assert (workplace / "o.csv").read_text().splitlines()[-1] == "-1,,,"
