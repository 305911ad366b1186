"""Masks on a disk in the layout of CDnet's results: ``category/sequence/bin000001.png``."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from bgsub.errors import OutputError, SourceError
from bgsub.evaluation.protocol import outside_of
from bgsub.evaluation.scoring import OnFrame, SequenceScore, add_frame
from bgsub.evaluation.sequences import LabelledFrame, LabelledSequence
from bgsub.masks import BACKGROUND, FOREGROUND
from bgsub.video.opening import open_source
from bgsub.video.readers.images import read_mask
from bgsub.video.writers.stills import write_image

MASK_VIDEO = ".mask.mkv"
_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]


@dataclass(frozen=True)
class StoredMasks:
    """Masks that were made elsewhere; scored like a method, without a time.

    Attributes
    ----------
    folder : Path
        Holds ``category/sequence/bin%06d.png``, or ``sequence/bin%06d.png``; or ``sequence.mask.mkv``, as ``bgsub run``
        makes it of a clip.
    single : bool
        Whether only one sequence is scored: ``bin%06d.png`` may lie in the folder itself then, as ``bgsub run`` leaves
        them there.
    """

    folder: Path
    single: bool = False

    @property
    def label(self) -> str:
        """Name of the folder."""
        return self.folder.resolve().name or str(self.folder)

    def settings(self) -> dict[str, str]:
        """Return where the masks lie: how they were made is not known."""
        return {"masks from": str(self.folder)}

    def score(self, sequence: LabelledSequence, on_frame: OnFrame | None = None) -> SequenceScore:
        """Count the masks of a sequence; only those of frames that count need to exist.

        Raises
        ------
        SourceError
            When a mask is missing, or is none.
        """
        video = self._video_of(sequence)
        masked = self._from_folder(sequence) if video is None else _from_video(sequence, video)
        score = SequenceScore(sequence.category, sequence.name)
        outside = outside_of(sequence.region())
        for frame, mask in masked:
            score.n_frames += 1
            if frame.truth is None or mask is None:
                continue
            add_frame(score, frame, mask, outside)
            if on_frame is not None:
                on_frame(frame, mask)
        return score

    def _video_of(self, sequence: LabelledSequence) -> Path | None:
        """Return the video of a sequence's masks, None where there is none."""
        name = f"{sequence.name}{MASK_VIDEO}"
        videos = (self.folder / sequence.category / name, self.folder / name)
        return next((video for video in videos if video.is_file()), None)

    def _from_folder(self, sequence: LabelledSequence) -> Iterator[tuple[LabelledFrame, np.ndarray | None]]:
        """Yield each frame with its mask, None where the frame does not count."""
        folder = self._folder_of(sequence)
        for frame in sequence:
            yield frame, None if frame.truth is None else _read(folder / mask_name(frame.number))

    def _folder_of(self, sequence: LabelledSequence) -> Path:
        candidates = [self.folder / sequence.category / sequence.name, self.folder / sequence.name]
        for folder in candidates:
            if folder.is_dir():
                return folder
        if self.single and next(self.folder.glob("bin*.png"), None) is not None:
            return self.folder
        raise SourceError(
            f"{self.folder} has no masks of {sequence.key}: add {candidates[0] / mask_name(1)} and so on, "
            "or leave the sequence out with --sequence"
        )


class MaskWriter:
    """Writes the mask of every frame, 0 and 255 only, as CDnet's server takes them.

    Parameters
    ----------
    folder : Path
        Made, with those above it, at once; masks in it are replaced.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make the folder {folder}: {error.strerror}; choose another") from error

    def __call__(self, frame: LabelledFrame, mask: np.ndarray) -> None:
        """Write one mask."""
        binary = np.where(mask == FOREGROUND, np.uint8(FOREGROUND), np.uint8(BACKGROUND))
        write_image(self._folder / mask_name(frame.number), binary, _PNG)


def _from_video(sequence: LabelledSequence, video: Path) -> Iterator[tuple[LabelledFrame, np.ndarray]]:
    """Yield each frame with its mask: the first belongs to the first, and so on."""
    with open_source(video, prefetch=0) as source:
        for frame, mask in itertools.zip_longest(sequence, source):
            if frame is None or mask is None:
                shorter, longer = (sequence.key, video) if frame is None else (video, sequence.key)
                raise SourceError(f"{shorter} ends before {longer}: mask all of its frames")
            image = mask.image
            yield frame, image if image.ndim == 2 else np.ascontiguousarray(image[..., 1])


def mask_name(number: int) -> str:
    """Return the name of the file with a frame's mask."""
    return f"bin{number:06d}.png"


def folder_name(label: str) -> str:
    """Return a method's label as it can name a folder on every system."""
    return re.sub(r"[^\w.+=-]+", "_", label).strip("._") or "method"


def _read(file: Path) -> np.ndarray:
    if not file.is_file():
        raise SourceError(f"{file.parent} has no {file.name}: the masks of all frames that count are needed")
    mask = read_mask(file)
    if mask.max(initial=0) == 1:
        raise SourceError(f"{file} holds 0 and 1: write foreground as 255")
    return mask
