"""What a file is, told by its first bytes: names lie."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from bgsub.tables.table import refusal

Contents = Literal[
    "Parquet",
    "Arrow",
    "Arrow stream",
    "Feather",
    "NPY",
    "ZIP",
    "NPZ",
    "Excel workbook",
    "gzip",
    "bzip2",
    "xz",
    "Zstandard",
    "JSON",
    "unknown",
]
"""Formats that are known by their first bytes; the others are text of some kind, or damaged."""

_HEAD = 512  # bytes

_BEGINNINGS: tuple[tuple[bytes, Contents], ...] = (  # with bytes that no text has: a column may be called PAR1
    (rb"PAR1.*[^\t\n\r -~]", "Parquet"),
    (rb"ARROW1\0", "Arrow"),
    (rb"\xff{4}", "Arrow stream"),
    (rb"FEA1\0", "Feather"),
    (rb"\x93NUMPY", "NPY"),
    (rb"PK(\x03\x04|\x05\x06)", "ZIP"),
    (rb"\x1f\x8b\x08", "gzip"),
    (rb"BZh[1-9](1AY&SY|\x17rE8P\x90)", "bzip2"),
    (rb"\xfd7zXZ\0", "xz"),
    (rb"\x28\xb5\x2f\xfd", "Zstandard"),
)
_SPREADSHEET = "open it in a spreadsheet and save it as .xlsx or .csv"
_FOREIGN = (
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", f"an old workbook (.xls), or one locked with a password; {_SPREADSHEET}"),
    (rb"%PDF-", "a PDF; save the table as .xlsx or .csv"),
    (rb"\x89HDF", "an HDF5 file; save the table as Parquet"),
    (rb"SQLite format 3\0", "a SQLite database; save the table as CSV"),
    (rb"ORC[^\n\r]*[^\t\n\r -~]", "an ORC file; save it as Parquet"),
    (rb"Obj\x01", "an Avro file; save it as Parquet"),
    (rb"MATLAB 5\.0 MAT", "a MATLAB file; save it as CSV or NPY"),
    (rb"RD[AX][23]\n", "a file of R's save(); write the table with write.csv"),
    (rb"\$FL[23]", "an SPSS file; save it as CSV"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
    (rb"Rar!\x1a", "a RAR archive; unpack it first"),
    (rb"(?s).{257}ustar", "a tar archive; unpack it first"),
)
_MARKUP = re.compile(rb"(?i)\s*(<!doctype|<html|<head|<body|<table|<\?xml|<meta|<style|<div|<workbook)")
_RECORDS = re.compile(rb'\s*(\{\s*"|\[\s*\{)')


def contents_of(path: Path, name: str) -> Contents:
    """Return what a file holds.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        What messages call it.

    Raises
    ------
    SourceError
        When it cannot be opened, or holds something that is known not to be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise refusal(name, f"{error.strerror or error}; check the file") from error
    for beginning, contents in _BEGINNINGS:
        if re.match(beginning, head, re.DOTALL):
            return contents
    for beginning, what in _FOREIGN:
        if re.match(beginning, head):
            raise refusal(name, f"it is {what}")
    text = head.removeprefix(b"\xef\xbb\xbf")
    if _MARKUP.match(text):
        raise refusal(name, f"it is a web page or XML, whatever its name says; {_SPREADSHEET}")
    return "JSON" if _RECORDS.match(text) else "unknown"
