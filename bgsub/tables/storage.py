"""Rows for learning, which reads them again and again: kept in a temporary file that is mapped into memory."""

from __future__ import annotations

import tempfile
from types import TracebackType
from typing import Self

import numpy as np

from bgsub.errors import OutputError


class RowStore:
    """A growing matrix of float64 that needs no more memory than there is.

    The rows go to a nameless temporary file. Mapped into memory it is as fast as an array while there is room, and
    where there is not the operating system keeps on disk what does not fit.

    Parameters
    ----------
    n_columns : int
        Columns of the matrix.
    """

    def __init__(self, n_columns: int) -> None:
        self._n_columns = n_columns
        self._n_rows = 0
        self._file = tempfile.TemporaryFile(prefix="bgsub-")  # noqa: SIM115 (open as long as the store)

    def append(self, rows: np.ndarray) -> None:
        """Add rows (n, n_columns) at the end.

        Raises
        ------
        OutputError
            When the disk is full.
        """
        try:
            self._file.write(np.ascontiguousarray(rows, np.float64).data)
        except OSError as error:
            raise OutputError(
                f"cannot keep the rows in {tempfile.gettempdir()}: {error.strerror or error}; make room, or let TMPDIR "
                "name a folder on a larger disk"
            ) from error
        self._n_rows += len(rows)

    def matrix(self) -> np.ndarray:
        """Return all rows (n_rows, n_columns), writable, valid as long as the store is open."""
        if self._n_rows == 0:
            return np.empty((0, self._n_columns))
        self._file.flush()
        return np.memmap(self._file, np.float64, "r+", shape=(self._n_rows, self._n_columns))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
