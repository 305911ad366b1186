"""Names of outputs, whatever is in them, and everything about them that can be checked before anything is read."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from bgsub.errors import OutputError
from bgsub.formats import WRITABLE_IMAGES, WRITABLE_VIDEOS

PathLike = str | os.PathLike[str]


def is_folder(path: PathLike) -> bool:
    """Tell whether an output path means a folder: it ends in a slash, has no extension, or is one."""
    text = os.fspath(path)
    separators = tuple(filter(None, (os.sep, os.altsep)))
    return text.endswith(separators) or not Path(text).suffix or Path(text).is_dir()


def is_extension(text: str) -> bool:
    """Tell whether an output is named by its extension alone, ``.mkv``: the rest of its name is that of the input."""
    return bool(re.fullmatch(r"\.[A-Za-z0-9]{1,8}", text))


def check_output(
    path: PathLike,
    *,
    overwrite: bool = False,
    source: PathLike | None = None,
    suffixes: Sequence[str] = WRITABLE_VIDEOS,
    folder: bool = False,
) -> Path:
    """Check an output path without creating anything.

    Parameters
    ----------
    path : path-like
        File to write, or folder of images where `folder` allows one.
    overwrite : bool
        Let an existing file, or a folder that holds something, be replaced.
    source : path-like, optional
        What is read: a file, or a folder of images. The output must be neither it nor, for files, inside it.
    suffixes : sequence of str
        Extensions that can be written, each with its dot.
    folder : bool
        Whether a folder of images can be written as well.

    Returns
    -------
    Path
        The same path.

    Raises
    ------
    OutputError
        One line that says which path, what is wrong with it and what to do.
    """
    target = Path(path)
    if os.fspath(path) == "-":
        raise OutputError("cannot write to standard output: it takes tables only; name a file instead of -")
    wants_folder = is_folder(path)
    if not (folder if wants_folder else target.suffix.lower() in suffixes):
        known = ", ".join(suffixes) + (", or a folder/ of PNG images" if folder else "")
        raise OutputError(f"cannot write {target}: its extension is not one of {known}; choose one of these")
    _check_parent(target)
    if source is not None:
        _check_differs(target, Path(source), wants_folder)
    if target.exists():
        _check_replaceable(target, wants_folder, overwrite)
    return target


def _check_parent(target: Path) -> None:
    """Raise unless the folder that will hold `target` exists and can be written to."""
    parent = target.parent
    if not parent.is_dir():
        raise OutputError(f"cannot write {target}: there is no folder {parent}; create it or choose another")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(
            f"cannot write {target}: no permission to write to {parent}; choose a folder you can write to"
        )


def _check_differs(target: Path, source: Path, wants_folder: bool) -> None:
    """Raise if writing `target` would touch `source`, through whatever link or spelling."""
    if not source.exists():
        return
    if target.exists() and target.samefile(source):
        raise OutputError(f"cannot write {target}: it is the input; choose another name")
    is_image = not wants_folder and target.suffix.lower() in WRITABLE_IMAGES
    if is_image and source.is_dir() and target.parent.samefile(source):
        raise OutputError(f"cannot write {target}: its folder holds the input's images; choose another folder")
    if wants_folder and target.is_dir() and source.parent.samefile(target):
        raise OutputError(f"cannot write into {target}: it holds the input; choose another folder")


def _check_replaceable(target: Path, wants_folder: bool, overwrite: bool) -> None:
    """Raise unless the existing `target` may be, and can be, replaced."""
    if wants_folder:
        if not target.is_dir():
            raise OutputError(f"cannot write to folder {target}: it is a file; choose another name")
        if not os.access(target, os.W_OK | os.X_OK):
            raise OutputError(f"cannot write to folder {target}: no permission; choose one you can write to")
        if not overwrite and any(target.iterdir()):
            raise OutputError(f"folder {target} is not empty; pass --overwrite or choose another name")
        return
    if not overwrite:
        raise OutputError(f"{target} exists; pass --overwrite or choose another name")
    if not os.access(target, os.W_OK):
        raise OutputError(f"cannot write {target}: no permission; choose another name")


def default_outputs(name: str, suffixes: Sequence[str], *, overwrite: bool = False) -> list[Path]:
    """Return paths in the current folder for all that is made of the source `name`, numbered alike.

    Parameters
    ----------
    name : str
        `VideoInfo.name`, as for `default_output`.
    suffixes : sequence of str
        Ending of each file's name.
    overwrite : bool
        Give paths that are taken all the same.

    Returns
    -------
    list of Path
        ``NAME.mask.mkv``, ``NAME.overlay.mp4``; ``NAME.mask-2.mkv``, ``NAME.overlay-2.mp4`` where one of them is taken.
    """
    plain = [Path(safe_name(name) + suffix) for suffix in suffixes]
    paths, number = plain, 2
    while not overwrite and any(os.path.lexists(path) for path in paths):
        paths = [path.with_name(f"{path.stem}-{number}{path.suffix}") for path in plain]
        number += 1
    return paths


def default_output(name: str, suffix: str = ".mask.mkv", folder: PathLike | None = None) -> Path:
    """Return an unused path for what is made of the source `name`.

    Parameters
    ----------
    name : str
        `VideoInfo.name`. It comes from outside: characters that mean something to a file system are replaced.
    suffix : str
        Ending of the file name.
    folder : path-like, optional
        Where; default the current folder.

    Returns
    -------
    Path
        ``NAME.mask.mkv``, or ``NAME.mask-2.mkv``, ``NAME.mask-3.mkv``, ... where that is taken.
    """
    folder = Path() if folder is None else Path(folder)
    path = folder / (safe_name(name) + suffix)
    stem, extension = path.stem, path.suffix
    number = 2
    while path.exists():
        path = folder / f"{stem}-{number}{extension}"
        number += 1
    return path


def safe_name(name: str) -> str:
    """Return `name` as a plain, visible file name of bounded length."""
    plain = re.sub(r"[^\w.+@ -]+", "_", unicodedata.normalize("NFC", name)).strip(" ._-")
    return plain[:60] or "video"
