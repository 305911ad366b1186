"""Values of all types as numbers and as text: one spelling of truth, nothing lost that float64 can hold."""

import datetime
import decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from bgsub.errors import SourceError
from bgsub.tables.learning import Choice, prepared
from bgsub.tables.preparation import Features
from bgsub.tables.rows import ColumnSelection, read_rows
from bgsub.tables.sources import open_table
from bgsub.tables.table import kind_of
from bgsub.tables.values import as_numbers, as_text

TRUTH = [True, False, None, True]


@pytest.mark.parametrize(
    "column",
    [
        pa.array(TRUTH),
        pa.array(TRUTH).dictionary_encode(),
        pa.array(["True", "False", None, "True"]),
        pa.array(["TRUE", " FALSE", None, "true"]),
        pa.array(["True", "False", None, "True"], pa.large_string()),
        pa.array(["true", "false", None, "true"]).dictionary_encode(),
    ],
)
def test_truth_is_0_and_1_and_has_one_spelling(column):
    assert kind_of(column.type) == "category"
    found = as_numbers(column, "t", 0, "ok")
    assert np.array_equal(found, [1, 0, np.nan, 1], equal_nan=True)
    if " FALSE" not in column.to_pylist():
        assert as_text(column).to_pylist() == ["true", "false", None, "true"]


def test_text_that_is_not_all_truth_is_no_number():
    with pytest.raises(SourceError, match="row 1, column 'ok' holds the text 'True', not a number"):
        as_numbers(pa.array(["True", "maybe"]), "t", 0, "ok")
    with pytest.raises(SourceError, match="row 8, column 'ok' holds the text 'True', not a number"):
        as_numbers(pa.array(["3", "True"]), "t", 6, "ok")
    assert as_text(pa.array(["True", "maybe", "tRuE", "T"])).to_pylist() == ["true", "maybe", "tRuE", "T"]


@pytest.mark.parametrize("before", [("False", "True"), ("false", "true"), ("FALSE", "TRUE")])
def test_models_of_before_know_every_spelling(before):
    features = Features((), (), {"ok": before})
    for column in (pa.array([True, False]), pa.array(["True", "False"]), pa.array(["TRUE", "FALSE"])):
        selection = ColumnSelection((), ("ok",))
        with open_table(pa.table({"ok": column})) as table:
            (rows,) = read_rows(table, selection)
        assert features.of(rows, "t").tolist() == [[0, 1], [1, 0]]


def test_every_format_learns_the_same_truth(tmp_path):
    table = pa.table({"x": [1.0, 2.0, 4.0, 3.0], "ok": [True, False, True, False]})
    pq.write_table(table, tmp_path / "t.parquet")
    feather.write_feather(table, tmp_path / "t.feather")
    np.savez(tmp_path / "t.npz", x=table["x"].to_numpy(), ok=table["ok"].to_numpy())
    (tmp_path / "t.jsonl").write_text(
        "".join(f'{{"x": {i}, "ok": {o}}}\n' for i, o in zip("1243", ["true", "false"] * 2, strict=True))
    )
    (tmp_path / "t.csv").write_text("x,ok\n1,True\n2,False\n4,True\n3,False\n")
    (tmp_path / "r.csv").write_text("x,ok\n1,TRUE\n2,FALSE\n4,TRUE\n3,FALSE\n")
    for source in (table, *sorted(tmp_path.iterdir())):
        with open_table(source) as opened, prepared(opened, Choice(encode=("ok",))) as rows:
            assert rows.preparation.features.names == ["x", "ok=false", "ok=true"]
            assert rows.matrix.tolist() == [[1, 0, 1], [2, 1, 0], [4, 0, 1], [3, 1, 0]]


BIG = 2**63 + 2**11


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([1, None, 3], pa.uint8()), [1, np.nan, 3]),
        (pa.array([BIG, 0], pa.uint64()), [float(BIG), 0]),
        (pa.array([2**53 + 1, -(2**63)]), [float(2**53), -(2.0**63)]),
        (pa.array(np.array([1.5, np.nan, np.inf], np.float16)), [1.5, np.nan, np.inf]),
        (pa.array([decimal.Decimal("12345678901234567.25"), None]), [12345678901234567.25, np.nan]),
        (pa.array([decimal.Decimal("1E-3")], pa.decimal256(50, 20)), [0.001]),
        (pa.array([7, 7, None, 9]).dictionary_encode(), [7, 7, np.nan, 9]),
        (pa.array(["1.5", " 2 ", None]), [1.5, 2, np.nan]),
        (pa.array(["1.5", "2"]).dictionary_encode(), [1.5, 2]),
        (pa.nulls(2), [np.nan, np.nan]),
        (pa.nulls(2, pa.string()), [np.nan, np.nan]),
        (pa.RunEndEncodedArray.from_arrays([2, 3], [4, 5]), [4, 4, 5]),
    ],
)
def test_numbers_of_every_type(column, expected):
    assert np.array_equal(as_numbers(column, "t", 0, "a"), expected, equal_nan=True)


def test_what_only_says_how_values_are_stored_is_passed_over():
    class Metres(pa.ExtensionType):
        def __init__(self):
            super().__init__(pa.float64(), "test.metres")

        def __arrow_ext_serialize__(self):
            return b""

        @classmethod
        def __arrow_ext_deserialize__(cls, storage_type, serialized):
            return cls()

    metres = pa.ExtensionArray.from_storage(Metres(), pa.array([1.5, None]))
    assert kind_of(metres.type) == "number"
    assert np.array_equal(as_numbers(metres, "t", 0, "a"), [1.5, np.nan], equal_nan=True)
    if hasattr(pa, "string_view"):
        views = pa.array(["a", None, "True"], pa.string_view())
        assert (kind_of(views.type), as_text(views).to_pylist()) == ("category", ["a", None, "true"])
    if hasattr(pa, "bool8"):
        flags = pa.ExtensionArray.from_storage(pa.bool8(), pa.array([0, 1, None], pa.int8()))
        assert (kind_of(flags.type), as_text(flags).to_pylist()) == ("category", ["false", "true", None])


@pytest.mark.parametrize(
    "column",
    [pa.array([[1], [2]]), pa.array([{"a": 1}]), pa.array([b"\xff\xfe"]), pa.array([datetime.date(2024, 1, 5)])],
)
def test_what_is_no_number_and_no_text_is_named(column):
    assert kind_of(column.type) == "other"
    with pytest.raises(
        SourceError, match=r"^cannot read t: column 'a' holds .*, not numbers; leave it out of --columns"
    ):
        as_numbers(column, "t", 0, "a")
    if not pa.types.is_date(column.type):
        with pytest.raises(
            SourceError, match=r"^cannot read t: column 'a' holds .*, not text; leave it out of --encode"
        ):
            as_text(column, "t", "a")


def test_numbers_as_categories_read_alike(tmp_path):
    for year in (
        pa.array([2023, 2024]),
        pa.array([2023, 2024], pa.int16()),
        pa.array([2023.0, 2024.0]),
        pa.array(["2023", "2024"]),
    ):
        assert as_text(year).to_pylist() == ["2023", "2024"]


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
def test_tables_of_nothing(tmp_path, suffix):
    write = pq.write_table if suffix == ".parquet" else feather.write_feather
    path = tmp_path / f"t{suffix}"
    write(pa.table({"a": pa.array([], pa.float64())}), path)
    with open_table(path) as table, pytest.raises(SourceError, match="it has no rows; give a table with some"):
        list(read_rows(table, ColumnSelection(("a",))))
    write(pa.table({}), path)
    with pytest.raises(SourceError, match="it has no columns; give a table with at least one"):
        open_table(path)
    write(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), path) if suffix == ".parquet" else None
    if suffix == ".parquet":
        with pytest.raises(SourceError, match="it has two columns named 'a'; rename one"):
            open_table(path)


def test_names_with_characters_that_no_terminal_should_see(tmp_path):
    pq.write_table(pa.table({"a\x1b[31m\n": [1.0]}), tmp_path / "t.parquet")
    with open_table(tmp_path / "t.parquet") as table, pytest.raises(ValueError, match="has no column 'b'") as raised:
        table.check_names(["b"])
    assert str(raised.value).isprintable()


def test_masked_arrays_of_numpy_have_missing_values():
    masked = np.ma.MaskedArray([1.0, 2.0, 3.0], mask=[False, True, False])
    for table in ({"a": masked}, {"a": np.ma.MaskedArray([1, 2, 3], mask=[0, 1, 0])}):
        with open_table(table) as opened:
            (rows,) = read_rows(opened, ColumnSelection(("a",)), "drop")
        assert np.array_equal(rows.numbers.ravel(), [1, np.nan, 3], equal_nan=True)
    matrix = np.ma.MaskedArray([[1.0, 2.0], [3.0, 4.0]], mask=[[False, True], [False, False]])
    with open_table(matrix) as opened:
        (rows,) = read_rows(opened, ColumnSelection(("x0", "x1")), "drop")
    assert np.array_equal(rows.numbers, [[1, np.nan], [3, 4]], equal_nan=True)
