"""Every format gives the same table, packed or not, whatever it is called; parts of a format that others lack."""

import json
import os
import shutil
import subprocess
import sys
import warnings
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from bgsub.errors import ParameterError, SourceError
from bgsub.tables.reading import ReadOptions
from bgsub.tables.rows import ColumnSelection, read_rows
from bgsub.tables.sources import open_table
from tests.tables.files import MORE_FORMATS, NAMES, csv_text, values, write_as, write_sheets


def numbers(table, *names, missing="error"):
    return np.concatenate([rows.numbers for rows in read_rows(table, ColumnSelection(names or NAMES), missing)])


def texts(table, name):
    selection = ColumnSelection((), (name,))
    return [value for rows in read_rows(table, selection, "drop") for value in rows.categories[0].to_pylist()]


@pytest.fixture
def no_traces(tmp_path_factory, monkeypatch):
    """Nothing may be left in the folder of temporary files."""
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    yield
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("suffix", MORE_FORMATS)
def test_every_format_gives_the_same_numbers(tmp_path, no_traces, suffix):
    matrix = values()
    with open_table(write_as(suffix, tmp_path, matrix)) as table:
        assert [c.name for c in table.columns][:3] == list(NAMES)
        assert {c.kind for c in table.columns} == {"number"}
        assert table.n_rows in (None, len(matrix))
        for _ in range(2):
            found = numbers(table, "tilt", "length", "price")
            if ".xlsx" in suffix:  # openpyxl writes 16 digits
                assert np.allclose(found, matrix[:, [2, 0, 1]], rtol=1e-15, atol=0)
            else:
                assert np.array_equal(found, matrix[:, [2, 0, 1]])


@pytest.mark.parametrize(
    "written", [".parquet", ".feather", ".npz", ".xlsx", ".jsonl", ".csv.gz", ".csv.zip", ".arrows"]
)
@pytest.mark.parametrize("called", [".csv", ".xls", ".txt", ".data", ""])
def test_what_a_file_is_its_contents_tell(tmp_path, written, called):
    path = tmp_path / f"table{called}"
    shutil.move(write_as(written, tmp_path, values()), path)
    with open_table(path) as table:
        assert np.allclose(numbers(table), values(), rtol=1e-15, atol=0)
        if called in (".csv", ".txt") and written in (".parquet", ".xlsx"):
            what = {".parquet": "Parquet", ".xlsx": "Excel workbook"}[written]
            assert table.notes == [f"read as {what}, which it is in spite of its extension {called}"]


@pytest.mark.parametrize("suffix", [".parquet", ".feather", ".jsonl", ".csv.gz", ".xlsx", ".npy"])
def test_standard_input_may_be_any_file(tmp_path, monkeypatch, no_traces, suffix):
    with write_as(suffix, tmp_path, values()).open("rb") as file:
        monkeypatch.setattr(sys, "stdin", type("Stream", (), {"buffer": file}))
        with open_table("-") as table:
            assert table.name == "standard input"
            assert np.allclose(numbers(table), values(), rtol=1e-15, atol=0)


def test_the_first_feather(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        feather.write_feather(pa.table({"a": [1.5, None], "t": ["x", "y"]}), tmp_path / "t.feather", version=1)
    with open_table(tmp_path / "t.feather") as table:
        assert [(c.name, c.kind) for c in table.columns] == [("a", "number"), ("t", "category")]
        assert np.array_equal(numbers(table, "a", missing="drop"), [[1.5], [np.nan]], equal_nan=True)


def test_a_large_batch_comes_in_blocks(tmp_path):
    table = pa.table({"a": np.arange(150_000.0), "b": np.arange(150_000)})
    feather.write_feather(table, tmp_path / "t.feather", compression="uncompressed", chunksize=150_000)
    with open_table(tmp_path / "t.feather") as opened:
        blocks = list(read_rows(opened, ColumnSelection(("b",))))
    assert [len(rows) for rows in blocks] == [65_536, 65_536, 18_928]
    assert np.array_equal(np.concatenate([rows.numbers for rows in blocks]).ravel(), np.arange(150_000))


# ------------------------------------------------------------------------------------------------- folders of Parquet


def test_folders_that_tell_columns(tmp_path):
    folder = tmp_path / "sales"
    table = pa.table({"a": [1, 2, 3, 4], "year": [2023, 2023, 2024, 2024], "shop": ["x", "y", "x", "y z"]})
    pq.write_to_dataset(table, folder, partition_cols=["year", "shop"])
    (folder / "_SUCCESS").touch()
    (folder / ".part.parquet.crc").touch()
    (folder / "_temporary").mkdir()
    (folder / "_temporary" / "half.parquet").write_bytes(b"half")
    with open_table(folder) as opened:
        assert [(c.name, c.kind) for c in opened.columns] == [("a", "number"), ("year", "number"), ("shop", "category")]
        assert numbers(opened, "a", "year").tolist() == [[1, 2023], [2, 2023], [3, 2024], [4, 2024]]
        assert texts(opened, "shop") == ["x", "y", "x", "y z"]
        assert (opened.n_rows, opened.notes) == (4, [])


def test_files_of_a_folder_that_differ(tmp_path):
    pq.write_table(pa.table({"a": pa.array([1, 2], pa.int32()), "t": ["x", "y"]}), tmp_path / "part-0.parquet")
    pq.write_table(pa.table({"b": [7], "a": [2.5]}), tmp_path / "part-1.PARQUET")
    (tmp_path / "notes.txt").touch()
    with open_table(tmp_path) as table:
        found = numbers(table, "a", "b", missing="drop")
        assert np.array_equal(found, [[1, np.nan], [2, np.nan], [2.5, 7]], equal_nan=True)
        assert texts(table, "t") == ["x", "y", None]
        assert table.notes == ["passed over 1 file in the folder, not called .parquet or .pq"]
    pq.write_table(pa.table({"a": ["text"]}), tmp_path / "part-2.parquet")
    with pytest.raises(
        SourceError, match=r"its files do not agree \(.*Field a .*; give one of them, or write them anew"
    ):
        open_table(tmp_path)


def test_a_folder_leads_nowhere_else(tmp_path):
    (tmp_path / "in").mkdir()
    pq.write_table(pa.table({"a": [1.0]}), tmp_path / "secret.parquet")
    pq.write_table(pa.table({"a": [2.0]}), tmp_path / "in" / "own.parquet")
    (tmp_path / "in" / "loop").symlink_to(tmp_path, target_is_directory=True)
    with open_table(tmp_path / "in") as table:
        assert numbers(table, "a").tolist() == [[2.0]]
    (tmp_path / "in" / "link.parquet").symlink_to(tmp_path / "secret.parquet")
    with pytest.raises(
        SourceError, match=r"link.parquet in it is a link to a file elsewhere; put the file itself there"
    ):
        open_table(tmp_path / "in")


def test_a_damaged_file_of_a_folder_is_named(tmp_path):
    pq.write_table(pa.table({"a": [2.0]}), tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(b"PAR1 and no more PAR1")
    with pytest.raises(SourceError, match=r"cannot read .*b\.parquet: it is no Parquet file, or damaged"):
        open_table(tmp_path)


# --------------------------------------------------------------------------------------------------------------- JSON


def write_lines(path, *records):
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in records), encoding="utf-8")
    return path


def test_lines_that_do_not_agree(tmp_path):
    path = write_lines(
        tmp_path / "t.jsonl",
        {"n": 1, "text": "a", "ok": True, "where": {"x": 1}, "mixed": 1},
        {"text": "b", "n": 2.5, "ok": False, "mixed": "?", "late": 3},
        "",
        {"n": float("nan"), "text": None, "mixed": 3, "list": [1, 2]},
    )
    with open_table(path) as table:
        kinds = {c.name: c.kind for c in table.columns}
        assert kinds == {
            "n": "number",
            "text": "category",
            "ok": "category",
            "where": "other",
            "mixed": "number",
            "late": "number",
            "list": "other",
        }
        found = numbers(table, "n", "ok", "late", missing="drop")
        assert np.array_equal(found, [[1, 1, np.nan], [2.5, 0, 3], [np.nan, np.nan, np.nan]], equal_nan=True)
        assert texts(table, "text") == ["a", "b", None]
        with pytest.raises(SourceError, match=r"row 2, column 'mixed' holds the text '\?', not a number"):
            numbers(table, "mixed")


def test_columns_that_change_from_block_to_block(tmp_path):
    head = [{"id": i, "pad": "x" * 1000, "v": i} for i in range(5000)]  # more than a block of 4 MB
    tail = [{"id": i, "v": i + 0.5, "new": "y"} for i in range(5000, 5003)]
    with open_table(write_lines(tmp_path / "t.jsonl", *head, *tail)) as table:
        assert [c.name for c in table.columns] == ["id", "pad", "v", "new"]
        assert table.n_rows == 5003
        assert numbers(table, "v").ravel().tolist() == [*range(5000), 5000.5, 5001.5, 5002.5]
        assert texts(table, "new") == [None] * 5000 + ["y"] * 3


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (['{"a": 1}', '{"a": 2'], "row 2 is no JSON"),
        (['{"a": 1}', "[2]"], "row 2 is no object, {...}; write one object a line (.jsonl)"),
        (['{"a": {"0": 1, "1": 2}, "b": {"0": 3, "1": 4}}'], "it is one object of columns, not of rows; write one obj"),
        (['{\n"a": 1\n}'], "row 1 is no JSON"),
        (['[{"a": 1}, 2]'], "row 2 is no object"),
        (['[{"a": 1}'], "it is no JSON"),
        (['{"a": ' + "[" * 100_000], "row 1 is no JSON"),
        (["[]"], "it has no rows"),
        ([], "it has no rows"),
    ],
)
def test_what_is_no_table_of_json(tmp_path, lines, reason):
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(lines))
    with pytest.raises(SourceError) as raised:
        open_table(path)
    assert str(raised.value).startswith(f"cannot read {path}: {reason}")
    assert "\n" not in str(raised.value)


def test_a_large_array_of_json_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("bgsub.tables.json_table._LARGEST_ARRAY", 20)
    path = tmp_path / "t.json"
    path.write_text('[{"a": 1}, {"a": 2}, {"a": 3}]')
    with pytest.raises(SourceError, match=r"it is one array of more than \d+ MB, read whole; write one object a line"):
        open_table(path)


# -------------------------------------------------------------------------------------------------------------- Excel


def test_a_sheet_is_chosen_by_name_or_number(tmp_path):
    sheets = {"Q1": [["a"], [1], [2]], "2": [["b"], [3]], "Q3": [["c"], [5]]}
    path = write_sheets(tmp_path / "t.xlsx", sheets)
    for sheet, column in ((None, "a"), ("Q1", "a"), (1, "a"), ("2", "b"), (3, "c"), ("3", "c"), ("Q3", "c")):
        with open_table(path, ReadOptions(sheet=sheet)) as table:
            assert [c.name for c in table.columns] == [column]
            told = ["read the sheet 'Q1' of 3: Q1, 2, Q3; --sheet names another"] if sheet is None else []
            assert table.notes == told
    for sheet in ("Q4", 0, 4, ""):
        with pytest.raises(ParameterError, match=r"has no sheet .*: there are Q1, 2, Q3"):
            open_table(path, ReadOptions(sheet=sheet))


def test_what_people_do_to_sheets(tmp_path):
    """A title, an empty row, a heading without a name, formulas' errors, texts among numbers, empty rows at the end."""
    rows = [
        ["Sales of 2024"],
        [],
        [None, "price", "ok", None, "note", None],
        [None, 10.5, True, "p", "n/a", None],
        [None, 11, False, "q", 5, None],
        [None, "#DIV/0!", True, None, "  ", None],
        [],
        [None, 12, None, "r", "6", None],
        [],
    ]
    with open_table(write_sheets(tmp_path / "t.xlsx", {"S": rows})) as table:
        kinds = [(c.name, c.kind) for c in table.columns]
        assert kinds == [("price", "number"), ("ok", "category"), ("note", "number"), ("column D", "category")]
        assert table.n_rows == 4
        found = numbers(table, "price", "ok", missing="drop")
        assert np.array_equal(found, [[10.5, 1], [11, 0], [np.nan, 1], [12, np.nan]], equal_nan=True)
        assert texts(table, "column D") == ["p", "q", None, "r"]
        assert table.notes == ["passed over what stands above the names of columns: 'Sales of 2024'"]
        with pytest.raises(SourceError, match="row 1, column 'note' holds the text 'n/a', not a number"):
            numbers(table, "note")


def test_a_sheet_without_names(tmp_path):
    path = write_sheets(tmp_path / "t.xlsx", {"S": [["skip", "me"], [1, 2.5], [3, 4]]})
    with open_table(path, ReadOptions(header=False, skip_lines=1)) as table:
        assert [c.name for c in table.columns] == ["x0", "x1"]
        assert numbers(table, "x0", "x1").tolist() == [[1, 2.5], [3, 4]]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "the sheet 'S' is empty; name another with --sheet"),
        ([["a", "b"]], "it has no rows; give a table with some"),
        ([["a", "a"], [1, 2]], "it has two columns named 'a'; rename one"),
    ],
)
def test_sheets_that_are_no_table(tmp_path, rows, reason):
    with pytest.raises(SourceError) as raised:
        open_table(write_sheets(tmp_path / "t.xlsx", {"S": rows}))
    assert str(raised.value) == f"cannot read {tmp_path / 't.xlsx'}: {reason}"


def test_without_openpyxl_it_is_said_what_to_install(tmp_path):
    path = write_as(".xlsx", tmp_path, values()[:5])
    program = f"""
import sys
sys.modules["openpyxl"] = None
from bgsub.tables.sources import open_table
try:
    open_table({str(path)!r})
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=dict(os.environ))
    assert done.stdout == 'an Excel workbook needs openpyxl, which is not installed; pip install "bgsub[excel]"\n'


# ----------------------------------------------------------------------------------------------- archives and bounds


def archive(path, **files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


def test_an_archive_holds_one_table(tmp_path, no_traces):
    text = csv_text(values().tolist())
    path = archive(tmp_path / "t.zip", **{"data/t.csv": text, "__MACOSX/data/._t.csv": "\0", "data/.DS_Store": "\0"})
    with open_table(path) as table:
        assert np.array_equal(numbers(table), values())
    archive(path, **{"a.csv": text, "b/b.csv": text})
    with pytest.raises(
        SourceError, match=r"the archive holds 2 files \(a.csv, b/b.csv\); give an archive of one table,"
    ):
        open_table(path)
    archive(path)
    with pytest.raises(
        SourceError, match="the archive holds no file; give an archive of one table, or unpack it first"
    ):
        open_table(path)
    archive(path, **{"t.zip": archive(tmp_path / "inner.zip", **{"a.csv": text}).read_bytes()})
    with pytest.raises(SourceError, match="it is packed twice; unpack it first"):
        open_table(path)


def test_names_in_an_archive_are_never_paths(tmp_path, no_traces):
    path = archive(tmp_path / "t.zip", **{"../../../evil.csv": csv_text(values().tolist())})
    with open_table(path) as table:
        assert np.array_equal(numbers(table), values())
    assert not list(tmp_path.parent.rglob("evil*"))


@pytest.mark.parametrize("suffix", [".csv.gz", ".csv.bz2", ".csv.xz", ".csv.zst", ".csv.zip", ".xlsx", ".npz"])
def test_what_unpacks_to_too_much_is_refused(tmp_path, monkeypatch, no_traces, suffix):
    path = write_as(suffix, tmp_path, np.ones((20_000, 3)))
    if suffix == ".npz":
        np.savez_compressed(path, a=np.zeros(10**6))
    with open_table(path) as table:
        assert table.columns
    monkeypatch.setattr("bgsub.tables.unpacking.ALWAYS", 1 << 16)
    monkeypatch.setattr("bgsub.tables.unpacking.MOST_TIMES", 3)
    with pytest.raises(
        SourceError, match=r"it unpacks to more than 0 MB and 3 times its size; if that is meant, unpack it"
    ):
        open_table(path)
    monkeypatch.setattr("bgsub.tables.unpacking.MOST_TIMES", 10**6)
    monkeypatch.setattr("bgsub.tables.unpacking.MOST", 1 << 10)
    with pytest.raises(SourceError, match="it unpacks to more than 0 GB; if that is meant"):
        open_table(path)


def test_texts_of_a_workbook_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("bgsub.tables.excel_table._LARGEST_TEXTS", 100)
    path = write_sheets(tmp_path / "t.xlsx", {"S": [["a", "b"], ["x", 1]]})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/sharedStrings.xml", "<sst>" + "x" * 200)
    with pytest.raises(SourceError, match=r"its texts take more than 0 MB of memory; save it as \.csv"):
        open_table(path)


def test_a_locked_archive(tmp_path):
    content = bytearray(archive(tmp_path / "t.zip", **{"a.csv": "a\n1\n"}).read_bytes())
    for start in (content.index(b"PK\x03\x04") + 6, content.index(b"PK\x01\x02") + 8):
        content[start] |= 1
    (tmp_path / "t.zip").write_bytes(content)
    with pytest.raises(SourceError, match="the archive is locked with a password; unpack it first"):
        open_table(tmp_path / "t.zip")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html><body><table><tr><td>1</td></tr></table>", "it is a web page or XML, whatever its name says; open it"),
        (
            b'<?xml version="1.0"?><Workbook>',
            "it is a web page or XML, whatever its name says; open it in a spreadsheet",
        ),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0",
            "it is an old workbook (.xls), or one locked with a password; open it",
        ),
        (b"%PDF-1.7\n", "it is a PDF; save the table as .xlsx or .csv"),
        (b"\x89HDF\r\n\x1a\n", "it is an HDF5 file; save the table as Parquet"),
        (b"SQLite format 3\0", "it is a SQLite database; save the table as CSV"),
        (b"a" * 257 + b"ustar\0", "it is a tar archive; unpack it first"),
        (b"7z\xbc\xaf\x27\x1c\0", "it is a 7z archive; unpack it first"),
    ],
)
@pytest.mark.parametrize("suffix", [".xls", ".csv", ".parquet"])
def test_what_is_something_else_is_named(tmp_path, suffix, content, reason):
    path = tmp_path / f"t{suffix}"
    path.write_bytes(content)
    with pytest.raises(SourceError) as raised:
        open_table(path)
    assert str(raised.value).startswith(f"cannot read {path}: {reason}")


def test_other_kinds_of_workbooks_are_named(tmp_path):
    for member, what in (
        ("xl/workbook.bin", r"binary workbook \(.xlsb\)"),
        ("content.xml", r"OpenDocument file \(.ods\)"),
    ):
        path = archive(tmp_path / "t.ods", **{member: "x"})
        with pytest.raises(SourceError, match=rf"it is an? {what}; save it as .xlsx or .csv"):
            open_table(path)


def test_names_of_columns_that_look_like_the_beginnings_of_files(tmp_path):
    for head in ("PAR1,PAR2", "ORC,MAN", "BZh1,b", "ARROW1,ARROW2", "Rar!,b", "7z,b", "FEA1,b", "Obj,b"):
        (tmp_path / "t.csv").write_text(f"{head}\n1,2\n3,5\n")
        with open_table(tmp_path / "t.csv") as table:
            assert numbers(table, *head.split(",")).tolist() == [[1, 2], [3, 5]]
