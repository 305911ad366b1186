"""A sequence in CDnet's layout: folders ``input`` and ``groundtruth``, ``temporalROI.txt``, ``ROI.bmp``."""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bgsub.errors import SourceError
from bgsub.evaluation.sequences import LabelledFrame, LabelledSequence, check_size
from bgsub.video.opening import open_source
from bgsub.video.readers.images import list_images, read_mask

logger = logging.getLogger(__name__)

FRAMES, TRUTH = "input", "groundtruth"
_SPAN = "temporalROI.txt"
_REGIONS = ("ROI.bmp", "ROI.png", "ROI.jpg")
_LOSSY_INSIDE = 128  # JPEG blurs the border of a region; elsewhere every value but 0 is inside
_NUMBER = re.compile(r"(\d{1,12})\D*$")


class CdnetSequence(LabelledSequence):
    """A folder in the layout of one sequence of changedetection.net.

    Without ``temporalROI.txt`` every frame with a ground truth counts, without ``ROI.bmp`` (or .png, .jpg) every
    pixel; a frame without a ground truth is only learned.

    Parameters
    ----------
    folder : Path
        Its name is the sequence's, its parent's name the category.

    Raises
    ------
    SourceError
        When the folder is not laid out so, or has a ground truth to which there is no frame.
    """

    def __init__(self, folder: Path) -> None:
        resolved = folder.resolve()
        super().__init__(resolved.parent.name or "sequences", resolved.name)
        self._folder = folder
        if not (folder / TRUTH).is_dir():
            raise SourceError(f"{folder} has no folder {TRUTH}: add the ground truth, gt000001.png and so on")
        self._frames = _numbered(folder / FRAMES)
        self._truths = _numbered(folder / TRUTH)
        missing = sorted(self._truths.keys() - self._frames.keys())
        if missing:
            raise SourceError(
                f"{folder / FRAMES} has no frame {missing[0]} ({len(missing)} missing), though {TRUTH} has one: "
                "copy the sequence again, whole"
            )
        first, last = self._span()
        self._counted = [n for n in self._frames if first <= n <= last and n in self._truths]
        if not self._counted:
            raise SourceError(
                f"{folder}: no frame with ground truth lies within {_SPAN} ({first} to {last}): correct it"
            )
        numbers = list(self._frames)
        gap = next((a + 1 for a, b in itertools.pairwise(numbers) if b != a + 1), None)
        if gap is not None:
            logger.warning("%s has no frame %d, nor a ground truth of it: models learn across the gap", folder, gap)
        without = sum(first <= n <= last for n in self._frames) - len(self._counted)
        if without:
            logger.debug("%s: %d frames have no ground truth and do not count", folder, without)

    def region(self) -> np.ndarray | None:
        """Return which pixels count, from ``ROI.bmp``."""
        for name in _REGIONS:
            if (file := self._folder / name).exists():
                mask = read_mask(file)
                inside = mask >= _LOSSY_INSIDE if file.suffix == ".jpg" else mask != 0
                with open_source(self._folder / FRAMES, prefetch=0) as source:
                    return check_size(file, inside, (source.info.height, source.info.width))
        return None

    @property
    def frame_count(self) -> int:
        """Number of frames."""
        return len(self._frames)

    def __iter__(self) -> Iterator[LabelledFrame]:
        numbers = list(self._frames)
        counted = set(self._counted)
        expected = 0
        with open_source(self._folder / FRAMES, prefetch=0) as source:
            for frame in source:
                if frame.index != expected:
                    break
                number, expected = numbers[frame.index], expected + 1
                truth = None
                if number in counted:
                    truth = check_size(self._truths[number], read_mask(self._truths[number]), frame.image.shape)
                yield LabelledFrame(number, frame.image, truth)
        if expected != len(numbers):
            raise SourceError(f"{self._frames[numbers[expected]]} cannot be read: copy the sequence again, whole")

    def _span(self) -> tuple[int, int]:
        """Return the numbers of the first and the last frame that count."""
        file = self._folder / _SPAN
        if not file.exists():
            return 0, max(self._frames)
        try:
            with file.open("rb") as opened:
                text = opened.read(100).decode("ascii", "replace")
        except OSError as error:
            raise SourceError(f"cannot read {file}: {error.strerror}; check its permissions") from error
        numbers = re.fullmatch(r"\s*(\d{1,12})\s+(\d{1,12})\s*", text)
        if numbers is None or int(numbers[1]) > int(numbers[2]):
            raise SourceError(f"{file} does not hold two numbers, the first and the last frame that count: correct it")
        return int(numbers[1]), int(numbers[2])


def _numbered(folder: Path) -> dict[int, Path]:
    """Return the images of a folder by the last number in their names, in the order in which a source reads them."""
    found: dict[int, Path] = {}
    for file in list_images(folder):
        number = _NUMBER.search(file.stem)
        if number is None:
            raise SourceError(f"{file} has no number in its name: call it like in000001{file.suffix}, or remove it")
        if int(number[1]) in found:
            raise SourceError(f"{file} and {found[int(number[1])].name} have one number: remove one of them")
        found[int(number[1])] = file
    return found
