"""A clip with its ground truth beside it: ``street.mp4`` and ``street.truth.mkv``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import numpy as np

from bgsub.errors import SourceError
from bgsub.evaluation.sequences import LabelledFrame, LabelledSequence, check_size
from bgsub.formats import READABLE_VIDEOS
from bgsub.video.opening import open_source

TRUTH_ENDING = ".truth"


class ClipSequence(LabelledSequence):
    """A video, and a lossless video of its labels: frame i of the one belongs to frame i of the other.

    Parameters
    ----------
    clip, truth : Path
        The two videos. The clip's stem is the sequence's name, its folder's name the category.

    Notes
    -----
    Frames are numbered from 1.
    """

    def __init__(self, clip: Path, truth: Path) -> None:
        super().__init__(clip.resolve().parent.name or "clips", clip.stem)
        self._clip = clip
        self._truth = truth

    def region(self) -> np.ndarray | None:
        """Return None: every pixel counts that has a label to."""
        return None

    @property
    def frame_count(self) -> int | None:
        """Number of frames that the clip states."""
        with open_source(self._clip, prefetch=0) as source:
            return source.info.expected_frame_count

    def __iter__(self) -> Iterator[LabelledFrame]:
        with open_source(self._clip, prefetch=0) as frames, open_source(self._truth, prefetch=0) as truths:
            for expected, (frame, truth) in enumerate(zip_longest(frames, truths)):
                if frame is None or truth is None:
                    shorter, longer = (self._clip, self._truth) if frame is None else (self._truth, self._clip)
                    raise SourceError(
                        f"{shorter} ends after {expected} frames, {longer.name} goes on: give each frame its labels"
                    )
                for found, file in ((frame, self._clip), (truth, self._truth)):
                    if found.index != expected:
                        raise SourceError(f"frame {expected} of {file} cannot be decoded: make the file again")
                labels = truth.image if truth.image.ndim == 2 else truth.image[..., 1]
                yield LabelledFrame(
                    frame.index + 1,
                    frame.image,
                    np.ascontiguousarray(check_size(self._truth, labels, frame.image.shape)),
                )


def truth_beside(clip: Path) -> Path | None:
    """Return the ground truth that lies beside a clip, None where there is none."""
    for suffix in sorted(READABLE_VIDEOS, key=lambda suffix: suffix != ".mkv"):  # .mkv, as ours, first
        truth = clip.with_name(f"{clip.stem}{TRUTH_ENDING}{suffix}")
        if truth.is_file():
            return truth
    return None


def clip_beside(truth: Path) -> Path | None:
    """Return the clip beside which a ground truth lies, None where there is none."""
    name = truth.stem.removesuffix(TRUTH_ENDING)
    for suffix in sorted(READABLE_VIDEOS, key=lambda suffix: suffix != ".mp4"):
        clip = truth.with_name(name + suffix)
        if clip.is_file():
            return clip
    return None


def is_truth(path: Path) -> bool:
    """Tell whether a path is named as a ground truth is: ``street.truth.mkv``."""
    return path.suffix.lower() in READABLE_VIDEOS and path.stem.endswith(TRUTH_ENDING)
