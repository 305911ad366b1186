"""What lies in a folder: videos, pictures, sequences of pictures, and what was made of videos before."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from bgsub.errors import SourceError
from bgsub.formats import READABLE_IMAGES, READABLE_VIDEOS
from bgsub.stores.addresses import ADVICE, is_stored
from bgsub.stores.store_paths import StorePath, shown
from bgsub.video.readers.contents import SEVERAL, content_of
from bgsub.video.readers.image_names import number_order

logger = logging.getLogger(__name__)

SEQUENCE = "input"
"""Folder of a CDnet sequence that holds its frames."""

_FILMS = frozenset({".gif", ".png", ".tif", ".tiff", ".webp"})
_MADE = re.compile(r"\.(mask|overlay|foreground|background|truth|chapters)(-\d+)?", re.IGNORECASE)


def is_video(path: Path) -> bool:
    """Say whether a file in a folder counts as a video, by its extension."""
    return path.suffix.lower() in READABLE_VIDEOS


def is_image(path: Path) -> bool:
    """Say whether a file in a folder counts as a picture, by its extension."""
    return path.suffix.lower() in READABLE_IMAGES


def holds_several(path: Path) -> bool:
    """Say whether an image file is a film of its own: an animation, or a stack of pages."""
    if path.suffix.lower() not in _FILMS:
        return False
    try:
        return content_of(path) in {*SEVERAL, "gif"}
    except OSError:  # who opens it says why
        return False


def films_among(files: Sequence[Path]) -> list[Path]:
    """Return the image files of a folder that are films of their own; none if the first image is a single picture."""
    images = [file for file in files if is_image(file)]
    return [file for file in images if holds_several(file)] if images and holds_several(images[0]) else []


def folders_below(root: Path) -> Iterator[Path]:
    """Yield a folder and the visible ones below it, no links; of a sequence in CDnet's layout only itself."""
    for path, below in _walk(root):
        below[:] = sorted((name for name in below if not name.startswith(".")), key=lambda name: name_order(Path(name)))
        if has_pictures(path / SEQUENCE):
            below.clear()
        yield path


def _walk(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield a folder and those below it, each with the names of the ones in it, which may be changed."""
    if not isinstance(root, StorePath):
        for folder, below, _ in os.walk(root):
            yield Path(folder), below
        return
    below = [path.name for path in root.iterdir() if path.is_dir()]
    yield root, below
    for name in below:
        yield from _walk(root / name)


def files_in(folder: Path) -> list[Path]:
    """Return the visible files of a folder, in the order of their numbers; `SourceError` where it cannot be read."""
    try:
        if isinstance(folder, StorePath):
            stored = [path for path in folder.iterdir() if not path.name.startswith(".") and path.is_file()]
            return sorted(stored, key=name_order)
        with os.scandir(folder) as entries:
            files = [Path(entry.path) for entry in entries if not entry.name.startswith(".") and _is_readable(entry)]
    except OSError as error:
        advice = ADVICE if is_stored(folder) else "check its permissions"
        raise SourceError(f"cannot look into {shown(folder)}: {error.strerror or error}; {advice}") from error
    return sorted(files, key=name_order)


def _is_readable(entry: os.DirEntry[str]) -> bool:
    """Say whether an entry is a file; a link that leads nowhere is, and says so when it is read, but a pipe is not."""
    return entry.is_file() or (entry.is_symlink() and not Path(entry.path).exists())


def name_order(path: Path) -> tuple[list[tuple[str, int]], str]:
    """Return a sorting key by the numbers in the name; no two names are equal to it."""
    return number_order(path), path.name


def has_pictures(folder: Path) -> bool:
    """Say whether a folder is there, can be read and holds pictures."""
    try:
        return folder.is_dir() and any(map(is_image, files_in(folder)))
    except SourceError:
        return False


def is_sequence(folder: Path) -> bool:
    """Say whether a folder is one sequence of pictures: it has some, or its ``input`` has."""
    return has_pictures(folder / SEQUENCE) or has_pictures(folder)


def is_made(name: str) -> bool:
    """Say whether a file's name, or a pattern of names, is that of a result: ``street.mask.mkv``, ``*.truth.mkv``."""
    return bool(_MADE.fullmatch(Path(Path(name).stem).suffix))


def without_made(videos: Sequence[Path], where: str) -> list[Path]:
    """Leave out what was made of other videos: masks of an earlier run, and ground truth."""
    wanted = [file for file in videos if not is_made(file.name)]
    if len(wanted) < len(videos) and wanted:
        left = next(file for file in videos if is_made(file.name))
        more = len(videos) - len(wanted) - 1
        logger.info(
            "%s: %s is left out%s: a result, no input", where, left.name, f", and {more} more like it" if more else ""
        )
    return wanted


def nothing_in(folder: Path, made: bool, searched: bool = False) -> str:
    """Return the line that says what a folder lacks."""
    if made:
        return f"cannot open {folder}: it holds only masks and other results; give the folder of the videos"
    if not searched and any(map(_has_something, folders_below(folder))):
        return f"cannot open {folder}: its videos or images are in folders below; add --recursive"
    where = "it and the folders below hold" if searched else "it holds"
    return f"cannot open {folder}: {where} no video and no image; check the path"


def _has_something(folder: Path) -> bool:
    try:
        return any(is_video(file) or is_image(file) for file in files_in(folder))
    except SourceError:
        return False


def taken(count: int) -> str:
    """Say in words what is done with so many videos."""
    return "video is taken" if count == 1 else f"{count} videos are taken"
