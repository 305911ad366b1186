"""Files of text as people have them: titles, remarks, footers, spaces for commas, other encodings, odd headings."""

import bz2
import gzip

import numpy as np
import pytest

from bgsub.errors import SourceError
from bgsub.tables.reading import ReadOptions
from bgsub.tables.rows import ColumnSelection, read_rows
from bgsub.tables.sources import open_table
from bgsub.tables.table import Column

ROWS = [(100.5 + 3.25 * i, i % 7 + 0.5) for i in range(40)]
PLAIN = "".join(f"{a},{b}\n" for a, b in ROWS)
SEMICOLONS = PLAIN.replace(",", ";")
GERMAN = "umsatz;größe\n" + SEMICOLONS.replace(".", ",")
SPACED = "".join(f"{a:10.2f}   {b:6.1f}\n" for a, b in ROWS)


def opened(path, content, written="utf-8", **options):
    path.write_bytes(content if isinstance(content, bytes) else content.encode(written))
    return open_table(path, ReadOptions(**options))


def numbers(table, names=()):
    selection = ColumnSelection(tuple(names) or table.numeric_columns())
    return np.concatenate([rows.numbers for rows in read_rows(table, selection, "drop")])


LAYOUTS = {
    "plain": ("a,b\n" + PLAIN, []),
    "sep": ("sep=;\na;b\n" + SEMICOLONS, []),
    "sep and its other lines": (("sep=;\na;b\n" + SEMICOLONS).replace("\n", "\r\n"), []),
    "old Macs": (("a,b\n" + PLAIN).replace("\n", "\r"), []),
    "bars": ("a|b\n" + PLAIN.replace(",", "|"), []),
    "title": (
        "Sales 2024\n\na,b\n" + PLAIN,
        ["left out what stands above the table, 'Sales 2024': 2 lines (--skip-lines 2)"],
    ),
    "title of a spreadsheet": (
        "Sales 2024,\nJanuary,\n,\na,b\n" + PLAIN,
        ["left out what stands above the table, 'Sales 2024': 3 lines (--skip-lines 3)"],
    ),
    "title with a comma": (
        "Report, January\n\na,b\n" + PLAIN,
        ["left out what stands above the table, 'Report January': 2 lines (--skip-lines 2)"],
    ),
    "title of two cells": (
        "Created:,2024-01-05,\na,b,c\n" + PLAIN.replace("\n", ",x\n"),
        ["left out what stands above the table, 'Created: 2024-01-05': 1 line (--skip-lines 1)"],
    ),
    "remarks of other programs": (
        "% by hand, in haste\n// tool 1.0\na,b\n" + PLAIN,
        ["left out what stands above the table, '% by hand in haste': 2 lines (--skip-lines 2)"],
    ),
    "remarks above": (
        "# exported 2024-01-01\n# by tool\na,b\n" + PLAIN,
        ["left out lines that begin with #, such as '# exported 2024-01-01'"],
    ),
    "remarks in between": (
        "a,b\n" + PLAIN[:300] + PLAIN[300:].replace("\n", "\n# a pause, of a day\n", 1),
        ["left out lines that begin with #, such as '# a pause, of a day'"],
    ),
    "names in a remark": ("# made by hand\n# a b\n" + SPACED, None),
    "names in a remark with commas": ("#a,b\n" + PLAIN, ["took the names of columns from the line '# a b'"]),
    "total": ("a,b\n" + PLAIN + "Total,362.017\n", ["left out the last line, 'Total,362.017'"]),
    "grand total": ("a;b\n" + SEMICOLONS + "Grand Total:;99\n", ["left out the last line, 'Grand Total:;99'"]),
    "sum and source": (
        "a;b\n" + SEMICOLONS + "Summe;1\n\nQuelle: Amt, 2024\n",
        ["left out the last 2 lines, 'Summe;1'"],
    ),
    "count of rows": ("a,b\n" + PLAIN + "(40 rows)\n", ["left out the last line, '(40 rows)'"]),
    "no end of line": ("a,b\n" + PLAIN + "Total,1", ["left out the last line, 'Total,1'"]),
    "empty rows": ("a,b\n" + PLAIN + ",\n,\n\n", ["left out empty lines at the end"]),
    "spaces": ("     a        b\n" + SPACED, []),
    "spaces and tabs": ("a b\n" + SPACED.replace("   ", " \t "), []),
    "spaces and total": ("a  b\n" + SPACED + "Total   5.5\n", None),
    "trailing delimiter": ("a,b\n" + PLAIN.replace("\n", ",\n"), []),
    "empty heading": ("a,b,\n" + PLAIN.replace("\n", ",\n"), []),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_none_of_the_table_is_left_out_and_told(tmp_path, layout):
    content, notes = LAYOUTS[layout]
    with opened(tmp_path / "t.txt", content) as table:
        assert table.numeric_columns() == ("a", "b")
        assert np.array_equal(numbers(table), ROWS)
        assert np.array_equal(numbers(table, ["b"])[:, 0], [b for _, b in ROWS])
        assert notes is None or table.notes == notes


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", ["gz", "bz2", "utf-16", "long"])
def test_layouts_in_other_clothes(tmp_path, layout, kind):
    content, _ = LAYOUTS[layout]
    rows = ROWS
    if kind == "long" and layout != "old Macs":
        some = content[len(content) // 3 : 2 * len(content) // 3]
        block = some[some.index("\n") + 1 : some.rindex("\n") + 1]
        inserted = block * (5_000_000 // len(block)) if "remarks in between" not in layout else ""
        at = content.index(block)
        content, rows = content[:at] + inserted + content[at:], None
    data = content.encode("utf-16" if kind == "utf-16" else "utf-8")
    data = {"gz": gzip.compress, "bz2": bz2.compress}.get(kind, bytes)(data)
    path = tmp_path / ("t.csv" + (f".{kind}" if kind in ("gz", "bz2") else ""))
    with opened(path, data) as table:
        found = numbers(table)
    if rows is None:
        assert (len(found) > 40, found[0].tolist(), found[-1].tolist()) == (
            "remarks in between" not in layout,
            list(ROWS[0]),
            list(ROWS[-1]),
        )
    else:
        assert np.array_equal(found, rows)


@pytest.mark.parametrize(
    ("content", "row"),
    [
        ("a,b\n" + PLAIN + "oops,5\n", "row 41, column 'a' holds the text 'oops', not a number"),
        ("a,b,c\n" + PLAIN.replace("\n", ",1\n") + "5,6\n", "row 41 has 2 values where the heading has 3 names"),
        ("a,b\nTotal,1\n" + PLAIN, "row 1, column 'a' holds the text 'Total', not a number"),
        (
            "length,mass\ncm,kg\n" + PLAIN,
            "row 1, column 'length' holds the text 'cm', not a number.*--skip-lines",
        ),
        ("a,b\n" + PLAIN.replace(".", ","), "row 1 has 4 values where the heading has 2 names.* quotation marks"),
        ("Title\n1,2,3\n4,5,6\n", "row 1 has 3 values where the heading has 1 names.*; if .* give --skip-lines"),
        ("price\n10,5\n7.5\n", "row 1 has 2 values where the heading has 1 names"),
        ("a b\n1 2\n3\n4 5\n" + SPACED, "row 2 has 1 values where the heading has 2 names"),
    ],
)
def test_what_may_be_data_is_an_error(tmp_path, content, row):
    with pytest.raises(SourceError, match=row), opened(tmp_path / "t.csv", content) as table:
        numbers(table)


@pytest.mark.parametrize("options", [{}, {"decimal": ","}, {"skip_lines": 1}])
@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\n# nothing\n"])
def test_a_heading_alone_has_no_rows(tmp_path, options, end):
    content = "above\n" * options.get("skip_lines", 0) + "a;b" + end
    with pytest.raises(SourceError, match="it has no rows; give a table with some"):
        numbers(opened(tmp_path / "t.csv", content, **options), ["a"])


@pytest.mark.parametrize(
    "last", ["Media Markt,5.5", "Total recall,5.5", "Note 10,5.5", "Sum41,5.5", "Source code,5.5", "x,5.5"]
)
def test_a_row_whose_name_begins_like_a_footer_is_a_row(tmp_path, last):
    content = "shop,a\n" + "".join(f"s{i},{a}\n" for i, (a, _) in enumerate(ROWS)) + last + "\n"
    with opened(tmp_path / "t.csv", content) as table:
        assert (len(numbers(table)), table.notes) == (41, [])


def test_a_kind_called_total_is_no_footer(tmp_path):
    with opened(tmp_path / "t.csv", "kind,a\n" + "part,1\ntotal,2\n" * 20) as table:
        assert (len(numbers(table)), table.notes) == (40, [])


@pytest.mark.parametrize("tags", ["#{}", "#N/A{}", "{}#", "####{}"])
def test_values_that_begin_as_a_remark_does_are_values(tmp_path, tags):
    content = "tag,a\n" + "".join(f"{tags.format(i) if i % 5 == 0 else i},{a}\n" for i, (a, _) in enumerate(ROWS))
    with opened(tmp_path / "t.csv", content) as table:
        assert (len(numbers(table, ["a"])), table.notes) == (40, [])


# ------------------------------------------------------------------------------------------------------ encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_are_recognised(tmp_path, encoding, end):
    with opened(tmp_path / "t.csv", GERMAN.replace("\n", end), encoding) as table:
        assert table.numeric_columns() == ("umsatz", "größe")
        assert np.array_equal(numbers(table), ROWS)
        guessed = [f"the file is no UTF-8: read as {encoding}; --encoding gives another"]
        assert table.notes == (guessed if encoding in ("utf-16-le", "utf-16-be", "cp1252") else [])


@pytest.mark.parametrize(("encoding", "name"), [("cp1251", "имя"), ("shift-jis", "名前"), ("latin-1", "größe")])
def test_an_encoding_that_is_given_is_taken(tmp_path, encoding, name):
    with opened(tmp_path / "t.csv", f"{name};b\n" + SEMICOLONS, encoding, encoding=encoding) as table:
        assert (table.numeric_columns(), table.notes) == ((name, "b"), [])
        assert np.array_equal(numbers(table), ROWS)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "utf-16"])
def test_an_encoding_that_is_not_the_file_s_is_told(tmp_path, encoding):
    message = "it is not .* text; give --encoding latin-1, or whichever it is"
    with pytest.raises(SourceError, match=message), opened(tmp_path / "t.csv", GERMAN, "cp1252", encoding=encoding):
        pass


def test_another_encoding_far_down_is_told(tmp_path):
    content = ("kind,a\n" + "x,1.5\n" * 800_000).encode() + b"caf\xe9,2\n"
    with opened(tmp_path / "t.csv", content) as table:
        assert len(numbers(table, ["a"])) == 800_001  # of no matter for numbers
        with pytest.raises(SourceError, match="it is not UTF-8 text; give --encoding latin-1"):
            list(read_rows(table, ColumnSelection(("a",), ("kind",))))
    with open_table(tmp_path / "t.csv", ReadOptions(encoding="latin-1")) as table:
        *_, last = read_rows(table, ColumnSelection(("a",), ("kind",)))
    assert last.categories[0][-1].as_py() == "café"


@pytest.mark.parametrize(
    "content", [bytes(range(256)) * 99, b"\x89PNG\r\n\x1a\n\0\0", b"\0" * 5000, b"\x01\x02\xff" * 99]
)
def test_what_is_no_text_is_refused(tmp_path, content):
    with pytest.raises(SourceError, match="it is no table that is known; give CSV, Excel, Parquet"):
        opened(tmp_path / "t.csv", content)


# ------------------------------------------------------------------------------------------------------- headings


def test_names_that_are_there_twice_or_not_at_all(tmp_path):
    content = "a,a,,a_2,\n" + "1,2,3,4,5\n" * 9
    with opened(tmp_path / "t.csv", content) as table:
        assert [c.name for c in table.columns] == ["a", "a_3", "x2", "a_2", "x4"]
        assert table.notes == ["2 columns are named 'a': the later ones are called a_3"]
        assert numbers(table)[0].tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("start", [0, 1])
def test_the_index_that_pandas_writes_is_no_feature(tmp_path, start):
    content = ",a,b\n" + "".join(f"{start + i},{a},{b}\n" for i, (a, b) in enumerate(ROWS))
    with opened(tmp_path / "t.csv", content) as table:
        assert table.columns == (Column("x0", "other"), Column("a", "number"), Column("b", "number"))
        assert table.left_out("x0") == "without a name, which counts the rows"
        assert numbers(table, ["x0"])[3, 0] == start + 3  # for who asks


def test_a_first_column_without_a_name_that_counts_nothing_is_one(tmp_path):
    with opened(tmp_path / "t.csv", ",b\n" + PLAIN) as table:
        assert table.numeric_columns() == ("x0", "b")


@pytest.mark.parametrize(
    "content",
    [
        '"a" "b"\n' + "".join(f'"{i}" {a} {b}\n' for i, (a, b) in enumerate(ROWS)),
        "   a   b\n" + "".join(f"{i + 7:<5}  {a:8} {b:8}\n" for i, (a, b) in enumerate(ROWS)),
        "a b\n" + "".join(f'"Mazda  RX {i}"   {a} {b}\n' for i, (a, b) in enumerate(ROWS)),
        '"a","b"\n' + "".join(f'"{i + 1}",{a},{b}\n' for i, (a, b) in enumerate(ROWS)),
        "a\tb\n" + "".join(f"row {i}\t{a}\t{b}\n" for i, (a, b) in enumerate(ROWS)),
    ],
)
def test_names_of_rows_as_r_writes_them_are_no_feature(tmp_path, content):
    with opened(tmp_path / "t.txt", content) as table:
        assert table.numeric_columns() == ("a", "b")
        assert table.left_out("x0") == "the names of the rows"
        assert np.array_equal(numbers(table), ROWS)


@pytest.mark.parametrize("content", [PLAIN, "# made by hand\n" + PLAIN, SPACED, SEMICOLONS.replace(".", ",")])
def test_without_a_heading_columns_have_names_by_place(tmp_path, content):
    with opened(tmp_path / "t.csv", content, header=False) as table:
        assert table.numeric_columns() == ("x0", "x1")
        assert not table.named
        assert np.array_equal(numbers(table), ROWS)


def test_a_first_row_among_names_is_told(tmp_path, caplog):
    with opened(tmp_path / "t.csv", "5.1,3.5,setosa\n4.9,3.0,setosa\n"):
        assert "the first line, taken for the names of columns, looks like a row" in caplog.text
    caplog.clear()
    with opened(tmp_path / "t.csv", "country,2019,2020\nx,1.5,2\n"):
        assert caplog.text == ""


@pytest.mark.parametrize(("skip", "names"), [(0, ("a", "b")), (3, ("7", "8")), (1, ("5", "6"))])
def test_lines_to_skip_are_those_of_the_file(tmp_path, skip, names):
    with opened(tmp_path / "t.csv", "a,b\n5,6\n\n7,8\n9,10\n11,12\n", skip_lines=skip) as table:
        assert tuple(c.name for c in table.columns) == names
        assert numbers(table)[-1].tolist() == [11, 12]


def test_the_padding_of_names_and_values_is_no_part_of_them(tmp_path):
    with opened(tmp_path / "t.csv", 'a , "b,c" , d\n 1 , 2 , 3\n 2.5,  NA ,4\n 3,5,6\n') as table:
        assert table.numeric_columns() == ("a", "b,c", "d")
        assert np.array_equal(numbers(table), [[1, 2, 3], [2.5, np.nan, 4], [3, 5, 6]], equal_nan=True)


# ----------------------------------------------------------------------------------------------- kinds of columns


def test_an_empty_column_is_left_out_and_found_to_be_one_to_the_end(tmp_path):
    path = tmp_path / "t.csv"
    with opened(path, "a,notes,c\n" + "1.5,,-\n2.5,,-\n" * 400_000) as table:
        assert table.numeric_columns() == ("a",)
        assert (table.left_out("notes"), table.left_out("c")) == ("empty", "empty")
        table.check_left_out(())
    path.write_text(path.read_text() + "3,late,-\n")
    message = "column 'notes' is empty for 4 MB and then holds 'late'; leave it out with --exclude, or name the columns"
    with open_table(path) as table, pytest.raises(SourceError, match=message):
        table.check_left_out(())


@pytest.mark.parametrize(("yes", "no"), [("True", "False"), ("TRUE", "FALSE"), ("true", "false")])
def test_booleans_have_one_spelling_and_are_numbers_on_request(tmp_path, yes, no):
    with opened(tmp_path / "t.csv", f"a,ok\n1,{yes}\n2,{no}\n3,{yes}\n") as table:
        assert (table.numeric_columns(), table.left_out("ok")) == (("a",), "true and false")
        (rows,) = read_rows(table, ColumnSelection((), ("ok",)))
        assert rows.categories[0].to_pylist() == ["true", "false", "true"]
        assert numbers(table, ["a", "ok"])[:, 1].tolist() == [1, 0, 1]


def test_a_late_value_that_is_neither_true_nor_false_is_named(tmp_path):
    with opened(tmp_path / "t.csv", "a,ok\n" + "1,True\n" * 700_000 + "1,maybe\n") as table:
        for selection in (ColumnSelection(("ok",)), ColumnSelection((), ("ok",))):
            with pytest.raises(SourceError, match="row 700001, column 'ok' holds the text 'maybe', where others"):
                list(read_rows(table, selection))


def test_numbers_that_look_like_codes_are_told(tmp_path):
    with opened(tmp_path / "t.csv", "zip,a\n01234,1\n56789,2\n") as table:
        (line,) = table.told(["zip", "a"])
    assert line.startswith("zip has numbers with zeros before them, such as '01234': are they codes? --exclude zip ")
