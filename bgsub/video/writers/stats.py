"""A table of how much of each frame moves: CSV or JSON lines, whole lines at any moment."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from io import BufferedWriter
from pathlib import Path

import numpy as np

from bgsub.errors import OutputError
from bgsub.masks import foreground_share
from bgsub.outputs import PathLike, check_output
from bgsub.video.frame import Frame
from bgsub.video.sink import Sink

STATS_SUFFIXES = (".csv", ".jsonl", ".ndjson")


def _csv_line(frame: Frame, share: float) -> str:
    return f"{frame.index},{frame.time:.6f},{share:.6f}\n"


def _json_line(frame: Frame, share: float) -> str:
    return f'{{"index": {frame.index}, "time": {frame.time:.6f}, "foreground": {share:.6f}}}\n'


def stats_sink(path: PathLike, *, overwrite: bool = False, source: PathLike | None = None) -> Sink:
    """Return a sink that writes index, time in seconds, and share of foreground pixels of each frame.

    Parameters
    ----------
    path : path-like
        ``.csv`` with a header, ``.jsonl`` or ``.ndjson``; ``-`` is CSV on standard output.
    overwrite : bool
        Let an existing file be replaced, when the first frame comes.
    source : path-like, optional
        What is read: it is never an output.

    Raises
    ------
    OutputError
        When the path cannot be written, see `check_output`.

    Notes
    -----
    Where the reader of standard output goes away, writing raises `BrokenPipeError`.
    """
    if str(path) == "-":
        return StatsTable(None, _csv_line, "index,time,foreground\n")
    checked = check_output(path, overwrite=overwrite, source=source, suffixes=STATS_SUFFIXES)
    if checked.suffix.lower() == ".csv":
        return StatsTable(checked, _csv_line, "index,time,foreground\n")
    return StatsTable(checked, _json_line, "")


class StatsTable(Sink):
    """Writes a line a frame to a file, or to standard output where `path` is None.

    Each line goes to the system at once and in one piece: a killed run leaves whole lines, a reader sees them
    as they come, and a line costs microseconds.
    """

    def __init__(self, path: Path | None, line: Callable[[Frame, float], str], header: str) -> None:
        self.path = path
        self._line = line
        self._header = header
        self._file: BufferedWriter | None = None
        self._size = 0  # bytes of whole lines
        self._closed = False

    def write(self, frame: Frame, mask: np.ndarray) -> None:
        """Write one line."""
        if self._closed:
            raise ValueError("write to a closed sink")
        share = foreground_share(mask)
        text = self._header + self._line(frame, share)
        try:
            self._put(text)
        except OSError as error:
            self._fail()
            if self.path is None and isinstance(error, BrokenPipeError):
                raise  # whoever read it has had enough: no fault of anybody's
            name = "standard output" if self.path is None else self.path
            raise OutputError(
                f"cannot write {name}: {error.strerror}; all lines before frame {frame.index} are intact; "
                "free some space or choose another output"
            ) from error
        self._header = ""
        self._size += len(text)

    def close(self) -> None:
        """Close the file; standard output stays open."""
        self._closed = True
        if self._file is not None:
            self._file.close()
            self._file = None

    def _put(self, text: str) -> None:
        """Write and flush."""
        if self.path is None:
            sys.stdout.write(text)
            sys.stdout.flush()
            return
        if self._file is None:
            self._file = self.path.open("wb")
            self.wrote = True
        self._file.write(text.encode("ascii"))
        self._file.flush()

    def _fail(self) -> None:
        """Cut off half a line, and close."""
        if self._file is not None:
            raw = self._file.raw
            with suppress(OSError):
                raw.truncate(self._size)
            raw.close()  # first: closing the buffer would try to write its half line again
            with suppress(OSError, ValueError):
                self._file.close()
            self._file = None
            if self._size == 0 and self.path is not None and self.path.is_file():
                self.path.unlink()
                self.wrote = False
        self._closed = True
