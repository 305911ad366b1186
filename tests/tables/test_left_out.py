"""What is said of columns that are learned or left out: in which words, with which example."""

import datetime
import warnings

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bgsub.clustering.fitting import fit_table
from bgsub.errors import SourceError
from bgsub.tables.learning import Choice, prepared
from bgsub.tables.left_out import CodeWatch, IdWatch
from bgsub.tables.sources import open_table


def notes(values):
    """What a column of blocks of values gets said."""
    watch = IdWatch(["n"])
    for block in values:
        watch.add(np.asarray(block, np.float64)[:, None])
    return watch.notes()


RANDOM = np.random.default_rng(0)
LIKE_ID = "n counts from {} to {}: it looks like an id, --exclude n leaves it out"
RISES = "n has whole numbers that rise from row to row: if it is an id, --exclude n leaves it out"


@pytest.mark.parametrize(
    ("blocks", "line"),
    [
        ([range(60)], LIKE_ID.format(0, 59)),
        ([range(1, 6)], LIKE_ID.format(1, 5)),
        ([range(5000, 0, -1)], LIKE_ID.format(1, "5,000")),
        ([RANDOM.permutation(500)[:250], [1e6]], None),
        ([range(-3, 4)], LIKE_ID.format(-3, 3)),
        ([10**9 + RANDOM.permutation(300)], LIKE_ID.format("1,000,000,000", "1,000,000,299")),
        (np.split(RANDOM.permutation(70_000), 7), LIKE_ID.format(0, "69,999")),
        ([np.cumsum(RANDOM.integers(1, 9, 50))], RISES),
        ([[1, 2, 3, 4]], None),  # too few
        ([[1, 3, 4, 7, 9]], None),
        ([range(30), range(30)], None),
        ([[*range(30), 29.5]], None),
        ([[*range(30), np.nan]], None),
        ([[*range(30), 30, 30]], None),
        ([range(30), [29, 31, 32]], None),  # a number twice, another never
        ([[2**60 + 1, 2**60 + 3, 2**60 + 5, 2**60 + 7, 2**60 + 9]], None),
        ([RANDOM.poisson(3, 100)], None),
        ([[]], None),
    ],
)
def test_columns_that_number_the_rows_are_told(blocks, line):
    wanted = [] if line is None else [line]
    assert notes(blocks) == wanted
    watch = IdWatch(["n"])
    for block in blocks:  # of parts, put together
        part = IdWatch(["n"])
        part.add(np.asarray(block, np.float64)[:, None])
        watch.merge(part)
    assert watch.notes() == wanted


@pytest.mark.parametrize(
    ("blocks", "codes"),
    [
        ([[1210, 2300, -999, 1190]], [-999]),
        ([[20.5, 31.2], [18, 99, -99, 25]], [-99]),
        ([[-999, -999], [5, 6, 7]], [-999]),
        ([[5, 6, 7], [99999, np.nan, -9999]], [-9999, 99999]),
        ([[998, 999, 1001, 1050]], []),  # one among others
        ([[-1500, -999, -300, 20]], []),
        ([[-99, -70, 10]], []),  # not far
        ([[-999, -999]], []),
        ([[-999, 5]], []),
        ([[], [1, 2, 3]], []),
        ([[-998, 1, 2, 3]], []),
    ],
)
def test_numbers_that_stand_for_missing_are_told(blocks, codes):
    watch, of_parts = CodeWatch(["a", "n"]), CodeWatch(["a", "n"])
    for block in blocks:
        rows = np.stack([np.ones(len(block)), np.asarray(block, np.float64)], axis=1)
        watch.add(rows)
        part = CodeWatch(["a", "n"])
        part.add(rows)
        of_parts.merge(part)
    said = [f"n has {code} far from its other values: if it means a missing one, give --na {code}" for code in codes]
    assert watch.notes() == of_parts.notes() == said


def rows_of(n=60):
    return {"id": list(range(1, n + 1)), "a": (RANDOM.normal(size=n)).tolist()}


def test_columns_that_are_named_are_wanted():
    table = rows_of()
    assert fit_table(table, 1).notes == ("id counts from 1 to 60: it looks like an id, --exclude id leaves it out",)
    assert fit_table(table, 1, choice=Choice(("id", "a"))).notes == ()
    assert fit_table(table, 1, choice=Choice(exclude=("id",))).notes == ()


def test_everything_that_is_left_out_is_shown_in_every_kind_of_file(tmp_path):
    n = 30
    columns = {
        "a": RANDOM.normal(size=n),
        "kind": ["red", "blue"] * (n // 2),
        "day": [datetime.date(2024, 1, 5)] * n,
        "clock": [datetime.time(12, 30)] * n,
        "ok": [None, True, False] * (n // 3),
        "list": [[1, 2]] * n,
        "nothing": pa.nulls(n, pa.string()),
        "text": [None, "10.5 kg"] * (n // 2),
    }
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table(columns), path)
    (line,) = fit_table(path, 1).notes
    assert line == (
        "left out: kind, text such as 'red'; day, dates such as '2024-01-05': --dates day reads them; "
        "clock, times such as '12:30:00': --dates clock reads them; "
        "ok, true and false; list, values such as '[1, 2]'; nothing, empty; text, text such as '10.5 kg'"
    )
    (line,) = fit_table(path, 1, choice=Choice(encode=("kind",), exclude=("text", "list"))).notes
    assert line == (
        "left out: day, dates such as '2024-01-05': --dates day reads them; clock, times such as '12:30:00': --dates "
        "clock reads them; ok, true and false; nothing, empty"
    )
    (line,) = fit_table(path, 1, choice=Choice(exclude=("day", "clock", "ok", "nothing"))).notes
    assert line == "left out: kind, text such as 'red'; list, values such as '[1, 2]'; text, text such as '10.5 kg'"


def test_of_many_columns_some_are_shown():
    table = {"a": [1.5, 2.5, 4.0], **{f"t{i}": ["x", "y", "z"] for i in range(300)}}
    (line,) = fit_table(table, 1).notes
    assert line.startswith("left out: t0, text such as 'x'; t1,")
    assert line.endswith("t9, text such as 'x'; and 290 more")


def test_a_column_with_values_far_below_is_not_left_out_unsaid(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,late\n" + "1.5,\n2.5,\n" * 500_000 + "2,7\n")
    with (
        open_table(path) as table,
        pytest.raises(SourceError, match="column 'late' is empty for 4 MB and then holds '7'"),
    ):
        prepared(table, Choice()).__enter__()
    with open_table(path) as table, prepared(table, Choice(exclude=("late",))) as rows:
        assert len(rows.matrix) == 1_000_001
        assert table.notes == []


def test_what_was_taken_for_missing_is_told_before_the_error(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n?,3\n4,5\n")
    with open_table(path) as table:
        with pytest.raises(SourceError, match="row 2, column 'a' is missing"), prepared(table, Choice()):
            pass
        assert table.notes == ["took '?' for missing in a"]


def test_a_long_id_is_told_without_a_warning():
    """Sums of mixed bits wrap around, as they are meant to."""
    watch = IdWatch(["customer"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for start in range(0, 1_200_000, 200_000):
            watch.add(np.arange(start + 200_000, start, -1.0)[:, None])
        (note,) = watch.notes()
    assert note.startswith("customer counts from 1 to 1,200,000: it looks like an id")
