"""What a command is to work on: files, folders and patterns become a list of inputs, each with its place.

What exists under a name is that; only then is the name a pattern. A folder stands for the videos in it, or, where it
has none, for the one sequence of its pictures.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import itertools
import logging
import os
import re
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bgsub.errors import SourceError
from bgsub.jobs.folders import (
    SEQUENCE,
    files_in,
    folders_below,
    has_pictures,
    is_image,
    is_made,
    is_sequence,
    is_video,
    nothing_in,
    taken,
    without_made,
)
from bgsub.video.readers import image_names

logger = logging.getLogger(__name__)

MOST_INPUTS = 1_000_000
"""More are refused: a pattern that meets so many was not meant."""

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_QUOTES = ("'", '"')


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
    """

    source: str
    name: str
    full_name: str
    folder: str = ""
    error: str = ""
    is_path: bool = True

    @property
    def shown(self) -> str:
        """What messages call it: as it was found, without secrets."""
        return self.source if self.is_path else self.identity

    @property
    def identity(self) -> str:
        """What a manifest knows it by: its absolute path, or the URL or camera as named, but without secrets."""
        if self.is_path:
            return str(_absolute(self.source))
        bare = re.sub(r"://[^/]*@", "://", self.source.partition("?")[0])
        return bare if bare == self.source else f"{bare}#{hashlib.sha256(os.fsencode(self.source)).hexdigest()[:8]}"


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
        names = tuple(item.source for item in self.each)
        return names if len(names) > 1 else names[0]

    @property
    def name(self) -> str:
        """What outputs of all together are called: after the first, and how many follow."""
        more = f"+{len(self.each) - 1}" if len(self.each) > 1 else ""
        return self.each[0].name + more


@dataclass(frozen=True)
class _Match:
    """A source, and the folder that its place is told from."""

    source: str
    base: str | None = None  # None where it is no path
    error: str = ""


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
    found: list[_Match] = []
    seen: set[str] = set()
    several = len(names) > 1
    for name in names:
        matches = list(itertools.islice(_matches(name, recursive), MOST_INPUTS + 1))
        several = several or len(matches) > 1 or _stands_for_many(name, matches)
        for match in matches:
            if repeated or _identity(match) not in seen:
                found.append(match)
                seen.add(_identity(match))
        if len(found) > MOST_INPUTS:
            raise SourceError(f"{name} stands for more than {MOST_INPUTS} inputs: give a part of them")
    return Inputs(tuple(_placed(found)), several)


def unquoted(name: str) -> str:
    """Return a path as it was meant: without the quotation marks that came along when it was pasted, ``~`` as home."""
    if _exists(name):
        return name
    bare = name.strip()
    if len(bare) > 2 and bare[0] == bare[-1] and bare[0] in _QUOTES:
        return bare[1:-1]
    if name.startswith("~"):
        with contextlib.suppress(RuntimeError):  # there is no such user
            return str(Path(name).expanduser())
    return name


def is_pattern(name: str) -> bool:
    """Say whether a path that does not exist holds one of the wildcards ``* ? [``."""
    return any(character in name for character in "*?[")


# --------------------------------------------------------------------------------------------------- one name's matches


def _matches(name: str, recursive: bool) -> Iterator[_Match]:
    """Yield what one name means."""
    if name.lower().startswith("file://"):
        name = urllib.request.url2pathname(urllib.parse.urlsplit(name).path)
    if name in ("", "-") or _URL.match(name) or (name.isdecimal() and not _exists(name)):
        yield _Match(name)
        return
    name = unquoted(name)
    path = Path(name)
    if path.is_dir():
        yield from _in_tree(path) if recursive else _in_folder(path)
    elif _exists(name) or not is_pattern(name):
        yield _Match(name, str(path.parent))
    else:
        yield from _of_pattern(name, recursive)


def _in_folder(folder: Path) -> Iterator[_Match]:
    """Yield the videos of a folder, or the folder itself as a sequence of pictures."""
    try:
        files = files_in(folder)
    except SourceError as error:
        yield _Match(str(folder), str(folder.absolute().parent), str(error))
        return
    videos = [file for file in files if is_video(file)]
    wanted = without_made(videos, str(folder))
    if wanted:
        pictures = sum(map(is_image, files)) or has_pictures(folder / SEQUENCE)
        if pictures:
            logger.warning("%s holds videos and pictures: the %s", folder, taken(len(wanted)))
        yield from (_Match(str(file), str(folder)) for file in wanted)
    elif is_sequence(folder):
        yield _sequence(folder)
    else:
        yield _Match(str(folder), str(folder.absolute().parent), nothing_in(folder, bool(videos)))


def _in_tree(root: Path) -> Iterator[_Match]:
    """Yield the videos in a folder and below it, or the sequences of pictures there if it has no video."""
    videos, sequences, unreadable = [], [], 0
    for folder in folders_below(root):
        try:
            files = files_in(folder)
        except SourceError as error:
            unreadable += 1
            yield _Match(str(folder), str(root), str(error))
            continue
        videos += [file for file in files if is_video(file)]
        if is_sequence(folder):
            sequences.append(folder)
        if len(videos) > MOST_INPUTS:
            break
    wanted = without_made(videos, str(root))
    if wanted:
        if sequences:
            logger.warning("%s holds videos and folders of pictures: the %s", root, taken(len(wanted)))
        yield from (_Match(str(file), str(root)) for file in wanted)
    elif sequences:
        for folder in sequences:
            yield _sequence(folder, base=root)
    elif not unreadable:
        yield _Match(str(root), str(root.absolute().parent), nothing_in(root, bool(videos), searched=True))


def _of_pattern(pattern: str, recursive: bool) -> Iterator[_Match]:
    """Yield the videos that a pattern meets, or the pattern as a sequence of pictures; at last what folders hold."""
    base, met = _met_by(pattern)
    files = [path for path in met if path.is_file() or not path.exists()]
    videos = [path for path in files if is_video(path)] or [path for path in files if not is_image(path)]
    wanted = videos if is_made(pattern) else without_made(videos, pattern)
    pictures = [path for path in files if is_image(path)]
    if wanted and pictures:
        logger.warning("%s meets videos and pictures: the %s", pattern, taken(len(wanted)))
    yield from (_Match(str(path), base) for path in wanted)
    if pictures and not wanted:
        for folder in dict.fromkeys(path.parent for path in pictures):
            above = base if folder != Path(base) else str(folder.absolute().parent)
            yield _Match(str(folder / Path(pattern).name), above)
    found = bool(wanted or pictures)
    folders = [] if found and "**" in pattern else [path for path in met if path.is_dir()]
    for folder in folders:
        for match in _in_tree(folder) if recursive else _in_folder(folder):
            if not (found and match.error):
                yield _Match(match.source, base, match.error)
    if not (found or folders):
        reason = "only masks and other results fit this pattern" if videos else "no file fits this pattern"
        yield _Match(pattern, base, f"cannot open {pattern}: {reason}; check it and its folder")


def _met_by(pattern: str) -> tuple[str, list[Path]]:
    """Return the folder that a pattern begins in, and what it meets, visible and in order.

    Folders in it that exist under their names are meant literally: ``my [1]/*.mp4``.
    """
    parts = Path(pattern).parts
    fixed, position = Path(), 0
    while position < len(parts) - 1 and (not is_pattern(parts[position]) or _exists(str(fixed / parts[position]))):
        fixed /= parts[position]
        position += 1
    names = glob.iglob("/".join(parts[position:]), root_dir=fixed, recursive=True)  # noqa: PTH207 - it shows hidden ones
    met = [fixed / name for name in itertools.islice(names, MOST_INPUTS + 1)]
    return str(fixed), sorted(met, key=_path_order)


def _stands_for_many(name: str, matches: Sequence[_Match]) -> bool:
    """Say whether a name stands for what is there, be it one file today: a folder of videos, or a pattern."""
    return (
        len(matches) == 1
        and matches[0].base is not None
        and Path(matches[0].source).is_file()
        and (not _exists(unquoted(name)) or Path(unquoted(name)).is_dir())
    )


def _sequence(folder: Path, base: Path | None = None) -> _Match:
    """Return a folder of pictures; it is named as itself, so that its place is told from the folder above it."""
    above = folder.absolute().parent if base is None or folder == base else base
    return _Match(str(folder), str(above))


# --------------------------------------------------------------------------------------------------------------- places


def _placed(matches: Sequence[_Match]) -> Iterator[Input]:
    """Yield the inputs with their places below the folder that all have in common."""
    root = _common([str(_absolute(match.base)) for match in matches if match.base is not None])
    for match in matches:
        if match.base is None:
            name = _name_elsewhere(match.source)
            yield Input(match.source, name, name, is_path=False)
            continue
        path = _absolute(match.source)
        if _is_sequence_name(path):  # named as its folder
            path = path.parent
        if path.name == SEQUENCE and path.is_dir():
            path = path.parent
        name = path.name if path.is_dir() else path.stem
        yield Input(match.source, name or "video", path.name or "video", _below(path.parent, root), match.error)


def _is_sequence_name(path: Path) -> bool:
    return not _exists(str(path)) and image_names.is_pattern(path)


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


def _identity(match: _Match) -> str:
    """Return what two names of one input have in common."""
    return match.source if match.base is None else os.path.normcase(_absolute(match.source))


def _path_order(path: Path) -> tuple[list[list[tuple[str, int]]], str]:
    return [image_names.number_order(Path(part)) for part in path.parts[:-1]] + [image_names.number_order(path)], str(
        path
    )


def _absolute(path: str) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - a link keeps its own name


def _exists(name: str) -> bool:
    return os.path.lexists(name)
