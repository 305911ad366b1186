"""Damaged files: whatever the library raises, the answer is one line or the rows; nothing warns, nothing dies."""

import os
import subprocess
import sys

import numpy as np
import pytest

from bgsub.errors import SourceError
from bgsub.tables.sources import open_table
from tests.tables.files import values, write_as

PROGRAM = """
import sys, warnings
from pathlib import Path
import numpy as np
from bgsub.errors import BgsubError
from bgsub.tables.rows import ColumnSelection, read_rows
from bgsub.tables.sources import open_table

warnings.simplefilter("error")
whole, damaged = Path(sys.argv[1]), Path(sys.argv[2])
content, random = whole.read_bytes(), np.random.default_rng(0)
outcomes = set()
for _ in range(60):
    changed = bytearray(content)
    place = int(random.integers(min(len(content), random.choice([120, 400, len(content)]))))
    place = place if random.integers(3) else len(content) - 1 - place
    match random.integers(3):
        case 0:
            changed = changed[:place]
        case 1:
            changed[place] = random.integers(256)
        case 2:
            changed[place : place + 8] = bytes([random.choice([0, 127, 128, 255])] * 8)
    damaged.write_bytes(changed)
    try:
        with open_table(damaged) as table:
            numbers = tuple(c.name for c in table.columns if c.kind == "number")
            selection = ColumnSelection(numbers, kept=tuple(c.name for c in table.columns))
            list(read_rows(table, selection, "drop"))
        outcomes.add("read")
    except BgsubError as error:
        assert str(error).isprintable(), error
        outcomes.add("refused")
print(sorted(outcomes))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "suffix", [".npy", ".npz", ".parquet", ".feather", ".arrow", ".arrows", ".jsonl", ".csv.gz", ".csv.zip", ".xlsx"]
)
def test_damaged_files_are_one_line_or_read(tmp_path, suffix):
    """In a process of its own: a library that is led out of a file's bytes ends it."""
    whole = write_as(suffix, tmp_path, values()[:200])
    damaged = tmp_path / f"damaged{suffix}"
    arguments = [sys.executable, "-c", PROGRAM, str(whole), str(damaged)]
    done = subprocess.run(arguments, capture_output=True, text=True, env=dict(os.environ))
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "refused" in done.stdout


def header(text):
    text = text.ljust(118 - len(text) % 2) + "\n"
    return b"\x93NUMPY\x01\0" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    "text",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (60, 3",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000, 3), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 3), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -30), }",
        "{'descr': '<f8', 'fortran_order': 7, 'shape': (2, 3), }",
        "{'descr': '<q9', 'fortran_order': False, 'shape': (2, 3), }",
        "{'descr': [('a', '<f8'), ('a', '<f8')], 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (True, 3.5), }",
        "{'descr': '\\N{x}', 'fortran_order': False, 'shape': (2, 3), }",
        "(" * 110,
        "-" * 110,
        "\0" * 60,
        "",
    ],
)
def test_headers_of_arrays_that_lie(tmp_path, text, recwarn):
    (tmp_path / "t.npy").write_bytes(header(text) + bytes(48))
    with pytest.raises(
        SourceError, match=r"it is no NPY or NPZ file, or damaged .*; copy it again from its source"
    ) as e:
        open_table(tmp_path / "t.npy")
    assert str(e.value).isprintable()
    assert not recwarn.list


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_fields_with_names_in_other_scripts(tmp_path, suffix):
    array = np.zeros(3, [("größe", "f8"), ("重さ", "f4")])  # numpy writes its format 3.0
    array["重さ"] = [1, 2, 3]
    (np.save if suffix == ".npy" else np.savez)(tmp_path / f"t{suffix}", array)
    with open_table(tmp_path / f"t{suffix}") as table:
        assert [c.name for c in table.columns] == ["größe", "重さ"]
