"""What of many inputs is done: a file of JSON lines beside the results, so that a run goes on where one ended.

Each line tells of one input: which it was (path, size, time of its last change), by which settings it was worked on (a
digest), what came of it (files, named from the manifest's folder), and how that ended. Lines are appended as things
happen, each in one piece, and the last line of an input counts; when a run begins and ends, the file is written anew
with one line for each. Whoever is killed leaves whole lines, and the file of before or after.

A manifest is data: what it says is compared, shown and checked for being there. No name in it is ever opened for
writing, or removed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any, Literal, Self, get_args

from bgsub.errors import OutputError
from bgsub.jobs.ledger import LONGEST_LINE, Ledger, ledger_at

logger = logging.getLogger(__name__)

MANIFEST = "bgsub.jsonl"
"""Name of the file in the folder of results."""

MOST_ENTRIES = 1_000_000

State = Literal["started", "done", "failed", "interrupted"]


@dataclass(frozen=True)
class Stamp:
    """By which a file, or a folder of pictures, is known to be the one that was read.

    Attributes
    ----------
    size : int or None
        Bytes, of a folder's pictures together; None of what has no size: a camera, a stream.
    mtime : float or None
        When it was last changed, in seconds since 1970, to the microsecond; the latest of a folder's pictures.
    """

    size: int | None = None
    mtime: float | None = None

    @classmethod
    def of(cls, files: list[Path]) -> Self:
        """Return the stamp of files that make one input; without a size where one is missing, or there is none."""
        try:
            facts = [file.stat() for file in files]
        except (OSError, ValueError):
            return cls()
        if not facts or not all(stat.S_ISREG(fact.st_mode) for fact in facts):
            return cls()
        return cls(sum(fact.st_size for fact in facts), round(max(fact.st_mtime_ns for fact in facts) / 1e9, 6))


@dataclass(frozen=True)
class Entry:
    """What is known of one input.

    Attributes
    ----------
    input : str
        Its absolute path; a URL or a camera as it was named.
    size, mtime : int or None, float or None
        Its `Stamp` when its work began.
    settings : str
        Digest of all that decides what comes out: see `digest`.
    outputs : tuple of str
        What was made of it, as paths below the manifest's folder, with slashes.
    state : {'started', 'done', 'failed', 'interrupted'}
        How far it came. What is 'started' in a manifest that nobody works on was killed.
    error : str or None
        Why it failed, in one line.
    frames : int or None
        How many were masked.
    """

    input: str
    size: int | None
    mtime: float | None
    settings: str
    outputs: tuple[str, ...] = ()
    state: State = "started"
    error: str | None = None
    frames: int | None = None

    @property
    def stamp(self) -> Stamp:
        """Size and time of the input."""
        return Stamp(self.size, self.mtime)

    def line(self) -> bytes:
        """Return the entry as a line; a message that makes it too long is cut."""
        values = asdict(self)
        if self.error and len(self.error) > 1000:
            values["error"] = f"{self.error[:1000]}..."
        return json.dumps(values).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Self | None:
        """Return the entry of a line, or None where it is none; names that later versions add are left out."""
        try:
            values = json.loads(line)
        except (ValueError, RecursionError):
            return None
        match values:
            case {
                "input": str(),
                "size": int() | None,
                "mtime": float() | int() | None,
                "settings": str(),
                "outputs": list(outputs),
                "state": str(state),
            } if state in get_args(State) and all(isinstance(name, str) for name in outputs):
                known = {field.name for field in fields(cls)} & set(values)
                rest = {"error": _text(values.get("error")), "frames": _whole(values.get("frames"))}
                return cls(**{name: values[name] for name in known} | {"outputs": tuple(outputs)} | rest)
        return None


class Manifest:
    """The entries of a folder, open for one process; a context manager.

    Parameters
    ----------
    folder : Path
        Folder of the results, which is there, or is on a store.
    name : str
        Of the file: results of another kind have a manifest of their own.

    Raises
    ------
    OutputError
        When another process has it open, or the file is no manifest, or cannot be read or written.

    Notes
    -----
    On Unix, and on most network drives, it is seen when another process works in the folder; a killed one is none. On
    a store that is not seen; who ends last takes over what the other has done.
    """

    def __init__(self, folder: Path, name: str = MANIFEST) -> None:
        self.folder = folder
        self.path = folder / name
        self._ledger = ledger_at(self.path)
        self._changed = False
        try:
            self._entries, untidy = _read(self._ledger, self.path)
            if untidy:
                self._ledger.rewrite(entry.line() for entry in self)
        except BaseException:
            self._ledger.close()
            raise

    def get(self, name: str) -> Entry | None:
        """Return what is known of an input."""
        return self._entries.get(name)

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries.values()))

    def add(self, *entries: Entry) -> None:
        """Put entries down, each in place of an earlier one of the same input; they are safe when this returns.

        Raises
        ------
        OutputError
            When they cannot be written.
        """
        lines = []
        for entry in entries:
            self._entries[entry.input] = entry
            lines.append(entry.line())
            if len(lines[-1]) > LONGEST_LINE:
                raise OutputError(
                    f"cannot write {self.path}: the names of {entry.input[:60]}... are too long; shorten them"
                )
        if lines:
            self._changed = True
            self._ledger.append(b"".join(lines))

    def missing(self, entry: Entry) -> list[str]:
        """Return the outputs of an entry that are not there, or that no run of ours would have named."""
        return [name for name in entry.outputs if not _is_below(name) or not (self.folder / name).exists()]

    def close(self) -> None:
        """Write the file with one line for each input, and let others have the folder."""
        try:
            if self._changed:
                self._changed = False
                if self._ledger.is_shared:
                    with contextlib.suppress(OutputError):  # a store that does not answer is told of in a moment
                        self._take_over()
                self._ledger.rewrite(entry.line() for entry in self)
        finally:
            self._ledger.close()

    def _take_over(self) -> None:
        """Take what another run has put down meanwhile, and this one does not know or has not done."""
        for line in self._ledger.lines():
            entry = Entry.from_line(line)
            ours = None if entry is None else self._entries.get(entry.input)
            if entry is not None and (ours is None or (ours.state != "done" and entry.state == "done")):
                self._entries[entry.input] = entry

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def digest(settings: Mapping[str, Any], files: Mapping[str, str | os.PathLike[str]] = {}) -> str:
    """Return a digest of settings: equal for equal ones.

    Parameters
    ----------
    settings : mapping
        What JSON can hold, in any order.
    files : mapping of str to path-like
        Files that are settings too, by what they are: their contents count, not their names. One that cannot be read
        counts as missing: who opens it says so.

    Returns
    -------
    str
        32 hexadecimal digits.
    """
    contents = {}
    for name, path in files.items():
        with contextlib.suppress(OSError, ValueError), Path(path).open("rb") as file:
            contents[name] = hashlib.file_digest(file, "sha256").hexdigest()
    text = json.dumps({"settings": settings, "files": contents}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _read(ledger: Ledger, path: Path) -> tuple[dict[str, Entry], bool]:
    """Return the entries by input, and whether there are lines that are superseded or broken."""
    entries: dict[str, Entry] = {}
    broken, lines = 0, 0
    for line in ledger.lines():
        lines += 1
        entry = Entry.from_line(line) if line.endswith(b"\n") else None
        if entry is not None:
            entries[entry.input] = entry
        elif line.endswith(b"\n") and lines == 1:
            raise OutputError(
                f"cannot use {path}: it is no list of finished inputs; move it away or choose another folder"
            )
        else:
            broken += 1
        if len(entries) > MOST_ENTRIES:
            raise OutputError(f"cannot use {path}: it has more than {MOST_ENTRIES} inputs; use another folder")
    if broken:
        logger.warning("%s: %d damaged lines are left out; what they told of is done again", path, broken)
    return entries, lines > len(entries)


def _is_below(name: str) -> bool:
    """Say whether a path of an entry stays in the manifest's folder."""
    path = PurePosixPath(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts and "\0" not in name and ":" not in name[:2]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: object) -> int | None:
    return value if type(value) is int else None
