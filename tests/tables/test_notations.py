"""Numbers as people write them: each notation gives the number that a reader of that country sees, or is refused."""

import re

import numpy as np
import pytest

from bgsub.errors import SourceError
from bgsub.tables.reading import ReadOptions
from bgsub.tables.rows import ColumnSelection, read_rows
from bgsub.tables.sources import open_table

MINUS, THIN, NARROW, NBSP = "\N{MINUS SIGN}", "\N{THIN SPACE}", "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"


def written(folder, columns, delimiter=";"):
    """A file of columns of text, each value in quotation marks where it has the delimiter in it; its path."""
    path = folder / "t.csv"
    lines = [delimiter.join(columns)]
    for row in zip(*columns.values(), strict=True):
        lines.append(delimiter.join(f'"{value}"' if delimiter in value else value for value in row))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def read(path, *names, **options):
    """The columns as numbers, and what was said of them."""
    with open_table(path, ReadOptions(**options)) as table:
        found = [rows.numbers for rows in read_rows(table, ColumnSelection(names), "drop")]
        return np.concatenate(found).T, table.told(names)


NOTATIONS = [
    ("10,5 11,25 3", [10.5, 11.25, 3], "decimal commas"),
    ("1.234,56 12,5 1.000.000,00", [1234.56, 12.5, 1e6], "decimal commas and thousands separators"),
    (f"1{NBSP}234,56 12,5", [1234.56, 12.5], "decimal commas and thousands separators"),
    (f"1{NARROW}234,56 1{THIN}000", [1234.56, 1000], "decimal commas and thousands separators"),
    ("1'234.56 12.5", [1234.56, 12.5], "thousands separators"),
    ("1\N{RIGHT SINGLE QUOTATION MARK}234.5 7", [1234.5, 7], "thousands separators"),
    ("1,234.56 7,000,000", [1234.56, 7e6], "thousands separators"),
    ("1,23,456 12,34,567.5", [123456, 1234567.5], "thousands separators"),
    ("$1,190 $1,210.06 $7", [1190, 1210.06, 7], "thousands separators and the sign $"),
    ("-$5.00 $-6.00 $7", [-5, -6, 7], "the sign $"),
    ("$(1,190.50) $(2.25) $3", [-1190.5, -2.25, 3], "thousands separators and the sign $"),
    ("($1,190.50) $3", [-1190.5, 3], "thousands separators and the sign $"),
    (f"1,190.35{NBSP}EUR -2.00{NBSP}EUR", [1190.35, -2], "thousands separators and the sign EUR"),
    (f"EUR{NBSP}-5,5 EUR{NBSP}6", [-5.5, 6], "decimal commas and the sign EUR"),
    ("\N{EURO SIGN}12 \N{EURO SIGN}13.5", [12, 13.5], "the sign \N{EURO SIGN}"),
    (f"R${NBSP}1.190,50 R${NBSP}-3,00", [1190.5, -3], "decimal commas, thousands separators and the sign R$"),
    ("5.3% -4% 0.25%", [5.3, -4, 0.25], "per cent"),
    (f"5,3{NBSP}% 12{NBSP}%", [5.3, 12], "decimal commas and per cent"),
    (f"{MINUS}3,5 +2,25 0,5", [-3.5, 2.25, 0.5], "decimal commas"),
    ("3,5- 2,0", [-3.5, 2], "decimal commas"),
    ("1,5e-03 2,5E+2 -1e1", [0.0015, 250, -10], "decimal commas"),
    ("0,123 0,456 1,234", [0.123, 0.456, 1.234], "decimal commas"),
    (",5 -,25", [0.5, -0.25], "decimal commas"),
]


@pytest.mark.parametrize(("texts", "numbers", "words"), NOTATIONS)
@pytest.mark.parametrize("delimiter", [",", "\t", "|"])
def test_a_notation_is_read_and_told(tmp_path, texts, numbers, words, delimiter):
    values = [text.strip() for text in texts.split(" ")]
    found, told = read(written(tmp_path, {"n": ["1"] * len(values), "a": values}, delimiter), "a")
    assert found.tolist() == [numbers]
    line = told[0]
    assert len(told) == 1 + ("(" in texts or "- " in texts)  # a minus that does not stand before is told too
    assert line.startswith(f"read {words} in a: ")
    shown = max(values, key=len)
    assert line.endswith(f" is {numbers[values.index(shown)]:.15g}")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("(5)", ["read brackets as minus in a, c: '(5)' is -5"]),
        ("5-", ["read a minus behind numbers in a, c: '5-' is -5"]),
        (f"{MINUS}5", []),
    ],
)
def test_signs_of_plain_numbers(tmp_path, text, told):
    path = written(tmp_path, {"a": [text, "6", "7.5"], "b": ["1", "1", "1"], "c": ["1", text, text]})
    found, lines = read(path, "a", "c")
    assert found.tolist() == [[-5, 6, 7.5], [1, -5, -5]]
    assert lines == told


@pytest.mark.parametrize("text", ["(5", "5)", "$(5", "($5", "(5-6"])
def test_half_a_pair_of_brackets_makes_no_number(tmp_path, text):
    sign = "$" if "$" in text else ""
    path = written(tmp_path, {"a": [f"{sign}6", f"{sign}7.5", f"{sign}(8)", text], "b": ["1"] * 4})
    with pytest.raises(SourceError, match=re.escape(f"row 4, column 'a' holds the text '{text}'")):
        read(path, "a")


@pytest.mark.parametrize(
    ("other", "delimiter", "value", "number"),
    [
        ("1,5", ",", "1,234", 1.234),  # a decimal comma elsewhere
        ("1.5", ",", "1,234", 1234),
        ("1,234.5", ",", "1,234", 1234),
        ("1.234,5", ",", "1,234", 1.234),
        ("7", ";", "1,234", 1.234),
        ("7", "\t", "1,234", 1.234),
        ("1.5", ";", "1,234", 1234),
        ("1,5", ";", "1.234", 1234),  # a point, where the comma is that of decimals
        ("1,5", ";", "1.5", 1.5),
        ("1.5", ";", "1.234", 1.234),
        ("7", ";", "1.234", 1.234),  # as computers write it
    ],
)
def test_what_fits_both_readings_is_read_as_the_rest_of_the_file(tmp_path, other, delimiter, value, number):
    found, _ = read(written(tmp_path, {"o": [other] * 3, "v": [value] * 3}, delimiter), "v")
    assert found.tolist() == [[number] * 3]


@pytest.mark.parametrize(
    ("columns", "delimiter", "value"),
    [
        ({"n": ["1", "2"], "a": ["1,234", "2,345"]}, ",", "1,234"),
        ({"n": ["1.234", "2.345"], "a": ["1,234", "2,345"]}, ";", "1,234"),  # one of both has the fraction
        ({"n": ["1,5", "2,5"], "m": ["1.5", "2.5"], "a": ["$7,234", "$2,345"]}, ";", "$7,234"),
    ],
)
def test_what_the_file_does_not_tell_has_to_be_said(tmp_path, columns, delimiter, value):
    path = written(tmp_path, columns, delimiter)
    message = rf"column 'a' holds '{value}', which may be .* \(--decimal ,\) or .* \(--decimal \.\): say which"
    with pytest.raises(SourceError, match=message.replace("$", r"\$")):
        read(path, "a")
    assert len(read(path, "n")[0][0]) == 2  # the others are as good as before
    number = float(value.strip("$").replace(",", "."))
    assert read(path, "a", decimal=",")[0][0][0] == number
    assert read(path, "a", decimal=".")[0][0][0] == number * 1000


def test_a_decimal_comma_that_is_given_counts_for_all_columns(tmp_path):
    path = written(tmp_path, {"a": ["1.234", "5"], "b": ["1.5", "2"], "c": ["2,5", "3"]}, "|")
    with open_table(path, ReadOptions(decimal=",")) as table:
        assert table.numeric_columns() == ("a", "c")
        assert table.left_out("b") == "numbers such as '1.5', which has no decimal comma"
    assert read(path, "a", "c", decimal=",")[0].tolist() == [[1234, 5], [2.5, 3]]
    with open_table(path, ReadOptions(decimal=".")) as table:
        assert table.numeric_columns() == ("a", "b")
        assert table.left_out("c") == "text such as '2,5'"


@pytest.mark.parametrize(
    "texts",
    [
        ["0x1F", "0x2A"],
        ["12:30", "12:40"],
        ["1.2.3", "1.10.2"],
        ["2024-01-05", "2024-02-06"],
        ["10 kg", "12 kg"],
        ["1/2", "3/4"],
        ["1,2,3", "4,5,6"],
        ["5-7", "8-9"],
        ["\N{EURO SIGN}5", "$5"],
        ["5%", "five"],
    ],
)
def test_what_is_no_number_is_left_out_and_shown(tmp_path, texts):
    with open_table(written(tmp_path, {"a": texts, "b": ["1", "2"]})) as table:
        assert table.numeric_columns() == ("b",)
        assert texts[0] in table.left_out("a") or texts[1] in table.left_out("a")


TOKENS = ["None", "-", "--", "?", "N.A.", ".", "#DIV/0!", "#VALUE!", "nil", " NA ", "\N{EM DASH}"]


@pytest.mark.parametrize("token", [*TOKENS, "", "n/a", "#N/A", "NULL", "NaN"])
@pytest.mark.parametrize("numbers", [["1.5", "2"], ["1,5", "2"], ["$1.5", "$2"]])
def test_what_spreadsheets_and_programs_write_for_missing(tmp_path, token, numbers):
    found, told = read(written(tmp_path, {"b": ["1"] * 4, "a": [numbers[0], token, numbers[1], token]}), "a")
    assert np.isnan(found[0]).tolist() == [False, True, False, True]
    assert found[0][[0, 2]].tolist() == [1.5, 2]
    lines = [line for line in told if line.startswith("took ")]
    assert lines == [f"took {token.strip()!r} for missing in a"] * (token in TOKENS)  # others are so anyway


def test_words_for_missing_stay_words_among_words(tmp_path):
    with open_table(written(tmp_path, {"kind": ["None", "some", "-"], "b": ["1", "2", "3"]})) as table:
        (rows,) = read_rows(table, ColumnSelection(("b",), ("kind",)))
    assert rows.categories[0].to_pylist() == ["None", "some", "-"]


@pytest.fixture(scope="module")
def long_file(tmp_path_factory):
    """More than the first block of the reader, in three notations."""
    path = tmp_path_factory.mktemp("long") / "long.csv"
    lines = [f"{i % 9},5;{i % 17 + 1}.234,50;{i % 7}%" for i in range(300_000)]
    assert sum(map(len, lines)) > 4 << 20
    path.write_text("a;b;c\n" + "\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("last", "name", "text", "example"),
    [
        ("1.5;1.234,50;1%", "a", "1.5", "0,5"),
        ("1,5;1234.5;1%", "b", "1234.5", "10.234,50"),
        ("1,5;1.234,50;0.01", "c", "0.01", "0%"),
        ("1,5;$3,00;1%", "b", "$3,00", "10.234,50"),
    ],
)
def test_a_late_value_in_another_notation_is_named(tmp_path, long_file, last, name, text, example):
    path = tmp_path / "t.csv"
    path.write_text(long_file.read_text() + last + "\n")
    message = (
        f"row 300001, column '{name}' holds the text '{text}', not a number like '{example}'; correct it, leave the "
        "column out with --exclude, or take the value for missing with --na"
    )
    with pytest.raises(SourceError) as raised:
        read(path, "a", "b", "c")
    assert str(raised.value).endswith(message)
    assert len(read(path, *({"a", "b", "c"} - {name}))[0][0]) == 300_001


def test_long_files_are_read_to_the_last_row(long_file):
    found, told = read(long_file, "a", "b", "c")
    index = np.arange(300_000)
    assert np.array_equal(found, [index % 9 + 0.5, (index % 17 + 1) * 1000 + 234.5, index % 7])
    assert len(told) == 3
