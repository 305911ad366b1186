"""Finding sequences with ground truth on a disk: CDnet's layout, and clips with their truth beside them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from bgsub.errors import SourceError
from bgsub.evaluation.cdnet import FRAMES, TRUTH, CdnetSequence
from bgsub.evaluation.clips import TRUTH_ENDING, ClipSequence, clip_beside, is_truth, truth_beside
from bgsub.evaluation.sequences import LabelledSequence
from bgsub.formats import READABLE_VIDEOS

_LOG = logging.getLogger(__name__)
_DEEPEST = 3  # levels of folders below the one given: CDnet's archive holds dataset/category/sequence


def find_sequences(
    path: str | os.PathLike[str],
    *,
    categories: Sequence[str] = (),
    names: Sequence[str] = (),
) -> list[LabelledSequence]:
    """Return the sequences of a data set, by category and name.

    Parameters
    ----------
    path : path-like
        A folder in CDnet's layout (the data set, a category, or one sequence), a folder of clips with
        ``NAME.truth.mkv`` beside ``NAME.mp4``, or one such clip.
    categories, names : sequences of str
        Patterns, as ``base*``: only what fits one of each is taken; without any, all. A name's pattern may also name
        the category, ``baseline/high*``. What lies in folders below a folder of clips is apart from these, and is taken
        where `categories` is given.

    Returns
    -------
    list of LabelledSequence
        At least one.

    Raises
    ------
    SourceError
        When there are none, when ground truth is missing, or two have one category and name.
    """
    root = Path(path)
    found: dict[str, Path] = {}
    for place in _places(root, inner=bool(categories)):
        key = "/".join(_called(place))
        if _wanted(key, categories, names):
            if key in found:
                raise SourceError(f"{found[key]} and {place} are both called {key}: rename one of them")
            found[key] = place
    if not found:
        if categories or names:
            raise SourceError(f"{root} has no sequence that fits --category and --sequence: see what it holds")
        raise _nothing_in(root)
    return [_sequence_at(found[key]) for key in sorted(found, key=str.lower)]


def _places(root: Path, *, inner: bool) -> Iterator[Path]:
    """Yield where sequences lie: folders with frames, and clips."""
    if root.is_file():
        clip = clip_beside(root) if is_truth(root) else root
        if clip is None:
            raise SourceError(f"{root} has no clip beside it: add the video that it belongs to")
        yield clip
        return
    if not root.exists():
        raise SourceError(f"cannot open {root}: no such file or folder; check the path")
    yield from _below(root, _DEEPEST, inner)


def _below(folder: Path, levels: int, inner: bool) -> Iterator[Path]:
    """Yield what a folder holds; `inner` also takes what lies in folders below clips, which otherwise is only told."""
    if (folder / FRAMES).is_dir():
        yield folder
        return
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise SourceError(f"cannot read the folder {folder}: {error.strerror}; check its permissions") from error
    truths = [entry for entry in entries if is_truth(entry)]
    for truth in truths:
        clip = clip_beside(truth)
        if clip is None:
            raise SourceError(f"{truth} has no clip beside it: add the video that it belongs to, or remove it")
        yield clip
    for entry in entries if levels else ():
        if entry.is_dir():
            places = _below(entry, levels - 1, inner)
            if inner or not truths:
                yield from places
            elif any(True for _ in places):
                _LOG.info("%s holds sequences apart from those here: to score them, evaluate that folder", entry)


def _called(place: Path) -> tuple[str, str]:
    """Return category and name of the sequence at a place."""
    resolved = place.resolve()
    return resolved.parent.name or "sequences", resolved.name if place.is_dir() else resolved.stem


def _wanted(key: str, categories: Sequence[str], names: Sequence[str]) -> bool:
    category, name = key.split("/")
    return (not categories or any(fnmatchcase(category, pattern) for pattern in categories)) and (
        not names or any(fnmatchcase(key if "/" in pattern else name, pattern) for pattern in names)
    )


def _sequence_at(place: Path) -> LabelledSequence:
    if place.is_dir():
        return CdnetSequence(place)
    truth = truth_beside(place)
    if truth is None:
        raise SourceError(f"{place} has no ground truth: add {place.stem}{TRUTH_ENDING}.mkv, FFV1, beside it")
    return ClipSequence(place, truth)


def _nothing_in(root: Path) -> SourceError:
    """Say what is missing in a folder without sequences."""
    if (root / TRUTH).is_dir():
        return SourceError(f"{root} has ground truth but no folder {FRAMES}: add the frames, in000001.jpg and so on")
    if any(file.suffix.lower() in READABLE_VIDEOS for file in root.iterdir()):
        return SourceError(f"{root} has videos but no ground truth: add NAME{TRUTH_ENDING}.mkv beside NAME.mp4")
    return SourceError(
        f"{root} has no sequence: give a folder in CDnet's layout (category/sequence/{FRAMES} and {TRUTH}), "
        f"or clips with NAME{TRUTH_ENDING}.mkv beside them"
    )
