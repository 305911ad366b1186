"""What a command is to work on: files, folders and patterns become a list of inputs, each with its place.

What exists under a name is that; only then is the name a pattern. A folder stands for the videos in it, or, where it
has none, for the one sequence of its pictures.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bgsub.errors import SourceError
from bgsub.jobs.folders import SEQUENCE, is_video
from bgsub.jobs.matches import (
    MOST_INPUTS,
    Match,
    absolute,
    exists,
    grouped,
    identity,
    matches_of,
    stands_for_many,
)
from bgsub.stores.addresses import is_stored, without_secrets
from bgsub.video.readers import image_names


@dataclass(frozen=True)
class Input:
    """One thing to read, and what its outputs are called.

    Attributes
    ----------
    source : str
        What `bgsub.open_source` takes.
    name : str
        Its own name, without folder and extension: ``street`` of ``clips/street.mp4``.
    full_name : str
        With the extension: tells ``a.ts`` from ``a.mp4``.
    folder : str
        Its folder below the folder that all inputs have in common, as ``cam1/monday``; empty at the top.
    error : str
        Why it cannot be read, as far as looking for it has shown; mostly empty.
    is_path : bool
        It is a file, a folder or a pattern of them, not a URL, a camera or standard input.
    pictures : tuple of str
        The pictures that are one sequence, of which `source` is the first; empty where it is another kind of input.
    """

    source: str
    name: str
    full_name: str
    folder: str = ""
    error: str = ""
    is_path: bool = True
    pictures: tuple[str, ...] = ()

    @property
    def reads(self) -> tuple[str, ...]:
        """What a job reads of it: itself, or all its pictures."""
        return self.pictures or (self.source,)

    @property
    def shown(self) -> str:
        """What messages call it: as it was found, without secrets."""
        more = f" and {len(self.pictures) - 1} more" if self.pictures else ""
        return without_secrets(self.source) + more if self.is_path else self.identity

    @property
    def identity(self) -> str:
        """What a manifest knows it by: its absolute path, or the URL or camera as named, but without secrets."""
        if self.pictures:
            return f"{without_secrets(str(absolute(self.source)))}+{len(self.pictures) - 1}#{_digest(*self.pictures)}"
        if self.is_path:
            return without_secrets(str(absolute(self.source)))
        bare = re.sub(r"://[^/]*@", "://", self.source.partition("?")[0])
        return bare if bare == self.source else f"{bare}#{_digest(self.source)}"


@dataclass(frozen=True)
class Inputs:
    """What was found.

    Attributes
    ----------
    each : tuple of Input
        In the order of the names given, and in a folder by the numbers in the files' names.
    several : bool
        More than one was asked for, or may be there tomorrow: several names, a folder of videos, a pattern of them.
    """

    each: tuple[Input, ...]
    several: bool

    @property
    def source(self) -> str | tuple[str, ...]:
        """All of them as the one source of a job; `SourceError` where looking for one has shown that it is none."""
        for item in self.each:
            if item.error:
                raise SourceError(item.error)
        names = tuple(name for item in self.each for name in item.reads)
        return names if len(names) > 1 else names[0]

    @property
    def name(self) -> str:
        """What outputs of all together are called: after the first, and how many follow."""
        more = f"+{len(self.each) - 1}" if len(self.each) > 1 else ""
        return self.each[0].name + more


def find_inputs(names: Sequence[str], *, recursive: bool = False, repeated: bool = False) -> Inputs:
    """Find what some names mean.

    Parameters
    ----------
    names : sequence of str
        Files; folders; patterns with ``*``, ``?``, ``[...]``, and ``**`` for folders at any depth; URLs, cameras and
        ``-`` as they are. Quotation marks around a path that was pasted are left out.
    recursive : bool
        Look into folders below the folders: for videos anywhere, and where there is none, for sequences of pictures.
    repeated : bool
        What is named twice is there twice, as in a film.

    Returns
    -------
    Inputs
        At least one for each name: one that is not there is an input that says so when it is read.

    Raises
    ------
    SourceError
        When no name is given, or there are more than `MOST_INPUTS`.
    """
    if not names:
        raise SourceError("no input is given: name a video, a folder or a pattern")
    found: list[Match] = []
    seen: set[str] = set()
    several = len(names) > 1
    for name in names:
        matches = list(itertools.islice(matches_of(name, recursive), MOST_INPUTS + 1))
        several = several or len(matches) > 1 or stands_for_many(name, matches)
        for match in matches:
            if repeated or identity(match) not in seen:
                found.append(match)
                seen.add(identity(match))
        if len(found) > MOST_INPUTS:
            raise SourceError(f"{name} stands for more than {MOST_INPUTS} inputs: give a part of them")
    found = grouped(found)
    return Inputs(tuple(_placed(found)), several and (len(found) > 1 or not found[0].pictures))


# --------------------------------------------------------------------------------------------------------------- places


def _placed(matches: Sequence[Match]) -> Iterator[Input]:
    """Yield the inputs with their places below the folder that all have in common."""
    root = _common([str(absolute(match.base)) for match in matches if match.base is not None])
    for match in matches:
        if match.base is None:
            name = _name_elsewhere(match.source)
            yield Input(match.source, name, name, is_path=False)
            continue
        path = absolute(match.source)
        if match.pictures or (not match.error and _is_sequence_name(path)):  # named as its folder
            path = path.parent
        # Each question to a store takes a while, and of what was listed as a video the answer is known.
        known = is_stored(match.source) and (match.error or is_video(path))
        is_folder = not known and path.is_dir()
        if path.name == SEQUENCE and is_folder:
            path = path.parent
        name = path.name if is_folder else path.stem
        names = name or "video", path.name or "video"
        yield Input(match.source, *names, _below(path.parent, root), match.error, pictures=match.pictures)


def _is_sequence_name(path: Path) -> bool:
    return image_names.is_pattern(path) and not exists(str(path))


def _below(folder: Path, root: str | None) -> str:
    """Return a folder as seen from `root`, with slashes; empty where it is not below it."""
    if root is None:
        return ""
    relative = Path(os.path.relpath(folder, root))
    return "" if ".." in relative.parts or relative == Path() else relative.as_posix()


def _common(folders: Sequence[str]) -> str | None:
    """Return the folder that all are in; None where there is none, as on two drives."""
    try:
        return os.path.commonpath(folders)
    except ValueError:
        return None


def _name_elsewhere(source: str) -> str:
    """Return a plain name for what is no path: ``stdin``, ``camera0``, ``host-stream``."""
    if source == "-":
        return "stdin"
    if source.isdecimal():
        return f"camera{source}"
    try:
        parts = urllib.parse.urlsplit(source)
        words: Iterable[str] = (parts.hostname or "", Path(urllib.parse.unquote(parts.path)).stem)
    except ValueError:  # brackets without an address
        words = ()
    return re.sub(r"[^A-Za-z0-9.]+", "-", "-".join(filter(None, words))).strip("-.") or "stream"


def _digest(*names: str) -> str:
    return hashlib.sha256("\0".join(names).encode(errors="surrogateescape")).hexdigest()[:8]
