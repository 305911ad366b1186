"""What image files are called: by it they are put in order, and what is made of them is named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_PRINTF = re.compile(r"%0?\d*d")
_DIGITS = re.compile(r"(\d+)")
_LONGEST_NUMBER = 18  # digits; a longer one, such as a digest, is a name


def is_pattern(path: Path) -> bool:
    """Say whether the file name holds ``%d``, ``%06d`` or one of the wildcards ``* ? [``."""
    return bool(_PRINTF.search(path.name)) or any(character in path.name for character in "*?[")


def name_pattern(name: str) -> re.Pattern[str]:
    """Translate ``in%06d.jpg`` or ``*.png`` to a regular expression for whole file names; group 1 is the number."""
    if found := _PRINTF.search(name):
        digits = re.sub(r"\D", "", found[0]) or "1"
        number = rf"(\d{{{min(int(digits), 99)},}})"
        return re.compile(re.escape(name[: found.start()]) + number + re.escape(name[found.end() :]))
    import fnmatch

    return re.compile(fnmatch.translate(name))


def number_order(path: Path) -> list[tuple[str, int]]:
    """Return a sorting key by the numbers in the name: in9 before in10, cam1_10 before cam2_9."""
    parts = _DIGITS.split(path.stem)  # text, digits, text, ..., digits, text
    numbers = [int(digits) for digits in parts[1::2]]
    return list(zip((text.lower() for text in parts[::2]), [*numbers, -1], strict=True))


def numbers_of(files: Sequence[Path], pattern: Path | None = None) -> list[int] | None:
    """Return the number of each image, None where it is not clear what the number is.

    It is clear in ``in000050.jpg`` among files that differ in nothing but this number, and where a pattern such as
    ``cam2_%04d.png`` says which it is. A date with a time has several.

    Parameters
    ----------
    files : sequence of Path
        Images in order.
    pattern : Path, optional
        What was asked for.
    """
    if pattern is not None and _PRINTF.search(pattern.name):
        expression = name_pattern(pattern.name)
        matches = [expression.fullmatch(file.name) for file in files]
        digits = [match[1] for match in matches if match is not None]
    else:
        parts = [_DIGITS.split(file.stem) for file in files]
        if any(len(part) != 3 for part in parts) or len({(part[0], part[2]) for part in parts}) > 1:
            return None
        digits = [part[1] for part in parts]
    if len(digits) != len(files) or any(len(text) > _LONGEST_NUMBER for text in digits):
        return None
    numbers = [int(text) for text in digits]
    return numbers if len(set(numbers)) == len(numbers) else None


def names_of(files: Sequence[Path]) -> list[str]:
    """Return a name for each image that no other has: its stem, or with the extension where stems are alike."""
    stems = {file.stem.casefold() for file in files}  # A.png and a.jpg are one name to some file systems
    return [file.stem if len(stems) == len(files) else file.name for file in files]
