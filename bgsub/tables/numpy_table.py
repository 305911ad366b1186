"""NPY and NPZ: arrays of numbers as tables. Arrays of objects, which only pickle can read, are refused."""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.lib import format as npy

from bgsub.tables.damage import damage_named
from bgsub.tables.table import BLOCK_ROWS, Column, Kind, Table, kind_of, refusal
from bgsub.tables.unpacking import check_unpacked_size, members

_WHAT = "NPY or NPZ file"


class NumpyTable(Table):
    """A table whose columns are those of arrays.

    Parameters
    ----------
    name : str
        What messages call it.
    columns : mapping of str to ndarray
        A one-dimensional array for each column, all of one length.
    named : bool
        Whether the columns have names of their own, not only places.
    """

    def __init__(self, name: str, columns: Mapping[str, np.ndarray], *, named: bool = True) -> None:
        self._arrays = dict(columns)
        lengths = {len(array) for array in self._arrays.values()}
        if len(lengths) > 1:
            raise refusal(name, f"its arrays have {sorted(lengths)} rows; give arrays of one length")
        kinds = [Column(column, _kind(array)) for column, array in self._arrays.items()]
        super().__init__(name, kinds, min(lengths, default=0), named=named)

    def batches(self, wanted: Mapping[str, Kind]) -> Iterator[pa.RecordBatch]:
        """Yield the rows; see `Table.batches`."""
        for start in range(0, self.n_rows or 0, BLOCK_ROWS):
            block = [_arrow(self._arrays[name][start : start + BLOCK_ROWS]) for name in wanted]
            yield pa.RecordBatch.from_arrays(block, names=list(wanted))


def open_npy(path: Path, name: str = "") -> NumpyTable:
    """Open an NPY file without reading its rows: an array (N, D) with columns x0, x1, ..., or named fields.

    Raises
    ------
    SourceError
        When the file is damaged, holds objects, or an array of other than one or two dimensions.
    """
    name = name or str(path)
    with damage_named(name, _WHAT):
        with path.open("rb") as file:
            shape, dtype = _header(file, name)
            promised = file.tell() + math.prod(shape) * dtype.itemsize
            size = os.fstat(file.fileno()).st_size
        if size < promised:
            raise ValueError(f"{size} bytes where its header promises {promised}")
        array = np.empty(shape, dtype) if 0 in shape else np.load(path, mmap_mode="r", allow_pickle=False)
    return NumpyTable(name, columns_of(array, "x", name), named=bool(array.dtype.names))


def open_npz(path: Path, name: str = "") -> NumpyTable:
    """Read an NPZ file: one array as in NPY, or one column for each one-dimensional array, by name.

    An array (N, D) named a among others gives the columns a0, a1, ....

    Raises
    ------
    SourceError
        When the file is damaged, holds objects, or arrays of several lengths.
    """
    name = name or str(path)
    infos = [info for info in members(path, name, _WHAT) if info.filename.endswith(".npy")]
    check_unpacked_size(sum(info.file_size for info in infos), path.stat().st_size, name)
    with damage_named(name, _WHAT), zipfile.ZipFile(path) as archive:
        arrays = {info.filename.removesuffix(".npy"): _member(archive, info, name) for info in infos}
    if len(arrays) == 1:
        (array,) = arrays.values()
        return NumpyTable(name, columns_of(array, "x", name), named=bool(array.dtype.names))
    columns: dict[str, np.ndarray] = {}
    for title, array in arrays.items():
        for column, values in ({title: array} if array.ndim == 1 else columns_of(array, title, name)).items():
            if column in columns:
                raise refusal(name, f"it has two columns named {column!r}; rename one")
            columns[column] = values
    return NumpyTable(name, columns)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> np.ndarray:
    """Read an array of an archive, allocating no more than the archive's entry bears out."""
    with archive.open(info) as file:
        shape, dtype = _header(file, name)
        promised = file.tell() + math.prod(shape) * dtype.itemsize
    if info.file_size != promised:
        raise ValueError(f"{info.filename} has {info.file_size} bytes where its header promises {promised}")
    with archive.open(info) as file:
        return npy.read_array(file, allow_pickle=False)


def _header(file: IO[bytes], name: str) -> tuple[tuple[int, ...], np.dtype]:
    """Return shape and dtype of an array in the NPY format."""
    version = npy.read_magic(file)
    # 3.0 differs from 2.0 in the characters of fields' names alone, which do not matter here.
    read: Callable = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    if version not in ((1, 0), (2, 0), (3, 0)):
        raise refusal(name, f"its NPY format {version[0]}.{version[1]} is not known; save it again with numpy.save")
    shape, _, dtype = read(file)
    if any(length < 0 for length in shape):
        raise ValueError(f"shape {shape}")
    if dtype.hasobject:
        raise refusal(
            name, "it holds Python objects, which only pickle can read and pickle can do harm; save numbers or text"
        )
    return shape, dtype


def columns_of(array: np.ndarray, prefix: str, name: str) -> dict[str, np.ndarray]:
    """Return the columns of an array (N, D) or (N,), named by a prefix and their places, or of an array of records.

    Raises
    ------
    SourceError
        When it has another number of dimensions.
    """
    if array.dtype.names:
        if array.ndim != 1:
            raise refusal(name, f"an array of records has shape {array.shape}; give one dimension")
        return {field: array[field] for field in array.dtype.names}
    if array.ndim not in (1, 2):
        raise refusal(name, f"an array has shape {array.shape}; give rows and columns, (N, D)")
    matrix = array.reshape(len(array), -1) if array.ndim == 2 and array.size else np.atleast_2d(array.T).T
    return {f"{prefix}{index}": matrix[:, index] for index in range(matrix.shape[1])}


def _kind(array: np.ndarray) -> Kind:
    if array.ndim != 1:
        return "other"
    try:
        return kind_of(_arrow(array[:0]).type)
    except pa.ArrowNotImplementedError:
        return "other"


def _arrow(values: np.ndarray) -> pa.Array:
    """Return values as Arrow takes them: in a row, in this machine's order of bytes; masked ones as missing."""
    if isinstance(values, np.ma.MaskedArray):
        present = _arrow(values.data)
        return pc.if_else(pa.array(~np.ma.getmaskarray(values)), present, pa.scalar(None, present.type))
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    if values.dtype.kind in "fiub":
        values = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
        if values.dtype.itemsize > 8:  # long double
            values = values.astype(np.float64)
    return pa.array(values)
