"""What one name on a command line means: one source, or those that a folder or a pattern stands for."""

from __future__ import annotations

import glob
import itertools
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bgsub.errors import SourceError
from bgsub.jobs.folders import (
    SEQUENCE,
    files_in,
    films_among,
    folders_below,
    has_pictures,
    holds_several,
    is_image,
    is_made,
    is_sequence,
    is_video,
    name_order,
    nothing_in,
    taken,
    without_made,
)
from bgsub.stores.addresses import ADVICE, is_stored, without_secrets
from bgsub.stores.store_paths import StorePath, as_path
from bgsub.video.locating import locate, readings
from bgsub.video.readers import image_names

logger = logging.getLogger(__name__)

MOST_INPUTS = 1_000_000
"""More are refused: a pattern that meets so many was not meant."""


@dataclass(frozen=True)
class Match:
    """A source, and the folder that its place is told from."""

    source: str
    base: str | None = None  # None where it is no path
    error: str = ""
    pictures: tuple[str, ...] = ()


def matches_of(name: str, recursive: bool) -> Iterator[Match]:
    """Yield what one name means."""
    try:
        yield from _meant_by(name, recursive)
    except OSError as error:
        if not is_stored(name):
            raise
        reason = f"cannot look into {without_secrets(name)}: {error.strerror or error}; {ADVICE}"
        yield Match(name, str(as_path(name).parent), reason)


def _meant_by(name: str, recursive: bool) -> Iterator[Match]:
    found = locate(name) if name else name
    if not isinstance(found, Path):
        yield Match(str(found))
    elif found.is_dir():
        yield from _in_tree(found) if recursive else _in_folder(found)
    elif exists(str(found)) or not any(map(is_pattern, readings(name))):
        yield Match(str(found), str(found.parent))
    else:
        patterns = [text for text in readings(name) if is_pattern(text)]
        fits = (pattern for pattern in patterns if _met_by(pattern)[1])
        yield from _of_pattern(next(fits, patterns[0]), recursive)


def _in_folder(folder: Path) -> Iterator[Match]:
    """Yield the videos of a folder, or the folder itself as a sequence of pictures."""
    try:
        files = files_in(folder)
    except SourceError as error:
        yield Match(str(folder), str(folder.absolute().parent), str(error))
        return
    videos = [file for file in files if is_video(file)]
    wanted = without_made(videos, str(folder)) or films_among(files)
    if wanted:
        if has_pictures(folder / SEQUENCE) or any(is_image(file) and file not in wanted for file in files):
            logger.warning("%s holds videos and pictures: the %s", folder, taken(len(wanted)))
        yield from (Match(str(file), str(folder)) for file in wanted)
    elif is_sequence(folder):
        yield _sequence(folder)
    else:
        yield Match(str(folder), str(folder.absolute().parent), nothing_in(folder, bool(videos)))


def _in_tree(root: Path) -> Iterator[Match]:
    """Yield the videos in a folder and below it, or the sequences of pictures there if it has no video."""
    videos, sequences, unreadable = [], [], 0
    for folder in folders_below(root):
        try:
            files = files_in(folder)
        except SourceError as error:
            unreadable += 1
            yield Match(str(folder), str(root), str(error))
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
        yield from (Match(str(file), str(root)) for file in wanted)
    elif sequences:
        for folder in sequences:
            films = films_among(files_in(folder))
            yield from (Match(str(film), str(root)) for film in films)
            if not films:
                yield _sequence(folder, base=root)
    elif not unreadable:
        yield Match(str(root), str(root.absolute().parent), nothing_in(root, bool(videos), searched=True))


def _of_pattern(pattern: str, recursive: bool) -> Iterator[Match]:
    """Yield the videos that a pattern meets, or the pattern as a sequence of pictures; at last what folders hold."""
    base, met = _met_by(pattern)
    files = [path for path in met if path.is_file() or not path.exists()]
    videos = [path for path in files if is_video(path)] or [path for path in files if not is_image(path)]
    wanted = (videos if is_made(pattern) else without_made(videos, pattern)) or films_among(files)
    pictures = [path for path in files if is_image(path) and path not in wanted]
    if wanted and pictures:
        logger.warning("%s meets videos and pictures: the %s", pattern, taken(len(wanted)))
    yield from (Match(str(path), base) for path in wanted)
    if pictures and not wanted:
        for folder in dict.fromkeys(path.parent for path in pictures):
            above = base if folder != as_path(base) else str(folder.absolute().parent)
            yield Match(str(folder / Path(pattern).name), above)
    found = bool(wanted or pictures)
    folders = [] if found and "**" in pattern else [path for path in met if path.is_dir()]
    for folder in folders:
        for match in _in_tree(folder) if recursive else _in_folder(folder):
            if not (found and match.error):
                yield Match(match.source, base, match.error)
    if not (found or folders):
        reason = "only masks and other results fit this pattern" if videos else "no file fits this pattern"
        yield Match(pattern, base, f"cannot open {pattern}: {reason}; check it and its folder")


def _met_by(pattern: str) -> tuple[str, list[Path]]:
    """Return the folder that a pattern begins in, and what it meets, visible and in order.

    Folders in it that exist under their names are meant literally: ``my [1]/*.mp4``.
    """
    whole = as_path(pattern)
    parts, position = whole.parts, 0
    fixed = type(whole)()
    while position < len(parts) - 1 and (not is_pattern(parts[position]) or exists(str(fixed / parts[position]))):
        fixed /= parts[position]
        position += 1
    rest = "/".join(parts[position:])
    if isinstance(fixed, StorePath):
        found = (path for path in fixed.matching(rest) if not any(part.startswith(".") for part in path.parts))
        met: list[Path] = list(itertools.islice(found, MOST_INPUTS + 1))
    else:
        names = glob.iglob(rest, root_dir=fixed, recursive=True)  # noqa: PTH207 - pathlib's shows hidden ones
        met = [fixed / name for name in itertools.islice(names, MOST_INPUTS + 1)]
    return str(fixed), sorted(met, key=_path_order)


def stands_for_many(name: str, matches: Sequence[Match]) -> bool:
    """Say whether a name stands for what is there, be it one file today: a folder of videos, or a pattern."""
    named = locate(name) if name else name
    one_file = len(matches) == 1 and matches[0].base is not None and not matches[0].error
    one_file = one_file and as_path(matches[0].source).is_file()
    return one_file and isinstance(named, Path) and (named.is_dir() or not exists(str(named)))


def _sequence(folder: Path, base: Path | None = None) -> Match:
    """Return a folder of pictures; it is named as itself, so that its place is told from the folder above it."""
    above = folder.absolute().parent if base is None or folder == base else base
    return Match(str(folder), str(above))


def grouped(matches: Sequence[Match]) -> list[Match]:
    """Make one sequence of the pictures of each folder: they were named one by one by a shell that knows ``*.png``."""
    series: dict[Path, list[str]] = {}
    for match in matches:
        if _is_picture(match):
            series.setdefault(absolute(match.source).parent, []).append(match.source)
    result = []
    for match in matches:
        files = series.get(absolute(match.source).parent, []) if _is_picture(match) else []
        if len(files) < 2:
            result.append(match)
        elif match.source == files[0]:
            pictures = tuple(sorted(files, key=lambda name: name_order(Path(name))))
            folder = absolute(pictures[0]).parent
            logger.info("%d pictures in %s are taken for one sequence", len(pictures), folder.name)
            result.append(Match(pictures[0], str(folder.parent), pictures=pictures))
    return result


def _is_picture(match: Match) -> bool:
    path = as_path(match.source)
    return match.base is not None and is_image(path) and path.is_file() and not holds_several(path)


def is_pattern(name: str) -> bool:
    """Say whether a path that does not exist holds one of the wildcards ``* ? [``."""
    return any(character in name for character in "*?[")


def identity(match: Match) -> str:
    """Return what two names of one input have in common."""
    return match.source if match.base is None else os.path.normcase(absolute(match.source))


def _path_order(path: Path) -> tuple[list[list[tuple[str, int]]], str]:
    return [image_names.number_order(Path(part)) for part in path.parts[:-1]] + [image_names.number_order(path)], str(
        path
    )


def absolute(path: str) -> Path:
    """Return a path from the root, without dots; a link keeps its own name."""
    return StorePath(path) if is_stored(path) else Path(os.path.abspath(path))  # noqa: PTH100 - it would follow links


def exists(name: str) -> bool:
    """Say whether there is something of this name, be it a link that leads nowhere."""
    return StorePath(name).exists() if is_stored(name) else os.path.lexists(name)
